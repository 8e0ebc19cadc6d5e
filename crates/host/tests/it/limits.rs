//! Each limit, exceeded; each misbehaviour, followed by a request that must not notice.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, PROBE, Reply, TestApp, eventually, log};

#[track_caller]
fn check_problem(reply: &Reply, status: u16, problem: &str) {
    assert_eq!((reply.status, reply.problem().as_str()), (status, problem));
}

#[track_caller]
fn check_alive(app: &TestApp) {
    app.get("/hello").expect(200, "hello");
}

fn impatient() -> TestApp {
    TestApp::start_with(PROBE, |config| config.limits.request_timeout = Duration::from_millis(300))
}

#[test]
fn a_busy_loop_is_interrupted() {
    let app = impatient();
    check_problem(&app.get("/busy"), 504, "request-timeout");
    check_alive(&app);
}

#[test]
fn busy_loops_do_not_keep_others_waiting() {
    let app = TestApp::start_with(PROBE, |config| config.limits.request_timeout = Duration::from_secs(5));
    app.concurrently(7, |app, client| {
        if client < 6 {
            check_problem(&app.get("/busy"), 504, "request-timeout");
        } else {
            eventually("six requests at work", || 6 <= app.metric("gatehouse_http_requests_in_flight"));
            let started = Instant::now();
            check_alive(app);
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        }
    });
}

#[test]
fn a_component_that_becomes_busy_keeps_no_other_request_waiting() {
    let app = TestApp::start_with(PROBE, |config| config.limits.request_timeout = Duration::from_secs(10));
    app.concurrently(2, |app, client| {
        if client == 0 {
            check_problem(&app.get("/busy-later?key=k&ms=100"), 504, "request-timeout");
        } else {
            eventually("the request's arrival", || app.get("/get?key=k").status == 200);
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(2) {
                let asked = Instant::now();
                check_alive(app);
                assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
            }
        }
    });
}

#[test]
fn a_long_sleep_is_interrupted() {
    let app = impatient();
    check_problem(&app.get("/sleep?ms=60000"), 504, "request-timeout");
    check_alive(&app);
}

#[test]
fn a_busy_loop_of_an_old_component_is_interrupted() {
    let app = TestApp::start_with(
        r#"
        [[trigger.http]]
        route = "/..."
        component = "two"
        [component.two]
        source = "{probe_p2}"
        "#,
        |config| config.limits.request_timeout = Duration::from_millis(300),
    );
    check_problem(&app.get("/busy"), 504, "request-timeout");
    check_problem(&app.get("/no-answer"), 500, "component-failed");
    app.get("/hello").expect(200, "hello from 0.2");
}

#[test]
fn a_chained_busy_loop_is_interrupted() {
    let app = TestApp::start_with(
        r#"
        [[trigger.http]]
        route = "/..."
        component = "caller"
        [component.caller]
        source = "{probe}"
        allowed_outbound_hosts = ["http://callee.spin.internal"]
        [[trigger.http]]
        route = { private = true }
        component = "callee"
        [component.callee]
        source = "{probe}"
        "#,
        |config| config.limits.request_timeout = Duration::from_millis(300),
    );
    check_problem(&app.get("/out?url=http://callee.spin.internal/busy"), 504, "request-timeout");
    app.get("/out?url=http://callee.spin.internal/hello").expect(200, "hello");
}

#[test]
fn a_panic_fails_its_request_alone() {
    let app = TestApp::start(PROBE);
    for _ in 0..3 {
        check_problem(&app.get("/panic"), 500, "component-failed");
        check_alive(&app);
    }
    assert!(log().contains("the probe was told to panic"));
}

#[test]
fn endless_recursion_fails_its_request_alone() {
    let app = TestApp::start(PROBE);
    for _ in 0..3 {
        check_problem(&app.get("/recurse"), 500, "component-failed");
        check_alive(&app);
    }
}

#[test]
fn memory_is_limited_and_the_refusal_is_told_from_other_failures() {
    let app = TestApp::start_with(PROBE, |config| config.limits.guest_memory_bytes = 32 << 20);
    check_problem(&app.get("/fill"), 507, "component-out-of-memory");
    check_alive(&app);
    app.get("/allocate?mib=16").expect(200, "16777216");
    check_problem(&app.get("/allocate?mib=40"), 507, "component-out-of-memory");
    check_problem(&app.get("/panic"), 500, "component-failed");
    check_alive(&app);
    let peak = app.server.peak_guest_memory()["probe"];
    assert!((17 << 20..=32 << 20).contains(&peak), "{peak}");
}

const BODY_LIMIT: u64 = 1 << 20;

fn small_bodies() -> TestApp {
    TestApp::start_with(PROBE, |config| config.limits.body_bytes = BODY_LIMIT)
}

#[test]
fn a_body_at_the_limit_passes_and_one_byte_more_does_not() {
    let app = small_bodies();
    let limit = usize::try_from(BODY_LIMIT).unwrap();
    app.post("/count", &vec![b'x'; limit]).expect(200, "1048576");
    check_problem(&app.post("/count", &vec![b'x'; limit + 1]), 413, "payload-too-large");
    app.post_stream("/count", io::repeat(b'x').take(BODY_LIMIT)).expect(200, "1048576");
    check_problem(&app.post_stream("/count", io::repeat(b'x').take(BODY_LIMIT + 1)), 413, "payload-too-large");
    check_alive(&app);
}

#[test]
fn a_component_sees_the_body_fail_and_the_client_sees_why() {
    let app = small_bodies();
    check_problem(&app.post_stream("/count?x=body-fails", io::repeat(b'x').take(4 << 20)), 413, "payload-too-large");
    eventually("the component's complaint", || log().contains("the body failed"));
    check_alive(&app);
}

#[test]
fn a_declared_length_over_the_limit_is_refused_before_the_body() {
    let app = small_bodies();
    let answer = app.raw(
        "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("payload-too-large"), "{answer}");
}

#[test]
fn a_component_that_ignores_the_body_can_answer() {
    let app = small_bodies();
    app.post("/ignore-body", &[b'x'; 500_000]).expect(200, "ignored");
    check_alive(&app);
}

#[test]
fn requests_over_the_limit_are_turned_away_at_once() {
    let app = TestApp::start_with(PROBE, |config| config.limits.concurrent_requests = 2);
    app.concurrently(3, |app, client| {
        if client < 2 {
            app.get(&format!("/announce?key={client}&ms=1500")).expect(200, "done");
            return;
        }
        eventually("two requests at work", || 2 <= app.metric("gatehouse_http_requests_in_flight"));
        let refused = app.get("/hello");
        check_problem(&refused, 503, "busy");
        assert_eq!(refused.headers["retry-after"], "1");
        // The host itself still answers.
        app.get("/.well-known/spin/health").expect(200, "OK");
    });
    check_alive(&app);
}

#[test]
fn a_client_that_leaves_gives_its_place_back_when_the_component_is_done() {
    let app = TestApp::start_with(PROBE, |config| config.limits.concurrent_requests = 1);
    let mut stream = TcpStream::connect(app.address()).unwrap();
    stream.write_all(b"GET /announce?key=k&ms=300 HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    eventually("the request's arrival", || 1 <= app.metric("gatehouse_http_requests_in_flight"));
    drop(stream);
    eventually("room for the next request", || app.get("/hello").status == 200);
}

#[test]
fn chained_calls_do_not_count_as_requests() {
    let app = TestApp::start_with(
        r#"
        [[trigger.http]]
        route = "/..."
        component = "a"
        [component.a]
        source = "{probe}"
        allowed_outbound_hosts = ["http://*.spin.internal"]
        [[trigger.http]]
        route = { private = true }
        component = "b"
        [component.b]
        source = "{probe}"
        "#,
        |config| config.limits.concurrent_requests = 1,
    );
    app.get("/out?url=http://b.spin.internal/hello").expect(200, "hello");
}

#[test]
fn a_slow_head_is_not_waited_for() {
    let app = TestApp::start_with(PROBE, |config| config.limits.header_timeout = Duration::from_millis(100));
    let mut stream = TcpStream::connect(app.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost:").unwrap();
    let mut answer = Vec::new();
    // Either an answer that says so or a reset, but an end.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    check_alive(&app);
}

#[test]
fn a_long_response_is_streamed() {
    let app = TestApp::start(PROBE);
    assert_eq!(app.get("/stream?chunks=5000").body.len(), 5_000_000);
}

#[test]
fn an_instance_is_renewed_after_its_share_of_requests() {
    let app = TestApp::start_with(PROBE, |config| config.reuse.requests = 3);
    app.concurrently(8, |app, _| (0..20).for_each(|_| check_alive(app)));
}
