//! Exemptions that cannot be asked for, and decisions that cannot be made.

use crate::Bench;
use serde_json::{Value, json};
use tests::{Upload, reports};

#[test]
fn a_wrong_request_for_an_exemption_is_refused() {
    Bench::new().refuses(|bench| {
        let issue = bench.viewer.issues(&bench.scan, "").remove(0).id.to_string();
        let good = json!({"issue": issue, "scope": "target", "target": "web", "duration_days": 7, "reason": "other", "text": "why"});
        let changed = |field: &str, value: Value| {
            let mut body = good.clone();
            body[field] = value;
            body
        };
        let without = |field: &str| {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            body
        };
        let mut cases = vec![
            changed("issue", json!("0".repeat(32))), changed("issue", json!("x")), changed("issue", json!("")),
            changed("issue", json!(7)), changed("target", json!("absent")), changed("target", json!("a b")),
            changed("text", json!("")), changed("text", json!(" \n")), changed("text", json!("ü".repeat(1025))),
            changed("link", json!("x".repeat(1025))), changed("duration_days", json!(0)), changed("duration_days", json!(3651)),
            changed("duration_days", json!(-1)), changed("duration_days", json!(1.5)), changed("duration_days", json!("7")),
            changed("reason", json!("because")), changed("reason", json!("Other")), changed("scope", json!("world")),
            changed("untl", json!("2027-01-01")), json!([]), json!("x"), json!(null),
        ];
        cases.extend(["issue", "scope", "target", "duration_days", "reason", "text"].map(without));
        for body in cases {
            let reply = bench.developer.json("POST", "exemptions", &body);
            bench.check(&body.to_string().chars().take(120).collect::<String>(), &reply, 400, "invalid-body");
        }
        for body in ["", "{", "{}", "\u{feff}{}"] {
            bench.check(body, &bench.developer.send("POST", "exemptions", &[], body.as_bytes()), 400, "invalid-body");
        }
        bench.check("unknown parameter", &bench.developer.json("POST", "exemptions?x=1", &good), 400, "invalid-parameter");
    });
}

#[test]
fn a_decision_that_cannot_be_made_is_refused() {
    let bench = Bench::new();
    let issue = bench.viewer.issues(&bench.scan, "").remove(0);
    let exemption = bench.secops.request_exemption("web", &issue);
    let other = bench.admin.in_project("other");
    other.create_project();
    let (their_developer, their_secops) = (other.issue("dev", "developer"), other.issue("sec", "secops"));
    let scan = their_developer.upload(&Upload::new("web", "main", reports::generated(10, 1)));
    let theirs = their_developer.request_exemption("web", &their_developer.issues(&scan, "")[0]);
    bench.refuses(|bench| {
        let (own, id) = (&exemption.id, "0".repeat(32));
        bench.check("one's own", &bench.secops.decide(own, "approve"), 409, "conflict");
        bench.check("a developer approves", &bench.developer.decide(own, "approve"), 403, "forbidden");
        bench.check("a developer rejects", &bench.developer.decide(own, "reject"), 403, "forbidden");
        bench.check("a viewer cancels", &bench.viewer.decide(own, "cancel"), 403, "forbidden");
        for verb in ["approve", "reject", "cancel"] {
            bench.check("unknown id", &bench.secops.decide(&id, verb), 404, "not-found");
            bench.check("no id", &bench.secops.decide("x", verb), 404, "not-found");
            bench.check("another project's", &bench.secops.decide(&theirs.id, verb), 404, "not-found");
            bench.check("by another project's", &their_secops.in_project("shop").decide(own, verb), 404, "not-found");
            let path = format!("exemptions/{own}/{verb}");
            for body in
                [json!({"coment": "x"}), json!({"comment": "x".repeat(1025)}), json!({"comment": 7}), json!([1])]
            {
                bench.check(
                    &format!("{verb} {body:.40}"),
                    &bench.admin.json("POST", &path, &body),
                    400,
                    "invalid-body",
                );
            }
            let reply = bench.admin.json("POST", &format!("{path}?x=1"), &json!({}));
            bench.check(&format!("{verb} with an unknown parameter"), &reply, 400, "invalid-parameter");
        }
        bench.check("unknown verb", &bench.secops.decide(own, "delete"), 404, "not-found");
    });
}

#[test]
fn a_decided_exemption_takes_no_decision_twice() {
    let bench = Bench::new();
    let issue = bench.viewer.issues(&bench.scan, "").remove(0);
    let id = bench.developer.request_exemption("web", &issue).id;
    for (verb, again) in [("reject", "reject"), ("approve", "approve"), ("cancel", "cancel")] {
        bench.secops.decide(&id, verb).expect(200);
        bench.check(verb, &bench.secops.decide(&id, again), 409, "conflict");
    }
    for verb in ["approve", "reject"] {
        bench.check(verb, &bench.secops.decide(&id, verb), 409, "conflict");
    }
    bench.done();
}
