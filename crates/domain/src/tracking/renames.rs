//! Finds renamed files: most of what is unmatched in one file is in another file of the reference scan.

use super::side::{Row, Side, groups};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of pairs of files that a finding may vote for. Beyond it the finding says nothing.
const FILES_PRODUCT_MAX: usize = 64;
/// The weight of a vote for one pair only.
const WHOLE: u64 = 1_000;

/// The files that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// Files with the same name, in other folders.
    SameName,
    /// All files.
    AnyName,
}

/// First files that moved to another folder, then files with another name.
pub(super) const ROUNDS: [Round; 2] = [Round::SameName, Round::AnyName];

/// The votes for a pair of files.
#[derive(Debug, Default, Clone, Copy)]
struct Votes {
    /// The number of the new file's findings that are in the old one.
    findings: u64,
    /// The sum of their weights: each divided by the number of pairs that the finding votes for.
    weight: u64,
}

/// Returns the former path of each renamed file.
/// An unmatched finding votes for all pairs of files that have it, with one vote divided among them. A pair is accepted
/// if at least half of the unmatched findings of the new file are in the old one, and one of these holds: the old file
/// is gone and the new one did not exist (half a vote is enough), or it has two whole votes. The strongest pair is
/// first, and no file is used twice.
pub(super) fn find(current: &Side<'_>, reference: &Side<'_>, round: Round, file_names: &[u32]) -> BTreeMap<u32, u32> {
    let key = |row: &Row<'_>| {
        let name = match round {
            Round::SameName => usize::try_from(row.path).ok().and_then(|path| file_names.get(path)).copied(),
            Round::AnyName => None,
        };
        let signatures = &row.place.signatures;
        Some((row.family, signatures.snippet, signatures.snippet.is_none().then_some(signatures.message), name))
    };
    let (here, there) = (current.keyed(key), reference.keyed(key));
    let mut votes: BTreeMap<(u32, u32), Votes> = BTreeMap::new();
    for (here, there) in groups(here, there) {
        let (new, old) = (by_path(&here), by_path(&there));
        let pairs = new.len() * old.len();
        if FILES_PRODUCT_MAX < pairs {
            continue;
        }
        let share = WHOLE / u64::try_from(pairs).unwrap_or(WHOLE).max(1);
        for (path, count) in &new {
            for former in old.keys().filter(|former| *former != path) {
                let votes = votes.entry((*path, *former)).or_default();
                votes.findings += count;
                votes.weight += count * share;
            }
        }
    }
    let left = by_path(&current.rows().collect::<Vec<_>>());
    let (here_now, there_before) = (current.occupied(), reference.occupied());
    let mut accepted: Vec<_> = votes
        .into_iter()
        .filter(|((path, former), votes)| {
            let both = here_now.contains(former) || there_before.contains(path);
            let enough = left.get(path).is_some_and(|left| *left <= votes.findings * 2);
            let weight = if both { 2 * WHOLE } else { WHOLE / 2 };
            enough && weight <= votes.weight
        })
        .collect();
    accepted.sort_by_key(|(pair, votes)| (std::cmp::Reverse((votes.weight, votes.findings)), *pair));
    let mut renamed = BTreeMap::new();
    let mut used = BTreeSet::new();
    for ((path, former), _) in accepted {
        if !renamed.contains_key(&path) && used.insert(former) {
            renamed.insert(path, former);
        }
    }
    renamed
}

fn by_path(rows: &[Row<'_>]) -> BTreeMap<u32, u64> {
    let mut paths = BTreeMap::new();
    for row in rows {
        *paths.entry(row.path).or_default() += 1;
    }
    paths
}
