//! Hadolint, <https://github.com/hadolint/hadolint>: linter for Dockerfiles and the shell code in them. Reads its JSON
//! report (`hadolint -f json`).
//!
//! Each element of the list is a finding; a clean report is an empty list. The severities are Hadolint's own levels
//! (`error`, `warning`, `info`, `style`); users can set them for each rule.
//!
//! A finding is about code, not infrastructure: Hadolint reads source text and reports a line, but no resource. So the
//! same rule at two instructions of a Dockerfile is two occurrences of one issue.
//!
//! A Dockerfile that Hadolint cannot read is reported as `DL1000`, and nothing else in it is checked: that is a finding
//! and a blind spot.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use finding::{Finding, Kind, Location};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "hadolint",
    tool: "hadolint",
    name: "Hadolint",
    aliases: &[],
    versions: "1 and 2",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "error 8.0, warning 5.5, info and style 0 (Hadolint's levels)",
    severity_words: &[("error", 800), ("warning", 550), ("info", 0), ("style", 0)],
    differences: &[("severity", "the reference product makes a linter's errors critical and its warnings high")],
    detect,
    parse,
};

/// The rule under which Hadolint reports a Dockerfile that it cannot read.
const UNREADABLE: &str = "DL1000";

fn detect(sniff: &Sniff) -> bool {
    let rule = |rule: &str| ["DL", "SC"].iter().any(|prefix| rule.starts_with(prefix));
    sniff.has_all(&["[].code", "[].level", "[].file", "[].line", "[].message"])
        && sniff.value("[].code").is_some_and(rule)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut read, mut rejected) = (false, false);
    json::walk(input, &["[]"], &mut |item| match item.read::<RawCheck>() {
        Ok(check) => {
            read = true;
            if check.code.0 == UNREADABLE {
                let file = check.file.clone().filled().unwrap_or_default();
                collector.blind_to_file(file, check.message.0.as_str());
            }
            collector.finding(check.into_finding())
        }
        Err(reason) => {
            rejected = true;
            collector.rejected(reason)
        }
    })?;
    collector.require(
        read || !rejected,
        "a Hadolint JSON report is a list whose elements have `code`, `level`, `message` and `line`",
    )
}

#[derive(Deserialize)]
struct RawCheck {
    code: Text,
    message: Text,
    file: Option<Text>,
    line: Number,
    #[serde(default)]
    column: Number,
    level: Option<Text>,
}

impl RawCheck {
    fn into_finding(self) -> Finding {
        let (code, message) = (self.code.0, self.message.0);
        let wiki = match code.split_at_checked(2) {
            Some(("SC", _)) => "https://github.com/koalaman/shellcheck/wiki",
            Some(_) | None => "https://github.com/hadolint/hadolint/wiki",
        };
        let mut finding = Finding {
            references: vec![format!("{wiki}/{code}")],
            location: self
                .file
                .filled()
                .map(|path| Location::lines(path, self.line.line(), None).with_column(self.column.line())),
            ..Finding::new(Kind::Code, code.clone(), code, message)
        };
        SCANNER.rating().word(self.level.as_ref().map(|level| level.0.as_str())).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn check_(code: &str, level: &str) -> String {
        format!(
            r#"{{"code": "{code}", "column": 1, "file": "notes/Dockerfile", "level": "{level}", "line": 3, "message": "m"}}"#
        )
    }

    #[test]
    fn levels_become_the_documented_scores() {
        for (level, expected) in
            [("error", Some(800)), ("warning", Some(550)), ("info", Some(0)), ("style", Some(0)), ("ignore", None)]
        {
            let (findings, _) = findings(&SCANNER, format!("[{}]", check_("DL3008", level)).as_bytes()).unwrap();
            assert_eq!(findings[0].score.map(|scored| scored.score.hundredths()), expected, "{level}");
        }
    }

    #[test]
    fn a_rule_of_shellcheck_is_explained_in_its_own_wiki() {
        let text = format!("[{}, {}]", check_("SC2086", "info"), check_("DL3008", "warning"));
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let references: Vec<_> = findings.iter().flat_map(|finding| &finding.references).collect();
        assert_eq!(
            references,
            ["https://github.com/koalaman/shellcheck/wiki/SC2086", "https://github.com/hadolint/hadolint/wiki/DL3008"]
        );
        assert_eq!(
            findings[0].location.as_ref().map(|at| (at.path.as_str(), at.line)),
            Some(("notes/Dockerfile", Some(3)))
        );
    }

    #[test]
    fn a_dockerfile_that_cannot_be_read_is_a_finding_and_a_blind_spot() {
        let unreadable = check_("DL1000", "error");
        let (found, parsed) = findings(&SCANNER, format!("[{unreadable}]").as_bytes()).unwrap();
        assert_eq!((found.len(), parsed.summary.is_complete()), (1, true));
        let path = &found[0].location.as_ref().unwrap().path;
        assert_eq!(parsed.summary.blind_spots[0].reach, finding::Reach::File(path.clone()));
        let nameless = unreadable.replace("notes/Dockerfile", "");
        let (_, parsed) = findings(&SCANNER, format!("[{nameless}]").as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["m"]);
    }

    #[test]
    fn a_clean_report_is_an_empty_list_and_other_lists_are_refused() {
        assert!(findings(&SCANNER, b"[]").unwrap().1.summary.is_complete());
        assert!(failure(&SCANNER, b"[{}]").contains("`level`"));
    }
}
