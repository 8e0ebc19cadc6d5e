//! Exemptions: the list that people decide in, and a page of each.

mod back;
mod decide;
mod details;
mod list;
mod offers;
mod preview;
mod row;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use crate::address;
use crate::client::Api;
use crate::pages::{Asked, no_page};
use crate::visit::Visit;
use api::Problem;
use guest::Reply;
use offers::Decision;

/// The list, one exemption, or a decision.
///
/// # Errors
/// There is no such page, or the API's.
pub(crate) async fn route<A: Api>(
    visit: &Visit<'_, A>,
    asked: Asked<'_>,
    project: &str,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (asked, rest) {
        (Asked::Get, []) => list::page(visit, project).await,
        // Words that are calls of the API and no exemptions.
        (Asked::Get, ["unused" | "requests" | "decisions"]) => Err(no_page()),
        (Asked::Get, [id]) => details::page(visit, project, id).await,
        (Asked::Post(form), ["decisions"]) => decide::several(visit, project, form).await,
        (Asked::Post(form), [id, "preview"]) => details::previewed(visit, project, id, form).await,
        (Asked::Post(form), [id, word]) => match Decision::named(word) {
            Some(decision) => decide::one(visit, project, id, decision, form).await,
            None => Err(no_page()),
        },
        _ => Err(no_page()),
    }
}

/// Where the exemptions of a project are.
fn base(project: &str) -> String {
    address::exemptions(project)
}

/// The API's call of an exemption, or of all of them.
fn call(project: &str, rest: &str) -> String {
    format!("{}{rest}", address::api(&base(project)))
}
