//! An issue of a scan.

use super::{FirstSeen, IssueExemption};
use domain::comparison::{Bucket, Division};
use domain::grouping::Issue;
use domain::ids::IssueId;
use serde::{Deserialize, Serialize};

/// An issue of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssueItem {
    /// The issue's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: IssueId,
    /// The scanner's rule.
    pub rule: String,
    /// The rule's name.
    pub title: String,
    /// The scanner's message.
    pub message: String,
    /// `code`, `dependency`, `license`, `secret`, `web`, `host` or `infrastructure`.
    pub kind: String,
    /// `critical`, `high`, `medium`, `low`, `info` or `unassigned`.
    pub severity: String,
    /// The score from 0 to 10; absent if the severity is `unassigned`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// The source of the score: `cvss_v4`, `cvss_v4_bt`, `cvss_v4_be`, `cvss_v4_bte`,
    /// `cvss_v3`, `cvss_v2`, `scanner_score` or `scanner_word`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score_source: Option<String>,
    /// The severity that the scanner itself assigned, if any. `severity` may come from a CVSS score instead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<String>,
    /// The numbers of the CWE weaknesses.
    pub cwes: Vec<u32>,
    /// The names of the vulnerability: CVE, GHSA or the vendor's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The vulnerable package, with all versions that occur.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<IssuePackage>,
    /// The probability of exploitation within 30 days (EPSS), from 0 to 1, if the report contains it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<f64>,
    /// True if the report says that the vulnerability is known to be exploited.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub known_exploited: bool,
    /// Links to more information.
    pub references: Vec<String>,
    /// The names and values of the fields that identify the issue.
    pub key: Vec<KeyField>,
    /// The issue's bucket in the scan's comparison.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Bucket>"))]
    pub bucket: Bucket,
    /// The first scan with the issue.
    pub first_seen: FirstSeen,
    /// True if the whole issue was exempted when the scan was judged, so that it counts only in `IGNORED`.
    pub exempted: bool,
    /// The exemption state when the scan was judged; absent if there was no request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exemption: Option<IssueExemption>,
    /// The current exemption state. It applies to the next scan and does not change this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exemption_now: Option<IssueExemption>,
    /// The number of occurrences in each bucket.
    pub occurrences: OccurrenceTally,
}

/// The package of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssuePackage {
    /// The package's name.
    pub name: String,
    /// The package's ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// The versions in use.
    pub versions: Vec<String>,
    /// The versions in which the vulnerability is fixed.
    pub fixed_versions: Vec<String>,
}

impl IssuePackage {
    fn new(package: &domain::grouping::IssuePackage) -> Self {
        Self {
            name: package.name.clone(),
            ecosystem: package.ecosystem.clone(),
            versions: package.versions.iter().cloned().collect(),
            fixed_versions: package.fixed_versions.iter().cloned().collect(),
        }
    }
}

/// A field of an issue's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyField {
    /// The field's name.
    pub name: String,
    /// The field's value.
    pub value: String,
}

/// The number of an issue's occurrences in each bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OccurrenceTally {
    /// In the scan.
    pub total: u32,
    /// In the scan, but not in the reference scan.
    pub new: u32,
    /// In both scans.
    pub common: u32,
    /// Those of `common` whose code was edited, so that the match is uncertain.
    #[serde(default)]
    pub updated: u32,
    /// In the reference scan, but not in the scan.
    pub remediated: u32,
    /// In the reference scan, and inside a blind spot of the scan.
    #[serde(default)]
    pub not_seen: u32,
}

/// The state of an issue in a scan.
#[derive(Debug, Clone)]
pub struct IssueState {
    /// The issue's id.
    pub id: IssueId,
    /// The bucket in the scan's comparison.
    pub bucket: Bucket,
    /// The number of occurrences in each bucket; of an issue that the scan does not have, those that are remediated or
    /// not seen.
    pub division: Division,
    /// The first scan with the issue.
    pub first_seen: FirstSeen,
    /// The exemption state when the scan was judged.
    pub exemption: Option<IssueExemption>,
    /// The current exemption state.
    pub exemption_now: Option<IssueExemption>,
}

impl IssueItem {
    /// Makes the item of an issue with its state in a scan.
    pub fn new(issue: &Issue, state: IssueState) -> Self {
        let IssueState { id, bucket, division, first_seen, exemption, exemption_now } = state;
        Self {
            id,
            rule: issue.rule.clone(),
            title: issue.title.clone(),
            message: issue.message.clone(),
            kind: enum_word(&issue.kind),
            severity: issue.severity().to_string(),
            score: issue.score.map(|scored| scored.score.as_f64()),
            score_source: issue.score.map(|scored| enum_word(&scored.source)),
            scanner_severity: issue.scanner_severity.map(|severity| severity.to_string()),
            cwes: issue.cwes.iter().copied().collect(),
            advisories: issue.advisories.iter().cloned().collect(),
            package: issue.package.as_ref().map(IssuePackage::new),
            epss: issue.epss,
            known_exploited: issue.known_exploited,
            references: issue.references.iter().cloned().collect(),
            key: issue
                .key
                .pattern
                .iter()
                .zip(&issue.key.values)
                .map(|(name, value)| KeyField { name: name.clone(), value: value.clone() })
                .collect(),
            bucket,
            first_seen,
            exempted: exemption.as_ref().is_some_and(IssueExemption::is_whole),
            exemption,
            exemption_now,
            occurrences: OccurrenceTally {
                total: division.new + division.common,
                new: division.new,
                common: division.common,
                updated: division.updated,
                remediated: division.remediated,
                not_seen: division.not_seen,
            },
        }
    }
}

/// The word that serde writes for an enum's value.
pub(super) fn enum_word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}
