//! Nobody moves the goalposts: a failed scan is not its own reference, and writing a baseline is a right.

use crate::pipeline::wiring::{ADMIN, System, Upload, bandit, token_body, upload};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{CriteriaBody, ExemptionBody, ScanAnswer, SettingsBody, TokenBody};
use domain::ids::TargetId;
use domain::limits::SERIES_OF_TOKEN_PER_DAY_MAX;
use domain::trend::Day;
use domain::verdict::Verdict;
use futures::executor::block_on;
use serde_json::json;
use store::keys;
use store::kv::Counter as _;

fn take(system: &System, upload: Upload) -> ScanAnswer {
    system.upload(upload).unwrap()
}

fn strict(variant: &str, report: &[u8]) -> Upload {
    upload(variant, report).with("fail_on_new", "low")
}

fn token(system: &System, change: impl FnOnce(&mut TokenBody)) -> String {
    let mut body = token_body("ci", "uploader");
    change(&mut body);
    system.issue(Some("shop"), body).unwrap().token.unwrap()
}

#[test]
fn a_failed_scan_is_not_its_own_reference() {
    let system = System::new();
    let first = take(&system, strict("main", MAIN));
    assert_eq!((first.comparison.with.as_str(), first.verdict), ("none", Verdict::Fail), "everything is new");
    assert_eq!(take(&system, strict("main", MAIN)).verdict, Verdict::Pass, "the first scan is accepted by definition");
    let accepted = take(&system, strict("main", MAIN));
    let failed = take(&system, strict("main", FEATURE));
    assert_eq!((failed.verdict, failed.issues.new), (Verdict::Fail, 3));
    let before = system.all_issues(failed.scan.id);
    for _ in 0..3 {
        let again = take(&system, strict("main", FEATURE));
        assert_eq!((again.verdict, again.issues.new, again.issues.common), (Verdict::Fail, 3, 2));
        assert_eq!((again.comparison.with.as_str(), again.comparison.scan), ("accepted", Some(accepted.scan.id)));
        assert!(again.comparison.previous.is_some());
        let issues = system.all_issues(again.scan.id);
        assert!(
            issues.iter().zip(&before).all(|(now, before)| now.id == before.id && now.first_seen == before.first_seen)
        );
    }
    let looser = take(&system, upload("main", FEATURE));
    assert_eq!((looser.verdict, looser.no_threshold), (Verdict::Pass, true), "without a threshold it passes");
    let again = take(&system, strict("main", FEATURE));
    assert_eq!(
        (again.verdict, again.comparison.scan),
        (Verdict::Fail, Some(accepted.scan.id)),
        "and it is not the reference"
    );
    let high = take(&system, upload("main", MAIN).with("fail_on_new", "high"));
    assert_eq!(high.verdict, Verdict::Pass);
    assert_eq!(take(&system, upload("main", MAIN)).comparison.scan, Some(accepted.scan.id), "looser than what failed");
    let fixed = take(&system, strict("main", MAIN));
    assert_eq!(fixed.verdict, Verdict::Pass);
    assert_eq!(take(&system, upload("main", MAIN)).comparison.scan, Some(fixed.scan.id), "as strict as what failed");
}

#[test]
fn a_reviewer_accepts_a_scan_that_passed_by_looser_thresholds() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    take(&system, strict("main", FEATURE));
    let looser = take(&system, upload("main", FEATURE));
    system.accept(looser.scan.id, &system.token("sec", "secops")).unwrap();
    let next = take(&system, strict("main", FEATURE));
    assert_eq!((next.verdict, next.comparison.scan), (Verdict::Pass, Some(looser.scan.id)));
}

#[test]
fn a_scan_that_a_pull_request_planted_is_no_baseline() {
    for baseline in [json!({"variant": "hotfix-1"}), json!({"regex": "hotfix-.*"})] {
        let system = System::new();
        let pull_request = token(&system, |body| body.baselines = Some(false));
        take(&system, upload("main", MAIN));
        take(&system, upload("hotfix-1", FEATURE).token(&pull_request));
        system.patch(&baseline);
        let branch = take(&system, strict("feature", FEATURE).token(&pull_request));
        assert_eq!((branch.comparison.with.as_str(), branch.verdict), ("baseline_untrusted", Verdict::Fail));
        let reason = "was scanned by this scanner only with tokens that may not upload baselines";
        assert!(branch.reasons.iter().any(|text| text.contains(reason)), "{:?}", branch.reasons);
        // The first scan by a token that may write the baseline is not compared with the planted one either.
        let own = take(&system, strict("hotfix-1", FEATURE));
        assert_eq!((own.comparison.with.as_str(), own.verdict), ("none", Verdict::Fail));
        let branch = take(&system, strict("feature", FEATURE).token(&pull_request));
        assert_eq!((branch.comparison.scan, branch.verdict), (Some(own.scan.id), Verdict::Pass));
        let next = take(&system, strict("hotfix-1", FEATURE));
        assert_eq!((next.comparison.scan, next.verdict), (Some(own.scan.id), Verdict::Pass), "as after a first scan");
    }
}

#[test]
fn an_untrusted_scan_does_not_replace_the_accepted_one_of_a_trusted_token() {
    let system = System::new();
    let pull_request = token(&system, |body| body.baselines = Some(false));
    let first = take(&system, upload("main", MAIN));
    system.patch(&json!({"none": true}));
    let planted = take(&system, upload("main", FEATURE).token(&pull_request));
    assert_eq!(planted.verdict, Verdict::Pass);
    let next = take(&system, strict("main", FEATURE));
    assert_eq!((next.comparison.scan, next.verdict), (Some(first.scan.id), Verdict::Fail));
}

#[test]
fn what_is_new_since_the_accepted_scan_counts_once_in_the_trend() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    for _ in 0..3 {
        assert_eq!(take(&system, strict("main", FEATURE)).issues.new, 3);
    }
    take(&system, strict("main", MAIN));
    let today = system.overview(1).days.remove(0);
    assert_eq!((today.new, today.remediated, today.failed), (5, 3, 3));
}

#[test]
fn a_reviewer_accepts_a_scan_and_nobody_else_does() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    let failed = take(&system, strict("main", FEATURE));
    let developer = system.token("dev", "developer");
    assert_eq!(system.accept(failed.scan.id, &developer).unwrap_err().code, Code::Forbidden);
    let reviewer = system.token("sec", "secops");
    let accepted = system.accept(failed.scan.id, &reviewer).unwrap();
    assert_eq!((accepted.accepted_by.as_str(), accepted.comment.as_str()), ("sec", "known"));
    assert_eq!(system.accept(failed.scan.id, &reviewer).unwrap(), accepted, "a second time it is the same decision");
    let next = take(&system, strict("main", FEATURE));
    assert_eq!((next.verdict, next.comparison.scan), (Verdict::Pass, Some(failed.scan.id)));
    let refused = system.accept(failed.scan.id, &system.token("sam", "secops"));
    assert!(refused.is_ok(), "the decision stands");
    let again = system.accept(next.scan.id, &reviewer).unwrap_err();
    assert_eq!(again.code, Code::Conflict, "it passed: {}", again.detail);
    system.set_baseline("main");
    let branch = take(&system, strict("feature", FEATURE));
    let branch = system.accept(branch.scan.id, &reviewer).unwrap_err();
    assert!(branch.detail.contains("is compared with the target's baseline"), "{}", branch.detail);
}

#[test]
fn a_branch_is_compared_with_its_baseline_whether_that_passed_or_not() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    let failed = take(&system, strict("main", FEATURE));
    assert_eq!(failed.verdict, Verdict::Fail);
    let branch = take(&system, strict("feature", FEATURE));
    assert_eq!((branch.verdict, branch.comparison.scan), (Verdict::Pass, Some(failed.scan.id)));
}

#[test]
fn a_token_for_pull_requests_writes_no_baseline() {
    let system = System::new();
    let pull_request = token(&system, |body| body.baselines = Some(false));
    let main = token(&system, |body| body.name = "main".to_owned());
    take(&system, upload("main", MAIN).token(&main));
    for variant in ["main", "master"] {
        let refused = system.upload(upload(variant, FEATURE).token(&pull_request)).unwrap_err();
        assert_eq!(refused.code, Code::Forbidden);
        assert!(refused.detail.contains("a token that is trusted for baselines"), "{}", refused.detail);
    }
    assert_eq!(take(&system, strict("feature", FEATURE).token(&pull_request)).verdict, Verdict::Fail);
    system.set_baseline("release");
    assert_eq!(system.upload(upload("release", FEATURE).token(&pull_request)).unwrap_err().code, Code::Forbidden);
    take(&system, upload("main", MAIN).token(&pull_request));
    system.patch(&json!({"regex": "v.*"}));
    assert_eq!(system.upload(upload("v1", FEATURE).token(&pull_request)).unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_token_is_limited_to_its_variants_and_pipelines() {
    let system = System::new();
    let limited = token(&system, |body| {
        body.variants = Some(vec![r"pr-\d+".to_owned()]);
        body.pipelines = Some(vec!["checks".to_owned()]);
    });
    take(&system, upload("pr-1", MAIN).token(&limited).with("pipeline", "checks"));
    for refused in [upload("main", MAIN), upload("pr-1", MAIN).with("pipeline", "release")] {
        assert_eq!(system.upload(refused.token(&limited)).unwrap_err().code, Code::Forbidden);
    }
}

#[test]
fn an_exemption_for_a_pipeline_needs_a_token_that_proves_it() {
    let system = System::new();
    let main = take(&system, upload("main", MAIN).with("pipeline", "release"));
    for issue in system.all_issues(main.scan.id) {
        let asked = ExemptionBody {
            scope: "pipeline".to_owned(),
            pipeline: Some("release".to_owned()),
            ..system.exemption_of(issue.id)
        };
        let id = system.ask(asked, "dev").unwrap().id;
        system.decide(&id, "approve", "sec").unwrap();
    }
    let exempted = |token: &str| {
        let pushed = upload("feature", MAIN).with("pipeline", "release").token(token);
        take(&system, pushed).issues.exempted
    };
    assert_eq!(exempted(ADMIN), 2);
    assert_eq!(exempted(&token(&system, |body| body.baselines = Some(false))), 0);
    let bound = token(&system, |body| {
        body.name = "bound".to_owned();
        (body.baselines, body.pipelines) = (Some(false), Some(vec!["release".to_owned()]));
    });
    assert_eq!(exempted(&bound), 2);
}

#[test]
fn a_developer_sets_the_first_baseline_and_changes_none() {
    let system = System::new();
    let developer = system.token("dev", "developer");
    take(&system, upload("trunk", MAIN));
    assert_eq!(system.patch_as(&developer, &json!({"none": true})).unwrap_err().code, Code::Forbidden);
    system.patch_as(&developer, &json!({"variant": "trunk"})).unwrap();
    for change in [json!({"variant": "feature"}), json!({"regex": ".*"}), json!({"none": true}), json!(null)] {
        assert_eq!(system.patch_as(&developer, &change).unwrap_err().code, Code::Forbidden, "{change}");
    }
    system.patch_as(&system.token("sec", "secops"), &json!({"variant": "next"})).unwrap();
    system.settings(SettingsBody { baseline_changes: Some("developer".to_owned()), ..SettingsBody::default() });
    system.patch_as(&developer, &json!({"none": true})).unwrap();
}

#[test]
fn only_a_reviewer_accepts_that_something_is_not_scanned_any_more() {
    let system = System::new();
    let developer = system.token("dev", "developer");
    let accepting = |token: &str| system.upload(upload("main", MAIN).with("accept_missing", "true").token(token));
    assert_eq!(accepting(&developer).unwrap_err().code, Code::Forbidden);
    accepting(&system.token("sec", "secops")).unwrap();
    system.settings(SettingsBody { baseline_changes: Some("developer".to_owned()), ..SettingsBody::default() });
    accepting(&developer).unwrap();
}

#[test]
fn an_upload_is_judged_by_the_least_criteria_of_the_project() {
    let system = System::new();
    let least = CriteriaBody { fail_on_severity: Some("critical".to_owned()), ..CriteriaBody::default() };
    let of_notes = CriteriaBody { fail_on_new: Some("low".to_owned()), ..CriteriaBody::default() };
    system.settings(SettingsBody {
        criteria: Some(least),
        target_criteria: [("no.*".to_owned(), of_notes)].into(),
        ..SettingsBody::default()
    });
    let without = take(&system, upload("main", MAIN));
    assert_eq!((without.verdict, without.no_threshold, without.reasons.len()), (Verdict::Fail, false, 2));
    assert!(without.reasons[0].contains("by the project"), "{:?}", without.reasons);
    let thresholds = without.thresholds.unwrap();
    assert_eq!((thresholds.fail_on_severity.as_str(), thresholds.fail_on_new.as_str()), ("critical", "low"));
    let looser = take(&system, upload("main", MAIN).with("fail_on_severity", "none"));
    assert_eq!(looser.verdict, Verdict::Fail);
    let clean = bandit(0);
    assert!(!take(&system, upload("other", &clean)).no_threshold);
}

#[test]
fn made_up_variants_do_not_push_the_baseline_out() {
    let system = System::new();
    take(&system, upload("release-1", MAIN));
    system.patch(&json!({"regex": r"release-\d+"}));
    let pull_request = token(&system, |body| body.baselines = Some(false));
    let clean = bandit(0);
    for n in 0..domain::limits::VARIANTS_KNOWN_MAX + 5 {
        take(&system, upload(&format!("made-up-{n}"), &clean).token(&pull_request));
    }
    let branch = take(&system, strict("feature", FEATURE).token(&pull_request));
    assert_eq!((branch.comparison.variant.as_deref(), branch.verdict), (Some("release-1"), Verdict::Fail));
    system.patch(&json!({"regex": "hotfix-.*"}));
    let unknown = take(&system, upload("feature", MAIN).token(&pull_request));
    assert_eq!((unknown.comparison.with.as_str(), unknown.verdict), ("baseline_unknown", Verdict::Undecided));
}

#[test]
fn a_token_begins_a_limited_number_of_variants_of_a_target_a_day() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    let limited = token(&system, |_| ());
    let of_token = system.who(&limited).actor.token.unwrap();
    let target = TargetId::of(&"shop".parse().unwrap(), &"notes".parse().unwrap());
    let send = |variant: &str| system.upload(upload(variant, MAIN).token(&limited));
    // The token's own first one, and so many more that one is left.
    send("feature-1").unwrap();
    let begun = keys::series_begun(of_token, target, Day::of(system.calls().now));
    for _ in 2..SERIES_OF_TOKEN_PER_DAY_MAX {
        block_on(system.kv.increment(&begun)).unwrap();
    }
    send("feature-2").unwrap();
    let before = system.kv.contents();
    let refused = send("feature-3").unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
    assert!(refused.detail.contains("5000 first scans of variants of the target `notes`"), "{}", refused.detail);
    let left: Vec<_> = system.kv.contents().into_keys().filter(|key| !before.contains_key(key)).collect();
    assert!(left.iter().all(|key| key.starts_with("gh:turn:")), "nothing of it is stored: {left:?}");
    // What was scanned before goes on, another token is free, and so is the next day.
    send("feature-1").unwrap();
    take(&system, upload("feature-3", MAIN));
    system.pass_days(1);
    send("feature-4").unwrap();
}
