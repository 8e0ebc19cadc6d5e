//! Journals with concurrent writers, crashes and late events.

use super::*;
use crate::memory::MemoryKv;
use crate::poll::Clock as _;
use domain::role::Role;
use futures::executor::block_on;
use proptest::prelude::*;

mod refusals;

/// Collects the texts of its events in order, and refuses `bad`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Log(Vec<(u64, String)>);
impl Fold for Log {
    type Event = String;
    const ORDERED: bool = true;
    fn apply(&mut self, n: u64, entry: &Entry<String>) -> Result<(), Refusal> {
        if entry.event == "bad" {
            return Err(Refusal::new("bad is refused"));
        }
        self.0.push((n, entry.event.clone()));
        Ok(())
    }
}

/// Counts its events. Their order makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Sum(u64);
impl Fold for Sum {
    type Event = String;
    const ORDERED: bool = false;
    fn apply(&mut self, _n: u64, _entry: &Entry<String>) -> Result<(), Refusal> {
        self.0 += 1;
        Ok(())
    }
}

fn journal() -> JournalId {
    JournalId::Exemptions { project: "shop".parse().unwrap() }
}

fn actor() -> Actor {
    Actor { subject: "ann".parse().unwrap(), role: Role::Admin, token: None, address: None }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

async fn add<F: Fold<Event = String>>(kv: &MemoryKv, text: &str, ms: i64) -> Result<Appended<F>, KvError> {
    append::<F>(kv, &journal(), EventId::derived("test", &[text.as_bytes()]), actor(), text.to_owned(), || at(ms)).await
}

fn loaded<F: Fold>(kv: &MemoryKv, ms: i64) -> F {
    block_on(load::<F>(kv, &journal(), at(ms))).unwrap().state
}

/// Takes a number without writing an event, like a writer that crashed.
fn gap(kv: &MemoryKv) -> u64 {
    block_on(kv.increment(&keys::journal_counter(&journal()))).unwrap()
}

fn fill(kv: &MemoryKv, n: u64, text: &str) {
    let entry = Entry { v: 1, id: EventId::from_bits([9; 16]), at: at(0), by: actor(), event: text.to_owned() };
    block_on(document::put(kv, &keys::journal_event(&journal(), n), &entry)).unwrap();
}

fn texts(log: &Log) -> Vec<&str> {
    log.0.iter().map(|(_, text)| text.as_str()).collect()
}

/// Accepts the first event only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct First(Option<String>);
impl Fold for First {
    type Event = String;
    const ORDERED: bool = true;
    fn apply(&mut self, _n: u64, entry: &Entry<String>) -> Result<(), Refusal> {
        match &self.0 {
            Some(first) => Err(Refusal::new(format!("{first} was first"))),
            None => {
                self.0 = Some(entry.event.clone());
                Ok(())
            }
        }
    }
}

#[test]
fn exactly_one_of_several_racing_writers_is_first() {
    for writers in 2..20 {
        let kv = MemoryKv::default();
        let racing = (0..writers).map(|n| {
            let kv = &kv;
            async move { add::<First>(kv, &format!("w{n}"), 0).await.unwrap().outcome }
        });
        let outcomes = block_on(futures::future::join_all(racing));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{writers} writers");
    }
}

#[test]
fn an_outcome_waits_for_an_earlier_writer_but_not_for_a_dead_one() {
    let kv = MemoryKv::default();
    let slow = gap(&kv);
    let late = async {
        // Long enough for the other to have written and checked.
        for _ in 0..50 {
            kv.sleep(poll::PAUSE_MIN).await;
        }
        let key = keys::journal_event(&journal(), slow);
        let entry = Entry { v: 1, id: EventId::from_bits([9; 16]), at: at(0), by: actor(), event: "slow".to_owned() };
        document::put(&kv, &key, &entry).await.unwrap();
    };
    let (appended, ()) = block_on(futures::future::join(add::<First>(&kv, "fast", 0), late));
    assert_eq!(appended.unwrap().outcome, Err(Refusal::new("slow was first")));
    gap(&kv);
    assert_eq!(block_on(add::<First>(&kv, "later", 0)).unwrap().n, 4, "a dead writer does not delay others for long");
}

#[test]
fn events_fold_in_order_and_the_snapshot_changes_nothing() {
    let kv = MemoryKv::default();
    for n in 0..40 {
        assert_eq!(block_on(add::<Log>(&kv, &format!("e{n}"), 0)).unwrap().n, n + 1);
    }
    let with = loaded::<Log>(&kv, 0);
    block_on(kv.delete(&keys::journal_snapshot(&journal()))).unwrap();
    assert_eq!(loaded::<Log>(&kv, 0), with);
    block_on(kv.set(&keys::journal_snapshot(&journal()), b"damaged")).unwrap();
    assert_eq!(loaded::<Log>(&kv, 0), with);
    assert_eq!(texts(&with).len(), 40);
}

#[test]
fn a_refused_event_has_no_effect_and_stays_for_the_audit_log() {
    let kv = MemoryKv::default();
    block_on(add::<Log>(&kv, "good", 0)).unwrap();
    let refused = block_on(add::<Log>(&kv, "bad", 0)).unwrap();
    assert_eq!((refused.n, refused.outcome), (2, Err(Refusal::new("bad is refused"))));
    assert_eq!(texts(&loaded::<Log>(&kv, 0)), ["good"]);
    let back: Vec<(u64, Entry<String>)> = block_on(read_back(&kv, &journal(), 2, 10)).unwrap();
    assert_eq!(back.iter().map(|(n, entry)| (*n, entry.event.as_str())).collect::<Vec<_>>(), [(2, "bad"), (1, "good")]);
}

#[test]
fn the_last_number_is_found_without_the_state() {
    let kv = MemoryKv::default();
    let last = |kv: &MemoryKv| block_on(super::last(kv, &journal())).unwrap();
    assert_eq!(last(&kv), 0);
    for n in 1..=20 {
        block_on(add::<Log>(&kv, &format!("e{n}"), 0)).unwrap();
        assert_eq!(last(&kv), n);
    }
    gap(&kv);
    assert_eq!(last(&kv), 20, "a number without an event does not count");
    fill(&kv, 22, "beyond");
    assert_eq!(last(&kv), 22);
    let before = kv.operations().0;
    last(&kv);
    assert_eq!(kv.operations().0 - before, 1 + 2 * WINDOW, "the snapshot, a window with the event and one without any");
    for snapshot in [&b"damaged"[..], b"{\"upto\":20,\"state\":\"{}\"}"] {
        block_on(kv.set(&keys::journal_snapshot(&journal()), snapshot)).unwrap();
        assert_eq!(last(&kv), 22);
    }
}

#[test]
fn the_cost_of_appending_does_not_grow_with_the_journal() {
    let kv = MemoryKv::default();
    let cost_of_one = |kv: &MemoryKv| {
        let before = kv.operations();
        block_on(add::<Sum>(kv, "x", 0)).unwrap();
        let after = kv.operations();
        (after.0 - before.0, after.1 - before.1)
    };
    for _ in 0..10 {
        cost_of_one(&kv);
    }
    let early = cost_of_one(&kv);
    for _ in 0..3000 {
        cost_of_one(&kv);
    }
    assert_eq!(cost_of_one(&kv), early);
}

#[test]
fn a_late_event_is_folded_in_order_while_its_gap_is_open() {
    let kv = MemoryKv::default();
    block_on(add::<Log>(&kv, "first", 0)).unwrap();
    let late = gap(&kv);
    for n in 0..30 {
        block_on(add::<Log>(&kv, &format!("after{n}"), 1000)).unwrap();
    }
    assert_eq!(texts(&loaded::<Log>(&kv, 1000))[..2], ["first", "after0"]);
    fill(&kv, late, "late");
    assert_eq!(texts(&loaded::<Log>(&kv, 1000))[..3], ["first", "late", "after0"]);
    block_on(add::<Log>(&kv, "last", 1000)).unwrap();
    let log = loaded::<Log>(&kv, 1000);
    assert_eq!((texts(&log)[..3].to_vec(), texts(&log).len()), (vec!["first", "late", "after0"], 33));
}

#[test]
fn a_gap_is_final_after_ten_minutes_and_the_snapshot_passes_it() {
    let kv = MemoryKv::default();
    let dead = gap(&kv);
    block_on(add::<Log>(&kv, "after", 0)).unwrap();
    let upto = |kv: &MemoryKv| {
        let snapshot = block_on(kv.get(&keys::journal_snapshot(&journal()))).unwrap();
        snapshot.map(|bytes: Vec<u8>| serde_json::from_slice::<Snapshot>(&bytes).unwrap().upto)
    };
    assert_eq!(upto(&kv), None, "an open gap is not passed");
    block_on(add::<Log>(&kv, "later", GAP_FINAL_MS - 1)).unwrap();
    assert_eq!(upto(&kv), None);
    block_on(add::<Log>(&kv, "latest", GAP_FINAL_MS)).unwrap();
    assert_eq!(upto(&kv), Some(4));
    fill(&kv, dead, "ghost");
    assert_eq!(texts(&loaded::<Log>(&kv, GAP_FINAL_MS)), ["after", "later", "latest"]);
}

#[test]
fn if_order_does_not_matter_snapshots_skip_gaps_and_count_them_once_filled() {
    let kv = MemoryKv::default();
    let late = gap(&kv);
    for n in 0..30 {
        block_on(add::<Sum>(&kv, &format!("{n}"), 0)).unwrap();
    }
    let before = kv.operations().0;
    assert_eq!(loaded::<Sum>(&kv, 0), Sum(30));
    assert_eq!(kv.operations().0 - before, 10, "snapshot, gap, one window");
    fill(&kv, late, "late");
    assert_eq!(loaded::<Sum>(&kv, 0), Sum(31));
    block_on(add::<Sum>(&kv, "last", 0)).unwrap();
    assert_eq!(loaded::<Sum>(&kv, 0), Sum(32));
}

#[test]
fn more_dead_writers_than_a_window_delay_an_event_but_never_lose_it() {
    let kv = MemoryKv::default();
    block_on(add::<Log>(&kv, "first", 0)).unwrap();
    let gaps: Vec<u64> = (0..WINDOW).map(|_| gap(&kv)).collect();
    let unseen = block_on(add::<Log>(&kv, "beyond", 0));
    assert_eq!(unseen.unwrap_err(), KvError::NotYetVisible { journal: journal().key(), n: 10 });
    fill(&kv, gaps[3], "filled");
    assert_eq!(texts(&loaded::<Log>(&kv, 0)), ["first", "filled", "beyond"]);
}

#[test]
fn a_state_too_large_for_one_value_is_snapshotted_in_parts() {
    let kv = MemoryKv::default();
    let text = "x".repeat(50_000);
    for n in 0..60 {
        block_on(add::<Log>(&kv, &format!("{n}{text}"), 0)).unwrap();
    }
    let log = loaded::<Log>(&kv, 0);
    assert_eq!(log.0.len(), 60);
    let parts: Vec<_> = kv.contents().into_keys().filter(|key| key.contains(":snap:")).collect();
    assert!(!parts.is_empty() && parts.len() < 16, "only the newest generation is kept: {parts:?}");
    block_on(kv.delete(&parts[0])).unwrap();
    assert_eq!(loaded::<Log>(&kv, 0), log, "a missing part falls back to the events");
}

#[test]
fn concurrent_writers_neither_lose_nor_repeat_an_event() {
    let kv = MemoryKv::default();
    let writers = (0..50).map(|n| {
        let kv = &kv;
        async move { add::<Log>(kv, &format!("w{n}"), 0).await.unwrap().n }
    });
    let mut numbers = block_on(futures::future::join_all(writers));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    let log = loaded::<Log>(&kv, 0);
    let mut seen = texts(&log);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 50);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_writer_that_crashes_anywhere_keeps_acknowledged_events(deaths in proptest::collection::vec(0..6_u64, 1..20)) {
        let kv = MemoryKv::default();
        let mut acknowledged = vec![];
        for (n, death) in deaths.iter().enumerate() {
            kv.fail_after_writes(Some(*death));
            if block_on(add::<Log>(&kv, &format!("e{n}"), 0)).is_ok() {
                acknowledged.push(format!("e{n}"));
            }
            kv.fail_after_writes(None);
            let log = loaded::<Log>(&kv, 0);
            let visible = texts(&log);
            let kept: Vec<_> = acknowledged.iter().filter(|text| visible.contains(&text.as_str())).collect();
            prop_assert_eq!(kept.len(), acknowledged.len());
        }
    }
}
