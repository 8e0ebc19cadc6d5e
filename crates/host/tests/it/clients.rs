//! Clients that do nothing, or too much: what they get, and a client beside them that must not notice.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use host::Config;

use crate::support::{PATIENCE, PROBE, Reply, TestApp, eventually};

/// A time limit that is exceeded in these tests.
const SHORT: Duration = Duration::from_millis(300);
/// Pause between the bytes of a client that is slow on purpose.
const PACE: Duration = Duration::from_millis(20);

const ONE: [u8; 4] = [127, 0, 0, 2];
const OTHER: [u8; 4] = [127, 0, 0, 3];

/// The head of an upload whose body the client still has.
const UPLOAD: &str = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
const SIGNED_UPLOAD: &str =
    "POST /count HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Length: 1000000\r\n\r\n";
const GET: &str = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

#[track_caller]
fn check_alive(app: &TestApp) {
    let started = Instant::now();
    app.get_with("/hello", &[("authorization", "Bearer normal")]).expect(200, "hello");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Sends a head from an address.
fn send(app: &TestApp, client: [u8; 4], head: &str) -> TcpStream {
    let mut stream = app.connect_from(client);
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Everything that comes until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        // It closed with some of what we sent unread.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(answer).unwrap()
}

#[track_caller]
fn check_refused(answer: &str, status: &str, problem: &str) {
    assert_eq!(answer.get(9..12), Some(status), "{answer}");
    assert!(answer.contains(&format!("problem:{problem}\"")), "{answer}");
}

/// True once the server has closed, however.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PACE)).unwrap();
    match stream.read(&mut [0; 4096]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

#[test]
fn a_client_that_sends_no_body_is_not_waited_for() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let answer = rest(send(&app, ONE, UPLOAD));
    check_refused(&answer, "408", "body-timeout");
    assert!(answer.contains("connection: close") && answer.contains("0.3 seconds"), "{answer}");
    eventually("the end of the request", || app.metric("gatehouse_http_requests_in_flight") == 0);
    check_alive(&app);
}

#[test]
fn a_byte_now_and_then_is_no_progress() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let mut stream = send(&app, ONE, UPLOAD);
    stream.set_read_timeout(Some(PACE)).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut answer = [0; 4096];
    let length = loop {
        assert!(Instant::now() < deadline, "the client is still waited for");
        // The wait for an answer is the pace of the bytes.
        match stream.read(&mut answer) {
            Ok(length) => break length,
            Err(_) => stream.write_all(b"x").unwrap(),
        }
    };
    check_refused(&String::from_utf8_lossy(&answer[..length]), "408", "body-timeout");
}

#[test]
fn a_slow_client_that_goes_on_is_waited_for() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let mut stream =
        send(&app, ONE, "POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n");
    stream.set_read_timeout(Some(PACE)).unwrap();
    for _ in 0..60 {
        assert!(stream.read(&mut [0; 10]).is_err(), "no answer before the end of the body");
        stream.write_all(&[b'x'; 1000]).unwrap();
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(rest(stream).ends_with("60000"));
}

#[test]
fn a_client_that_reads_nothing_is_not_waited_for() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let streams: Vec<_> =
        (0..8).map(|_| send(&app, ONE, "GET /stream?chunks=100000 HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    eventually("the requests' arrival", || app.metric("gatehouse_http_requests_in_flight") == 8);
    eventually("their end", || app.metric("gatehouse_http_requests_in_flight") == 0);
    eventually("the end of their connections", || app.metric("gatehouse_http_connections") == 0);
    drop(streams);
    check_alive(&app);
}

#[test]
fn a_client_that_reads_a_byte_now_and_then_is_not_waited_for() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let mut stream = send(&app, ONE, "GET /stream?chunks=100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("the request's arrival", || app.metric("gatehouse_http_requests_in_flight") == 1);
    eventually("its end", || {
        let _ = stream.read(&mut [0; 1]);
        app.metric("gatehouse_http_requests_in_flight") == 0
    });
}

#[test]
fn a_slow_reader_that_goes_on_gets_everything() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let mut stream = send(&app, ONE, "GET /stream?chunks=20000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            length => bytes += length,
        }
        // Others are served meanwhile, which takes its time.
        check_alive(&app);
    }
    assert!(20_000_000 < bytes, "{bytes}");
}

#[test]
fn an_idle_connection_is_closed_and_one_in_use_is_not() {
    let app = TestApp::start_with(PROBE, |config| config.limits.idle_timeout = SHORT);
    let mut used = send(&app, ONE, "GET /sleep?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut fresh = app.connect_from(ONE);
    let idle = send(&app, ONE, GET);
    assert!(rest(idle).ends_with("hello"));
    eventually("the end of a connection without any request", || is_closed(&mut fresh));
    let mut answer = [0; 4096];
    let length = used.read(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_connection_ends_at_its_age() {
    let app = TestApp::start_with(PROBE, |config| config.limits.connection_age = SHORT);
    let started = Instant::now();
    let mut stream = app.connect_from(ONE);
    let mut ended = false;
    let mut answers = 0;
    while !ended {
        assert!(started.elapsed() < PATIENCE);
        let mut answer = [0; 4096];
        // Between two requests it ends without a word.
        let length = stream.write_all(GET.as_bytes()).and_then(|()| stream.read(&mut answer)).unwrap_or(0);
        answers += usize::from(0 < length);
        ended = length == 0 || String::from_utf8_lossy(&answer[..length]).contains("connection: close");
    }
    assert!(SHORT <= started.elapsed() && 1 < answers, "{:?} {answers}", started.elapsed());
    // A request in progress is finished, and the client told.
    let answer = rest(send(&app, ONE, "GET /sleep?ms=600 HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert!(answer.contains("connection: close") && answer.ends_with("slept"), "{answer}");
}

/// Few connections, and no time limit that a test would wait for.
fn few_connections(config: &mut Config) {
    config.limits.connections = 8;
    config.limits.connections_per_client = 6;
    config.limits.idle_timeout = 10 * PATIENCE;
    config.limits.header_timeout = 10 * PATIENCE;
}

#[test]
fn idle_connections_make_room_for_new_ones() {
    let app = TestApp::start_with(PROBE, few_connections);
    let mut idle = Vec::new();
    for client in [ONE, OTHER] {
        // Without a request, with half a head, and after a request.
        idle.push(app.connect_from(client));
        idle.push(send(&app, client, "GET /hello HTTP/1.1\r\nHost:"));
        for _ in 0..2 {
            let mut stream = send(&app, client, GET);
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
            idle.push(stream);
        }
    }
    eventually("the use of every connection", || app.metric("gatehouse_http_connections") == 8);
    check_alive(&app);
    eventually("the end of the longest idle one", || is_closed(&mut idle[0]));
}

#[test]
fn a_request_in_progress_makes_no_room() {
    let app = TestApp::start_with(PROBE, few_connections);
    let busy: Vec<_> = [ONE, OTHER]
        .iter()
        .flat_map(|client| {
            (0..4).map(|_| send(&app, *client, "GET /sleep?ms=700 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
        })
        .collect();
    eventually("the requests' arrival", || app.metric("gatehouse_http_requests_in_flight") == 8);
    // Waits until one of them is done.
    check_alive(&app);
    for stream in busy {
        assert!(rest(stream).ends_with("slept"));
    }
}

#[test]
fn a_client_has_its_share_of_connections() {
    let app = TestApp::start_with(PROBE, few_connections);
    let open: Vec<_> = (0..6).map(|_| app.connect_from(ONE)).collect();
    eventually("six connections", || app.metric("gatehouse_http_connections") == 6);
    let answer = rest(send(&app, ONE, GET));
    check_refused(&answer, "503", "over-share");
    assert!(answer.contains("retry-after: 1\r\n") && answer.contains("connection: close\r\n"), "{answer}");
    let other = rest(send(&app, OTHER, "GET /hello HTTP/1.0\r\n\r\n"));
    assert!(other.ends_with("hello"), "{other}");
    drop(open);
    eventually("room for the client's next connection", || {
        rest(send(&app, ONE, "GET /hello HTTP/1.0\r\n\r\n")).ends_with("hello")
    });
}

#[test]
fn a_flood_of_connections_leaves_a_client_of_another_network_alone() {
    let app = TestApp::start_with(PROBE, |config| {
        few_connections(config);
        config.limits.connections_per_client = 2;
    });
    std::thread::scope(|scope| {
        let (ended, end) = std::sync::mpsc::channel::<()>();
        let app = &app;
        scope.spawn(move || {
            // Ends when the sender is dropped.
            let mut flood = std::collections::VecDeque::new();
            for client in (10..=250_u8).cycle() {
                flood.push_back(send(app, [127, 0, 1, client], "GET /hello HTTP/1.1\r\n"));
                if 64 < flood.len() {
                    flood.pop_front();
                }
                if end.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                    return;
                }
            }
        });
        eventually("a full server", || app.metric("gatehouse_http_connections") == 8);
        for _ in 0..20 {
            let answer = rest(send(app, ONE, "GET /hello HTTP/1.0\r\nAuthorization: Bearer normal\r\n\r\n"));
            assert!(answer.ends_with("hello"), "{answer}");
        }
        drop(ended);
    });
}

#[test]
fn slow_bodies_without_a_credential_leave_places_to_others() {
    let app = TestApp::start_with(PROBE, |config| {
        config.limits.concurrent_requests = 16;
        config.limits.anonymous_requests = 8;
        config.limits.stall_timeout = PATIENCE;
    });
    let mut slow: Vec<_> = (0..2).map(|_| send(&app, ONE, UPLOAD)).collect();
    eventually("two requests", || app.metric("gatehouse_http_requests_in_flight") == 2);
    // A quarter of these places is the share of one network.
    let answer = rest(send(&app, ONE, "GET /hello HTTP/1.0\r\n\r\n"));
    check_refused(&answer, "503", "over-share");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    check_alive(&app);
    for client in 10..20 {
        slow.push(send(&app, [127, 0, 1, client], UPLOAD));
    }
    eventually("all places without a credential", || {
        rest(send(&app, OTHER, "GET /hello HTTP/1.0\r\n\r\n")).contains("over-share")
    });
    check_alive(&app);
    drop(slow);
    eventually("room again", || rest(send(&app, ONE, "GET /hello HTTP/1.0\r\n\r\n")).ends_with("hello"));
}

const PROJECTS: &str = r#"
[[trigger.http]]
route = "/p/:project/..."
component = "probe"
[component.probe]
source = "{probe}"
key_value_stores = ["default"]
"#;

#[test]
fn one_token_or_project_leaves_the_last_places_to_others() {
    for (one_token, one_project) in [(true, false), (false, true)] {
        let app = TestApp::start_with(PROJECTS, |config| config.limits.concurrent_requests = 16);
        let head = |n: u8| {
            let (token, project) = (if one_token { 0 } else { n }, if one_project { 0 } else { n });
            format!("POST /p/{project}/count HTTP/1.0\r\nAuthorization: Bearer {token}\r\nContent-Length: 10\r\n\r\n")
        };
        // Each from an address of its own, with a body that does not come.
        let slow: Vec<_> = (0..14).map(|n| send(&app, [127, 0, 1, 10 + n], &head(n))).collect();
        eventually("fourteen requests", || app.metric("gatehouse_http_requests_in_flight") == 14);
        let answer = rest(send(&app, ONE, &head(99)));
        check_refused(&answer, "503", "over-share");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
        app.get_with("/p/other/hello", &[("authorization", "Bearer other")]).expect(200, "hello");
        drop(slow);
        eventually("room again", || rest(send(&app, ONE, &format!("{}0123456789", head(99)))).ends_with("10"));
    }
}

#[test]
fn a_trusted_proxy_says_who_the_client_is() {
    let from = |client: [u8; 4], app: &TestApp| {
        let head = "GET /headers HTTP/1.0\r\nX-Forwarded-For: 203.0.113.66, 203.0.113.7\r\n\r\n";
        let seen = rest(send(app, client, head));
        seen.lines().find_map(|line| line.strip_prefix("spin-client-addr: ").map(str::to_owned)).unwrap()
    };
    let app = TestApp::start_with(PROBE, |config| {
        config.trusted_proxies = vec!["127.0.0.2/32".parse().unwrap()];
        config.limits.connections_per_client = 4;
        config.limits.anonymous_requests = 4;
    });
    assert_eq!(from(ONE, &app), "203.0.113.7:0");
    assert!(from(OTHER, &app).starts_with("127.0.0.3:"));
    // Its connections and requests count with its clients, and not with it.
    let slow: Vec<_> = (0..3)
        .map(|n| send(&app, ONE, &UPLOAD.replace("Host", &format!("X-Forwarded-For: 203.0.113.{n}\r\nHost"))))
        .collect();
    let idle: Vec<_> = (0..8).map(|_| app.connect_from(ONE)).collect();
    eventually("eleven connections", || app.metric("gatehouse_http_connections") == 11);
    eventually("three requests", || app.metric("gatehouse_http_requests_in_flight") == 3);
    let again = rest(send(&app, ONE, "GET /hello HTTP/1.0\r\nX-Forwarded-For: 203.0.113.0\r\n\r\n"));
    check_refused(&again, "503", "over-share");
    assert_eq!(from(ONE, &app), "203.0.113.7:0");
    drop((slow, idle));
}

#[test]
fn a_slow_upload_with_a_made_up_token_ends_too() {
    let app = TestApp::start_with(PROBE, |config| config.limits.stall_timeout = SHORT);
    let slow: Vec<_> = (0..8).map(|_| send(&app, ONE, SIGNED_UPLOAD)).collect();
    for stream in slow {
        check_refused(&rest(stream), "408", "body-timeout");
    }
}

#[test]
fn everything_refused_says_when_to_try_again() {
    let app = TestApp::start_with(PROBE, |config| {
        config.limits.concurrent_requests = 8;
        config.limits.stall_timeout = PATIENCE;
    });
    let _slow: Vec<_> = (0..8_u8)
        .map(|n| send(&app, [127, 0, 1, 10 + n], &SIGNED_UPLOAD.replace("Bearer t", &format!("Bearer {n}"))))
        .collect();
    eventually("eight requests", || app.metric("gatehouse_http_requests_in_flight") == 8);
    let started = Instant::now();
    let refusals: Vec<Reply> = app.concurrently(32, |app, _| app.get("/hello"));
    for refused in refusals {
        assert_eq!((refused.status, refused.problem().as_str()), (503, "busy"));
        assert_eq!(refused.headers["retry-after"], "1");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn large_bodies_have_few_places_whether_their_length_is_stated_or_not() {
    let app = TestApp::start_with(PROJECTS, |config| {
        config.limits.large_requests = 2;
        config.limits.large_bytes = 8000;
        config.limits.stall_timeout = Duration::from_secs(60);
    });
    let head = |project: &str, more: &str| {
        format!(
            "POST /p/{project}/count HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {project}\r\n{more}\r\n"
        )
    };
    let stated = |length: usize| format!("Content-Length: {length}\r\n");
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    let large = send(&app, ONE, &head("one", &stated(8001)));
    eventually("a large request", || app.metric("gatehouse_http_requests_in_flight") == 1);
    let whole = |length: usize, more: &str| head("one", &(stated(length) + more)) + &"x".repeat(length);
    for (what, request) in [
        ("a second one of the project", whole(8001, "")),
        ("a compressed one", whole(1001, "Content-Encoding: gzip\r\n")),
        ("one in chunks", head("one", "Transfer-Encoding: chunked\r\n") + &chunk(8001) + "0\r\n\r\n"),
    ] {
        let answer = rest(send(&app, ONE, &request));
        check_refused(&answer, "503", "busy");
        assert!(answer.contains("retry-after: 5\r\n"), "{what}: {answer}");
    }
    assert!(rest(send(&app, ONE, &whole(8000, ""))).ends_with("8000"), "a small one has a place");
    let other = head("other", "Transfer-Encoding: chunked\r\n") + &chunk(8001) + "0\r\n\r\n";
    assert!(rest(send(&app, ONE, &other)).contains("8001"), "the last place is for another project");
    drop(large);
    eventually("room again", || rest(send(&app, ONE, &whole(8001, ""))).ends_with("8001"));
}
