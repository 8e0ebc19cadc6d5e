//! The job of a call to a project's exemptions: its inputs, and the steps that several calls share.

use api::Problem;
use api::auth::Identity;
use api::body::illegal;
use api::internal::{AnyEvent, Services};
use api::outbox::OutboxWriter;
use api::problem::Code;
use api::project_context::ProjectContext;
use domain::exemption::{Exemption, ExemptionEvent, Exemptions, Reach, ReachError};
use domain::ids::ExemptionId;
use domain::limits::{BULK_MAX, VALUE_BYTES_MAX};
use domain::project::Project;
use store::judging;
use store::kv::Kv;

/// The size of the largest event in bytes: it is stored in one value, with its envelope.
const EVENT_BYTES_MAX: usize = VALUE_BYTES_MAX - 4 * 1024;

/// A call to a project's exemptions. Every change is an event in their journal.
pub struct ExemptionJob<'a, K, V> {
    /// The project, and the store and components that the call uses.
    pub context: ProjectContext<'a, K, V>,
    /// The caller.
    pub caller: Identity,
}

/// A project and its exemptions when a call begins.
pub(crate) struct CurrentState {
    pub(crate) project: Project,
    pub(crate) exemptions: Exemptions,
}

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// Reads the project and its exemptions.
    pub(crate) async fn load(&self) -> Result<CurrentState, Problem> {
        let ProjectContext { kv, now, project, .. } = &self.context;
        Ok(CurrentState {
            project: self.context.state().await?,
            exemptions: judging::exemptions(*kv, project, *now).await?,
        })
    }

    /// True if the call's event changed the exemptions before.
    ///
    /// # Errors
    /// The store failed.
    pub async fn has_taken_effect(&self) -> Result<bool, Problem> {
        let ProjectContext { kv, now, project, event, .. } = &self.context;
        Ok(judging::exemptions(*kv, project, *now).await?.has_applied(*event))
    }

    /// The exemption with this id, if the caller may see it.
    pub(crate) fn find<'s>(&self, state: &'s CurrentState, id: ExemptionId) -> Result<&'s Exemption, Problem> {
        let exemption = state.exemptions.by_id.get(&id).filter(|exemption| self.caller.sees_exemption(exemption));
        exemption.ok_or_else(|| Problem::not_found(format!("exemption {id} does not exist")))
    }

    /// Checks that the caller's token is for all targets, if the reach is wider than one target.
    pub(crate) fn require_reach(&self, reach: &Reach) -> Result<(), Problem> {
        match reach.target() {
            Some(_) => Ok(()),
            None => self.caller.require_all_targets(),
        }
    }

    /// Appends the call's event, and brings the project's outbox up to date with it.
    pub(crate) async fn append(&self, state: &CurrentState, event: ExemptionEvent) -> Result<(), Problem> {
        let ProjectContext { kv, services, now, project, .. } = &self.context;
        let bytes = serde_json::to_vec(&event).map_err(|error| Problem::internal(error.to_string()))?.len();
        if bytes > EVENT_BYTES_MAX {
            let detail =
                format!("the requests take {bytes} bytes together; at most {EVENT_BYTES_MAX} are allowed: send fewer");
            return Err(Problem::new(Code::InvalidBody, detail));
        }
        let by = &self.caller.actor;
        self.context.append(by, AnyEvent::Exemption { project: project.clone(), event }).await?;
        let telling = OutboxWriter { kv: *kv, services: *services, project, now: *now, by };
        telling.update(state.project.settings.ending_notice_days.days()).await
    }
}

/// The problem of a scope, pipeline or occurrences in a request's body.
pub(crate) fn reach_problem(error: ReachError) -> Problem {
    if error.is_conflict() { Problem::new(Code::Conflict, error.to_string()) } else { illegal(error.field(), error) }
}

/// Checks the number of requests or decisions that take effect together.
pub(crate) fn check_count(field: &str, count: usize) -> Result<(), Problem> {
    if (1..=BULK_MAX).contains(&count) {
        return Ok(());
    }
    Err(illegal(field, format_args!("expected 1 to {BULK_MAX} entries, found {count}")))
}

/// The problem of one of several requests or decisions; `at` is its place, counted from 0.
pub(crate) fn numbered(at: u32, problem: Problem) -> Problem {
    Problem { detail: format!("number {}: {}", at + 1, problem.detail), ..problem }
}
