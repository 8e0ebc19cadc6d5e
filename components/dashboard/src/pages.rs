//! The pages, an area of the dashboard in each module, and which of them a path means.

pub(crate) mod audit;
pub(crate) mod compare;
pub(crate) mod execution;
pub(crate) mod exemptions;
pub(crate) mod issue;
pub(crate) mod overview;
pub(crate) mod problem;
pub(crate) mod projects;
pub(crate) mod scan;
pub(crate) mod scans;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod targets;
pub(crate) mod tokens;
pub(crate) mod upload;

use crate::answer;
use crate::client::Api;
use crate::form::Form;
use crate::layout::Page;
use crate::visit::Visit;
use api::Problem;
use guest::Reply;

/// How a page is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// To be seen.
    Get,
    /// To do what this form says. That it is the session's own is checked.
    Post(&'a Form),
}

/// Answers somebody who is signed in. `path` is the path's segments, decoded.
///
/// # Errors
/// There is no such page, or what it shows or does is not there, not allowed or not legal.
pub(crate) async fn route<A: Api>(visit: &Visit<'_, A>, asked: Asked<'_>, path: &[&str]) -> Result<Reply, Problem> {
    match (asked, path) {
        (Asked::Get, [""]) => projects::home(visit).await,
        (_, ["projects"]) => projects::route(visit, asked).await,
        (_, ["account", "tokens", rest @ ..]) => tokens::route(visit, asked, None, rest).await,
        (Asked::Get, ["account", "audit", rest @ ..]) => audit::route(visit, None, rest).await,
        (Asked::Get, ["projects", project]) => overview::page(visit, project).await,
        (Asked::Get, ["projects", project, "scans"]) => scans::page(visit, project).await,
        (Asked::Get, ["projects", project, "scans", scan]) => scan::page(visit, project, scan).await,
        (_, ["projects", project, "scans", scan, "issues", issue, rest @ ..]) => {
            issue::route(visit, asked, project, scan, issue, rest).await
        }
        (Asked::Get, ["projects", project, "scans", scan, "compare", other]) => {
            compare::page(visit, project, scan, other).await
        }
        (Asked::Get, ["projects", project, "pipelines", pipeline, "executions", execution]) => {
            execution::page(visit, project, pipeline, execution).await
        }
        (_, ["projects", project, "targets", rest @ ..]) => targets::route(visit, asked, project, rest).await,
        (_, ["projects", project, "exemptions", rest @ ..]) => exemptions::route(visit, asked, project, rest).await,
        (Asked::Get, ["projects", project, "upload"]) => upload::page(visit, project).await,
        (_, ["projects", project, "settings"]) => settings::route(visit, asked, project).await,
        (_, ["projects", project, "tokens", rest @ ..]) => tokens::route(visit, asked, Some(project), rest).await,
        (Asked::Get, ["projects", project, "audit", rest @ ..]) => audit::route(visit, Some(project), rest).await,
        _ => Err(no_page()),
    }
}

/// The problem of a path that no page has.
pub(crate) fn no_page() -> Problem {
    Problem::not_found("there is no such page; the address may be misspelt, or of another version")
}

/// A page as a reply.
pub(crate) fn shown<A>(visit: &Visit<'_, A>, page: Page<'_>) -> Reply {
    answer::page(200, page.framed(visit))
}
