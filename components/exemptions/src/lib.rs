//! Exemptions: asked for, decided on, listed; what a decision would change, and which exempt nothing.

mod asked;
pub mod job;
pub mod list;
pub mod once;
pub mod preview;
mod seen;
pub mod unused;
mod words;

use api::calls::exemptions::ExemptionsCall;
use api::page::{self, Page};
use api::problem::Problem;
use api::project_context::ProjectContext;
use api::query::Query;
use api::v1::{DecisionBody, DecisionsBody, ExemptionBody, RequestsBody};
use domain::exemption::{Scope, Status};
use domain::ids::{EventId, IssueId, TargetName};
use guest::chain::Chain;
use guest::{Reply, Session};
use job::Decision;
use list::Filter;
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::Call) -> Result<Reply, Problem> {
    let session = Session::<ExemptionsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, who, call, params } = session;
    let changes = request.method == "POST";
    let body = if changes { guest::bulk_bytes(&mut request.body).await? } else { Vec::new() };
    let event = match request.idempotency_key()?.filter(|_| changes) {
        Some(key) => {
            let (path, by) = (request.path.join("/"), &who.actor.subject);
            let fields = [project.as_str(), path.as_str(), by.as_str(), key.as_str()];
            once::event(&kv, &fields.map(str::as_bytes), &body).await?
        }
        None => EventId::from_bits(guest::random_bits()?),
    };
    let context = ProjectContext { kv: &kv, services: &Chain, now, event, project };
    let query = &mut request.query;

    let decision = match call {
        ExemptionsCall::Exemptions => {
            let (filter, wanted) = (filter(query)?, page::wanted(query, "exemptions")?);
            return Reply::json(200, &list::list(&context, &who, &filter, wanted).await?);
        }
        ExemptionsCall::Request => {
            let wanted: ExemptionBody = guest::json(&body)?;
            return Reply::json(201, &job::request(&context, &who, wanted).await?);
        }
        ExemptionsCall::RequestMany => {
            let wanted: RequestsBody = guest::json(&body)?;
            let items = job::request_many(&context, &who, wanted).await?;
            return Reply::json(201, &Page { items, next: None });
        }
        ExemptionsCall::DecideMany => {
            let wanted: DecisionsBody = guest::json(&body)?;
            let items = job::decide_many(&context, &who, wanted).await?;
            return Reply::json(200, &Page { items, next: None });
        }
        ExemptionsCall::Unused => {
            let (scans, wanted) = (unused::scans(query.optional("scans")?)?, page::wanted(query, "unused")?);
            return Reply::json(200, &unused::unused(&context, &who, scans, wanted).await?);
        }
        ExemptionsCall::Exemption => {
            return Reply::json(200, &list::get(&context, &who, params.read("exemption")?).await?);
        }
        ExemptionsCall::Preview => {
            let asked = preview::Asked {
                decision: query.optional("decision")?,
                scope: query.optional("scope")?,
                pipeline: query.optional("pipeline")?,
            };
            let (id, wanted) = (params.read("exemption")?, page::wanted(query, "preview")?);
            let page = preview::preview(&context, &who, id, &asked, wanted, guest::memory::hold).await?;
            return Reply::json(200, &page);
        }
        ExemptionsCall::Approve => Decision::Approve,
        ExemptionsCall::Reject => Decision::Reject,
        ExemptionsCall::Cancel => Decision::Cancel,
        ExemptionsCall::Reopen => Decision::Reopen,
    };
    let said: DecisionBody = guest::json(&body)?;
    Reply::json(200, &job::decide(&context, &who, params.read("exemption")?, decision, said).await?)
}

fn filter(query: &mut Query) -> Result<Filter, Problem> {
    Ok(Filter {
        status: query.optional::<Status>("status")?,
        target: query.optional::<TargetName>("target")?,
        scope: query.optional::<Scope>("scope")?,
        issue: query.optional::<IssueId>("issue")?,
        expires_within_days: query.optional::<u32>("expires_within_days")?,
    })
}
