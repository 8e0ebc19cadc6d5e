//! A synchronous store, for parsers. A call blocks the whole instance until it returns, so only the parsing of a report
//! uses it.

use store::kv::KvError;
use wasi::keyvalue::store as bucket;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: ["../../wit/host/deps/wasi-keyvalue", "../../wit/guest"],
        world: "gatehouse:guest/ingest",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::wasi;

/// A synchronous key-value store.
pub trait SyncKv {
    /// Reads the value under `key`, if there is one.
    ///
    /// # Errors
    /// The store failed.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes a value.
    ///
    /// # Errors
    /// The store failed.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError>;
}

/// The application's store `default`.
pub(crate) struct SpinSyncKv(bucket::Bucket);

impl SpinSyncKv {
    pub(crate) fn open() -> Result<Self, KvError> {
        bucket::open("default").map(Self).map_err(|error| failed("the store `default`", &error))
    }
}

fn failed(key: &str, error: &bucket::Error) -> KvError {
    KvError::Unavailable { key: key.to_owned(), reason: format!("{error:?}") }
}

impl SyncKv for SpinSyncKv {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.0.get(key).map_err(|error| failed(key, &error))
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.0.set(key, value).map_err(|error| failed(key, &error))
    }
}

/// The store in memory, for tests.
impl SyncKv for store::memory::MemoryKv {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.get_now(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        self.set_now(key, value)
    }
}
