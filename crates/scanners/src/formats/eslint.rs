//! ESLint, <https://eslint.org>: linter for JavaScript and TypeScript, with many plug-ins for security. Reads its JSON
//! report, as versions 1 to 10 write it: the list of files (`eslint -f json`) and the same with the rules' metadata
//! (`-f json-with-metadata`).
//!
//! Each element of a file's `messages` is a finding, and each of `suppressedMessages` (switched off by a comment) a
//! suppressed one. A message that a file was ignored counts as not applicable. A file that cannot be parsed was not
//! checked, and has one fatal message: a finding of the rule `parsing-error`, and a blind spot. The list has every file
//! that was checked, so an empty list is a blind spot over everything.
//!
//! The severity is the user's choice for each rule: 2 is an error, 1 a warning. ESLint has no other severity.
//!
//! A message's lines of code come from the file's `source`, if the report has it; at most [`LINES_STORED_MAX`] are
//! stored. Secrets that `no-secrets` found are masked in everything that is stored of their file.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::secret;
use finding::{Excerpt, Finding, Kind, Location, Unit};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "eslint",
    tool: "eslint",
    name: "ESLint",
    aliases: &[],
    versions: "1 to 10",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-f json` or `-f json-with-metadata`)",
    severities: "2 (error) 8.0, 1 (warning) 5.5; users choose it for each rule",
    severity_words: &[("error", 800), ("warning", 550)],
    differences: &[],
    detect,
    parse,
};

/// The most lines of code of one report that are stored.
const LINES_STORED_MAX: usize = 50_000;
/// The most lines of code of one message.
const LINES_EACH_MAX: u32 = 10;
/// The most characters of a line of code: longer lines are minified code.
const LINE_CHARS_MAX: usize = 300;

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["[].filePath", "[].messages"])
        || sniff.has_all(&["results[].filePath", "results[].messages", "metadata"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let head = input.head()?;
    let bytes = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&head);
    let files = if bytes.trim_ascii_start().starts_with(b"{") { "results[]" } else { "[]" };
    let mut index = ReportIndex::collect(input, files, collector)?;
    if !index.wanted.is_empty() {
        index.collect_lines(input, files)?;
    }
    collector.examined(Unit::Files, u64::try_from(index.files.len()).unwrap_or(u64::MAX));
    if index.files.is_empty() {
        collector.container();
        return Ok(());
    }
    let watched = format!("?{files}:usedDeprecatedRules");
    let paths = [format!("{files}.messages![]"), format!("{files}.suppressedMessages[]"), watched];
    let seen = json::walk(input, &paths.each_ref().map(String::as_str), &mut |item| match item.read::<RawMessage>() {
        Ok(message) => index.collect_message(message, item.index(0), item.path == 1, collector),
        Err(reason) => collector.rejected(reason),
    })?;
    seen.require(collector, &[0], "an ESLint JSON report is a list of files, each with `filePath` and `messages`")
}

/// The parts of the report that messages refer to, collected before the messages are read.
#[derive(Default)]
struct ReportIndex {
    /// Paths, by the file's index in the report.
    files: BTreeMap<usize, String>,
    rules: BTreeMap<String, RawDocs>,
    secrets: BTreeMap<usize, BTreeSet<String>>,
    /// The lines of code that messages need, as file and line number.
    wanted: BTreeSet<(usize, u32)>,
    lines: BTreeMap<(usize, u32), String>,
}

impl ReportIndex {
    fn collect(input: Input<'_>, files: &str, collector: &mut Collector<'_>) -> Result<Self, ParseError> {
        let mut index = Self::default();
        let mut paths =
            ["filePath", "messages[]", "suppressedMessages[]"].map(|name| format!("{files}.{name}")).to_vec();
        if files == "results[]" {
            paths.push("metadata.rulesMeta{}".to_owned());
        }
        // Its container is the list of files.
        paths.push(format!("?{files}:messages suppressedMessages usedDeprecatedRules"));
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let seen = json::walk(input, &paths, &mut |item| {
            match item.path {
                0 => drop(index.files.insert(item.index(0), item.context::<Text>("`filePath`", collector).0)),
                1 | 2 => {
                    if let Ok((head, _)) = json::partly::<RawMessageHead>(item.raw) {
                        index.note_message(item.index(0), head);
                    }
                }
                _ => {
                    let rule = item.read::<RawRule>().ok().and_then(|rule| rule.docs);
                    index.rules.extend(rule.map(|docs| (item.name(0).to_owned(), docs)));
                }
            }
            Ok(())
        })?;
        let is_empty = index.files.is_empty() && seen.has(paths.len() - 1) && !seen.has(0);
        require(
            is_empty || (!index.files.is_empty() && seen.has(1)),
            "an ESLint JSON report is a list of files, each with `filePath` and `messages`",
        )?;
        Ok(index)
    }

    /// Notes the lines of code that a message needs, and the secret that it quotes.
    fn note_message(&mut self, file: usize, message: RawMessageHead) {
        if let Some(secret) = message.secret() {
            self.secrets.entry(file).or_default().insert(secret.to_owned());
        }
        let Some(first) = message.line.line() else { return };
        let numbers = first..=last_line(first, message.end_line.line());
        let room = LINES_STORED_MAX.saturating_sub(self.wanted.len());
        self.wanted.extend(numbers.map(|number| (file, number)).take(room));
    }

    /// Reads the wanted lines from the files' sources.
    fn collect_lines(&mut self, input: Input<'_>, files: &str) -> Result<(), ParseError> {
        let source = format!("{files}.source");
        json::walk(input, &[&source], &mut |item| {
            let file = item.index(0);
            let wanted = self.wanted.range((file, 0)..=(file, u32::MAX));
            if let (Some((_, last)), Ok(Text(source))) = (wanted.clone().next_back(), item.read()) {
                let lines =
                    (1..=*last).zip(source.lines()).filter(|(number, _)| self.wanted.contains(&(file, *number)));
                let cut = |line: &str| line.chars().take(LINE_CHARS_MAX).collect();
                self.lines.extend(lines.map(|(number, line)| ((file, number), cut(line))));
            }
            Ok(())
        })
        .map(drop)
    }

    fn collect_message(
        &self,
        message: RawMessage,
        file: usize,
        suppressed: bool,
        collector: &mut Collector<'_>,
    ) -> Result<(), ParseError> {
        let path = self.files.get(&file).cloned().unwrap_or_default();
        if message.rule_id.is_none() && message.message.0.starts_with("File ignored ") {
            return collector.not_applicable();
        }
        if message.fatal.unwrap_or(false) {
            collector.blind_to_file(path.as_str(), message.message.0.as_str());
        }
        let own_secret = message.head_fields().secret().map(str::to_owned);
        let mut finding = message.into_finding(path, suppressed);
        if let Some(docs) = self.rules.get(&finding.rule) {
            finding.description = docs.description.clone().filled();
            finding.references.extend(docs.url.clone().filled());
        }
        finding.code = finding.location.as_ref().and_then(|location| self.excerpt(file, location));
        for secret in self.secrets.get(&file).into_iter().flatten() {
            // A long line may be cut in the middle of the secret.
            secret::redact(&mut finding, secret);
            drop_if_cut(&mut finding);
        }
        if let Some(secret) = own_secret {
            secret::attach(&mut finding, &secret);
        }
        collector.finding(finding)
    }

    fn excerpt(&self, file: usize, location: &Location) -> Option<Excerpt> {
        let first_line = location.line?;
        let numbers = first_line..=last_line(first_line, location.end_line);
        let lines: Vec<String> = numbers.map_while(|number| self.lines.get(&(file, number)).cloned()).collect();
        Some(Excerpt { first_line, lines }).filter(|code| !code.lines.is_empty())
    }
}

/// Drops code with a line that was cut.
fn drop_if_cut(finding: &mut Finding) {
    let cut = |code: &Excerpt| code.lines.iter().any(|line| LINE_CHARS_MAX <= line.chars().count());
    if finding.code.as_ref().is_some_and(cut) {
        finding.code = None;
    }
}

fn last_line(first: u32, last: Option<u32>) -> u32 {
    last.unwrap_or(first).clamp(first, first.saturating_add(LINES_EACH_MAX - 1))
}

#[derive(Deserialize)]
struct RawRule {
    docs: Option<RawDocs>,
}

#[derive(Deserialize, Clone)]
struct RawDocs {
    description: Option<Text>,
    url: Option<Text>,
}

/// The fields of a message that the index needs.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawMessageHead {
    rule_id: Option<Text>,
    message: Text,
    line: Number,
    end_line: Number,
}

impl RawMessageHead {
    /// The secret that `no-secrets` quotes: `Found a string with entropy 5.27 : "…"`,
    /// `… that matches "AWS API Key" : "…"`.
    fn secret(&self) -> Option<&str> {
        self.rule_id.as_ref().and_then(|rule| quoted_secret(&rule.0, &self.message.0))
    }
}

/// The secret that a message of this rule quotes.
pub(crate) fn quoted_secret<'m>(rule: &str, message: &'m str) -> Option<&'m str> {
    let (_, quoted) = rule.starts_with("no-secrets/").then(|| message.split_once(" : \""))??;
    Some(quoted.strip_suffix('"').unwrap_or(quoted))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessage {
    rule_id: Option<Text>,
    message: Text,
    fatal: Option<bool>,
    #[serde(default)]
    severity: Number,
    #[serde(default)]
    line: Number,
    #[serde(default)]
    end_line: Number,
    #[serde(default)]
    column: Number,
    #[serde(default)]
    suggestions: Many<RawSuggestion>,
    #[serde(default)]
    suppressions: Many<RawSuppression>,
}

#[derive(Deserialize)]
struct RawSuggestion {
    desc: Option<Text>,
}

#[derive(Deserialize)]
struct RawSuppression {
    kind: Option<Text>,
    justification: Option<Text>,
}

impl RawMessage {
    fn head_fields(&self) -> RawMessageHead {
        let (rule_id, message) = (self.rule_id.clone(), self.message.clone());
        RawMessageHead { rule_id, message, line: self.line, end_line: self.end_line }
    }

    fn into_finding(self, path: String, suppressed: bool) -> Finding {
        let line = self.line.line();
        let rule = match self.rule_id.filled() {
            Some(rule) => rule,
            None if self.fatal.unwrap_or(false) => "parsing-error".to_owned(),
            None if self.message.0.starts_with("Unused ") => "unused-disable-directive".to_owned(),
            None => "no-rule".to_owned(),
        };
        let word = match self.severity.0 {
            Some(2.0) => Some("error"),
            Some(1.0) => Some("warning"),
            Some(_) | None => None,
        };
        let suppressions = self.suppressions.0.into_iter().map(|suppression| {
            let parts = [suppression.kind, suppression.justification].into_iter().flatten().filter_map(Filled::filled);
            parts.collect::<Vec<_>>().join(": ")
        });
        let suppressions = suppressions.collect::<Vec<_>>().join("; ");
        let suggestions: Vec<String> =
            self.suggestions.0.into_iter().filter_map(|suggestion| suggestion.desc?.filled()).collect();
        let mut finding = Finding {
            remediation: suggestions.join("\n").filled(),
            location: Some(Location::lines(path, line, self.end_line.line()).with_column(self.column.line())),
            suppressed: suppressed.then_some(suppressions),
            ..Finding::new(Kind::Code, rule.clone(), rule, self.message.0)
        };
        SCANNER.rating().word(word).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const SECRET: &str = "ghp_Zq8bX2kLm9RtYv4NwPs7UdHc3JfA6eGi1oKb";

    fn file(messages: &str, suppressed: &str, rest: &str) -> String {
        format!(
            r#"[{{"filePath": "/notes/b.js", "messages": []}},
            {{"filePath": "/notes/a.js", "messages": [{messages}], "suppressedMessages": [{suppressed}] {rest}}}]"#
        )
    }

    #[test]
    fn a_message_becomes_a_finding_with_its_lines_in_any_order_of_fields() {
        let message = r#"{"ruleId": "no-eval", "severity": 2, "message": "eval can be harmful.", "line": 2, "column": 1,
            "endLine": 3, "suggestions": [{"desc": "Remove it."}]}"#;
        let after = file(message, "", r#", "source": "a\neval(\nx)\n""#);
        let before = format!(r#"[{{"source": "a\neval(\nx)\n", "messages": [{message}], "filePath": "/notes/a.js"}}]"#);
        let (found, _) = findings(&SCANNER, after.as_bytes()).unwrap();
        assert_eq!(found, findings(&SCANNER, before.as_bytes()).unwrap().0);
        insta::assert_json_snapshot!(found, @r#"
        [
          {
            "result": 0,
            "kind": "code",
            "rule": "no-eval",
            "title": "no-eval",
            "message": "eval can be harmful.",
            "score": {
              "score": 800,
              "source": "scanner_word"
            },
            "severity_word": "error",
            "scanner_severity": "high",
            "remediation": "Remove it.",
            "location": {
              "path": "/notes/a.js",
              "line": 2,
              "end_line": 3,
              "column": 1
            },
            "code": {
              "first_line": 2,
              "lines": [
                "eval(",
                "x)"
              ]
            }
          }
        ]
        "#);
    }

    #[test]
    fn a_secret_is_masked_in_everything_that_is_stored_of_its_file() {
        let messages = format!(
            r#"{{"ruleId": "no-unused-vars", "severity": 1, "message": "'t' is not used.", "line": 1}},
            {{"ruleId": "no-secrets/no-secrets", "severity": 2, "message": "Found a string with entropy 5.27 : \"{SECRET}\"", "line": 1}}"#
        );
        let (findings, parsed) =
            findings(&SCANNER, file(&messages, "", &format!(r#", "source": "const t = '{SECRET}';""#)).as_bytes())
                .unwrap();
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains(SECRET) && parsed.holds_secrets, "{stored}");
        assert_eq!(findings[0].code.as_ref().unwrap().lines, ["const t = 'ghp_****';"]);
        assert_eq!((findings[0].secret.is_some(), findings[1].secret.is_some()), (false, true));
        assert_eq!(findings[0].severity(), Severity::Medium);
    }

    #[test]
    fn a_secret_that_matches_a_pattern_follows_the_patterns_name() {
        let message = format!(
            r#"{{"ruleId": "no-secrets/no-pattern-match", "severity": 2, "message": "Found a string that matches \"GitHub\" : \"{SECRET}\""}}"#
        );
        let (findings, _) = findings(&SCANNER, file(&message, "", "").as_bytes()).unwrap();
        assert_eq!(findings[0].message, "Found a string that matches \"GitHub\" : \"ghp_****\"");
        assert_eq!(findings[0].secret, Some(secret::of(SECRET)));
    }

    #[test]
    fn a_file_that_cannot_be_parsed_is_a_finding_and_a_blind_spot() {
        let text =
            file(r#"{"ruleId": null, "fatal": true, "severity": 2, "message": "Parsing error: x", "line": 2}"#, "", "");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings[0].rule.as_str(), parsed.summary.findings), ("parsing-error", 1));
        assert_eq!((parsed.summary.is_complete(), parsed.summary.blind_spots.len()), (true, 1));
        let path = findings[0].location.as_ref().unwrap().path.clone();
        assert_eq!(parsed.summary.blind_spots[0].reach, finding::Reach::File(path));
        assert_eq!(parsed.summary.blind_spots[0].reason, "Parsing error: x");
    }

    #[test]
    fn a_comment_suppresses_and_an_ignored_file_is_no_result() {
        let ignored = r#"{"ruleId": null, "fatal": false, "severity": 1, "message": "File ignored by default."}"#;
        let suppressed = r#"{"ruleId": "no-eval", "severity": 2, "message": "m", "line": 1,
            "suppressions": [{"kind": "directive", "justification": "a sandbox"}]}"#;
        let (findings, parsed) = findings(&SCANNER, file(ignored, suppressed, "").as_bytes()).unwrap();
        assert_eq!((parsed.summary.not_applicable, parsed.summary.suppressed, parsed.summary.findings), (1, 1, 0));
        assert_eq!(findings[0].suppressed.as_deref(), Some("directive: a sandbox"));
        assert!(parsed.summary.is_complete());
    }

    #[test]
    fn metadata_of_rules_is_used_in_any_order() {
        let list = file(r#"{"ruleId": "no-eval", "severity": 3, "message": "m", "line": 1}"#, "", "");
        let text = format!(
            r#"{{"results": {list}, "metadata": {{"cwd": "/", "rulesMeta": {{"no-eval": {{"docs": {{"description": "d", "url": "u"}}}}}}}}}}"#
        );
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(
            (findings[0].description.as_deref(), findings[0].references.as_slice()),
            (Some("d"), &["u".to_owned()][..])
        );
        assert_eq!(findings[0].severity(), Severity::Unassigned);
    }

    #[test]
    fn a_report_without_files_is_blind_to_everything_and_one_without_their_names_is_refused() {
        for text in ["[]", r#"{"results": []}"#] {
            let summary = findings(&SCANNER, text.as_bytes()).unwrap().1.summary;
            assert!(summary.is_complete(), "{text}");
            assert_eq!(summary.blind_spots[0].reach, finding::Reach::Everything, "{text}");
        }
        for text in [r#"[{"messages": []}]"#, r#"[{"filePath": "a"}]"#] {
            assert!(failure(&SCANNER, text.as_bytes()).contains("`filePath`"), "{text}");
        }
    }
}
