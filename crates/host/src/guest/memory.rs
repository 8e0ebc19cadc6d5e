//! The memory of an instance, and its refused requests for more.
//!
//! Growth beyond the limit fails in the guest, which may cope with that; if it traps instead, the flag tells that from
//! other traps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

use crate::metrics::GuestMemory;

/// Elements of one table; far above what compilers emit.
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// Facts about an instance that remain after it failed. Shared with the requests it serves.
#[derive(Debug, Default)]
pub(crate) struct Health {
    refused_memory: AtomicBool,
}

impl Health {
    /// True if the instance was ever refused memory.
    pub(crate) fn refused_memory(&self) -> bool {
        self.refused_memory.load(Relaxed)
    }
}

/// Limits the memories of one instance together.
pub(crate) struct MemoryMeter {
    bytes: usize,
    bytes_max: usize,
    component: Arc<GuestMemory>,
    pub(crate) health: Arc<Health>,
}

impl MemoryMeter {
    pub(crate) fn new(bytes_max: usize, component: Arc<GuestMemory>) -> Self {
        Self { bytes: 0, bytes_max, component, health: Arc::default() }
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        self.component.given_back(self.bytes);
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = self.bytes.saturating_sub(current).saturating_add(desired);
        if self.bytes_max < bytes {
            self.health.refused_memory.store(true, Relaxed);
            return Ok(false);
        }
        self.component.grown(self.bytes, bytes);
        self.bytes = bytes;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_limited_together_and_a_refusal_is_remembered() {
        let mut meter = MemoryMeter::new(100, Arc::default());
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 30, None).unwrap());
        assert!(meter.memory_growing(60, 70, None).unwrap());
        assert!(!meter.health.refused_memory());
        assert!(!meter.memory_growing(30, 31, None).unwrap());
        assert!(meter.health.refused_memory());
    }
}
