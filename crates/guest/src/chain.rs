//! Calls from component to component over private routes (`http://<component>.spin.internal`), in process.

use crate::request::{FORWARDED_ADDRESS, Reply, client_address, header, headers_of};
use api::Problem;
use api::internal::{Append, Appended, CLOUD_EVENT, Count, Counted, ScanRef, Services, Stage};
use api::problem::{Code, Document};
use bytes::Bytes;
use domain::ids::ScanId;
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{HeaderMap, Request, Response, StatusCode, send};
use std::time::Duration;
use store::poll::Sleep;

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
}

impl Sleep for Chain {
    async fn sleep(&self, duration: Duration) {
        spin_sdk::time::sleep(duration).await;
    }
}

/// A request that a component sends on for a client.
#[derive(Debug)]
pub struct Onward<'a> {
    /// The component that answers it.
    pub component: &'static str,
    /// The method.
    pub method: &'a str,
    /// The path, with its query.
    pub path: &'a str,
    /// The value of the header `Authorization`, if there is one.
    pub authorization: Option<&'a str>,
    /// The client's address, as [`client_address`] has it.
    pub client: Option<&'a str>,
    /// The body's media type, where there is a body.
    pub media_type: Option<&'a str>,
}

/// Sends a request without a body on to another component, with who asks and from where, and answers with its reply.
///
/// # Errors
/// The component could not be reached.
pub async fn forward(component: &'static str, path: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let (client, authorization) = (client_address(headers), header(headers, "authorization")?);
    let onward = Onward { component, method: "GET", path, authorization, client, media_type: None };
    onward.send(Full::new(Bytes::new())).await
}

impl Onward<'_> {
    /// Sends it with this body, which may still arrive, and answers with the reply.
    ///
    /// # Errors
    /// The component could not be reached, or the body ended early.
    pub async fn send<B>(&self, body: B) -> Result<Reply, Problem>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + 'static,
    {
        let Self { component, method, path, authorization, client, media_type } = self;
        let mut request = Request::builder().method(*method).uri(url(component, path));
        let headers = [("authorization", authorization), (FORWARDED_ADDRESS, client), ("content-type", media_type)];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, *value);
            }
        }
        let request = request.body(body).map_err(|error| Problem::internal(error.to_string()))?;
        let response = send(request).await.map_err(|error| unreachable(component, error))?;
        let media_type =
            response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (status, media_type) = (response.status().as_u16(), media_type.to_owned());
        let body = self::body(component, response).await?.into();
        Ok(Reply { status, media_type, headers: headers_of(status), body })
    }
}

async fn post<B: Serialize, A: DeserializeOwned>(
    component: &'static str,
    path: &str,
    media_type: &str,
    value: &B,
) -> Result<A, Problem> {
    let json = serde_json::to_vec(value).map_err(|error| Problem::internal(error.to_string()))?;
    let onward =
        Onward { component, method: "POST", path, authorization: None, client: None, media_type: Some(media_type) };
    answered(component, &onward.send(Full::new(Bytes::from(json))).await?)
}

/// What a component's reply says.
///
/// # Errors
/// It is a problem, or not what `T` takes.
pub fn answered<T: DeserializeOwned>(component: &str, reply: &Reply) -> Result<T, Problem> {
    succeeded(component, reply)?;
    serde_json::from_slice(&reply.body)
        .map_err(|error| Problem::internal(format!("the component `{component}` answered strangely: {error}")))
}

/// Whether a component did what it was asked for.
///
/// # Errors
/// It did not: its problem.
pub fn succeeded(component: &str, reply: &Reply) -> Result<(), Problem> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    Err(Problem::from_json(&reply.body).unwrap_or_else(|| {
        // The host answered in the component's place.
        let said = serde_json::from_slice::<Document>(&reply.body).map(|document| document.detail);
        let said = said.unwrap_or_else(|_| String::from_utf8_lossy(&reply.body).into_owned());
        let status = StatusCode::from_u16(reply.status).unwrap_or_default();
        let detail = format!("the component `{component}` answered {status}: {said}");
        Problem::new(Code::Unavailable, detail)
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
