//! SonarQube and SonarCloud, <https://www.sonarsource.com>: code quality and security. Reads the responses of the web
//! API (`api/issues/search`, `api/hotspots/search`), a ZIP archive of several responses, and the reports of
//! `sonar-report` (<https://github.com/soprasteria/sonar-report>) in JSON and HTML, which contain the table of issues
//! and the rules.
//!
//! A result is an issue of any type or a security hotspot; in the HTML report, a row of its table of issues. Fixed,
//! removed and closed results are closed; false positives, accepted issues and reviewed hotspots are suppressed. A
//! response with fewer results than its `paging.total` is incomplete.
//!
//! Severities follow SonarQube's documented order from BLOCKER to INFO; that of a hotspot is the probability of a
//! vulnerability. Issues of the dependency-check plugin have the package, the vulnerability and its score in the
//! message.

mod page;
mod response;

use crate::Scanner;
use crate::reader::archive::Archive;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::cwe;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "sonarqube",
    tool: "sonarqube",
    name: "SonarQube",
    aliases: &["sonarcloud", "sonar", "sonarqube-cloud", "sonarqube-server"],
    versions: "API of versions 7 to 10, sonar-report 1 to 3",
    category: "SAST",
    notation: Notation::Html,
    formats: "JSON responses of the web API, one or several in a ZIP archive; JSON and HTML of sonar-report",
    severities: "BLOCKER 9.5, CRITICAL or HIGH 8.0, MAJOR or MEDIUM 5.5, MINOR or LOW 2.0, INFO 0 (the order in SonarQube's documentation)",
    severity_words: &[
        ("BLOCKER", 950),
        ("CRITICAL", 800),
        ("HIGH", 800),
        ("MAJOR", 550),
        ("MEDIUM", 550),
        ("MINOR", 200),
        ("LOW", 200),
        ("INFO", 0),
    ],
    differences: &[
        (
            "severity",
            "the same for BLOCKER to INFO in all formats; the reference product's severities differ by format",
        ),
        ("file_path", "the path in the project, without the prefix with the project's key"),
        ("line", "the line of the result; one of the reference product's two modes merges results and has no line"),
        (
            "unique_id_from_tool",
            "the key of the result; one of the reference product's two modes merges results and has no id",
        ),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let response = |list: &str| sniff.has(list) && (sniff.has("paging.pageIndex") || sniff.has("paging.pageSize"));
    sniff.has_all(&["issues[].rule", "issues[].component", "issues[].key"])
        || sniff.has_all(&["hotspots[].vulnerabilityProbability", "hotspots[].component"])
        || sniff.has_all(&["sonarBaseURL", "issues"])
        || response("issues")
        || response("hotspots")
        || (sniff.is_zip() && sniff.contains(b".json") && !sniff.contains(b"security") && !sniff.contains(b".fvdl"))
        || page::detect(sniff)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let head = input.head()?;
    let mut totals = response::Totals::default();
    if head.starts_with(b"PK\x03\x04") {
        let archive = Archive::open(input)?;
        let names: Vec<&str> = archive.names().filter(|name| name.to_ascii_lowercase().ends_with(".json")).collect();
        for name in &names {
            if let Some(entry) = archive.by_path(name)? {
                response::parse(Input::Stream(&entry), &mut totals, collector)?;
            }
        }
        if archive.names().next().is_none() {
            // An empty archive is not a clean scan: the export failed.
            collector.scanner_error("the archive is empty: it contains no response of SonarQube");
        } else if names.is_empty() {
            return Err(ParseError::other_shape("an archive of SonarQube's responses contains JSON files"));
        }
    } else if head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&head).trim_ascii_start().starts_with(b"<") {
        return page::parse(input, collector);
    } else {
        response::parse(input, &mut totals, collector)?;
    }
    totals.check(collector);
    Ok(())
}

/// The state of an issue or hotspot.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Suppressed(String),
}

/// The state of an issue or hotspot, from its words for resolution and status, the most specific first.
fn state_of(words: &[Option<&str>]) -> State {
    let plain = |word: &str| word.trim().to_ascii_uppercase().replace(['-', ' '], "_");
    let find = |known: &[&str]| words.iter().flatten().find(|word| known.contains(&plain(word).as_str()));
    const ACCEPTED: [&str; 6] = ["FALSE_POSITIVE", "WONTFIX", "WONT_FIX", "ACCEPTED", "SAFE", "ACKNOWLEDGED"];
    if let Some(word) = find(&ACCEPTED) {
        return State::Suppressed((*word).to_owned());
    }
    if find(&["FIXED", "REMOVED", "CLOSED", "RESOLVED"]).is_some() {
        return State::Closed;
    }
    find(&["REVIEWED"]).map_or(State::Open, |word| State::Suppressed((*word).to_owned()))
}

/// The number of the weakness that a link leads to.
fn weakness(link: &str) -> Option<u32> {
    let (_, rest) = link.split_once("cwe.mitre.org/data/definitions/")?;
    cwe::number(rest.split('.').next().unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::archive::tests::zip;
    use crate::tests::{failure, findings};
    use finding::{Finding, Kind};

    fn fixture(file: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/sonarqube/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        findings(&SCANNER, &fixture(file)).unwrap()
    }

    #[test]
    fn the_state_of_a_result_is_its_most_specific_word() {
        let suppressed = |word: &str| State::Suppressed(word.to_owned());
        let cases = [
            ([Some("OPEN"), None], State::Open),
            ([Some("TO_REVIEW"), None], State::Open),
            ([Some("RESOLVED"), Some("FIXED")], State::Closed),
            ([Some("CLOSED"), None], State::Closed),
            ([Some("RESOLVED"), Some("FALSE-POSITIVE")], suppressed("FALSE-POSITIVE")),
            ([Some("RESOLVED"), Some("WONTFIX")], suppressed("WONTFIX")),
            ([Some("REVIEWED"), Some("SAFE")], suppressed("SAFE")),
            ([Some("REVIEWED"), Some("FIXED")], State::Closed),
            ([Some("REVIEWED"), None], suppressed("REVIEWED")),
        ];
        for (words, expected) in cases {
            assert_eq!(state_of(&words), expected, "{words:?}");
        }
    }

    #[test]
    fn an_issue_has_its_path_in_the_project_and_its_rules_name() {
        let (findings, parsed) = read("api-issues.json");
        let finding = &findings[0];
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.column), ("src/store.py", Some(8), Some(4)));
        assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("python:S2077", "Formatting SQL queries"));
        assert_eq!((finding.tool_id.as_deref(), finding.severity().as_str()), (Some("k1"), "critical"));
        assert_eq!((parsed.summary.closed, parsed.summary.suppressed, parsed.summary.is_complete()), (1, 1, true));
    }

    #[test]
    fn a_vulnerable_package_is_read_from_the_parts_of_its_message() {
        let finding = &read("api-issues.json").0[2];
        let package = finding.package.as_ref().unwrap();
        assert_eq!(
            (finding.kind, package.name.as_str(), package.version.as_deref()),
            (Kind::Dependency, "lodash", Some("4.17.20"))
        );
        assert_eq!(
            (finding.advisories.as_slice(), finding.cwes.as_slice()),
            (&["CVE-2021-23337".to_owned()][..], &[94][..])
        );
        assert_eq!(finding.score.unwrap().score.hundredths(), 720);
    }

    #[test]
    fn hotspots_are_rated_by_their_probability() {
        let (findings, _) = read("api-hotspots.json");
        assert_eq!(findings[0].severity().as_str(), "high");
        assert_eq!(findings[1].suppressed.as_deref(), Some("SAFE"));
    }

    #[test]
    fn the_reports_in_json_and_in_html_give_the_same_finding() {
        let (json, html) = (&read("report.json").0[0], &read("report.html").0[0]);
        for finding in [json, html] {
            assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("python:S4502", "Disabling CSRF protections"));
            assert_eq!((finding.tool_id.as_deref(), finding.cwes.as_slice()), (Some("k9"), &[352][..]));
            assert_eq!(
                finding.location.as_ref().map(|at| (at.path.as_str(), at.line)),
                Some(("notes/web.py", Some(8)))
            );
            assert_eq!(finding.description.as_deref(), Some("Requests may be forged if a < b."));
            assert_eq!(finding.message, "Make sure disabling CSRF protection is safe here.");
            assert_eq!(finding.severity().as_str(), "high");
        }
    }

    #[test]
    fn nested_tables_and_rows_without_a_rule_lose_no_other_row() {
        let (findings, parsed) = read("report.html");
        assert_eq!((findings.len(), parsed.summary.rejected, parsed.summary.closed), (2, 1, 1));
        assert_eq!(findings[1].description, None, "the report does not describe the rule");
    }

    #[test]
    fn a_truncated_report_is_refused() {
        let html = fixture("report.html");
        let end = html.len() - 20;
        assert!(failure(&SCANNER, &html[..end]).contains("cut off"));
        assert!(read("clean.html").0.is_empty());
        assert!(failure(&SCANNER, b"<html><title>SonarQube</title></html>").contains("table"));
    }

    #[test]
    fn responses_in_an_archive_are_counted_together() {
        let page = |issue: &str| format!(r#"{{"paging": {{"pageIndex": 1, "total": 2}}, "issues": [{issue}]}}"#);
        let issue = r#"{"key": "k", "rule": "r", "component": "c", "severity": "MINOR"}"#;
        let both = zip(&[("1.json", page(issue).as_bytes()), ("2.json", page(issue).as_bytes()), ("readme.txt", b"x")]);
        let (findings_of_both, parsed) = findings(&SCANNER, &both).unwrap();
        assert_eq!((findings_of_both.len(), parsed.summary.is_complete()), (2, true));
        let (_, one) = findings(&SCANNER, page(issue).as_bytes()).unwrap();
        assert!(one.summary.scanner_errors[0].contains("1 of 2"), "{:?}", one.summary);
        assert!(failure(&SCANNER, &zip(&[("readme.txt", b"x")])).contains("JSON files"));
    }

    #[test]
    fn no_findings_need_evidence() {
        assert!(failure(&SCANNER, br#"{"issues": []}"#).contains("`paging`"));
        assert!(findings(&SCANNER, br#"{"issues": [], "paging": {"pageIndex": 1, "total": 0}}"#).unwrap().0.is_empty());
    }
}
