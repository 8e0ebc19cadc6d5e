//! Key-value stores: what the guest interfaces are built on.
//!
//! A store is a label with a back end behind it. Who may open which label is decided elsewhere
//! (`crate::guest`); here every label that exists can be used. A write is acknowledged when it is durable (SQLite) or
//! accepted by the server (Redis), and every read after that sees it.

mod calls;
mod open;
mod redis;
mod sqlite;
mod stats;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use calls::Calls;
pub use open::OpenError;
pub(crate) use open::{OpenStores, Stores};
pub use stats::KvStats;
use stats::Stats;

use self::redis::Redis;
use self::sqlite::Sqlite;

/// Pause before the next look at a file that another process keeps locked.
const LOCKED_RETRY: Duration = Duration::from_millis(10);

/// A store of one label.
#[derive(Clone)]
pub(crate) struct Store {
    label: Arc<str>,
    backend: Backend,
    stats: Arc<Stats>,
    /// Time limit of a call.
    timeout: Duration,
    calls: Calls,
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
    /// The back end did not answer in time; a write may have happened.
    #[error("the key-value store did not answer within {} seconds; a write may have happened all the same", .0.as_secs_f32())]
    Timeout(Duration),
    /// The file is locked: the operator's to end the process that does it.
    #[error("another process keeps the file of the key-value store locked; nothing was written")]
    Locked,
    /// More calls at a time than an instance may have: the component's fault.
    #[error("{0} calls of this instance to the key-value store are under way, and no more are accepted")]
    TooManyCalls(usize),
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
    /// The store as an instance uses it, whose calls count together.
    pub(crate) fn within(&self, calls: &Calls) -> Self {
        Self { calls: calls.clone(), ..self.clone() }
    }

    async fn call<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        self.calls.run(self.timeout, work).await
    }

    /// Reads on the calling thread, where there is nothing to wait for; goes into a task to wait for a locked file.
    async fn read<T: Send + 'static>(
        &self,
        sqlite: &Arc<Sqlite>,
        read: impl Fn(&Sqlite, &str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match read(sqlite, &self.label) {
            Err(Error::Locked) => {
                let (sqlite, label) = (Arc::clone(sqlite), Arc::clone(&self.label));
                let deadline = Instant::now() + open::lock_timeout(self.timeout);
                self.call(async move {
                    loop {
                        tokio::time::sleep(LOCKED_RETRY).await;
                        match read(&sqlite, &label) {
                            Err(Error::Locked) if Instant::now() < deadline => {}
                            done => return done,
                        }
                    }
                })
                .await
            }
            done => done,
        }
    }

    pub(crate) async fn get(&self, key: String) -> Result<Option<Vec<u8>>> {
        self.stats.read(1);
        match self.backend.clone() {
            Backend::Sqlite(sqlite) => self.read(&sqlite, move |sqlite, label| sqlite.get(label, &key)).await,
            Backend::Redis(redis) => self.call(async move { redis.get(&key).await }).await,
        }
    }

    pub(crate) async fn exists(&self, key: String) -> Result<bool> {
        self.stats.read(1);
        match self.backend.clone() {
            Backend::Sqlite(sqlite) => self.read(&sqlite, move |sqlite, label| sqlite.exists(label, &key)).await,
            Backend::Redis(redis) => self.call(async move { redis.exists(&key).await }).await,
        }
    }

    /// The values of `keys`, in their order.
    pub(crate) async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        self.stats.read(keys.len());
        match self.backend.clone() {
            Backend::Sqlite(sqlite) => self.read(&sqlite, move |sqlite, label| sqlite.get_many(label, &keys)).await,
            Backend::Redis(redis) => self.call(async move { redis.get_many(keys).await }).await,
        }
    }

    /// Every key of the store.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        self.stats.read(1);
        let Self { label, backend, .. } = self.clone();
        self.call(async move {
            match backend {
                Backend::Sqlite(sqlite) => sqlite.keys(&label).await,
                Backend::Redis(redis) => redis.keys().await,
            }
        })
        .await
    }

    pub(crate) async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.set_many(vec![(key, value)]).await
    }

    /// Writes all pairs or none.
    pub(crate) async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<()> {
        self.stats.write(pairs.len());
        let Self { label, backend, .. } = self.clone();
        self.call(async move {
            match backend {
                Backend::Sqlite(sqlite) => sqlite.set_many(&label, pairs).await,
                Backend::Redis(redis) => redis.set_many(pairs).await,
            }
        })
        .await
    }

    pub(crate) async fn delete(&self, key: String) -> Result<()> {
        self.delete_many(vec![key]).await
    }

    /// Removes all keys or none.
    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<()> {
        self.stats.delete(keys.len());
        let Self { label, backend, .. } = self.clone();
        self.call(async move {
            match backend {
                Backend::Sqlite(sqlite) => sqlite.delete_many(&label, keys).await,
                Backend::Redis(redis) => redis.delete_many(keys).await,
            }
        })
        .await
    }

    /// Adds to a counter and answers the sum.
    pub(crate) async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.stats.increment();
        let Self { label, backend, .. } = self.clone();
        self.call(async move {
            match backend {
                Backend::Sqlite(sqlite) => sqlite.increment(&label, key, delta).await,
                Backend::Redis(redis) => redis.increment(&key, delta).await,
            }
        })
        .await
    }

    /// Writes `new` if the key's value is `expected`, where none means absent. Answers whether it did.
    pub(crate) async fn swap(&self, key: String, expected: Option<Vec<u8>>, new: Vec<u8>) -> Result<bool> {
        self.stats.write(1);
        let Self { label, backend, .. } = self.clone();
        self.call(async move {
            match backend {
                Backend::Sqlite(sqlite) => sqlite.swap(&label, key, expected, new).await,
                Backend::Redis(redis) => redis.swap(&key, expected, new).await,
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests;
