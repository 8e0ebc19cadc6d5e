//! `gatehouse explain`: why an occurrence is new, or which earlier one it was matched with.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use api::v1::{Explanation, OccurrenceItem};
use clap::Args;
use domain::ids::OccurrenceId;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::client::Client;
use crate::terminal::{HEADING, plain};
use crate::{comparison, output};

/// The most occurrences of one location that are explained at once.
const EXPLAINED_MAX: usize = 10;

/// Explain why an occurrence is new, or which earlier one it was matched with
///
/// Shows the scan it was compared with, the rule that matched it and the confidence of the match, when it was first
/// seen, and why the nearest other occurrences did not match.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse explain 0123456789abcdef0123456789abcdef src/app.py:10
  gatehouse explain 0123456789abcdef0123456789abcdef fedcba9876543210fedcba9876543210 --format json

{EXIT_CODES}"))]
pub(crate) struct ExplainArgs {
    /// The scan
    scan: String,
    /// The occurrence's id, or its location: the path in the report, with or without a line
    #[arg(value_name = "OCCURRENCE|PATH[:LINE]")]
    which: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<()> {
    let client = args.connection.client()?;
    let ids = match args.which.parse::<OccurrenceId>() {
        Ok(_) => vec![args.which.clone()],
        Err(_) => at_location(&client, &args.scan, &args.which)?,
    };
    let explained: Vec<serde_json::Value> = ids
        .iter()
        .take(EXPLAINED_MAX)
        .map(|id| client.get(&["scans", &args.scan, "explain", id], &[]))
        .collect::<Result<_, _>>()?;
    match args.format {
        Format::Json => output::json(&explained),
        Format::Table => {
            let mut text = String::new();
            for answer in explained {
                let answer = serde_json::from_value(answer).context("the answer can't be read")?;
                text.push_str(&sentence(&answer)?);
            }
            if EXPLAINED_MAX < ids.len() {
                writeln!(text, "and {} more at this location; pass the id of one", ids.len() - EXPLAINED_MAX)?;
            }
            output::print(&text)
        }
    }
}

/// The occurrences at a location.
fn at_location(client: &Client, scan: &str, location: &str) -> Result<Vec<String>> {
    let all: Vec<OccurrenceItem> = client.all(&["scans", scan, "occurrences"], &[])?;
    let ids: Vec<_> = all.iter().filter(|item| is_at(item, location)).map(|item| item.id.to_string()).collect();
    if ids.is_empty() {
        bail!("the scan has no occurrence at {location}; a location is a path as in the report, or path:line");
    }
    Ok(ids)
}

fn is_at(item: &OccurrenceItem, location: &str) -> bool {
    let normal = domain::signature::normal_path;
    let Some(path) = item.path.as_deref().map(normal) else { return false };
    let with_line = item.line.map(|line| format!("{path}:{line}"));
    let location = normal(location);
    location == path || with_line.is_some_and(|with_line| with_line == location)
}

/// An explanation as text.
fn sentence(answer: &Explanation) -> Result<String> {
    let mut text = String::new();
    let heading = format!("{} at {}", answer.rule, answer.place);
    writeln!(text, "{HEADING}{}{HEADING:#}", plain(&heading))?;
    writeln!(text, "{}{}: {}", answer.bucket.as_str(), updated(answer), plain(&answer.because))?;
    if let Some(matched) = &answer.matched {
        writeln!(text, "sure: {}", matched.confidence.as_str())?;
    }
    writeln!(text, "{}", plain(&comparison::references(&answer.comparison)))?;
    let first = &answer.first_seen;
    let days = if first.age_days == 1 { "day" } else { "days" };
    let variant = plain(&first.variant);
    writeln!(text, "first seen: {} in {variant}, {} {days} before, scan {}", first.at, first.age_days, first.scan)?;
    writeln!(text, "occurrence {}, issue {}", answer.occurrence, answer.issue)?;
    if !answer.passed_over.is_empty() {
        writeln!(text, "not matched:")?;
    }
    for other in &answer.passed_over {
        writeln!(text, "  {}: {}", plain(&other.place), plain(&other.because))?;
    }
    text.push('\n');
    Ok(text)
}

fn updated(answer: &Explanation) -> &'static str {
    if answer.matched.as_ref().is_some_and(|matched| matched.stage.is_updated()) { ", updated" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Explanation {
        serde_json::from_value(serde_json::json!({
            "scan": "01".repeat(16), "occurrence": "02".repeat(16), "issue": "03".repeat(16), "rule": "B602",
            "place": "b.py:40", "comparison": {"with": "baseline", "variant": "main", "scan": "04".repeat(16)},
            "bucket": "common", "because": "it is also in baseline `main`: same rule and code",
            "matched": {"stage": "edited", "confidence": "medium", "because": "same", "result": 1, "similarity": 80},
            "first_seen": {"scan": "04".repeat(16), "at": "2026-11-01T00:00:00.000Z", "variant": "main", "age_days": 1},
            "passed_over": [{"occurrence": "05".repeat(16), "place": "a.py:1", "because": "its code is \u{1b}[31mother"}]
        }))
        .unwrap()
    }

    #[test]
    fn an_explanation_is_printed_line_by_line() {
        let text = anstream::adapter::strip_str(&sentence(&answer()).unwrap()).to_string();
        let expected = [
            "B602 at b.py:40",
            "common, updated: it is also in baseline `main`: same rule and code",
            "sure: medium",
            "compared with: baseline main, scan 04040404040404040404040404040404",
            "first seen: 2026-11-01T00:00:00.000Z in main, 1 day before, scan 04040404040404040404040404040404",
            "occurrence 02020202020202020202020202020202, issue 03030303030303030303030303030303",
            "not matched:",
        ];
        assert_eq!(text.lines().take(7).collect::<Vec<_>>(), expected);
        assert!(text.contains("  a.py:1: its code is "), "{text}");
        assert!(!sentence(&answer()).unwrap().contains("\u{1b}[31m"), "a report's own colours stay out");
    }

    #[test]
    fn the_last_accepted_scan_and_the_previous_one_are_both_named() {
        let (accepted, previous) = ("04".repeat(16), "06".repeat(16));
        let mut answer = answer();
        answer.comparison.with = "accepted".to_owned();
        answer.comparison.previous = Some(previous.parse().unwrap());
        let text = sentence(&answer).unwrap();
        let expected = format!(
            "compared with: the last accepted scan of this variant, {accepted}; the previous scan, {previous}, was not accepted\n"
        );
        assert!(text.contains(&expected), "{text}");
    }

    #[test]
    fn a_location_is_a_path_with_or_without_a_line() {
        let item: OccurrenceItem = serde_json::from_value(serde_json::json!({
            "id": "02".repeat(16), "issue": "03".repeat(16), "result": 0, "bucket": "new", "rule": "B1", "title": "t",
            "message": "m", "severity": "low", "path": "./src/a.py", "line": 10,
            "first_seen": {"scan": "04".repeat(16), "at": "", "variant": "main", "age_days": 0}
        }))
        .unwrap();
        for (location, expected) in
            [("src/a.py", true), ("./src/a.py:10", true), ("src/a.py:1", false), ("a.py", false), ("src/a.py:", false)]
        {
            assert_eq!(is_at(&item, location), expected, "{location}");
        }
    }
}
