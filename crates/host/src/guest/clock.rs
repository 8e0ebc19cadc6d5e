//! The wall clock that components see: the host's, or one that runs ahead of it.

use std::time::Duration;

use wasmtime_wasi::HostWallClock;
use wasmtime_wasi::clocks::WallClock;

/// The host's wall clock, ahead by a fixed time. What the host measures for itself does not go by it.
pub(crate) struct Ahead {
    clock: WallClock,
    by: Duration,
}

impl Ahead {
    /// Ahead of the host by so much.
    pub(crate) fn by(by: Duration) -> Self {
        Self { clock: WallClock::new(), by }
    }
}

impl HostWallClock for Ahead {
    fn resolution(&self) -> Duration {
        self.clock.resolution()
    }

    fn now(&self) -> Duration {
        self.clock.now().saturating_add(self.by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_ahead_by_what_it_was_told() {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        let (before, shown, after) = (WallClock::new().now(), Ahead::by(WEEK).now(), WallClock::new().now());
        assert!(before + WEEK <= shown && shown <= after + WEEK, "{before:?} {shown:?} {after:?}");
        assert_eq!(Ahead::by(Duration::MAX).now(), Duration::MAX, "no overflow");
    }
}
