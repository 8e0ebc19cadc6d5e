//! The exemptions of a project as the fold of their journal: which transitions are legal, and who may make them.

use super::{ExemptionEvent, ExemptionRequest, Reach, Reason, Reviewed, Scope, SeenIn, Status, Term};
use crate::event::Entry;
use crate::ids::{EventId, ExemptionId, IssueId, OccurrenceId, ScannerId, Subject, TargetName};
use crate::journal::{Fold, Refusal};
use crate::limits::{BULK_MAX, EXEMPTED_OCCURRENCES_TOTAL_MAX, EXEMPTIONS_MAX, RETURNED_MAX};
use crate::time::Timestamp;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many of the events that took effect an exemption remembers, so that one appended twice by a retry is recognised.
const APPLIED_KEPT: usize = 16;

/// Who did something, when, and by which event of the journal: what they said stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The event's number.
    pub n: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Subject,
}

/// The last decision on an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDecision {
    /// What it led to: approved, rejected or cancelled.
    pub status: Status,
    /// By which event.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What it was granted for, where that is more than was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub granted: Option<Reach>,
    /// Whether somebody approved what they had asked for themselves, as the project then allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub own: bool,
}

/// An exemption with its history folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The issue.
    pub issue: IssueId,
    /// The tool that found it.
    pub scanner: ScannerId,
    /// The issue's level when it was asked for.
    pub severity: Severity,
    /// Where it was seen.
    pub seen: SeenIn,
    /// What it was asked for.
    pub asked: Reach,
    /// How long it holds.
    pub term: Term,
    /// Why, in a word.
    pub reason: Reason,
    /// The exemption that it was returned from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_from: Option<ExemptionId>,
    /// By which event it was asked for.
    pub requested: Stamp,
    /// All who ever asked for it: who opened it again too. None of them may approve it.
    pub askers: BTreeSet<Subject>,
    /// The last decision; absent while pending.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<LastDecision>,
    /// The last events that took effect.
    pub applied: Vec<EventId>,
}

impl Exemption {
    /// How it stands at `now`. The end is judged here and nowhere else, with no job needed.
    pub fn status(&self, now: Timestamp) -> Status {
        match (&self.decision, self.ends()) {
            (None, _) => Status::Pending,
            (Some(_), Some(end)) if end <= now => Status::Expired,
            (Some(decision), _) => decision.status,
        }
    }

    /// When it ends; nothing unless it was approved, or if it has no end.
    pub fn ends(&self) -> Option<Timestamp> {
        self.term.end(self.approval()?.stamp.at)
    }

    /// What it holds for: what it was granted for, or else asked for.
    pub fn reach(&self) -> &Reach {
        self.approval().and_then(|approval| approval.granted.as_ref()).unwrap_or(&self.asked)
    }

    /// When it last changed.
    pub fn changed(&self) -> Timestamp {
        self.decision.as_ref().map_or(self.requested.at, |decision| decision.stamp.at)
    }

    fn approval(&self) -> Option<&LastDecision> {
        self.decision.as_ref().filter(|decision| decision.status == Status::Approved)
    }

    fn occurrences(&self) -> usize {
        self.asked.occurrences().len()
    }

    /// Whether this person asked for it.
    pub fn is_asked_by(&self, subject: &Subject) -> bool {
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
    /// By id.
    pub by_id: BTreeMap<ExemptionId, Exemption>,
}

/// One event as it is applied: what it says, its number, and its envelope.
struct Step<'a> {
    id: EventId,
    stamp: Stamp,
    event: &'a ExemptionEvent,
}

/// What exemptions were before they changed, in the order of the changes: of several events all take effect or none.
#[derive(Default)]
struct Before(Vec<(ExemptionId, Option<Exemption>)>);

impl Before {
    fn put_back(self, state: &mut Exemptions) {
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
        let mut before = Before::default();
        let ExemptionEvent::Many { events } = &entry.event else {
            return self.take(&step(&entry.event), &mut before);
        };
        if events.len() > BULK_MAX {
            let reason = format!("{} at once are too many; at most {BULK_MAX} are allowed", events.len());
            return Err(Refusal::new(reason));
        }
        for (at, event) in (1_usize..).zip(events) {
            if let Err(refusal) = self.take(&step(event), &mut before) {
                before.put_back(self);
                return Err(Refusal::new(format!("number {at}: {refusal}")));
            }
        }
        Ok(())
    }
}

impl Exemptions {
    /// One of these occurrences of a target that is exempted by name at `now`, with its exemption.
    pub fn exempting(
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

    /// The exemptions as they would be if this one were granted at `at` for `reach`, or, without one, taken back.
    pub fn supposing(&self, id: ExemptionId, reach: Option<&Reach>, at: Timestamp) -> Self {
        let mut supposed = self.clone();
        if let Some(held) = supposed.by_id.get_mut(&id) {
            let status = if reach.is_some() { Status::Approved } else { Status::Rejected };
            let stamp = Stamp { at, ..held.requested.clone() };
            held.decision = Some(LastDecision { status, stamp, granted: reach.cloned(), own: false });
        }
        supposed
    }

    fn take(&mut self, step: &Step<'_>, before: &mut Before) -> Result<(), Refusal> {
        match step.event {
            ExemptionEvent::Requested { request } => self.request(step, before, request),
            ExemptionEvent::Returned { requests } => {
                // Each for itself: what there is no room for counts at the gate all the same.
                let taken: Vec<_> = requests.iter().map(|request| self.take_back(step, before, request)).collect();
                let refusal = taken.iter().find_map(|taken| taken.as_ref().err()).cloned();
                if taken.iter().any(Result::is_ok) { Ok(()) } else { refusal.map_or(Ok(()), Err) }
            }
            ExemptionEvent::Approved { exemption, reach, own, .. } => {
                self.approve(step, before, *exemption, reach.as_ref(), *own)
            }
            ExemptionEvent::Rejected { exemption, .. } => {
                self.change(step, before, *exemption, "rejected", &[Status::Pending, Status::Approved], |held, step| {
                    held.decision = Some(decided(step, Status::Rejected));
                })
            }
            ExemptionEvent::Cancelled { exemption, .. } => {
                let from = [Status::Pending, Status::Approved, Status::Rejected, Status::Expired];
                self.change(step, before, *exemption, "cancelled", &from, |held, step| {
                    held.decision = Some(decided(step, Status::Cancelled));
                })
            }
            ExemptionEvent::Reopened { exemption, .. } => {
                let held = self.held(*exemption)?;
                let past = held.term.end(step.stamp.at).filter(|end| *end <= step.stamp.at);
                if let Some(end) = past.filter(|_| !held.applied.contains(&step.id)) {
                    let reason = format!("the exemption's end, {end}, has passed; ask for a new one");
                    return Err(Refusal::new(reason));
                }
                self.change(
                    step,
                    before,
                    *exemption,
                    "opened again",
                    &[Status::Rejected, Status::Expired],
                    |held, step| {
                        held.decision = None;
                        held.askers.insert(step.stamp.by.clone());
                    },
                )
            }
            ExemptionEvent::Many { .. } => Err(Refusal::new("several events can't be one of several")),
        }
    }

    fn request(&mut self, step: &Step<'_>, before: &mut Before, request: &ExemptionRequest) -> Result<(), Refusal> {
        if let Some(held) = self.by_id.get(&request.id) {
            let again = held.applied.contains(&step.id);
            return if again { Ok(()) } else { Err(Refusal::new("an exemption of this id is there already")) };
        }
        if request.reach.scope() == Scope::Account {
            return Err(Refusal::new("an exemption for the whole installation is granted, and can't be asked for"));
        }
        let same = |held: &&Exemption| held.issue == request.issue && held.asked == request.reach;
        let pending = |held: &Exemption| held.status(step.stamp.at) == Status::Pending;
        if let Some((id, _)) = self.by_id.iter().find(|(_, held)| same(held) && pending(held)) {
            return Err(Refusal::new(format!("exemption {id} asks for the same and is pending")));
        }
        self.make_room(step.stamp.at, before, request.reach.occurrences().len())?;
        self.add(before, request.id, asked_for(step, request, BTreeSet::from([step.stamp.by.clone()])));
        Ok(())
    }

    /// Occurrences of an exemption are to be judged anew. They are asked for once for each form that they take, in the name
    /// of those who asked before: whoever uploaded the report is not the one who wants it.
    fn take_back(&mut self, step: &Step<'_>, before: &mut Before, request: &ExemptionRequest) -> Result<(), Refusal> {
        if let Some(held) = self.by_id.get(&request.id) {
            let again = held.applied.contains(&step.id);
            return if again { Ok(()) } else { Err(Refusal::new("it was asked for in this form before")) };
        }
        let from = request.returned_from.and_then(|id| self.by_id.get(&id));
        let from = from.ok_or_else(|| Refusal::new("the exemption that it comes from is not known"))?;
        let (askers, by) = (from.askers.clone(), from.requested.by.clone());
        if self.returned(step.stamp.at) >= RETURNED_MAX {
            let reason = format!("{RETURNED_MAX} exemptions are pending because code was edited or moved");
            return Err(Refusal::new(reason));
        }
        self.make_room(step.stamp.at, before, request.reach.occurrences().len())?;
        let mut exemption = asked_for(step, request, askers);
        exemption.requested.by = by;
        self.add(before, request.id, exemption);
        Ok(())
    }

    /// How many are pending because code was edited or moved.
    pub fn returned(&self, now: Timestamp) -> usize {
        let pending = |held: &&Exemption| held.returned_from.is_some() && held.status(now) == Status::Pending;
        self.by_id.values().filter(pending).count()
    }

    fn add(&mut self, before: &mut Before, id: ExemptionId, exemption: Exemption) {
        before.0.push((id, None));
        self.by_id.insert(id, exemption);
    }

    fn approve(
        &mut self,
        step: &Step<'_>,
        before: &mut Before,
        id: ExemptionId,
        reach: Option<&Reach>,
        own_allowed: bool,
    ) -> Result<(), Refusal> {
        let held = self.held(id)?;
        if held.applied.contains(&step.id) {
            return Ok(());
        }
        let from = [Status::Pending, Status::Rejected, Status::Expired];
        legal(held, step, "approved", &from)?;
        let (asked, granted) = (held.asked.scope(), reach.map(Reach::scope));
        if granted.is_some_and(|granted| granted <= asked) {
            return Err(Refusal::new(format!("it was asked for at the scope {asked}; grant that or a wider one")));
        }
        let own = held.is_asked_by(&step.stamp.by);
        if own && !own_allowed {
            return Err(Refusal::new(format!("`{}` requested the exemption and can't approve it", step.stamp.by)));
        }
        if let Some(end) = held.term.end(step.stamp.at).filter(|end| *end <= step.stamp.at) {
            return Err(Refusal::new(format!("the exemption's end, {end}, has passed, and it can't be approved")));
        }
        let decision = LastDecision { granted: reach.cloned(), own, ..decided(step, Status::Approved) };
        self.change(step, before, id, "approved", &from, |held, _| held.decision = Some(decision))
    }

    fn change(
        &mut self,
        step: &Step<'_>,
        before: &mut Before,
        id: ExemptionId,
        verb: &str,
        from: &[Status],
        change: impl FnOnce(&mut Exemption, &Step<'_>),
    ) -> Result<(), Refusal> {
        let held = self.by_id.get_mut(&id).ok_or_else(|| unknown(id))?;
        if held.applied.contains(&step.id) {
            return Ok(());
        }
        legal(held, step, verb, from)?;
        before.0.push((id, Some(held.clone())));
        change(held, step);
        held.remember(step.id);
        Ok(())
    }

    fn held(&self, id: ExemptionId) -> Result<&Exemption, Refusal> {
        self.by_id.get(&id).ok_or_else(|| unknown(id))
    }

    /// Forgets exemptions that are over, until there is room for one more that names so many occurrences.
    fn make_room(&mut self, now: Timestamp, before: &mut Before, occurrences: usize) -> Result<(), Refusal> {
        if occurrences == 0 && self.by_id.len() < EXEMPTIONS_MAX {
            return Ok(());
        }
        let mut total = self.by_id.values().map(Exemption::occurrences).sum::<usize>().saturating_add(occurrences);
        if self.by_id.len() < EXEMPTIONS_MAX && total <= EXEMPTED_OCCURRENCES_TOTAL_MAX {
            return Ok(());
        }
        let over = |status| matches!(status, Status::Cancelled | Status::Rejected | Status::Expired);
        let mut closed: Vec<_> = self.by_id.iter().filter(|(_, held)| over(held.status(now))).collect();
        // The last are forgotten first: cancelled ones, and of others those that were decided longest ago.
        closed.sort_by_key(|(id, held)| (held.status(now) == Status::Cancelled, Reverse(held.changed()), **id));
        let mut closed: Vec<ExemptionId> = closed.into_iter().map(|(id, _)| *id).collect();
        let mut kept = self.by_id.len();
        let mut forgotten = Vec::new();
        while EXEMPTIONS_MAX <= kept || EXEMPTED_OCCURRENCES_TOTAL_MAX < total {
            let Some(id) = closed.pop() else {
                return Err(Refusal::new(format!(
                    "the project has {} exemptions that are pending or approved; at most {EXEMPTIONS_MAX}, for {EXEMPTED_OCCURRENCES_TOTAL_MAX} occurrences named one by one, are allowed",
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

fn asked_for(step: &Step<'_>, request: &ExemptionRequest, askers: BTreeSet<Subject>) -> Exemption {
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
    }
}

fn decided(step: &Step<'_>, status: Status) -> LastDecision {
    LastDecision { status, stamp: step.stamp.clone(), granted: None, own: false }
}

fn unknown(id: ExemptionId) -> Refusal {
    Refusal::new(format!("there is no exemption with the id {id}"))
}

fn legal(held: &Exemption, step: &Step<'_>, verb: &str, from: &[Status]) -> Result<(), Refusal> {
    let status = held.status(step.stamp.at);
    if from.contains(&status) {
        return Ok(());
    }
    Err(Refusal::new(format!("the exemption is {status} and can't be {verb}")))
}
