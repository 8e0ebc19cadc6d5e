//! HTTP requests as components read them, and the replies that they return. Errors become problems here: the SDK
//! answers an `Err` with an empty 500.

use api::problem::{Code, MEDIA_TYPE, Problem};
use api::query::Query;
use bytes::Bytes;
use domain::token::UNKNOWN_TOKENS_WINDOW_S;
use futures::StreamExt as _;
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

/// The largest JSON body of a call that is not an upload, in bytes.
const JSON_BODY_BYTES_MAX: usize = 64 * 1024;
/// The largest JSON body of a call with a list of changes, in bytes.
const BULK_BODY_BYTES_MAX: usize = 512 * 1024;
/// The header whose value identifies a request: a retry with the same value has no second effect.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header of a reply to a request that had its effect before, under the same `Idempotency-Key`.
const IDEMPOTENT_REPLAYED: &str = "idempotent-replayed";
/// The longest value of that header, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// The header in which the host passes the client's address.
const CLIENT_ADDRESS: &str = "spin-client-addr";
/// The value of that header if the client is another component. No other client has this address.
const CHAINED_CLIENT: &str = "0.0.0.0:0";
/// The header in which a component passes on the address of its own client.
pub(crate) const FORWARDED_ADDRESS: &str = "gatehouse-client-addr";

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// An HTTP request to a component.
pub struct HttpRequest {
    /// The method, in upper case.
    pub method: String,
    /// The segments of the path, decoded.
    pub path: Vec<String>,
    /// The query parameters.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, not yet read.
    pub body: Body,
}

impl HttpRequest {
    fn new(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            method: parts.method.as_str().to_owned(),
            path: api::path::segments(parts.uri.path())?,
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            headers: parts.headers,
            body: Body { stream: body.stream() },
        })
    }

    /// The value of a header, if the request has it.
    ///
    /// # Errors
    /// The request has the header more than once, or the value is not UTF-8. To choose one of several, or to ignore it,
    /// could do something that the client did not want.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        header(&self.headers, name)
    }

    /// The value of the header `Idempotency-Key`, if the request has one. A retry has the same value.
    ///
    /// # Errors
    /// It is longer than 255 characters, or has other characters than visible ASCII characters and spaces.
    pub fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let Some(key) = self.header(IDEMPOTENCY_KEY)?.filter(|key| !key.is_empty()) else { return Ok(None) };
        if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            let reason = format!("it is longer than {IDEMPOTENCY_KEY_BYTES_MAX} characters");
            return Err(Problem::parameter(IDEMPOTENCY_KEY, reason));
        }
        if !key.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
            return Err(Problem::parameter(IDEMPOTENCY_KEY, "only visible ASCII characters and spaces are allowed"));
        }
        Ok(Some(key.to_owned()))
    }

    /// The client's network address, if the host passes it; see [`client_address`].
    pub fn client_address(&self) -> Option<&str> {
        client_address(&self.headers)
    }
}

/// The client's network address as the host passes it. For a request that another component forwards, it is the address
/// that this component forwards with it. The same header from an outside client is ignored.
pub(crate) fn client_address(headers: &HeaderMap) -> Option<&str> {
    // The last value, because a host may add its own value to the client's.
    let value = |name: &str| headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok());
    match value(CLIENT_ADDRESS) {
        Some(CHAINED_CLIENT) => value(FORWARDED_ADDRESS),
        address => address,
    }
}

/// The value of a header, if it is present; see [`HttpRequest::header`].
///
/// # Errors
/// The header is present more than once, or its value is not UTF-8.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::parameter(name, "the header is present more than once; send it once"));
    }
    let text = std::str::from_utf8(value.as_bytes());
    text.map(Some).map_err(|_| Problem::parameter(name, "the header is not UTF-8"))
}

/// The body of a request, read as a stream.
pub struct Body {
    stream: http_body_util::BodyDataStream<spin_sdk::wasip3::http_compat::IncomingRequestBody>,
}

impl Body {
    /// Reads the next bytes. Returns `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or the host stopped reading.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.stream.next().await {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => {
                Err(Problem::new(Code::ReportTruncated, format!("the body ended before it was complete: {error:?}")))
            }
        }
    }
}

/// Reads a JSON body of at most 64 KiB. An empty body means `{}`, so that a call without options needs no body.
///
/// # Errors
/// The body is too large, or does not fit `T`.
pub async fn json_body<T: DeserializeOwned>(body: &mut Body) -> Result<T, Problem> {
    json(&bytes_of(body, JSON_BODY_BYTES_MAX).await?)
}

/// Reads a JSON body of at most 512 KiB, for a call with a list of changes; see [`json_body`].
///
/// # Errors
/// The body is too large, or does not fit `T`.
pub async fn bulk_body<T: DeserializeOwned>(body: &mut Body) -> Result<T, Problem> {
    json(&bulk_bytes(body).await?)
}

/// Reads a body of at most 512 KiB. [`json`] parses it.
///
/// # Errors
/// The body is too large.
pub async fn bulk_bytes(body: &mut Body) -> Result<Vec<u8>, Problem> {
    bytes_of(body, BULK_BODY_BYTES_MAX).await
}

async fn bytes_of(body: &mut Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(more) = body.next().await? {
        bytes.extend_from_slice(&more);
        if bytes.len() > bytes_max {
            return Err(Problem::new(Code::InvalidBody, format!("the body is larger than {bytes_max} bytes")));
        }
    }
    Ok(bytes)
}

/// Parses JSON. Empty text means `{}`, so that a call without options needs no body.
///
/// # Errors
/// The text is not a JSON object, or does not fit `T`.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    // serde would read the elements of a list as the fields of a struct, in order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(Code::InvalidBody, "the body must be a JSON object"));
    }
    serde_json::from_slice(text)
        .map_err(|error| Problem::new(Code::InvalidBody, format!("the JSON body cannot be read: {error}")))
}

/// A component's reply to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body; empty if there is no body.
    pub media_type: String,
    /// The other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply with this value as JSON.
    ///
    /// # Errors
    /// The value cannot be written as JSON. That is a bug of ours.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, Problem> {
        let text = serde_json::to_string(value).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self::json_text(status, text))
    }

    /// A reply with this text, which is JSON.
    pub fn json_text(status: u16, text: impl Into<String>) -> Self {
        let body = text.into().into_bytes();
        Self { status, media_type: "application/json".to_owned(), headers: Vec::new(), body }
    }

    /// The same reply with the header `Idempotent-Replayed`, if an earlier request under the same `Idempotency-Key` had
    /// the effect.
    #[must_use]
    pub fn repeated(mut self, is_repeated: bool) -> Self {
        self.headers.extend(is_repeated.then(|| (IDEMPOTENT_REPLAYED, "true".to_owned())));
        self
    }

    /// A reply without a body: status 204.
    pub fn empty() -> Self {
        Self { status: 204, media_type: String::new(), headers: Vec::new(), body: Vec::new() }
    }

    /// A reply with this problem. `path` is the path of the request.
    fn problem(problem: &Problem, path: &[String]) -> Self {
        let status = problem.code.status();
        let allow = (status == 405).then(|| ("allow", api::calls::allowed_methods(path).join(", ")));
        let headers = headers_of(status).into_iter().chain(allow).collect();
        Self { status, media_type: MEDIA_TYPE.to_owned(), headers, body: problem.to_json() }
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let length = self.body.len();
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !self.media_type.is_empty() {
            headers.insert("content-length", HeaderValue::from(length));
            headers.extend(HeaderValue::from_str(&self.media_type).ok().map(|value| (CONTENT_TYPE, value)));
        }
        for (name, value) in self.headers {
            headers.extend(HeaderValue::from_str(&value).ok().map(|value| (HeaderName::from_static(name), value)));
        }
        // Unless the reply says otherwise, caches must not store it.
        headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

/// The headers of every reply with this status.
pub(crate) fn headers_of(status: u16) -> Vec<(&'static str, String)> {
    match status {
        401 => vec![("www-authenticate", "Bearer".to_owned())],
        // The longest time until guesses are allowed again.
        429 => vec![("retry-after", UNKNOWN_TOKENS_WINDOW_S.to_string())],
        503 => vec![("retry-after", "1".to_owned())],
        _ => Vec::new(),
    }
}

/// Answers a request with the handler's reply, or with its problem.
pub async fn serve<F>(request: Request, handler: F) -> Response<Full<Bytes>>
where
    F: AsyncFnOnce(HttpRequest) -> Result<Reply, Problem>,
{
    serve_with(request, handler, Reply::problem).await
}

/// Answers a request with the handler's reply. `problem_reply` makes the reply for a problem and the request's path.
pub async fn serve_with<F>(
    request: Request,
    handler: F,
    problem_reply: impl FnOnce(&Problem, &[String]) -> Reply,
) -> Response<Full<Bytes>>
where
    F: AsyncFnOnce(HttpRequest) -> Result<Reply, Problem>,
{
    let (path, reply) = match HttpRequest::new(request) {
        Ok(request) => (request.path.clone(), handler(request).await),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    match reply {
        Ok(reply) => reply.into_response(),
        Err(problem) => {
            if problem.code.status() >= 500 {
                eprintln!("{problem}");
            }
            problem_reply(&problem, &path).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        client_address(&headers.collect()).map(str::to_owned)
    }

    #[test]
    fn a_passed_on_address_counts_only_from_another_component() {
        let (host, forwarded) = ("spin-client-addr", "gatehouse-client-addr");
        assert_eq!(address(&[(host, "192.0.2.7:1"), (forwarded, "192.0.2.8:1")]).as_deref(), Some("192.0.2.7:1"));
        assert_eq!(address(&[(host, "0.0.0.0:0"), (forwarded, "192.0.2.8:1")]).as_deref(), Some("192.0.2.8:1"));
        assert_eq!(address(&[(host, "0.0.0.0:0"), (host, "192.0.2.7:1")]).as_deref(), Some("192.0.2.7:1"), "forged");
        assert_eq!(address(&[(host, "0.0.0.0:0")]), None);
        assert_eq!(address(&[(forwarded, "192.0.2.8:1"), ("x-forwarded-for", "192.0.2.8")]), None);
    }
}
