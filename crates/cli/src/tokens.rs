//! `gatehouse tokens`: who may do what in a project. A token is printed once, when it is made, and alone.

use anyhow::{Context as _, Result};
use api::v1::{TokenBody, TokenItem};
use clap::{Args, Subcommand};
use domain::role::Role;
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// Create, list and revoke a project's tokens
///
/// An uploader uploads and reads nothing. Of the others each role includes those before it: viewer reads results,
/// developer uploads and requests exemptions, secops decides on them, admin makes tokens.
#[derive(Args)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    command: TokensCommand,
}

#[derive(Subcommand)]
enum TokensCommand {
    /// Create a token; prints it, and nothing else, to standard output
    #[command(after_long_help = format!("\
Example:
  gatehouse tokens create --role developer --name ci --expires-in-days 90

{EXIT_CODES}"))]
    Create(CreateArgs),
    /// List the tokens of a project, without the tokens themselves
    #[command(after_long_help = format!("\
Example:
  gatehouse tokens list

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
    /// What it allows: uploader, viewer, developer, secops or admin
    #[arg(long)]
    role: Role,
    /// What to call it; the role if not given
    #[arg(long)]
    name: Option<String>,
    /// The person or machine it is for; the name if not given
    #[arg(long)]
    subject: Option<String>,
    /// When it ends; never if not given
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct ListArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct RevokeArgs {
    /// The token's id, as `tokens list` shows it
    id: String,
    #[command(flatten)]
    connection: Connection,
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
    let body = TokenBody {
        name: args.name.unwrap_or_else(|| args.role.to_string()),
        role: args.role.to_string(),
        subject: args.subject,
        expires_in_days: args.expires_in_days,
    };
    let item: TokenItem = args.connection.client()?.send(Method::POST, &["tokens"], &body)?;
    let token = item.token.context("the server made a token but did not send it")?;
    let text = format!("Token {} for {} with the role {}; it is shown only now.", item.id, item.subject, item.role);
    anstream::eprintln!("{}", plain(&text));
    output::line(&plain(&token))
}

fn list(args: &ListArgs) -> Result<()> {
    let client = args.connection.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["tokens"], &[])?),
        Format::Table => output::print(&table(&client.all(&["tokens"], &[])?)),
    }
}

fn table(items: &[TokenItem]) -> String {
    let mut listing = Listing::new(&["NAME", "SUBJECT", "ROLE", "EXPIRES", "ISSUED", "ISSUED BY", "ID"]);
    for item in items {
        let expires = item.expires_at.as_deref().unwrap_or("never");
        let cells: [&str; 7] =
            [&item.name, &item.subject, &item.role, expires, &item.issued_at, &item.issued_by, &item.id];
        listing.row(cells);
    }
    listing.render()
}

fn revoke(args: &RevokeArgs) -> Result<()> {
    args.connection.client()?.delete(&["tokens", &args.id])?;
    anstream::eprintln!("{}", plain(&format!("Token {} is revoked.", args.id)));
    Ok(())
}
