//! A pending request to change settings: what would change, and the decisions on it.

use super::{fields, has_right_to_all, load, no_version, page};
use crate::address;
use crate::client::Api;
use crate::decision;
use crate::form::Form;
use crate::person::is_same_person;
use crate::reply;
use crate::request::PageRequest;
use crate::view::notice;
use crate::view::request::{DecisionForm, facts};
use crate::view::text::plain;
use api::Problem;
use api::problem::Code;
use api::v1::{ProjectAnswer, SettingChangeItem, SettingsDecisionBody, SettingsRequestItem};
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// Shows the request, with forms for those who may decide it.
pub(super) fn section<A>(request: &PageRequest<'_, A>, answer: &ProjectAnswer, item: &SettingsRequestItem) -> Markup {
    let is_own = is_same_person(&request.session.subject, &item.requested_by);
    html! {
        section class="card stack" aria-labelledby="settings-request" {
            h2 id="settings-request" { "Requested change of the settings" }
            dl class="facts" {
                (facts(&item.requested_by, &item.requested_at, &item.reason, request.now))
            }
            (changes(&item.changes))
            @if item.outdated {
                (notice::bad("The settings have changed since the request, so it cannot be approved. The change can be requested again."))
            }
            @if has_right_to_all(request, Right::Decide) && !is_own {
                @if !item.outdated {
                    (form(request, answer, item, "approve", "Approve", "The settings change from the next scan on."))
                }
                (form(request, answer, item, "reject", "Reject", "The settings stay as they are."))
            }
            @if is_own && has_right_to_all(request, Right::Develop) {
                (form(request, answer, item, "withdraw", "Withdraw", "The settings stay as they are."))
            }
        }
    }
}

/// The values that would change.
fn changes(changes: &[SettingChangeItem]) -> Markup {
    html! {
        @if changes.is_empty() { p { "An approval would change nothing: the settings have the requested values." } }
        @else {
            div class="table" tabindex="0" role="region" aria-label="Requested values" {
                table class="folding" {
                    thead {
                        tr {
                            th scope="col" { "Setting" } th scope="col" { "Now" } th scope="col" { "After an approval" }
                        }
                    }
                    tbody {
                        @for change in changes {
                            tr {
                                th scope="row" { (name(change)) }
                                td data-label="Now" { (value(change, change.now.as_deref())) }
                                td data-label="After an approval" { (value(change, change.then.as_deref())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The changed value in the words of the page.
fn name(change: &SettingChangeItem) -> Markup {
    html! {
        @match (fields::choice(&change.setting), &change.criterion) {
            (Some(choice), _) => (choice.label),
            (None, Some(criterion)) => {
                (fields::CRITERIA)
                @if let Some(pattern) = &change.pattern { " of " code class="break" { bdi { (plain(pattern)) } } }
                ": " (criterion)
            },
            (None, None) => (change.setting),
        }
    }
}

fn value(change: &SettingChangeItem, value: Option<&str>) -> Markup {
    html! {
        @match (fields::choice(&change.setting), value) {
            (Some(choice), Some(value)) => (choice.words(value)),
            (None, Some(value)) => bdi { (plain(value)) },
            (_, None) => span class="soft" { "none" },
        }
    }
}

/// The form of a decision. It is for the settings that its page shows.
fn form<A>(
    request: &PageRequest<'_, A>,
    answer: &ProjectAnswer,
    item: &SettingsRequestItem,
    decision: &str,
    label: &str,
    hint: &str,
) -> Markup {
    let address = format!("{}/request", address::settings(&answer.id));
    let shown = [("request", item.request.to_string()), ("version", answer.version.to_string())];
    DecisionForm { address: &address, decision, label, hint, shown: &shown }.markup(request.session)
}

/// Decides the request. An approval is for the settings that the page showed.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(super) async fn decide<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    decision: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let path = format!("{}/settings-request/{decision}", address::api(&address::project(project)));
    let body = |request, comment| SettingsDecisionBody { request, comment };
    match decision::send::<_, ProjectAnswer, _>(request, &path, decision, form, body, no_version).await {
        Ok(_) => Ok(reply::redirect(&format!("{}?done=settings-request-{decision}", address::settings(project)))),
        Err(problem) if matches!(problem.code, Code::Conflict | Code::ChangedMeanwhile) => {
            let answer = load(request, project).await?;
            let refusal = format!("Nothing was decided: {}.", problem.detail);
            let present = fields::to_form(&answer.settings);
            let page = page(request, &answer, answer.version, &present, Some(&refusal));
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}
