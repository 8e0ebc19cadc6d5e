//! Occurrences with all fields of their results.

use super::{FirstSeen, Matched};
use domain::comparison::{Bucket, TrackedOccurrence};
use domain::ids::{ExemptionId, IssueId, OccurrenceId};
use domain::tracking::Stage;
use finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An occurrence of an issue in a scan. Fields that the report does not contain are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OccurrenceItem {
    /// The occurrence's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: OccurrenceId,
    /// The id of its issue.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The position of its result in the report, counted from 0.
    pub result: u32,
    /// The bucket in the scan's comparison.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Bucket>"))]
    pub bucket: Bucket,
    /// The match in the reference scan; absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matched: Option<Matched>,
    /// True if its code was edited since the reference scan, so that the match is uncertain.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub updated: bool,
    /// If it is new, but matched in the variant's previous scan, from which it keeps its id: the stage of that match.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::EnumSchema<Stage>>"))]
    pub carried: Option<Stage>,
    /// The first scan with the occurrence.
    pub first_seen: FirstSeen,
    /// The exemption that was effective when the scan was judged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub exemption: Option<ExemptionId>,
    /// The exemption that is effective now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub exemption_now: Option<ExemptionId>,
    /// The scanner's rule, or its id of the vulnerability.
    pub rule: String,
    /// The ids of the same rule in earlier versions of the tool.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub former_rules: Vec<String>,
    /// The rule's name.
    pub title: String,
    /// The scanner's message about this occurrence.
    pub message: String,
    /// The severity: `critical`, `high`, `medium`, `low`, `info` or `unassigned`.
    pub severity: String,
    /// The score from 0 to 10.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// The source of the score: `cvss_v4`, `cvss_v4_bt`, `cvss_v4_be`, `cvss_v4_bte`,
    /// `cvss_v3`, `cvss_v2`, `scanner_score` or `scanner_word`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score_source: Option<String>,
    /// The scanner's word for the severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_word: Option<String>,
    /// The severity that this word means.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<String>,
    /// The scanner's word for its confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<String>,
    /// CVSS ratings.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cvss: Vec<Cvss>,
    /// The numbers of the CWE weaknesses.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cwes: Vec<u32>,
    /// The names of the vulnerability: CVE, GHSA or the vendor's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The probability of exploitation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<Epss>,
    /// True if the report says that the vulnerability is known to be exploited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_exploited: Option<bool>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<Package>,
    /// The file, as written in the report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// The first line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// The first column, counted as in the report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
    /// Further locations of the same result.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_places: Vec<Location>,
    /// The network address at which the problem was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<Endpoint>,
    /// The affected resource.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// The secret, masked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<Secret>,
    /// The code at the location.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// The SHA-256 of the scanned file, from the upload's sidecar.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_sha256: Option<String>,
    /// The scanner's general description of the rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// The scanner's advice on how to fix it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remediation: Option<String>,
    /// Links to more information.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<String>,
    /// The report's own mark of a suppressed result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed: Option<String>,
    /// The scanner's id of the result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_id: Option<String>,
    /// The tool's fingerprints of the result, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub fingerprints: BTreeMap<String, String>,
    /// Other fields of the result, by their names in the report.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, String>,
    /// The number of text fields that were cut to the limit.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cut_fields: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Consecutive lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Code {
    /// The number of the first line, counted from 1.
    pub first_line: u32,
    /// The lines.
    pub lines: Vec<String>,
}

/// A CVSS rating.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cvss {
    /// The CVSS version: `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// The vector.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vector: Option<String>,
    /// The base score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
}

/// The probability of exploitation within 30 days (EPSS).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Epss {
    /// The probability, from 0 to 1.
    pub probability: f64,
    /// The percentile, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percentile: Option<f64>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// The version in use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The package's ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// The package URL (purl).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purl: Option<String>,
    /// The versions in which the vulnerability is fixed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixed_versions: Vec<String>,
}

/// A location in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// The file.
    pub path: String,
    /// The first line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// The first column, counted as in the report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

/// A network address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// The URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub port: Option<u16>,
    /// The protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protocol: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// The parameter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
}

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Secret {
    /// A digest of the secret: equal secrets have equal digests.
    pub digest: String,
    /// The first characters; the rest is masked.
    pub masked: String,
}

impl OccurrenceItem {
    /// Makes the item of an occurrence from its finding. `path` is its path as it was compared.
    pub fn new(
        issue: IssueId,
        tracked: &TrackedOccurrence,
        first_seen: FirstSeen,
        path: Option<&str>,
        finding: Finding,
    ) -> Self {
        let severity = finding.severity().to_string();
        let line = finding.location.as_ref().and_then(|location| location.line);
        let version = finding.package.as_ref().and_then(|package| package.version.as_deref());
        let matched = tracked.found.as_ref().map(|found| Matched::new(found, finding.kind, path, line, version));
        let location = finding.location.map(Location::new);
        Self {
            id: tracked.id,
            issue,
            result: finding.result,
            bucket: if tracked.found.is_some() { Bucket::Common } else { Bucket::New },
            updated: tracked.found.as_ref().is_some_and(|found| found.stage.is_updated()),
            matched,
            carried: tracked.carried,
            first_seen,
            exemption: None,
            exemption_now: None,
            rule: finding.rule,
            former_rules: finding.former_rules,
            title: finding.title,
            message: finding.message,
            severity,
            score: finding.score.map(|scored| scored.score.as_f64()),
            score_source: finding.score.map(|scored| super::issue::enum_word(&scored.source)),
            severity_word: finding.severity_word,
            scanner_severity: finding.scanner_severity.map(|severity| severity.to_string()),
            confidence: finding.confidence,
            cvss: finding.cvss.into_iter().map(Cvss::new).collect(),
            cwes: finding.cwes,
            advisories: finding.advisories,
            epss: finding.epss.map(|epss| Epss { probability: epss.probability, percentile: epss.percentile }),
            known_exploited: finding.known_exploited,
            package: finding.package.map(Package::new),
            line: location.as_ref().and_then(|location| location.line),
            end_line: location.as_ref().and_then(|location| location.end_line),
            column: location.as_ref().and_then(|location| location.column),
            path: location.map(|location| location.path),
            other_places: finding.other_locations.into_iter().map(Location::new).collect(),
            endpoint: finding.endpoint.map(Endpoint::new),
            resource: finding.resource,
            secret: finding.secret.map(|secret| Secret { digest: secret.digest, masked: secret.masked }),
            code: finding.code.map(|code| Code { first_line: code.first_line, lines: code.lines }),
            file_sha256: finding.file_sha256,
            description: finding.description,
            remediation: finding.remediation,
            references: finding.references,
            suppressed: finding.suppressed,
            tool_id: finding.tool_id,
            fingerprints: finding.fingerprints,
            raw: finding.raw,
            cut_fields: finding.cut_fields,
        }
    }
}

impl Location {
    fn new(location: finding::Location) -> Self {
        let finding::Location { path, line, end_line, column } = location;
        Self { path, line, end_line, column }
    }
}

impl Cvss {
    fn new(cvss: finding::Cvss) -> Self {
        Self { version: cvss.version, vector: cvss.vector, score: cvss.score.map(|score| score.as_f64()) }
    }
}

impl Package {
    fn new(package: finding::Package) -> Self {
        let finding::Package { name, version, ecosystem, purl, fixed_versions } = package;
        Self { name, version, ecosystem, purl, fixed_versions }
    }
}

impl Endpoint {
    fn new(endpoint: finding::Endpoint) -> Self {
        let finding::Endpoint { url, host, port, protocol, method, parameter } = endpoint;
        Self { url, host, port, protocol, method, parameter }
    }
}
