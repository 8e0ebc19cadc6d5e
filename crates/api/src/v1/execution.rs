//! A pipeline's run: the combined result of all scans with the same `pipeline` and `execution`.

use super::{IssueItem, ScanItem, Tally};
use domain::ids::ScanId;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A pipeline's run. A step of the pipeline is one target, variant, tool and categories. If a step has several scans,
/// one counts: of the newest attempt the one with the worst verdict, of several the newest. For a token with targets,
/// all fields refer to the scans of these targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Execution {
    /// The pipeline.
    pub pipeline: String,
    /// The run.
    pub execution: String,
    /// `fail` if a scan failed, else `undecided` if one was or a required scanner has not reported, else `pass`.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// True if the run has more than the 200 scans that are considered. Such a run never has the verdict `pass`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_scans: bool,
    /// The scanners that the project requires of the run's targets, and that have not reported.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing_scanners: Vec<MissingScanner>,
    /// The reasons of the scans that did not pass; those of failed scans come first.
    pub reasons: Vec<ExecutionReason>,
    /// The sums of the scans' output variables.
    pub variables: BTreeMap<String, String>,
    /// The sums of the scans' issues in each bucket. An issue that two scans have counts twice.
    pub issues: Tally,
    /// The sums of the scans' occurrences in each bucket.
    pub occurrences: Tally,
    /// The number of results in the scans' reports.
    pub report_results: u64,
    /// The scans that count, in the order in which they were recorded; only the newest 200 of the run are considered.
    pub scans: Vec<ScanItem>,
    /// The scans that do not count, because another scan of their step does.
    pub superseded: Vec<ScanItem>,
}

/// A scanner that is required and has not reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingScanner {
    /// The target.
    pub target: String,
    /// The variant of the target that it is missing for.
    pub variant: String,
    /// The tool.
    pub scanner: String,
}

/// A reason why a pipeline's run did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExecutionReason {
    /// The scan that did not pass.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The scan's target.
    pub target: String,
    /// The scan's tool.
    pub scanner: String,
    /// The reason.
    pub reason: String,
}

/// An issue of a scan that counts in a pipeline's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExecutionIssue {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The scan's target.
    pub target: String,
    /// The scan's variant.
    pub variant: String,
    /// The scan's tool.
    pub scanner: String,
    /// The issue, with its state in that scan.
    #[serde(flatten)]
    pub issue: IssueItem,
}
