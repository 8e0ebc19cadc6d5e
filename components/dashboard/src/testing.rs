//! A fake API and page requests for tests.

use crate::client::Api;
use crate::request::{Method, PageRequest};
use crate::session::Session;
use api::Problem;
use api::query::Query;
use domain::role::Role;
use domain::time::Timestamp;
use guest::Reply;
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The time of all requests in tests.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

/// An API with fixed answers, by method and path with query. All other calls answer `not_found`.
#[derive(Default)]
pub(crate) struct FakeApi {
    answers: BTreeMap<String, Reply>,
    /// The calls other than `GET`, with their bodies.
    pub(crate) sent: RefCell<Vec<(String, String)>>,
    /// The versions of those calls, in `If-Match`.
    pub(crate) versions: RefCell<Vec<u64>>,
}

impl FakeApi {
    /// Answers this call with JSON.
    pub(crate) fn answer(mut self, call: &str, value: &impl Serialize) -> Self {
        self.answers.insert(call.to_owned(), Reply::json(200, value).unwrap());
        self
    }

    /// Answers this call with a problem.
    pub(crate) fn refuse(mut self, call: &str, problem: &Problem) -> Self {
        let text = String::from_utf8(problem.to_json()).unwrap();
        self.answers.insert(call.to_owned(), Reply::json_text(problem.code.status(), text));
        self
    }
}

impl Api for &FakeApi {
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>, on: Option<u64>) -> Result<Reply, Problem> {
        let call = format!("{method} {path}");
        if method != "GET" {
            let body = String::from_utf8(body.unwrap_or_default()).unwrap();
            self.versions.borrow_mut().extend(on);
            self.sent.borrow_mut().push((call.clone(), body));
        }
        let missing = Problem::not_found(format!("the test has no answer for {call}"));
        let reply = self.answers.get(&call).cloned();
        Ok(reply.unwrap_or_else(|| Reply::json_text(404, String::from_utf8(missing.to_json()).unwrap())))
    }
}

/// The session of `ann`, with this role in the project `shop`.
pub(crate) fn session(role: Role) -> Session {
    Session {
        token: "gate_x".to_owned(),
        csrf: "c".repeat(32),
        subject: "ann".to_owned(),
        role,
        project: Some("shop".to_owned()),
        some_targets: false,
        since: Timestamp::from_ms(NOW_MS),
    }
}

/// Runs `test` with a `GET` request for a page.
pub(crate) fn with_get<T>(
    api: &FakeApi,
    session: &Session,
    url: &str,
    test: impl AsyncFnOnce(&PageRequest<'_, &FakeApi>) -> T,
) -> T {
    with_request(api, session, Method::Get, url, test)
}

/// Runs `test` with a request for a page.
pub(crate) fn with_request<T>(
    api: &FakeApi,
    session: &Session,
    method: Method<'_>,
    url: &str,
    test: impl AsyncFnOnce(&PageRequest<'_, &FakeApi>) -> T,
) -> T {
    let query = Query::parse(url.split_once('?').map_or("", |(_, query)| query)).unwrap();
    let request = PageRequest {
        api,
        session,
        now: Timestamp::from_ms(NOW_MS),
        method,
        url,
        query: &query,
        origin: "http://gatehouse.test",
        from_own_page: true,
    };
    futures::executor::block_on(test(&request))
}

/// The body of a reply as text.
pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// The answer for a scan of a branch: 3 new issues, 2 common ones, 4 exempted ones, verdict fail.
pub(crate) fn scan() -> Value {
    json!({
        "scan": {
            "id": SCAN, "project": "shop", "target": {"name": "web", "type": "repository"}, "variant": "feature",
            "scanner": "bandit", "format": "bandit", "fail_on_severity": "critical",
            "received_at": "2026-11-24T15:00:00.000Z", "uploaded_by": "ci", "pipeline": "build", "execution": "17"
        },
        "verdict": "fail",
        "reasons": ["fail_on_severity is set to critical and that threshold was reached."],
        "variables": {"CRITICAL": "1", "HIGH": "0", "MEDIUM": "2", "LOW": "2", "IGNORED": "4", "TOTAL": "5"},
        "comparison": {"with": "baseline", "variant": "main", "scan": OTHER},
        "issues": {"new": 3, "common": 2, "remediated": 0, "exempted": 4},
        "occurrences": {"new": 3, "common": 2, "remediated": 0, "exempted": 4},
        "report": {
            "results": 18, "findings": 18, "passed": 0, "not_applicable": 0, "closed": 0, "suppressed": 0, "rejected": [],
            "rejected_total": 0, "scanner_errors": [], "scanner_errors_total": 0, "cut_fields": 0, "complete": true
        }
    })
}

/// An issue with this title and one new occurrence.
pub(crate) fn issue(title: &str) -> Value {
    json!({
        "id": ISSUE, "rule": "B602", "title": title, "message": "subprocess call with shell=True", "kind": "code",
        "severity": "critical", "score": 9.5, "score_source": "scanner_word", "cwes": [78], "references": [], "key": [],
        "bucket": "new", "exempted": false,
        "first_seen": {"scan": SCAN, "at": "2026-11-24T15:00:00.000Z", "variant": "feature", "age_days": 0},
        "occurrences": {"total": 1, "new": 1, "common": 0, "remediated": 0}
    })
}

/// The occurrence of that issue.
pub(crate) fn occurrence() -> Value {
    json!({
        "id": OTHER, "issue": ISSUE, "result": 0, "bucket": "new", "rule": "B602", "title": "t", "message": "m",
        "first_seen": {"scan": SCAN, "at": "2026-11-24T15:00:00.000Z", "variant": "feature", "age_days": 0},
        "severity": "critical", "severity_word": "HIGH", "path": "src/app.py", "line": 8,
        "code": {"first_line": 7, "lines": ["def run(arg):", "    subprocess.call(arg, shell=True)"]},
        "raw": {"more_info": "javascript:alert(1)"}
    })
}

/// The id of [`scan`].
pub(crate) const SCAN: &str = "01010101010101010101010101010101";
/// The id of [`issue`].
pub(crate) const ISSUE: &str = "02020202020202020202020202020202";
/// The id of another scan, and of [`occurrence`].
pub(crate) const OTHER: &str = "03030303030303030303030303030303";
