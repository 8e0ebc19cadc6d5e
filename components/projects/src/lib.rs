//! Projects, their targets, baselines and tokens.

pub mod job;

use api::calls::projects::Call;
use api::calls::public::OPENAPI;
use api::context::Context;
use api::openapi;
use api::page;
use api::problem::Problem;
use api::v1::{SettingsBody, TargetPatch, TokenBody};
use domain::baseline::BaselinePattern;
use domain::ids::EventId;
use guest::chain::Chain;
use guest::{Reply, Session};
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
    let session = Session::<Call>::open(&request).await?;
    let project = session.project()?;
    let Session { kv, now, who, call, params } = session;
    let event = EventId::from_bits(guest::random_bits()?);
    let context = Context { kv: &kv, services: &Chain, now, event, project };
    let (query, body) = (&mut request.query, &mut request.body);

    match call {
        Call::Project => Reply::json(200, &job::project(&context).await?),
        Call::PutProject => {
            let settings: SettingsBody = guest::json_body(body).await?;
            Reply::json(200, &job::put_project(&context, &who, settings).await?)
        }
        Call::Tokens => {
            let wanted = page::wanted(query, "tokens")?;
            Reply::json(200, &job::tokens(&context, wanted).await?)
        }
        Call::IssueToken => {
            let wanted: TokenBody = guest::json_body(body).await?;
            Reply::json(201, &job::issue_token(&context, &who, wanted, guest::random_token()?).await?)
        }
        Call::RevokeToken => {
            job::revoke_token(&context, &who, params.text("token")?).await?;
            Ok(Reply::empty())
        }
        Call::Targets => {
            let wanted = page::wanted(query, "targets")?;
            Reply::json(200, &job::targets(&context, wanted).await?)
        }
        Call::Target => Reply::json(200, &job::target(&context, params.text("target")?).await?),
        Call::PatchTarget => {
            let patch: TargetPatch = guest::json_body(body).await?;
            Reply::json(200, &job::set_baseline(&context, &who, params.text("target")?, patch).await?)
        }
        Call::Variants => {
            let regex = query.optional::<BaselinePattern>("regex")?;
            let wanted = page::wanted(query, "variants")?;
            Reply::json(200, &job::variants(&context, params.text("target")?, regex, wanted).await?)
        }
    }
}
