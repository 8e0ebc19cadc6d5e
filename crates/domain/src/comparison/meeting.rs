//! Two scans while one is recognised in the other.

use super::{Known, Side};
use crate::families::Families;
use crate::grouping::Name;
use crate::tracking::{self, Candidate, Matching, Pair, Paths, Texts};
use std::collections::{BTreeMap, BTreeSet};

/// What of one scan was recognised in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// For each occurrence of the scan the one of the other that it is.
    pub pairs: Vec<Option<Pair>>,
    /// For each issue of the scan the one of the other that it continues.
    pub partners: Vec<Option<usize>>,
    /// Which of the scan's issues have a name that the other knows, or occurrences that it has.
    pub familiar: Vec<bool>,
    /// For each issue of the other the one of the scan that its occurrences belong to; absent: it is gone.
    pub heirs: Vec<Option<usize>>,
}

/// A scan and another that it is compared with.
pub struct Meeting<'a> {
    current: &'a Side,
    known: &'a Known,
    families: Families,
    matching: Matching<'a>,
    candidates: Vec<Candidate>,
}

impl<'a> Meeting<'a> {
    /// Recognises what needs no text.
    pub fn of(current: &'a Side, known: &'a Known) -> Self {
        let everything = (vec![true; current.occurrences.len()], vec![true; known.side.occurrences.len()]);
        Self::with(current, known, everything)
    }

    /// The same with a lineage: what the reference gave an identity is left out on both sides.
    pub fn of_the_rest(current: &'a Side, lineage: &'a Known, reference: &Known, done: &Recognised) -> Self {
        let mut taken: Vec<_> = reference.occurrences.iter().map(|identity| identity.id).collect();
        taken.sort_unstable();
        let here = done.pairs.iter().map(Option::is_none).collect();
        let there = lineage.occurrences.iter().map(|identity| taken.binary_search(&identity.id).is_err()).collect();
        Self::with(current, lineage, (here, there))
    }

    fn with(current: &'a Side, known: &'a Known, (here, there): (Vec<bool>, Vec<bool>)) -> Self {
        let ids: Vec<_> = known.issues.iter().map(|identity| identity.id).collect();
        let families = Families::of(&current.issues, &known.side.issues, &ids);
        let texts = |side: &Side| side.names.iter().map(|name| name.text.clone()).collect::<Vec<_>>();
        let Paths { current: new, reference: old, file_names } = Paths::unite(&texts(current), &texts(&known.side));
        let side = |side: &'a Side, families: &[u32], paths, open| tracking::Side {
            places: &side.occurrences,
            families: side.owners().into_iter().map(|owner| families.get(owner).copied().unwrap_or(u32::MAX)).collect(),
            paths,
            files: side.names.iter().map(|name: &Name| name.file).collect(),
            open,
        };
        let here = side(current, &families.current, new, here);
        let there = side(&known.side, &families.reference, old, there);
        let mut matching = Matching::new(here, there, file_names);
        matching.recognise();
        let candidates = matching.candidates();
        Self { current, known, families, matching, candidates }
    }

    /// The results in both reports whose code is to be compared.
    pub fn wanted(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let result = |side: &Side, at: usize| side.occurrences.get(at).map(|place| place.result);
        let here = self.candidates.iter().filter_map(|candidate| result(self.current, candidate.current));
        let there = self.candidates.iter().filter_map(|candidate| result(&self.known.side, candidate.reference));
        (here.collect(), there.collect())
    }

    /// Recognises the rest, by these texts.
    pub fn finish(mut self, texts: &Texts) -> Recognised {
        self.matching.update(&self.candidates, texts);
        let Families { mut partners, known, mut familiar, current, reference } = self.families;
        let pairs = self.matching.finish();

        // Issues that only a path tells apart continue as those that their occurrences went to.
        let (new_owners, old_owners) = (self.current.owners(), self.known.side.owners());
        let mut common: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for (pair, new) in pairs.iter().zip(&new_owners) {
            let Some(pair) = pair.filter(|pair| !pair.stage.is_updated()) else { continue };
            if let Some(old) = old_owners.get(pair.reference) {
                *common.entry((*new, *old)).or_default() += 1;
            }
        }
        let mut most: Vec<_> = common.iter().map(|(issues, count)| (std::cmp::Reverse(*count), *issues)).collect();
        most.sort_unstable();
        let mut continued: BTreeSet<usize> = partners.iter().copied().flatten().collect();
        for (_, (new, old)) in most {
            if let Some(familiar) = familiar.get_mut(new) {
                *familiar = true;
            }
            if let Some(partner) = partners.get_mut(new).filter(|partner| partner.is_none())
                && continued.insert(old)
            {
                *partner = Some(old);
            }
        }

        let mut heirs = vec![None; known.len()];
        for (new, old) in common.keys() {
            if let Some(heir) = heirs.get_mut(*old) {
                *heir = Some(*new);
            }
        }
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        for (at, family) in current.iter().enumerate().filter(|(at, _)| familiar.get(*at) == Some(&true)) {
            first.entry(*family).or_insert(at);
        }
        for ((heir, family), _) in heirs.iter_mut().zip(&reference).zip(&known).filter(|(_, known)| **known) {
            *heir = heir.or_else(|| first.get(family).copied());
        }
        for (new, old) in partners.iter().enumerate().filter_map(|(new, old)| Some((new, (*old)?))) {
            if let Some(heir) = heirs.get_mut(old) {
                *heir = Some(new);
            }
        }
        Recognised { pairs, partners, familiar, heirs }
    }
}
