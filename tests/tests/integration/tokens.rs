//! Tokens over HTTP: shown once, restricted, revoked at once, in no URL, log or store, and safe from guessing.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use api::v1::TokenItem;
use domain::ids::token_digest;
use serde_json::{Value, json};
use tests::command::gatehouse;
use tests::{App, Client, Options, Reply, Upload, each_store, embedded_only, reports};

/// Number of unknown tokens that are checked within a minute.
const GUESSES: u32 = domain::token::UNKNOWN_TOKENS_MAX;

fn project(app: &App) -> Client {
    let admin = app.admin("shop");
    admin.create_project();
    admin
}

/// Issues a token at a path; returns its item and a client with it.
fn issue(admin: &Client, path: &str, body: &Value) -> (TokenItem, Client) {
    let item: TokenItem = admin.json("POST", path, body).expect(201).read();
    let client = admin.with_token(item.token.as_deref().unwrap());
    (item, client)
}

fn revoke(admin: &Client, path: &str) -> Reply {
    admin.send("DELETE", path, &[], b"")
}

/// A request to every component that authenticates callers, including the one that is reached through another.
fn everywhere(client: &Client) -> [Reply; 5] {
    let upload = Upload::new("web", "main", reports::generated(1, 1));
    let scan = "0".repeat(32);
    [
        client.get("scans"),
        client.get(&format!("scans/{scan}")),
        client.get("targets"),
        client.get("exemptions"),
        client.send_upload(&upload),
    ]
}

#[test]
fn a_token_is_shown_once_and_only_its_digest_is_stored() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = project(&app);
        let (of_project, developer) = issue(&admin, "tokens", &json!({"name": "ci", "role": "developer"}));
        let (of_account, ann) = issue(&admin, "/api/v1/tokens", &json!({"name": "ann"}));
        for (item, role) in [(&of_project, "developer"), (&of_account, "admin")] {
            assert_eq!((item.subject.as_str(), item.role.as_str()), (item.name.as_str(), role));
            assert_eq!(item.last_used_at, None);
        }
        developer.upload(&Upload::new("web", "main", reports::generated(1, 1)));
        ann.get("").expect(200);
        for (path, issued) in [("tokens", &of_project), ("/api/v1/tokens", &of_account)] {
            let list = admin.get(path).expect(200);
            assert!(!list.whole_text().contains(issued.token.as_deref().unwrap()), "{path}");
            let items: Vec<TokenItem> = admin.all(path, 10);
            assert_eq!(items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&issued.id], "{path}");
            assert!(items[0].last_used_at.is_some() && items[0].token.is_none(), "{path}");
        }
    });
}

#[test]
fn the_store_file_contains_digests_but_no_token() {
    let mut app = App::new();
    let admin = project(&app);
    let (_, developer) = issue(&admin, "tokens", &json!({"name": "ci", "role": "developer"}));
    let (_, ann) = issue(&admin, "/api/v1/tokens", &json!({"name": "ann"}));
    developer.get("targets").expect(200);
    ann.get("targets").expect(200);
    app.stop();
    let store = app.store_file();
    let (keys, values) = (store.keys(), store.values(""));
    for token in [developer.token(), ann.token(), admin.token()] {
        let holds = |text: &String| text.contains(token);
        assert!(!keys.iter().any(holds) && !values.iter().any(holds), "the store contains a token");
        let used = format!("gh:used:{}", token_digest(token));
        assert!(keys.contains(&used), "{used} is missing");
    }
}

#[test]
fn a_revoked_token_is_refused_at_the_next_request() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = project(&app);
        admin.in_project("other").create_project();
        let (dead, developer) = issue(&admin, "tokens", &json!({"name": "ci", "role": "developer"}));
        let (gone, ann) = issue(&admin, "/api/v1/tokens", &json!({"name": "ann", "subject": "ann@example.org"}));
        developer.upload(&Upload::new("web", "main", reports::generated(1, 1)));
        ann.in_project("other").get("").expect(200);
        for (path, item, client) in [("tokens", &dead, &developer), ("/api/v1/tokens", &gone, &ann)] {
            let path = format!("{path}/{}", item.id);
            revoke(&admin, &path).expect(204);
            for reply in everywhere(client) {
                reply.expect_problem(401, "unauthenticated");
            }
            let again = revoke(&admin, &path);
            again.expect_problem(409, "conflict");
            let detail = again.json["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("token `{}` was already revoked by ", item.name)), "{detail}");
        }
        // Another installation's, and another project's.
        admin.with_token("gate_of-another-installation").get("targets").expect_problem(401, "unauthenticated");
        let (_, foreign) = issue(&admin.in_project("other"), "tokens", &json!({"name": "ci", "role": "admin"}));
        for reply in everywhere(&foreign.in_project("shop")) {
            reply.expect_problem(404, "not-found");
        }
    });
}

#[test]
fn only_account_admins_issue_and_see_the_accounts_tokens() {
    let app = App::new();
    let admin = project(&app);
    let (item, ann) = issue(&admin, "/api/v1/tokens", &json!({"name": "ann"}));
    let (_, bob) = issue(&ann, "/api/v1/tokens", &json!({"name": "bob", "expires_in_days": 30}));
    bob.in_project("another").create_project();
    let issued_by: Vec<_> =
        admin.all::<TokenItem>("/api/v1/tokens", 1).into_iter().map(|item| item.issued_by).collect();
    assert!(issued_by.contains(&"ann".to_owned()) && issued_by.contains(&"admin".to_owned()), "{issued_by:?}");
    let boss = admin.issue("boss", "admin");
    boss.get("/api/v1/tokens").expect_problem(403, "forbidden");
    boss.json("POST", "/api/v1/tokens", &json!({"name": "x"})).expect_problem(403, "forbidden");
    revoke(&boss, &format!("/api/v1/tokens/{}", item.id)).expect_problem(403, "forbidden");
    admin.with_token("").get("/api/v1/tokens").expect_problem(401, "unauthenticated");
    for field in ["role", "targets"] {
        let body = json!({"name": "x", field: "admin"});
        admin.json("POST", "/api/v1/tokens", &body).expect_problem(400, "invalid-body");
    }
    admin.get("/api/v1/tokens?role=admin").expect_problem(400, "invalid-parameter");
    admin.json("PUT", "/api/v1/tokens", &json!({})).expect_problem(405, "method-not-allowed");
    admin.get("/api/v1/tokens/x/y").expect_problem(404, "not-found");
}

#[test]
fn for_a_token_with_targets_the_others_do_not_exist() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = project(&app);
        let report = || reports::generated(3, 1);
        let hidden = admin.upload(&Upload::new("api", "main", report()));
        let body = json!({"name": "ci", "role": "developer", "targets": ["web"]});
        let (item, developer) = issue(&admin, "tokens", &body);
        assert_eq!(item.targets, Some(vec!["web".to_owned()]));
        let own = developer.upload(&Upload::new("web", "main", report()).fail_on("critical"));
        developer.send_upload(&Upload::new("api", "main", report())).expect_problem(404, "not-found");
        developer.send_upload(&Upload::new("third", "main", report())).expect_problem(404, "not-found");
        assert_eq!(developer.scans().iter().map(|scan| scan.id).collect::<Vec<_>>(), [own.scan.id]);
        assert_eq!(developer.targets().iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["web"]);
        let paths = |scan: String, target: &str| {
            [
                format!("scans/{scan}"),
                format!("scans/{scan}/issues"),
                format!("scans/{scan}/occurrences"),
                format!("targets/{target}"),
                format!("targets/{target}/variants"),
            ]
        };
        for path in paths(hidden.scan.id.to_string(), "api") {
            developer.get(&path).expect_problem(404, "not-found");
        }
        for path in paths(own.scan.id.to_string(), "web") {
            developer.get(&path).expect(200);
        }
        let replay = |scan| developer.send("POST", &format!("scans/{scan}/replay"), &[], b"");
        replay(hidden.scan.id).expect_problem(404, "not-found");
        replay(own.scan.id).expect(200);
        let patch = json!({"baseline": {"variant": "main"}});
        developer.json("PATCH", "targets/api", &patch).expect_problem(404, "not-found");
        developer.json("PATCH", "targets/web", &patch).expect(200);
        developer.get("tokens").expect_problem(403, "forbidden");
        developer.json("PUT", "", &json!({})).expect_problem(403, "forbidden");
        let admins = json!({"name": "x", "role": "admin", "targets": ["web"]});
        admin.json("POST", "tokens", &admins).expect_problem(400, "invalid-body");
        assert_eq!(admin.targets().len(), 2);
    });
}

#[test]
fn a_guesser_learns_nothing_and_does_not_lock_out_neighbours() {
    each_store(|store| {
        let app = App::start(Options::on(store));
        let admin = project(&app);
        let [used, unused] = ["used", "unused"].map(|name| admin.issue(name, "viewer"));
        used.get("targets").expect(200);
        // Requests through another component count too.
        for n in 0..GUESSES {
            let path = ["targets", "scans", "exemptions", "/api/v1/tokens"][usize::try_from(n % 4).unwrap()];
            admin.with_token(&format!("gate_guess{n}")).get(path).expect_problem(401, "unauthenticated");
        }
        let mut answers = Vec::new();
        for client in [&admin.with_token("gate_one-more"), &unused] {
            for reply in everywhere(client) {
                reply.expect_problem(429, "too-many-attempts");
                assert_eq!(reply.headers.get("retry-after").unwrap(), "60", "{}", reply.request);
                answers.push(reply.whole_text());
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "a right guess is answered like a wrong one: {answers:?}");
        // Another address cannot be claimed.
        for header in ["x-forwarded-for", "forwarded", "x-real-ip", "gatehouse-client-addr"] {
            let claimed = [(header, "203.0.113.7:1".to_owned())];
            unused.send("GET", "targets", &claimed, b"").expect_problem(429, "too-many-attempts");
            unused.send("GET", "scans", &claimed, b"").expect_problem(429, "too-many-attempts");
        }
        for client in [&used, &admin] {
            client.get("targets").expect(200);
            client.get("scans").expect(200);
        }
    });
}

#[test]
fn a_token_in_a_url_is_ignored_and_never_repeated() {
    let app = App::new();
    let admin = project(&app);
    let developer = admin.issue("dev", "developer");
    let anonymous = admin.with_token("");
    let token = developer.token().to_owned();
    let mut answers = String::new();
    for name in ["token", "access_token"] {
        for path in ["scans", "targets", "exemptions", "", "tokens", "/api/v1/tokens", "/api/v1/scanners"] {
            let url = format!("{path}?{name}={token}");
            if path != "/api/v1/scanners" {
                let reply = anonymous.get(&url);
                reply.expect_problem(401, "unauthenticated");
                answers += &reply.whole_text();
            }
            let reply = admin.get(&url);
            reply.expect_problem(400, "invalid-parameter");
            answers += &reply.whole_text();
        }
        let upload = format!("scans?scanner=bandit&target=web&variant=main&{name}={token}");
        let reply = developer.send("POST", &upload, &[], b"{}");
        reply.expect_problem(400, "invalid-parameter");
        answers += &reply.whole_text();
    }
    assert!(!answers.contains(&token), "an answer repeats the token");
    let log = app.log();
    for secret in [token.as_str(), admin.token()] {
        assert!(!log.contains(secret), "the log repeats a token");
    }
    if embedded_only("the log has a line for each request, without its query") {
        assert!(log.contains("/api/v1/projects/shop/targets") && !log.contains("access_token"), "{log}");
    }
}

#[test]
fn the_command_line_creates_lists_and_revokes_tokens() {
    let app = App::new();
    let admin = project(&app);
    let made = gatehouse(
        &admin,
        &["tokens", "create", "--role", "uploader", "--name", "ci-web", "--target", "web", "--target", "api"],
    )
    .expect(0);
    let uploader = admin.with_token(made.output.trim());
    uploader.upload(&Upload::new("web", "main", reports::generated(1, 1)));
    uploader.send_upload(&Upload::new("third", "main", reports::generated(1, 1))).expect_problem(404, "not-found");
    uploader.get("scans").expect_problem(403, "forbidden");
    let list = gatehouse(&admin, &["tokens", "list"]).expect(0).output;
    for shown in ["TARGETS", "LAST USED", "ci-web", "api, web"] {
        assert!(list.contains(shown), "{shown} is missing:\n{list}");
    }
    let made = gatehouse(&admin, &["tokens", "create", "--account", "--name", "ann"]).expect(0);
    let ann = admin.with_token(made.output.trim());
    ann.in_project("another").create_project();
    let account: Vec<TokenItem> =
        serde_json::from_str(&gatehouse(&ann, &["tokens", "list", "--account", "--format", "json"]).expect(0).output)
            .unwrap();
    assert_eq!(account.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["ann"]);
    gatehouse(&admin, &["tokens", "revoke", "--account", &account[0].id]).expect(0);
    let refused = gatehouse(&ann, &["tokens", "list", "--account"]).expect(2);
    assert!(!refused.log.contains(ann.token()) && !refused.output.contains(ann.token()));
}
