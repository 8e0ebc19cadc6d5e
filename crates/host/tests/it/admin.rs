//! The operator's listener: health and metrics, whatever the public one is doing.

use std::time::{Duration, Instant};

use crate::support::{PROBE, TestApp, eventually};

#[test]
fn health_and_metrics_have_a_listener_of_their_own() {
    let app = TestApp::start(PROBE);
    app.admin("/health").expect(200, "OK");
    let metrics = app.admin("/metrics");
    assert_eq!((metrics.status, metrics.headers["content-type"].as_bytes()), (200, &b"text/plain; version=0.0.4"[..]));
    assert_eq!(app.admin("/hello").status, 404, "no component is served here");
    // The public listener shows the numbers to nobody.
    app.get("/.well-known/gatehouse/metrics").expect(404, "the probe does not know this");
    assert_eq!(TestApp::start_with(PROBE, |config| config.admin_listen = None).server.admin_addr(), None);
}

#[test]
fn it_answers_when_every_place_and_every_processor_is_taken() {
    let app = TestApp::start_with(PROBE, |config| {
        config.limits.concurrent_requests = 6;
        config.limits.connections = 6;
        config.limits.request_timeout = Duration::from_secs(3);
    });
    app.concurrently(7, |app, client| {
        if client < 6 {
            assert_eq!(app.get("/busy").status, 504);
            return;
        }
        eventually("six requests at work", || app.metric("gatehouse_http_requests_in_flight") == 6);
        let asked = Instant::now();
        app.admin("/health").expect(200, "OK");
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    });
}

#[test]
fn it_is_closed_when_the_server_ends() {
    let app = TestApp::start(PROBE);
    let address = app.server.admin_addr().unwrap();
    app.shutdown(Duration::from_secs(5)).unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn what_clients_make_up_takes_no_room_in_metrics_and_log() {
    let app = TestApp::start(PROBE);
    app.get("/unknown").expect(404, "the probe does not know this");
    let before = app.admin("/metrics").body.lines().count();
    for n in 0..50 {
        let head = format!("MADEUP{n} /{n}{} HTTP/1.1\r\nHost: h{n}\r\nAuthorization: {n}\r\n", "x".repeat(5000));
        let answer = app.raw(&format!("{head}Connection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    assert_eq!(app.admin("/metrics").body.lines().count(), before);
    let log = crate::support::log();
    let line = log.lines().find(|line| line.contains("MADEUP7 ")).unwrap();
    assert!(line.contains("xxx...") && line.len() < 1500, "{line}");
}

#[test]
fn a_long_head_is_refused() {
    let app = TestApp::start(PROBE);
    let check = |head: &str, status: &str| {
        let answer = app.raw(&format!("{head}Connection: close\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    };
    let headers = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    check(&format!("GET /hello HTTP/1.1\r\nHost: a\r\n{}", headers(90)), "200");
    check(&format!("GET /hello HTTP/1.1\r\nHost: a\r\n{}", headers(101)), "431");
    check(&format!("GET /hello HTTP/1.1\r\nHost: a\r\nx: {}\r\n", "x".repeat(60 << 10)), "200");
    check(&format!("GET /hello HTTP/1.1\r\nHost: a\r\nx: {}\r\n", "x".repeat(64 << 10)), "431");
    check(&format!("GET /hello?{} HTTP/1.1\r\nHost: a\r\n", "x".repeat(60 << 10)), "200");
    check(&format!("GET /hello?{} HTTP/1.1\r\nHost: a\r\n", "x".repeat(66 << 10)), "4");
}
