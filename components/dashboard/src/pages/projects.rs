//! The projects, and making one.

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, csrf};
use crate::pages::{Asked, no_page};
use crate::view::{list, notice, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::problem::Code;
use api::v1::{ProjectAnswer, ProjectItem, SettingsBody};
use domain::ids::ProjectId;
use guest::Reply;
use maud::html;

/// Leads to the project of who is signed in, or to the choice of one.
///
/// # Errors
/// The API failed.
pub(crate) async fn home<A: Api>(visit: &Visit<'_, A>) -> Result<Reply, Problem> {
    if let Some(own) = &visit.session.project {
        return Ok(answer::redirect(&address::project(own)));
    }
    Ok(answer::redirect("/projects"))
}

/// The list of projects, or a new one.
///
/// # Errors
/// The API's.
pub(crate) async fn route<A: Api>(visit: &Visit<'_, A>, asked: Asked<'_>) -> Result<Reply, Problem> {
    match asked {
        Asked::Get => list_page(visit, None).await,
        Asked::Post(form) => create(visit, form).await,
    }
}

/// The list; `refused`: the name of a project that was not made, and why.
async fn list_page<A: Api>(visit: &Visit<'_, A>, refused: Option<(&str, &str)>) -> Result<Reply, Problem> {
    let cursor = visit.text("cursor");
    let path = format!("{}?limit=100&cursor={}", address::api("/projects"), segment(cursor));
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
                        a class="title" href=(address::project(&project.id)) { bdi { (project.id) } }
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
            @if let Some((_, why)) = refused { (notice::bad(&format!("No project was created: {why}."))) }
            form method="post" action="/projects" class="card row" {
                (csrf(visit.session))
                div class="field" {
                    label for="name" { "Name" }
                    input id="name" name="name" required maxlength="64" spellcheck="false" autocapitalize="none"
                        value=(refused.map(|(name, _)| name).unwrap_or_default());
                }
                button { "Create" }
            }
        }
    };
    let page = Page::of_account("Projects", body);
    Ok(answer::page(if refused.is_some() { 400 } else { 200 }, page.framed(visit)))
}

async fn create<A: Api>(visit: &Visit<'_, A>, form: &Form) -> Result<Reply, Problem> {
    if !visit.is_account_admin() {
        return Err(no_page());
    }
    let name = form.text("name");
    if let Err(error) = name.parse::<ProjectId>() {
        return list_page(visit, Some((name, &error.to_string()))).await;
    }
    let path = address::api(&address::project(name));
    // To create one that is there would set its settings back to the defaults.
    if visit.api.find::<ProjectAnswer>(&path).await?.is_some() {
        return list_page(visit, Some((name, "there is one of this name"))).await;
    }
    match visit.api.send::<ProjectAnswer>("PUT", &path, &SettingsBody::default()).await {
        Ok(_) => Ok(answer::redirect(&format!("{}?done=project-created", address::project(name)))),
        Err(problem) if problem.code == Code::Conflict => list_page(visit, Some((name, &problem.detail))).await,
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::testing::{FakeApi, session, text, visiting};
    use domain::role::Role;
    use serde_json::json;

    fn create(api: &FakeApi, session: &Session, name: &str) -> Result<Reply, Problem> {
        let form = Form::parse(format!("name={}", segment(name)).as_bytes());
        visiting(api, session, "/projects", async |visit| route(visit, Asked::Post(&form)).await)
    }

    #[test]
    fn a_project_is_created_once_and_a_wrong_name_stays_to_be_mended() {
        let answer = json!({"id": "new", "settings": {}, "created_at": "2026-11-24T15:00:00.000Z", "targets": 0});
        let api = FakeApi::default()
            .answer("GET /api/v1/projects?limit=100&cursor=", &json!({"items": []}))
            .answer("GET /api/v1/projects/shop", &answer)
            .answer("PUT /api/v1/projects/new", &answer);
        let root = Session { project: None, ..session(Role::Admin) };
        let made = create(&api, &root, "new").unwrap();
        assert!(made.headers.contains(&("location", "/projects/new?done=project-created".to_owned())));
        for (name, told) in
            [("My Shop", "My Shop"), ("  ", "No project was created"), ("shop", "there is one of this name")]
        {
            let page = text(&create(&api, &root, name).unwrap());
            assert!(page.contains(told), "{name}: {page}");
        }
        assert_eq!(api.sent.borrow().len(), 1, "only one was sent");
        assert!(create(&api, &session(Role::Admin), "new").is_err(), "a project's admin makes none");
    }
}
