//! A reviewer accepts a scan that did not pass: what it has is not new any more for the next scans of its variant, or
//! what its report lacks is no longer expected.

use crate::ingest::Ingest;
use api::auth::Identity;
use api::body::{illegal, remark};
use api::internal::{AnyEvent, Services};
use api::problem::Problem;
use api::project_context::ProjectContext;
use api::scan_answer::scan_answer;
use api::v1::{AcceptBody, AcceptedAnswer, ScanAnswer};
use domain::accepting::{Acceptance, AcceptedMissing};
use domain::event::Mark;
use domain::head::{AcceptedScan, SeriesScan};
use domain::ids::{EventId, ProjectId, ScanId};
use domain::project::{InProject, ProjectEvent};
use domain::role::Right;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, series};

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Accepts a scan as the reference of the next scans of its variant, or accepts that the parts which it lacks are
    /// no longer scanned. The decision is an event in the project's journal. Accepting the scan again returns the first
    /// decision.
    ///
    /// # Errors
    /// The scan does not exist or cannot be accepted, a later scan is accepted already, or the caller requested it; or
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
        let (_, frozen) = self.scan_to_accept(caller, project, scan, Right::Decide).await?;
        if let Some(first) = self.find_decision(&frozen).await? {
            return Ok(first);
        }
        let acceptance = series::acceptance(self.kv, &frozen).await??;
        let record = &frozen.record;
        let missing = record.missing.clone();
        let event = ProjectEvent::ScanAccepted {
            name: record.request.target.clone(),
            variant: record.request.variant.clone(),
            scan,
            comment: comment.clone(),
            missing: missing.clone(),
        };
        // The journal comes first: nothing changes without an event.
        let event = self.append_to_project(caller, project, event).await?;
        let mark = Mark { event, at: self.now, by: caller.actor.clone() };
        let own = SeriesScan::of(record, &frozen.report);
        let answer = answer(scan, &mark, &comment, missing);
        match acceptance {
            Acceptance::Reference => {
                let decision = AcceptedScan { v: 1, scan: own, mark, comment };
                document::put(self.kv, &series::accepted_key(record), &decision).await?;
            }
            Acceptance::Missing => {
                let (tool, parts) = (record.tool.clone(), record.parts.clone());
                let decision = AcceptedMissing { v: 1, scan: own, tool, parts, mark, comment };
                document::put(self.kv, &series::accepted_missing_key(record), &decision).await?;
            }
        }
        Ok(answer)
    }

    /// Returns the answer to the upload of a scan, and the scan, if the caller has a right to its target.
    pub(crate) async fn scan_to_accept(
        &self,
        caller: &Identity,
        project: &ProjectId,
        scan: ScanId,
        right: Right,
    ) -> Result<(ScanAnswer, Frozen), Problem> {
        let answer = scan_answer(self.kv, caller, project, scan).await?;
        let frozen = Frozen::get(self.kv, scan).await?;
        caller.require_target(project, &frozen.record.request.target, right)?;
        Ok((answer, frozen))
    }

    /// The decision that accepted this scan, if it is the newest one of its series.
    async fn find_decision(&self, frozen: &Frozen) -> Result<Option<AcceptedAnswer>, Problem> {
        let (record, scan) = (&frozen.record, frozen.record.id);
        if record.missing.is_empty() {
            let decision = document::find::<AcceptedScan>(self.kv, &series::accepted_key(record)).await?;
            let own = decision.filter(|decision| decision.scan.scan == scan);
            return Ok(own.map(|own| answer(scan, &own.mark, &own.comment, Vec::new())));
        }
        let decision = document::find::<AcceptedMissing>(self.kv, &series::accepted_missing_key(record)).await?;
        let own = decision.filter(|decision| decision.scan.scan == scan);
        Ok(own.map(|own| answer(scan, &own.mark, &own.comment, record.missing.clone())))
    }

    /// Appends an event to the project's journal. Returns its id.
    pub(crate) async fn append_to_project(
        &self,
        caller: &Identity,
        project: &ProjectId,
        event: ProjectEvent,
    ) -> Result<EventId, Problem> {
        let id = EventId::from_bits(self.random);
        let context =
            ProjectContext { kv: self.kv, services: self.services, now: self.now, event: id, project: project.clone() };
        let event = InProject { project: project.clone(), event };
        context.append(&caller.actor, AnyEvent::Project { event }).await?;
        Ok(id)
    }
}

fn answer(scan: ScanId, mark: &Mark, comment: &str, missing: Vec<String>) -> AcceptedAnswer {
    AcceptedAnswer {
        scan,
        accepted_at: mark.at.to_string(),
        accepted_by: mark.by.subject.to_string(),
        comment: comment.to_owned(),
        missing,
    }
}
