//! Parameters, paths and methods.

use crate::bad_input::Bench;
use serde_json::json;
use tests::{Upload, reports};

const GOOD: &str = "scanner=bandit&target=web&variant=main";

#[test]
fn an_upload_with_an_invalid_parameter_is_refused() {
    Bench::new().refuses(|bench| {
        let report = reports::generated(3, 1);
        let long = |name: &str, length: usize| format!("{GOOD}&{name}={}", "x".repeat(length));
        let cases = [
            ("unknown scanner", "scanner=lint-o-matic&target=web&variant=main".to_owned(), 400, "unknown-scanner"),
            ("no scanner", "target=web&variant=main".to_owned(), 400, "invalid-parameter"),
            ("empty scanner", "scanner=&target=web&variant=main".to_owned(), 400, "invalid-parameter"),
            ("no target", "scanner=bandit&variant=main".to_owned(), 400, "invalid-parameter"),
            ("empty target", "scanner=bandit&target=&variant=main".to_owned(), 400, "invalid-parameter"),
            ("no variant", "scanner=bandit&target=web".to_owned(), 400, "invalid-parameter"),
            ("empty variant", "scanner=bandit&target=web&variant=".to_owned(), 400, "invalid-parameter"),
            ("target with a space", "scanner=bandit&target=a+b&variant=main".to_owned(), 400, "invalid-parameter"),
            ("target with a newline", "scanner=bandit&target=a%0Ab&variant=main".to_owned(), 400, "invalid-parameter"),
            ("target not UTF-8", "scanner=bandit&target=%FF&variant=main".to_owned(), 400, "invalid-parameter"),
            (
                "target too long",
                format!("scanner=bandit&variant=main&target={}", "t".repeat(129)),
                400,
                "invalid-parameter",
            ),
            ("variant with NUL", "scanner=bandit&target=web&variant=a%00".to_owned(), 400, "invalid-parameter"),
            ("variant with ESC", "scanner=bandit&target=web&variant=%1B[2J".to_owned(), 400, "invalid-parameter"),
            (
                "variant too long",
                format!("scanner=bandit&target=web&variant={}", "v".repeat(257)),
                400,
                "invalid-parameter",
            ),
            ("target type unknown", format!("{GOOD}&target_type=repo"), 400, "invalid-parameter"),
            ("target type in capitals", format!("{GOOD}&target_type=Repository"), 400, "invalid-parameter"),
            ("target type of another", format!("{GOOD}&target_type=container"), 409, "conflict"),
            ("severity unknown", format!("{GOOD}&fail_on_severity=severe"), 400, "invalid-parameter"),
            ("severity unassigned", format!("{GOOD}&fail_on_severity=unassigned"), 400, "invalid-parameter"),
            ("severity a number", format!("{GOOD}&fail_on_severity=9"), 400, "invalid-parameter"),
            ("new severity unknown", format!("{GOOD}&fail_on_new=severe"), 400, "invalid-parameter"),
            ("new severity unassigned", format!("{GOOD}&fail_on_new=unassigned"), 400, "invalid-parameter"),
            ("occurrence severity unknown", format!("{GOOD}&fail_on_new_occurrences=all"), 400, "invalid-parameter"),
            ("accept in another word", format!("{GOOD}&accept_missing=yes"), 400, "invalid-parameter"),
            ("occurrence misspelt", format!("{GOOD}&fail_on_new_occurrence=high"), 400, "invalid-parameter"),
            ("pipeline too long", long("pipeline", 129), 400, "invalid-parameter"),
            ("execution too long", long("execution", 129), 400, "invalid-parameter"),
            ("pipeline with a control", format!("{GOOD}&pipeline=a%07"), 400, "invalid-parameter"),
            ("misspelt", format!("{GOOD}&fail_on_severty=high"), 400, "invalid-parameter"),
            ("unknown", format!("{GOOD}&color=red"), 400, "invalid-parameter"),
            ("doubled", format!("{GOOD}&target=web"), 400, "invalid-parameter"),
            (
                "doubled severity",
                format!("{GOOD}&fail_on_severity=none&fail_on_severity=high"),
                400,
                "invalid-parameter",
            ),
            ("doubled unknown", format!("{GOOD}&x=1&x=2"), 400, "invalid-parameter"),
        ];
        for (name, query, status, code) in cases {
            bench.upload(name, &Upload::with_query(&query, report.clone()), status, code);
        }
        let good = Upload::with_query(GOOD, report);
        bench.upload("key too long", &good.clone().key(&"k".repeat(256)), 400, "invalid-parameter");
        // If it counted as absent, every retry would create another scan.
        bench.upload("key not ASCII", &good.clone().key("Schlüssel"), 400, "invalid-parameter");
        bench.upload("two keys", &good.key("one").key("two"), 400, "invalid-parameter");
    });
}

#[test]
fn missing_things_are_not_found() {
    Bench::new().refuses(|bench| {
        let report = reports::generated(3, 1);
        let upload = Upload::with_query(GOOD, report);
        for project in ["absent", "Shop", "a%20b", "%FF", "-x"] {
            bench.check(project, &bench.admin.in_project(project).send_upload(&upload), 404, "not-found");
            for path in ["", "scans", "targets", "tokens", "exemptions", "audit"] {
                bench.check(&format!("{project}/{path}"), &bench.admin.in_project(project).get(path), 404, "not-found");
            }
        }
        let scan = bench.scan.scan.id.to_string();
        let other = "0".repeat(32);
        for path in [
            format!("scans/{other}"),
            format!("scans/{other}/issues"),
            format!("scans/{other}/occurrences"),
            "scans/x".to_owned(),
            format!("scans/{}", scan.to_uppercase()),
            format!("scans/{scan}/x"),
            format!("scans/{scan}/issues/{other}/occurrences"),
            format!("scans/{scan}/issues/x/occurrences"),
            format!("scans/{scan}/issues/{other}"),
            format!("exemptions/{other}"),
            "exemptions/x".to_owned(),
            "targets/absent".to_owned(),
            "targets/a%20b".to_owned(),
            "nothing".to_owned(),
            "targets/web/x".to_owned(),
            "targets/absent/variants".to_owned(),
            "targets/web/variants/main".to_owned(),
        ] {
            bench.check(&path, &bench.viewer.get(&path), 404, "not-found");
        }
        for path in [format!("scans/{other}/replay"), "scans/x/replay".to_owned()] {
            let reply = bench.developer.send("POST", &path, &[], b"");
            bench.check(&path, &reply, 404, "not-found");
        }
        for path in ["/api", "/api/v1", "/api/v2/projects/shop", "/.env", "/append"] {
            let reply = bench.viewer.get(path);
            if reply.status != 404 {
                bench.note(format!("{path}: {} {}", reply.status, reply.text()));
            }
        }
    });
}

#[test]
fn a_wrong_method_is_refused() {
    Bench::new().refuses(|bench| {
        let scan = format!("scans/{}", bench.scan.scan.id);
        let id = "0".repeat(32);
        let cases = [
            ("scans".to_owned(), &["PUT", "DELETE", "PATCH", "OPTIONS"][..]),
            (format!("{scan}/replay"), &["GET", "PUT", "DELETE", "PATCH"][..]),
            (scan, &["POST", "PUT", "DELETE", "PATCH"][..]),
            (String::new(), &["POST", "DELETE", "OPTIONS"][..]),
            ("tokens".to_owned(), &["PUT", "DELETE", "PATCH", "OPTIONS"][..]),
            (format!("tokens/{id}"), &["GET", "POST", "PUT", "PATCH"][..]),
            ("targets".to_owned(), &["POST", "PUT", "DELETE", "PATCH"][..]),
            ("targets/web".to_owned(), &["POST", "PUT", "DELETE", "OPTIONS"][..]),
            ("targets/web/variants".to_owned(), &["POST", "PUT", "DELETE", "PATCH"][..]),
            ("exemptions".to_owned(), &["PUT", "DELETE", "PATCH", "OPTIONS"][..]),
            (format!("exemptions/{id}"), &["POST", "PUT", "DELETE", "PATCH"][..]),
            ("audit".to_owned(), &["POST", "PUT", "DELETE", "PATCH"][..]),
            (format!("exemptions/{id}/approve"), &["GET", "PUT", "DELETE", "PATCH"][..]),
        ];
        for (path, methods) in cases {
            for method in methods {
                let reply = bench.admin.send(method, &path, &[], b"{}");
                bench.check(&format!("{method} {path}"), &reply, 405, "method-not-allowed");
            }
        }
    });
}

#[test]
fn a_query_with_an_invalid_parameter_is_refused() {
    Bench::new().refuses(|bench| {
        let scan = format!("scans/{}", bench.scan.scan.id);
        let issue = bench.viewer.issues(&bench.scan, "").remove(0).id;
        for path in [
            "scans?target=absent".to_owned(),
            "scans?target=a+b".to_owned(),
            "scans?scanner=A".to_owned(),
            "scans?variant=%00".to_owned(),
            "scans?tagret=web".to_owned(),
            "scans?limit=1&limit=2".to_owned(),
            format!("{scan}?x=1"),
            format!("{scan}/issues?severity=severe"),
            format!("{scan}/issues?bucket=old"),
            format!("{scan}/issues?exempted=yes"),
            format!("{scan}/issues?sevrity=high"),
            format!("{scan}/occurrences?x=1"),
            format!("{scan}/occurrences?bucket=old"),
            format!("{scan}/explain/{issue}?x=1"),
            format!("{scan}/issues/{issue}/occurrences?x=1"),
            "overview?days=0".to_owned(),
            "overview?days=91".to_owned(),
            "overview?x=1".to_owned(),
            "pipelines/nightly/executions/1?x=1".to_owned(),
            "pipelines/nightly/executions/1/issues?severity=severe".to_owned(),
            "pipelines/nightly/executions/1/issues?cursor=AAAA".to_owned(),
            "tokens?x=1".to_owned(),
            "targets?x=1".to_owned(),
            "targets/web?x=1".to_owned(),
            "targets/web/variants?x=1".to_owned(),
            "targets/web/variants?regex=a(b".to_owned(),
            "targets/web/variants?regex=(a)%5C1".to_owned(),
            format!("targets/web/variants?regex={}", "a".repeat(129)),
            "targets/web/variants?regex=((a%7B100%7D)%7B100%7D)%7B100%7D".to_owned(),
            "targets/web/variants?limit=0".to_owned(),
            "targets/web/variants?cursor=AAAA".to_owned(),
            "exemptions?status=open".to_owned(),
            "exemptions?target=absent".to_owned(),
            "exemptions?x=1".to_owned(),
            "audit?x=1".to_owned(),
            "audit?target=absent".to_owned(),
            "audit?refused=perhaps".to_owned(),
            "audit?since=yesterday".to_owned(),
            "audit?until=2026-11-23".to_owned(),
            "audit?format=csv".to_owned(),
            "audit?limit=0".to_owned(),
            "?x=1".to_owned(),
        ] {
            bench.check(&path, &bench.admin.get(&path), 400, "invalid-parameter");
        }
        let changes = [
            ("PUT", "?x=1", json!({})),
            ("POST", "tokens?x=1", json!({"name": "x", "role": "viewer"})),
            ("PATCH", "targets/web?x=1", json!({"baseline": {"variant": "x"}})),
        ];
        for (method, path, body) in changes {
            bench.check(&format!("{method} {path}"), &bench.admin.json(method, path, &body), 400, "invalid-parameter");
        }
        let replay = format!("{scan}/replay?versions=1");
        bench.check(&replay, &bench.developer.send("POST", &replay, &[], b""), 400, "invalid-parameter");
    });
}

#[test]
fn a_change_with_an_invalid_body_is_refused() {
    let bench = Bench::new();
    bench.admin.set_baseline("web", "main");
    bench.refuses(|bench| {
        let cases = [
            ("PUT", "", "{\"unassigned_as\": \"severe\"}"),
            ("PUT", "", "{\"unassigned_as\": \"unassigned\"}"),
            ("PUT", "", "{\"unasigned_as\": \"low\"}"),
            ("PUT", "", "{\"missing_baseline\": \"pass\"}"),
            ("PUT", "", "{\"updated_occurrences\": \"old\"}"),
            ("PUT", "", "{\"rejected_allowed\": -1}"),
            ("PUT", "", "{\"rejected_allowed\": 4294967296}"),
            ("PUT", "", "{\"default_baselines\": {\"repo\": {\"variant\": \"main\"}}}"),
            ("PUT", "", "{\"default_baselines\": {\"repository\": \"main\"}}"),
            ("PUT", "", "{\"default_baselines\": {\"repository\": {}}}"),
            ("PUT", "", "{\"default_baselines\": {\"repository\": {\"variant\": \"\"}}}"),
            ("PUT", "", "{\"default_baselines\": {\"container\": {\"regex\": \"v(\"}}}"),
            ("PUT", "", "[1]"),
            ("PUT", "", "x"),
            ("PUT", "", "{"),
            ("POST", "tokens", "{\"name\": \"x\", \"role\": \"root\"}"),
            ("POST", "tokens", "{\"role\": \"viewer\"}"),
            ("POST", "tokens", "{\"name\": \"\", \"role\": \"viewer\"}"),
            ("POST", "tokens", ""),
            ("POST", "tokens", "{\"name\": \"a\\u0000\", \"role\": \"viewer\"}"),
            ("POST", "tokens", "{\"name\": \"x\", \"role\": \"viewer\", \"expires_in_days\": 0}"),
            ("POST", "tokens", "{\"name\": \"x\", \"role\": \"viewer\", \"expires_in_days\": 3651}"),
            ("POST", "tokens", "{\"name\": \"x\", \"role\": \"viewer\", \"expires_in_days\": -1}"),
            ("POST", "tokens", "{\"name\": \"x\", \"role\": \"viewer\", \"admin\": true}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"variant\": \"\"}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"variant\": \"a\\u0007\"}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"variant\": \"x\", \"y\": 1}}"),
            ("PATCH", "targets/web", "{\"baseline\": \"main\"}"),
            ("PATCH", "targets/web", "{\"baseline\": {}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"none\": false}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"variant\": \"x\", \"regex\": \"y\"}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"regex\": \"\"}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"regex\": \"a)|(b\"}}"),
            ("PATCH", "targets/web", "{\"baseline\": {\"regex\": \"a(?=b)\"}}"),
            ("PATCH", "targets/web", "{\"basline\": null}"),
            ("PATCH", "targets/web", "[null]"),
            ("POST", "settings-request", "{\"settings\": {\"criteria\": null}}"),
            ("POST", "settings-request", "{\"settings\": {\"criteria\": null}, \"reason\": \" \"}"),
            ("POST", "settings-request", "{\"settings\": {}, \"reason\": \"x\"}"),
            ("POST", "settings-request", "{\"settings\": {\"self_approval\": true}, \"reason\": \"x\"}"),
            (
                "POST",
                "settings-request",
                "{\"settings\": {\"criteria\": {\"fail_on_new\": \"severe\"}}, \"reason\": \"x\"}",
            ),
            ("POST", "settings-request", "{\"settings\": {\"target_criteria\": {\"v(\": {}}}, \"reason\": \"x\"}"),
            ("POST", "settings-request/approve", "{}"),
            ("POST", "settings-request/approve", "{\"request\": \"x\"}"),
        ];
        for (method, path, body) in cases {
            let reply = bench.admin.send(method, path, &[], body.as_bytes());
            bench.check(&format!("{method} {path} {body}"), &reply, 400, "invalid-body");
        }
        let scan = format!("scans/{}", bench.scan.scan.id);
        for (path, body) in [
            ("accept-request", "{}"),
            ("accept-request", "{\"reason\": \" \"}"),
            ("accept-request", "{\"comment\": \"x\"}"),
            ("accept-request/reject", "{\"reason\": \"x\"}"),
            ("accept-request/withdraw", "[]"),
        ] {
            let reply = bench.admin.send("POST", &format!("{scan}/{path}"), &[], body.as_bytes());
            bench.check(&format!("{path} {body}"), &reply, 400, "invalid-body");
        }
        let replay = format!("scans/{}/replay", bench.scan.scan.id);
        for body in ["{\"versions\": {\"parsers\": 1}}", "[]", "x"] {
            let reply = bench.developer.send("POST", &replay, &[], body.as_bytes());
            bench.check(&format!("replay {body}"), &reply, 400, "invalid-body");
        }
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(70_000));
        bench.check("large", &bench.admin.send("POST", "tokens", &[], large.as_bytes()), 400, "invalid-body");
        let absent = bench.admin.json("PATCH", "targets/absent", &json!({"baseline": {"variant": "x"}}));
        bench.check("unknown target", &absent, 404, "not-found");
    });
}

/// Removing a baseline changes comparisons, so a missing value must not remove it.
#[test]
fn only_an_explicit_null_removes_a_baseline() {
    let bench = Bench::new();
    bench.admin.set_baseline("web", "main");
    for body in ["", "{}"] {
        bench.admin.send("PATCH", "targets/web", &[], body.as_bytes());
        let kept = bench.admin.targets()[0].baseline.is_some();
        if !kept {
            bench.note(format!("PATCH with the body `{body}` removed the baseline"));
        }
        bench.admin.set_baseline("web", "main");
    }
    bench.admin.json("PATCH", "targets/web", &json!({"baseline": null})).expect(200);
    assert_eq!(bench.admin.targets()[0].baseline, None);
    bench.done();
}
