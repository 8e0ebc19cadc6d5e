//! Targets: what is scanned, what each is compared with, and how its scans came out.

mod baseline;
mod list;
mod scans;
mod target;
mod variants;
pub(crate) mod words;

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::pages::{Asked, no_page};
use crate::visit::Visit;
use api::path::segment;
use api::problem::Problem;
use guest::Reply;

/// The list, a target, or a change of its baseline.
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
        (Asked::Get, [target]) => target::page(visit, project, target).await,
        (Asked::Post(form), [target]) => baseline::submit(visit, project, target, form).await,
        (Asked::Get, [target, "variants"]) => variants::page(visit, project, target).await,
        (Asked::Get, [target, "compare"]) => Ok(compare(visit, project, target)),
        _ => Err(no_page()),
    }
}

/// Leads to the comparison of two scans that were chosen, or back to choose them.
fn compare<A>(visit: &Visit<'_, A>, project: &str, target: &str) -> Reply {
    let (scan, other) = (visit.text("scan"), visit.text("other"));
    let base = address::project(project);
    if scan.is_empty() || other.is_empty() {
        return answer::redirect(&format!("{base}/targets/{}?choose=two#scans", segment(target)));
    }
    answer::redirect(&format!("{base}/scans/{}/compare/{}", segment(scan), segment(other)))
}

/// Where a target is among the pages.
fn base(project: &str, target: &str) -> String {
    address::target(project, target)
}

#[cfg(test)]
mod tests;
