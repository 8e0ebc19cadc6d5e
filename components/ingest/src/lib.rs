//! Takes uploads: keeps the raw report, parses it, drives the stages and answers with the verdict.
//!
//! Spin routes by path alone, and uploads share theirs with the list of scans: what is no upload goes on to `results`.
//! The list of formats is here too, because nothing else knows the parsers.

mod asked;
mod body;
mod parse;
mod peek;
mod raw;
mod reference;
mod sealing;
mod sync_kv;
pub mod upload;

use api::page::Page;
use api::problem::Problem;
use api::v1::ScannerItem;
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
    if let [_, _, "scanners"] = call.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        return scanners(call);
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
    let kv = SpinKv::open().await?;
    let context = upload::Context {
        kv: &kv,
        sync: &SpinSyncKv::open()?,
        services: &Chain,
        admin_token: guest::variable("admin_token").await?,
        storage_key: guest::variable("storage_key").await?,
        now: guest::now(),
        random: guest::random_bits()?,
        raw_key: guest::random_bits()?,
    };
    let asked = upload::Asked::take(&mut call)?;
    let mut body = body::open(&call.headers, call.body)?;
    let answer = upload::run(&context, asked, &mut body).await?;
    let location = format!("/api/v1/projects/{}/scans/{}", answer.scan.project, answer.scan.id);
    let mut reply = Reply::json(201, &answer)?;
    reply.headers.push(("location", location));
    Ok(reply)
}
