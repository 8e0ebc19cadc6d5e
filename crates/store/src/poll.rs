//! Polling: repeats a check until it has a result or a time limit is reached.
//!
//! Time is measured by a monotonic clock, so a limit holds however long the checks take.

use std::time::Duration;

/// The shortest pause between two checks.
pub const PAUSE_MIN: Duration = Duration::from_millis(5);
/// The longest pause between two checks.
pub const PAUSE_MAX: Duration = Duration::from_millis(50);
/// The part of the time waited so far that the next pause lasts: a long wait looks less often.
const PAUSE_PART: u32 = 16;

/// A monotonic clock. Components use that of their host; in tests time passes only while somebody sleeps.
#[allow(async_fn_in_trait)]
pub trait Clock {
    /// The time since a fixed moment in the past. Only the difference of two values of one clock means something.
    fn now(&self) -> Duration;

    /// Sleeps for a duration.
    async fn sleep(&self, duration: Duration);
}

/// Repeats `check` until it returns `Some`, and returns that value, or `None` once `limit` has passed. The first check
/// comes before the first pause, the last one after the limit: a limit of zero checks once. `Duration::MAX` never gives
/// up.
///
/// `check` gets the time waited so far. A check whose patience depends on what it sees compares with that time and
/// returns `Some` to end the wait early:
///
/// ```text
/// let frozen = poll::until(services, Duration::from_secs(2), async |_| Frozen::find(kv, scan).await).await?;
/// ```
///
/// # Errors
/// The first error that `check` returns.
pub async fn until<T, E>(
    clock: &impl Clock,
    limit: Duration,
    mut check: impl AsyncFnMut(Duration) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let begun = clock.now();
    loop {
        let waited = clock.now().saturating_sub(begun);
        if let Some(found) = check(waited).await? {
            return Ok(Some(found));
        }
        if waited >= limit {
            return Ok(None);
        }
        let pause = (waited / PAUSE_PART).clamp(PAUSE_MIN, PAUSE_MAX);
        clock.sleep(pause.min(limit.saturating_sub(waited))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::cell::Cell;

    /// A clock that passes while somebody sleeps, and during each check.
    #[derive(Default)]
    struct Fake {
        now: Cell<Duration>,
        sleeps: Cell<u32>,
    }

    impl Clock for Fake {
        fn now(&self) -> Duration {
            self.now.get()
        }
        async fn sleep(&self, duration: Duration) {
            self.now.set(self.now.get() + duration);
            self.sleeps.set(self.sleeps.get() + 1);
        }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The result of a check that takes some time and succeeds once so much has passed, and the number of pauses.
    fn poll(check_takes: Duration, succeeds_at: Duration, limit: Duration) -> (Option<Duration>, u32) {
        let clock = Fake::default();
        let found = block_on(until(&clock, limit, async |waited| {
            let found = (waited >= succeeds_at).then_some(waited);
            clock.now.set(clock.now.get() + check_takes);
            Ok::<_, ()>(found)
        }));
        (found.unwrap(), clock.sleeps.get())
    }

    #[test]
    fn a_check_is_repeated_until_it_succeeds_or_the_limit_has_passed() {
        assert_eq!(poll(ms(0), ms(0), ms(20)), (Some(ms(0)), 0));
        assert_eq!(poll(ms(0), ms(20), ms(20)), (Some(ms(20)), 4), "the last check comes at the limit");
        assert_eq!(poll(ms(0), ms(21), ms(20)), (None, 4));
        assert_eq!(poll(ms(0), ms(1), ms(0)), (None, 0), "a limit of zero checks once");
        assert!(poll(ms(0), ms(40_000), Duration::MAX).0.is_some_and(|found| found < ms(40_000) + PAUSE_MAX));
    }

    #[test]
    fn slow_checks_count_and_a_long_wait_looks_less_often() {
        let (found, pauses) = poll(ms(1_000), ms(60_000), ms(2_000));
        assert_eq!((found, pauses), (None, 2), "checks of a second each: the limit holds all the same");
        let (_, pauses) = poll(ms(0), ms(20_000), ms(20_000));
        assert!((400..500).contains(&pauses), "{pauses} pauses in 20 s");
    }

    #[test]
    fn an_error_of_the_check_ends_the_wait() {
        let clock = Fake::default();
        let result = block_on(until(&clock, Duration::MAX, async |_| Err::<Option<()>, _>("failed")));
        assert_eq!((result, clock.now()), (Err("failed"), Duration::ZERO));
    }
}
