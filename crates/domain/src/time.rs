//! Points in time. This module does not read a clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A point in time, in milliseconds since the Unix epoch (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The milliseconds of a day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Timestamp {
    /// Makes the point in time `ms` milliseconds after the Unix epoch.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub fn as_ms(self) -> i64 {
        self.0
    }

    /// Adds days of 24 hours.
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(i64::from(days).saturating_mul(DAY_MS)))
    }

    /// Returns the number of whole days of 24 hours from this time to `later`; 0 if `later` is before.
    pub fn days_until(self, later: Self) -> u64 {
        u64::try_from(later.ms_since(self) / DAY_MS).unwrap_or(0)
    }

    /// Parses an end: a time (RFC 3339), or a date, which means the end of that day in UTC.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse_end(text: &str) -> Result<Self, InvalidTime> {
        let midnight = || format!("{text}T00:00:00Z").parse::<Self>().map(|midnight| midnight.plus_days(1));
        text.parse().or_else(|error| midnight().map_err(|_| error))
    }

    /// Formats the date and the minute in UTC, for example `2026-11-23 06:18`.
    pub fn to_minute(self) -> String {
        let text = self.to_string();
        let (day, rest) = text.split_once('T').unwrap_or((&text, ""));
        format!("{day} {}", rest.get(..5).unwrap_or(rest))
    }

    /// Returns the milliseconds from `earlier` to this time; negative if `earlier` is after it.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Formats as RFC 3339 in UTC with milliseconds, for example `2026-11-23T06:18:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            // Outside the years -9999 to 9999 there is no RFC 3339.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

/// A text that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a time; expected RFC 3339 with a zone, for example 2026-11-23T06:18:00Z", .0.escape_default())]
pub struct InvalidTime(String);

/// Parses RFC 3339 with any zone. Fractions of a millisecond are cut off.
impl FromStr for Timestamp {
    type Err = InvalidTime;
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let at = text.parse::<jiff::Timestamp>().map_err(|_| InvalidTime(text.to_owned()))?;
        Ok(Self(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_in_rfc_3339() {
        assert_eq!(Timestamp::from_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_ms(1_795_414_680_001).to_string(), "2026-11-23T06:18:00.001Z");
        assert_eq!(Timestamp::from_ms(1_795_414_739_999).to_minute(), "2026-11-23 06:18");
        assert_eq!(Timestamp::from_ms(i64::MAX).to_minute(), "9223372036854775807ms ");
    }

    #[test]
    fn an_end_is_a_time_or_the_end_of_a_day() {
        let read = |text: &str| Timestamp::parse_end(text).map(|at| at.to_string());
        assert_eq!(read("2026-12-31").unwrap(), "2027-01-01T00:00:00.000Z");
        assert_eq!(read("2026-12-31T18:00:00+02:00").unwrap(), "2026-12-31T16:00:00.000Z");
        for bad in ["", "tomorrow", "2026-13-01", "2026-12-31T18:00:00", "31.12.2026", "2026-12-31\u{1b}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn timestamps_round_trip_and_are_read_in_any_zone() {
        for ms in [0, -1, 1_795_414_680_001] {
            assert_eq!(Timestamp::from_ms(ms).to_string().parse(), Ok(Timestamp::from_ms(ms)));
        }
        assert_eq!("1970-01-01T02:00:01.0019+02:00".parse(), Ok(Timestamp::from_ms(1001)));
        for bad in ["", "now", "5", "2026-11-23", "2026-11-23T06:18:00", "2026-13-01T00:00:00Z"] {
            assert_eq!(bad.parse::<Timestamp>(), Err(InvalidTime(bad.to_owned())));
        }
    }

    #[test]
    fn days_are_24_hours_and_never_overflow() {
        assert_eq!(Timestamp::from_ms(5).plus_days(2), Timestamp::from_ms(5 + 2 * DAY_MS));
        assert_eq!(Timestamp::from_ms(i64::MAX).plus_days(1), Timestamp::from_ms(i64::MAX));
        let now = Timestamp::from_ms(0);
        assert_eq!((now.days_until(Timestamp::from_ms(2 * DAY_MS - 1)), now.plus_days(3).days_until(now)), (1, 0));
    }
}
