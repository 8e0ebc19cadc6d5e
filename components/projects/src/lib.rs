//! Projects, their targets and baselines; tokens, of projects and of the account; who is calling.

pub mod account;
pub mod job;
pub mod tokens;

use api::auth::Identity;
use api::calls;
use api::calls::projects::ProjectsCall;
use api::calls::public::OPENAPI;
use api::openapi;
use api::page;
use api::problem::Problem;
use api::project_context::ProjectContext;
use api::query::Query;
use api::v1::{AccountTokenBody, Me, SettingsBody, TargetPatch, TokenBody};
use domain::baseline::BaselinePattern;
use domain::ids::EventId;
use guest::chain::Chain;
use guest::{Reply, Session, SpinKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::Call) -> Result<Reply, Problem> {
    if guest::is_public(&request, &OPENAPI)? {
        return Ok(Reply::json_text(200, openapi::DOCUMENT));
    }
    if calls::route::<calls::account::AccountCall>(&request.method, &request.path).is_ok() {
        return of_account(request).await;
    }
    let session = Session::<ProjectsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, who, call, params } = session;
    let event = EventId::from_bits(guest::random_bits()?);
    let context = ProjectContext { kv: &kv, services: &Chain, now, event, project };
    let (query, body) = (&mut request.query, &mut request.body);

    match call {
        ProjectsCall::Project => Reply::json(200, &job::project(&context, &who).await?),
        ProjectsCall::PutProject => {
            let settings: SettingsBody = guest::json_body(body).await?;
            Reply::json(200, &job::put_project(&context, &who, settings).await?)
        }
        ProjectsCall::Tokens => list_tokens(&tokens_of(context), query).await,
        ProjectsCall::IssueToken => {
            let wanted: TokenBody = guest::json_body(body).await?;
            issue_token(&tokens_of(context), &who, wanted).await
        }
        ProjectsCall::RevokeToken => revoke_token(&tokens_of(context), &who, params.text("token")?).await,
        ProjectsCall::Targets => {
            let wanted = page::wanted(query, "targets")?;
            Reply::json(200, &job::targets(&context, &who, wanted).await?)
        }
        ProjectsCall::Target => Reply::json(200, &job::target(&context, &who, params.text("target")?).await?),
        ProjectsCall::PatchTarget => {
            let patch: TargetPatch = guest::json_body(body).await?;
            Reply::json(200, &job::set_baseline(&context, &who, params.text("target")?, patch).await?)
        }
        ProjectsCall::Variants => {
            let regex = query.optional::<BaselinePattern>("regex")?;
            let wanted = page::wanted(query, "variants")?;
            Reply::json(200, &job::variants(&context, &who, params.text("target")?, regex, wanted).await?)
        }
    }
}

/// A call to no project.
async fn of_account(mut request: guest::Call) -> Result<Reply, Problem> {
    let Session { kv, now, who, call, params } = Session::<calls::account::AccountCall>::open(&request).await?;
    let event = EventId::from_bits(guest::random_bits()?);
    let context = tokens::Context { kv: &kv, services: &Chain, now, event, project: None };
    match call {
        calls::account::AccountCall::Me => Reply::json(200, &Me::new(&who)),
        calls::account::AccountCall::Projects => {
            let wanted = page::wanted(&mut request.query, "projects")?;
            Reply::json(200, &account::projects(&kv, &who, now, wanted).await?)
        }
        calls::account::AccountCall::Tokens => list_tokens(&context, &mut request.query).await,
        calls::account::AccountCall::IssueToken => {
            let wanted: AccountTokenBody = guest::json_body(&mut request.body).await?;
            issue_token(&context, &who, wanted.into()).await
        }
        calls::account::AccountCall::RevokeToken => revoke_token(&context, &who, params.text("token")?).await,
    }
}

async fn list_tokens(context: &Tokens<'_>, query: &mut Query) -> Result<Reply, Problem> {
    let wanted = page::wanted(query, "tokens")?;
    Reply::json(200, &tokens::list(context, wanted).await?)
}

async fn issue_token(context: &Tokens<'_>, who: &Identity, wanted: TokenBody) -> Result<Reply, Problem> {
    Reply::json(201, &tokens::issue(context, who, wanted, guest::random_token()?).await?)
}

async fn revoke_token(context: &Tokens<'_>, who: &Identity, id: &str) -> Result<Reply, Problem> {
    tokens::revoke(context, who, id).await?;
    Ok(Reply::empty())
}

/// What calls to tokens work with here.
type Tokens<'a> = tokens::Context<'a, SpinKv, Chain>;

fn tokens_of<'a>(context: ProjectContext<'a, SpinKv, Chain>) -> Tokens<'a> {
    let ProjectContext { kv, services, now, event, project } = context;
    tokens::Context { kv, services, now, event, project: Some(project) }
}
