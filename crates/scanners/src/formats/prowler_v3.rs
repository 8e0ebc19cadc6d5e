//! Prowler 3, <https://github.com/prowler-cloud/prowler>: checks accounts of AWS, Azure and GCP. Reads its own JSON
//! (`-M json`), which version 4 no longer writes. Its CSV and OCSF JSON have the format of later versions, `prowler`.
//!
//! A result is an object: one check of one resource. FAIL is a finding, PASS is passed, INFO and MANUAL are checks that
//! Prowler did not decide: not applicable. WARNING means that the check is on the allowlist: a suppressed finding.
//!
//! Severities are words.

use crate::Scanner;
use crate::formats::prowler;
use crate::reader::json::Loose;
use crate::reader::json::Text;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "prowler-v3",
    tool: "prowler",
    name: "Prowler 3",
    aliases: &["aws-prowler-v3plus", "aws-prowler-v3"],
    versions: "3",
    category: "CSPM",
    notation: Notation::Json,
    formats: "JSON (`-M json`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[(
        "component_name",
        "empty: the resource, which others put there, is not a package; it is in `resource`",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    ["", "[]."].iter().any(|before| {
        ["FindingUniqueId", "CheckID", "StatusExtended"].iter().all(|field| sniff.has(&format!("{before}{field}")))
    })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    prowler::objects(input, collector, |result: RawResult, collector| {
        collector.started(result.assessment_start_time.as_str());
        let status = result.status.0.clone();
        prowler::collect(&status, None, || result.into_finding(), collector)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawResult {
    #[serde(rename = "CheckID")]
    check_id: String,
    status: Text,
    check_title: Loose<Text>,
    finding_unique_id: Loose<Text>,
    status_extended: Loose<Text>,
    severity: Loose<Text>,
    description: Loose<Text>,
    risk: Loose<Text>,
    related_url: Loose<Text>,
    remediation: Loose<RawRemediation>,
    provider: Loose<Text>,
    service_name: Loose<Text>,
    account_id: Loose<Text>,
    subscription: Loose<Text>,
    project_id: Loose<Text>,
    region: Loose<Text>,
    location: Loose<Text>,
    resource_arn: Loose<Text>,
    resource_id: Loose<Text>,
    resource_name: Loose<Text>,
    resource_type: Loose<Text>,
    assessment_start_time: Loose<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRemediation {
    recommendation: Loose<RawRecommendation>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct RawRecommendation {
    text: Loose<Text>,
    url: Loose<Text>,
}

impl RawResult {
    fn into_finding(self) -> Finding {
        let title = self.check_title.filled().unwrap_or_else(|| self.check_id.clone());
        let message = self.status_extended.filled().unwrap_or_else(|| title.clone());
        let advice = self.remediation.0.and_then(|remediation| remediation.recommendation.0).unwrap_or_default();
        let id = self.resource_id.filled().or(self.resource_name.filled());
        let raw = [
            ("account", self.account_id.filled().or(self.subscription.filled()).or(self.project_id.filled())),
            ("region", self.region.filled().or(self.location.filled())),
            ("provider", self.provider.filled()),
            ("service", self.service_name.filled()),
            ("resource_name", id.clone()),
            ("resource_type", self.resource_type.filled()),
        ];
        let mut finding = Finding {
            description: prowler::described(self.description.filled(), self.risk.filled()),
            remediation: advice.text.filled(),
            references: prowler::addresses(self.related_url.filled().into_iter().chain(advice.url.filled())),
            resource: self.resource_arn.filled().or(id),
            tool_id: self.finding_unique_id.filled(),
            raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..Finding::new(Kind::Infrastructure, self.check_id, title, message)
        };
        SCANNER.rating().word(self.severity.filled().as_deref()).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn result(status: &str, severity: &str) -> String {
        format!(
            r#"{{"FindingUniqueId": "prowler-aws-a-1", "CheckID": "s3_bucket_public", "CheckTitle": "S3 is private",
                "Status": "{status}", "StatusExtended": "Bucket notes is public.", "Severity": "{severity}",
                "Remediation": {{"Recommendation": {{"Text": "Block it.", "Url": "https://docs.example/s3"}}}},
                "AccountId": "123456789012", "Region": "eu-west-1", "ResourceId": "notes", "ResourceArn": "arn:aws:s3:::notes"}}"#
        )
    }

    #[test]
    fn each_status_is_counted_correctly() {
        let statuses = ["FAIL", "PASS", "INFO", "MANUAL", "WARNING", "MAYBE"].map(|status| result(status, "high"));
        let text = format!("[{}, {{\"CheckID\": \"a\"}}]", statuses.join(","));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.passed), (1, 1, 1));
        assert_eq!((summary.not_applicable, summary.rejected), (2, 2));
        assert_eq!(findings[1].suppressed.as_deref(), Some("WARNING"));
    }

    #[test]
    fn words_become_the_documented_severities() {
        let cases = [
            ("critical", Severity::Critical),
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("low", Severity::Low),
            ("informational", Severity::Info),
            ("dire", Severity::Unassigned),
        ];
        for (word, level) in cases {
            let text = format!("[{}]", result("FAIL", word));
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0[0].severity(), level, "{word}");
        }
    }

    #[test]
    fn a_result_has_its_resource_account_and_id() {
        let (findings, _) = findings(&SCANNER, format!("[{}]", result("FAIL", "high")).as_bytes()).unwrap();
        let finding = &findings[0];
        assert_eq!(finding.resource.as_deref(), Some("arn:aws:s3:::notes"));
        assert_eq!(finding.tool_id.as_deref(), Some("prowler-aws-a-1"));
        assert_eq!((finding.raw["account"].as_str(), finding.raw["region"].as_str()), ("123456789012", "eu-west-1"));
        assert_eq!(finding.references, ["https://docs.example/s3"]);
        assert_eq!(finding.remediation.as_deref(), Some("Block it."));
    }

    #[test]
    fn an_object_of_another_kind_is_refused() {
        assert!(failure(&SCANNER, br#"{"a": 1}"#).contains("`CheckID`"));
    }
}
