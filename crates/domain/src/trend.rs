//! The trend of a target's scans by day: open, new and remediated issues of its baseline, and verdicts of all scans. It
//! is part of the fold of a target's scans, so its size is limited and it does not depend on the order of events.

use crate::counts::BySeverity;
use crate::digest::Short;
use crate::ids::ScanId;
use crate::limits::{TREND_DAYS, TREND_SCANS_REMEMBERED, TREND_SERIES_MAX};
use crate::scan_event::{ScanEvent, ScanOutcome};
use crate::time::{DAY_MS, Timestamp};
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A day in UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(u32);

impl Day {
    /// Returns the day of a time; the first day for times before 1970.
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.as_ms().div_euclid(DAY_MS)).unwrap_or(0))
    }

    /// Returns the day `days` days earlier.
    pub fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

/// Formats as a date, for example `2026-11-24`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_ms(i64::from(self.0).saturating_mul(DAY_MS)).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

/// Sums of a day. Stored as a list of the numbers in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 5]", into = "[u64; 5]")]
pub struct Sums {
    /// New issues of complete scans of the baseline.
    pub new: u64,
    /// Remediated issues of complete scans of the baseline.
    pub remediated: u64,
    /// All scans, of any variant.
    pub scans: u64,
    /// Failed scans.
    pub failed: u64,
    /// Undecided scans.
    pub undecided: u64,
}

impl From<[u64; 5]> for Sums {
    fn from([new, remediated, scans, failed, undecided]: [u64; 5]) -> Self {
        Self { new, remediated, scans, failed, undecided }
    }
}

impl From<Sums> for [u64; 5] {
    fn from(sums: Sums) -> Self {
        [sums.new, sums.remediated, sums.scans, sums.failed, sums.undecided]
    }
}

impl Sums {
    fn count(&mut self, complete: bool, outcome: &ScanOutcome) {
        self.scans += 1;
        match outcome.verdict {
            Verdict::Pass => {}
            Verdict::Fail => self.failed += 1,
            Verdict::Undecided => self.undecided += 1,
        }
        if complete && outcome.baseline {
            self.new += outcome.new;
            self.remediated += outcome.remediated;
        }
    }

    fn add(&mut self, other: Self) {
        self.new += other.new;
        self.remediated += other.remediated;
        self.scans += other.scans;
        self.failed += other.failed;
        self.undecided += other.undecided;
    }
}

/// The last scan of a series on a day. Stored as the number of its event and the counts by severity, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, [u64; 6])", into = "(u64, [u64; 6])")]
struct Point {
    n: u64,
    open: BySeverity,
}

impl From<(u64, [u64; 6])> for Point {
    fn from((n, [critical, high, medium, low, info, unassigned]): (u64, [u64; 6])) -> Self {
        Self { n, open: BySeverity { critical, high, medium, low, info, unassigned } }
    }
}

impl From<Point> for (u64, [u64; 6]) {
    fn from(point: Point) -> Self {
        let BySeverity { critical, high, medium, low, info, unassigned } = point.open;
        (point.n, [critical, high, medium, low, info, unassigned])
    }
}

/// The last [`TREND_DAYS`] days of a target, up to the day of its newest scan.
/// If there are more than [`TREND_SERIES_MAX`] series, those with the greatest ids are left out. A rule by age would
/// depend on the order of events: a series that is left out and scanned again would have lost its past.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    days: BTreeMap<Day, Sums>,
    /// For each series of the baseline the last complete scan of a day. Of the days before the first of `days` only the
    /// last scan is stored, so that the open issues at that time are known.
    series: BTreeMap<Short, BTreeMap<Day, Point>>,
    /// True if there are more series.
    more_series: bool,
    /// The scans of the newest events. An upload that fails or is repeated may record its scan twice; this counts it
    /// once.
    counted: BTreeMap<u64, ScanId>,
}

impl Trend {
    /// Adds the event with number `n`.
    pub(crate) fn take(&mut self, n: u64, event: &ScanEvent) {
        let outcome = &event.outcome;
        let day = Day::of(outcome.received);
        if !self.counted.values().any(|scan| *scan == event.scan) {
            self.days.entry(day).or_default().count(event.complete, outcome);
        }
        self.counted.insert(n, event.scan);
        if TREND_SCANS_REMEMBERED < self.counted.len() {
            self.counted.pop_first();
        }
        if let Some(series) = event.series.filter(|_| event.complete && outcome.baseline) {
            let point = Point { n, open: outcome.open };
            let held = self.series.entry(series).or_default().entry(day).or_insert(point);
            if held.n < n {
                *held = point;
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        let Some(newest) = self.days.keys().next_back().copied() else { return };
        let last_before = newest.before(TREND_DAYS);
        self.days.retain(|day, _| last_before < *day);
        for points in self.series.values_mut() {
            let known_before = points.range(..=last_before).next_back().map(|(day, _)| *day);
            if let Some(day) = known_before {
                *points = points.split_off(&day);
            }
        }
        if TREND_SERIES_MAX < self.series.len() {
            self.series.pop_last();
            self.more_series = true;
        }
    }

    /// Returns the open issues of the baseline at the end of a day, by the last scan of each series until then.
    pub fn open(&self, day: Day) -> BySeverity {
        let mut open = BySeverity::default();
        let last = self.series.values().filter_map(|points| points.range(..=day).next_back());
        last.for_each(|(_, point)| open += point.open);
        open
    }

    /// True if the baseline has more series than are counted.
    pub fn more_series(&self) -> bool {
        self.more_series
    }
}

/// The sums of a day over several targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTotal {
    /// The day.
    pub day: Day,
    /// The open issues at its end.
    pub open: BySeverity,
    /// The sums of its scans.
    pub sums: Sums,
}

/// The days up to today, the oldest first, over several targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// All days, also those without a scan.
    pub days: Vec<DayTotal>,
}

impl Totals {
    /// Makes the last `days` days up to today, with all sums 0.
    pub fn new(today: Day, days: u32) -> Self {
        let empty = |back| DayTotal { day: today.before(back), open: BySeverity::default(), sums: Sums::default() };
        Self { days: (0..days).rev().map(empty).collect() }
    }

    /// Adds a target.
    pub fn add(&mut self, trend: &Trend) {
        for total in &mut self.days {
            total.open += trend.open(total.day);
            total.sums.add(trend.days.get(&total.day).copied().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests;
