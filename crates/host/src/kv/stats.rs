//! Counts what the stores are asked to do. Counts keys, not calls, so that a batch costs what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts of store operations since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KvStats {
    /// Keys read, also to see whether they exist; a listing counts as one.
    pub reads: u64,
    /// Keys written, also by a swap that failed.
    pub writes: u64,
    /// Keys deleted.
    pub deletes: u64,
    /// Counters incremented.
    pub increments: u64,
    /// SQLite transactions that wrote: fewer than the writes when writes were waiting for each other.
    pub commits: u64,
}

#[derive(Debug, Default)]
pub(super) struct Stats {
    reads: AtomicU64,
    writes: AtomicU64,
    deletes: AtomicU64,
    increments: AtomicU64,
    pub(super) commits: Arc<AtomicU64>,
}

impl Stats {
    pub(super) fn read(&self, keys: usize) {
        add(&self.reads, keys, "read");
    }

    pub(super) fn write(&self, keys: usize) {
        add(&self.writes, keys, "write");
    }

    pub(super) fn delete(&self, keys: usize) {
        add(&self.deletes, keys, "delete");
    }

    pub(super) fn increment(&self) {
        add(&self.increments, 1, "increment");
    }

    pub(super) fn now(&self) -> KvStats {
        KvStats {
            reads: self.reads.load(Relaxed),
            writes: self.writes.load(Relaxed),
            deletes: self.deletes.load(Relaxed),
            increments: self.increments.load(Relaxed),
            commits: self.commits.load(Relaxed),
        }
    }
}

fn add(counter: &AtomicU64, keys: usize, operation: &str) {
    let total = counter.fetch_add(u64::try_from(keys).unwrap_or(u64::MAX), Relaxed);
    tracing::debug!(target: "gatehouse::kv", operation, keys, total_before = total);
}
