//! The occurrences that a scan did not see: earlier scans have them, and a blind spot of this scan covers them.

use super::contents::{ComparedScan, Identified};
use super::origins::Origins;
use super::{ComparedIssue, MatchedScan};
use crate::ids::{IssueId, OccurrenceId};
use crate::tracking::ComparableOccurrence;
use std::collections::{BTreeMap, BTreeSet};

/// The earlier scan that an occurrence is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The reference scan.
    Reference,
    /// The variant's own previous scan. The reference scan does not have the occurrence: it is new.
    Lineage,
}

/// An occurrence that was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotSeenOccurrence {
    /// The earlier scan.
    pub source: Source,
    /// The index of the occurrence in that scan.
    pub at: usize,
    /// Its first scan, as an index into the comparison's list of origins.
    pub seen: u32,
}

/// An issue with occurrences that were not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSeenIssue {
    /// The earlier scan that describes the issue.
    pub source: Source,
    /// The index of the issue in that scan.
    pub at: usize,
    /// Its id.
    pub id: IssueId,
    /// Its first scan, as an index into the comparison's list of origins.
    pub seen: u32,
    /// True if the scan has other occurrences of the issue.
    pub is_present: bool,
    /// Its occurrences that are remediated, if the issue is not present and not remediated as a whole.
    pub remediated: u32,
    /// Its occurrences that were not seen; at least one.
    pub occurrences: Vec<NotSeenOccurrence>,
}

/// The occurrences of a comparison that were not seen.
#[derive(Debug, Default)]
pub(super) struct NotSeen {
    /// By issue.
    pub(super) issues: BTreeMap<IssueId, NotSeenIssue>,
    /// The number of those of the reference scan, by the index of their issue there.
    pub(super) of_reference: BTreeMap<usize, u32>,
    /// The number of those of the reference scan, by the index of the blind spot.
    pub(super) by_spot: BTreeMap<usize, u32>,
}

impl NotSeen {
    /// Finds the unmatched occurrences of both scans that a blind spot covers.
    pub(super) fn find(
        rows: &[ComparedIssue],
        reference: Option<MatchedScan<'_>>,
        lineage: Option<MatchedScan<'_>>,
        origins: &mut Origins,
    ) -> Self {
        let mut found = Self::default();
        if [reference, lineage].into_iter().flatten().all(|(_, matches)| matches.blind.is_empty()) {
            return found;
        }
        let present: BTreeSet<IssueId> = rows.iter().map(|row| row.id).collect();
        let renamed = covered_ids(lineage);
        let mut known: Vec<OccurrenceId> = Vec::new();
        for (source, met) in [(Source::Reference, reference), (Source::Lineage, lineage)] {
            let Some((scan, matches)) = met else { continue };
            let mut matched = vec![false; scan.occurrences.len()];
            for pair in matches.pairs.iter().flatten() {
                if let Some(matched) = matched.get_mut(pair.reference) {
                    *matched = true;
                }
            }
            let mut numbers = origins.of(&scan.origins);
            let rows = scan.contents.occurrences.iter().zip(&scan.occurrences).zip(scan.contents.owners());
            for (at, ((place, row), owner)) in rows.enumerate() {
                // What both scans have is the reference scan's.
                if matched.get(at) != Some(&false)
                    || (source == Source::Lineage && known.binary_search(&row.id).is_ok())
                {
                    continue;
                }
                let spot = matches.blind.spot_of(scan.contents.name(place.path), scan.rules.get(owner));
                // The branch may have renamed the file before it could not be read.
                let under_another_name = || {
                    let at = renamed.binary_search_by_key(&row.id, |(id, _)| *id).ok()?;
                    renamed.get(at).map(|(_, spot)| *spot)
                };
                let Some(spot) = spot.or_else(under_another_name) else { continue };
                let Some(issue) = scan.issues.get(owner) else { continue };
                let occurrence = NotSeenOccurrence { source, at, seen: numbers.number(row.seen) };
                let seen = numbers.number(issue.seen);
                let entry = found.issues.entry(issue.id).or_insert_with(|| NotSeenIssue {
                    source,
                    at: owner,
                    id: issue.id,
                    seen,
                    is_present: present.contains(&issue.id),
                    remediated: 0,
                    occurrences: Vec::new(),
                });
                entry.occurrences.push(occurrence);
                if source == Source::Reference {
                    *found.of_reference.entry(owner).or_default() += 1;
                    *found.by_spot.entry(spot).or_default() += 1;
                }
            }
            if lineage.is_some() && source == Source::Reference {
                known = ids(scan);
            }
        }
        found
    }

    /// The number of occurrences of an issue of the reference scan, by its index there.
    pub(super) fn of(&self, issue: usize) -> u32 {
        self.of_reference.get(&issue).copied().unwrap_or(0)
    }

    /// The issues: first those that the scan does not have, each part in the order of the earlier scans.
    pub(super) fn into_issues(self) -> Vec<NotSeenIssue> {
        let mut issues: Vec<NotSeenIssue> = self.issues.into_values().collect();
        issues.sort_by_key(|issue| (issue.is_present, issue.source, issue.at));
        issues
    }
}

/// Returns the sorted ids of the occurrences of a scan that a blind spot covers, each with the index of the blind spot.
fn covered_ids(scan: Option<MatchedScan<'_>>) -> Vec<(OccurrenceId, usize)> {
    let Some((scan, matches)) = scan.filter(|(_, matches)| !matches.blind.is_empty()) else { return Vec::new() };
    let rows = scan.contents.occurrences.iter().zip(&scan.occurrences).zip(scan.contents.owners());
    let spot = |((place, row), owner): ((&ComparableOccurrence, &Identified<OccurrenceId>), usize)| {
        Some((row.id, matches.blind.spot_of(scan.contents.name(place.path), scan.rules.get(owner))?))
    };
    let mut ids: Vec<_> = rows.filter_map(spot).collect();
    ids.sort_unstable();
    ids
}

/// Returns the sorted ids of a scan's occurrences.
fn ids(scan: &ComparedScan) -> Vec<OccurrenceId> {
    let mut ids: Vec<_> = scan.occurrences.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests;
