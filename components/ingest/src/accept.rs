//! A reviewer accepts a scan that did not pass: what it has is not new any more for the next scans of its variant.

use crate::ingest::Ingest;
use api::auth::Identity;
use api::body::{illegal, remark};
use api::internal::{AnyEvent, Services};
use api::problem::{Code, Problem};
use api::project_context::ProjectContext;
use api::scan_answer::scan_answer;
use api::v1::{AcceptBody, AcceptedAnswer};
use domain::event::Mark;
use domain::head::{AcceptedScan, Head, SeriesScan};
use domain::ids::{EventId, ProjectId, ScanId};
use domain::project::{InProject, ProjectEvent};
use domain::role::Right;
use domain::scan::ScanRecord;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, keys};

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Accepts a scan as the reference of the next scans of its variant. The decision is an event in the project's
    /// journal. Accepting the scan again returns the first decision.
    ///
    /// # Errors
    /// The scan does not exist, is incomplete, is compared with another variant, or a later scan is accepted already; or
    /// the store failed.
    pub async fn accept(
        &self,
        caller: &Identity,
        project: &ProjectId,
        scan: ScanId,
        body: AcceptBody,
    ) -> Result<AcceptedAnswer, Problem> {
        let comment = remark("comment", body.comment)?;
        if comment.trim().is_empty() {
            return Err(illegal("comment", "expected the reason for accepting the scan, found an empty text"));
        }
        let frozen = self.frozen_to_accept(caller, project, scan).await?;
        let record = &frozen.record;
        let (request, own) = (&record.request, SeriesScan::of(record, &frozen.report));
        let key = keys::accepted(request.target_id(), &request.variant, &record.tool, &record.categories);
        let before = document::find::<AcceptedScan>(self.kv, &key).await?;
        if let Some(before) = before.as_ref().filter(|before| before.scan.scan == scan) {
            return Ok(answer(before));
        }
        let head = keys::head(request.target_id(), &request.variant, &record.tool, &record.categories);
        let head: Head = document::get(self.kv, &head).await?;
        if let Some(known) = head.accepted_with(before.as_ref()).filter(|known| !own.is_after(known)) {
            let detail = format!(
                "scan {scan} needs no decision: scan {} of the same variant and scanner is accepted already",
                known.scan
            );
            return Err(Problem::new(Code::Conflict, detail));
        }
        let event = EventId::from_bits(self.random);
        let accepted = ProjectEvent::ScanAccepted {
            name: request.target.clone(),
            variant: request.variant.clone(),
            scan,
            comment: comment.clone(),
        };
        let context =
            ProjectContext { kv: self.kv, services: self.services, now: self.now, event, project: project.clone() };
        let event_in_project = InProject { project: project.clone(), event: accepted };
        // The journal comes first: nothing changes without an event.
        context.append(&caller.actor, AnyEvent::Project { event: event_in_project }).await?;
        let mark = Mark { event, at: self.now, by: caller.actor.clone() };
        let decision = AcceptedScan { v: 1, scan: own, mark, comment };
        document::put(self.kv, &key, &decision).await?;
        Ok(answer(&decision))
    }

    /// Returns a scan that can be accepted.
    async fn frozen_to_accept(&self, caller: &Identity, project: &ProjectId, scan: ScanId) -> Result<Frozen, Problem> {
        scan_answer(self.kv, caller, project, scan).await?;
        let frozen = Frozen::get(self.kv, scan).await?;
        let ScanRecord { request, reference, replay_of, .. } = &frozen.record;
        caller.require_target(project, &request.target, Right::Decide)?;
        let refused = |detail: String| Err(Problem::new(Code::Conflict, detail));
        if replay_of.is_some() {
            return refused(format!("scan {scan} is a replay, which no scan is compared with; accept its original"));
        }
        if !frozen.record.is_complete(&frozen.report.summary) {
            return refused(format!(
                "scan {scan} is incomplete, so no scan is compared with it; upload a complete one"
            ));
        }
        if reference.is_to_baseline() {
            let detail = "is compared with the target's baseline and not with its own variant, so accepting it has no \
                          effect; request exemptions for its issues instead";
            return refused(format!("scan {scan} {detail}"));
        }
        Ok(frozen)
    }
}

fn answer(decision: &AcceptedScan) -> AcceptedAnswer {
    AcceptedAnswer {
        scan: decision.scan.scan,
        accepted_at: decision.mark.at.to_string(),
        accepted_by: decision.mark.by.subject.to_string(),
        comment: decision.comment.clone(),
    }
}
