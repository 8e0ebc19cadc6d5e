//! Recognises the occurrences of one scan in another: a matching of the two lists, not a comparison of hashes.
//!
//! Stages, each consuming the pairs it finds, within one issue (so within one rule):
//!
//! | stage | what is equal |
//! |---|---|
//! | `context` | path, message, the code and one line on either side |
//! | `snippet` | path and the code itself |
//! | `message` | path and message, where one of the two has no code to compare |
//!
//! Within equal ones the order of lines decides. Cost: sorting, so `n log n` whatever the input.

use crate::digest::Short;
use crate::ids::{IssueId, OccurrenceId};
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

/// What the matcher knows of one occurrence.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// The issue it belongs to.
    pub issue: IssueId,
    /// What it is recognised by.
    pub signatures: Signatures,
    /// Its line; decides between equals.
    pub line: Option<u32>,
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

/// Pairs the occurrences of `current` with those of `reference`. No place is in two pairs.
pub fn pair(current: &[Candidate], reference: &[Candidate]) -> Vec<Pair> {
    let mut matching = Matching {
        current,
        reference,
        open_current: vec![true; current.len()],
        open_reference: vec![true; reference.len()],
        pairs: Vec::new(),
    };
    matching.stage(Stage::Context, |candidate| candidate.signatures.context, |_, _| true);
    matching.stage(Stage::Snippet, |candidate| candidate.signatures.snippet, |_, _| true);
    let one_is_bare = |a: &Candidate, b: &Candidate| a.signatures.snippet.is_none() || b.signatures.snippet.is_none();
    matching.stage(Stage::Message, |candidate| Some(candidate.signatures.message), one_is_bare);
    matching.pairs
}

struct Matching<'a> {
    current: &'a [Candidate],
    reference: &'a [Candidate],
    open_current: Vec<bool>,
    open_reference: Vec<bool>,
    pairs: Vec<Pair>,
}

type Key = (IssueId, Short);

impl Matching<'_> {
    /// Pairs what is still open and agrees on `key`, in the order of lines, where `allowed` lets it.
    fn stage(
        &mut self,
        stage: Stage,
        key: impl Fn(&Candidate) -> Option<Short>,
        allowed: impl Fn(&Candidate, &Candidate) -> bool,
    ) {
        let left = sorted(self.current, &self.open_current, &key);
        let right = sorted(self.reference, &self.open_reference, &key);
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek().copied(), right.peek().copied()) {
            match a.key.cmp(&b.key) {
                std::cmp::Ordering::Less => drop(left.next()),
                std::cmp::Ordering::Greater => drop(right.next()),
                std::cmp::Ordering::Equal => {
                    if allowed(a.candidate, b.candidate) {
                        self.take(a.at, b.at, stage);
                        left.next();
                        right.next();
                    } else {
                        // Both have code and it differs: neither may be paired by its message with the other.
                        // Dropping the one with the lower line keeps the order; a bare one further on still finds one.
                        if (a.candidate.line, a.at) <= (b.candidate.line, b.at) { left.next() } else { right.next() };
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
    key: Key,
    at: usize,
    candidate: &'a Candidate,
}

fn sorted<'a>(all: &'a [Candidate], open: &[bool], key: impl Fn(&Candidate) -> Option<Short>) -> Vec<Open<'a>> {
    let mut list: Vec<Open<'a>> = all
        .iter()
        .zip(open)
        .enumerate()
        .filter(|(_, (_, open))| **open)
        .filter_map(|(at, (candidate, _))| Some(Open { key: (candidate.issue, key(candidate)?), at, candidate }))
        .collect();
    list.sort_unstable_by_key(|open| (open.key, open.candidate.line, open.at));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use proptest::prelude::*;

    fn candidate(rule: &str, path: &str, line: u32, code: &[&str]) -> Candidate {
        Candidate {
            issue: IssueId::derived("test", &[rule.as_bytes()]),
            signatures: Signatures::of(&finding(0, rule, path, line, code)),
            line: Some(line),
        }
    }

    fn check(current: &[Candidate], reference: &[Candidate], expected: &[(usize, usize, Stage)]) {
        let mut pairs: Vec<_> = pair(current, reference).iter().map(|p| (p.current, p.reference, p.stage)).collect();
        pairs.sort_unstable_by_key(|(current, _, _)| *current);
        assert_eq!(pairs, expected);
    }

    #[test]
    fn moved_lines_are_recognised_and_a_copy_elsewhere_is_not() {
        let old = [candidate("B1", "a.py", 10, &["x", "md5(a)", "y"])];
        let new = [candidate("B1", "a.py", 90, &["x", "md5(a)", "y"]), candidate("B1", "b.py", 10, &["x", "md5(a)", "y"])];
        check(&new, &old, &[(0, 0, Stage::Context)]);
    }

    #[test]
    fn a_changed_neighbour_leaves_the_snippet() {
        let old = [candidate("B1", "a.py", 10, &["x", "md5(a)", "y"])];
        let new = [candidate("B1", "a.py", 11, &["changed", "md5(a)", "y"])];
        check(&new, &old, &[(0, 0, Stage::Snippet)]);
    }

    #[test]
    fn another_rule_or_other_code_is_new() {
        let old = [candidate("B1", "a.py", 10, &["x", "md5(a)", "y"])];
        check(&[candidate("B2", "a.py", 10, &["x", "md5(a)", "y"])], &old, &[]);
        check(&[candidate("B1", "a.py", 10, &["x", "md5(b)", "y"])], &old, &[]);
    }

    #[test]
    fn without_code_the_message_pairs_but_never_two_that_have_code() {
        let bare = candidate("B1", "a.py", 10, &[]);
        check(&[bare], &[candidate("B1", "a.py", 12, &["x", "md5(a)", "y"])], &[(0, 0, Stage::Message)]);
        check(&[bare], &[bare], &[(0, 0, Stage::Message)]);
    }

    #[test]
    fn equal_ones_pair_in_the_order_of_their_lines() {
        let at = |line| candidate("B1", "a.py", line, &["x", "md5(a)", "y"]);
        check(
            &[at(30), at(10), at(20)],
            &[at(1), at(2)],
            &[(1, 0, Stage::Context), (2, 1, Stage::Context)],
        );
    }

    fn any_scan() -> impl Strategy<Value = Vec<Candidate>> {
        let code = prop_oneof![Just(vec![]), Just(vec!["x", "f(1)", "y"]), Just(vec!["z", "f(1)", "y"]), Just(vec!["x", "g()", "y"])];
        let one = (0..3_u8, 0..3_u8, 1..9_u32, code)
            .prop_map(|(rule, path, line, code)| candidate(&format!("B{rule}"), &format!("{path}.py"), line, &code));
        proptest::collection::vec(one, 0..20)
    }

    proptest! {
        #[test]
        fn a_scan_against_itself_has_nothing_new_and_nothing_gone(scan in any_scan()) {
            prop_assert_eq!(pair(&scan, &scan).len(), scan.len());
        }

        #[test]
        fn no_place_is_used_twice_and_issues_never_mix(a in any_scan(), b in any_scan()) {
            let pairs = pair(&a, &b);
            let mut left: Vec<_> = pairs.iter().map(|pair| pair.current).collect();
            let mut right: Vec<_> = pairs.iter().map(|pair| pair.reference).collect();
            left.sort_unstable();
            left.dedup();
            right.sort_unstable();
            right.dedup();
            prop_assert_eq!(left.len(), pairs.len());
            prop_assert_eq!(right.len(), pairs.len());
            for pair in &pairs {
                prop_assert_eq!(a[pair.current].issue, b[pair.reference].issue);
            }
        }
    }
}
