//! Calls between components, in process, over private routes (`http://<component>.spin.internal`).

use crate::clock;
use crate::request::{FORWARDED_ADDRESS, Reply, client_address, header, headers_of};
use crate::version::tag;
use api::Problem;
use api::internal::{
    Append, Appended, CLOUD_EVENT, Count, Counted, ParseRequest, ParseResult, ScanRef, Services, Stage,
};
use api::problem::{Code, Document};
use bytes::Bytes;
use domain::ids::ScanId;
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{HeaderMap, Request, Response, StatusCode, send};
use std::time::Duration;
use store::poll::Clock;

/// The longest that a call of `ledger` may take: it waits for earlier writers for some seconds, and cannot bound its
/// own calls of the store, which block it.
const LEDGER_MAX: Duration = Duration::from_secs(15);
/// The longest that a call of `parser` or of a stage may take: twice the time that the embedded host gives a whole
/// request, so that a large report is never cut off by this. It ends the wait for a store that went away in the middle,
/// on hosts that have no time limit.
const WORK_MAX: Duration = Duration::from_secs(60);

/// The other components, called by service chaining.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chain;

impl Services for Chain {
    async fn parse(&self, request: &ParseRequest) -> Result<ParseResult, Problem> {
        post("parser", "/", "application/json", request, WORK_MAX).await
    }

    async fn run_stage(&self, stage: Stage, scan: ScanId) -> Result<(), Problem> {
        let _: ScanRef = post(stage.component(), "/", CLOUD_EVENT, &stage.event(scan), WORK_MAX).await?;
        Ok(())
    }

    async fn append(&self, request: &Append) -> Result<Appended, Problem> {
        post("ledger", "/append", "application/json", request, LEDGER_MAX).await
    }

    async fn count(&self, counter: &Count) -> Result<u64, Problem> {
        let counted: Counted = post("ledger", "/count", "application/json", counter, LEDGER_MAX).await?;
        Ok(counted.n)
    }
}

impl Clock for Chain {
    fn now(&self) -> Duration {
        clock::monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        clock::sleep(duration).await;
    }
}

/// A request to another component.
#[derive(Debug)]
pub struct OutgoingRequest<'a> {
    /// The component that is called.
    pub component: &'static str,
    /// The method.
    pub method: &'a str,
    /// The path and the query.
    pub path: &'a str,
    /// The value of the header `Authorization`, if the client sent one.
    pub authorization: Option<&'a str>,
    /// The client's address, see [`client_address`].
    pub client: Option<&'a str>,
    /// The media type of the body, if the request has a body.
    pub media_type: Option<&'a str>,
    /// The version that a change is made on, for the header `If-Match`.
    pub version: Option<u64>,
}

/// Forwards a `GET` request to another component, with the client's token and address, and returns the reply.
///
/// # Errors
/// The component cannot be reached.
pub async fn forward(component: &'static str, path: &str, headers: &HeaderMap) -> Result<Reply, Problem> {
    let (client, authorization) = (client_address(headers), header(headers, "authorization")?);
    let request =
        OutgoingRequest { component, method: "GET", path, authorization, client, media_type: None, version: None };
    request.send(Full::new(Bytes::new())).await
}

impl OutgoingRequest<'_> {
    /// Sends the request with this body, which may be a stream, and returns the reply.
    ///
    /// # Errors
    /// The component cannot be reached, or the body ended early.
    pub async fn send<B>(&self, body: B) -> Result<Reply, Problem>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + 'static,
    {
        let Self { component, method, path, authorization, client, media_type, version } = self;
        let mut request = Request::builder().method(*method).uri(url(component, path));
        let headers = [("authorization", authorization), (FORWARDED_ADDRESS, client), ("content-type", media_type)];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, *value);
            }
        }
        if let Some(version) = version {
            request = request.header("if-match", tag(*version));
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
    limit: Duration,
) -> Result<A, Problem> {
    let json = serde_json::to_vec(value).map_err(|error| Problem::internal(error.to_string()))?;
    let media_type = Some(media_type);
    let request = OutgoingRequest {
        component,
        method: "POST",
        path,
        authorization: None,
        client: None,
        media_type,
        version: None,
    };
    let reply = clock::within(limit, request.send(Full::new(Bytes::from(json)))).await;
    parse_reply(component, &reply.ok_or_else(|| late(component, limit))??)
}

/// Parses the JSON of a component's reply.
///
/// # Errors
/// The reply is a problem, or its JSON does not fit `T`.
pub fn parse_reply<T: DeserializeOwned>(component: &str, reply: &Reply) -> Result<T, Problem> {
    check_reply(component, reply)?;
    serde_json::from_slice(&reply.body)
        .map_err(|error| Problem::internal(format!("the reply of the component `{component}` cannot be read: {error}")))
}

/// Checks that a component's reply is a success.
///
/// # Errors
/// It is not: the problem in the reply.
pub fn check_reply(component: &str, reply: &Reply) -> Result<(), Problem> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    Err(Problem::from_json(&reply.body).unwrap_or_else(|| {
        // The host answered instead of the component.
        let text = serde_json::from_slice::<Document>(&reply.body).map(|document| document.detail);
        let text = text.unwrap_or_else(|_| String::from_utf8_lossy(&reply.body).into_owned());
        let status = StatusCode::from_u16(reply.status).unwrap_or_default();
        let detail = format!("the component `{component}` answered {status}: {text}");
        Problem::new(Code::Unavailable, detail)
    }))
}

fn url(component: &str, path: &str) -> String {
    format!("http://{component}.spin.internal{path}")
}

async fn body(component: &str, response: Response) -> Result<Bytes, Problem> {
    response.into_body().bytes().await.map_err(|error| unreachable(component, error))
}

fn late(component: &str, limit: Duration) -> Problem {
    let seconds = limit.as_secs();
    let detail = format!(
        "the component `{component}` did not answer within {seconds} s: the report is too large for this machine, or the store does not answer; nothing is lost, retry the request"
    );
    Problem::new(Code::Unavailable, detail)
}

fn unreachable(component: &str, error: impl std::fmt::Debug) -> Problem {
    let detail = format!("the component `{component}` cannot be reached: {error:?}; send the request again");
    Problem::new(Code::Unavailable, detail)
}
