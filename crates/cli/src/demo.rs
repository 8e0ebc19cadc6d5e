//! `gatehouse demo`: shows the gate's main job step by step, on a temporary server. Every number is checked: if one is
//! wrong, the demo exits with 1.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use api::v1::{
    BaselineBody, DecisionBody, ExemptionBody, ExemptionItem, IssueItem, ProjectAnswer, ScanAnswer, SettingsBody,
    TargetItem, TargetPatch, TokenBody, TokenItem,
};
use clap::Args;
use domain::role::Role;
use host::{Config, Server};
use ureq::http::Method;

use crate::bandit::{self, Reports};
use crate::body::ReportBody;
use crate::client::Client;
use crate::story::{self, Expected};
use crate::terminal::{ERROR, GOOD, HEADING, plain};
use crate::up::Signals;
use crate::{admin_token, application, issues, output, upload};

const PROJECT: &str = "demo";
const TARGET: &str = "notes";
/// Time limit for the host to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Show the gate at work on a small program, from project to verdict
///
/// Serves the application on a free port with a temporary data folder, and walks through a project's life: a scan of
/// the main branch, a branch that fails the gate, exemptions that let it pass, and their end. The server's answer is
/// checked at each step. Bandit scans the program if it is installed; otherwise its stored reports are used.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  gatehouse demo
  gatehouse demo --keep

Exit codes: 0 everything was as expected, 1 something was not, 2 wrong usage or failure.")]
pub(crate) struct DemoArgs {
    /// Leave the server running at the end, and print its address and tokens
    #[arg(long)]
    keep: bool,
    /// The `spin.toml` of the application to run, instead of the built-in one
    #[arg(long, value_name = "FILE")]
    app: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: DemoArgs) -> Result<ExitCode> {
    let data = tempfile::tempdir().context("cannot create a temporary folder")?;
    let admin = admin_token::generate()?;
    let mut config = Config::new(application::source(args.app.as_deref())?, data.path());
    config.variables.insert("admin_token".to_owned(), admin.clone());
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let server = runtime.block_on(Server::start(config))?;
    let url = format!("http://{}", server.local_addr());

    let mut demo = Demo { url, admin, step: 0, differences: 0 };
    let result = demo.run();
    if args.keep
        && let Ok(people) = &result
    {
        demo.keep(people, &runtime)?;
    }
    let stopped = runtime.block_on(server.shutdown(GRACE));
    result?;
    stopped?;
    if demo.differences == 0 {
        anstream::eprintln!("\n{GOOD}Everything was as expected.{GOOD:#}");
        return Ok(ExitCode::SUCCESS);
    }
    anstream::eprintln!("\n{ERROR}Not everything was as expected{ERROR:#}: {} differences.", demo.differences);
    Ok(ExitCode::FAILURE)
}

struct Demo {
    url: String,
    admin: String,
    step: u32,
    differences: usize,
}

/// The tokens of the demo's people.
struct People {
    developer: String,
    secops: String,
}

impl Demo {
    fn run(&mut self) -> Result<People> {
        let Reports { main, feature, origin } = bandit::reports();
        print_line(&origin);

        self.step("An admin creates the project, a token for a developer and one for SecOps.");
        let admin = self.client(&self.admin)?;
        let _: ProjectAnswer = admin.send(Method::PUT, &[], &SettingsBody::default())?;
        let people = People { developer: token(&admin, Role::Developer)?, secops: token(&admin, Role::Secops)? };
        let (developer, secops) = (self.client(&people.developer)?, self.client(&people.secops)?);

        self.step("The pipeline uploads the scan of `main`.");
        let scan = upload(&developer, "main", "none", &main)?;
        upload::show(&developer, &scan)?;
        self.check(&story::MAIN, &scan);

        self.step("The developer sets `main` as the baseline that branches are compared with.");
        let patch = TargetPatch { baseline: Some(BaselineBody::variant("main")) };
        let target: TargetItem = developer.send(Method::PATCH, &["targets", TARGET], &patch)?;
        let baseline = target.baseline.and_then(|baseline| baseline.variant);
        self.expect("the baseline", "main", baseline.as_deref().unwrap_or("none"));

        self.step("The pipeline uploads the scan of `feature`; it must fail on critical issues.");
        let scan = upload(&developer, "feature", "critical", &feature)?;
        upload::show(&developer, &scan)?;
        self.check(&story::FEATURE, &scan);

        self.step("The developer requests an exemption for each critical issue, and SecOps approves them.");
        let exemptions = self.exempt(&developer, &secops, &scan)?;

        self.step("The same scan again: exempted issues no longer count.");
        let scan = upload(&developer, "feature", "critical", &feature)?;
        upload::show(&developer, &scan)?;
        self.check(&story::EXEMPTED, &scan);

        self.step("The developer withdraws the exemptions.");
        for id in &exemptions {
            let item = decide(&developer, id, "cancel")?;
            self.expect("the exemption", "cancelled", &item.status.to_string());
        }

        self.step("The same scan again: the gate fails as before.");
        let scan = upload(&developer, "feature", "critical", &feature)?;
        output::print(&issues::counts(&scan))?;
        self.check(&story::FEATURE, &scan);
        Ok(people)
    }

    fn exempt(&mut self, developer: &Client, secops: &Client, scan: &ScanAnswer) -> Result<Vec<String>> {
        let issues: Vec<IssueItem> =
            developer.all(&["scans", &scan.scan.id.to_string(), "issues"], &[("severity", "critical")])?;
        self.expect("critical issues", "2", &issues.len().to_string());
        let mut exemptions = Vec::new();
        for issue in issues {
            let body = ExemptionBody {
                issue: issue.id.to_string(),
                scope: "target".to_owned(),
                target: Some(TARGET.to_owned()),
                duration_days: Some(30),
                reason: "acceptable_risk".to_owned(),
                text: "The program is a demonstration and has no users.".to_owned(),
                ..ExemptionBody::default()
            };
            let item: ExemptionItem = developer.send(Method::POST, &["exemptions"], &body)?;
            self.expect("the exemption", "pending", &item.status.to_string());
            let item = decide(secops, &item.id, "approve")?;
            self.expect("the exemption", "approved", &item.status.to_string());
            print_line(&format!(
                "`{}` is exempted until {}.",
                item.title,
                item.ends_at.as_deref().unwrap_or("an unknown time")
            ));
            exemptions.push(item.id);
        }
        Ok(exemptions)
    }

    fn client(&self, token: &str) -> Result<Client> {
        Ok(Client::new(&self.url, PROJECT, token)?)
    }

    fn step(&mut self, what: &str) {
        self.step += 1;
        anstream::eprintln!("\n{HEADING}{}. {what}{HEADING:#}", self.step);
    }

    /// Prints the verdict of an upload and its differences from the expectation.
    fn check(&mut self, expected: &Expected, answer: &ScanAnswer) {
        upload::print_verdict(answer);
        for difference in expected.differences(answer) {
            self.differ(&difference);
        }
    }

    fn expect(&mut self, what: &str, expected: &str, found: &str) {
        if expected != found {
            self.differ(&format!("{what}: expected {expected}, found {found}"));
        }
    }

    fn differ(&mut self, difference: &str) {
        self.differences += 1;
        anstream::eprintln!("{ERROR}not as expected{ERROR:#}: {}", plain(difference));
    }

    /// Keeps serving until a signal.
    fn keep(&self, people: &People, runtime: &tokio::runtime::Runtime) -> Result<()> {
        let Self { url, admin, .. } = self;
        let People { developer, secops } = people;
        output::print(&format!(
            "\nGATEHOUSE_URL={url}\nGATEHOUSE_PROJECT={PROJECT}\n\
             # developer\nGATEHOUSE_TOKEN={developer}\n# secops\nGATEHOUSE_TOKEN={secops}\n# admin\nGATEHOUSE_TOKEN={admin}\n"
        ))?;
        anstream::eprintln!("The server runs until you press Ctrl-C; then its data is removed.");
        runtime.block_on(async {
            Signals::new().context("cannot wait for signals")?.next().await;
            Ok(())
        })
    }
}

fn print_line(text: &str) {
    anstream::eprintln!("{}", plain(text));
}

fn token(admin: &Client, role: Role) -> Result<String> {
    let body = TokenBody { expires_in_days: Some(1), ..TokenBody::new(role.to_string(), role) };
    let item: TokenItem = admin.send(Method::POST, &["tokens"], &body)?;
    item.token.context("the server created a token but did not send it")
}

fn decide(client: &Client, exemption: &str, decision: &str) -> Result<ExemptionItem> {
    let body = DecisionBody { comment: "part of the demo".to_owned(), ..DecisionBody::default() };
    Ok(client.send(Method::POST, &["exemptions", exemption, decision], &body)?)
}

fn upload(client: &Client, variant: &str, fail_on_severity: &str, report: &str) -> Result<ScanAnswer> {
    let parameters = [
        ("scanner", "bandit"),
        ("target", TARGET),
        ("variant", variant),
        ("target_type", "repository"),
        ("fail_on_severity", fail_on_severity),
    ];
    Ok(upload::send(client, &parameters, None, &ReportBody::from_text(report)?)?.answer)
}
