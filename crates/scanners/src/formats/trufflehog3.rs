//! TruffleHog 3 by feeltheajf, <https://github.com/feeltheajf/trufflehog3>: not Truffle Security's TruffleHog, with
//! which it shares the name and the old format. Reads its JSON report (`trufflehog3 -f json`): the list of version 3,
//! with `rule` and `secret`, and the older one with `reason` and `stringsFound`, also with one object per line.
//!
//! Each element is a finding, however many strings it has, and even if it repeats another for a further commit. A clean
//! report is an empty list. Version 3 reports the severity of the rule, older versions report none.
//!
//! `secret`, `stringsFound` and the lines around them (`context`) are masked; the `diff` of older versions is not
//! stored.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::leak;
use crate::value::rating::COMMON_WORDS;
use crate::value::snippet;
use finding::{Excerpt, Finding, Location};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "trufflehog3",
    tool: "trufflehog3",
    name: "TruffleHog3",
    aliases: &[],
    versions: "1 to 3",
    category: "Secrets",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "CRITICAL 9.5, HIGH 8.0, MEDIUM 5.5, LOW 2.0 (from the rule); before version 3, which has none, every secret 8.0",
    severity_words: COMMON_WORDS,
    differences: &[(
        "severity",
        "the same for all results of a report before version 3, which has none; the reference product guesses from the reason",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let current = ["[].rule.id", "[].rule.severity", "[].path", "[].secret"];
    let older =
        |prefix: &str| ["path", "reason", "stringsFound"].iter().all(|name| sniff.has(&format!("{prefix}{name}")));
    // Objects of Truffle Security's TruffleHog also have the diff, and are never in a list.
    sniff.has_all(&current) || older("[].") || older("") && !sniff.has("diff") && !sniff.has("printDiff")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut read, mut rejected) = (false, false);
    json::values(input, &mut |_, text| {
        let result = json::parse(text).map(RawIssue::into_finding);
        read |= result.is_ok();
        rejected |= result.is_err();
        collector.result(result)
    })?;
    collector.require(
        read || !rejected,
        "a TruffleHog3 JSON report is a list whose elements have `rule` and `secret`, or `reason` and `stringsFound`",
    )
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawIssue {
    Current(Box<RawCurrent>),
    Older(RawOlder),
}

impl RawIssue {
    fn into_finding(self) -> Finding {
        match self {
            Self::Current(issue) => issue.into_finding(),
            Self::Older(issue) => issue.into_finding(),
        }
    }
}

#[derive(Deserialize)]
struct RawCurrent {
    rule: RawRule,
    secret: Text,
    path: Option<Text>,
    #[serde(default)]
    line: Number,
    context: Option<BTreeMap<String, Text>>,
    id: Option<Text>,
    branch: Option<Text>,
    message: Option<Text>,
    author: Option<Text>,
    commit: Option<Text>,
    date: Option<Text>,
}

#[derive(Deserialize)]
struct RawRule {
    id: Option<Text>,
    message: Text,
    severity: Option<Text>,
}

impl RawCurrent {
    fn into_finding(self) -> Finding {
        let title = self.rule.message.0;
        let rule = self.rule.id.filled().unwrap_or_else(|| title.clone());
        let mut finding = Finding {
            location: location(self.path, self.line.line()),
            code: self.context.and_then(excerpt),
            tool_id: self.id.filled(),
            ..leak::finding(&rule, &title, format!("{title} found"))
        };
        if let Some(word) = self.rule.severity.filled() {
            SCANNER.rating().word(Some(&word)).apply(&mut finding);
        }
        leak::add_raw(
            &mut finding,
            [
                ("branch", self.branch),
                ("commit_message", self.message),
                ("author", self.author),
                ("commit", self.commit),
                ("date", self.date),
            ],
        );
        leak::attach(&mut finding, &self.secret.0);
        finding
    }
}

/// The excerpt of lines by number, if there are no gaps.
fn excerpt(context: BTreeMap<String, Text>) -> Option<Excerpt> {
    let by_number = context.into_iter().map(|(number, line)| Some((number.trim().parse::<u32>().ok()?, line.0)));
    let by_number: BTreeMap<u32, String> = by_number.collect::<Option<_>>()?;
    let first_line = *by_number.keys().next()?;
    let gapless = (0..).zip(by_number.keys()).all(|(at, number)| first_line.checked_add(at) == Some(*number));
    gapless.then(|| Excerpt { first_line, lines: by_number.into_values().collect() })
}

/// An entry of older versions (whose strings are whole lines) and of TruffleHog 2 (secrets). All strings are masked.
#[derive(Deserialize)]
pub(crate) struct RawOlder {
    reason: Text,
    #[serde(rename = "stringsFound")]
    strings_found: Many<Text>,
    path: Option<Text>,
    branch: Option<Text>,
    commit: Option<Text>,
    #[serde(rename = "commitHash")]
    commit_hash: Option<Text>,
    date: Option<Text>,
}

impl RawOlder {
    pub(crate) fn into_finding(self) -> Finding {
        let strings: Vec<String> = self.strings_found.0.into_iter().map(|text| text.0).collect();
        let message = match strings.len() {
            1 => "1 string found".to_owned(),
            many => format!("{many} strings found"),
        };
        let mut finding =
            Finding { location: location(self.path, None), ..leak::finding(&self.reason.0, &self.reason.0, message) };
        leak::add_raw(
            &mut finding,
            [
                ("branch", self.branch),
                ("commit_message", self.commit.map(|text| Text(masked(text.0, &strings)))),
                ("commit", self.commit_hash),
                ("date", self.date),
            ],
        );
        // An added and a removed line contain the same secret.
        let bare = |line: &String| line.strip_prefix(['+', '-']).unwrap_or(line).trim().to_owned();
        leak::attach(&mut finding, &strings.iter().map(bare).collect::<Vec<_>>().join("\n"));
        finding
    }
}

/// A commit message in which possible secrets of the given lines are masked: their literals and long words.
fn masked(message: String, lines: &[String]) -> String {
    const WORD_MIN: usize = 16;
    let is_break = |c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c);
    let words = lines.iter().flat_map(|line| line.split(is_break)).filter(|word| WORD_MIN <= word.len());
    let literals = lines.iter().flat_map(|line| snippet::literals(line)).filter(|literal| 4 <= literal.len());
    literals.chain(words).fold(message, |message, secret| message.replace(secret, "****"))
}

fn location(path: Option<Text>, line: Option<u32>) -> Option<Location> {
    let path = path.filled()?;
    Some(Location::lines(path, line, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";

    fn one(text: &str) -> Finding {
        let (mut findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.holds_secrets);
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains(SECRET), "{stored}");
        findings.remove(0)
    }

    #[test]
    fn an_issue_becomes_a_finding_with_its_lines_in_their_order() {
        let finding = one(&format!(
            r#"[{{"rule": {{"id": "high-entropy", "message": "High Entropy", "severity": "LOW"}}, "path": "a.cfg",
            "line": "10", "secret": "{SECRET}", "context": {{"10": "+s = '{SECRET}'", "9": " ", "11": "-old {SECRET}"}},
            "id": "7a20", "branch": "main", "message": "add {SECRET}", "author": null, "commit": "0a", "date": null}}]"#
        ));
        assert_eq!((finding.rule.as_str(), finding.severity()), ("high-entropy", Severity::Low));
        assert_eq!(finding.location.unwrap().line, Some(10));
        let code = finding.code.unwrap();
        assert_eq!((code.first_line, code.lines.len()), (9, 3));
        assert_eq!(code.lines[1], "+s = '9f86****'");
        assert_eq!(
            (finding.raw["commit_message"].as_str(), finding.tool_id.as_deref()),
            ("add 9f86****", Some("7a20"))
        );
    }

    #[test]
    fn an_older_issue_is_one_finding_of_all_its_strings() {
        let issue = format!(
            r#"{{"date": "2021-01-30 19:50:09", "path": "a.py", "branch": null, "commit": "add {SECRET}",
            "commitHash": "0a", "reason": "High entropy", "stringsFound": ["+k = '{SECRET}'", "-k = '{SECRET}'"]}}"#
        );
        let listed = one(&format!("[{issue}]"));
        assert_eq!((listed.severity(), listed.cwes.as_slice()), (Severity::High, &[798][..]));
        assert_eq!(listed.message, "2 strings found");
        assert_eq!(one(&issue), listed, "one object per line is the same report");
    }

    #[test]
    fn severities_become_the_documented_scores() {
        for (word, expected) in [("HIGH", 800), ("MEDIUM", 550), ("LOW", 200)] {
            let issue = format!(r#"[{{"rule": {{"message": "m", "severity": "{word}"}}, "secret": "{SECRET}"}}]"#);
            assert_eq!(one(&issue).score.unwrap().score.hundredths(), expected, "{word}");
        }
    }

    #[test]
    fn one_bad_entry_is_rejected_and_a_list_of_only_bad_entries_is_refused() {
        let good = r#"{"rule": {"message": "m"}, "secret": "s3cr3t-pull"}"#;
        let (findings_, parsed) = findings(&SCANNER, format!("[{good}, 5, {good}]").as_bytes()).unwrap();
        assert_eq!((findings_.len(), parsed.summary.rejected), (2, 1));
        assert!(failure(&SCANNER, b"[5]").contains("`stringsFound`"));
        assert!(findings(&SCANNER, b"[]").unwrap().0.is_empty());
    }
}
