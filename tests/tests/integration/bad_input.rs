//! Bad input is refused with a problem that names it, and leaves nothing in the store; unusual input is accepted
//! unchanged.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod bodies;
mod exemptions;
mod hostile;
mod parameters;
mod tokens;

use api::v1::ScanAnswer;
use domain::ids::{ScanId, TargetId};
use domain::journal::JournalId;
use serde_json::Value;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use store::keys;
use tests::{App, Client, Options, Reply, Store, Upload, reports};

/// Time limit for the removal of keys that a refused request wrote.
const CLEARING: Duration = Duration::from_secs(5);

/// The project of every test here.
const PROJECT: &str = "shop";

/// Prefixes of the keys of scans, heads and the project's exemptions.
fn watched() -> [String; 3] {
    let before = |key: String, id: &str| key.split(id).next().unwrap().to_owned();
    let (scan, target) = (ScanId::from_bits([0; 16]), TargetId::from_bits([0; 16]));
    let head = keys::head(target, &"main".parse().unwrap(), &"bandit".parse().unwrap(), &[]);
    let exemptions = JournalId::Exemptions { project: PROJECT.parse().unwrap() };
    [
        before(keys::scan(scan), &scan.to_string()),
        before(head, &target.to_string()),
        before(keys::journal_snapshot(&exemptions), "snap"),
    ]
}

/// The watched keys that refused requests left. The journal of exemptions keeps refused events for the audit log; its
/// state may be stored meanwhile.
fn left(before: &[String], after: &[String]) -> Vec<String> {
    let [.., journal] = watched();
    let is_record = |key: &str| {
        let refused = || after.contains(&format!("{key}:refused"));
        let rest = key.strip_prefix(&journal);
        rest.is_some_and(|rest| rest == "seq" || rest.starts_with("snap") || rest.ends_with(":refused") || refused())
    };
    after.iter().filter(|key| !before.contains(key) && !is_record(key)).cloned().collect()
}

#[test]
fn every_watched_kind_of_key_exists() {
    let bench = Bench::new();
    let issue = bench.developer.issues(&bench.scan, "").remove(0);
    bench.developer.request_exemption("web", &issue);
    let keys = bench.app.store_file().keys();
    for start in watched() {
        assert!(keys.iter().any(|key| key.starts_with(&start)), "no key begins with {start}");
    }
}

/// A project with one scan, and the faults so far.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) admin: Client,
    pub(crate) developer: Client,
    pub(crate) secops: Client,
    pub(crate) viewer: Client,
    pub(crate) scan: ScanAnswer,
    faults: RefCell<Vec<String>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_flags(Vec::new())
    }

    pub(crate) fn with_flags(flags: Vec<&'static str>) -> Self {
        let app = App::start(Options { flags, ..Options::on(Store::Sqlite) });
        let admin = app.admin(PROJECT);
        admin.create_project();
        let [developer, secops, viewer] =
            [("dev", "developer"), ("sec", "secops"), ("eve", "viewer")].map(|(name, role)| admin.issue(name, role));
        let scan = developer.upload(&Upload::new("web", "main", reports::generated(10, 1)));
        Self { app, admin, developer, secops, viewer, scan, faults: RefCell::default() }
    }

    /// Adds a fault if the answer is not this problem.
    pub(crate) fn check(&self, name: &str, reply: &Reply, status: u16, code: &str) {
        self.faults.borrow_mut().extend(reply.problem_fault(status, code).map(|fault| format!("{name}: {fault}")));
    }

    /// Adds a fault.
    pub(crate) fn note(&self, fault: String) {
        self.faults.borrow_mut().push(fault);
    }

    /// An upload of a body with the usual parameters.
    pub(crate) fn body(&self, name: &str, body: impl Into<Vec<u8>>, status: u16, code: &str) {
        self.upload(name, &Upload::new("web", "main", body), status, code);
    }

    /// An upload by the developer.
    pub(crate) fn upload(&self, name: &str, upload: &Upload, status: u16, code: &str) {
        match self.developer.try_upload(upload) {
            Ok(reply) => self.check(name, &reply, status, code),
            Err(error) => self.note(format!("{name}: no answer: {error}")),
        }
    }

    /// Everything that a project's readers can see, and every key of a scan or an exemption in the store.
    fn state(&self) -> (Vec<Vec<Value>>, Vec<String>) {
        let lists = ["scans", "targets", "exemptions"].map(|list| self.admin.all::<Value>(list, 100));
        let (keys, watched) = (self.app.store_file().keys(), watched());
        let kept = |key: &String| watched.iter().any(|start| key.starts_with(start));
        (lists.to_vec(), keys.into_iter().filter(kept).collect())
    }

    /// Runs requests that must all be refused without a trace.
    pub(crate) fn refuses(self, requests: impl FnOnce(&Self)) {
        let before = self.state();
        requests(&self);
        // Keys of an aborted request may be removed only after its answer.
        let deadline = Instant::now() + CLEARING;
        let mut after = self.state();
        while !left(&before.1, &after.1).is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
            after = self.state();
        }
        if after.0 != before.0 {
            let changed = after.0.iter().flatten().filter(|item| !before.0.iter().flatten().any(|old| old == *item));
            let changed: Vec<_> = changed.map(|item| item.to_string().chars().take(200).collect::<String>()).collect();
            self.note(format!("refused requests changed something: {changed:#?}"));
        }
        let left = left(&before.1, &after.1);
        if !left.is_empty() {
            self.note(format!("refused requests left {} keys: {left:#?}", left.len()));
        }
        self.done();
    }

    /// Fails with all faults, if there are any.
    pub(crate) fn done(self) {
        let faults = self.faults.take();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}
