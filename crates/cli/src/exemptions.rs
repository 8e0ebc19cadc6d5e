//! `gatehouse exemptions`: permission to leave an issue be, asked for, decided on and listed. Who may do what is the
//! server's to say.

use anyhow::Result;
use api::v1::{DecisionBody, ExemptionBody, ExemptionItem};
use clap::{Args, Subcommand};
use domain::exemption::{Reason, Status};
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// Request exemptions, decide on them, list them
///
/// An exemption lets one issue of a target be for some days. A developer asks for it, somebody else of SecOps approves
/// it, and from the next scan on the issue no longer counts, until the days are over.
#[derive(Args)]
pub(crate) struct ExemptionsArgs {
    #[command(subcommand)]
    command: ExemptionsCommand,
}

#[derive(Subcommand)]
enum ExemptionsCommand {
    /// Ask for an exemption; prints its id
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions request --issue 0123456789abcdef0123456789abcdef --target web --days 30 \\
      --reason false_positive --text The-hash-guards-no-secret

{EXIT_CODES}"))]
    Request(RequestArgs),
    /// Grant an exemption; its days begin
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions approve 0123456789abcdef0123456789abcdef --comment agreed

{EXIT_CODES}"))]
    Approve(DecisionArgs),
    /// Refuse an exemption, or take it back
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions reject 0123456789abcdef0123456789abcdef --comment fix-it

{EXIT_CODES}"))]
    Reject(DecisionArgs),
    /// Give up an exemption
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions cancel 0123456789abcdef0123456789abcdef

{EXIT_CODES}"))]
    Cancel(DecisionArgs),
    /// List exemptions
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions list --status pending --format json

{EXIT_CODES}"))]
    List(ListArgs),
}

#[derive(Args)]
struct RequestArgs {
    /// The issue's id, as `upload` shows it
    #[arg(long)]
    issue: String,
    /// The target
    #[arg(long)]
    target: String,
    /// For how many days, from the approval on
    #[arg(long)]
    days: u32,
    /// Why: compensating_controls, acceptable_use, acceptable_risk, false_positive, fix_unavailable or other
    #[arg(long)]
    reason: Reason,
    /// Why, in a sentence
    #[arg(long)]
    text: String,
    /// Where to read more
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct DecisionArgs {
    /// The exemption's id
    id: String,
    /// Why
    #[arg(long, default_value = "")]
    comment: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct ListArgs {
    /// Only those that stand so: pending, approved, rejected, expired or cancelled
    #[arg(long)]
    status: Option<Status>,
    /// Only those for this target
    #[arg(long)]
    target: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: ExemptionsArgs) -> Result<()> {
    match args.command {
        ExemptionsCommand::Request(args) => request(args),
        ExemptionsCommand::Approve(args) => decide(&args, "approve"),
        ExemptionsCommand::Reject(args) => decide(&args, "reject"),
        ExemptionsCommand::Cancel(args) => decide(&args, "cancel"),
        ExemptionsCommand::List(args) => list(&args),
    }
}

fn request(args: RequestArgs) -> Result<()> {
    let client = args.connection.client()?;
    let body = ExemptionBody {
        issue: args.issue,
        scope: "target".to_owned(),
        target: args.target,
        duration_days: args.days,
        reason: args.reason.as_str().to_owned(),
        text: args.text,
        link: args.link,
    };
    let item: ExemptionItem = client.send(Method::POST, &["exemptions"], &body)?;
    tell(&item);
    output::line(&plain(&item.id))
}

fn decide(args: &DecisionArgs, decision: &str) -> Result<()> {
    let body = DecisionBody { comment: args.comment.clone() };
    let item: ExemptionItem =
        args.connection.client()?.send(Method::POST, &["exemptions", &args.id, decision], &body)?;
    tell(&item);
    Ok(())
}

fn tell(item: &ExemptionItem) {
    let end = item.ends_at.as_ref().map(|end| format!(" until {end}")).unwrap_or_default();
    let text = format!("Exemption {} for `{}` in {} is {}{end}.", item.id, item.title, item.target, item.status);
    anstream::eprintln!("{}", plain(&text));
}

fn list(args: &ListArgs) -> Result<()> {
    let status = args.status.map(|status| status.to_string());
    let mut query = Vec::new();
    query.extend(status.as_deref().map(|status| ("status", status)));
    query.extend(args.target.as_deref().map(|target| ("target", target)));
    let client = args.connection.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["exemptions"], &query)?),
        Format::Table => output::print(&table(&client.all(&["exemptions"], &query)?)),
    }
}

fn table(items: &[ExemptionItem]) -> String {
    let columns = ["STATUS", "TARGET", "TITLE", "REASON", "TEXT", "REQUESTED BY", "DECIDED BY", "ENDS", "ID"];
    let mut listing = Listing::new(&columns);
    for item in items {
        let status = item.status.to_string();
        let decided = item.decided_by.as_deref().unwrap_or_default();
        let ends = item.ends_at.as_deref().unwrap_or_default();
        let cells: [&str; 9] =
            [&status, &item.target, &item.title, &item.reason, &item.text, &item.requested_by, decided, ends, &item.id];
        listing.row(cells);
    }
    listing.render()
}
