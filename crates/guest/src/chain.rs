//! Calls from component to component over private routes (`http://<component>.spin.internal`), in process.

use crate::request::{FORWARDED_ADDRESS, Reply, client_address, headers_of};
use api::Problem;
use api::internal::{Append, Appended, CLOUD_EVENT, Count, Counted, ScanRef, Services, Stage};
use api::problem::{Code, Document};
use bytes::Bytes;
use domain::ids::ScanId;
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{HeaderMap, Request, Response, send};
use std::time::Duration;

/// How long a request waits for another that is before it.
const PAUSE: Duration = Duration::from_millis(5);

/// The other components, by service chaining.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chain;

impl Services for Chain {
    async fn run_stage(&self, stage: Stage, scan: ScanId) -> Result<(), Problem> {
        let _: ScanRef = post(stage.component(), "/", CLOUD_EVENT, &stage.event(scan)).await?;
        Ok(())
    }

    async fn append(&self, request: &Append) -> Result<Appended, Problem> {
        post("ledger", "/append", "application/json", request).await
    }

    async fn count(&self, what: &Count) -> Result<u64, Problem> {
        let counted: Counted = post("ledger", "/count", "application/json", what).await?;
        Ok(counted.n)
    }

    async fn pause(&self) {
        spin_sdk::time::sleep(PAUSE).await;
    }
}

/// Sends a request without a body on to another component, with who asks and from where, and answers with its reply.
///
/// # Errors
/// The component could not be reached.
pub async fn forward(component: &str, path: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let mut request = Request::get(url(component, path));
    if let Some(token) = headers.get("authorization") {
        request = request.header("authorization", token);
    }
    if let Some(address) = client_address(headers) {
        request = request.header(FORWARDED_ADDRESS, address);
    }
    let request = request.body(Full::new(Bytes::new())).map_err(|error| Problem::internal(error.to_string()))?;
    let response = send(request).await.map_err(|error| unreachable(component, error))?;
    let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, media_type) = (response.status().as_u16(), media_type.to_owned());
    Ok(Reply { status, media_type, headers: headers_of(status), body: body(component, response).await?.to_vec() })
}

async fn post<B: Serialize, A: DeserializeOwned>(
    component: &str,
    path: &str,
    media_type: &str,
    value: &B,
) -> Result<A, Problem> {
    let json = serde_json::to_vec(value).map_err(|error| Problem::internal(error.to_string()))?;
    let request = Request::post(url(component, path))
        .header("content-type", media_type)
        .body(Full::new(Bytes::from(json)))
        .map_err(|error| Problem::internal(error.to_string()))?;
    let response = send(request).await.map_err(|error| unreachable(component, error))?;
    let status = response.status();
    let bytes = body(component, response).await?;
    if status.is_success() {
        return serde_json::from_slice(&bytes)
            .map_err(|error| Problem::internal(format!("the component `{component}` answered strangely: {error}")));
    }
    Err(Problem::from_json(&bytes).unwrap_or_else(|| {
        // The host answered in the component's place.
        let said = serde_json::from_slice::<Document>(&bytes).map(|document| document.detail);
        let said = said.unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned());
        Problem::new(Code::Unavailable, format!("the component `{component}` answered {status}: {said}"))
    }))
}

fn url(component: &str, path: &str) -> String {
    format!("http://{component}.spin.internal{path}")
}

async fn body(component: &str, response: Response) -> Result<Bytes, Problem> {
    response.into_body().bytes().await.map_err(|error| unreachable(component, error))
}

fn unreachable(component: &str, error: impl std::fmt::Debug) -> Problem {
    let detail = format!("the component `{component}` could not be reached: {error:?}; send the request again");
    Problem::new(Code::Unavailable, detail)
}
