//! The key-value store as Gatehouse uses it: the part that all of Spin's back ends agree on.

use crate::poll::Sleep;

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    /// The store itself failed; the host's or the operator's fault. Trying again may help.
    #[error("the key-value store failed at `{key}`: {reason}")]
    Unavailable {
        /// The key being read or written.
        key: String,
        /// What the store said.
        reason: String,
    },
    /// A value cannot be understood: written by another version, or damaged.
    #[error("the stored value `{key}` can't be read: {reason}")]
    Unreadable {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value that must be there is not: an earlier stage did not finish, or it was deleted.
    #[error("the stored value `{key}` is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// A value would be larger than every back end holds: our fault, it should have been cut into segments.
    #[error("the value for `{key}` has {bytes} bytes, more than the {max} that every store holds")]
    TooLarge {
        /// The key.
        key: String,
        /// Its size.
        bytes: usize,
        /// The most allowed.
        max: usize,
    },
    /// An event was written, but reading it back did not show it in time; whether it counts is not yet known.
    #[error("journal `{journal}` did not show event {n} in time; try again")]
    NotYetVisible {
        /// The journal.
        journal: String,
        /// The event's number.
        n: u64,
    },
}

/// A key-value store. Values are at most [`VALUE_BYTES_MAX`](domain::limits::VALUE_BYTES_MAX) bytes, keys at most 200
/// of `[A-Za-z0-9._:-]`. Futures run on one thread: this is what a component does.
#[allow(async_fn_in_trait)]
pub trait Kv {
    /// The value under `key`, if there is one.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;

    /// Writes a value; on return it is durable.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), KvError>;

    /// Removes a value, whether it is there or not.
    async fn delete(&self, key: &str) -> Result<(), KvError>;
}

/// A store that can also count, which appending to a journal needs: `increment` is the one atomic operation that every
/// back end performs exactly.
#[allow(async_fn_in_trait)]
pub trait Counter: Kv + Sleep {
    /// Adds 1 to the counter under `key` and returns its new value. Nothing else ever reads or writes such a key.
    async fn increment(&self, key: &str) -> Result<u64, KvError>;
}
