//! Saving a target's baseline, and testing a pattern before.

use super::baseline_form::{BaselineForm, Kind};
use super::{no_version, target};
use crate::address;
use crate::client::Api;
use crate::form::Form;
use crate::reply;
use crate::request::PageRequest;
use api::problem::{Code, Problem};
use api::v1::{BaselineRequestBody, BaselineRequestItem, TargetItem, TargetPatch};
use domain::role::Right;
use guest::Reply;

/// Saves the baseline, or shows the variants that the pattern matches.
///
/// # Errors
/// The API failed, or the user lacks the right.
pub(super) async fn submit<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    name: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let mut baseline = BaselineForm::read(form)?;
    if form.text("do") == "try" {
        baseline.kind = Kind::Regex;
        return Ok(target::page_with(request, project, name, Some(baseline), None).await?.reply(request));
    }
    let path = address::api(&address::target(project, name));
    let patch = TargetPatch { baseline: baseline.body() };
    let saved = match baseline.version {
        Some(version) => request.api.send_on::<TargetItem>("PATCH", &path, &patch, Some(version)).await,
        None => Err(no_version()),
    };
    match saved {
        Ok(_) => Ok(reply::redirect(&format!("{}?done=baseline-saved", address::target(project, name)))),
        Err(problem) if matches!(problem.code, Code::InvalidBody | Code::Conflict | Code::ChangedMeanwhile) => {
            let status = problem.code.status();
            baseline.refusal = Some(problem);
            Ok(target::page_with(request, project, name, Some(baseline), None).await?.reply_with(status, request))
        }
        // A developer's change needs a reviewer.
        Err(problem) if problem.code == Code::Forbidden && !request.has_right(Right::Decide) => {
            if form.text("reason").is_empty() {
                baseline.refusal = Some(problem);
                return Ok(target::page_with(request, project, name, Some(baseline), None)
                    .await?
                    .reply_with(403, request));
            }
            request_change(request, project, name, baseline, form.text("reason")).await
        }
        Err(problem) => Err(problem),
    }
}

/// Requests the change.
async fn request_change<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    name: &str,
    mut baseline: BaselineForm<'_>,
    reason: &str,
) -> Result<Reply, Problem> {
    let here = address::target(project, name);
    let body = BaselineRequestBody { baseline: baseline.body(), reason: reason.to_owned() };
    let path = address::api(&format!("{here}/baseline-request"));
    match request.api.send::<BaselineRequestItem>("POST", &path, &body).await {
        Ok(_) => Ok(reply::redirect(&format!("{here}?done=baseline-requested"))),
        Err(problem) if matches!(problem.code, Code::InvalidBody | Code::Conflict) => {
            let status = problem.code.status();
            baseline.refusal = Some(problem);
            Ok(target::page_with(request, project, name, Some(baseline), None).await?.reply_with(status, request))
        }
        Err(problem) => Err(problem),
    }
}
