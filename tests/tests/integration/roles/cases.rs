//! The table: each call, who may make it, and an example of it that succeeds.

use super::NO_ID;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use tests::{ADMIN, App, Client, Upload, reports};

/// The project that all examples are in.
pub(crate) const PROJECT: &str = "shop";
/// The parameters of the examples' scan.
const UPLOAD: &str = "scanner=bandit&target=web&variant=main&pipeline=nightly&execution=1";
/// The roles in a project.
pub(crate) const ROLES: [&str; 5] = ["uploader", "viewer", "developer", "secops", "admin"];

const ANY_TOKEN: &str = "uploader viewer developer secops admin account neighbour";
const READERS: &str = "viewer developer secops admin account";
const UPLOADERS: &str = "uploader developer secops admin account";
const DEVELOPERS: &str = "developer secops admin account";
const REVIEWERS: &str = "secops admin account";
const ADMINS: &str = "admin account";
const ACCOUNT: &str = "account";

/// A call.
pub(crate) struct Case {
    pub(crate) method: &'static str,
    /// The path in the document.
    pub(crate) path: &'static str,
    /// The permitted callers: roles, `account` (the account admin), or `everybody`.
    pub(crate) permitted: &'static str,
    /// The expected status.
    pub(crate) status: u16,
    /// Creates everything that the call needs, and an example of the call, which works once.
    pub(crate) example: fn(&World) -> Example,
}

const fn case(
    method: &'static str,
    path: &'static str,
    permitted: &'static str,
    status: u16,
    example: fn(&World) -> Example,
) -> Case {
    Case { method, path, permitted, status, example }
}

/// One row per call. A call without a row fails, and a row without a call.
pub(crate) const CASES: &[Case] = &[
    case("GET", "/api/v1/scanners", "everybody", 200, |_| Example::of(&[])),
    case("GET", "/api/v1/openapi.json", "everybody", 200, |_| Example::of(&[])),
    case("GET", "/api/v1/me", ANY_TOKEN, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects", ANY_TOKEN, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/tokens", ACCOUNT, 200, |_| Example::of(&[])),
    case("POST", "/api/v1/tokens", ACCOUNT, 201, |_| Example::of(&[]).body(&json!({"name": "root"}))),
    case("DELETE", "/api/v1/tokens/{token}", ACCOUNT, 204, |world| {
        Example::of(&[("token", &world.new_token("/api/v1/tokens", &json!({"name": "spare"})))])
    }),
    case("GET", "/api/v1/audit", ACCOUNT, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/audit", REVIEWERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}", READERS, 200, |_| Example::of(&[])),
    case("PUT", "/api/v1/projects/{project}", ADMINS, 200, |_| Example::of(&[]).body(&json!({}))),
    // The role secops may change this setting and two others; the suite `security` tests which.
    case("PATCH", "/api/v1/projects/{project}", REVIEWERS, 200, |_| {
        Example::of(&[]).body(&json!({"tool_suppressions": "ignored"}))
    }),
    case("GET", "/api/v1/projects/{project}/settings-request", READERS, 200, |world| {
        world.requested_settings();
        Example::of(&[])
    }),
    case("POST", "/api/v1/projects/{project}/settings-request", DEVELOPERS, 201, |world| {
        Example::of(&[]).body(&world.settings_request())
    }),
    case("POST", "/api/v1/projects/{project}/settings-request/approve", REVIEWERS, 200, World::requested_settings),
    case("POST", "/api/v1/projects/{project}/settings-request/reject", REVIEWERS, 200, World::requested_settings),
    // Only the requester can withdraw it, as with baselines below.
    case("POST", "/api/v1/projects/{project}/settings-request/withdraw", DEVELOPERS, 409, World::requested_settings),
    case("GET", "/api/v1/projects/{project}/tokens", ADMINS, 200, |_| Example::of(&[])),
    case("POST", "/api/v1/projects/{project}/tokens", ADMINS, 201, |_| {
        Example::of(&[]).body(&json!({"name": "another", "role": "viewer"}))
    }),
    case("DELETE", "/api/v1/projects/{project}/tokens/{token}", ADMINS, 204, |world| {
        Example::of(&[("token", &world.new_token("tokens", &json!({"name": "spare", "role": "viewer"})))])
    }),
    case("GET", "/api/v1/projects/{project}/targets", READERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/targets/{target}", READERS, 200, |_| Example::of(&[("target", "web")])),
    case("PATCH", "/api/v1/projects/{project}/targets/{target}", DEVELOPERS, 200, |_| {
        Example::of(&[("target", "web")]).body(&json!({"baseline": {"variant": "main"}}))
    }),
    case("GET", "/api/v1/projects/{project}/baseline-requests", READERS, 200, |_| Example::of(&[])),
    case("POST", "/api/v1/projects/{project}/targets/{target}/baseline-request", DEVELOPERS, 201, |world| {
        let body = json!({"baseline": {"variant": "next"}, "reason": "The release moved."});
        Example::of(&[("target", &world.new_target())]).body(&body)
    }),
    case("POST", "/api/v1/projects/{project}/targets/{target}/baseline-request/approve", REVIEWERS, 200, |world| {
        world.requested_baseline()
    }),
    case("POST", "/api/v1/projects/{project}/targets/{target}/baseline-request/reject", REVIEWERS, 200, |world| {
        world.requested_baseline()
    }),
    // Only the requester can withdraw it, so for everybody else with the right it is a conflict.
    case("POST", "/api/v1/projects/{project}/targets/{target}/baseline-request/withdraw", DEVELOPERS, 409, |world| {
        world.requested_baseline()
    }),
    case("GET", "/api/v1/projects/{project}/targets/{target}/variants", READERS, 200, |_| {
        Example::of(&[("target", "web")])
    }),
    case("POST", "/api/v1/projects/{project}/scans", UPLOADERS, 201, |_| Example {
        body: reports::generated(3, 1),
        ..Example::of(&[]).with("scanner", "bandit").with("target", "web").with("variant", "feature")
    }),
    case("POST", "/api/v1/projects/{project}/scans/{scan}/replay", DEVELOPERS, 200, |world| {
        Example::of(&[("scan", &world.scan)]).body(&json!({}))
    }),
    case("POST", "/api/v1/projects/{project}/scans/{scan}/accept", REVIEWERS, 200, |world| {
        Example::of(&[("scan", &world.new_failed_scan())]).body(&json!({"comment": "It is known."}))
    }),
    case("POST", "/api/v1/projects/{project}/scans/{scan}/accept-request", DEVELOPERS, 201, |world| {
        Example::of(&[("scan", &world.new_failed_scan())]).body(&json!({"reason": "It is known."}))
    }),
    case("POST", "/api/v1/projects/{project}/scans/{scan}/accept-request/reject", REVIEWERS, 200, |world| {
        world.requested_accept()
    }),
    // Only the requester can withdraw it.
    case("POST", "/api/v1/projects/{project}/scans/{scan}/accept-request/withdraw", DEVELOPERS, 409, |world| {
        world.requested_accept()
    }),
    case("GET", "/api/v1/projects/{project}/accept-requests", READERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/scans", READERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/scans/{scan}", READERS, 200, |world| Example::of(&[("scan", &world.scan)])),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/issues", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan)])
    }),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/issues/{issue}", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan), ("issue", &world.issue)])
    }),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/compare/{other}", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan), ("other", &world.scan)])
    }),
    case("GET", "/api/v1/projects/{project}/issues/{issue}/targets", READERS, 200, |world| {
        Example::of(&[("issue", &world.issue)]).with("scan", &world.scan)
    }),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/issues/{issue}/occurrences", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan), ("issue", &world.issue)])
    }),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/occurrences", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan)])
    }),
    case("GET", "/api/v1/projects/{project}/scans/{scan}/explain/{occurrence}", READERS, 200, |world| {
        Example::of(&[("scan", &world.scan), ("occurrence", &world.occurrence)])
    }),
    case("GET", "/api/v1/projects/{project}/overview", READERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}", READERS, 200, |_| {
        Example::of(&[("pipeline", "nightly"), ("execution", "1")])
    }),
    case("GET", "/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}/issues", READERS, 200, |_| {
        Example::of(&[("pipeline", "nightly"), ("execution", "1")])
    }),
    case("GET", "/api/v1/projects/{project}/exemptions", READERS, 200, |_| Example::of(&[])),
    case("POST", "/api/v1/projects/{project}/exemptions", DEVELOPERS, 201, |world| {
        Example::of(&[]).body(&world.request())
    }),
    case("POST", "/api/v1/projects/{project}/exemptions/requests", DEVELOPERS, 201, |world| {
        Example::of(&[]).body(&json!({"requests": [world.request(), world.request()]}))
    }),
    case("POST", "/api/v1/projects/{project}/exemptions/decisions", DEVELOPERS, 200, |world| {
        Example::of(&[]).body(&json!({"decisions": [{"id": world.developers_exemption(), "decision": "cancel"}]}))
    }),
    case("GET", "/api/v1/projects/{project}/exemptions/unused", READERS, 200, |_| Example::of(&[])),
    case("GET", "/api/v1/projects/{project}/exemptions/{exemption}", READERS, 200, World::pending),
    case("GET", "/api/v1/projects/{project}/exemptions/{exemption}/preview", READERS, 200, World::pending),
    case("POST", "/api/v1/projects/{project}/exemptions/{exemption}/approve", REVIEWERS, 200, World::pending),
    case("POST", "/api/v1/projects/{project}/exemptions/{exemption}/reject", REVIEWERS, 200, World::pending),
    case("POST", "/api/v1/projects/{project}/exemptions/{exemption}/cancel", DEVELOPERS, 200, |world| {
        Example::of(&[("exemption", &world.developers_exemption())])
    }),
    case("POST", "/api/v1/projects/{project}/exemptions/{exemption}/reopen", DEVELOPERS, 200, |world| {
        let exemption = world.new_exemption();
        world.account.decide(&exemption, "reject").expect(200);
        Example::of(&[("exemption", &exemption)])
    }),
];

/// An example of a call.
#[derive(Clone)]
pub(crate) struct Example {
    /// The parameters of the path, without the project.
    names: BTreeMap<&'static str, String>,
    query: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Example {
    fn of(names: &[(&'static str, &str)]) -> Self {
        let names = names.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { names, query: BTreeMap::new(), body: Vec::new() }
    }

    fn body(self, body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..self }
    }

    /// With this query parameter.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.query.insert(name.to_owned(), value.to_owned());
        changed
    }

    /// Without this query parameter.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.query.remove(name);
        changed
    }

    /// The same example with unused names in the path.
    pub(crate) fn with_nothing_there(&self) -> Self {
        let names = self.names.keys().map(|name| (*name, NO_ID.to_owned())).collect();
        Self { names, ..self.clone() }
    }

    /// Path and query.
    pub(crate) fn path(&self, template: &str, project: &str) -> String {
        let mut path = template.replace("{project}", project);
        for (name, value) in &self.names {
            path = path.replace(&format!("{{{name}}}"), &api::path::segment(value));
        }
        assert!(!path.contains('{'), "{path}: the example lacks a name");
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| format!("{name}={}", api::path::segment(value))).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

/// An application with a project, one of its scans, and a caller of each kind.
pub(crate) struct World {
    _app: App,
    /// The account admin.
    pub(crate) account: Client,
    callers: Vec<(&'static str, Client)>,
    /// Requests the exemptions that others decide on.
    requester: Client,
    scan: String,
    issue: String,
    occurrence: String,
    /// Number of exemptions requested, each for its own pipeline, because equal requests cannot be pending together.
    requested: Cell<u32>,
}

impl World {
    pub(crate) fn new() -> Self {
        let app = App::new();
        let account = app.admin(PROJECT);
        account.create_project();
        let neighbours = account.in_project("other");
        neighbours.create_project();
        let mut callers: Vec<_> = ROLES.iter().map(|role| (*role, account.issue(role, role))).collect();
        callers.push(("anonymous", account.with_token("")));
        callers.push(("stranger", account.with_token("gate_wrong")));
        callers.push(("neighbour", neighbours.issue("neighbour", "admin")));
        callers.push(("account", account.with_token(ADMIN)));
        let requester = account.issue("requester", "developer");
        let upload = Upload::with_query(UPLOAD, reports::generated(10, 1));
        let scan = requester.upload(&upload);
        let (issue, occurrence) = (requester.issues(&scan, "").remove(0), requester.occurrences(&scan).remove(0));
        let (scan, issue, occurrence) = (scan.scan.id.to_string(), issue.id.to_string(), occurrence.id.to_string());
        // A token that is new to the address would be refused once the stranger has guessed too often.
        for (_, client) in callers.iter().filter(|(name, _)| !["anonymous", "stranger"].contains(name)) {
            assert_ne!(client.get("").status, 401);
        }
        Self { _app: app, account, callers, requester, scan, issue, occurrence, requested: Cell::new(0) }
    }

    /// Every caller, by name.
    pub(crate) fn callers(&self) -> impl Iterator<Item = (&'static str, &Client)> {
        self.callers.iter().map(|(name, client)| (*name, client))
    }

    /// A new token's id.
    fn new_token(&self, path: &str, body: &Value) -> String {
        let issued = self.account.json("POST", path, body).expect(201);
        issued.json["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A new target with a scan of its main branch.
    fn new_target(&self) -> String {
        self.requested.set(self.requested.get() + 1);
        let target = format!("t{}", self.requested.get());
        self.requester.upload(&Upload::new(&target, "main", reports::generated(3, 1)));
        target
    }

    /// A scan that did not pass, of a branch that is compared with itself.
    fn new_failed_scan(&self) -> String {
        let upload = Upload::new(&self.new_target(), "main", reports::generated(4, 1)).fail_on("info");
        self.requester.upload(&upload).scan.id.to_string()
    }

    /// A decision on a new request to accept a scan.
    fn requested_accept(&self) -> Example {
        let scan = self.new_failed_scan();
        let body = json!({"reason": "It is known."});
        self.requester.json("POST", &format!("scans/{scan}/accept-request"), &body).expect(201);
        Example::of(&[("scan", &scan)]).body(&json!({"comment": "no"}))
    }

    /// A decision on a new request to change a baseline.
    fn requested_baseline(&self) -> Example {
        let target = self.new_target();
        let body = json!({"baseline": {"variant": "next"}, "reason": "The release moved."});
        let made = self.requester.json("POST", &format!("targets/{target}/baseline-request"), &body).expect(201);
        let body = json!({"request": made.json["request"], "comment": "agreed"});
        Example::of(&[("target", &target)]).body(&body)
    }

    /// A request to change settings, which replaces the pending one: that is outdated, because the settings have
    /// changed.
    fn settings_request(&self) -> Value {
        self.requested.set(self.requested.get() + 1);
        let pattern = format!("unused-{}", self.requested.get());
        let changed = json!({"criteria": null, "target_criteria": {pattern: {"fail_on_new": "low"}}});
        self.account.json("PATCH", "", &changed).expect(200);
        json!({"settings": {"criteria": {"fail_on_severity": "critical"}}, "reason": "The release waits."})
    }

    /// A decision on a new request to change settings.
    fn requested_settings(&self) -> Example {
        let made = self.requester.json("POST", "settings-request", &self.settings_request()).expect(201);
        Example::of(&[]).body(&json!({"request": made.json["request"], "comment": "agreed"}))
    }

    /// A request for another exemption.
    fn request(&self) -> Value {
        self.requested.set(self.requested.get() + 1);
        json!({
            "issue": self.issue, "scope": "pipeline", "pipeline": format!("p{}", self.requested.get()), "scan": self.scan,
            "duration_days": 7, "reason": "acceptable_risk", "text": "The risk is known.",
        })
    }

    /// A new exemption's id.
    fn new_exemption(&self) -> String {
        let exemption = self.requester.json("POST", "exemptions", &self.request()).expect(201);
        exemption.json["id"].as_str().unwrap_or_default().to_owned()
    }

    /// The id of a new exemption that the caller with the role developer requested, who alone may withdraw it among
    /// developers.
    fn developers_exemption(&self) -> String {
        let developer = self.callers().find(|(name, _)| *name == "developer").map_or(&self.requester, |(_, own)| own);
        let exemption = developer.json("POST", "exemptions", &self.request()).expect(201);
        exemption.json["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A decision on a new exemption of another requester.
    fn pending(&self) -> Example {
        Example::of(&[("exemption", &self.new_exemption())])
    }
}
