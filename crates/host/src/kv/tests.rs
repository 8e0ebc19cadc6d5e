//! Tests of the stores: what both back ends promise, and what each promises by itself.

#[path = "../../tests/it/redis_server.rs"]
mod redis_server;

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;

use self::redis_server::RedisServer;
use super::*;
use crate::runtime_config::RuntimeConfig;

const TIMEOUT: Duration = Duration::from_secs(10);

async fn open(state_dir: &Path, runtime_config: &str, label: &str) -> std::result::Result<Stores, OpenError> {
    let runtime_config = RuntimeConfig::parse("runtime.toml", runtime_config).unwrap();
    OpenStores { state_dir, runtime_config: &runtime_config, timeout: TIMEOUT }.open([("tester", label)]).await
}

async fn sqlite(state_dir: &Path) -> Stores {
    open(state_dir, "", "default").await.unwrap()
}

async fn redis(server: &RedisServer) -> Stores {
    let config = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"", server.url());
    open(Path::new("unused"), &config, "default").await.unwrap()
}

fn pairs(pairs: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect()
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// Checks the promises of every back end.
async fn check_store(store: &Store) {
    assert_eq!(store.get("k".to_owned()).await, Ok(None));
    assert_eq!(store.exists("k".to_owned()).await, Ok(false));
    let binary: Vec<u8> = (0..=255).collect();
    store.set("k".to_owned(), binary.clone()).await.unwrap();
    assert_eq!(store.get("k".to_owned()).await, Ok(Some(binary)));
    assert_eq!(store.exists("k".to_owned()).await, Ok(true));
    store.set("k".to_owned(), Vec::new()).await.unwrap();
    assert_eq!(store.get("k".to_owned()).await, Ok(Some(Vec::new())));
    store.delete("k".to_owned()).await.unwrap();
    store.delete("k".to_owned()).await.unwrap();
    assert_eq!(store.get("k".to_owned()).await, Ok(None));

    store.set_many(pairs(&[("a", b"1"), ("b", b"2"), ("a", b"3")])).await.unwrap();
    store.set_many(Vec::new()).await.unwrap();
    let read = store.get_many(keys(&["b", "absent", "a"])).await.unwrap();
    let expected = [("b", Some(b"2".to_vec())), ("absent", None), ("a", Some(b"3".to_vec()))];
    assert_eq!(read, expected.map(|(key, value)| (key.to_owned(), value)));
    assert_eq!(store.get_many(Vec::new()).await, Ok(Vec::new()));
    let mut listed = store.keys().await.unwrap();
    listed.sort();
    assert_eq!(listed, ["a", "b"]);
    store.delete_many(keys(&["a", "b", "absent"])).await.unwrap();
    assert_eq!(store.keys().await, Ok(Vec::new()));

    for (delta, sum) in [(1, 1), (41, 42), (-50, -8), (0, -8)] {
        assert_eq!(store.increment("n".to_owned(), delta).await, Ok(sum));
    }
    store.set("text".to_owned(), b"five!".to_vec()).await.unwrap();
    let refused = Error::NotACounter { key: "text".to_owned(), bytes: 5 };
    assert_eq!(store.increment("text".to_owned(), 1).await, Err(refused));
    assert_eq!(store.get("text".to_owned()).await, Ok(Some(b"five!".to_vec())));
    store.increment("big".to_owned(), i64::MAX).await.unwrap();
    let overflow = Error::Overflow { key: "big".to_owned(), delta: 1 };
    assert_eq!(store.increment("big".to_owned(), 1).await, Err(overflow));

    let some = |text: &str| Some(text.as_bytes().to_vec());
    for (expected, new, swapped) in [
        (some("x"), "never", false),
        (None, "first", true),
        (None, "second", false),
        (some("other"), "second", false),
        (some("first"), "second", true),
    ] {
        assert_eq!(store.swap("s".to_owned(), expected.clone(), new.into()).await, Ok(swapped), "{expected:?} {new}");
    }
    assert_eq!(store.get("s".to_owned()).await, Ok(some("second")));
}

async fn check_concurrent_increments(store: &Store) {
    let sums = join_all((0..200).map(|_| store.increment("counter".to_owned(), 1))).await;
    let mut sums: Vec<i64> = sums.into_iter().map(|sum| sum.unwrap()).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=200).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_promises() {
    let dir = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    check_store(stores.get("default").unwrap()).await;
    check_concurrent_increments(stores.get("default").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_promises() {
    let server = RedisServer::start();
    let stores = redis(&server).await;
    check_store(stores.get("default").unwrap()).await;
    check_concurrent_increments(stores.get("default").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_found_again_after_it_was_away() {
    let server = RedisServer::start();
    let stores = redis(&server).await;
    let store = stores.get("default").unwrap();
    store.set("k".to_owned(), b"v".to_vec()).await.unwrap();
    let _server = server.restart(|| {});
    assert_eq!(store.get("k".to_owned()).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_layout_is_spins() {
    let dir = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    let store = stores.get("default").unwrap();
    store.set("n".to_owned(), 41_i64.to_le_bytes().to_vec()).await.unwrap();
    assert_eq!(store.increment("n".to_owned(), 1).await, Ok(42));
    let file = rusqlite::Connection::open(dir.path().join("sqlite_key_value.db")).unwrap();
    let row: (String, String, Vec<u8>) = file
        .query_row("SELECT store, key, value FROM spin_key_value", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(row, ("default".to_owned(), "n".to_owned(), vec![42, 0, 0, 0, 0, 0, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_write_survives_without_an_orderly_end() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    stores.get("default").unwrap().set("k".to_owned(), b"v".to_vec()).await.unwrap();
    // The files as they are on disk the moment after the acknowledgement.
    for name in ["sqlite_key_value.db", "sqlite_key_value.db-wal"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let restarted = sqlite(copy.path()).await;
    assert_eq!(restarted.get("default").unwrap().get("k".to_owned()).await, Ok(Some(b"v".to_vec())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_has_written_everything_and_accepts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    let store = stores.get("default").unwrap();
    store.set("k".to_owned(), b"v".to_vec()).await.unwrap();
    stores.close().await;
    assert_eq!(store.set("k".to_owned(), b"w".to_vec()).await, Err(Error::Closed));
    assert!(!dir.path().join("sqlite_key_value.db-wal").exists(), "the log is merged into the file");
    let reopened = sqlite(dir.path()).await;
    assert_eq!(reopened.get("default").unwrap().get("k".to_owned()).await, Ok(Some(b"v".to_vec())));
}

/// Runs `submit` while another connection keeps the writer from beginning, so that what is submitted gathers.
async fn gathered<T: Send + 'static>(
    dir: &Path,
    submit: impl FnOnce() -> Vec<tokio::task::JoinHandle<T>>,
    queued: usize,
    stats: impl Fn() -> u64,
) -> Vec<T> {
    let other = rusqlite::Connection::open(dir.join("sqlite_key_value.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let tasks = submit();
    // The counters are raised just before a change is queued.
    while stats() < u64::try_from(queued).unwrap() {
        tokio::task::yield_now().await;
    }
    other.execute_batch("COMMIT").unwrap();
    join_all(tasks).await.into_iter().map(|result| result.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_wait_for_each_other_share_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    let store = stores.get("default").unwrap().clone();
    let submit = || {
        let set = |n: usize| {
            let store = store.clone();
            tokio::spawn(async move { store.set(n.to_string(), vec![1]).await })
        };
        (0..100).map(set).collect()
    };
    let results = gathered(dir.path(), submit, 100, || stores.stats().writes).await;
    assert!(results.iter().all(std::result::Result::is_ok), "{results:?}");
    let stats = stores.stats();
    assert_eq!(stats.writes, 100);
    assert!(stats.commits <= 10, "{stats:?}");
    assert_eq!(store.keys().await.unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_takes_no_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let stores = sqlite(dir.path()).await;
    let store = stores.get("default").unwrap().clone();
    store.set("text".to_owned(), b"x".to_vec()).await.unwrap();
    let submit = || {
        let increment = |n: usize| {
            let store = store.clone();
            let key = if n.is_multiple_of(2) { "text".to_owned() } else { n.to_string() };
            tokio::spawn(async move { store.increment(key, 1).await })
        };
        (0..20).map(increment).collect()
    };
    let results = gathered(dir.path(), submit, 20, || stores.stats().increments).await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), n.is_multiple_of(2), "{n}: {result:?}");
    }
    assert_eq!(store.keys().await.unwrap().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_stores_of_their_own_in_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let config = RuntimeConfig::parse("r", "[key_value_store.other]\ntype = \"spin\"").unwrap();
    let open = OpenStores { state_dir: dir.path(), runtime_config: &config, timeout: TIMEOUT };
    let stores = open.open([("a", "default"), ("a", "other"), ("b", "other")]).await.unwrap();
    stores.get("default").unwrap().set("k".to_owned(), b"1".to_vec()).await.unwrap();
    assert_eq!(stores.get("other").unwrap().get("k".to_owned()).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let message = |result: std::result::Result<Stores, OpenError>| result.err().unwrap().to_string();
    assert_eq!(
        message(open(dir.path(), "", "other").await),
        "component \"tester\" uses the key-value store \"other\", for which the runtime configuration has no \
         [key_value_store.other]"
    );
    let redis = "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://u:hunter2@127.0.0.1:1\"";
    assert_eq!(
        message(open(dir.path(), redis, "default").await),
        "cannot connect to the Redis server of the key-value store \"default\""
    );
    let file = "[key_value_store.default]\ntype = \"spin\"\npath = \"/proc/none/x.db\"";
    assert_eq!(message(open(dir.path(), file, "default").await), "cannot create the directory /proc/none");
}
