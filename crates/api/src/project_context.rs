//! The context of a call to a project, and the two things that each such call does: read the project and append an
//! event.

use crate::auth::no_project;
use crate::internal::{AnyEvent, Append, Appended, Services};
use crate::problem::Problem;
use domain::event::Actor;
use domain::ids::{EventId, ProjectId};
use domain::journal::JournalId;
use domain::project::Project;
use domain::time::Timestamp;
use store::journal;
use store::kv::Kv;

/// The context of a call to a project.
pub struct ProjectContext<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// The start of the call.
    pub now: Timestamp,
    /// The id of the event that the call appends, if it appends one. A retry under the same `Idempotency-Key` has the
    /// same id.
    pub event: EventId,
    /// The project.
    pub project: ProjectId,
}

impl<K: Kv, V: Services> ProjectContext<'_, K, V> {
    /// Reads the current state of the project.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn state(&self) -> Result<Project, Problem> {
        project_state(self.kv, &self.project, self.now).await
    }

    /// Appends the call's event.
    ///
    /// # Errors
    /// The current state does not allow the event, or the ledger failed.
    pub async fn append(&self, by: &Actor, event: AnyEvent) -> Result<(), Problem> {
        self.append_numbered(by, event).await.map(drop)
    }

    /// Appends the call's event and returns its number in the journal.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn append_numbered(&self, by: &Actor, event: AnyEvent) -> Result<u64, Problem> {
        let append = Append { id: self.event, by: by.clone(), event };
        let Appended { n, refused } = self.services.append(&append).await?;
        refused.map_or(Ok(n), |refusal| Err(refusal.into()))
    }
}

/// Reads the current state of a project.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn project_state(kv: &impl Kv, project: &ProjectId, now: Timestamp) -> Result<Project, Problem> {
    let journal = JournalId::Project { project: project.clone() };
    let state: Project = journal::load(kv, &journal, now).await?.state;
    if state.created.is_none() {
        return Err(no_project(project));
    }
    Ok(state)
}
