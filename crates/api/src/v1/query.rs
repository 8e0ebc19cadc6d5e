//! What is asked of a scan's issues: a page of them, how two scans differ, and where else an issue occurs.

use super::{IssueItem, Scan, Tally};
use domain::comparison::Bucket;
use domain::ids::ScanId;
use serde::{Deserialize, Serialize};

/// A page of a scan's issues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssuesPage {
    /// The issues.
    pub items: Vec<IssueItem>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// How many there are on all pages; absent where a text was looked for, which is not counted to the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
}

/// How two scans of a target differ, with a page of their issues: the new ones, then the common, then the remediated,
/// the worst first among each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanComparison {
    /// The scan that is looked at.
    pub scan: Scan,
    /// The one that it is compared with.
    pub other: Scan,
    /// Whether one tool wrote both reports; another's issues are never the same.
    pub same_tool: bool,
    /// Whether `scan` is complete; if not, what is only in `other` may be there and was not looked at.
    pub scan_complete: bool,
    /// Whether `other` is complete; if not, what is only in `scan` may have been there.
    pub other_complete: bool,
    /// All issues by bucket; those of `scan` that were exempted there are in no other number.
    pub issues: Tally,
    /// All occurrences by bucket; those of `scan` that were exempted there are in no other number.
    pub occurrences: Tally,
    /// The issues.
    pub items: Vec<ComparedItem>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// An issue of two scans that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedItem {
    /// Only in `scan`, in both, or only in `other`.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Bucket>"))]
    pub bucket: Bucket,
    /// The issue as `scan` has it; one that is remediated as `other` has it. Its own bucket is relative to the scan that
    /// this one was compared with when it was uploaded.
    pub issue: IssueItem,
}

/// A target, and whether an issue occurs there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AffectedTarget {
    /// The target's name.
    pub id: String,
    /// The variant that was looked at: the target's baseline, or without one the variant that was scanned last.
    pub variant: String,
    /// The scan that was looked at: the variant's newest complete one by the tool.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// How many occurrences the issue has there.
    pub occurrences: u32,
    /// The issue's level there, `critical` to `unassigned`; absent where it does not occur.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<String>,
    /// Whether the issue occurs there.
    pub affected: bool,
}
