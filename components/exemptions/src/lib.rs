//! Exemptions: request, approve, reject, cancel, list.

pub mod job;

use api::calls::exemptions::Call;
use api::context::Context;
use api::page;
use api::problem::Problem;
use api::v1::{DecisionBody, ExemptionBody};
use domain::exemption::Status;
use domain::ids::{EventId, TargetName};
use guest::chain::Chain;
use guest::{Reply, Session};
use job::Decision;
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::Call) -> Result<Reply, Problem> {
    let session = Session::<Call>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, who, call, params } = session;
    let event = match request.idempotency_key()? {
        Some(key) => {
            let path = request.path.join("/");
            EventId::derived("v1:exemption-event", &[project.as_str().as_bytes(), path.as_bytes(), key.as_bytes()])
        }
        None => EventId::from_bits(guest::random_bits()?),
    };
    let context = Context { kv: &kv, services: &Chain, now, event, project };

    let decision = match call {
        Call::Exemptions => {
            let status: Option<Status> = request.query.optional("status")?;
            let target: Option<TargetName> = request.query.optional("target")?;
            let wanted = page::wanted(&mut request.query, "exemptions")?;
            return Reply::json(200, &job::list(&context, status, target.as_ref(), wanted).await?);
        }
        Call::Request => {
            let body: ExemptionBody = guest::json_body(&mut request.body).await?;
            return Reply::json(201, &job::request(&context, &who, body).await?);
        }
        Call::Exemption => return Reply::json(200, &job::get(&context, params.read("exemption")?).await?),
        Call::Approve => Decision::Approve,
        Call::Reject => Decision::Reject,
        Call::Cancel => Decision::Cancel,
    };
    let body: DecisionBody = guest::json_body(&mut request.body).await?;
    Reply::json(200, &job::decide(&context, &who, params.read("exemption")?, decision, body).await?)
}
