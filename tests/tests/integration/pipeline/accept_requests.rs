//! Accepting that a report lacks parts, and requests to accept a scan, over the jobs of the components.

use crate::pipeline::incomplete::{BOTH, PYTHON, of, sarif};
use crate::pipeline::wiring::{System, token_body, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::Problem;
use api::page::Wanted;
use api::problem::Code;
use api::v1::{AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem, ScanAnswer, TokenBody};
use domain::change_decision::ChangeDecision;
use domain::ids::ScanId;
use domain::verdict::Verdict;
use futures::executor::block_on;

const THREE: &[(&str, &str, u32)] = &[("CodeQL", "go", 2), ("CodeQL", "js", 1), ("CodeQL", "python", 3)];
const NO_GO: &[(&str, &str, u32)] = &[("CodeQL", "js", 1), ("CodeQL", "python", 3)];

fn take(system: &System, variant: &str, runs: &[(&str, &str, u32)]) -> ScanAnswer {
    system.upload(of(variant, runs)).unwrap()
}

fn state(answer: &ScanAnswer) -> (Verdict, bool) {
    (answer.verdict, answer.report.complete)
}

const UNDECIDED: (Verdict, bool) = (Verdict::Undecided, false);
const PASSED: (Verdict, bool) = (Verdict::Pass, true);

fn request(system: &System, scan: ScanId, token: &str, reason: &str) -> Result<AcceptRequestItem, Problem> {
    let body = AcceptRequestBody { reason: reason.to_owned() };
    block_on(system.context().request_accept(&system.who(token), &"shop".parse().unwrap(), scan, body))
}

fn decide(system: &System, scan: ScanId, token: &str, decision: ChangeDecision) -> Result<AcceptRequestItem, Problem> {
    let body = AcceptDecisionBody { comment: "no".to_owned() };
    block_on(system.context().decide_accept_request(&system.who(token), &"shop".parse().unwrap(), scan, decision, body))
}

fn pending(system: &System, token: &str) -> Vec<AcceptRequestItem> {
    let wanted = Wanted { limit: 100, from: None };
    block_on(system.project_job(system.who(token)).accept_requests(None, wanted)).unwrap().items
}

#[test]
fn a_part_is_dropped_by_two_people_and_missing_again_when_it_came_back() {
    let system = System::new();
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    let all = take(&system, "main", THREE);
    let lacks = take(&system, "main", NO_GO);
    assert_eq!((state(&lacks), lacks.report.missing.as_slice()), (UNDECIDED, ["codeql/go".to_owned()].as_slice()));
    assert!(lacks.reasons[0].contains("accept the scan"), "{:?}", lacks.reasons);
    let scan = lacks.scan.id;
    assert_eq!(system.accept(scan, &developer).unwrap_err().code, Code::Forbidden);
    let item = request(&system, scan, &developer, "go is in its own repository").unwrap();
    assert_eq!(
        (item.missing.as_slice(), item.new_issues, item.outdated),
        (["codeql/go".to_owned()].as_slice(), 0, false)
    );
    assert_eq!((item.requested_by.as_str(), item.target.as_str(), item.variant.as_str()), ("dev", "notes", "main"));
    assert_eq!(pending(&system, &reviewer), [item]);
    assert_eq!(system.overview(1).accept_requested.len(), 1);
    assert_eq!(state(&take(&system, "main", NO_GO)), UNDECIDED, "a request changes nothing");
    let twice = request(&system, scan, &reviewer, "x").unwrap_err();
    assert!(twice.code == Code::Conflict && twice.detail.contains("has a pending request by `dev`"), "{twice}");
    let other_spelling = TokenBody { subject: Some("D\u{415}V".to_owned()), ..token_body("dev-sec", "secops") };
    let same_person = system.issue(Some("shop"), other_spelling).unwrap().token.unwrap();
    let own = system.accept(scan, &same_person).unwrap_err();
    assert!(own.code == Code::Conflict && own.detail.contains("cannot approve it"), "{own}");
    assert_eq!(state(&take(&system, "main", NO_GO)), UNDECIDED, "a refused approval changes nothing");

    let accepted = system.accept(scan, &reviewer).unwrap();
    assert_eq!((accepted.accepted_by.as_str(), accepted.missing), ("sec", vec!["codeql/go".to_owned()]));
    assert_eq!((pending(&system, &reviewer).len(), system.overview(1).accept_requested.len()), (0, 0));
    assert_eq!(system.accept(scan, &reviewer).unwrap().comment, "known", "a second time it is the same decision");
    let third = take(&system, "main", PYTHON);
    assert_eq!((state(&third), third.report.missing.len()), (UNDECIDED, 2), "it lacks another part too");
    let next = take(&system, "main", NO_GO);
    assert_eq!(
        (state(&next), next.comparison.scan),
        (PASSED, Some(all.scan.id)),
        "the incomplete one is not the reference"
    );
    assert_eq!(next.issues.remediated, 2);
    let after = take(&system, "main", NO_GO);
    assert_eq!((state(&after), after.comparison.scan, after.issues.remediated), (PASSED, Some(next.scan.id), 0));
    assert_eq!(state(&take(&system, "feature", NO_GO)), PASSED, "branches follow");
    let third = take(&system, "main", PYTHON);
    assert_eq!((state(&third), third.report.missing.as_slice()), (UNDECIDED, ["codeql/js".to_owned()].as_slice()));

    assert_eq!(state(&take(&system, "main", THREE)), PASSED);
    let vanished = take(&system, "main", NO_GO);
    assert_eq!(
        (state(&vanished), vanished.report.missing.as_slice()),
        (UNDECIDED, ["codeql/go".to_owned()].as_slice())
    );
    system.accept(vanished.scan.id, &reviewer).unwrap();
    assert_eq!(state(&take(&system, "main", NO_GO)), PASSED);
}

#[test]
fn a_run_of_another_tool_is_dropped_and_missing_again_in_the_same_way() {
    let system = System::new();
    let reviewer = system.token("sec", "secops");
    let three = [("Bandit", "", 1), ("gosec", "", 1), ("Semgrep", "", 1)];
    for kept in [2, 1] {
        assert!(take(&system, "main", &three).report.complete);
        let lacks = take(&system, "main", &three[..kept]);
        assert_eq!(state(&lacks), UNDECIDED);
        system.accept(lacks.scan.id, &reviewer).unwrap();
        for _ in 0..3 {
            assert_eq!(state(&take(&system, "main", &three[..kept])), PASSED, "{kept} are left");
        }
        assert!(take(&system, "main", &three).report.complete);
        assert_eq!(state(&take(&system, "main", &three[..kept])), UNDECIDED, "{kept} are left, after all of them");
    }
}

#[test]
fn a_part_that_a_reviewer_dropped_by_an_upload_is_missing_again_too() {
    let system = System::new();
    take(&system, "main", BOTH);
    system.upload(of("main", PYTHON).with("accept_missing", "true")).unwrap();
    assert_eq!(state(&take(&system, "main", PYTHON)), PASSED);
    take(&system, "main", BOTH);
    assert_eq!(state(&take(&system, "main", PYTHON)), UNDECIDED);
}

#[test]
fn a_branch_that_lacks_a_part_of_its_baseline_can_be_accepted() {
    let system = System::new();
    let reviewer = system.token("sec", "secops");
    take(&system, "main", BOTH);
    let branch = take(&system, "feature", PYTHON);
    assert_eq!((state(&branch), branch.comparison.with.as_str()), (UNDECIDED, "baseline"));
    system.accept(branch.scan.id, &reviewer).unwrap();
    for _ in 0..2 {
        assert_eq!(state(&take(&system, "feature", PYTHON)), PASSED);
    }
    assert_eq!(state(&take(&system, "other", PYTHON)), UNDECIDED, "it is for this variant");
    assert_eq!(state(&take(&system, "main", PYTHON)), UNDECIDED);
}

#[test]
fn what_came_meanwhile_makes_a_request_outdated() {
    let system = System::new();
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    take(&system, "main", BOTH);
    let lacks = take(&system, "main", PYTHON).scan.id;
    request(&system, lacks, &developer, "x").unwrap();
    take(&system, "main", BOTH);
    assert!(pending(&system, &developer)[0].outdated);
    let refused = system.accept(lacks, &reviewer).unwrap_err();
    assert!(refused.code == Code::Conflict && refused.detail.contains("came after it, and is complete"), "{refused}");
    assert_eq!(state(&take(&system, "main", PYTHON)), UNDECIDED);
    let foreign = decide(&system, lacks, &reviewer, ChangeDecision::Withdraw).unwrap_err();
    assert!(foreign.detail.contains("only the requester can withdraw it"), "{foreign}");
    decide(&system, lacks, &reviewer, ChangeDecision::Reject).unwrap();
    assert!(pending(&system, &developer).is_empty());
    let late = decide(&system, lacks, &reviewer, ChangeDecision::Reject).unwrap_err();
    assert!(late.detail.contains("somebody has decided it"), "{late}");
    let again = request(&system, lacks, &developer, "x").unwrap_err();
    assert_eq!(again.code, Code::Conflict, "{again}");
}

#[test]
fn a_failed_scan_is_accepted_on_request() {
    let system = System::new();
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    let strict = |report: &[u8]| system.upload(upload("main", report).with("fail_on_new", "low")).unwrap();
    system.upload(upload("main", MAIN)).unwrap();
    let failed = strict(FEATURE);
    assert_eq!(failed.verdict, Verdict::Fail);
    let blank = request(&system, failed.scan.id, &developer, " ").unwrap_err();
    assert!(blank.code == Code::InvalidBody && blank.detail.contains("field `reason`"), "{blank}");
    let item = request(&system, failed.scan.id, &developer, "known").unwrap();
    assert_eq!((item.new_issues, item.new_occurrences, item.missing.len()), (3, 7, 0));
    decide(&system, failed.scan.id, &developer, ChangeDecision::Withdraw).unwrap();
    request(&system, failed.scan.id, &developer, "known").unwrap();
    system.accept(failed.scan.id, &reviewer).unwrap();
    assert_eq!((strict(FEATURE).verdict, pending(&system, &reviewer).len()), (Verdict::Pass, 0));
}

#[test]
fn a_scan_with_another_fault_or_without_one_cannot_be_requested() {
    let system = System::new();
    let developer = system.token("dev", "developer");
    take(&system, "main", BOTH);
    let mut failed: serde_json::Value = serde_json::from_slice(&sarif(PYTHON)).unwrap();
    failed["runs"][0]["invocations"] = serde_json::json!([{"executionSuccessful": false}]);
    let failed = system.upload(upload_of("sarif", "notes", "main", failed.to_string().as_bytes())).unwrap();
    assert_eq!(failed.report.missing.len(), 1);
    let refused = |scan| request(&system, scan, &developer, "x").unwrap_err();
    assert!(refused(failed.scan.id).detail.contains("is incomplete"), "it lacks a part and has an error");
    let passed = take(&system, "main", BOTH);
    assert!(refused(passed.scan.id).detail.contains("needs no decision"));
    let branch = take(&system, "feature", BOTH);
    assert!(refused(branch.scan.id).detail.contains("compared with the target's baseline"));
}
