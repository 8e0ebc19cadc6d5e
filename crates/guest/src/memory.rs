//! Shares of the instance's memory, for work that needs whole lists in memory, and instances that are left alone.
//!
//! A host may give an instance 16 concurrent requests and 128 MiB for all of them; running out ends all 16. So work
//! whose memory grows with the scan takes a share first. All shares of an instance are in one account. Work
//! that needs much memory also computes for long, and the instance has one thread: while a large share is held, the
//! host gives the instance no further requests, and starts another instance for them.

use crate::chain::Chain;
use spin_sdk::wit_bindgen;
use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::poll;

/// The limit for all shares of this instance together, in bytes. The rest of 128 MiB is for code, buffers and small
/// values.
const SHARED_BYTES_MAX: usize = 80 * 1024 * 1024;

/// The size of a share from which on its instance gets no further requests, in bytes: some thousand findings, which
/// take some ten milliseconds.
const ALONE_FROM_BYTES: usize = 2 * 1024 * 1024;

/// True if there is a host that can be asked: not in native tests.
const WITH_HOST: bool = cfg!(target_family = "wasm");

/// The sum of all shares, in bytes.
static SHARED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// A share of the memory. It is given back when this is dropped.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
}

impl Share {
    /// Grows the share to `bytes`, without waiting. Returns false, and leaves the share as it is, if all shares
    /// together would then exceed `all_bytes_max`.
    #[must_use]
    fn try_grow_to(&mut self, bytes: usize, all_bytes_max: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let sum = |shared: usize| shared.checked_add(more).filter(|sum| *sum <= all_bytes_max.min(SHARED_BYTES_MAX));
        let fits = SHARED_BYTES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok();
        if fits {
            self.bytes += more;
        }
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        SHARED_BYTES.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Keeps the host from giving this instance further requests, until this is dropped. Those that it has go on.
#[derive(Debug)]
pub struct Alone(());

impl Alone {
    /// Takes no further requests from now on.
    #[must_use]
    pub fn begin() -> Self {
        if WITH_HOST {
            wit_bindgen::backpressure_inc();
        }
        Self(())
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if WITH_HOST {
            wit_bindgen::backpressure_dec();
        }
    }
}

/// Waits for a share of `bytes`; an [`api::internal::Hold`]. Work that needs more than the limit gets a share of the
/// whole limit if it is the only one.
pub fn hold(bytes: usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>> {
    Box::pin(async move {
        let mut share = Share::default();
        let bytes = bytes.min(SHARED_BYTES_MAX);
        let alone = (ALONE_FROM_BYTES <= bytes).then(Alone::begin);
        if !share.try_grow_to(bytes, SHARED_BYTES_MAX) {
            let waited = poll::until(&Chain, Duration::MAX, async |_| {
                Ok::<_, Infallible>(share.try_grow_to(bytes, SHARED_BYTES_MAX).then_some(()))
            });
            // Without a limit and errors the wait ends only with the share.
            let Ok(_) = waited.await;
        }
        Box::new((share, alone)) as Box<dyn Any>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stay_below_the_common_limit_and_are_returned() {
        let (mut first, mut second) = (Share::default(), Share::default());
        assert!(first.try_grow_to(60, 100) && second.try_grow_to(40, 100));
        assert!(!second.try_grow_to(41, 100), "101 bytes together");
        assert!(!Share::default().try_grow_to(1, 100), "all shares count");
        drop(first);
        assert!(second.try_grow_to(100, 100) && !second.try_grow_to(101, 100));
        assert!(!second.try_grow_to(SHARED_BYTES_MAX + 1, usize::MAX), "no limit is above that of the instance");
        drop(second);
        assert_eq!(SHARED_BYTES.load(Ordering::Relaxed), 0);
    }
}
