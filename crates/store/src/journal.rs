//! Journals: numbered events, written once, that fold into a state.
//!
//! - `…:seq` is a counter that `increment` alone touches; `…:<n>` is event n; `…:snap` is a snapshot, a cache that may
//!   be stale but never wrong.
//! - [`append`]: increment, write the event, load, renew the snapshot; it is acknowledged only if the load saw it and,
//!   where the order of events matters, every event before it.
//! - [`load`]: the snapshot, then the events after it in concurrent windows of 8 until a whole window is absent.
//! - A number without an event below one that has one is a *hole*: its writer is slow or died. It is looked for again
//!   until it is 10 minutes old; requests live for 30 seconds, so by then it is dead for good.
//!
//! Where the order of events matters, a snapshot never passes a living hole; where it does not, it lists them.
//!
//! What was refused stays known for good: whoever renews the snapshot first writes `…:<n>:refused` for each refused event
//! that the snapshot takes in. If they die in between, the next one writes the same again. Above the snapshot, folding
//! tells.

use crate::document;
use crate::keys;
use crate::kv::{Counter, Kv, KvError};
use crate::poll;
use domain::event::{Actor, Entry};
use domain::ids::EventId;
use domain::journal::{Fold, JournalId, Refusal};
use domain::limits::VALUE_BYTES_MAX;
use domain::time::Timestamp;
use futures::future::try_join_all;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many events are read at once; also how many writers may be under way before a reader stops seeing past them.
pub(crate) const WINDOW: u64 = 8;
/// The age from which on a hole is dead, in milliseconds.
const HOLE_DEAD_MS: i64 = 10 * 60 * 1000;
/// The longest that an appender waits until a load shows its own event; earlier writers may delay that.
const VISIBLE_WAIT: Duration = Duration::from_secs(3);
/// The longest that an appender waits for the events before its own, where the order matters: until they exist, the
/// outcome of its event may change. A writer takes milliseconds from its number to its event. One that takes longer has
/// died, and must not delay the others for the ten minutes until its gap is final.
const SETTLED_WAIT: Duration = Duration::from_secs(2);
/// The largest snapshot that stands in one value; leaves room for the JSON around it.
const SNAPSHOT_INLINE_BYTES_MAX: usize = VALUE_BYTES_MAX / 2;
/// The version of the snapshot's format that is read; another is none, and the events are folded anew.
const SNAPSHOT_VERSION: u8 = 2;
/// A snapshot in several parts is renewed only every so many events.
const SNAPSHOT_PARTS_EVERY: u64 = 16;

/// The snapshot as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Snapshot {
    /// The format's version: 2.
    v: u8,
    /// All events up to this number are in the state, but for the holes.
    upto: u64,
    /// Living holes at or below `upto`, with the time of the event that showed each to be one.
    holes: Vec<(u64, Timestamp)>,
    /// The last event in the state that was refused, 0 for none: of later ones nobody need look for a refusal.
    refused_last: u64,
    /// The state as JSON text.
    state: Option<String>,
    /// How many further values hold the state when it is too large for this one.
    parts: usize,
}

/// That an event was refused, as stored: written once, before the first snapshot that takes the event in.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refused {
    /// The format's version: 1.
    v: u8,
    /// Why.
    #[serde(flatten)]
    refusal: Refusal,
}

/// A journal as loaded.
#[derive(Debug, Clone)]
pub struct Loaded<F: Fold> {
    /// The fold of all its events.
    pub state: F,
    /// The number of its last event, 0 for none.
    pub last: u64,
    /// Up to which number nothing can come in any more: every event is there, or its writer is dead. Where the order does
    /// not matter, the last number.
    pub settled: u64,
    /// What became of each event.
    pub outcomes: Outcomes,
    /// What a renewed snapshot would hold; without a state of its own it is this one's.
    next: Next<Option<F>>,
    /// The snapshot this was loaded from.
    from: Option<(u64, usize)>,
}

/// What a snapshot is made of.
#[derive(Debug, Clone)]
struct Next<F> {
    upto: u64,
    holes: Vec<(u64, Timestamp)>,
    refused_last: u64,
    state: F,
}

/// What became of a journal's events, as a load knows it.
#[derive(Debug, Clone)]
pub struct Outcomes {
    /// The snapshot's last event, and its holes.
    upto: u64,
    holes: Vec<u64>,
    /// The last event in the snapshot that was refused.
    refused_last: u64,
    /// The events that the load folded itself.
    folded: BTreeMap<u64, Result<(), Refusal>>,
}

impl Outcomes {
    /// Those of a journal in which nothing is ever refused.
    pub fn nothing_refused() -> Self {
        Self { upto: u64::MAX, holes: Vec::new(), refused_last: 0, folded: BTreeMap::new() }
    }

    /// What became of event `n`; absent where the load did not see it, because it was not there yet.
    ///
    /// Costs a read for an event that was in the snapshot already, and none where nothing later in it was refused.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of(&self, kv: &impl Kv, journal: &JournalId, n: u64) -> Result<Option<Result<(), Refusal>>, KvError> {
        if let Some(outcome) = self.folded.get(&n) {
            return Ok(Some(outcome.clone()));
        }
        if self.upto < n || self.holes.contains(&n) {
            return Ok(None);
        }
        if self.refused_last < n {
            return Ok(Some(Ok(())));
        }
        let refused: Option<Refused> = document::find(kv, &keys::journal_refusal(journal, n)).await?;
        Ok(Some(refused.map_or(Ok(()), |refused| Err(refused.refusal))))
    }

    /// The refusals of events up to `upto` that no document tells of for sure.
    fn refused_to(&self, upto: u64) -> impl Iterator<Item = (u64, &Refusal)> {
        let folded = self.folded.range(..=upto);
        folded.filter_map(|(n, outcome)| outcome.as_ref().err().map(|refusal| (*n, refusal)))
    }
}

/// What became of an event that was appended.
#[derive(Debug, Clone)]
pub struct Appended<F> {
    /// The event's number.
    pub n: u64,
    /// Whether it took effect; if not, it stays in the journal for the audit.
    pub outcome: Result<(), Refusal>,
    /// The state with it.
    pub state: F,
}

/// Loads a journal.
///
/// # Errors
/// The store failed.
pub async fn load<F: Fold>(kv: &impl Kv, journal: &JournalId, now: Timestamp) -> Result<Loaded<F>, KvError> {
    let (snapshot, from) = read_snapshot::<F>(kv, journal).await?;
    let mut entries: BTreeMap<u64, Entry<F::Event>> = BTreeMap::new();
    // Holes of the snapshot that have been filled since; there are none where order matters.
    let refilled = try_join_all(snapshot.holes.iter().map(|(n, _)| window(kv, journal, *n, *n))).await?;
    entries.extend(refilled.into_iter().flatten());
    let mut next = snapshot.upto + 1;
    loop {
        let found = window(kv, journal, next, next + WINDOW - 1).await?;
        if found.is_empty() {
            break;
        }
        entries.extend(found);
        next += WINDOW;
    }
    let last = entries.keys().next_back().copied().unwrap_or(0).max(snapshot.upto);
    let holes = living_holes(&snapshot, &entries, last, now);
    Ok(fold(snapshot, entries, last, holes, from))
}

/// The number of a journal's last event, 0 for none, whatever its events mean: of the snapshot nothing is taken but how
/// far it goes.
///
/// # Errors
/// The store failed.
pub async fn last(kv: &impl Kv, journal: &JournalId) -> Result<u64, KvError> {
    #[derive(Deserialize)]
    struct Reach {
        upto: u64,
    }
    let snapshot = kv.get(&keys::journal_snapshot(journal)).await?;
    // A snapshot that can't be read is none, as for a load.
    let reach = snapshot.and_then(|bytes| serde_json::from_slice::<Reach>(&bytes).ok());
    let mut last = reach.map_or(0, |reach| reach.upto);
    let mut next = last + 1;
    loop {
        let found = window::<IgnoredAny>(kv, journal, next, next + WINDOW - 1).await?;
        let Some(newest) = found.into_keys().next_back() else { return Ok(last) };
        last = newest;
        next += WINDOW;
    }
}

/// The events from `to` down to 1, at most `count` of them, holes left out, the newest first, with their numbers.
pub async fn read_back<E: DeserializeOwned>(
    kv: &impl Kv,
    journal: &JournalId,
    to: u64,
    count: usize,
) -> Result<Vec<(u64, Entry<E>)>, KvError> {
    let mut entries = Vec::new();
    let mut to = to;
    while to > 0 && entries.len() < count {
        let from = to.saturating_sub(WINDOW - 1).max(1);
        let mut window: Vec<_> = window(kv, journal, from, to).await?.into_iter().collect();
        window.reverse();
        entries.extend(window);
        to = from - 1;
    }
    entries.truncate(count);
    Ok(entries)
}

/// Appends an event and answers once every later load will see it.
///
/// # Errors
/// The store failed, or earlier writers kept the event from being seen. The event may then take effect or not; the
/// caller appends it again under the same id, and the fold counts it once.
pub async fn append<F: Fold>(
    kv: &impl Counter,
    journal: &JournalId,
    id: EventId,
    by: Actor,
    event: F::Event,
    now: impl Fn() -> Timestamp,
) -> Result<Appended<F>, KvError> {
    let n = kv.increment(&keys::journal_counter(journal)).await?;
    let entry = Entry { v: 1, id, at: now(), by, event };
    document::put(kv, &keys::journal_event(journal, n), &entry).await?;
    let appended = poll::until(kv, VISIBLE_WAIT, async |slept| {
        let loaded: Loaded<F> = load(kv, journal, now()).await?;
        let settled = loaded.next.upto >= n || !F::ORDERED || slept >= SETTLED_WAIT;
        if settled && let Some(outcome) = loaded.outcomes.of(kv, journal, n).await? {
            renew(kv, journal, &loaded).await?;
            return Ok(Some(Appended { n, outcome, state: loaded.state }));
        }
        Ok(None)
    });
    appended.await?.ok_or_else(|| KvError::NotYetVisible { journal: journal.key(), n })
}

/// Holes up to `last` that are not dead yet, each with the time at which it was first seen to be one.
fn living_holes<F, E>(
    snapshot: &Next<F>,
    entries: &BTreeMap<u64, Entry<E>>,
    last: u64,
    now: Timestamp,
) -> Vec<(u64, Timestamp)> {
    let known = snapshot.holes.iter().filter(|(n, _)| !entries.contains_key(n)).copied();
    let found = (snapshot.upto + 1..last).filter(|n| !entries.contains_key(n)).filter_map(|n| {
        let after = entries.range(n..).next()?.1.at;
        Some((n, after))
    });
    known.chain(found).filter(|(_, since)| now.ms_since(*since) < HOLE_DEAD_MS).collect()
}

fn fold<F: Fold>(
    snapshot: Next<F>,
    entries: BTreeMap<u64, Entry<F::Event>>,
    last: u64,
    holes: Vec<(u64, Timestamp)>,
    from: Option<(u64, usize)>,
) -> Loaded<F> {
    // How far a snapshot may go: where order matters, up to the first hole that may still be filled.
    let reach = match holes.first() {
        Some((hole, _)) if F::ORDERED => hole - 1,
        _ => last,
    };
    let Next { upto, holes: unfilled, refused_last, mut state } = snapshot;
    let holes_then = unfilled.into_iter().map(|(n, _)| n).collect();
    let mut outcomes = Outcomes { upto, holes: holes_then, refused_last, folded: BTreeMap::new() };
    let mut at_reach = None;
    for (n, entry) in &entries {
        if reach < *n && at_reach.is_none() {
            at_reach = Some(state.clone());
        }
        outcomes.folded.insert(*n, state.apply(*n, entry));
    }
    let refused_last = outcomes.refused_to(reach).map(|(n, _)| n).max().unwrap_or(0).max(refused_last);
    let holes = if F::ORDERED { Vec::new() } else { holes };
    let next = Next { upto: reach, holes, refused_last, state: at_reach };
    Loaded { state, last, settled: next.upto, outcomes, next, from }
}

/// The events of `from..=to` that are there.
pub(crate) async fn window<E: DeserializeOwned>(
    kv: &impl Kv,
    journal: &JournalId,
    from: u64,
    to: u64,
) -> Result<BTreeMap<u64, Entry<E>>, KvError> {
    let read = |n: u64| async move {
        let entry = document::find(kv, &keys::journal_event(journal, n)).await?;
        Ok::<_, KvError>(entry.map(|entry| (n, entry)))
    };
    Ok(try_join_all((from..=to).map(read)).await?.into_iter().flatten().collect())
}

/// The snapshot, or an empty one where none can be used: it is a cache, the events are the truth.
async fn read_snapshot<F: Fold>(kv: &impl Kv, journal: &JournalId) -> Result<(Next<F>, Option<(u64, usize)>), KvError> {
    let empty = || (Next { upto: 0, holes: Vec::new(), refused_last: 0, state: F::default() }, None);
    let Some(bytes) = kv.get(&keys::journal_snapshot(journal)).await? else { return Ok(empty()) };
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(&bytes) else { return Ok(empty()) };
    let text = match snapshot.state {
        Some(text) => text.into_bytes(),
        None => {
            let part = |n| async move { kv.get(&keys::journal_snapshot_part(journal, snapshot.upto, n)).await };
            let parts: Option<Vec<Vec<u8>>> = try_join_all((0..snapshot.parts).map(part)).await?.into_iter().collect();
            parts.map(|parts| parts.concat()).unwrap_or_default()
        }
    };
    match serde_json::from_slice(&text) {
        Ok(state) if snapshot.v == SNAPSHOT_VERSION => {
            let Snapshot { upto, holes, refused_last, parts, .. } = snapshot;
            Ok((Next { upto, holes, refused_last, state }, Some((upto, parts))))
        }
        _ => Ok(empty()),
    }
}

/// Writes the snapshot anew if the journal has grown, after the refusals of the events that it takes in. The parts of the
/// one before are removed: whoever is reading them falls back to the events.
async fn renew<F: Fold>(kv: &impl Kv, journal: &JournalId, loaded: &Loaded<F>) -> Result<(), KvError> {
    let next = &loaded.next;
    let (old_upto, old_parts) = loaded.from.unwrap_or((0, 0));
    let due = if old_parts == 0 { 1 } else { SNAPSHOT_PARTS_EVERY };
    if next.upto < old_upto.saturating_add(due) {
        return Ok(());
    }
    try_join_all(loaded.outcomes.refused_to(next.upto).map(|(n, refusal)| async move {
        let refused = Refused { v: 1, refusal: refusal.clone() };
        document::put(kv, &keys::journal_refusal(journal, n), &refused).await
    }))
    .await?;
    let key = keys::journal_snapshot(journal);
    let unwritable = |error: serde_json::Error| KvError::Unreadable { key: key.clone(), reason: error.to_string() };
    let text = serde_json::to_string(next.state.as_ref().unwrap_or(&loaded.state)).map_err(unwritable)?;
    let Next { upto, refused_last, .. } = *next;
    let holes = next.holes.clone();
    let mut snapshot = Snapshot { v: SNAPSHOT_VERSION, upto, holes, refused_last, state: None, parts: 0 };
    if text.len() <= SNAPSHOT_INLINE_BYTES_MAX {
        snapshot.state = Some(text);
    } else {
        let parts: Vec<&[u8]> = text.as_bytes().chunks(VALUE_BYTES_MAX).collect();
        snapshot.parts = parts.len();
        try_join_all(
            parts.iter().enumerate().map(|(n, part)| async move {
                kv.set(&keys::journal_snapshot_part(journal, next.upto, n), part).await
            }),
        )
        .await?;
    }
    document::put(kv, &key, &snapshot).await?;
    try_join_all(
        (0..old_parts).map(|n| async move { kv.delete(&keys::journal_snapshot_part(journal, old_upto, n)).await }),
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
