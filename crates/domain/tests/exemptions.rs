//! Compares the fold of the exemptions' journal with a simple model, over random sequences of events: both refuse the
//! same events, and after each event all exemptions have the same version, the same status at every time, and exempt
//! the same.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot continue has failed")]

#[path = "../../../tests/tests/integration/model/book.rs"]
mod book;

use book::{Act, Book, Place, Reach, Term};
use domain::digest::Short;
use domain::event::{Actor, Entry};
use domain::exemption::{
    self, Coverage, ExemptibleIssue, ExemptibleOccurrence, ExemptionEvent, ExemptionRequest, Exemptions, Marks, Reason,
    Reviewed,
};
use domain::exemption::{SourceScan, Status};
use domain::ids::{EventId, ExemptionId, IssueId, OccurrenceId, PipelineName, ScanId, TargetName};
use domain::journal::Fold as _;
use domain::role::Role;
use domain::time::Timestamp;
use finding::severity::Severity;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 24 * 60 * 60 * 1000;
const EXEMPTIONS: [&str; 5] = ["e1", "e2", "e3", "e4", "e5"];
const ISSUES: [&str; 2] = ["i1", "i2"];
const OCCURRENCES: [&str; 3] = ["o1", "o2", "o3"];
const TARGETS: [&str; 2] = ["web", "api"];
const PIPELINES: [&str; 2] = ["nightly", "release"];
/// Two of these are the same person.
const PEOPLE: [&str; 4] = ["ann", " Ann", "bob", "cy"];

/// One event of a sequence.
#[derive(Debug, Clone)]
enum Step {
    /// A person acts, some time after the previous step. `seen`: the version that each decision is made on, as the
    /// number of changes since; absent for any version.
    Acts { who: &'static str, after: i64, acts: Vec<(String, Act)>, together: bool, seen: Option<usize> },
    /// A retry appends an earlier event again.
    Again { back: usize, after: i64 },
}

fn text(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(choices).prop_map(str::to_owned)
}

fn any_reach() -> impl Strategy<Value = Reach> {
    let chosen = subsequence(&OCCURRENCES, 1..=2).prop_map(|some| some.into_iter().map(str::to_owned).collect());
    prop_oneof![
        (text(&TARGETS), chosen).prop_map(|(target, chosen)| Reach::Chosen(target, chosen)),
        text(&TARGETS).prop_map(Reach::Target),
        text(&PIPELINES).prop_map(Reach::Pipeline),
        Just(Reach::Project),
        Just(Reach::Account),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    let term = prop_oneof![
        (1..4_i64).prop_map(|days| Term::For(days * DAY)),
        (1..20_i64).prop_map(|days| Term::Until(days * DAY)),
        Just(Term::Unlimited),
    ];
    let ask = (text(&ISSUES), any_reach(), term).prop_map(|(issue, reach, term)| Act::Ask { issue, reach, term });
    let approve = (proptest::option::weighted(0.4, any_reach()), proptest::bool::weighted(0.2))
        .prop_map(|(wider, own_allowed)| Act::Approve { wider, own_allowed });
    prop_oneof![4 => ask, 5 => approve, 2 => Just(Act::Reject), 1 => Just(Act::Cancel), 2 => Just(Act::Reopen)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let after = || prop_oneof![3 => Just(0), 2 => 1..DAY, 1 => Just(DAY), 1 => 1..4 * DAY];
    let one = any_act().prop_flat_map(|act| (text(&EXEMPTIONS), Just(act))).prop_map(|one| vec![one]);
    // Each of several events is about another exemption, as the API requires.
    let several = subsequence(&EXEMPTIONS, 1..=3)
        .prop_flat_map(|ids| (Just(ids.clone()), proptest::collection::vec(any_act(), ids.len())))
        .prop_map(|(ids, acts)| ids.into_iter().map(str::to_owned).zip(acts).collect::<Vec<_>>());
    let seen = prop_oneof![4 => Just(None), 4 => Just(Some(0)), 1 => (1..3_usize).prop_map(Some)];
    let acts = prop_oneof![3 => one.prop_map(|acts| (acts, false)), 1 => several.prop_map(|acts| (acts, true))];
    prop_oneof![
        9 => (select(&PEOPLE[..]), after(), acts, seen)
            .prop_map(|(who, after, (acts, together), seen)| Step::Acts { who, after, acts, together, seen }),
        1 => (0..6_usize, after()).prop_map(|(back, after)| Step::Again { back, after }),
    ]
}

fn exemption_id(name: &str) -> ExemptionId {
    ExemptionId::derived("test", &[name.as_bytes()])
}

fn issue_id(name: &str) -> IssueId {
    IssueId::derived("test", &[name.as_bytes()])
}

fn reviewed(issue: &str, name: &str) -> Reviewed {
    Reviewed { id: OccurrenceId::derived("test", &[issue.as_bytes(), name.as_bytes()]), form: Short([7; 16]) }
}

/// Returns the reach of an exemption of this issue in its stored form.
fn stored(issue: &str, reach: &Reach) -> exemption::Reach {
    match reach {
        Reach::Chosen(target, chosen) => {
            let mut occurrences: Vec<_> = chosen.iter().map(|name| reviewed(issue, name)).collect();
            occurrences.sort_unstable();
            exemption::Reach::Occurrences { target: target.parse().unwrap(), occurrences }
        }
        Reach::Target(target) => exemption::Reach::Target { target: target.parse().unwrap() },
        Reach::Pipeline(pipeline) => exemption::Reach::Pipeline { pipeline: pipeline.parse().unwrap() },
        Reach::Project => exemption::Reach::Project,
        Reach::Account => exemption::Reach::Account,
    }
}

fn event(name: &str, act: &Act, version: Option<u64>) -> ExemptionEvent {
    let (exemption, comment) = (exemption_id(name), String::new());
    match act {
        Act::Ask { issue, reach, term } => {
            let request = ExemptionRequest {
                id: exemption,
                issue: issue_id(issue),
                title: "a title".to_owned(),
                scanner: "bandit".parse().unwrap(),
                severity: Severity::High,
                seen: SourceScan { scan: ScanId::from_bits([9; 16]), target: "web".parse().unwrap(), pipeline: None },
                reach: stored(issue, reach),
                term: match term {
                    Term::For(time) => exemption::Term::Days(u32::try_from(time / DAY).unwrap()),
                    Term::Until(end) => exemption::Term::Until(Timestamp::from_ms(*end)),
                    Term::Unlimited => exemption::Term::Unlimited,
                },
                reason: Reason::Other,
                text: "why".to_owned(),
                link: None,
                returned_from: None,
                marks: None,
                returned_because: None,
            };
            ExemptionEvent::Requested { request: Box::new(request) }
        }
        Act::Approve { wider, own_allowed } => {
            // A reach of occurrences is never wider than the requested one, whatever issue they belong to.
            let reach = wider.as_ref().map(|wider| stored("", wider));
            ExemptionEvent::Approved { exemption, comment, reach, own: *own_allowed, version, judged: None }
        }
        Act::Reject => ExemptionEvent::Rejected { exemption, comment, version },
        Act::Cancel => ExemptionEvent::Cancelled { exemption, comment, version },
        Act::Reopen => ExemptionEvent::Reopened { exemption, comment, version },
    }
}

/// An event that was appended, with its meaning for the model, and whether it took effect.
struct Past {
    who: &'static str,
    acts: Vec<(String, Act)>,
    /// The version of each exemption that was decided on, if the decisions name one.
    on: Vec<(String, u64)>,
    entry: Entry<ExemptionEvent>,
    took_effect: bool,
}

/// The model and the fold.
#[derive(Default)]
struct Both {
    book: Book,
    fold: Exemptions,
    now: i64,
    past: Vec<Past>,
    /// The versions of each exemption: the numbers of the events that changed it.
    versions: BTreeMap<String, Vec<u64>>,
}

impl Both {
    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let n = u64::try_from(self.past.len()).unwrap() + 1;
        let next = match step {
            Step::Acts { who, after, acts, together, seen } => {
                self.now += after;
                let version = |id: &String, act: &Act| {
                    let back = seen.filter(|_| !matches!(act, Act::Ask { .. }))?;
                    // Version 0 is never one: events are numbered from 1.
                    Some(self.versions.get(id).and_then(|all| all.iter().rev().nth(back)).copied().unwrap_or(0))
                };
                let mut events: Vec<_> = acts.iter().map(|(id, act)| event(id, act, version(id, act))).collect();
                let on = acts.iter().filter_map(|(id, act)| Some((id.clone(), version(id, act)?))).collect();
                let event = if *together { ExemptionEvent::Many { events } } else { events.remove(0) };
                let subject = who.parse().unwrap();
                let by = Actor { subject, role: Role::Secops, token: None, address: None };
                let id = EventId::derived("test", &[&n.to_be_bytes()]);
                let entry = Entry { v: 1, id, at: Timestamp::from_ms(self.now), by, event };
                Past { who, acts: acts.clone(), on, entry, took_effect: false }
            }
            Step::Again { back, after } => {
                self.now += after;
                let Some(at) = self.past.len().checked_sub(back + 1) else { return Ok(()) };
                let past = &self.past[at];
                let entry = Entry { at: Timestamp::from_ms(self.now), ..past.entry.clone() };
                let took_effect = self.past.iter().any(|past| past.took_effect && past.entry.id == entry.id);
                Past { who: past.who, acts: past.acts.clone(), on: past.on.clone(), entry, took_effect }
            }
        };
        // An event that took effect before has no effect and is accepted. One that was refused is tried again.
        let present = |(id, version): &(String, u64)| self.versions.get(id).and_then(|all| all.last()) == Some(version);
        let fresh = next.on.iter().all(present);
        let changes = !next.took_effect && fresh && self.book.act(next.who, self.now, &next.acts);
        if changes {
            next.acts.iter().for_each(|(id, _)| self.versions.entry(id.clone()).or_default().push(n));
        }
        let expected = next.took_effect || changes;
        let refusal = self.fold.apply(n, &next.entry).err();
        prop_assert_eq!(refusal.is_none(), expected, "event {}: {:?}: {:?}", n, step, refusal);
        let stale = refusal.is_some_and(|refusal| refusal.stale);
        prop_assert!(!stale || !fresh, "event {}: {:?}: it was not stale", n, step);
        self.past.push(Past { took_effect: expected, ..next });
        self.compare()
    }

    /// Returns the times at which a status may change.
    fn times(&self) -> BTreeSet<i64> {
        let ends = self.book.0.values().filter_map(|held| held.end()).flat_map(|end| [end - 1, end]);
        ends.chain([self.now, self.now + 1000 * DAY]).filter(|time| self.now <= *time).collect()
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.fold.by_id.len(), self.book.0.len());
        for time in self.times() {
            for (id, held) in &self.book.0 {
                let folded = &self.fold.by_id[&exemption_id(id)];
                prop_assert_eq!(folded.status(Timestamp::from_ms(time)), held.status(time), "{} at {}", id, time);
                prop_assert_eq!(folded.reach(), &stored(&held.issue, held.reach()), "{}", id);
                prop_assert_eq!(Some(&folded.version()), self.versions[id].last(), "{}", id);
                let decided_by = folded.decision.as_ref().map(|decision| decision.stamp.by.as_str());
                prop_assert_eq!(decided_by, held.decided_by.as_deref(), "{}", id);
            }
            for target in TARGETS {
                for pipeline in [None, Some(PIPELINES[0]), Some(PIPELINES[1])] {
                    self.compare_force(time, Place { target, pipeline })?;
                }
            }
        }
        Ok(())
    }

    fn compare_force(&self, time: i64, place: Place<'_>) -> Result<(), TestCaseError> {
        let target: TargetName = place.target.parse().unwrap();
        let pipeline: Option<PipelineName> = place.pipeline.map(|name| name.parse().unwrap());
        let there = exemption::ScanTarget { target: &target, pipeline: pipeline.as_ref() };
        let force = self.fold.effective(Timestamp::from_ms(time), &there);
        for issue in ISSUES {
            let marks = Marks { names: BTreeSet::from([issue_id(issue)]), ..Marks::default() };
            let severity = Severity::High;
            let seen = ExemptibleIssue { ids: vec![issue_id(issue)], severity, marks, is_vulnerability: true };
            let whole = self.book.whole(time, place, issue);
            // No end is later than any end.
            let last = whole.iter().map(|(_, held)| held.end().unwrap_or(i64::MAX)).max();
            let named = force.whole_issue(&seen);
            let named_end = named.map(|id| force.end(id).map_or(i64::MAX, Timestamp::as_ms));
            prop_assert_eq!(named_end, last, "the one named of {} ends last, in {:?} at {}", issue, place, time);
            prop_assert!(named.is_none_or(|named| whole.iter().any(|(id, _)| exemption_id(id) == named)));
            let has = |status| self.book.has(status, time, place, issue);
            let coverage = match last {
                Some(_) => Some(Coverage::Exempted),
                None if has(Status::Pending) => Some(Coverage::Pending),
                None => has(Status::Rejected).then_some(Coverage::Rejected),
            };
            prop_assert_eq!(force.cover(&seen).finish().coverage, coverage, "{} in {:?} at {}", issue, place, time);
            for occurrence in OCCURRENCES {
                let Reviewed { id, form } = reviewed(issue, occurrence);
                let candidate =
                    ExemptibleOccurrence { id, form, first_form: form, score: None, new: true, updated: false };
                let exempted = force.of_occurrence(&seen, &candidate).is_some();
                let expected = self.book.exempts(time, place, issue, occurrence);
                prop_assert_eq!(exempted, expected, "{} of {} in {:?} at {}", occurrence, issue, place, time);
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_fold_and_the_model_agree_after_every_event(steps in proptest::collection::vec(any_step(), 1..40)) {
        let mut both = Both::default();
        for step in &steps {
            both.step(step)?;
        }
    }
}
