//! Why an occurrence is new or common.

use super::{Comparison, FirstSeen, Matched};
use domain::comparison::{Bucket, TrackedOccurrence};
use domain::ids::{IssueId, OccurrenceId, ScanId};
use domain::scan::ScanRecord;
use domain::tracking::Stage;
use serde::{Deserialize, Serialize};

/// Why an occurrence is new or common in a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The occurrence.
    #[cfg_attr(test, schemars(with = "String"))]
    pub occurrence: OccurrenceId,
    /// The issue it belongs to.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The scanner's rule.
    pub rule: String,
    /// Where it is: path and line.
    pub place: String,
    /// What the scan was compared with.
    pub comparison: Comparison,
    /// Only here, or also in the scan compared with.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Bucket>"))]
    pub bucket: Bucket,
    /// Why, in a sentence.
    pub because: String,
    /// How it was recognised in the scan compared with; absent when it is only here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matched: Option<Matched>,
    /// The stage that recognised it in the variant's own previous scan, where it is only here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Word<Stage>>"))]
    pub carried: Option<Stage>,
    /// The scan that saw it first.
    pub first_seen: FirstSeen,
    /// The nearest occurrences of the scan compared with that are not it, and why; the nearest first.
    pub passed_over: Vec<PassedOver>,
}

/// An occurrence of the scan compared with that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PassedOver {
    /// The occurrence.
    #[cfg_attr(test, schemars(with = "String"))]
    pub occurrence: OccurrenceId,
    /// Where it was: path and line.
    pub place: String,
    /// Why it is not the one.
    pub because: String,
}

/// Why an occurrence stands where it does, in a sentence; `of_its_issue` is how many occurrences of its issue the scan
/// compared with has.
pub fn because(
    record: &ScanRecord,
    tracked: &TrackedOccurrence,
    matched: Option<&Matched>,
    of_its_issue: usize,
) -> String {
    let compared = Comparison::new(&record.reference);
    let with = match (&compared.variant, compared.with.as_str()) {
        (Some(variant), "baseline") => format!("baseline `{variant}`"),
        (_, _) => "the previous scan of this variant".to_owned(),
    };
    if let Some(matched) = matched {
        return format!("it is also in {with}: {}", matched.because);
    }
    let new = match (compared.scan, of_its_issue) {
        (None, _) => format!("there was no scan to compare with ({})", compared.with),
        (Some(_), 0) => format!("its issue is not in {with}"),
        (Some(_), 1) => format!("{with} has one occurrence of its issue, and it is not this one"),
        (Some(_), count) => format!("{with} has {count} occurrences of its issue, and none is this one"),
    };
    match tracked.carried {
        Some(_) => format!("{new}; it is known from the previous scan of this variant and keeps its id"),
        None => new,
    }
}
