//! The last scans of a target, and the choice of two to compare.

use super::variants::without_notice;
use crate::address;
use crate::client::{Api, is_refusal};
use crate::view::list::{empty, pager};
use crate::view::text::plain;
use crate::view::{badge, notice, time};
use crate::visit::Visit;
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::v1::ScanItem;
use maud::{Markup, html};

/// A page of the target's scans, or why there is none.
type Scans = Result<page::Page<ScanItem>, Problem>;

/// The target's scans as the query asks for them. What is wrong with the question takes nothing else away.
///
/// # Errors
/// The API failed.
pub(crate) async fn last<A: Api>(visit: &Visit<'_, A>, project: &str, target: &str) -> Result<Scans, Problem> {
    let [variant, scanner, cursor] = ["variant", "scanner", "cursor"].map(|name| segment(visit.text(name)));
    let path = format!(
        "{}?limit=25&target={}&variant={variant}&scanner={scanner}&cursor={cursor}",
        address::api(&address::scans(project)),
        segment(target)
    );
    match visit.api.get(&path).await {
        Err(problem) if !is_refusal(&problem) => Err(problem),
        answer => Ok(answer),
    }
}

/// The scans as a part of the target's page.
pub(crate) fn section<A>(visit: &Visit<'_, A>, project: &str, target: &str, scans: &Scans, known: &[&str]) -> Markup {
    let [variant, scanner] = ["variant", "scanner"].map(|name| visit.text(name));
    let filtered = !variant.is_empty() || !scanner.is_empty();
    let here = super::base(project, target);
    html! {
        section class="stack tight" id="scans" {
            h2 { "Last scans" }
            @if visit.text("choose") == "two" { (notice::bad("Choose two scans to compare: one as this, one as with.")) }
            form method="get" action={ (here) "#scans" } class="row" {
                div class="field" {
                    label for="of-variant" { "Of the variant" }
                    input id="of-variant" name="variant" value=(variant) list="of-variants" spellcheck="false"
                        autocapitalize="none";
                    datalist id="of-variants" { @for name in known { option value=(name) {} } }
                }
                div class="field" {
                    label for="of-scanner" { "By the scanner" }
                    input id="of-scanner" name="scanner" value=(scanner) spellcheck="false" autocapitalize="none";
                }
                button class="second" { "Filter" }
                @if filtered { a href={ (here) "#scans" } { "Show all scans" } }
            }
            @match scans {
                Err(problem) => (notice::bad(&problem.detail)),
                Ok(page) if page.items.is_empty() && filtered => (empty("No scan is so.", &html! {
                    "Look for another variant or scanner, or for all of them."
                })),
                Ok(page) if page.items.is_empty() => (empty("There is no scan here.", &html! {
                    "A scan that is done shows up here."
                })),
                Ok(page) => (listed(visit, project, target, page)),
            }
        }
    }
}

fn listed<A>(visit: &Visit<'_, A>, project: &str, target: &str, page: &page::Page<ScanItem>) -> Markup {
    let here = super::base(project, target);
    let of = |cursor: &str| format!("{here}?{}#scans", without_notice(visit.query).with("cursor", cursor));
    let first = (!visit.text("cursor").is_empty()).then(|| of(""));
    let next = page.next.as_deref().map(of);
    let comparable = 1 < page.items.len();
    html! {
        form method="get" action={ (here) "/compare" } class="stack tight" {
            div class="table" tabindex="0" role="region" aria-label="Last scans" {
                table class="folding" {
                    thead {
                        tr {
                            th scope="col" { "Scan" }
                            th scope="col" { "Variant" }
                            th scope="col" { "Scanner" }
                            th scope="col" class="number" { "New" }
                            th scope="col" class="number" { "Common" }
                            th scope="col" class="number" { "Remediated" }
                            th scope="col" { "By" }
                            @if comparable { th scope="col" { "Compare" } }
                        }
                    }
                    tbody { @for scan in &page.items { (row(visit, project, scan, comparable)) } }
                }
                (pager("scans", first.as_deref(), next.as_deref()))
            }
            @if comparable {
                div { button class="second" { "Compare the two scans" } }
            }
        }
    }
}

fn row<A>(visit: &Visit<'_, A>, project: &str, item: &ScanItem, comparable: bool) -> Markup {
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
                (badge::verdict(item.answer.verdict)) " "
                a href=(address::scan(project, item.id)) {
                    "Scan " (time::relative(&scan.received_at, visit.now))
                }
            }
            td data-label="Variant" { bdi { (plain(&scan.variant)) } }
            td data-label="Scanner" { bdi { (scan.scanner) } }
            td class="number" data-label="New" { (issues.new) }
            td class="number" data-label="Common" { (issues.common) }
            td class="number" data-label="Remediated" { (issues.remediated) }
            td data-label="By" { bdi { (plain(&scan.uploaded_by)) } }
            @if comparable {
                td data-label="Compare" { div class="row middle pair" { (radio("scan", "This")) (radio("other", "With")) } }
            }
        }
    }
}
