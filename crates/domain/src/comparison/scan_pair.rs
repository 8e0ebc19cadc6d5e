//! Two scans while one is recognised in the other.

use super::contents::{Known, Side};
use crate::families::Families;
use crate::grouping::Name;
use crate::tracking::{self, Matching, Pair, Paths, Texts};
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

/// Something of both scans.
#[derive(Debug, Clone, Default)]
pub struct Wanted<T> {
    /// Of the scan.
    pub current: T,
    /// Of the scan it is compared with.
    pub reference: T,
}

/// A scan and another that it is compared with.
pub struct Meeting<'a> {
    current: &'a Side,
    known: &'a Known,
    families: Families,
    matching: Matching<'a>,
    /// The occurrences whose code is to be compared.
    wanted: (Vec<usize>, Vec<usize>),
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
        let wanted = matching.wanted();
        Self { current, known, families, matching, wanted }
    }

    /// The results of both reports whose code is to be compared.
    pub fn wanted(&self) -> Wanted<BTreeSet<u32>> {
        let results = |side: &Side, places: &[usize]| {
            places.iter().filter_map(|at| side.occurrences.get(*at)).map(|place| place.result).collect()
        };
        let (here, there) = &self.wanted;
        Wanted { current: results(self.current, here), reference: results(&self.known.side, there) }
    }

    /// Recognises the rest by the code of what is wanted, which is given by the place of its result in its report.
    pub fn finish(mut self, mut codes: Wanted<BTreeMap<u32, String>>) -> Recognised {
        let texts = |side: &Side, places: &[usize], codes: &mut BTreeMap<u32, String>| {
            let code = |at: usize| Some((at, codes.remove(&side.occurrences.get(at)?.result)?));
            places.iter().copied().filter_map(code).collect()
        };
        let texts = Texts {
            current: texts(self.current, &self.wanted.0, &mut codes.current),
            reference: texts(&self.known.side, &self.wanted.1, &mut codes.reference),
        };
        self.matching.update(&texts);
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
