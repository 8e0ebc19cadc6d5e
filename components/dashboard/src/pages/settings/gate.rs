//! The form for the settings that can loosen the gate: reviewers save it, and developers request the change.

use super::fields::{self, Difference};
use super::{criteria, has_right_to_all, load, no_version, not_saved, page, select, stale};
use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::layout::csrf;
use crate::reply;
use crate::request::PageRequest;
use api::Problem;
use api::problem::Code;
use api::v1::{GateSettingsBody, ProjectAnswer, SettingsBody, SettingsRequestBody, SettingsRequestItem};
use domain::role::Right;
use guest::Reply;
use maud::{Markup, html};

/// Shows the form, folded unless it was refused. `version`: the version of the settings that it shows.
pub(super) fn section<A>(
    request: &PageRequest<'_, A>,
    answer: &ProjectAnswer,
    version: u64,
    form: &Form,
    is_open: bool,
) -> Markup {
    let decides = has_right_to_all(request, Right::Decide);
    let is_pending = answer.settings_request.as_ref().is_some_and(|item| !item.outdated);
    let title = if decides { "Change suppressions and criteria …" } else { "Request a change …" };
    html! {
        @if decides || !is_pending {
            details class="card" open[is_open] {
                summary { (title) }
                form method="post" action={ (address::settings(&answer.id)) "/gate" } class="stack" {
                    (csrf(request.session))
                    input type="hidden" name="version" value=(version);
                    @if let Some(choice) = fields::choice("tool_suppressions") { (select(choice, form)) }
                    (criteria::field(form))
                    @if decides { div { button name="do" value="save" { "Save" } } }
                    @if is_pending {
                        p class="hint" { "A request is pending. Another one can be made when it is decided." }
                    } @else {
                        div class="field" {
                            label for="reason" { "Reason for a request" }
                            input id="reason" name="reason" maxlength="1024" autocomplete="off" value=(form.text("reason"))
                                required[!decides] aria-describedby="reason-hint";
                            p class="hint" id="reason-hint" {
                                "Another person with the role secops or admin decides on a request. Nothing changes before."
                            }
                        }
                        div { button class=[decides.then_some("second")] name="do" value="request" { "Request a change" } }
                    }
                }
            }
        }
    }
}

/// Saves the settings, or requests the change.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(super) async fn submit<A: Api>(request: &PageRequest<'_, A>, project: &str, form: &Form) -> Result<Reply, Problem> {
    let answer = load(request, project).await?;
    let version = form.number::<u64>("version").ok().flatten();
    let is_request = form.text("do") == "request";
    let sent = match (version, differing(form, &answer.settings)) {
        (Some(version), Ok(settings)) => send(request, project, settings, version, form).await,
        (None, _) => Err(no_version()),
        (Some(_), Err(problem)) => Err(problem),
    };
    let refusal = |problem: &Problem| match is_request {
        true => format!("Nothing was requested: {}.", problem.detail),
        false => not_saved(problem),
    };
    match sent {
        Ok(()) => {
            let done = if is_request { "settings-requested" } else { "settings-saved" };
            Ok(reply::redirect(&format!("{}?done={done}", address::settings(project))))
        }
        Err(problem) if matches!(problem.code, Code::InvalidBody | Code::Conflict) => {
            let answer = load(request, project).await?;
            let page = page(request, &answer, version.unwrap_or(answer.version), form, Some(&refusal(&problem)));
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) if problem.code == Code::ChangedMeanwhile => {
            let answer = load(request, project).await?;
            let page = stale(request, &answer, &entered(form, &answer.settings), &refusal(&problem));
            Ok(page.reply_with(problem.code.status(), request))
        }
        Err(problem) => Err(problem),
    }
}

/// Sends the settings as a change of this version, or a request for it.
async fn send<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    settings: GateSettingsBody,
    version: u64,
    form: &Form,
) -> Result<(), Problem> {
    let path = address::api(&address::project(project));
    if form.text("do") == "request" {
        let path = format!("{path}/settings-request");
        let body = SettingsRequestBody { settings, reason: form.text("reason").to_owned() };
        request.api.send_on::<SettingsRequestItem>("POST", &path, &body, Some(version)).await.map(drop)
    } else {
        request.api.send_on::<ProjectAnswer>("PATCH", &path, &settings, Some(version)).await.map(drop)
    }
}

/// The settings of the form that differ from the present ones.
///
/// # Errors
/// A criterion cannot be read, or nothing differs.
fn differing(form: &Form, settings: &SettingsBody) -> Result<GateSettingsBody, Problem> {
    let now = fields::to_form(settings);
    let of_project = criteria::from_text(form.text("criteria"))?;
    let present = criteria::from_text(now.text("criteria"))?;
    let suppressions = form.text("tool_suppressions");
    let body = GateSettingsBody {
        tool_suppressions: (suppressions != now.text("tool_suppressions")).then(|| suppressions.to_owned()),
        criteria: (of_project.0 != present.0).then(|| of_project.0.unwrap_or_default()),
        target_criteria: (of_project.1 != present.1).then_some(of_project.1),
    };
    if body == GateSettingsBody::default() {
        return Err(Problem::new(Code::InvalidBody, "the form has the present values; change at least one"));
    }
    Ok(body)
}

/// The values that were entered and differ from the present ones.
fn entered(form: &Form, settings: &SettingsBody) -> Vec<Difference> {
    let suppressions = fields::choice("tool_suppressions").map(|choice| choice.label);
    let is_here = |label: &str| label == fields::CRITERIA || suppressions == Some(label);
    let all = fields::differences(&fields::to_form(settings), form);
    all.into_iter().filter(|difference| is_here(&difference.label)).collect()
}
