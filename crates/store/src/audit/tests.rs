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

/// Writes journals of events at these times, absent for a hole.
fn written(journals: &[Vec<Option<i64>>]) -> (MemoryKv, Vec<Source>) {
    let kv = MemoryKv::default();
    let mut all = Vec::new();
    for (at, times) in journals.iter().enumerate() {
        all.push(journal(at));
        for (n, ms) in (1..).zip(times) {
            let Some(ms) = ms else { continue };
            block_on(document::put(&kv, &keys::journal_event(&journal(at), n), &entry(*ms, n))).unwrap();
        }
    }
    let sources = block_on(sources(&kv, all)).unwrap();
    (kv, sources)
}

/// What the list must be: all events by the running minimum of their times.
fn expected(journals: &[Vec<Option<i64>>]) -> Vec<Place> {
    let mut places = Vec::new();
    for (at, times) in journals.iter().enumerate() {
        let mut least = i64::MAX;
        for (n, ms) in (1..).zip(times).collect::<Vec<_>>().into_iter().rev() {
            let Some(ms) = ms else { continue };
            least = least.min(*ms);
            places.push(Place { at: Timestamp::from_ms(least), journal: journal(at).key(), n });
        }
    }
    places.sort();
    places.reverse();
    places
}

fn page(kv: &MemoryKv, sources: &[Source], part: &Part, size: usize) -> (Vec<Event>, bool) {
    block_on(async {
        let mut list = List::open(kv, sources, part).await.unwrap();
        let mut events = Vec::new();
        while events.len() < size {
            let Some(event) = list.next().await.unwrap() else { break };
            events.push(event);
        }
        (events, list.more())
    })
}

/// All places, read in pages of these sizes in turn.
fn paged(kv: &MemoryKv, sources: &[Source], sizes: &[usize], part: &Part) -> Vec<Place> {
    let (mut places, mut part) = (Vec::new(), part.clone());
    for size in sizes.iter().cycle() {
        let (events, more) = page(kv, sources, &part, *size);
        places.extend(events.into_iter().map(|event| event.place));
        if !more {
            return places;
        }
        part.after = places.last().cloned();
    }
    places
}

/// A journal whose times are in disorder by at most half a minute, with a hole now and then.
fn disorder() -> impl Strategy<Value = Vec<Option<i64>>> {
    let steps = proptest::collection::vec((0..20_000_i64, 0..30_000_i64, 0..8_u8), 0..80);
    steps.prop_map(|steps| {
        let mut now = 0;
        let mut times: Vec<_> = steps
            .into_iter()
            .map(|(step, late, hole)| {
                now += step;
                (hole > 0).then_some(now + late)
            })
            .collect();
        // The last number of a journal is known by its event.
        times.push(Some(now));
        times
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn pages_of_any_size_are_the_whole_list_in_order(
        journals in proptest::collection::vec(disorder(), 1..5),
        sizes in proptest::collection::vec(1..40_usize, 1..4),
    ) {
        let (kv, sources) = written(&journals);
        prop_assert_eq!(paged(&kv, &sources, &sizes, &Part::default()), expected(&journals));
    }

    #[test]
    fn an_interval_holds_every_event_of_its_times(
        journals in proptest::collection::vec(disorder(), 1..4),
        ends in (0..1_600_000_i64, 0..1_600_000_i64),
        size in 1..40_usize,
    ) {
        let (kv, sources) = written(&journals);
        let (since, until) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let part = Part { since: Some(Timestamp::from_ms(since)), until: Some(Timestamp::from_ms(until)), after: None };
        let time = |place: &Place| {
            let at = journals.iter().enumerate().find(|(at, _)| journal(*at).key() == place.journal).unwrap().0;
            journals[at][usize::try_from(place.n).unwrap() - 1].unwrap()
        };
        let within = |places: Vec<Place>| -> Vec<Place> {
            places.into_iter().filter(|place| (since..=until).contains(&time(place))).collect()
        };
        prop_assert_eq!(within(paged(&kv, &sources, &[size], &part)), within(expected(&journals)));
    }
}

#[test]
fn what_is_appended_between_pages_changes_no_later_page() {
    let times: Vec<_> = (0..100).map(|n| Some(n * 1000)).collect();
    let (kv, sources) = written(&[times.clone(), times.clone()]);
    let (first, more) = page(&kv, &sources, &Part::default(), 30);
    assert!(more);
    let (grown, sources) = {
        let longer: Vec<_> = times.iter().copied().chain((0..50).map(|n| Some(100_000 + n))).collect();
        written(&[longer.clone(), longer, times.clone()])
    };
    let after = first.last().map(|event| event.place.clone());
    let rest = paged(&grown, &sources[..2], &[30], &Part { after, ..Part::default() });
    let all: Vec<_> = first.into_iter().map(|event| event.place).chain(rest).collect();
    assert_eq!(all, expected(&[times.clone(), times]));
}

#[test]
fn an_event_that_was_appended_twice_is_marked_the_second_time() {
    let kv = MemoryKv::default();
    let ids = [1, 2, 1, 3].into_iter().chain(100..100 + REPEATED_WITHIN).chain([3, 101]);
    for (n, id) in (1..).zip(ids) {
        block_on(document::put(&kv, &keys::journal_event(&journal(0), n), &entry(0, id))).unwrap();
    }
    let sources = block_on(sources(&kv, vec![journal(0)])).unwrap();
    let (events, _) = page(&kv, &sources, &Part::default(), 100);
    let repeated: BTreeMap<_, _> = events.iter().map(|event| (event.place.n, event.copy_of.is_some())).collect();
    let marked: Vec<_> = repeated.into_iter().filter(|(_, repeated)| *repeated).map(|(n, _)| n).collect();
    assert_eq!(marked, [3, 4 + REPEATED_WITHIN + 2], "3 again comes too late to be noticed, 101 again just in time");
}

/// How many reads a page of 50 takes of so many journals of so many events each, each with a snapshot.
fn reads(journals: usize, events: i64, after: Option<Place>) -> u64 {
    let times: Vec<_> = (0..events).map(|n| Some(n * 60_000)).collect();
    let (kv, _) = written(&vec![times; journals]);
    let all: Vec<_> = (0..journals).map(journal).collect();
    for journal in &all {
        let snapshot = format!(r#"{{"upto":{events}}}"#);
        block_on(kv.set(&keys::journal_snapshot(journal), snapshot.as_bytes())).unwrap();
    }
    let before = kv.operations().0;
    let sources = block_on(sources(&kv, all)).unwrap();
    let (events, _) = page(&kv, &sources, &Part { after, ..Part::default() }, 50);
    assert_eq!(events.len(), 50);
    kv.operations().0 - before
}

#[test]
fn what_a_page_costs_depends_on_the_journals_and_not_on_history() {
    let costs = [(10, 50), (10, 2000), (300, 50)].map(|(journals, events)| reads(journals, events, None));
    println!("reads of a first page: {costs:?}");
    assert_eq!(costs[0], costs[1], "history costs nothing");
    assert!(costs[0] <= 550 && costs[2] <= 300 * 10 + 50 * 50, "{costs:?}");
    let middle = Place { at: Timestamp::from_ms(1000 * 60_000), journal: journal(0).key(), n: 1001 };
    let later = reads(10, 2000, Some(middle));
    println!("reads of a later page: {later}");
    assert!(later <= costs[0] + 10 * 2 * 12, "{later}: twice the binary digits of what is newer");
}
