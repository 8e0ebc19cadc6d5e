//! An occurrence as it is matched.

use crate::signature::Signatures;
use finding::severity::Score;
use serde::Deserialize;

/// What the matcher knows of one occurrence: a part of an [`Occurrence`](crate::grouping::Occurrence) as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ComparableOccurrence {
    /// The place of its result in the report.
    pub result: u32,
    /// Its path, as a place in the scan's list of names.
    #[serde(default)]
    pub path: u32,
    /// Its line; decides between equals. 0 if it has none.
    #[serde(default)]
    pub line: u32,
    /// The version of its package, as a place in the scan's list of names.
    #[serde(default)]
    pub version: u32,
    /// Its score.
    #[serde(default)]
    pub score: Option<Score>,
    /// What it is recognised by.
    pub signatures: Signatures,
}
