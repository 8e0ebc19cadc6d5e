//! The projects of the account.

use crate::job::ProjectJob;
use api::Problem;
use api::auth::Identity;
use api::internal::{AnyEvent, Append, Services};
use api::page::{Page, Wanted, page_of};
use api::v1::ProjectItem;
use domain::account::{Account, AccountEvent};
use domain::ids::EventId;
use domain::journal::JournalId;
use domain::project::Project;
use domain::time::Timestamp;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use store::journal;
use store::kv::Kv;

/// The number of projects that are loaded together: a project may have thousands of targets.
const PROJECTS_AT_ONCE: usize = 8;

/// The projects that the caller may see, by name. A page may be short and still have a next one: a project whose
/// creation was interrupted is left out.
///
/// # Errors
/// The store failed.
pub async fn projects(
    kv: &impl Kv,
    caller: &Identity,
    now: Timestamp,
    wanted: Wanted<String>,
) -> Result<Page<ProjectItem>, Problem> {
    let listed = match caller.project() {
        Some(own) => [own.clone()].into(),
        None => journal::load::<Account>(kv, &JournalId::Account, now).await?.state.projects,
    };
    let page = page_of("projects", listed.into_iter().map(|project| (project.to_string(), project)), wanted);
    let items = page.items.into_iter().map(|project| async move {
        let journal = JournalId::Project { project: project.clone() };
        let state = journal::load::<Project>(kv, &journal, now).await?.state;
        Ok::<_, Problem>(ProjectItem::new(project.to_string(), &state, caller))
    });
    let items: Vec<_> = stream::iter(items).buffered(PROJECTS_AT_ONCE).try_collect().await?;
    let items = items.into_iter().flatten().collect();
    Ok(Page { items, next: page.next })
}

impl<K: Kv, V: Services> ProjectJob<'_, K, V> {
    /// Adds the project to the account's list, unless it is listed. This comes before the project's own first event: a
    /// listed project without events is left out of answers, but a project that is not listed would be missing from
    /// them.
    ///
    /// # Errors
    /// The account has the largest number of projects, or the store or the ledger failed.
    pub(crate) async fn add_to_account(&self) -> Result<(), Problem> {
        let (context, project) = (&self.context, &self.context.project);
        let account: Account = journal::load(context.kv, &JournalId::Account, context.now).await?.state;
        if account.projects.contains(project) {
            return Ok(());
        }
        let append = Append {
            id: EventId::derived("v1:project-created", &[project.as_str().as_bytes()]),
            by: self.caller.actor.clone(),
            event: AnyEvent::Account { event: AccountEvent::ProjectCreated { project: project.clone() } },
        };
        match context.services.append(&append).await?.refused {
            None => Ok(()),
            Some(refusal) => Err(refusal.into()),
        }
    }
}
