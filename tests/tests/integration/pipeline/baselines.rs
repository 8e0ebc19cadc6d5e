//! The reference scan, by name, pattern or default, and the gate's answer.

use crate::pipeline::wiring::{System, Upload, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{BaselineDecisionBody, BaselineRequestBody, ScanAnswer, SettingsBody};
use domain::change_decision::ChangeDecision;
use domain::verdict::Verdict;
use futures::executor::block_on;
use serde_json::json;

/// A report of another scanner: SARIF of one run with one result.
fn other(rule: &str) -> Vec<u8> {
    json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Other"}}, "results": [
        {"ruleId": rule, "level": "error", "message": {"text": "wrong"}, "locations": [{"physicalLocation":
            {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}]}]}]})
    .to_string()
    .into_bytes()
}

fn by_other(variant: &str) -> Upload {
    upload_of("sarif", "notes", variant, &other("R1"))
}

/// A report with a scanner's error: its scan is incomplete.
fn broken(report: &[u8]) -> Vec<u8> {
    let mut broken: serde_json::Value = serde_json::from_slice(report).unwrap();
    broken["errors"] = json!([{"filename": 5}]);
    broken.to_string().into_bytes()
}

/// The state and its variant.
fn compared(answer: &ScanAnswer) -> (&str, Option<&str>) {
    (answer.comparison.with.as_str(), answer.comparison.variant.as_deref())
}

fn take(system: &System, upload: Upload) -> ScanAnswer {
    system.upload(upload).unwrap()
}

#[test]
fn each_state_of_a_comparison_has_its_name() {
    let system = System::new();
    let first = take(&system, upload("trunk", MAIN));
    assert_eq!(compared(&first), ("baseline_not_scanned_by_this_scanner", None), "the default is main or master");
    system.patch(&json!({"none": true}));
    assert_eq!(compared(&take(&system, upload("other", MAIN))), ("none", None));
    assert_eq!(compared(&take(&system, upload("trunk", MAIN))), ("previous", Some("trunk")));
    system.set_baseline("trunk");
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("baseline", Some("trunk")));
    assert_eq!(compared(&take(&system, upload("trunk", MAIN))), ("previous", Some("trunk")), "the baseline itself");
    let never = take(&system, by_other("feature"));
    assert_eq!(compared(&never), ("baseline_not_scanned_by_this_scanner", Some("trunk")));
    system.set_baseline("next");
    take(&system, upload("next", &broken(MAIN)));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("baseline_incomplete", Some("next")));
    take(&system, upload("next", MAIN));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("baseline", Some("next")));
    take(&system, upload("next", &broken(FEATURE)));
    let complete = take(&system, upload("feature", FEATURE));
    assert_eq!(
        (compared(&complete).0, complete.issues.new),
        ("baseline", 3),
        "an incomplete one does not become the head"
    );
}

#[test]
fn a_pattern_selects_the_matching_variant_that_was_scanned_last() {
    let system = System::new();
    take(&system, upload("work", MAIN));
    system.patch(&json!({"regex": r"v\d+\.\d+\.\d+"}));
    assert_eq!(compared(&take(&system, upload("work", MAIN))), ("baseline_not_scanned_by_this_scanner", None));
    assert_eq!(compared(&take(&system, upload("v2.2.0", MAIN))), ("none", None), "the first release");
    assert_eq!(compared(&take(&system, upload("work", FEATURE))), ("baseline", Some("v2.2.0")));
    assert_eq!(compared(&take(&system, upload("v2.3.0", FEATURE))), ("baseline", Some("v2.2.0")), "a new release");
    assert_eq!(compared(&take(&system, upload("v2.3.0", FEATURE))), ("previous", Some("v2.3.0")));
    assert_eq!(compared(&take(&system, upload("v2.3.0-rc1", FEATURE))), ("baseline", Some("v2.3.0")), "no whole name");
    take(&system, upload("v2.4.0", &broken(FEATURE)));
    assert_eq!(compared(&take(&system, upload("work", FEATURE))), ("baseline", Some("v2.3.0")), "an incomplete one");
    assert_eq!(compared(&take(&system, upload("v2.2.0", MAIN))), ("baseline", Some("v2.3.0")), "an old one again");
    assert_eq!(compared(&take(&system, upload("work", FEATURE))), ("baseline", Some("v2.2.0")), "now scanned last");
}

#[test]
fn every_scanner_of_a_release_compares_it_with_the_release_before() {
    let system = System::new();
    take(&system, upload("v1.0.0", MAIN));
    take(&system, by_other("v1.0.0"));
    system.patch(&json!({"regex": "v.*"}));
    assert_eq!(compared(&take(&system, upload("v1.1.0", FEATURE))), ("baseline", Some("v1.0.0")));
    assert_eq!(compared(&take(&system, by_other("v1.1.0"))), ("baseline", Some("v1.0.0")));
    assert_eq!(compared(&take(&system, by_other("v1.1.0"))), ("previous", Some("v1.1.0")));
}

#[test]
fn defaults_apply_to_targets_without_their_own_baseline() {
    let system = System::new();
    let no_main = take(&system, upload("feature", FEATURE));
    assert_eq!(compared(&no_main), ("baseline_not_scanned_by_this_scanner", None));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), compared(&no_main), "not its own previous scan");
    take(&system, upload("main", MAIN));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("baseline", Some("main")));
    let target = system.target();
    let effective =
        (target.effective.from.as_str(), target.effective.regex.as_deref(), target.effective.variant.as_deref());
    assert_eq!((target.baseline, effective), (None, ("built_in", Some("main|master"), Some("main"))));

    let target = system.patch(&json!({"none": true}));
    assert_eq!((target.effective.from.as_str(), target.effective.variant), ("target", None));
    assert!(target.baseline.unwrap().none);
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("previous", Some("feature")));
    system.patch(&json!(null));

    let defaults = |baselines: serde_json::Value| {
        system.settings(serde_json::from_value(json!({"default_baselines": baselines})).unwrap());
    };
    defaults(json!({"repository": {"variant": "trunk"}}));
    let never = take(&system, upload("feature", FEATURE));
    assert_eq!(compared(&never), ("baseline_not_scanned_by_this_scanner", Some("trunk")));
    take(&system, upload("trunk", MAIN));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("baseline", Some("trunk")));
    let never = take(&system, by_other("feature"));
    assert_eq!(compared(&never), ("baseline_not_scanned_by_this_scanner", Some("trunk")), "by another scanner");
    system.set_baseline("main");
    assert_eq!(
        compared(&take(&system, upload("feature", FEATURE))),
        ("baseline", Some("main")),
        "the target's baseline precedes it"
    );
    system.patch(&json!(null));
    defaults(json!({"repository": null}));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))), ("previous", Some("feature")));
    defaults(json!({"container": {"variant": "trunk"}}));
    assert_eq!(compared(&take(&system, upload("feature", FEATURE))).0, "baseline", "of another type");
}

#[test]
fn the_built_in_default_of_containers_is_the_last_version() {
    let system = System::new();
    let image = |variant: &str| upload(variant, MAIN).with("target_type", "container");
    take(&system, image("nightly"));
    let nightly = take(&system, image("nightly"));
    assert_eq!(compared(&nightly), ("baseline_not_scanned_by_this_scanner", None));
    take(&system, image("1.4.0"));
    assert_eq!(compared(&take(&system, image("latest"))), ("baseline", Some("1.4.0")));
    assert_eq!(compared(&take(&system, image("nightly"))), ("baseline", Some("latest")));
    let host = |variant: &str| upload_of("bandit", "host", variant, MAIN).with("target_type", "instance");
    take(&system, host("main"));
    take(&system, host("other"));
    assert_eq!(compared(&take(&system, host("other"))), ("previous", Some("other")), "no default for instances");
}

#[test]
fn a_changed_baseline_does_not_change_earlier_scans() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    take(&system, upload("next", FEATURE));
    let before = take(&system, upload("feature", FEATURE));
    let issues = system.all_issues(before.scan.id);
    system.set_baseline("next");
    assert_eq!(system.answer(before.scan.id), before);
    assert_eq!(system.all_issues(before.scan.id), issues);
    let after = take(&system, upload("feature", FEATURE));
    assert_eq!((compared(&after), after.issues.new), (("baseline", Some("next")), 0));
}

/// Along a branch, the previous scan is frozen beside the baseline's: occurrences keep their ids from it.
#[test]
fn a_variants_previous_scan_is_frozen_if_it_is_not_the_reference_scan() {
    let system = System::new();
    let frozen = |answer: &ScanAnswer| {
        let frozen = futures::executor::block_on(store::scans::Frozen::get(&system.kv, answer.scan.id)).unwrap();
        frozen.record.lineage
    };
    let main = take(&system, upload("main", MAIN));
    let first = take(&system, upload("feature", FEATURE));
    let second = take(&system, upload("feature", FEATURE));
    assert_eq!((frozen(&main), frozen(&first), frozen(&second)), (None, None, Some(first.scan.id)));
    assert_eq!(frozen(&take(&system, upload("main", MAIN))), None, "its own previous scan is the reference scan");
    system.set_baseline("absent");
    assert_eq!(frozen(&take(&system, upload("feature", FEATURE))), Some(second.scan.id));
}

#[test]
fn the_gate_can_judge_only_new_findings() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    let verdict = |report: &[u8], parameter: &str, level: &str| {
        let answer = take(&system, upload("feature", report).with(parameter, level));
        (answer.verdict, answer.reasons.first().cloned())
    };
    let reached =
        |name: &str| (Verdict::Fail, Some(format!("{name} is set to critical and that threshold was reached.")));
    assert_eq!(verdict(MAIN, "fail_on_severity", "critical"), reached("fail_on_severity"), "main has one itself");
    assert_eq!(verdict(MAIN, "fail_on_new", "critical"), (Verdict::Pass, None));
    assert_eq!(verdict(MAIN, "fail_on_new_occurrences", "info"), (Verdict::Pass, None));
    assert_eq!(verdict(FEATURE, "fail_on_new", "critical"), reached("fail_on_new"));
    assert_eq!(verdict(FEATURE, "fail_on_new_occurrences", "critical"), reached("fail_on_new_occurrences"));
    let answer = take(&system, upload("feature", FEATURE).with("fail_on_new", "High"));
    assert_eq!((answer.scan.fail_on_new.as_str(), answer.scan.fail_on_new_occurrences.as_str()), ("High", "none"));
}

#[test]
fn the_effect_of_a_baseline_without_a_scan_is_a_setting() {
    let system = System::new();
    take(&system, upload("main", MAIN));
    system.set_baseline("main");
    let new = || take(&system, by_other("feature").with("fail_on_new", "high"));
    let setting = |word: &str| {
        system.settings(SettingsBody { missing_baseline: Some(word.to_owned()), ..SettingsBody::default() });
    };
    let counted = new();
    assert_eq!(counted.verdict, Verdict::Fail);
    assert_eq!(
        counted.reasons,
        [
            "fail_on_new is set to high and that threshold was reached. Everything counts as new, because baseline `main` was never scanned by this scanner."
        ]
    );
    setting("undecided");
    assert_eq!(new().verdict, Verdict::Undecided);
    setting("nothing_is_new");
    assert_eq!(new().verdict, Verdict::Pass);
    let severe = take(&system, by_other("feature").fail_on("high"));
    assert_eq!(severe.verdict, Verdict::Fail, "fail_on_severity does not depend on the setting");
}

#[test]
fn the_list_of_variants_shows_which_one_a_pattern_selects() {
    let system = System::new();
    for variant in ["v1", "main", "v2", "v1"] {
        take(&system, upload(variant, MAIN));
    }
    let last = take(&system, upload("v3", &broken(MAIN)));
    let shown = |regex: Option<&str>, limit: usize| -> Vec<_> {
        let variants = system.variants(regex, limit);
        variants.into_iter().map(|item| (item.id, item.complete, item.matches, item.chosen)).collect()
    };
    let row = |id: &str, complete, matches, chosen| (id.to_owned(), complete, matches, chosen);
    let by_default = [
        row("v3", false, false, false),
        row("v1", true, false, false),
        row("v2", true, false, false),
        row("main", true, true, true),
    ];
    for limit in [1, 2, 50] {
        assert_eq!(shown(None, limit), by_default, "pages of {limit}");
    }
    assert_eq!(system.variants(None, 1)[0].scan, last.scan.id);
    let by_pattern = shown(Some("v."), 3);
    assert_eq!(
        by_pattern,
        [
            row("v3", false, true, false),
            row("v1", true, true, true),
            row("v2", true, true, false),
            row("main", true, false, false)
        ]
    );
    system.set_baseline("v2");
    assert_eq!(shown(None, 50)[2], row("v2", true, true, true));
}

#[test]
fn a_request_is_outdated_when_the_default_that_it_is_for_changes() {
    let system = System::new();
    system.upload(upload("main", MAIN)).unwrap();
    system.upload(upload("evil", FEATURE)).unwrap();
    system.set_baseline("main");
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    let job = |token: &str| system.project_job(system.who(token));
    let ask = || {
        let body = BaselineRequestBody { baseline: None, reason: "the default is enough".to_owned() };
        block_on(job(&developer).request_baseline("notes", body)).unwrap()
    };
    let approve = |request, version| {
        let body = BaselineDecisionBody { request, comment: String::new() };
        block_on(job(&reviewer).decide_baseline("notes", ChangeDecision::Approve, body, version))
    };
    let first = ask();
    assert_eq!(first.then.baseline.variant.as_deref(), Some("main"));
    system.settings(serde_json::from_value(json!({"default_baselines": {"repository": {"variant": "evil"}}})).unwrap());
    let shown = system.target().baseline_request.unwrap();
    assert!(shown.outdated && shown.then.baseline.variant.as_deref() == Some("evil"));
    let refused = approve(first.request, None).unwrap_err();
    assert!(refused.code == Code::Conflict && refused.detail.contains("default has changed since"), "{refused}");
    let second = ask();
    let stale = approve(second.request, Some(1)).unwrap_err();
    assert_eq!(stale.code, Code::ChangedMeanwhile, "{stale}");
    let version = system.target().version;
    assert_eq!(approve(second.request, Some(version)).unwrap().effective.variant.as_deref(), Some("evil"));
}
