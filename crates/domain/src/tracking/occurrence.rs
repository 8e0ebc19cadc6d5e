//! Occurrences as the matcher reads them.

use crate::signature::Signatures;
use finding::severity::Score;
use serde::Deserialize;

/// An occurrence as the matcher reads it: a part of an [`Occurrence`](crate::grouping::Occurrence) as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ComparableOccurrence {
    /// The index of its result in the report.
    pub result: u32,
    /// Its path, as an index into the scan's list of paths and versions.
    #[serde(default)]
    pub path: u32,
    /// Its line, which decides among equal ones. 0 if it has none.
    #[serde(default)]
    pub line: u32,
    /// The version of its package, as an index into the scan's list of paths and versions.
    #[serde(default)]
    pub version: u32,
    /// Its score.
    #[serde(default)]
    pub score: Option<Score>,
    /// The hashes that it is matched by.
    pub signatures: Signatures,
}
