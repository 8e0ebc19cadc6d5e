//! A sample project with scans of several days, to test the pages.

use crate::app::App;
use crate::client::Client;
use crate::reports::{Program, generated};
use crate::upload::Upload;
use crate::workspace;
use api::path::segment;
use api::v1::{ExemptionBody, ExemptionItem, IssueItem, ScanAnswer};
use serde_json::json;
use std::time::Duration;

/// The project.
pub const PROJECT: &str = "shop";
/// The people with tokens, and their roles.
const PEOPLE: [(&str, &str); 4] = [("vera", "viewer"), ("dave", "developer"), ("sue", "secops"), ("paul", "admin")];
/// Reports of other tools, by target, type and fixture.
const OTHERS: [(&str, &str, &str, &str); 5] = [
    ("storefront", "container", "grype", "grype/image.json"),
    ("storefront-ui", "repository", "npm-audit-7", "npm-audit-7/notes.json"),
    ("infrastructure", "configuration", "checkov", "checkov/infra.json"),
    ("shop.example", "instance", "zap", "zap/report.json"),
    ("notes", "repository", "gitleaks", "gitleaks/version-8.json"),
];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The content of the sample project.
pub struct Sample {
    tokens: Vec<(&'static str, String)>,
    main: ScanAnswer,
    branch: ScanAnswer,
    issue: IssueItem,
    exemption: String,
}

impl Sample {
    /// Fills an application with scans of this many days; more than 0 needs the embedded host.
    pub fn fill(app: &mut App, days: u64) -> Self {
        let admin = app.admin(PROJECT);
        admin.create_project();
        app.admin("empty").create_project();
        let tokens: Vec<_> = PEOPLE
            .into_iter()
            .map(|(person, role)| {
                let issued = admin.issue_to(person, &format!("{person}'s laptop"), role);
                (role, issued.token().to_owned())
            })
            .collect();
        let (mut developer, mut secops) = (admin.with_token(&tokens[1].1), admin.with_token(&tokens[2].1));

        let program = Program::demo();
        let mut main = developer.upload(&Upload::new(program.target, program.main, program.main_bytes()));
        developer.set_baseline(program.target, program.main);
        for (target, kind, scanner, fixture) in OTHERS {
            developer.upload(&other(target, kind, scanner, fixture));
        }
        let branch = Upload::new(program.target, program.branch, program.branch_bytes()).fail_on("critical");
        let first = developer.upload(&branch);
        decide(&developer, &secops, &first);

        for day in 0..days {
            app.restart_later(DAY);
            (developer, secops) = (developer.at(&app.url()), secops.at(&app.url()));
            main = developer.upload(&Upload::new(program.target, program.main, program.main_bytes()));
            developer.upload(&Upload::new("api", "main", generated(40 + 7 * (day % 3), 1 + day / 2)));
            developer.upload(&Upload::new("api", "feature/search", generated(45, 20 + day)).fail_on("high"));
        }
        let run = |upload: Upload| upload.in_run("nightly", "118");
        let branch = developer.upload(&run(branch));
        developer.upload(&run(other("storefront", "container", "grype", "grype/image.json")));
        developer.upload(&run(other("notes", "repository", "gitleaks", "gitleaks/version-8.json")));
        let issue = developer.issues(&branch, "?severity=critical&bucket=new").remove(0);
        let exemption = secops.exemptions().remove(0).id;
        let settings = json!({
            "tool_suppressions": "honoured",
            "target_criteria": {"notes|storefront-ui": {"fail_on_new_occurrences": "high", "required_scanners": ["bandit", "npm-audit-7"]}},
        });
        let request =
            json!({"settings": settings, "reason": "The team reviews suppressions in pull requests, SEC-31."});
        developer.json("POST", "settings-request", &request).expect(201);
        Self { tokens, main, branch, issue, exemption }
    }

    /// The token of a person with this role.
    pub fn token(&self, role: &str) -> &str {
        &self.tokens.iter().find(|(known, _)| *known == role).unwrap().1
    }

    /// Every page of the project, by name, with its path; those of the account last.
    pub fn pages(&self) -> Vec<(&'static str, String)> {
        let base = format!("/projects/{PROJECT}");
        let scan = format!("{base}/scans/{}", self.branch.scan.id);
        let exemptions = format!("{base}/exemptions");
        vec![
            ("overview", base.clone()),
            ("overview-empty", "/projects/empty".to_owned()),
            ("scans", format!("{base}/scans")),
            ("scans-none", format!("{base}/scans?variant=none")),
            ("scans-refused", format!("{base}/scans?target=none")),
            ("scan", scan.clone()),
            ("scan-exempted", format!("{scan}?show=exempted")),
            ("scan-first", format!("{base}/scans/{}", self.main.scan.id)),
            ("issue", format!("{scan}/issues/{}", self.issue.id)),
            ("compare", format!("{scan}/compare/{}", self.main.scan.id)),
            ("execution", format!("{base}/pipelines/nightly/executions/118")),
            ("targets", format!("{base}/targets")),
            ("target", format!("{base}/targets/{}", segment(&self.branch.scan.target.name))),
            ("exemptions", exemptions.clone()),
            ("exemptions-approved", format!("{exemptions}?status=approved")),
            ("exemptions-rejected", format!("{exemptions}?status=rejected")),
            ("exemptions-expired", format!("{exemptions}?status=expired")),
            ("exemptions-cancelled", format!("{exemptions}?status=cancelled")),
            ("exemption", format!("{exemptions}/{}", self.exemption)),
            ("upload", format!("{base}/upload")),
            ("settings", format!("{base}/settings")),
            ("tokens", format!("{base}/tokens")),
            ("audit", format!("{base}/audit")),
            ("projects", "/projects".to_owned()),
            ("account-tokens", "/account/tokens".to_owned()),
            ("account-audit", "/account/audit".to_owned()),
            ("problem", format!("{base}/no-such-page")),
        ]
    }
}

fn other(target: &str, kind: &str, scanner: &str, fixture: &str) -> Upload {
    let report = std::fs::read(workspace().join("crates/scanners/fixtures").join(fixture)).unwrap();
    let query = format!("scanner={scanner}&target={}&target_type={kind}&variant=main", segment(target));
    Upload::with_query(&query, report)
}

/// Requests exemptions of a scan's issues, and brings each into another state.
fn decide(developer: &Client, secops: &Client, scan: &ScanAnswer) {
    let issues = developer.issues(scan, "");
    let ask = |issue: &IssueItem, reason: &str, text: &str, days: u32| -> ExemptionItem {
        let body = ExemptionBody {
            issue: issue.id.to_string(),
            scope: "target".to_owned(),
            target: Some(scan.scan.target.name.clone()),
            duration_days: Some(days),
            reason: reason.to_owned(),
            text: text.to_owned(),
            link: Some("https://tickets.example/NOTES-42".to_owned()),
            ..ExemptionBody::default()
        };
        developer.json("POST", "exemptions", &serde_json::to_value(body).unwrap()).expect(201).read()
    };
    let comment = |exemption: &ExemptionItem, verb: &str, comment: &str| {
        secops.json("POST", &format!("exemptions/{}/{verb}", exemption.id), &json!({"comment": comment})).expect(200);
    };
    let of = |rule: &str| issues.iter().find(|issue| issue.rule == rule).unwrap();
    let approved =
        ask(of("B324"), "acceptable_use", "The hash only names cached files; nothing is signed with it.", 90);
    comment(&approved, "approve", "Agreed until the cache is gone.");
    let rejected = ask(of("B307"), "false_positive", "What is evaluated is written by us.", 30);
    comment(&rejected, "reject", "An imported note gets into it, see the second caller.");
    let expired = ask(of("B608"), "fix_unavailable", "The query builder is to be replaced this week.", 1);
    comment(&expired, "approve", "For a day.");
    let withdrawn = ask(of("B404"), "other", "Not needed any more.", 30);
    developer.decide(&withdrawn.id, "cancel").expect(200);
    ask(of("B602"), "compensating_controls", "The export runs in a sandbox without a network, as nobody.", 180);
}
