//! The time at which a scanner made a report: shown, compared with that of the newest accepted scan, and no more.

use crate::pipeline::wiring::{System, Upload, upload};
use crate::pipeline::{FEATURE, MAIN};
use api::v1::{NewerReport, ScanAnswer};
use domain::verdict::Verdict;

/// A report of the demo, made at another time.
fn made(report: &[u8], at: &str) -> Vec<u8> {
    let text = String::from_utf8(report.to_vec()).unwrap();
    assert!(text.contains("2026-11-23T06:56:14Z"));
    text.replace("2026-11-23T06:56:14Z", at).into_bytes()
}

fn take(system: &System, upload: Upload) -> ScanAnswer {
    system.upload(upload).unwrap()
}

/// The evidence that a report is older than that of an accepted scan.
fn newer(accepted: &ScanAnswer) -> Option<NewerReport> {
    let made_at = accepted.report.made_at.clone().unwrap();
    Some(NewerReport { scan: accepted.scan.id, made_at })
}

#[test]
fn a_report_that_was_made_before_the_accepted_one_is_shown_and_judged_as_any_other() {
    let system = System::new();
    let at = |hour: u8| upload("main", &made(MAIN, &format!("2026-11-23T0{hour}:00:00Z")));
    let first = take(&system, at(3));
    assert_eq!(first.report.made_at.as_deref(), Some("2026-11-23T03:00:00.000Z"));
    assert_eq!(first.report.older_than, None, "nothing is accepted yet");
    let later = take(&system, at(5));
    assert_eq!(later.report.older_than, None);
    let again = take(&system, at(5));
    assert_eq!(again.report.older_than, None, "the same report, uploaded again");
    let older = take(&system, at(4));
    assert_eq!(older.report.older_than, newer(&again));
    assert!(!older.report.made_long_before);
    assert_eq!((older.verdict, &older.issues, &older.variables), (Verdict::Pass, &again.issues, &again.variables));
    assert_eq!(system.answer(older.scan.id).report, older.report, "it is stored with the scan");
}

#[test]
fn the_accepted_scan_may_be_one_that_a_reviewer_accepted() {
    let system = System::new();
    let strict = |at: &str| upload("main", &made(FEATURE, at)).with("fail_on_new", "low");
    take(&system, upload("main", &made(MAIN, "2026-11-23T02:00:00Z")));
    let failed = take(&system, strict("2026-11-23T05:00:00Z"));
    assert_eq!(failed.verdict, Verdict::Fail);
    let next = take(&system, strict("2026-11-23T03:00:00Z"));
    assert_eq!(next.report.older_than, None, "a scan that nobody accepted does not count");
    system.accept(failed.scan.id, &system.token("sec", "secops")).unwrap();
    let next = take(&system, strict("2026-11-23T04:00:00Z"));
    assert_eq!(next.report.older_than, newer(&failed));
    assert_eq!((next.verdict, next.comparison.scan), (Verdict::Pass, Some(failed.scan.id)));
}

#[test]
fn a_branch_is_compared_with_its_own_accepted_scan_and_not_with_the_baselines() {
    let system = System::new();
    take(&system, upload("main", &made(MAIN, "2026-11-23T05:00:00Z")));
    system.set_baseline("main");
    let branch = |at: &str| take(&system, upload("feature", &made(FEATURE, at)));
    let first = branch("2026-11-23T04:00:00Z");
    assert_eq!((first.comparison.with.as_str(), first.report.older_than.clone()), ("baseline", None));
    assert_eq!(branch("2026-11-23T03:00:00Z").report.older_than, newer(&first));
}

#[test]
fn a_clock_in_the_future_makes_no_later_report_older() {
    let system = System::new();
    let main = |at: &str| take(&system, upload("main", &made(MAIN, at)));
    let wrong = main("2031-01-01T00:00:00Z");
    assert_eq!(wrong.report.made_at.as_deref(), Some("2031-01-01T00:00:00.000Z"), "it is shown");
    let right = main("2026-11-23T05:00:00Z");
    assert_eq!((right.verdict, right.report.older_than.clone()), (Verdict::Pass, None));
    assert_eq!(main("2026-11-23T04:00:00Z").report.older_than, newer(&right));
}

#[test]
fn a_report_that_is_uploaded_a_day_late_is_shown() {
    let system = System::new();
    let report = made(MAIN, "2026-11-23T05:00:00Z");
    assert!(!take(&system, upload("main", &report)).report.made_long_before);
    system.pass_days(1);
    let late = take(&system, upload("main", &report));
    assert!(late.report.made_long_before);
    assert_eq!((late.verdict, late.report.older_than), (Verdict::Pass, None));
}

#[test]
fn a_report_without_a_time_has_no_age() {
    let system = System::new();
    take(&system, upload("main", &made(MAIN, "2026-11-23T05:00:00Z")));
    let unreadable = take(&system, upload("main", &made(MAIN, "yesterday")));
    let report = &unreadable.report;
    assert_eq!((&report.made_at, &report.older_than, report.made_long_before), (&None, &None, false));
    assert!(report.complete);
    let next = take(&system, upload("main", &made(MAIN, "2026-11-23T04:00:00Z")));
    assert_eq!(next.report.older_than, None, "the newest accepted scan states no time");
}
