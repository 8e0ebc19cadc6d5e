//! Several journals, read backwards as one list with the newest event first. The audit log is such a list.
//!
//! In a journal, the number defines the order. The times of neighbouring events may disagree with it, because a writer
//! takes its number before it writes. So an event counts as no later than any event after it, and the times of each
//! journal decrease backwards ([`Position::at`]). This makes it possible to search every journal for a position's time.
//!
//! The cost does not grow with history. To find the end and the last event of a journal takes ten reads. A later page
//! takes additional reads per journal: twice the number of binary digits of the number of newer events. Then follow,
//! for each journal that contributes an event, up to [`REPEATED_WITHIN`] events and a window, and one read for each
//! further event. So the first page of 50 takes about 550 reads for 10 journals, and about 12,500 for 1,000 journals,
//! 16 journals at a time.

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

/// The maximum disagreement of times with the order of numbers, in milliseconds: twice the 30 s that a request may
/// take.
const SLACK_MS: i64 = 60_000;
/// The number of earlier events that are searched for one with the same id. A retry comes soon after the request.
pub const REPEATED_WITHIN: u64 = 32;
/// The number of journals that are opened concurrently.
const JOURNALS_AT_ONCE: usize = 16;

/// A journal of the list.
#[derive(Debug, Clone)]
pub struct AuditedJournal {
    /// The journal's id.
    pub journal: JournalId,
    /// The number of the last event to read.
    pub last: u64,
    /// The outcomes of its events.
    pub outcomes: Outcomes,
}

/// A position in the list. A newer position is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The time by which the list is sorted: that of the event or, if earlier, of an event after it in the journal.
    pub at: Timestamp,
    /// The journal's key.
    pub journal: String,
    /// The event's number in the journal.
    pub n: u64,
}

/// An event of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The position in the list.
    pub position: Position,
    /// The index of the event's journal in the slice that [`List::open`] got.
    pub journal: usize,
    /// The journal's entry.
    pub entry: Entry<Value>,
    /// For a retry: the number of the first event with the same id, if it came shortly before.
    pub copy_of: Option<u64>,
}

/// The part of the list to read.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Reads only events after this position, which are older.
    pub after: Option<Position>,
    /// Reads only events from this time on; the result may contain some older ones.
    pub since: Option<Timestamp>,
    /// Reads only events up to this time; the result may contain some newer ones.
    pub until: Option<Timestamp>,
}

/// Finds the last event of each journal. The journals must be of a kind that never refuses an event.
///
/// # Errors
/// The store failed.
pub async fn open_journals(kv: &impl Kv, journals: Vec<JournalId>) -> Result<Vec<AuditedJournal>, KvError> {
    let open = |journal: JournalId| async move {
        let last = journal::last(kv, &journal).await?;
        Ok(AuditedJournal { journal, last, outcomes: Outcomes::nothing_refused() })
    };
    stream::iter(journals).map(open).buffered(JOURNALS_AT_ONCE).try_collect().await
}

/// A reader of the list.
pub struct List<'a, K> {
    kv: &'a K,
    since: Option<Timestamp>,
    /// One stream per journal, sorted by the journal's key.
    streams: Vec<Stream<'a>>,
    /// The next event of each stream: its time, the index of the stream, its number.
    tops: BinaryHeap<(Timestamp, usize, u64)>,
}

/// A backward reader of one journal.
struct Stream<'a> {
    /// The index of the journal in the slice that [`List::open`] got.
    index: usize,
    journal: &'a JournalId,
    key: String,
    /// The earliest time of all events read so far.
    least: Option<Timestamp>,
    /// The events that are read but not returned yet, the newest first, with their times in the list.
    ahead: VecDeque<(Timestamp, u64, Entry<Value>)>,
    /// The number of the newest event that is not read yet.
    unread: u64,
    /// The number of events of the next read: first one, because many journals contribute none, then a window.
    window: u64,
}

impl<'a, K: Kv> List<'a, K> {
    /// Opens the list of all events of these journals.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(kv: &'a K, journals: &'a [AuditedJournal], bounds: &Bounds) -> Result<Self, KvError> {
        let open = |(index, journal)| Stream::open(kv, index, journal, bounds);
        let opening = stream::iter(journals.iter().enumerate()).map(open).buffered(JOURNALS_AT_ONCE);
        let mut streams: Vec<Stream<'a>> = opening.try_collect().await?;
        streams.sort_by(|a, b| a.key.cmp(&b.key));
        let tops = streams.iter().enumerate().filter_map(|(rank, stream)| stream.top(rank)).collect();
        Ok(Self { kv, since: bounds.since, streams, tops })
    }

    /// True if there is a next event.
    pub fn more(&self) -> bool {
        let ended = |at: Timestamp| self.since.is_some_and(|since| with_slack(at) < since);
        self.tops.peek().is_some_and(|(at, ..)| !ended(*at))
    }

    /// Returns the next event.
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
    async fn open(kv: &impl Kv, index: usize, audited: &'a AuditedJournal, bounds: &Bounds) -> Result<Self, KvError> {
        let (journal, key) = (&audited.journal, audited.journal.key());
        let newest = bounds.after.as_ref().map(|position| position.at).into_iter().chain(bounds.until).min();
        let unread = match newest {
            Some(newest) => end_at(kv, journal, audited.last, with_slack(newest)).await?,
            None => audited.last,
        };
        let mut stream = Self { index, journal, key, least: None, ahead: VecDeque::new(), unread, window: 1 };
        stream.read_to(kv, u64::MAX).await?;
        let is_newer = |stream: &Self, after: &Position| stream.position().is_some_and(|position| *after <= position);
        while bounds.after.as_ref().is_some_and(|after| is_newer(&stream, after)) {
            stream.ahead.pop_front();
            stream.read_to(kv, u64::MAX).await?;
        }
        Ok(stream)
    }

    fn top(&self, rank: usize) -> Option<(Timestamp, usize, u64)> {
        self.ahead.front().map(|(at, n, _)| (*at, rank, *n))
    }

    fn position(&self) -> Option<Position> {
        self.ahead.front().map(|(at, n, _)| Position { at: *at, journal: self.key.clone(), n: *n })
    }

    /// Reads until an event with number `to` or below is read, or the start of the journal is reached. With `u64::MAX`,
    /// any event is enough.
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

    /// Returns the next event.
    async fn take(&mut self, kv: &impl Kv) -> Result<Option<Event>, KvError> {
        let (Some(position), Some(id)) = (self.position(), self.ahead.front().map(|(.., entry)| entry.id)) else {
            return Ok(None);
        };
        let oldest = position.n.saturating_sub(REPEATED_WITHIN);
        self.read_to(kv, oldest).await?;
        let copy_of = self.earlier(id, oldest);
        let taken = self.ahead.pop_front();
        Ok(taken.map(|(_, _, entry)| Event { position, journal: self.index, entry, copy_of }))
    }

    /// The number of an event with the same id after the first in `ahead`, down to the number `oldest`.
    fn earlier(&self, id: EventId, oldest: u64) -> Option<u64> {
        let mut before = self.ahead.iter().skip(1).take_while(|(_, n, _)| oldest <= *n);
        before.find(|(.., entry)| entry.id == id).map(|(_, n, _)| *n)
    }
}

fn with_slack(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.as_ms().saturating_add(SLACK_MS))
}

/// A number after which all events are later than `limit` minus its slack. The search goes from the end of the journal
/// in growing steps, because most requests are for new events.
///
/// An event after this number may be earlier than one before it, but only by the slack. So reading the events after it
/// would not change the list's times up to the limit without slack.
async fn end_at(kv: &impl Kv, journal: &JournalId, last: u64, limit: Timestamp) -> Result<u64, KvError> {
    // The event at `high`, if it exists, is later than the limit. The newest event up to `low`, if it exists, is not.
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

/// The number and time of the newest event in `from..=to`.
async fn newest(kv: &impl Kv, journal: &JournalId, from: u64, to: u64) -> Result<Option<(u64, Timestamp)>, KvError> {
    let last: Option<Entry<IgnoredAny>> = document::find(kv, &keys::journal_event(journal, to)).await?;
    if let Some(entry) = last {
        return Ok(Some((to, entry.at)));
    }
    // A gap, and there may be more.
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
