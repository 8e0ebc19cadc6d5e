//! Pages that report an error of the API or of the dashboard.

use crate::layout::{self, Page};
use crate::reply;
use crate::request::PageRequest;
use crate::view::notice;
use api::Problem;
use api::problem::Code;
use guest::Reply;
use maud::{Markup, html};

/// The methods that pages accept.
pub(crate) const METHODS: &str = "GET, POST";

/// The problem of a path without a page.
pub(crate) fn page_not_found() -> Problem {
    Problem::not_found("page not found; the address may be misspelled or belong to another version")
}

/// The page for a client that is not signed in, or whose session is not known yet.
pub(crate) fn standalone(problem: &Problem) -> Reply {
    let body = html! { h1 { (problem.code.title()) } (message(problem)) };
    let mut reply = reply::html(problem.code.status(), layout::standalone(problem.code.title(), &body));
    if problem.code == Code::MethodNotAllowed {
        // RFC 9110, section 15.5.6.
        reply.headers.push(("allow", METHODS.to_owned()));
    }
    reply
}

/// The page in the frame of the requested page.
pub(crate) fn framed<A>(problem: &Problem, request: &PageRequest<'_, A>) -> Reply {
    titled(problem.code.title(), problem, request)
}

/// The page in the frame of the requested page, with this title.
pub(crate) fn titled<A>(title: &str, problem: &Problem, request: &PageRequest<'_, A>) -> Reply {
    let segments = api::path::segments(request.path()).unwrap_or_default();
    let project = match segments.as_slice() {
        [first, project, ..] if first == "projects" => Some(project.as_str()),
        _ => None,
    };
    // The navigation of a project is shown only to its users.
    let project = project.filter(|_| request.session.project.as_deref().is_none_or(|own| Some(own) == project));
    let page = Page { project, ..Page::of_account(title, message(problem)) };
    page.reply_with(problem.code.status(), request)
}

fn message(problem: &Problem) -> Markup {
    let mut detail = problem.detail.chars();
    let detail: String = detail.next().into_iter().flat_map(char::to_uppercase).chain(detail).collect();
    html! {
        (notice::bad(&detail))
        p class="hint" { "Error code: " code { (problem.code.as_str()) } ". It is explained in the documentation of problems." }
    }
}
