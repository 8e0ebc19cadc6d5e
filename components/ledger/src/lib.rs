//! Appends to journals. The one component that imports `wasi:keyvalue/atomics`; reached by service chaining only.

mod counter;
pub mod job;

use api::Problem;
use api::internal::{Append, Count};
use counter::SpinCounter;
use guest::{Call, Reply};
use spin_sdk::http::{IntoResponse, Request};

/// Answers a request; natively, where no host calls it, this is only compiled.
#[cfg_attr(target_family = "wasm", spin_sdk::http_service)]
pub async fn handle(request: Request) -> impl IntoResponse {
    guest::serve(request, route).await
}

async fn route(mut call: Call) -> Result<Reply, Problem> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", ["append"]) => {
            let request: Append = guest::bulk_body(&mut call.body).await?;
            Reply::json(200, &job::append(&SpinCounter::open().await?, request, guest::now).await?)
        }
        ("POST", ["count"]) => {
            let request: Count = guest::json_body(&mut call.body).await?;
            Reply::json(200, &job::count(&SpinCounter::open().await?, request).await?)
        }
        _ => Err(Problem::not_found("the ledger knows `POST /append` and `POST /count`")),
    }
}
