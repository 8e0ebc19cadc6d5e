//! An answer, read to its end, and expectations about it.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The request, for messages.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON; null if it is not JSON.
    pub json: Value,
}

impl Reply {
    pub(crate) fn read_from(
        request: String,
        mut response: ureq::http::Response<ureq::Body>,
    ) -> Result<Self, ureq::Error> {
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Self { request, status: response.status().as_u16(), headers: response.headers().clone(), body, json })
    }

    /// The beginning of the body, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }

    /// All of the body as text.
    pub fn whole_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Expects this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.text());
        self
    }

    /// The body, parsed as this type.
    #[track_caller]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.request, self.text()))
    }

    /// Describes why this answer is not the expected problem, if it is not. An empty code allows any.
    pub fn problem_fault(&self, status: u16, code: &str) -> Option<String> {
        let media_type = self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = self.json["type"].as_str().unwrap_or_default();
        let right = self.status == status
            && media_type == "application/problem+json"
            && kind.strip_prefix("urn:gatehouse:problem:").is_some_and(|found| code.is_empty() || found == code)
            && self.json["status"] == status
            && self.json["title"].as_str().is_some_and(|title| !title.is_empty())
            && self.json["detail"].as_str().is_some_and(|detail| !detail.is_empty());
        (!right).then(|| format!("expected {status} {code}, got {} ({media_type}) {}", self.status, self.text()))
    }

    /// Expects this problem.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        if let Some(fault) = self.problem_fault(status, code) {
            panic!("{}: {fault}", self.request);
        }
    }
}
