//! What a scan found, as the stages before a comparison stored it.

use super::origins::Origin;
use crate::digest::Short;
use crate::grouping::{ComparableIssue, PathOrVersion};
use crate::ids::{IssueId, OccurrenceId};
use crate::tracking::ComparableOccurrence;
use serde::Deserialize;

/// One scan's issues and occurrences, as the stages before stored them.
#[derive(Debug, Default)]
pub struct ScanContents {
    /// Its issues, in their stored order.
    pub issues: Vec<ComparableIssue>,
    /// Its occurrences, in the order of their issues.
    pub occurrences: Vec<ComparableOccurrence>,
    /// The paths and versions that occurrences have.
    pub names: Vec<PathOrVersion>,
}

impl ScanContents {
    /// For each occurrence the place of its issue in the list of issues.
    pub(crate) fn owners(&self) -> Vec<usize> {
        let count = |issue: &ComparableIssue| usize::try_from(issue.occurrences).unwrap_or(usize::MAX);
        let all = self.issues.iter().enumerate().flat_map(|(at, issue)| std::iter::repeat_n(at, count(issue)));
        all.take(self.occurrences.len()).collect()
    }

    /// The text of one of its names; nothing for the empty one.
    pub fn name(&self, at: u32) -> Option<&str> {
        let name = self.names.get(usize::try_from(at).ok()?)?;
        (!name.text.is_empty()).then_some(name.text.as_str())
    }
}

/// What goes by an id since when: a part of [`ComparedIssue`](super::ComparedIssue) and [`TrackedOccurrence`](super::TrackedOccurrence) as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identified<Id> {
    /// The id.
    pub id: Id,
    /// Which scan saw it first: a place in the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// Of an occurrence: the form that it had kept, see [`TrackedOccurrence::form`](super::TrackedOccurrence::form).
    #[serde(default)]
    pub form: Option<Box<Short>>,
}

/// A scan that was compared before, with its identities, in the order of its lists.
#[derive(Debug, Default)]
pub struct ComparedScan {
    /// What it found.
    pub contents: ScanContents,
    /// The identities of its issues.
    pub issues: Vec<Identified<IssueId>>,
    /// The identities of its occurrences.
    pub occurrences: Vec<Identified<OccurrenceId>>,
    /// The scans that saw them first.
    pub origins: Vec<Origin>,
}
