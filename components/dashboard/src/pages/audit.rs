//! The audit log of a project, or of the account.

mod entry;
mod event_kinds;
mod export;
mod filter;

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::problem::page_not_found;
use crate::request::PageRequest;
use crate::view::{list, notice};
use api::Problem;
use api::page;
use api::v1::AuditItem;
use filter::Filter;
use guest::Reply;
use maud::{Markup, html};

/// Entries on a page.
const ENTRIES_SHOWN: usize = 25;

/// Routes the paths below an audit log: the page, and the download.
///
/// # Errors
/// The page does not exist, or the API answered with a problem.
pub(crate) async fn route<A: Api>(
    request: &PageRequest<'_, A>,
    project: Option<&str>,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match rest {
        [] => page(request, project).await,
        ["export"] => export::file(request, project).await,
        _ => Err(page_not_found()),
    }
}

async fn page<A: Api>(request: &PageRequest<'_, A>, project: Option<&str>) -> Result<Reply, Problem> {
    let (filter, cursor) = (Filter::read(request), request.text("cursor"));
    let from = |cursor: &str| address::query([("cursor", cursor)]);
    let path = format!("{}?limit={ENTRIES_SHOWN}{}{}", address::audit_api(project), filter.api_query(), from(cursor));
    let entries = match request.api.get::<page::Page<AuditItem>>(&path).await {
        // An invalid filter is reported below the filters.
        Err(problem) if problem.code.status() != 400 => return Err(problem),
        entries => entries,
    };
    let page_query = filter.page_query();
    let url = |cursor: &str| {
        format!("{}?{}", address::audit(project), format!("{page_query}{}", from(cursor)).trim_start_matches('&'))
    };
    let export = format!("{}/export?{}", address::audit(project), page_query.trim_start_matches('&'));
    let body = html! {
        (filters(project, &filter))
        @match &entries {
            Err(problem) => (notice::bad(&problem.detail)),
            Ok(page) => {
                @if page.items.is_empty() { (empty(&filter, page.next.is_some())) }
                @else { (entry::table(request.now, project, &page.items)) }
                @let first = (!cursor.is_empty()).then(|| url(""));
                @let next = page.next.as_ref().map(|next| url(next));
                (list::pager("the audit log", first.as_deref(), next.as_deref()))
            }
        }
    };
    let actions = html! { a class="button second" href=(export) { "Download these entries" } };
    let page = match project {
        Some(project) => Page::of(project, Section::Audit, "Audit log", body),
        None => Page { section: Section::Audit, ..Page::of_account("Account audit log", body) },
    };
    let status = entries.as_ref().map_or_else(|problem| problem.code.status(), |_| 200);
    Ok(page.actions(actions).reply_with(status, request))
}

fn empty(filter: &Filter, more: bool) -> Markup {
    match (more, filter.is_empty()) {
        (true, _) => list::empty("No matching entries so far.", &html! { "The next page searches older entries." }),
        (false, true) => list::empty("No entries yet.", &html! { "Every change is listed here." }),
        (false, false) => list::empty("No entry matches the filters.", &html! { "Change or clear the filters." }),
    }
}

fn filters(project: Option<&str>, filter: &Filter) -> Markup {
    let kinds: &[&str] = if project.is_some() { &event_kinds::OF_PROJECT } else { &event_kinds::OF_ACCOUNT };
    let input = |name: &str, label: &str, value: &str, kind: &str| {
        html! {
            div class="field" {
                label for=(name) { (label) }
                input id=(name) name=(name) type=(kind) value=(value) spellcheck="false" autocapitalize="none" autocomplete="off";
            }
        }
    };
    html! {
        form method="get" action=(address::audit(project)) class="row" {
            (input("by", "User", &filter.by, "text"))
            div class="field" {
                label for="what" { "Event" }
                select id="what" name="what" {
                    option value="" { "All" }
                    @for kind in kinds { option value=(kind) selected[filter.what == *kind] { (event_kinds::label(kind)) } }
                    @if !filter.what.is_empty() && !kinds.contains(&filter.what.as_str()) {
                        option value=(filter.what) selected { (event_kinds::label(&filter.what)) }
                    }
                }
            }
            @if project.is_some() { (input("target", "Target", &filter.target, "text")) }
            div class="field" {
                label for="refused" { "Outcome" }
                select id="refused" name="refused" {
                    option value="" { "All" }
                    option value="false" selected[filter.refused == "false"] { "Succeeded" }
                    option value="true" selected[filter.refused == "true"] { "Refused" }
                }
            }
            (input("since", "From (UTC)", &filter::local(&filter.since), "datetime-local"))
            (input("until", "To (UTC)", &filter::local(&filter.until), "datetime-local"))
            button class="second" { "Filter" }
            @if !filter.is_empty() { a href=(address::audit(project)) { "Clear filters" } }
        }
    }
}

#[cfg(test)]
mod tests;
