//! The key-value store by calls that block the instance: `wasi:keyvalue`, whose `increment` no other interface has.
//!
//! A component uses this store or [`SpinKv`](crate::SpinKv), never both; ARCHITECTURE.md, "State", says why. Its calls
//! have no time limit of their own: the callers of such a component bound the wait ([`chain`](crate::chain)).

use crate::clock;
use std::time::Duration;
use store::kv::{BlockingKv, Counter, Kv, KvError};
use store::poll::Clock;
use wasi::keyvalue::{atomics, store as bucket};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../wit/host/deps/wasi-keyvalue", "../../wit/guest"],
        world: "gatehouse:guest/blocking",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::wasi;

/// The application's key-value store, opened for one request.
pub struct SpinBlockingKv(bucket::Bucket);

impl SpinBlockingKv {
    /// Opens the store `default`.
    ///
    /// # Errors
    /// The manifest does not grant the component this store, or the host does not have it.
    pub fn open() -> Result<Self, KvError> {
        bucket::open("default").map(Self).map_err(|error| failed("the store `default`", &error))
    }
}

fn failed(key: &str, error: &bucket::Error) -> KvError {
    KvError::Unavailable { key: key.to_owned(), reason: format!("{error:?}") }
}

impl BlockingKv for SpinBlockingKv {
    fn get_now(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.0.get(key).map_err(|error| failed(key, &error))
    }

    fn set_now(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        let max = domain::limits::VALUE_BYTES_MAX;
        if value.len() > max {
            return Err(KvError::TooLarge { key: key.to_owned(), bytes: value.len(), max });
        }
        self.0.set(key, value).map_err(|error| failed(key, &error))
    }
}

impl Kv for SpinBlockingKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.get_now(key)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.set_now(key, value)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.0.delete(key).map_err(|error| failed(key, &error))
    }
}

impl Counter for SpinBlockingKv {
    async fn increment(&self, key: &str) -> Result<u64, KvError> {
        let value = atomics::increment(&self.0, key, 1).map_err(|error| failed(key, &error))?;
        u64::try_from(value).map_err(|_| KvError::Unavailable {
            key: key.to_owned(),
            reason: format!("the counter has the value {value}"),
        })
    }
}

impl Clock for SpinBlockingKv {
    fn now(&self) -> Duration {
        clock::monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        clock::sleep(duration).await;
    }
}
