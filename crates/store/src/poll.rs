//! Polling: repeats a check until it has a result or a time limit is reached.
//!
//! The limit counts the time slept and not the time that the checks take. So no clock is read, and a busy machine does
//! not shorten the wait.

use std::time::Duration;

/// The pause between two checks.
pub const INTERVAL: Duration = Duration::from_millis(5);

/// A way to sleep. Components sleep for the given time; tests only let the other futures run and do not wait.
#[allow(async_fn_in_trait)]
pub trait Sleep {
    /// Sleeps for a duration.
    async fn sleep(&self, duration: Duration);
}

/// Repeats `check` every [`INTERVAL`] until it returns `Some`, and returns that value, or `None` once `limit` has been
/// slept. The first check comes before the first pause, the last one after the last pause: a limit of zero checks once.
/// `Duration::MAX` never gives up.
///
/// `check` gets the time slept so far. A check whose patience depends on what it sees compares with that time and
/// returns `Some` to end the wait early:
///
/// ```text
/// let frozen = poll::until(services, Duration::from_secs(2), async |_| Frozen::find(kv, scan).await).await?;
///
/// let (mut done_before, mut since) = (0, Duration::ZERO);
/// poll::until(services, LIMIT, async |slept| {
///     let done = last(kv, &turns).await?;
///     if done_before < done {
///         (done_before, since) = (done, slept);
///     }
///     Ok::<_, KvError>((n <= done + 1 || slept.saturating_sub(since) >= PATIENCE).then_some(()))
/// })
/// .await?;
/// ```
///
/// # Errors
/// The first error that `check` returns.
pub async fn until<T, E>(
    sleeper: &impl Sleep,
    limit: Duration,
    mut check: impl AsyncFnMut(Duration) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let mut slept = Duration::ZERO;
    loop {
        if let Some(found) = check(slept).await? {
            return Ok(Some(found));
        }
        if slept >= limit {
            return Ok(None);
        }
        sleeper.sleep(INTERVAL).await;
        slept = slept.saturating_add(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::cell::Cell;

    /// Adds up the time to sleep, and does not sleep.
    #[derive(Default)]
    struct Recorder(Cell<Duration>);

    impl Sleep for Recorder {
        async fn sleep(&self, duration: Duration) {
            self.0.set(self.0.get() + duration);
        }
    }

    /// The result of a check that succeeds after so many milliseconds, how often it ran, and the time slept.
    fn poll(succeeds_at_ms: u64, limit: Duration) -> (Option<Duration>, u32, Duration) {
        let (sleeper, mut checks) = (Recorder::default(), 0);
        let found = block_on(until(&sleeper, limit, async |slept| {
            checks += 1;
            Ok::<_, ()>((slept >= Duration::from_millis(succeeds_at_ms)).then_some(slept))
        }));
        (found.unwrap(), checks, sleeper.0.get())
    }

    #[test]
    fn a_check_is_repeated_until_it_succeeds_or_the_limit_is_slept() {
        let ms = Duration::from_millis;
        assert_eq!(poll(0, ms(20)), (Some(ms(0)), 1, ms(0)));
        assert_eq!(poll(20, ms(20)), (Some(ms(20)), 5, ms(20)), "the last check comes at the limit");
        assert_eq!(poll(21, ms(20)), (None, 5, ms(20)));
        assert_eq!(poll(1, ms(0)), (None, 1, ms(0)), "a limit of zero checks once");
        assert_eq!(poll(40_000, Duration::MAX), (Some(ms(40_000)), 8_001, ms(40_000)));
    }

    #[test]
    fn an_error_of_the_check_ends_the_wait() {
        let sleeper = Recorder::default();
        let result = block_on(until(&sleeper, Duration::MAX, async |_| Err::<Option<()>, _>("failed")));
        assert_eq!((result, sleeper.0.get()), (Err("failed"), Duration::ZERO));
    }
}
