//! Appends events to journals. The only component that imports `wasi:keyvalue/atomics`. Called by other components
//! only. Its calls of the store all block the instance, since there is no other way to increment.

pub mod job;

use api::Problem;
use api::internal::{Append, Count};
use guest::{HttpRequest, Reply, SpinBlockingKv};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request. In native builds this is compiled but not called.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut request: HttpRequest) -> Result<Reply, Problem> {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["append"]) => {
            let append: Append = guest::bulk_body(&mut request.body).await?;
            Reply::json(200, &job::append(&SpinBlockingKv::open()?, append, guest::now).await?)
        }
        ("POST", ["count"]) => {
            let count: Count = guest::json_body(&mut request.body).await?;
            Reply::json(200, &job::count(&SpinBlockingKv::open()?, count).await?)
        }
        _ => Err(Problem::not_found("unknown call; the ledger answers `POST /append` and `POST /count`")),
    }
}
