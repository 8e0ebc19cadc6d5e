//! The second stage: a scan is compared with its baseline or with its previous scan. Reached by service chaining only.

pub mod job;

use api::Problem;
use api::internal::StageEvent;
use guest::{Call, Reply, SpinKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let event: StageEvent = guest::json_body(&mut call.body).await?;
    job::run(&SpinKv::open().await?, event.data.scan, guest::memory::hold).await?;
    Reply::json(200, &event.data)
}
