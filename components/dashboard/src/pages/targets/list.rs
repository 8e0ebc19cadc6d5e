//! The list of targets.

use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::{badge, baseline, list, time};
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::v1::TargetItem;
use domain::role::Right;
use guest::Reply;
use maud::html;

/// The page.
///
/// # Errors
/// The API's problem.
pub(crate) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str) -> Result<Reply, Problem> {
    let (cursor, here) = (request.text("cursor"), address::targets(project));
    let path = format!("{}?limit=50&cursor={}", address::api(&here), segment(cursor));
    let page: page::Page<TargetItem> = request.api.get(&path).await?;
    let next = page.next.map(|next| format!("{here}?cursor={}", segment(&next)));
    let first = (!cursor.is_empty()).then(|| here.clone());
    let body = html! {
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("No targets yet.", &html! {
                "A target is created with its first scan. "
                @if request.has_right(Right::Upload) { a href=(address::upload(project)) { "Upload report" } }
            }))
        } @else {
            div class="table" tabindex="0" role="region" aria-label="Targets" {
                table class="folding" {
                    thead {
                        tr {
                            th scope="col" { "Target" } th scope="col" { "Type" }
                            th scope="col" { "Baseline" } th scope="col" { "Created" }
                        }
                    }
                    tbody {
                        @for target in &page.items {
                            tr {
                                th scope="row" { a href=(address::target(project, &target.name)) { bdi { (target.name) } } }
                                td class="nowrap" data-label="Type" { (badge::capitalised(target.target_type.as_str())) }
                                td data-label="Baseline" {
                                    (baseline::effective(&target.effective))
                                    @if target.baseline_request.is_some() { " " span class="badge pending" { "Change requested" } }
                                }
                                td data-label="Created" { (time::relative(&target.created_at, request.now)) }
                            }
                        }
                    }
                }
                (list::pager("targets", first.as_deref(), next.as_deref()))
            }
        }
    };
    Ok(Page::of(project, Section::Targets, "Targets", body).reply(request))
}
