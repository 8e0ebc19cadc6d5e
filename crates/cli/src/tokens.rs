//! `gatehouse tokens`: the tokens of a project or of the account. A token is printed once, when it is created, and
//! alone.

use anyhow::{Context as _, Result};
use api::v1::{AccountTokenBody, TokenBody, TokenItem};
use clap::{Args, Subcommand};
use domain::ids::TargetName;
use domain::role::Role;
use ureq::http::Method;

use crate::args::{EXIT_CODES, Format, Server};
use crate::client::Client;
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// Create, list and revoke tokens
///
/// An uploader can only upload. Each of the other roles includes those before it: viewer reads results, developer
/// uploads and requests exemptions, secops reviews them, admin creates tokens. A token of the account (`--account`)
/// makes a person admin of all projects.
#[derive(Args)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    command: TokensCommand,
}

#[derive(Subcommand)]
enum TokensCommand {
    /// Create a token; standard output is only the token
    #[command(after_long_help = format!("\
Example:
  gatehouse tokens create --role developer --name ci --expires-in-days 90
  gatehouse tokens create --role uploader --name ci-main
  gatehouse tokens create --role uploader --name ci-pull-requests --no-baselines
  gatehouse tokens create --role uploader --name ci-web --target web --target api
  gatehouse tokens create --account --name ann

{EXIT_CODES}"))]
    Create(CreateArgs),
    /// List the tokens of a project or of the account, without their secrets
    #[command(after_long_help = format!("\
Example:
  gatehouse tokens list
  gatehouse tokens list --account

{EXIT_CODES}"))]
    List(ListArgs),
    /// Revoke a token; requests with it are refused from now on
    #[command(after_long_help = format!("\
Example:
  gatehouse tokens revoke 0123456789abcdef0123456789abcdef

{EXIT_CODES}"))]
    Revoke(RevokeArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// Role: uploader, viewer, developer, secops or admin
    #[arg(long, required_unless_present = "account", conflicts_with = "account")]
    role: Option<Role>,
    /// Limit the token to this target; may be given up to 50 times; defaults to all targets
    #[arg(long = "target", value_name = "TARGET", conflicts_with = "account")]
    targets: Vec<TargetName>,
    /// Limit uploads to this variant, a name or a pattern (RE2) for the whole name; may be given up to 50 times. Such a
    /// token may not upload baselines, unless `--baselines` is given
    #[arg(long = "variant", value_name = "PATTERN", conflicts_with = "account")]
    variants: Vec<String>,
    /// Let the token upload variants that a baseline means, although `--variant` limits it
    #[arg(long, conflicts_with = "account", requires = "variants")]
    baselines: bool,
    /// Do not let the token upload variants that a baseline means, such as the main branch; for pull requests
    #[arg(long, conflicts_with_all = ["account", "baselines"])]
    no_baselines: bool,
    /// Limit uploads to this pipeline; may be given up to 50 times
    #[arg(long = "pipeline", value_name = "PIPELINE", conflicts_with = "account")]
    pipelines: Vec<String>,
    /// Name of the token; defaults to the role
    #[arg(long, required_if_eq("account", "true"))]
    name: Option<String>,
    /// The person or machine that uses it; defaults to the name
    #[arg(long)]
    subject: Option<String>,
    /// Days until it expires; 90 by default
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
    /// Let the token be valid until it is revoked
    #[arg(long, conflicts_with = "expires_in_days")]
    never_expires: bool,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Args)]
struct ListArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Args)]
struct RevokeArgs {
    /// The token's id, as `tokens list` shows it
    id: String,
    #[command(flatten)]
    whose: Whose,
}

/// The owner of tokens: a project or the account.
#[derive(Args)]
struct Whose {
    /// Use the account's tokens instead of a project's
    #[arg(long)]
    account: bool,
    /// The project
    #[arg(long, env = "GATEHOUSE_PROJECT", value_name = "PROJECT", hide_env_values = true)]
    #[arg(help_heading = "Connection", required_unless_present = "account")]
    project: Option<String>,
    #[command(flatten)]
    server: Server,
}

impl Whose {
    fn client(&self) -> Result<Client> {
        match &self.project {
            Some(project) if !self.account => self.server.client(project),
            Some(_) | None => self.server.account(),
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: TokensArgs) -> Result<()> {
    match args.command {
        TokensCommand::Create(args) => create(args),
        TokensCommand::List(args) => list(&args),
        TokensCommand::Revoke(args) => revoke(&args),
    }
}

fn create(args: CreateArgs) -> Result<()> {
    let CreateArgs { role, targets, variants, baselines, no_baselines, pipelines, name, subject, .. } = args;
    let CreateArgs { expires_in_days, never_expires, whose, .. } = args;
    let never_expires = never_expires.then_some(true);
    let client = whose.client()?;
    let named = || name.or_else(|| role.map(|role| role.to_string())).context("give the token a name with `--name`");
    let item: TokenItem = match role {
        Some(role) => {
            let targets = (!targets.is_empty()).then(|| targets.into_iter().map(String::from).collect());
            let body = TokenBody {
                subject,
                targets,
                variants: (!variants.is_empty()).then_some(variants),
                baselines: if no_baselines { Some(false) } else { baselines.then_some(true) },
                pipelines: (!pipelines.is_empty()).then_some(pipelines),
                expires_in_days,
                never_expires,
                ..TokenBody::new(named()?, role)
            };
            client.send(Method::POST, &["tokens"], &body)?
        }
        None => {
            let body = AccountTokenBody { name: named()?, subject, expires_in_days, never_expires };
            client.send(Method::POST, &["tokens"], &body)?
        }
    };
    let token = item.token.context("the server created a token but did not send it")?;
    let text = format!("Token {} for {} with the role {}; it is shown only now.", item.id, item.subject, item.role);
    anstream::eprintln!("{}", plain(&text));
    output::line(&plain(&token))
}

fn list(args: &ListArgs) -> Result<()> {
    let client = args.whose.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["tokens"], &[])?),
        Format::Table => output::print(&table(&client.all(&["tokens"], &[])?)),
    }
}

fn table(items: &[TokenItem]) -> String {
    let mut listing = Listing::new(&[
        "NAME",
        "SUBJECT",
        "ROLE",
        "TARGETS",
        "UPLOADS",
        "EXPIRES",
        "LAST USED",
        "ISSUED",
        "ISSUED BY",
        "ID",
    ]);
    for item in items {
        let targets = item.targets.as_ref().map_or_else(|| "all".to_owned(), |targets| targets.join(", "));
        let [expires, used] = [&item.expires_at, &item.last_used_at].map(|at| at.as_deref().unwrap_or("never"));
        let uploads = uploads(item);
        let cells: [&str; 10] = [
            &item.name,
            &item.subject,
            &item.role,
            &targets,
            &uploads,
            expires,
            used,
            &item.issued_at,
            &item.issued_by,
            &item.id,
        ];
        listing.row(cells);
    }
    listing.render()
}

/// The limits of a token's uploads.
fn uploads(item: &TokenItem) -> String {
    let variants = item.variants.as_ref().map(|patterns| format!("variants {}", patterns.join(", ")));
    let baselines = (!item.baselines).then(|| "no baselines".to_owned());
    let pipelines = item.pipelines.as_ref().map(|names| format!("pipelines {}", names.join(", ")));
    let limits: Vec<_> = variants.into_iter().chain(baselines).chain(pipelines).collect();
    if limits.is_empty() { "all".to_owned() } else { limits.join("; ") }
}

fn revoke(args: &RevokeArgs) -> Result<()> {
    args.whose.client()?.delete(&["tokens", &args.id])?;
    anstream::eprintln!("{}", plain(&format!("Token {} is revoked.", args.id)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::Parser as _;

    fn parses(words: &str) -> bool {
        Cli::try_parse_from(["gatehouse", "tokens"].into_iter().chain(words.split(' '))).is_ok()
    }

    #[test]
    fn a_token_is_of_a_project_with_a_role_or_of_the_account_with_a_name() {
        assert!(parses("create --project shop --role uploader --target web --target api"));
        assert!(parses("create --project shop --role uploader --variant pr-.* --pipeline pr --never-expires"));
        assert!(parses("create --project shop --role uploader --no-baselines"));
        assert!(parses("create --account --name ann --subject ann@example.org"));
        assert!(parses("list --account") && parses("revoke --account 0123"));
        for bad in [
            "create --project shop --name ci",
            "create --account",
            "create --account --name ann --role viewer",
            "create --account --name ann --target web",
            "create --project shop --role viewer --target",
            "create --project shop --role uploader --baselines",
            "create --project shop --role uploader --expires-in-days 3 --never-expires",
        ] {
            assert!(!parses(bad), "{bad}");
        }
    }

    #[test]
    fn the_list_shows_targets_and_last_use() {
        let item = api::v1::TokenItem {
            id: "0".repeat(32),
            name: "ci".to_owned(),
            subject: "ci".to_owned(),
            role: "uploader".to_owned(),
            targets: Some(vec!["api".to_owned(), "web".to_owned()]),
            variants: Some(vec!["pr-.*".to_owned()]),
            baselines: false,
            pipelines: None,
            expires_at: None,
            issued_at: "2026-11-24T06:00:00.000Z".to_owned(),
            issued_by: "admin".to_owned(),
            last_used_at: Some("2026-11-24T07:00:00.000Z".to_owned()),
            last_used_address: Some("192.0.2.7".to_owned()),
            token: None,
        };
        let table = super::table(&[item]);
        for shown in
            ["TARGETS", "LAST USED", "api, web", "variants pr-.*; no baselines", "2026-11-24T07:00:00.000Z", "never"]
        {
            assert!(table.contains(shown), "{shown} is missing:\n{table}");
        }
    }
}
