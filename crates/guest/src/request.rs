//! A request taken apart for a component's job, and the job's answer put together again. Errors become problems here:
//! an `Err` given to the SDK would be an empty 500.

use api::problem::{Code, MEDIA_TYPE, Problem};
use api::query::Query;
use bytes::Bytes;
use domain::token::GUESSES_WITHIN_S;
use futures::StreamExt as _;
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

/// The largest JSON body of a call that is not an upload, in bytes.
const JSON_BODY_BYTES_MAX: usize = 64 * 1024;
/// The largest JSON body of a call that does many things at once, in bytes.
const BULK_BODY_BYTES_MAX: usize = 512 * 1024;
/// The header that names a request, so that sending it again is not a second one.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// The header in which the host says who the client is.
const CLIENT_ADDRESS: &str = "spin-client-addr";
/// What the host says there when the client is another component; nobody outside has this address.
const CHAINED_CLIENT: &str = "0.0.0.0:0";
/// The header in which that component passes on the address of its own client.
pub(crate) const FORWARDED_ADDRESS: &str = "gatehouse-client-addr";

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// A request.
pub struct Call {
    /// The method, in upper case.
    pub method: String,
    /// The path's segments, decoded.
    pub path: Vec<String>,
    /// The parameters.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, not yet read.
    pub body: Body,
}

impl Call {
    fn take(request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            method: parts.method.as_str().to_owned(),
            path: api::path::segments(parts.uri.path())?,
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            headers: parts.headers,
            body: Body { stream: body.stream() },
        })
    }

    /// A header's value, if it is there.
    ///
    /// # Errors
    /// It is there more than once, or is not UTF-8: guessing which one counts, or going on as if it were not there,
    /// would do something else than was asked for.
    pub fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        header(&self.headers, name)
    }

    /// The key under which the request may be sent again, if there is one.
    ///
    /// # Errors
    /// It is longer than 255 characters, or not of visible ASCII characters and spaces.
    pub fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let Some(key) = self.header(IDEMPOTENCY_KEY)?.filter(|key| !key.is_empty()) else { return Ok(None) };
        if key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            let what = format!("it is longer than {IDEMPOTENCY_KEY_BYTES_MAX} characters");
            return Err(Problem::parameter(IDEMPOTENCY_KEY, what));
        }
        if !key.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
            return Err(Problem::parameter(IDEMPOTENCY_KEY, "only visible ASCII characters and spaces are allowed"));
        }
        Ok(Some(key.to_owned()))
    }

    /// The client's network address as the host saw it; see [`client_address`].
    pub fn client_address(&self) -> Option<&str> {
        client_address(&self.headers)
    }
}

/// The client's network address as the host saw it. Of a request that another component sent on it is the address which
/// that one was given; whatever a client outside writes into that header is not looked at.
pub(crate) fn client_address(headers: &HeaderMap) -> Option<&str> {
    // The last one, should a host add its own to what a client sent under this name.
    let value = |name: &str| headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok());
    match value(CLIENT_ADDRESS) {
        Some(CHAINED_CLIENT) => value(FORWARDED_ADDRESS),
        address => address,
    }
}

/// A header's value, if it is there once and readable; see [`Call::header`].
///
/// # Errors
/// It is there more than once, or is not UTF-8.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::parameter(name, "the header is there more than once"));
    }
    let text = std::str::from_utf8(value.as_bytes());
    text.map(Some).map_err(|_| Problem::parameter(name, "the header is not UTF-8"))
}

/// A body as it arrives.
pub struct Body {
    stream: http_body_util::BodyDataStream<spin_sdk::wasip3::http_compat::IncomingRequestBody>,
}

impl Body {
    /// The next bytes, or nothing at the end.
    ///
    /// # Errors
    /// The connection broke, or the host refused to go on.
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

/// Reads a small JSON body. An empty one reads as `{}`, so that a call without options needs none.
///
/// # Errors
/// It is too large, or not what `T` takes.
pub async fn json_body<T: DeserializeOwned>(body: &mut Body) -> Result<T, Problem> {
    json(&bytes_of(body, JSON_BODY_BYTES_MAX).await?)
}

/// Reads the JSON body of a call that does many things at once, see [`json_body`].
///
/// # Errors
/// It is too large, or not what `T` takes.
pub async fn bulk_body<T: DeserializeOwned>(body: &mut Body) -> Result<T, Problem> {
    json(&bulk_bytes(body).await?)
}

/// Reads the body of a call that may do many things at once, to be read as JSON by [`json`].
///
/// # Errors
/// It is too large.
pub async fn bulk_bytes(body: &mut Body) -> Result<Vec<u8>, Problem> {
    bytes_of(body, BULK_BODY_BYTES_MAX).await
}

async fn bytes_of(body: &mut Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(more) = body.next().await? {
        bytes.extend_from_slice(&more);
        if bytes.len() > most {
            return Err(Problem::new(Code::InvalidBody, format!("the body is larger than {most} bytes")));
        }
    }
    Ok(bytes)
}

/// Reads JSON. Nothing reads as `{}`, so that a call without options needs no body.
///
/// # Errors
/// It is not what `T` takes.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    // serde would take the elements of a list for the fields of a struct, in their order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(Code::InvalidBody, "the body must be a JSON object"));
    }
    serde_json::from_slice(text).map_err(|error| Problem::new(Code::InvalidBody, format!("the JSON body: {error}")))
}

/// A job's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub media_type: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer.
    ///
    /// # Errors
    /// The value cannot be written as JSON, which is our fault.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, Problem> {
        let text = serde_json::to_string(value).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self::json_text(status, text))
    }

    /// An answer that is JSON already.
    pub fn json_text(status: u16, text: impl Into<String>) -> Self {
        let body = text.into().into_bytes();
        Self { status, media_type: "application/json".to_owned(), headers: Vec::new(), body }
    }

    /// An answer without a body.
    pub fn empty() -> Self {
        Self { status: 204, media_type: String::new(), headers: Vec::new(), body: Vec::new() }
    }

    /// A problem; `path` is what it was asked of.
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
        // Of an answer that says nothing else, nobody keeps a copy.
        headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

/// The headers that belong to every answer of this status.
pub(crate) fn headers_of(status: u16) -> Vec<(&'static str, String)> {
    match status {
        401 => vec![("www-authenticate", "Bearer".to_owned())],
        // What is left of the minute at most.
        429 => vec![("retry-after", GUESSES_WITHIN_S.to_string())],
        503 => vec![("retry-after", "1".to_owned())],
        _ => Vec::new(),
    }
}

/// Runs a job on a request and answers with its reply, or with its problem.
pub async fn serve<F: AsyncFnOnce(Call) -> Result<Reply, Problem>>(request: Request, job: F) -> Response<Full<Bytes>> {
    serve_with(request, job, Reply::problem).await
}

/// Runs a job on a request and answers with its reply, or with what `told` makes of its problem and of the path that it
/// was asked of.
pub async fn serve_with<F: AsyncFnOnce(Call) -> Result<Reply, Problem>>(
    request: Request,
    job: F,
    told: impl FnOnce(&Problem, &[String]) -> Reply,
) -> Response<Full<Bytes>> {
    let (path, reply) = match Call::take(request) {
        Ok(call) => (call.path.clone(), job(call).await),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    match reply {
        Ok(reply) => reply.into_response(),
        Err(problem) => {
            if problem.code.status() >= 500 {
                eprintln!("{problem}");
            }
            told(&problem, &path).into_response()
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
