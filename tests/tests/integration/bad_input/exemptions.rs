//! Exemptions that cannot be requested, and decisions that cannot be made.

use crate::bad_input::Bench;
use api::v1::ScanAnswer;
use serde_json::{Value, json};
use tests::{Client, Reply, Upload, reports};

#[test]
fn an_invalid_request_for_an_exemption_is_refused() {
    Bench::new().refuses(|bench| {
        let issue = bench.viewer.issues(&bench.scan, "").remove(0).id.to_string();
        let id = "0".repeat(32);
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
            changed("scope", json!("account")), changed("scope", json!("pipeline")), changed("scope", json!("occurrences")),
            changed("occurrences", json!([&id])), changed("occurrences", json!("x")), changed("future_occurrences", json!(true)),
            changed("scan", json!("x")), changed("scan", json!(&id)), changed("scan", json!(7)), changed("pipeline", json!(7)),
            changed("until", json!("2030-01-01")), changed("unlimited", json!(true)), changed("unlimited", json!("yes")),
            changed("link", json!("javascript:alert(1)")), changed("link", json!("https://example.com/a b")),
            changed("link", json!("example.com")),
        ];
        let ends = [json!("2020-01-01"), json!("9999-12-31"), json!("31.12.2030"), json!("tomorrow"), json!(""), json!(7)];
        cases.extend(ends.map(|end| {
            let mut body = without("duration_days");
            body["until"] = end;
            body
        }));
        let mut endless = without("duration_days");
        endless["unlimited"] = json!(true);
        cases.push(endless);
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
fn an_illegal_decision_is_refused() {
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
        bench.check("another developer cancels", &bench.developer.decide(own, "cancel"), 403, "forbidden");
        bench.check("a viewer cancels", &bench.viewer.decide(own, "cancel"), 403, "forbidden");
        for verb in ["approve", "reject", "cancel", "reopen"] {
            bench.check("unknown id", &bench.secops.decide(&id, verb), 404, "not-found");
            bench.check("no id", &bench.secops.decide("x", verb), 404, "not-found");
            bench.check("another project's", &bench.secops.decide(&theirs.id, verb), 404, "not-found");
            bench.check("by another project's", &their_secops.in_project("shop").decide(own, verb), 404, "not-found");
            let path = format!("exemptions/{own}/{verb}");
            for body in [
                json!({"coment": "x"}),
                json!({"comment": "x".repeat(1025)}),
                json!({"comment": 7}),
                json!([1]),
                json!({"scope": "world"}),
                json!({"scope": 7}),
                json!({"pipeline": "p"}),
            ] {
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
        bench.check("reopens a pending one", &bench.secops.decide(own, "reopen"), 409, "conflict");
    });
}

#[test]
fn a_repeated_decision_is_refused() {
    let bench = Bench::new();
    let issue = bench.viewer.issues(&bench.scan, "").remove(0);
    let id = bench.developer.request_exemption("web", &issue).id;
    for (verb, again) in [("reject", "reject"), ("approve", "approve"), ("cancel", "cancel")] {
        bench.secops.decide(&id, verb).expect(200);
        bench.check(verb, &bench.secops.decide(&id, again), 409, "conflict");
    }
    for verb in ["approve", "reject", "reopen"] {
        bench.check(verb, &bench.secops.decide(&id, verb), 409, "conflict");
    }
    bench.done();
}

/// A scan in which one issue has this many occurrences.
fn of_one_issue(client: &Client, occurrences: u64) -> ScanAnswer {
    let results: Vec<_> = (0..occurrences).map(|n| reports::result(1, "HIGH", "./src/many.py", 2 + n * 10)).collect();
    client.upload(&Upload::new("many", "main", reports::bandit(&results)))
}

/// A request for chosen occurrences.
fn chosen(scan: &ScanAnswer, issue: &str, occurrences: &[String]) -> Value {
    json!({"issue": issue, "scope": "occurrences", "scan": scan.scan.id, "occurrences": occurrences, "duration_days": 7,
        "reason": "other", "text": "why"})
}

/// A request for the pipeline of this number, so that no two requests are equal.
fn of_pipeline(issue: &str, scan: &ScanAnswer, n: usize) -> Value {
    json!({"issue": issue, "scope": "pipeline", "scan": scan.scan.id, "pipeline": format!("p{n}"), "duration_days": 7,
        "reason": "other", "text": "why"})
}

#[test]
fn illegal_selections_of_occurrences_are_refused() {
    let bench = Bench::new();
    let scan = of_one_issue(&bench.developer, 501);
    bench.refuses(|bench| {
        let issue = bench.viewer.issues(&scan, "").remove(0).id.to_string();
        let ids: Vec<_> = bench.viewer.occurrences(&scan).iter().map(|one| one.id.to_string()).collect();
        let ask = |body: &Value| bench.developer.json("POST", "exemptions", body);
        let of_another_scan = bench.viewer.occurrences(&bench.scan).remove(0).id.to_string();
        let wrong = [
            ("none", vec![]),
            ("no id", vec!["x".to_owned()]),
            ("unknown", vec!["0".repeat(32)]),
            ("one too many", ids.clone()),
            ("of another scan", vec![ids[0].clone(), of_another_scan]),
        ];
        for (name, occurrences) in wrong {
            bench.check(name, &ask(&chosen(&scan, &issue, &occurrences)), 400, "invalid-body");
        }
        let mut all = chosen(&scan, &issue, &ids[..500]);
        all["future_occurrences"] = json!(true);
        bench.check("not all become the issue", &ask(&all), 400, "invalid-body");
        all["future_occurrences"] = json!("yes");
        bench.check("no answer", &ask(&all), 400, "invalid-body");
        let mut elsewhere = chosen(&scan, &issue, &ids[..1]);
        elsewhere["target"] = json!("other");
        bench.check("another target's scan", &ask(&elsewhere), 400, "invalid-body");
    });
}

#[test]
fn values_at_their_limits_are_accepted() {
    let bench = Bench::new();
    let scan = of_one_issue(&bench.developer, 501);
    let issue = bench.viewer.issues(&scan, "").remove(0).id.to_string();
    let ids: Vec<_> = bench.viewer.occurrences(&scan).iter().map(|one| one.id.to_string()).collect();
    bench.developer.json("POST", "exemptions", &chosen(&scan, &issue, &ids[..500])).expect(201);
    let link = format!("https://example.com/{}", "x".repeat(1024 - "https://example.com/".len()));
    let long = json!({"issue": issue, "scope": "target", "target": "many", "duration_days": 3650, "reason": "other",
        "text": "ü".repeat(1024), "link": link});
    let requested: Value = bench.developer.json("POST", "exemptions", &long).expect(201).read();
    let path = format!("exemptions/{}/approve", requested["id"].as_str().unwrap());
    bench.secops.json("POST", &path, &json!({"comment": "ü".repeat(1024)})).expect(200);
    // Together far larger than the limit of a call's body, also as notices.
    let requests: Vec<_> = (0..100)
        .map(|n| {
            let mut body = of_pipeline(&issue, &scan, n);
            body["text"] = json!("x".repeat(1000));
            body
        })
        .collect();
    let requested: Value =
        bench.developer.json("POST", "exemptions/requests", &json!({"requests": requests})).expect(201).read();
    let decide = |item: &Value| json!({"id": item["id"], "decision": "approve", "comment": "ü".repeat(250)});
    let decisions: Vec<_> = requested["items"].as_array().unwrap().iter().map(decide).collect();
    assert_eq!(decisions.len(), 100);
    bench.secops.json("POST", "exemptions/decisions", &json!({"decisions": decisions})).expect(200);
    let settings = json!({"exemption_days_max": {"critical": 1, "low": 3650}, "ending_notice_days": 90});
    bench.admin.json("PUT", "", &settings).expect(200);
    bench.done();
}

#[test]
fn of_several_requests_none_is_made_if_one_is_invalid() {
    Bench::new().refuses(|bench| {
        let issue = bench.viewer.issues(&bench.scan, "").remove(0).id.to_string();
        let good = |n| of_pipeline(&issue, &bench.scan, n);
        let ask = |body: &Value| bench.developer.json("POST", "exemptions/requests", body);
        let mut wrong = good(1);
        wrong["reason"] = json!("because");
        let mut long = good(1);
        long["text"] = json!("ü".repeat(1024));
        long["link"] = json!(format!("https://example.com/{}", "x".repeat(1000)));
        let too_large = (0..100).map(|n| {
            let mut body = long.clone();
            body["pipeline"] = json!(format!("p{n}"));
            body
        });
        let cases = [
            ("none", json!({"requests": []})),
            ("one too many", json!({"requests": (0..101).map(good).collect::<Vec<_>>()})),
            ("the second is wrong", json!({"requests": [good(0), wrong]})),
            ("larger than an event", json!({"requests": too_large.collect::<Vec<_>>()})),
            ("larger than a body", json!({"requests": [good(0)], "x": "x".repeat(512 * 1024)})),
            ("no list", json!({"requests": good(0)})),
            ("no requests", json!({"request": [good(0)]})),
            ("a list", json!([good(0)])),
        ];
        for (name, body) in cases {
            bench.check(name, &ask(&body), 400, "invalid-body");
        }
        bench.check("the same twice", &ask(&json!({"requests": [good(0), good(0)]})), 409, "conflict");
        let viewer = bench.viewer.json("POST", "exemptions/requests", &json!({"requests": [good(0)]}));
        bench.check("a viewer requests", &viewer, 403, "forbidden");
    });
}

#[test]
fn of_several_decisions_none_is_made_if_one_is_invalid() {
    let bench = Bench::new();
    let issue = bench.viewer.issues(&bench.scan, "").remove(0).id.to_string();
    let requests: Vec<_> = (0..2).map(|n| of_pipeline(&issue, &bench.scan, n)).collect();
    let requested: Value =
        bench.developer.json("POST", "exemptions/requests", &json!({"requests": requests})).expect(201).read();
    let [own, other] = [0, 1].map(|at: usize| requested["items"][at]["id"].as_str().unwrap().to_owned());
    bench.refuses(|bench| {
        let one = |id: &str, decision: &str| json!({"id": id, "decision": decision});
        let send = |client: &Client, second: Value| {
            client.json("POST", "exemptions/decisions", &json!({"decisions": [one(&own, "approve"), second]}))
        };
        let check = |name: &str, second: Value, status: u16, code: &str| {
            bench.check(name, &send(&bench.secops, second), status, code);
        };
        check("unknown decision", one(&other, "burn"), 400, "invalid-body");
        check("no id", one("x", "approve"), 400, "invalid-body");
        check("unknown id", one(&"0".repeat(32), "approve"), 404, "not-found");
        check("twice", one(&own, "reject"), 400, "invalid-body");
        check("not legal now", one(&other, "reopen"), 409, "conflict");
        check(
            "a scope that cannot be approved",
            json!({"id": other, "decision": "reject", "scope": "project"}),
            400,
            "invalid-body",
        );
        check("a narrower scope", json!({"id": other, "decision": "approve", "scope": "target"}), 400, "invalid-body");
        check(
            "a long comment",
            json!({"id": other, "decision": "reject", "comment": "x".repeat(1025)}),
            400,
            "invalid-body",
        );
        check("unknown field", json!({"id": other, "decision": "reject", "why": "x"}), 400, "invalid-body");
        check("for the account", json!({"id": other, "decision": "approve", "scope": "account"}), 403, "forbidden");
        bench.check("a developer decides", &send(&bench.developer, one(&other, "cancel")), 403, "forbidden");
        let many = |count: usize| json!({"decisions": vec![one(&own, "approve"); count]});
        for count in [0, 101] {
            let reply: Reply = bench.secops.json("POST", "exemptions/decisions", &many(count));
            bench.check(&format!("{count} decisions"), &reply, 400, "invalid-body");
        }
    });
}

#[test]
fn an_invalid_query_for_exemptions_is_refused() {
    let bench = Bench::new();
    let issue = bench.viewer.issues(&bench.scan, "").remove(0);
    let id = bench.developer.request_exemption("web", &issue).id;
    bench.refuses(|bench| {
        for path in [
            "exemptions?scope=world".to_owned(),
            "exemptions?issue=x".to_owned(),
            "exemptions?expires_within_days=-1".to_owned(),
            "exemptions?expires_within_days=soon".to_owned(),
            "exemptions?limit=0".to_owned(),
            "exemptions?cursor=AAAA".to_owned(),
            "exemptions/unused?scans=0".to_owned(),
            "exemptions/unused?scans=101".to_owned(),
            "exemptions/unused?scans=x".to_owned(),
            "exemptions/unused?status=approved".to_owned(),
            format!("exemptions/{id}?x=1"),
            format!("exemptions/{id}/preview?decision=burn"),
            format!("exemptions/{id}/preview?decision=reopen"),
            format!("exemptions/{id}/preview?x=1"),
            format!("exemptions/{id}/preview?limit=0"),
        ] {
            bench.check(&path, &bench.viewer.get(&path), 400, "invalid-parameter");
        }
        let unknown = "0".repeat(32);
        for path in [
            format!("exemptions/{unknown}"),
            format!("exemptions/{unknown}/preview"),
            "exemptions/x/preview".to_owned(),
        ] {
            bench.check(&path, &bench.viewer.get(&path), 404, "not-found");
        }
        for (method, path) in [("PUT", "requests"), ("PUT", "decisions"), ("POST", "unused"), ("DELETE", "decisions")] {
            let reply = bench.admin.send(method, &format!("exemptions/{path}"), &[], b"{}");
            bench.check(&format!("{method} {path}"), &reply, 405, "method-not-allowed");
        }
        let limits = [
            json!({"exemption_days_max": {"critical": 0}}),
            json!({"exemption_days_max": {"critical": 3651}}),
            json!({"exemption_days_max": {"severe": 7}}),
            json!({"ending_notice_days": 0}),
            json!({"ending_notice_days": 91}),
            json!({"self_approval": "yes"}),
            json!({"unlimited_exemptions": 1}),
        ];
        for settings in limits {
            bench.check(&settings.to_string(), &bench.admin.json("PUT", "", &settings), 400, "invalid-body");
        }
    });
}
