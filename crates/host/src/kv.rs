//! Key-value stores: what the guest interfaces are built on.
//!
//! A store is a label with a back end behind it. Who may open which label is decided elsewhere
//! (`crate::guest`); here every label that exists can be used. A write is acknowledged when it is durable (SQLite) or
//! accepted by the server (Redis), and every read after that sees it.

mod open;
mod redis;
mod sqlite;
mod stats;

use std::sync::Arc;

pub use open::OpenError;
pub(crate) use open::{OpenStores, Stores};
pub use stats::KvStats;
use stats::Stats;

use self::redis::Redis;
use self::sqlite::Sqlite;

/// A store of one label.
#[derive(Clone)]
pub(crate) struct Store {
    label: Arc<str>,
    backend: Backend,
    stats: Arc<Stats>,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Redis(Redis),
}

/// The reason why an operation failed. The component gets it; no component can break the store with one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The back end failed: the operator's to fix.
    #[error("the key-value store failed: {0}")]
    Backend(String),
    /// `increment` on a value that is no counter: the component's fault.
    #[error("the value of {key:?} ({bytes} bytes) is not a counter")]
    NotACounter {
        /// The key.
        key: String,
        /// The size of its value.
        bytes: usize,
    },
    /// `increment` beyond what 64 bits hold: the component's fault.
    #[error("adding {delta} to the counter {key:?} does not fit in 64 bits")]
    Overflow {
        /// The key.
        key: String,
        /// The number to add.
        delta: i64,
    },
    /// The server has been shut down.
    #[error("the key-value store is closed")]
    Closed,
}

type Result<T> = std::result::Result<T, Error>;

impl Store {
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.stats.read(1);
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.get(&self.label, key),
            Backend::Redis(redis) => redis.get(key).await,
        }
    }

    pub(crate) async fn exists(&self, key: &str) -> Result<bool> {
        self.stats.read(1);
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.exists(&self.label, key),
            Backend::Redis(redis) => redis.exists(key).await,
        }
    }

    /// The values of `keys`, in their order.
    pub(crate) async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        self.stats.read(keys.len());
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.get_many(&self.label, keys),
            Backend::Redis(redis) => redis.get_many(keys).await,
        }
    }

    /// Every key of the store.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        self.stats.read(1);
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.keys(&self.label).await,
            Backend::Redis(redis) => redis.keys().await,
        }
    }

    pub(crate) async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.set_many(vec![(key, value)]).await
    }

    /// Writes all pairs or none.
    pub(crate) async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        self.stats.write(pairs.len());
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.set_many(&self.label, pairs).await,
            Backend::Redis(redis) => redis.set_many(pairs).await,
        }
    }

    pub(crate) async fn delete(&self, key: String) -> Result<()> {
        self.delete_many(vec![key]).await
    }

    /// Removes all keys or none.
    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        self.stats.delete(keys.len());
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.delete_many(&self.label, keys).await,
            Backend::Redis(redis) => redis.delete_many(keys).await,
        }
    }

    /// Adds to a counter and answers the sum.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.stats.increment();
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.increment(&self.label, key, delta).await,
            Backend::Redis(redis) => redis.increment(&key, delta).await,
        }
    }

    /// Writes `new` if the key's value is `expected`, where none means absent. Answers whether it did.
    pub(crate) async fn swap(&self, key: String, expected: Option<Vec<u8>>, new: Vec<u8>) -> Result<bool> {
        self.stats.write(1);
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.swap(&self.label, key, expected, new).await,
            Backend::Redis(redis) => redis.swap(&key, expected, new).await,
        }
    }
}

#[cfg(test)]
mod tests;
