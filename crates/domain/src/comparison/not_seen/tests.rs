use crate::comparison::{Bucket, JoinedScan};
use crate::ids::OccurrenceId;
use crate::testing::{Compared, Scan, finding};
use finding::{BlindSpot, Finding, Reach};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn cannot_read(files: &[&str]) -> Vec<BlindSpot> {
    let spot = |file: &&str| BlindSpot { reach: Reach::File((*file).to_owned()), reason: "syntax error".to_owned() };
    files.iter().map(spot).collect()
}

/// A finding of a rule in a file, with code that no other file has.
fn one(file: &str, rule: &str) -> Finding {
    copied(file, rule, file)
}

/// A finding of a rule in a file, with the code of another file.
fn copied(file: &str, rule: &str, from: &str) -> Finding {
    finding(0, rule, file, 10, &["before", &format!("call_{rule}({from:?})"), "after"])
}

fn ids(compared: &Compared) -> Vec<OccurrenceId> {
    compared.known.occurrences.iter().map(|row| row.id).collect()
}

#[test]
fn what_a_file_had_that_cannot_be_read_is_not_seen_and_meets_its_successor() {
    let first = Scan::new(1, &[one("a.py", "B1"), one("b.py", "B1"), one("a.py", "B2")]).first();
    let unread = Scan::new(2, &[one("b.py", "B1")]).compare_blind(true, &cannot_read(&["a.py"]), Some(&first), None);
    let comparison = &unread.comparison;
    assert!(comparison.remediated.is_empty());
    let rows: Vec<_> = comparison.not_seen.iter().map(|row| (row.is_present, row.occurrences.len())).collect();
    assert_eq!(rows, [(false, 1), (true, 1)], "B1 is in b.py too");
    assert_eq!(comparison.not_seen_by_spot.get(&0), Some(&2));
    let division = comparison.issues[0].division;
    assert_eq!((division.common, division.not_seen, division.remediated), (1, 1, 0));
    // Everything is in the record of the scan, and is carried on.
    let again = Scan::new(3, &[one("b.py", "B1")]).compare_blind(true, &cannot_read(&["a.py"]), Some(&unread), None);
    let all: BTreeSet<_> = ids(&first).into_iter().collect();
    assert_eq!(ids(&again).into_iter().collect::<BTreeSet<_>>(), all);
    // When it can be read, each has its id and its first scan.
    let read = Scan::new(4, &[one("a.py", "B1"), one("b.py", "B1")]).compare(true, Some(&again), None);
    assert_eq!(read.of(0).id, first.of(0).id);
    assert!(read.of(0).found.is_some() && read.comparison.issues[0].bucket == Bucket::Common);
    let origin = &read.comparison.origins[usize::try_from(read.of(0).seen).unwrap()];
    assert_eq!(origin.scan, first.scan.origin().scan);
    assert_eq!(read.comparison.remediated.len(), 1, "B2 is gone now");
    assert_eq!(read.known.occurrences.len(), 2);
}

#[test]
fn what_only_the_previous_scan_of_a_branch_has_is_new_and_not_seen() {
    let main = Scan::new(1, &[one("b.py", "B1")]).first();
    let branch = Scan::new(2, &[one("a.py", "B2"), one("b.py", "B1")]).compare(true, Some(&main), None);
    let blind = cannot_read(&["a.py"]);
    let hidden = Scan::new(3, &[one("b.py", "B1")]).compare_blind(true, &blind, Some(&main), Some(&branch));
    assert_eq!(hidden.comparison.not_seen.len(), 1);
    assert!(hidden.comparison.not_seen_by_spot.is_empty(), "the reference scan has nothing there");
    let read = Scan::new(4, &[one("a.py", "B2"), one("b.py", "B1")]).compare(true, Some(&main), Some(&hidden));
    assert_eq!(read.of(0).id, branch.of(0).id);
    assert!(read.of(0).found.is_none(), "it is still new");
}

#[test]
fn a_copy_of_code_in_a_file_that_cannot_be_read_is_new() {
    let first = Scan::new(1, &[one("a.py", "B1")]).first();
    let copy = || Scan::new(2, &[copied("b.py", "B1", "a.py")]);
    let moved = copy().compare(true, Some(&first), None);
    assert_eq!(moved.of(0).id, first.of(0).id, "the code moved");
    let hidden = copy().compare_blind(true, &cannot_read(&["a.py"]), Some(&first), None);
    assert!(hidden.of(0).found.is_none() && hidden.of(0).id != first.of(0).id);
    assert_eq!(hidden.comparison.not_seen_by_spot.get(&0), Some(&1));
    // A file that was examined in part keeps its matches.
    let part = Scan::new(3, &[one("a.py", "B1")]).compare_blind(true, &cannot_read(&["a.py"]), Some(&first), None);
    assert!(part.of(0).found.is_some() && part.comparison.not_seen.is_empty());
}

#[test]
fn a_file_that_a_branch_renamed_and_then_made_unreadable_hides_nothing() {
    let with = |file: &str| ["B1", "B2"].map(|rule| copied(file, rule, "a.py"));
    let main = Scan::new(1, &with("a.py")).first();
    let renamed = Scan::new(2, &with("b.py")).compare(true, Some(&main), None);
    assert_eq!(renamed.of(0).id, main.of(0).id);
    let hidden = Scan::new(3, &[]).compare_blind(true, &cannot_read(&["b.py"]), Some(&main), Some(&renamed));
    assert!(hidden.comparison.remediated.is_empty(), "{:?}", hidden.comparison.remediated);
    assert_eq!(hidden.comparison.not_seen_by_spot.get(&0), Some(&2));
    let read = Scan::new(4, &with("b.py")).compare(true, Some(&main), Some(&hidden));
    assert_eq!((read.of(0).id, read.of(1).id), (main.of(0).id, main.of(1).id));
}

#[test]
fn an_incomplete_scan_carries_nothing() {
    let first = Scan::new(1, &[one("a.py", "B1")]).first();
    let broken = Scan::new(2, &[]).compare_blind(false, &cannot_read(&["a.py"]), Some(&first), None);
    assert!(broken.comparison.not_seen.is_empty() && broken.comparison.remediated.is_empty());
}

#[test]
fn a_scan_without_a_remainder_is_joined_unchanged() {
    let first = Scan::new(1, &[one("a.py", "B1")]).first();
    let joined = JoinedScan::new(first.known, crate::comparison::ComparedScan::default(), 1);
    assert_eq!((joined.own_issues, joined.scan.occurrences.len(), joined.remainder_issues.len()), (1, 1, 0));
}

/// A step of a history: the findings of each file, and the files that can be read.
#[derive(Debug, Clone)]
struct Step {
    findings: BTreeSet<(usize, usize)>,
    readable: [bool; FILES.len()],
}

const FILES: [&str; 3] = ["src/a.py", "src/b.py", "lib/c.py"];
const RULES: [&str; 3] = ["B1", "B2", "B3"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let findings = proptest::collection::btree_set((0..FILES.len(), 0..RULES.len()), 0..9);
    let step = (findings, any::<[bool; FILES.len()]>());
    proptest::collection::vec(step.prop_map(|(findings, readable)| Step { findings, readable }), 1..7)
}

/// The number of occurrences in each file.
fn by_file<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for path in paths {
        *counts.entry(path.to_owned()).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of every file: found + not seen + remediated = what the reference scan had. An occurrence keeps its id as long
    /// as no scan has shown that it is gone.
    #[test]
    fn nothing_of_the_reference_scan_is_lost(steps in steps()) {
        let mut previous: Option<Compared> = None;
        let mut known: BTreeMap<(usize, usize), OccurrenceId> = BTreeMap::new();
        for (n, step) in (1..).zip(&steps) {
            let seen: Vec<_> = step.findings.iter().filter(|(file, _)| step.readable[*file]).copied().collect();
            let findings: Vec<_> = seen.iter().map(|(file, rule)| one(FILES[*file], RULES[*rule])).collect();
            let blind: Vec<_> = FILES.iter().zip(step.readable).filter(|(_, read)| !read).map(|(file, _)| *file).collect();
            let scan = Scan::new(n, &findings).compare_blind(true, &cannot_read(&blind), previous.as_ref(), None);
            known.retain(|(file, rule), _| !step.readable[*file] || step.findings.contains(&(*file, *rule)));
            for (result, place) in (0..).zip(&seen) {
                let id = scan.of(result).id;
                prop_assert_eq!(*known.entry(*place).or_insert(id), id);
            }
            let carried: BTreeSet<_> = ids(&scan).into_iter().collect();
            prop_assert_eq!(carried, known.values().copied().collect::<BTreeSet<_>>());
            if let Some(previous) = &previous {
                let contents = &previous.known.contents;
                let before = by_file(contents.occurrences.iter().filter_map(|place| contents.name(place.path)));
                let common = scan.comparison.occurrences.iter().zip(&scan.scan.contents.occurrences);
                let common = common.filter(|(row, _)| row.found.is_some());
                let mut after = by_file(common.filter_map(|(_, place)| scan.scan.contents.name(place.path)));
                for (file, count) in &before {
                    let not_seen = scan.comparison.not_seen.iter().flat_map(|issue| &issue.occurrences);
                    let path = |at: usize| contents.name(contents.occurrences[at].path);
                    let not_seen = not_seen.filter(|one| path(one.at) == Some(file)).count();
                    let found = after.remove(file).unwrap_or(0);
                    let rest = count - found - u32::try_from(not_seen).unwrap();
                    let is_blind = blind.contains(&file.as_str());
                    prop_assert!(!is_blind || rest == 0, "{} of {} are remediated and cannot be", rest, file);
                    prop_assert!(is_blind || not_seen == 0);
                }
                prop_assert!(after.is_empty(), "found more than there was: {:?}", after);
                let divisions = scan.comparison.issues.iter().map(|row| row.division);
                let remediated: u32 = divisions.clone().map(|division| division.remediated).sum::<u32>()
                    + scan.comparison.remediated.iter().map(|row| row.occurrences).sum::<u32>()
                    + scan.comparison.not_seen.iter().map(|row| row.remediated).sum::<u32>();
                let found: u32 = divisions.map(|division| division.common).sum();
                let not_seen = scan.comparison.not_seen.iter().map(|row| row.occurrences.len()).sum::<usize>();
                prop_assert_eq!(
                    found + remediated + u32::try_from(not_seen).unwrap(),
                    u32::try_from(contents.occurrences.len()).unwrap()
                );
            }
            previous = Some(scan);
        }
    }
}
