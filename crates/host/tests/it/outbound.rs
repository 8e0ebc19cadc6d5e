//! Calls of components: to each other, to allowed hosts, and to nothing else.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::support::TestApp;

/// Answers every connection with `here`.
fn outside() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let body = format!("here {}", head.lines().next().unwrap_or_default());
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

fn allowed(hosts: &str) -> TestApp {
    TestApp::start(&format!(
        r#"
        [[trigger.http]]
        route = "/..."
        component = "probe"
        [component.probe]
        source = "{{probe}}"
        allowed_outbound_hosts = [{hosts}]
        "#
    ))
}

#[test]
fn an_allowed_host_is_reached() {
    let outside = outside();
    let app = allowed("\"http://127.0.0.1:*\"");
    app.get(&format!("/out?url=http://{outside}/x/y")).expect(200, "here GET /x/y HTTP/1.1");
    let by_name = allowed(&format!("\"http://localhost:{}\"", outside.port()));
    by_name.get(&format!("/out?url=http://localhost:{}/", outside.port())).expect(200, "here GET / HTTP/1.1");
}

#[test]
fn any_other_host_is_refused() {
    let outside = outside();
    for hosts in ["", "\"https://127.0.0.1:*\"", "\"http://127.0.0.1\"", "\"http://example.com:*\""] {
        let refused = allowed(hosts).get(&format!("/out?url=http://{outside}/"));
        assert_eq!((refused.status, refused.body.contains("HttpRequestDenied")), (502, true), "{hosts} {refused:?}");
    }
}

#[test]
fn a_wildcard_does_not_open_the_operators_own_network() {
    let outside = outside();
    let app = allowed("\"*://*:*\"");
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let refused = app.get(&format!("/out?url=http://{host}:{}/", outside.port()));
        assert_eq!((refused.status, refused.body.contains("DestinationIpProhibited")), (502, true), "{refused:?}");
    }
}

#[test]
fn an_unreachable_host_is_an_error_the_component_can_handle() {
    let app = allowed("\"http://127.0.0.1:*\"");
    assert_eq!(app.get("/out?url=http://127.0.0.1:1/").status, 502);
}

const CHAIN: &str = r#"
[[trigger.http]]
route = "/public/..."
component = "public"
[component.public]
source = "{probe}"
allowed_outbound_hosts = ["http://private.spin.internal", "http://unknown.spin.internal"]
[[trigger.http]]
route = { private = true }
component = "private"
[component.private]
source = "{probe}"
[[trigger.http]]
route = "/outsider/..."
component = "outsider"
[component.outsider]
source = "{probe}"
"#;

#[test]
fn components_call_each_other_if_allowed() {
    let app = TestApp::start(CHAIN);
    app.get("/public/out?url=http://private.spin.internal/hello").expect(200, "hello");
    let seen = app.get("/public/out?url=http://private.spin.internal/x/headers").body;
    for line in ["spin-client-addr: 0.0.0.0:0", "spin-path-info: /x/headers", "spin-matched-route: /..."] {
        assert!(seen.lines().any(|present| present == line), "{line} in {seen}");
    }
    let refused = app.get("/outsider/out?url=http://private.spin.internal/hello");
    assert_eq!((refused.status, refused.body.contains("HttpRequestDenied")), (502, true), "{refused:?}");
    let unknown = app.get("/public/out?url=http://unknown.spin.internal/hello");
    assert_eq!((unknown.status, unknown.body.contains("DestinationNotFound")), (502, true), "{unknown:?}");
}

#[test]
fn a_private_component_is_not_reached_from_outside() {
    let app = TestApp::start(CHAIN);
    for (target, host) in [
        ("/hello", "localhost"),
        ("/private/hello", "localhost"),
        ("/hello", "private.spin.internal"),
        ("http://private.spin.internal/hello", "private.spin.internal"),
        ("http://private.spin.internal/hello", "localhost"),
    ] {
        let answer = app.raw(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{target} {host}: {answer}");
    }
    let seen = app.raw("GET /public/headers HTTP/1.0\r\nHost: private.spin.internal\r\n\r\n");
    assert!(seen.contains("spin-full-url: http://localhost/public/headers"), "{seen}");
    assert!(!seen.contains("spin.internal"), "{seen}");
}

#[test]
fn a_failure_of_the_callee_is_a_response_to_the_caller() {
    let app = TestApp::start(CHAIN);
    let reply = app.get("/public/out?url=http://private.spin.internal/panic");
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("component-failed"), "{reply:?}");
    app.get("/public/out?url=http://private.spin.internal/hello").expect(200, "hello");
}
