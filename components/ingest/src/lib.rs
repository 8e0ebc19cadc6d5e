//! Takes uploads: keeps the raw report, parses it, drives the stages and answers with the verdict.
//!
//! Spin routes by path alone, and uploads share theirs with the list of scans: what is no upload goes on to `results`.

mod asked;
mod body;
mod parse;
mod raw;
mod sync_kv;
pub mod upload;

use api::problem::Problem;
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
    match call.method.as_str() {
        "POST" => upload(call).await,
        "GET" => {
            let path = uri.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap_or_default();
            chain::forward("results", &path, &call.headers).await
        }
        other => Err(Problem::not_allowed(other, "GET and POST")),
    }
}

async fn upload(mut call: Call) -> Result<Reply, Problem> {
    let kv = SpinKv::open().await?;
    let context = upload::Context {
        kv: &kv,
        sync: &SpinSyncKv::open()?,
        services: &Chain,
        admin_token: guest::variable("admin_token").await?,
        now: guest::now(),
        random: guest::random_bits()?,
    };
    let asked = upload::Asked::take(&mut call)?;
    let mut body = body::open(&call.headers, call.body)?;
    let answer = upload::run(&context, asked, &mut body).await?;
    let location = format!("/api/v1/projects/{}/scans/{}", answer.scan.project, answer.scan.id);
    let mut reply = Reply::json(201, &answer)?;
    reply.headers.push(("location", location));
    Ok(reply)
}
