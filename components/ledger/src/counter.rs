//! The atomic increment of `wasi:keyvalue`, beside Spin's own store for everything else.

use guest::SpinKv;
use std::time::Duration;
use store::kv::{Counter, Kv, KvError};
use store::poll::Sleep;
use wasi::keyvalue::{atomics, store as bucket};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../wit/host/deps/wasi-keyvalue", "../../wit/guest"],
        world: "gatehouse:guest/ledger",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::wasi;

/// The application's store, with its counters.
pub(crate) struct SpinCounter {
    kv: SpinKv,
    bucket: bucket::Bucket,
}

impl SpinCounter {
    pub(crate) async fn open() -> Result<Self, KvError> {
        let bucket = bucket::open("default").map_err(|error| KvError::Unavailable {
            key: "the store `default`".to_owned(),
            reason: format!("{error:?}"),
        })?;
        Ok(Self { kv: SpinKv::open().await?, bucket })
    }
}

impl Kv for SpinCounter {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.kv.get(key).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.kv.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.kv.delete(key).await
    }
}

impl Counter for SpinCounter {
    async fn increment(&self, key: &str) -> Result<u64, KvError> {
        let failed = |reason: String| KvError::Unavailable { key: key.to_owned(), reason };
        let value = atomics::increment(&self.bucket, key, 1).map_err(|error| failed(format!("{error:?}")))?;
        u64::try_from(value).map_err(|_| failed(format!("the counter stands at {value}")))
    }
}

impl Sleep for SpinCounter {
    async fn sleep(&self, duration: Duration) {
        spin_sdk::time::sleep(duration).await;
    }
}
