//! The last stage: decides the verdict from the comparison, the exemptions and the thresholds. Called by other
//! components only.

pub mod job;

use api::Problem;
use api::internal::StageEvent;
use guest::{HttpRequest, Reply, SpinKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. In native builds this is compiled but not called.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: HttpRequest) -> Result<Reply, Problem> {
    let event: StageEvent = guest::json_body(&mut request.body).await?;
    job::run(&SpinKv::open().await?, event.data.scan, guest::now(), guest::memory::hold).await?;
    Reply::json(200, &event.data)
}
