//! The issues of a scan for people: a table for each bucket, with one occurrence as example. Buckets and counts are the
//! server's.

use std::fmt::Write as _;

use anyhow::Result;
use api::page::Page;
use api::v1::{IssueExemption, IssueItem, OccurrenceItem, ScanAnswer};
use domain::comparison::Bucket;
use domain::exemption::Coverage;

use crate::client::Client;
use crate::comparison;
use crate::table::Listing;
use crate::terminal::{HEADING, count, plain};

/// The most issues shown of each bucket; the worst come first.
const ROWS_MAX: usize = 25;
const COLUMNS: [&str; 8] = ["SEVERITY", "SCORE", "RULE", "TITLE", "OCCURRENCES", "CWE", "FOR EXAMPLE AT", "ISSUE"];
/// Severities, the worst first. An unassigned one might be any of them, so it is not last.
const LEVELS: [&str; 6] = ["critical", "unassigned", "high", "medium", "low", "info"];

/// The heading of the issues that were not seen; without such issues it is not shown.
const NOT_SEEN: &str = "Not seen: inside a blind spot";

/// The issues of one bucket.
struct Group {
    heading: String,
    issues: Vec<IssueItem>,
}

/// The tables of all buckets, and the counts.
///
/// # Errors
/// The server does not return the issues. The verdict does not depend on them.
pub(crate) fn report(client: &Client, answer: &ScanAnswer) -> Result<String> {
    let scan = answer.scan.id.to_string();
    let issues = client.all(&["scans", &scan, "issues"], &[])?;
    let mut text = String::new();
    for group in divide(answer, issues) {
        let mut locations = Vec::new();
        for issue in group.issues.iter().take(ROWS_MAX) {
            locations.push(example(client, &scan, issue)?);
        }
        render(&group, &locations, &mut text)?;
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    text.push_str(&counts(answer));
    text.push_str(&references(answer));
    Ok(text)
}

/// The location of one occurrence. A remediated issue has none in this scan.
fn example(client: &Client, scan: &str, issue: &IssueItem) -> Result<String> {
    let bucket: &[(&'static str, &str)] = match issue.bucket {
        Bucket::Remediated => return Ok(String::new()),
        Bucket::NotSeen => &[("bucket", "not_seen")],
        Bucket::New | Bucket::Common => &[],
    };
    let id = issue.id.to_string();
    let query: Vec<(&'static str, &str)> = [("limit", "1")].iter().chain(bucket).copied().collect();
    let page: Page<OccurrenceItem> = client.get(&["scans", scan, "issues", &id, "occurrences"], &query)?;
    Ok(page.items.first().map(location).unwrap_or_default())
}

/// The most specific location of an occurrence: a package, a line of a file, an address or a resource.
fn location(occurrence: &OccurrenceItem) -> String {
    if let Some(package) = &occurrence.package {
        let version = package.version.as_deref().unwrap_or_default();
        return format!("{} {version}", package.name).trim_end().to_owned();
    }
    if let Some(path) = &occurrence.path {
        return occurrence.line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"));
    }
    if let Some(endpoint) = &occurrence.endpoint {
        let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = endpoint.host.as_ref().map(|host| format!("{host}{port}"));
        return endpoint.url.clone().or(host).unwrap_or_default();
    }
    occurrence.resource.clone().unwrap_or_default()
}

/// The issues by bucket, each once, the worst first.
fn divide(answer: &ScanAnswer, issues: Vec<IssueItem>) -> Vec<Group> {
    let (target, variant, tally) = (&answer.scan.target.name, &answer.scan.variant, &answer.issues);
    let common = match (answer.comparison.with.as_str(), &answer.comparison.variant) {
        ("baseline", Some(with)) => format!("Common to {target}:{with}"),
        ("accepted", _) => "Common to the last accepted scan".to_owned(),
        _ => "Common to the previous scan".to_owned(),
    };
    let mut groups = [
        (format!("Only in {target}:{variant}"), tally.new, Vec::new()),
        (common, tally.common, Vec::new()),
        ("Remediated".to_owned(), tally.remediated, Vec::new()),
        (NOT_SEEN.to_owned(), tally.not_seen, Vec::new()),
        ("Exempted".to_owned(), tally.exempted, Vec::new()),
    ];
    let [new, old, remediated, not_seen, exempted] = &mut groups;
    for issue in issues {
        let (_, _, group) = match (issue.exempted, issue.bucket) {
            (_, Bucket::Remediated) => &mut *remediated,
            (_, Bucket::NotSeen) => &mut *not_seen,
            (true, Bucket::New | Bucket::Common) => &mut *exempted,
            (false, Bucket::New) => &mut *new,
            (false, Bucket::Common) => &mut *old,
        };
        group.push(issue);
    }
    groups
        .into_iter()
        .filter(|(heading, count, _)| heading != NOT_SEEN || 0 < *count)
        .map(|(heading, count, mut issues)| {
            issues
                .sort_by(|a, b| badness(a).cmp(&badness(b)).then_with(|| worse_score(a, b)).then(a.rule.cmp(&b.rule)));
            Group { heading: format!("{} ({count})", plain(&heading)), issues }
        })
        .collect()
}

fn badness(issue: &IssueItem) -> usize {
    LEVELS.iter().position(|level| *level == issue.severity).unwrap_or(0)
}

fn worse_score(a: &IssueItem, b: &IssueItem) -> std::cmp::Ordering {
    b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0))
}

fn render(group: &Group, locations: &[String], text: &mut String) -> Result<()> {
    writeln!(text, "{HEADING}{}{HEADING:#}", group.heading)?;
    if !group.issues.is_empty() {
        let mut listing = Listing::new(&COLUMNS);
        for (issue, location) in group.issues.iter().zip(locations) {
            let score = issue.score.map(|score| format!("{score:.1}")).unwrap_or_default();
            let cwes: Vec<_> = issue.cwes.iter().map(|number| format!("CWE-{number}")).collect();
            let (occurrences, cwes, id) = (occurrences(issue), cwes.join(", "), issue.id.to_string());
            let title = if issue.title.is_empty() { &issue.message } else { &issue.title };
            listing.row(
                [&issue.severity, &score, &issue.rule, title, &occurrences, &cwes, location, &id].map(String::as_str),
            );
        }
        text.push_str(&listing.render());
    }
    let more = group.issues.len().saturating_sub(locations.len());
    if 0 < more {
        writeln!(text, " and {more} more; the API lists all of them")?;
    }
    if !group.issues.is_empty() {
        text.push('\n');
    }
    Ok(())
}

/// Number of an issue's occurrences; of new ones if the issue is common; of exempted ones if not all are.
fn occurrences(issue: &IssueItem) -> String {
    let tally = &issue.occurrences;
    let all = match issue.bucket {
        Bucket::Remediated => format!("{} gone", tally.remediated),
        Bucket::NotSeen => format!("{} not seen", tally.not_seen),
        Bucket::Common if 0 < tally.new => format!("{}, {} new", tally.total, tally.new),
        Bucket::New | Bucket::Common => tally.total.to_string(),
    };
    match &issue.exemption {
        Some(IssueExemption { state: Coverage::PartiallyExempted, occurrences, severity: Some(level), .. }) => {
            format!("{all}; {occurrences} exempted, it counts as {level}")
        }
        Some(_) | None => all,
    }
}

/// The scans that this one was compared with and not compared with, and for a first scan, if it is accepted.
pub(crate) fn references(answer: &ScanAnswer) -> String {
    let first = comparison::first_scan(answer).map(|line| format!("{line}\n")).unwrap_or_default();
    plain(&comparison::references(&answer.comparison)) + "\n" + &first
}

/// The counts of the answer in three lines.
pub(crate) fn counts(answer: &ScanAnswer) -> String {
    let level = |name: &str| {
        let value = answer.variables.get(&name.to_uppercase()).map_or("?", String::as_str);
        format!("{value} {name}")
    };
    let levels = ["critical", "high", "medium", "low", "info", "unassigned"].map(level).join(", ");
    let (issues, occurrences) = (&answer.issues, &answer.occurrences);
    let updated = match occurrences.updated {
        0 => String::new(),
        edited => format!(" ({edited} edited)"),
    };
    let unseen = |number: u64| if number == 0 { String::new() } else { format!(", {number} not seen") };
    let text = [
        format!("{}: {levels}", count(issues.new.saturating_add(issues.common), "issue")),
        format!(
            "{} only here, {} common, {} remediated{}, {} exempted",
            issues.new,
            issues.common,
            issues.remediated,
            unseen(issues.not_seen),
            issues.exempted
        ),
        format!(
            "{}: {} only here, {} common{updated}, {} remediated{}, {} exempted",
            count(occurrences.new.saturating_add(occurrences.common), "occurrence"),
            occurrences.new,
            occurrences.common,
            occurrences.remediated,
            unseen(occurrences.not_seen),
            occurrences.exempted
        ),
    ];
    text.iter().fold(String::new(), |all, line| all + &plain(line) + "\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An answer to change in tests.
    pub(crate) fn answer() -> ScanAnswer {
        let id = "0".repeat(32);
        serde_json::from_value(serde_json::json!({
            "scan": {
                "id": id, "project": "shop", "target": {"name": "dvpwa", "type": "repository"}, "variant": "DEMO-001",
                "scanner": "bandit", "format": "bandit", "fail_on_severity": "critical", "received_at": "2026-01-01T00:00:00Z",
                "uploaded_by": "ci"
            },
            "verdict": "pass", "reasons": [],
            "variables": {
                "CRITICAL": "2", "HIGH": "0", "MEDIUM": "2", "LOW": "1", "INFO": "0", "UNASSIGNED": "0", "TOTAL": "5"
            },
            "comparison": {"with": "baseline", "variant": "master", "scan": id},
            "issues": {"new": 3, "common": 2, "remediated": 1, "exempted": 1},
            "occurrences": {"new": 7, "common": 2, "remediated": 0, "exempted": 0},
            "report": {
                "results": 9, "findings": 9, "passed": 0, "not_applicable": 0, "closed": 0, "suppressed": 0,
                "rejected": [], "rejected_total": 0, "scanner_errors": [], "scanner_errors_total": 0,
                "cut_fields": 0, "complete": true
            }
        }))
        .unwrap()
    }

    #[test]
    fn an_occurrence_is_shown_with_its_most_specific_location() {
        let cases = [
            (serde_json::json!({"path": "a.py", "line": 3}), "a.py:3"),
            (serde_json::json!({"path": "a.py"}), "a.py"),
            (serde_json::json!({"path": "lock.json", "package": {"name": "zlib", "version": "1.2"}}), "zlib 1.2"),
            (serde_json::json!({"package": {"name": "zlib"}}), "zlib"),
            (
                serde_json::json!({"endpoint": {"url": "https://shop.example/", "host": "shop.example"}}),
                "https://shop.example/",
            ),
            (serde_json::json!({"endpoint": {"host": "10.0.0.1", "port": 443}}), "10.0.0.1:443"),
            (serde_json::json!({"resource": "aws_s3_bucket.notes"}), "aws_s3_bucket.notes"),
            (serde_json::json!({}), ""),
        ];
        for (fields, expected) in cases {
            let id = "0".repeat(32);
            let mut item = serde_json::json!({
                "id": id, "issue": id, "result": 0, "bucket": "new", "rule": "r", "title": "t", "message": "m",
                "severity": "high", "first_seen": first_seen()
            });
            item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            assert_eq!(location(&serde_json::from_value(item).unwrap()), expected);
        }
    }

    fn first_seen() -> serde_json::Value {
        serde_json::json!({"scan": "0".repeat(32), "at": "2026-11-24T00:00:00.000Z", "variant": "main", "age_days": 0})
    }

    fn issue(rule: &str, severity: &str, bucket: &str, exempted: bool) -> IssueItem {
        serde_json::from_value(serde_json::json!({
            "id": "0".repeat(32), "rule": rule, "title": format!("title of {rule}"), "message": "", "kind": "code",
            "severity": severity, "score": 5.0, "cwes": [78, 89], "references": [], "key": [], "bucket": bucket,
            "exempted": exempted, "occurrences": {"total": 3, "new": 1, "common": 2, "remediated": 0},
            "first_seen": first_seen()
        }))
        .unwrap()
    }

    fn check(answer: &ScanAnswer, issues: Vec<IssueItem>) -> String {
        let mut text = String::new();
        for group in divide(answer, issues) {
            let locations: Vec<_> = group.issues.iter().take(ROWS_MAX).map(|_| "a.py:7".to_owned()).collect();
            render(&group, &locations, &mut text).unwrap();
        }
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn every_issue_is_under_one_heading_and_the_headings_count_as_the_server_does() {
        let issues = vec![
            issue("B1", "low", "new", false),
            issue("B2", "critical", "new", false),
            issue("B3", "medium", "common", false),
            issue("B4", "high", "remediated", false),
            issue("B5", "critical", "common", true),
        ];
        let text = check(&answer(), issues);
        let shown: Vec<_> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.contains("SEVERITY"))
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .map(
                |words| if words[0].chars().next().unwrap().is_uppercase() { words.join(" ") } else { words[2].into() },
            )
            .collect();
        let expected = [
            "Only in dvpwa:DEMO-001 (3)",
            "B2",
            "B1",
            "Common to dvpwa:master (2)",
            "B3",
            "Remediated (1)",
            "B4",
            "Exempted (1)",
            "B5",
        ];
        assert_eq!(shown, expected, "{text}");
        assert!(text.contains("3, 1 new") && text.contains("0 gone") && text.contains("CWE-78, CWE-89"), "{text}");
    }

    #[test]
    fn a_partially_exempted_issue_shows_the_severity_it_counts_as() {
        let with = |state: &str, level: Option<&str>| {
            let mut item = serde_json::to_value(issue("B1", "critical", "common", false)).unwrap();
            item["exemption"] =
                serde_json::json!({"state": state, "id": "0".repeat(32), "occurrences": 2, "severity": level});
            occurrences(&serde_json::from_value(item).unwrap())
        };
        assert_eq!(with("partially_exempted", Some("low")), "3, 1 new; 2 exempted, it counts as low");
        assert_eq!((with("pending", None), with("rejected", None)), ("3, 1 new".to_owned(), "3, 1 new".to_owned()));
    }

    #[test]
    fn without_a_baseline_the_previous_scan_is_named() {
        let mut answer = answer();
        for with in ["previous", "none", "baseline_not_scanned_by_this_scanner", "baseline_incomplete"] {
            answer.comparison.with = with.to_owned();
            assert!(check(&answer, vec![]).contains("Common to the previous scan (2)\n"), "{with}");
        }
        answer.comparison.with = "accepted".to_owned();
        assert!(check(&answer, vec![]).contains("Common to the last accepted scan (2)\n"));
    }

    #[test]
    fn the_scans_of_the_comparison_are_named_by_id() {
        let mut answer = answer();
        let id = "0".repeat(32);
        assert_eq!(references(&answer), format!("compared with: baseline master, scan {id}\n"));
        answer.comparison.with = "accepted".to_owned();
        answer.comparison.previous = Some("1".repeat(32).parse().unwrap());
        assert!(references(&answer).contains(&id) && references(&answer).contains(&"1".repeat(32)));
        answer.comparison.with = "none".to_owned();
        (answer.comparison.previous, answer.comparison.scan, answer.accepted_as_first) = (None, None, Some(true));
        assert!(references(&answer).contains("\naccepted: it is the first scan"));
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let issues = (0..ROWS_MAX + 2).map(|n| issue(&format!("B{n}"), "low", "new", false)).collect();
        let text = check(&answer(), issues);
        assert!(text.contains(" and 2 more;"), "{text}");
        assert_eq!(text.matches("title of").count(), ROWS_MAX);
    }

    #[test]
    fn counts_are_those_of_the_answer() {
        assert_eq!(
            counts(&answer()),
            "5 issues: 2 critical, 0 high, 2 medium, 1 low, 0 info, 0 unassigned\n\
             3 only here, 2 common, 1 remediated, 1 exempted\n\
             9 occurrences: 7 only here, 2 common, 0 remediated, 0 exempted\n"
        );
        let mut edited = answer();
        edited.occurrences.updated = 1;
        assert!(counts(&edited).contains("7 only here, 2 common (1 edited), 0 remediated"));
        edited.issues.not_seen = 2;
        assert!(counts(&edited).contains("1 remediated, 2 not seen, 1 exempted"));
    }

    #[test]
    fn issues_that_were_not_seen_have_a_heading_if_there_are_any() {
        let mut blind = answer();
        blind.issues.not_seen = 1;
        let text = check(&blind, vec![issue("B6", "high", "not_seen", true)]);
        assert!(text.contains("Not seen: inside a blind spot (1)") && text.contains("0 not seen"), "{text}");
    }
}
