//! Who is calling, and which projects there are for them.

use api::Problem;
use api::auth::Identity;
use api::internal::{AnyEvent, Append, Services};
use api::page::{Page, Wanted, page_of};
use api::problem::Code;
use api::v1::ProjectItem;
use domain::account::{Account, AccountEvent};
use domain::ids::{EventId, ProjectId};
use domain::journal::JournalId;
use domain::project::Project;
use domain::time::Timestamp;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use store::journal;
use store::kv::Kv;

/// How many projects are loaded at once.
const PROJECTS_AT_ONCE: usize = 8;

/// The projects that the caller sees, by name. A page may be shorter than it could be and not the last: a project whose
/// creation broke off is none.
///
/// # Errors
/// The store failed.
pub async fn projects(
    kv: &impl Kv,
    who: &Identity,
    now: Timestamp,
    wanted: Wanted<String>,
) -> Result<Page<ProjectItem>, Problem> {
    let listed = match who.project() {
        Some(own) => [own.clone()].into(),
        None => journal::load::<Account>(kv, &JournalId::Account, now).await?.state.projects,
    };
    let page = page_of("projects", listed.into_iter().map(|project| (project.to_string(), project)), wanted);
    let items = page.items.into_iter().map(|project| async move {
        let journal = JournalId::Project { project: project.clone() };
        let state = journal::load::<Project>(kv, &journal, now).await?.state;
        Ok::<_, Problem>(ProjectItem::new(project.to_string(), &state, who))
    });
    // A project may have thousands of targets: not too many are held at once.
    let items: Vec<_> = stream::iter(items).buffered(PROJECTS_AT_ONCE).try_collect().await?;
    let items = items.into_iter().flatten().collect();
    Ok(Page { items, next: page.next })
}

/// Notes that a project is one of the installation's, unless that is known. It comes before the project's own first
/// event: one that is noted and not there is left out of lists, and one that is there is in them.
///
/// # Errors
/// There are as many projects as there may be, or the store or the ledger failed.
pub(crate) async fn list_project<K: Kv, V: Services>(
    kv: &K,
    services: &V,
    who: &Identity,
    project: &ProjectId,
    now: Timestamp,
) -> Result<(), Problem> {
    let account: Account = journal::load(kv, &JournalId::Account, now).await?.state;
    if account.projects.contains(project) {
        return Ok(());
    }
    let append = Append {
        id: EventId::derived("v1:project-created", &[project.as_str().as_bytes()]),
        by: who.actor.clone(),
        event: AnyEvent::Account { event: AccountEvent::ProjectCreated { project: project.clone() } },
    };
    match services.append(&append).await?.refused {
        None => Ok(()),
        Some(refusal) => Err(Problem::new(Code::Conflict, refusal.reason)),
    }
}
