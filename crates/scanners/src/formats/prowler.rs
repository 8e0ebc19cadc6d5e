//! Prowler, <https://github.com/prowler-cloud/prowler>: checks accounts of AWS, Azure, GCP, M365 and clusters of
//! Kubernetes. Reads the CSV and the OCSF JSON (`json-ocsf`) of versions 3 to 5. Reports of earlier versions and the
//! JSON of version 3 are separate formats of the same tool.
//!
//! A result is one check of one resource: a row or an object. FAIL and WARN are findings, PASS is passed, MANUAL and
//! INFO are checks that Prowler did not decide: not applicable. Muted checks (`MUTED`; in OCSF the status `Suppressed`;
//! in version 3 the status WARNING, from its allowlist) are suppressed findings, unless they passed.
//!
//! Severities are words.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "prowler",
    tool: "prowler",
    name: "Prowler",
    aliases: &[],
    versions: "3 to 5",
    category: "CSPM",
    notation: Notation::Csv,
    formats: "CSV and OCSF JSON (`-M csv json-ocsf`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[(
        "severity",
        "MANUAL checks, which Prowler did not decide, are not applicable; others import them as findings",
    )],
    detect,
    parse,
};

const CSV_COLUMNS: [&str; 3] = ["CHECK_ID", "STATUS", "STATUS_EXTENDED"];

fn detect(sniff: &Sniff) -> bool {
    let by_prowler = |path: &str| sniff.value(path).is_some_and(|name| name.eq_ignore_ascii_case("prowler"));
    sniff.has_columns(&CSV_COLUMNS)
        || by_prowler("[].metadata.product.name")
        || by_prowler("metadata.product.name")
        || by_prowler("[].finding_info.product_uid")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_list() || sniff.is_object() {
        return objects(input, collector, RawEvent::collect);
    }
    let read = table::rows(input, &CSV_COLUMNS, &mut |row| match row {
        Ok(row) => collect_row(&row, collector),
        Err(reason) => collector.rejected(reason),
    });
    collector.container();
    match read {
        Err(ParseError::Malformed { reason, .. }) => Err(ParseError::other_shape(reason)),
        other => other,
    }
}

/// Reads a list or a sequence of objects. An empty list is a clean report; one without readable objects is an error.
pub(crate) fn objects<'c, T: DeserializeOwned>(
    input: Input<'_>,
    collector: &mut Collector<'c>,
    collect: fn(T, &mut Collector<'c>) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let (mut readable, mut last) = (0, None);
    json::values(input, &mut |_, raw| match json::parse::<T>(raw) {
        Ok(object) => {
            readable += 1;
            collect(object, collector)
        }
        Err(error) => {
            last = Some(error.clone());
            collector.rejected(error)
        }
    })?;
    match last {
        Some(reason) if readable == 0 => Err(ParseError::other_shape(reason)),
        Some(_) | None => {
            collector.container();
            Ok(())
        }
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Passed,
    /// On the allowlist, whether it failed or not.
    Allowed,
    /// Prowler did not decide.
    Undecided,
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word.trim().to_ascii_uppercase().as_str() {
        "FAIL" | "FAILURE" | "WARN" => Outcome::Failed,
        "PASS" | "SUCCESS" => Outcome::Passed,
        "WARNING" | "MUTED" => Outcome::Allowed,
        "MANUAL" | "INFO" | "OTHER" => Outcome::Undecided,
        _ => return None,
    })
}

/// Hands the result of a check to the collector. `word` is Prowler's word for its outcome.
pub(crate) fn collect(
    word: &str,
    muted: Option<String>,
    finding: impl FnOnce() -> Finding,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    match outcome(word) {
        Some(Outcome::Failed) => collector.finding(Finding { suppressed: muted, ..finding() }),
        Some(Outcome::Allowed) => {
            collector.finding(Finding { suppressed: muted.or(Some(word.to_owned())), ..finding() })
        }
        Some(Outcome::Passed) => collector.passed(),
        Some(Outcome::Undecided) => collector.not_applicable(),
        None => collector.rejected(format!("unknown status `{word}`")),
    }
}

/// The description of a check and its risk, unless they are the same text.
pub(crate) fn described(description: Option<String>, risk: Option<String>) -> Option<String> {
    match (description, risk) {
        (Some(description), Some(risk)) if description != risk => Some(format!("{description}\n\n{risk}")),
        (Some(text), _) | (None, Some(text)) => Some(text),
        (None, None) => None,
    }
}

/// The web addresses among the texts, without duplicates.
pub(crate) fn addresses(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let text = text.trim();
        if text.starts_with("http") && !text.contains(char::is_whitespace) && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

fn collect_row(row: &Row<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (Some(check), Some(status)) = (row.get("CHECK_ID"), row.get("STATUS")) else {
        return collector.rejected("`CHECK_ID` or `STATUS` is missing in the row".to_owned());
    };
    let muted = row.get("MUTED").filter(|muted| muted.eq_ignore_ascii_case("true")).map(|_| "muted".to_owned());
    collector.started(row.get("TIMESTAMP"));
    if let Some(version) = row.get("PROWLER_VERSION") {
        collector.version(version);
    }
    collect(status, muted, || finding_from_row(row, check), collector)
}

fn finding_from_row(row: &Row<'_>, check: &str) -> Finding {
    let first = |columns: &[&str]| columns.iter().find_map(|column| row.owned(column));
    let title = row.get("CHECK_TITLE").unwrap_or(check);
    let references = ["RELATED_URL", "REMEDIATION_RECOMMENDATION_URL"].into_iter().filter_map(|name| row.owned(name));
    let more = row.get("ADDITIONAL_URLS").unwrap_or_default().split('|').map(str::to_owned);
    let raw = [
        ("account", first(&["ACCOUNT_UID", "ACCOUNT_ID", "SUBSCRIPTION"])),
        ("region", first(&["REGION", "LOCATION"])),
        ("provider", row.owned("PROVIDER")),
        ("service", row.owned("SERVICE_NAME")),
        ("resource_name", first(&["RESOURCE_NAME", "RESOURCE_ID"])),
        ("resource_type", row.owned("RESOURCE_TYPE")),
    ];
    let mut finding = Finding {
        description: described(row.owned("DESCRIPTION"), row.owned("RISK")),
        remediation: row.owned("REMEDIATION_RECOMMENDATION_TEXT"),
        references: addresses(references.chain(more)),
        resource: first(&["RESOURCE_UID", "RESOURCE_ARN", "RESOURCE_ID", "RESOURCE_NAME"]),
        tool_id: first(&["FINDING_UID", "FINDING_UNIQUE_ID"]),
        raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        ..Finding::new(Kind::Infrastructure, check, title, row.get("STATUS_EXTENDED").unwrap_or(title))
    };
    SCANNER.rating().word(row.get("SEVERITY")).apply(&mut finding);
    finding
}

/// An event of the Open Cybersecurity Schema Framework, <https://schema.ocsf.io>: a detection finding, or in version 3
/// a security finding.
#[derive(Deserialize)]
struct RawEvent {
    metadata: RawMetadata,
    #[serde(alias = "finding")]
    finding_info: Loose<RawInfo>,
    status_code: Loose<Text>,
    status: Loose<Text>,
    status_detail: Loose<Text>,
    message: Loose<Text>,
    severity: Loose<Text>,
    resources: Loose<Vec<RawResource>>,
    cloud: Loose<RawCloud>,
    remediation: Loose<RawRemediation>,
    risk_details: Loose<Text>,
    unmapped: Loose<RawUnmapped>,
    time: Loose<Text>,
    #[serde(alias = "event_time")]
    time_dt: Loose<Text>,
}

#[derive(Deserialize)]
struct RawMetadata {
    event_code: Loose<Text>,
    product: Loose<RawProduct>,
}

#[derive(Deserialize)]
struct RawProduct {
    version: Loose<Text>,
    feature: Loose<RawReference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawInfo {
    title: Loose<Text>,
    desc: Loose<Text>,
    uid: Loose<Text>,
    remediation: Loose<RawRemediation>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawResource {
    uid: Loose<Text>,
    name: Loose<Text>,
    #[serde(rename = "type")]
    kind: Loose<Text>,
    region: Loose<Text>,
    namespace: Loose<Text>,
    group: Loose<RawReference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawCloud {
    provider: Loose<Text>,
    region: Loose<Text>,
    account: Loose<RawReference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawReference {
    uid: Loose<Text>,
    name: Loose<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRemediation {
    desc: Loose<Text>,
    #[serde(alias = "kb_articles")]
    references: Loose<Vec<Text>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawUnmapped {
    related_url: Loose<Text>,
    additional_urls: Loose<Vec<Text>>,
}

impl RawEvent {
    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        collector.started(self.time.as_str().or(self.time_dt.as_str()));
        let product = self.metadata.product.0.as_ref();
        if let Some(version) = product.and_then(|product| product.version.clone().filled()) {
            collector.version(version);
        }
        let feature = product.and_then(|product| product.feature.0.as_ref());
        let feature = feature.and_then(|feature| feature.uid.clone().filled().or(feature.name.clone().filled()));
        let Some(check) = self.metadata.event_code.clone().filled().or(feature) else {
            return collector.rejected("`metadata.event_code` is missing".to_owned());
        };
        let status = self.status.clone().filled();
        // Version 3 has the outcome as the status.
        let Some(outcome) = self.status_code.clone().filled().or(status.clone()) else {
            return collector.rejected("`status_code` is missing".to_owned());
        };
        let muted = status.filter(|status| status.eq_ignore_ascii_case("suppressed"));
        collect(&outcome, muted, || self.into_finding(check), collector)
    }

    fn into_finding(self, check: String) -> Finding {
        let info = self.finding_info.0.unwrap_or_default();
        let resource = self.resources.list().into_iter().next().unwrap_or_default();
        let cloud = self.cloud.0.unwrap_or_default();
        let unmapped = self.unmapped.0.unwrap_or_default();
        let remediation = self.remediation.0.or(info.remediation.0).unwrap_or_default();
        let title = info.title.filled().unwrap_or_else(|| check.clone());
        let message = self.status_detail.filled().or(self.message.filled()).unwrap_or_else(|| title.clone());
        let references = unmapped.related_url.filled().into_iter();
        let references = references.chain(remediation.references.list().into_iter().filter_map(Filled::filled));
        let references = references.chain(unmapped.additional_urls.list().into_iter().filter_map(Filled::filled));
        let name = resource.name.filled();
        let raw = [
            ("account", cloud.account.0.and_then(|account| account.uid.filled())),
            ("region", cloud.region.filled().or(resource.region.filled())),
            ("namespace", resource.namespace.filled()),
            ("provider", cloud.provider.filled()),
            ("service", resource.group.0.and_then(|group| group.name.filled())),
            ("resource_name", name.clone()),
            ("resource_type", resource.kind.filled()),
        ];
        let mut finding = Finding {
            description: described(info.desc.filled(), self.risk_details.filled()),
            remediation: remediation.desc.filled(),
            references: addresses(references),
            resource: resource.uid.filled().or(name),
            tool_id: info.uid.filled(),
            raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..Finding::new(Kind::Infrastructure, check, title, message)
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

    fn event(fields: &str) -> String {
        format!(
            r#"{{"metadata": {{"event_code": "s3_bucket_public", "product": {{"name": "Prowler", "version": "5.9.2"}}}},
                "finding_info": {{"title": "S3 is private", "desc": "Buckets.", "uid": "prowler-aws-s3-1"}},
                "risk_details": "Leaks.", "severity": "High", "status_detail": "Bucket notes is public.",
                "resources": [{{"uid": "arn:aws:s3:::notes", "name": "notes", "region": "eu-west-1"}}],
                "cloud": {{"account": {{"uid": "123456789012"}}, "provider": "aws"}},
                "remediation": {{"desc": "Block it.", "references": ["aws s3api put", "https://docs.example/s3"]}} {fields}}}"#
        )
    }

    #[test]
    fn an_event_becomes_a_finding_with_its_resource() {
        let text = format!("[{}]", event(r#", "status_code": "FAIL", "status": "New""#));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let finding = &findings[0];
        assert_eq!(parsed.scanner_version.as_deref(), Some("5.9.2"));
        assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("s3_bucket_public", "S3 is private"));
        assert_eq!((finding.message.as_str(), finding.severity()), ("Bucket notes is public.", Severity::High));
        assert_eq!(finding.resource.as_deref(), Some("arn:aws:s3:::notes"));
        assert_eq!(finding.tool_id.as_deref(), Some("prowler-aws-s3-1"));
        assert_eq!(finding.references, ["https://docs.example/s3"]);
        assert_eq!((finding.raw["account"].as_str(), finding.raw["region"].as_str()), ("123456789012", "eu-west-1"));
        assert_eq!(finding.description.as_deref(), Some("Buckets.\n\nLeaks."));
    }

    #[test]
    fn each_outcome_is_counted_correctly() {
        // Findings, suppressed, passed, not applicable, rejected.
        let cases = [
            (r#", "status_code": "FAIL", "status": "New""#, (1, 0, 0, 0, 0)),
            (r#", "status_code": "FAIL", "status": "Suppressed""#, (0, 1, 0, 0, 0)),
            (r#", "status_code": "PASS", "status": "Suppressed""#, (0, 0, 1, 0, 0)),
            (r#", "status_code": "PASS", "status": "New""#, (0, 0, 1, 0, 0)),
            (r#", "status_code": "MANUAL", "status": "New""#, (0, 0, 0, 1, 0)),
            (r#", "status": "Failure""#, (1, 0, 0, 0, 0)),
            (r#", "status": "Success""#, (0, 0, 1, 0, 0)),
            (r#", "status_code": "MAYBE""#, (0, 0, 0, 0, 1)),
            ("", (0, 0, 0, 0, 1)),
        ];
        for (fields, expected) in cases {
            let (_, parsed) = findings(&SCANNER, event(fields).as_bytes()).unwrap();
            let summary = parsed.summary;
            let counts =
                (summary.findings, summary.suppressed, summary.passed, summary.not_applicable, summary.rejected);
            assert_eq!(counts, expected, "{fields}");
        }
    }

    #[test]
    fn the_fields_of_version_3_are_read() {
        let text = r#"[{"finding": {"title": "T", "uid": "u-1", "remediation": {"kb_articles": ["https://kb.example"], "desc": "D"}},
            "metadata": {"product": {"name": "Prowler", "feature": {"uid": "check_a", "name": "check_a"}}}, "status": "Failure",
            "severity": "Informational", "resources": [{"name": "web"}]}, {"metadata": {}, "status_code": "FAIL"}, 5]"#;
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let finding = &findings[0];
        assert_eq!((finding.rule.as_str(), finding.resource.as_deref()), ("check_a", Some("web")));
        assert_eq!((finding.remediation.as_deref(), finding.severity()), (Some("D"), Severity::Info));
        assert_eq!(finding.references, ["https://kb.example"]);
        assert_eq!(parsed.summary.rejected, 2);
    }

    #[test]
    fn rows_of_the_table_are_read_by_their_columns_in_whatever_version() {
        let text = "FINDING_UID;CHECK_ID;STATUS;STATUS_EXTENDED;MUTED;SEVERITY;RESOURCE_UID;ADDITIONAL_URLS\n\
            u1;a;FAIL;public;False;critical;arn:1;https://a.example | https://b.example\n\
            u2;a;FAIL;public;True;critical;arn:2;\nu3;b;PASS;fine;False;low;arn:3;\nu4;c;MANUAL;look;False;low;arn:4;\nu5;d\n";
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.passed), (1, 1, 1));
        assert_eq!((summary.not_applicable, summary.rejected), (1, 1));
        assert_eq!(found[0].references, ["https://a.example", "https://b.example"]);
        assert_eq!((found[0].severity(), found[1].suppressed.as_deref()), (Severity::Critical, Some("muted")));
        let third = "FINDING_UNIQUE_ID;CHECK_ID;STATUS;STATUS_EXTENDED;SEVERITY;RESOURCE_ID;RESOURCE_ARN\n\
            u1;a;WARNING;public;high;notes;arn:aws:s3:::notes\n";
        let (found, _) = findings(&SCANNER, third.as_bytes()).unwrap();
        assert_eq!((found[0].tool_id.as_deref(), found[0].suppressed.as_deref()), (Some("u1"), Some("WARNING")));
        assert_eq!(found[0].resource.as_deref(), Some("arn:aws:s3:::notes"));
        assert!(failure(&SCANNER, b"CHECK_ID;STATUS\na;FAIL\n").contains("`STATUS_EXTENDED`"));
    }
}
