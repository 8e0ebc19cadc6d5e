//! Two calls at once: their answers are those of one of the two orders. Every operation of the store in memory yields,
//! so starting one call a step later each time tries the possible interleavings.

use crate::pipeline::wiring::{System, Upload, upload};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{Comparison, ScanAnswer, Tally, TargetItem};
use domain::ids::ScanId;
use futures::executor::block_on;
use futures::future::join;
use serde_json::json;
use std::collections::BTreeSet;

/// The maximum delay of the second upload, in steps; an upload takes fewer.
const LATER_MAX: usize = 120;

/// The comparison part of an answer.
fn comparison(answer: &ScanAnswer) -> (Comparison, Tally, Tally, Vec<String>) {
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
fn two_concurrent_uploads_for_one_variant_get_the_answers_of_a_serial_order() {
    let mut seen = BTreeSet::new();
    for later in 0..LATER_MAX {
        let system = System::new();
        let before = system.upload(upload("main", MAIN)).unwrap().scan.id;
        let [small, large] = at_once(&system, later, upload("main", MAIN), upload("main", FEATURE));
        // In a serial order the first is compared with the previous scan, and the second with the first.
        let of = |answer: &ScanAnswer, other: ScanId| {
            assert_eq!(answer.comparison.with, "previous", "{later}");
            let with = answer.comparison.scan.unwrap();
            assert!(with == before || with == other, "{later}: compared with {with}");
            with == other
        };
        let (small_second, large_second) = (of(&small, large.scan.id), of(&large, small.scan.id));
        assert_ne!(small_second, large_second, "{later}: one of them is the later one");
        let issues = |answer: &ScanAnswer| (answer.issues.new, answer.issues.common, answer.issues.remediated);
        assert_eq!(issues(&small), if small_second { (0, 2, 3) } else { (0, 2, 0) }, "{later}");
        assert_eq!(issues(&large), (3, 2, 0), "{later}");
        assert_eq!(system.scans("main"), 3);
        let next = system.upload(upload("main", MAIN)).unwrap().comparison.scan.unwrap();
        let last = if small_second { small.scan.id } else { large.scan.id };
        assert_eq!(next, last, "{later}: the next is compared with the last one");
        seen.insert((small_second, large_second));
    }
    assert!(seen.contains(&(false, true)), "{seen:?}");
}

#[test]
fn of_several_concurrent_uploads_each_is_compared_with_the_one_before() {
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
fn a_scan_with_an_earlier_turn_never_moves_the_head_back() {
    let (scan, received) = (ScanId::from_bits([1; 16]), domain::time::Timestamp::from_ms(5));
    let head = |turn, received| domain::head::SeriesScan { scan, received, turn, made_at: None };
    let later = domain::time::Timestamp::from_ms(9);
    assert!(head(Some(2), received).is_after(&head(Some(1), later)), "the turn counts, not when the upload began");
    assert!(!head(Some(1), later).is_after(&head(Some(2), received)));
    assert!(head(None, later).is_after(&head(None, received)));
}

#[test]
fn an_upload_uses_the_baseline_before_or_after_a_concurrent_change() {
    let prepared = || {
        let system = System::new();
        for (variant, report) in [("main", MAIN), ("old", MAIN), ("next", FEATURE)] {
            system.upload(upload(variant, report)).unwrap();
        }
        system.set_baseline("old");
        system
    };
    let branch = || upload("feature", FEATURE).fail_on("critical").with("fail_on_new", "low");
    let before = comparison(&prepared().upload(branch()).unwrap());
    for to in [json!({"variant": "next"}), json!({"regex": "ne.*"}), json!({"none": true}), json!(null)] {
        let after = prepared();
        let target = after.patch(&to);
        let after = comparison(&after.upload(branch()).unwrap());
        assert_ne!(before, after, "{to}: the change makes a difference");
        let mut seen = BTreeSet::new();
        // The upload begins first, or the change does, which takes some steps.
        let starts = (0..LATER_MAX).step_by(4).flat_map(|later| [(0, later), (later, 0)]);
        for (upload_later, change_later) in starts {
            let system = prepared();
            let context = system.context();
            let upload = async {
                system.pauses(upload_later).await;
                system.upload_with(&context, branch()).await
            };
            let change = async {
                system.pauses(change_later).await;
                system.patching(&to).await
            };
            let (answer, changed) = block_on(join(upload, change));
            let answer = comparison(&answer.unwrap());
            let without_time = |item: &TargetItem| TargetItem { changed_at: None, ..item.clone() };
            assert_eq!(without_time(&changed), without_time(&target));
            assert!(answer == before || answer == after, "{to} {upload_later} {change_later}: {answer:#?}");
            seen.insert(answer == before);
        }
        assert_eq!(seen.len(), 2, "{to}: the change came before and after the choice: {seen:?}");
    }
}

/// While a release is recorded, the baseline is its new scan or the release before, never an older scan or none.
#[test]
fn a_branch_is_compared_with_a_concurrent_release_or_the_one_before() {
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

/// A developer may set the first baseline. If a reviewer sets one at the same time, it is never overwritten.
#[test]
fn a_developers_first_baseline_does_not_overwrite_a_reviewers() {
    let mut seen = BTreeSet::new();
    let orders = (0..LATER_MAX / 2).flat_map(|later| [(later, 0), (0, later)]);
    for (developing, reviewing) in orders {
        let system = System::new();
        system.upload(upload("work", MAIN)).unwrap();
        let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
        let set = async |pauses: usize, token: &str, variant: &str| {
            system.pauses(pauses).await;
            system.patching_as(token, &json!({"variant": variant})).await
        };
        let both = join(set(reviewing, &reviewer, "release"), set(developing, &developer, "work"));
        let (reviewed, set) = block_on(both);
        reviewed.unwrap();
        let now = system.target().effective.variant;
        assert_eq!(now.as_deref(), Some("release"), "{developing} {reviewing}: {set:?}");
        seen.insert(set.map(drop).map_err(|problem| problem.code));
    }
    // The developer came first, at the same time, and last.
    assert_eq!(seen, [Ok(()), Err(Code::ChangedMeanwhile), Err(Code::Forbidden)].into());
}
