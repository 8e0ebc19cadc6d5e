//! Deciding on one exemption or several. What is refused is told on the page that it came from, with all that was typed.

use super::list::{self, Wanted};
use super::offers::Decision;
use super::row::Typed;
use super::{back, call, details};
use crate::answer;
use crate::client::{Api, is_refusal};
use crate::form::Form;
use crate::visit::Visit;
use api::Problem;
use api::page::Page;
use api::path::segment;
use api::problem::Code;
use api::query::Query;
use api::v1::{BulkDecision, DecisionBody, DecisionsBody, ExemptionItem};
use guest::Reply;

/// Decides on one.
///
/// # Errors
/// The API's, but for what is wrong with the form or the moment.
pub(super) async fn one<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    id: &str,
    decision: Decision,
    form: &Form,
) -> Result<Reply, Problem> {
    let of_approval = |name: &str| form.optional(name).filter(|_| decision == Decision::Approve).map(str::to_owned);
    let body = DecisionBody {
        comment: form.text("comment").to_owned(),
        scope: of_approval("scope"),
        pipeline: of_approval("pipeline"),
    };
    let path = call(project, &format!("/{}/{}", segment(id), decision.as_str()));
    let page = back::of(project, form);
    match visit.api.send::<ExemptionItem>("POST", &path, &body).await {
        Ok(_) => Ok(answer::redirect(&back::with_done(&page, decision.done()))),
        Err(problem) if is_refusal(&problem) && back::id_in(project, &page) == Some(id) => {
            details::again(visit, project, id, form, Some(&problem)).await
        }
        Err(problem) if is_refusal(&problem) => {
            again(visit, project, &page, Typed { form: Some(form), id: Some(id) }, &problem).await
        }
        Err(problem) => Err(problem),
    }
}

/// Decides on all that are chosen, or on none.
///
/// # Errors
/// As [`one`].
pub(super) async fn several<A: Api>(visit: &Visit<'_, A>, project: &str, form: &Form) -> Result<Reply, Problem> {
    let (page, typed) = (back::of(project, form), Typed { form: Some(form), id: None });
    let decision = |id: &str| BulkDecision {
        id: id.to_owned(),
        decision: form.text("decision").to_owned(),
        comment: form.text("comment").to_owned(),
        ..BulkDecision::default()
    };
    let body = DecisionsBody { decisions: form.all("exemption").map(decision).collect() };
    if body.decisions.is_empty() {
        let problem = Problem::new(Code::InvalidBody, "no exemption is chosen; tick the boxes of those that you mean");
        return again(visit, project, &page, typed, &problem).await;
    }
    match visit.api.send::<Page<ExemptionItem>>("POST", &call(project, "/decisions"), &body).await {
        Ok(_) => Ok(answer::redirect(&back::with_done(&page, "decided"))),
        Err(problem) if is_refusal(&problem) => again(visit, project, &page, typed, &problem).await,
        Err(problem) => Err(problem),
    }
}

async fn again<A: Api>(
    visit: &Visit<'_, A>,
    project: &str,
    page: &str,
    typed: Typed<'_>,
    problem: &Problem,
) -> Result<Reply, Problem> {
    let wanted = Wanted::read(&Query::parse(back::query(page)).unwrap_or_default());
    list::shown(visit, project, &wanted, typed, Some(problem)).await
}
