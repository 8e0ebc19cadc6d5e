//! The work for exemptions after an upload. Exempted occurrences whose code was edited or moved return to review, and
//! so do exemptions whose issue is worse than what was judged: they count in this scan, and the exemptions are
//! requested again, in the name of the original requester. Exemptions that end soon are announced.

use crate::ingest::Ingest;
use api::Problem;
use api::internal::{AnyEvent, Append, Services};
use api::outbox::OutboxWriter;
use domain::exemption::{ExemptionEvent, ExemptionRequest, Exemptions, Judged, Reach, Reviewed, SourceScan};
use domain::grouping::Issue;
use domain::ids::{EventId, ExemptionId, IssueId};
use domain::journal::JournalId;
use domain::limits::RETURNED_MAX;
use domain::scan::ScanRecord;
use finding::limits::cut_to;
use std::collections::{BTreeMap, BTreeSet};
use store::exemption_events::ExemptionEvents;
use store::judging;
use store::kv::Kv;
use store::scans::{GateResult, Grouped, OutgrownExemption, ReturnedOccurrence, issues_list};
use store::segments::read_at;

/// The size from which on an event takes no more requests, in bytes. Each request repeats the text of its exemption,
/// and an event is one value of the store.
const EVENT_BYTES: usize = 64 * 1024;
/// The number of issues that are in memory at a time.
const ISSUES_AT_ONCE: usize = 200;
/// The maximum length of the reason for a review, in bytes: names of vulnerabilities in it are of any length.
const BECAUSE_BYTES_MAX: usize = 1000;

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Requests exemptions again for what the gate returned, unless another scan did so for the same form of an
    /// occurrence, or for the same change of an issue. Then updates the outbox.
    ///
    /// # Errors
    /// The store or the ledger failed.
    pub(crate) async fn return_to_review(&self, record: &ScanRecord, judged: &GateResult) -> Result<(), Problem> {
        let (kv, project) = (self.kv, &record.request.project);
        let returned = judged.returned(kv, record.id).await?;
        let outgrown = judged.outgrown(kv, record.id).await?;
        let days = record.settings.ending_notice_days.days();
        let ends_soon = judged.ends.is_some_and(|end| end <= self.now.plus_days(days));
        let nothing_returned = returned.is_empty() && outgrown.is_empty();
        if nothing_returned && !ends_soon {
            return Ok(());
        }
        if !nothing_returned {
            self.request_again(record, &returned, &outgrown).await?;
        }
        let telling = OutboxWriter { kv, services: self.services, project, now: self.now, by: &record.by };
        telling.update(days).await
    }

    /// Requests exemptions again for what the gate returned.
    async fn request_again(
        &self,
        record: &ScanRecord,
        returned: &[ReturnedOccurrence],
        outgrown: &[OutgrownExemption],
    ) -> Result<(), Problem> {
        let (kv, project) = (self.kv, &record.request.project);
        let exemptions = judging::exemptions(kv, project, self.now).await?;
        let mut requests = Requests {
            kv,
            record,
            exemptions: &exemptions,
            events: ExemptionEvents::new(kv, JournalId::Exemptions { project: project.clone() }),
            grouped: Grouped::get(kv, record.id).await?,
            originals: BTreeMap::new(),
            made: Vec::new(),
            room: RETURNED_MAX.saturating_sub(exemptions.returned(self.now)),
        };
        for occurrence in returned {
            requests.return_occurrence(occurrence).await?;
        }
        for chunk in outgrown.chunks(ISSUES_AT_ONCE) {
            if requests.made.len() >= requests.room {
                break;
            }
            let issues = requests.issues(chunk.iter().map(|one| one.at).collect()).await?;
            for one in chunk {
                if let Some(issue) = issues.get(&one.at) {
                    requests.return_outgrown(one, issue).await?;
                }
            }
        }
        for requests in chunks(requests.made) {
            // Derived from the requests: an upload that goes on after it died may have fewer of them.
            let ids: Vec<_> = requests.iter().map(|request| request.id.short().0).collect();
            let fields: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
            let event = ExemptionEvent::Returned { requests };
            let append = Append {
                id: EventId::derived("v1:returned", &fields),
                by: record.by.clone(),
                event: AnyEvent::Exemption { project: project.clone(), event },
            };
            // Refused if another upload was first, or the limit is reached. What returned counts in this scan anyway.
            self.services.append(&append).await?;
        }
        Ok(())
    }
}

/// The requests that return exemptions of a scan to review, while they are made.
struct Requests<'a, K> {
    kv: &'a K,
    record: &'a ScanRecord,
    exemptions: &'a Exemptions,
    events: ExemptionEvents<'a, K>,
    grouped: Grouped,
    /// The requests of the exemptions.
    originals: BTreeMap<ExemptionId, ExemptionRequest>,
    made: Vec<ExemptionRequest>,
    /// The number of requests that may be made.
    room: usize,
}

impl<K: Kv> Requests<'_, K> {
    /// True if the exemption is to be requested under this id: it is not yet, and there is room. An exemption of
    /// another project is not requested in this one.
    fn is_open(&self, from: ExemptionId, id: ExemptionId) -> bool {
        let held = &self.exemptions.by_id;
        self.made.len() < self.room && held.contains_key(&from) && !held.contains_key(&id)
    }

    /// Returns an occurrence in a form that was not judged.
    async fn return_occurrence(&mut self, returned: &ReturnedOccurrence) -> Result<(), Problem> {
        let id = ExemptionId::of_returned(returned.exemption, returned.occurrence);
        // An earlier version may have requested it by the first version of its form.
        let first = returned.first_form.map(|form| Reviewed { form, ..returned.occurrence });
        let first = first.map(|first| ExemptionId::of_returned(returned.exemption, first));
        let is_known = first.is_some_and(|first| self.exemptions.by_id.contains_key(&first));
        if is_known || !self.is_open(returned.exemption, id) {
            return Ok(());
        }
        let original = self.original(returned.exemption).await?;
        let mut judged = Judged { severity: original.severity, marks: original.marks.clone() };
        if let Some(severity) = returned.severity {
            let marks = self.issues(BTreeSet::from([returned.at])).await?.get(&returned.at).map(Issue::marks);
            judged = judged.joined(&Judged { severity, marks });
        }
        let target = self.record.request.target.clone();
        let reach = Reach::Occurrences { target, occurrences: vec![returned.occurrence] };
        let because = None;
        self.request(Review { id, issue: returned.issue, from: returned.exemption, reach, judged, because }, original);
        Ok(())
    }

    /// Returns an exemption whose issue is worse than what was judged. The exemption still applies to what was judged,
    /// in every other scan.
    async fn return_outgrown(&mut self, outgrown: &OutgrownExemption, issue: &Issue) -> Result<(), Problem> {
        let Some(held) = self.exemptions.by_id.get(&outgrown.exemption) else { return Ok(()) };
        let now = Judged { severity: outgrown.severity, marks: Some(issue.marks()) };
        let was = held.judged();
        let judged = was.joined(&now);
        let id = ExemptionId::of_outgrown(outgrown.exemption, &judged);
        if !self.is_open(outgrown.exemption, id) {
            return Ok(());
        }
        let new_names = was.marks.as_ref().map(|marks| issue.names_besides(&marks.names)).unwrap_or_default();
        let mut because = was.changes(&now, &new_names);
        cut_to(&mut because, BECAUSE_BYTES_MAX);
        // The scope of the account cannot be requested.
        let reach = if *held.reach() == Reach::Account { Reach::Project } else { held.reach().clone() };
        let original = self.original(outgrown.exemption).await?;
        let because = Some(because);
        // The issue's own id here may be that of another vulnerability, with which it was united.
        self.request(Review { id, issue: held.issue, from: outgrown.exemption, reach, judged, because }, original);
        Ok(())
    }

    /// The request of an exemption of the project.
    async fn original(&mut self, id: ExemptionId) -> Result<ExemptionRequest, Problem> {
        if let Some(known) = self.originals.get(&id) {
            return Ok(known.clone());
        }
        let missing = || Problem::internal(format!("exemption {id} is missing"));
        let held = self.exemptions.by_id.get(&id).ok_or_else(missing)?;
        let request = self.events.request(id, held).await?;
        self.originals.insert(id, request.clone());
        Ok(request)
    }

    /// The issues at these positions of the scan's list.
    async fn issues(&self, positions: BTreeSet<u32>) -> Result<BTreeMap<u32, Issue>, Problem> {
        let list = issues_list(self.record.id);
        let issues = read_at(self.kv, &list, &self.grouped.issues, positions.iter().copied()).await?;
        Ok(positions.into_iter().zip(issues).collect())
    }

    /// Adds the request of a review, from the request of its exemption.
    fn request(&mut self, review: Review, original: ExemptionRequest) {
        let request = &self.record.request;
        let seen =
            SourceScan { scan: self.record.id, target: request.target.clone(), pipeline: request.pipeline.clone() };
        self.made.push(ExemptionRequest {
            id: review.id,
            issue: review.issue,
            seen,
            reach: review.reach,
            returned_from: Some(review.from),
            severity: review.judged.severity,
            marks: review.judged.marks,
            returned_because: review.because,
            ..original
        });
    }
}

/// An exemption that returns to review.
struct Review {
    /// The id of its new request.
    id: ExemptionId,
    issue: IssueId,
    from: ExemptionId,
    reach: Reach,
    /// The state of the issue that an approval would judge.
    judged: Judged,
    /// The change of the issue; absent if its code was edited or moved.
    because: Option<String>,
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
