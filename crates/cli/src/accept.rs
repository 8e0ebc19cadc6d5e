//! `gatehouse accept`: accepts a scan as the reference of the next scans of its variant, or without the parts that it
//! lacks; requests it, and decides requests.

use anyhow::{Context as _, Result};
use api::v1::{AcceptBody, AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem, AcceptedAnswer};
use clap::Args;
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// Accept a scan that failed or that lacks parts, for the next scans
///
/// A variant that is compared with itself, such as the main branch, is compared with its last scan that passed or was
/// accepted. What is new since then stays new until it is fixed, exempted or accepted. Of a scan that is incomplete
/// only because its report lacks parts, these are no longer expected. This needs the role secops; a developer requests
/// it.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse accept 0123456789abcdef0123456789abcdef --comment SEC-12
  gatehouse accept 0123456789abcdef0123456789abcdef --request --comment go-has-its-own-repository
  gatehouse accept --list
  gatehouse accept 0123456789abcdef0123456789abcdef --reject --comment go-is-still-here
  gatehouse accept 0123456789abcdef0123456789abcdef --withdraw

{EXIT_CODES}"))]
pub(crate) struct AcceptArgs {
    /// The scan
    #[arg(required_unless_present = "list")]
    scan: Option<String>,
    /// The reason, for the audit log; optional with --reject and --withdraw
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "reject", "withdraw"])]
    comment: Option<String>,
    /// Request that another person accepts the scan
    #[arg(long, conflicts_with_all = ["list", "reject", "withdraw"])]
    request: bool,
    /// List the pending requests, each with its effect
    #[arg(long, conflicts_with_all = ["scan", "comment", "reject", "withdraw"])]
    list: bool,
    /// Reject the request to accept the scan; needs the role secops
    #[arg(long, conflicts_with = "withdraw")]
    reject: bool,
    /// Withdraw your own request to accept the scan
    #[arg(long)]
    withdraw: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: &AcceptArgs) -> Result<()> {
    let Some(scan) = args.scan.as_deref().filter(|_| !args.list) else { return list(args) };
    let comment = args.comment.clone().unwrap_or_default();
    match (args.request, args.reject, args.withdraw) {
        (true, _, _) => request(args, scan, comment),
        (_, true, _) => decide(args, scan, "reject", comment),
        (_, _, true) => decide(args, scan, "withdraw", comment),
        (false, false, false) => accept(args, scan, comment),
    }
}

/// Accepts a scan.
fn accept(args: &AcceptArgs, scan: &str, comment: String) -> Result<()> {
    let client = args.connection.client()?;
    let answer: serde_json::Value = client.send(Method::POST, &["scans", scan, "accept"], &AcceptBody { comment })?;
    match args.format {
        Format::Json => output::json(&answer),
        Format::Table => {
            let answer: AcceptedAnswer = serde_json::from_value(answer).context("the answer can't be read")?;
            output::print(&format!("{}\n", plain(&accepted(&answer))))
        }
    }
}

/// The decision in a sentence.
fn accepted(answer: &AcceptedAnswer) -> String {
    let AcceptedAnswer { scan, accepted_at, accepted_by, missing, .. } = answer;
    let parts = match missing.is_empty() {
        true => String::new(),
        false => format!(" No longer expected: {}.", missing.join(", ")),
    };
    format!("Scan {scan} was accepted by {accepted_by} at {accepted_at}.{parts}")
}

/// Requests that a scan is accepted.
fn request(args: &AcceptArgs, scan: &str, reason: String) -> Result<()> {
    let client = args.connection.client()?;
    let path = ["scans", scan, "accept-request"];
    let item: serde_json::Value = client.send(Method::POST, &path, &AcceptRequestBody { reason })?;
    shown(args, item, "Requested. Another person has to approve it.")
}

/// Rejects or withdraws a request.
fn decide(args: &AcceptArgs, scan: &str, decision: &str, comment: String) -> Result<()> {
    let client = args.connection.client()?;
    let path = ["scans", scan, "accept-request", decision];
    let item: serde_json::Value = client.send(Method::POST, &path, &AcceptDecisionBody { comment })?;
    shown(args, item, if decision == "reject" { "Rejected." } else { "Withdrawn." })
}

/// Shows a request, and what was done.
fn shown(args: &AcceptArgs, item: serde_json::Value, done: &str) -> Result<()> {
    match args.format {
        Format::Json => output::json(&item),
        Format::Table => {
            let item: AcceptRequestItem = serde_json::from_value(item).context("the answer can't be read")?;
            output::print(&table(&[item]))?;
            anstream::eprintln!("{done}");
            Ok(())
        }
    }
}

/// Lists the pending requests.
fn list(args: &AcceptArgs) -> Result<()> {
    let client = args.connection.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["accept-requests"], &[])?),
        Format::Table => output::print(&table(&client.all(&["accept-requests"], &[])?)),
    }
}

fn table(items: &[AcceptRequestItem]) -> String {
    let columns = ["SCAN", "TARGET", "VARIANT", "SCANNER", "EFFECT", "REQUESTED BY", "REQUESTED", "REASON"];
    let mut listing = Listing::new(&columns);
    for item in items {
        let scan = item.id.to_string();
        let effect = if item.outdated { "outdated: it cannot be accepted any more".to_owned() } else { item.effect() };
        let (by, at) = (&item.requested_by, &item.requested_at);
        listing.row([scan.as_str(), &item.target, &item.variant, &item.scanner, &effect, by, at, &item.reason]);
    }
    listing.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        _args: AcceptArgs,
    }

    #[test]
    fn a_reason_is_needed_to_accept_and_to_request() {
        let parsed = |line: &str| {
            Line::try_parse_from(line.split(' ').chain(["--project", "shop"]))
                .map(drop)
                .map_err(|error| error.to_string())
        };
        for line in [
            "accept 01 --comment x",
            "accept 01 --request --comment x",
            "accept 01 --reject",
            "accept 01 --withdraw --comment x",
            "accept --list",
        ] {
            assert_eq!(parsed(line), Ok(()), "{line}");
        }
        for line in ["accept", "accept 01", "accept 01 --request", "accept 01 --list", "accept 01 --reject --withdraw"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_request_is_shown_with_its_effect() {
        let mut item = AcceptRequestItem {
            id: domain::ids::ScanId::from_bits([1; 16]),
            request: domain::ids::EventId::from_bits([2; 16]),
            target: "web".to_owned(),
            variant: "main".to_owned(),
            scanner: "codeql".to_owned(),
            reason: "go moved".to_owned(),
            requested_by: "dev".to_owned(),
            requested_at: "2026-11-30T06:00:00.000Z".to_owned(),
            outdated: false,
            missing: vec!["codeql/go".to_owned()],
            new_issues: 0,
            new_occurrences: 0,
        };
        let current = table(std::slice::from_ref(&item));
        assert!(current.contains("no longer expected: codeql/go") && current.contains("go moved"), "{current}");
        item.outdated = true;
        assert!(table(&[item]).contains("cannot be accepted any more"));
    }
}
