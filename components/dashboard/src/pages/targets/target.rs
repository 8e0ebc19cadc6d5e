//! The page of a target: its baseline, its variants and its scans.

use super::baseline_form::{self, BaselineForm};
use super::{baseline_request, scans, variants};
use crate::address;
use crate::client::Api;
use crate::layout::{Page, Section};
use crate::request::PageRequest;
use crate::view::{badge, notice, time};
use api::path::segment;
use api::problem::Problem;
use api::v1::{ProjectAnswer, TargetItem};
use domain::role::Right;
use domain::settings::BaselineChanges;
use guest::Reply;
use maud::html;

/// The hint for a project whose developers need no reviewer.
pub(super) const FREE: &str = "In this project a developer alone may change the baseline, and so what is new: the project's \
    setting baseline_changes allows it.";

/// The page.
///
/// # Errors
/// The API's problem.
pub(super) async fn page<A: Api>(request: &PageRequest<'_, A>, project: &str, name: &str) -> Result<Reply, Problem> {
    Ok(page_with(request, project, name, None, None).await?.reply(request))
}

/// The page, with the values of a submitted form for the baseline, or the refusal of a decision on a request.
///
/// # Errors
/// The API's problem.
pub(super) async fn page_with<'a, A: Api>(
    request: &PageRequest<'_, A>,
    project: &'a str,
    name: &str,
    form: Option<BaselineForm<'_>>,
    refusal: Option<&Problem>,
) -> Result<Page<'a>, Problem> {
    let path = address::api(&address::target(project, name));
    let target = request.api.get::<TargetItem>(&path);
    let pattern = form.as_ref().and_then(|form| form.pattern());
    let tested = async {
        match pattern {
            Some(regex) => Ok(Some(variants::matching(request, project, name, regex).await?)),
            None => Ok(None),
        }
    };
    let settings = async { request.api.find::<ProjectAnswer>(&address::api(&address::project(project))).await };
    let (target, settings, variants, scans, tested) = futures::try_join!(
        target,
        settings,
        variants::load(request, project, name),
        scans::load(request, project, name),
        tested
    )?;
    let names: Vec<&str> = variants.iter().flat_map(|page| &page.items).map(|variant| variant.id.as_str()).collect();
    let changes = settings.and_then(|answer| answer.settings.baseline_changes);
    let is_free = changes.as_deref() == Some(BaselineChanges::Developer.as_str());
    let body = html! {
        @if let Some(problem) = refusal { (notice::bad(&format!("Nothing was decided: {}.", problem.detail))) }
        @if let Some(pending) = &target.baseline_request { (baseline_request::section(request, project, &target, pending)) }
        div class="columns" {
            section class="card stack" {
                h2 { "Baseline" }
                (baseline_form::effective(&target, request.now))
                @if is_free { p class="hint" { (FREE) } }
                @if request.has_right(Right::Develop) {
                    (baseline_form::form(request, project, &target, form.as_ref(), &names, tested.as_ref()))
                }
            }
            (variants::section(request, project, name, variants.as_ref()))
        }
        (scans::section(request, project, name, &scans, &names))
    };
    let actions = html! {
        p class="hint" {
            (badge::capitalised(target.target_type.as_str())) " · created " (time::relative(&target.created_at, request.now))
        }
        @if request.has_right(Right::Upload) {
            a class="button second" href={
                (address::upload(project)) "?target=" (segment(name))
                "&target_type=" (target.target_type.as_str())
            } { "Upload report" }
        }
    };
    let list = address::targets(project);
    Ok(Page::of(project, Section::Targets, target.name, body).below(list, "Targets").actions(actions))
}
