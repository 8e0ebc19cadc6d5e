//! yarn audit, <https://classic.yarnpkg.com/en/docs/cli/audit> and <https://yarnpkg.com/cli/npm/audit>: known
//! vulnerabilities of a Yarn project's dependencies. Three formats are read:
//! - JSON lines of `yarn audit --json` (Yarn 1). Each line `auditAdvisory` is one result: an advisory and one path to
//!   the package in the dependency tree. The line `auditSummary` ends the report; without it, the report is incomplete.
//! - JSON lines of `yarn npm audit --json` (Yarn 4), `{"value", "children"}`. Each is one result, an advisory about a
//!   package or its deprecation. If Yarn 4 finds nothing, it writes nothing; an empty report is refused.
//! - The npm registry's response, which Yarn 2 and 3 write on one line; see [`crate::formats::npm_audit`], also for the
//!   severities.
//!
//! The rule is the advisory's GitHub id, so an issue is the same in all three. The rule of a deprecation is
//! `deprecation`.

use crate::Scanner;
use crate::formats::npm_audit::{RawAdvisory, is_audit, is_from_yarn, read_audit};
use crate::reader::json::{self, Many, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{github_id, or_default, unique};
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind, Package};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "yarn-audit",
    tool: "yarn-audit",
    name: "yarn audit",
    aliases: &["yarn"],
    versions: "Yarn 1 to 4",
    category: "SCA",
    notation: Notation::JsonLines,
    formats: "JSON lines (`yarn audit --json` of Yarn 1, `yarn npm audit --json` of Yarn 2 and later)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[(
        "cwe",
        "empty if the advisory has no weakness; others use 1035, which is a category of 2017, not a weakness",
    )],
    detect,
    parse,
};

const TYPES: [&str; 8] =
    ["auditAdvisory", "auditAction", "auditSummary", "info", "warning", "error", "activityStart", "activityEnd"];

fn detect(sniff: &Sniff) -> bool {
    let is_line = sniff.value("type").is_some_and(|kind| TYPES.contains(&kind)) && sniff.has("data");
    let is_record = sniff.has_all(&["value", "children.Issue"]) || sniff.has_all(&["value", "children.Tree Versions"]);
    is_line || is_record || is_advisory(sniff) || (is_audit(sniff) && is_from_yarn(sniff))
}

/// True if each line is an advisory of the npm registry.
fn is_advisory(sniff: &Sniff) -> bool {
    sniff.has_all(&["module_name", "vulnerable_versions", "findings"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if is_audit(&sniff) || is_advisory(&sniff) {
        return json::values(input, &mut |_, raw| {
            if raw.contains("\"advisories\"") {
                return read_audit(Input::Memory(raw.as_bytes()), collector);
            }
            let advisory = json::parse::<RawAdvisory>(raw);
            collector.result(advisory.map(|one| one.into_finding(None)).map_err(|unread| unread.to_string()))
        });
    }
    let mut seen = LinesSeen::default();
    json::values(input, &mut |_, raw| match json::parse::<RawLine>(raw) {
        Ok(RawLine { value: Some(package), children: Some(children), .. }) => {
            seen.records = true;
            let record = json::parse::<RawRecord>(children.get());
            collector.result(record.map(|record| record.into_finding(package)))
        }
        Ok(RawLine { kind: Some(kind), data: Some(data), .. }) => line(&kind, data.get(), &mut seen, collector),
        Ok(RawLine { .. }) => collector.rejected("expected an advisory or a message".to_owned()),
        Err(error) => collector.rejected(error),
    })?;
    if seen.records || seen.summary {
        collector.container();
        return Ok(());
    }
    if seen.advisories || seen.messages {
        collector.scanner_error("the line `auditSummary` is missing: yarn failed, or the report is truncated");
        return Ok(());
    }
    Err(ParseError::other_shape("a report of yarn has lines with `type` and `data`, or with `value` and `children`"))
}

/// The kinds of lines in the report.
#[derive(Default)]
struct LinesSeen {
    advisories: bool,
    summary: bool,
    messages: bool,
    records: bool,
}

/// Collects a line of Yarn 1.
fn line(kind: &str, data: &str, seen: &mut LinesSeen, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    match kind {
        "auditAdvisory" => {
            seen.advisories = true;
            let advisory = json::parse::<RawData>(data);
            return collector.result(advisory.map(|data| {
                let path = data.resolution.and_then(|resolution| resolution.path).filled();
                data.advisory.into_finding(path)
            }));
        }
        "auditSummary" => seen.summary = true,
        "error" => {
            seen.messages = true;
            let text = serde_json::from_str::<String>(data);
            collector.scanner_error(text.unwrap_or_else(|_| data.to_owned()));
        }
        // Other lines are messages, progress, and `auditAction`, which repeats the results by their fix.
        other => seen.messages |= TYPES.contains(&other),
    }
    Ok(())
}

#[derive(Deserialize)]
struct RawLine {
    #[serde(rename = "type")]
    kind: Option<String>,
    data: Option<Box<RawValue>>,
    value: Option<String>,
    children: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct RawData {
    advisory: RawAdvisory,
    #[serde(default, deserialize_with = "or_default")]
    resolution: Option<RawResolution>,
}

#[derive(Deserialize)]
struct RawResolution {
    path: Option<Text>,
}

/// A result of Yarn 4.
#[derive(Deserialize)]
struct RawRecord {
    #[serde(rename = "ID", default, deserialize_with = "or_default")]
    id: Option<Text>,
    #[serde(rename = "Issue", default, deserialize_with = "or_default")]
    issue: Option<String>,
    #[serde(rename = "URL", default, deserialize_with = "or_default")]
    url: Option<String>,
    #[serde(rename = "Severity", default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(rename = "Vulnerable Versions", default, deserialize_with = "or_default")]
    vulnerable: Option<Text>,
    #[serde(rename = "Tree Versions", default, deserialize_with = "or_default")]
    versions: Many<Text>,
    #[serde(rename = "Dependents", default, deserialize_with = "or_default")]
    dependents: Many<Text>,
}

impl RawRecord {
    fn into_finding(self, package: String) -> Finding {
        let id = self.id.filled();
        let github = self.url.as_deref().and_then(github_id);
        let is_deprecation = id.as_deref().is_some_and(|id| id.ends_with("(deprecation)"));
        let issue = self.issue.unwrap_or_else(|| "Vulnerability".to_owned());
        let rule = if is_deprecation { Some("deprecation".to_owned()) } else { github.clone().or_else(|| id.clone()) };
        let rule = rule.unwrap_or_else(|| issue.clone());
        let title = if is_deprecation { id.clone().unwrap_or_default() } else { issue.clone() };
        let versions = unique(self.versions.0.into_iter().map(|version| version.0));
        let dependents = unique(self.dependents.0.into_iter().map(|dependent| dependent.0));
        let vulnerable = self.vulnerable.filled();
        let message = match (is_deprecation, &vulnerable) {
            (true, _) => issue,
            (false, Some(range)) => format!("{package} {} is vulnerable ({range})", versions.join(", ")),
            (false, None) => format!("{package} {} is vulnerable", versions.join(", ")),
        };
        let mut finding = Finding {
            advisories: github.into_iter().collect(),
            references: self.url.into_iter().collect(),
            package: Some(Package {
                name: package,
                version: versions.first().cloned(),
                ecosystem: Some("npm".to_owned()),
                ..Package::default()
            }),
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        let several = (versions.len() > 1).then(|| versions.join(", "));
        let dependents = dependents.join(", ").filled();
        let raw = [("id", id), ("vulnerable_versions", vulnerable), ("versions", several), ("dependents", dependents)];
        finding.raw.extend(raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        SCANNER.rating().word(self.severity.as_deref()).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const ADVISORY: &str = r#"{"type":"auditAdvisory","data":{"resolution":{"id":1,"path":"b>debug"},"advisory":{"id":1,
        "module_name":"debug","severity":"low","url":"https://github.com/advisories/GHSA-gxpj-cx7g-858c",
        "findings":[{"version":"1.0.0","paths":["a>debug"]},{"version":"2.0.0","paths":["b>debug"]}]}}}"#;
    const SUMMARY: &str = r#"{"type":"auditSummary","data":{"vulnerabilities":{}}}"#;

    #[test]
    fn each_way_into_the_tree_is_a_finding_with_the_version_that_is_there() {
        let text = format!("{{\"type\":\"info\",\"data\":\"i\"}}\n{ADVISORY}\n{ADVISORY}\n{SUMMARY}\n");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(findings.len() == 2 && parsed.summary.is_complete());
        assert_eq!(findings[0].rule, "GHSA-gxpj-cx7g-858c");
        assert_eq!(findings[0].location.as_ref().map(|location| location.path.as_str()), Some("b>debug"));
        assert_eq!(findings[0].package.as_ref().unwrap().version.as_deref(), Some("2.0.0"));
    }

    #[test]
    fn a_report_of_yarn_1_without_its_last_line_is_incomplete() {
        let message = r#"{"type":"info","data":"Visit https://yarnpkg.com"}"#;
        for text in [ADVISORY, message] {
            let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert!(parsed.summary.scanner_errors[0].contains("the line `auditSummary` is missing"));
        }
        let failed = format!("{}\n{SUMMARY}", r#"{"type":"error","data":"no network"}"#);
        let (_, parsed) = findings(&SCANNER, failed.as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["no network"]);
    }

    #[test]
    fn a_deprecation_is_no_advisory() {
        let text = r#"{"value":"old","children":{"ID":"old (deprecation)","Issue":"Use new.","Severity":"moderate",
            "Vulnerable Versions":"1.0.0","Tree Versions":["1.0.0"],"Dependents":["app@workspace:."]}}
            {"value":"debug","children":{"ID":1094222,"Issue":"ReDoS","URL":"https://github.com/advisories/GHSA-gxpj-cx7g-858c",
            "Severity":"low","Vulnerable Versions":"<2.6.9","Tree Versions":["2.6.8"],"Dependents":[]}}"#;
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let rules: Vec<_> = findings.iter().map(|f| (f.rule.as_str(), f.title.as_str(), f.message.as_str())).collect();
        let expected = [
            ("deprecation", "old (deprecation)", "Use new."),
            ("GHSA-gxpj-cx7g-858c", "ReDoS", "debug 2.6.8 is vulnerable (<2.6.9)"),
        ];
        assert_eq!(rules, expected);
        assert!(findings[0].advisories.is_empty() && findings[0].raw["dependents"] == "app@workspace:.");
    }

    #[test]
    fn a_broken_line_is_rejected_and_others_messages_are_refused() {
        let text = format!("{ADVISORY}\n{}\n{SUMMARY}", r#"{"type":"auditAdvisory","data":{"advisory":{}}}"#);
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.rejected), (1, 1));
        assert!(failure(&SCANNER, br#"{"type": "other", "data": 1}"#).contains("`type` and `data`"));
    }
}
