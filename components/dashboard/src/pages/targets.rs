//! The list of targets, the page of one, and changes of its baseline.

mod baseline_form;
mod baseline_request;
mod list;
mod save_baseline;
mod scans;
mod target;
mod variants;

use crate::address;
use crate::client::Api;
use crate::pages::problem::page_not_found;
use crate::reply;
use crate::request::{Method, PageRequest};
use api::problem::{Code, Problem};
use guest::Reply;

/// Routes the paths below a project's targets.
///
/// # Errors
/// The page does not exist, or the API answered with a problem.
pub(crate) async fn route<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (request.method, rest) {
        (Method::Get, []) => list::page(request, project).await,
        (Method::Get, [target]) => target::page(request, project, target).await,
        (Method::Post(form), [target]) => save_baseline::submit(request, project, target, form).await,
        (Method::Post(form), [target, "baseline-request", decision @ ("approve" | "reject" | "withdraw")]) => {
            baseline_request::decide(request, project, target, decision, form).await
        }
        (Method::Get, [target, "variants"]) => variants::page(request, project, target).await,
        (Method::Get, [target, "compare"]) => Ok(compare(request, project, target)),
        _ => Err(page_not_found()),
    }
}

/// The problem of a form without a version.
fn no_version() -> Problem {
    Problem::new(Code::ChangedMeanwhile, "the form does not say which baseline it shows")
}

/// Redirects to the comparison of the two selected scans, or back to the selection if one is missing.
fn compare<A>(request: &PageRequest<'_, A>, project: &str, target: &str) -> Reply {
    let (scan, other) = (request.text("scan"), request.text("other"));
    if scan.is_empty() || other.is_empty() {
        return reply::redirect(&format!("{}?choose=two#scans", address::target(project, target)));
    }
    reply::redirect(&address::comparison(project, scan, other))
}

#[cfg(test)]
mod tests;
