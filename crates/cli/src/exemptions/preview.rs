//! `gatehouse exemptions preview`: the verdicts and counts that a decision would change.

use anyhow::Result;
use api::v1::{PreviewItem, PreviewOutcome};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use domain::exemption::Decision;

use super::decide::GrantArgs;
use crate::args::{Connection, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::{count, plain};
use crate::verdict;

#[derive(Args)]
pub(super) struct PreviewArgs {
    /// The exemption's id
    id: String,
    /// The decision
    #[arg(long, value_parser = decisions(), default_value_t = Decision::Approve)]
    decision: Decision,
    #[command(flatten)]
    grant: GrantArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Reads the decisions that can be previewed.
fn decisions() -> impl TypedValueParser<Value = Decision> {
    let approve = PossibleValue::new("approve").help("Approve the request");
    let reject = PossibleValue::new("reject").help("Reject the request, or revoke the approval");
    PossibleValuesParser::new([approve, reject]).try_map(|name| name.parse::<Decision>())
}

/// Runs the command.
pub(super) fn run(args: &PreviewArgs) -> Result<()> {
    let client = args.connection.client()?;
    let scope = args.grant.scope.map(|scope| scope.to_string());
    let mut query = vec![("decision", args.decision.as_str())];
    query.extend(scope.as_deref().map(|scope| ("scope", scope)));
    query.extend(args.grant.pipeline.as_deref().map(|pipeline| ("pipeline", pipeline)));
    let path = ["exemptions", args.id.as_str(), "preview"];
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&path, &query)?),
        Format::Table => {
            let items: Vec<PreviewItem> = client.all(&path, &query)?;
            anstream::eprintln!("{}", plain(&summary(&items)));
            if items.is_empty() { Ok(()) } else { output::print(&table(&items)) }
        }
    }
}

fn summary(items: &[PreviewItem]) -> String {
    let changed = items.iter().filter(|item| item.now.verdict != item.then.verdict).count();
    let scans = count(u64::try_from(items.len()).unwrap_or(u64::MAX), "newest scan");
    let has = if items.len() == 1 { "has" } else { "have" };
    format!("{scans} of a variant {has} the issue; {changed} would get another verdict.")
}

/// For each scan a row with both verdicts, then a row for each variable that would change.
fn table(items: &[PreviewItem]) -> String {
    let mut listing = Listing::new(&["TARGET", "VARIANT", "SCAN", "", "NOW", "THEN"]);
    for item in items {
        let scan = item.id.to_string();
        let (now, then) = (verdict(&item.now), verdict(&item.then));
        listing.row([item.target.as_str(), &item.variant, &scan, "verdict", &now, &then]);
        for (name, now, then) in changes(item) {
            listing.row(["", "", "", name, now, then]);
        }
    }
    listing.render()
}

fn verdict(outcome: &PreviewOutcome) -> String {
    verdict::word(outcome.verdict, outcome.no_threshold)
}

/// The variables that would change.
fn changes(item: &PreviewItem) -> impl Iterator<Item = (&str, &str, &str)> {
    item.then.variables.iter().filter_map(|(name, then)| {
        let now = item.now.variables.get(name).map(String::as_str).unwrap_or_default();
        (now != then).then_some((name.as_str(), now, then.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(now: &str, then: &str) -> PreviewItem {
        let outcome = |verdict: &str, critical: &str, ignored: &str| {
            serde_json::json!({
                "verdict": verdict, "reasons": [],
                "variables": {"CRITICAL": critical, "IGNORED": ignored, "LOW": "3"},
                "issues": {"new": 0, "common": 0, "remediated": 0, "exempted": 0},
                "occurrences": {"new": 0, "common": 0, "remediated": 0, "exempted": 0}
            })
        };
        serde_json::from_value(serde_json::json!({
            "id": "5".repeat(32), "target": "web", "variant": "main", "received_at": "2026-01-01T00:00:00.000Z",
            "issue": "1".repeat(32), "verdict": now, "now": outcome(now, "1", "0"), "then": outcome(then, "0", "1")
        }))
        .unwrap()
    }

    #[test]
    fn a_scan_shows_both_verdicts_and_what_would_change() {
        let text = anstream::adapter::strip_str(&table(&[preview("fail", "pass")])).to_string();
        let rows: Vec<Vec<_>> = text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        let scan = "5".repeat(32);
        let verdict = vec!["web", "main", &scan, "verdict", "fail", "pass"];
        assert_eq!(rows, [verdict, vec!["CRITICAL", "1", "0"], vec!["IGNORED", "0", "1"]], "{text}");
    }

    #[test]
    fn a_pass_without_a_threshold_says_so() {
        let mut item = preview("fail", "pass");
        (item.now.no_threshold, item.then.no_threshold) = (true, true);
        assert_eq!([&item.now, &item.then].map(verdict), ["fail", "pass, no threshold set"]);
    }

    #[test]
    fn the_summary_counts_the_verdicts_that_would_change() {
        let one = "1 newest scan of a variant has the issue; 1 would get another verdict.";
        assert_eq!(summary(&[preview("fail", "pass")]), one);
        let two = "2 newest scans of a variant have the issue; 1 would get another verdict.";
        assert_eq!(summary(&[preview("fail", "fail"), preview("undecided", "pass")]), two);
        assert_eq!(summary(&[]), "0 newest scans of a variant have the issue; 0 would get another verdict.");
    }
}
