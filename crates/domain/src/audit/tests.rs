//! Descriptions of events, and what they never contain.

use super::*;
use crate::baseline::BaselineChoice;
use crate::change_decision::ChangeDecision;
use crate::event::Actor;
use crate::exemption::{ExemptionEvent, ExemptionRequest, Reach, Reason, SourceScan, Term};
use crate::ids::{EventId, IssueId, ScanId, TargetId, TokenId, token_digest};
use crate::project::{InProject, ProjectEvent};
use crate::role::Role;
use crate::scan_event::ScanEvent;
use crate::settings::Settings;
use crate::settings_request::GateSettings;
use crate::target::TargetType;
use crate::testing::recorded;
use crate::token::IssuedToken;
use crate::upload_limits::UploadLimits;
use crate::verdict::Verdict;
use finding::severity::Severity;
use serde::Serialize;
use serde_json::json;

const EXEMPTION: [u8; 16] = [5; 16];

fn project() -> JournalId {
    JournalId::Project { project: "shop".parse().unwrap() }
}

fn target() -> TargetId {
    TargetId::of(&"shop".parse().unwrap(), &"web".parse().unwrap())
}

fn exemptions() -> JournalId {
    JournalId::Exemptions { project: "shop".parse().unwrap() }
}

fn scans() -> JournalId {
    JournalId::Scans { project: "shop".parse().unwrap(), target: target() }
}

fn describe(journal: &JournalId, event: &impl Serialize) -> DescribedEvent {
    let known = BTreeMap::from([(ExemptionId::from_bits(EXEMPTION), "web".parse().unwrap())]);
    let target: TargetName = "web".parse().unwrap();
    let target = matches!(journal, JournalId::Scans { .. }).then_some(&target);
    DescribedEvent::new(journal, serde_json::to_value(event).unwrap(), ImplicitTargets { target, exemptions: &known })
}

fn named(event: ProjectEvent) -> InProject<ProjectEvent> {
    InProject { project: "shop".parse().unwrap(), event }
}

fn about(described: &DescribedEvent) -> [Vec<&str>; 4] {
    let About { targets, exemptions, tokens, scans } = &described.about;
    [targets, exemptions, tokens, scans].map(|set| set.iter().map(String::as_str).collect())
}

/// Returns an event of the kind after this one's. A new kind must be added here.
fn after(event: Option<&ProjectEvent>) -> Option<ProjectEvent> {
    let name = || "web".parse().unwrap();
    let Some(event) = event else { return Some(ProjectEvent::settings_set(Settings::default())) };
    match event {
        ProjectEvent::SettingsSet { .. } => {
            Some(ProjectEvent::TargetCreated { name: name(), target_type: TargetType::Repository })
        }
        ProjectEvent::TargetCreated { .. } => Some(ProjectEvent::baseline_set(name(), Some(BaselineChoice::None))),
        ProjectEvent::BaselineSet { .. } => {
            let token = IssuedToken {
                id: TokenId::from_bits([7; 16]),
                sha256: token_digest("gate_x"),
                name: "ci".to_owned(),
                subject: "ann".parse().unwrap(),
                role: Role::Developer,
                expires: None,
                targets: None,
                uploads: UploadLimits::default(),
            };
            Some(ProjectEvent::TokenIssued { token })
        }
        ProjectEvent::TokenIssued { .. } => Some(ProjectEvent::TokenRevoked { token: TokenId::from_bits([7; 16]) }),
        ProjectEvent::TokenRevoked { .. } => Some(ProjectEvent::ScanAccepted {
            name: name(),
            variant: "main".parse().unwrap(),
            scan: ScanId::from_bits([3; 16]),
            comment: "agreed".to_owned(),
            missing: vec!["codeql/go".to_owned()],
        }),
        ProjectEvent::ScanAccepted { .. } => {
            Some(ProjectEvent::BaselineRequested { name: name(), requested: None, comment: "why".to_owned() })
        }
        ProjectEvent::BaselineRequested { .. } => Some(ProjectEvent::BaselineDecided {
            name: name(),
            request: EventId::from_bits([4; 16]),
            decision: ChangeDecision::Approve,
            comment: "agreed".to_owned(),
            version: None,
        }),
        ProjectEvent::BaselineDecided { .. } => Some(ProjectEvent::SettingsRequested {
            settings: GateSettings::of(&Settings::default()),
            comment: "why".to_owned(),
            version: None,
        }),
        ProjectEvent::SettingsRequested { .. } => Some(ProjectEvent::SettingsDecided {
            request: EventId::from_bits([4; 16]),
            decision: ChangeDecision::Approve,
            comment: "agreed".to_owned(),
            version: None,
        }),
        ProjectEvent::SettingsDecided { .. } => Some(ProjectEvent::ScanAcceptRequested {
            name: name(),
            variant: "main".parse().unwrap(),
            scan: ScanId::from_bits([3; 16]),
            comment: "why".to_owned(),
        }),
        ProjectEvent::ScanAcceptRequested { .. } => Some(ProjectEvent::ScanAcceptDecided {
            name: name(),
            scan: ScanId::from_bits([3; 16]),
            decision: ChangeDecision::Reject,
            comment: "no".to_owned(),
        }),
        ProjectEvent::ScanAcceptDecided { .. } => None,
    }
}

#[test]
fn every_event_of_a_project_has_its_subjects_and_no_secrets() {
    let events = std::iter::successors(after(None), |event| after(Some(event)));
    let (token, scan) = ("07".repeat(16), "03".repeat(16));
    let expected: [(&str, [Vec<&str>; 4]); 12] = [
        ("settings_set", [vec![], vec![], vec![], vec![]]),
        ("target_created", [vec!["web"], vec![], vec![], vec![]]),
        ("baseline_set", [vec!["web"], vec![], vec![], vec![]]),
        ("token_issued", [vec![], vec![], vec![&token], vec![]]),
        ("token_revoked", [vec![], vec![], vec![&token], vec![]]),
        ("scan_accepted", [vec!["web"], vec![], vec![], vec![&scan]]),
        ("baseline_requested", [vec!["web"], vec![], vec![], vec![]]),
        ("baseline_decided", [vec!["web"], vec![], vec![], vec![]]),
        ("settings_requested", [vec![], vec![], vec![], vec![]]),
        ("settings_decided", [vec![], vec![], vec![], vec![]]),
        ("scan_accept_requested", [vec!["web"], vec![], vec![], vec![&scan]]),
        ("scan_accept_decided", [vec!["web"], vec![], vec![], vec![&scan]]),
    ];
    let mut checked = 0;
    for (event, expected) in events.zip(&expected) {
        let described = describe(&project(), &named(event));
        assert_eq!((described.what.as_str(), about(&described)), *expected);
        let text = described.details.to_string();
        assert!(!text.contains(&token_digest("gate_x")) && !text.contains("sha256"), "{text}");
        assert!(text.contains(&described.what), "the rest of the event is kept: {text}");
        checked += 1;
    }
    assert_eq!(checked, expected.len());
}

#[test]
fn a_secret_is_left_out_at_any_depth() {
    let event = json!({"type": "many", "events": [{"type": "x", "list": [[{"sha256": "abc", "kept": 1}]]}]});
    let described = describe(&project(), &event);
    assert_eq!(described.details, json!({"type": "many", "events": [{"type": "x", "list": [[{"kept": 1}]]}]}));
}

fn request() -> ExemptionEvent {
    let target: TargetName = "web".parse().unwrap();
    let request = ExemptionRequest {
        id: ExemptionId::from_bits(EXEMPTION),
        issue: IssueId::from_bits([1; 16]),
        title: "SQL injection".to_owned(),
        scanner: "bandit".parse().unwrap(),
        severity: Severity::High,
        seen: SourceScan { scan: ScanId::from_bits([2; 16]), target: target.clone(), pipeline: None },
        reach: Reach::Target { target },
        term: Term::Days(7),
        reason: Reason::AcceptableRisk,
        text: "internal".to_owned(),
        link: None,
        returned_from: None,
        marks: None,
        returned_because: None,
    };
    ExemptionEvent::Requested { request: Box::new(request) }
}

fn approval(comment: &str) -> ExemptionEvent {
    let exemption = ExemptionId::from_bits(EXEMPTION);
    ExemptionEvent::Approved {
        exemption,
        comment: comment.to_owned(),
        reach: None,
        own: false,
        version: None,
        judged: None,
    }
}

#[test]
fn an_entry_of_an_exemption_has_its_target_and_reason() {
    let id = "05".repeat(16);
    let cases = [
        (request(), "exemption_requested", Some("internal")),
        (approval("agreed"), "exemption_approved", Some("agreed")),
        (approval(""), "exemption_approved", None),
    ];
    for (event, what, why) in cases {
        let described = describe(&exemptions(), &event);
        assert_eq!((described.what.as_str(), described.why.as_deref()), (what, why));
        assert_eq!(about(&described), [vec!["web"], vec![id.as_str()], vec![], vec![]], "{what}");
    }
    let exemption = ExemptionId::from_bits([6; 16]);
    let unknown = ExemptionEvent::Cancelled { exemption, comment: String::new(), version: None };
    assert_eq!(about(&describe(&exemptions(), &unknown))[0], Vec::<&str>::new(), "a target is never guessed");
}

#[test]
fn several_events_in_one_are_one_entry_about_all_of_them() {
    let event = json!({"type": "many", "events": [request(), approval("agreed")]});
    let described = describe(&exemptions(), &event);
    assert_eq!(
        (described.what.as_str(), described.why),
        ("exemption_many", None),
        "two reasons are in the details only"
    );
    assert_eq!(described.details["events"].as_array().map(Vec::len), Some(2));
    let same = json!({"type": "many", "events": [approval("agreed"), approval("agreed")]});
    assert_eq!(describe(&exemptions(), &same).why.as_deref(), Some("agreed"));
}

#[test]
fn an_entry_of_a_scan_has_its_target() {
    let event = ScanEvent { scan: ScanId::from_bits([9; 16]), ..recorded(1, 2, "bandit", Verdict::Pass) };
    let described = describe(&scans(), &event);
    assert_eq!(described.what, "scan_recorded");
    assert_eq!(about(&described), [vec!["web"], vec![], vec![], vec![&"09".repeat(16)]]);
}

#[test]
fn an_event_of_an_unknown_kind_is_an_entry_too() {
    let described = describe(&project(), &json!({"type": "renamed", "to": "store"}));
    assert_eq!((described.what.as_str(), described.details["to"].as_str()), ("renamed", Some("store")));
    assert_eq!(describe(&project(), &json!(5)).what, "unnamed");
}

fn matches(filter: &AuditFilter) -> bool {
    let by = Actor { subject: "ann".parse().unwrap(), role: Role::Admin, token: None, address: None };
    let event = json!({"type": "many", "events": [request(), approval("agreed")]});
    filter.matches(Timestamp::from_ms(10), &by, &describe(&exemptions(), &event))
}

#[test]
fn every_filter_selects_only_matching_entries() {
    let at = |ms| Some(Timestamp::from_ms(ms));
    let what = |what: &str| AuditFilter { what: Some(what.to_owned()), ..AuditFilter::default() };
    let by = |by: &str| AuditFilter { by: by.parse().ok(), ..AuditFilter::default() };
    let target = |target: &str| AuditFilter { target: target.parse().ok(), ..AuditFilter::default() };
    for filter in [
        AuditFilter::default(),
        what("exemption_many"),
        what("exemption_approved"),
        by("ann"),
        target("web"),
        AuditFilter { since: at(10), until: at(10), ..AuditFilter::default() },
    ] {
        assert!(matches(&filter), "{filter:?}");
    }
    for filter in [
        what("exemption_rejected"),
        by("an"),
        target("we"),
        AuditFilter { since: at(11), ..AuditFilter::default() },
        AuditFilter { until: at(9), ..AuditFilter::default() },
    ] {
        assert!(!matches(&filter), "{filter:?}");
    }
}

#[test]
fn a_journal_is_read_only_if_it_may_have_matching_entries() {
    let (web, other): (TargetName, TargetName) = ("web".parse().unwrap(), "other".parse().unwrap());
    let reads = |filter: &AuditFilter| {
        [(project(), None), (exemptions(), None), (scans(), Some(&web)), (scans(), Some(&other))]
            .map(|(journal, target)| filter.may_match(&journal, target))
    };
    let what = |what: &str| AuditFilter { what: Some(what.to_owned()), ..AuditFilter::default() };
    assert_eq!(reads(&AuditFilter::default()), [true; 4]);
    assert_eq!(reads(&what("scan_recorded")), [false, false, true, true]);
    assert_eq!(reads(&what("exemption_approved")), [false, true, false, false]);
    assert_eq!(reads(&what("token_issued")), [true, false, false, false]);
    let refused = |refused| AuditFilter { refused: Some(refused), ..AuditFilter::default() };
    assert_eq!(reads(&refused(true)), [true, true, false, false]);
    assert_eq!(reads(&refused(false)), [true; 4]);
    assert_eq!(reads(&AuditFilter { target: Some(web.clone()), ..AuditFilter::default() }), [true, true, true, false]);
}
