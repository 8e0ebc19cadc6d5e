//! One of the two scans of a matching, with its occurrences grouped by keys.

use super::occurrence::ComparableOccurrence;
use crate::digest::Short;
use std::collections::BTreeSet;

/// One scan's occurrences while they are matched. Numbers of families and paths are the same on both sides.
#[derive(Debug)]
pub struct Side<'a> {
    /// The occurrences.
    pub places: &'a [ComparableOccurrence],
    /// The family of each occurrence.
    pub families: Vec<u32>,
    /// The number of each of the scan's paths.
    pub paths: Vec<u32>,
    /// The hash of the file of each path, where known.
    pub files: Vec<Option<Short>>,
    /// For each occurrence, true if it is unmatched and to be matched.
    pub open: Vec<bool>,
}

/// An open occurrence while it is sorted.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) at: usize,
    pub(super) place: &'a ComparableOccurrence,
    pub(super) family: u32,
    pub(super) path: u32,
    pub(super) file: Option<Short>,
}

impl Row<'_> {
    pub(super) fn line(&self) -> i64 {
        i64::from(self.place.line)
    }
}

impl<'a> Side<'a> {
    /// Returns the open occurrences.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        self.open.iter().enumerate().filter(|(_, open)| **open).filter_map(|(at, _)| self.row(at))
    }

    pub(super) fn row(&self, at: usize) -> Option<Row<'a>> {
        let place = self.places.get(at)?;
        let name = usize::try_from(place.path).ok()?;
        let (path, file) = (*self.paths.get(name)?, self.files.get(name).copied().flatten());
        Some(Row { at, place, family: *self.families.get(at)?, path, file })
    }

    pub(super) fn is_open(&self, at: usize) -> bool {
        self.open.get(at) == Some(&true)
    }

    /// Returns the paths that have an occurrence, matched or not.
    pub(super) fn occupied(&self) -> BTreeSet<u32> {
        let places: BTreeSet<u32> = self.places.iter().map(|place| place.path).collect();
        places.into_iter().filter_map(|name| self.paths.get(usize::try_from(name).ok()?).copied()).collect()
    }

    /// Returns the open occurrences that have a key, sorted by key and line.
    pub(super) fn keyed<K: Ord>(&self, key: impl Fn(&Row<'_>) -> Option<K>) -> Vec<(K, Row<'a>)> {
        // Reserved in one step: growing by doubling would need the list twice.
        let mut rows = Vec::with_capacity(self.rows().filter(|row| key(row).is_some()).count());
        rows.extend(self.rows().filter_map(|row| Some((key(&row)?, row))));
        rows.sort_unstable_by(|(a, x), (b, y)| (a, x.place.line, x.at).cmp(&(b, y.place.line, y.at)));
        rows
    }
}

/// Rows of both sides with the same key.
pub(super) type Group<'a> = (Vec<Row<'a>>, Vec<Row<'a>>);

/// Groups rows by key, one group at a time. Keys that only one side has are left out.
pub(super) fn groups<'a, K: Ord>(
    current: Vec<(K, Row<'a>)>,
    reference: Vec<(K, Row<'a>)>,
) -> impl Iterator<Item = Group<'a>> {
    let mut there = reference.into_iter().peekable();
    let mut here = current.into_iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let ((a, _), (b, _)) = (here.peek()?, there.peek()?);
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(here.next()),
                std::cmp::Ordering::Greater => drop(there.next()),
                std::cmp::Ordering::Equal => {
                    let ((key, first), (_, other)) = (here.next()?, there.next()?);
                    let mut group = (vec![first], vec![other]);
                    while let Some((_, row)) = here.next_if(|(next, _)| *next == key) {
                        group.0.push(row);
                    }
                    while let Some((_, row)) = there.next_if(|(next, _)| *next == key) {
                        group.1.push(row);
                    }
                    return Some(group);
                }
            }
        }
    })
}
