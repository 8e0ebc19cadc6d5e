//! The variants of a target, and those that a pattern matches.

use crate::address;
use crate::client::{Api, is_refusal};
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::list::{empty, pager};
use crate::view::text::plain;
use crate::view::{badge, notice, time};
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::v1::VariantItem;
use guest::Reply;
use maud::{Markup, html};

/// The number of variants that a pattern is tested on.
const TESTED: usize = 100;

/// A page of variants, or the API's problem with the cursor or the pattern.
pub(super) type VariantsResult = Result<page::Page<VariantItem>, Problem>;

/// Gets a page of the target's variants. A problem with the cursor does not fail the page.
///
/// # Errors
/// The API failed.
pub(super) async fn load<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
) -> Result<VariantsResult, Problem> {
    get(request, project, target, &format!("limit=25&cursor={}", segment(request.text("variants")))).await
}

/// Gets the target's variants, and tests the pattern on them.
///
/// # Errors
/// The API failed.
pub(super) async fn matching<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
    regex: &str,
) -> Result<VariantsResult, Problem> {
    get(request, project, target, &format!("limit={TESTED}&regex={}", segment(regex))).await
}

async fn get<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
    query: &str,
) -> Result<VariantsResult, Problem> {
    let path = format!("{}/variants?{query}", address::api(&address::target(project, target)));
    match request.api.get(&path).await {
        Err(problem) if !is_refusal(&problem) => Err(problem),
        answer => Ok(answer),
    }
}

/// The page with the variants that a pattern matches; htmx loads its main part into the form.
///
/// # Errors
/// The API's problem.
pub(super) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str, target: &str) -> Result<Reply, Problem> {
    let regex = request.text("regex");
    let result = match regex.is_empty() {
        true => html! { p class="hint" { "An empty pattern matches nothing." } },
        false => preview(&matching(request, project, target, regex).await?),
    };
    let body = html! { div id="preview" class="card" { (result) } };
    let page = Page::of(project, Section::Targets, "Variants that match a pattern", body);
    Ok(page.below(address::target(project, target), target).reply(request))
}

/// The variants that a pattern matches, and the one that becomes the baseline.
pub(super) fn preview(tested: &VariantsResult) -> Markup {
    let variants = match tested {
        Ok(variants) => variants,
        Err(problem) => return notice::bad(&problem.detail),
    };
    let matching = variants.items.iter().filter(|variant| variant.matches).count();
    html! {
        p {
            (matching) " of " (variants.items.len()) " variants match"
            @match variants.items.iter().find(|variant| variant.chosen) {
                Some(chosen) => { ". The baseline would be " strong { bdi { (plain(&chosen.id)) } } "." },
                None if variants.next.is_some() => ". The target has more variants, which were not tested.",
                None => ". Scans would have no baseline.",
            }
        }
        ul class="stack tight preview" {
            @for variant in variants.items.iter().filter(|variant| variant.matches).take(10) {
                li { bdi { (plain(&variant.id)) } @if variant.chosen { " " span class="badge low" { "Baseline" } } }
            }
            @if 10 < matching { li class="hint" { "and " (matching - 10) " more" } }
        }
    }
}

/// The section of the target's page.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &str,
    variants: Result<&page::Page<VariantItem>, &Problem>,
) -> Markup {
    let page_url = address::target(project, target);
    let url = |cursor: &str| format!("{page_url}?{}#variants", request.query_without_notice().with("variants", cursor));
    html! {
        section class="stack tight" id="variants" {
            h2 { "Variants" }
            @match variants {
                Err(problem) => (notice::bad(&problem.detail)),
                Ok(page) if page.items.is_empty() => (empty("No variants yet.", &html! {
                    "A variant is created with its first scan."
                })),
                Ok(page) => (table(request, project, page, &url)),
            }
        }
    }
}

fn table<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    page: &page::Page<VariantItem>,
    url: &dyn Fn(&str) -> String,
) -> Markup {
    let first = (!request.text("variants").is_empty()).then(|| url(""));
    let next = page.next.as_deref().map(url);
    html! {
        div class="table" tabindex="0" role="region" aria-label="Variants" {
            table class="folding" {
                thead { tr { th scope="col" { "Variant" } th scope="col" { "Newest scan" } } }
                tbody {
                    @for variant in &page.items {
                        tr {
                            th scope="row" {
                                bdi { (plain(&variant.id)) }
                                @if variant.chosen { " " span class="badge low" { "Baseline" } }
                            }
                            td data-label="Newest scan" {
                                (badge::verdict(variant.verdict, variant.no_threshold)) " "
                                a href=(address::scan(project, variant.deciding)) {
                                    "Scan"
                                }
                                ", " (time::relative(&variant.scanned_at, request.now))
                                @if !variant.complete { " " span class="badge undecided" { "Incomplete" } }
                            }
                        }
                    }
                }
            }
            (pager("variants", first.as_deref(), next.as_deref()))
        }
    }
}
