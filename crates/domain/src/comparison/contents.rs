//! The issues and occurrences of a scan, as a comparison reads them.

use super::origins::Origin;
use crate::digest::Short;
use crate::grouping::{ComparableIssue, PathOrVersion};
use crate::ids::{IssueId, OccurrenceId};
use crate::tracking::ComparableOccurrence;
use serde::Deserialize;

/// One scan's issues and occurrences, as the stages before stored them.
#[derive(Debug, Default)]
pub struct ScanContents {
    /// The issues, in their stored order.
    pub issues: Vec<ComparableIssue>,
    /// The occurrences, in the order of their issues.
    pub occurrences: Vec<ComparableOccurrence>,
    /// The paths and versions that occurrences refer to.
    pub names: Vec<PathOrVersion>,
}

impl ScanContents {
    /// Returns for each occurrence the index of its issue.
    pub(crate) fn owners(&self) -> Vec<usize> {
        let count = |issue: &ComparableIssue| usize::try_from(issue.occurrences).unwrap_or(usize::MAX);
        let all = self.issues.iter().enumerate().flat_map(|(at, issue)| std::iter::repeat_n(at, count(issue)));
        all.take(self.occurrences.len()).collect()
    }

    /// Returns the text at an index of `names`; nothing for the empty text.
    pub fn name(&self, at: u32) -> Option<&str> {
        let name = self.names.get(usize::try_from(at).ok()?)?;
        (!name.text.is_empty()).then_some(name.text.as_str())
    }
}

/// An id with its origin: a part of [`ComparedIssue`](super::ComparedIssue) or
/// [`TrackedOccurrence`](super::TrackedOccurrence) as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identified<Id> {
    /// The id.
    pub id: Id,
    /// The scan that saw it first, as an index into the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// Of an occurrence: the form that it keeps, see [`TrackedOccurrence::form`](super::TrackedOccurrence::form).
    #[serde(default)]
    pub form: Option<Box<Short>>,
}

/// A scan whose comparison is stored, with its ids in the order of its lists.
#[derive(Debug, Default)]
pub struct ComparedScan {
    /// Its issues and occurrences.
    pub contents: ScanContents,
    /// The ids of its issues.
    pub issues: Vec<Identified<IssueId>>,
    /// The ids of its occurrences.
    pub occurrences: Vec<Identified<OccurrenceId>>,
    /// The scans that saw them first.
    pub origins: Vec<Origin>,
}
