//! Writes notices about a project's exemptions to the project's outbox.
//!
//! The outbox follows the exemptions' journal. Each call that changes an exemption updates the outbox afterwards, and
//! also writes the notices that an interrupted call before it did not write. So no notice is lost, and none is written
//! twice.

use crate::internal::{AnyEvent, Append, Services};
use crate::problem::Problem;
use domain::event::{Actor, Entry};
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest, Exemptions, Status};
use domain::ids::{EventId, ExemptionId, ProjectId};
use domain::journal::JournalId;
use domain::outbox::{Notice, NoticeKind, Outbox, OutboxEvent};
use domain::time::Timestamp;
use std::collections::BTreeSet;
use store::exemption_events::ExemptionEvents;
use store::journal::{self, Loaded};
use store::kv::Kv;
use store::{document, keys};

/// The size in bytes at which an event of the outbox is full. An event must fit into one value, together with all
/// notices of the last bulk in it, which have at most 1.6 KiB each.
const NOTICES_BYTES: usize = 64 * 1024;
/// The greatest distance in the journal between an event and the copy that a retry appended.
const REPEATED_WITHIN: u64 = 32;

/// Writes to a project's outbox.
pub struct OutboxWriter<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// The project.
    pub project: &'a ProjectId,
    /// The current time.
    pub now: Timestamp,
    /// The caller whose request updates the outbox.
    pub by: &'a Actor,
}

impl<K: Kv, V: Services> OutboxWriter<'_, K, V> {
    /// Writes a notice for each event of the exemptions' journal that has none yet, and for each exemption that ends
    /// within `days`.
    ///
    /// # Errors
    /// The store or the ledger failed. The next update writes the missing notices.
    pub async fn update(&self, days: u32) -> Result<(), Problem> {
        let (kv, now) = (self.kv, self.now);
        let journal = JournalId::Exemptions { project: self.project.clone() };
        let exemptions: Loaded<Exemptions> = journal::load(kv, &journal, now).await?;
        let outbox: Outbox = journal::load(kv, &JournalId::Outbox { project: self.project.clone() }, now).await?.state;
        self.write_changes(&journal, &exemptions, outbox.upto).await?;
        self.write_ending(&journal, &exemptions.state, &outbox, days).await
    }

    /// Writes the notices of the events after `upto`.
    async fn write_changes(
        &self,
        journal: &JournalId,
        exemptions: &Loaded<Exemptions>,
        upto: u64,
    ) -> Result<(), Problem> {
        let (kv, to) = (self.kv, exemptions.settled);
        if to <= upto {
            return Ok(());
        }
        let mut events = ExemptionEvents::new(kv, journal.clone());
        let (mut seen, mut notices, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
        for n in upto.saturating_sub(REPEATED_WITHIN) + 1..=to {
            let entry: Option<Entry<ExemptionEvent>> = document::find(kv, &keys::journal_event(journal, n)).await?;
            // A gap: its writer died.
            let Some(entry) = entry else { continue };
            let took_effect = matches!(exemptions.outcomes.of(kv, journal, n).await?, Some(Ok(())));
            let repeated = took_effect && !seen.insert(entry.id);
            if n <= upto || repeated || !took_effect {
                continue;
            }
            for change in changes(&entry.event) {
                let notice = notice(&mut events, &exemptions.state, n, &entry, change).await?;
                bytes += notice.as_ref().map_or(0, size);
                notices.extend(notice);
            }
            if bytes >= NOTICES_BYTES {
                bytes = 0;
                self.append(OutboxEvent::Exemptions { upto: n, notices: std::mem::take(&mut notices) }).await?;
            }
        }
        self.append(OutboxEvent::Exemptions { upto: to, notices }).await
    }

    /// Writes a notice for each approved exemption that ends within `days`, once for each end.
    async fn write_ending(
        &self,
        journal: &JournalId,
        exemptions: &Exemptions,
        outbox: &Outbox,
        days: u32,
    ) -> Result<(), Problem> {
        let horizon = self.now.plus_days(days);
        let mut events = ExemptionEvents::new(self.kv, journal.clone());
        let (mut notices, mut bytes) = (Vec::new(), 0);
        for (id, exemption) in &exemptions.by_id {
            let approved = exemption.status(self.now) == Status::Approved;
            let Some(end) = exemption.ends().filter(|_| approved) else { continue };
            // The next update writes the notices that do not fit into this event.
            if end <= horizon && !outbox.announced(*id, end) && bytes < NOTICES_BYTES {
                let request = events.request(*id, exemption).await?;
                let notice = Notice { at: self.now, ..ending_notice(*id, exemption, &request) };
                bytes += size(&notice);
                notices.push(notice);
            }
        }
        if notices.is_empty() { Ok(()) } else { self.append(OutboxEvent::Ending { notices }).await }
    }

    async fn append(&self, event: OutboxEvent) -> Result<(), Problem> {
        let id = match &event {
            OutboxEvent::Exemptions { upto, .. } => {
                EventId::derived("v1:outbox:exemptions", &[self.project.as_str().as_bytes(), &upto.to_be_bytes()])
            }
            OutboxEvent::Ending { notices } => {
                let ends = notices.iter().filter_map(|notice| Some((notice.exemption, notice.ends?)));
                let fields: Vec<Vec<u8>> =
                    ends.map(|(id, end)| id.short().0.into_iter().chain(end.as_ms().to_be_bytes()).collect()).collect();
                let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
                EventId::derived("v1:outbox:ending", &fields)
            }
        };
        let event = AnyEvent::Outbox { project: self.project.clone(), event };
        // Refused if another call has written the notices already.
        self.services.append(&Append { id, by: self.by.clone(), event }).await?;
        Ok(())
    }
}

/// The size of a stored notice in bytes, or slightly less.
fn size(notice: &Notice) -> usize {
    serde_json::to_vec(notice).map_or(0, |bytes| bytes.len())
}

/// The exemptions that an event changes, each with the kind of notice.
fn changes(event: &ExemptionEvent) -> Vec<(NoticeKind, ExemptionId)> {
    match event {
        ExemptionEvent::Requested { request } => vec![(NoticeKind::Requested, request.id)],
        ExemptionEvent::Approved { exemption, .. } => vec![(NoticeKind::Approved, *exemption)],
        ExemptionEvent::Rejected { exemption, .. } => vec![(NoticeKind::Rejected, *exemption)],
        ExemptionEvent::Cancelled { exemption, .. } => vec![(NoticeKind::Cancelled, *exemption)],
        ExemptionEvent::Reopened { exemption, .. } => vec![(NoticeKind::Reopened, *exemption)],
        ExemptionEvent::Returned { requests } => {
            requests.iter().map(|request| (NoticeKind::Returned, request.id)).collect()
        }
        ExemptionEvent::Many { events } => events.iter().flat_map(changes).collect(),
    }
}

/// The notice of what event `n` changed; absent if the project's state no longer contains the exemption.
async fn notice(
    events: &mut ExemptionEvents<'_, impl Kv>,
    exemptions: &Exemptions,
    n: u64,
    entry: &Entry<ExemptionEvent>,
    (kind, id): (NoticeKind, ExemptionId),
) -> Result<Option<Notice>, Problem> {
    let Some(exemption) = exemptions.by_id.get(&id) else { return Ok(None) };
    let request = events.request(id, exemption).await?;
    let comment = match kind {
        NoticeKind::Requested | NoticeKind::Returned | NoticeKind::Ending => request.text.clone(),
        NoticeKind::Reopened | NoticeKind::Approved | NoticeKind::Rejected | NoticeKind::Cancelled => {
            entry.event.comment_on(id).unwrap_or_default().to_owned()
        }
    };
    let common = ending_notice(id, exemption, &request);
    Ok(Some(Notice { kind, n, by: entry.by.subject.clone(), at: entry.at, comment: comment.into(), ..common }))
}

/// The notice that an exemption ends soon. Other notices share most of its fields.
fn ending_notice(id: ExemptionId, exemption: &Exemption, request: &ExemptionRequest) -> Notice {
    Notice {
        kind: NoticeKind::Ending,
        exemption: id,
        n: 0,
        title: request.title.clone().into(),
        severity: exemption.severity,
        scanner: exemption.scanner.clone(),
        scope: exemption.reach().scope(),
        by: exemption.requested.by.clone(),
        at: exemption.requested.at,
        ends: exemption.ends(),
        reason: exemption.reason,
        comment: request.text.clone().into(),
    }
}
