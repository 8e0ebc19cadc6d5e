//! The targets of a project.

use super::words;
use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::view::{badge, list, time};
use crate::visit::Visit;
use api::page;
use api::path::segment;
use api::problem::Problem;
use api::v1::TargetItem;
use domain::role::Right;
use guest::Reply;
use maud::html;

/// The list.
///
/// # Errors
/// The API's.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str) -> Result<Reply, Problem> {
    let (cursor, here) = (visit.text("cursor"), address::targets(project));
    let path = format!("{}?limit=50&cursor={}", address::api(&here), segment(cursor));
    let page: page::Page<TargetItem> = visit.api.get(&path).await?;
    let next = page.next.map(|next| format!("{here}?cursor={}", segment(&next)));
    let first = (!cursor.is_empty()).then(|| here.clone());
    let body = html! {
        @if page.items.is_empty() && cursor.is_empty() {
            (list::empty("There is no target yet.", &html! {
                "The first scan of a target creates it. "
                @if visit.may(Right::Upload) { a href=(address::upload(project)) { "Upload a report" } }
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
                                th scope="row" { a href=(super::base(project, &target.name)) { bdi { (target.name) } } }
                                td class="nowrap" data-label="Type" { (badge::capitalised(target.target_type.as_str())) }
                                td data-label="Baseline" { (words::means(&target.effective)) }
                                td data-label="Created" { (time::relative(&target.created_at, visit.now)) }
                            }
                        }
                    }
                }
                (list::pager("targets", first.as_deref(), next.as_deref()))
            }
        }
    };
    Ok(shown(visit, Page::of(project, Section::Targets, "Targets", body)))
}
