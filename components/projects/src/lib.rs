//! Projects, their targets, baselines and tokens.

pub mod job;

use api::auth::Identity;
use api::context::Context;
use api::page;
use api::problem::Problem;
use api::v1::{SettingsBody, TargetPatch, TokenBody};
use domain::baseline::BaselinePattern;
use domain::ids::EventId;
use domain::role::Right;
use guest::chain::Chain;
use guest::{Call, Reply, Session, SpinKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project, rest } = Session::open(&call).await?;
    let (method, rest) = (call.method.clone(), rest.iter().map(String::as_str).collect::<Vec<_>>());
    let context = Context { kv: &kv, services: &Chain, now, event: EventId::from_bits(guest::random_bits()?), project };

    match (method.as_str(), rest.as_slice()) {
        ("GET", []) => {
            allow(&who, &context, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &job::project(&context).await?)
        }
        ("PUT", []) => {
            who.require_installation().or_else(|_| who.require(&context.project, Right::Administer))?;
            call.query.finish("none")?;
            let settings: SettingsBody = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::put_project(&context, &who, settings).await?)
        }
        ("GET", ["tokens"]) => {
            allow(&who, &context, Right::Administer)?;
            let wanted = page::wanted(&mut call.query, "tokens")?;
            call.query.finish("`limit`, `cursor`")?;
            Reply::json(200, &job::tokens(&context, wanted).await?)
        }
        ("POST", ["tokens"]) => {
            allow(&who, &context, Right::Administer)?;
            call.query.finish("none")?;
            let wanted: TokenBody = guest::json_body(&mut call.body).await?;
            Reply::json(201, &job::issue_token(&context, &who, wanted, guest::random_token()?).await?)
        }
        ("DELETE", ["tokens", id]) => {
            allow(&who, &context, Right::Administer)?;
            call.query.finish("none")?;
            job::revoke_token(&context, &who, id).await?;
            Ok(Reply::empty())
        }
        ("GET", ["targets"]) => {
            allow(&who, &context, Right::Read)?;
            let wanted = page::wanted(&mut call.query, "targets")?;
            call.query.finish("`limit`, `cursor`")?;
            Reply::json(200, &job::targets(&context, wanted).await?)
        }
        ("GET", ["targets", name]) => {
            allow(&who, &context, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &job::target(&context, name).await?)
        }
        ("PATCH", ["targets", name]) => {
            allow(&who, &context, Right::Develop)?;
            call.query.finish("none")?;
            let patch: TargetPatch = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::set_baseline(&context, &who, name, patch).await?)
        }
        ("GET", ["targets", name, "variants"]) => {
            allow(&who, &context, Right::Read)?;
            let regex = call.query.optional::<BaselinePattern>("regex")?;
            let wanted = page::wanted(&mut call.query, "variants")?;
            call.query.finish("`regex`, `limit`, `cursor`")?;
            Reply::json(200, &job::variants(&context, name, regex, wanted).await?)
        }
        (method, []) => Err(Problem::not_allowed(method, "GET and PUT")),
        (method, ["tokens"]) => Err(Problem::not_allowed(method, "GET and POST")),
        (method, ["tokens", _]) => Err(Problem::not_allowed(method, "DELETE")),
        (method, ["targets"]) => Err(Problem::not_allowed(method, "GET")),
        (method, ["targets", _]) => Err(Problem::not_allowed(method, "GET and PATCH")),
        (method, ["targets", _, "variants"]) => Err(Problem::not_allowed(method, "GET")),
        _ => Err(Problem::not_found("no such path; a slash in a target's name is written %2F")),
    }
}

fn allow(who: &Identity, context: &Context<'_, SpinKv, Chain>, right: Right) -> Result<(), Problem> {
    who.require(&context.project, right)
}
