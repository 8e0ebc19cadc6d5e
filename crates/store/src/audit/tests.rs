//! The list of several journals' events, page by page.

use super::*;
use crate::memory::MemoryKv;
use domain::event::Actor;
use domain::ids::{ProjectId, TargetId};
use domain::role::Role;
use futures::executor::block_on;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn journal(at: usize) -> JournalId {
    let project: ProjectId = "shop".parse().unwrap();
    let target = TargetId::of(&project, &format!("t{at}").parse().unwrap());
    JournalId::Scans { project, target }
}

fn entry(ms: i64, id: u64) -> Entry<Value> {
    let by = Actor { subject: "ann".parse().unwrap(), role: Role::Admin, token: None, address: None };
    let id = EventId::derived("test", &[&id.to_be_bytes()]);
    Entry { v: 1, id, at: Timestamp::from_ms(ms), by, event: Value::Null }
}

/// Writes journals of events at these times, absent for a gap.
fn written(journals: &[Vec<Option<i64>>]) -> (MemoryKv, Vec<AuditedJournal>) {
    let kv = MemoryKv::default();
    let mut all = Vec::new();
    for (at, times) in journals.iter().enumerate() {
        all.push(journal(at));
        for (n, ms) in (1..).zip(times) {
            let Some(ms) = ms else { continue };
            block_on(document::put(&kv, &keys::journal_event(&journal(at), n), &entry(*ms, n))).unwrap();
        }
    }
    let sources = block_on(open_journals(&kv, all)).unwrap();
    (kv, sources)
}

/// The expected list: all events, sorted by the running minimum of their times.
fn expected(journals: &[Vec<Option<i64>>]) -> Vec<Position> {
    let mut places = Vec::new();
    for (at, times) in journals.iter().enumerate() {
        let mut least = i64::MAX;
        for (n, ms) in (1..).zip(times).collect::<Vec<_>>().into_iter().rev() {
            let Some(ms) = ms else { continue };
            least = least.min(*ms);
            places.push(Position { at: Timestamp::from_ms(least), journal: journal(at).key(), n });
        }
    }
    places.sort();
    places.reverse();
    places
}

fn page(kv: &MemoryKv, sources: &[AuditedJournal], bounds: &Bounds, size: usize) -> (Vec<Event>, bool) {
    block_on(async {
        let mut list = List::open(kv, sources, bounds).await.unwrap();
        let mut events = Vec::new();
        while events.len() < size {
            let Some(event) = list.next().await.unwrap() else { break };
            events.push(event);
        }
        (events, list.more())
    })
}

/// All positions, read in pages of these sizes in turn.
fn paged(kv: &MemoryKv, sources: &[AuditedJournal], sizes: &[usize], bounds: &Bounds) -> Vec<Position> {
    let (mut places, mut bounds) = (Vec::new(), bounds.clone());
    for size in sizes.iter().cycle() {
        let (events, more) = page(kv, sources, &bounds, *size);
        places.extend(events.into_iter().map(|event| event.position));
        if !more {
            return places;
        }
        bounds.after = places.last().cloned();
    }
    places
}

/// A journal whose times are in disorder by at most half a minute, with a gap now and then.
fn disorder() -> impl Strategy<Value = Vec<Option<i64>>> {
    let steps = proptest::collection::vec((0..20_000_i64, 0..30_000_i64, 0..8_u8), 0..80);
    steps.prop_map(|steps| {
        let mut now = 0;
        let mut times: Vec<_> = steps
            .into_iter()
            .map(|(step, late, gap)| {
                now += step;
                (gap > 0).then_some(now + late)
            })
            .collect();
        // The last number of a journal always has an event.
        times.push(Some(now));
        times
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn pages_of_any_size_together_are_the_whole_list_in_order(
        journals in proptest::collection::vec(disorder(), 1..5),
        sizes in proptest::collection::vec(1..40_usize, 1..4),
    ) {
        let (kv, sources) = written(&journals);
        prop_assert_eq!(paged(&kv, &sources, &sizes, &Bounds::default()), expected(&journals));
    }

    #[test]
    fn an_interval_contains_every_event_of_its_times(
        journals in proptest::collection::vec(disorder(), 1..4),
        ends in (0..1_600_000_i64, 0..1_600_000_i64),
        size in 1..40_usize,
    ) {
        let (kv, sources) = written(&journals);
        let (since, until) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let bounds = Bounds { since: Some(Timestamp::from_ms(since)), until: Some(Timestamp::from_ms(until)), after: None };
        let time = |place: &Position| {
            let at = journals.iter().enumerate().find(|(at, _)| journal(*at).key() == place.journal).unwrap().0;
            journals[at][usize::try_from(place.n).unwrap() - 1].unwrap()
        };
        let within = |places: Vec<Position>| -> Vec<Position> {
            places.into_iter().filter(|place| (since..=until).contains(&time(place))).collect()
        };
        prop_assert_eq!(within(paged(&kv, &sources, &[size], &bounds)), within(expected(&journals)));
    }
}

#[test]
fn an_event_appended_between_pages_changes_no_later_page() {
    let times: Vec<_> = (0..100).map(|n| Some(n * 1000)).collect();
    let (kv, sources) = written(&[times.clone(), times.clone()]);
    let (first, more) = page(&kv, &sources, &Bounds::default(), 30);
    assert!(more);
    let (grown, sources) = {
        let longer: Vec<_> = times.iter().copied().chain((0..50).map(|n| Some(100_000 + n))).collect();
        written(&[longer.clone(), longer, times.clone()])
    };
    let after = first.last().map(|event| event.position.clone());
    let rest = paged(&grown, &sources[..2], &[30], &Bounds { after, ..Bounds::default() });
    let all: Vec<_> = first.into_iter().map(|event| event.position).chain(rest).collect();
    assert_eq!(all, expected(&[times.clone(), times]));
}

#[test]
fn an_event_that_was_appended_twice_is_marked_the_second_time() {
    let kv = MemoryKv::default();
    let ids = [1, 2, 1, 3].into_iter().chain(100..100 + REPEATED_WITHIN).chain([3, 101]);
    for (n, id) in (1..).zip(ids) {
        block_on(document::put(&kv, &keys::journal_event(&journal(0), n), &entry(0, id))).unwrap();
    }
    let sources = block_on(open_journals(&kv, vec![journal(0)])).unwrap();
    let (events, _) = page(&kv, &sources, &Bounds::default(), 100);
    let repeated: BTreeMap<_, _> = events.iter().map(|event| (event.position.n, event.copy_of.is_some())).collect();
    let marked: Vec<_> = repeated.into_iter().filter(|(_, repeated)| *repeated).map(|(n, _)| n).collect();
    assert_eq!(marked, [3, 4 + REPEATED_WITHIN + 2], "3 again comes too late to be noticed, 101 again just in time");
}

/// The number of reads for a page of 50, with this number of journals, each with a snapshot and this number of events.
fn reads(journals: usize, events: i64, after: Option<Position>) -> u64 {
    let times: Vec<_> = (0..events).map(|n| Some(n * 60_000)).collect();
    let (kv, _) = written(&vec![times; journals]);
    let all: Vec<_> = (0..journals).map(journal).collect();
    for journal in &all {
        let snapshot = format!(r#"{{"upto":{events}}}"#);
        block_on(kv.set(&keys::journal_snapshot(journal), snapshot.as_bytes())).unwrap();
    }
    let before = kv.operations().0;
    let sources = block_on(open_journals(&kv, all)).unwrap();
    let (events, _) = page(&kv, &sources, &Bounds { after, ..Bounds::default() }, 50);
    assert_eq!(events.len(), 50);
    kv.operations().0 - before
}

#[test]
fn the_cost_of_a_page_depends_on_the_journals_and_not_on_history() {
    let costs = [(10, 50), (10, 2000), (300, 50)].map(|(journals, events)| reads(journals, events, None));
    println!("reads of a first page: {costs:?}");
    assert_eq!(costs[0], costs[1], "history adds no reads");
    assert!(costs[0] <= 550 && costs[2] <= 300 * 10 + 50 * 50, "{costs:?}");
    let middle = Position { at: Timestamp::from_ms(1000 * 60_000), journal: journal(0).key(), n: 1001 };
    let later = reads(10, 2000, Some(middle));
    println!("reads of a later page: {later}");
    assert!(later <= costs[0] + 10 * 2 * 12, "{later}: twice the binary digits of the number of newer events");
}
