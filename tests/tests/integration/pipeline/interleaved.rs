//! Two at once: their answers are those of one of the two orders. Every operation of the store
//! in memory lets others get on, so that starting one a little later each time goes through the ways they can mix.

use crate::pipeline::wiring::{System, Upload, upload};
use crate::pipeline::{FEATURE, MAIN};
use api::v1::{Comparison, ScanAnswer, Tally};
use domain::ids::ScanId;
use futures::executor::block_on;
use futures::future::join;
use serde_json::json;
use std::collections::BTreeSet;

/// The most steps by which the second upload begins later; an upload takes fewer.
const LATER_MAX: usize = 120;

/// The comparison part of an answer.
fn told(answer: &ScanAnswer) -> (Comparison, Tally, Tally, Vec<String>) {
    (answer.comparison.clone(), answer.issues, answer.occurrences, answer.reasons.clone())
}

fn at_once(system: &System, later: usize, first: Upload, second: Upload) -> [ScanAnswer; 2] {
    let (one, other) = (system.context(), system.context());
    let second = async {
        system.pauses(later).await;
        system.upload_with(&other, second).await
    };
    let (first, second) = block_on(join(system.upload_with(&one, first), second));
    [first.unwrap(), second.unwrap()]
}

#[test]
fn two_uploads_at_once_for_one_variant_answer_as_if_one_had_come_after_the_other() {
    let mut seen = BTreeSet::new();
    for later in 0..LATER_MAX {
        let system = System::new();
        let before = system.upload(upload("main", MAIN)).unwrap().scan.id;
        let [small, large] = at_once(&system, later, upload("main", MAIN), upload("main", FEATURE));
        // In a serial order the first is compared with the scan before, and the second with the first.
        let of = |answer: &ScanAnswer, other: ScanId| {
            assert_eq!(answer.comparison.with, "previous", "{later}");
            let with = answer.comparison.scan.unwrap();
            assert!(with == before || with == other, "{later}: compared with {with}");
            with == other
        };
        let (small_second, large_second) = (of(&small, large.scan.id), of(&large, small.scan.id));
        assert_ne!(small_second, large_second, "{later}: one of them came after the other");
        let issues = |answer: &ScanAnswer| (answer.issues.new, answer.issues.common, answer.issues.remediated);
        assert_eq!(issues(&small), if small_second { (0, 2, 3) } else { (0, 2, 0) }, "{later}");
        assert_eq!(issues(&large), (3, 2, 0), "{later}");
        assert_eq!(system.scans("main"), 3);
        let next = system.upload(upload("main", MAIN)).unwrap().comparison.scan.unwrap();
        let last = if small_second { small.scan.id } else { large.scan.id };
        assert_eq!(next, last, "{later}: the next is compared with the one that came last");
        seen.insert((small_second, large_second));
    }
    assert!(seen.contains(&(false, true)), "{seen:?}");
}

#[test]
fn of_several_at_once_each_is_compared_with_the_one_before_it() {
    let system = System::new();
    let contexts: Vec<_> = (0..5).map(|_| system.context()).collect();
    let uploads = contexts.iter().enumerate().map(|(at, context)| {
        let report = if at % 2 == 0 { MAIN } else { FEATURE };
        system.upload_with(context, upload("main", report))
    });
    let answers = block_on(futures::future::try_join_all(uploads)).unwrap();
    let before: BTreeSet<_> = answers.iter().map(|answer| answer.comparison.scan).collect();
    assert_eq!(before.len(), 5, "no two are compared with the same scan, and one is the first");
    let next = system.upload(upload("main", MAIN)).unwrap().comparison.scan;
    assert!(next.is_some() && !before.contains(&next), "the next is compared with the last of them");
}

#[test]
fn a_scan_whose_turn_came_before_never_moves_the_head_back() {
    let (scan, received) = (ScanId::from_bits([1; 16]), domain::time::Timestamp::from_ms(5));
    let head = |turn, received| domain::scan::Head { v: 1, scan, received, turn };
    let later = domain::time::Timestamp::from_ms(9);
    assert!(head(Some(2), received).is_after(&head(Some(1), later)), "the turn counts, not when the upload began");
    assert!(!head(Some(1), later).is_after(&head(Some(2), received)));
    assert!(head(None, later).is_after(&head(None, received)));
}

#[test]
fn a_baseline_changed_during_an_upload_counts_for_it_or_does_not() {
    let prepared = || {
        let system = System::new();
        for (variant, report) in [("main", MAIN), ("old", MAIN), ("next", FEATURE)] {
            system.upload(upload(variant, report)).unwrap();
        }
        system.set_baseline("old");
        system
    };
    let asked = || upload("feature", FEATURE).fail_on("critical").with("fail_on_new", "low");
    let before = told(&prepared().upload(asked()).unwrap());
    for to in [json!({"variant": "next"}), json!({"regex": "ne.*"}), json!({"none": true}), json!(null)] {
        let after = prepared();
        let target = after.patch(&to);
        let after = told(&after.upload(asked()).unwrap());
        assert_ne!(before, after, "{to}: the change makes a difference");
        let mut seen = BTreeSet::new();
        // The upload begins first, or the change does: what it waits for takes the change some steps.
        let starts = (0..LATER_MAX).step_by(4).flat_map(|later| [(0, later), (later, 0)]);
        for (upload_later, change_later) in starts {
            let system = prepared();
            let context = system.context();
            let upload = async {
                system.pauses(upload_later).await;
                system.upload_with(&context, asked()).await
            };
            let change = async {
                system.pauses(change_later).await;
                system.patching(&to).await
            };
            let (answer, changed) = block_on(join(upload, change));
            let answer = told(&answer.unwrap());
            assert_eq!(changed, target);
            assert!(answer == before || answer == after, "{to} {upload_later} {change_later}: {answer:#?}");
            seen.insert(answer == before);
        }
        assert_eq!(seen.len(), 2, "{to}: it came before and after the choice: {seen:?}");
    }
}

/// A release that is being recorded is the baseline with its new scan or not at all: never with an older one, or none.
#[test]
fn a_release_uploaded_beside_a_branch_is_its_baseline_or_the_one_before_is() {
    let mut seen = BTreeSet::new();
    for (release, again) in [("v2", false), ("v1", true)] {
        for later in 0..LATER_MAX {
            let system = System::new();
            let first = system.upload(upload("v1", MAIN)).unwrap().scan.id;
            let before = if again { system.upload(upload("v3", MAIN)).unwrap().scan.id } else { first };
            system.patch(&json!({"regex": "v."}));
            let [released, branch] = at_once(&system, later, upload(release, FEATURE), upload("work", FEATURE));
            assert_eq!(branch.comparison.with, "baseline", "{release} {later}");
            let with = branch.comparison.scan.unwrap();
            assert!(with == before || with == released.scan.id, "{release} {later}: neither order gives {with}");
            assert_eq!(branch.issues.new, if with == before { 3 } else { 0 }, "{release} {later}");
            seen.insert((release, with == before));
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}
