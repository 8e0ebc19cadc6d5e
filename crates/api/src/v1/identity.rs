//! Since when something is known, and how it was recognised.

use domain::comparison::{Match, Origin};
use domain::explain::match_reason;
use domain::ids::ScanId;
use domain::time::Timestamp;
use domain::tracking::{Confidence, Stage};
use finding::Kind;
use serde::{Deserialize, Serialize};

/// The scan that saw something first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FirstSeen {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// When its upload began, RFC 3339.
    pub at: String,
    /// Its variant.
    pub variant: String,
    /// How many whole days before the scan that is asked about.
    pub age_days: u64,
}

impl FirstSeen {
    /// Since when, as a scan received at `received` sees it.
    pub fn new(origin: &Origin, received: Timestamp) -> Self {
        Self {
            scan: origin.scan,
            at: origin.at.to_string(),
            variant: origin.variant.to_string(),
            age_days: origin.at.days_until(received),
        }
    }
}

/// How an occurrence was recognised in the scan compared with, and where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matched {
    /// The stage of the matcher: `unchanged_file`, `context`, `snippet`, `renamed`, `moved`, `message`, `edited` or
    /// `counted`.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Stage>"))]
    pub stage: Stage,
    /// How sure that is: `high`, `medium` or `low`.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Confidence>"))]
    pub confidence: Confidence,
    /// How alike the code is, in percent, where that was compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<u8>,
    /// All of this in words.
    pub because: String,
    /// The place of its result in the report of the scan compared with.
    pub result: u32,
    /// Its path there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Its line there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The version of its package there, if it was another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

impl Matched {
    /// A match of an occurrence of this kind, which now stands here.
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
