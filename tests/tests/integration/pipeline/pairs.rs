//! A tool's own report and its SARIF of the same run give the same issues. The reports are in `tests/pairs`;
//! unavoidable differences are declared here, with the reason.

use crate::pipeline::wiring::{System, upload_of};
use api::v1::{IssueItem, OccurrenceItem, SettingsBody};
use domain::ids::{IssueId, ScanId};
use std::collections::BTreeMap;

/// Both reports of one run.
struct Pair {
    tool: &'static str,
    native: &'static [u8],
    sarif: &'static [u8],
    /// Issues and occurrences, without suppressed ones.
    counts: (u64, u64),
    /// Rules with another severity in SARIF: the report's, and the SARIF's.
    levels: &'static [(&'static str, &'static str, &'static str)],
    /// True if the SARIF has weaknesses.
    weaknesses: bool,
    /// Number of occurrences of several lines whose last line the SARIF omits: the first change makes them new.
    unended: u64,
}

macro_rules! report {
    ($name:literal) => {
        include_bytes!(concat!("../../../pairs/", $name))
    };
}

const PAIRS: &[Pair] = &[
    Pair {
        tool: "bandit",
        native: report!("bandit/native.json"),
        sarif: report!("bandit/report.sarif"),
        counts: (23, 28),
        levels: &[],
        weaknesses: true,
        unended: 0,
    },
    // The plug-in that wrote SARIF before Bandit had a formatter for it.
    Pair {
        tool: "bandit",
        native: report!("bandit/native.json"),
        sarif: report!("bandit/formatter.sarif"),
        counts: (23, 28),
        levels: &[],
        weaknesses: false,
        unended: 1,
    },
    Pair {
        tool: "checkov",
        native: report!("checkov/native.json"),
        sarif: report!("checkov/report.sarif"),
        counts: (25, 31),
        levels: &[],
        weaknesses: true,
        unended: 0,
    },
    Pair {
        tool: "eslint",
        native: report!("eslint/native.json"),
        sarif: report!("eslint/report.sarif"),
        counts: (9, 10),
        levels: &[],
        weaknesses: true,
        unended: 0,
    },
    Pair {
        tool: "semgrep",
        native: report!("semgrep/native.json"),
        sarif: report!("semgrep/report.sarif"),
        counts: (8, 11),
        // SARIF has three levels: CRITICAL and HIGH are both an error.
        levels: &[("shell-true", "critical", "high")],
        weaknesses: true,
        unended: 0,
    },
];

/// A report without a SARIF counterpart.
const DETECT_SECRETS: &[u8] = report!("detect-secrets/native.json");

/// A system whose projects honour suppressions: Semgrep's own report lacks results that a comment ignores, and its
/// SARIF has them as suppressed.
fn honouring() -> System {
    let system = System::new();
    let settings = SettingsBody { tool_suppressions: Some("honoured".to_owned()), ..SettingsBody::default() };
    system.settings(settings);
    system
}

fn by_id(system: &System, scan: ScanId) -> BTreeMap<IssueId, IssueItem> {
    system.all_issues(scan).into_iter().map(|issue| (issue.id, issue)).collect()
}

/// The fields of an occurrence that must be equal.
fn location(occurrence: OccurrenceItem, ends: bool) -> String {
    let OccurrenceItem { path, line, end_line, message, resource, secret, confidence, .. } = occurrence;
    let path = path.unwrap_or_default();
    let path = path.strip_prefix("./").unwrap_or(&path);
    let end = end_line.filter(|_| ends);
    format!("{path}:{line:?}-{end:?} {resource:?} {secret:?} {confidence:?} {message}")
}

#[test]
fn a_tools_sarif_and_its_own_report_give_the_same_issues() {
    for Pair { tool, native, sarif, counts, levels, weaknesses, unended } in PAIRS {
        let system = honouring();
        let own = system.upload(upload_of(tool, "own", "main", native)).unwrap();
        let other = system.upload(upload_of(tool, "sarif", "main", sarif)).unwrap();
        assert_eq!((own.scan.scanner.as_str(), other.scan.scanner.as_str()), (*tool, *tool));
        assert!(own.report.complete && other.report.complete);
        assert_eq!((own.issues.new, own.occurrences.new), *counts, "{tool}");
        let (own, other) = (own.scan.id, other.scan.id);
        let (own_issues, other_issues) = (by_id(&system, own), by_id(&system, other));
        let rules = |issues: &BTreeMap<IssueId, IssueItem>| -> Vec<_> {
            issues.iter().map(|(id, issue)| (*id, issue.rule.clone(), issue.key.clone())).collect()
        };
        assert_eq!(rules(&own_issues), rules(&other_issues), "{tool}");
        for (id, issue) in own_issues {
            let twin = &other_issues[&id];
            let what = format!("{tool}: {}", issue.rule);
            assert_eq!((&issue.title, &issue.kind, &issue.message), (&twin.title, &twin.kind, &twin.message), "{what}");
            let level = levels.iter().find(|(rule, _, _)| *rule == issue.rule);
            match level {
                Some((_, own, other)) => {
                    assert_eq!((issue.severity.as_str(), twin.severity.as_str()), (*own, *other), "{what}");
                }
                None => assert_eq!(
                    (&issue.severity, issue.score, &issue.scanner_severity),
                    (&twin.severity, twin.score, &twin.scanner_severity),
                    "{what}"
                ),
            }
            assert_eq!(twin.cwes, if *weaknesses { issue.cwes.clone() } else { vec![] }, "{what}");
            let locations = |scan, issue| {
                let occurrences = system.occurrences(scan, issue).into_iter();
                let mut locations: Vec<_> = occurrences.map(|one| location(one, *unended == 0)).collect();
                locations.sort();
                locations
            };
            let (mine, its) = (locations(own, &issue), locations(other, twin));
            assert_eq!(mine, its, "{what}");
        }
    }
}

#[test]
fn switching_to_sarif_and_back_makes_nothing_new_under_any_scanner_name() {
    for Pair { tool, native, sarif, counts, .. } in PAIRS {
        for name in [tool, "sarif", "auto"] {
            let system = honouring();
            system.upload(upload_of(tool, "notes", "main", native)).unwrap();
            for (name, report) in [(name, sarif), (*tool, native)] {
                let answer = system.upload(upload_of(name, "notes", "main", report)).unwrap();
                let issues = (answer.issues.new, answer.issues.common, answer.issues.remediated);
                assert_eq!(issues, (0, counts.0, 0), "{tool} as {name}");
                let occurrences = (answer.occurrences.new, answer.occurrences.common, answer.occurrences.remediated);
                // Where SARIF omits the end, it has less code: the occurrence matches as edited.
                assert_eq!(occurrences, (0, counts.1, 0), "{tool} as {name}");
            }
        }
    }
}

#[test]
fn the_same_report_twice_makes_nothing_new() {
    let reports = PAIRS.iter().flat_map(|pair| [(pair.tool, pair.native), (pair.tool, pair.sarif)]);
    for (tool, report) in reports.chain([("detect-secrets", DETECT_SECRETS)]) {
        let system = System::new();
        let first = system.upload(upload_of(tool, "notes", "main", report)).unwrap();
        let again = system.upload(upload_of("auto", "notes", "main", report)).unwrap();
        assert!(first.issues.new > 0 && first.report == again.report, "{tool}");
        assert_eq!(
            (again.issues.new, again.issues.common, again.issues.remediated),
            (0, first.issues.new, 0),
            "{tool}"
        );
        assert_eq!((again.occurrences.new, again.occurrences.remediated), (0, 0), "{tool}");
    }
}

#[test]
fn semgreps_sarif_has_ignored_results_as_suppressed_and_its_own_report_lacks_them() {
    let pair = PAIRS.iter().find(|pair| pair.tool == "semgrep").unwrap();
    for (settings, new) in [(None, 1), (Some("honoured".to_owned()), 0)] {
        let system = System::new();
        system.settings(SettingsBody { tool_suppressions: settings, ..SettingsBody::default() });
        let own = system.upload(upload_of("semgrep", "notes", "main", pair.native)).unwrap();
        let sarif = system.upload(upload_of("semgrep", "notes", "main", pair.sarif)).unwrap();
        assert_eq!((own.report.suppressed, sarif.report.suppressed), (0, 1));
        assert_eq!((sarif.issues.new, sarif.occurrences.new), (0, new), "the rule has an issue elsewhere");
    }
}

#[test]
fn no_secret_that_a_scanner_found_is_stored_in_clear() {
    let found = [
        ("bandit", "correct-horse-battery"),
        ("checkov", "AKIAIOSFODNN7EXAMPLE"),
        ("eslint", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("semgrep", "AKIAIOSFODNN7EXAMPLE"),
    ];
    for (tool, secret) in found {
        for report in PAIRS.iter().filter(|pair| pair.tool == tool).flat_map(|pair| [pair.native, pair.sarif]) {
            let system = System::new();
            let scan = system.upload(upload_of(tool, "notes", "main", report)).unwrap().scan.id;
            let issues = system.all_issues(scan);
            let occurrences: Vec<_> = issues.iter().flat_map(|issue| system.occurrences(scan, issue)).collect();
            let shown = serde_json::to_string(&(issues, occurrences)).unwrap();
            assert!(!shown.contains(secret), "{tool}: {shown}");
        }
    }
}
