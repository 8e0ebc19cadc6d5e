//! Bandit, <https://bandit.readthedocs.io>: security linter for Python. Reads its JSON report (`bandit -f json`), as
//! versions 1.4 to 1.9 write it.
//!
//! Bandit knows three severities. Their scores are those of the reference product where it shows one (HIGH is 9.5), and
//! the middle of the band for the others; `UNDEFINED` and anything unknown stay without a score.
//!
//! Each result is a finding. Files that Bandit could not read (`errors`) make the scan incomplete.

use crate::Scanner;
use crate::json::{self, Failure};
use crate::report::{Collector, Input, ParseError, Parsed, Sink};
use finding::severity::{Score, ScoreSource};
use finding::{Excerpt, Finding, Kind, Location, Scored};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "bandit",
    name: "Bandit",
    category: "SAST",
    formats: "JSON",
    severities: "HIGH 9.5, MEDIUM 5.0, LOW 2.0 (the reference product shows Bandit's HIGH as 9.5); UNDEFINED unassigned",
    parse,
};

fn parse(input: Input<'_>, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
    let mut report =
        Report { collector: Collector::new(sink), metrics: false, results: false, other: vec![], failure: None };
    let read = json::read(input, &mut report);
    if let Some(failure) = report.failure.take() {
        return Err(failure);
    }
    match read {
        Ok(()) => {}
        Err(Failure::Unusable(error)) => return Err(error),
        Err(Failure::OtherShape) => return Err(report.wrong_tool()),
    }
    if !(report.metrics && report.results) {
        return Err(report.wrong_tool());
    }
    Ok(report.collector.finish(None))
}

/// The report as it is being read.
struct Report<'a> {
    collector: Collector<'a>,
    metrics: bool,
    results: bool,
    /// Top-level fields that Bandit does not write: they tell what it is instead.
    other: Vec<String>,
    failure: Option<ParseError>,
}

impl Report<'_> {
    fn wrong_tool(&self) -> ParseError {
        let found = if self.other.is_empty() {
            String::new()
        } else {
            format!("; it has {}", self.other.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
        };
        let reason = format!("a Bandit JSON report is an object with the lists `results` and `metrics`{found}");
        ParseError::WrongTool { expected: "bandit", reason }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Report<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Report<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Bandit report")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        const KEYS_SHOWN_MAX: usize = 8;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "results" => {
                    self.results = true;
                    map.next_value_seed(Results(self))?;
                }
                "errors" => {
                    for error in map.next_value::<Vec<RawError>>()? {
                        self.collector.scanner_error(format!("{}: {}", error.filename, error.reason));
                    }
                }
                "metrics" => {
                    map.next_value::<BTreeMap<IgnoredKey, IgnoredAny>>()?;
                    self.metrics = true;
                }
                "generated_at" => drop(map.next_value::<IgnoredAny>()?),
                _ => {
                    if self.other.len() < KEYS_SHOWN_MAX {
                        self.other.push(key.chars().filter(|c| !c.is_control()).take(40).collect());
                    }
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key that is not kept: all that matters is that there is an object.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct IgnoredKey;
impl<'de> Deserialize<'de> for IgnoredKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The list of results, one at a time: none is held longer than its finding takes.
struct Results<'r, 'a>(&'r mut Report<'a>);

impl<'de> DeserializeSeed<'de> for Results<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of results")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while let Some(raw) = list.next_element::<Box<RawValue>>()? {
            let taken = self.0.collector.result(|place| {
                serde_json::from_str::<RawResult>(raw.get())
                    .map_err(|error| error.to_string())
                    .map(|result| result.into_finding(place))
            });
            if let Err(failure) = taken {
                self.0.failure = Some(failure);
                return Err(S::Error::custom("stopped"));
            }
        }
        Ok(())
    }
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
    fn into_finding(self, result: u32) -> Finding {
        Finding {
            result,
            kind: Kind::Code,
            rule: self.test_id,
            title: self.test_name,
            message: self.issue_text,
            score: self.issue_severity.as_deref().and_then(score),
            severity_word: self.issue_severity,
            confidence: self.issue_confidence,
            cwes: self.issue_cwe.and_then(|cwe| cwe.id).into_iter().collect(),
            references: self.more_info.into_iter().collect(),
            location: Some(Location {
                path: self.filename,
                line: Some(self.line_number),
                end_line: self.line_range.into_iter().max().filter(|last| *last > self.line_number),
                column: self.col_offset,
            }),
            code: self.code.as_deref().and_then(excerpt),
            raw: BTreeMap::new(),
            cut_fields: 0,
        }
    }
}

fn score(word: &str) -> Option<Scored> {
    let hundredths = match word {
        "HIGH" => 950,
        "MEDIUM" => 500,
        "LOW" => 200,
        _ => return None,
    };
    Score::from_hundredths(hundredths).map(|score| Scored { score, source: ScoreSource::ScannerWord })
}

/// Bandit writes each line of code behind its number and a space: `41 return md5(x)`.
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
    fn severities_become_the_documented_scores() {
        let cases =
            [("HIGH", Some(950)), ("MEDIUM", Some(500)), ("LOW", Some(200)), ("UNDEFINED", None), ("SEVERE", None)];
        for (word, expected) in cases {
            assert_eq!(score(word).map(|scored| scored.score.hundredths()), expected, "{word}");
        }
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
    fn files_that_bandit_could_not_read_make_the_scan_incomplete() {
        let text = r#"{"errors": [{"filename": "a.py", "reason": "syntax error"}], "metrics": {}, "results": []}"#;
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["a.py: syntax error"]);
        assert!(!parsed.summary.is_complete());
    }

    #[test]
    fn another_tools_report_is_refused_and_says_what_it_has() {
        let text = r#"{"version": "1.2.3", "results": [], "errors": [], "paths": {}}"#;
        assert_eq!(
            failure(&SCANNER, text.as_bytes()),
            "this is not a report of bandit: a Bandit JSON report is an object with the lists `results` and `metrics`; it has `version`, `paths`"
        );
        assert!(failure(&SCANNER, b"[1]").starts_with("this is not a report of bandit"));
        assert!(failure(&SCANNER, b"{\"metrics\": {}, \"results\": {}}").starts_with("this is not a report of bandit"));
    }

    #[test]
    fn code_loses_its_numbers_and_what_is_not_numbered_is_no_code() {
        let lines = |text: &str| excerpt(text).map(|code| (code.first_line, code.lines));
        assert_eq!(lines("9 if x:\n10     y()\n"), Some((9, vec!["if x:".to_owned(), "    y()".to_owned()])));
        assert_eq!(lines("7 a\n8\n9 b"), Some((7, vec!["a".to_owned(), String::new(), "b".to_owned()])));
        for nothing in ["", "no number", "3 a\n9 b", "99999999999999 a", "4294967295 a\n4294967296 b"] {
            assert!(lines(nothing).is_none_or(|(_, lines)| lines.len() == 1), "{nothing}");
        }
    }
}
