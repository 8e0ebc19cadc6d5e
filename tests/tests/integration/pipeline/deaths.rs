//! Uploads that wait for others: a dead upload is noticed soon, and a working one is waited for, however long it takes.
//! The time is that of the store in memory, which passes only during sleeps.

use crate::pipeline::wiring::{System, Upload, upload};
use crate::pipeline::{FEATURE, MAIN};
use api::Problem;
use api::v1::ScanAnswer;
use futures::executor::block_on;
use futures::future::{join, join_all};
use std::collections::BTreeSet;
use std::time::Duration;
use store::poll::Clock as _;

/// The longest that a dead upload may hold up another.
pub(crate) const DEAD_MAX: Duration = Duration::from_secs(2);

/// The number of uploads that die together.
const CROWD: usize = 4;

/// Makes an upload, and returns its result with the time that passed.
fn timed<T>(system: &System, work: impl Future<Output = T>) -> (T, Duration) {
    let begun = system.kv.now();
    let done = block_on(work);
    (done, system.kv.now() - begun)
}

/// Uploads of one variant, each under a key of its own.
fn keyed(n: usize) -> Upload {
    upload("main", if n.is_multiple_of(2) { MAIN } else { FEATURE }).key(&format!("key-{n}"))
}

#[test]
fn a_crowd_that_died_at_any_write_is_retried_without_waiting_for_one_after_the_other() {
    let undisturbed = {
        let system = System::new();
        system.upload(upload("main", MAIN)).unwrap();
        timed(&system, crowd(&system)).1
    };
    let mut longest = Duration::ZERO;
    for writes in (0..).step_by(3) {
        let system = System::new();
        let first = system.upload(upload("main", MAIN)).unwrap().scan.id;
        system.kv.fail_after_writes(Some(writes));
        let died = block_on(crowd(&system)).iter().any(Result::is_err);
        system.kv.fail_after_writes(None);
        let (answers, took) = timed(&system, crowd(&system));
        longest = longest.max(took);
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        let scans: BTreeSet<_> = answers.iter().map(|answer| answer.scan.id).collect();
        assert_eq!((scans.len(), system.scans("main")), (CROWD, CROWD + 1), "dead after {writes} writes");
        let with: BTreeSet<_> = answers.iter().map(|answer| answer.comparison.scan.unwrap()).collect();
        assert!(with.iter().all(|scan| *scan == first || scans.contains(scan)), "dead after {writes} writes");
        if !died {
            break;
        }
    }
    println!("the longest retry of a crowd: {longest:?}; undisturbed: {undisturbed:?}");
    assert!(longest < DEAD_MAX + undisturbed, "{longest:?} instead of {undisturbed:?}");
}

/// The uploads of a crowd, all at once.
async fn crowd(system: &System) -> Vec<Result<ScanAnswer, Problem>> {
    let contexts: Vec<_> = (0..CROWD).map(|_| system.context()).collect();
    join_all(contexts.iter().enumerate().map(|(n, context)| system.upload_with(context, keyed(n)))).await
}

#[test]
fn an_upload_that_works_for_long_is_waited_for_by_its_successor_and_its_retry() {
    for seconds in [1, 4, 12] {
        let system = System::new();
        system.upload(upload("main", MAIN)).unwrap();
        let (slow, next, retry) = (system.context(), system.context(), system.context());
        system.stages_take(Duration::from_secs(seconds));
        let later = async {
            system.kv.sleep(Duration::from_millis(300)).await;
            system.stages_take(Duration::ZERO);
            let next = system.upload_with(&next, upload("main", FEATURE));
            join(next, system.upload_with(&retry, keyed(0))).await
        };
        let (slow, (next, retry)) = block_on(join(system.upload_with(&slow, keyed(0)), later));
        let slow = slow.unwrap();
        assert_eq!(retry.unwrap(), slow, "{seconds} s: the retry is the same scan");
        assert_eq!(next.unwrap().comparison.scan, Some(slow.scan.id), "{seconds} s: it was not overtaken");
    }
}

#[test]
fn a_slow_body_holds_up_nobody_and_its_turn_comes_after_it() {
    let system = System::new();
    system.upload(upload("main", MAIN)).unwrap();
    let (slow, next) = (system.context(), system.context());
    let minutes = Duration::from_secs(300);
    let slow = system.upload_with(&slow, upload("main", FEATURE).body_takes(minutes));
    let next = async {
        system.kv.sleep(Duration::from_secs(1)).await;
        let begun = system.kv.now();
        let answer = system.upload_with(&next, upload("main", MAIN)).await.unwrap();
        (answer, system.kv.now() - begun)
    };
    let (slow, (next, took)) = block_on(join(slow, next));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(slow.unwrap().comparison.scan, Some(next.scan.id), "it came after");
}
