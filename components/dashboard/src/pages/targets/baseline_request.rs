//! A pending request to change a target's baseline: what would change, and the decisions on it.

use super::{no_version, target};
use crate::address;
use crate::client::Api;
use crate::decision;
use crate::form::Form;
use crate::person::is_same_person;
use crate::reply;
use crate::request::PageRequest;
use crate::view::request::{DecisionForm, facts};
use crate::view::{baseline, notice};
use api::problem::{Code, Problem};
use api::v1::{BaselineDecisionBody, BaselineEffect, BaselineRequestItem, TargetItem};
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// Shows a pending request, with forms for those who may decide it.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &TargetItem,
    item: &BaselineRequestItem,
) -> Markup {
    let is_own = is_same_person(&request.session.subject, &item.requested_by);
    let form = |decision, label, hint| form(request, project, target, item, decision, label, hint);
    html! {
        section class="card stack" aria-labelledby="baseline-request" {
            h2 id="baseline-request" { "Requested change of the baseline" }
            dl class="facts" {
                dt { "Now" } dd { (effect(project, &item.now)) }
                dt { "After an approval" } dd { (effect(project, &item.then)) }
                (facts(&item.requested_by, &item.requested_at, &item.reason, request.now))
            }
            @if let (Some(now), Some(then)) = (item.now.scan, item.then.scan) {
                @if now != then {
                    p {
                        a href=(address::comparison(project, then, now)) { "Compare the newest scans of both" }
                        ": what the new baseline has in addition would not be new any more."
                    }
                }
            }
            @if item.outdated {
                (notice::bad("The baseline or its default has changed since the request, so it cannot be approved. The change can be requested again."))
            }
            @if request.has_right(Right::Decide) && !is_own {
                @if !item.outdated {
                    (form("approve", "Approve", "The baseline changes from the next scan on."))
                }
                (form("reject", "Reject", "The baseline stays as it is."))
            }
            @if is_own && request.has_right(Right::Develop) {
                (form("withdraw", "Withdraw", "The baseline stays as it is."))
            }
        }
    }
}

/// A baseline with its newest scan.
fn effect(project: &str, effect: &BaselineEffect) -> Markup {
    html! {
        (baseline::effective(&effect.baseline))
        @if let Some(scan) = effect.scan { ", " a href=(address::scan(project, scan)) { "newest scan" } }
    }
}

/// The form of a decision. It is for the baseline that its page shows.
fn form<A>(
    request: &PageRequest<'_, A>,
    project: &str,
    target: &TargetItem,
    item: &BaselineRequestItem,
    decision: &str,
    label: &str,
    hint: &str,
) -> Markup {
    let address = format!("{}/baseline-request", address::target(project, &item.id));
    let shown = [("request", item.request.to_string()), ("version", target.version.to_string())];
    DecisionForm { address: &address, decision, label, hint, shown: &shown }.markup(request.session)
}

/// Decides the request. An approval is for the baseline that the page showed.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(super) async fn decide<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    name: &str,
    decision: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let here = address::target(project, name);
    let path = address::api(&format!("{here}/baseline-request/{decision}"));
    let body = |request, comment| BaselineDecisionBody { request, comment };
    match decision::send::<_, TargetItem, _>(request, &path, decision, form, body, no_version).await {
        Ok(_) => Ok(reply::redirect(&format!("{here}?done=baseline-request-{decision}"))),
        Err(problem) if matches!(problem.code, Code::Conflict | Code::ChangedMeanwhile) => {
            let page = target::page_with(request, project, name, None, Some(&problem)).await?;
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}
