//! The scans of a project, the newest first.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::view::text::plain;
use crate::view::{badge, list, notice, time};
use crate::visit::Visit;
use api::Problem;
use api::page;
use api::problem::Code;
use api::v1::ScanItem;
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// Scans on a page.
const LISTED: usize = 25;
/// The filters, by their names in the URL and in words.
const FILTERS: [(&str, &str); 3] = [("target", "Target"), ("variant", "Variant"), ("scanner", "Scanner")];

/// The list of scans.
///
/// # Errors
/// A filter is not legal, or the API failed.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str) -> Result<Reply, Problem> {
    let path = address::scans(project);
    let asked: Vec<(&str, &str)> = FILTERS.iter().map(|(name, _)| (*name, visit.text(name))).collect();
    let at = visit.text("cursor");
    let is_filtered = asked.iter().any(|(_, value)| !value.is_empty());
    let found = visit
        .api
        .get(&format!(
            "{}?limit={LISTED}{}",
            address::api(&path),
            address::query(asked.iter().copied().chain([("cursor", at)]))
        ))
        .await;
    let (scans, refused): (page::Page<ScanItem>, _) = match found {
        Ok(scans) => (scans, None),
        // Such as a target that is not there: what was typed stays, to be mended.
        Err(problem) if is_filtered && problem.code == Code::InvalidParameter => {
            (page::Page { items: Vec::new(), next: None }, Some(problem.detail))
        }
        Err(problem) => return Err(problem),
    };
    let url = |at: &str| address::with_query(&path, asked.iter().copied().chain([("cursor", at)]));
    let body = html! {
        form method="get" action=(path) class="row" role="search" aria-label="Filter scans" {
            @for ((name, label), (_, value)) in FILTERS.iter().zip(&asked) {
                div class="field" {
                    label for=(name) { (label) }
                    input id=(name) name=(name) value=(value) spellcheck="false";
                }
            }
            button class="second" { "Filter" }
            @if is_filtered { a href=(path) { "Show all" } }
        }
        @if let Some(refused) = refused {
            (notice::bad(&format!("The filter does not work: {refused}.")))
        } @else if scans.items.is_empty() {
            (nothing(visit, project, is_filtered || !at.is_empty()))
        } @else {
            div class="table" {
                (table(visit, project, &scans.items, "Scans"))
                (list::pager("scans", (!at.is_empty()).then(|| url("")).as_deref(), scans.next.as_deref().map(url).as_deref()))
            }
        }
    };
    Ok(shown(visit, Page::of(project, Section::Tests, "Security tests", body)))
}

fn nothing<A>(visit: &Visit<'_, A>, project: &str, is_filtered: bool) -> Markup {
    let base = address::project(project);
    match is_filtered {
        true => list::empty("No scan matches.", &html! { "Names are matched whole." }),
        false => list::empty(
            "Nothing was scanned yet.",
            &html! {
                @if visit.may(Right::Upload) { a href={ (base) "/upload" } { "Upload a report" } " by hand, or " }
                a href=(base) { "see how a pipeline sends one" } "."
            },
        ),
    }
}

/// A table of scans.
pub(crate) fn table<A>(visit: &Visit<'_, A>, project: &str, scans: &[ScanItem], caption: &str) -> Markup {
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
                        td data-label="Verdict" { (badge::verdict(item.answer.verdict)) }
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
                        td data-label="Scanned" { (time::relative(&scan.received_at, visit.now)) }
                    }
                }
            }
        }
    }
}
