//! A client of the web pages that shows every header, redirect and byte, which a browser hides.

use crate::reply::Reply;
use flate2::read::GzDecoder;
use std::io::Read as _;
use std::time::Duration;

/// Time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A visitor, with at most one cookie.
#[derive(Debug, Clone)]
pub struct Visitor {
    agent: ureq::Agent,
    url: String,
    cookie: Option<String>,
}

impl Visitor {
    /// A visitor of the application at this address who is not signed in.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { agent: config.into(), url: url.to_owned(), cookie: None }
    }

    /// The same visitor, signed in with this token.
    #[track_caller]
    pub fn signed_in(&self, token: &str) -> Self {
        let reply = self.post("/sign-in", &[], &[("token", token)]).expect(303);
        let cookie = reply.headers["set-cookie"].to_str().unwrap();
        let (pair, _) = cookie.split_once(';').unwrap();
        Self { cookie: Some(pair.to_owned()), ..self.clone() }
    }

    /// The cookie, as sent.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answered = match method {
            "POST" | "PUT" => self.agent.run(request.body(body).unwrap()),
            _ => self.agent.run(request.body(()).unwrap()),
        };
        let read = answered.and_then(|response| Reply::read_from(format!("{method} {path}"), response));
        read.unwrap_or_else(|error| panic!("{method} {path} was not answered: {error}"))
    }

    /// Fetches a page.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Submits a form.
    #[track_caller]
    pub fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", api::path::segment(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = std::iter::once(form).chain(headers.iter().copied()).collect();
        self.send("POST", path, &headers, body.as_bytes())
    }

    /// The token against cross-site request forgery in the page's forms.
    #[track_caller]
    pub fn csrf(&self, path: &str) -> String {
        let page = self.get(path).expect(200).whole_text();
        let value = page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        value.unwrap_or_else(|| panic!("{path} has no form")).0.to_owned()
    }

    /// The transferred bytes of a first visit: the page and everything it loads.
    #[track_caller]
    pub fn weight(&self, path: &str) -> usize {
        let sent = |path: &str| self.send("GET", path, &[("accept-encoding", "gzip")], b"");
        let page = sent(path);
        let html = unpacked(&page);
        let loaded = html.split('"').filter(|text| text.starts_with("/assets/"));
        let loaded: std::collections::BTreeSet<&str> = loaded.collect();
        assert!(loaded.len() >= 3, "{path} loads {loaded:?}");
        page.body.len() + loaded.into_iter().map(|path| sent(path).expect(200).body.len()).sum::<usize>()
    }
}

/// The body of a reply as text, whether it is compressed or not.
pub fn unpacked(reply: &Reply) -> String {
    if reply.headers.get("content-encoding").is_none() {
        return reply.whole_text();
    }
    let mut text = String::new();
    GzDecoder::new(reply.body.as_slice()).read_to_string(&mut text).unwrap();
    text
}
