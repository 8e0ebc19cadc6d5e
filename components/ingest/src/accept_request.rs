//! A developer's request to accept a scan. The approval is the acceptance itself (`accept.rs`).

use crate::ingest::Ingest;
use api::auth::Identity;
use api::body::{illegal, remark};
use api::internal::Services;
use api::problem::Problem;
use api::project_context::project_state;
use api::v1::{AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem};
use domain::accept_request::AcceptRequest;
use domain::change_decision::ChangeDecision;
use domain::ids::{ProjectId, ScanId};
use domain::project::ProjectEvent;
use domain::role::Right;
use store::kv::Kv;
use store::series;

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Requests that a scan is accepted.
    ///
    /// # Errors
    /// The scan does not exist, cannot be accepted or has a pending request, the reason is not legal, the project has
    /// too many requests, or the store failed.
    pub async fn request_accept(
        &self,
        caller: &Identity,
        project: &ProjectId,
        scan: ScanId,
        body: AcceptRequestBody,
    ) -> Result<AcceptRequestItem, Problem> {
        let comment = remark("reason", body.reason)?;
        if comment.trim().is_empty() {
            return Err(illegal("reason", "expected the reason for accepting the scan, found an empty text"));
        }
        let (answer, frozen) = self.scan_to_accept(caller, project, scan, Right::Develop).await?;
        let acceptance = series::acceptance(self.kv, &frozen).await??;
        let request = &frozen.record.request;
        let (name, variant) = (request.target.clone(), request.variant.clone());
        let event = ProjectEvent::ScanAcceptRequested { name, variant, scan, comment };
        let event = self.append_to_project(caller, project, event).await?;
        let made = self.pending(project, scan).await?.filter(|request| request.made.event == event);
        let made = made.ok_or_else(Problem::decided_meanwhile)?;
        Ok(AcceptRequestItem::new(&answer, &made, Some(acceptance)))
    }

    /// Rejects or withdraws a request to accept a scan. Returns the request.
    ///
    /// # Errors
    /// The scan or request does not exist, the caller may not decide it, or the store failed.
    pub async fn decide_accept_request(
        &self,
        caller: &Identity,
        project: &ProjectId,
        scan: ScanId,
        decision: ChangeDecision,
        body: AcceptDecisionBody,
    ) -> Result<AcceptRequestItem, Problem> {
        let comment = remark("comment", body.comment)?;
        let right = if decision == ChangeDecision::Withdraw { Right::Develop } else { Right::Decide };
        let (answer, frozen) = self.scan_to_accept(caller, project, scan, right).await?;
        let held = self.pending(project, scan).await?;
        let event =
            ProjectEvent::ScanAcceptDecided { name: frozen.record.request.target.clone(), scan, decision, comment };
        self.append_to_project(caller, project, event).await?;
        let held = held.ok_or_else(Problem::decided_meanwhile)?;
        let now = series::acceptance(self.kv, &frozen).await?.ok();
        Ok(AcceptRequestItem::new(&answer, &held, now))
    }

    async fn pending(&self, project: &ProjectId, scan: ScanId) -> Result<Option<AcceptRequest>, Problem> {
        Ok(project_state(self.kv, project, self.now).await?.accept_requests.remove(&scan))
    }
}
