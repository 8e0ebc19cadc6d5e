//! The host's clocks, and time limits for calls that may never end.

use domain::time::Timestamp;
use futures::future::{Either, select};
use spin_sdk::wasip3::clocks::monotonic_clock;
use std::pin::pin;
use std::time::Duration;

/// The time on the host's clock.
#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the one place where components read the clock")]
pub fn now() -> Timestamp {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The time on the host's monotonic clock.
pub(crate) fn monotonic() -> Duration {
    Duration::from_nanos(monotonic_clock::now())
}

/// Sleeps for a duration.
pub(crate) async fn sleep(duration: Duration) {
    spin_sdk::time::sleep(duration).await;
}

/// The result of a call, or `None` if it takes longer than `limit`: then it is cancelled.
pub async fn within<T>(limit: Duration, call: impl Future<Output = T>) -> Option<T> {
    match select(pin!(call), pin!(sleep(limit))).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(((), _)) => None,
    }
}
