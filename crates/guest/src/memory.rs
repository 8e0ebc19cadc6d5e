//! A share of the instance's memory for work that holds whole lists.
//!
//! A host may give an instance 16 requests at once and 128 MiB for all of them; running out ends all 16. So work that
//! grows with the scan first asks for what it will hold, and waits its turn.

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What all requests of this instance may hold together, in bytes; the rest of 128 MiB is for code, buffers and
/// everything small.
const SHARED_BYTES: usize = 80 * 1024 * 1024;
/// How long a request waits before it looks again.
const PAUSE: Duration = Duration::from_millis(5);

static HELD: AtomicUsize = AtomicUsize::new(0);

/// A share that is held until this is dropped.
struct Share {
    bytes: usize,
}

/// Waits until so many bytes are free; an [`api::internal::Hold`].
pub fn hold(bytes: usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>> {
    Box::pin(async move { Box::new(share(bytes).await) as Box<dyn Any> })
}

/// Work that needs more than there is waits until it is alone, and then tries.
async fn share(bytes: usize) -> Share {
    let bytes = bytes.min(SHARED_BYTES);
    loop {
        // The instance has one thread: nothing comes between the two lines.
        if HELD.load(Ordering::Relaxed) + bytes <= SHARED_BYTES {
            HELD.fetch_add(bytes, Ordering::Relaxed);
            return Share { bytes };
        }
        spin_sdk::time::sleep(PAUSE).await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        HELD.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
