//! Occurrences, with all that their results say.

use super::{FirstSeen, Matched};
use domain::comparison::{Bucket, TrackedOccurrence};
use domain::ids::{ExemptionId, IssueId, OccurrenceId};
use domain::tracking::Stage;
use finding::{Finding, Location};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An occurrence of an issue in a scan. What a report does not say is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OccurrenceItem {
    /// The occurrence.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: OccurrenceId,
    /// The issue it belongs to.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The place of its result in the report, counted from 0.
    pub result: u32,
    /// Only here, or also in the scan compared with.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Bucket>"))]
    pub bucket: Bucket,
    /// How it was recognised in the scan compared with; absent when it is only here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matched: Option<Matched>,
    /// Whether it was recognised although it was edited, so that the match is doubtful.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub updated: bool,
    /// The stage that recognised it in the variant's own previous scan, where it is only here: it keeps its id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Word<Stage>>"))]
    pub carried: Option<Stage>,
    /// The scan that saw it first.
    pub first_seen: FirstSeen,
    /// The exemption that was in force for it at the time of the scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub exemption: Option<ExemptionId>,
    /// The exemption that is in force for it now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub exemption_now: Option<ExemptionId>,
    /// The scanner's rule, or the id under which it reports the vulnerability.
    pub rule: String,
    /// Other ids of the same rule, where the report tells them: those it had in earlier versions of the tool.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub former_rules: Vec<String>,
    /// The rule's name.
    pub title: String,
    /// What the scanner says about this place.
    pub message: String,
    /// The level of this occurrence.
    pub severity: String,
    /// Its score, from 0 to 10.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// Where the score came from: `cvss_v4`, `cvss_v3`, `cvss_v2`, `scanner_score` or `scanner_word`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score_source: Option<String>,
    /// The scanner's word for the severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_word: Option<String>,
    /// The level that this word means.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<String>,
    /// The scanner's word for its confidence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<String>,
    /// CVSS ratings.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cvss: Vec<Cvss>,
    /// Weaknesses by their CWE number.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cwes: Vec<u32>,
    /// The vulnerability's names.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The chance of exploitation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<Epss>,
    /// Whether it is known to be exploited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_exploited: Option<bool>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<Package>,
    /// The file, as the report gives it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// First line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Last line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// First column, counted as the report counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
    /// Further places of the same result.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_places: Vec<Place>,
    /// The address it was found at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub endpoint: Option<Endpoint>,
    /// The resource it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// The secret, never itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<Secret>,
    /// The code there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// SHA-256 of the file as it was scanned, where the upload came with its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_sha256: Option<String>,
    /// What the scanner says in general.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// What the scanner advises to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remediation: Option<String>,
    /// Where to read more.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<String>,
    /// How the report marks the result as suppressed, in its words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suppressed: Option<String>,
    /// The id that the scanner gave the result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_id: Option<String>,
    /// The tool's own fingerprints.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub fingerprints: BTreeMap<String, String>,
    /// Other fields of the report, by their names there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, String>,
    /// How many text fields were cut to the limit.
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
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// The vector.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vector: Option<String>,
    /// The base score.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
}

/// The chance of exploitation within 30 days (EPSS).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Epss {
    /// From 0 to 1.
    pub probability: f64,
    /// From 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percentile: Option<f64>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The version in use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// Its ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// Its package URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purl: Option<String>,
    /// Versions in which the vulnerability is mended.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixed_versions: Vec<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// The file.
    pub path: String,
    /// First line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// Last line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_line: Option<u32>,
    /// First column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u32>,
}

/// An address.
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

/// What is kept of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Secret {
    /// Tells equal secrets from different ones.
    pub digest: String,
    /// Its first characters.
    pub masked: String,
}

impl OccurrenceItem {
    /// An occurrence with the finding it comes from. `path` is its path as it was compared.
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
        let place = finding.location.map(Place::new);
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
            score_source: finding.score.map(|scored| super::word(&scored.source)),
            severity_word: finding.severity_word,
            scanner_severity: finding.scanner_severity.map(|level| level.to_string()),
            confidence: finding.confidence,
            cvss: finding.cvss.into_iter().map(Cvss::new).collect(),
            cwes: finding.cwes,
            advisories: finding.advisories,
            epss: finding.epss.map(|epss| Epss { probability: epss.probability, percentile: epss.percentile }),
            known_exploited: finding.known_exploited,
            package: finding.package.map(Package::new),
            line: place.as_ref().and_then(|place| place.line),
            end_line: place.as_ref().and_then(|place| place.end_line),
            column: place.as_ref().and_then(|place| place.column),
            path: place.map(|place| place.path),
            other_places: finding.other_locations.into_iter().map(Place::new).collect(),
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

impl Place {
    fn new(location: Location) -> Self {
        let Location { path, line, end_line, column } = location;
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
