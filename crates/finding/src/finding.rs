//! A finding: one result of a report, normalised. What every parser produces and every later stage reads.

use crate::limits::cut_text;
use crate::severity::{Score, ScoreSource, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of problem a finding is; decides how issues are keyed and how occurrences are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A weakness in source code (SAST).
    Code,
}

/// One result of a report. Optional fields are those that a report may lack.
///
/// This is the stored form, one JSON line in a finding segment; a snapshot test pins it. The API has types of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The place of the result in the report, counted from 0.
    pub result: u32,
    /// What kind of problem it is.
    pub kind: Kind,
    /// The scanner's rule, for example `B324`.
    pub rule: String,
    /// The rule's name, for example `hashlib`: the issue's title.
    pub title: String,
    /// What the scanner says about this place.
    pub message: String,
    /// The score, and how it was found; absent when the report gives none that could be understood.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<Scored>,
    /// The scanner's own word for the severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_word: Option<String>,
    /// The scanner's own word for its confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<String>,
    /// Weaknesses by their number in the Common Weakness Enumeration.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cwes: Vec<u32>,
    /// Where to read more, as the report gives it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// The code at that place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Excerpt>,
    /// Other fields of the report worth keeping, by their name there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, String>,
    /// How many text fields were cut to the limit.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut_fields: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A score and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// 0 to 10.
    pub score: Score,
    /// How it was found.
    pub source: ScoreSource,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file's path as the report gives it.
    pub path: String,
    /// First line, counted from 1; absent when the whole file is meant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Last line, inclusive; absent when it is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// First column, counted as the report counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

/// Consecutive lines of a file around a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The number of the first line, counted from 1.
    pub first_line: u32,
    /// The lines, without line breaks.
    pub lines: Vec<String>,
}

impl Finding {
    /// The level of its score.
    pub fn severity(&self) -> Severity {
        Severity::of(self.score.map(|scored| scored.score))
    }

    /// Cuts every text field to its limit and counts the cuts. Parsers' output passes through here once.
    pub fn bounded(mut self) -> Self {
        let location = self.location.iter_mut().map(|location| &mut location.path);
        let code = self.code.iter_mut().flat_map(|code| code.lines.iter_mut());
        let texts = [&mut self.rule, &mut self.title, &mut self.message]
            .into_iter()
            .chain(self.severity_word.iter_mut())
            .chain(self.confidence.iter_mut())
            .chain(self.references.iter_mut())
            .chain(location)
            .chain(code)
            .chain(self.raw.values_mut());
        let mut cuts: u32 = 0;
        for text in texts {
            cuts = cuts.saturating_add(u32::from(cut_text(text)));
        }
        self.cut_fields = cuts;
        self
    }
}

/// One entry of a report that could not be read, and why. It stays counted: nothing is dropped silently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The entry's place in the report, counted from 0.
    pub result: u32,
    /// What is wrong with it.
    pub reason: String,
}

/// What a report said besides its findings. Every result of the file is in exactly one of these counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSummary {
    /// Results in the file.
    pub results: u64,
    /// Results that became findings.
    pub findings: u64,
    /// Results the report itself calls passed.
    pub passed: u64,
    /// Results the report itself calls not applicable.
    pub not_applicable: u64,
    /// Results the report itself calls closed.
    pub closed: u64,
    /// Results the report itself calls suppressed.
    pub suppressed: u64,
    /// How many results could not be read.
    pub rejected: u64,
    /// The first of those, one by one; at most [`REJECTED_LISTED_MAX`](crate::limits::REJECTED_LISTED_MAX).
    pub rejected_entries: Vec<Rejected>,
    /// What the scanner itself says went wrong, for example files it could not read; the first of them.
    pub scanner_errors: Vec<String>,
    /// How many things the scanner itself says went wrong.
    pub scanner_errors_total: u64,
    /// Text fields that were cut to [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX).
    pub cut_fields: u64,
}

impl ReportSummary {
    /// Whether the scan saw everything it should have: only such a scan may show that something was remediated.
    pub fn is_complete(&self) -> bool {
        self.rejected == 0 && self.scanner_errors_total == 0
    }

    /// Whether every result is accounted for. A parser for which this is false has lost or invented results.
    pub fn adds_up(&self) -> bool {
        self.results
            == self.findings + self.passed + self.not_applicable + self.closed + self.suppressed + self.rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{CUT_MARK, TEXT_BYTES_MAX};

    fn finding(result: u32, rule: &str, path: &str, line: u32, code: &[&str]) -> Finding {
        Finding {
            result,
            kind: Kind::Code,
            rule: rule.to_owned(),
            title: format!("title of {rule}"),
            message: "message".to_owned(),
            score: Score::from_hundredths(950).map(|score| Scored { score, source: ScoreSource::ScannerWord }),
            severity_word: Some("HIGH".to_owned()),
            confidence: None,
            cwes: vec![327],
            references: vec![],
            location: Some(Location { path: path.to_owned(), line: Some(line), end_line: None, column: None }),
            code: (!code.is_empty()).then(|| Excerpt {
                first_line: line.saturating_sub(1),
                lines: code.iter().map(|line| (*line).to_owned()).collect(),
            }),
            raw: BTreeMap::new(),
            cut_fields: 0,
        }
    }

    #[test]
    fn the_stored_form_is_pinned() {
        insta::assert_json_snapshot!(finding(3, "B324", "./a.py", 10, &["before", "md5(x)", "after"]), @r#"
        {
          "result": 3,
          "kind": "code",
          "rule": "B324",
          "title": "title of B324",
          "message": "message",
          "score": {
            "score": 950,
            "source": "scanner_word"
          },
          "severity_word": "HIGH",
          "cwes": [
            327
          ],
          "location": {
            "path": "./a.py",
            "line": 10
          },
          "code": {
            "first_line": 9,
            "lines": [
              "before",
              "md5(x)",
              "after"
            ]
          }
        }
        "#);
    }

    #[test]
    fn enormous_fields_are_cut_and_counted_wherever_they_are() {
        let mut enormous = finding(0, "B1", "./a.py", 1, &["x"]);
        let text = "y".repeat(TEXT_BYTES_MAX + 1);
        enormous.message.clone_from(&text);
        enormous.code = Some(Excerpt { first_line: 1, lines: vec![text.clone()] });
        enormous.raw.insert("more".to_owned(), text);
        let bounded = enormous.bounded();
        assert_eq!(bounded.cut_fields, 3);
        assert!(bounded.message.ends_with(CUT_MARK) && bounded.message.len() <= TEXT_BYTES_MAX);
        assert_eq!(finding(0, "B1", "./a.py", 1, &["x"]).bounded().cut_fields, 0);
    }

    #[test]
    fn a_summary_adds_up_or_says_that_it_does_not() {
        let mut summary = ReportSummary { results: 3, findings: 2, rejected: 1, ..ReportSummary::default() };
        assert!(summary.adds_up() && !summary.is_complete());
        summary.rejected = 0;
        assert!(!summary.adds_up() && summary.is_complete());
    }
}
