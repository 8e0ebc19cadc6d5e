//! Requests to change the settings that can loosen the gate, over the jobs of the components.

use crate::pipeline::MAIN;
use crate::pipeline::wiring::{System, token_body, upload};
use api::Problem;
use api::problem::Code;
use api::v1::{CriteriaBody, ProjectAnswer, SettingsBody, SettingsDecisionBody, SettingsRequestItem, TokenBody};
use domain::change_decision::ChangeDecision;
use domain::ids::EventId;
use domain::verdict::Verdict;
use futures::executor::block_on;
use serde_json::{Value, json};

/// A system in which critical issues fail every upload.
fn strict() -> System {
    let system = System::new();
    let criteria = CriteriaBody { fail_on_severity: Some("critical".to_owned()), ..CriteriaBody::default() };
    system.settings(SettingsBody {
        criteria: Some(criteria),
        rejected_allowed: Some(3),
        self_approval: Some(true),
        ..SettingsBody::default()
    });
    system
}

fn request(system: &System, token: &str, settings: &Value, reason: &str) -> Result<SettingsRequestItem, Problem> {
    let body = serde_json::from_value(json!({"settings": settings, "reason": reason})).unwrap();
    block_on(system.project_job(system.who(token)).request_settings(body, None))
}

fn decide(
    system: &System,
    token: &str,
    decision: ChangeDecision,
    request: EventId,
    version: Option<u64>,
) -> Result<ProjectAnswer, Problem> {
    let body = SettingsDecisionBody { request, comment: "agreed".to_owned() };
    block_on(system.project_job(system.who(token)).decide_settings(decision, body, version))
}

fn pending(system: &System, token: &str) -> Result<SettingsRequestItem, Problem> {
    block_on(system.project_job(system.who(token)).settings_request())
}

fn patch(system: &System, token: &str, body: &Value) -> Result<ProjectAnswer, Problem> {
    block_on(system.project_job(system.who(token)).patch_project(body.to_string().as_bytes(), None))
}

#[test]
fn a_gate_is_loosened_by_two_people() {
    let system = strict();
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    let verdict = || system.upload(upload("main", MAIN)).unwrap().verdict;
    assert_eq!(verdict(), Verdict::Fail);
    assert_eq!(pending(&system, &developer).unwrap_err().code, Code::NotFound);
    let item = request(&system, &developer, &json!({"criteria": null}), "the release waits").unwrap();
    assert_eq!((item.requested_by.as_str(), item.reason.as_str(), item.outdated), ("dev", "the release waits", false));
    let change = (item.changes[0].name(), item.changes[0].now.as_deref(), item.changes[0].then.as_deref());
    assert_eq!((item.changes.len(), change), (1, ("criteria: fail_on_severity".to_owned(), Some("critical"), None)));
    assert_eq!(verdict(), Verdict::Fail, "a request changes nothing");
    assert_eq!(pending(&system, &reviewer).unwrap(), item);
    assert!(system.overview(1).settings_requested);
    let second = request(&system, &reviewer, &json!({"tool_suppressions": "honoured"}), "x").unwrap_err();
    assert!(second.code == Code::Conflict && second.detail.contains("pending request by `dev`"), "{second}");
    // A reviewer's token of the same person, although people may approve their own exemptions here.
    let other_spelling = TokenBody { subject: Some("D\u{415}V".to_owned()), ..token_body("dev-sec", "secops") };
    let same_person = system.issue(Some("shop"), other_spelling).unwrap().token.unwrap();
    for decision in [ChangeDecision::Approve, ChangeDecision::Reject] {
        let own = decide(&system, &same_person, decision, item.request, None).unwrap_err();
        assert!(own.code == Code::Conflict && own.detail.contains("requested the change and cannot"), "{own}");
    }
    let foreign = decide(&system, &reviewer, ChangeDecision::Withdraw, item.request, None).unwrap_err();
    assert!(foreign.detail.contains("only the requester can withdraw it"), "{foreign}");
    let answer = decide(&system, &reviewer, ChangeDecision::Approve, item.request, None).unwrap();
    assert_eq!((answer.settings.criteria, answer.settings.rejected_allowed), (None, Some(3)));
    assert_eq!((answer.changed_by.as_deref(), answer.settings_request), (Some("sec"), None));
    assert!(!system.overview(1).settings_requested);
    assert_eq!(verdict(), Verdict::Pass);
    let late = decide(&system, &reviewer, ChangeDecision::Reject, item.request, None).unwrap_err();
    assert!(late.detail.contains("somebody has decided it"), "{late}");
}

#[test]
fn an_outdated_request_is_refused_and_replaced() {
    let system = strict();
    let (developer, reviewer) = (system.token("dev", "developer"), system.token("sec", "secops"));
    let item = request(&system, &developer, &json!({"criteria": null}), "x").unwrap();
    patch(&system, &reviewer, &json!({"target_criteria": {"web": {"fail_on_new": "low"}}})).unwrap();
    assert!(pending(&system, &developer).unwrap().outdated);
    let refused = decide(&system, &reviewer, ChangeDecision::Approve, item.request, None).unwrap_err();
    assert!(refused.detail.contains("the settings have changed since the request"), "{refused}");
    let next = request(&system, &developer, &json!({"criteria": null}), "x").unwrap();
    assert_ne!(next.request, item.request);
    let version = block_on(system.project_job(system.who(&reviewer)).project()).unwrap().version;
    let stale = decide(&system, &reviewer, ChangeDecision::Approve, next.request, Some(version - 1)).unwrap_err();
    assert_eq!(stale.code, Code::ChangedMeanwhile, "{stale}");
    decide(&system, &developer, ChangeDecision::Withdraw, next.request, None).unwrap();
    assert_eq!(pending(&system, &developer).unwrap_err().code, Code::NotFound);
    let last = request(&system, &developer, &json!({"criteria": null}), "x").unwrap();
    let answer = decide(&system, &reviewer, ChangeDecision::Reject, last.request, Some(version)).unwrap();
    assert!(answer.settings.criteria.is_some() && answer.version == version, "a rejection changes nothing");
}

#[test]
fn a_request_needs_a_reason_and_something_to_change() {
    let system = strict();
    let developer = system.token("dev", "developer");
    let refused = |settings: &Value, reason: &str| request(&system, &developer, settings, reason).unwrap_err();
    let same = json!({"criteria": {"fail_on_severity": "critical"}});
    for (settings, reason, code, part) in [
        (json!({"criteria": null}), " ", Code::InvalidBody, "field `reason`: expected the reason"),
        (json!({"criteria": null}), &"x".repeat(1025), Code::InvalidBody, "at most 1024 characters"),
        (json!({}), "x", Code::InvalidBody, "expected at least one of `tool_suppressions`, `criteria` and"),
        (json!({"tool_suppressions": "some"}), "x", Code::InvalidBody, "`some` is not a value of `tool_suppressions`"),
        (json!({"target_criteria": {"(": {}}}), "x", Code::InvalidBody, "field `target_criteria.(`"),
        (same, "x", Code::Conflict, "nothing would change"),
    ] {
        let problem = refused(&settings, reason);
        assert!(problem.code == code && problem.detail.contains(part), "{part}: {problem}");
    }
    assert_eq!(pending(&system, &developer).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_reviewer_changes_these_settings_and_no_others() {
    let system = strict();
    let reviewer = system.token("sec", "secops");
    let own =
        json!({"tool_suppressions": "honoured", "criteria": null, "target_criteria": {"web": {"fail_on_new": "low"}}});
    let changed = patch(&system, &reviewer, &own).unwrap();
    assert_eq!((changed.settings.criteria, changed.settings.target_criteria.len()), (None, 1));
    assert_eq!((changed.settings.self_approval, changed.changed_by.as_deref()), (Some(true), Some("sec")));
    for other in [json!({"self_approval": false}), json!({"criteria": null, "missing_baseline": "nothing_is_new"})] {
        let problem = patch(&system, &reviewer, &other).unwrap_err();
        assert_eq!(problem.code, Code::Forbidden, "{other}");
        assert!(problem.detail.contains("`tool_suppressions`, `criteria` and `target_criteria` only"), "{problem}");
    }
    let body = TokenBody { targets: Some(vec!["notes".to_owned()]), ..token_body("some", "secops") };
    let some_targets = system.issue(Some("shop"), body).unwrap().token.unwrap();
    let problem = patch(&system, &some_targets, &json!({"criteria": null})).unwrap_err();
    assert!(problem.code == Code::Forbidden && problem.detail.contains("some targets only"), "{problem}");
    let criteria = json!({"criteria": {"fail_on_severity": "low"}});
    assert_eq!(request(&system, &some_targets, &criteria, "x").unwrap_err().code, Code::Forbidden);
    let item = request(&system, &system.token("dev", "developer"), &criteria, "x").unwrap();
    for decision in ChangeDecision::ALL {
        let problem = decide(&system, &some_targets, decision, item.request, None).unwrap_err();
        assert_eq!(problem.code, Code::Forbidden, "{decision}");
    }
}
