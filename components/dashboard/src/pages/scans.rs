//! The list of scans, the newest first.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::text::plain;
use crate::view::{badge, list, notice, time};
use api::Problem;
use api::page;
use api::problem::Code;
use api::v1::ScanItem;
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// Scans on a page.
const PER_PAGE: usize = 25;
/// The names of the filters in the URL, and their labels.
const FILTERS: [(&str, &str); 3] = [("target", "Target"), ("variant", "Variant"), ("scanner", "Scanner")];

/// The page.
///
/// # Errors
/// The API's problem.
pub(crate) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<Reply, Problem> {
    let path = address::scans(project);
    let filters: Vec<(&str, &str)> = FILTERS.iter().map(|(name, _)| (*name, request.text(name))).collect();
    let cursor = request.text("cursor");
    let is_filtered = filters.iter().any(|(_, value)| !value.is_empty());
    let found = request
        .api
        .get(&format!(
            "{}?limit={PER_PAGE}{}",
            address::api(&path),
            address::query(filters.iter().copied().chain([("cursor", cursor)]))
        ))
        .await;
    let (scans, refusal): (page::Page<ScanItem>, _) = match found {
        Ok(scans) => (scans, None),
        // An invalid filter, such as an unknown target, stays in the form to be corrected.
        Err(problem) if is_filtered && problem.code == Code::InvalidParameter => {
            (page::Page { items: Vec::new(), next: None }, Some(problem.detail))
        }
        Err(problem) => return Err(problem),
    };
    let url = |cursor: &str| address::with_query(&path, filters.iter().copied().chain([("cursor", cursor)]));
    let body = html! {
        form method="get" action=(path) class="row" role="search" aria-label="Filter scans" {
            @for ((name, label), (_, value)) in FILTERS.iter().zip(&filters) {
                div class="field" {
                    label for=(name) { (label) }
                    input id=(name) name=(name) value=(value) spellcheck="false";
                }
            }
            button class="second" { "Filter" }
            @if is_filtered { a href=(path) { "Clear filters" } }
        }
        @if let Some(detail) = refusal {
            (notice::bad(&format!("Invalid filter: {detail}.")))
        } @else if scans.items.is_empty() {
            (empty(request, project, is_filtered || !cursor.is_empty()))
        } @else {
            div class="table" {
                (table(request, project, &scans.items, "Scans"))
                (list::pager("scans", (!cursor.is_empty()).then(|| url("")).as_deref(), scans.next.as_deref().map(url).as_deref()))
            }
        }
    };
    Ok(Page::of(project, Section::Tests, "Security tests", body).reply(request))
}

fn empty<A>(request: &PageRequest<'_, A>, project: &str, is_filtered: bool) -> Markup {
    let base = address::project(project);
    match is_filtered {
        true => list::empty("No scan matches the filters.", &html! { "A filter must be a complete name." }),
        false => list::empty(
            "No scans yet.",
            &html! {
                @if request.has_right(Right::Upload) { a href={ (base) "/upload" } { "Upload report" } " in the browser, or " }
                a href=(base) { "set up a pipeline" } "."
            },
        ),
    }
}

/// A table of scans.
pub(crate) fn table<A>(request: &PageRequest<'_, A>, project: &str, scans: &[ScanItem], caption: &str) -> Markup {
    html! {
        table class="folding" {
            caption class="unseen" { (caption) }
            thead { tr {
                th scope="col" { "Verdict" } th scope="col" { "Target" } th scope="col" { "Variant" }
                th scope="col" { "Scanner" } th scope="col" class="number" { "New" }
                th scope="col" class="number" { "Common" } th scope="col" class="number" { "Remediated" }
                th scope="col" class="number" { "Exempted" } th scope="col" { "Scanned" }
            } }
            tbody {
                @for item in scans {
                    @let (scan, issues) = (&item.answer.scan, item.answer.issues);
                    tr {
                        td data-label="Verdict" { (badge::verdict(item.answer.verdict, item.answer.no_threshold)) }
                        th scope="row" {
                            a href=(address::scan(project, item.id)) {
                                bdi { (plain(&scan.target.name)) }
                            }
                        }
                        td data-label="Variant" { bdi { (plain(&scan.variant)) } }
                        td data-label="Scanner" { (plain(&scan.scanner)) @if !item.answer.report.complete { " " span class="badge undecided" { "Incomplete" } } }
                        td class="number" data-label="New" { (issues.new) }
                        td class="number" data-label="Common" { (issues.common) }
                        td class="number" data-label="Remediated" { (issues.remediated) }
                        td class="number" data-label="Exempted" { (issues.exempted) }
                        td data-label="Scanned" { (time::relative(&scan.received_at, request.now)) }
                    }
                }
            }
        }
    }
}
