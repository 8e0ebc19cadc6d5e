//! Matches the occurrences of one scan to those of another. This is a matching of two lists, not a comparison of
//! hashes.
//! Occurrences are compared within one *family*: issues that are the same under any of their names (see
//! [`families`](crate::families)). The stages run in order, and each removes the pairs that it finds:
//!
//! | stage | what is equal | confidence |
//! |---|---|---|
//! | `unchanged_file` | the whole file, and the line | high |
//! | `context` (A) | path, message, the code and one line on either side | high |
//! | `snippet` (B) | path and the code itself | high, medium if one of several was chosen |
//! | `renamed` (C) | context or code, in a file that has most findings of another file | high or medium |
//! | `moved` (D) | distinct code and message, anywhere, equally often | medium |
//! | `message` | path and message, where a report shows no code | high on the same line, else medium |
//! | `edited` (E) | path, within 20 lines, and 60 % of the code | medium: `updated` |
//! | `counted` (F) | path and message, as often, in order; 60 % of the shorter code in the longer | low: `updated` |
//!
//! For the values that replace the code of packages, resources and addresses see [`signature`](crate::signature).
//! Among equal occurrences the order of lines decides if both scans have equally many. Otherwise those are paired first
//! that moved by as many lines as the known pairs before and after them. The others are aligned in order with the least
//! movement, where the nearest known pair in the file gives the expected movement. The order of results in a report
//! makes no difference, except among equal ones on one line.
//!
//! Cost: each stage sorts what is unmatched, `n log n`. Alignment and comparison of code have fixed budgets. Beyond
//! them they choose less well, or stop: what is not matched is new. No input makes the cost quadratic.

mod align;
mod anchors;
mod folders;
mod occurrence;
mod renames;
mod side;
mod stage;

pub use occurrence::ComparableOccurrence;
pub use side::Side;
pub use stage::{Confidence, Stage};

use crate::grouping::PathOrVersion;
use crate::signature::{containment, similarity};
use align::align;
use anchors::Anchors;
use side::{Group, Row, groups};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum movement of an edited line, besides that of the lines around it (stage E).
pub const EDITED_LINES_MAX: u32 = 20;
/// The minimum similarity of an edited line, in percent (stage E).
pub const EDITED_SIMILARITY_MIN: u8 = 60;
/// The minimum share of the shorter of two pieces of code that is in the longer one, in percent (stage F).
pub const COUNTED_CONTAINMENT_MIN: u8 = 60;
/// The maximum number of occurrences of the other scan whose code is compared with one, the nearest first.
const CANDIDATES_EACH: usize = 8;
/// The number of times that pairs found by their neighbours' movement are used to find more.
const NEIGHBOUR_ROUNDS: usize = 4;
/// The maximum number of renamed folders that are looked for.
const FOLDERS_MAX: usize = 8;
/// The maximum number of pairs of codes that are compared. What is beyond is not matched.
const CANDIDATES_MAX: usize = 50_000;
/// The maximum number of codes that are read of each scan. What is beyond is not matched.
const TEXTS_MAX: usize = 50_000;

/// A match of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The index in the reference scan's list.
    pub reference: usize,
    /// The stage that found it.
    pub stage: Stage,
    /// Its confidence.
    pub confidence: Confidence,
    /// The similarity of the code in percent, if it was compared.
    pub similarity: Option<u8>,
}

/// Two occurrences that are near each other in one file, as indices of the two lists.
struct EditCandidate {
    current: usize,
    reference: usize,
    /// The distance in lines.
    distance: u32,
}

/// A matching of two scans while it is built.
pub struct Matching<'a> {
    current: Side<'a>,
    reference: Side<'a>,
    pairs: Vec<Option<Pair>>,
    /// The path in the reference scan of each path that was renamed.
    former_paths: BTreeMap<u32, u32>,
    /// The text of each path, by its number.
    names: Vec<&'a str>,
    /// The number of the last part of each path.
    file_names: Vec<u32>,
}

/// The treatment of groups of equal keys whose sides differ in size.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unequal {
    Align,
    Leave,
}

impl<'a> Matching<'a> {
    /// Makes a matching of the open occurrences of both sides. `names` has the text of each path, and `file_names` a
    /// number for its last part.
    pub fn new(current: Side<'a>, reference: Side<'a>, names: Vec<&'a str>, file_names: Vec<u32>) -> Self {
        let (pairs, former_paths) = (vec![None; current.places.len()], BTreeMap::new());
        Self { pairs, current, reference, former_paths, names, file_names }
    }

    /// Runs all stages that need no code: A to D.
    pub fn match_without_code(&mut self) {
        self.unchanged_files();
        let own_path = |row: &Row<'_>, _| Some(row.path);
        self.by_context(Stage::Context, own_path);
        self.by_snippet(Stage::Snippet, own_path);
        for _ in 0..FOLDERS_MAX {
            if !self.renamed(&folders::find(&self.current, &self.reference, &self.names)) {
                break;
            }
        }
        for round in renames::ROUNDS {
            self.renamed(&renames::find(&self.current, &self.reference, round, &self.file_names));
        }
        self.stage(
            Stage::Moved,
            Unequal::Leave,
            |_, _, _| Confidence::Medium,
            |row, _| {
                let signatures = &row.place.signatures;
                Some((row.family, signatures.snippet.filter(|_| signatures.distinct)?, signatures.message))
            },
        );
        self.one_side_without_code();
    }

    /// Matches files that are the same on both sides: by line. The signatures must be equal too, because the hash of a
    /// file is not verified.
    fn unchanged_files(&mut self) {
        self.stage(Stage::UnchangedFile, Unequal::Leave, certain, |row, _| {
            Some((row.path, row.family, row.file?, row.place.line, row.place.signatures))
        });
        self.stage(Stage::Renamed, Unequal::Leave, certain, |row, _| {
            Some((row.family, row.file?, row.place.line, row.place.signatures))
        });
    }

    /// Runs stage A: equal code with its surroundings. `path` selects the paths to compare.
    fn by_context(&mut self, stage: Stage, path: impl Fn(&Row<'_>, Which) -> Option<u32>) {
        self.stage(stage, Unequal::Align, certain, |row, which| {
            let signatures = &row.place.signatures;
            Some((path(row, which)?, row.family, signatures.context?, signatures.message))
        });
    }

    /// Runs stage B: equal code, or equal messages where neither side has code. `path` selects the paths to compare.
    fn by_snippet(&mut self, stage: Stage, path: impl Fn(&Row<'_>, Which) -> Option<u32>) {
        let chosen = |_: &Row<'_>, _: &Row<'_>, equal: bool| if equal { Confidence::High } else { Confidence::Medium };
        self.stage(stage, Unequal::Align, chosen, |row, which| {
            Some((path(row, which)?, row.family, row.place.signatures.snippet?))
        });
        let bare = if stage == Stage::Renamed { stage } else { Stage::Message };
        self.stage(bare, Unequal::Align, same_line, |row, which| {
            let signatures = &row.place.signatures;
            let key = (path(row, which)?, row.family, signatures.message);
            signatures.snippet.is_none().then_some(key)
        });
    }

    /// Runs stage C: A and B on each renamed file and its former path. Returns true if that matched an occurrence.
    fn renamed(&mut self, found: &BTreeMap<u32, u32>) -> bool {
        if found.is_empty() {
            return false;
        }
        let open = self.current.rows().count();
        let former: BTreeSet<u32> = found.values().copied().collect();
        self.former_paths.extend(found);
        let path = |row: &Row<'_>, which| match which {
            Which::Current => found.get(&row.path).copied(),
            Which::Reference => former.contains(&row.path).then_some(row.path),
        };
        self.by_context(Stage::Renamed, path);
        self.by_snippet(Stage::Renamed, path);
        self.current.rows().count() < open
    }

    /// Matches by path and message where only one of the reports shows code.
    fn one_side_without_code(&mut self) {
        for bare in [Which::Current, Which::Reference] {
            self.stage(Stage::Message, Unequal::Align, same_line, |row, which| {
                let signatures = &row.place.signatures;
                let key = (row.path, row.family, signatures.message);
                (signatures.snippet.is_none() == (which == bare)).then_some(key)
            });
        }
    }

    /// Returns the occurrences whose code is needed, as indices of the two lists: the unmatched ones of one family in
    /// one file on both sides.
    pub fn codes_needed(&self) -> (Vec<usize>, Vec<usize>) {
        let (current, reference) = self.unmatched();
        let mut wanted = (Vec::new(), Vec::new());
        for (here, there) in groups(current, reference) {
            wanted.0.extend(here.iter().map(|row| row.at));
            wanted.1.extend(there.iter().map(|row| row.at));
        }
        wanted.0.truncate(TEXTS_MAX);
        wanted.1.truncate(TEXTS_MAX);
        wanted
    }

    /// Returns the unmatched occurrences that have code, by file and family.
    fn unmatched(&self) -> (Unmatched<'a>, Unmatched<'a>) {
        let key = |row: &Row<'_>, path: u32| row.place.signatures.code.then_some((path, row.family));
        (self.current.keyed(|row| key(row, self.former_path(row.path))), self.reference.keyed(|row| key(row, row.path)))
    }

    /// Returns pairs that may be one edited line: near each other in one file, the nearest first.
    fn candidates(&self, texts: &Texts) -> Vec<EditCandidate> {
        let anchors = self.anchors();
        let mut candidates = Vec::new();
        let (current, reference) = self.unmatched();
        let mut from = 0;
        // What has no text cannot be compared.
        for (key, row) in current.iter().filter(|(_, row)| texts.current.contains_key(&row.at)) {
            while reference.get(from).is_some_and(|(other, _)| other < key) {
                from += 1;
            }
            let same = reference.get(from..).unwrap_or_default();
            let same = same.get(..same.partition_point(|(other, _)| other == key)).unwrap_or_default();
            let line = row.line() + anchors.shift(row.path, key.0, row.line());
            for (distance, other) in nearest(same, line) {
                candidates.push(EditCandidate { current: row.at, reference: other, distance });
            }
        }
        candidates.sort_by_key(|candidate| candidate.distance);
        candidates.truncate(CANDIDATES_MAX);
        candidates
    }

    /// Runs stages E and F, with the code that [`codes_needed`](Self::codes_needed) lists.
    pub fn match_by_code(&mut self, texts: &Texts) {
        self.edited(texts);
        self.counted(texts);
    }

    /// Runs stage E, the most similar pairs first.
    fn edited(&mut self, texts: &Texts) {
        let mut alike: Vec<_> = self
            .candidates(texts)
            .into_iter()
            .filter_map(|candidate| {
                let percent =
                    similarity(texts.current.get(&candidate.current)?, texts.reference.get(&candidate.reference)?);
                (EDITED_SIMILARITY_MIN <= percent).then_some((std::cmp::Reverse(percent), candidate))
            })
            .collect();
        alike.sort_by_key(|(percent, c)| (*percent, c.distance, c.current, c.reference));
        for (std::cmp::Reverse(percent), EditCandidate { current, reference, .. }) in alike {
            self.pair(current, reference, Stage::Edited, Confidence::Medium, Some(percent));
        }
    }

    /// Runs stage F: equally many of one message in one file, in order. It is for formatters, which break lines but do
    /// not reorder them.
    fn counted(&mut self, texts: &Texts) {
        let anchors = self.anchors();
        let with_message =
            |((path, family), row): (FileKey, Row<'a>)| ((path, family, row.place.signatures.message), row);
        let (current, reference) = self.unmatched();
        let sorted = |rows: Unmatched<'a>| {
            let mut rows: Vec<_> = rows.into_iter().map(with_message).collect();
            rows.sort_by_key(|(key, _)| *key);
            rows
        };
        for (here, there) in groups(sorted(current), sorted(reference)) {
            if here.len() != there.len() {
                continue;
            }
            for (a, b) in here.iter().zip(&there) {
                let (Some(new), Some(old)) = (texts.current.get(&a.at), texts.reference.get(&b.at)) else { continue };
                let percent = containment(new, old);
                if anchors.in_order(a.path, b.path, a.line(), b.line()) && COUNTED_CONTAINMENT_MIN <= percent {
                    self.pair(a.at, b.at, Stage::Counted, Confidence::Low, Some(percent));
                }
            }
        }
    }

    /// Returns the match of each occurrence of the current scan.
    pub fn finish(self) -> Vec<Option<Pair>> {
        self.pairs
    }

    /// Returns the path that a path of the current scan had before.
    fn former_path(&self, path: u32) -> u32 {
        self.former_paths.get(&path).copied().unwrap_or(path)
    }

    fn anchors(&self) -> Anchors {
        let pairs = self.pairs.iter().enumerate().filter_map(|(at, pair)| {
            let (current, reference) = (self.current.row(at)?, self.reference.row(pair.as_ref()?.reference)?);
            Some((current, reference))
        });
        Anchors::of(pairs)
    }

    /// Pairs occurrences with equal keys: first where both sides have equally many, in order; then the others, aligned.
    fn stage<K: Ord>(
        &mut self,
        stage: Stage,
        unequal: Unequal,
        confidence: impl Fn(&Row<'_>, &Row<'_>, bool) -> Confidence,
        key: impl Fn(&Row<'_>, Which) -> Option<K>,
    ) {
        let current = self.current.keyed(|row| key(row, Which::Current));
        let reference = self.reference.keyed(|row| key(row, Which::Reference));
        let mut others: Vec<Group<'a>> = Vec::new();
        for (here, there) in groups(current, reference) {
            if here.len() != there.len() {
                others.push((here, there));
                continue;
            }
            for (a, b) in here.iter().zip(&there) {
                self.pair(a.at, b.at, stage, confidence(a, b, true), None);
            }
        }
        if others.is_empty() || unequal == Unequal::Leave {
            return;
        }
        self.as_neighbours_moved(&others, stage);
        let anchors = self.anchors();
        for (here, there) in &others {
            let here: Vec<_> = here.iter().filter(|row| self.current.is_open(row.at)).collect();
            let there: Vec<_> = there.iter().filter(|row| self.reference.is_open(row.at)).collect();
            let shifted = |row: &&Row<'_>| {
                let there = there.first().map_or(row.path, |other| other.path);
                row.line() + anchors.shift(row.path, there, row.line())
            };
            let lines: (Vec<_>, Vec<_>) =
                (here.iter().map(shifted).collect(), there.iter().map(|row| row.line()).collect());
            for (a, b) in align(&lines.0, &lines.1) {
                if let (Some(a), Some(b)) = (here.get(a), there.get(b)) {
                    // It was chosen among several, so the confidence is at most medium.
                    self.pair(a.at, b.at, stage, confidence(a, b, false).min(Confidence::Medium), None);
                }
            }
        }
    }

    /// Pairs occurrences that moved by as many lines as the known pairs before and after them. Pairs found this way are
    /// known to later rounds.
    fn as_neighbours_moved(&mut self, groups: &[Group<'a>], stage: Stage) {
        for _ in 0..NEIGHBOUR_ROUNDS {
            let anchors = self.anchors();
            let mut found = false;
            for (here, there) in groups {
                // Each of several on one line is used once.
                let mut next: BTreeMap<i64, usize> = BTreeMap::new();
                let former = there.first().map(|other| other.path);
                for row in here {
                    let expected = anchors.expected(row.path, former.unwrap_or(row.path), row.line());
                    let Some(line) = expected.filter(|_| self.current.is_open(row.at)) else { continue };
                    let at = next.entry(line).or_insert_with(|| there.partition_point(|other| other.line() < line));
                    while let Some(other) = there.get(*at).filter(|other| other.line() == line) {
                        *at += 1;
                        if self.reference.is_open(other.at) {
                            self.pair(row.at, other.at, stage, Confidence::High, None);
                            found = true;
                            break;
                        }
                    }
                }
            }
            if !found {
                break;
            }
        }
    }

    fn pair(&mut self, current: usize, reference: usize, stage: Stage, confidence: Confidence, similarity: Option<u8>) {
        let here = self.current.open.get_mut(current).filter(|open| **open);
        let there = self.reference.open.get_mut(reference).filter(|open| **open);
        if let (Some(here), Some(there), Some(pair)) = (here, there, self.pairs.get_mut(current)) {
            (*here, *there) = (false, false);
            *pair = Some(Pair { reference, stage, confidence, similarity });
        }
    }
}

/// One of the two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Current,
    Reference,
}

/// The path in the reference scan, and the family.
type FileKey = (u32, u32);
/// The unmatched occurrences of one side, by file and family.
type Unmatched<'a> = Vec<(FileKey, Row<'a>)>;

/// The code of occurrences by their index.
#[derive(Debug, Default)]
pub struct Texts {
    /// Of the current scan.
    pub current: BTreeMap<usize, String>,
    /// Of the reference scan.
    pub reference: BTreeMap<usize, String>,
}

fn certain(_: &Row<'_>, _: &Row<'_>, _: bool) -> Confidence {
    Confidence::High
}

fn same_line(a: &Row<'_>, b: &Row<'_>, equal: bool) -> Confidence {
    if equal && a.place.line == b.place.line { Confidence::High } else { Confidence::Medium }
}

/// Returns the rows nearest to a line, of rows sorted by line: their distances and indices.
fn nearest<K>(rows: &[(K, Row<'_>)], line: i64) -> Vec<(u32, usize)> {
    let middle = rows.partition_point(|(_, row)| row.line() < line);
    let from = middle.saturating_sub(CANDIDATES_EACH);
    let to = rows.len().min(middle + CANDIDATES_EACH);
    let mut near: Vec<_> = rows
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .filter_map(|(_, row)| Some((u32::try_from(row.line().abs_diff(line)).ok()?, row.at)))
        .filter(|(distance, _)| *distance <= EDITED_LINES_MAX)
        .collect();
    near.sort_unstable();
    near.truncate(CANDIDATES_EACH);
    near
}

/// The paths of two scans, numbered together.
#[derive(Debug, Default)]
pub struct Paths<'a> {
    /// The number of each path of the current scan.
    pub current: Vec<u32>,
    /// The number of each path of the reference scan.
    pub reference: Vec<u32>,
    /// The text of each path by its number.
    pub names: Vec<&'a str>,
    /// For each number of a path the number of its last part.
    pub file_names: Vec<u32>,
}

impl<'a> Paths<'a> {
    /// Numbers the paths of two scans.
    pub fn unite(current: &'a [PathOrVersion], reference: &'a [PathOrVersion]) -> Self {
        let texts = |names: &'a [PathOrVersion]| names.iter().map(|name| name.text.as_str());
        let mut all: Vec<&str> = Vec::with_capacity(current.len() + reference.len());
        all.extend(texts(current).chain(texts(reference)));
        all.sort_unstable();
        all.dedup();
        let last = |path: &&'a str| path.rsplit('/').next().unwrap_or_default();
        let files: Vec<&str> = all.iter().map(last).collect();
        let mut file_names = files.clone();
        file_names.sort_unstable();
        file_names.dedup();
        let number = |at: Result<usize, usize>| at.ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
        let of = |path| number(all.binary_search(&path));
        Self {
            current: texts(current).map(of).collect(),
            reference: texts(reference).map(of).collect(),
            file_names: files.iter().map(|file| number(file_names.binary_search(file))).collect(),
            names: all,
        }
    }
}

#[cfg(test)]
mod tests;
