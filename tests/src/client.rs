//! A client of the HTTP API, with a token and for one project.

use crate::reply::Reply;
use crate::upload::Upload;
use api::v1::{ExemptionBody, ExemptionItem, IssueItem, OccurrenceItem, ScanAnswer, ScanItem, TargetItem, TokenItem};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// Time limit for an answer; longer than the embedded host's limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page of a list.
pub use api::page::Page;

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    project: String,
    token: String,
}

impl Client {
    pub(crate) fn new(url: &str, project: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(32)
            .build();
        Self { agent: config.into(), url: url.to_owned(), project: project.to_owned(), token: token.to_owned() }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same client for another project.
    pub fn in_project(&self, project: &str) -> Self {
        Self { project: project.to_owned(), ..self.clone() }
    }

    /// The same client for another address of the application.
    pub fn at(&self, url: &str) -> Self {
        Self::new(url, &self.project, &self.token)
    }

    /// The environment that gives the command line this server, project and token.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 3] {
        [("GATEHOUSE_URL", &self.url), ("GATEHOUSE_PROJECT", &self.project), ("GATEHOUSE_TOKEN", &self.token)]
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request to a path relative to the project, or to an absolute one. A missing answer is an error.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let path = match path.strip_prefix('/') {
            Some(path) => format!("/{path}"),
            None if path.is_empty() || path.starts_with('?') => format!("/api/v1/projects/{}{path}", self.project),
            None => format!("/api/v1/projects/{}/{path}", self.project),
        };
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let has_body = !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH");
        let response =
            if has_body { self.agent.run(request.body(body)?)? } else { self.agent.run(request.body(())?)? };
        Reply::read_from(format!("{method} {path}"), response)
    }

    /// Sends a request that must be answered.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Reply {
        let sent = self.try_send(method, path, headers, body);
        sent.unwrap_or_else(|error| panic!("{method} {path} was not answered: {error}"))
    }

    /// Sends JSON.
    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.send(method, path, &[("content-type", "application/json".to_owned())], body.to_string().as_bytes())
    }

    /// Sends a GET request.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Fetches something that must exist.
    #[track_caller]
    pub fn find<T: DeserializeOwned>(&self, path: &str) -> T {
        self.get(path).expect(200).read()
    }

    /// Creates the project.
    #[track_caller]
    pub fn create_project(&self) {
        self.json("PUT", "", &json!({})).expect(200);
    }

    /// A client with a new token of this role.
    #[track_caller]
    pub fn issue(&self, name: &str, role: &str) -> Self {
        let issued: TokenItem = self.json("POST", "tokens", &json!({"name": name, "role": role})).expect(201).read();
        self.with_token(&issued.token.unwrap())
    }

    /// A client with a new token of this role for this person.
    #[track_caller]
    pub fn issue_to(&self, subject: &str, name: &str, role: &str) -> Self {
        let body = json!({"name": name, "role": role, "subject": subject});
        let issued: TokenItem = self.json("POST", "tokens", &body).expect(201).read();
        self.with_token(&issued.token.unwrap())
    }

    /// Uploads; a missing answer is an error.
    pub fn try_upload(&self, upload: &Upload) -> Result<Reply, ureq::Error> {
        self.try_send("POST", &format!("scans?{}", upload.query), &upload.headers, &upload.body)
    }

    /// Uploads and accepts any answer.
    #[track_caller]
    pub fn send_upload(&self, upload: &Upload) -> Reply {
        self.try_upload(upload).unwrap_or_else(|error| panic!("the upload was not answered: {error}"))
    }

    /// Uploads and expects success.
    #[track_caller]
    pub fn upload(&self, upload: &Upload) -> ScanAnswer {
        self.send_upload(upload).expect(201).read()
    }

    /// One page of a list.
    #[track_caller]
    pub fn page<T: DeserializeOwned>(&self, path: &str) -> Page<T> {
        self.find(path)
    }

    /// All items of a list, page by page.
    #[track_caller]
    pub fn all<T: DeserializeOwned>(&self, path: &str, limit: usize) -> Vec<T> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut page: Page<T> = self.page(&format!("{path}{sign}limit={limit}"));
        let mut items = page.items;
        while let Some(next) = page.next {
            page = self.page(&format!("{path}{sign}limit={limit}&cursor={next}"));
            assert!(!page.items.is_empty(), "{path}: a page after a cursor is empty");
            items.extend(page.items);
        }
        items
    }

    /// All scans, the newest first.
    #[track_caller]
    pub fn scans(&self) -> Vec<ScanItem> {
        self.all("scans", 100)
    }

    /// All issues of a scan.
    #[track_caller]
    pub fn issues(&self, scan: &ScanAnswer, filter: &str) -> Vec<IssueItem> {
        self.all(&format!("scans/{}/issues{filter}", scan.scan.id), 500)
    }

    /// All occurrences of a scan.
    #[track_caller]
    pub fn occurrences(&self, scan: &ScanAnswer) -> Vec<OccurrenceItem> {
        self.all(&format!("scans/{}/occurrences", scan.scan.id), 500)
    }

    /// All targets.
    #[track_caller]
    pub fn targets(&self) -> Vec<TargetItem> {
        self.all("targets", 500)
    }

    /// All exemptions.
    #[track_caller]
    pub fn exemptions(&self) -> Vec<ExemptionItem> {
        self.all("exemptions", 100)
    }

    /// Sets a target's baseline.
    #[track_caller]
    pub fn set_baseline(&self, target: &str, variant: &str) {
        let path = format!("targets/{}", api::path::segment(target));
        self.json("PATCH", &path, &json!({"baseline": {"variant": variant}})).expect(200);
    }

    /// Requests an exemption of an issue and accepts any answer.
    #[track_caller]
    pub fn ask_exemption(&self, target: &str, issue: &str) -> Reply {
        let body = ExemptionBody {
            issue: issue.to_owned(),
            scope: "target".to_owned(),
            target: Some(target.to_owned()),
            duration_days: Some(30),
            reason: "acceptable_risk".to_owned(),
            text: "The risk is known.".to_owned(),
            ..ExemptionBody::default()
        };
        self.json("POST", "exemptions", &serde_json::to_value(body).unwrap())
    }

    /// Requests an exemption of an issue.
    #[track_caller]
    pub fn request_exemption(&self, target: &str, issue: &IssueItem) -> ExemptionItem {
        self.ask_exemption(target, &issue.id.to_string()).expect(201).read()
    }

    /// Decides on an exemption and accepts any answer.
    #[track_caller]
    pub fn decide(&self, exemption: &str, verb: &str) -> Reply {
        self.json("POST", &format!("exemptions/{exemption}/{verb}"), &json!({"comment": "decided"}))
    }
}
