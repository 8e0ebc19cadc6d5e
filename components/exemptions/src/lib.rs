//! Exemptions: asked for, decided on, listed; what a decision would change, and which exempt nothing.

mod asked;
pub mod job;
pub mod list;
pub mod preview;
mod seen;
pub mod unused;
mod words;

use api::context::Context;
use api::page::{self, Page};
use api::problem::Problem;
use api::v1::{DecisionBody, DecisionsBody, ExemptionBody, RequestsBody};
use domain::exemption::{Scope, Status};
use domain::ids::{EventId, ExemptionId, IssueId, TargetName};
use domain::role::Right;
use guest::chain::Chain;
use guest::{Call, Reply, Session};
use job::Decision;
use list::Filter;
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
            let filter = Filter {
                status: call.query.optional::<Status>("status")?,
                target: call.query.optional::<TargetName>("target")?,
                scope: call.query.optional::<Scope>("scope")?,
                issue: call.query.optional::<IssueId>("issue")?,
                expires_within_days: call.query.optional::<u32>("expires_within_days")?,
            };
            let wanted = page::wanted(&mut call.query, "exemptions")?;
            call.query.finish("`status`, `target`, `scope`, `issue`, `expires_within_days`, `limit`, `cursor`")?;
            Reply::json(200, &list::list(&context, &who, &filter, wanted).await?)
        }
        ("POST", []) => {
            who.require(&context.project, Right::Develop)?;
            call.query.finish("none")?;
            let body: ExemptionBody = guest::json_body(&mut call.body).await?;
            Reply::json(201, &job::request(&context, &who, body).await?)
        }
        ("POST", ["requests"]) => {
            who.require(&context.project, Right::Develop)?;
            call.query.finish("none")?;
            let body: RequestsBody = guest::bulk_body(&mut call.body).await?;
            let items = job::request_many(&context, &who, body).await?;
            Reply::json(201, &Page { items, next: None })
        }
        ("POST", ["decisions"]) => {
            who.require(&context.project, Right::Develop)?;
            call.query.finish("none")?;
            let body: DecisionsBody = guest::bulk_body(&mut call.body).await?;
            let items = job::decide_many(&context, &who, body).await?;
            Reply::json(200, &Page { items, next: None })
        }
        ("GET", ["unused"]) => {
            who.require(&context.project, Right::Read)?;
            let scans = call.query.optional("scans")?.unwrap_or(unused::SCANS_DEFAULT);
            if !(1..=unused::SCANS_MAX).contains(&scans) {
                let what = format_args!("{scans} is not from 1 to {}", unused::SCANS_MAX).to_string();
                return Err(Problem::parameter("scans", what));
            }
            let wanted = page::wanted(&mut call.query, "unused")?;
            call.query.finish("`scans`, `limit`, `cursor`")?;
            Reply::json(200, &unused::unused(&context, &who, scans, wanted).await?)
        }
        ("GET", [id]) => {
            who.require(&context.project, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &list::get(&context, &who, exemption(id)?).await?)
        }
        ("GET", [id, "preview"]) => {
            who.require(&context.project, Right::Read)?;
            let asked = preview::Asked {
                decision: call.query.optional("decision")?,
                scope: call.query.optional("scope")?,
                pipeline: call.query.optional("pipeline")?,
            };
            let wanted = page::wanted(&mut call.query, "preview")?;
            call.query.finish("`decision`, `scope`, `pipeline`, `limit`, `cursor`")?;
            let hold = guest::memory::hold;
            Reply::json(200, &preview::preview(&context, &who, exemption(id)?, &asked, wanted, hold).await?)
        }
        ("POST", [id, verb]) => {
            let decision = Decision::named(verb).ok_or_else(|| {
                Problem::not_found("an exemption can be sent to `approve`, `reject`, `cancel` or `reopen`")
            })?;
            who.require(&context.project, decision.right())?;
            call.query.finish("none")?;
            let body: DecisionBody = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::decide(&context, &who, exemption(id)?, decision, body).await?)
        }
        (method, []) => Err(Problem::not_allowed(method, "GET and POST")),
        (method, ["requests" | "decisions"]) => Err(Problem::not_allowed(method, "POST")),
        (method, [_] | [_, "preview"]) => Err(Problem::not_allowed(method, "GET")),
        (method, [_, _]) => Err(Problem::not_allowed(method, "POST")),
        _ => Err(Problem::not_found("no such path")),
    }
}

fn exemption(id: &str) -> Result<ExemptionId, Problem> {
    id.parse().map_err(|error| Problem::not_found(format!("{error}")))
}
