//! GitHub code scanning, <https://docs.github.com/rest/code-scanning>: alerts of CodeQL and of other tools that upload
//! their results. Reads the alerts as the REST API lists them, of a repository or (with a `repository` in each) of an
//! organisation, as `gh api` saves them; also the form of 2020 with `rule_id` and `tool` as texts.
//!
//! Each alert is a result: an open one a finding, a dismissed one a suppressed finding, a fixed one closed. The
//! location is that of the most recent instance. The severity is the rule's `security_severity_level`, which GitHub
//! derives from the rule's CVSS-like score; rules without one are about quality and have SARIF's levels error, warning
//! and note.

use crate::Scanner;
use crate::formats::github;
use crate::reader::json::{Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use finding::{Finding, Kind, Location};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "github-code-scanning",
    tool: "github-code-scanning",
    name: "GitHub code scanning",
    aliases: &["github-sast", "ghas"],
    versions: "REST API 2020-09 to 2022-11-28",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON, the REST API's list of alerts (`gh api repos/OWNER/REPO/code-scanning/alerts --paginate`)",
    severities: "the rule's security severity level: critical 9.5, high 8.0, medium 5.5, low 2.0; without one the rule's \
                 severity: error 8.0, warning 5.5, note 2.0, none 0 (GitHub: alerts without a security severity)",
    severity_words: &[
        ("critical", 950),
        ("high", 800),
        ("medium", 550),
        ("low", 200),
        ("error", 800),
        ("warning", 550),
        ("note", 200),
        ("none", 0),
    ],
    differences: &[(
        "severity",
        "a rule without a security severity level still has GitHub's level error, warning or note; others call it informational",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    ["", "[].", "[][]."].iter().any(|list| {
        let has = |field: &str| sniff.has(&format!("{list}{field}"));
        has("most_recent_instance")
            || (has("instances_url") && has("tool"))
            || (has("rule_id") && has("rule_severity") && has("tool"))
    })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut versions = BTreeSet::new();
    collector.container();
    github::alerts(input, &mut |raw| {
        let alert = match crate::reader::json::parse::<RawAlert>(raw) {
            Ok(alert) if alert.rule_id().is_some() => alert,
            Ok(_) => {
                collector.rejected("`rule.id` is missing".to_owned())?;
                return Ok(false);
            }
            Err(error) => {
                collector.rejected(error)?;
                return Ok(false);
            }
        };
        if let Some(version) = alert.tool_version() {
            versions.insert(version);
        }
        if alert.is_fixed() {
            collector.closed()?
        } else {
            collector.result(alert.into_finding())?
        }
        Ok(true)
    })?;
    if !versions.is_empty() {
        collector.version(versions.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

#[derive(Deserialize)]
struct RawAlert {
    number: Option<Text>,
    state: Option<Text>,
    open: Option<bool>,
    created_at: Option<Text>,
    fixed_at: Option<Text>,
    dismissed_at: Option<Text>,
    dismissed_reason: Option<Text>,
    closed_reason: Option<Text>,
    dismissed_comment: Option<Text>,
    html_url: Option<Text>,
    rule: Option<RawRule>,
    rule_id: Option<Text>,
    rule_severity: Option<Text>,
    rule_description: Option<Text>,
    tool: Option<Value>,
    most_recent_instance: Option<RawInstance>,
    repository: Option<Value>,
}

#[derive(Deserialize, Default)]
struct RawRule {
    id: Option<Text>,
    name: Option<Text>,
    severity: Option<Text>,
    security_severity_level: Option<Text>,
    description: Option<Text>,
    full_description: Option<Text>,
    help: Option<Text>,
    help_uri: Option<Text>,
    #[serde(default)]
    tags: Many<Text>,
}

#[derive(Deserialize, Default)]
struct RawInstance {
    #[serde(rename = "ref")]
    reference: Option<Text>,
    category: Option<Text>,
    state: Option<Text>,
    commit_sha: Option<Text>,
    message: Option<RawMessage>,
    location: Option<RawLocation>,
    #[serde(default)]
    classifications: Many<Text>,
}

#[derive(Deserialize)]
struct RawMessage {
    text: Option<Text>,
}

#[derive(Deserialize)]
struct RawLocation {
    path: Option<Text>,
    #[serde(default)]
    start_line: Number,
    #[serde(default)]
    end_line: Number,
    #[serde(default)]
    start_column: Number,
}

impl RawAlert {
    fn rule_id(&self) -> Option<String> {
        let rule = self.rule.as_ref();
        let ids =
            [rule.and_then(|rule| rule.id.clone()), self.rule_id.clone(), rule.and_then(|rule| rule.name.clone())];
        ids.into_iter().find_map(github::filled)
    }

    /// The state; the form of 2020 has a truth value instead.
    fn state(&self) -> String {
        let own = github::filled(self.state.clone());
        let of_instance =
            || self.most_recent_instance.as_ref().and_then(|instance| github::filled(instance.state.clone()));
        let by_dates = || {
            let at = |date: &Option<Text>| github::filled(date.clone()).is_some();
            match self.open {
                Some(true) => "open",
                _ if at(&self.dismissed_at) => "dismissed",
                _ if at(&self.fixed_at) => "fixed",
                Some(false) if self.closed_reason.as_ref().is_some_and(|reason| reason.0 != "fixed") => "dismissed",
                Some(false) => "fixed",
                None => "open",
            }
        };
        own.or_else(of_instance).unwrap_or_else(|| by_dates().to_owned()).to_ascii_lowercase()
    }

    fn is_fixed(&self) -> bool {
        matches!(self.state().as_str(), "fixed" | "closed")
    }

    fn tool_name(&self) -> Option<String> {
        let tool = self.tool.as_ref()?;
        tool.as_str().or_else(|| tool.get("name")?.as_str()).map(str::to_owned)
    }

    fn tool_version(&self) -> Option<String> {
        let version = self.tool.as_ref()?.get("version")?.as_str().filter(|version| *version != "None")?;
        Some(format!("{} {version}", self.tool_name()?))
    }

    fn into_finding(self) -> Result<Finding, String> {
        github::known_state(Some(&self.state()), &["open", "dismissed", "fixed", "closed"])?;
        let (state, id, tool) = (self.state(), self.rule_id().unwrap_or_default(), self.tool_name());
        let rule = self.rule.unwrap_or_default();
        let instance = self.most_recent_instance.unwrap_or_default();
        let title = github::filled(rule.description).or_else(|| github::filled(self.rule_description));
        let title = title.or_else(|| github::filled(rule.name)).unwrap_or_else(|| id.clone());
        let message =
            github::filled(instance.message.and_then(|message| message.text)).unwrap_or_else(|| title.clone());
        let mut finding = Finding {
            cwes: cwe::numbers(rule.tags.0.iter().map(|tag| tag.0.as_str()).filter(|tag| tag.contains("cwe"))),
            description: github::filled(rule.full_description).or_else(|| github::filled(rule.help)),
            references: [self.html_url, rule.help_uri].into_iter().filter_map(github::filled).collect(),
            location: instance.location.and_then(RawLocation::into_location),
            tool_id: github::filled(self.number),
            ..Finding::new(Kind::Code, id, title, message)
        };
        if state != "open" {
            let reason = github::filled(self.dismissed_reason).or_else(|| github::filled(self.closed_reason));
            finding.suppressed = Some(github::dismissal(&state, reason, github::filled(self.dismissed_comment)));
        }
        let classes = instance.classifications.0.into_iter().map(|class| class.0).collect::<Vec<_>>().join(", ");
        let fields = [
            ("tool", tool),
            ("repository", github::repository(self.repository.as_ref())),
            ("category", github::filled(instance.category)),
            ("ref", github::filled(instance.reference)),
            ("commit_sha", github::filled(instance.commit_sha)),
            ("created_at", github::filled(self.created_at)),
            ("classifications", classes.filled()),
        ];
        finding.raw.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let word = [rule.security_severity_level, rule.severity, self.rule_severity];
        SCANNER.rating().word(word.into_iter().find_map(github::filled).as_deref()).apply(&mut finding);
        Ok(finding)
    }
}

impl RawLocation {
    fn into_location(self) -> Option<Location> {
        let (line, end) = (self.start_line.line(), self.end_line.line());
        Some(Location::lines(github::filled(self.path)?, line, end).with_column(self.start_column.line()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn alert(fields: &str) -> String {
        format!(
            r#"{{"number": 7, "rule": {{"id": "js/xss", "severity": "warning", "description": "XSS",
            "tags": ["security", "external/cwe/cwe-079"]}}, "tool": {{"name": "CodeQL", "version": "2.19.0"}},
            "most_recent_instance": {{"message": {{"text": "here"}}, "location": {{"path": "a.js", "start_line": 3, "end_line": 4}}}}, {fields}}}"#
        )
    }

    #[test]
    fn each_state_is_counted_as_documented() {
        let cases = [
            (r#""state": "open""#, (1, 0, 0), None),
            (r#""state": "fixed""#, (0, 0, 1), None),
            (
                r#""state": "dismissed", "dismissed_reason": "false positive", "dismissed_comment": "a test""#,
                (0, 1, 0),
                Some("dismissed: false positive: a test"),
            ),
            (r#""state": "dismissed", "dismissed_reason": "None""#, (0, 1, 0), Some("dismissed")),
            (r#""open": true"#, (1, 0, 0), None),
            (r#""open": false, "closed_reason": "won't fix""#, (0, 1, 0), Some("dismissed: won't fix")),
            (r#""open": false, "closed_reason": "fixed""#, (0, 0, 1), None),
            (r#""created_at": "2026-01-01""#, (1, 0, 0), None),
        ];
        for (fields, counts, suppressed) in cases {
            let (found, parsed) = findings(&SCANNER, format!("[{}]", alert(fields)).as_bytes()).unwrap();
            let summary = &parsed.summary;
            assert_eq!((summary.findings, summary.suppressed, summary.closed), counts, "{fields}");
            assert_eq!(found.first().and_then(|finding| finding.suppressed.as_deref()), suppressed, "{fields}");
        }
    }

    #[test]
    fn the_security_level_counts_before_the_rules_severity() {
        for (rule, severity) in [
            (r#""severity": "error", "security_severity_level": "medium""#, Severity::Medium),
            (r#""severity": "error", "security_severity_level": null"#, Severity::High),
            (r#""severity": "warning""#, Severity::Medium),
            (r#""severity": "note""#, Severity::Low),
            (r#""severity": "none""#, Severity::Info),
            (r#""severity": "odd""#, Severity::Unassigned),
        ] {
            let text = format!(r#"[{{"state": "open", "rule": {{"id": "r", {rule}}}}}]"#);
            let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!(found[0].severity(), severity, "{rule}");
        }
    }

    #[test]
    fn the_first_form_of_the_api_is_read_too() {
        let text = r#"[{"rule_id": "go/x", "rule_severity": "error", "rule_description": "X", "tool": "CodeQL", "open": true}]"#;
        let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(
            (found[0].rule.as_str(), found[0].title.as_str(), found[0].severity()),
            ("go/x", "X", Severity::High)
        );
    }

    #[test]
    fn pages_and_lines_of_alerts_are_read_as_one_list() {
        let one = alert(r#""state": "open""#);
        for text in [format!("[[{one}], [{one}]]"), format!("{one}\n{one}\n")] {
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0.len(), 2, "{text}");
        }
        let (found, parsed) = findings(&SCANNER, format!("[{one}, {{\"rule\": 5}}, {{}}]").as_bytes()).unwrap();
        assert_eq!((found.len(), parsed.summary.rejected), (1, 2));
        assert_eq!(parsed.scanner_version.as_deref(), Some("CodeQL 2.19.0"));
        assert_eq!(found[0].cwes, [79]);
    }

    #[test]
    fn an_error_answer_is_not_a_clean_report() {
        assert!(
            failure(&SCANNER, br#"{"message": "Not Found", "status": "404"}"#)
                .contains("no entry is an alert of this kind")
        );
        assert!(findings(&SCANNER, b"[]").is_ok());
    }
}
