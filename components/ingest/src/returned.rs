//! What an upload does for exemptions. Exempted occurrences that were edited or moved go back to review: they count in this
//! scan, and their exemption is asked for anew, in the name of those who asked before. And where the end of an exemption
//! that holds comes near, people are told.

use crate::upload::Context;
use api::Problem;
use api::internal::{AnyEvent, Append, Services};
use api::outbox::{OutboxWriter, exemption_request};
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest, Exemptions, Reach, SeenIn};
use domain::ids::{EventId, ExemptionId};
use domain::journal::JournalId;
use domain::limits::RETURNED_MAX;
use domain::scan::ScanRecord;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use store::judging;
use store::kv::Kv;
use store::scans::{GateResult, ReturnedOccurrence};

/// From how many bytes on an event gives no more occurrences back: each repeats the words of its exemption, and all stand in
/// one value.
const EVENT_BYTES: usize = 64 * 1024;

/// Gives back what the gate found, and tells the outbox. What was given back by another scan in the same form is not again.
///
/// # Errors
/// The store or the ledger failed.
pub(crate) async fn give_back<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    record: &ScanRecord,
    judged: &GateResult,
) -> Result<(), Problem> {
    let kv = context.kv;
    let returned = judged.returned(kv, record.id).await?;
    let days = record.settings.ending_notice_days.days();
    let near = judged.ends.is_some_and(|end| end <= context.now.plus_days(days));
    if returned.is_empty() && !near {
        return Ok(());
    }
    let journal = JournalId::Exemptions { project: record.request.project.clone() };
    let exemptions = judging::exemptions(kv, &record.request.project, context.now).await?;
    let mut originals: BTreeMap<ExemptionId, ExemptionRequest> = BTreeMap::new();
    let mut requests = Vec::new();
    let room = RETURNED_MAX.saturating_sub(exemptions.returned(context.now));
    for one in returned {
        if requests.len() >= room {
            break;
        }
        let id = ExemptionId::of_returned(one.exemption, one.occurrence);
        let Some(held) = held(&exemptions, id, &one) else { continue };
        let original = match originals.entry(one.exemption) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(open) => open.insert(exemption_request(kv, &journal, one.exemption, held).await?),
        };
        requests.push(again(record, id, &one, original.clone()));
    }
    for requests in chunks(requests) {
        // By what is asked for: an upload that died in between has less to ask for when it goes on.
        let ids: Vec<_> = requests.iter().map(|request| request.id.short().0).collect();
        let fields: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
        let append = Append {
            id: EventId::derived("v1:returned", &fields),
            by: record.by.clone(),
            event: AnyEvent::Exemption {
                project: record.request.project.clone(),
                event: ExemptionEvent::Returned { requests },
            },
        };
        // Refused where another upload was first, or there is no room; the occurrences count all the same.
        context.services.append(&append).await?;
    }
    let (project, by) = (&record.request.project, &record.by);
    OutboxWriter { kv, services: context.services, project, now: context.now, by }.update(days).await
}

/// The requests in parts that each fit into one event.
fn chunks(requests: Vec<ExemptionRequest>) -> Vec<Vec<ExemptionRequest>> {
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for request in requests {
        bytes += serde_json::to_vec(&request).map_or(0, |json| json.len());
        chunk.push(request);
        if bytes >= EVENT_BYTES {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
    }
    chunks.extend((!chunk.is_empty()).then_some(chunk));
    chunks
}

/// The exemption that an occurrence is returned from, unless it was given back before.
fn held<'a>(exemptions: &'a Exemptions, id: ExemptionId, one: &ReturnedOccurrence) -> Option<&'a Exemption> {
    exemptions.by_id.get(&one.exemption).filter(|_| !exemptions.by_id.contains_key(&id))
}

fn again(
    record: &ScanRecord,
    id: ExemptionId,
    one: &ReturnedOccurrence,
    original: ExemptionRequest,
) -> ExemptionRequest {
    let request = &record.request;
    ExemptionRequest {
        id,
        issue: one.issue,
        seen: SeenIn { scan: record.id, target: request.target.clone(), pipeline: request.pipeline.clone() },
        reach: Reach::Occurrences { target: request.target.clone(), occurrences: vec![one.occurrence] },
        returned_from: Some(one.exemption),
        ..original
    }
}
