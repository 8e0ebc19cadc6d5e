//! `gatehouse accept`: accepts a scan as the reference of the next scans of its variant.

use anyhow::{Context as _, Result};
use api::v1::{AcceptBody, AcceptedAnswer};
use clap::Args;
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::terminal::plain;

/// Accept a scan that failed, so that its issues are not new for the next scans
///
/// A variant that is compared with itself, such as the main branch, is compared with its last scan that passed or was
/// accepted. What is new since then stays new until it is fixed, exempted or accepted. This needs the role secops.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse accept 0123456789abcdef0123456789abcdef --comment SEC-12

{EXIT_CODES}"))]
pub(crate) struct AcceptArgs {
    /// The scan
    scan: String,
    /// The reason, for the audit log
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: &AcceptArgs) -> Result<()> {
    let client = args.connection.client()?;
    let body = AcceptBody { comment: args.comment.clone() };
    let answer: serde_json::Value = client.send(Method::POST, &["scans", &args.scan, "accept"], &body)?;
    match args.format {
        Format::Json => output::json(&answer),
        Format::Table => {
            let answer: AcceptedAnswer = serde_json::from_value(answer).context("the answer can't be read")?;
            let by = plain(&answer.accepted_by).to_string();
            output::print(&format!("Scan {} was accepted by {by} at {}.\n", answer.scan, answer.accepted_at))
        }
    }
}
