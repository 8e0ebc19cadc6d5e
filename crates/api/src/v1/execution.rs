//! The run of a pipeline: all scans that were uploaded under its names, as one.

use super::{IssueItem, ScanItem, Tally};
use domain::ids::ScanId;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The run of a pipeline. Of scans of the same target and variant by the same tool with the same categories, those of a
/// step that was run again, only the newest counts. A token for some targets sees scans of these only, and what is said of
/// the run is said of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Execution {
    /// The pipeline.
    pub pipeline: String,
    /// The run.
    pub execution: String,
    /// `fail` if a scan failed, else `undecided` if one was, else `pass`.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
    /// Whether the run has more scans than the 200 that are known of it. It passes then in no case: others may have failed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_scans: bool,
    /// Why, in the scans' own words; those that failed first.
    pub reasons: Vec<ExecutionReason>,
    /// The scans' output variables, summed.
    pub variables: BTreeMap<String, String>,
    /// Issues by bucket, summed: one that two scans have is counted twice.
    pub issues: Tally,
    /// Occurrences by bucket, summed.
    pub occurrences: Tally,
    /// The results that the scans' reports held.
    pub report_results: u64,
    /// The scans that count, in the order in which they were recorded; of at most 200 of the run, the newest.
    pub scans: Vec<ScanItem>,
    /// The scans that were made again and do not count.
    pub superseded: Vec<ScanItem>,
}

/// Why the run of a pipeline did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExecutionReason {
    /// The scan that says so.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// Its target.
    pub target: String,
    /// Its tool.
    pub scanner: String,
    /// What it says.
    pub reason: String,
}

/// An issue of one of the scans that count in the run of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExecutionIssue {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// Its target.
    pub target: String,
    /// Its variant.
    pub variant: String,
    /// Its tool.
    pub scanner: String,
    /// The issue as it stands in that scan.
    #[serde(flatten)]
    pub issue: IssueItem,
}
