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

use api::page::Page;
use api::problem::Problem;
use api::v1::ScannerItem;
use domain::version::Versions;
use guest::chain::{self, Chain};
use guest::{Call, Reply, SpinKv};
use spin_sdk::http::{IntoResponse, Request};
use sync_kv::SpinSyncKv;

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    let path = request.uri().to_string();
    guest::serve(request, async move |call| route(call, &path).await).await
}

async fn route(call: Call, uri: &str) -> Result<Reply, Problem> {
    match call.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, _, "scanners"] => return scanners(call),
        [_, _, _, _, _, _, "replay"] => return replay(call).await,
        _ => {}
    }
    match call.method.as_str() {
        "POST" => upload(call).await,
        "GET" => {
            let path = uri.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap_or_default();
            chain::forward("results", &path, &call.headers).await
        }
        other => Err(Problem::not_allowed(other, "GET and POST")),
    }
}

/// The formats that are read. Everybody may know: they are the same in every installation.
fn scanners(call: Call) -> Result<Reply, Problem> {
    if call.method != "GET" {
        return Err(Problem::not_allowed(&call.method, "GET"));
    }
    call.query.finish("none")?;
    Reply::json(200, &Page { items: ScannerItem::all(), next: None })
}

async fn upload(mut call: Call) -> Result<Reply, Problem> {
    let (kv, sync) = (SpinKv::open().await?, SpinSyncKv::open()?);
    let context = context(&kv, &sync).await?;
    let asked = upload::Asked::take(&mut call)?;
    let mut body = body::open(&call.headers, call.body).await?;
    let answer = upload::run(&context, asked, &mut body).await?;
    let location = format!("/api/v1/projects/{}/scans/{}", answer.scan.project, answer.scan.id);
    let mut reply = Reply::json(201, &answer)?;
    reply.headers.push(("location", location));
    Ok(reply)
}

async fn replay(mut call: Call) -> Result<Reply, Problem> {
    if call.method != "POST" {
        return Err(Problem::not_allowed(&call.method, "POST"));
    }
    let (kv, sync) = (SpinKv::open().await?, SpinSyncKv::open()?);
    let context = context(&kv, &sync).await?;
    let asked = replay::Asked::take(&mut call).await?;
    Reply::json(200, &replay::run(&context, asked, Versions::CURRENT, guest::memory::hold).await?)
}

async fn context<'a>(
    kv: &'a SpinKv,
    sync: &'a SpinSyncKv,
) -> Result<upload::Context<'a, SpinKv, SpinSyncKv, Chain>, Problem> {
    Ok(upload::Context {
        kv,
        sync,
        services: &Chain,
        admin_token: guest::variable("admin_token").await?,
        storage_key: guest::variable("storage_key").await?,
        now: guest::now(),
        random: guest::random_bits()?,
        raw_key: guest::random_bits()?,
    })
}
