//! Bandit, <https://bandit.readthedocs.io>: security linter for Python. Reads its JSON report (`bandit -f json`), as
//! versions 1.4 to 1.9 write it.
//!
//! Bandit has three severities. HIGH gets the score that the reference product shows (9.5), the others the middle of
//! their severity. `UNDEFINED` and unknown words get no score.
//!
//! Each result is a finding. Files that Bandit could not read (`errors`) are blind spots.

use crate::Scanner;
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::secret;
use finding::{Excerpt, Finding, Kind, Location, Reach, Unit};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "bandit",
    tool: "bandit",
    name: "Bandit",
    aliases: &[],
    versions: "1.4 to 1.9",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "HIGH 9.5, MEDIUM 5.0, LOW 2.0 (the reference product shows Bandit's HIGH as 9.5); UNDEFINED unassigned",
    severity_words: &[("HIGH", 950), ("MEDIUM", 500), ("LOW", 200)],
    differences: &[
        ("severity", "the reference product shows Bandit's HIGH as critical, 9.5; others call it high"),
        ("vuln_id_from_tool", "the rule is Bandit's id as in its documentation and SARIF, without the rule's name"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["metrics", "generated_at"]) || sniff.has_all(&["results[].test_id", "results[].issue_text"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["results[]", "errors[]", "metrics{}", "generated_at"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawResult>().map(RawResult::into_finding)),
        1 => {
            match item.read::<RawError>() {
                Ok(error) => collector.blind_spot(Reach::File(error.filename), error.reason),
                Err(reason) => collector.scanner_error(reason),
            }
            Ok(())
        }
        3 => item.ended(collector),
        _ => {
            // What is not a count is not stated: 0 would be a blind spot over everything.
            let counts = item.read::<RawCounts>().unwrap_or_default();
            match item.name(0) {
                TOTALS => counts.loc.into_iter().for_each(|lines| collector.examined(Unit::Lines, lines)),
                _ => collector.examined(Unit::Files, 1),
            }
            Ok(())
        }
    })?;
    seen.require(
        collector,
        &[0, 2],
        "a Bandit JSON report is an object with the list `results` and the object `metrics`",
    )
}

/// The name in `metrics` of the counts of all files.
const TOTALS: &str = "_totals";

/// The counts of a file, or of all.
#[derive(Default, Deserialize)]
struct RawCounts {
    /// Lines of code.
    loc: Option<u64>,
}

#[derive(Deserialize)]
struct RawError {
    filename: String,
    reason: String,
}

#[derive(Deserialize)]
struct RawResult {
    code: Option<String>,
    col_offset: Option<u32>,
    filename: String,
    issue_confidence: Option<String>,
    issue_cwe: Option<RawCwe>,
    issue_severity: Option<String>,
    issue_text: String,
    line_number: u32,
    #[serde(default)]
    line_range: Vec<u32>,
    more_info: Option<String>,
    test_id: String,
    test_name: String,
}

#[derive(Deserialize)]
struct RawCwe {
    id: Option<u32>,
}

impl RawResult {
    fn into_finding(self) -> Finding {
        let mut finding = Finding {
            confidence: self.issue_confidence,
            cwes: self.issue_cwe.and_then(|cwe| cwe.id).into_iter().collect(),
            references: self.more_info.into_iter().collect(),
            statement_line: self.line_range.iter().copied().min().filter(|first| *first < self.line_number),
            location: Some(
                Location::lines(self.filename, Some(self.line_number), self.line_range.into_iter().max())
                    .with_column(self.col_offset),
            ),
            code: self.code.as_deref().and_then(excerpt),
            ..Finding::new(Kind::Code, self.test_id, self.test_name, self.issue_text)
        };
        SCANNER.rating().word(self.issue_severity.as_deref()).apply(&mut finding);
        hide_password(&mut finding);
        finding
    }
}

/// Masks the password that B105 to B107 print: `Possible hardcoded password: 'hunter2'`.
pub(crate) fn hide_password(finding: &mut Finding) {
    if let Some((_, quoted)) = finding.message.split_once("ardcoded password: '") {
        let password = quoted.strip_suffix('\'').unwrap_or(quoted).to_owned();
        secret::attach(finding, &password);
    }
}

/// Parses code in which each line begins with its number and a space: `41 return md5(x)`. `None` if the numbers are not
/// consecutive.
fn excerpt(code: &str) -> Option<Excerpt> {
    let numbered: Vec<(u32, &str)> = code.lines().filter_map(numbered).collect();
    let first_line = numbered.first()?.0;
    let consecutive = (0..).zip(&numbered).all(|(at, (number, _))| first_line.checked_add(at) == Some(*number));
    consecutive.then(|| Excerpt { first_line, lines: numbered.iter().map(|(_, line)| (*line).to_owned()).collect() })
}

fn numbered(line: &str) -> Option<(u32, &str)> {
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    let (number, rest) = line.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest.strip_prefix(' ').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::BlindSpot;

    const RESULT: &str = r#"{"code": "1 import os\n2 assert False\n", "filename": "one.py", "issue_confidence": "HIGH",
        "issue_cwe": {"id": 703, "link": "https://cwe.mitre.org/data/definitions/703.html"}, "issue_severity": "LOW",
        "issue_text": "Use of assert detected.", "line_number": 2, "line_range": [2], "col_offset": 4,
        "more_info": "https://bandit.readthedocs.io/b101", "test_id": "B101", "test_name": "assert_used"}"#;

    fn report(results: &str) -> String {
        format!(
            r#"{{"errors": [], "generated_at": "2026-11-23T04:00:00Z", "metrics": {{"_totals": {{}}}}, "results": [{results}]}}"#
        )
    }

    #[test]
    fn a_result_becomes_a_finding() {
        let (findings, parsed) = findings(&SCANNER, report(RESULT).as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.summary.is_complete());
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "code",
            "rule": "B101",
            "title": "assert_used",
            "message": "Use of assert detected.",
            "score": {
              "score": 200,
              "source": "scanner_word"
            },
            "severity_word": "LOW",
            "scanner_severity": "low",
            "confidence": "HIGH",
            "cwes": [
              703
            ],
            "references": [
              "https://bandit.readthedocs.io/b101"
            ],
            "location": {
              "path": "one.py",
              "line": 2,
              "column": 4
            },
            "code": {
              "first_line": 1,
              "lines": [
                "import os",
                "assert False"
              ]
            }
          }
        ]
        "#);
    }

    #[test]
    fn one_bad_entry_does_not_hide_the_others() {
        let text = report(&format!(r#"{RESULT}, {{"test_id": 5}}, "text", {RESULT}"#));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(findings.iter().map(|finding| finding.result).collect::<Vec<_>>(), [0, 3]);
        let rejected: Vec<_> = parsed.summary.rejected_entries.iter().map(|entry| entry.result).collect();
        assert_eq!((rejected, parsed.summary.rejected, parsed.summary.results), (vec![1, 2], 2, 4));
        assert!(parsed.summary.adds_up() && !parsed.summary.is_complete());
    }

    #[test]
    fn files_that_bandit_could_not_read_are_blind_spots() {
        let text = r#"{"errors": [{"filename": "a.py", "reason": "syntax error"}, {"reason": 5}], "metrics": {}, "results": []}"#;
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!(
            summary.blind_spots,
            [BlindSpot { reach: Reach::File("a.py".to_owned()), reason: "syntax error".to_owned() }]
        );
        assert_eq!(summary.scanner_errors_total, 1, "an error that cannot be read has no reach");
    }

    #[test]
    fn a_scan_without_a_line_of_code_is_blind_to_everything() {
        let scan = |metrics: &str| {
            let text = format!(r#"{{"errors": [], "metrics": {metrics}, "results": []}}"#);
            findings(&SCANNER, text.as_bytes()).unwrap().1.summary
        };
        let summary = scan(r#"{"_totals": {"loc": 0, "nosec": 0}}"#);
        assert_eq!((summary.blind_spots.len(), &summary.blind_spots[0].reach), (1, &Reach::Everything));
        let summary = scan(r#"{"a.py": {"loc": 7}, "_totals": {"loc": 7}}"#);
        assert_eq!((summary.blind_spots.len(), summary.examined), (0, [(Unit::Files, 1), (Unit::Lines, 7)].into()));
    }

    #[test]
    fn another_tools_report_is_refused_and_says_what_it_has() {
        let text = r#"{"version": "1.2.3", "results": [], "errors": [], "paths": {}}"#;
        assert_eq!(
            failure(&SCANNER, text.as_bytes()),
            "this is not a report of Bandit: a Bandit JSON report is an object with the list `results` and the object `metrics`"
        );
        assert!(failure(&SCANNER, b"[1]").ends_with("expected an object, found a list"));
        assert!(
            failure(&SCANNER, b"{\"metrics\": {}, \"results\": 5}")
                .ends_with("expected a list at `results`, found a number")
        );
    }

    #[test]
    fn code_loses_its_numbers_and_unnumbered_text_is_not_code() {
        let lines = |text: &str| excerpt(text).map(|code| (code.first_line, code.lines));
        assert_eq!(lines("9 if x:\n10     y()\n"), Some((9, vec!["if x:".to_owned(), "    y()".to_owned()])));
        assert_eq!(lines("7 a\n8\n9 b"), Some((7, vec!["a".to_owned(), String::new(), "b".to_owned()])));
        for nothing in ["", "no number", "3 a\n9 b", "99999999999999 a", "4294967295 a\n4294967296 b"] {
            assert!(lines(nothing).is_none_or(|(_, lines)| lines.len() == 1), "{nothing}");
        }
    }
}
