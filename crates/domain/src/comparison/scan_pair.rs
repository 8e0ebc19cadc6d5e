//! Two scans while one is recognised in the other.

use super::contents::{ComparedScan, ScanContents};
use crate::families::Families;
use crate::grouping::PathOrVersion;
use crate::tracking::{self, Matching, Pair, Paths, Texts};
use std::collections::{BTreeMap, BTreeSet};

/// What of one scan was recognised in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    /// For each occurrence of the scan the one of the other that it is.
    pub pairs: Vec<Option<Pair>>,
    /// For each issue of the scan the one of the other that it continues.
    pub partners: Vec<Option<usize>>,
    /// Which of the scan's issues have a name that the other knows, or occurrences that it has.
    pub common: Vec<bool>,
    /// For each issue of the other the one of the scan that its occurrences belong to; absent: it is gone.
    pub successors: Vec<Option<usize>>,
}

/// Something of both scans.
#[derive(Debug, Clone, Default)]
pub struct PerScan<T> {
    /// Of the scan.
    pub current: T,
    /// Of the scan it is compared with.
    pub reference: T,
}

/// A scan and another that it is compared with.
pub struct ScanPair<'a> {
    current: &'a ScanContents,
    other: &'a ComparedScan,
    families: Families,
    matching: Matching<'a>,
    /// The occurrences whose code is to be compared.
    wanted: (Vec<usize>, Vec<usize>),
}

impl<'a> ScanPair<'a> {
    /// Recognises what needs no text.
    pub fn new(current: &'a ScanContents, other: &'a ComparedScan) -> Self {
        let everything = (vec![true; current.occurrences.len()], vec![true; other.contents.occurrences.len()]);
        Self::with(current, other, everything)
    }

    /// The same with a lineage: what the reference gave an identity is left out on both sides.
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
        let texts = |contents: &ScanContents| contents.names.iter().map(|name| name.text.clone()).collect::<Vec<_>>();
        let Paths { current: new, reference: old, file_names } = Paths::unite(&texts(current), &texts(&other.contents));
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
        let mut matching = Matching::new(here, there, file_names);
        matching.match_without_code();
        let wanted = matching.codes_needed();
        Self { current, other, families, matching, wanted }
    }

    /// The results of both reports whose code is to be compared.
    pub fn codes_needed(&self) -> PerScan<BTreeSet<u32>> {
        let results = |contents: &ScanContents, places: &[usize]| {
            places.iter().filter_map(|at| contents.occurrences.get(*at)).map(|place| place.result).collect()
        };
        let (here, there) = &self.wanted;
        PerScan { current: results(self.current, here), reference: results(&self.other.contents, there) }
    }

    /// Recognises the rest by the code of what is wanted, which is given by the place of its result in its report.
    pub fn finish(mut self, mut codes: PerScan<BTreeMap<u32, String>>) -> Matches {
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
        let pairs = self.matching.finish();

        // Issues that only a path tells apart continue as those that their occurrences went to.
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
        Matches { pairs, partners, common, successors }
    }
}
