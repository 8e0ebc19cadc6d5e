//! Wiz, <https://www.wiz.io>: cloud security. Reads the CSV exports of issues and of vulnerability findings, and the
//! JSON of the command line tool (`wizcli dir|iac|docker scan -f json`).
//!
//! A result is a row, or in reports of the command line tool a vulnerability of a package, a secret or a match of a
//! rule. Wiz uses the common words for severities. Resolved results are closed, ignored and rejected ones are
//! suppressed.
//!
//! The rule is the control: an issue of Wiz is an occurrence of a control at a resource.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use crate::value::secret;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "wiz",
    tool: "wiz",
    name: "Wiz",
    aliases: &["wiz-cli", "wizcli"],
    versions: "exports of 2023 to 2025, wizcli 0.10 to 0.80",
    category: "cloud",
    notation: Notation::Csv,
    formats: "CSV exports of issues and vulnerabilities, JSON of `wizcli`",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

const ISSUES: &[&str] = &["Title", "Severity", "Status", "Issue ID", "Resource external ID"];
const VULNERABILITIES: &[&str] = &["Name", "DetailedName", "FindingStatus", "WizURL"];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_columns(ISSUES)
        || sniff.has_columns(VULNERABILITIES)
        || sniff.has_all(&["scanOriginResource", "result"])
        || sniff.has_all(&["status.verdict", "policies", "result"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_object() {
        return parse_json(input, collector);
    }
    if sniff.has_columns(VULNERABILITIES) {
        table::rows(input, VULNERABILITIES, &mut |row| collect(row, vulnerability, "FindingStatus", collector))?;
    } else {
        table::rows(input, ISSUES, &mut |row| collect(row, issue, "Status", collector))?;
    }
    collector.container();
    Ok(())
}

fn collect(
    row: Result<Row<'_>, String>,
    read: fn(&Row<'_>) -> Result<Finding, String>,
    status: &str,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let row = match row {
        Ok(row) => row,
        Err(reason) => return collector.rejected(reason),
    };
    let word = row.get(status).unwrap_or_default();
    if ["resolved", "fixed", "closed"].contains(&word.to_ascii_lowercase().as_str()) {
        return collector.closed();
    }
    let ignored = ["ignored", "rejected", "dismissed"].contains(&word.to_ascii_lowercase().as_str());
    let reason = ["Resolution", "ResolutionReason"].into_iter().find_map(|column| row.get(column));
    let suppressed = ignored.then(|| reason.map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}")));
    collector.result(read(&row).map(|finding| Finding { suppressed, ..finding }))
}

fn issue(row: &Row<'_>) -> Result<Finding, String> {
    let title = row.get("Title").ok_or("`Title` is missing in the row")?;
    let mut finding = Finding {
        description: row.owned("Description"),
        remediation: row.owned("Remediation Recommendation"),
        references: row.owned("Wiz URL").into_iter().collect(),
        resource: row.owned("Resource external ID").or(row.owned("Resource Name")),
        tool_id: row.owned("Issue ID"),
        ..Finding::new(Kind::Infrastructure, row.get("Control ID").unwrap_or(title), title, on_resource(row, title))
    };
    add_raw(
        row,
        &mut finding,
        &["Resource Name", "Resource Type", "Resource Platform", "Resource Region", "Subscription Name"],
    );
    SCANNER.rating().word(row.get("Severity")).apply(&mut finding);
    Ok(finding)
}

fn on_resource(row: &Row<'_>, title: &str) -> String {
    match (row.get("Resource Type"), row.get("Resource Name")) {
        (Some(kind), Some(name)) => format!("{title}: {kind} {name}"),
        (None, Some(name)) => format!("{title}: {name}"),
        (_, None) => title.to_owned(),
    }
}

fn vulnerability(row: &Row<'_>) -> Result<Finding, String> {
    let id = row.get("Name").ok_or("`Name` is missing in the row")?;
    let name = row.get("DetailedName").or(row.get("AssetName")).unwrap_or(id);
    let package = Package {
        name: name.to_owned(),
        version: row.owned("Version"),
        fixed_versions: row.owned("FixedVersion").into_iter().collect(),
        ..Package::default()
    };
    let place = row.owned("LocationPath").map(Location::file);
    let mut finding = Finding {
        advisories: vec![id.to_owned()],
        package: Some(package),
        location: place,
        description: row.owned("Description"),
        remediation: row.owned("Remediation"),
        references: [row.owned("Link"), row.owned("WizURL")].into_iter().flatten().collect(),
        resource: row.owned("ProviderUniqueId").or(row.owned("AssetName")),
        known_exploited: row.get("HasCisaKevExploit").and_then(|truth| truth.to_ascii_lowercase().parse().ok()),
        tool_id: row.owned("ID"),
        ..Finding::new(Kind::Dependency, id, id, format!("{id} in {name} {}", row.get("Version").unwrap_or_default()))
    };
    add_raw(row, &mut finding, &["AssetName", "CloudPlatform", "CVSSSeverity", "HasExploit", "SubscriptionName"]);
    let word = ["VendorSeverity", "Severity", "CVSSSeverity"].into_iter().find_map(|column| row.get(column));
    let score = row.get("Score").and_then(decimal);
    SCANNER.rating().own(score).word(word).apply(&mut finding);
    Ok(finding)
}

fn add_raw(row: &Row<'_>, finding: &mut Finding, columns: &[&str]) {
    for column in columns {
        if let Some(value) = row.owned(column) {
            finding.raw.insert((*column).to_owned(), value);
        }
    }
}

/// A package of an operating system, a library or an application, with its vulnerabilities.
#[derive(Deserialize)]
struct RawPackage {
    name: String,
    version: Option<Text>,
    path: Option<String>,
    #[serde(alias = "startLine", default)]
    line: Number,
    vulnerabilities: Many<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawVulnerability {
    name: String,
    severity: Option<String>,
    #[serde(rename = "fixedVersion")]
    fixed_version: Option<Text>,
    source: Option<String>,
    description: Option<String>,
    #[serde(default)]
    score: Number,
    #[serde(rename = "hasCisaKevExploit")]
    known_exploited: Option<bool>,
    #[serde(rename = "ignoredPolicyMatches", default)]
    ignored: Many<serde_json::Value>,
    #[serde(rename = "failedPolicyMatches", default)]
    failed: Many<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawSecret {
    id: Option<Text>,
    description: Option<String>,
    severity: Option<String>,
    path: Option<String>,
    #[serde(rename = "lineNumber", default)]
    line: Number,
    #[serde(rename = "type")]
    kind: Option<String>,
    snippet: Option<String>,
}

#[derive(Deserialize)]
struct RawRuleMatch {
    rule: RawRule,
    severity: Option<String>,
    matches: Many<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawRule {
    id: Option<Text>,
    name: Option<String>,
    description: Option<String>,
    #[serde(alias = "remediationInstructions")]
    remediation: Option<String>,
}

#[derive(Deserialize)]
struct RawMatch {
    #[serde(rename = "resourceName")]
    resource: Option<String>,
    #[serde(rename = "fileName")]
    file: Option<String>,
    #[serde(rename = "lineNumber", default)]
    line: Number,
    expected: Option<Text>,
    found: Option<Text>,
    #[serde(rename = "ignoreReason")]
    ignored: Option<String>,
}

const SECTIONS: [&str; 10] = [
    "result.osPackages[]",
    "result.libraries[]",
    "result.applications[]",
    "result.cpes[]",
    "result.secrets[]",
    "result.ruleMatches[]",
    "status.state",
    "scanOriginResource",
    "?result:",
    "createdAt",
];

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut is_from_wizcli = false;
    let seen = json::walk(input, &SECTIONS, &mut |item| match item.path {
        0..=3 => match item.read::<RawPackage>() {
            Ok(package) => collect_package(package, collector),
            Err(reason) => collector.rejected(reason),
        },
        4 => collector.result(item.read::<RawSecret>().map(finding_of_secret)),
        5 => match item.read::<RawRuleMatch>() {
            Ok(rule) => collect_rule(rule, collector),
            Err(reason) => collector.rejected(reason),
        },
        6 => {
            is_from_wizcli = true;
            let state = item.read::<String>().unwrap_or_default();
            if !state.eq_ignore_ascii_case("success") && !state.eq_ignore_ascii_case("completed") {
                collector.scanner_error(format!("the scan's state is `{state}`"));
            }
            Ok(())
        }
        9 => item.ended(collector),
        _ => {
            is_from_wizcli = true;
            Ok(())
        }
    })?;
    seen.report_missing(collector);
    if is_from_wizcli && (0..6).any(|path| seen.has(path)) {
        collector.container();
        return Ok(());
    }
    // The report of an image or folder without packages has these lists too, all of them null.
    let sniff = Sniff::of(input)?;
    collector.require(
        is_from_wizcli && SECTIONS.iter().take(6).any(|path| sniff.has(path.trim_end_matches("[]"))),
        "a report of wizcli is an object with `status` and `result`, which contains lists by kind",
    )
}

fn collect_package(package: RawPackage, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let RawPackage { name, version, path, line, vulnerabilities } = package;
    let version = version.filled();
    let place = path.map(|path| Location::lines(path, line.line(), None));
    vulnerabilities.0.into_iter().try_for_each(|raw| {
        let read = json::from_value::<RawVulnerability>(raw);
        collector.result(read.map(|raw| {
            let ignored = !raw.ignored.0.is_empty() && raw.failed.0.is_empty();
            let message = format!("{} in {name} {}", raw.name, version.as_deref().unwrap_or_default());
            let mut finding = Finding {
                advisories: vec![raw.name.clone()],
                package: Some(Package {
                    name: name.clone(),
                    version: version.clone(),
                    fixed_versions: raw.fixed_version.filled().into_iter().collect(),
                    ..Package::default()
                }),
                location: place.clone(),
                description: raw.description,
                references: raw.source.into_iter().collect(),
                known_exploited: raw.known_exploited,
                suppressed: ignored.then(|| "ignoredPolicyMatches".to_owned()),
                ..Finding::new(Kind::Dependency, &*raw.name, &*raw.name, message)
            };
            SCANNER.rating().own(raw.score.0).word(raw.severity.as_deref()).apply(&mut finding);
            finding
        }))
    })
}

fn finding_of_secret(raw: RawSecret) -> Finding {
    let kind = raw.kind.or(raw.id.filled()).unwrap_or_else(|| "secret".to_owned());
    let message = raw.description.unwrap_or_else(|| kind.clone());
    let place = raw.path.map(|path| Location::lines(path, raw.line.line(), None));
    let mut finding = Finding { location: place, ..Finding::new(Kind::Secret, &*kind, &*kind, message) };
    SCANNER.rating().word(raw.severity.as_deref()).apply(&mut finding);
    if let Some(snippet) = raw.snippet.filled() {
        secret::attach(&mut finding, &snippet);
    }
    finding
}

fn collect_rule(raw: RawRuleMatch, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let RawRule { id, name, description, remediation } = raw.rule;
    let Some(rule) = id.filled().or(name.clone()) else {
        return collector.rejected("`rule.id` and `rule.name` are both missing".to_owned());
    };
    let title = name.unwrap_or_else(|| rule.clone());
    raw.matches.0.into_iter().try_for_each(|found| {
        let read = json::from_value::<RawMatch>(found);
        collector.result(read.map(|found| {
            let text = |text: Option<Text>| text.filled();
            let message = match (text(found.expected), text(found.found)) {
                (Some(expected), Some(found)) => format!("expected: {expected}; found: {found}"),
                (Some(expected), None) => format!("expected: {expected}"),
                (None, found) => found.unwrap_or_else(|| title.clone()),
            };
            let line = found.line.line();
            let mut finding = Finding {
                description: description.clone(),
                remediation: remediation.clone(),
                resource: found.resource,
                location: found.file.map(|path| Location::lines(path, line, None)),
                suppressed: found.ignored.filled(),
                ..Finding::new(Kind::Infrastructure, &*rule, &*title, message)
            };
            SCANNER.rating().word(raw.severity.as_deref()).apply(&mut finding);
            finding
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    #[test]
    fn resolved_issues_are_closed_and_ignored_ones_suppressed() {
        let csv = "Created At,Title,Severity,Status,Resource Type,Resource external ID,Resolution,Control ID,Resource Name,Issue ID\n\
            t,Public bucket,CRITICAL,OPEN,bucket,arn:1,,c-1,notes,i-1\n\
            t,Public bucket,CRITICAL,IN_PROGRESS,bucket,arn:2,,c-1,shop,i-2\n\
            t,Public bucket,CRITICAL,RESOLVED,bucket,arn:3,,c-1,old,i-3\n\
            t,Public bucket,CRITICAL,IGNORED,bucket,arn:4,by design,c-1,web,i-4\n\
            t,,CRITICAL,OPEN,bucket,arn:5,,c-1,web,i-5\n";
        let (findings, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.closed, summary.suppressed, summary.rejected), (2, 1, 1, 1));
        assert_eq!(findings[2].suppressed.as_deref(), Some("IGNORED: by design"));
        assert_eq!((findings[0].rule.as_str(), findings[0].resource.as_deref()), ("c-1", Some("arn:1")));
        assert_eq!(findings[0].severity(), Severity::Critical);
    }

    #[test]
    fn a_vulnerability_has_its_package() {
        let csv = "ID,WizURL,Name,CVSSSeverity,HasCisaKevExploit,FindingStatus,VendorSeverity,LocationPath,DetailedName,Version,FixedVersion\n\
            1,https://app.wiz.io/x,CVE-2021-44228,Critical,true,Open,High,/app/a.jar,log4j-core,2.14.0,2.15.0\n";
        let (findings, _) = findings(&SCANNER, csv.as_bytes()).unwrap();
        let package = findings[0].package.as_ref().unwrap();
        assert_eq!(
            (package.name.as_str(), package.fixed_versions.as_slice()),
            ("log4j-core", &["2.15.0".to_owned()][..])
        );
        assert_eq!((findings[0].severity(), findings[0].known_exploited), (Severity::High, Some(true)));
    }

    #[test]
    fn all_sections_of_the_command_line_tool_are_read_and_secrets_are_masked() {
        let json = r#"{"id": "1", "scanOriginResource": {"name": "notes"}, "status": {"state": "SUCCESS", "verdict": "FAILED_BY_POLICY"},
            "result": {"osPackages": [{"name": "openssl", "version": "3.0.1", "vulnerabilities": [{"name": "CVE-2022-0778",
            "severity": "HIGH", "fixedVersion": "3.0.2"}, {"severity": "LOW"}]}], "libraries": null,
            "secrets": [{"id": "s", "type": "PASSWORD", "path": "a.env", "lineNumber": 2, "snippet": "hunter2hunter2", "severity": "HIGH"}],
            "ruleMatches": [{"rule": {"id": "r-1", "name": "Bucket is public"}, "severity": "MEDIUM",
            "matches": [{"resourceName": "aws_s3_bucket.notes", "fileName": "main.tf", "lineNumber": 3, "expected": "private", "found": "public"}]}]}}"#;
        let (findings, parsed) = findings(&SCANNER, json.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (3, 1));
        assert!(!serde_json::to_string(&findings).unwrap().contains("hunter2hunter2"));
        assert_eq!(findings[2].message, "expected: private; found: public");
        assert!(failure(&SCANNER, br#"{"status": {"state": "SUCCESS"}, "result": {}}"#).contains("wizcli"));
    }
}
