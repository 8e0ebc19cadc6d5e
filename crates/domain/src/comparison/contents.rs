//! The issues and occurrences of a scan, as a comparison reads them.

use super::origins::Origin;
use crate::blind_spots::RuleAndTool;
use crate::digest::Short;
use crate::grouping::{ComparableIssue, PathOrVersion};
use crate::ids::{IssueId, OccurrenceId};
use crate::tracking::ComparableOccurrence;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// The same of the exact form.
    #[serde(default)]
    pub exact: Option<Box<Short>>,
}

impl<Id> Identified<Id> {
    /// Makes one that keeps no form.
    pub(crate) fn new(id: Id, seen: u32) -> Self {
        Self { id, seen, form: None, exact: None }
    }
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
    /// The rule and tool of each issue; empty if no blind spot needs them.
    pub rules: Vec<RuleAndTool>,
}

/// A scan with its remainder: the occurrences that it did not see and that earlier scans had.
#[derive(Debug, Default)]
pub struct JoinedScan {
    /// The scan, which has the issues and occurrences of both. A result of the remainder has its number plus `results`.
    pub scan: ComparedScan,
    /// The number of results in the scan's report. Those from this number on are results of the remainder.
    pub results: u32,
    /// The number of issues of the scan itself. The others are issues that only the remainder has.
    pub own_issues: usize,
    /// For each issue that only the remainder has, its index there.
    pub remainder_issues: Vec<usize>,
}

impl JoinedScan {
    /// Joins a scan and its remainder. An issue of the remainder that the scan has too, by its id, becomes a part of
    /// that one. `results` is the number of results in the scan's report.
    pub fn new(own: ComparedScan, remainder: ComparedScan, results: u32) -> Self {
        let own_issues = own.issues.len();
        if remainder.issues.is_empty() {
            return Self { scan: own, results, own_issues, remainder_issues: Vec::new() };
        }
        let known: BTreeMap<IssueId, usize> = own.issues.iter().map(|row| row.id).zip(0..).collect();
        let mut parts: Vec<Option<usize>> = vec![None; own_issues];
        let mut remainder_issues = Vec::new();
        for (at, row) in remainder.issues.iter().enumerate() {
            match known.get(&row.id).and_then(|own| parts.get_mut(*own)) {
                Some(part) => *part = Some(at),
                None => remainder_issues.push(at),
            }
        }
        let count = u32::try_from(own.contents.names.len()).unwrap_or(u32::MAX);
        let origins = u32::try_from(own.origins.len()).unwrap_or(u32::MAX);
        let mut joined = ComparedScan { rules: own.rules.clone(), ..ComparedScan::default() };
        for (at, part) in parts.into_iter().enumerate() {
            joined.push_issue(&own, at);
            joined.push_occurrences(&own, at, Shift::default());
            if let Some(part) = part {
                joined.push_occurrences(&remainder, part, Shift { results, names: count, origins });
            }
        }
        for at in &remainder_issues {
            joined.push_issue(&remainder, *at);
            joined.rules.extend(remainder.rules.get(*at).cloned());
            if let Some(row) = joined.issues.last_mut() {
                row.seen = row.seen.saturating_add(origins);
            }
            joined.push_occurrences(&remainder, *at, Shift { results, names: count, origins });
        }
        joined.contents.names = own.contents.names;
        joined.contents.names.extend(remainder.contents.names);
        joined.origins = own.origins;
        joined.origins.extend(remainder.origins);
        Self { scan: joined, results, own_issues, remainder_issues }
    }

    /// Returns the index of an issue of the joined scan in the scan itself, or in the remainder.
    pub fn issue(&self, at: usize) -> IssueIndex {
        match at.checked_sub(self.own_issues).and_then(|at| self.remainder_issues.get(at)) {
            Some(at) => IssueIndex::Remainder(*at),
            None => IssueIndex::Own(at),
        }
    }
}

/// The index of an issue of a joined scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueIndex {
    /// Its index in the scan itself.
    Own(usize),
    /// Its index in the remainder.
    Remainder(usize),
}

/// The numbers that are added to those of a remainder.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    results: u32,
    names: u32,
    origins: u32,
}

impl Shift {
    /// Returns the index of a path or version. 0 is none in every scan.
    fn name(self, at: u32) -> u32 {
        if at == 0 { 0 } else { at.saturating_add(self.names) }
    }
}

impl ComparedScan {
    fn push_issue(&mut self, from: &Self, at: usize) {
        let first = u32::try_from(self.contents.occurrences.len()).unwrap_or(u32::MAX);
        if let Some((issue, row)) = from.contents.issues.get(at).zip(from.issues.get(at)) {
            self.contents.issues.push(ComparableIssue { first, occurrences: 0, ..issue.clone() });
            self.issues.push(row.clone());
        }
    }

    /// Adds the occurrences of an issue of another scan to the last issue of this one.
    fn push_occurrences(&mut self, from: &Self, at: usize, shift: Shift) {
        let Some(issue) = from.contents.issues.get(at) else { return };
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let range = size(issue.first)..size(issue.first).saturating_add(size(issue.occurrences));
        let places = from.contents.occurrences.get(range.clone()).unwrap_or_default();
        let tracked = from.occurrences.get(range).unwrap_or_default();
        self.contents.occurrences.extend(places.iter().map(|place| ComparableOccurrence {
            result: place.result.saturating_add(shift.results),
            path: shift.name(place.path),
            version: shift.name(place.version),
            ..*place
        }));
        let seen = |row: &Identified<OccurrenceId>| row.seen.saturating_add(shift.origins);
        self.occurrences.extend(tracked.iter().map(|row| Identified { seen: seen(row), ..row.clone() }));
        if let Some(last) = self.contents.issues.last_mut() {
            last.occurrences = last.occurrences.saturating_add(issue.occurrences);
        }
    }
}
