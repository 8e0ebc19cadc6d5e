//! Projects, their settings, targets and baselines; tokens of projects and of the account; the caller's own identity.

mod accept_requests;
pub mod account;
mod baseline_requests;
pub mod job;
mod settings;
mod settings_requests;
pub mod tokens;

use api::calls;
use api::calls::CallTable as _;
use api::calls::projects::ProjectsCall;
use api::calls::public::OPENAPI;
use api::openapi;
use api::page;
use api::problem::Problem;
use api::project_context::ProjectContext;
use api::query::Query;
use api::v1::{
    AccountTokenBody, BaselineDecisionBody, BaselineRequestBody, Me, ProjectAnswer, SettingsBody, SettingsDecisionBody,
    SettingsRequestBody, TargetItem, TargetPatch, TokenBody,
};
use domain::baseline::BaselinePattern;
use domain::change_decision::ChangeDecision;
use domain::ids::{EventId, ScanId};
use guest::chain::Chain;
use guest::{Reply, Session, SpinKv};
use job::ProjectJob;
use spin_sdk::http::{IntoResponse, Request};
use tokens::TokenJob;

/// Answers a request. A native build compiles it, but nothing calls it.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: guest::HttpRequest) -> Result<Reply, Problem> {
    if guest::is_public(&request, &OPENAPI)? {
        return Ok(Reply::json_text(200, openapi::DOCUMENT));
    }
    if calls::route::<calls::account::AccountCall>(&request.method, &request.path).is_ok() {
        return account_call(request).await;
    }
    let session = Session::<ProjectsCall>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, caller, call, params } = session;
    let event = EventId::from_bits(guest::random_bits()?);
    let job = ProjectJob { context: ProjectContext { kv: &kv, services: &Chain, now, event, project }, caller };
    let version = if call.spec().conditional { request.version()? } else { None };
    let (query, body) = (&mut request.query, &mut request.body);

    match call {
        ProjectsCall::Project => project_reply(&job.project().await?),
        ProjectsCall::PutProject => {
            let create = query.optional::<bool>("create")?.unwrap_or_default();
            let settings: SettingsBody = guest::json_body(body).await?;
            project_reply(&job.put_project(settings, create, version).await?)
        }
        ProjectsCall::PatchProject => {
            let body = guest::bulk_bytes(body).await?;
            project_reply(&job.patch_project(&body, version).await?)
        }
        ProjectsCall::SettingsRequest => Reply::json(200, &job.settings_request().await?),
        ProjectsCall::RequestSettings => {
            let wanted: SettingsRequestBody = guest::bulk_body(body).await?;
            Reply::json(201, &job.request_settings(wanted, version).await?)
        }
        ProjectsCall::ApproveSettings => decide_settings(&job, ChangeDecision::Approve, body, version).await,
        ProjectsCall::RejectSettings => decide_settings(&job, ChangeDecision::Reject, body, version).await,
        ProjectsCall::WithdrawSettings => decide_settings(&job, ChangeDecision::Withdraw, body, version).await,
        ProjectsCall::Tokens => list_tokens(&token_job(job), query).await,
        ProjectsCall::IssueToken => {
            let body: TokenBody = guest::json_body(body).await?;
            issue_token(&token_job(job), body).await
        }
        ProjectsCall::RevokeToken => revoke_token(&token_job(job), params.text("token")?).await,
        ProjectsCall::Targets => {
            let wanted = page::wanted(query, "targets")?;
            Reply::json(200, &job.targets(wanted).await?)
        }
        ProjectsCall::Target => target_reply(&job.target(params.text("target")?).await?),
        ProjectsCall::PatchTarget => {
            let patch: TargetPatch = guest::json_body(body).await?;
            target_reply(&job.set_baseline(params.text("target")?, patch, version).await?)
        }
        ProjectsCall::AcceptRequests => {
            let scan = query.optional::<ScanId>("scan")?;
            let wanted = page::wanted(query, "accept-requests")?;
            Reply::json(200, &job.accept_requests(scan, wanted).await?)
        }
        ProjectsCall::BaselineRequests => {
            let wanted = page::wanted(query, "baseline-requests")?;
            Reply::json(200, &job.baseline_requests(wanted).await?)
        }
        ProjectsCall::RequestBaseline => {
            let asked: BaselineRequestBody = guest::json_body(body).await?;
            Reply::json(201, &job.request_baseline(params.text("target")?, asked).await?)
        }
        ProjectsCall::ApproveBaseline => {
            decide(&job, params.text("target")?, ChangeDecision::Approve, body, version).await
        }
        ProjectsCall::RejectBaseline => {
            decide(&job, params.text("target")?, ChangeDecision::Reject, body, version).await
        }
        ProjectsCall::WithdrawBaseline => {
            decide(&job, params.text("target")?, ChangeDecision::Withdraw, body, version).await
        }
        ProjectsCall::Variants => {
            let regex = query.optional::<BaselinePattern>("regex")?;
            let wanted = page::wanted(query, "variants")?;
            Reply::json(200, &job.variants(params.text("target")?, regex, wanted).await?)
        }
    }
}

async fn decide(
    job: &ProjectJob<'_, SpinKv, Chain>,
    target: &str,
    decision: ChangeDecision,
    body: &mut guest::Body,
    version: Option<u64>,
) -> Result<Reply, Problem> {
    let decided: BaselineDecisionBody = guest::json_body(body).await?;
    target_reply(&job.decide_baseline(target, decision, decided, version).await?)
}

async fn decide_settings(
    job: &ProjectJob<'_, SpinKv, Chain>,
    decision: ChangeDecision,
    body: &mut guest::Body,
    version: Option<u64>,
) -> Result<Reply, Problem> {
    let decided: SettingsDecisionBody = guest::json_body(body).await?;
    project_reply(&job.decide_settings(decision, decided, version).await?)
}

/// The reply with a project, and the version of its settings as the `ETag`.
fn project_reply(answer: &ProjectAnswer) -> Result<Reply, Problem> {
    Ok(Reply::json(200, answer)?.with_version(answer.version))
}

/// The reply with a target, and the version of its baseline as the `ETag`.
fn target_reply(item: &TargetItem) -> Result<Reply, Problem> {
    Ok(Reply::json(200, item)?.with_version(item.version))
}

/// Answers a call to the account.
async fn account_call(mut request: guest::HttpRequest) -> Result<Reply, Problem> {
    let Session { kv, now, caller, call, params } = Session::<calls::account::AccountCall>::open(&request).await?;
    let event = EventId::from_bits(guest::random_bits()?);
    let job = TokenJob { kv: &kv, services: &Chain, now, event, project: None, caller };
    match call {
        calls::account::AccountCall::Me => Reply::json(200, &Me::new(&job.caller)),
        calls::account::AccountCall::Projects => {
            let wanted = page::wanted(&mut request.query, "projects")?;
            Reply::json(200, &account::projects(&kv, &job.caller, now, wanted).await?)
        }
        calls::account::AccountCall::Tokens => list_tokens(&job, &mut request.query).await,
        calls::account::AccountCall::IssueToken => {
            let body: AccountTokenBody = guest::json_body(&mut request.body).await?;
            issue_token(&job, body.into()).await
        }
        calls::account::AccountCall::RevokeToken => revoke_token(&job, params.text("token")?).await,
    }
}

/// A call to tokens over the component's store and services.
type SpinTokenJob<'a> = TokenJob<'a, SpinKv, Chain>;

/// The call to the tokens of a project.
fn token_job(job: ProjectJob<'_, SpinKv, Chain>) -> SpinTokenJob<'_> {
    let ProjectJob { context: ProjectContext { kv, services, now, event, project }, caller } = job;
    TokenJob { kv, services, now, event, project: Some(project), caller }
}

async fn list_tokens(job: &SpinTokenJob<'_>, query: &mut Query) -> Result<Reply, Problem> {
    let wanted = page::wanted(query, "tokens")?;
    Reply::json(200, &job.list(wanted).await?)
}

async fn issue_token(job: &SpinTokenJob<'_>, body: TokenBody) -> Result<Reply, Problem> {
    Reply::json(201, &job.issue(body, guest::random_token()?).await?)
}

async fn revoke_token(job: &SpinTokenJob<'_>, id: &str) -> Result<Reply, Problem> {
    job.revoke(id).await?;
    Ok(Reply::empty())
}
