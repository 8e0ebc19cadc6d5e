use super::*;

use crate::journal::Fold as _;
use crate::limits::VARIANTS_KNOWN_MAX;
use crate::scan_log::ScanLog;
use crate::testing::{entry, recorded};
use proptest::prelude::*;

fn fold(events: impl IntoIterator<Item = (u64, ScanEvent)>) -> Trend {
    let mut trend = Trend::default();
    events.into_iter().for_each(|(n, event)| trend.take(n, &event));
    trend
}

fn numbered(events: impl IntoIterator<Item = ScanEvent>) -> Vec<(u64, ScanEvent)> {
    (1..).zip(events).collect()
}

fn passed(n: u64, day: u32) -> ScanEvent {
    recorded(n, day, "bandit", Verdict::Pass)
}

fn totals(trend: &Trend, today: u32, days: u32) -> Vec<(String, u64, Sums)> {
    let mut totals = Totals::new(Day(today), days);
    totals.add(trend);
    totals.days.iter().map(|total| (total.day.to_string(), total.open.high, total.sums)).collect()
}

#[test]
fn days_are_those_of_utc() {
    let day = |text: &str| Day::of(text.parse().unwrap()).to_string();
    assert_eq!(day("2026-11-24T00:00:00Z"), "2026-11-24");
    assert_eq!(day("2026-11-24T23:59:59.999Z"), "2026-11-24");
    assert_eq!(day("2026-11-24T00:30:00+01:00"), "2026-11-23");
    assert_eq!(Day::of(Timestamp::from_ms(-5)), Day(0));
    assert_eq!((Day(3).before(2), Day(3).before(4)), (Day(1), Day(0)));
}

#[test]
fn open_issues_are_carried_over_days_without_a_scan() {
    let other = recorded(7, 103, "semgrep", Verdict::Fail);
    let trend = fold(numbered([passed(3, 101), passed(5, 101), other, passed(2, 104)]));
    let expected = [
        ("1970-04-11".to_owned(), 0, Sums::default()),
        ("1970-04-12".to_owned(), 5, Sums { new: 2, remediated: 4, scans: 2, ..Sums::default() }),
        ("1970-04-13".to_owned(), 5, Sums::default()),
        ("1970-04-14".to_owned(), 12, Sums { new: 1, remediated: 2, scans: 1, failed: 1, undecided: 0 }),
        ("1970-04-15".to_owned(), 9, Sums { new: 1, remediated: 2, scans: 1, ..Sums::default() }),
        ("1970-04-16".to_owned(), 9, Sums::default()),
    ];
    assert_eq!(totals(&trend, 105, 6), expected);
}

#[test]
fn other_variants_and_incomplete_scans_count_as_scans_only() {
    let mut branch = recorded(1, 100, "bandit", Verdict::Fail);
    branch.outcome.baseline = false;
    let incomplete = ScanEvent { complete: false, ..recorded(2, 100, "bandit", Verdict::Undecided) };
    let trend = fold(numbered([branch, incomplete]));
    let sums = Sums { scans: 2, failed: 1, undecided: 1, ..Sums::default() };
    assert_eq!(totals(&trend, 100, 1), [("1970-04-11".to_owned(), 0, sums)]);
}

#[test]
fn a_scan_that_is_recorded_twice_counts_once() {
    let trend = fold([(1, passed(1, 100)), (2, passed(2, 100)), (5, passed(1, 100))]);
    assert_eq!(totals(&trend, 100, 1)[0].2.scans, 2);
}

#[test]
fn days_before_the_period_are_forgotten_except_the_last_open_issues() {
    let day = TREND_DAYS + 100;
    let trend = fold(numbered([passed(1, 98), passed(2, 100), passed(3, 101), passed(4, day)]));
    assert_eq!(trend.days.keys().copied().collect::<Vec<_>>(), [Day(101), Day(day)]);
    let points: Vec<_> = trend.series.values().flat_map(BTreeMap::keys).copied().collect();
    assert_eq!(points, [Day(100), Day(101), Day(day)]);
    assert_eq!(trend.open(Day(100)).high, 2);
}

#[test]
fn the_number_of_series_is_limited() {
    let of = |count: usize| fold(numbered((1..=count).map(|at| recorded(1, 100, &format!("s{at}"), Verdict::Pass))));
    let most = of(TREND_SERIES_MAX);
    assert_eq!((most.series.len(), most.more_series()), (TREND_SERIES_MAX, false));
    let more = of(TREND_SERIES_MAX + 1);
    assert_eq!((more.series.len(), more.more_series()), (TREND_SERIES_MAX, true));
}

#[test]
fn the_largest_trend_is_small_beside_the_variants() {
    let mut log = ScanLog::default();
    let mut n = 1_000_000;
    let mut take = |log: &mut ScanLog, event: ScanEvent| {
        n += 1;
        log.apply(n, &entry(n, "ann", 1_795_414_680_000, event)).unwrap();
    };
    for day in 20_000..=20_000 + TREND_DAYS {
        for at in 0..TREND_SERIES_MAX {
            let mut event =
                recorded(u64::from(day) * 100 + u64::try_from(at).unwrap(), day, &format!("s{at}"), Verdict::Pass);
            let many = 9_999;
            event.outcome.open =
                BySeverity { critical: many, high: many, medium: many, low: many, info: many, unassigned: many };
            take(&mut log, event);
        }
    }
    let trend = serde_json::to_string(&log.trend).unwrap().len();
    for at in 0..VARIANTS_KNOWN_MAX {
        let event = recorded(u64::try_from(at).unwrap(), 20_050, "bandit", Verdict::Undecided);
        take(&mut log, ScanEvent { variant: format!("feature/some-branch-name-{at}").parse().unwrap(), ..event });
    }
    let whole = serde_json::to_string(&log).unwrap().len();
    println!("trend: {trend} bytes, with {VARIANTS_KNOWN_MAX} variants: {whole} bytes");
    assert!(trend < 120 * 1024, "{trend} bytes");
}

#[test]
fn an_ordinary_targets_trend_has_a_few_kilobytes() {
    let days = (20_000..20_000 + TREND_DAYS).flat_map(|day| (0..3).map(move |at| (day, at)));
    let events = days.map(|(day, at)| recorded(u64::from(day * 3 + at) % 200, day, &format!("s{at}"), Verdict::Pass));
    let trend = serde_json::to_string(&fold(numbered(events))).unwrap().len();
    println!("three series scanned daily: {trend} bytes");
    assert!(trend < 20 * 1024, "{trend} bytes");
}

fn events() -> impl Strategy<Value = Vec<(u64, ScanEvent)>> {
    let scan = (0..40_u64, 0..200_u32, 0..30_u8, any::<bool>(), any::<bool>(), 0..3_u8);
    let event = |(id, day, scanner, complete, baseline, verdict)| {
        let verdict = [Verdict::Pass, Verdict::Fail, Verdict::Undecided][usize::from(verdict % 3)];
        // A scan that is recorded again is the same scan.
        let mut event = recorded(id, (day + u32::try_from(id).unwrap()) % 200, &format!("s{scanner}"), verdict);
        event.complete = complete;
        event.outcome.baseline = baseline;
        event
    };
    proptest::collection::vec(scan.prop_map(event), 0..60).prop_map(|mut events| {
        let first: BTreeMap<ScanId, ScanEvent> = events.iter().rev().map(|event| (event.scan, event.clone())).collect();
        events.iter_mut().for_each(|event| event.clone_from(&first[&event.scan]));
        numbered(events)
    })
}

proptest! {
    #[test]
    fn the_order_of_events_does_not_matter(
        events in events().prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
    ) {
        prop_assert_eq!(fold(events.0), fold(events.1));
    }

    #[test]
    fn the_sums_of_all_days_are_all_scans(events in events()) {
        let scans: std::collections::BTreeSet<_> = events.iter().map(|(_, event)| event.scan).collect();
        let within = |event: &ScanEvent| event.outcome.received.as_ms() >= 110 * DAY_MS;
        let expected = events.iter().filter(|(_, event)| within(event)).map(|(_, event)| event.scan);
        let expected: std::collections::BTreeSet<_> = expected.collect();
        let counted: u64 = totals(&fold(events), 199, TREND_DAYS).iter().map(|day| day.2.scans).sum();
        prop_assert_eq!(counted, u64::try_from(expected.len()).unwrap());
        prop_assert!(expected.len() <= scans.len());
    }
}
