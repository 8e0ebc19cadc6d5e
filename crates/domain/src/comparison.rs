//! Compares a scan with its reference scan: sorts issues and occurrences into new, common and remediated, and gives
//! them ids.
//! A matched issue keeps the id that it had, and so does a matched occurrence. What the reference scan (a baseline)
//! does not have may still be in the variant's own previous scan, its *lineage*: then it is new, but keeps that id.
//! Everything else gets an id that two variants with the same code derive alike.

mod contents;
mod not_seen;
mod origins;
mod remainder;
mod scan_pair;

pub use contents::{ComparedScan, Identified, IssueIndex, JoinedScan, ScanContents};
pub use not_seen::{NotSeenIssue, NotSeenOccurrence, Source};
pub use origins::Origin;
pub use remainder::Remainder;
pub use scan_pair::{Matches, PerScan, ScanPair};

use crate::digest::Short;
use crate::ids::{IssueId, OccurrenceId, TargetId};
use crate::serde_skip::is_default;
use crate::signature::Signatures;
use crate::tracking::{ComparableOccurrence, Confidence, Pair, Stage};
use crate::word_enum::word_enum;
use finding::severity::Severity;
use not_seen::NotSeen;
use origins::Origins;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

word_enum! {
    /// The result of the comparison for an issue or occurrence.
    #[derive(PartialOrd, Ord)]
    pub enum Bucket: "a bucket" {
        /// Only in the scan itself.
        New = "new",
        /// In both scans.
        Common = "common",
        /// Only in the reference scan.
        Remediated = "remediated",
        /// Only in an earlier scan, and inside a blind spot of this one: nobody knows if it is remediated.
        NotSeen = "not_seen",
    }
}

/// Numbers of an issue's occurrences by bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// Occurrences that only the scan itself has.
    pub new: u32,
    /// Occurrences that were matched in the reference scan.
    pub common: u32,
    /// Those of the common ones that were matched although their code was edited. Such a match is uncertain.
    #[serde(skip_serializing_if = "is_default", default)]
    pub updated: u32,
    /// Occurrences that only the reference scan has.
    pub remediated: u32,
    /// Occurrences of the reference scan inside a blind spot of this one.
    #[serde(skip_serializing_if = "is_default", default)]
    pub not_seen: u32,
}

/// An issue of the scan after its comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedIssue {
    /// The issue's id: the one that it had in an earlier scan, or else the one derived from its key.
    pub id: IssueId,
    /// The scan that saw the issue first, as an index into the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// New or common.
    pub bucket: Bucket,
    /// Its occurrences by bucket.
    pub division: Division,
    /// The severities of its new occurrences.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub levels_new: BTreeSet<Severity>,
    /// The severities of its updated occurrences.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub levels_updated: BTreeSet<Severity>,
}

/// An occurrence with its id. A scan's comparison stores it, and the next comparison reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedOccurrence {
    /// The id.
    pub id: OccurrenceId,
    /// The scan that saw the occurrence first, as an index into the list of origins.
    #[serde(default)]
    pub seen: u32,
    /// The match in the reference scan; absent if the occurrence is new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Box<Match>>,
    /// The stage that matched a new occurrence in the variant's own previous scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub carried: Option<Stage>,
    /// The form that the occurrence keeps, where it differs from [`form`], for example because its file was renamed. An
    /// exemption applies to an occurrence in one form. The occurrence keeps its form while certain stages match it (see
    /// [`Stage::keeps_form`]), and gets a new one when its code is edited or moves.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<Box<Short>>,
    /// The same of the [`exact_form`]. It is kept only while the exact code is the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exact: Option<Box<Short>>,
}

impl TrackedOccurrence {
    /// Returns the form of the occurrence that a reviewer judges. `place` and `path` are those of the same scan.
    pub fn form(&self, place: &ComparableOccurrence, path: Option<&str>) -> Short {
        let kept = self.exact.as_deref().copied();
        let exact = kept.or_else(|| exact_form(self.id, place, path));
        exact.unwrap_or_else(|| self.first_form(place, path))
    }

    /// Returns the form of the occurrence by the first version of forms, which exemptions of earlier versions have.
    pub fn first_form(&self, place: &ComparableOccurrence, path: Option<&str>) -> Short {
        self.form.as_deref().copied().unwrap_or_else(|| form(self.id, place, path))
    }
}

/// Derives the second version of an occurrence's [`form`]: from the exact code, in which white space that means
/// something makes a difference. Absent if the scan has none.
pub fn exact_form(id: OccurrenceId, place: &ComparableOccurrence, path: Option<&str>) -> Option<Short> {
    let Signatures { snippet, exact, .. } = place.signatures;
    let (id, path) = (id.short(), path.unwrap_or_default().as_bytes());
    // The snippet is the name of a resource, or the same code without its white space.
    Some(Short::derive("v2:form:code", &[&id.0, path, &snippet?.0, &exact?.0]))
}

/// Derives the form of an occurrence without regard to earlier scans: from its path and code (or resource and code,
/// package, address), or, without code, from its line and message. Two scans of the same code derive the same form.
/// This is the first version of forms, in which white space makes no difference.
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

/// A match of an occurrence in the reference scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The stage that found the match.
    pub stage: Stage,
    /// The confidence of the match.
    pub confidence: Confidence,
    /// The similarity of the code in percent, if it was compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<u8>,
    /// The index of the occurrence's result in the report of the reference scan.
    pub result: u32,
    /// The path in the reference scan, if it differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// The line in the reference scan, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The version of the package in the reference scan, if it differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

/// An occurrence with its path and code, to be compared with another.
#[derive(Debug, Clone, Copy)]
pub struct OccurrenceWithCode<'a> {
    /// The occurrence.
    pub place: &'a ComparableOccurrence,
    /// Its path, if it has one.
    pub path: Option<&'a str>,
    /// Its code, if it has any.
    pub code: Option<&'a str>,
}

impl<'a> OccurrenceWithCode<'a> {
    /// Returns the occurrence at an index of a scan's list.
    pub fn of(contents: &'a ScanContents, at: usize, code: Option<&'a str>) -> Option<Self> {
        let place = contents.occurrences.get(at)?;
        Some(Self { place, path: contents.name(place.path), code })
    }
}

/// An issue that only the reference scan has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemediatedIssue {
    /// Its index in the reference scan's list of issues.
    pub at: usize,
    /// Its id.
    pub id: IssueId,
    /// The scan that saw the issue first, as an index into the list of origins.
    pub seen: u32,
    /// Its occurrences that are remediated. Others may have been matched, edited, with those of another issue.
    pub occurrences: u32,
}

/// The result of a comparison. Lists are in the stored order of the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The scan's issues.
    pub issues: Vec<ComparedIssue>,
    /// The ids of the scan's occurrences.
    pub occurrences: Vec<TrackedOccurrence>,
    /// The remediated issues, in the order of the reference scan.
    pub remediated: Vec<RemediatedIssue>,
    /// The issues with occurrences that were not seen: first those that the scan does not have.
    pub not_seen: Vec<NotSeenIssue>,
    /// The number of occurrences of the reference scan that were not seen, by the index of the blind spot.
    pub not_seen_by_spot: BTreeMap<usize, u32>,
    /// The scans that saw an issue or occurrence first.
    pub origins: Vec<Origin>,
}

/// The scan that is compared.
#[derive(Debug, Clone)]
pub struct CurrentScan<'a> {
    /// Its issues and occurrences.
    pub contents: &'a ScanContents,
    /// Its target.
    pub target: TargetId,
    /// The scan itself, as the origin of what it sees first.
    pub origin: Origin,
    /// True if the scan is complete. An incomplete scan remediates nothing: it did not look at everything.
    pub complete: bool,
}

/// Another scan, and what was matched in it.
pub type MatchedScan<'a> = (&'a ComparedScan, &'a Matches);

/// Compares a scan with `reference`. Without a reference everything is new. `lineage` is the variant's own previous
/// scan, where the reference is a baseline: it provides ids and changes no bucket.
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
    let mut not_seen = NotSeen::default();
    if current.complete {
        not_seen = NotSeen::find(&issues, reference, lineage, &mut origins);
    }
    let remediated = match reference {
        Some(met) if current.complete => remediated(met, &mut issues, &mut not_seen, &mut origins),
        Some(_) | None => Vec::new(),
    };
    let not_seen_by_spot = std::mem::take(&mut not_seen.by_spot);
    let not_seen = not_seen.into_issues();
    Comparison { issues, occurrences, remediated, not_seen, not_seen_by_spot, origins: origins.finish() }
}

/// Gives the scan's issues their ids and buckets. Does not count their occurrences yet.
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
                *row = Some(Identified::new(identity.id, numbers.number(identity.seen)));
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
        let fresh = |id| Identified::new(id, 0);
        let Identified { id, seen, .. } = match row {
            Some(identity) => identity,
            None if used.insert(issue.id) => fresh(issue.id),
            // The id of the key already belongs to another issue: two names of one vulnerability have become two
            // vulnerabilities.
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

/// Gives the scan's occurrences their ids.
fn occurrences(
    current: &CurrentScan<'_>,
    reference: Option<MatchedScan<'_>>,
    lineage: Option<MatchedScan<'_>>,
    origins: &mut Origins,
) -> Vec<TrackedOccurrence> {
    let contents = current.contents;
    let mut tracked: Vec<Option<TrackedOccurrence>> = vec![None; contents.occurrences.len()];
    let mut ids: Vec<OccurrenceId> = Vec::new();
    // True for each occurrence whose exact code is that of the reference scan.
    let mut is_exact = vec![false; contents.occurrences.len()];
    for (is_reference, met) in [(true, reference), (false, lineage)] {
        let Some((other, matches)) = met else { continue };
        let mut numbers = origins.of(&other.origins);
        let slots = tracked.iter_mut().zip(&mut is_exact).zip(&contents.occurrences).zip(&matches.pairs);
        for (((slot, is_exact), place), pair) in slots {
            let Some(pair) = pair else { continue };
            let Some(identity) = other.occurrences.get(pair.reference) else { continue };
            let kept = kept_forms(identity, contents, place, &other.contents, pair);
            match slot {
                // Edited since the baseline, but not since the variant's own previous scan: it keeps the forms of that
                // one.
                Some(tracked_already) if tracked_already.id == identity.id => {
                    if tracked_already.found.as_ref().is_some_and(|it| !it.stage.keeps_form()) {
                        tracked_already.form = kept.first;
                    }
                    if !*is_exact {
                        tracked_already.exact = kept.exact;
                    }
                }
                Some(_) => {}
                None => {
                    let found =
                        is_reference.then(|| found(contents, place, &other.contents, pair)).flatten().map(Box::new);
                    let carried = (!is_reference).then_some(pair.stage);
                    let seen = numbers.number(identity.seen);
                    *slot = Some(TrackedOccurrence {
                        id: identity.id,
                        seen,
                        found,
                        carried,
                        form: kept.first,
                        exact: kept.exact,
                    });
                    *is_exact = kept.is_exact;
                }
            }
        }
        ids.extend(other.occurrences.iter().map(|identity| identity.id));
    }
    ids.sort_unstable();
    identify_new(current, &mut tracked, &ids);
    // In place: a million occurrences need a quarter of a component's memory.
    tracked.into_iter().flatten().collect()
}

/// Gives ids to occurrences that no earlier scan has. If code is shown and no other occurrence looks the same, the id
/// is derived from target, issue, path and code, so that a branch and the branch that it is merged into use the same
/// id. Otherwise it is derived from this scan.
fn identify_new(current: &CurrentScan<'_>, tracked: &mut [Option<TrackedOccurrence>], known_ids: &[OccurrenceId]) {
    let contents = current.contents;
    let owners = contents.owners();
    let place = |at: usize| contents.occurrences.get(at).zip(owners.get(at).copied());
    let mut from = 0;
    while let Some((first, owner)) = place(from) {
        // Occurrences of one issue in one file are adjacent.
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
                *slot = Some(TrackedOccurrence { id, seen: 0, found: None, carried: None, form: None, exact: None });
            }
        }
        from = to.max(from + 1);
    }
}

/// The forms that an occurrence keeps from the matched scan, if they differ from those that it shows now.
#[derive(Default)]
struct KeptForms {
    /// The form by the first version of the rules.
    first: Option<Box<Short>>,
    /// The exact form.
    exact: Option<Box<Short>>,
    /// True if the exact code is the same.
    is_exact: bool,
}

/// Returns the forms that an occurrence keeps from the matched scan.
fn kept_forms(
    identity: &Identified<OccurrenceId>,
    here: &ScanContents,
    place: &ComparableOccurrence,
    there: &ScanContents,
    pair: &Pair,
) -> KeptForms {
    let Some(was) = there.occurrences.get(pair.reference).filter(|_| pair.stage.keeps_form()) else {
        return KeptForms::default();
    };
    // A rename is detected by code; and a resource's code, which its name does not show, must be the same.
    let (then, now) = (&was.signatures, &place.signatures);
    let shown_code = then.snippet.is_some() && now.snippet.is_some();
    if then.judged != now.judged || (pair.stage == Stage::Renamed && !shown_code) {
        return KeptForms::default();
    }
    let (path_then, path_now) = (there.name(was.path), here.name(place.path));
    let differs = |kept: Short, shown: Short| (kept != shown).then(|| Box::new(kept));
    let kept = identity.form.as_deref().copied().unwrap_or_else(|| form(identity.id, was, path_then));
    let first = differs(kept, form(identity.id, place, path_now));
    // White space makes no difference to a match. In code that was judged it does, and so does code that was not shown.
    if then.exact != now.exact {
        return KeptForms { first, ..KeptForms::default() };
    }
    let kept = identity.exact.as_deref().copied().or_else(|| exact_form(identity.id, was, path_then));
    let exact = kept.zip(exact_form(identity.id, place, path_now));
    KeptForms { first, exact: exact.and_then(|(kept, shown)| differs(kept, shown)), is_exact: true }
}

/// Describes a match, with what the occurrence was in the other scan.
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

/// Returns the remediated issues, and counts remediated occurrences of the issues that remain. What was not seen is not
/// remediated.
fn remediated(
    (other, matches): MatchedScan<'_>,
    rows: &mut [ComparedIssue],
    not_seen: &mut NotSeen,
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
        let blind = not_seen.of(at);
        let left = left.saturating_sub(blind);
        let successor = successors.get(&at).and_then(|successor| rows.get_mut(*successor));
        match (successor, not_seen.issues.get_mut(&identity.id)) {
            (Some(row), _) => {
                row.division.remediated += left;
                row.division.not_seen += blind;
            }
            (None, Some(issue)) => issue.remediated += left,
            (None, None) => {
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
