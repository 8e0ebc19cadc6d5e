//! `gatehouse replay`: compares a scan with what today's server reads from the same report.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use api::v1::{NoBody, ReplayAnswer};
use clap::Args;
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::{HEADING, plain};

/// Process a scan's report again and compare the results
///
/// The server processes the raw report with today's parsers and matcher, but with the settings, baseline and exemptions
/// of that time, and shows both results and their differences. A replay has no effect: it is in no list, no scan is
/// compared with it, and the scan does not change. The same version always gives the same result.
#[derive(Args)]
#[command(after_long_help = format!("\
Examples:
  gatehouse replay 0123456789abcdef0123456789abcdef
  gatehouse replay 0123456789abcdef0123456789abcdef --format json

{EXIT_CODES} They do not depend on the verdicts."))]
pub(crate) struct ReplayArgs {
    /// The scan
    scan: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs) -> Result<()> {
    let client = args.connection.client()?;
    let answer: serde_json::Value = client.send(Method::POST, &["scans", &args.scan, "replay"], &NoBody {})?;
    match args.format {
        Format::Json => output::json(&answer),
        Format::Table => {
            let answer = serde_json::from_value(answer).context("the answer to the replay can't be read")?;
            output::print(&report(&answer)?)
        }
    }
}

/// Both results and their differences.
fn report(answer: &ReplayAnswer) -> Result<String> {
    let mut text = String::new();
    let scan = &answer.original.scan;
    let from = match answer.from.as_str() {
        "report" => "from its raw report",
        _ => "from its stored findings",
    };
    let heading = format!("Scan {} of {}:{}, replayed {from}", scan.id, scan.target.name, scan.variant);
    writeln!(text, "{HEADING}{}{HEADING:#}", plain(&heading))?;
    if let Some(reason) = &answer.reason {
        writeln!(text, "because {}", plain(reason))?;
    }
    text.push('\n');
    text.push_str(&results(answer));
    text.push('\n');
    text.push_str(&counts(answer));
    text.push('\n');
    text.push_str(&differences(answer)?);
    Ok(text)
}

/// The two results side by side: verdict, versions, and the variables that differ.
fn results(answer: &ReplayAnswer) -> String {
    let (original, replay) = (&answer.original, &answer.replay);
    let (then, now) = (answer.versions.original, answer.versions.replay);
    let mut rows = vec![
        ("scan", original.scan.id.to_string(), replay.scan.id.to_string()),
        ("verdict", original.verdict.to_string(), replay.verdict.to_string()),
        ("parsers", then.parsers.to_string(), now.parsers.to_string()),
        ("matcher", then.matcher.to_string(), now.matcher.to_string()),
    ];
    rows.extend(answer.comparison.variables.iter().map(|(name, variable)| {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        (name.as_str(), value(&variable.original), value(&variable.replay))
    }));
    let mut listing = Listing::new(&["", "ORIGINAL", "REPLAY"]);
    for (name, original, replay) in &rows {
        listing.row([*name, original, replay]);
    }
    listing.render()
}

fn counts(answer: &ReplayAnswer) -> String {
    let (issues, occurrences) = (answer.comparison.issues, answer.comparison.occurrences);
    let mut listing =
        Listing::new(&["", "SAME", "ONLY ORIGINAL", "ONLY REPLAY", "OTHER BUCKET", "OTHER SEVERITY", "OTHER ID"]);
    let row = |numbers: [Option<u64>; 6]| numbers.map(|number| number.map_or_else(String::new, |n| n.to_string()));
    let of_issues = [issues.same, issues.only_original, issues.only_replay, issues.rebucketed, issues.rerated];
    let [same, only_original, only_replay, rebucketed, rerated] = of_issues.map(Some);
    let numbers = row([same, only_original, only_replay, rebucketed, rerated, None]);
    listing.row(std::iter::once("issues").chain(numbers.iter().map(String::as_str)));
    let numbers = row([
        Some(occurrences.same),
        Some(occurrences.only_original),
        Some(occurrences.only_replay),
        Some(occurrences.rebucketed),
        None,
        Some(occurrences.reidentified),
    ]);
    listing.row(std::iter::once("occurrences").chain(numbers.iter().map(String::as_str)));
    listing.render()
}

/// The differences that the server lists.
fn differences(answer: &ReplayAnswer) -> Result<String> {
    let comparison = &answer.comparison;
    let (issues, occurrences) = (comparison.issues, comparison.occurrences);
    let all = [
        issues.only_original,
        issues.only_replay,
        issues.rebucketed,
        issues.rerated,
        occurrences.only_original,
        occurrences.only_replay,
        occurrences.rebucketed,
        occurrences.reidentified,
    ];
    let all = all.into_iter().fold(0, u64::saturating_add);
    if all == 0 {
        return Ok("Nothing differs.\n".to_owned());
    }
    let mut listing = Listing::new(&["DIFFERENCE", "ORIGINAL", "REPLAY", "RESULT", "TITLE", "ISSUE"]);
    for example in &comparison.examples {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        let result = example.result.map(|result| result.to_string()).unwrap_or_default();
        let (original, replay) = (value(&example.original), value(&example.replay));
        let (how, issue) = (example.how.replace('_', " "), example.issue.to_string());
        listing.row([how.as_str(), &original, &replay, &result, &example.title, &issue]);
    }
    let mut text = listing.render();
    let listed = u64::try_from(comparison.examples.len()).unwrap_or(u64::MAX);
    if listed < all {
        writeln!(text, " and {} more", all - listed)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::tests::answer;
    use serde_json::json;

    fn replayed(comparison: &serde_json::Value) -> String {
        let scan = serde_json::to_value(answer()).unwrap();
        let answer: ReplayAnswer = serde_json::from_value(json!({
            "from": "findings", "reason": "the raw report\u{1b}[2J was removed", "replayed_at": "2026-01-02T00:00:00Z",
            "replayed_by": "ci", "original": scan, "replay": scan,
            "versions": {"original": {"parsers": 1, "matcher": 1}, "replay": {"parsers": 1, "matcher": 2}},
            "comparison": comparison
        }))
        .unwrap();
        anstream::adapter::strip_str(&report(&answer).unwrap()).to_string()
    }

    fn words(text: &str) -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn both_results_and_their_differences_are_shown() {
        let id = "0".repeat(32);
        let text = replayed(&json!({
            "verdict_changed": false, "variables": {"LOW": {"original": "1", "replay": "2"}, "NEW": {"replay": "x"}},
            "issues": {"same": 4, "only_original": 0, "only_replay": 0, "rebucketed": 0, "rerated": 1},
            "occurrences": {"same": 8, "only_original": 0, "only_replay": 0, "rebucketed": 0, "reidentified": 2},
            "examples": [
                {"issue": id, "title": "hashlib\n::error::", "how": "rerated", "original": "high", "replay": "low"},
                {"issue": id, "title": "hashlib", "how": "only_replay", "result": 7}
            ]
        }));
        let lines = words(&text);
        for expected in [
            format!("Scan {id} of dvpwa:DEMO-001, replayed from its stored findings"),
            "because the raw report\\u{1b}[2J was removed".to_owned(),
            "ORIGINAL REPLAY".to_owned(),
            "verdict pass pass".to_owned(),
            "matcher 1 2".to_owned(),
            "LOW 1 2".to_owned(),
            "NEW x".to_owned(),
            "issues 4 0 0 0 1".to_owned(),
            "occurrences 8 0 0 0 2".to_owned(),
            format!("rerated high low hashlib ::error:: {id}"),
            format!("only replay 7 hashlib {id}"),
            "and 1 more".to_owned(),
        ] {
            assert!(lines.contains(&expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn a_replay_without_differences_says_so() {
        let text = replayed(&json!({
            "verdict_changed": false, "variables": {},
            "issues": {"same": 5, "only_original": 0, "only_replay": 0, "rebucketed": 0, "rerated": 0},
            "occurrences": {"same": 9, "only_original": 0, "only_replay": 0, "rebucketed": 0, "reidentified": 0},
            "examples": []
        }));
        assert!(text.ends_with("\nNothing differs.\n") && !text.contains("DIFFERENCE"), "{text}");
    }
}
