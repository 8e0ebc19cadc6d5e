//! The list of projects, and creating one.

use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::{Page, csrf};
use crate::pages::problem::page_not_found;
use crate::reply;
use crate::request::{Method, PageRequest};
use crate::view::{list, notice, time};
use api::Problem;
use api::page;
use api::path::segment;
use api::problem::Code;
use api::v1::{ProjectAnswer, ProjectItem, SettingsBody};
use domain::ids::ProjectId;
use guest::Reply;
use maud::html;

/// Redirects to the user's project; account admins to the list.
pub(crate) fn home<A>(request: &PageRequest<'_, A>) -> Reply {
    match &request.session.project {
        Some(project) => reply::redirect(&address::project(project)),
        None => reply::redirect("/projects"),
    }
}

/// Shows the list, or creates a project.
///
/// # Errors
/// The API's problem.
pub(crate) async fn route<A: Api>(request: &PageRequest<'_, A>) -> Result<Reply, Problem> {
    match request.method {
        Method::Get => list_page(request, None).await,
        Method::Post(form) => create(request, form).await,
    }
}

/// The list. `refused`: the name of a project that could not be created, and the reason.
async fn list_page<A: Api>(request: &PageRequest<'_, A>, refused: Option<(&str, &str)>) -> Result<Reply, Problem> {
    let cursor = request.text("cursor");
    let path = format!("{}?limit=100&cursor={}", address::api("/projects"), segment(cursor));
    let page: page::Page<ProjectItem> = request.api.get(&path).await?;
    let next = page.next.map(|next| format!("/projects?cursor={}", segment(&next)));
    let first = (!cursor.is_empty()).then_some("/projects");
    let body = html! {
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("No projects yet.", &html! {
                "A project contains targets, such as repositories and images, and the issues found in them."
            }))
        } @else {
            ul class="cards" {
                @for project in &page.items {
                    li class="card" {
                        a class="title" href=(address::project(&project.id)) { bdi { (project.id) } }
                        p class="hint" {
                            (list::count(u64::try_from(project.targets).unwrap_or(u64::MAX), "target"))
                            " · created " (time::relative(&project.created_at, request.now))
                        }
                    }
                }
            }
            (list::pager("projects", first, next.as_deref()))
        }
        @if request.is_account_admin() {
            h2 { "New project" }
            @if let Some((_, reason)) = refused { (notice::bad(&format!("The project was not created: {reason}."))) }
            form method="post" action="/projects" class="card row" {
                (csrf(request.session))
                div class="field" {
                    label for="name" { "Name" }
                    input id="name" name="name" required maxlength="64" spellcheck="false" autocapitalize="none"
                        value=(refused.map(|(name, _)| name).unwrap_or_default());
                }
                button { "Create project" }
            }
        }
    };
    let page = Page::of_account("Projects", body);
    Ok(page.reply_with(if refused.is_some() { 400 } else { 200 }, request))
}

async fn create<A: Api>(request: &PageRequest<'_, A>, form: &Form) -> Result<Reply, Problem> {
    if !request.is_account_admin() {
        return Err(page_not_found());
    }
    let name = form.text("name");
    if let Err(error) = name.parse::<ProjectId>() {
        return list_page(request, Some((name, &error.to_string()))).await;
    }
    let path = address::api(&address::project(name));
    // Without the parameter, the call would reset the settings of an existing project.
    let path = format!("{path}?create=true");
    match request.api.send::<ProjectAnswer>("PUT", &path, &SettingsBody::default()).await {
        Ok(_) => Ok(reply::redirect(&format!("{}?done=project-created", address::project(name)))),
        Err(problem) if problem.code == Code::Conflict => list_page(request, Some((name, &problem.detail))).await,
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Session;
    use crate::testing::{FakeApi, session, text, with_request};
    use domain::role::Role;
    use serde_json::json;

    fn create(api: &FakeApi, session: &Session, name: &str) -> Result<Reply, Problem> {
        let form = Form::parse(format!("name={}", segment(name)).as_bytes());
        with_request(api, session, Method::Post(&form), "/projects", async |request| route(request).await)
    }

    #[test]
    fn a_project_is_created_once_and_an_invalid_name_stays_in_the_form() {
        let answer =
            json!({"id": "new", "settings": {}, "created_at": "2026-11-24T15:00:00.000Z", "targets": 0, "version": 1});
        let api = FakeApi::default()
            .answer("GET /api/v1/projects?limit=100&cursor=", &json!({"items": []}))
            .answer("PUT /api/v1/projects/new?create=true", &answer)
            .refuse("PUT /api/v1/projects/shop?create=true", &Problem::new(Code::Conflict, "project `shop` exists"));
        let root = Session { project: None, ..session(Role::Admin) };
        let made = create(&api, &root, "new").unwrap();
        assert!(made.headers.contains(&("location", "/projects/new?done=project-created".to_owned())));
        for (name, expected) in
            [("My Shop", "My Shop"), ("  ", "The project was not created"), ("shop", "project `shop` exists")]
        {
            let page = text(&create(&api, &root, name).unwrap());
            assert!(page.contains(expected), "{name}: {page}");
        }
        assert_eq!(api.sent.borrow().len(), 2, "an invalid name is not sent");
        assert!(create(&api, &session(Role::Admin), "new").is_err(), "a project's admin creates none");
    }
}
