//! The trait [`Kv`] for Spin's key-value store.

use crate::clock;
use spin_sdk::key_value::{Error, Store};
use std::time::Duration;
use store::kv::{Kv, KvError};

/// The longest that a call of the store may take. A host may wait for minutes for a store that is away.
const CALL_MAX: Duration = Duration::from_secs(10);

/// The application's key-value store, opened for one request. Its calls do not block the instance. A component uses
/// this store or [`SpinBlockingKv`](crate::SpinBlockingKv), never both.
pub struct SpinKv {
    store: Store,
}

impl SpinKv {
    /// Opens the store `default`.
    ///
    /// # Errors
    /// The manifest does not grant the component this store, or the host does not have it.
    pub async fn open() -> Result<Self, KvError> {
        Ok(Self { store: bounded("the store `default`", Store::open_default()).await? })
    }
}

async fn bounded<T>(key: &str, call: impl Future<Output = Result<T, Error>>) -> Result<T, KvError> {
    let reason = match clock::within(CALL_MAX, call).await {
        Some(Ok(value)) => return Ok(value),
        Some(Err(error)) => format!("{error:?}"),
        None => format!("it did not answer within {} s", CALL_MAX.as_secs()),
    };
    Err(KvError::Unavailable { key: key.to_owned(), reason })
}

impl Kv for SpinKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        bounded(key, self.store.get(key)).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        let max = domain::limits::VALUE_BYTES_MAX;
        if value.len() > max {
            return Err(KvError::TooLarge { key: key.to_owned(), bytes: value.len(), max });
        }
        bounded(key, self.store.set(key, value)).await
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        bounded(key, self.store.delete(key)).await
    }
}
