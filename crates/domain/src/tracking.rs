//! Recognises the occurrences of one scan in another: a matching of the two lists, not a comparison of hashes.
//!
//! Works within one issue, so within one rule. Stages, each consuming the pairs it finds:
//!
//! | stage | what is equal |
//! |---|---|
//! | `context` | path, message, the code and one line on either side |
//! | `snippet` | path and the code itself |
//! | `message` | path and message, where one of the two has no code to compare |
//!
//! Within equal ones the order of lines decides. Cost: sorting, so `n log n` whatever the input.

use crate::digest::Short;
use crate::ids::OccurrenceId;
use crate::signature::Signatures;
use serde::{Deserialize, Serialize};

/// The stage that recognised an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Path, message, code and neighbouring lines are equal.
    Context,
    /// Path and code are equal.
    Snippet,
    /// Path and message are equal, and one of the two shows no code.
    Message,
}

/// What the matcher knows of one occurrence: a part of an [`Occurrence`](crate::grouping::Occurrence) as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The place of its result in the report.
    pub result: u32,
    /// Its line; decides between equals.
    #[serde(default)]
    pub line: Option<u32>,
    /// What it is recognised by.
    pub signatures: Signatures,
}

/// One recognised occurrence: places in the two lists that were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The place in the scan's list.
    pub current: usize,
    /// The place in the list of the scan it is compared with.
    pub reference: usize,
    /// How it was recognised.
    pub stage: Stage,
}

/// An occurrence with its identity, as a scan's comparison stores it and the next comparison reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// The identity.
    pub id: OccurrenceId,
    /// Whether it is new here, with the stage that recognised it if it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stage: Option<Stage>,
    /// Where it stood in the scan compared with, when it was recognised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub was_line: Option<u32>,
}

/// Pairs the occurrences that an issue has in `current` with those it has in `reference`. No place is in two pairs.
pub fn pair(current: &[Place], reference: &[Place]) -> Vec<Pair> {
    let mut matching = Matching {
        current,
        reference,
        open_current: vec![true; current.len()],
        open_reference: vec![true; reference.len()],
        pairs: Vec::new(),
    };
    matching.stage(Stage::Context, |place| place.signatures.context, |_, _| true);
    matching.stage(Stage::Snippet, |place| place.signatures.snippet, |_, _| true);
    let one_is_bare = |a: &Place, b: &Place| a.signatures.snippet.is_none() || b.signatures.snippet.is_none();
    matching.stage(Stage::Message, |place| Some(place.signatures.message), one_is_bare);
    matching.pairs
}

struct Matching<'a> {
    current: &'a [Place],
    reference: &'a [Place],
    open_current: Vec<bool>,
    open_reference: Vec<bool>,
    pairs: Vec<Pair>,
}

impl Matching<'_> {
    /// Pairs what is still open and agrees on `key`, in the order of lines, where `allowed` lets it.
    fn stage(&mut self, stage: Stage, key: impl Fn(&Place) -> Option<Short>, allowed: impl Fn(&Place, &Place) -> bool) {
        let left = sorted(self.current, &self.open_current, &key);
        let right = sorted(self.reference, &self.open_reference, &key);
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek().copied(), right.peek().copied()) {
            match a.key.cmp(&b.key) {
                std::cmp::Ordering::Less => drop(left.next()),
                std::cmp::Ordering::Greater => drop(right.next()),
                std::cmp::Ordering::Equal => {
                    if allowed(a.place, b.place) {
                        self.take(a.at, b.at, stage);
                        left.next();
                        right.next();
                    } else {
                        // Both have code and it differs: neither may be paired by its message with the other.
                        // Dropping the one with the lower line keeps the order; a bare one further on still finds one.
                        if (a.place.line, a.at) <= (b.place.line, b.at) {
                            left.next()
                        } else {
                            right.next()
                        };
                    }
                }
            }
        }
    }

    fn take(&mut self, current: usize, reference: usize, stage: Stage) {
        if let (Some(a), Some(b)) = (self.open_current.get_mut(current), self.open_reference.get_mut(reference)) {
            (*a, *b) = (false, false);
            self.pairs.push(Pair { current, reference, stage });
        }
    }
}

#[derive(Clone, Copy)]
struct Open<'a> {
    key: Short,
    at: usize,
    place: &'a Place,
}

fn sorted<'a>(all: &'a [Place], open: &[bool], key: impl Fn(&Place) -> Option<Short>) -> Vec<Open<'a>> {
    let mut list: Vec<Open<'a>> = all
        .iter()
        .zip(open)
        .enumerate()
        .filter(|(_, (_, open))| **open)
        .filter_map(|(at, (place, _))| Some(Open { key: key(place)?, at, place }))
        .collect();
    list.sort_unstable_by_key(|open| (open.key, open.place.line, open.at));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use proptest::prelude::*;

    fn place(path: &str, line: u32, code: &[&str]) -> Place {
        Place { result: 0, line: Some(line), signatures: Signatures::of(&finding(0, "B1", path, line, code)) }
    }

    fn check(current: &[Place], reference: &[Place], expected: &[(usize, usize, Stage)]) {
        let mut pairs: Vec<_> = pair(current, reference).iter().map(|p| (p.current, p.reference, p.stage)).collect();
        pairs.sort_unstable_by_key(|(current, _, _)| *current);
        assert_eq!(pairs, expected);
    }

    #[test]
    fn moved_lines_are_recognised_and_a_copy_elsewhere_is_not() {
        let old = [place("a.py", 10, &["x", "md5(a)", "y"])];
        let new = [place("a.py", 90, &["x", "md5(a)", "y"]), place("b.py", 10, &["x", "md5(a)", "y"])];
        check(&new, &old, &[(0, 0, Stage::Context)]);
    }

    #[test]
    fn a_changed_neighbour_leaves_the_snippet() {
        let old = [place("a.py", 10, &["x", "md5(a)", "y"])];
        let new = [place("a.py", 11, &["changed", "md5(a)", "y"])];
        check(&new, &old, &[(0, 0, Stage::Snippet)]);
    }

    #[test]
    fn other_code_is_new() {
        let old = [place("a.py", 10, &["x", "md5(a)", "y"])];
        check(&[place("a.py", 10, &["x", "md5(b)", "y"])], &old, &[]);
    }

    #[test]
    fn without_code_the_message_pairs_but_never_two_that_have_code() {
        let bare = place("a.py", 10, &[]);
        check(&[bare], &[place("a.py", 12, &["x", "md5(a)", "y"])], &[(0, 0, Stage::Message)]);
        check(&[bare], &[bare], &[(0, 0, Stage::Message)]);
    }

    #[test]
    fn equal_ones_pair_in_the_order_of_their_lines() {
        let at = |line| place("a.py", line, &["x", "md5(a)", "y"]);
        check(&[at(30), at(10), at(20)], &[at(1), at(2)], &[(1, 0, Stage::Context), (2, 1, Stage::Context)]);
    }

    fn any_scan() -> impl Strategy<Value = Vec<Place>> {
        let code = prop_oneof![
            Just(vec![]),
            Just(vec!["x", "f(1)", "y"]),
            Just(vec!["z", "f(1)", "y"]),
            Just(vec!["x", "g()", "y"])
        ];
        let one = (0..3_u8, 1..9_u32, code).prop_map(|(path, line, code)| place(&format!("{path}.py"), line, &code));
        proptest::collection::vec(one, 0..20)
    }

    proptest! {
        #[test]
        fn a_scan_against_itself_has_nothing_new_and_nothing_gone(scan in any_scan()) {
            prop_assert_eq!(pair(&scan, &scan).len(), scan.len());
        }

        #[test]
        fn no_place_is_used_twice(a in any_scan(), b in any_scan()) {
            let pairs = pair(&a, &b);
            let mut left: Vec<_> = pairs.iter().map(|pair| pair.current).collect();
            let mut right: Vec<_> = pairs.iter().map(|pair| pair.reference).collect();
            left.sort_unstable();
            left.dedup();
            right.sort_unstable();
            right.dedup();
            prop_assert_eq!(left.len(), pairs.len());
            prop_assert_eq!(right.len(), pairs.len());
        }
    }
}
