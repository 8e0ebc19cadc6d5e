//! The list of exemptions, the page of one, and decisions on them.

mod buttons;
mod confirm;
mod decide;
mod details;
mod list;
mod permissions;
mod preview;
mod return_path;
mod row;
mod subject;

#[cfg(test)]
mod tests;

use crate::client::Api;
use crate::pages::problem::page_not_found;
use crate::request::{Method, PageRequest};
use api::Problem;
use domain::exemption::Decision;
use guest::Reply;

/// Routes the paths below a project's exemptions.
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
        // Calls of the API, not ids of exemptions.
        (Method::Get, ["unused" | "requests" | "decisions"]) => Err(page_not_found()),
        (Method::Get, [id]) => details::page(request, project, id).await,
        (Method::Post(form), ["decisions"]) => decide::several(request, project, form).await,
        (Method::Post(form), [id, "preview"]) => details::previewed(request, project, id, form).await,
        (Method::Post(form), [id, word]) => match word.parse::<Decision>() {
            Ok(decision) => decide::one(request, project, id, decision, form).await,
            Err(_) => Err(page_not_found()),
        },
        _ => Err(page_not_found()),
    }
}
