//! A pair of scans while one is matched to the other.

use super::contents::{ComparedScan, ScanContents};
use crate::blind_spots::{Coverage, Exchanges};
use crate::families::Families;
use crate::grouping::PathOrVersion;
use crate::tracking::{self, Matching, Pair, Paths, Texts};
use finding::BlindSpot;
use std::collections::{BTreeMap, BTreeSet};

/// The matches of one scan in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    /// For each occurrence of the current scan its match in the other.
    pub pairs: Vec<Option<Pair>>,
    /// For each issue of the current scan the issue of the other that it continues.
    pub partners: Vec<Option<usize>>,
    /// For each issue of the current scan, true if the other scan knows one of its names or has one of its occurrences.
    pub common: Vec<bool>,
    /// For each issue of the other scan the current issue that took over its occurrences; absent if it is remediated.
    pub successors: Vec<Option<usize>>,
    /// The blind spots of the current scan, to find the occurrences of the other that they cover.
    pub blind: Coverage,
}

/// One value for each of the two scans.
#[derive(Debug, Clone, Default)]
pub struct PerScan<T> {
    /// Of the current scan.
    pub current: T,
    /// Of the other scan.
    pub reference: T,
}

/// A scan and the other scan that it is matched to.
pub struct ScanPair<'a> {
    current: &'a ScanContents,
    other: &'a ComparedScan,
    families: Families,
    matching: Matching<'a>,
    /// The occurrences whose code is needed, of the current and of the other scan.
    wanted: (Vec<usize>, Vec<usize>),
}

impl<'a> ScanPair<'a> {
    /// Matches everything that can be matched without code.
    pub fn new(current: &'a ScanContents, other: &'a ComparedScan) -> Self {
        let everything = (vec![true; current.occurrences.len()], vec![true; other.contents.occurrences.len()]);
        Self::with(current, other, everything)
    }

    /// Does the same with a lineage. Occurrences that already have a match in `reference` are left out in both scans.
    pub fn of_unmatched(
        current: &'a ScanContents,
        lineage: &'a ComparedScan,
        reference: &ComparedScan,
        done: &Matches,
    ) -> Self {
        let mut taken: Vec<_> = reference.occurrences.iter().map(|identity| identity.id).collect();
        taken.sort_unstable();
        let here = done.pairs.iter().map(Option::is_none).collect();
        let there = lineage.occurrences.iter().map(|identity| taken.binary_search(&identity.id).is_err()).collect();
        Self::with(current, lineage, (here, there))
    }

    fn with(current: &'a ScanContents, other: &'a ComparedScan, (here, there): (Vec<bool>, Vec<bool>)) -> Self {
        let ids: Vec<_> = other.issues.iter().map(|identity| identity.id).collect();
        let families = Families::of(&current.issues, &other.contents.issues, &ids);
        let Paths { current: new, reference: old, names, file_names } =
            Paths::unite(&current.names, &other.contents.names);
        let side = |contents: &'a ScanContents, families: &[u32], paths, open| tracking::Side {
            places: &contents.occurrences,
            families: contents
                .owners()
                .into_iter()
                .map(|owner| families.get(owner).copied().unwrap_or(u32::MAX))
                .collect(),
            paths,
            files: contents.names.iter().map(|name: &PathOrVersion| name.file).collect(),
            open,
        };
        let here = side(current, &families.current, new, here);
        let there = side(&other.contents, &families.reference, old, there);
        let mut matching = Matching::new(here, there, names, file_names);
        matching.match_without_code();
        let wanted = matching.codes_needed();
        Self { current, other, families, matching, wanted }
    }

    /// Returns the results of both reports whose code is needed. A result is an index into its report.
    pub fn codes_needed(&self) -> PerScan<BTreeSet<u32>> {
        let results = |contents: &ScanContents, places: &[usize]| {
            places.iter().filter_map(|at| contents.occurrences.get(*at)).map(|place| place.result).collect()
        };
        let (here, there) = &self.wanted;
        PerScan { current: results(self.current, here), reference: results(&self.other.contents, there) }
    }

    /// Matches the remaining occurrences by their code. `codes` has the code of each result that was requested, `spots`
    /// are the blind spots of the current scan.
    pub fn finish(mut self, mut codes: PerScan<BTreeMap<u32, String>>, spots: &[BlindSpot]) -> Matches {
        let texts = |contents: &ScanContents, places: &[usize], codes: &mut BTreeMap<u32, String>| {
            let code = |at: usize| Some((at, codes.remove(&contents.occurrences.get(at)?.result)?));
            places.iter().copied().filter_map(code).collect()
        };
        let texts = Texts {
            current: texts(self.current, &self.wanted.0, &mut codes.current),
            reference: texts(&self.other.contents, &self.wanted.1, &mut codes.reference),
        };
        self.matching.match_by_code(&texts);
        let Families { mut partners, reference_common, current_common: mut common, current, reference } = self.families;
        let mut pairs = self.matching.finish();
        let blind = undo_moves(self.current, &self.other.contents, &mut pairs, spots);

        // Issues that differ by their path alone continue those that their occurrences came from.
        let (new_owners, old_owners) = (self.current.owners(), self.other.contents.owners());
        let mut shared: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for (pair, new) in pairs.iter().zip(&new_owners) {
            let Some(pair) = pair.filter(|pair| !pair.stage.is_updated()) else { continue };
            if let Some(old) = old_owners.get(pair.reference) {
                *shared.entry((*new, *old)).or_default() += 1;
            }
        }
        let mut most: Vec<_> = shared.iter().map(|(issues, count)| (std::cmp::Reverse(*count), *issues)).collect();
        most.sort_unstable();
        let mut continued: BTreeSet<usize> = partners.iter().copied().flatten().collect();
        for (_, (new, old)) in most {
            if let Some(common) = common.get_mut(new) {
                *common = true;
            }
            if let Some(partner) = partners.get_mut(new).filter(|partner| partner.is_none())
                && continued.insert(old)
            {
                *partner = Some(old);
            }
        }

        let mut successors = vec![None; reference_common.len()];
        for (new, old) in shared.keys() {
            if let Some(successor) = successors.get_mut(*old) {
                *successor = Some(*new);
            }
        }
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, family) in current.iter().enumerate().filter(|(at, _)| common.get(*at) == Some(&true)) {
            first.entry(*family).or_insert(at);
        }
        for ((successor, family), _) in
            successors.iter_mut().zip(&reference).zip(&reference_common).filter(|(_, common)| **common)
        {
            *successor = successor.or_else(|| first.get(family).copied());
        }
        for (new, old) in partners.iter().enumerate().filter_map(|(new, old)| Some((new, (*old)?))) {
            if let Some(successor) = successors.get_mut(old) {
                *successor = Some(new);
            }
        }
        Matches { pairs, partners, common, successors, blind }
    }
}

/// Undoes matches of occurrences that would have left a file that could not be examined: they may still be there, and
/// the match another one. Returns the extents of the blind spots.
fn undo_moves(
    current: &ScanContents,
    other: &ScanContents,
    pairs: &mut [Option<Pair>],
    spots: &[BlindSpot],
) -> Coverage {
    if spots.is_empty() {
        return Coverage::default();
    }
    let path = |contents: &'_ ScanContents, at: usize| {
        contents.occurrences.get(at).and_then(|place| contents.name(place.path)).map(str::to_owned)
    };
    let matched = pairs.iter().enumerate().filter_map(|(at, pair)| Some((at, pair.as_ref()?.reference)));
    let paths: BTreeSet<(String, String)> =
        matched.filter_map(|(at, reference)| Some((path(current, at)?, path(other, reference)?))).collect();
    let exchanges = Exchanges::of(paths.iter().map(|(current, reference)| (current.as_str(), reference.as_str())));
    let blind = Coverage::of(spots, &exchanges);
    let left: BTreeSet<&(String, String)> =
        paths.iter().filter(|(current, reference)| blind.is_left(current, reference)).collect();
    if !left.is_empty() {
        for (at, slot) in pairs.iter_mut().enumerate() {
            let Some(pair) = slot else { continue };
            let moved = path(current, at).zip(path(other, pair.reference));
            if moved.is_some_and(|moved| left.contains(&moved)) {
                *slot = None;
            }
        }
    }
    blind
}
