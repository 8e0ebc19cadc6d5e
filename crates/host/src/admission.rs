//! Admits requests from outside, up to a limit.
//!
//! Refuses at once what is over the limit: a queue would only add waiting to a server that cannot keep up.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::lifecycle::{Tracker, Working};

/// Leave to work on a request. Lasts until every clone is dropped: the component's and the response's.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    _held: Arc<(OwnedSemaphorePermit, Working)>,
}

/// Gives out admissions.
#[derive(Debug)]
pub(crate) struct Gate {
    permits: Arc<Semaphore>,
    requests: Tracker,
}

impl Gate {
    pub(crate) fn new(concurrent_requests: usize, requests: Tracker) -> Self {
        let permits = concurrent_requests.min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(permits)), requests }
    }

    /// None if too many requests are in progress.
    pub(crate) fn admit(&self) -> Option<Admission> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(Admission { _held: Arc::new((permit, self.requests.start())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admission_lasts_as_long_as_its_clones() {
        let requests = Tracker::default();
        let gate = Gate::new(1, requests.clone());
        let first = gate.admit().unwrap();
        let clone = first.clone();
        drop(first);
        assert!(gate.admit().is_none());
        assert_eq!(requests.count(), 1);
        drop(clone);
        assert_eq!(requests.count(), 0);
        assert!(gate.admit().is_some());
    }
}
