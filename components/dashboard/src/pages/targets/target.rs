//! A target: its baseline, its variants and its scans.

use super::baseline::{self, Typed};
use super::{scans, variants};
use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::pages::shown;
use crate::view::{badge, time};
use crate::visit::Visit;
use api::path::segment;
use api::problem::Problem;
use api::v1::TargetItem;
use domain::role::Right;
use guest::Reply;
use maud::html;

/// The target.
///
/// # Errors
/// The API's.
pub(crate) async fn page<A: Api>(visit: &Visit<'_, A>, project: &str, name: &str) -> Result<Reply, Problem> {
    Ok(shown(visit, whole(visit, project, name, None).await?))
}

/// The target, with what somebody typed for its baseline.
///
/// # Errors
/// The API's.
pub(crate) async fn whole<'a, A: Api>(
    visit: &Visit<'_, A>,
    project: &'a str,
    name: &str,
    typed: Option<Typed<'_>>,
) -> Result<Page<'a>, Problem> {
    let path = address::api(&address::target(project, name));
    let target = visit.api.get::<TargetItem>(&path);
    let tried = typed.as_ref().and_then(|typed| typed.tried());
    let tried = async {
        match tried {
            Some(regex) => Ok(Some(variants::tried(visit, project, name, regex).await?)),
            None => Ok(None),
        }
    };
    let (target, variants, scans, tried) =
        futures::try_join!(target, variants::all(visit, project, name), scans::last(visit, project, name), tried)?;
    let known: Vec<&str> = variants.iter().flat_map(|page| &page.items).map(|variant| variant.id.as_str()).collect();
    let body = html! {
        div class="columns" {
            section class="card stack" {
                h2 { "Baseline" }
                (baseline::holds(&target))
                @if visit.may(Right::Develop) {
                    (baseline::form(visit, project, &target, typed.as_ref(), &known, tried.as_ref()))
                }
            }
            (variants::section(visit, project, name, variants.as_ref()))
        }
        (scans::section(visit, project, name, &scans, &known))
    };
    let hint = html! {
        p class="hint" {
            (badge::capitalised(target.target_type.as_str())) " · created " (time::relative(&target.created_at, visit.now))
        }
        @if visit.may(Right::Upload) {
            a class="button second" href={
                (address::upload(project)) "?target=" (segment(name))
                "&target_type=" (target.target_type.as_str())
            } { "Upload a report" }
        }
    };
    let list = address::targets(project);
    Ok(Page::of(project, Section::Targets, target.name, body).below(list, "Targets").actions(hint))
}
