//! Compares a scan with the one it is measured against: which issues and occurrences are only here, common, or gone, and
//! under which identities they go.
//!
//! An issue that is recognised goes by the id that it had; so does an occurrence. What is not recognised in the scan
//! compared with, a baseline, may still be known from the variant's own previous scan (its *lineage*): then it is new, and
//! keeps its id all the same. What is met for the first time gets an id that two variants with the same code derive alike.

mod contents;
mod origins;
mod scan_pair;

pub use contents::{ComparedScan, Identified, ScanContents};
pub use origins::Origin;
pub use scan_pair::{Matches, PerScan, ScanPair};

use crate::digest::Short;
use crate::ids::{IssueId, OccurrenceId, TargetId};
use crate::tracking::{ComparableOccurrence, Confidence, Pair, Stage};
use crate::word_enum::word_enum;
use finding::severity::Severity;
use origins::Origins;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

word_enum! {
    /// Where an issue stands relative to the scan compared with.
    #[derive(PartialOrd, Ord)]
    pub enum Bucket: "a bucket" {
        /// Only here.
        New = "new",
        /// In both.
        Common = "common",
        /// Only in the scan compared with.
        Remediated = "remediated",
    }
}

/// How an issue's occurrences divide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// Occurrences only here.
    pub new: u32,
    /// Occurrences recognised in the scan compared with.
    pub common: u32,
    /// Those of the common ones that are recognised although their code was edited: the match is doubtful.
    #[serde(skip_serializing_if = "is_default", default)]
    pub updated: u32,
    /// Occurrences of the scan compared with that are not here.
    pub remediated: u32,
}

/// One issue of the scan, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedIssue {
    /// The id it goes by: the one that it had in an earlier scan, or that of its key.
    pub id: IssueId,
    /// Which scan saw it first: a place in the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// New or common.
    pub bucket: Bucket,
    /// Its occurrences.
    pub division: Division,
    /// The levels that its new occurrences have.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub levels_new: BTreeSet<Severity>,
    /// The levels that its updated occurrences have.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub levels_updated: BTreeSet<Severity>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An occurrence with its identity, as a scan's comparison stores it and the next comparison reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedOccurrence {
    /// The identity.
    pub id: OccurrenceId,
    /// Which scan saw it first: a place in the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// How it was recognised in the scan compared with; absent if it is only here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Box<Match>>,
    /// The stage that recognised it in the variant's own previous scan, where it is only here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub carried: Option<Stage>,
    /// The form that it still has, where that is another than [`form`] makes of it: its file was renamed. Who exempts an
    /// occurrence does so in the form that it has. It keeps the form while it is recognised by stages that leave no doubt
    /// (see [`Stage::keeps_form`]), and takes another when its code is edited or goes elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<Box<Short>>,
}

impl TrackedOccurrence {
    /// The form that the occurrence has; `place` and its path are of the same scan.
    pub fn form(&self, place: &ComparableOccurrence, path: Option<&str>) -> Short {
        self.form.as_deref().copied().unwrap_or_else(|| form(self.id, place, path))
    }
}

/// The form of an occurrence that is looked at for itself: its file and code (or the resource with its code, the package,
/// the address), or where no code is shown its line and what is said of it. Two scans of the same code find the same form.
pub fn form(id: OccurrenceId, place: &ComparableOccurrence, path: Option<&str>) -> Short {
    let (id, path) = (id.short(), path.unwrap_or_default().as_bytes());
    let judged = place.signatures.judged;
    let judged = judged.as_ref().map(|judged| &judged.0[..]).unwrap_or_default();
    match place.signatures.snippet {
        Some(code) => Short::derive("v1:form:code", &[&id.0, path, &code.0, judged]),
        None => {
            let message = place.signatures.message;
            Short::derive("v1:form:line", &[&id.0, path, &message.0, &place.line.to_be_bytes()])
        }
    }
}

/// How an occurrence was recognised, and where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// By what.
    pub stage: Stage,
    /// How sure that is.
    pub confidence: Confidence,
    /// How alike the code is, in percent, where that was compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<u8>,
    /// The place of its result in the report of the scan compared with.
    pub result: u32,
    /// Its path there, if it was another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Its line there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The version of its package there, if it was another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

/// One occurrence as it is compared with another.
#[derive(Debug, Clone, Copy)]
pub struct OccurrenceWithCode<'a> {
    /// The occurrence.
    pub place: &'a ComparableOccurrence,
    /// Its path.
    pub path: Option<&'a str>,
    /// Its code, if it has any.
    pub code: Option<&'a str>,
}

impl<'a> OccurrenceWithCode<'a> {
    /// The occurrence at a place of a scan's list.
    pub fn of(contents: &'a ScanContents, at: usize, code: Option<&'a str>) -> Option<Self> {
        let place = contents.occurrences.get(at)?;
        Some(Self { place, path: contents.name(place.path), code })
    }
}

/// An issue that is gone: a place in the list of the scan compared with, and the identity that it had there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemediatedIssue {
    /// The place.
    pub at: usize,
    /// The id it went by.
    pub id: IssueId,
    /// Which scan saw it first: a place in the list of origins.
    pub seen: u32,
    /// How many of its occurrences are gone; others may have been recognised, edited, as another issue's.
    pub occurrences: u32,
}

/// The result of a comparison. Everything is in the stored order of the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The scan's issues.
    pub issues: Vec<ComparedIssue>,
    /// The identities of the scan's occurrences.
    pub occurrences: Vec<TrackedOccurrence>,
    /// The issues that are gone, in the order in which the scan compared with had them.
    pub remediated: Vec<RemediatedIssue>,
    /// The scans that saw an issue or occurrence first.
    pub origins: Vec<Origin>,
}

/// The scan that is compared.
#[derive(Debug, Clone)]
pub struct CurrentScan<'a> {
    /// What it found.
    pub contents: &'a ScanContents,
    /// Its target.
    pub target: TargetId,
    /// The scan itself, as the one that sees things first.
    pub origin: Origin,
    /// Whether it saw all that it should have. If not, it remediates nothing: what it did not look at is not gone.
    pub complete: bool,
}

/// Another scan, and what of it was recognised.
pub type MatchedScan<'a> = (&'a ComparedScan, &'a Matches);

/// Compares a scan with `reference`; without one everything is new. `lineage` is the variant's own previous scan, where
/// the reference is a baseline: it gives identities and changes no bucket.
pub fn compare(
    current: &CurrentScan<'_>,
    reference: Option<MatchedScan<'_>>,
    lineage: Option<MatchedScan<'_>>,
) -> Comparison {
    let mut origins = Origins::new(current.origin.clone());
    let mut issues = issues(current, reference, lineage, &mut origins);
    let occurrences = occurrences(current, reference, lineage, &mut origins);
    let owners = current.contents.owners();
    for ((place, tracked), owner) in current.contents.occurrences.iter().zip(&occurrences).zip(&owners) {
        let Some(row) = issues.get_mut(*owner) else { continue };
        let severity = Severity::of(place.score);
        match &tracked.found {
            None => {
                row.division.new += 1;
                row.levels_new.insert(severity);
            }
            Some(found) => {
                row.division.common += 1;
                if found.stage.is_updated() {
                    row.division.updated += 1;
                    row.levels_updated.insert(severity);
                }
            }
        }
    }
    let remediated = match reference {
        Some(met) if current.complete => remediated(met, &mut issues, &mut origins),
        Some(_) | None => Vec::new(),
    };
    Comparison { issues, occurrences, remediated, origins: origins.finish() }
}

/// The scan's issues with their ids, before their occurrences are counted.
fn issues(
    current: &CurrentScan<'_>,
    reference: Option<MatchedScan<'_>>,
    lineage: Option<MatchedScan<'_>>,
    origins: &mut Origins,
) -> Vec<ComparedIssue> {
    let mut used = BTreeSet::new();
    let mut rows: Vec<Option<Identified<IssueId>>> = vec![None; current.contents.issues.len()];
    for (other, matches) in [reference, lineage].into_iter().flatten() {
        let mut numbers = origins.of(&other.origins);
        for (row, partner) in rows.iter_mut().zip(&matches.partners) {
            let identity = partner.and_then(|at| other.issues.get(at));
            if let (None, Some(identity)) = (&row, identity)
                && used.insert(identity.id)
            {
                *row = Some(Identified { id: identity.id, seen: numbers.number(identity.seen), form: None });
            }
        }
    }
    let common_at = |at: usize| {
        let (_, matches) = reference?;
        let common = matches.partners.get(at)?.is_some() || *matches.common.get(at)?;
        common.then_some(Bucket::Common)
    };
    let rows = rows.into_iter().zip(&current.contents.issues).enumerate();
    rows.map(|(at, (row, issue))| {
        let fresh = |id| Identified { id, seen: 0, form: None };
        let Identified { id, seen, .. } = match row {
            Some(identity) => identity,
            None if used.insert(issue.id) => fresh(issue.id),
            // Another issue goes by the key's own id: a vulnerability that had two names turned out to be two.
            None => fresh(IssueId::derived("v1:issue:again", &[&current.origin.scan.short().0, &issue.id.short().0])),
        };
        ComparedIssue {
            id,
            seen,
            bucket: common_at(at).unwrap_or(Bucket::New),
            division: Division::default(),
            levels_new: BTreeSet::new(),
            levels_updated: BTreeSet::new(),
        }
    })
    .collect()
}

/// The scan's occurrences with their identities.
fn occurrences(
    current: &CurrentScan<'_>,
    reference: Option<MatchedScan<'_>>,
    lineage: Option<MatchedScan<'_>>,
    origins: &mut Origins,
) -> Vec<TrackedOccurrence> {
    let contents = current.contents;
    let mut tracked: Vec<Option<TrackedOccurrence>> = vec![None; contents.occurrences.len()];
    let mut ids: Vec<OccurrenceId> = Vec::new();
    for (is_reference, met) in [(true, reference), (false, lineage)] {
        let Some((other, matches)) = met else { continue };
        let mut numbers = origins.of(&other.origins);
        for ((slot, place), pair) in tracked.iter_mut().zip(&contents.occurrences).zip(&matches.pairs) {
            let Some(pair) = pair else { continue };
            let Some(identity) = other.occurrences.get(pair.reference) else { continue };
            let kept = kept_form(identity, contents, place, &other.contents, pair);
            match slot {
                // Edited since the baseline, and not since the variant's own previous scan: it has the form of that.
                Some(tracked_already)
                    if tracked_already.id == identity.id
                        && tracked_already.found.as_ref().is_some_and(|it| !it.stage.keeps_form()) =>
                {
                    tracked_already.form = kept;
                }
                Some(_) => {}
                None => {
                    let found =
                        is_reference.then(|| found(contents, place, &other.contents, pair)).flatten().map(Box::new);
                    let carried = (!is_reference).then_some(pair.stage);
                    let seen = numbers.number(identity.seen);
                    *slot = Some(TrackedOccurrence { id: identity.id, seen, found, carried, form: kept });
                }
            }
        }
        ids.extend(other.occurrences.iter().map(|identity| identity.id));
    }
    ids.sort_unstable();
    identify_new(current, &mut tracked, &ids);
    // In place: a million of them need a quarter of a component's memory.
    tracked.into_iter().flatten().collect()
}

/// Gives ids to what is met for the first time. Where code is shown and nothing else looks the same, the id follows from
/// target, issue, path and code, so that a branch and the one it is merged into name it alike; else from this scan alone.
fn identify_new(current: &CurrentScan<'_>, tracked: &mut [Option<TrackedOccurrence>], known_ids: &[OccurrenceId]) {
    let contents = current.contents;
    let owners = contents.owners();
    let place = |at: usize| contents.occurrences.get(at).zip(owners.get(at).copied());
    let mut from = 0;
    while let Some((first, owner)) = place(from) {
        // Occurrences of one issue in one file stand together.
        let same = |at: &usize| place(*at).is_some_and(|(next, of)| of == owner && next.path == first.path);
        let to = from + (from..).take_while(same).count();
        let open = |at: usize| tracked.get(at).is_some_and(Option::is_none);
        let context = |at: usize| place(at).and_then(|(place, _)| place.signatures.context).filter(|_| open(at));
        let mut contexts: Vec<Short> = (from..to).filter_map(context).collect();
        contexts.sort_unstable();
        let once = |context: &Short| {
            let at = contexts.partition_point(|other| other < context);
            contexts.get(at + 1) != Some(context)
        };
        let issue = contents.issues.get(owner).map(|issue| issue.id);
        let path = contents.name(first.path).unwrap_or_default();
        let fresh: Vec<(usize, OccurrenceId)> = (from..to)
            .filter(|at| open(*at))
            .filter_map(|at| {
                let by_code = context(at).filter(once).zip(issue);
                let by_code = by_code.map(|(code, issue)| OccurrenceId::of_code(current.target, issue, path, code));
                let id = by_code.filter(|id| known_ids.binary_search(id).is_err());
                Some((at, id.unwrap_or(OccurrenceId::first_seen(current.origin.scan, place(at)?.0.result))))
            })
            .collect();
        for (at, id) in fresh {
            if let Some(slot) = tracked.get_mut(at) {
                *slot = Some(TrackedOccurrence { id, seen: 0, found: None, carried: None, form: None });
            }
        }
        from = to.max(from + 1);
    }
}

/// The form that an occurrence keeps from the scan in which it was recognised, where it is not the one that it shows.
fn kept_form(
    identity: &Identified<OccurrenceId>,
    here: &ScanContents,
    place: &ComparableOccurrence,
    there: &ScanContents,
    pair: &Pair,
) -> Option<Box<Short>> {
    let was = there.occurrences.get(pair.reference).filter(|_| pair.stage.keeps_form())?;
    // A rename is told by code; and what a resource's name does not say must be the same.
    let (then, now) = (&was.signatures, &place.signatures);
    let shown_code = then.snippet.is_some() && now.snippet.is_some();
    if then.judged != now.judged || (pair.stage == Stage::Renamed && !shown_code) {
        return None;
    }
    let shown = form(identity.id, place, here.name(place.path));
    let kept = identity.form.as_deref().copied().unwrap_or_else(|| form(identity.id, was, there.name(was.path)));
    (kept != shown).then(|| Box::new(kept))
}

/// How an occurrence was recognised, and where it was.
fn found(here: &ScanContents, place: &ComparableOccurrence, there: &ScanContents, pair: &Pair) -> Option<Match> {
    let was = there.occurrences.get(pair.reference)?;
    let other = |now: u32, then: u32| {
        let name = there.name(then).filter(|name| here.name(now) != Some(*name));
        name.map(str::to_owned)
    };
    Some(Match {
        stage: pair.stage,
        confidence: pair.confidence,
        similarity: pair.similarity,
        result: was.result,
        path: other(place.path, was.path),
        line: (was.line != 0).then_some(was.line),
        version: other(place.version, was.version),
    })
}

/// The issues that are gone, after the occurrences that are gone were counted with the issues that remain.
fn remediated(
    (other, matches): MatchedScan<'_>,
    rows: &mut [ComparedIssue],
    origins: &mut Origins,
) -> Vec<RemediatedIssue> {
    let mut numbers = origins.of(&other.origins);
    let mut left: Vec<u32> = other.contents.issues.iter().map(|issue| issue.occurrences).collect();
    let owners = other.contents.owners();
    for pair in matches.pairs.iter().flatten() {
        if let Some(count) = owners.get(pair.reference).and_then(|owner| left.get_mut(*owner)) {
            *count = count.saturating_sub(1);
        }
    }
    let successors: BTreeMap<usize, usize> =
        matches.successors.iter().enumerate().filter_map(|(at, successor)| Some((at, (*successor)?))).collect();
    let mut gone = Vec::new();
    for (at, (left, identity)) in left.into_iter().zip(&other.issues).enumerate() {
        match successors.get(&at).and_then(|successor| rows.get_mut(*successor)) {
            Some(row) => row.division.remediated += left,
            None => {
                gone.push(RemediatedIssue {
                    at,
                    id: identity.id,
                    seen: numbers.number(identity.seen),
                    occurrences: left,
                });
            }
        }
    }
    gone
}

#[cfg(test)]
mod tests;
