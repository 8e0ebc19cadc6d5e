//! Journals: numbered events, written once, that fold into a state.
//!
//! - `…:seq` is a counter that only `increment` uses; `…:<n>` is event n; `…:snap` is a snapshot, a cache that may be
//!   stale but never wrong.
//! - [`append`] increments the counter, writes the event, loads the journal and renews the snapshot. It succeeds only
//!   if the load contains the event and, if the order of events matters, every event before it.
//! - [`load`] reads the snapshot, then the events after it in concurrent windows of 8, until a whole window is absent.
//! - A number without an event, below a number with an event, is a *gap*: its writer is slow or died. A gap is *open*
//!   for 10 minutes, during which each load looks for the event. Then it is final: requests take at most 30 seconds.
//!
//! If the order of events matters, a snapshot ends before the first open gap. If not, it lists the open gaps.
//!
//! Refusals stay known forever: before the snapshot is renewed, `…:<n>:refused` is written for each refused event that
//! the snapshot will include. If a writer dies in between, the next one writes the same again. For events after the
//! snapshot, folding shows which are refused.

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

/// The number of events that are read concurrently. It is also the number of unfinished writers in a row after which a
/// reader no longer finds the events behind them.
pub(crate) const WINDOW: u64 = 8;
/// The age at which a gap becomes final, in milliseconds.
const GAP_FINAL_MS: i64 = 10 * 60 * 1000;
/// The longest that an appender waits until a load shows its own event; earlier writers may delay that.
const VISIBLE_WAIT: Duration = Duration::from_secs(3);
/// The longest that an appender waits for the events before its own, where the order matters: until they exist, the
/// outcome of its event may change. A writer takes milliseconds from its number to its event. One that takes longer has
/// died, and must not delay the others for the ten minutes until its gap is final.
const SETTLED_WAIT: Duration = Duration::from_secs(2);
/// The maximum size in bytes of a snapshot in one value; leaves room for the JSON around it.
const SNAPSHOT_INLINE_BYTES_MAX: usize = VALUE_BYTES_MAX / 2;
/// The supported version of the snapshot's format. A snapshot of another version is ignored, and all events are folded.
const SNAPSHOT_VERSION: u8 = 2;
/// The number of events after which a snapshot in several parts is renewed.
const SNAPSHOT_PARTS_EVERY: u64 = 16;

/// The snapshot as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Snapshot {
    /// The format's version: 2.
    v: u8,
    /// The state includes all events up to this number, except for the gaps.
    upto: u64,
    /// The open gaps up to `upto`, each with the time of the first event after it.
    #[serde(rename = "holes")]
    gaps: Vec<(u64, Timestamp)>,
    /// The number of the last refused event in the state, 0 for none. Later events in the state were not refused.
    refused_last: u64,
    /// The state as JSON text.
    state: Option<String>,
    /// The number of further values that contain the state, if it is too large for this one.
    parts: usize,
}

/// The stored refusal of an event: written once, before the first snapshot that includes the event.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refused {
    /// The format's version: 1.
    v: u8,
    /// The reason.
    #[serde(flatten)]
    refusal: Refusal,
}

/// A loaded journal.
#[derive(Debug, Clone)]
pub struct Loaded<F: Fold> {
    /// The fold of all its events.
    pub state: F,
    /// The number of its last event, 0 for none.
    pub last: u64,
    /// The number up to which all events are known: there is no open gap below. If the order does not matter, `last`.
    pub settled: u64,
    /// The outcome of each event.
    pub outcomes: Outcomes,
    /// The contents of a renewed snapshot; its state is `None` if it equals `state`.
    next: Next<Option<F>>,
    /// The last event and the number of parts of the snapshot that was loaded.
    from: Option<(u64, usize)>,
}

/// The contents of a snapshot.
#[derive(Debug, Clone)]
struct Next<F> {
    upto: u64,
    gaps: Vec<(u64, Timestamp)>,
    refused_last: u64,
    state: F,
}

/// The outcomes of a journal's events, as a load knows them.
#[derive(Debug, Clone)]
pub struct Outcomes {
    /// The last event of the snapshot, and its gaps.
    upto: u64,
    gaps: Vec<u64>,
    /// The last refused event in the snapshot.
    refused_last: u64,
    /// The events that the load folded itself, after the snapshot.
    folded: BTreeMap<u64, Result<(), Refusal>>,
}

impl Outcomes {
    /// The outcomes of a journal in which no event is ever refused.
    pub fn nothing_refused() -> Self {
        Self { upto: u64::MAX, gaps: Vec::new(), refused_last: 0, folded: BTreeMap::new() }
    }

    /// The outcome of event `n`; absent if the event did not exist yet when the journal was loaded.
    ///
    /// Takes one read for an event in the snapshot, and none if no later event in the snapshot was refused.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of(&self, kv: &impl Kv, journal: &JournalId, n: u64) -> Result<Option<Result<(), Refusal>>, KvError> {
        if let Some(outcome) = self.folded.get(&n) {
            return Ok(Some(outcome.clone()));
        }
        if self.upto < n || self.gaps.contains(&n) {
            return Ok(None);
        }
        if self.refused_last < n {
            return Ok(Some(Ok(())));
        }
        let refused: Option<Refused> = document::find(kv, &keys::journal_refusal(journal, n)).await?;
        Ok(Some(refused.map_or(Ok(()), |refused| Err(refused.refusal))))
    }

    /// The refusals of events up to `upto` that may not have a stored document yet.
    fn refused_to(&self, upto: u64) -> impl Iterator<Item = (u64, &Refusal)> {
        let folded = self.folded.range(..=upto);
        folded.filter_map(|(n, outcome)| outcome.as_ref().err().map(|refusal| (*n, refusal)))
    }
}

/// An appended event.
#[derive(Debug, Clone)]
pub struct Appended<F> {
    /// The event's number.
    pub n: u64,
    /// The outcome: a refused event stays in the journal for the audit.
    pub outcome: Result<(), Refusal>,
    /// The state with the event.
    pub state: F,
}

/// Loads a journal.
///
/// # Errors
/// The store failed.
pub async fn load<F: Fold>(kv: &impl Kv, journal: &JournalId, now: Timestamp) -> Result<Loaded<F>, KvError> {
    let (snapshot, from) = read_snapshot::<F>(kv, journal).await?;
    let mut entries: BTreeMap<u64, Entry<F::Event>> = BTreeMap::new();
    // Gaps of the snapshot that have been filled since. A snapshot has none if the order matters.
    let filled = try_join_all(snapshot.gaps.iter().map(|(n, _)| window(kv, journal, *n, *n))).await?;
    entries.extend(filled.into_iter().flatten());
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
    let gaps = open_gaps(&snapshot, &entries, last, now);
    Ok(fold(snapshot, entries, last, gaps, from))
}

/// Finds the number of a journal's last event, 0 for none. It uses the snapshot's last number only, so it works for
/// every kind of event.
///
/// # Errors
/// The store failed.
pub async fn last(kv: &impl Kv, journal: &JournalId) -> Result<u64, KvError> {
    #[derive(Deserialize)]
    struct SnapshotEnd {
        upto: u64,
    }
    let snapshot = kv.get(&keys::journal_snapshot(journal)).await?;
    // An unreadable snapshot is ignored, as in a load.
    let end = snapshot.and_then(|bytes| serde_json::from_slice::<SnapshotEnd>(&bytes).ok());
    let mut last = end.map_or(0, |end| end.upto);
    let mut next = last + 1;
    loop {
        let found = window::<IgnoredAny>(kv, journal, next, next + WINDOW - 1).await?;
        let Some(newest) = found.into_keys().next_back() else { return Ok(last) };
        last = newest;
        next += WINDOW;
    }
}

/// Reads at most `count` events with numbers from `to` down to 1, the newest first. Gaps are skipped.
///
/// # Errors
/// The store failed.
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

/// Appends an event, and returns as soon as every later load will contain it.
///
/// # Errors
/// The store failed, or unfinished writers hide the event. The event may then take effect or not. The caller can append
/// it again under the same id; the fold counts it only once.
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
    let appended = poll::until(kv, VISIBLE_WAIT, async |waited| {
        let loaded: Loaded<F> = load(kv, journal, now()).await?;
        let settled = loaded.next.upto >= n || !F::ORDERED || waited >= SETTLED_WAIT;
        if settled && let Some(outcome) = loaded.outcomes.of(kv, journal, n).await? {
            renew(kv, journal, &loaded).await?;
            return Ok(Some(Appended { n, outcome, state: loaded.state }));
        }
        Ok(None)
    });
    appended.await?.ok_or_else(|| KvError::NotYetVisible { journal: journal.key(), n })
}

/// The open gaps up to `last`, each with the time of the first event after it.
fn open_gaps<F, E>(
    snapshot: &Next<F>,
    entries: &BTreeMap<u64, Entry<E>>,
    last: u64,
    now: Timestamp,
) -> Vec<(u64, Timestamp)> {
    let known = snapshot.gaps.iter().filter(|(n, _)| !entries.contains_key(n)).copied();
    let found = (snapshot.upto + 1..last).filter(|n| !entries.contains_key(n)).filter_map(|n| {
        let after = entries.range(n..).next()?.1.at;
        Some((n, after))
    });
    known.chain(found).filter(|(_, since)| now.ms_since(*since) < GAP_FINAL_MS).collect()
}

fn fold<F: Fold>(
    snapshot: Next<F>,
    entries: BTreeMap<u64, Entry<F::Event>>,
    last: u64,
    gaps: Vec<(u64, Timestamp)>,
    from: Option<(u64, usize)>,
) -> Loaded<F> {
    // The end of the next snapshot: if the order matters, the last event before the first open gap.
    let end = match gaps.first() {
        Some((gap, _)) if F::ORDERED => gap - 1,
        _ => last,
    };
    let Next { upto, gaps: snapshot_gaps, refused_last, mut state } = snapshot;
    let snapshot_gaps = snapshot_gaps.into_iter().map(|(n, _)| n).collect();
    let mut outcomes = Outcomes { upto, gaps: snapshot_gaps, refused_last, folded: BTreeMap::new() };
    let mut state_at_end = None;
    for (n, entry) in &entries {
        if end < *n && state_at_end.is_none() {
            state_at_end = Some(state.clone());
        }
        outcomes.folded.insert(*n, state.apply(*n, entry));
    }
    let refused_last = outcomes.refused_to(end).map(|(n, _)| n).max().unwrap_or(0).max(refused_last);
    let gaps = if F::ORDERED { Vec::new() } else { gaps };
    let next = Next { upto: end, gaps, refused_last, state: state_at_end };
    Loaded { state, last, settled: next.upto, outcomes, next, from }
}

/// Reads the existing events of `from..=to` concurrently.
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

/// Reads the snapshot, or returns an empty one if it is missing or unusable. The snapshot is only a cache of the
/// events.
async fn read_snapshot<F: Fold>(kv: &impl Kv, journal: &JournalId) -> Result<(Next<F>, Option<(u64, usize)>), KvError> {
    let empty = || (Next { upto: 0, gaps: Vec::new(), refused_last: 0, state: F::default() }, None);
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
            let Snapshot { upto, gaps, refused_last, parts, .. } = snapshot;
            Ok((Next { upto, gaps, refused_last, state }, Some((upto, parts))))
        }
        _ => Ok(empty()),
    }
}

/// Renews the snapshot if the journal has grown, after it has written the refusals of the events in it. It then removes
/// the parts of the old snapshot; a load that is reading them falls back to the events.
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
    let gaps = next.gaps.clone();
    let mut snapshot = Snapshot { v: SNAPSHOT_VERSION, upto, gaps, refused_last, state: None, parts: 0 };
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
