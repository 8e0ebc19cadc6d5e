//! The environment of an upload or a replay.

use domain::digest::hex;
use domain::time::Timestamp;
use store::scans::Frozen;

/// The stores, services and values that one upload or replay works with. The jobs are its methods
/// [`upload`](Self::upload) and [`replay`](Self::replay).
pub struct Ingest<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// The time at which the request began.
    pub now: Timestamp,
    /// The key that encrypts the keys of raw reports; empty if the installation has none.
    pub storage_key: String,
    /// Random bits for the name of this attempt, and for the scan's id if there is no `Idempotency-Key`.
    pub random: [u8; 16],
    /// Random bits for the key that encrypts the raw report of this upload.
    pub raw_key: [u8; 32],
}

impl<K, V> Ingest<'_, K, V> {
    /// Returns the name of this attempt. The segments that it writes are under it.
    pub(crate) fn attempt(&self) -> String {
        hex(&self.random)
    }

    /// True if this attempt froze a scan.
    pub(crate) fn froze(&self, frozen: &Frozen) -> bool {
        frozen.attempt == self.attempt()
    }
}
