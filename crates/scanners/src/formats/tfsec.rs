//! tfsec, <https://github.com/aquasecurity/tfsec>: security scanner for Terraform. Reads its JSON report
//! (`tfsec -f json`), as versions 0.19 to 1.28 write it.
//!
//! Each entry of `results` is a result. Passed and ignored ones are included only on request (`--include-passed`,
//! `--include-ignored`). Version 1 writes the status as a number (0 failed, 1 passed, 2 ignored), versions before 0.40
//! have only `passed`. Ignored results are suppressed findings.
//!
//! Up to version 0.39, severities are ERROR, WARNING and INFO, later CRITICAL to LOW. Scores are in the middle of the
//! severity of that name; ERROR and WARNING are high and medium, like the later severities of most of these rules.
//! Without results, tfsec writes `{"results": null}`, which only the name of the field identifies as a report.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use finding::{Finding, Kind, Location};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "tfsec",
    tool: "tfsec",
    name: "tfsec",
    aliases: &[],
    versions: "0.19 to 1.28",
    category: "IaC",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "CRITICAL 9.5, HIGH and ERROR 8.0, MEDIUM and WARNING 5.5, LOW 2.0, INFO 0; NONE unassigned",
    severity_words: &[
        ("CRITICAL", 950),
        ("HIGH", 800),
        ("ERROR", 800),
        ("MEDIUM", 550),
        ("WARNING", 550),
        ("LOW", 200),
        ("INFO", 0),
    ],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["results[].rule_id", "results[].location.filename", "results[].location.start_line"])
        || is_clean(sniff.text())
}

/// True for the report without results: only the field, with null.
fn is_clean(text: &str) -> bool {
    text.len() < 1000 && text.split_ascii_whitespace().collect::<String>() == r#"{"results":null}"#
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let seen = json::walk(input, &["results[]"], &mut |item| match item.read::<RawResult>() {
        Err(reason) => collector.rejected(reason),
        Ok(raw) if raw.status() == Status::Passed => collector.passed(),
        Ok(raw) => collector.finding(raw.into_finding()),
    })?;
    collector.require(
        seen.has(0) || is_clean(&String::from_utf8_lossy(&input.head()?)),
        "a tfsec JSON report is an object with the list `results`",
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Failed,
    Passed,
    Ignored,
}

#[derive(Deserialize)]
struct RawResult {
    rule_id: Text,
    location: RawLocation,
    long_id: Loose<Text>,
    legacy_rule_id: Loose<Text>,
    rule_description: Loose<Text>,
    rule_provider: Loose<Text>,
    rule_service: Loose<Text>,
    link: Loose<Text>,
    links: Loose<Vec<Text>>,
    description: Loose<Text>,
    impact: Loose<Text>,
    resolution: Loose<Text>,
    severity: Loose<Text>,
    resource: Loose<Text>,
    passed: Loose<bool>,
    status: Loose<Text>,
}

#[derive(Deserialize)]
struct RawLocation {
    filename: String,
    start_line: Loose<Number>,
    end_line: Loose<Number>,
}

impl RawResult {
    fn status(&self) -> Status {
        let status = self.status.0.as_ref().map(|status| status.0.to_ascii_lowercase());
        match (status.as_deref(), self.passed.0) {
            (Some("passed" | "1"), _) | (None, Some(true)) => Status::Passed,
            (Some("ignored" | "2"), _) => Status::Ignored,
            // A result with an unknown status must not be hidden.
            (Some(_), _) | (None, Some(false) | None) => Status::Failed,
        }
    }

    fn into_finding(self) -> Finding {
        let ignored = self.status() == Status::Ignored;
        let rule = self.rule_id.0;
        let title = self.rule_description.filled().or_else(|| self.long_id.0.clone().filled());
        let title = title.unwrap_or_else(|| rule.clone());
        let message = self.description.filled().unwrap_or_else(|| title.clone());
        let line = self.location.start_line.line();
        let mut finding = Finding {
            description: self.impact.filled(),
            remediation: self.resolution.filled(),
            references: self.link.0.iter().chain(&self.links.list()).filter_map(|link| url(&link.0)).collect(),
            location: Some(Location::lines(self.location.filename, line, self.location.end_line.line())),
            resource: self.resource.filled().or_else(|| resource_in_description(&message)),
            suppressed: ignored.then(|| "ignored".to_owned()),
            ..Finding::new(Kind::Infrastructure, rule, title, message)
        };
        let (long, legacy) = (self.long_id.filled(), self.legacy_rule_id.filled());
        // All of them identify the rule. Versions differ in which one is the `rule_id`.
        finding.add_former_rules([&legacy, &long].into_iter().flatten().cloned());
        let raw = [
            ("long_id", long),
            ("legacy_rule_id", legacy),
            ("rule_provider", self.rule_provider.filled()),
            ("rule_service", self.rule_service.filled()),
        ];
        finding.raw = raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        SCANNER.rating().word(self.severity.filled().as_deref()).apply(&mut finding);
        finding
    }
}

/// The address in `See https://tfsec.dev/docs/… for more information.`
fn url(link: &str) -> Option<String> {
    link.split_ascii_whitespace().find(|word| word.starts_with("http")).map(str::to_owned)
}

/// The resource in `Resource 'aws_s3_bucket.notes' has no logging.` Before version 1, it is only in the description.
fn resource_in_description(description: &str) -> Option<String> {
    let (name, _) = description.strip_prefix("Resource '")?.split_once('\'')?;
    name.to_owned().filled()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(fields: &str) -> String {
        format!(
            r#"{{"results": [{{"rule_id": "AWS002", "severity": "ERROR", {fields}
                "location": {{"filename": "main.tf", "start_line": 3, "end_line": 9}}}}]}}"#
        )
    }

    #[test]
    fn the_status_is_read_in_each_of_its_forms() {
        // Findings, suppressed, passed.
        let cases = [
            ("", (1, 0, 0)),
            (r#""passed": false,"#, (1, 0, 0)),
            (r#""passed": true,"#, (0, 0, 1)),
            (r#""status": "failed","#, (1, 0, 0)),
            (r#""status": "passed","#, (0, 0, 1)),
            (r#""status": "ignored","#, (0, 1, 0)),
            (r#""status": 0,"#, (1, 0, 0)),
            (r#""status": 1,"#, (0, 0, 1)),
            (r#""status": 2,"#, (0, 1, 0)),
            (r#""status": "new one","#, (1, 0, 0)),
            (r#""status": [], "passed": "x","#, (1, 0, 0)),
        ];
        for (fields, expected) in cases {
            let (_, parsed) = findings(&SCANNER, report(fields).as_bytes()).unwrap();
            let summary = parsed.summary;
            assert_eq!((summary.findings, summary.suppressed, summary.passed), expected, "{fields}");
        }
    }

    #[test]
    fn links_and_resources_are_taken_out_of_the_old_versions_sentences() {
        let text = report(
            r#""link": "See https://tfsec.dev/docs/aws/AWS002/ for more information.",
               "description": "Resource 'aws_s3_bucket.notes' does not have logging enabled.","#,
        );
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(findings[0].references, ["https://tfsec.dev/docs/aws/AWS002/"]);
        assert_eq!(findings[0].resource.as_deref(), Some("aws_s3_bucket.notes"));
        let location = findings[0].location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.end_line), ("main.tf", Some(3), Some(9)));
    }

    #[test]
    fn a_rules_long_and_legacy_ids_are_other_names_of_it() {
        let of = |fields: &str| findings(&SCANNER, report(fields).as_bytes()).unwrap().0.remove(0).former_rules;
        assert_eq!(
            of(r#""long_id": "aws-s3-enable-bucket-logging", "legacy_rule_id": "AWS998","#),
            ["AWS998", "aws-s3-enable-bucket-logging"]
        );
        assert!(of(r#""long_id": "", "legacy_rule_id": "AWS002","#).is_empty());
    }

    #[test]
    fn only_tfsecs_own_form_of_no_results_is_a_clean_report() {
        for clean in ["{\n\t\"results\": null\n}", "{\"results\": []}"] {
            let (found, parsed) = findings(&SCANNER, clean.as_bytes()).unwrap();
            assert_eq!((found.len(), parsed.summary.results), (0, 0), "{clean}");
        }
        for other in ["{}", "{\"results\": null, \"errors\": []}", "{\"result\": null}"] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("the list `results`"), "{other}");
        }
    }
}
