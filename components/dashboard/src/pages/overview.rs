//! A project at a glance.

mod first;
mod lists;
mod trend;

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::visit::Visit;
use api::problem::Problem;
use api::v1::Overview;
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// For how many days the trend can be asked for.
const RANGES: [u32; 3] = [7, 30, 90];
/// For how many it is if nothing was asked for.
const USUAL: u32 = 30;

/// What is open and what fails, or how to get the first scan in.
///
/// # Errors
/// The API's.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str) -> Result<Reply, Problem> {
    let days = visit.param::<u32>("days")?.unwrap_or(USUAL);
    let base = address::project(project);
    let overview: Overview = visit.api.get(&format!("{}/overview?days={days}", address::api(&base))).await?;
    let title = format!("Overview of {project}");
    if overview.targets.is_empty() {
        return Ok(shown(visit, Page::of(project, Section::Overview, title, first::body(visit, project))));
    }
    let page = Page::of(project, Section::Overview, title, body(visit, &base, &overview, days));
    let upload = html! { a class="button" href={ (base) "/upload" } { "Upload a report" } };
    Ok(shown(visit, if visit.may(Right::Upload) { page.actions(upload) } else { page }))
}

fn body<A>(visit: &Visit<'_, A>, base: &str, overview: &Overview, days: u32) -> Markup {
    html! {
        (trend::today(overview))
        nav class="tabs" aria-label="Days shown" {
            ul {
                @for range in RANGES {
                    @let current = (range == days).then_some("true");
                    li { a href={ (base) "?days=" (range) } aria-current=[current] { (range) " days" } }
                }
            }
        }
        div class="columns" {
            (trend::open(overview))
            (trend::changes(overview))
        }
        div class="columns" {
            (lists::failing(visit, base, overview))
            (lists::exemptions(visit, base, &overview.exemptions))
        }
        (lists::targets(visit, base, overview))
    }
}

#[cfg(test)]
mod tests;
