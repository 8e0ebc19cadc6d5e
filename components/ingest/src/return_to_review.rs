//! The work for exemptions after an upload. Exempted occurrences whose code was edited or moved return to review: they
//! count in this scan, and their exemptions are requested again, in the name of the original requester. Exemptions that
//! end soon are announced.

use crate::ingest::Ingest;
use api::Problem;
use api::internal::{AnyEvent, Append, Services};
use api::outbox::OutboxWriter;
use domain::exemption::{ExemptionEvent, ExemptionRequest, Reach, SourceScan};
use domain::ids::{EventId, ExemptionId};
use domain::journal::JournalId;
use domain::limits::RETURNED_MAX;
use domain::scan::ScanRecord;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use store::exemption_events::ExemptionEvents;
use store::judging;
use store::kv::Kv;
use store::scans::{GateResult, ReturnedOccurrence};

/// The size from which on an event takes no more requests, in bytes. Each request repeats the text of its exemption, and
/// an event is one value of the store.
const EVENT_BYTES: usize = 64 * 1024;

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Requests exemptions again for the occurrences that the gate returned, unless another scan did so for the same form
    /// of the occurrence. Then updates the outbox.
    ///
    /// # Errors
    /// The store or the ledger failed.
    pub(crate) async fn return_to_review(&self, record: &ScanRecord, judged: &GateResult) -> Result<(), Problem> {
        let (kv, project) = (self.kv, &record.request.project);
        let returned = judged.returned(kv, record.id).await?;
        let days = record.settings.ending_notice_days.days();
        let ends_soon = judged.ends.is_some_and(|end| end <= self.now.plus_days(days));
        if returned.is_empty() && !ends_soon {
            return Ok(());
        }
        let journal = JournalId::Exemptions { project: project.clone() };
        let exemptions = judging::exemptions(kv, project, self.now).await?;
        let mut events = ExemptionEvents::new(kv, journal);
        let mut originals: BTreeMap<ExemptionId, ExemptionRequest> = BTreeMap::new();
        let mut requests = Vec::new();
        let room = RETURNED_MAX.saturating_sub(exemptions.returned(self.now));
        for occurrence in returned {
            if requests.len() >= room {
                break;
            }
            let id = ExemptionId::of_returned(occurrence.exemption, occurrence.occurrence);
            if exemptions.by_id.contains_key(&id) {
                continue;
            }
            let Some(exemption) = exemptions.by_id.get(&occurrence.exemption) else { continue };
            let original = match originals.entry(occurrence.exemption) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(open) => open.insert(events.request(occurrence.exemption, exemption).await?),
            };
            requests.push(new_request(record, id, &occurrence, original.clone()));
        }
        for requests in chunks(requests) {
            // Derived from the requests: an upload that goes on after it died may have fewer of them.
            let ids: Vec<_> = requests.iter().map(|request| request.id.short().0).collect();
            let fields: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
            let event = ExemptionEvent::Returned { requests };
            let append = Append {
                id: EventId::derived("v1:returned", &fields),
                by: record.by.clone(),
                event: AnyEvent::Exemption { project: project.clone(), event },
            };
            // Refused if another upload was first, or the limit is reached. The occurrences count in this scan anyway.
            self.services.append(&append).await?;
        }
        let telling = OutboxWriter { kv, services: self.services, project, now: self.now, by: &record.by };
        telling.update(days).await
    }
}

/// Splits the requests into lists that each fit into one event.
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

/// The request for a returned occurrence, from the request of its exemption.
fn new_request(
    record: &ScanRecord,
    id: ExemptionId,
    returned: &ReturnedOccurrence,
    original: ExemptionRequest,
) -> ExemptionRequest {
    let request = &record.request;
    ExemptionRequest {
        id,
        issue: returned.issue,
        seen: SourceScan { scan: record.id, target: request.target.clone(), pipeline: request.pipeline.clone() },
        reach: Reach::Occurrences { target: request.target.clone(), occurrences: vec![returned.occurrence] },
        returned_from: Some(returned.exemption),
        ..original
    }
}
