//! An exemption applies to what was judged: its severity, its names and what was known of its exploitation. What is
//! worse counts and returns to review, once; elsewhere the exemption still applies.

use crate::pipeline::tracking::{EDITED, RUN, bandit};
use crate::pipeline::wiring::{System, Upload, upload, upload_of};
use api::internal::{AnyEvent, Append, Services as _};
use api::problem::Code;
use api::v1::{DecisionBody, ExemptionBody, ExemptionItem, ScanAnswer, SettingsBody};
use domain::exemption::{
    Coverage, EpssBand, ExemptibleOccurrence, ExemptionEvent, ExemptionRequest, Reach, Reason, Reviewed, Scope,
    SourceScan, Status, Term,
};
use domain::ids::{EventId, ExemptionId, IssueId};
use domain::verdict::Verdict;
use domain::version::Versions;
use exemptions::list::ExemptionFilter;
use exemptions::preview::PreviewQuery;
use futures::executor::block_on;
use serde_json::{Value, json};
use store::judging::OccurrenceReader;

/// A vulnerability of a package with these names.
fn vulnerability(severity: &str, names: &[&str]) -> Value {
    json!({"title": "Outdated jinja2", "description": "It is old.", "severity": severity, "vulnerability_ids": names,
        "component_name": "jinja2", "component_version": "2.11.2", "file_path": "requirements.txt"})
}

fn report(findings: &[Value]) -> Vec<u8> {
    json!({"findings": findings, "static_tool": true}).to_string().into_bytes()
}

/// An upload of these findings that fails on low.
fn findings(target: &str, variant: &str, findings: &[Value]) -> Upload {
    upload_of("generic", target, variant, &report(findings)).fail_on("low")
}

fn scan(system: &System, variant: &str, finding: Value) -> ScanAnswer {
    system.upload(findings("notes", variant, &[finding])).unwrap()
}

/// Approves an exemption of the first issue of a scan at this scope.
fn exempt(system: &System, scan: &ScanAnswer, scope: &str) -> ExemptionItem {
    let issue = system.all_issues(scan.scan.id)[0].id;
    let body = ExemptionBody {
        scope: scope.to_owned(),
        scan: Some(scan.scan.id.to_string()),
        target: None,
        ..system.exemption_of(issue)
    };
    let id = system.ask(body, "dev").unwrap().id;
    system.decide_with(&id, "approve", "sec", DecisionBody::default()).unwrap()
}

fn pending(system: &System) -> Vec<ExemptionItem> {
    system.exemptions(&ExemptionFilter { status: Some(Status::Pending), ..ExemptionFilter::default() })
}

const CVE: &str = "CVE-2026-1001";

#[test]
fn a_low_issue_that_becomes_critical_counts_and_returns_to_review_once() {
    let system = System::new();
    let low = || vulnerability("Low", &[CVE]);
    let critical = || vulnerability("Critical", &[CVE]);
    let first = scan(&system, "main", low());
    let approved = exempt(&system, &first, "target");
    assert_eq!((approved.severity.as_str(), approved.epss), ("low", Some(EpssBand::Unlikely)));
    assert_eq!(scan(&system, "main", low()).verdict, Verdict::Pass);
    for round in 0..2 {
        let worse = scan(&system, "feature", critical());
        assert_eq!((worse.verdict, worse.issues.exempted), (Verdict::Fail, 0), "{round}");
        let back = pending(&system);
        assert_eq!(back.len(), 1, "it is requested once");
        let back = &back[0];
        assert_eq!(back.returned_from.unwrap().to_string(), approved.id);
        assert_eq!(
            (back.severity.as_str(), back.scope, back.requested_by.as_str()),
            ("critical", Scope::Target, "dev")
        );
        assert_eq!(back.returned_because.as_deref(), Some("It was low when it was approved and is critical now."));
    }
    let state = |answer: &ScanAnswer| system.all_issues(answer.scan.id)[0].exemption.clone().map(|held| held.state);
    let again = scan(&system, "feature", critical());
    assert_eq!(state(&again), Some(Coverage::Pending), "the page of the issue says that a decision is open");
    let main = scan(&system, "main", low());
    assert_eq!((main.verdict, state(&main)), (Verdict::Pass, Some(Coverage::Exempted)), "another branch is untouched");

    let back = pending(&system).remove(0);
    assert_eq!(system.decide(&back.id, "approve", "dev").unwrap_err().code, Code::Conflict, "it is dev's request");
    system.decide(&back.id, "approve", "sec").unwrap();
    assert_eq!(scan(&system, "feature", critical()).verdict, Verdict::Pass);
    assert_eq!(scan(&system, "main", low()).verdict, Verdict::Pass, "what was judged before still is");
    assert!(pending(&system).is_empty());
}

#[test]
fn an_approval_is_for_what_the_reviewer_saw() {
    let system = System::new();
    let first = scan(&system, "main", vulnerability("Low", &[CVE]));
    let critical = vulnerability("Critical", &[CVE, "CVE-2026-2002"]);
    let ask = |target: &str| {
        let body = system.exemption_of(system.all_issues(first.scan.id)[0].id);
        let scan = Some(first.scan.id.to_string());
        system.ask(ExemptionBody { scope: target.to_owned(), scan, target: None, ..body }, "dev").unwrap().id
    };
    let (blind, seen) = (ask("target"), ask("project"));
    let later = scan(&system, "main", critical.clone());
    system.decide(&blind, "approve", "sec").unwrap();
    assert_eq!(scan(&system, "main", critical.clone()).verdict, Verdict::Fail, "the request was for a low one");
    let with = |scan: &ScanAnswer| DecisionBody { scan: Some(scan.scan.id.to_string()), ..DecisionBody::default() };
    assert_eq!(system.decide_with(&seen, "reject", "sec", with(&later)).unwrap_err().code, Code::InvalidBody);
    let approved = system.decide_with(&seen, "approve", "sec", with(&later)).unwrap();
    assert_eq!((approved.severity.as_str(), approved.approved_severity.as_deref()), ("low", Some("critical")));
    assert_eq!(approved.names.len(), 2);
    assert_eq!(scan(&system, "main", critical).verdict, Verdict::Pass);
}

#[test]
fn the_project_says_how_far_a_severity_may_rise() {
    let system = System::new();
    let first = scan(&system, "main", vulnerability("Low", &[CVE]));
    exempt(&system, &first, "target");
    let allow = |levels| {
        system.settings(SettingsBody { severity_rise_allowed: Some(levels), ..SettingsBody::default() });
    };
    for (levels, severity, expected) in [
        (0, "Medium", Verdict::Fail),
        (1, "Medium", Verdict::Pass),
        (1, "High", Verdict::Fail),
        (2, "High", Verdict::Pass),
        (5, "Critical", Verdict::Pass),
    ] {
        allow(levels);
        let answer = scan(&system, "main", vulnerability(severity, &[CVE]));
        assert_eq!(answer.verdict, expected, "{severity} with {levels}");
    }
}

#[test]
fn a_vulnerability_that_is_united_with_another_counts_and_returns_to_review() {
    let system = System::new();
    let first = scan(&system, "main", vulnerability("Low", &[CVE, "GHSA-aaaa-bbbb-cccc"]));
    let approved = exempt(&system, &first, "project");
    assert_eq!(approved.names.len(), 2);
    let fewer = scan(&system, "main", vulnerability("Low", &[CVE]));
    assert_eq!(fewer.verdict, Verdict::Pass, "a name fewer is no other vulnerability");
    let united = vulnerability("Low", &["CVE-2026-2002", CVE, "GHSA-aaaa-bbbb-cccc"]);
    let answer = scan(&system, "feature", united.clone());
    assert_eq!((answer.verdict, answer.issues.exempted), (Verdict::Fail, 0));
    let back = pending(&system);
    assert_eq!(back.len(), 1);
    let because = back[0].returned_because.as_deref();
    assert_eq!(because, Some("It goes under names now that were not judged: CVE-2026-2002."));
    // The other one alone, under the id of the first, which the variant's own scan before gave to both.
    let alone = scan(&system, "feature", vulnerability("Low", &["CVE-2026-2002"]));
    assert_eq!(alone.verdict, Verdict::Fail);

    system.decide(&back[0].id, "approve", "sec").unwrap();
    assert_eq!(scan(&system, "feature", united).verdict, Verdict::Pass);
    let elsewhere = vulnerability("Low", &["CVE-2026-2002"]);
    let elsewhere = system.upload(findings("other", "main", &[elsewhere])).unwrap();
    assert_eq!(elsewhere.verdict, Verdict::Fail, "only the two together were approved");
}

#[test]
fn a_vulnerability_that_becomes_known_as_exploited_counts_and_returns_to_review() {
    let system = System::new();
    let with = |fields: Value| {
        let mut finding = vulnerability("High", &[CVE]);
        finding.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        finding
    };
    let first = scan(&system, "main", with(json!({"epss_score": 0.02})));
    exempt(&system, &first, "target");
    assert_eq!(scan(&system, "main", with(json!({"epss_score": 0.09}))).verdict, Verdict::Pass, "it changes daily");
    assert_eq!(scan(&system, "main", with(json!({"epss_score": 0.7}))).verdict, Verdict::Fail);
    system.settings(SettingsBody { severity_rise_allowed: Some(5), ..SettingsBody::default() });
    assert_eq!(scan(&system, "main", with(json!({"epss_score": 0.7}))).verdict, Verdict::Pass);
    let exploited = with(json!({"known_exploited": true}));
    assert_eq!(scan(&system, "main", exploited.clone()).verdict, Verdict::Fail, "whatever rise is allowed");
    let mut reasons: Vec<_> = pending(&system).into_iter().filter_map(|item| item.returned_because).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "It is reported as known to be exploited now.",
            "The probability of its exploitation (EPSS) was below 10 % and is 50 % or more now."
        ]
    );
    let back = pending(&system).into_iter().find(|item| item.known_exploited).unwrap();
    system.decide(&back.id, "approve", "sec").unwrap();
    assert_eq!(scan(&system, "main", exploited).verdict, Verdict::Pass);
}

/// The results of Bandit with this severity.
fn rated(severity: &str, results: &[(&str, u32, &str)]) -> Vec<u8> {
    String::from_utf8(bandit(results)).unwrap().replace(r#""issue_severity":"HIGH""#, &severity_field(severity)).into()
}

fn severity_field(severity: &str) -> String {
    format!(r#""issue_severity":"{severity}""#)
}

#[test]
fn chosen_occurrences_are_judged_by_their_own_severity() {
    let system = System::new();
    let lines = [("a.py", 10, RUN), ("b.py", 5, "os.popen(request.body).read()")];
    let send = |variant: &str, severity: &str, lines: &[(&str, u32, &str)]| {
        system.upload(upload(variant, &rated(severity, lines)).fail_on("low")).unwrap()
    };
    let first = send("main", "LOW", &lines);
    let occurrences = system.all_occurrences(first.scan.id);
    let body = ExemptionBody {
        scope: "occurrences".to_owned(),
        target: None,
        scan: Some(first.scan.id.to_string()),
        occurrences: occurrences.iter().map(|one| one.id.to_string()).collect(),
        ..system.exemption_of(occurrences[0].issue)
    };
    let asked = system.ask(body, "dev").unwrap();
    system.decide(&asked.id, "approve", "sec").unwrap();
    assert_eq!(send("main", "LOW", &lines).verdict, Verdict::Pass);
    let worse = send("feature", "HIGH", &lines);
    assert_eq!((worse.verdict, worse.occurrences.exempted), (Verdict::Fail, 0));
    assert!(system.all_occurrences(worse.scan.id).iter().all(|one| one.exemption.is_none()));
    let back = pending(&system);
    assert_eq!((back.len(), back[0].occurrences.len(), back[0].severity.as_str()), (1, 2, "critical"));
    system.decide(&back[0].id, "approve", "sec").unwrap();
    assert_eq!(send("feature", "HIGH", &lines).verdict, Verdict::Pass);

    // Code that was edited returns with the severity that it has now.
    let edited = [("a.py", 10, EDITED), lines[1]];
    assert_eq!(send("main", "HIGH", &edited).verdict, Verdict::Fail);
    let back = pending(&system);
    assert_eq!((back.len(), back[0].severity.as_str(), back[0].returned_because.as_deref()), (1, "critical", None));
    system.decide(&back[0].id, "approve", "sec").unwrap();
    assert_eq!(send("main", "HIGH", &edited).verdict, Verdict::Pass);
}

#[test]
fn an_exemption_for_the_account_applies_to_what_was_judged_in_every_project() {
    let mut system = System::new();
    let first = scan(&system, "main", vulnerability("Low", &[CVE]));
    let issue: IssueId = system.all_issues(first.scan.id)[0].id;
    let asked = system.ask(system.exemption_of(issue), "dev").unwrap();
    let account = DecisionBody { scope: Some("account".to_owned()), ..DecisionBody::default() };
    system.decide_with(&asked.id, "approve", "sec", account).unwrap();
    system.switch("elsewhere");
    assert_eq!(scan(&system, "main", vulnerability("Low", &[CVE])).verdict, Verdict::Pass);
    assert_eq!(scan(&system, "main", vulnerability("Critical", &[CVE])).verdict, Verdict::Fail);
    assert!(pending(&system).is_empty(), "the exemption is another project's, and so is its review");
    system.switch("shop");
    assert_eq!(scan(&system, "main", vulnerability("Critical", &[CVE])).verdict, Verdict::Fail);
    let back = pending(&system);
    assert_eq!((back.len(), back[0].scope), (1, Scope::Project), "the scope of the account cannot be requested");
}

#[test]
fn a_replay_and_a_preview_apply_what_was_judged() {
    let system = System::new();
    let low = || vulnerability("Low", &[CVE]);
    let first = scan(&system, "main", low());
    let approved = exempt(&system, &first, "target");
    let exempted = scan(&system, "main", low());
    let worse = scan(&system, "feature", vulnerability("Critical", &[CVE]));
    system.settings(SettingsBody { severity_rise_allowed: Some(5), ..SettingsBody::default() });
    for (scan, verdict) in [(&exempted, Verdict::Pass), (&worse, Verdict::Fail)] {
        let replay = system.replay(scan.scan.id, Versions::default()).unwrap();
        assert_eq!(replay.replay.verdict, verdict, "as it was judged then");
    }
    let back = pending(&system).remove(0);
    let preview = system.preview(&back.id, &PreviewQuery::default()).unwrap();
    let outcomes: Vec<_> =
        preview.iter().map(|item| (item.variant.as_str(), item.now.verdict, item.then.verdict)).collect();
    assert_eq!(outcomes, [("feature", Verdict::Fail, Verdict::Pass), ("main", Verdict::Pass, Verdict::Pass)]);
    let preview = system.preview(&approved.id, &PreviewQuery::default()).unwrap();
    assert!(preview.iter().any(|item| item.variant == "feature" && item.then.verdict == Verdict::Fail));
}

#[test]
fn a_hostile_report_sends_nothing_of_other_branches_back() {
    let system = System::new();
    let all = |severity: &str| -> Vec<Value> {
        (0..20).map(|n| vulnerability(severity, &[&format!("CVE-2026-{}", 3000 + n)])).collect()
    };
    let first = system.upload(findings("notes", "main", &all("Low"))).unwrap();
    for issue in system.all_issues(first.scan.id) {
        let id = system.ask(system.exemption_of(issue.id), "dev").unwrap().id;
        system.decide(&id, "approve", "sec").unwrap();
    }
    let hostile = system.upload(findings("notes", "feature", &all("Critical"))).unwrap();
    assert_eq!((hostile.verdict, hostile.issues.exempted, pending(&system).len()), (Verdict::Fail, 0, 20));
    let main = system.upload(findings("notes", "main", &all("Low"))).unwrap();
    assert_eq!((main.verdict, main.issues.exempted), (Verdict::Pass, 20));
    for item in pending(&system) {
        system.decide(&item.id, "reject", "sec").unwrap();
    }
    let again = system.upload(findings("notes", "feature", &all("Critical"))).unwrap();
    assert_eq!((again.verdict, pending(&system).len()), (Verdict::Fail, 0), "what was rejected is not requested again");
}

/// An exemption of the chosen occurrences of a scan, which is approved.
fn exempt_chosen(system: &System, scan: &ScanAnswer) {
    let occurrences = system.all_occurrences(scan.scan.id);
    let body = ExemptionBody {
        scope: "occurrences".to_owned(),
        target: None,
        scan: Some(scan.scan.id.to_string()),
        occurrences: occurrences.iter().map(|one| one.id.to_string()).collect(),
        ..system.exemption_of(occurrences[0].issue)
    };
    let asked = system.ask(body, "dev").unwrap();
    system.decide(&asked.id, "approve", "sec").unwrap();
}

#[test]
fn white_space_that_means_something_belongs_to_the_code_that_was_judged() {
    let system = System::new();
    let send =
        |path: &str, code: &str| system.upload(upload("main", &bandit(&[(path, 10, code)])).fail_on("high")).unwrap();
    let first = send("a.py", "os.system('rm -rf /tmp/x')");
    exempt_chosen(&system, &first);
    assert_eq!(send("a.py", "os.system('rm -rf /tmp/x')").verdict, Verdict::Pass);
    assert_eq!(send("a.py", "os.system( \"rm -rf /tmp/x\" )").verdict, Verdict::Pass, "a formatter's changes");
    let other = send("a.py", "os.system('rm -rf / tmp/x')");
    assert_eq!((other.verdict, other.occurrences.common), (Verdict::Fail, 1), "it is matched, and not exempted");
    let back = pending(&system);
    assert_eq!((back.len(), back[0].returned_because.as_deref()), (1, None));
    assert_eq!(send("a.py", "    os.system('rm -rf /tmp/x')").verdict, Verdict::Fail, "in another block");
    assert_eq!(send("a.py", "os.system('rm -rf /tmp/x')").verdict, Verdict::Pass);
}

/// Stores what an earlier version did for an approved exemption of all occurrences of a scan: their first forms, and
/// neither names nor marks.
fn store_earlier_exemption(system: &System, scan: &ScanAnswer) {
    let issue = &system.all_issues(scan.scan.id)[0];
    let mut occurrences = Vec::new();
    let each = |one: &ExemptibleOccurrence| occurrences.push(Reviewed { id: one.id, form: one.first_form });
    let count = u32::try_from(system.all_occurrences(scan.scan.id).len()).unwrap();
    block_on(OccurrenceReader::new(&system.kv, scan.scan.id).each(0, count, each)).unwrap();
    let (id, target) = (ExemptionId::from_bits([7; 16]), "notes".parse().unwrap());
    let request = ExemptionRequest {
        id,
        issue: issue.id,
        title: issue.title.clone(),
        scanner: "bandit".parse().unwrap(),
        severity: issue.severity.parse().unwrap(),
        seen: SourceScan { scan: scan.scan.id, target, pipeline: None },
        reach: Reach::Occurrences { target: "notes".parse().unwrap(), occurrences },
        term: Term::Days(7),
        reason: Reason::AcceptableRisk,
        text: "not reachable".to_owned(),
        link: None,
        returned_from: None,
        marks: None,
        returned_because: None,
    };
    let event = ExemptionEvent::Requested { request: Box::new(request) };
    let (event, by) = (AnyEvent::Exemption { project: "shop".parse().unwrap(), event }, system.person("dev").actor);
    let append = Append { id: EventId::from_bits([7; 16]), by, event };
    assert_eq!(block_on(system.append(&append)).unwrap().refused, None);
    system.decide(&id.to_string(), "approve", "sec").unwrap();
}

#[test]
fn an_exemption_of_an_earlier_version_applies_to_unchanged_code() {
    let system = System::new();
    let send = |code: &str| system.upload(upload("main", &bandit(&[("a.py", 10, code)])).fail_on("high")).unwrap();
    store_earlier_exemption(&system, &send(RUN));
    for _ in 0..2 {
        let unchanged = send(RUN);
        assert_eq!((unchanged.verdict, unchanged.occurrences.exempted), (Verdict::Pass, 1));
    }
    assert!(pending(&system).is_empty());
    assert_eq!(send(EDITED).verdict, Verdict::Fail);
    assert_eq!(pending(&system).len(), 1, "edited code returns to review as it did");
}

#[test]
fn a_person_does_not_approve_their_own_request_under_a_name_that_looks_the_same() {
    let system = System::new();
    let first = scan(&system, "main", vulnerability("Low", &[CVE]));
    let asked = system.ask(system.exemption_of(system.all_issues(first.scan.id)[0].id), "ann").unwrap();
    for other in ["ANN", "\u{430}nn", "\u{ff41}nn", "a\u{200b}nn"] {
        assert_eq!(system.decide(&asked.id, "approve", other).unwrap_err().code, Code::Conflict, "{other:?}");
    }
    system.decide(&asked.id, "approve", "anne").unwrap();
}
