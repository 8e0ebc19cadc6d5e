//! The end of a server: no accepted request is lost, and no wait is longer than allowed.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::Error;

use crate::support::{PATIENCE, PROBE, TestApp, eventually};

#[test]
fn a_request_in_progress_is_finished() {
    let app = TestApp::start(PROBE);
    let url = app.url("/announce?key=arrived&ms=500");
    let client = std::thread::spawn(move || ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap());
    eventually("the request's arrival", || app.get("/get?key=arrived").status == 200);
    let address = app.address();
    app.shutdown(PATIENCE).unwrap();
    assert_eq!(client.join().unwrap(), "done");
    assert!(TcpStream::connect(address).is_err(), "nothing listens any more");
}

#[test]
fn work_after_the_response_is_finished() {
    let app = TestApp::start(PROBE);
    app.get("/after?key=later&ms=500").expect(200, "accepted");
    let state = Arc::clone(&app.state);
    app.shutdown(PATIENCE).unwrap();
    TestApp::restart(state, PROBE, |_| {}).get("/get?key=later").expect(200, "done");
}

#[test]
fn an_idle_server_ends_at_once() {
    let app = TestApp::start_with(PROBE, |config| config.reuse.idle = PATIENCE);
    app.get("/hello").expect(200, "hello");
    let started = Instant::now();
    app.shutdown(PATIENCE).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn what_takes_too_long_is_given_up() {
    let app = TestApp::start(PROBE);
    app.post("/set?key=kept", b"v").expect(200, "set");
    app.get("/after?key=never&ms=15000").expect(200, "accepted");
    let state = Arc::clone(&app.state);
    let started = Instant::now();
    let error = app.shutdown(Duration::from_millis(100)).unwrap_err();
    assert!(matches!(error, Error::Unfinished { unfinished: 1, .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let app = TestApp::restart(state, PROBE, |_| {});
    app.get("/get?key=never").expect(404, "none");
    app.get("/get?key=kept").expect(200, "v");
}
