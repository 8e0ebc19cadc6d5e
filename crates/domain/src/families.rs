//! Finds the same issues in two scans, although they may have other names in each.
//! An issue's id is derived from its key, and a key may have several names: a vulnerability its CVE and GHSA, a rule
//! its former ids. Issues that share a name, directly or through others, are one *family*. Issues that differ by their
//! path alone (secrets whose digest is not reported) are one family too, because files are renamed.

use crate::digest::Short;
use crate::grouping::ComparableIssue;
use crate::ids::IssueId;
use crate::union_find::UnionFind;
use std::collections::BTreeMap;

/// The families of two scans' issues.
#[derive(Debug, PartialEq, Eq)]
pub struct Families {
    /// The family of each issue of the current scan.
    pub current: Vec<u32>,
    /// The family of each issue of the reference scan.
    pub reference: Vec<u32>,
    /// For each issue of the current scan the issue of the reference scan that it continues, by its names.
    pub partners: Vec<Option<usize>>,
    /// For each issue of the reference scan, true if the current scan has an issue that shares a name with it, directly
    /// or through others.
    pub reference_common: Vec<bool>,
    /// For each issue of the current scan, true if the reference scan has one that shares a name with it.
    pub current_common: Vec<bool>,
}

impl Families {
    /// Finds the families. `ids` are the ids that the reference scan gave its issues.
    pub fn of(current: &[ComparableIssue], reference: &[ComparableIssue], ids: &[IssueId]) -> Self {
        let count = current.len() + reference.len();
        let mut named = UnionFind::new(count);
        let mut names: Vec<(IssueId, usize)> = Vec::with_capacity(count * 2);
        for (at, issue) in current.iter().chain(reference).enumerate() {
            names.push((issue.id, at));
            names.extend(issue.aliases.iter().map(|alias| (*alias, at)));
        }
        names.extend(ids.iter().zip(current.len()..).map(|(id, at)| (*id, at)));
        unite(&mut named, names);
        let mut families = named.clone();
        let all = current.iter().chain(reference).enumerate();
        unite(&mut families, all.filter_map(|(at, issue)| Some((issue.kin?, at))).collect::<Vec<(Short, usize)>>());

        let root = |union: &mut UnionFind, at: usize| u32::try_from(union.root(at)).unwrap_or(u32::MAX);
        let mut current_common = in_both(&mut named, current.len(), count);
        let reference_common = current_common.split_off(current.len());
        Self {
            partners: partners(current, reference, ids, &mut named),
            current: (0..current.len()).map(|at| root(&mut families, at)).collect(),
            reference: (current.len()..count).map(|at| root(&mut families, at)).collect(),
            reference_common,
            current_common,
        }
    }
}

/// The names of a scan's issues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueNames {
    /// The number of issues.
    pub issues: usize,
    /// Each id of each issue, with the issue's index.
    pub ids: Vec<(IssueId, usize)>,
}

/// Returns for each issue of two scans whether the other scan has it too, as [`Families::current_common`] and
/// [`Families::reference_common`] do.
pub fn in_both_scans(current: IssueNames, reference: IssueNames) -> (Vec<bool>, Vec<bool>) {
    let (split, count) = (current.issues, current.issues + reference.issues);
    let mut ids = current.ids;
    ids.extend(reference.ids.into_iter().map(|(id, at)| (id, split + at)));
    let mut named = UnionFind::new(count);
    unite(&mut named, ids);
    let mut current_common = in_both(&mut named, split, count);
    let reference_common = current_common.split_off(split);
    (current_common, reference_common)
}

/// Returns for each of `count` issues whether both scans have it. Issues before index `split` are the current scan's.
fn in_both(named: &mut UnionFind, split: usize, count: usize) -> Vec<bool> {
    let mut sides: BTreeMap<usize, (bool, bool)> = BTreeMap::new();
    for at in 0..count {
        let (here, there) = sides.entry(named.root(at)).or_default();
        *(if at < split { here } else { there }) = true;
    }
    (0..count).map(|at| sides.get(&named.root(at)) == Some(&(true, true))).collect()
}

/// Returns for each current issue the one that it continues: the one with the same key, else the one that was given its
/// id, else the first of its family that no other issue continues.
fn partners(
    current: &[ComparableIssue],
    reference: &[ComparableIssue],
    ids: &[IssueId],
    named: &mut UnionFind,
) -> Vec<Option<usize>> {
    let mut taken = vec![false; reference.len()];
    let mut partners = vec![None; current.len()];
    let by_key: BTreeMap<IssueId, usize> = reference.iter().enumerate().map(|(at, issue)| (issue.id, at)).collect();
    let by_id: BTreeMap<IssueId, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    for known in [by_key, by_id] {
        for (issue, partner) in current.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
            let at = known.get(&issue.id).copied();
            if let Some((at, taken)) = at.and_then(|at| Some((at, taken.get_mut(at).filter(|taken| !**taken)?))) {
                (*taken, *partner) = (true, Some(at));
            }
        }
    }
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, _) in taken.iter().enumerate().rev().filter(|(_, taken)| !**taken) {
        left.entry(named.root(current.len() + at)).or_default().push(at);
    }
    for (at, partner) in partners.iter_mut().enumerate().filter(|(_, partner)| partner.is_none()) {
        *partner = left.get_mut(&named.root(at)).and_then(Vec::pop);
    }
    partners
}

fn unite<K: Ord>(union: &mut UnionFind, mut keys: Vec<(K, usize)>) {
    keys.sort_unstable();
    for two in keys.windows(2) {
        if let [(a, x), (b, y)] = two
            && a == b
        {
            union.join(*x, *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IssueId {
        IssueId::from_bits([n; 16])
    }

    fn issue(n: u8, aliases: &[u8]) -> ComparableIssue {
        ComparableIssue {
            id: id(n),
            aliases: aliases.iter().map(|n| id(*n)).collect(),
            kin: None,
            first: 0,
            occurrences: 1,
        }
    }

    fn partners(current: &[ComparableIssue], reference: &[ComparableIssue]) -> Vec<Option<usize>> {
        let ids: Vec<_> = reference.iter().map(|issue| issue.id).collect();
        Families::of(current, reference, &ids).partners
    }

    #[test]
    fn an_issue_continues_the_one_of_its_id_then_one_that_shares_a_name() {
        assert_eq!(partners(&[issue(1, &[]), issue(2, &[])], &[issue(2, &[]), issue(3, &[])]), [None, Some(0)]);
        assert_eq!(partners(&[issue(1, &[2])], &[issue(2, &[])]), [Some(0)], "it had the other's name before");
        assert_eq!(partners(&[issue(1, &[])], &[issue(2, &[1])]), [Some(0)], "the other has this name too");
        assert_eq!(partners(&[issue(1, &[9])], &[issue(2, &[9])]), [Some(0)]);
        assert_eq!(partners(&[issue(1, &[2]), issue(2, &[])], &[issue(2, &[])]), [None, Some(0)], "its own id first");
    }

    #[test]
    fn an_issue_is_found_by_its_inherited_id() {
        let families = Families::of(&[issue(7, &[])], &[issue(2, &[])], &[id(7)]);
        assert_eq!((families.partners, families.reference_common), (vec![Some(0)], vec![true]));
    }

    #[test]
    fn split_or_united_issues_stay_one_family_with_a_known_id() {
        let ids = [id(1)];
        let split = Families::of(&[issue(1, &[]), issue(2, &[])], &[issue(1, &[2])], &ids);
        assert_eq!((split.partners.clone(), split.current_common.clone()), (vec![Some(0), None], vec![true, true]));
        assert!(split.current.iter().chain(&split.reference).all(|family| *family == split.current[0]));
        let united = Families::of(&[issue(1, &[2])], &[issue(1, &[]), issue(2, &[])], &[id(1), id(2)]);
        assert_eq!((united.partners, united.reference_common), (vec![Some(0)], vec![true, true]));
    }

    #[test]
    fn names_alone_give_the_same_families_in_either_direction() {
        let names = |issues: &[ComparableIssue]| {
            let ids = |(at, issue): (usize, &ComparableIssue)| {
                [issue.id].into_iter().chain(issue.aliases.clone()).map(move |id| (id, at)).collect::<Vec<_>>()
            };
            IssueNames { issues: issues.len(), ids: issues.iter().enumerate().flat_map(ids).collect() }
        };
        let one = [issue(1, &[]), issue(2, &[9]), issue(3, &[]), issue(4, &[5])];
        let other = [issue(9, &[]), issue(5, &[4, 6]), issue(6, &[]), issue(7, &[])];
        let ids: Vec<_> = other.iter().map(|issue| issue.id).collect();
        let families = Families::of(&one, &other, &ids);
        let (familiar, known) = in_both_scans(names(&one), names(&other));
        assert_eq!((&familiar, &known), (&families.current_common, &families.reference_common));
        assert_eq!(
            (familiar.as_slice(), known.as_slice()),
            (&[false, true, false, true][..], &[true, true, true, false][..])
        );
        assert_eq!(in_both_scans(names(&other), names(&one)), (known, familiar));
        assert_eq!(in_both_scans(names(&one), IssueNames::default()), (vec![false; 4], vec![]));
    }

    #[test]
    fn only_related_issues_share_a_family() {
        let kin = |n| ComparableIssue { kin: Some(Short([5; 16])), ..issue(n, &[]) };
        let families = Families::of(&[kin(1)], &[kin(2)], &[id(2)]);
        assert_eq!(families.current, families.reference);
        assert_eq!((families.partners, families.reference_common), (vec![None], vec![false]));
    }
}
