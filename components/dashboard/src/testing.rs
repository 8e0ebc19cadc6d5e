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
    let visit =
        Visit { api, session, now: Timestamp::from_ms(NOW_MS), here, query: &query, origin: "http://gatehouse.test" };
    futures::executor::block_on(test(&visit))
}

/// A reply's text.
pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}
