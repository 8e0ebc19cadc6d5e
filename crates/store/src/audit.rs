//! Several journals read backwards as one list, the newest event first: what an audit is made of.
//!
//! Within a journal the number is the order. The times of neighbours may disagree with it, because a writer takes its
//! number before it writes: so an event counts as no later than any event after it, which makes each journal's times
//! fall going back ([`Place::at`]). A place in the list is then found again in every journal by a search for its time.
//!
//! What it costs does not grow with history: ten reads a journal to find its end and its last event, and on a later page
//! as many again as the number of newer events has binary digits, twice; then up to [`REPEATED_WITHIN`] and a window of
//! events in each journal that gives one, and one for each event beyond. So the first page of 50 takes at most some 550
//! reads of 10 journals, and some 12,500 of 1,000, of which 16 journals' are under way at once.

use crate::document;
use crate::journal::{self, Outcomes, WINDOW};
use crate::keys;
use crate::kv::{Kv, KvError};
use domain::event::Entry;
use domain::ids::EventId;
use domain::journal::JournalId;
use domain::time::Timestamp;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BinaryHeap, VecDeque};

/// How far times may disagree with the order of numbers, in milliseconds: twice the 30 s that a request lives.
const SLACK_MS: i64 = 60_000;
/// How many events back an event with the same id is looked for. Who sends a request again does so soon.
pub const REPEATED_WITHIN: u64 = 32;
/// How many journals are opened at once.
const JOURNALS_AT_ONCE: usize = 16;

/// A journal to be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which.
    pub journal: JournalId,
    /// Its last event; those after it are not read.
    pub last: u64,
    /// What became of its events.
    pub outcomes: Outcomes,
}

/// A place in the list. The order of places is the list's, backwards: what is newer is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The time at which the event stands in the list: its own, or that of an earlier event after it.
    pub at: Timestamp,
    /// Its journal's key.
    pub journal: String,
    /// Its number there.
    pub n: u64,
}

/// An event of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where it stands.
    pub place: Place,
    /// Which of the sources it is from.
    pub source: usize,
    /// The event as it stands in the journal.
    pub entry: Entry<Value>,
    /// Whether one of the [`REPEATED_WITHIN`] events before it in its journal has the same id: a request was sent again.
    pub repeated: bool,
}

/// Which part of the list is read.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// It begins after this place.
    pub after: Option<Place>,
    /// It ends with events of this time; some older ones may still come.
    pub since: Option<Timestamp>,
    /// It begins with events of this time; some newer ones may still come.
    pub until: Option<Timestamp>,
}

/// Journals in which nothing is ever refused, each up to its end.
///
/// # Errors
/// The store failed.
pub async fn sources(kv: &impl Kv, journals: Vec<JournalId>) -> Result<Vec<Source>, KvError> {
    let open = |journal: JournalId| async move {
        let last = journal::last(kv, &journal).await?;
        Ok(Source { journal, last, outcomes: Outcomes::nothing_refused() })
    };
    stream::iter(journals).map(open).buffered(JOURNALS_AT_ONCE).try_collect().await
}

/// The list while it is read.
pub struct List<'a, K> {
    kv: &'a K,
    since: Option<Timestamp>,
    /// In the order of their journals' keys.
    streams: Vec<Stream<'a>>,
    /// The next event of each stream: its time, the stream's place among the streams, its number.
    tops: BinaryHeap<(Timestamp, usize, u64)>,
}

/// One journal while it is read backwards.
struct Stream<'a> {
    source: usize,
    journal: &'a JournalId,
    key: String,
    /// The earliest time of all that was read.
    least: Option<Timestamp>,
    /// What was read and not handed out yet, the newest first, with the time at which it stands in the list.
    ahead: VecDeque<(Timestamp, u64, Entry<Value>)>,
    /// The number up to which nothing was read yet.
    unread: u64,
    /// How many events are read next: one, so that a journal that gives none costs no more, then a window.
    window: u64,
}

impl<'a, K: Kv> List<'a, K> {
    /// Opens the list of all events of these journals.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(kv: &'a K, sources: &'a [Source], part: &Part) -> Result<Self, KvError> {
        let open = |(at, source)| Stream::open(kv, at, source, part);
        let opening = stream::iter(sources.iter().enumerate()).map(open).buffered(JOURNALS_AT_ONCE);
        let mut streams: Vec<Stream<'a>> = opening.try_collect().await?;
        streams.sort_by(|a, b| a.key.cmp(&b.key));
        let tops = streams.iter().enumerate().filter_map(|(rank, stream)| stream.top(rank)).collect();
        Ok(Self { kv, since: part.since, streams, tops })
    }

    /// Whether there is a next event.
    pub fn more(&self) -> bool {
        let ended = |at: Timestamp| self.since.is_some_and(|since| with_slack(at) < since);
        self.tops.peek().is_some_and(|(at, ..)| !ended(*at))
    }

    /// The next event.
    ///
    /// # Errors
    /// The store failed.
    pub async fn next(&mut self) -> Result<Option<Event>, KvError> {
        if !self.more() {
            return Ok(None);
        }
        let Some((_, rank, _)) = self.tops.pop() else { return Ok(None) };
        let Some(stream) = self.streams.get_mut(rank) else { return Ok(None) };
        let event = stream.take(self.kv).await?;
        self.tops.extend(stream.top(rank));
        Ok(event)
    }
}

impl<'a> Stream<'a> {
    async fn open(kv: &impl Kv, at: usize, source: &'a Source, part: &Part) -> Result<Self, KvError> {
        let (journal, key) = (&source.journal, source.journal.key());
        let bound = part.after.as_ref().map(|place| place.at).into_iter().chain(part.until).min();
        let unread = match bound {
            Some(bound) => end_at(kv, journal, source.last, with_slack(bound)).await?,
            None => source.last,
        };
        let mut stream = Self { source: at, journal, key, least: None, ahead: VecDeque::new(), unread, window: 1 };
        stream.read_to(kv, u64::MAX).await?;
        let past = |stream: &Self, after: &Place| stream.place().is_some_and(|place| *after <= place);
        while part.after.as_ref().is_some_and(|after| past(&stream, after)) {
            stream.ahead.pop_front();
            stream.read_to(kv, u64::MAX).await?;
        }
        Ok(stream)
    }

    fn top(&self, rank: usize) -> Option<(Timestamp, usize, u64)> {
        self.ahead.front().map(|(at, n, _)| (*at, rank, *n))
    }

    fn place(&self) -> Option<Place> {
        self.ahead.front().map(|(at, n, _)| Place { at: *at, journal: self.key.clone(), n: *n })
    }

    /// Reads on until an event of number `to` or below is there, or the journal's beginning; any event for the greatest.
    async fn read_to(&mut self, kv: &impl Kv, to: u64) -> Result<(), KvError> {
        while 0 < self.unread && self.ahead.back().is_none_or(|(_, n, _)| to < *n) {
            let from = self.unread.saturating_sub(self.window - 1).max(1);
            for (n, entry) in journal::window::<Value>(kv, self.journal, from, self.unread).await?.into_iter().rev() {
                let at = self.least.map_or(entry.at, |least| least.min(entry.at));
                self.least = Some(at);
                self.ahead.push_back((at, n, entry));
            }
            self.unread = from - 1;
            self.window = WINDOW;
        }
        Ok(())
    }

    /// Hands out the next event.
    async fn take(&mut self, kv: &impl Kv) -> Result<Option<Event>, KvError> {
        let (Some(place), Some(id)) = (self.place(), self.ahead.front().map(|(.., entry)| entry.id)) else {
            return Ok(None);
        };
        let reach = place.n.saturating_sub(REPEATED_WITHIN);
        self.read_to(kv, reach).await?;
        let repeated = self.repeats(id, reach);
        let taken = self.ahead.pop_front();
        Ok(taken.map(|(_, _, entry)| Event { place, source: self.source, entry, repeated }))
    }

    fn repeats(&self, id: EventId, reach: u64) -> bool {
        self.ahead.iter().skip(1).take_while(|(_, n, _)| reach <= *n).any(|(.., entry)| entry.id == id)
    }
}

fn with_slack(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.as_ms().saturating_add(SLACK_MS))
}

/// A number after which all events are later than what `limit` was before its slack. Numbers up to it are searched from
/// the journal's end in growing steps, because what is asked for is mostly new.
///
/// An event beyond it may be earlier than one before it by the disorder that the slack allows for, and no more: so times
/// in the list that are at or before the limit without slack are the same whether or not such events are read.
async fn end_at(kv: &impl Kv, journal: &JournalId, last: u64, limit: Timestamp) -> Result<u64, KvError> {
    // The event at `high`, if there is one, is later than the limit; the newest up to `low`, if there is one, is not.
    let (mut low, mut high, mut step) = (0_u64, last.saturating_add(1), 1_u64);
    while low + 1 < high {
        let probe = if low == 0 { high.saturating_sub(step).max(1) } else { low.midpoint(high) };
        match newest(kv, journal, low + 1, probe).await? {
            Some((n, at)) if limit < at => high = n,
            Some(_) | None => low = probe,
        }
        step = step.saturating_mul(2);
    }
    Ok(high - 1)
}

/// The newest event of `from..=to`, and its time.
async fn newest(kv: &impl Kv, journal: &JournalId, from: u64, to: u64) -> Result<Option<(u64, Timestamp)>, KvError> {
    let there: Option<Entry<IgnoredAny>> = document::find(kv, &keys::journal_event(journal, to)).await?;
    if let Some(entry) = there {
        return Ok(Some((to, entry.at)));
    }
    // A hole, and there may be more of them.
    let mut to = to;
    while from < to {
        let below = to.saturating_sub(WINDOW).max(from);
        let found = journal::window::<IgnoredAny>(kv, journal, below, to - 1).await?;
        if let Some((n, entry)) = found.into_iter().next_back() {
            return Ok(Some((n, entry.at)));
        }
        to = below;
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
