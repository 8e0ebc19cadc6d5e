//! A client of the HTTP API: requests with the token, answers as the API's types, problems as errors. It does not retry
//! (`retry` does) and prints nothing. The token never appears in a message.

use std::time::Duration;

use api::page::{LIMIT_MAX, Page};
use api::path::segment;
use api::problem::Document;
use serde::{Serialize, de::DeserializeOwned};
use ureq::http::{Method, Request, Response, header};
use ureq::{Agent, Body, Proxy, SendBody};

/// Time limit for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the head of an answer; the server's limit is shorter.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(180);
/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// The number of characters shown of an answer that is not a problem document.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address is not an address of a server.
    #[error("`{0}` is not the address of a server; it begins with http:// or https://")]
    Address(String),
    /// The token is missing, or can't be sent in a header.
    #[error("{0}")]
    Token(&'static str),
    /// There was no answer, or it was incomplete.
    #[error("no answer from {url}")]
    Unreachable { url: String, source: ureq::Error },
    /// The server refused.
    #[error("{}: {}", document.title, document.detail)]
    Problem { document: Document, retry_after: Option<Duration> },
    /// The answer is not from Gatehouse: another server has the address, or a proxy answered.
    #[error("{url} answered {status} without a reason: {excerpt}")]
    Unexpected { url: String, status: u16, retry_after: Option<Duration>, excerpt: String },
    /// The answer does not have the call's type: client and server may be of different versions.
    #[error("the answer from {url} can't be read")]
    Unreadable { url: String, source: serde_json::Error },
    /// A file to be sent can't be read.
    #[error("cannot read the report again")]
    Report(#[from] std::io::Error),
}

impl Error {
    /// True if the token does not allow the call.
    pub(crate) fn is_forbidden(&self) -> bool {
        match self {
            Self::Problem { document, .. } => document.kind.ends_with(":forbidden"),
            Self::Address(_) | Self::Token(_) | Self::Unreachable { .. } | Self::Unexpected { .. } => false,
            Self::Unreadable { .. } | Self::Report(_) => false,
        }
    }

    /// Advice, if there is any.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("start a server with `gatehouse up`, or set `--url` or GATEHOUSE_URL"),
            Self::Token(_) => {
                Some("set GATEHOUSE_TOKEN to your token; an admin creates tokens with `gatehouse tokens create`")
            }
            Self::Unexpected { .. } => Some("is `--url` the address of a Gatehouse server, without a path?"),
            Self::Problem { document, .. } => match document.kind.rsplit(':').next()? {
                "unauthenticated" | "token-expired" => {
                    Some("set GATEHOUSE_TOKEN to your token; an admin creates tokens with `gatehouse tokens create`")
                }
                "too-many-attempts" => Some("wait a minute; then check the token in GATEHOUSE_TOKEN"),
                "forbidden" => Some(
                    "an uploader only uploads; the other roles each include those before them: viewer, developer, secops, admin",
                ),
                "not-found" => {
                    Some("names are case-sensitive; an admin creates projects with `gatehouse projects create`")
                }
                "idempotency-mismatch" => Some("leave `--idempotency-key` out, or use a new one for each report"),
                "wrong-tool" | "unknown-scanner" | "unknown-format" => {
                    Some("`gatehouse scanners` lists the values of `--scanner`; `auto` detects the format")
                }
                _ => None,
            },
            Self::Address(_) | Self::Unreadable { .. } | Self::Report(_) => None,
        }
    }
}

/// A client for one project of a server, or for its account.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    /// The prefix of every path.
    root: String,
    authorization: header::HeaderValue,
}

/// An upload.
pub(crate) struct Sending<'a> {
    pub(crate) parameters: &'a [(&'static str, &'a str)],
    pub(crate) key: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) gzip: bool,
    pub(crate) bytes: u64,
    pub(crate) wait_for_permission: bool,
}

impl Client {
    /// A client for `project` on the server at `url`.
    pub(crate) fn new(url: &str, project: &str, token: &str) -> Result<Self, Error> {
        Self::below(format!("/api/v1/projects/{}", segment(project)), url, token)
    }

    /// A client for the account of the server at `url`.
    pub(crate) fn account(url: &str, token: &str) -> Result<Self, Error> {
        Self::below("/api/v1".to_owned(), url, token)
    }

    fn below(root: String, url: &str, token: &str) -> Result<Self, Error> {
        let base = url.trim_end_matches('/').to_owned();
        let uri: ureq::http::Uri = base.parse().map_err(|_| Error::Address(url.to_owned()))?;
        let (Some("http" | "https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(Error::Address(url.to_owned()));
        };
        if token.is_empty() {
            return Err(Error::Token("the token is missing"));
        }
        let mut authorization = header::HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Error::Token("the token contains a character that is not allowed in tokens"))?;
        authorization.set_sensitive(true);
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(RESPONSE_TIMEOUT));
        // Requests to this machine do not go through a proxy.
        let local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        config = config.proxy(if local { None } else { Proxy::try_from_env() });
        Ok(Self { agent: config.build().new_agent(), base, root, authorization })
    }

    /// Sends a GET request.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Error> {
        let url = self.url(path, query);
        let request = self.request(Method::GET, &url);
        self.read(&url, self.agent.run(finish(request, SendBody::none())?))
    }

    /// Fetches every item of a list.
    pub(crate) fn all<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        self.pages(path, query, |page| {
            items.extend(page);
            Ok::<_, Error>(())
        })?;
        Ok(items)
    }

    /// Fetches a list page by page, and passes on each page's items.
    pub(crate) fn pages<T: DeserializeOwned, E: From<Error>>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut each: impl FnMut(Vec<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        let limit = LIMIT_MAX.to_string();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", &limit));
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let page: Page<T> = self.get(path, &query)?;
            each(page.items)?;
            match page.next {
                // A server that repeats a cursor would cause an endless loop.
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Sends a JSON body.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.send_with(method, path, &[], body)
    }

    /// Sends a JSON body for this version of what it changes: if it has another one, nothing changes.
    pub(crate) fn send_on<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
        version: u64,
    ) -> Result<T, Error> {
        let url = self.url(path, &[]);
        let request = self.request(method, &url).header(header::IF_MATCH, format!("\"{version}\""));
        self.send_json(&url, request, body)
    }

    /// Sends a JSON body with query parameters.
    pub(crate) fn send_with<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let url = self.url(path, query);
        let request = self.request(method, &url);
        self.send_json(&url, request, body)
    }

    fn send_json<T: DeserializeOwned>(
        &self,
        url: &str,
        request: ureq::http::request::Builder,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|source| Error::Unreadable { url: url.to_owned(), source })?;
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.read(url, self.agent.run(finish(request, body.as_slice())?))
    }

    /// Sends a DELETE request; the answer is empty.
    pub(crate) fn delete(&self, path: &[&str]) -> Result<(), Error> {
        let url = self.url(path, &[]);
        let request = self.request(Method::DELETE, &url);
        self.check(&url, self.agent.run(finish(request, SendBody::none())?)).map(drop)
    }

    /// Uploads a report once and returns the bytes of the answer.
    pub(crate) fn upload(&self, sending: &Sending<'_>, mut report: impl std::io::Read) -> Result<Vec<u8>, Error> {
        let url = self.url(&["scans"], sending.parameters);
        let mut request = self
            .request(Method::POST, &url)
            .header(header::CONTENT_TYPE, sending.content_type)
            .header(header::CONTENT_LENGTH, sending.bytes)
            .header("idempotency-key", sending.key);
        if sending.gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        if sending.wait_for_permission {
            // With this, a refusal is read before the server closes the connection while we still send.
            request = request.header(header::EXPECT, "100-continue");
        }
        self.check(&url, self.agent.run(finish(request, SendBody::from_reader(&mut report))?))
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> String {
        let mut url = format!("{}{}", self.base, self.root);
        for part in path {
            url.push('/');
            url.push_str(&segment(part));
        }
        if !query.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            url = format!("{url}?{query}");
        }
        url
    }

    fn request(&self, method: Method, url: &str) -> ureq::http::request::Builder {
        let request = Request::builder().method(method).uri(url).header(header::ACCEPT, "application/json");
        request.header(header::AUTHORIZATION, self.authorization.clone())
    }

    fn read<T: DeserializeOwned>(&self, url: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<T, Error> {
        let bytes = self.check(url, answer)?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Unreadable { url: self.without_query(url), source })
    }

    /// The body of a successful answer; anything else is an error.
    fn check(&self, url: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, Error> {
        let unreachable = |source| Error::Unreachable { url: self.base.clone(), source };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(match serde_json::from_slice::<Document>(&body) {
            Ok(document) => Error::Problem { document, retry_after },
            Err(_) => {
                let text = String::from_utf8_lossy(&body);
                let excerpt = text.trim().chars().take(EXCERPT_CHARACTERS_MAX).collect();
                Error::Unexpected { url: self.without_query(url), status: status.as_u16(), retry_after, excerpt }
            }
        })
    }

    /// A URL for messages: without its query.
    fn without_query(&self, url: &str) -> String {
        url.split('?').next().unwrap_or(&self.base).to_owned()
    }
}

/// A request with its body. All parts were checked before; the remaining cause of an error is an address that is too
/// long.
fn finish<B>(request: ureq::http::request::Builder, body: B) -> Result<Request<B>, Error> {
    request.body(body).map_err(|error| Error::Address(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new("http://localhost:3000/", "shop", "gate_secret").ok().unwrap()
    }

    #[test]
    fn names_are_single_segments_and_queries_are_encoded() {
        assert_eq!(
            client().url(&["targets", "github.com/org/repo"], &[("variant", "a b&c=d")]),
            "http://localhost:3000/api/v1/projects/shop/targets/github.com%2Forg%2Frepo?variant=a+b%26c%3Dd"
        );
        let account = Client::account("http://localhost:3000", "gate_secret").ok().unwrap();
        assert_eq!(account.url(&["tokens", "x/y"], &[]), "http://localhost:3000/api/v1/tokens/x%2Fy");
    }

    #[test]
    fn an_illegal_address_or_token_is_an_error_before_anything_is_sent() {
        for url in ["", "localhost", "ftp://x", "http://"] {
            assert!(matches!(Client::new(url, "p", "t"), Err(Error::Address(_))), "{url}");
        }
        assert!(matches!(Client::new("http://x", "p", ""), Err(Error::Token(_))));
        let error = Client::new("http://x", "p", "gate_\nsecret").err().unwrap();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
