//! Decisions on one exemption or on several. A refused decision is shown on the page of its form, with the typed text.

use super::list::{self, ListQuery};
use super::row::RefusedForm;
use super::{buttons, details, return_path};
use crate::address;
use crate::client::{Api, is_refusal};
use crate::form::Form;
use crate::reply;
use crate::request::PageRequest;
use api::Problem;
use api::page::Page;
use api::problem::Code;
use api::query::Query;
use api::v1::{BulkDecision, DecisionBody, DecisionsBody, ExemptionItem};
use domain::exemption::{Decision, Status};
use guest::Reply;

/// Decides on one exemption.
///
/// # Errors
/// The API failed. A refused decision is shown on the page instead.
pub(super) async fn one<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    id: &str,
    decision: Decision,
    form: &Form,
) -> Result<Reply, Problem> {
    let of_approval = |name: &str| form.optional(name).filter(|_| decision == Decision::Approve).map(str::to_owned);
    let path = format!("{}/{}", address::api(&address::exemption(project, id)), decision.as_str());
    let page = return_path::of_form(project, form);
    let decided = match shown_version(form, "version") {
        Ok(version) => {
            let body = DecisionBody {
                comment: form.text("comment").to_owned(),
                scope: of_approval("scope"),
                pipeline: of_approval("pipeline"),
                scan: None,
                version: Some(version),
            };
            request.api.send::<ExemptionItem>("POST", &path, &body).await
        }
        Err(problem) => Err(problem),
    };
    match decided {
        Ok(_) => {
            let notice = buttons::notice(decision, status_before(form));
            Ok(reply::redirect(&return_path::with_notice(&page, notice, None)))
        }
        Err(problem) if is_refusal(&problem) && return_path::exemption_id(project, &page) == Some(id) => {
            details::refused(request, project, id, form, &problem).await
        }
        Err(problem) if is_refusal(&problem) => {
            list_again(request, project, &page, RefusedForm { form: Some(form), id: Some(id) }, &problem).await
        }
        Err(problem) => Err(problem),
    }
}

/// Decides on all selected exemptions, or on none.
///
/// # Errors
/// As [`one`].
pub(super) async fn several<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    form: &Form,
) -> Result<Reply, Problem> {
    let (page, refused_form) = (return_path::of_form(project, form), RefusedForm { form: Some(form), id: None });
    let decision = |id: &str| {
        Ok(BulkDecision {
            id: id.to_owned(),
            decision: form.text("decision").to_owned(),
            comment: form.text("comment").to_owned(),
            version: Some(shown_version(form, &buttons::version_field(id))?),
            ..BulkDecision::default()
        })
    };
    let decisions: Result<Vec<_>, Problem> = form.all("exemption").map(decision).collect();
    let body = match decisions {
        Ok(decisions) if decisions.is_empty() => {
            let problem = Problem::new(Code::InvalidBody, "no exemption is selected; select at least one");
            return list_again(request, project, &page, refused_form, &problem).await;
        }
        Ok(decisions) => DecisionsBody { decisions },
        Err(problem) => return list_again(request, project, &page, refused_form, &problem).await,
    };
    let path = address::api(&format!("{}/decisions", address::exemptions(project)));
    match request.api.send::<Page<ExemptionItem>>("POST", &path, &body).await {
        Ok(_) => {
            let decision = form.text("decision").parse::<Decision>().ok();
            let notice = decision.map_or("", |decision| buttons::notice(decision, status_before(form)));
            Ok(reply::redirect(&return_path::with_notice(&page, notice, Some(body.decisions.len()))))
        }
        Err(problem) if is_refusal(&problem) => list_again(request, project, &page, refused_form, &problem).await,
        Err(problem) => Err(problem),
    }
}

/// The version that the form was made for. Without one, the decision could be on something that nobody saw.
fn shown_version(form: &Form, field: &str) -> Result<u64, Problem> {
    let problem = || {
        let detail = "the form does not say which version of the exemption it shows; decide again on this page";
        Problem::new(Code::ChangedMeanwhile, detail)
    };
    form.text(field).parse().map_err(|_| problem())
}

/// The status that the form was made for.
fn status_before(form: &Form) -> Status {
    form.text("status").parse().unwrap_or(Status::Pending)
}

async fn list_again<A: Api>(
    request: &PageRequest<'_, A>,
    project: &str,
    page: &str,
    refused_form: RefusedForm<'_>,
    problem: &Problem,
) -> Result<Reply, Problem> {
    let query = ListQuery::read(&Query::parse(return_path::query(page)).unwrap_or_default());
    list::page_with(request, project, &query, refused_form, Some(problem)).await
}
