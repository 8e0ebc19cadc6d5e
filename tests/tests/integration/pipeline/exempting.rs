//! Exemptions from the request to the verdict: their effect on the gate, returns to review, and previews.

use crate::pipeline::tracking::{EDITED, RUN, bandit};
use crate::pipeline::wiring::{System, token_body, upload, upload_of};
use crate::pipeline::{FEATURE, MAIN};
use api::problem::Code;
use api::v1::{
    BulkDecision, DecisionBody, ExemptionBody, ExemptionItem, OccurrenceItem, ScanAnswer, SettingsBody, TokenBody,
};
use domain::exemption::{Coverage, Decision, Scope, Status};
use domain::journal::JournalId;
use domain::outbox::{Notice, NoticeKind, Outbox, OutboxEvent};
use domain::time::Timestamp;
use domain::verdict::Verdict;
use exemptions::list::ExemptionFilter;
use exemptions::preview::PreviewQuery;
use futures::executor::block_on;
use std::collections::BTreeMap;
use store::journal;

const OTHER: &str = "os.popen(request.body).read()";

/// Uploads these results; fails on high.
fn scan(system: &System, variant: &str, results: &[(&str, u32, &str)]) -> (ScanAnswer, Vec<OccurrenceItem>) {
    let answer = system.upload(upload(variant, &bandit(results)).fail_on("high")).unwrap();
    let mut occurrences = system.all_occurrences(answer.scan.id);
    occurrences.sort_by_key(|occurrence| occurrence.result);
    (answer, occurrences)
}

/// A request for these occurrences.
fn chosen(system: &System, scan: &ScanAnswer, occurrences: &[&OccurrenceItem]) -> ExemptionBody {
    ExemptionBody {
        scope: "occurrences".to_owned(),
        target: None,
        scan: Some(scan.scan.id.to_string()),
        occurrences: occurrences.iter().map(|one| one.id.to_string()).collect(),
        ..system.exemption_of(occurrences[0].issue)
    }
}

fn granted(system: &System, body: ExemptionBody) -> ExemptionItem {
    let id = system.ask(body, "dev").unwrap().id;
    system.decide_with(&id, "approve", "sec", DecisionBody::default()).unwrap()
}

fn pending(system: &System) -> Vec<ExemptionItem> {
    system.exemptions(&ExemptionFilter { status: Some(Status::Pending), ..ExemptionFilter::default() })
}

#[test]
fn only_the_chosen_occurrences_are_exempted() {
    let system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), ("a.py", 90, OTHER)]);
    granted(&system, chosen(&system, &first, &[&old[0]]));
    let (partly, now) = scan(&system, "main", &[("a.py", 10, RUN), ("a.py", 90, OTHER)]);
    assert_eq!((partly.verdict, partly.issues.exempted, partly.occurrences.exempted), (Verdict::Fail, 0, 1));
    assert_eq!((partly.occurrences.common, partly.variables["TOTAL"].as_str()), (1, "1"));
    let issue = &system.all_issues(partly.scan.id)[0];
    let state = issue.exemption.as_ref().unwrap();
    assert_eq!((state.state, state.occurrences, issue.exempted), (Coverage::PartiallyExempted, 1, false));
    assert!(now[0].exemption.is_some() && now[1].exemption.is_none());

    granted(&system, chosen(&system, &first, &[&old[1]]));
    let (all, now) = scan(&system, "main", &[("a.py", 10, RUN), ("a.py", 90, OTHER)]);
    assert_eq!((all.verdict, all.issues.exempted, all.variables["IGNORED"].as_str()), (Verdict::Pass, 1, "1"));
    assert!(system.all_issues(all.scan.id)[0].exempted && now.iter().all(|one| one.exemption.is_some()));
    let then = &system.all_issues(partly.scan.id)[0];
    assert_eq!(
        then.exemption.as_ref().unwrap().state,
        Coverage::PartiallyExempted,
        "a scan keeps the state of its time"
    );
    assert_eq!(then.exemption_now.as_ref().unwrap().state, Coverage::Exempted, "beside the current one");
}

#[test]
fn an_exemption_survives_moved_lines_and_a_renamed_file_but_not_a_copy() {
    let system = System::new();
    let lines = [("a.py", 10, RUN), ("a.py", 40, "eval(one)"), ("a.py", 70, "eval(two)"), ("a.py", 90, "eval(three)")];
    let (first, old) = scan(&system, "main", &lines);
    granted(&system, chosen(&system, &first, &old.iter().collect::<Vec<_>>()));
    let moved: Vec<_> = lines.iter().map(|(path, line, code)| (*path, line + 7, *code)).collect();
    let renamed: Vec<_> = lines.iter().map(|(_, line, code)| ("lib/b.py", line + 9, *code)).collect();
    for (what, lines) in [("moved", &moved), ("renamed", &renamed), ("moved on", &renamed)] {
        let (answer, _) = scan(&system, "main", lines);
        assert_eq!((answer.verdict, answer.issues.exempted), (Verdict::Pass, 1), "{what}");
    }
    let (copied, now) = scan(&system, "main", &[&renamed[..], &[("c.py", 5, RUN)]].concat());
    assert_eq!((copied.verdict, copied.occurrences.exempted, copied.occurrences.new), (Verdict::Fail, 4, 1));
    assert!(now[4].exemption.is_none() && pending(&system).is_empty());
}

#[test]
fn an_edited_occurrence_counts_and_returns_to_review_once() {
    let system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    system.set_baseline("main");
    let exemption = granted(&system, chosen(&system, &first, &[&old[0], &old[1]]));
    for round in 0..2 {
        let (branch, now) = scan(&system, "feature", &[("a.py", 10, EDITED), ("b.py", 5, OTHER)]);
        assert_eq!((now[0].id, branch.verdict, branch.occurrences.exempted), (old[0].id, Verdict::Fail, 1), "{round}");
        assert!(now[0].exemption.is_none() && now[1].exemption.is_some());
        let back = pending(&system);
        assert_eq!(back.len(), 1, "it is requested once");
        assert_eq!(back[0].returned_from.unwrap().to_string(), exemption.id);
        assert_eq!((back[0].requested_by.as_str(), &back[0].occurrences), ("dev", &vec![old[0].id]));
        assert_eq!(
            (back[0].text.as_str(), back[0].scan),
            ("not reachable", if round == 0 { branch.scan.id } else { back[0].scan })
        );
    }
    let back = pending(&system).remove(0);
    assert_eq!(
        system.decide(&back.id, "approve", "dev").unwrap_err().code,
        Code::Conflict,
        "it is still dev's request"
    );
    system.decide(&back.id, "approve", "sec").unwrap();
    let (branch, _) = scan(&system, "feature", &[("a.py", 12, EDITED), ("b.py", 5, OTHER)]);
    assert_eq!(branch.verdict, Verdict::Pass, "the branch has the approved code");
    let (merged, _) = scan(&system, "main", &[("a.py", 14, EDITED), ("b.py", 5, OTHER)]);
    assert_eq!(merged.verdict, Verdict::Pass, "and so does main after the merge");
    let (back_again, _) = scan(&system, "main", &[("a.py", 14, RUN), ("b.py", 5, OTHER)]);
    assert_eq!(back_again.verdict, Verdict::Pass, "and so does the old code, which was approved too");
    assert!(pending(&system).is_empty());
}

/// A report without code.
fn bare(results: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut report: serde_json::Value = serde_json::from_slice(&bandit(results)).unwrap();
    report["results"].as_array_mut().unwrap().iter_mut().for_each(|result| {
        result.as_object_mut().unwrap().remove("code");
    });
    report.to_string().into_bytes()
}

#[test]
fn without_code_an_exemption_applies_to_its_line_in_its_file_only() {
    let system = System::new();
    let upload = |results: &[(&str, u32, &str)]| system.upload(upload("main", &bare(results)).fail_on("high")).unwrap();
    let first = upload(&[("a.py", 10, RUN)]);
    let old = system.all_occurrences(first.scan.id);
    granted(&system, chosen(&system, &first, &[&old[0]]));
    assert_eq!(upload(&[("a.py", 10, RUN)]).verdict, Verdict::Pass);
    assert_eq!(upload(&[("b.py", 500, RUN)]).verdict, Verdict::Fail, "the same message in another file");
    assert_eq!(upload(&[("a.py", 10, RUN)]).verdict, Verdict::Pass);
    assert_eq!(upload(&[("a.py", 12, RUN)]).verdict, Verdict::Fail, "it may be another line");
}

#[test]
fn code_that_moved_to_another_file_returns_to_review() {
    let system = System::new();
    let stay = ("b.py", 1, OTHER);
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), stay, ("a.py", 90, "os.popen(request.name)")]);
    granted(&system, chosen(&system, &first, &[&old[0]]));
    let (moved, now) = scan(&system, "main", &[("b.py", 40, RUN), stay, ("a.py", 91, "os.popen(request.name)")]);
    assert_eq!((now[0].id, moved.occurrences.exempted), (old[0].id, 0));
    assert_eq!(pending(&system).len(), 1);
    // It matches with certainty from here on, but another form was approved.
    let (still, _) = scan(&system, "main", &[("b.py", 41, RUN), stay, ("a.py", 91, "os.popen(request.name)")]);
    assert_eq!((still.occurrences.exempted, pending(&system).len()), (0, 1));
}

#[test]
fn an_exemption_of_a_whole_issue_covers_future_occurrences_in_its_scope() {
    let mut system = System::new();
    let pipeline = |system: &System, target: &str, pipeline: &str| {
        let wanted = upload_of("bandit", target, "main", &bandit(&[("a.py", 1, RUN), ("z.py", 9, OTHER)]));
        system.upload(wanted.fail_on("high").with("pipeline", pipeline)).unwrap()
    };
    let first = pipeline(&system, "notes", "nightly");
    let issue = system.all_issues(first.scan.id)[0].id;
    let body = |scope: &str| ExemptionBody {
        scope: scope.to_owned(),
        scan: Some(first.scan.id.to_string()),
        target: None,
        ..system.exemption_of(issue)
    };
    let bodies = ["target", "pipeline", "project"].map(body);
    let expected = [
        ("target", [true, true, false, false]),
        ("pipeline", [true, false, true, false]),
        ("project", [true, true, true, true]),
    ];
    for (body, (scope, covered)) in bodies.into_iter().zip(expected) {
        let exemption = granted(&system, body);
        assert_eq!(exemption.scope.as_str(), scope);
        let places = [("notes", "nightly"), ("notes", "pr"), ("other", "nightly"), ("other", "pr")];
        let verdicts = places.map(|(target, name)| pipeline(&system, target, name).verdict == Verdict::Pass);
        assert_eq!(verdicts, covered, "{scope}");
        system.decide(&exemption.id, "cancel", "dev").unwrap();
    }
    system.switch("elsewhere");
    assert_eq!(pipeline(&system, "notes", "nightly").verdict, Verdict::Fail, "another project is not exempted");
}

#[test]
fn an_exemption_for_the_account_applies_in_every_project_until_its_project_revokes_it() {
    let mut system = System::new();
    let fail = |system: &System| system.upload(upload("main", MAIN).fail_on("critical")).unwrap();
    let first = fail(&system);
    let issue = system.issues(first.scan.id, "critical")[0].id;
    let body = |scope: &str| DecisionBody { scope: Some(scope.to_owned()), ..DecisionBody::default() };
    let id = system.ask(ExemptionBody { scope: "project".to_owned(), ..system.exemption_of(issue) }, "dev").unwrap().id;
    let granted = system.decide_with(&id, "approve", "sec", body("account")).unwrap();
    assert_eq!((granted.scope, granted.requested_scope), (Scope::Account, Some(Scope::Project)));
    system.switch("elsewhere");
    let elsewhere = fail(&system);
    assert_eq!((elsewhere.verdict, elsewhere.issues.exempted), (Verdict::Pass, 1));
    let issue = &system.issues(elsewhere.scan.id, "critical")[0];
    assert_eq!(issue.exemption_now.as_ref().unwrap().id.to_string(), id);
    assert!(system.exemptions(&ExemptionFilter::default()).is_empty(), "it belongs to another project");
    assert_eq!(system.decide(&id, "reject", "sec").unwrap_err().code, Code::NotFound);
    system.switch("shop");
    system.decide(&id, "reject", "sec").unwrap();
    system.switch("elsewhere");
    assert_eq!(fail(&system).verdict, Verdict::Fail);
    system.switch("shop");
    system.decide_with(&id, "approve", "sec", body("account")).unwrap();
    system.pass_days(7);
    system.switch("elsewhere");
    assert_eq!(fail(&system).verdict, Verdict::Fail, "its end applies elsewhere too");
}

#[test]
fn several_are_requested_and_decided_on_together_or_not_at_all() {
    let system = System::new();
    let first = system.upload(upload("feature", FEATURE).fail_on("critical")).unwrap();
    let issues = system.issues(first.scan.id, "critical");
    let bodies: Vec<_> = issues.iter().map(|issue| system.exemption_of(issue.id)).collect();
    let mut wrong = bodies.clone();
    wrong[1].reason = "because".to_owned();
    let refused = system.ask_many(wrong, "dev").unwrap_err();
    assert!(refused.detail.starts_with("number 2: field `reason`"), "{}", refused.detail);
    assert!(system.exemptions(&ExemptionFilter::default()).is_empty());
    let requested = system.ask_many(bodies, "dev").unwrap();
    assert_eq!(requested.len(), 2);
    let decide = |id: &str, decision: &str| BulkDecision {
        id: id.to_owned(),
        decision: decision.to_owned(),
        comment: format!("{decision} it"),
        ..BulkDecision::default()
    };
    let [one, two] = [requested[0].id.as_str(), requested[1].id.as_str()];
    system.decide(two, "cancel", "dev").unwrap();
    let both = vec![decide(one, "approve"), decide(two, "approve")];
    let refused = system.decide_many(both, "sec").unwrap_err();
    assert_eq!((refused.code, pending(&system).len()), (Code::Conflict, 1), "{}", refused.detail);
    assert!(refused.detail.contains("number 2: the exemption is cancelled"), "{}", refused.detail);
    let twice = vec![decide(one, "approve"), decide(one, "reject")];
    assert!(system.decide_many(twice, "sec").unwrap_err().detail.contains("appears twice"));
    let decided = system.decide_many(vec![decide(one, "approve")], "sec").unwrap();
    assert_eq!((decided[0].status, decided[0].comment.as_deref()), (Status::Approved, Some("approve it")));
}

#[test]
fn a_decision_on_another_version_is_refused_and_leaves_no_event() {
    let system = System::new();
    let first = system.upload(upload("feature", FEATURE).fail_on("critical")).unwrap();
    let seen = system.ask(system.exemption_of(system.issues(first.scan.id, "critical")[0].id), "dev").unwrap();
    system.decide(&seen.id, "reject", "sec").unwrap();
    let body = |version| DecisionBody { version: Some(version), ..DecisionBody::default() };
    let refused = system.decide_with(&seen.id, "approve", "kim", body(seen.version)).unwrap_err();
    assert_eq!(refused.code, Code::ChangedMeanwhile, "{}", refused.detail);
    assert!(refused.detail.contains("was rejected by `sec` at "), "{}", refused.detail);
    let now = &system.exemptions(&ExemptionFilter::default())[0];
    assert_eq!((now.status, now.version), (Status::Rejected, seen.version + 1));
    let approved = system.decide_with(&seen.id, "approve", "kim", body(now.version)).unwrap();
    assert_eq!((approved.status, approved.version), (Status::Approved, now.version + 1), "no event in between");
}

#[test]
fn a_preview_shows_the_changes_of_a_decision_before_it_is_made() {
    let system = System::new();
    let main = system.upload(upload("main", MAIN).fail_on("critical")).unwrap();
    let feature = system.upload(upload("feature", FEATURE).fail_on("critical")).unwrap();
    let issue = system.issues(main.scan.id, "critical")[0].id;
    let id = system.ask(system.exemption_of(issue), "dev").unwrap().id;
    let items = system.preview(&id, &PreviewQuery::default()).unwrap();
    let by_scan: BTreeMap<_, _> = items.iter().map(|item| (item.id, item)).collect();
    assert_eq!(by_scan.len(), 2, "the newest scan of each variant");
    let of_main = by_scan[&main.scan.id];
    assert_eq!((of_main.now.verdict, of_main.then.verdict), (Verdict::Fail, Verdict::Pass));
    let of_feature = by_scan[&feature.scan.id];
    assert_eq!((of_feature.now.verdict, of_feature.then.verdict), (Verdict::Fail, Verdict::Fail), "one is left");
    assert_eq!(
        (of_feature.now.variables["IGNORED"].as_str(), of_feature.then.variables["IGNORED"].as_str()),
        ("0", "1")
    );

    system.decide(&id, "approve", "sec").unwrap();
    let real = system.upload(upload("main", MAIN).fail_on("critical")).unwrap();
    assert_eq!((real.verdict, &real.variables), (of_main.then.verdict, &real.variables), "and so it was");
    let back = PreviewQuery { decision: Some(Decision::Reject), ..PreviewQuery::default() };
    let items = system.preview(&id, &back).unwrap();
    let again = items.iter().find(|item| item.id == real.scan.id).unwrap();
    assert_eq!((again.now.verdict, again.then.verdict), (Verdict::Pass, Verdict::Fail));
    let nonsense = PreviewQuery { decision: Some(Decision::Reopen), ..PreviewQuery::default() };
    assert!(system.preview(&id, &nonsense).is_err());
}

#[test]
fn unused_exemptions_are_listed_and_so_are_those_that_end_soon() {
    let system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    let used = granted(&system, chosen(&system, &first, &[&old[0]]));
    let unused = granted(&system, chosen(&system, &first, &[&old[1]]));
    let long = ExemptionBody { duration_days: Some(90), ..system.exemption_of(old[0].issue) };
    assert!(system.unused(1).is_empty(), "not before that many scans");
    for _ in 0..2 {
        scan(&system, "main", &[("a.py", 10, RUN)]);
    }
    let listed = |scans| system.unused(scans).into_iter().map(|one| one.exemption.id).collect::<Vec<_>>();
    assert_eq!((listed(2), listed(3)), (vec![unused.id.clone()], vec![]));
    let expiring = |days| {
        let filter = ExemptionFilter { expires_within_days: Some(days), ..ExemptionFilter::default() };
        system.exemptions(&filter).into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    system.pass_days(1);
    let later = granted(&system, long);
    assert_eq!((expiring(5).len(), expiring(90)), (0, vec![used.id, unused.id, later.id]), "the soonest first");
}

#[test]
fn a_projects_settings_limit_its_exemptions() {
    let system = System::new();
    let first = system.upload(upload("main", MAIN)).unwrap();
    let issue = system.issues(first.scan.id, "critical")[0].id;
    let days = |days| ExemptionBody { duration_days: Some(days), ..system.exemption_of(issue) };
    let unlimited = || ExemptionBody { duration_days: None, unlimited: true, ..system.exemption_of(issue) };
    assert!(system.ask(unlimited(), "dev").unwrap_err().detail.contains("unlimited_exemptions"));
    let long = system.ask(days(60), "dev").unwrap().id;
    system.settings(SettingsBody {
        exemption_days_max: BTreeMap::from([("critical".to_owned(), 30)]),
        unlimited_exemptions: Some(true),
        self_approval: Some(true),
        ..SettingsBody::default()
    });
    let refused = system.decide(&long, "approve", "sec").unwrap_err();
    assert!(refused.code == Code::Conflict && refused.detail.contains("at most 30 days"), "{}", refused.detail);
    assert!(system.ask(days(31), "dev").unwrap_err().detail.contains("at most 30 days"));
    assert!(system.ask(unlimited(), "dev").unwrap_err().detail.contains("no end"));
    system.decide(&long, "cancel", "dev").unwrap();
    let own = system.ask(days(30), "dev").unwrap().id;
    let approved = system.decide_with(&own, "approve", "dev", DecisionBody::default()).unwrap();
    assert!(approved.self_approved && approved.status == Status::Approved);
    system.settings(SettingsBody { unlimited_exemptions: Some(true), ..SettingsBody::default() });
    let endless = granted(&system, unlimited());
    assert!(endless.unlimited && endless.ends_at.is_none());
}

#[test]
fn all_chosen_occurrences_can_become_the_whole_issue() {
    let system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    let all = || ExemptionBody { future_occurrences: true, ..chosen(&system, &first, &[&old[0], &old[1]]) };
    let some = ExemptionBody { future_occurrences: true, ..chosen(&system, &first, &[&old[0]]) };
    assert!(system.ask(some, "dev").unwrap_err().detail.contains("1 of the issue's occurrences"));
    let one = granted(&system, chosen(&system, &first, &[&old[0]]));
    assert!(system.ask(all(), "dev").unwrap_err().detail.contains("withdraw that exemption first"));
    system.decide(&one.id, "cancel", "dev").unwrap();
    let whole = granted(&system, all());
    assert_eq!((whole.scope, whole.occurrences.len()), (Scope::Target, 0));
    let (more, _) = scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER), ("c.py", 1, "eval(more)")]);
    assert_eq!(more.verdict, Verdict::Pass, "future occurrences are covered");
}

#[test]
fn an_issue_can_only_be_exempted_where_it_occurs() {
    let mut system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN)]);
    let body = || chosen(&system, &first, &[&old[0]]);
    let detail = |body: ExemptionBody| system.ask(body, "dev").unwrap_err().detail;
    assert!(detail(ExemptionBody { occurrences: vec!["0".repeat(32)], ..body() }).contains("has no occurrence"));
    assert!(detail(ExemptionBody { scan: Some("0".repeat(32)), ..body() }).contains("no finished scan"));
    assert!(detail(ExemptionBody { issue: "0".repeat(32), ..body() }).contains("has no issue"));
    assert!(detail(ExemptionBody { target: Some("other".to_owned()), ..body() }).contains("is of target `notes`"));
    assert!(detail(ExemptionBody { scan: None, ..body() }).contains("name the `target`"));
    assert!(
        detail(ExemptionBody { scope: "account".to_owned(), occurrences: vec![], ..body() })
            .contains("cannot be requested")
    );
    assert!(detail(ExemptionBody { scope: "pipeline".to_owned(), occurrences: vec![], ..body() }).contains("has none"));
    assert!(detail(ExemptionBody { link: Some("javascript:alert(1)".to_owned()), ..body() }).contains("`https://`"));
    assert!(detail(ExemptionBody { until: Some("2026-01-01".to_owned()), ..body() }).contains("exactly one of"));
    let past = ExemptionBody { until: Some("2020-01-01".to_owned()), duration_days: None, ..body() };
    assert!(detail(past).contains("has passed"));
    let foreign = body();
    system.switch("elsewhere");
    assert!(system.ask(foreign, "dev").unwrap_err().detail.contains("no finished scan"), "another project's scan");
}

/// The outbox's notices, in order.
fn notices(system: &System) -> Vec<Notice> {
    let journal = JournalId::Outbox { project: "shop".parse().unwrap() };
    let loaded = block_on(journal::load::<Outbox>(&system.kv, &journal, Timestamp::from_ms(0))).unwrap();
    let mut events = block_on(journal::read_back::<OutboxEvent>(&system.kv, &journal, loaded.last, 1000)).unwrap();
    events.reverse();
    let mut all = Vec::new();
    for (n, entry) in events {
        let new = block_on(loaded.outcomes.of(&system.kv, &journal, n)).unwrap().unwrap().is_ok();
        match entry.event {
            OutboxEvent::Exemptions { notices, .. } | OutboxEvent::Ending { notices } if new => all.extend(notices),
            OutboxEvent::Exemptions { .. } | OutboxEvent::Ending { .. } => {}
        }
    }
    all
}

#[test]
fn each_request_and_decision_is_notified_once_and_so_are_near_ends() {
    let system = System::new();
    let (first, old) = scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    let long = ExemptionBody { duration_days: Some(30), ..chosen(&system, &first, &[&old[0]]) };
    let id = system.ask(long, "dev").unwrap().id;
    system.decide(&id, "reject", "sec").unwrap();
    assert!(system.decide(&id, "reject", "sec").is_err(), "a refused decision is not notified");
    system.decide(&id, "reopen", "dev").unwrap();
    system.decide(&id, "approve", "sec").unwrap();
    let kinds = || notices(&system).iter().map(|notice| (notice.kind, notice.by.to_string())).collect::<Vec<_>>();
    let own = |kind, by: &str| (kind, by.to_owned());
    let expected = vec![
        own(NoticeKind::Requested, "dev"),
        own(NoticeKind::Rejected, "sec"),
        own(NoticeKind::Reopened, "dev"),
        own(NoticeKind::Approved, "sec"),
    ];
    assert_eq!(kinds(), expected);
    let notice = notices(&system).remove(0);
    assert_eq!(
        (notice.exemption.to_string(), notice.scope, notice.severity.as_str()),
        (id, Scope::Occurrences, "critical")
    );
    assert_eq!(notice.comment.as_str(), "not reachable");

    scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    assert_eq!(kinds(), expected, "it does not end soon");
    system.pass_days(24);
    for _ in 0..2 {
        scan(&system, "main", &[("a.py", 10, RUN), ("b.py", 5, OTHER)]);
    }
    let ending = [&expected[..], &[own(NoticeKind::Ending, "dev")]].concat();
    assert_eq!(kinds(), ending, "once");
    scan(&system, "main", &[("a.py", 10, EDITED), ("b.py", 5, OTHER)]);
    assert_eq!(kinds().last().map(|(kind, _)| *kind), Some(NoticeKind::Returned));
}

#[test]
fn a_token_for_some_targets_sees_no_exemption_of_others() {
    let system = System::new();
    let first = system.upload(upload("main", MAIN)).unwrap();
    let elsewhere = system.upload(upload_of("bandit", "other", "main", MAIN)).unwrap();
    let issue = system.issues(first.scan.id, "critical")[0].id;
    let id = system.request_exemption(&system.issues(first.scan.id, "critical")[0]);
    let token = TokenBody { targets: Some(vec!["other".to_owned()]), ..token_body("narrow", "secops") };
    let caller = system.issued(token);
    assert!(system.exemptions_seen_by(&caller).is_empty());
    let decided = system.decide_as(&caller, &id, "approve");
    let nothing = "0".repeat(32);
    let unknown = system.decide_as(&caller, &nothing, "approve").unwrap_err();
    let decided = decided.unwrap_err();
    assert_eq!((decided.code, decided.detail), (unknown.code, unknown.detail.replace(&nothing, &id)));
    let ask = |body: ExemptionBody| system.ask_as(&caller, body).map_err(|problem| problem.detail);
    let of = |scan: &ScanAnswer, scope: &str| ExemptionBody {
        scope: scope.to_owned(),
        target: None,
        scan: Some(scan.scan.id.to_string()),
        ..system.exemption_of(issue)
    };
    let foreign = ask(of(&first, "target")).unwrap_err();
    assert!(foreign.contains("no finished scan"), "{foreign}");
    let named = ask(ExemptionBody { target: Some("other".to_owned()), ..of(&first, "target") }).unwrap_err();
    assert_eq!(named, foreign, "the answer does not reveal that it exists");
    assert!(ask(of(&elsewhere, "project")).unwrap_err().contains("some targets only"));
    assert!(ask(of(&elsewhere, "target")).is_ok());
}
