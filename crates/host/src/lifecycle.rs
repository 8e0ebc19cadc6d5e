//! The phases of a server, and the work that it still waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

/// A phase of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Requests are accepted.
    Serving,
    /// Nothing new is accepted; what was accepted is finished, and instances without work go.
    Draining,
    /// Nothing is waited for any more.
    Stopped,
}

/// Resolves when the server reaches `phase`, or is gone.
pub(crate) async fn reached(mut phases: watch::Receiver<Phase>, phase: Phase) {
    // The value's guard is not kept; an error means that the server is gone.
    let _ = phases.wait_for(|now| phase <= *now).await.map(drop);
}

/// Counts things that have to end before the server may.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracker(Arc<Tracked>);

#[derive(Debug, Default)]
struct Tracked {
    count: AtomicUsize,
    none_left: Notify,
}

/// One of the things a [`Tracker`] counts, until dropped.
#[derive(Debug)]
pub(crate) struct Working(Arc<Tracked>);

impl Tracker {
    pub(crate) fn start(&self) -> Working {
        self.0.count.fetch_add(1, Ordering::AcqRel);
        Working(Arc::clone(&self.0))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Resolves when nothing is left.
    pub(crate) async fn none_left(&self) {
        loop {
            let notified = self.0.none_left.notified();
            if self.count() == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}
