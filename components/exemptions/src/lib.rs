//! Exemptions: requests, decisions and lists of them; previews of decisions, and exemptions that are unused.

pub mod decide;
pub mod idempotency;
mod issue_lookup;
pub mod job;
pub mod list;
pub mod preview;
pub mod request;
pub mod unused;

use api::calls::PathParams;
use api::calls::exemptions::ExemptionsCall;
use api::page::{self, Page};
use api::problem::Problem;
use api::project_context::ProjectContext;
use api::query::Query;
use api::v1::{DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, RequestsBody};
use domain::exemption::{Decision, Scope, Status};
use domain::ids::{EventId, IssueId, PipelineName, TargetName};
use guest::chain::Chain;
use guest::{Reply, Session, SpinKv};
use idempotency::KeyedEvent;
use job::ExemptionJob;
use list::ExemptionFilter;
use preview::PreviewQuery;
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. A native build compiles it, but nothing calls it.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::HttpRequest) -> Result<Reply, Problem> {
    let session = Session::<ExemptionsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, caller, call, params } = session;
    let changes = request.method == "POST";
    let idempotency_key = request.idempotency_key()?.filter(|_| changes);
    let body = if changes { guest::bulk_bytes(&mut request.body).await? } else { Vec::new() };
    let KeyedEvent { id: event, is_known } = match idempotency_key {
        Some(key) => {
            let (path, by) = (request.path.join("/"), &caller.actor.subject);
            let fields = [project.as_str(), path.as_str(), by.as_str(), key.as_str()];
            idempotency::keyed_event(&kv, &fields.map(str::as_bytes), &body, now).await?
        }
        None => KeyedEvent { id: EventId::from_bits(guest::random_bits()?), is_known: false },
    };
    let job = ExemptionJob { context: ProjectContext { kv: &kv, services: &Chain, now, event, project }, caller };
    // A call that died before it appended its event has its effect only now.
    let is_repeated = is_known && job.has_taken_effect().await?;
    Ok(answer(&job, call, &params, &mut request, &body).await?.repeated(is_repeated))
}

/// Runs the job of a call.
async fn answer(
    job: &ExemptionJob<'_, SpinKv, Chain>,
    call: ExemptionsCall,
    params: &PathParams,
    request: &mut guest::HttpRequest,
    body: &[u8],
) -> Result<Reply, Problem> {
    let query = &mut request.query;
    let decision = match call {
        ExemptionsCall::Exemptions => {
            let (filter, wanted) = (filter(query)?, page::wanted(query, "exemptions")?);
            return Reply::json(200, &job.list(&filter, wanted).await?);
        }
        ExemptionsCall::Request => {
            let body: ExemptionBody = guest::json(body)?;
            return Reply::json(201, &job.request(body).await?);
        }
        ExemptionsCall::RequestMany => {
            let body: RequestsBody = guest::json(body)?;
            let items = job.request_many(body).await?;
            return Reply::json(201, &Page { items, next: None });
        }
        ExemptionsCall::DecideMany => {
            request.refuse_version("name the `version` in each decision")?;
            let body: DecisionsBody = guest::json(body)?;
            let items = job.decide_many(body).await?;
            return Reply::json(200, &Page { items, next: None });
        }
        ExemptionsCall::Unused => {
            let (scans, wanted) = (unused::scans(query.optional("scans")?)?, page::wanted(query, "unused")?);
            return Reply::json(200, &job.unused(scans, wanted).await?);
        }
        ExemptionsCall::Exemption => {
            return item(&job.get(params.read("exemption")?).await?);
        }
        ExemptionsCall::Preview => {
            let preview = PreviewQuery {
                decision: query.optional::<Decision>("decision")?,
                scope: query.optional::<Scope>("scope")?,
                pipeline: query.optional::<PipelineName>("pipeline")?,
            };
            let (id, wanted) = (params.read("exemption")?, page::wanted(query, "preview")?);
            return Reply::json(200, &job.preview(id, &preview, wanted, guest::memory::hold).await?);
        }
        ExemptionsCall::Approve => Decision::Approve,
        ExemptionsCall::Reject => Decision::Reject,
        ExemptionsCall::Cancel => Decision::Withdraw,
        ExemptionsCall::Reopen => Decision::Reopen,
    };
    let mut body: DecisionBody = guest::json(body)?;
    body.version = request.version_or(body.version)?;
    item(&job.decide(params.read("exemption")?, decision, body).await?)
}

/// The reply with an exemption, and its version as the `ETag`.
fn item(item: &ExemptionItem) -> Result<Reply, Problem> {
    Ok(Reply::json(200, item)?.with_version(item.version))
}

fn filter(query: &mut Query) -> Result<ExemptionFilter, Problem> {
    Ok(ExemptionFilter {
        status: query.optional::<Status>("status")?,
        target: query.optional::<TargetName>("target")?,
        scope: query.optional::<Scope>("scope")?,
        issue: query.optional::<IssueId>("issue")?,
        expires_within_days: query.optional::<u32>("expires_within_days")?,
    })
}
