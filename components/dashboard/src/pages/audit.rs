//! The audit log of a project, or of the account: what was done, by whom, and what was refused.

mod entry;
mod export;
mod filter;

use crate::address;
use crate::answer;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::no_page;
use crate::view::badge::capitalised;
use crate::view::{list, notice};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::path::segment;
use api::v1::AuditItem;
use filter::Filter;
use guest::Reply;
use maud::{Markup, html};

/// How many entries a page shows.
const ENTRIES_SHOWN: usize = 25;
/// What can happen in a project.
const OF_PROJECT: [&str; 13] = [
    "settings_set",
    "target_created",
    "baseline_set",
    "token_issued",
    "token_revoked",
    "exemption_requested",
    "exemption_approved",
    "exemption_rejected",
    "exemption_cancelled",
    "exemption_reopened",
    "exemption_returned",
    "exemption_many",
    "scan_recorded",
];
/// What can happen besides projects.
const OF_ACCOUNT: [&str; 4] = ["project_created", "token_issued", "token_revoked", "exemption_promoted"];

/// The log, or all of it as a file.
///
/// # Errors
/// There is no such page, or the API's.
pub(crate) async fn route<A: Api>(
    visit: &Visit<'_, A>,
    project: Option<&str>,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match rest {
        [] => page(visit, project).await,
        ["export"] => export::file(visit, project).await,
        _ => Err(no_page()),
    }
}

/// What a kind of event is called.
fn words(what: &str) -> String {
    match what {
        "exemption_many" => "Several exemptions at once".to_owned(),
        "exemption_returned" => "Exemption back for review".to_owned(),
        "exemption_promoted" => "Exemption granted for all projects".to_owned(),
        "exemption_reopened" => "Exemption requested again".to_owned(),
        other => capitalised(other),
    }
}

fn base(project: Option<&str>) -> String {
    project.map_or_else(|| "/account/audit".to_owned(), |project| format!("{}/audit", address::project(project)))
}

fn call(project: Option<&str>) -> String {
    // The account's page is the one that is not where its call is.
    project.map_or_else(|| address::api("/audit"), |project| address::api(&base(Some(project))))
}

async fn page<A: Api>(visit: &Visit<'_, A>, project: Option<&str>) -> Result<Reply, Problem> {
    let (filter, cursor) = (Filter::read(visit), visit.text("cursor"));
    let from = if cursor.is_empty() { String::new() } else { format!("&cursor={}", segment(cursor)) };
    let path = format!("{}?limit={ENTRIES_SHOWN}{}{from}", call(project), filter.call());
    let found = match visit.api.get::<page::Page<AuditItem>>(&path).await {
        // What is wrong with a filter is told beside it.
        Err(problem) if problem.code.status() != 400 => return Err(problem),
        found => found,
    };
    let own = filter.page();
    let address = |cursor: &str| {
        let from = if cursor.is_empty() { String::new() } else { format!("&cursor={}", segment(cursor)) };
        format!("{}?{}", base(project), format!("{own}{from}").trim_start_matches('&'))
    };
    let export = format!("{}/export?{}", base(project), own.trim_start_matches('&'));
    let body = html! {
        (filters(project, &filter))
        @match &found {
            Err(problem) => (notice::bad(&problem.detail)),
            Ok(page) => {
                @if page.items.is_empty() { (nothing(&filter, page.next.is_some())) }
                @else { (entry::table(visit.now, project, &page.items)) }
                @let first = (!cursor.is_empty()).then(|| address(""));
                @let next = page.next.as_ref().map(|next| address(next));
                (list::pager("the audit log", first.as_deref(), next.as_deref()))
            }
        }
    };
    let actions = html! { a class="button second" href=(export) { "Download these entries" } };
    let page = match project {
        Some(project) => Page::of(project, Section::Audit, "Audit log", body),
        None => Page { section: Section::Audit, ..Page::of_account("Audit log of the account", body) },
    };
    let status = found.as_ref().map_or_else(|problem| problem.code.status(), |_| 200);
    Ok(answer::page(status, page.actions(actions).framed(visit)))
}

fn nothing(filter: &Filter, more: bool) -> Markup {
    match (more, filter.is_empty()) {
        (true, _) => list::empty(
            "None of the entries looked at so far is such a one.",
            &html! { "The next page looks at older ones." },
        ),
        (false, true) => {
            list::empty("Nothing has happened yet.", &html! { "Whatever changes something is listed here." })
        }
        (false, false) => list::empty("There is no such entry.", &html! { "Try it with fewer filters." }),
    }
}

fn filters(project: Option<&str>, filter: &Filter) -> Markup {
    let known: &[&str] = if project.is_some() { &OF_PROJECT } else { &OF_ACCOUNT };
    let input = |name: &str, label: &str, value: &str, kind: &str| {
        html! {
            div class="field" {
                label for=(name) { (label) }
                input id=(name) name=(name) type=(kind) value=(value) spellcheck="false" autocapitalize="none" autocomplete="off";
            }
        }
    };
    html! {
        form method="get" action=(base(project)) class="row" {
            (input("by", "By", &filter.by, "text"))
            div class="field" {
                label for="what" { "What" }
                select id="what" name="what" {
                    option value="" { "Anything" }
                    @for what in known { option value=(what) selected[filter.what == *what] { (words(what)) } }
                    @if !filter.what.is_empty() && !known.contains(&filter.what.as_str()) {
                        option value=(filter.what) selected { (words(&filter.what)) }
                    }
                }
            }
            @if project.is_some() { (input("target", "Target", &filter.target, "text")) }
            div class="field" {
                label for="refused" { "Outcome" }
                select id="refused" name="refused" {
                    option value="" { "Any" }
                    option value="false" selected[filter.refused == "false"] { "Took effect" }
                    option value="true" selected[filter.refused == "true"] { "Refused" }
                }
            }
            (input("since", "From (UTC)", &filter::local(&filter.since), "datetime-local"))
            (input("until", "To (UTC)", &filter::local(&filter.until), "datetime-local"))
            button class="second" { "Show" }
            @if !filter.is_empty() { a href=(base(project)) { "Without filters" } }
        }
    }
}

#[cfg(test)]
mod tests;
