//! The overview of a project.

mod first_scan;
mod lists;
mod trend;

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::text::plain;
use api::problem::Problem;
use api::v1::Overview;
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// The selectable periods of the trend, in days.
const PERIODS: [u32; 3] = [7, 30, 90];
const DEFAULT_PERIOD: u32 = 30;
/// The number of scans requested to be accepted that the notice names.
const ACCEPT_NAMED_MAX: usize = 5;

/// The page. A project without scans shows how to upload the first report.
///
/// # Errors
/// The API's problem.
pub(crate) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<Reply, Problem> {
    let days = request.param::<u32>("days")?.unwrap_or(DEFAULT_PERIOD);
    let base = address::project(project);
    let overview: Overview = request.api.get(&format!("{}/overview?days={days}", address::api(&base))).await?;
    let title = format!("Overview of {project}");
    if overview.targets.is_empty() {
        return Ok(Page::of(project, Section::Overview, title, first_scan::body(request, project)).reply(request));
    }
    let page = Page::of(project, Section::Overview, title, body(request, &base, &overview, days));
    let upload = html! { a class="button" href={ (base) "/upload" } { "Upload report" } };
    let page = if request.has_right(Right::Upload) { page.actions(upload) } else { page };
    Ok(page.reply(request))
}

fn body<A>(request: &PageRequest<'_, A>, base: &str, overview: &Overview, days: u32) -> Markup {
    html! {
        @if overview.settings_requested {
            p class="notice care" {
                "A change of the project's settings is requested. " a href={ (base) "/settings" } { "Show the request" }
            }
        }
        @if !overview.accept_requested.is_empty() {
            p class="notice care" {
                "It is requested that scans are accepted: "
                @for (at, one) in overview.accept_requested.iter().take(ACCEPT_NAMED_MAX).enumerate() {
                    @if at > 0 { ", " }
                    a href={ (base) "/scans/" (one.scan) } { bdi { (plain(&one.target)) ":" (plain(&one.variant)) } }
                }
                @if overview.accept_requested.len() > ACCEPT_NAMED_MAX { " and more" }
            }
        }
        (trend::today(overview))
        nav class="tabs" aria-label="Period" {
            ul {
                @for period in PERIODS {
                    @let current = (period == days).then_some("true");
                    li { a href={ (base) "?days=" (period) } aria-current=[current] { (period) " days" } }
                }
            }
        }
        div class="columns" {
            (trend::open(overview))
            (trend::changes(overview))
        }
        div class="columns" {
            (lists::failing(request, base, overview))
            (lists::exemptions(request, base, &overview.exemptions))
        }
        (lists::targets(request, base, overview))
    }
}

#[cfg(test)]
mod tests;
