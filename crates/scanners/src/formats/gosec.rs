//! gosec, <https://github.com/securego/gosec>: security checker for Go. Reads its JSON report (`gosec -fmt=json`), as
//! versions 1 and 2 write it.
//!
//! Each element of `Issues` is a finding. With `-track-suppressions` gosec also lists issues that comments (`#nosec`)
//! or settings switch off, with `nosec` or `suppressions`: these are suppressed. The severities are gosec's three; it
//! has no scores.
//!
//! `Golang errors` are blind spots. Their names are absolute paths: of files that could not be compiled, and of folders
//! of packages that could not be loaded. Go itself can give a relative path or none: that is a blind spot over
//! everything, because the paths of findings are absolute. `Stats` has the numbers of files and lines.
//!
//! gosec's rules have no names: a finding's title is its message. The code of `G101` (hard-coded credentials) contains
//! the secret, which is masked.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::snippet;
use finding::{Finding, Kind, Location, Reach, Unit};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gosec",
    tool: "gosec",
    name: "gosec",
    aliases: &["go-sec"],
    versions: "1 and 2",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-fmt=json`)",
    severities: "HIGH 8.0, MEDIUM 5.5, LOW 2.0",
    severity_words: &[("HIGH", 800), ("MEDIUM", 550), ("LOW", 200)],
    differences: &[],
    detect,
    parse,
};

/// The rule that finds credentials; its code contains them.
const CREDENTIALS: &str = "G101";

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["Issues", "Stats.nosec"]) || sniff.has_all(&["Issues[].rule_id", "Issues[].details"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut has_zero_count = false;
    let paths = ["Issues[]", "Golang errors{}[]", "Stats.found", "Stats.files", "Stats.lines", "GosecVersion"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawIssue>().map(RawIssue::into_finding)),
        1 => {
            match item.read::<RawError>() {
                Ok(error) => {
                    let place = error.line.line().map(|line| format!("line {line}: ")).unwrap_or_default();
                    collector.blind_spot(reach(item.name(0)), format!("{place}{}", error.error.0));
                }
                Err(reason) => collector.scanner_error(format!("{}: {reason}", item.name(0))),
            }
            Ok(())
        }
        2 => {
            // Old versions write `null` for no issues; the count must be 0 then.
            has_zero_count |= item.read::<Number>().is_ok_and(|found| found.0 == Some(0.0));
            Ok(())
        }
        3 | 4 => {
            let unit = if item.path == 3 { Unit::Files } else { Unit::Lines };
            let count = item.read::<Number>().ok().and_then(Number::count);
            count.into_iter().for_each(|count| collector.examined(unit, count));
            Ok(())
        }
        _ => {
            if let Some(version) = item.read::<Text>().ok().filled().filter(|version| version != "dev") {
                collector.version(version);
            }
            Ok(())
        }
    })?;
    collector.require(seen.has(0) || has_zero_count, "a gosec JSON report has the list `Issues` and the counts `Stats`")
}

/// The reach of an error of Go at a path.
fn reach(path: &str) -> Reach {
    let drive = path.as_bytes().get(1) == Some(&b':');
    match path.starts_with('/') || drive && path.contains(['/', '\\']) {
        true if path.ends_with(".go") => Reach::File(path.to_owned()),
        true => Reach::Folder(path.to_owned()),
        false => Reach::Everything,
    }
}

#[derive(Deserialize)]
struct RawError {
    #[serde(default)]
    line: Number,
    error: Text,
}

#[derive(Deserialize)]
struct RawIssue {
    severity: Option<Text>,
    confidence: Option<Text>,
    cwe: Option<RawCwe>,
    rule_id: Text,
    details: Text,
    file: Option<Text>,
    code: Option<Text>,
    /// `12`, or `12-14`.
    line: Option<Text>,
    column: Option<Text>,
    nosec: Option<bool>,
    #[serde(default)]
    suppressions: Many<RawSuppression>,
    /// A language model's proposal, in newer versions.
    autofix: Option<Text>,
}

#[derive(Deserialize)]
struct RawCwe {
    #[serde(alias = "ID")]
    id: Option<Text>,
}

#[derive(Deserialize)]
struct RawSuppression {
    kind: Option<Text>,
    justification: Option<Text>,
}

impl RawIssue {
    fn into_finding(self) -> Finding {
        let (line, end_line) = lines(self.line.as_ref().map_or("", |line| &line.0));
        let suppressed = suppressed(self.nosec, self.suppressions);
        let code = self.code.map(|code| code.0).unwrap_or_default();
        let rule = self.rule_id.0;
        let mut finding = Finding {
            confidence: self.confidence.filled(),
            cwes: self.cwe.and_then(|cwe| cwe.id).and_then(|id| cwe::number(&id.0)).into_iter().collect(),
            remediation: self.autofix.filled(),
            location: self.file.filled().map(|path| {
                Location::lines(path, line, end_line)
                    .with_column(self.column.and_then(|column| column.0.trim().parse().ok()))
            }),
            code: snippet::numbered(&code, ": ").or_else(|| snippet::plain(&code, line)),
            suppressed,
            ..Finding::new(Kind::Code, rule.clone(), self.details.0.clone(), self.details.0)
        };
        SCANNER.rating().word(self.severity.as_ref().map(|word| word.0.as_str())).apply(&mut finding);
        if rule == CREDENTIALS {
            put_credentials(&mut finding);
        }
        finding
    }
}

/// First and last line of `12` or `12-14`; the last line only if it differs.
fn lines(text: &str) -> (Option<u32>, Option<u32>) {
    let (first, last) = text.split_once('-').unwrap_or((text, ""));
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number != 0);
    (number(first), number(last).filter(|last| number(first).is_some_and(|first| first < *last)))
}

fn suppressed(nosec: Option<bool>, suppressions: Many<RawSuppression>) -> Option<String> {
    let texts = suppressions.0.into_iter().map(|suppression| {
        let parts = [suppression.kind, suppression.justification].into_iter().flatten().filter_map(Filled::filled);
        parts.collect::<Vec<_>>().join(": ")
    });
    // A suppression says its kind or its reason.
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    match texts.is_empty() {
        false => Some(texts.join("; ")),
        true => nosec.filter(|nosec| *nosec).map(|_| "nosec".to_owned()),
    }
}

/// Masks the credentials: the literals of the reported lines.
fn put_credentials(finding: &mut Finding) {
    let Some(code) = finding.code.clone() else { return };
    let location = finding.location.clone().unwrap_or_default();
    let first = location.line.unwrap_or(code.first_line);
    let last = location.end_line.unwrap_or(first);
    let reported = (code.first_line..).zip(&code.lines).filter(|(number, _)| (first..=last).contains(number));
    let reported: Vec<&str> = reported.map(|(_, line)| line.as_str()).collect();
    let reported = if reported.is_empty() { code.lines.join("\n") } else { reported.join("\n") };
    snippet::attach_secrets(finding, &reported);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(issues: &str) -> String {
        format!(
            r#"{{"Golang errors": {{}}, "Issues": {issues}, "Stats": {{"files": 1, "lines": 9, "nosec": 0, "found": 1}},
            "GosecVersion": "2.21.4"}}"#
        )
    }

    fn one(fields: &str) -> Finding {
        let issue = format!(
            r#"[{{"severity": "HIGH", "confidence": "LOW", "rule_id": "G401", "details": "weak", "file": "/notes/a.go", {fields}}}]"#
        );
        let (mut findings, parsed) = findings(&SCANNER, report(&issue).as_bytes()).unwrap();
        assert!(parsed.summary.adds_up());
        assert_eq!(parsed.scanner_version.as_deref(), Some("2.21.4"));
        findings.remove(0)
    }

    #[test]
    fn an_issue_becomes_a_finding() {
        let finding = one(
            r#""cwe": {"id": "328", "url": "u"}, "code": "41: h := x\n42: h = md5.New()\n", "line": "41-42", "column": "7",
            "nosec": false, "suppressions": null"#,
        );
        insta::assert_json_snapshot!(finding, @r#"
        {
          "result": 0,
          "kind": "code",
          "rule": "G401",
          "title": "weak",
          "message": "weak",
          "score": {
            "score": 800,
            "source": "scanner_word"
          },
          "severity_word": "HIGH",
          "scanner_severity": "high",
          "confidence": "LOW",
          "cwes": [
            328
          ],
          "location": {
            "path": "/notes/a.go",
            "line": 41,
            "end_line": 42,
            "column": 7
          },
          "code": {
            "first_line": 41,
            "lines": [
              "h := x",
              "h = md5.New()"
            ]
          }
        }
        "#);
    }

    #[test]
    fn old_versions_print_code_without_numbers_and_write_the_weakness_in_capitals() {
        let finding = one(r#""cwe": {"ID": "328", "URL": "u"}, "code": "md5.New()", "line": "42""#);
        let code = finding.code.unwrap();
        assert_eq!((code.first_line, code.lines.as_slice()), (42, &["md5.New()".to_owned()][..]));
        assert_eq!(finding.cwes, [328]);
    }

    #[test]
    fn lines_are_read_one_by_one_and_as_ranges() {
        for (text, expected) in [
            ("12", (Some(12), None)),
            ("12-14", (Some(12), Some(14))),
            ("12-12", (Some(12), None)),
            ("0", (None, None)),
            ("", (None, None)),
            ("-", (None, None)),
            ("x-3", (None, None)),
        ] {
            assert_eq!(lines(text), expected, "{text}");
        }
    }

    #[test]
    fn issues_that_comments_or_settings_switch_off_are_suppressed() {
        let mark = |fields: &str| one(&format!(r#""line": "1", {fields}"#)).suppressed;
        assert_eq!(mark(r#""nosec": false, "suppressions": []"#), None);
        assert_eq!(mark(r#""nosec": true"#).as_deref(), Some("nosec"));
        let listed = r#""nosec": false, "suppressions": [{"kind": "inSource", "justification": "a test"}, {"kind": "external", "justification": ""}]"#;
        assert_eq!(mark(listed).as_deref(), Some("inSource: a test; external"));
    }

    #[test]
    fn credentials_are_masked() {
        let issue = r#"[{"rule_id": "G101", "details": "Potential hardcoded credentials", "file": "a.go",
            "code": "1: const user = \"annabel\"\n2: var password = \"hunter2hunter2\"\n", "line": "2"}]"#;
        let (findings, _) = findings(&SCANNER, report(issue).as_bytes()).unwrap();
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains("hunter2hunter2") && findings[0].secret.is_some(), "{stored}");
    }

    #[test]
    fn code_that_cannot_be_compiled_is_a_blind_spot() {
        let report = |path: &str| {
            let text = format!(
                r#"{{"Golang errors": {{"{path}": [{{"line": 3, "column": 1, "error": "expected 'package'"}}]}}, "Issues": [],
                "Stats": {{"files": 2, "lines": 9, "nosec": 0}}}}"#
            );
            findings(&SCANNER, text.as_bytes()).unwrap().1.summary
        };
        let reach = |path: &str| report(path).blind_spots.remove(0).reach;
        assert_eq!(reach("/notes/a.go"), Reach::File("/notes/a.go".to_owned()));
        assert_eq!(reach("C:/notes/a.go"), Reach::File("C:/notes/a.go".to_owned()));
        assert_eq!(reach("/notes/store"), Reach::Folder("/notes/store".to_owned()));
        assert_eq!([reach("a.go"), reach(""), reach("-"), reach("C")], [const { Reach::Everything }; 4]);
        let summary = report("/notes/a.go");
        assert_eq!(summary.blind_spots[0].reason, "line 3: expected 'package'");
        assert_eq!((summary.is_complete(), summary.examined), (true, [(Unit::Files, 2), (Unit::Lines, 9)].into()));
    }

    #[test]
    fn an_error_that_cannot_be_read_has_no_reach_and_a_scan_without_files_is_blind() {
        let text =
            r#"{"Golang errors": {"/a.go": [7]}, "Issues": null, "Stats": {"files": 0, "found": 0, "nosec": 0}}"#;
        let summary = findings(&SCANNER, text.as_bytes()).unwrap().1.summary;
        assert_eq!((summary.scanner_errors_total, &summary.blind_spots[0].reach), (1, &Reach::Everything));
    }

    #[test]
    fn nothing_found_needs_a_list_or_a_count() {
        assert!(findings(&SCANNER, br#"{"Issues": null, "Stats": {"found": 0}}"#).unwrap().0.is_empty());
        assert!(failure(&SCANNER, br#"{"Issues": null, "Stats": {"found": 2}}"#).contains("`Stats`"));
        assert!(failure(&SCANNER, br#"{"Golang errors": {}}"#).contains("`Issues`"));
    }
}
