//! The key-value store, limited to the operations that all of Spin's back ends support alike.

use crate::poll::Clock;

/// An error of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    /// The store itself failed, because of the host or its operation. A retry may help.
    #[error("the key-value store failed at `{key}`: {reason}")]
    Unavailable {
        /// The key that was read or written.
        key: String,
        /// The store's message.
        reason: String,
    },
    /// A value cannot be parsed: it was written by another version or is damaged.
    #[error("the stored value `{key}` cannot be parsed: {reason}")]
    Unreadable {
        /// The key.
        key: String,
        /// The parser's message.
        reason: String,
    },
    /// A required value is missing: an earlier stage did not finish, or the value was deleted.
    #[error("the stored value `{key}` is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// A value is too large for some back ends. This is a defect: it should have been cut into segments.
    #[error("the value for `{key}` has {bytes} bytes; expected at most {max}")]
    TooLarge {
        /// The key.
        key: String,
        /// Its size in bytes.
        bytes: usize,
        /// The maximum size in bytes.
        max: usize,
    },
    /// An event was written, but no load showed it in time. It is not known yet if the event takes effect.
    #[error("event {n} of journal `{journal}` did not become visible in time")]
    NotYetVisible {
        /// The key of the journal.
        journal: String,
        /// The event's number.
        n: u64,
    },
}

/// A key-value store. Values are at most [`VALUE_BYTES_MAX`](domain::limits::VALUE_BYTES_MAX) bytes, keys at most 200
/// of `[A-Za-z0-9._:-]`. Futures need not be `Send`: a component runs on one thread.
#[allow(async_fn_in_trait)]
pub trait Kv {
    /// Reads the value under `key`, if it exists.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes a value. It is durable when the call returns.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError>;

    /// Removes a value. Does nothing if it does not exist.
    async fn delete(&self, key: &str) -> Result<(), KvError>;
}

/// A store whose calls block the whole instance until they return: for parsers, which read through `std::io::Read`. A
/// component that uses it makes no asynchronous calls of the store; ARCHITECTURE.md, "State", says why.
pub trait BlockingKv {
    /// Reads the value under `key`, if it exists.
    ///
    /// # Errors
    /// The store failed.
    fn get_now(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes a value. It is durable when the call returns.
    ///
    /// # Errors
    /// The store failed, or the value is too large.
    fn set_now(&self, key: &str, value: &[u8]) -> Result<(), KvError>;
}

/// A store that can also count, which appending to a journal needs: `increment` is the one atomic operation that every
/// back end performs exactly.
#[allow(async_fn_in_trait)]
pub trait Counter: Kv + Clock {
    /// Adds 1 to the counter under `key` and returns its new value. Nothing else ever reads or writes such a key.
    async fn increment(&self, key: &str) -> Result<u64, KvError>;
}
