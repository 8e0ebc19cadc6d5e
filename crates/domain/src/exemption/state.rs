//! The exemptions of a project as the fold of their journal: the legal transitions and who may make them.

use super::event::{ExemptionEvent, ExemptionRequest, SourceScan};
use super::judged::{Judged, Marks};
use super::reach::{Reach, Reviewed};
use super::reason::Reason;
use super::scope::Scope;
use super::status::Status;
use super::term::Term;
use super::version::PreviousVersion;
use crate::event::Entry;
use crate::ids::{EventId, ExemptionId, IssueId, OccurrenceId, ScannerId, Subject, TargetName};
use crate::journal::{Fold, Refusal};
use crate::limits::{BULK_MAX, EXEMPTED_OCCURRENCES_TOTAL_MAX, EXEMPTIONS_MAX, RETURNED_MAX};
use crate::time::Timestamp;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The number of effective events that an exemption remembers. A retry may append an event twice; this detects it.
const APPLIED_KEPT: usize = 16;

/// The actor, time and event of a change. What the actor wrote is in the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The event's number in the journal.
    pub n: u64,
    /// The event's time.
    pub at: Timestamp,
    /// The actor.
    pub by: Subject,
}

/// The last decision on an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDecision {
    /// The resulting status: approved, rejected or cancelled.
    pub status: Status,
    /// The decision's event.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The reach for which it was approved, if that is wider than requested.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub granted: Option<Reach>,
    /// True if a requester approved it, as the project then allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub own: bool,
    /// The state of the issue that the reviewer judged, if they saw it in a later scan than that of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub judged: Option<Box<Judged>>,
}

/// An exemption as the fold of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The issue.
    pub issue: IssueId,
    /// The tool that found it.
    pub scanner: ScannerId,
    /// The issue's severity at the time of the request.
    pub severity: Severity,
    /// The scan in which the requester saw the issue.
    pub seen: SourceScan,
    /// The requested reach.
    pub asked: Reach,
    /// The term.
    pub term: Term,
    /// The reason, as one word.
    pub reason: Reason,
    /// The exemption that this one returned from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_from: Option<ExemptionId>,
    /// The event of the request.
    pub requested: Stamp,
    /// Everyone who ever requested or reopened it. None of them may approve it.
    pub askers: BTreeSet<Subject>,
    /// The last decision; absent while pending.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<LastDecision>,
    /// The last effective events.
    pub applied: Vec<EventId>,
    /// The event that reopened it; absent if it was never reopened since reopening is recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reopened: Option<Stamp>,
    /// Its version and status before the last change; absent before the first change, or if that was before versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<PreviousVersion>,
    /// The issue's names, and what was known of its exploitation, at the time of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub marks: Option<Marks>,
}

impl Exemption {
    /// Returns the status at `now`. This is the only place that checks the end; no background job is needed.
    pub fn status(&self, now: Timestamp) -> Status {
        match (&self.decision, self.ends()) {
            (None, _) => Status::Pending,
            (Some(_), Some(end)) if end <= now => Status::Expired,
            (Some(decision), _) => decision.status,
        }
    }

    /// Returns the end; nothing if the exemption is not approved or has no end.
    pub fn ends(&self) -> Option<Timestamp> {
        self.term.end(self.approval()?.stamp.at)
    }

    /// Returns the reach: the approved one, or else the requested one.
    pub fn reach(&self) -> &Reach {
        self.approval().and_then(|approval| approval.granted.as_ref()).unwrap_or(&self.asked)
    }

    /// Returns the time of the last change.
    pub fn changed(&self) -> Timestamp {
        self.decision.as_ref().map_or(self.requested.at, |decision| decision.stamp.at)
    }

    /// Returns the last decision if it is an approval.
    pub(super) fn approval(&self) -> Option<&LastDecision> {
        self.decision.as_ref().filter(|decision| decision.status == Status::Approved)
    }

    fn occurrences(&self) -> usize {
        self.asked.occurrences().len()
    }

    /// True if this person requested or reopened it.
    pub fn is_requested_by(&self, subject: &Subject) -> bool {
        self.askers.iter().any(|asker| asker.is_same_person(subject))
    }

    fn remember(&mut self, event: EventId) {
        if self.applied.len() >= APPLIED_KEPT {
            self.applied.remove(0);
        }
        self.applied.push(event);
    }
}

/// The exemptions of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemptions {
    /// The exemptions by id.
    pub by_id: BTreeMap<ExemptionId, Exemption>,
}

/// One event while it is applied.
struct Step<'a> {
    id: EventId,
    stamp: Stamp,
    event: &'a ExemptionEvent,
}

/// The exemptions before they were changed, in the order of the changes, to undo a group of events of which one is
/// refused.
#[derive(Default)]
struct UndoLog(Vec<(ExemptionId, Option<Exemption>)>);

impl UndoLog {
    fn restore(self, state: &mut Exemptions) {
        for (id, was) in self.0.into_iter().rev() {
            match was {
                Some(was) => state.by_id.insert(id, was),
                None => state.by_id.remove(&id),
            };
        }
    }
}

impl Fold for Exemptions {
    type Event = ExemptionEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, n: u64, entry: &Entry<ExemptionEvent>) -> Result<(), Refusal> {
        let step = |event| Step { id: entry.id, stamp: Stamp { n, at: entry.at, by: entry.by.subject.clone() }, event };
        let mut before = UndoLog::default();
        let ExemptionEvent::Many { events } = &entry.event else {
            return self.apply_one(&step(&entry.event), &mut before);
        };
        if events.len() > BULK_MAX {
            let reason = format!("{} events are too many for one group; at most {BULK_MAX} are allowed", events.len());
            return Err(Refusal::new(reason));
        }
        for (at, event) in (1_usize..).zip(events) {
            if let Err(refusal) = self.apply_one(&step(event), &mut before) {
                before.restore(self);
                return Err(Refusal { reason: format!("number {at}: {refusal}"), ..refusal });
            }
        }
        Ok(())
    }
}

impl Exemptions {
    /// Returns one of these occurrences of a target that is individually exempted at `now`, with its exemption.
    pub fn find_exempted(
        &self,
        occurrences: &[Reviewed],
        target: &TargetName,
        now: Timestamp,
    ) -> Option<(OccurrenceId, ExemptionId)> {
        let mut in_force = self
            .by_id
            .iter()
            .filter(|(_, held)| held.status(now) == Status::Approved && held.reach().target() == Some(target));
        in_force.find_map(|(id, held)| {
            let held = held.reach().occurrences();
            let both = occurrences.iter().find(|wanted| held.iter().any(|held| held.id == wanted.id))?;
            Some((both.id, *id))
        })
    }

    /// True if this event changed an exemption. Each remembers its last events only.
    pub fn has_applied(&self, event: EventId) -> bool {
        self.by_id.values().any(|held| held.applied.contains(&event))
    }

    /// Returns the exemptions as they would be if this one were approved at `at` for `reach`, or, without a reach,
    /// revoked.
    pub fn simulate(&self, id: ExemptionId, reach: Option<&Reach>, at: Timestamp) -> Self {
        let mut supposed = self.clone();
        if let Some(held) = supposed.by_id.get_mut(&id) {
            let status = if reach.is_some() { Status::Approved } else { Status::Rejected };
            let stamp = Stamp { at, ..held.requested.clone() };
            held.decision = Some(LastDecision { status, stamp, granted: reach.cloned(), own: false, judged: None });
        }
        supposed
    }

    fn apply_one(&mut self, step: &Step<'_>, before: &mut UndoLog) -> Result<(), Refusal> {
        match step.event {
            ExemptionEvent::Requested { request } => self.request(step, before, request),
            ExemptionEvent::Returned { requests } => {
                // Each separately: a request beyond the limit has no effect, and its code counts at the gate.
                let taken: Vec<_> =
                    requests.iter().map(|request| self.return_to_review(step, before, request)).collect();
                let refusal = taken.iter().find_map(|taken| taken.as_ref().err()).cloned();
                if taken.iter().any(Result::is_ok) { Ok(()) } else { refusal.map_or(Ok(()), Err) }
            }
            ExemptionEvent::Approved { exemption, reach, own, version, judged, .. } => {
                self.check_version(step, *exemption, *version)?;
                let granted = (reach.as_ref(), judged.as_deref());
                self.approve(step, before, *exemption, granted, *own)
            }
            ExemptionEvent::Rejected { exemption, version, .. } => {
                self.check_version(step, *exemption, *version)?;
                self.change(step, before, *exemption, "rejected", &[Status::Pending, Status::Approved], |held, step| {
                    held.decision = Some(decided(step, Status::Rejected));
                })
            }
            ExemptionEvent::Cancelled { exemption, version, .. } => {
                self.check_version(step, *exemption, *version)?;
                let from = [Status::Pending, Status::Approved, Status::Rejected, Status::Expired];
                self.change(step, before, *exemption, "withdrawn", &from, |held, step| {
                    held.decision = Some(decided(step, Status::Cancelled));
                })
            }
            ExemptionEvent::Reopened { exemption, version, .. } => {
                self.check_version(step, *exemption, *version)?;
                let held = self.held(*exemption)?;
                let past = held.term.end(step.stamp.at).filter(|end| *end <= step.stamp.at);
                if let Some(end) = past.filter(|_| !held.applied.contains(&step.id)) {
                    let reason = format!("the exemption's end, {end}, has passed; request a new one");
                    return Err(Refusal::new(reason));
                }
                self.change(step, before, *exemption, "reopened", &[Status::Rejected, Status::Expired], |held, step| {
                    held.decision = None;
                    held.reopened = Some(step.stamp.clone());
                    held.askers.insert(step.stamp.by.clone());
                })
            }
            ExemptionEvent::Many { .. } => Err(Refusal::new("a group of events cannot contain another group")),
        }
    }

    fn request(&mut self, step: &Step<'_>, before: &mut UndoLog, request: &ExemptionRequest) -> Result<(), Refusal> {
        if let Some(held) = self.by_id.get(&request.id) {
            let again = held.applied.contains(&step.id);
            return if again { Ok(()) } else { Err(Refusal::new("an exemption with this id already exists")) };
        }
        if request.reach.scope() == Scope::Account {
            return Err(Refusal::new(
                "the scope `account` cannot be requested; a reviewer can approve a request at it",
            ));
        }
        let same = |held: &&Exemption| held.issue == request.issue && held.asked == request.reach;
        let pending = |held: &Exemption| held.status(step.stamp.at) == Status::Pending;
        if let Some((id, _)) = self.by_id.iter().find(|(_, held)| same(held) && pending(held)) {
            return Err(Refusal::new(format!("exemption {id} requests the same and is pending")));
        }
        self.make_room(step.stamp.at, before, request.reach.occurrences().len())?;
        self.add(before, request.id, requested(step, request, BTreeSet::from([step.stamp.by.clone()])));
        Ok(())
    }

    /// Returns occurrences of an exemption to review, once for each of their forms, or the exemption itself, once for
    /// what its issue has become, in the name of the earlier requesters. The uploader of the report is not the
    /// requester.
    fn return_to_review(
        &mut self,
        step: &Step<'_>,
        before: &mut UndoLog,
        request: &ExemptionRequest,
    ) -> Result<(), Refusal> {
        if let Some(held) = self.by_id.get(&request.id) {
            let again = held.applied.contains(&step.id);
            return if again {
                Ok(())
            } else {
                Err(Refusal::new("the exemption was returned to review for the same change before"))
            };
        }
        let from = request.returned_from.and_then(|id| self.by_id.get(&id));
        let from = from.ok_or_else(|| Refusal::new("the exemption that it returns from is missing"))?;
        let (askers, by) = (from.askers.clone(), from.requested.by.clone());
        if self.returned(step.stamp.at) >= RETURNED_MAX {
            let reason =
                format!("{RETURNED_MAX} exemptions are pending because they were returned to review, the maximum");
            return Err(Refusal::new(reason));
        }
        self.make_room(step.stamp.at, before, request.reach.occurrences().len())?;
        let mut exemption = requested(step, request, askers);
        exemption.requested.by = by;
        self.add(before, request.id, exemption);
        Ok(())
    }

    /// Returns the number of exemptions that are pending because they were returned to review.
    pub fn returned(&self, now: Timestamp) -> usize {
        let pending = |held: &&Exemption| held.returned_from.is_some() && held.status(now) == Status::Pending;
        self.by_id.values().filter(pending).count()
    }

    fn add(&mut self, before: &mut UndoLog, id: ExemptionId, exemption: Exemption) {
        before.0.push((id, None));
        self.by_id.insert(id, exemption);
    }

    fn approve(
        &mut self,
        step: &Step<'_>,
        before: &mut UndoLog,
        id: ExemptionId,
        (reach, judged): (Option<&Reach>, Option<&Judged>),
        own_allowed: bool,
    ) -> Result<(), Refusal> {
        let held = self.held(id)?;
        if held.applied.contains(&step.id) {
            return Ok(());
        }
        let from = [Status::Pending, Status::Rejected, Status::Expired];
        check_transition(held, step, "approved", &from)?;
        let (asked, granted) = (held.asked.scope(), reach.map(Reach::scope));
        if granted.is_some_and(|granted| granted <= asked) {
            return Err(Refusal::new(format!(
                "it was requested at the scope `{asked}`; approve it at that scope or a wider one"
            )));
        }
        let own = held.is_requested_by(&step.stamp.by);
        if own && !own_allowed {
            return Err(Refusal::new(format!("`{}` requested the exemption and cannot approve it", step.stamp.by)));
        }
        if let Some(end) = held.term.end(step.stamp.at).filter(|end| *end <= step.stamp.at) {
            return Err(Refusal::new(format!("the exemption's end, {end}, has passed, so it cannot be approved")));
        }
        let judged = judged.cloned().map(Box::new);
        let decision = LastDecision { granted: reach.cloned(), own, judged, ..decided(step, Status::Approved) };
        self.change(step, before, id, "approved", &from, |held, _| held.decision = Some(decision))
    }

    fn change(
        &mut self,
        step: &Step<'_>,
        before: &mut UndoLog,
        id: ExemptionId,
        verb: &str,
        from: &[Status],
        change: impl FnOnce(&mut Exemption, &Step<'_>),
    ) -> Result<(), Refusal> {
        let held = self.by_id.get_mut(&id).ok_or_else(|| unknown(id))?;
        if held.applied.contains(&step.id) {
            return Ok(());
        }
        check_transition(held, step, verb, from)?;
        before.0.push((id, Some(held.clone())));
        let previous = PreviousVersion { version: held.version(), status: held.status(step.stamp.at) };
        change(held, step);
        held.before = Some(previous);
        held.remember(step.id);
        Ok(())
    }

    fn check_version(&self, step: &Step<'_>, id: ExemptionId, version: Option<u64>) -> Result<(), Refusal> {
        self.held(id)?.check_version(version, step.id)
    }

    fn held(&self, id: ExemptionId) -> Result<&Exemption, Refusal> {
        self.by_id.get(&id).ok_or_else(|| unknown(id))
    }

    /// Forgets exemptions that are over, until there is room for one more with this number of individual occurrences.
    fn make_room(&mut self, now: Timestamp, before: &mut UndoLog, occurrences: usize) -> Result<(), Refusal> {
        if occurrences == 0 && self.by_id.len() < EXEMPTIONS_MAX {
            return Ok(());
        }
        let mut total = self.by_id.values().map(Exemption::occurrences).sum::<usize>().saturating_add(occurrences);
        if self.by_id.len() < EXEMPTIONS_MAX && total <= EXEMPTED_OCCURRENCES_TOTAL_MAX {
            return Ok(());
        }
        let over = |status| matches!(status, Status::Cancelled | Status::Rejected | Status::Expired);
        let mut closed: Vec<_> = self.by_id.iter().filter(|(_, held)| over(held.status(now))).collect();
        // `pop` takes the last: withdrawn ones first, then those whose decision is oldest.
        closed.sort_by_key(|(id, held)| (held.status(now) == Status::Cancelled, Reverse(held.changed()), **id));
        let mut closed: Vec<ExemptionId> = closed.into_iter().map(|(id, _)| *id).collect();
        let mut kept = self.by_id.len();
        let mut forgotten = Vec::new();
        while EXEMPTIONS_MAX <= kept || EXEMPTED_OCCURRENCES_TOTAL_MAX < total {
            let Some(id) = closed.pop() else {
                return Err(Refusal::new(format!(
                    "the project has {} exemptions that are pending or approved; at most {EXEMPTIONS_MAX}, with {EXEMPTED_OCCURRENCES_TOTAL_MAX} individual occurrences, are allowed",
                    kept
                )));
            };
            total = total.saturating_sub(self.by_id.get(&id).map_or(0, Exemption::occurrences));
            kept -= 1;
            forgotten.push(id);
        }
        before.0.extend(forgotten.into_iter().map(|id| (id, self.by_id.remove(&id))));
        Ok(())
    }
}

fn requested(step: &Step<'_>, request: &ExemptionRequest, askers: BTreeSet<Subject>) -> Exemption {
    Exemption {
        issue: request.issue,
        scanner: request.scanner.clone(),
        severity: request.severity,
        seen: request.seen.clone(),
        asked: request.reach.clone(),
        term: request.term,
        reason: request.reason,
        returned_from: request.returned_from,
        requested: step.stamp.clone(),
        askers,
        decision: None,
        applied: vec![step.id],
        reopened: None,
        before: None,
        marks: request.marks.clone(),
    }
}

fn decided(step: &Step<'_>, status: Status) -> LastDecision {
    LastDecision { status, stamp: step.stamp.clone(), granted: None, own: false, judged: None }
}

fn unknown(id: ExemptionId) -> Refusal {
    Refusal::new(format!("exemption {id} does not exist"))
}

fn check_transition(held: &Exemption, step: &Step<'_>, verb: &str, from: &[Status]) -> Result<(), Refusal> {
    let status = held.status(step.stamp.at);
    if from.contains(&status) {
        return Ok(());
    }
    Err(Refusal::new(format!("the exemption is {status} and cannot be {verb}")))
}
