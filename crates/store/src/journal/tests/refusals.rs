//! Refusals stay known, whichever writer renews the snapshot or crashes.

use super::*;

/// The outcome of event `n`, as a load knows it now.
fn outcome(kv: &MemoryKv, n: u64) -> Option<Result<(), Refusal>> {
    let loaded = block_on(load::<Log>(kv, &journal(), at(0))).unwrap();
    block_on(loaded.outcomes.of(kv, &journal(), n)).unwrap()
}

fn refused() -> Option<Result<(), Refusal>> {
    Some(Err(Refusal::new("bad is refused")))
}

#[test]
fn a_refusal_stays_known_after_the_snapshot_of_any_writer() {
    let kv = MemoryKv::default();
    block_on(add::<Log>(&kv, "bad", 0)).unwrap();
    block_on(add::<Log>(&kv, "good", 0)).unwrap();
    for _ in 0..2 {
        assert_eq!([outcome(&kv, 1), outcome(&kv, 2)], [refused(), Some(Ok(()))]);
        assert_eq!(outcome(&kv, 400), None, "a missing event has no outcome");
        for n in 0..300 {
            block_on(add::<Log>(&kv, &format!("more{n}"), 0)).unwrap();
        }
    }
    block_on(kv.delete(&keys::journal_snapshot(&journal()))).unwrap();
    assert_eq!([outcome(&kv, 1), outcome(&kv, 2)], [refused(), Some(Ok(()))], "without a snapshot, folding shows it");
}

#[test]
fn without_later_refusals_none_is_looked_up() {
    let kv = MemoryKv::default();
    for text in ["good", "bad", "fine"] {
        block_on(add::<Log>(&kv, text, 0)).unwrap();
    }
    let loaded = block_on(load::<Log>(&kv, &journal(), at(0))).unwrap();
    let reads = |n| {
        let before = kv.operations().0;
        block_on(loaded.outcomes.of(&kv, &journal(), n)).unwrap();
        kv.operations().0 - before
    };
    assert_eq!([reads(1), reads(2), reads(3), reads(4)], [1, 1, 0, 0]);
}

#[test]
fn a_crash_between_a_refusal_and_its_snapshot_loses_and_changes_nothing() {
    // The writes of an appender: the number, the event, the refusal, the snapshot.
    for writes in 0..=4 {
        let kv = MemoryKv::default();
        block_on(add::<Log>(&kv, "good", 0)).unwrap();
        kv.fail_after_writes(Some(writes));
        let died = block_on(add::<Log>(&kv, "bad", 0)).is_err();
        kv.fail_after_writes(None);
        assert_eq!(died, writes < 4, "{writes}");
        let is_written = 2 <= writes;
        let expected = if is_written { refused() } else { None };
        assert_eq!(outcome(&kv, 2), expected, "dead after {writes} writes");
        block_on(add::<Log>(&kv, "next", GAP_FINAL_MS)).unwrap();
        let documents: Vec<_> = kv.contents().into_keys().filter(|key| key.ends_with(":refused")).collect();
        assert_eq!(documents.len(), usize::from(is_written), "{documents:?}");
        assert_eq!(texts(&loaded::<Log>(&kv, GAP_FINAL_MS)), ["good", "next"]);
        // Without the number, the next event takes it. Without the event, it is a gap.
        let after = [Some(Ok(())), None, refused()];
        assert_eq!(outcome(&kv, 2), after[usize::try_from(writes.min(2)).unwrap()], "and permanently");
    }
}

#[test]
fn after_an_open_gap_no_refusal_is_written() {
    let kv = MemoryKv::default();
    let late = gap(&kv);
    block_on(add::<First>(&kv, "fast", 0)).unwrap();
    block_on(add::<First>(&kv, "second", 0)).unwrap();
    let documents = |kv: &MemoryKv| kv.contents().into_keys().filter(|key| key.ends_with(":refused")).count();
    assert_eq!(documents(&kv), 0, "the late event may still be the first");
    fill(&kv, late, "late");
    let last = block_on(add::<First>(&kv, "last", 0)).unwrap();
    assert_eq!(last.outcome, Err(Refusal::new("late was first")));
    assert_eq!(documents(&kv), 3);
    let loaded = block_on(load::<First>(&kv, &journal(), at(0))).unwrap();
    for n in 2..=4 {
        let outcome = block_on(loaded.outcomes.of(&kv, &journal(), n)).unwrap();
        assert_eq!(outcome, Some(Err(Refusal::new("late was first"))), "{n}");
    }
}

#[test]
fn a_gap_that_a_snapshot_lists_has_no_outcome_until_it_is_filled() {
    let kv = MemoryKv::default();
    let late = gap(&kv);
    block_on(add::<Sum>(&kv, "x", 0)).unwrap();
    let outcome = |n| {
        let loaded = block_on(load::<Sum>(&kv, &journal(), at(0))).unwrap();
        block_on(loaded.outcomes.of(&kv, &journal(), n)).unwrap()
    };
    assert_eq!([outcome(late), outcome(2)], [None, Some(Ok(()))]);
    fill(&kv, late, "late");
    assert_eq!(outcome(late), Some(Ok(())));
}

#[test]
fn a_snapshot_of_another_version_is_ignored() {
    let kv = MemoryKv::default();
    block_on(add::<Log>(&kv, "bad", 0)).unwrap();
    block_on(add::<Log>(&kv, "good", 0)).unwrap();
    let lie = br#"{"v": 1, "upto": 2, "holes": [], "refused": [], "state": "[[1,\"lie\"]]", "parts": 0}"#;
    block_on(kv.set(&keys::journal_snapshot(&journal()), lie)).unwrap();
    assert_eq!(texts(&loaded::<Log>(&kv, 0)), ["good"]);
    assert_eq!(outcome(&kv, 1), refused());
}

proptest! {
    // Few cases, because each waits for writers that died.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_refusal_is_known_after_writers_interleave_and_crash(
        events in proptest::collection::vec((any::<bool>(), proptest::option::of(0..5_u64)), 1..16),
        at_once in 1..5_usize,
    ) {
        let kv = MemoryKv::default();
        for (n, chunk) in events.chunks(at_once).enumerate() {
            // Every other time, so that there are never too many gaps in a row for a reader.
            let death = chunk.iter().find_map(|(_, death)| *death).filter(|_| n % 2 == 0);
            kv.fail_after_writes(death);
            let adding = chunk.iter().map(|(bad, _)| add::<Log>(&kv, if *bad { "bad" } else { "good" }, 0));
            block_on(futures::future::join_all(adding));
            kv.fail_after_writes(None);
        }
        // Then every gap is final, and the snapshot contains everything.
        for ms in [0, GAP_FINAL_MS] {
            block_on(add::<Log>(&kv, "last", ms)).unwrap();
        }
        let loaded = block_on(load::<Log>(&kv, &journal(), at(GAP_FINAL_MS))).unwrap();
        for (n, entry) in block_on(read_back::<String>(&kv, &journal(), loaded.last, 100)).unwrap() {
            let outcome = block_on(loaded.outcomes.of(&kv, &journal(), n)).unwrap().unwrap();
            prop_assert_eq!(outcome.is_err(), entry.event == "bad", "event {}", n);
        }
    }
}
