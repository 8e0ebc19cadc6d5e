use super::*;
use crate::comparison::Division;
use crate::digest::Short;
use crate::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScanId, TargetName};
use crate::journal::Fold as _;
use crate::limits::{BULK_MAX, EXEMPTED_OCCURRENCES_TOTAL_MAX, EXEMPTIONS_MAX, PROMOTED_MAX, RETURNED_MAX};
use crate::testing::entry;
use crate::time::Timestamp;
use finding::severity::{Score, Severity};
use std::collections::BTreeSet;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn id(n: u8) -> ExemptionId {
    ExemptionId::from_bits([n; 16])
}

fn issue(n: u8) -> IssueId {
    IssueId::from_bits([n; 16])
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn target() -> Reach {
    Reach::Target { target: "dvpwa".parse().unwrap() }
}

fn reviewed(id: u8, form: u8) -> Reviewed {
    Reviewed { id: OccurrenceId::from_bits([id; 16]), form: Short([form; 16]) }
}

fn chosen(occurrences: &[Reviewed]) -> Reach {
    Reach::Occurrences { target: "dvpwa".parse().unwrap(), occurrences: occurrences.to_vec() }
}

fn request(n: u8, reach: Reach) -> ExemptionRequest {
    ExemptionRequest {
        id: id(n),
        issue: issue(n),
        title: "hashlib".to_owned(),
        scanner: "bandit".parse().unwrap(),
        severity: Severity::Critical,
        seen: SourceScan {
            scan: ScanId::from_bits([9; 16]),
            target: "dvpwa".parse().unwrap(),
            pipeline: Some("nightly".parse().unwrap()),
        },
        reach,
        term: Term::Days(7),
        reason: Reason::AcceptableRisk,
        text: "not reachable".to_owned(),
        link: None,
        returned_from: None,
        marks: None,
        returned_because: None,
    }
}

fn request_event(request: ExemptionRequest) -> ExemptionEvent {
    ExemptionEvent::Requested { request: Box::new(request) }
}

fn requested(n: u8) -> ExemptionEvent {
    request_event(request(n, target()))
}

fn granted(n: u8, reach: Option<Reach>) -> ExemptionEvent {
    ExemptionEvent::Approved {
        exemption: id(n),
        comment: "ok".to_owned(),
        reach,
        own: false,
        version: None,
        judged: None,
    }
}
fn approved(n: u8) -> ExemptionEvent {
    granted(n, None)
}
fn rejected(n: u8) -> ExemptionEvent {
    ExemptionEvent::Rejected { exemption: id(n), comment: "no".to_owned(), version: None }
}
fn cancelled(n: u8) -> ExemptionEvent {
    ExemptionEvent::Cancelled { exemption: id(n), comment: String::new(), version: None }
}
fn reopened(n: u8) -> ExemptionEvent {
    ExemptionEvent::Reopened { exemption: id(n), comment: String::new(), version: None }
}

/// Folds `(subject, time in ms, event)`, and returns the state and the refusal of each event.
fn fold(events: &[(&str, i64, ExemptionEvent)]) -> (Exemptions, Vec<Option<String>>) {
    let mut state = Exemptions::default();
    let mut refusals = vec![];
    for (n, (subject, at, event)) in (1..).zip(events) {
        refusals.push(state.apply(n, &entry(n, subject, *at, event.clone())).err().map(|refusal| refusal.reason));
    }
    (state, refusals)
}

fn target_and_pipeline() -> (TargetName, Option<PipelineName>) {
    ("dvpwa".parse().unwrap(), Some("nightly".parse().unwrap()))
}

fn effective(state: &Exemptions, ms: i64) -> EffectiveExemptions {
    let (target, pipeline) = target_and_pipeline();
    state.effective(at(ms), &ScanTarget { target: &target, pipeline: pipeline.as_ref() })
}

/// An issue that is no worse than what [`request`] is for.
fn seen_issue(n: u8) -> ExemptibleIssue {
    let marks = Marks { names: BTreeSet::from([issue(n)]), ..Marks::default() };
    ExemptibleIssue { ids: vec![issue(n)], severity: Severity::High, marks, is_vulnerability: true }
}

fn covers(state: &Exemptions, ms: i64, n: u8) -> bool {
    effective(state, ms).whole_issue(&seen_issue(n)).is_some()
}

#[test]
fn the_days_start_at_the_approval_and_the_end_is_checked_at_each_query() {
    let (state, _) = fold(&[("dev", 0, requested(1)), ("sec", 5 * DAY, approved(1))]);
    assert!(covers(&state, 5 * DAY, 1) && covers(&state, 12 * DAY - 1, 1) && !covers(&state, 12 * DAY, 1));
    assert_eq!(state.by_id[&id(1)].status(at(12 * DAY)), Status::Expired);
    assert!(!covers(&state, 5 * DAY, 2), "another issue is not covered");
}

#[test]
fn an_exemption_may_end_at_a_time_or_never() {
    let with = |term| ExemptionRequest { term, ..request(1, target()) };
    let (state, _) = fold(&[("dev", 0, request_event(with(Term::Until(at(3 * DAY))))), ("sec", 2 * DAY, approved(1))]);
    assert_eq!(state.by_id[&id(1)].ends(), Some(at(3 * DAY)));
    let (_, refusals) =
        fold(&[("dev", 0, request_event(with(Term::Until(at(3 * DAY))))), ("sec", 3 * DAY, approved(1))]);
    assert!(refusals[1].as_ref().unwrap().contains("has passed"), "{refusals:?}");
    let (state, _) = fold(&[("dev", 0, request_event(with(Term::Unlimited))), ("sec", 1, approved(1))]);
    assert!(covers(&state, i64::MAX, 1) && state.by_id[&id(1)].ends().is_none());
}

#[test]
fn a_term_is_compared_with_the_longest_allowed() {
    let excess = |term: Term, most| term.excess(at(0), most).is_some();
    assert!(!excess(Term::Days(30), Some(30)) && excess(Term::Days(31), Some(30)) && !excess(Term::Days(31), None));
    assert!(!excess(Term::Until(at(30 * DAY)), Some(30)) && excess(Term::Until(at(30 * DAY + 1)), Some(30)));
    assert!(excess(Term::Until(at(0)), None) && excess(Term::Unlimited, Some(3650)) && !excess(Term::Unlimited, None));
}

#[test]
fn only_an_approved_exemption_covers() {
    for events in [
        vec![("dev", 0, requested(1))],
        vec![("dev", 0, requested(1)), ("sec", 0, rejected(1))],
        vec![("dev", 0, requested(1)), ("sec", 0, approved(1)), ("sec", 1, rejected(1))],
        vec![("dev", 0, requested(1)), ("sec", 0, approved(1)), ("dev", 1, cancelled(1))],
        vec![("dev", 0, requested(1)), ("sec", 0, rejected(1)), ("dev", 1, reopened(1))],
    ] {
        assert!(!covers(&fold(&events).0, 2, 1), "{events:?}");
    }
}

#[test]
fn a_requester_cannot_approve_under_any_spelling_or_after_reopening() {
    for own in ["dev", " DEV "] {
        let (state, refusals) = fold(&[("dev", 0, requested(1)), (own, 1, approved(1))]);
        assert_eq!(refusals[1], Some(format!("`{own}` requested the exemption and cannot approve it")));
        assert_eq!(state.by_id[&id(1)].status(at(2)), Status::Pending);
    }
    let (_, refusals) =
        fold(&[("dev", 0, requested(1)), ("sec", 1, rejected(1)), ("sec", 2, reopened(1)), ("sec", 3, approved(1))]);
    assert!(refusals[2].is_none() && refusals[3].as_ref().unwrap().contains("cannot approve it"));
    let (_, refusals) = fold(&[("dev", 0, requested(1)), ("dev", 1, cancelled(1))]);
    assert_eq!(refusals[1], None, "requesters may withdraw their own");
}

#[test]
fn a_project_may_allow_self_approval_and_then_it_is_marked() {
    let own_allowed = ExemptionEvent::Approved {
        exemption: id(1),
        comment: "ok".into(),
        reach: None,
        own: true,
        version: None,
        judged: None,
    };
    let (state, refusals) = fold(&[("dev", 0, requested(1)), ("dev", 1, own_allowed.clone())]);
    assert!(refusals[1].is_none() && state.by_id[&id(1)].decision.as_ref().unwrap().own);
    let (state, _) = fold(&[("dev", 0, requested(1)), ("sec", 1, own_allowed)]);
    assert!(!state.by_id[&id(1)].decision.as_ref().unwrap().own, "allowed, and not used");
}

#[test]
fn each_transition_is_legal_or_refused_with_its_state() {
    // From each state: how it is reached, then which of approve, reject, cancel, reopen are legal.
    let cases = [
        (Status::Pending, vec![], [true, true, true, false]),
        (Status::Approved, vec![approved(1)], [false, true, true, false]),
        (Status::Rejected, vec![rejected(1)], [true, false, true, true]),
        (Status::Cancelled, vec![cancelled(1)], [false, false, false, false]),
        (Status::Expired, vec![approved(1)], [true, false, true, true]),
    ];
    for (from, way, legal) in cases {
        let now = if from == Status::Expired { 8 * DAY } else { 2 };
        for (event, legal) in [approved(1), rejected(1), cancelled(1), reopened(1)].into_iter().zip(legal) {
            let mut events = vec![("dev", 0, requested(1))];
            events.extend(way.iter().map(|event| ("sec", 1, event.clone())));
            events.push(("sec2", now, event.clone()));
            let refusal = fold(&events).1.pop().unwrap();
            assert_eq!(refusal.is_none(), legal, "{from} then {event:?}: {refusal:?}");
            if let Some(refusal) = refusal {
                assert!(refusal.contains(from.as_str()), "{refusal}");
            }
        }
    }
    let unknown = format!("exemption {} does not exist", id(1));
    assert_eq!(fold(&[("sec", 0, approved(1))]).1[0].as_deref(), Some(unknown.as_str()));
}

#[test]
fn it_is_approved_as_requested_or_wider() {
    let wide = [target(), Reach::Pipeline { pipeline: "nightly".parse().unwrap() }, Reach::Project, Reach::Account];
    for (at_most, requested_reach) in [chosen(&[reviewed(1, 1)])].iter().chain(&wide[..3]).enumerate() {
        for (at, reach) in wide.iter().enumerate() {
            let (state, refusals) = fold(&[
                ("dev", 0, request_event(request(1, requested_reach.clone()))),
                ("sec", 1, granted(1, Some(reach.clone()))),
            ]);
            let legal = at_most <= at;
            assert_eq!(refusals[1].is_none(), legal, "{requested_reach:?} as {reach:?}: {refusals:?}");
            assert_eq!(covers(&state, 2, 1), legal);
        }
    }
    let (_, refusals) = fold(&[("dev", 0, request_event(request(1, Reach::Account)))]);
    assert!(refusals[0].as_ref().unwrap().contains("cannot be requested"));
}

#[test]
fn a_reach_covers_its_scans_and_no_other() {
    let (target, pipeline) = target_and_pipeline();
    let elsewhere: TargetName = "other".parse().unwrap();
    let cases = [
        (self::target(), [true, false, true, false]),
        (Reach::Pipeline { pipeline: "nightly".parse().unwrap() }, [true, true, false, false]),
        (Reach::Project, [true, true, true, true]),
    ];
    for (reach, expected) in cases {
        let (state, _) = fold(&[("dev", 0, request_event(request(1, reach.clone()))), ("sec", 1, approved(1))]);
        let here = [
            ScanTarget { target: &target, pipeline: pipeline.as_ref() },
            ScanTarget { target: &elsewhere, pipeline: pipeline.as_ref() },
            ScanTarget { target: &target, pipeline: None },
            ScanTarget { target: &elsewhere, pipeline: None },
        ];
        let covered = here.map(|place| state.effective(at(2), &place).whole_issue(&seen_issue(1)).is_some());
        assert_eq!(covered, expected, "{reach:?}");
    }
}

#[test]
fn an_equal_request_is_refused_while_one_is_pending() {
    let again = |n| request_event(ExemptionRequest { id: id(n), ..request(1, target()) });
    let (_, refusals) = fold(&[("dev", 0, again(1)), ("ann", 1, again(2))]);
    assert_eq!(refusals[1], Some(format!("exemption {} requests the same and is pending", id(1))));
    let (_, refusals) = fold(&[("dev", 0, again(1)), ("sec", 1, approved(1)), ("ann", 2, again(2))]);
    assert_eq!(refusals[2], None, "an effective one may be requested again before it ends");
    let other = request_event(ExemptionRequest { id: id(2), ..request(1, Reach::Project) });
    assert_eq!(fold(&[("dev", 0, again(1)), ("ann", 1, other)]).1[1], None);
}

#[test]
fn several_take_effect_together_or_not_at_all() {
    let many = |events| ExemptionEvent::Many { events };
    let (state, refusals) = fold(&[("dev", 0, many(vec![requested(1), requested(2)]))]);
    assert!(refusals[0].is_none() && state.by_id.len() == 2);
    let (state, refusals) = fold(&[
        ("dev", 0, many(vec![requested(1), requested(2)])),
        ("sec", 1, cancelled(2)),
        ("sec", 2, many(vec![approved(1), approved(2)])),
    ]);
    assert_eq!(refusals[2].as_deref(), Some("number 2: the exemption is cancelled and cannot be approved"));
    assert_eq!(state.by_id[&id(1)].status(at(3)), Status::Pending);
    let before = fold(&[("dev", 0, many(vec![requested(1), requested(2)])), ("sec", 1, cancelled(2))]).0;
    assert_eq!(state, before, "the events before the refused one are undone");
    let (state, refusals) = fold(&[
        ("dev", 0, many(vec![requested(1), requested(2)])),
        ("sec", 1, cancelled(2)),
        ("sec", 2, many(vec![requested(3), cancelled(1), requested(3), requested(4), approved(2)])),
    ]);
    assert!(refusals[2].is_some() && state == before, "{refusals:?}");
    let nested = many(vec![many(vec![requested(1)])]);
    assert!(fold(&[("dev", 0, nested)]).1[0].is_some());
    let most = |count| many((0..count).map(|n| requested(u8::try_from(n).unwrap())).collect());
    assert!(
        fold(&[("dev", 0, most(BULK_MAX))]).1[0].is_none() && fold(&[("dev", 0, most(BULK_MAX + 1))]).1[0].is_some()
    );
}

#[test]
fn an_event_appended_twice_counts_once() {
    let mut state = Exemptions::default();
    let twice = entry(1, "dev", 0, requested(1));
    assert_eq!((state.apply(1, &twice), state.apply(2, &twice)), (Ok(()), Ok(())));
    let approval = entry(3, "sec", 1, approved(1));
    assert_eq!((state.apply(3, &approval), state.apply(4, &approval)), (Ok(()), Ok(())));
    let taken_back = entry(5, "sec", 2, rejected(1));
    assert_eq!((state.apply(5, &taken_back), state.apply(6, &approval)), (Ok(()), Ok(())));
    assert_eq!(state.by_id[&id(1)].status(at(3)), Status::Rejected, "the late copy of the approval changes nothing");
}

fn candidate(id: u8, form: u8, score: u16, new: bool) -> ExemptibleOccurrence {
    let Reviewed { id, form } = reviewed(id, form);
    ExemptibleOccurrence { id, form, first_form: form, score: Score::from_hundredths(score), new, updated: false }
}

fn weigh(force: &EffectiveExemptions, candidates: &[ExemptibleOccurrence]) -> IssueCoverage {
    let seen = seen_issue(1);
    let mut weighing = force.cover(&seen);
    candidates.iter().for_each(|candidate| weighing.add(candidate));
    weighing.finish()
}

#[test]
fn chosen_occurrences_are_exempted_and_the_rest_counts() {
    let reach = chosen(&[reviewed(1, 1), reviewed(2, 2)]);
    let (state, _) = fold(&[("dev", 0, request_event(request(1, reach))), ("sec", 1, approved(1))]);
    let force = effective(&state, 2);
    assert!(
        force.needs_occurrences(&seen_issue(1))
            && !force.needs_occurrences(&seen_issue(2))
            && force.whole_issue(&seen_issue(1)).is_none()
    );
    let weighed = weigh(&force, &[candidate(1, 1, 950, true), candidate(3, 3, 500, true), candidate(4, 4, 200, false)]);
    assert_eq!((weighed.coverage, weighed.exemption), (Some(Coverage::PartiallyExempted), Some(id(1))));
    assert_eq!(weighed.exempted.len(), 1);
    assert_eq!(weighed.left.division, Division { new: 1, common: 1, ..Division::default() });
    assert_eq!(weighed.left.score, Score::from_hundredths(500), "the critical one is exempted");
    assert_eq!(weighed.left.levels_new, BTreeSet::from([Severity::Medium]));
    let all = weigh(&force, &[candidate(1, 1, 950, true), candidate(2, 2, 950, true)]);
    assert_eq!((all.coverage, all.left.score), (Some(Coverage::Exempted), None));
    assert_eq!(weigh(&effective(&state, 9 * DAY), &[candidate(1, 1, 950, true)]).coverage, None, "it has ended");
}

#[test]
fn an_occurrence_in_another_form_is_not_exempted_and_returns_to_review() {
    let (state, _) = fold(&[("dev", 0, request_event(request(1, chosen(&[reviewed(1, 1)])))), ("sec", 1, approved(1))]);
    let weighed = weigh(&effective(&state, 2), &[candidate(1, 7, 950, false)]);
    assert_eq!((weighed.coverage, weighed.exempted.len(), weighed.left.division.common), (None, 0, 1));
    assert_eq!(weighed.returned, [(candidate(1, 7, 950, false), id(1))]);

    // It is requested in the name of the earlier requester, once for each form, by any upload.
    let back = ExemptionId::of_returned(id(1), reviewed(1, 7));
    let request = ExemptionRequest {
        id: back,
        returned_from: Some(id(1)),
        issue: issue(1),
        ..request(1, chosen(&[reviewed(1, 7)]))
    };
    let returned = ExemptionEvent::Returned { requests: vec![request] };
    let approval = ExemptionEvent::Approved {
        exemption: back,
        comment: String::new(),
        reach: None,
        own: false,
        version: None,
        judged: None,
    };
    let events = [
        ("dev", 0, request_event(super::tests::request(1, chosen(&[reviewed(1, 1)])))),
        ("sec", 1, approved(1)),
        ("ci", 2, returned.clone()),
        ("ci", 3, returned),
        ("DEV", 4, approval.clone()),
        ("sec", 5, approval),
    ];
    let (state, mut refusals) = fold(&events[..4]);
    assert_eq!((state.by_id.len(), state.by_id[&back].requested.by.as_str()), (2, "dev"));
    assert_eq!(
        refusals.pop().unwrap().as_deref(),
        Some("the exemption was returned to review for the same change before")
    );
    assert!(refusals.iter().all(Option::is_none));
    assert_eq!(weigh(&effective(&state, 4), &[candidate(1, 7, 950, false)]).coverage, Some(Coverage::Pending));
    let (state, refusals) = fold(&events);
    assert!(refusals[4].is_some() && refusals[5].is_none(), "{refusals:?}");
    let weighed = weigh(&effective(&state, 6), &[candidate(1, 7, 950, false)]);
    assert_eq!((weighed.coverage, weighed.exemption), (Some(Coverage::Exempted), Some(back)));
    assert!(weighed.returned.is_empty());
}

#[test]
fn an_exemption_of_the_first_version_of_forms_applies_to_unchanged_code() {
    let (state, _) = fold(&[("dev", 0, request_event(request(1, chosen(&[reviewed(1, 1)])))), ("sec", 1, approved(1))]);
    let force = effective(&state, 2);
    let unchanged = ExemptibleOccurrence { form: Short([7; 16]), ..candidate(1, 1, 950, false) };
    assert_eq!(weigh(&force, &[unchanged]).coverage, Some(Coverage::Exempted));
    let edited = ExemptibleOccurrence { first_form: Short([8; 16]), ..unchanged };
    assert_eq!(weigh(&force, &[edited]).returned, [(edited, id(1))]);
}

#[test]
fn an_approval_may_judge_the_issue_as_it_is_in_a_later_scan() {
    let low = ExemptionRequest { severity: Severity::Low, ..request(1, target()) };
    let critical = Judged { severity: Severity::Critical, marks: None };
    let approved = |judged: Option<Judged>| ExemptionEvent::Approved {
        exemption: id(1),
        comment: String::new(),
        reach: None,
        own: false,
        version: None,
        judged: judged.map(Box::new),
    };
    let covered = |judged, rest: &[(&str, i64, ExemptionEvent)]| {
        let events = [&[("dev", 0, request_event(low.clone())), ("sec", 1, approved(judged))], rest].concat();
        covers(&fold(&events).0, 9, 1)
    };
    assert!(covered(Some(critical.clone()), &[]) && !covered(None, &[]), "the issue is high");
    let again = [("sec", 2, rejected(1)), ("sec", 3, approved(None))];
    assert!(!covered(Some(critical), &again), "each approval judges for itself");
}

#[test]
fn requests_that_return_to_review_are_limited() {
    let from = request_event(request(1, chosen(&[reviewed(1, 1)])));
    let again = |n: usize| {
        let form = Short::derive("test", &[&n.to_be_bytes()]);
        let occurrence = Reviewed { form, ..reviewed(1, 1) };
        let reach = chosen(&[occurrence]);
        ExemptionRequest {
            id: ExemptionId::of_returned(id(1), occurrence),
            returned_from: Some(id(1)),
            ..request(1, reach)
        }
    };
    let many = |from, to| ExemptionEvent::Returned { requests: (from..to).map(again).collect() };
    let (state, refusals) = fold(&[
        ("dev", 0, from),
        ("ci", 1, many(0, RETURNED_MAX + 5)),
        ("ci", 2, many(RETURNED_MAX, RETURNED_MAX + 1)),
        ("dev", 3, requested(2)),
    ]);
    assert_eq!((state.by_id.len(), state.returned(at(4))), (RETURNED_MAX + 2, RETURNED_MAX));
    assert!(
        refusals[1].is_none() && refusals[2].as_ref().unwrap().contains("are pending because") && refusals[3].is_none()
    );
}

#[test]
fn an_exemption_whose_end_has_passed_is_not_reopened() {
    let until = request_event(ExemptionRequest { term: Term::Until(at(3 * DAY)), ..request(1, target()) });
    let (_, refusals) = fold(&[("dev", 0, until), ("sec", 1, approved(1)), ("dev", 3 * DAY, reopened(1))]);
    assert!(refusals[2].as_ref().unwrap().contains("request a new one"), "{refusals:?}");
}

#[test]
fn pending_and_rejected_exemptions_are_shown_but_exempt_nothing() {
    let (state, _) = fold(&[("dev", 0, requested(1))]);
    let weighed = weigh(&effective(&state, 1), &[candidate(1, 1, 950, true)]);
    assert_eq!((weighed.coverage, weighed.left.division.new), (Some(Coverage::Pending), 1));
    let (state, _) = fold(&[("dev", 0, requested(1)), ("sec", 1, rejected(1))]);
    assert_eq!(weigh(&effective(&state, 2), &[]).coverage, Some(Coverage::Rejected));
}

#[test]
fn of_several_exemptions_the_one_that_ends_last_is_named() {
    let long = ExemptionRequest { id: id(2), term: Term::Days(90), ..request(1, target()) };
    let endless = ExemptionRequest { id: id(3), term: Term::Unlimited, ..request(1, Reach::Project) };
    let events = [
        ("dev", 0, request_event(endless)),
        ("dev", 0, request_event(long)),
        ("dev", 0, request_event(ExemptionRequest { reach: chosen(&[reviewed(1, 1)]), ..request(1, target()) })),
        ("sec", 1, approved(1)),
        ("sec", 1, approved(2)),
        ("sec", 1, approved(3)),
    ];
    assert_eq!(effective(&fold(&events[1..5]).0, 2).whole_issue(&seen_issue(1)), Some(id(2)));
    assert_eq!(effective(&fold(&events).0, 2).whole_issue(&seen_issue(1)), Some(id(3)));
}

#[test]
fn finished_exemptions_make_room_and_effective_ones_do_not() {
    let mut state = Exemptions::default();
    let numbered = |n: usize| {
        let bytes = u64::try_from(n).unwrap().to_be_bytes();
        let (id, issue) = (ExemptionId::derived("test", &[&bytes]), IssueId::derived("test", &[&bytes]));
        ExemptionRequest { id, issue, ..request(1, target()) }
    };
    for n in 0..EXEMPTIONS_MAX {
        let request = request_event(numbered(n));
        state.apply(1, &entry(u64::try_from(n).unwrap(), "dev", 0, request)).unwrap();
    }
    let one_more = entry(900_001, "dev", 1, request_event(numbered(EXEMPTIONS_MAX)));
    let refusal = state.apply(2, &one_more).unwrap_err().reason;
    assert!(refusal.contains("5000 exemptions that are pending or approved"), "{refusal}");
    let cancel = ExemptionEvent::Cancelled { exemption: numbered(7).id, comment: String::new(), version: None };
    state.apply(3, &entry(900_002, "dev", 1, cancel)).unwrap();
    let again = entry(900_003, "dev", 1, request_event(numbered(EXEMPTIONS_MAX)));
    assert_eq!(state.apply(4, &again), Ok(()));
    assert!(state.by_id.len() == EXEMPTIONS_MAX && !state.by_id.contains_key(&numbered(7).id));
}

#[test]
fn chosen_occurrences_are_limited_too() {
    let mut state = Exemptions::default();
    let many = |n: u8, count: usize| {
        let occurrence = |at: usize| Reviewed {
            id: OccurrenceId::derived("test", &[&[n], &at.to_be_bytes()]),
            form: Short([0; 16]),
        };
        request_event(request(n, chosen(&(0..count).map(occurrence).collect::<Vec<_>>())))
    };
    assert_eq!(state.apply(1, &entry(1, "dev", 0, many(1, EXEMPTED_OCCURRENCES_TOTAL_MAX))), Ok(()));
    assert!(state.apply(2, &entry(2, "dev", 0, many(2, 1))).is_err());
    assert_eq!(state.apply(3, &entry(3, "sec", 0, rejected(1))), Ok(()));
    assert_eq!(state.apply(4, &entry(4, "dev", 0, many(2, 1))), Ok(()), "a rejected one makes room");
}

#[test]
fn the_list_of_promoted_exemptions_is_limited() {
    let mut state = Promoted::default();
    let pointer = Pointer { project: "shop".parse().unwrap(), issue: issue(1), scanner: "bandit".parse().unwrap() };
    let added = |n: usize| {
        let exemption = ExemptionId::derived("test", &[&n.to_be_bytes()]);
        entry(1, "root", 0, PromotedEvent::Added { exemption, pointer: pointer.clone() })
    };
    assert!((0..PROMOTED_MAX).all(|n| state.apply(1, &added(n)).is_ok()));
    assert!(state.apply(1, &added(PROMOTED_MAX)).is_err() && state.apply(1, &added(0)).is_ok());
}

#[test]
fn the_stored_events_are_pinned() {
    let events = [
        request_event(ExemptionRequest { reach: chosen(&[reviewed(1, 2)]), ..request(1, target()) }),
        granted(1, Some(Reach::Project)),
        rejected(1),
        cancelled(1),
        reopened(1),
        ExemptionEvent::Many { events: vec![approved(1)] },
    ];
    let lines: Vec<_> = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    for (line, event) in lines.iter().zip(&events) {
        assert_eq!(serde_json::from_str::<ExemptionEvent>(line).unwrap(), *event);
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"type":"requested","request":{"id":"01010101010101010101010101010101","issue":"01010101010101010101010101010101","title":"hashlib","scanner":"bandit","severity":"critical","seen":{"scan":"09090909090909090909090909090909","target":"dvpwa","pipeline":"nightly"},"reach":{"scope":"occurrences","target":"dvpwa","occurrences":[{"id":"01010101010101010101010101010101","form":"02020202020202020202020202020202"}]},"term":{"days":7},"reason":"acceptable_risk","text":"not reachable"}}
    {"type":"approved","exemption":"01010101010101010101010101010101","comment":"ok","reach":{"scope":"project"}}
    {"type":"rejected","exemption":"01010101010101010101010101010101","comment":"no"}
    {"type":"cancelled","exemption":"01010101010101010101010101010101","comment":""}
    {"type":"reopened","exemption":"01010101010101010101010101010101","comment":""}
    {"type":"many","events":[{"type":"approved","exemption":"01010101010101010101010101010101","comment":"ok"}]}
    "#);
}

#[test]
fn words_round_trip() {
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
    for scope in Scope::ALL {
        assert_eq!(scope.as_str().parse(), Ok(scope));
        assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
    }
    for status in Status::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    for coverage in Coverage::ALL {
        assert_eq!(serde_json::to_value(coverage).unwrap(), coverage.as_str());
    }
    assert!("Target".parse::<Scope>().is_err() && "canceled".parse::<Status>().is_err());
    assert!(Scope::ALL.is_sorted(), "from the narrowest to the widest");
}
