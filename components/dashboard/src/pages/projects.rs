//! The projects, and making one.

use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, csrf};
use crate::pages::{Asked, no_page, shown};
use crate::view::{list, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::{ProjectAnswer, ProjectItem, SettingsBody};
use guest::Reply;
use maud::html;

/// Leads to the project of who is signed in, or to the choice of one.
///
/// # Errors
/// The API failed.
pub(crate) async fn home<A: Api>(visit: &Visit<'_, A>) -> Result<Reply, Problem> {
    if let Some(own) = &visit.session.project {
        return Ok(answer::redirect(&format!("/projects/{}", segment(own))));
    }
    Ok(answer::redirect("/projects"))
}

/// The list of projects, or a new one.
///
/// # Errors
/// The API's.
pub(crate) async fn route<A: Api>(visit: &Visit<'_, A>, asked: Asked<'_>) -> Result<Reply, Problem> {
    match asked {
        Asked::Get => list_page(visit).await,
        Asked::Post(form) => create(visit, form).await,
    }
}

async fn list_page<A: Api>(visit: &Visit<'_, A>) -> Result<Reply, Problem> {
    let cursor = visit.text("cursor");
    let path = format!("/api/v1/projects?limit=100&cursor={}", segment(&cursor));
    let page: page::Page<ProjectItem> = visit.api.get(&path).await?;
    let next = page.next.map(|next| format!("/projects?cursor={}", segment(&next)));
    let first = (!cursor.is_empty()).then_some("/projects");
    let body = html! {
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("There is no project yet.", &html! {
                "A project holds targets, such as repositories and images, and what was found in them."
            }))
        } @else {
            ul class="cards" {
                @for project in &page.items {
                    li class="card" {
                        a class="title" href={ "/projects/" (segment(&project.id)) } { bdi { (project.id) } }
                        p class="hint" {
                            (list::count(u64::try_from(project.targets).unwrap_or(u64::MAX), "target"))
                            " · created " (time::relative(&project.created_at, visit.now))
                        }
                    }
                }
            }
            (list::pager("projects", first, next.as_deref()))
        }
        @if visit.is_account_admin() {
            h2 { "New project" }
            form method="post" action="/projects" class="card row" {
                (csrf(visit.session))
                div class="field" {
                    label for="name" { "Name" }
                    input id="name" name="name" required maxlength="63" spellcheck="false" autocapitalize="none";
                }
                button { "Create" }
            }
        }
    };
    Ok(shown(visit, Page::of_account("Projects", body)))
}

async fn create<A: Api>(visit: &Visit<'_, A>, form: &Form) -> Result<Reply, Problem> {
    if !visit.is_account_admin() {
        return Err(no_page());
    }
    let name = form.text("name");
    let path = format!("/api/v1/projects/{}", segment(name));
    // To create one that is there would set its settings back to the defaults.
    if visit.api.find::<ProjectAnswer>(&path).await?.is_none() {
        let _: ProjectAnswer = visit.api.send("PUT", &path, &SettingsBody::default()).await?;
    }
    Ok(answer::redirect(&format!("/projects/{}", segment(name))))
}
