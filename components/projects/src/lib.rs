//! Projects, their targets and baselines; tokens, of projects and of the account.

pub mod job;
pub mod tokens;

use api::auth::Identity;
use api::context::Context;
use api::page;
use api::problem::Problem;
use api::v1::{AccountTokenBody, SettingsBody, TargetPatch, TokenBody};
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

async fn route(call: Call) -> Result<Reply, Problem> {
    if call.path.get(2).is_some_and(|segment| segment == "tokens") { account(call).await } else { project(call).await }
}

/// A call to the account: `/api/v1/tokens…`.
async fn account(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project: (), rest } = Session::open_account(&call).await?;
    who.require_installation()?;
    let event = EventId::from_bits(guest::random_bits()?);
    let context = tokens::Context { kv: &kv, services: &Chain, now, event, project: None };
    let rest: Vec<_> = rest.iter().skip(1).map(String::as_str).collect();
    match (call.method.as_str(), rest.as_slice()) {
        ("POST", []) => {
            call.query.finish("none")?;
            let wanted: AccountTokenBody = guest::json_body(&mut call.body).await?;
            issue(&context, &who, wanted.into()).await
        }
        _ => token_call(call, &context, &who, &rest).await,
    }
}

/// A call to tokens that is the same whosever they are; `rest` is what follows `tokens` in the path.
async fn token_call(
    mut call: Call,
    context: &tokens::Context<'_, SpinKv, Chain>,
    who: &Identity,
    rest: &[&str],
) -> Result<Reply, Problem> {
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let wanted = page::wanted(&mut call.query, "tokens")?;
            call.query.finish("`limit`, `cursor`")?;
            Reply::json(200, &tokens::list(context, wanted).await?)
        }
        ("DELETE", [id]) => {
            call.query.finish("none")?;
            tokens::revoke(context, who, id).await?;
            Ok(Reply::empty())
        }
        (method, []) => Err(Problem::not_allowed(method, "GET and POST")),
        (method, [_]) => Err(Problem::not_allowed(method, "DELETE")),
        _ => Err(Problem::not_found("no such path")),
    }
}

async fn issue(
    context: &tokens::Context<'_, SpinKv, Chain>,
    who: &Identity,
    wanted: TokenBody,
) -> Result<Reply, Problem> {
    Reply::json(201, &tokens::issue(context, who, wanted, guest::random_token()?).await?)
}

/// A call to a project: `/api/v1/projects/{project}…`.
async fn project(mut call: Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, project, rest } = Session::open(&call).await?;
    let (method, rest) = (call.method.clone(), rest.iter().map(String::as_str).collect::<Vec<_>>());
    let context = Context { kv: &kv, services: &Chain, now, event: EventId::from_bits(guest::random_bits()?), project };

    match (method.as_str(), rest.as_slice()) {
        ("GET", []) => {
            allow(&who, &context, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &job::project(&context, &who).await?)
        }
        ("PUT", []) => {
            who.require_installation().or_else(|_| who.require(&context.project, Right::Administer))?;
            call.query.finish("none")?;
            let settings: SettingsBody = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::put_project(&context, &who, settings).await?)
        }
        ("POST", ["tokens"]) => {
            allow(&who, &context, Right::Administer)?;
            call.query.finish("none")?;
            let wanted: TokenBody = guest::json_body(&mut call.body).await?;
            issue(&tokens_of(context), &who, wanted).await
        }
        (_, ["tokens", rest @ ..]) => {
            allow(&who, &context, Right::Administer)?;
            token_call(call, &tokens_of(context), &who, rest).await
        }
        ("GET", ["targets"]) => {
            allow(&who, &context, Right::Read)?;
            let wanted = page::wanted(&mut call.query, "targets")?;
            call.query.finish("`limit`, `cursor`")?;
            Reply::json(200, &job::targets(&context, &who, wanted).await?)
        }
        ("GET", ["targets", name]) => {
            allow(&who, &context, Right::Read)?;
            call.query.finish("none")?;
            Reply::json(200, &job::target(&context, &who, name).await?)
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
            Reply::json(200, &job::variants(&context, &who, name, regex, wanted).await?)
        }
        (method, []) => Err(Problem::not_allowed(method, "GET and PUT")),
        (method, ["targets"]) => Err(Problem::not_allowed(method, "GET")),
        (method, ["targets", _]) => Err(Problem::not_allowed(method, "GET and PATCH")),
        (method, ["targets", _, "variants"]) => Err(Problem::not_allowed(method, "GET")),
        _ => Err(Problem::not_found("no such path; a slash in a target's name is written %2F")),
    }
}

fn allow(who: &Identity, context: &Context<'_, SpinKv, Chain>, right: Right) -> Result<(), Problem> {
    who.require(&context.project, right)
}

fn tokens_of<'a>(context: Context<'a, SpinKv, Chain>) -> tokens::Context<'a, SpinKv, Chain> {
    let Context { kv, services, now, event, project } = context;
    tokens::Context { kv, services, now, event, project: Some(project) }
}
