//! The overview of a project: its days, targets and exemptions, also for a token with some targets.

use crate::pipeline::wiring::{ADMIN, System, Upload, token_body, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::v1::{DayItem, Levels, Overview, TokenBody};
use domain::verdict::Verdict;
use serde_json::json;

/// Two issues, one critical and one medium.
const TWO: Levels = Levels { critical: 1, high: 0, medium: 1, low: 0, info: 0, unassigned: 0 };

fn take(system: &System, upload: Upload) {
    system.upload(upload).unwrap();
}

fn total(levels: &Levels) -> u64 {
    let Levels { critical, high, medium, low, info, unassigned } = levels;
    critical + high + medium + low + info + unassigned
}

/// Open, new, remediated and scans.
fn numbers(days: &[DayItem]) -> Vec<(u64, u64, u64, u64)> {
    days.iter().map(|day| (total(&day.open), day.new, day.remediated, day.scans)).collect()
}

fn broken(report: &[u8]) -> Vec<u8> {
    let mut broken: serde_json::Value = serde_json::from_slice(report).unwrap();
    broken["errors"] = json!([{"filename": 5}]);
    broken.to_string().into_bytes()
}

#[test]
fn a_project_without_scans_has_empty_days() {
    let overview = System::new().overview(3);
    assert_eq!(numbers(&overview.days), [(0, 0, 0, 0); 3]);
    assert_eq!(overview.days[2].day, "2026-11-23");
    assert_eq!((overview.targets.len(), overview.failing_total, overview.exemptions.ending_days), (0, 0, 7));
}

#[test]
fn each_day_has_the_findings_of_its_baseline_scans_and_the_open_issues_at_its_end() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    system.pass_days(2);
    take(&system, upload("main", FEATURE));
    take(&system, upload("feature", MAIN).fail_on("critical"));
    system.pass_days(1);
    take(&system, upload("main", MAIN));
    take(&system, upload("main", &broken(FEATURE)));
    system.pass_days(1);
    let days = system.overview(6).days;
    let expected = [(0, 0, 0, 0), (2, 2, 0, 1), (2, 0, 0, 0), (5, 3, 0, 2), (2, 0, 3, 2), (2, 0, 0, 0)];
    assert_eq!(numbers(&days), expected);
    assert_eq!(days[1].open, TWO);
    assert_eq!(days.iter().map(|day| (day.failed, day.undecided)).collect::<Vec<_>>()[3..5], [(1, 0), (0, 1)]);
    assert_eq!(numbers(&system.overview(1).days), [(2, 0, 0, 0)], "carried over from before the period");
    system.pass_days(200);
    assert_eq!(numbers(&system.overview(90).days), [(2, 0, 0, 0); 90], "at any distance");
}

#[test]
fn a_changed_baseline_does_not_change_earlier_days() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    take(&system, upload("next", FEATURE));
    system.pass_days(1);
    assert_eq!(numbers(&system.overview(2).days), [(2, 2, 0, 2), (2, 0, 0, 0)]);
    system.set_baseline("next");
    assert_eq!(numbers(&system.overview(2).days), [(2, 2, 0, 2), (2, 0, 0, 0)], "until it is scanned");
    take(&system, upload("next", FEATURE));
    take(&system, upload("main", MAIN));
    assert_eq!(numbers(&system.overview(2).days), [(2, 2, 0, 2), (5, 0, 0, 2)]);
    assert_eq!(system.overview(1).targets[0].baseline.variant.as_deref(), Some("next"));
}

#[test]
fn a_variant_fails_until_its_newest_scan_passes() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    take(&system, upload("feature", FEATURE).fail_on("critical"));
    take(&system, upload("other", &broken(MAIN)));
    let verdicts = |system: &System| {
        let variants = system.variants(None, 50);
        variants.iter().map(|item| (item.id.clone(), item.verdict)).collect::<Vec<_>>()
    };
    let of = |name: &str, verdict| (name.to_owned(), verdict);
    assert_eq!(
        verdicts(&system),
        [of("other", Verdict::Undecided), of("feature", Verdict::Fail), of("main", Verdict::Pass)]
    );
    let failing = |overview: &Overview| {
        overview.failing.iter().map(|item| (item.variant.clone(), item.verdict)).collect::<Vec<_>>()
    };
    let overview = system.overview(1);
    assert_eq!(failing(&overview), [of("other", Verdict::Undecided), of("feature", Verdict::Fail)]);
    assert_eq!((overview.failing_total, overview.targets[0].failing_variants), (2, 2));
    assert_eq!((overview.days[0].failed, overview.days[0].undecided), (1, 1));
    take(&system, upload("feature", FEATURE));
    let overview = system.overview(1);
    assert_eq!(failing(&overview), [of("other", Verdict::Undecided)]);
    let last = overview.targets[0].last_scan.as_ref().unwrap();
    assert_eq!((last.variant.as_str(), last.scanner.as_str(), last.verdict), ("feature", "bandit", Verdict::Pass));
}

#[test]
fn the_list_of_failing_variants_is_limited_and_the_count_is_not() {
    let system = System::new();
    for n in 0..21 {
        take(&system, upload(&format!("v{n}"), FEATURE).fail_on("critical"));
    }
    let overview = system.overview(1);
    assert_eq!((overview.failing.len(), overview.failing_total), (20, 21));
    assert_eq!((overview.failing[0].variant.as_str(), overview.failing[19].variant.as_str()), ("v20", "v1"));
}

#[test]
fn targets_and_scanners_add_up_also_for_a_token_with_some_targets() {
    let system = System::new();
    take(&system, upload_of("bandit", "api", "main", FEATURE));
    take(&system, upload("main", MAIN));
    take(&system, upload_of("bandit", "api", "next", FEATURE).fail_on("low"));
    let overview = system.overview(1);
    assert_eq!(numbers(&overview.days), [(7, 7, 0, 3)]);
    let names = |overview: &Overview| overview.targets.iter().map(|target| target.id.clone()).collect::<Vec<_>>();
    assert_eq!((names(&overview), overview.more_targets), (vec!["api".to_owned(), "notes".to_owned()], false));
    assert_eq!(overview.targets[1].open, TWO);

    let requested = system.request_exemption(
        &system.issues(system.overview(1).targets[1].last_scan.as_ref().unwrap().scan, "critical")[0],
    );
    let some = TokenBody { targets: Some(vec!["notes".to_owned()]), ..token_body("some", "viewer") };
    let other = TokenBody { targets: Some(vec!["api".to_owned()]), ..token_body("other", "viewer") };
    let [some, other] = [some, other].map(|body| system.issue(Some("shop"), body).unwrap().token.unwrap());
    let visible = system.overview_for(&some, 1);
    assert_eq!((numbers(&visible.days), names(&visible)), (vec![(2, 2, 0, 1)], vec!["notes".to_owned()]));
    assert_eq!((visible.failing_total, visible.exemptions.pending), (0, 1));
    let visible = system.overview_for(&other, 1);
    assert_eq!((visible.failing_total, visible.exemptions.pending), (1, 0));

    system.decide(&requested, "approve", "sec").unwrap();
    let of = |token| system.overview_for(token, 1).exemptions;
    let all = of(ADMIN);
    assert_eq!((all.pending, all.approved, all.ending, all.ending_days), (0, 1, 1, 7));
    assert_eq!((of(&other).approved, of(&some).approved), (0, 1));
    system.pass_days(8);
    assert_eq!((of(ADMIN).approved, of(ADMIN).ending), (0, 0), "it has expired");
}

#[test]
fn the_list_of_targets_is_limited_and_the_count_is_not() {
    let system = System::new();
    for n in 0..=200 {
        take(&system, upload_of("bandit", &format!("t{n}"), "main", MAIN));
    }
    let overview = system.overview(1);
    assert_eq!((overview.targets.len(), overview.more_targets), (200, true));
    assert_eq!((overview.targets[0].id.as_str(), overview.days[0].scans), ("t200", 201));
}

#[test]
fn days_are_from_one_to_ninety() {
    use results::overview::days;
    assert_eq!((days(None), days(Some(1)), days(Some(90))), (Ok(30), Ok(1), Ok(90)));
    assert!(days(Some(0)).is_err() && days(Some(91)).is_err());
}

#[test]
fn a_replay_counts_in_no_day() {
    let system = System::new();
    let scan = system.upload(upload("main", MAIN)).unwrap().scan.id;
    system.replay(scan, domain::version::Versions { parsers: 9, matcher: 9 }).unwrap();
    assert_eq!(numbers(&system.overview(1).days), [(2, 2, 0, 1)]);
}

#[test]
fn with_a_pattern_the_open_issues_are_the_newest_releases() {
    let system = System::new();
    let release = |variant: &str, report: &[u8]| {
        take(&system, upload_of("bandit", "image", variant, report).with("target_type", "container"));
    };
    release("v1.0.0", MAIN);
    system.pass_days(1);
    release("v2.0.0", FEATURE);
    let days = system.overview(2).days;
    assert_eq!(numbers(&days), [(2, 2, 0, 1), (5, 3, 0, 1)], "against the release before");
    system.pass_days(1);
    release("feature-x", MAIN);
    assert_eq!(numbers(&system.overview(1).days), [(5, 0, 0, 1)], "a variant that does not match the pattern");
}

#[test]
fn a_variant_fails_while_one_of_its_scanners_fails() {
    let system = System::new();
    let other =
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Other"}}, "results": []}]}).to_string();
    take(&system, upload("main", MAIN).fail_on("critical"));
    take(&system, upload_of("sarif", "notes", "main", other.as_bytes()).fail_on("critical"));
    let overview = system.overview(1);
    assert_eq!((overview.failing_total, overview.targets[0].failing_variants), (1, 1));
    assert_eq!(overview.failing[0].verdict, Verdict::Fail);
    assert_eq!(system.variants(None, 10)[0].verdict, Verdict::Fail);
}
