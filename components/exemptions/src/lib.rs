//! Exemptions: request, approve, reject, cancel, list.

pub mod job;

use api::context::Context;
use api::page;
use api::problem::Problem;
use api::v1::{DecisionBody, ExemptionBody};
use domain::exemption::Status;
use domain::ids::{EventId, ExemptionId, TargetName};
use domain::role::Right;
use guest::chain::Chain;
use guest::{Call, Reply, Session};
use job::Decision;
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project, rest } = Session::open(&call).await?;
    let (method, path) = (call.method.clone(), call.path.join("/"));
    let rest: Vec<&str> = rest.iter().skip(1).map(String::as_str).collect();
    let key = call.idempotency_key()?;
    let bits = guest::random_bits()?;
    let event = match &key {
        Some(key) => {
            EventId::derived("v1:exemption-event", &[project.as_str().as_bytes(), path.as_bytes(), key.as_bytes()])
        }
        None => EventId::from_bits(bits),
    };
    let context = Context { kv: &kv, services: &Chain, now, event, project };

    match (method.as_str(), rest.as_slice()) {
        ("GET", []) => {
            who.require(&context.project, Right::Read)?;
            let status: Option<Status> = call.query.optional("status")?;
            let target: Option<TargetName> = call.query.optional("target")?;
            let wanted = page::wanted(&mut call.query, "exemptions")?;
            call.query.finish("`status`, `target`, `limit`, `cursor`")?;
            Reply::json(200, &job::list(&context, status, target.as_ref(), wanted).await?)
        }
        ("POST", []) => {
            who.require(&context.project, Right::Develop)?;
            call.query.finish("none")?;
            let body: ExemptionBody = guest::json_body(&mut call.body).await?;
            Reply::json(201, &job::request(&context, &who, body).await?)
        }
        ("GET", [id]) => {
            who.require(&context.project, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &job::get(&context, exemption(id)?).await?)
        }
        ("POST", [id, verb]) => {
            let decision = Decision::named(verb)?;
            who.require(&context.project, decision.right())?;
            call.query.finish("none")?;
            let body: DecisionBody = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::decide(&context, &who, exemption(id)?, decision, body).await?)
        }
        (method, []) => Err(Problem::not_allowed(method, "GET and POST")),
        (method, [_]) => Err(Problem::not_allowed(method, "GET")),
        (method, [_, _]) => Err(Problem::not_allowed(method, "POST")),
        _ => Err(Problem::not_found("no such path")),
    }
}

fn exemption(id: &str) -> Result<ExemptionId, Problem> {
    id.parse().map_err(|error| Problem::not_found(format!("{error}")))
}
