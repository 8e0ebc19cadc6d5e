//! Takes uploads: keeps the raw report, parses it, drives the stages and answers with the verdict. Replays them too.
//!
//! Spin routes by path alone, and uploads share theirs with the list of scans: what is no upload goes on to `results`.
//! The list of formats is here too, because nothing else knows the parsers.

mod asked;
mod body;
mod inflate;
mod parse;
mod peek;
mod raw;
mod reference;
pub mod replay;
mod returned;
mod sealing;
mod sidecar;
mod sync_kv;
mod turns;
pub mod upload;

use api::calls::ingest::IngestCall;
use api::calls::public::SCANNERS;
use api::calls::{RoutedCall, results, route};
use api::page::Page;
use api::problem::Problem;
use api::v1::{NoBody, ScannerItem};
use domain::version::Versions;
use guest::chain::{self, Chain};
use guest::{Reply, Session, SpinKv};
use spin_sdk::http::{IntoResponse, Request};
use sync_kv::SpinSyncKv;

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().to_string();
    guest::serve(request, async move |request| route(request, &path).await).await
}

async fn route(request: guest::Call, uri: &str) -> Result<Reply, Problem> {
    if guest::is_public(&request, &SCANNERS)? {
        return Reply::json(200, &Page { items: ScannerItem::all(), next: None });
    }
    // `results` authenticates whoever asks for the list.
    if let Ok(RoutedCall { call: results::ResultsCall::Scans, .. }) =
        route::<results::ResultsCall>(&request.method, &request.path)
    {
        let path = uri.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap_or_default();
        return chain::forward("results", &path, &request.headers).await;
    }
    let session = Session::open(&request).await?;
    match session.call {
        IngestCall::Upload => upload(request, session).await,
        IngestCall::Replay => replay(request, session).await,
    }
}

async fn upload(mut request: guest::Call, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let sync = SpinSyncKv::open()?;
    let asked = upload::Asked::take(&mut request, session.project()?)?;
    let mut body = body::open(&request.headers, request.body).await?;
    let answer = upload::run(&context(&session, &sync).await?, &session.who, asked, &mut body).await?;
    let location = format!("/api/v1/projects/{}/scans/{}", answer.scan.project, answer.scan.id);
    let mut reply = Reply::json(201, &answer)?;
    reply.headers.push(("location", location));
    Ok(reply)
}

async fn replay(mut request: guest::Call, session: Session<IngestCall>) -> Result<Reply, Problem> {
    let sync = SpinSyncKv::open()?;
    let asked = replay::Asked { project: session.project()?, scan: session.params.read("scan")? };
    let NoBody {} = guest::json_body(&mut request.body).await?;
    let context = context(&session, &sync).await?;
    Reply::json(200, &replay::run(&context, &session.who, asked, Versions::CURRENT, guest::memory::hold).await?)
}

async fn context<'a>(
    session: &'a Session<IngestCall>,
    sync: &'a SpinSyncKv,
) -> Result<upload::Context<'a, SpinKv, SpinSyncKv, Chain>, Problem> {
    Ok(upload::Context {
        kv: &session.kv,
        sync,
        services: &Chain,
        storage_key: guest::variable("storage_key").await?,
        now: session.now,
        random: guest::random_bits()?,
        raw_key: guest::random_bits()?,
    })
}
