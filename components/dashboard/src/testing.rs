//! An API that answers what a test says, and a visit of somebody to it.

use crate::client::Api;
use crate::session::Session;
use crate::visit::Visit;
use api::Problem;
use api::query::Query;
use domain::role::Role;
use domain::time::Timestamp;
use guest::Reply;
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// When all visits of tests are.
pub(crate) const NOW_MS: i64 = 1_795_536_000_000;

/// What the API answers, by method and path with its query. What no test spoke of is not there.
#[derive(Default)]
pub(crate) struct FakeApi {
    answers: BTreeMap<String, Reply>,
    /// The calls that changed something, with their bodies.
    pub(crate) sent: RefCell<Vec<(String, String)>>,
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
    async fn call(&self, method: &str, path: &str, body: Option<Vec<u8>>) -> Result<Reply, Problem> {
        let call = format!("{method} {path}");
        if method != "GET" {
            let body = String::from_utf8(body.unwrap_or_default()).unwrap();
            self.sent.borrow_mut().push((call.clone(), body));
        }
        let missing = Problem::not_found(format!("the test says nothing of {call}"));
        let reply = self.answers.get(&call).cloned();
        Ok(reply.unwrap_or_else(|| Reply::json_text(404, String::from_utf8(missing.to_json()).unwrap())))
    }
}

/// Somebody with this role in the project `shop`.
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

/// Runs `test` with a visit of somebody to a page.
pub(crate) fn visiting<T>(
    api: &FakeApi,
    session: &Session,
    here: &str,
    test: impl AsyncFnOnce(&Visit<'_, &FakeApi>) -> T,
) -> T {
    let query = Query::parse(here.split_once('?').map_or("", |(_, query)| query)).unwrap();
    let visit = Visit {
        api,
        session,
        now: Timestamp::from_ms(NOW_MS),
        here,
        query: &query,
        origin: "http://gatehouse.test",
        from_here: true,
    };
    futures::executor::block_on(test(&visit))
}

/// A reply's text.
pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// The answer to an upload of a branch: 3 issues only there, 2 in the baseline too, the gate closed.
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

/// An issue of this title, new in one place.
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
