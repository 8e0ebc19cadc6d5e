//! The trait [`Kv`] for Spin's key-value store.

use spin_sdk::key_value::Store;
use std::fmt;
use store::kv::{Kv, KvError};

/// The application's key-value store, opened for one request.
pub struct SpinKv {
    store: Store,
}

impl SpinKv {
    /// Opens the store `default`.
    ///
    /// # Errors
    /// The manifest does not grant the component this store, or the host does not have it.
    pub async fn open() -> Result<Self, KvError> {
        match Store::open_default().await {
            Ok(store) => Ok(Self { store }),
            Err(error) => Err(unavailable("the store `default`", error)),
        }
    }
}

fn unavailable(key: &str, error: impl fmt::Debug) -> KvError {
    KvError::Unavailable { key: key.to_owned(), reason: format!("{error:?}") }
}

impl Kv for SpinKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.store.get(key).await.map_err(|error| unavailable(key, error))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError> {
        let max = domain::limits::VALUE_BYTES_MAX;
        if value.len() > max {
            return Err(KvError::TooLarge { key: key.to_owned(), bytes: value.len(), max });
        }
        self.store.set(key, value).await.map_err(|error| unavailable(key, error))
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.store.delete(key).await.map_err(|error| unavailable(key, error))
    }
}
