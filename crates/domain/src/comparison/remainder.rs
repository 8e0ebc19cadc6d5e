//! The remainder of a scan: what it did not see, in the form of a scan of its own, so that the next scans can match it.

use super::contents::{ComparedScan, Identified, ScanContents};
use super::not_seen::{NotSeenIssue, NotSeenOccurrence, Source};
use super::{Bucket, ComparedIssue, Division, Match, Origin, TrackedOccurrence};
use crate::grouping::{ComparableIssue, PathOrVersion};
use crate::ids::OccurrenceId;
use crate::tracking::{ComparableOccurrence, Confidence, Stage};
use finding::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// The remainder of a scan, without the texts of its issues and findings.
#[derive(Debug, Default)]
pub struct Remainder {
    /// Its issues and occurrences. The result of an occurrence is an index of `results`.
    pub contents: ScanContents,
    /// Its issues after the comparison. What the reference scan has is common; the rest is new.
    pub issues: Vec<ComparedIssue>,
    /// The identities of its occurrences.
    identities: Vec<RemainderIdentity>,
    /// The results of the earlier scans in which its findings are, in ascending order.
    pub results: Vec<(Source, u32)>,
}

/// The identity of an occurrence of a remainder.
#[derive(Debug, Clone)]
struct RemainderIdentity {
    identity: Identified<OccurrenceId>,
    is_common: bool,
}

impl Remainder {
    /// Returns the remainder of a scan with these issues that were not seen.
    pub fn of(not_seen: &[NotSeenIssue], reference: Option<&ComparedScan>, lineage: Option<&ComparedScan>) -> Self {
        let scan = |source| match source {
            Source::Reference => reference,
            Source::Lineage => lineage,
        };
        let place = |one: &NotSeenOccurrence| scan(one.source)?.contents.occurrences.get(one.at);
        let all = not_seen.iter().flat_map(|issue| &issue.occurrences);
        let mut results: Vec<_> = all.filter_map(|one| Some((one.source, place(one)?.result))).collect();
        results.sort_unstable();
        results.dedup();
        let mut names = Names::default();
        // Reserved in one step: growing by doubling would need the lists twice, and a component has little memory.
        let count = not_seen.iter().map(|issue| issue.occurrences.len()).sum();
        let mut remainder = Self { identities: Vec::with_capacity(count), ..Self::default() };
        remainder.contents.occurrences.reserve_exact(count);
        for issue in not_seen {
            let Some(described) = scan(issue.source).and_then(|scan| scan.contents.issues.get(issue.at)) else {
                continue;
            };
            let first = u32::try_from(remainder.identities.len()).unwrap_or(u32::MAX);
            let mut row = ComparedIssue {
                id: issue.id,
                seen: issue.seen,
                bucket: Bucket::New,
                division: Division { remediated: issue.remediated, ..Division::default() },
                levels_new: BTreeSet::new(),
                levels_updated: BTreeSet::new(),
            };
            for one in &issue.occurrences {
                let (Some(scan), Some(was)) = (scan(one.source), place(one)) else { continue };
                let Some(identity) = scan.occurrences.get(one.at) else { continue };
                let result = results.binary_search(&(one.source, was.result)).ok();
                let result = result.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
                let (path, version) = (names.add(&scan.contents, was.path), names.add(&scan.contents, was.version));
                remainder.contents.occurrences.push(ComparableOccurrence { result, path, version, ..*was });
                let is_common = one.source == Source::Reference;
                if is_common {
                    row.bucket = Bucket::Common;
                    row.division.common += 1;
                } else {
                    row.division.new += 1;
                    row.levels_new.insert(Severity::of(was.score));
                }
                let identity = Identified { seen: one.seen, ..identity.clone() };
                remainder.identities.push(RemainderIdentity { identity, is_common });
            }
            let occurrences = row.division.common + row.division.new;
            remainder.contents.issues.push(ComparableIssue { first, occurrences, ..described.clone() });
            remainder.issues.push(row);
        }
        remainder.contents.names = names.finish();
        remainder.results = results;
        remainder
    }

    /// Returns its occurrences after the comparison.
    pub fn occurrences(&self) -> impl Iterator<Item = TrackedOccurrence> {
        let rows = self.contents.occurrences.iter().zip(&self.identities);
        rows.map(|(place, RemainderIdentity { identity, is_common })| {
            let Identified { id, seen, form, exact } = identity.clone();
            let found = is_common.then(|| Box::new(unchanged(place)));
            TrackedOccurrence { id, seen, found, carried: None, form, exact }
        })
    }

    /// Returns the remainder as a compared scan. `origins` are those of the comparison.
    pub fn into_compared(self, origins: Vec<Origin>) -> ComparedScan {
        let issues = self.issues.iter().map(|row| Identified::new(row.id, row.seen)).collect();
        let occurrences = self.identities.into_iter().map(|row| row.identity).collect();
        ComparedScan { contents: self.contents, issues, occurrences, origins, rules: Vec::new() }
    }
}

/// A match with the reference scan of an occurrence that nobody looked at since.
fn unchanged(was: &ComparableOccurrence) -> Match {
    Match {
        stage: Stage::Context,
        confidence: Confidence::High,
        similarity: None,
        result: was.result,
        path: None,
        line: (was.line != 0).then_some(was.line),
        version: None,
    }
}

/// The paths and versions of a remainder while it is made.
#[derive(Default)]
struct Names {
    places: BTreeMap<String, u32>,
    list: Vec<PathOrVersion>,
}

impl Names {
    /// Adds the text at an index of a scan's list, and returns its index here. 0 is none.
    fn add(&mut self, contents: &ScanContents, at: u32) -> u32 {
        let named = usize::try_from(at).ok().and_then(|at| contents.names.get(at));
        let Some(named) = named.filter(|named| !named.text.is_empty()) else { return 0 };
        // The first of a scan's texts is empty.
        let next = u32::try_from(self.list.len() + 1).unwrap_or(u32::MAX);
        *self.places.entry(named.text.clone()).or_insert_with(|| {
            self.list.push(named.clone());
            next
        })
    }

    fn finish(mut self) -> Vec<PathOrVersion> {
        self.list.insert(0, PathOrVersion::default());
        self.list
    }
}
