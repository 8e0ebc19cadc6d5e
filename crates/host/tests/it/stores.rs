//! Key-value stores as components see them, on both back ends.

use crate::redis_server::RedisServer;
use crate::support::{PROBE, TestApp, eventually};
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::Config;

/// A server whose default store is Redis.
fn on_redis(redis: &RedisServer) -> TestApp {
    on_redis_with(redis, |_| {})
}

fn on_redis_with(redis: &RedisServer, change: impl FnOnce(&mut Config)) -> TestApp {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let path = state.path().join("runtime.toml");
    std::fs::write(&path, format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"", redis.url())).unwrap();
    TestApp::restart(state, PROBE, |config| {
        config.runtime_config = Some(path);
        change(config);
    })
}

fn check_interfaces(app: &TestApp) {
    app.get("/get?key=k").expect(404, "none");
    app.post("/set?key=k", b"value").expect(200, "set");
    app.get("/get?key=k").expect(200, "value");
    app.get("/exists?key=k").expect(200, "true");
    app.get("/keys").expect(200, "k");
    app.get("/delete?key=k").expect(200, "deleted");
    app.get("/exists?key=k").expect(200, "false");
    app.get("/keys").expect(200, "");

    app.get("/many").expect(
        200,
        r#"[("a", Some("1")), ("absent", None), ("b", Some("2"))] ["b"] cursor refused: true exists: true"#,
    );
    app.get("/swap?key=s&new=1").expect(200, "swapped none");
    app.get("/swap?key=s&new=2").expect(200, "swapped 1");
    app.get("/swap?key=s&new=3&meanwhile=x").expect(200, "failed, now x");
    app.get("/swap?key=new&new=3&meanwhile=y").expect(200, "failed, now y");

    app.get("/increment?key=n&delta=5").expect(200, "5");
    app.get("/increment?key=n&delta=-7").expect(200, "-2");
    let refused = app.get("/increment?key=s");
    assert!(refused.status == 502 && refused.body.contains("is not a counter"), "{refused:?}");
    app.get("/increment?key=n").expect(200, "-1");
}

fn check_concurrent_increments(app: &TestApp) {
    let sums = app.concurrently(16, |app, _| {
        (0..25).map(|_| app.get("/increment?key=shared").body.parse::<i64>().unwrap()).collect::<Vec<_>>()
    });
    let mut sums = sums.concat();
    sums.sort_unstable();
    assert_eq!(sums, (1..=400).collect::<Vec<i64>>());
}

#[test]
fn sqlite_offers_every_interface() {
    check_interfaces(&TestApp::start(PROBE));
}

#[test]
fn redis_offers_every_interface() {
    let redis = RedisServer::start();
    check_interfaces(&on_redis(&redis));
}

#[test]
fn concurrent_increments_are_exact_on_sqlite() {
    check_concurrent_increments(&TestApp::start(PROBE));
}

#[test]
fn concurrent_increments_are_exact_on_redis() {
    let redis = RedisServer::start();
    check_concurrent_increments(&on_redis(&redis));
}

/// Many clients of a component that holds its instance while asynchronous calls are under way.
fn check_mixed_calls(app: &TestApp) {
    const CLIENTS: usize = 200;
    let answers = app.concurrently(CLIENTS, |app, client| {
        (0..2).map(|n| app.get(&format!("/mixed?key=mixed&client={client}&n={n}")).body).collect::<Vec<_>>()
    });
    let mut sums: Vec<usize> = Vec::new();
    for answer in answers.concat() {
        let (sum, failed) = answer.split_once(' ').unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(failed, "0", "{answer}");
        sums.push(sum.parse().unwrap());
    }
    sums.sort_unstable();
    assert_eq!(sums, (1..=2 * CLIENTS).collect::<Vec<usize>>());
}

#[test]
fn many_clients_of_both_interfaces_at_once_pass_on_sqlite() {
    check_mixed_calls(&TestApp::start(PROBE));
}

#[test]
fn many_clients_of_both_interfaces_at_once_pass_on_redis() {
    let redis = RedisServer::start();
    // As many requests in an instance as Spin allows, because that is where they stop each other.
    check_mixed_calls(&on_redis_with(&redis, |config| config.reuse.concurrent = 16));
}

#[test]
fn one_instance_cannot_flood_the_store() {
    let redis = RedisServer::start();
    let app = on_redis_with(&redis, |config| config.limits.store_timeout = Duration::from_secs(2));
    app.get("/flood?calls=1000").expect(200, "0");
    // Nothing is finished meanwhile, so 1,024 calls wait and the others are refused.
    redis.pause(|| app.get("/flood?calls=3000").expect(200, "1976"));
    app.get("/flood?calls=1000").expect(200, "0");
}

#[test]
fn a_redis_that_is_away_is_an_error_in_time_and_is_found_again() {
    const LIMIT: Duration = Duration::from_secs(1);
    let redis = RedisServer::start();
    let app = on_redis_with(&redis, |config| config.limits.store_timeout = LIMIT);
    let refused = |path: &str, says: &str| {
        let started = Instant::now();
        let reply = app.get(path);
        assert!(reply.status == 502 && reply.body.contains(says), "{path} {reply:?}");
        assert!(started.elapsed() < 5 * LIMIT, "{path} {:?}", started.elapsed());
    };
    app.post("/set?key=k", b"v").expect(200, "set");
    // It does not answer.
    redis.pause(|| {
        for path in ["/get?key=k", "/increment?key=n"] {
            refused(path, "did not answer within 1 seconds");
        }
        app.concurrently(32, |_, _| refused("/get?key=k", "did not answer within 1 seconds"));
    });
    app.get("/get?key=k").expect(200, "v");
    // It is not there. The next request finds it again, whether it reads or writes.
    let redis = redis.restart(|| {
        for path in ["/get?key=k", "/increment?key=n", "/get?key=k"] {
            refused(path, "the key-value store");
        }
    });
    app.get("/increment?key=n").expect(200, "1");
    let redis = redis.restart(|| refused("/get?key=k", "the key-value store"));
    app.get("/get?key=n").expect(404, "none");
    // It was away for a moment in which nobody asked.
    let _redis = redis.restart(|| {});
    app.get("/get?key=k").expect(404, "none");
    app.post("/set?key=k", b"v").expect(200, "set");
}

#[test]
fn a_sqlite_file_that_is_locked_is_an_error_in_time_and_nothing_is_lost() {
    let app = TestApp::start_with(PROBE, |config| config.limits.store_timeout = Duration::from_millis(400));
    app.post("/set?key=k", b"v").expect(200, "set");
    let file = app.state.path().join("state/sqlite_key_value.db");
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = Instant::now();
    let refused = app.post("/set?key=k", b"w");
    assert!(refused.status == 502 && refused.body.contains("locked"), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // Others read meanwhile.
    app.get("/get?key=k").expect(200, "v");
    other.execute_batch("ROLLBACK").unwrap();
    app.post("/set?key=k", b"w").expect(200, "set");
    app.get("/get?key=k").expect(200, "w");
}

#[test]
fn concurrent_writes_all_arrive() {
    let app = TestApp::start(PROBE);
    app.concurrently(16, |app, client| {
        for n in 0..25 {
            app.post(&format!("/set?key={client}-{n}"), &[b'x'; 1024]).expect(200, "set");
        }
    });
    let stats = app.server.kv_stats();
    assert_eq!(stats.writes, 400);
    assert!((1..=400).contains(&stats.commits), "{stats:?}");
    assert_eq!(app.get("/keys").body.lines().count(), 400);
}

#[test]
fn a_component_opens_what_it_was_granted_and_nothing_else() {
    let runtime = "[key_value_store.private]\ntype = \"spin\"";
    let state = Arc::new(tempfile::tempdir().unwrap());
    let path = state.path().join("runtime.toml");
    std::fs::write(&path, runtime).unwrap();
    let app = TestApp::restart(
        state,
        r#"
        [[trigger.http]]
        route = "/granted/..."
        component = "granted"
        [component.granted]
        source = "{probe}"
        key_value_stores = ["default", "private"]
        [[trigger.http]]
        route = "/denied/..."
        component = "denied"
        [component.denied]
        source = "{probe}"
        key_value_stores = ["default"]
        [[trigger.http]]
        route = "/none/..."
        component = "none"
        [component.none]
        source = "{probe}"
        "#,
        |config| config.runtime_config = Some(path),
    );
    app.post("/granted/set?store=private&key=k", b"v").expect(200, "set");
    app.get("/granted/get?store=private&key=k").expect(200, "v");
    // The label is part of the key, so the same key elsewhere is another.
    app.get("/denied/get?key=k").expect(404, "none");
    for path in ["/denied/get?store=private&key=k", "/denied/get?store=unheard-of&key=k", "/none/get?key=k"] {
        let refused = app.get(path);
        assert_eq!((refused.status, refused.body.to_lowercase().contains("denied")), (502, true), "{path} {refused:?}");
    }
    // The other interface asks for itself.
    for path in ["/denied/increment?store=private&key=n", "/none/increment?key=n"] {
        let refused = app.get(path);
        assert_eq!((refused.status, refused.body.contains("AccessDenied")), (502, true), "{path} {refused:?}");
    }
    app.get("/granted/increment?store=private&key=n").expect(200, "1");
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let app = TestApp::start(PROBE);
    app.post("/set?key=k", b"v").expect(200, "set");
    app.get("/increment?key=n&delta=3").expect(200, "3");
    let state = Arc::clone(&app.state);
    app.shutdown(Duration::from_secs(10)).unwrap();
    let app = TestApp::restart(state, PROBE, |_| {});
    app.get("/get?key=k").expect(200, "v");
    app.get("/increment?key=n").expect(200, "4");
}

#[test]
fn work_after_the_response_is_done() {
    let app = TestApp::start(PROBE);
    app.get("/after?key=later&ms=20").expect(200, "accepted");
    eventually("the work after the response", || app.get("/get?key=later").body == "done");
}

#[test]
fn a_large_value_comes_back_whole() {
    let app = TestApp::start(PROBE);
    let value: Vec<u8> = (0..=255).cycle().filter(u8::is_ascii_graphic).take(256 << 10).collect();
    app.post("/set?key=large", &value).expect(200, "set");
    assert_eq!(app.get("/get?key=large").body.into_bytes(), value);
}
