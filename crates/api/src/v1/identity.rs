//! The first scan with an issue or occurrence, and the match of an occurrence.

use domain::comparison::{Match, Origin};
use domain::explain::match_reason;
use domain::ids::ScanId;
use domain::time::Timestamp;
use domain::tracking::{Confidence, Stage};
use finding::Kind;
use serde::{Deserialize, Serialize};

/// The first scan with an issue or occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FirstSeen {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The start of its upload, RFC 3339.
    pub at: String,
    /// Its variant.
    pub variant: String,
    /// The number of whole days from the start of its upload to that of the requested scan.
    pub age_days: u64,
}

impl FirstSeen {
    /// Makes the value for a scan that was received at `received`.
    pub fn new(origin: &Origin, received: Timestamp) -> Self {
        Self {
            scan: origin.scan,
            at: origin.at.to_string(),
            variant: origin.variant.to_string(),
            age_days: origin.at.days_until(received),
        }
    }
}

/// The match of an occurrence in the reference scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matched {
    /// The stage of the matcher: `unchanged_file`, `context`, `snippet`, `renamed`, `moved`, `message`, `edited` or
    /// `counted`.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Stage>"))]
    pub stage: Stage,
    /// The certainty of the match: `high`, `medium` or `low`.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Confidence>"))]
    pub confidence: Confidence,
    /// The similarity of the code in percent; absent if it was not compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<u8>,
    /// The match in words.
    pub because: String,
    /// The position of its result in the report of the reference scan, counted from 0.
    pub result: u32,
    /// Its path in the reference scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Its line in the reference scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The version of its package in the reference scan, if it differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

impl Matched {
    /// Makes the match of an occurrence of this kind, with its current path, line and version.
    pub fn new(found: &Match, kind: Kind, path: Option<&str>, line: Option<u32>, version: Option<&str>) -> Self {
        Self {
            stage: found.stage,
            confidence: found.confidence,
            similarity: found.similarity,
            because: match_reason(kind, found, path, line, version),
            result: found.result,
            path: found.path.as_deref().or(path).map(str::to_owned),
            line: found.line,
            version: found.version.clone(),
        }
    }
}
