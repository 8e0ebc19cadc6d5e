//! The variants of a target, and which of them a pattern means.

use crate::address;
use crate::client::{Api, is_refusal};
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::view::list::{empty, pager};
use crate::view::text::plain;
use crate::view::{badge, notice, time};
use crate::visit::Visit;
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::query::Query;
use api::v1::VariantItem;
use guest::Reply;
use maud::{Markup, html};

/// How many variants a pattern is tried on.
const TRIED: usize = 100;

/// What a pattern that was tried means, or what is wrong with it.
pub(crate) type Tried = Result<page::Page<VariantItem>, Problem>;

/// A page of the target's variants. What is wrong with the list takes nothing else away.
///
/// # Errors
/// The API failed.
pub(crate) async fn all<A: Api>(visit: &Visit<'_, A>, project: &str, target: &str) -> Result<Tried, Problem> {
    asked(visit, project, target, &format!("limit=25&cursor={}", segment(visit.text("variants")))).await
}

/// The target's variants as this pattern has them.
///
/// # Errors
/// The API failed.
pub(crate) async fn tried<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    target: &str,
    regex: &str,
) -> Result<Tried, Problem> {
    asked(visit, project, target, &format!("limit={TRIED}&regex={}", segment(regex))).await
}

async fn asked<A: Api>(visit: &Visit<'_, A>, project: &str, target: &str, query: &str) -> Result<Tried, Problem> {
    let path = format!("{}/variants?{query}", address::api(&address::target(project, target)));
    match visit.api.get(&path).await {
        Err(problem) if !is_refusal(&problem) => Err(problem),
        answer => Ok(answer),
    }
}

/// What a pattern would mean, as a page of its own, of which the form takes what it needs.
///
/// # Errors
/// The API's.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str, target: &str) -> Result<Reply, Problem> {
    let regex = visit.text("regex");
    let told = match regex.is_empty() {
        true => html! { p class="hint" { "A pattern that is empty matches nothing." } },
        false => preview(&tried(visit, project, target, regex).await?),
    };
    let body = html! { div id="preview" class="card" { (told) } };
    let page = Page::of(project, Section::Targets, "What a pattern matches", body);
    Ok(shown(visit, page.below(super::base(project, target), target)))
}

/// What a pattern would mean.
pub(crate) fn preview(tried: &Tried) -> Markup {
    let variants = match tried {
        Ok(variants) => variants,
        Err(problem) => return notice::bad(&problem.detail),
    };
    let matching = variants.items.iter().filter(|variant| variant.matches).count();
    html! {
        p {
            (matching) " of " (variants.items.len()) " variants match"
            @match variants.items.iter().find(|variant| variant.chosen) {
                Some(chosen) => { "; others would be compared with " strong { bdi { (plain(&chosen.id)) } } "." },
                None if variants.next.is_some() => ", of those that are looked at here.",
                None => "; there would be nothing to compare with.",
            }
        }
        ul class="stack tight preview" {
            @for variant in variants.items.iter().filter(|variant| variant.matches).take(10) {
                li { bdi { (plain(&variant.id)) } @if variant.chosen { " " span class="badge low" { "Chosen" } } }
            }
            @if 10 < matching { li class="hint" { "and " (matching - 10) " more" } }
        }
    }
}

/// The variants as a part of the target's page.
pub(crate) fn section<A>(
    visit: &Visit<'_, A>,
    project: &str,
    target: &str,
    variants: Result<&page::Page<VariantItem>, &Problem>,
) -> Markup {
    let base = super::base(project, target);
    let of = |cursor: &str| format!("{base}?{}#variants", without_notice(visit.query).with("variants", cursor));
    html! {
        section class="stack tight" id="variants" {
            h2 { "Variants" }
            @match variants {
                Err(problem) => (notice::bad(&problem.detail)),
                Ok(page) if page.items.is_empty() => (empty("No variant was scanned yet.", &html! {
                    "A scan that is done shows up here."
                })),
                Ok(page) => (table(visit, project, page, &of)),
            }
        }
    }
}

fn table<A>(
    visit: &Visit<'_, A>,
    project: &str,
    page: &page::Page<VariantItem>,
    of: &dyn Fn(&str) -> String,
) -> Markup {
    let first = (!visit.text("variants").is_empty()).then(|| of(""));
    let next = page.next.as_deref().map(of);
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
                                (badge::verdict(variant.verdict)) " "
                                a href=(address::scan(project, variant.deciding)) {
                                    "Scan"
                                }
                                ", scanned " (time::relative(&variant.scanned_at, visit.now))
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

/// The query without what was just done, which is not so on another page.
pub(crate) fn without_notice(query: &Query) -> Query {
    let mut query = query.clone();
    for name in ["done", "choose"] {
        drop(query.optional::<String>(name));
    }
    query
}
