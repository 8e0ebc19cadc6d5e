//! The age of a report, by the time at which its scanner made it. The scanner states that time, and nothing proves it:
//! it is evidence to show, and changes no verdict.

use crate::head::SeriesScan;
use crate::ids::ScanId;
use crate::limits::{REPORT_AHEAD_DAYS_MAX, REPORT_LATE_DAYS};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A scan whose report was made after that of another scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewerReport {
    /// The scan.
    pub scan: ScanId,
    /// The time at which its report was made.
    pub made_at: Timestamp,
}

impl NewerReport {
    /// Returns the newest accepted scan of a series, if a report that was made at `made_at` and uploaded at `received`
    /// is older than the report of that scan. Equal times are not older: the same report may be uploaded again.
    pub fn find(accepted: Option<&SeriesScan>, made_at: Option<Timestamp>, received: Timestamp) -> Option<Self> {
        let own = credible(made_at, received)?;
        let SeriesScan { scan, made_at, .. } = accepted?;
        made_at.filter(|accepted| own < *accepted).map(|made_at| Self { scan: *scan, made_at })
    }
}

/// Returns the time at which a report was made, unless it is more than [`REPORT_AHEAD_DAYS_MAX`] after the start of the
/// upload. Such a clock is wrong, and its time would make every later report look older.
pub fn credible(made_at: Option<Timestamp>, received: Timestamp) -> Option<Timestamp> {
    made_at.filter(|made_at| *made_at <= received.plus_days(REPORT_AHEAD_DAYS_MAX))
}

/// True if the upload began more than [`REPORT_LATE_DAYS`] after the report was made.
pub fn is_late(made_at: Option<Timestamp>, received: Timestamp) -> bool {
    made_at.is_some_and(|made_at| made_at.plus_days(REPORT_LATE_DAYS) < received)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_MS;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_ms(day * DAY_MS)
    }

    fn accepted(made_at: Option<Timestamp>) -> SeriesScan {
        SeriesScan { scan: ScanId::from_bits([1; 16]), received: at(30), turn: Some(1), made_at }
    }

    #[test]
    fn a_report_that_was_made_before_the_accepted_one_is_older() {
        let find = |known, own| NewerReport::find(Some(&accepted(known)), own, at(40));
        let newer = NewerReport { scan: accepted(None).scan, made_at: at(20) };
        assert_eq!(find(Some(at(20)), Some(at(19))), Some(newer));
        assert_eq!(find(Some(at(20)), Some(Timestamp::from_ms(20 * DAY_MS - 1))), Some(newer));
        assert_eq!(find(Some(at(20)), Some(at(20))), None, "the same report, uploaded again");
        assert_eq!(find(Some(at(20)), Some(at(21))), None);
        assert_eq!(find(None, Some(at(19))), None, "the accepted report states no time");
        assert_eq!(find(Some(at(20)), None), None, "this one states none");
        assert_eq!(NewerReport::find(None, Some(at(19)), at(40)), None, "no scan is accepted");
    }

    #[test]
    fn a_time_more_than_a_day_after_the_upload_is_not_compared() {
        assert_eq!(credible(Some(at(41)), at(40)), Some(at(41)), "clocks differ");
        assert_eq!(credible(Some(Timestamp::from_ms(41 * DAY_MS + 1)), at(40)), None);
        assert_eq!(credible(None, at(40)), None);
        let older_by_a_wrong_clock = NewerReport::find(Some(&accepted(Some(at(90)))), Some(at(60)), at(40));
        assert_eq!(older_by_a_wrong_clock, None);
    }

    #[test]
    fn a_report_is_late_after_more_than_a_day() {
        assert!(!is_late(Some(at(39)), at(40)));
        assert!(is_late(Some(Timestamp::from_ms(39 * DAY_MS - 1)), at(40)));
        assert!(!is_late(Some(at(50)), at(40)) && !is_late(None, at(40)));
    }
}
