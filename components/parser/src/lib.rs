//! Parses the report of an upload: reads its raw segments, runs the format's parser, adds the code from the sidecar,
//! and writes the findings. Called by `ingest` only.
//!
//! A parser reads through `std::io::Read` and cannot wait, so this component uses the store by calls that block the
//! instance, from its first read to its last write. So an instance parses one report at a time.

pub mod job;
mod raw_part;
mod sidecar;

use api::Problem;
use api::internal::ParseRequest;
use guest::memory::Alone;
use guest::{HttpRequest, Reply, SpinBlockingKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. In native builds this is compiled but not called.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: HttpRequest) -> Result<Reply, Problem> {
    // A small report must not wait here for a large one.
    let _alone = Alone::begin();
    let request: ParseRequest = guest::json_body(&mut request.body).await?;
    Reply::json(200, &job::parse(&SpinBlockingKv::open()?, request)?)
}
