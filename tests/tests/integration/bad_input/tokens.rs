//! Calls without a valid token, or without the right.

use crate::bad_input::Bench;
use domain::ids::{TokenId, token_digest};
use domain::role::Role;
use domain::time::Timestamp;
use domain::token::{IssuedToken, TokenRecord};
use domain::upload_limits::UploadLimits;
use serde_json::{Value, json};
use store::keys;
use tests::{Client, Upload, reports};

/// Requests to every component that the outside reaches.
fn everywhere(client: &Client) -> Vec<(&'static str, tests::Reply)> {
    let upload = Upload::new("web", "main", reports::generated(1, 1));
    vec![
        ("upload", client.send_upload(&upload)),
        ("scans", client.get("scans")),
        ("replay", client.send("POST", &format!("scans/{}/replay", "0".repeat(32)), &[], b"")),
        ("targets", client.get("targets")),
        ("exemptions", client.get("exemptions")),
        ("project", client.get("")),
    ]
}

#[test]
fn without_a_valid_token_nothing_is_answered() {
    Bench::new().refuses(|bench| {
        // Fewer unknown tokens than the limit per minute: six, two and, below, four.
        for token in ["", "gate_wrong", &"x".repeat(600)] {
            for (name, reply) in everywhere(&bench.admin.with_token(token)) {
                bench.check(&format!("{name} with `{token}`"), &reply, 401, "unauthenticated");
            }
        }
        for token in ["gate_", "'; DROP TABLE spin_key_value; --"] {
            let reply = bench.admin.with_token(token).get("targets");
            bench.check(&format!("targets with `{token}`"), &reply, 401, "unauthenticated");
        }
        let good = bench.developer.token();
        let anonymous = bench.admin.with_token("");
        for header in [
            "Bearer",
            "Bearer ",
            &format!("Basic {good}"),
            good,
            &format!("Bearer:{good}"),
            &format!("Bearer {good} x"),
            "",
        ] {
            for (method, path) in [
                ("GET", "scans"),
                ("GET", "targets"),
                ("GET", "exemptions"),
                ("POST", "scans?scanner=bandit&target=web&variant=main"),
            ] {
                let reply = anonymous.send(method, path, &[("authorization", header.to_owned())], b"");
                bench.check(&format!("{method} {path} `{header}`"), &reply, 401, "unauthenticated");
            }
        }
        for list in ["targets", "scans"] {
            if anonymous.get(list).headers.get("www-authenticate").is_none() {
                bench.note(format!("{list}: a 401 without WWW-Authenticate"));
            }
        }
    });
}

#[test]
fn an_expired_token_is_refused_as_expired() {
    let mut bench = Bench::new();
    bench.app.stop();
    let store = bench.app.store_file();
    for (secret, ms) in [("gate_over", 1_000), ("gate_valid", 4_000_000_000_000)] {
        let token = IssuedToken {
            id: TokenId::of(secret),
            sha256: token_digest(secret),
            name: secret.to_owned(),
            subject: "old".parse().unwrap(),
            role: Role::Admin,
            targets: None,
            expires: Some(Timestamp::from_ms(ms)),
            uploads: UploadLimits::default(),
        };
        let record = TokenRecord { v: 1, project: Some("shop".parse().unwrap()), token };
        store.set(&keys::token(&token_digest(secret)), &serde_json::to_vec(&record).unwrap());
    }
    drop(store);
    bench.app.restart();
    let client = bench.app.admin("shop");
    client.with_token("gate_valid").get("scans").expect(200);
    bench.admin = client.clone();
    bench.refuses(|bench| {
        for (name, reply) in everywhere(&client.with_token("gate_over")) {
            bench.check(name, &reply, 401, "token-expired");
        }
    });
}

#[test]
fn a_revoked_token_is_refused_at_once() {
    Bench::new().refuses(|bench| {
        let id = |name: &str| {
            let all = bench.admin.all::<Value>("tokens", 500);
            all.iter().find(|item| item["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let revoke = |id: &str| bench.admin.send("DELETE", &format!("tokens/{id}"), &[], b"");
        let dead = id("dev");
        revoke(&dead).expect(204);
        for (name, reply) in everywhere(&bench.developer) {
            bench.check(name, &reply, 401, "unauthenticated");
        }
        bench.secops.get("scans").expect(200);
        bench.check("again", &revoke(&dead), 409, "conflict");
        bench.check("no id", &revoke("x"), 404, "not-found");
    });
}

#[test]
fn a_call_beyond_the_role_is_refused() {
    Bench::new().refuses(|bench| {
        let issue = bench.viewer.issues(&bench.scan, "").remove(0).id.to_string();
        let upload = Upload::new("web", "main", reports::generated(1, 1));
        bench.check("viewer uploads", &bench.viewer.send_upload(&upload), 403, "forbidden");
        let replay = format!("scans/{}/replay", bench.scan.scan.id);
        bench.check("viewer replays", &bench.viewer.send("POST", &replay, &[], b""), 403, "forbidden");
        bench.check("viewer requests", &bench.viewer.ask_exemption("web", &issue), 403, "forbidden");
        let patch = bench.viewer.json("PATCH", "targets/web", &json!({"baseline": {"variant": "x"}}));
        bench.check("viewer sets a baseline", &patch, 403, "forbidden");
        for client in [&bench.viewer, &bench.developer] {
            bench.check("neither secops nor admin reads the audit", &client.get("audit"), 403, "forbidden");
        }
        for client in [&bench.viewer, &bench.developer, &bench.secops] {
            bench.check("no admin lists tokens", &client.get("tokens"), 403, "forbidden");
            let token = client.json("POST", "tokens", &json!({"name": "x", "role": "viewer"}));
            bench.check("no admin issues tokens", &token, 403, "forbidden");
            bench.check(
                "no admin revokes",
                &client.send("DELETE", &format!("tokens/{issue}"), &[], b""),
                403,
                "forbidden",
            );
            bench.check("no admin sets settings", &client.json("PUT", "", &json!({})), 403, "forbidden");
        }
        let boss = bench.admin.issue("boss", "admin");
        bench.check(
            "a project's admin elsewhere",
            &boss.in_project("new").json("PUT", "", &json!({})),
            404,
            "not-found",
        );
        bench.check("it does not exist", &bench.admin.in_project("new").get(""), 404, "not-found");
    });
}
