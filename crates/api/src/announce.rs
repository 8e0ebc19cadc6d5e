//! Tells a project's outbox what happened to its exemptions, and whose end comes near.
//!
//! The exemptions' journal is what happened; the outbox follows it. Whoever changes an exemption brings the outbox up to
//! date afterwards, and with it whatever somebody else did not come to: so no notice is lost, and none is written twice.

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

/// From how many bytes of notices on an event of the outbox takes no more: it stands in one value, with all notices of the
/// last bulk in it, of which each is 1.6 KiB at most.
const NOTICES_BYTES: usize = 64 * 1024;
/// How far apart in the journal an event and its copy may be that a retry appended.
const REPEATED_WITHIN: u64 = 32;

/// What telling works with.
pub struct Telling<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// The project.
    pub project: &'a ProjectId,
    /// The time.
    pub now: Timestamp,
    /// Whoever's call brings the outbox up to date.
    pub by: &'a Actor,
}

/// Brings the outbox up to date with the exemptions' journal, and announces what ends within `days`.
///
/// # Errors
/// The store or the ledger failed. What was not told then is told by the next call.
pub async fn announce<K: Kv, V: Services>(telling: &Telling<'_, K, V>, days: u32) -> Result<(), Problem> {
    let (kv, now) = (telling.kv, telling.now);
    let journal = JournalId::Exemptions { project: telling.project.clone() };
    let exemptions: Loaded<Exemptions> = journal::load(kv, &journal, now).await?;
    let outbox: Outbox = journal::load(kv, &JournalId::Outbox { project: telling.project.clone() }, now).await?.state;
    follow(telling, &journal, &exemptions, outbox.upto).await?;
    ending(telling, &journal, &exemptions.state, &outbox, days).await
}

/// Writes the notices of the events after `upto`.
async fn follow<K: Kv, V: Services>(
    telling: &Telling<'_, K, V>,
    journal: &JournalId,
    exemptions: &Loaded<Exemptions>,
    upto: u64,
) -> Result<(), Problem> {
    let (kv, to) = (telling.kv, exemptions.settled);
    if to <= upto {
        return Ok(());
    }
    let (mut seen, mut notices, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
    for n in upto.saturating_sub(REPEATED_WITHIN) + 1..=to {
        let entry: Option<Entry<ExemptionEvent>> = document::find(kv, &keys::journal_event(journal, n)).await?;
        // A number without an event is one whose writer died.
        let Some(entry) = entry else { continue };
        let took_effect = matches!(exemptions.outcomes.of(kv, journal, n).await?, Some(Ok(())));
        let repeated = took_effect && !seen.insert(entry.id);
        if n <= upto || repeated || !took_effect {
            continue;
        }
        for told in told(&entry.event) {
            let notice = notice(kv, journal, &exemptions.state, n, &entry, told).await?;
            bytes += notice.as_ref().map_or(0, size);
            notices.extend(notice);
        }
        if bytes >= NOTICES_BYTES {
            bytes = 0;
            append(telling, OutboxEvent::Exemptions { upto: n, notices: std::mem::take(&mut notices) }).await?;
        }
    }
    append(telling, OutboxEvent::Exemptions { upto: to, notices }).await
}

/// How many bytes a notice takes as it is stored, or a little less.
fn size(notice: &Notice) -> usize {
    serde_json::to_vec(notice).map_or(0, |bytes| bytes.len())
}

/// What an event does to which exemptions.
fn told(event: &ExemptionEvent) -> Vec<(NoticeKind, ExemptionId)> {
    match event {
        ExemptionEvent::Requested { request } => vec![(NoticeKind::Requested, request.id)],
        ExemptionEvent::Approved { exemption, .. } => vec![(NoticeKind::Approved, *exemption)],
        ExemptionEvent::Rejected { exemption, .. } => vec![(NoticeKind::Rejected, *exemption)],
        ExemptionEvent::Cancelled { exemption, .. } => vec![(NoticeKind::Cancelled, *exemption)],
        ExemptionEvent::Reopened { exemption, .. } => vec![(NoticeKind::Reopened, *exemption)],
        ExemptionEvent::Returned { requests } => {
            requests.iter().map(|request| (NoticeKind::Returned, request.id)).collect()
        }
        ExemptionEvent::Many { events } => events.iter().flat_map(told).collect(),
    }
}

/// The notice of what event `n` did. An exemption that is no longer known by name is told of no more.
async fn notice(
    kv: &impl Kv,
    journal: &JournalId,
    exemptions: &Exemptions,
    n: u64,
    entry: &Entry<ExemptionEvent>,
    (kind, id): (NoticeKind, ExemptionId),
) -> Result<Option<Notice>, Problem> {
    let Some(held) = exemptions.by_id.get(&id) else { return Ok(None) };
    let request = request_of(kv, journal, id, held).await?;
    let comment = match kind {
        NoticeKind::Requested | NoticeKind::Returned | NoticeKind::Ending => request.text.clone(),
        NoticeKind::Reopened | NoticeKind::Approved | NoticeKind::Rejected | NoticeKind::Cancelled => {
            entry.event.comment_on(id).unwrap_or_default().to_owned()
        }
    };
    let own = Notice { kind, n, by: entry.by.subject.clone(), at: entry.at, ..plain(id, held, &request) };
    Ok(Some(Notice { comment: comment.into(), ..own }))
}

/// What every notice of an exemption tells.
fn plain(id: ExemptionId, held: &Exemption, request: &ExemptionRequest) -> Notice {
    Notice {
        kind: NoticeKind::Ending,
        exemption: id,
        n: 0,
        title: request.title.clone().into(),
        severity: held.severity,
        scanner: held.scanner.clone(),
        scope: held.reach().scope(),
        by: held.requested.by.clone(),
        at: held.requested.at,
        ends: held.ends(),
        reason: held.reason,
        comment: request.text.clone().into(),
    }
}

/// Announces what ends within `days`, once for each end.
async fn ending<K: Kv, V: Services>(
    telling: &Telling<'_, K, V>,
    journal: &JournalId,
    exemptions: &Exemptions,
    outbox: &Outbox,
    days: u32,
) -> Result<(), Problem> {
    let horizon = telling.now.plus_days(days);
    let (mut notices, mut bytes) = (Vec::new(), 0);
    for (id, held) in &exemptions.by_id {
        let Some(end) = held.ends().filter(|_| held.status(telling.now) == Status::Approved) else { continue };
        // What finds no room is announced by the next call.
        if end <= horizon && !outbox.announced(*id, end) && bytes < NOTICES_BYTES {
            let request = request_of(telling.kv, journal, *id, held).await?;
            let notice = Notice { at: telling.now, ..plain(*id, held, &request) };
            bytes += size(&notice);
            notices.push(notice);
        }
    }
    if notices.is_empty() { Ok(()) } else { append(telling, OutboxEvent::Ending { notices }).await }
}

/// What was asked for, from the event that asked.
///
/// # Errors
/// The store failed, or the event does not ask for it.
pub async fn request_of(
    kv: &impl Kv,
    journal: &JournalId,
    id: ExemptionId,
    held: &Exemption,
) -> Result<ExemptionRequest, Problem> {
    Ok(ExemptionEvents::new(kv, journal.clone()).request(id, held).await?)
}

async fn append<K: Kv, V: Services>(telling: &Telling<'_, K, V>, event: OutboxEvent) -> Result<(), Problem> {
    let id = match &event {
        OutboxEvent::Exemptions { upto, .. } => {
            EventId::derived("v1:outbox:exemptions", &[telling.project.as_str().as_bytes(), &upto.to_be_bytes()])
        }
        OutboxEvent::Ending { notices } => {
            let ends = notices.iter().filter_map(|notice| Some((notice.exemption, notice.ends?)));
            let fields: Vec<Vec<u8>> =
                ends.map(|(id, end)| id.short().0.into_iter().chain(end.as_ms().to_be_bytes()).collect()).collect();
            let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
            EventId::derived("v1:outbox:ending", &fields)
        }
    };
    let event = AnyEvent::Outbox { project: telling.project.clone(), event };
    // Refused if somebody else was first: then it is told.
    telling.services.append(&Append { id, by: telling.by.clone(), event }).await?;
    Ok(())
}
