//! Pages that say what went wrong, whose fault it is and what to do.

use crate::answer;
use crate::layout::{self, Page};
use crate::view::notice;
use crate::visit::Visit;
use api::Problem;
use api::problem::Code;
use guest::Reply;
use maud::{Markup, html};

/// How pages can be asked for.
pub(crate) const METHODS: &str = "GET, POST";

/// For somebody who is not signed in, or of whom nothing is known yet.
pub(crate) fn alone(problem: &Problem) -> Reply {
    let body = html! { h1 { (problem.code.title()) } (told(problem)) };
    let mut reply = answer::page(problem.code.status(), layout::alone(problem.code.title(), &body));
    if problem.code == Code::MethodNotAllowed {
        // RFC 9110, section 15.5.6.
        reply.headers.push(("allow", METHODS.to_owned()));
    }
    reply
}

/// In the frame of the page that was asked for.
pub(crate) fn framed<A>(problem: &Problem, visit: &Visit<'_, A>) -> Reply {
    let segments = api::path::segments(visit.path()).unwrap_or_default();
    let project = match segments.as_slice() {
        [first, project, ..] if first == "projects" => Some(project.as_str()),
        _ => None,
    };
    // Of a project that is not theirs to see, nothing is offered.
    let project = project.filter(|_| visit.session.project.as_deref().is_none_or(|own| Some(own) == project));
    let page = Page { project, ..Page::of_account(problem.code.title(), told(problem)) };
    answer::page(problem.code.status(), page.framed(visit))
}

fn told(problem: &Problem) -> Markup {
    let mut detail = problem.detail.chars();
    let detail: String = detail.next().into_iter().flat_map(char::to_uppercase).chain(detail).collect();
    html! {
        (notice::bad(&detail))
        p class="hint" { "Problem " code { (problem.code.as_str()) } "; the page of problems in the documentation says more." }
    }
}
