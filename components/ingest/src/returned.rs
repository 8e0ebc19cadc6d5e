//! Exempted occurrences that were edited or moved go back to review: they count in this scan, and their exemption is asked
//! for anew, in the name of those who asked before.

use crate::upload::Context;
use api::Problem;
use api::internal::{AnyEvent, Append, Services};
use domain::event::Entry;
use domain::exemption::{Exemption, ExemptionEvent, ExemptionRequest, Exemptions, Reach, SeenIn};
use domain::ids::{EventId, ExemptionId};
use domain::journal::JournalId;
use domain::scan::ScanRecord;
use std::collections::BTreeMap;
use store::judging;
use store::kv::Kv;
use store::scans::{Judged, ReturnedOccurrence};
use store::{document, keys};

/// How many occurrences one event gives back: each repeats the words of its exemption, and all stand in one value.
const AT_ONCE: usize = 20;

/// Gives back what the gate found. What was given back by another scan in the same form is not again.
///
/// # Errors
/// The store or the ledger failed.
pub(crate) async fn give_back<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    record: &ScanRecord,
    judged: &Judged,
) -> Result<(), Problem> {
    let kv = context.kv;
    let returned = judged.returned(kv, record.id).await?;
    if returned.is_empty() {
        return Ok(());
    }
    let exemptions = judging::exemptions(kv, &record.request.project, context.now).await?;
    let mut originals: BTreeMap<ExemptionId, ExemptionRequest> = BTreeMap::new();
    let mut requests = Vec::new();
    for one in returned {
        let id = ExemptionId::of_returned(one.exemption, one.occurrence);
        let Some(held) = held(&exemptions, id, &one) else { continue };
        if !originals.contains_key(&one.exemption) {
            originals.insert(one.exemption, original(kv, record, one.exemption, held).await?);
        }
        let original = originals.get(&one.exemption).cloned();
        requests.extend(original.map(|original| again(record, id, &one, original)));
    }
    for (at, requests) in (0_u32..).zip(requests.chunks(AT_ONCE)) {
        let append = Append {
            id: EventId::derived("v1:returned", &[&record.id.short().0, &at.to_be_bytes()]),
            by: record.by.clone(),
            event: AnyEvent::Exemption {
                project: record.request.project.clone(),
                event: ExemptionEvent::Returned { requests: requests.to_vec() },
            },
        };
        context.services.append(&append).await?;
    }
    Ok(())
}

/// The exemption that an occurrence is returned from, unless it was given back before.
fn held<'a>(exemptions: &'a Exemptions, id: ExemptionId, one: &ReturnedOccurrence) -> Option<&'a Exemption> {
    exemptions.by_id.get(&one.exemption).filter(|_| !exemptions.by_id.contains_key(&id))
}

/// What was asked for when the exemption was.
async fn original(
    kv: &impl Kv,
    record: &ScanRecord,
    id: ExemptionId,
    held: &Exemption,
) -> Result<ExemptionRequest, Problem> {
    let journal = JournalId::Exemptions { project: record.request.project.clone() };
    let key = keys::journal_event(&journal, held.requested.n);
    let entry: Entry<ExemptionEvent> = document::get(kv, &key).await?;
    let request = entry.event.request_for(id).cloned();
    request.ok_or_else(|| Problem::internal(format!("{key} does not ask for exemption {id}")))
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
