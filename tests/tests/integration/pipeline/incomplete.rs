//! Incomplete scans: they remediate nothing, are never reference scans, and say so.

use crate::pipeline::wiring::{System, Upload, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::v1::{ScanAnswer, SettingsBody};
use domain::verdict::Verdict;
use serde_json::{Value, json};

/// SARIF with a run for each tool and category, with this many results.
pub(crate) fn sarif(runs: &[(&str, &str, u32)]) -> Vec<u8> {
    let result = |tool: &str, category: &str, n: u32| {
        json!({"ruleId": format!("{tool}-{category}-{n}"), "level": "error", "message": {"text": "wrong"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": format!("{category}/a")},
                "region": {"startLine": n + 1, "snippet": {"text": format!("call({n})")}}}}]})
    };
    let run = |(tool, category, results): &(&str, &str, u32)| {
        let results: Vec<_> = (0..*results).map(|n| result(tool, category, n)).collect();
        let mut run = json!({"tool": {"driver": {"name": tool}}, "results": results});
        if !category.is_empty() {
            run["automationDetails"] = json!({"id": format!("{category}/")});
        }
        run
    };
    json!({"version": "2.1.0", "runs": runs.iter().map(run).collect::<Vec<Value>>()}).to_string().into_bytes()
}

pub(crate) fn of(variant: &str, runs: &[(&str, &str, u32)]) -> Upload {
    upload_of("sarif", "notes", variant, &sarif(runs))
}

fn take(system: &System, upload: Upload) -> ScanAnswer {
    system.upload(upload).unwrap()
}

pub(crate) const BOTH: &[(&str, &str, u32)] = &[("CodeQL", "go", 2), ("CodeQL", "python", 3)];
pub(crate) const PYTHON: &[(&str, &str, u32)] = &[("CodeQL", "python", 3)];

#[test]
fn a_missing_category_is_not_remediated() {
    let system = System::new();
    let both = take(&system, of("main", BOTH));
    assert!(both.report.complete);
    let part = take(&system, of("main", PYTHON));
    assert_eq!((part.verdict, part.report.complete), (Verdict::Undecided, false));
    assert_eq!(part.report.missing, ["codeql/go"]);
    assert_eq!(
        part.reasons,
        [
            "The report lacks `codeql/go`, which the previous report had, so the scan is incomplete; if they are no longer scanned, accept the scan, or upload the report with `accept_missing=true`."
        ]
    );
    assert_eq!(part.comparison.scan, Some(both.scan.id), "compared with the scan of all parts");
    assert_eq!((part.issues.new, part.issues.common, part.issues.remediated), (0, 3, 0));
    let whole = take(&system, of("main", BOTH));
    assert_eq!(whole.comparison.scan, Some(both.scan.id), "the incomplete one is not a reference scan");
    let again = take(&system, of("main", PYTHON));
    assert!(!again.report.complete, "a second incomplete report is incomplete too");
    let fewer = take(&system, of("main", &[("CodeQL", "go", 2), ("CodeQL", "python", 1)]));
    assert_eq!((fewer.report.complete, fewer.issues.remediated), (true, 2));
}

#[test]
fn a_branch_needs_the_parts_of_its_baseline() {
    let system = System::new();
    let main = take(&system, of("main", BOTH));
    let part = take(&system, of("feature", PYTHON));
    assert_eq!((part.comparison.with.as_str(), part.comparison.scan), ("baseline", Some(main.scan.id)));
    assert_eq!((part.report.missing.as_slice(), part.issues.remediated), (["codeql/go".to_owned()].as_slice(), 0));
}

#[test]
fn parts_that_are_uploaded_separately_are_complete() {
    let system = System::new();
    let go = &BOTH[..1];
    let first = [take(&system, of("main", PYTHON)), take(&system, of("main", go))];
    assert!(first.iter().all(|answer| answer.report.complete && answer.comparison.with == "none"));
    let second = [take(&system, of("main", PYTHON)), take(&system, of("main", go))];
    assert_eq!(second.map(|answer| answer.comparison.scan), first.map(|answer| Some(answer.scan.id)));
    take(&system, of("main", BOTH));
    assert!(take(&system, of("main", PYTHON)).report.complete, "it was uploaded alone before");
}

#[test]
fn a_missing_run_of_another_tool_makes_a_scan_incomplete_too() {
    let system = System::new();
    let three = [("Bandit", "", 1), ("gosec", "", 1), ("Semgrep", "", 1)];
    let all = take(&system, of("main", &three));
    assert_eq!(all.scan.scanner, "sarif");
    for (runs, missing) in [(&three[..2], vec!["semgrep"]), (&three[..1], vec!["gosec", "semgrep"])] {
        let part = take(&system, of("main", runs));
        assert_eq!(part.report.missing, missing);
        assert_eq!((part.comparison.scan, part.issues.remediated), (Some(all.scan.id), 0));
        assert_eq!((part.issues.new, part.issues.common), (0, u64::try_from(runs.len()).unwrap()));
    }
}

#[test]
fn a_part_is_dropped_once_its_absence_was_accepted() {
    let system = System::new();
    let both = take(&system, of("main", BOTH));
    let branch = take(&system, of("feature", PYTHON));
    assert!(!branch.report.complete);
    let accepted = take(&system, of("main", PYTHON).with("accept_missing", "true"));
    assert_eq!((accepted.verdict, accepted.report.complete), (Verdict::Pass, true));
    assert_eq!(
        (accepted.comparison.scan, accepted.issues.remediated),
        (Some(both.scan.id), 2),
        "and its findings are remediated"
    );
    let next = take(&system, of("main", PYTHON));
    assert_eq!((next.report.complete, next.comparison.scan), (true, Some(accepted.scan.id)));
    assert!(take(&system, of("feature", PYTHON)).report.complete, "branches follow");
}

#[test]
fn a_report_without_categories_is_complete() {
    let system = System::new();
    take(&system, of("main", BOTH));
    let bare = take(&system, of("main", &[("CodeQL", "", 1)]));
    assert!(bare.report.complete && bare.report.missing.is_empty());
}

#[test]
fn a_failed_run_remediates_nothing_and_is_not_a_baseline() {
    let system = System::new();
    let mut failed: Value = serde_json::from_slice(&sarif(PYTHON)).unwrap();
    failed["runs"][0]["invocations"] = json!([{"executionSuccessful": false}]);
    let failed = failed.to_string();
    take(&system, upload_of("sarif", "notes", "main", failed.as_bytes()));
    let feature = take(&system, of("feature", PYTHON));
    assert_eq!(feature.comparison.with, "baseline_incomplete");
    take(&system, of("main", &[("CodeQL", "python", 9)]));
    let failed = take(&system, upload_of("sarif", "notes", "main", failed.as_bytes()));
    assert_eq!((failed.verdict, failed.issues.remediated, failed.report.complete), (Verdict::Undecided, 0, false));
    assert_eq!(take(&system, of("feature", PYTHON)).issues.remediated, 6, "against the complete one");
}

#[test]
fn a_scan_with_as_many_rejected_results_as_allowed_is_complete() {
    let system = System::new();
    let mut report: Value = serde_json::from_slice(FEATURE).unwrap();
    report["results"].as_array_mut().unwrap().push(json!({"test_id": 5}));
    let damaged = report.to_string();
    let damaged = || take(&system, upload("main", damaged.as_bytes()));
    let first = damaged();
    assert_eq!((first.verdict, first.report.complete, first.report.rejected_total), (Verdict::Undecided, false, 1));
    assert_eq!(first.reasons, ["1 of the report's 10 results could not be read, so the scan is incomplete."]);
    system.settings(SettingsBody { rejected_allowed: Some(1), ..SettingsBody::default() });
    let allowed = damaged();
    assert_eq!((allowed.verdict, allowed.report.complete, allowed.report.rejected.len()), (Verdict::Pass, true, 1));
    assert_eq!(allowed.comparison.with, "none", "the incomplete one is not a reference scan");
    let fewer = take(&system, upload("main", MAIN));
    assert_eq!((fewer.comparison.scan, fewer.issues.remediated), (Some(allowed.scan.id), 3));
}
