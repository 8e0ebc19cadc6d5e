//! Routes, headers, variables, logs: what a request passes through on its way.

use crate::support::{PROBE, TestApp, eventually, log};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn components_of_both_versions_answer() {
    let app = TestApp::start(
        r#"
        [[trigger.http]]
        route = "/three/..."
        component = "three"
        [component.three]
        source = "{probe}"
        [[trigger.http]]
        route = "/two/..."
        component = "two"
        [component.two]
        source = "{probe_p2}"
        "#,
    );
    app.get("/three/hello").expect(200, "hello");
    app.get("/two/hello").expect(200, "hello from 0.2");
    app.post("/two/count", &[b'x'; 100_000]).expect(200, "Some(100000)");
    app.post("/three/count", &[b'x'; 100_000]).expect(200, "100000");
}

#[test]
fn a_component_sees_true_spin_headers_only() {
    let app = TestApp::start(
        r#"
        [[trigger.http]]
        route = "/a/:id/..."
        component = "probe"
        [component.probe]
        source = "{probe}"
        "#,
    );
    let forged = [
        ("spin-client-addr", "6.6.6.6:6"),
        ("spin-path-match-id", "forged"),
        ("spin-path-match-admin", "forged"),
        ("Spin-Full-Url", "forged"),
        ("x-mine", "kept"),
    ];
    let seen = app.get_with("/a/42/headers?x=1", &forged).body;
    assert!(!seen.contains("forged") && !seen.contains("6.6.6.6"), "{seen}");
    let full_url = format!("spin-full-url: http://{}/a/42/headers?x=1", app.address());
    for line in [
        "spin-path-info: /headers",
        &full_url,
        "spin-matched-route: /a/:id/...",
        "spin-base-path: /",
        "spin-raw-component-route: /a/:id/...",
        "spin-component-route: /a/:id",
        "spin-path-match-id: 42",
        "spin-client-addr: 127.0.0.1:",
        "x-mine: kept",
    ] {
        assert!(seen.lines().any(|present| present.starts_with(line)), "{line} in {seen}");
    }
}

#[test]
fn what_no_route_covers_is_a_problem() {
    let app = TestApp::start(
        r#"
        [[trigger.http]]
        route = "/only/hello"
        component = "probe"
        [component.probe]
        source = "{probe}"
        "#,
    );
    let reply = app.get("/other");
    assert_eq!((reply.status, reply.problem().as_str()), (404, "no-route"));
    app.get("/only/hello").expect(200, "hello");
}

#[test]
fn a_static_response_needs_no_component() {
    let app = TestApp::start(
        r#"
        [[trigger.http]]
        route = "/robots.txt"
        static_response = { status_code = 203, headers = { "content-type" = "text/plain" }, body = "Disallow: /" }
        "#,
    );
    let reply = app.get("/robots.txt");
    reply.expect(203, "Disallow: /");
    assert_eq!(reply.headers["content-type"], "text/plain");
}

#[test]
fn the_host_answers_for_its_health_and_its_numbers() {
    let app = TestApp::start(PROBE);
    app.get("/.well-known/spin/health").expect(200, "OK");
    app.get("/.well-known/spin/info").expect(200, r#"{"name":"test-app","version":"1.2.3"}"#);
    app.get("/hello").expect(200, "hello");
    app.post("/set?key=k", b"v").expect(200, "set");
    app.get("/get?key=k").expect(200, "v");
    app.get("/increment?key=n").expect(200, "1");
    for (name, value) in [
        ("gatehouse_http_requests_in_flight", 0),
        ("gatehouse_kv_reads_total", 1),
        ("gatehouse_kv_writes_total", 1),
        ("gatehouse_kv_deletes_total", 0),
        ("gatehouse_kv_increments_total", 1),
    ] {
        assert_eq!(app.metric(name), value, "{name}");
    }
    assert!(6 <= app.metric("gatehouse_http_requests_total{status=\"200\"}"));
    let peak = app.metric("gatehouse_guest_memory_peak_bytes{component=\"probe\"}");
    assert!((1 << 16..16 << 20).contains(&peak), "{peak}");
    assert_eq!(app.server.peak_guest_memory()["probe"], usize::try_from(peak).unwrap());
    assert_eq!(app.server.kv_stats().writes, 1);
}

#[test]
fn a_component_gets_its_own_variables_only() {
    let app = TestApp::start_with(
        r#"
        [variables]
        who = { default = "nobody" }
        other = { default = "x" }
        [[trigger.http]]
        route = "/..."
        component = "probe"
        [component.probe]
        source = "{probe}"
        environment = { GIVEN = "by the manifest" }
        [component.probe.variables]
        greeting = "hello {{ who }}"
        "#,
        |config| {
            config.variables.insert("who".to_owned(), "you".to_owned());
        },
    );
    app.get("/variable?name=greeting").expect(200, "hello you");
    for name in ["who", "other", "missing"] {
        assert_eq!(app.get(&format!("/variable?name={name}")).status, 502, "{name}");
    }
    app.get("/environment").expect(200, "GIVEN=by the manifest\n");
    app.get("/files").expect(200, "Err(NotFound)");
}

#[test]
fn a_component_believes_it_is_as_much_later_as_the_host_was_told() {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    for days in [0, 3] {
        let ahead = Duration::from_secs(days * DAY);
        let app = TestApp::start_with(PROBE, |config| config.clock_offset = ahead);
        let before = seconds(SystemTime::now() + ahead);
        let shown = app.get("/clock").body;
        let after = seconds(SystemTime::now() + ahead);
        let clocks: Vec<u64> = shown.split(' ').map(|clock| clock.parse().unwrap()).collect();
        assert_eq!(clocks.len(), 2, "{shown}");
        assert!(clocks.iter().all(|clock| (before..=after).contains(clock)), "{before} {shown} {after}");
    }
}

#[test]
fn what_a_component_prints_is_logged_and_no_secret_is() {
    let app = TestApp::start_with(
        r#"
        [variables]
        token = { required = true, secret = true }
        [[trigger.http]]
        route = "/..."
        component = "talker"
        [component.talker]
        source = "{probe}"
        [component.talker.variables]
        token = "{{ token }}"
        "#,
        |config| {
            config.variables.insert("token".to_owned(), "hunter2secret".to_owned());
        },
    );
    app.get("/variable?name=token").expect(200, "hunter2secret");
    let headers = [("authorization", "Bearer hunter3secret")];
    app.get_with("/print?line=printed-by-the-talker", &headers).expect(200, "printed");
    eventually("the line in the log", || {
        let log = log();
        let lines = log.lines().filter(|line| line.contains("gatehouse::guest") && line.contains("talker"));
        let printed = lines.filter(|line| line.contains("printed-by-the-talker")).count();
        let accessed = log.lines().any(|line| {
            line.contains("gatehouse::access") && line.contains("path=/print") && line.contains("component=talker")
        });
        printed == 2 && accessed
    });
    let log = log();
    assert!(!log.contains("hunter2secret") && !log.contains("hunter3secret"));
}

#[test]
fn a_malformed_request_does_not_reach_a_component() {
    let app = TestApp::start(PROBE);
    let answer = app.raw("GET /hello HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = app.raw("GET /hello HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("hello"), "{answer}");
}
