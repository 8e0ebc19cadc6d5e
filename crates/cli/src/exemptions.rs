//! `gatehouse exemptions`: requests, reviews, previews and lists exemptions. The server decides who may do what.

mod decide;
mod list;
mod preview;
mod request;
mod show;

use anyhow::Result;
use api::v1::ExemptionItem;
use clap::{Args, Subcommand};
use domain::exemption::{Decision, Scope};

use crate::args::EXIT_CODES;
use crate::terminal::{count, plain};

/// Request, review and list exemptions
///
/// An exemption accepts an issue, or some of its occurrences, for a limited time. A developer requests it and SecOps
/// approves it; from the next scan on the issue does not count, until the exemption expires.
#[derive(Args)]
pub(crate) struct ExemptionsArgs {
    #[command(subcommand)]
    command: ExemptionsCommand,
}

#[derive(Subcommand)]
enum ExemptionsCommand {
    /// Request exemptions and print their ids
    ///
    /// With several issues, all requests are made or none. `--days` counts from the approval.
    #[command(after_long_help = format!("\
Examples:
  gatehouse exemptions request --issue 0123456789abcdef0123456789abcdef --target web --days 30 \\
      --reason false_positive --text The-hash-guards-no-secret
      The issue in one target, including future occurrences.
  gatehouse exemptions request --issue 0123456789abcdef0123456789abcdef \\
      --scan 11111111111111111111111111111111 --occurrence 22222222222222222222222222222222 \\
      --until 2030-12-31 --reason acceptable_risk --text Reachable-from-the-intranet-only
      One occurrence of that scan. `GET .../scans/ID/occurrences` lists the ids.
  gatehouse exemptions request --issue 0123456789abcdef0123456789abcdef \\
      --issue 33333333333333333333333333333333 --target web --scope project --days 7 \\
      --reason fix_unavailable --text No-release-has-the-fix-yet --link https://example.com/42
      Two issues in the whole project.

{EXIT_CODES}"))]
    Request(request::RequestArgs),
    /// Approve exemptions
    ///
    /// Their days start now. The requester can't approve, unless the project allows it. Several are approved together
    /// or not at all.
    #[command(after_long_help = format!("\
Examples:
  gatehouse exemptions preview 0123456789abcdef0123456789abcdef
      First see what it would change.
  gatehouse exemptions approve 0123456789abcdef0123456789abcdef --comment agreed
  gatehouse exemptions approve 0123456789abcdef0123456789abcdef --scope project
      In a wider scope than requested.

{EXIT_CODES}"))]
    Approve(decide::ApproveArgs),
    /// Reject requests, or revoke approvals
    #[command(after_long_help = format!("\
Examples:
  gatehouse exemptions reject 0123456789abcdef0123456789abcdef --comment fix-it
  gatehouse exemptions reject 0123456789abcdef0123456789abcdef 33333333333333333333333333333333
      Both or neither.

{EXIT_CODES}"))]
    Reject(decide::DecisionArgs),
    /// Withdraw exemptions permanently
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions cancel 0123456789abcdef0123456789abcdef

{EXIT_CODES}"))]
    Cancel(decide::DecisionArgs),
    /// Request rejected or expired exemptions again
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions reopen 0123456789abcdef0123456789abcdef --comment Still-no-fix

{EXIT_CODES}"))]
    Reopen(decide::DecisionArgs),
    /// Show which verdicts and counts a decision would change
    ///
    /// The newest scan of each variant is evaluated with the exemptions of now, and with those after the decision.
    #[command(after_long_help = format!("\
Examples:
  gatehouse exemptions preview 0123456789abcdef0123456789abcdef
  gatehouse exemptions preview 0123456789abcdef0123456789abcdef --scope project
  gatehouse exemptions preview 0123456789abcdef0123456789abcdef --decision reject

{EXIT_CODES} They do not depend on the verdicts."))]
    Preview(preview::PreviewArgs),
    /// List exemptions, the newest requests first
    #[command(after_long_help = format!("\
Examples:
  gatehouse exemptions list --status pending
  gatehouse exemptions list --expires-within-days 7
      Those that expire soon, the soonest first.
  gatehouse exemptions list --issue 0123456789abcdef0123456789abcdef --format json

{EXIT_CODES}"))]
    List(list::ListArgs),
    /// List approved exemptions that exempted nothing in the last scans and may be withdrawn
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions unused --scans 20

{EXIT_CODES}"))]
    Unused(list::UnusedArgs),
    /// Show an exemption
    #[command(after_long_help = format!("\
Example:
  gatehouse exemptions show 0123456789abcdef0123456789abcdef

{EXIT_CODES}"))]
    Show(show::ShowArgs),
}

/// Runs the command.
pub(crate) fn run(args: ExemptionsArgs) -> Result<()> {
    match args.command {
        ExemptionsCommand::Request(args) => request::run(args),
        ExemptionsCommand::Approve(args) => decide::approve(args),
        ExemptionsCommand::Reject(args) => decide::run(args, Decision::Reject),
        ExemptionsCommand::Cancel(args) => decide::run(args, Decision::Withdraw),
        ExemptionsCommand::Reopen(args) => decide::run(args, Decision::Reopen),
        ExemptionsCommand::Preview(args) => preview::run(&args),
        ExemptionsCommand::List(args) => list::run(&args),
        ExemptionsCommand::Unused(args) => list::unused(&args),
        ExemptionsCommand::Show(args) => show::run(&args),
    }
}

/// Prints an exemption's state for people.
fn print_state(item: &ExemptionItem) {
    anstream::eprintln!("{}", plain(&sentence(item)));
}

fn sentence(item: &ExemptionItem) -> String {
    let end = item.ends_at.as_ref().map(|end| format!(" until {end}")).unwrap_or_default();
    format!("Exemption {} for `{}` in {} is {}{end}.", item.id, item.title, reach(item), item.status)
}

/// The reach of an exemption.
fn reach(item: &ExemptionItem) -> String {
    match item.scope {
        Scope::Occurrences => {
            let chosen = count(u64::try_from(item.occurrences.len()).unwrap_or(u64::MAX), "occurrence");
            let back = if item.returned_from.is_some() { " (back for review)" } else { "" };
            format!("{}, {chosen}{back}", item.target)
        }
        Scope::Target => item.target.clone(),
        Scope::Pipeline => format!("pipeline {}", item.pipeline.as_deref().unwrap_or_default()),
        Scope::Project => "the project".to_owned(),
        Scope::Account => "all projects".to_owned(),
    }
}

/// The term of an exemption: its end, once that is known.
fn term(item: &ExemptionItem) -> String {
    match (item.ends_at.as_ref().or(item.until.as_ref()), item.duration_days) {
        (Some(end), _) => format!("until {end}"),
        (None, Some(days)) => count(u64::from(days), "day"),
        (None, None) => "no end".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::exemption::Status;

    /// An exemption to change in tests.
    pub(super) fn item() -> ExemptionItem {
        serde_json::from_value(serde_json::json!({
            "id": "e".repeat(32), "status": "pending", "issue": "1".repeat(32), "title": "Weak hash", "severity": "high",
            "scanner": "bandit", "scope": "target", "target": "web", "scan": "5".repeat(32), "duration_days": 30,
            "reason": "false_positive", "text": "It guards no secret", "requested_by": "ann",
            "requested_at": "2026-01-01T00:00:00.000Z", "version": 1
        }))
        .unwrap()
    }

    #[test]
    fn a_sentence_gives_an_exemptions_reach_state_and_end() {
        let start = format!("Exemption {} for `Weak hash` in ", "e".repeat(32));
        assert_eq!(sentence(&item()), format!("{start}web is pending."));
        let occurrences = vec![serde_json::from_value(serde_json::json!("0".repeat(32))).unwrap()];
        let chosen = ExemptionItem { scope: Scope::Occurrences, occurrences, ..item() };
        assert_eq!(sentence(&chosen), format!("{start}web, 1 occurrence is pending."));
        let back = ExemptionItem { returned_from: Some("f".repeat(32).parse().unwrap()), ..chosen };
        assert_eq!(sentence(&back), format!("{start}web, 1 occurrence (back for review) is pending."));
        let nightly = ExemptionItem { scope: Scope::Pipeline, pipeline: Some("nightly".to_owned()), ..item() };
        assert_eq!(sentence(&nightly), format!("{start}pipeline nightly is pending."));
        let ends_at = Some("2026-02-01T00:00:00.000Z".to_owned());
        let all = ExemptionItem { scope: Scope::Account, status: Status::Approved, ends_at, ..item() };
        assert_eq!(sentence(&all), format!("{start}all projects is approved until 2026-02-01T00:00:00.000Z."));
    }

    #[test]
    fn a_term_is_in_days_until_its_end_is_known() {
        let until = |until: &str| Some(until.to_owned());
        assert_eq!(term(&item()), "30 days");
        assert_eq!(term(&ExemptionItem { ends_at: until("2026-02-01"), ..item() }), "until 2026-02-01");
        let requested = ExemptionItem { until: until("2026-03-01"), duration_days: None, ..item() };
        assert_eq!(term(&requested), "until 2026-03-01");
        assert_eq!(term(&ExemptionItem { unlimited: true, duration_days: None, ..item() }), "no end");
    }
}
