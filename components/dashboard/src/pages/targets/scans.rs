//! The latest scans of a target, and the selection of two to compare.

use crate::address;
use crate::client::{Api, is_refusal};
use crate::request::PageRequest;
use crate::view::list::{empty, pager};
use crate::view::text::plain;
use crate::view::{badge, notice, time};
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::v1::ScanItem;
use maud::{Markup, html};

/// A page of the target's scans, or the API's problem with the filter.
type ScansResult = Result<page::Page<ScanItem>, Problem>;

/// Gets the target's scans with the filter of the query. A problem with the filter does not fail the page.
///
/// # Errors
/// The API failed.
pub(super) async fn load<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
) -> Result<ScansResult, Problem> {
    let [variant, scanner, cursor] = ["variant", "scanner", "cursor"].map(|name| segment(request.text(name)));
    let path = format!(
        "{}?limit=25&target={}&variant={variant}&scanner={scanner}&cursor={cursor}",
        address::api(&address::scans(project)),
        segment(target)
    );
    match request.api.get(&path).await {
        Err(problem) if !is_refusal(&problem) => Err(problem),
        answer => Ok(answer),
    }
}

/// The section of the target's page. `variants`: the known variants to suggest.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
    scans: &ScansResult,
    variants: &[&str],
) -> Markup {
    let [variant, scanner] = ["variant", "scanner"].map(|name| request.text(name));
    let is_filtered = !variant.is_empty() || !scanner.is_empty();
    let page = address::target(project, target);
    html! {
        section class="stack tight" id="scans" {
            h2 { "Latest scans" }
            @if request.text("choose") == "two" { (notice::bad("Select two scans to compare: one as “First”, one as “Second”.")) }
            form method="get" action={ (page) "#scans" } class="row" {
                div class="field" {
                    label for="of-variant" { "Variant" }
                    input id="of-variant" name="variant" value=(variant) list="of-variants" spellcheck="false"
                        autocapitalize="none";
                    datalist id="of-variants" { @for name in variants { option value=(name) {} } }
                }
                div class="field" {
                    label for="of-scanner" { "Scanner" }
                    input id="of-scanner" name="scanner" value=(scanner) spellcheck="false" autocapitalize="none";
                }
                button class="second" { "Filter" }
                @if is_filtered { a href={ (page) "#scans" } { "Clear filters" } }
            }
            @match scans {
                Err(problem) => (notice::bad(&problem.detail)),
                Ok(page) if page.items.is_empty() && is_filtered => (empty("No scan matches the filters.", &html! {
                    "Change or clear the filters."
                })),
                Ok(page) if page.items.is_empty() => (empty("No scans yet.", &html! {
                    "Completed scans are listed here."
                })),
                Ok(page) => (table(request, project, target, page)),
            }
        }
    }
}

fn table<A>(request: &PageRequest<'_, A>, project: &str, target: &str, scans: &page::Page<ScanItem>) -> Markup {
    let page = address::target(project, target);
    let url = |cursor: &str| format!("{page}?{}#scans", request.query_without_notice().with("cursor", cursor));
    let first = (!request.text("cursor").is_empty()).then(|| url(""));
    let next = scans.next.as_deref().map(url);
    let comparable = 1 < scans.items.len();
    html! {
        form method="get" action={ (page) "/compare" } class="stack tight" {
            div class="table" tabindex="0" role="region" aria-label="Latest scans" {
                table class="folding" {
                    thead {
                        tr {
                            th scope="col" { "Scan" }
                            th scope="col" { "Variant" }
                            th scope="col" { "Scanner" }
                            th scope="col" class="number" { "New" }
                            th scope="col" class="number" { "Common" }
                            th scope="col" class="number" { "Remediated" }
                            th scope="col" { "Uploaded by" }
                            @if comparable { th scope="col" { "Compare" } }
                        }
                    }
                    tbody { @for scan in &scans.items { (row(request, project, scan, comparable)) } }
                }
                (pager("scans", first.as_deref(), next.as_deref()))
            }
            @if comparable {
                div { button class="second" { "Compare selected scans" } }
            }
        }
    }
}

fn row<A>(request: &PageRequest<'_, A>, project: &str, item: &ScanItem, comparable: bool) -> Markup {
    let (scan, issues) = (&item.answer.scan, &item.answer.issues);
    let radio = |name: &str, label: &str| {
        html! {
            span class="check" {
                input type="radio" id={ (name) "-" (item.id) } name=(name) value=(item.id);
                label for={ (name) "-" (item.id) } {
                    (label)
                    span class="unseen" { " scan of " bdi { (plain(&scan.variant)) } " by " (plain(&scan.scanner)) ", " (scan.received_at) }
                }
            }
        }
    };
    html! {
        tr {
            th scope="row" {
                (badge::verdict(item.answer.verdict, item.answer.no_threshold)) " "
                a href=(address::scan(project, item.id)) {
                    "Scan " (time::relative(&scan.received_at, request.now))
                }
            }
            td data-label="Variant" { bdi { (plain(&scan.variant)) } }
            td data-label="Scanner" { bdi { (scan.scanner) } }
            td class="number" data-label="New" { (issues.new) }
            td class="number" data-label="Common" { (issues.common) }
            td class="number" data-label="Remediated" { (issues.remediated) }
            td data-label="Uploaded by" { bdi { (plain(&scan.uploaded_by)) } }
            @if comparable {
                td data-label="Compare" { div class="row middle pair" { (radio("scan", "First")) (radio("other", "Second")) } }
            }
        }
    }
}
