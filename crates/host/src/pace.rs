//! The pace of new connections: so many a second, and as many more at once as have been saved up.

use std::time::Duration;

use tokio::time::Instant;

/// A pace, by the generic cell rate algorithm (ITU-T I.371).
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    saved_max: Duration,
    /// The time at which the next one would come if they came evenly.
    due: Instant,
}

impl Pace {
    /// A pace of so many a second, of which `at_once` may come at once.
    pub(crate) fn new(per_second: u32, at_once: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, saved_max: interval * at_once, due: now }
    }

    /// The time from which on the next one may come; it may be in the past.
    pub(crate) fn ready(&self) -> Instant {
        self.due.checked_sub(self.saved_max).unwrap_or(self.due)
    }

    /// Counts one that comes now.
    pub(crate) fn count(&mut self, now: Instant) {
        self.due = self.due.max(now) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_come_at_once_and_then_as_many_a_second() {
        let start = Instant::now();
        let mut pace = Pace::new(10, 3, start);
        let ms = |ms| start + Duration::from_millis(ms);
        let mut times = Vec::new();
        let mut now = start;
        for _ in 0..6 {
            now = now.max(pace.ready());
            times.push(now);
            pace.count(now);
        }
        assert_eq!(times, [start, start, start, start, ms(100), ms(200)]);
        pace.count(ms(10_000));
        assert!(pace.ready() <= ms(10_000), "nothing is saved up beyond what may come at once");
    }
}
