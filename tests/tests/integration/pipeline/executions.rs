//! The run of a pipeline: its scans, those that count, and their issues as one list.

use crate::pipeline::wiring::{ADMIN, System, Upload, token_body, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::page::{Wanted, wanted};
use api::problem::Code;
use api::query::Query;
use api::v1::{CriteriaBody, Execution, ExecutionIssue, SettingsBody, TokenBody};
use domain::listing;
use domain::verdict::Verdict;
use futures::executor::block_on;
use results::execution::{ExecutionFilter, Run};
use serde_json::json;

/// SARIF of another tool with one result.
fn other() -> Vec<u8> {
    json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Other"}}, "results": [
        {"ruleId": "R1", "level": "error", "message": {"text": "wrong"}, "locations": [{"physicalLocation":
            {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}]}]}]})
    .to_string()
    .into_bytes()
}

fn by_other() -> Upload {
    upload_of("sarif", "notes", "feature", &other())
}

fn in_run(upload: Upload) -> Upload {
    upload.with("pipeline", "build").with("execution", "7")
}

fn take(system: &System, upload: Upload) {
    system.upload(in_run(upload)).unwrap();
}

fn run_of(system: &System) -> Execution {
    system.execution_for(ADMIN, "build", "7").unwrap()
}

fn all(system: &System, filter: &ExecutionFilter, limit: usize) -> Vec<ExecutionIssue> {
    let run = Run { pipeline: "build".parse().unwrap(), execution: "7".parse().unwrap() };
    let (mut from, mut items) = (None, Vec::new());
    loop {
        let page = block_on(system.results_for(ADMIN).execution_issues(&run, filter, Wanted { limit, from })).unwrap();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        let Some(cursor) = page.next else { return items };
        let mut query = Query::parse(&format!("cursor={cursor}")).unwrap();
        from = wanted(&mut query, "execution-issues").unwrap().from;
    }
}

#[test]
fn the_scans_of_a_run_are_combined() {
    let system = System::new();
    take(&system, upload("feature", FEATURE).fail_on("critical"));
    take(&system, by_other());
    system.upload(upload("feature", MAIN).with("pipeline", "build").with("execution", "8")).unwrap();
    system.upload(upload("feature", MAIN).with("pipeline", "build")).unwrap();
    let run = run_of(&system);
    assert_eq!((run.pipeline.as_str(), run.execution.as_str(), run.verdict), ("build", "7", Verdict::Fail));
    let tools: Vec<_> = run.scans.iter().map(|item| item.answer.scan.scanner.as_str()).collect();
    assert_eq!((tools, run.superseded.len()), (vec!["bandit", "other"], 0));
    let [one, two] = [&run.scans[0].answer, &run.scans[1].answer];
    assert_eq!((run.issues.new, run.occurrences.new), (6, one.occurrences.new + two.occurrences.new));
    assert_eq!((run.variables["TOTAL"].as_str(), run.report_results), ("6", one.report.results + two.report.results));
    assert_eq!((run.reasons.len(), run.reasons[0].scan, &run.reasons[0].reason), (1, one.scan.id, &one.reasons[0]));
    assert_eq!((run.reasons[0].target.as_str(), run.reasons[0].scanner.as_str()), ("notes", "bandit"));
}

#[test]
fn of_a_repeated_step_only_the_newest_scan_counts() {
    let system = System::new();
    take(&system, upload("feature", FEATURE).fail_on("critical").with("attempt", "1"));
    take(&system, by_other());
    take(&system, upload("feature", FEATURE).with("attempt", "2"));
    let run = run_of(&system);
    assert_eq!((run.verdict, run.scans.len(), run.superseded.len()), (Verdict::Pass, 2, 1));
    assert_eq!(run.superseded[0].answer.verdict, Verdict::Fail);
    assert_eq!((run.issues.new, run.issues.common), (6, 0));
    take(&system, upload("main", FEATURE).fail_on("critical"));
    let run = run_of(&system);
    assert_eq!((run.verdict, run.scans.len()), (Verdict::Fail, 3), "another variant is another step");
}

#[test]
fn a_clean_report_does_not_turn_a_failed_step_into_a_passed_one() {
    let system = System::new();
    take(&system, upload("feature", FEATURE).fail_on("critical"));
    take(&system, upload("feature", MAIN));
    let run = run_of(&system);
    assert_eq!((run.verdict, run.scans.len(), run.superseded.len()), (Verdict::Fail, 1, 1));
    assert_eq!(run.superseded[0].answer.verdict, Verdict::Pass, "the run keeps both");
}

#[test]
fn a_scan_without_an_attempt_or_a_late_one_of_an_earlier_attempt_replaces_no_failed_one() {
    let failed = |attempt: &str| upload("feature", FEATURE).fail_on("critical").with("attempt", attempt);
    let clean = || upload("feature", MAIN);
    let cases = [
        (vec![failed("1"), clean()], Verdict::Fail),
        (vec![clean().with("attempt", "1"), failed("2"), clean().with("attempt", "1")], Verdict::Fail),
        (vec![failed("1"), clean().with("attempt", "2")], Verdict::Pass),
    ];
    for (at, (uploads, expected)) in cases.into_iter().enumerate() {
        let (system, count) = (System::new(), uploads.len());
        uploads.into_iter().for_each(|upload| take(&system, upload));
        let run = run_of(&system);
        assert_eq!((run.verdict, run.scans.len(), run.superseded.len()), (expected, 1, count - 1), "case {at}");
    }
}

#[test]
fn a_required_scanner_has_to_report_for_each_variant() {
    let system = System::new();
    let required = CriteriaBody { required_scanners: vec!["other".to_owned()], ..CriteriaBody::default() };
    system.settings(SettingsBody { criteria: Some(required), ..SettingsBody::default() });
    take(&system, upload("feature", MAIN));
    take(&system, upload_of("sarif", "notes", "made-up", &other()));
    let run = run_of(&system);
    let missing: Vec<_> =
        run.missing_scanners.iter().map(|missing| (missing.variant.as_str(), missing.scanner.as_str())).collect();
    assert_eq!((run.verdict, missing), (Verdict::Undecided, vec![("feature", "other")]));
    take(&system, by_other());
    assert!(run_of(&system).missing_scanners.is_empty());
}

#[test]
fn a_run_is_undecided_until_the_required_scanners_have_reported() {
    let system = System::new();
    let required =
        CriteriaBody { required_scanners: vec!["bandit".to_owned(), "other".to_owned()], ..CriteriaBody::default() };
    system.settings(SettingsBody { criteria: Some(required), ..SettingsBody::default() });
    take(&system, upload("feature", MAIN));
    let run = run_of(&system);
    assert_eq!((run.verdict, run.missing_scanners.len()), (Verdict::Undecided, 1));
    assert_eq!((run.missing_scanners[0].target.as_str(), run.missing_scanners[0].scanner.as_str()), ("notes", "other"));
    take(&system, by_other());
    let run = run_of(&system);
    assert_eq!((run.verdict, run.missing_scanners.len()), (Verdict::Pass, 0));
}

#[test]
fn a_retry_under_the_same_key_counts_once() {
    let system = System::new();
    let keyed = || in_run(upload("feature", FEATURE).key("k"));
    system.upload(keyed()).unwrap();
    system.upload(keyed()).unwrap();
    let context = system.context();
    let uploads = (0..4).map(|_| system.upload_with(&context, in_run(upload("main", MAIN).key("m"))));
    assert!(block_on(futures::future::join_all(uploads)).into_iter().all(|answer| answer.is_ok()));
    let run = run_of(&system);
    assert_eq!((run.scans.len(), run.superseded.len()), (2, 0));
}

#[test]
fn a_run_without_visible_scans_does_not_exist() {
    let system = System::new();
    let code = |run: Result<Execution, api::Problem>| run.unwrap_err().code;
    assert_eq!(code(system.execution_for(ADMIN, "build", "7")), Code::NotFound);
    take(&system, upload("feature", FEATURE).fail_on("critical"));
    let body = TokenBody { targets: Some(vec!["api".to_owned()]), ..token_body("some", "viewer") };
    let some = system.issue(Some("shop"), body).unwrap().token.unwrap();
    assert_eq!(code(system.execution_for(&some, "build", "7")), Code::NotFound);
    take(&system, upload_of("bandit", "api", "feature", MAIN));
    let visible = system.execution_for(&some, "build", "7").unwrap();
    assert_eq!(
        (visible.verdict, visible.scans.len(), visible.scans[0].answer.scan.target.name.as_str()),
        (Verdict::Pass, 1, "api")
    );
    assert_eq!(run_of(&system).scans.len(), 2);
    assert_eq!(code(system.execution_for(ADMIN, "bui", "ld7")), Code::NotFound);
}

#[test]
fn the_issues_of_all_scans_are_one_list_in_pages_of_any_size() {
    let system = System::new();
    system.upload(upload("main", FEATURE)).unwrap();
    take(&system, upload("feature", MAIN));
    take(&system, by_other());
    take(&system, upload_of("bandit", "api", "feature", FEATURE));
    let whole = all(&system, &ExecutionFilter::default(), 1000);
    let levels: Vec<_> = whole.iter().map(|item| (item.issue.bucket.as_str(), item.issue.severity.as_str())).collect();
    assert_eq!(whole.len(), 11);
    let gone = whole.iter().position(|item| item.issue.bucket.as_str() == "remediated").unwrap();
    assert!(whole[gone..].iter().all(|item| item.issue.bucket.as_str() == "remediated"), "{levels:?}");
    for part in [&whole[..gone], &whole[gone..]] {
        let level = |item: &ExecutionIssue| item.issue.severity.parse::<finding::severity::Severity>().unwrap();
        assert!(part.is_sorted_by(|a, b| level(b) <= level(a)), "{levels:?}");
    }
    for limit in [1, 2, 3, 10, 11] {
        assert_eq!(all(&system, &ExecutionFilter::default(), limit), whole, "{limit} a page");
    }
    let critical = ExecutionFilter {
        issues: listing::IssueFilter { severity: Some("critical".parse().unwrap()), ..listing::IssueFilter::default() },
        ..ExecutionFilter::default()
    };
    let critical = all(&system, &critical, 2);
    assert!(!critical.is_empty() && critical.iter().all(|item| item.issue.severity == "critical"));
    let of = |target: Option<&str>, scanner: Option<&str>, text: Option<&str>| {
        let issues =
            listing::IssueFilter { text: text.map(|text| text.parse().unwrap()), ..listing::IssueFilter::default() };
        let (target, scanner) = (target.map(|name| name.parse().unwrap()), scanner.map(|name| name.parse().unwrap()));
        all(&system, &ExecutionFilter { issues, target, scanner }, 2)
    };
    assert_eq!(of(Some("api"), None, None).len(), 5);
    assert_eq!(of(Some("notes"), Some("other"), None).len(), 1);
    assert_eq!(of(None, None, Some("R1")).len(), 1);
    assert!(of(Some("api"), Some("other"), None).is_empty() && of(None, None, Some("nowhere")).is_empty());
    let from: std::collections::BTreeSet<_> =
        whole.iter().map(|item| (item.target.as_str(), item.scanner.as_str())).collect();
    assert_eq!(from.into_iter().collect::<Vec<_>>(), [("api", "bandit"), ("notes", "bandit"), ("notes", "other")]);
}

#[test]
fn an_upload_between_two_pages_is_not_in_the_list() {
    let system = System::new();
    take(&system, upload("feature", FEATURE));
    let run = Run { pipeline: "build".parse().unwrap(), execution: "7".parse().unwrap() };
    let page = |from| {
        let wanted = Wanted { limit: 2, from };
        block_on(system.results_for(ADMIN).execution_issues(&run, &ExecutionFilter::default(), wanted)).unwrap()
    };
    let first = page(None);
    take(&system, upload("feature", MAIN));
    take(&system, by_other());
    let mut query = Query::parse(&format!("cursor={}", first.next.unwrap())).unwrap();
    let second = page(wanted(&mut query, "execution-issues").unwrap().from);
    let scan = first.items[0].scan;
    assert!(second.items.len() == 2 && second.items.iter().all(|item| item.scan == scan));
}
