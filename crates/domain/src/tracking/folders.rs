//! Finds folders that were renamed as a whole, for example the folder of the checkout: one beginning of paths is
//! exchanged for another. Unlike a [renamed file](super::renames), this needs no code, and tells files of one name
//! apart.

use super::side::Side;
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of paths of a scan that are looked at. With more, no folder is found.
const PATHS_MAX: usize = 20_000;
/// The maximum number of segments that the equal ends of two paths are compared by.
const SEGMENTS_MAX: usize = 16;
/// The maximum number of paths with the same longest end that a path votes for. With more, it says nothing.
const CHOICES_MAX: usize = 8;
/// The minimum number of files of a renamed folder. A single file is a renamed file.
const FILES_MIN: usize = 2;

/// The beginnings of two paths whose ends are equal: that of the current scan, and that of the reference scan. A
/// beginning ends with a slash, or is empty.
type Heads<'a> = (&'a str, &'a str);

/// Returns the former path of each file whose folder was renamed. `names` has the text of each path by its number.
///
/// Only paths that have unmatched occurrences and that the other scan does not have are looked at. Each path of the
/// current scan votes for the pairs of beginnings that remain when the longest end that a path of the reference scan
/// also has is removed. The pair with the most votes is accepted if
/// - at least two files have it, and they are at least half of the files under the new beginning,
/// - no file of the current scan is under the old beginning, and none of the reference scan under the new one. An empty
///   beginning is not tested: it means that one scan has paths from the root of the checkout.
pub(super) fn find(current: &Side<'_>, reference: &Side<'_>, names: &[&str]) -> BTreeMap<u32, u32> {
    // Mostly everything is matched by now.
    if current.rows().next().is_none() || reference.rows().next().is_none() {
        return BTreeMap::new();
    }
    let (here, there) = (current.occupied(), reference.occupied());
    let (new, old) = (open_paths(current, &there, names), open_paths(reference, &here, names));
    if new.len().max(old.len()) > PATHS_MAX {
        return BTreeMap::new();
    }
    let ends = ends(&old);
    let mut votes: BTreeMap<Heads<'_>, Vec<(u32, u32)>> = BTreeMap::new();
    for (number, path) in &new {
        for (former, head, former_head) in with_the_longest_end(path, &ends) {
            votes.entry((head, former_head)).or_default().push((*number, former));
        }
    }
    let best = votes.into_iter().max_by_key(|(heads, files)| (files.len(), std::cmp::Reverse(*heads)));
    let Some(((head, former_head), files)) = best else { return BTreeMap::new() };
    let is_under = |head: &str, number: &u32| !head.is_empty() && text(names, *number).starts_with(head);
    let is_gone = !here.iter().any(|number| is_under(former_head, number));
    let is_new = !there.iter().any(|number| is_under(head, number));
    let under_head = new.iter().filter(|(_, path)| path.starts_with(head)).count();
    let most = files.len() >= FILES_MIN && files.len() * 2 >= under_head;
    if is_gone && is_new && most { files.into_iter().collect() } else { BTreeMap::new() }
}

/// Returns the number and text of each path that has unmatched occurrences and is not among `others`.
fn open_paths<'a>(side: &Side<'_>, others: &BTreeSet<u32>, names: &[&'a str]) -> BTreeMap<u32, &'a str> {
    let open = side.rows().map(|row| row.path).filter(|path| !others.contains(path));
    open.map(|path| (path, text(names, path))).filter(|(_, path)| !path.is_empty()).collect()
}

fn text<'a>(names: &[&'a str], number: u32) -> &'a str {
    usize::try_from(number).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

/// The ends of a path in whole segments, the longest first; the longest ones of a very deep path are left out.
fn ends_of(path: &str) -> Vec<&str> {
    let starts = path.rmatch_indices('/').map(|(at, _)| at + 1).take(SEGMENTS_MAX);
    let mut ends: Vec<&str> = starts.filter_map(|start| path.get(start..)).collect();
    if ends.len() < SEGMENTS_MAX {
        ends.push(path);
    }
    ends.retain(|end| !end.is_empty());
    ends.reverse();
    ends
}

/// Returns the ends of all paths, sorted, each with the path's number and its beginning.
fn ends<'a>(paths: &BTreeMap<u32, &'a str>) -> Vec<(&'a str, u32, &'a str)> {
    let of_path = |(number, path): (&u32, &&'a str)| {
        let (number, path) = (*number, *path);
        ends_of(path).into_iter().map(move |end| (end, number, head_of(path, end)))
    };
    let mut all: Vec<_> = paths.iter().flat_map(of_path).collect();
    all.sort_unstable();
    all
}

fn head_of<'a>(path: &'a str, end: &str) -> &'a str {
    path.strip_suffix(end).unwrap_or_default()
}

/// Returns the paths that have the longest end of `path` that any has: each with its number, and the beginnings of
/// both.
fn with_the_longest_end<'a>(path: &'a str, ends: &[(&'a str, u32, &'a str)]) -> Vec<(u32, &'a str, &'a str)> {
    for end in ends_of(path) {
        let from = ends.partition_point(|(other, ..)| *other < end);
        let same = ends.get(from..).unwrap_or_default();
        let same = same.get(..same.partition_point(|(other, ..)| *other == end)).unwrap_or_default();
        if !same.is_empty() {
            let choices = if same.len() <= CHOICES_MAX { same } else { &[] };
            return choices
                .iter()
                .map(|(_, number, former_head)| (*number, head_of(path, end), *former_head))
                .collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_path_are_whole_segments() {
        assert_eq!(ends_of("a/b/c.py"), ["a/b/c.py", "b/c.py", "c.py"]);
        assert_eq!(ends_of("/a/c.py"), ["/a/c.py", "a/c.py", "c.py"]);
        assert_eq!(ends_of("c.py"), ["c.py"]);
        assert_eq!(ends_of("a/"), ["a/"], "a path that ends with a slash has no file name");
        let deep = "d/".repeat(100) + "c.py";
        let ends = ends_of(&deep);
        assert_eq!((ends.len(), ends.last()), (SEGMENTS_MAX, Some(&"c.py")));
    }

    #[test]
    fn a_path_votes_for_those_with_its_longest_end() {
        let old: BTreeMap<u32, &str> = [(0, "/w/main/a/src/App.java"), (1, "/w/main/b/src/App.java")].into();
        let ends = ends(&old);
        let found = with_the_longest_end("/w/pr/b/src/App.java", &ends);
        assert_eq!(found, [(1, "/w/pr/", "/w/main/")]);
        assert_eq!(with_the_longest_end("c/src/App.java", &ends).len(), 2, "no path has more of it");
        assert_eq!(with_the_longest_end("Other.java", &ends), []);
    }
}
