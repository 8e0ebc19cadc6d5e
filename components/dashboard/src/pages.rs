//! The pages of the dashboard: a module for each area, and the routes to them.

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

use crate::client::Api;
use crate::request::{Method, PageRequest};
use api::Problem;
use guest::Reply;

/// Answers a signed-in user. `path` is the path's segments, decoded.
///
/// # Errors
/// The page does not exist, or the API answered with a problem.
pub(crate) async fn route<A: Api>(request: &PageRequest<'_, A>, path: &[&str]) -> Result<Reply, Problem> {
    match (request.method, path) {
        (Method::Get, [""]) => Ok(projects::home(request)),
        (_, ["projects"]) => projects::route(request).await,
        (_, ["account", "tokens", rest @ ..]) => tokens::route(request, None, rest).await,
        (Method::Get, ["account", "audit", rest @ ..]) => audit::route(request, None, rest).await,
        (Method::Get, ["projects", project]) => overview::page(request, project).await,
        (Method::Get, ["projects", project, "scans"]) => scans::page(request, project).await,
        (Method::Get, ["projects", project, "scans", scan]) => scan::page(request, project, scan).await,
        (Method::Post(form), ["projects", project, "scans", scan, "accept"]) => {
            scan::accept::submit(request, project, scan, form).await
        }
        (Method::Post(form), ["projects", project, "scans", scan, "accept-request"]) => {
            scan::accept::submit_request(request, project, scan, form).await
        }
        (
            Method::Post(form),
            ["projects", project, "scans", scan, "accept-request", decision @ ("reject" | "withdraw")],
        ) => scan::accept::decide(request, project, scan, decision, form).await,
        (_, ["projects", project, "scans", scan, "issues", issue, rest @ ..]) => {
            issue::route(request, project, scan, issue, rest).await
        }
        (Method::Get, ["projects", project, "scans", scan, "compare", other]) => {
            compare::page(request, project, scan, other).await
        }
        (Method::Get, ["projects", project, "pipelines", pipeline, "executions", execution]) => {
            execution::page(request, project, pipeline, execution).await
        }
        (_, ["projects", project, "targets", rest @ ..]) => targets::route(request, project, rest).await,
        (_, ["projects", project, "exemptions", rest @ ..]) => exemptions::route(request, project, rest).await,
        (Method::Get, ["projects", project, "upload"]) => upload::page(request, project).await,
        (_, ["projects", project, "settings", rest @ ..]) => settings::route(request, project, rest).await,
        (_, ["projects", project, "tokens", rest @ ..]) => tokens::route(request, Some(project), rest).await,
        (Method::Get, ["projects", project, "audit", rest @ ..]) => audit::route(request, Some(project), rest).await,
        _ => Err(problem::page_not_found()),
    }
}
