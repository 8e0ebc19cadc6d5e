//! Lists of issues: a page of a scan's issues, the comparison of two scans, and the targets that an issue affects.

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
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// The number of issues on all pages; absent if the query has a `text`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
}

/// The comparison of two scans of a target, with a page of their issues: first the new, then the common, then the
/// remediated ones, the most severe first in each bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanComparison {
    /// The scan.
    pub scan: Scan,
    /// The scan that it is compared with.
    pub other: Scan,
    /// True if the same tool wrote both reports. Issues of different tools are never the same.
    pub same_tool: bool,
    /// True if `scan` is complete. If not, it may lack issues of `other` that still exist.
    pub scan_complete: bool,
    /// True if `other` is complete. If not, it may lack issues of `scan` that existed already.
    pub other_complete: bool,
    /// The number of all issues in each bucket. Issues that are exempted in `scan` count only in `exempted`.
    pub issues: Tally,
    /// The number of all occurrences in each bucket. Occurrences that are exempted in `scan` count only in `exempted`.
    pub occurrences: Tally,
    /// The issues.
    pub items: Vec<ComparedItem>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// An issue in the comparison of two scans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedItem {
    /// `new`: in `scan` only. `common`: in both. `remediated`: in `other` only.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Bucket>"))]
    pub bucket: Bucket,
    /// The issue with its state in `scan` or, if it is remediated, in `other`. Its own `bucket` refers to that scan's
    /// comparison at upload.
    pub issue: IssueItem,
}

/// A target with the state of an issue there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AffectedTarget {
    /// The target's name.
    pub id: String,
    /// The examined variant: the target's baseline or, without one, the variant that was scanned last.
    pub variant: String,
    /// The examined scan: the variant's newest complete one by the same tool and categories.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The number of occurrences of the issue in that scan.
    pub occurrences: u32,
    /// The issue's severity in that scan; absent if the issue does not occur.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<String>,
    /// True if the issue occurs in that scan.
    pub affected: bool,
}
