//! Exemptions: permission to leave an issue be, requested by a developer, decided by SecOps, ending by itself.
//!
//! The state is the fold of the target's exemption journal. Nothing here lasts for ever, and nobody approves their own.

use crate::event::{Entry, Mark};
use crate::ids::{EventId, ExemptionId, IssueId, TargetName};
use crate::journal::{Fold, Refusal};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Why an exemption is asked for: the reference product's six reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Something else keeps the weakness from being used.
    CompensatingControls,
    /// The use is intended and harmless.
    AcceptableUse,
    /// The risk is known and taken.
    AcceptableRisk,
    /// The scanner is wrong.
    FalsePositive,
    /// There is no fix yet.
    FixUnavailable,
    /// What the text says.
    Other,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::CompensatingControls,
        Self::AcceptableUse,
        Self::AcceptableRisk,
        Self::FalsePositive,
        Self::FixUnavailable,
        Self::Other,
    ];

    /// The reason as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CompensatingControls => "compensating_controls",
            Self::AcceptableUse => "acceptable_use",
            Self::AcceptableRisk => "acceptable_risk",
            Self::FalsePositive => "false_positive",
            Self::FixUnavailable => "fix_unavailable",
            Self::Other => "other",
        }
    }
}

/// A word that names no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no reason; use one of compensating_controls, acceptable_use, acceptable_risk, false_positive, fix_unavailable, other",
    .0.escape_default()
)]
pub struct UnknownReason(String);

impl FromStr for Reason {
    type Err = UnknownReason;
    fn from_str(value: &str) -> Result<Self, UnknownReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == value).ok_or_else(|| UnknownReason(value.to_owned()))
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionRequest {
    /// The exemption.
    pub id: ExemptionId,
    /// The issue, with all its occurrences, those to come included.
    pub issue: IssueId,
    /// The issue's title when it was asked for, for whoever decides.
    pub title: String,
    /// The target in which it is to be left be.
    pub target: TargetName,
    /// How long, in days from the approval.
    pub duration_days: u32,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub text: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
}

/// What can happen to an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ExemptionEvent {
    /// It was asked for.
    Requested {
        /// What for.
        request: ExemptionRequest,
    },
    /// It was granted; the clock starts.
    Approved {
        /// Which.
        exemption: ExemptionId,
        /// What the reviewer said.
        comment: String,
    },
    /// It was refused, or taken back by a reviewer.
    Rejected {
        /// Which.
        exemption: ExemptionId,
        /// What the reviewer said.
        comment: String,
    },
    /// It was withdrawn; it stays in the list, and counts no more.
    Cancelled {
        /// Which.
        exemption: ExemptionId,
        /// Why, if they said.
        comment: String,
    },
}

/// How an exemption stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked for, not decided.
    Pending,
    /// In force.
    Approved,
    /// Refused or taken back.
    Rejected,
    /// Was in force until its end.
    Expired,
    /// Withdrawn.
    Cancelled,
}

impl Status {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Cancelled];

    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no status; use one of pending, approved, rejected, expired, cancelled", .0.escape_default())]
pub struct UnknownStatus(String);

impl FromStr for Status {
    type Err = UnknownStatus;
    fn from_str(value: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == value).ok_or_else(|| UnknownStatus(value.to_owned()))
    }
}

/// The last decision on an exemption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What it led to: approved, rejected or cancelled.
    pub status: Status,
    /// What was said.
    pub comment: String,
    /// Who and when.
    pub mark: Mark,
}

/// An exemption with its history folded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exemption {
    /// What was asked for.
    pub request: ExemptionRequest,
    /// Who asked, and when.
    pub requested: Mark,
    /// The last decision; absent while pending.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decision>,
    /// The events that took effect, so that one appended twice by a retry is recognised.
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

    /// When it ends, once approved.
    pub fn ends(&self) -> Option<Timestamp> {
        let approval = self.decision.as_ref().filter(|decision| decision.status == Status::Approved)?;
        Some(approval.mark.at.plus_days(self.request.duration_days))
    }

    /// What stands against `event` by `mark`'s actor at that time, if anything.
    fn refusal(&self, event: &ExemptionEvent, mark: &Mark) -> Option<Refusal> {
        let status = self.status(mark.at);
        let (verb, allowed) = match event {
            ExemptionEvent::Requested { .. } => ("requested again", false),
            ExemptionEvent::Approved { .. } => {
                ("approved", matches!(status, Status::Pending | Status::Rejected | Status::Expired))
            }
            ExemptionEvent::Rejected { .. } => ("rejected", matches!(status, Status::Pending | Status::Approved)),
            ExemptionEvent::Cancelled { .. } => ("cancelled", status != Status::Cancelled),
        };
        if !allowed {
            return Some(Refusal::new(format!("the exemption is {status} and can't be {verb}")));
        }
        let own = self.requested.by.subject == mark.by.subject;
        (own && matches!(event, ExemptionEvent::Approved { .. }))
            .then(|| Refusal::new(format!("`{}` requested the exemption and can't approve it", mark.by.subject)))
    }
}

/// The exemptions of one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exemptions {
    /// By id.
    pub by_id: BTreeMap<ExemptionId, Exemption>,
}

impl Exemptions {
    /// The exempted issues at `now`, each with the exemption that covers it; of several the one that ends last.
    pub fn covering(&self, now: Timestamp) -> BTreeMap<IssueId, ExemptionId> {
        let mut in_force: Vec<_> = self.in_force(now).collect();
        in_force.sort_by_key(|(id, exemption)| (exemption.ends(), **id));
        in_force.into_iter().map(|(id, exemption)| (exemption.request.issue, *id)).collect()
    }

    /// All that are in force at `now`.
    fn in_force(&self, now: Timestamp) -> impl Iterator<Item = (&ExemptionId, &Exemption)> {
        self.by_id.iter().filter(move |(_, exemption)| exemption.status(now) == Status::Approved)
    }
}

impl Fold for Exemptions {
    type Event = ExemptionEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, _n: u64, entry: &Entry<ExemptionEvent>) -> Result<(), Refusal> {
        let mark = entry.mark();
        let (id, decided) = match &entry.event {
            ExemptionEvent::Requested { request } => (request.id, None),
            ExemptionEvent::Approved { exemption, comment } => (*exemption, Some((Status::Approved, comment))),
            ExemptionEvent::Rejected { exemption, comment } => (*exemption, Some((Status::Rejected, comment))),
            ExemptionEvent::Cancelled { exemption, comment } => (*exemption, Some((Status::Cancelled, comment))),
        };
        match (self.by_id.get_mut(&id), &entry.event) {
            (Some(held), _) if held.applied.contains(&entry.id) => Ok(()),
            (Some(held), event) => {
                if let Some(refusal) = held.refusal(event, &mark) {
                    return Err(refusal);
                }
                if let Some((status, comment)) = decided {
                    held.decision = Some(Decision { status, comment: comment.clone(), mark });
                    held.applied.push(entry.id);
                }
                Ok(())
            }
            (None, ExemptionEvent::Requested { request }) => {
                let exemption =
                    Exemption { request: request.clone(), requested: mark, decision: None, applied: vec![entry.id] };
                self.by_id.insert(id, exemption);
                Ok(())
            }
            (
                None,
                ExemptionEvent::Approved { .. } | ExemptionEvent::Rejected { .. } | ExemptionEvent::Cancelled { .. },
            ) => Err(Refusal::new(format!("there is no exemption with the id {id}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::entry;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn id(n: u8) -> ExemptionId {
        ExemptionId::from_bits([n; 16])
    }

    fn issue(n: u8) -> IssueId {
        IssueId::from_bits([n; 16])
    }

    fn requested(n: u8) -> ExemptionEvent {
        ExemptionEvent::Requested {
            request: ExemptionRequest {
                id: id(n),
                issue: issue(n),
                title: "hashlib".to_owned(),
                target: "dvpwa".parse().unwrap(),
                duration_days: 7,
                reason: Reason::AcceptableRisk,
                text: "not reachable".to_owned(),
                link: None,
            },
        }
    }

    fn approved(n: u8) -> ExemptionEvent {
        ExemptionEvent::Approved { exemption: id(n), comment: "ok".to_owned() }
    }
    fn rejected(n: u8) -> ExemptionEvent {
        ExemptionEvent::Rejected { exemption: id(n), comment: "no".to_owned() }
    }
    fn cancelled(n: u8) -> ExemptionEvent {
        ExemptionEvent::Cancelled { exemption: id(n), comment: String::new() }
    }

    /// Folds `(who, when in ms, what)` and answers the state and each event's refusal.
    fn fold(events: &[(&str, i64, ExemptionEvent)]) -> (Exemptions, Vec<Option<String>>) {
        let mut state = Exemptions::default();
        let mut refusals = vec![];
        for (n, (who, at, event)) in (1..).zip(events) {
            refusals.push(state.apply(n, &entry(n, who, *at, event.clone())).err().map(|refusal| refusal.reason));
        }
        (state, refusals)
    }

    #[test]
    fn the_clock_starts_at_approval_and_the_end_is_judged_when_asked() {
        let (state, _) = fold(&[("dev", 0, requested(1)), ("sec", 5 * DAY, approved(1))]);
        let at = |ms| Timestamp::from_ms(ms);
        assert_eq!(state.covering(at(5 * DAY)).get(&issue(1)), Some(&id(1)));
        assert_eq!(state.covering(at(12 * DAY - 1)).get(&issue(1)), Some(&id(1)));
        assert_eq!(state.covering(at(12 * DAY)).get(&issue(1)), None);
        assert_eq!(state.by_id[&id(1)].status(at(12 * DAY)), Status::Expired);
        assert_eq!(state.covering(at(5 * DAY)).get(&issue(2)), None, "another issue is not covered");
    }

    #[test]
    fn only_an_approved_one_covers() {
        for events in [
            vec![("dev", 0, requested(1))],
            vec![("dev", 0, requested(1)), ("sec", 0, rejected(1))],
            vec![("dev", 0, requested(1)), ("sec", 0, approved(1)), ("sec", 1, rejected(1))],
            vec![("dev", 0, requested(1)), ("sec", 0, approved(1)), ("dev", 1, cancelled(1))],
        ] {
            assert_eq!(fold(&events).0.covering(Timestamp::from_ms(2)).get(&issue(1)), None, "{events:?}");
        }
    }

    #[test]
    fn nobody_approves_their_own() {
        let (state, refusals) = fold(&[("dev", 0, requested(1)), ("dev", 1, approved(1))]);
        assert_eq!(refusals[1].as_deref(), Some("`dev` requested the exemption and can't approve it"));
        assert_eq!(state.by_id[&id(1)].status(Timestamp::from_ms(2)), Status::Pending);
        let (_, refusals) = fold(&[("dev", 0, requested(1)), ("dev", 1, cancelled(1))]);
        assert_eq!(refusals[1], None, "withdrawing one's own is fine");
    }

    #[test]
    fn each_transition_is_legal_or_refused_by_name() {
        // From each state: how it is reached, then which of approve, reject, cancel are legal.
        let cases = [
            (Status::Pending, vec![], [true, true, true]),
            (Status::Approved, vec![approved(1)], [false, true, true]),
            (Status::Rejected, vec![rejected(1)], [true, false, true]),
            (Status::Cancelled, vec![cancelled(1)], [false, false, false]),
        ];
        for (from, way, legal) in cases {
            for (event, legal) in [approved(1), rejected(1), cancelled(1)].into_iter().zip(legal) {
                let mut events = vec![("dev", 0, requested(1))];
                events.extend(way.iter().map(|event| ("sec", 1, event.clone())));
                events.push(("sec", 2, event.clone()));
                let refusal = fold(&events).1.pop().unwrap();
                assert_eq!(refusal.is_none(), legal, "{from} then {event:?}: {refusal:?}");
                if let Some(refusal) = refusal {
                    assert!(refusal.contains(from.as_str()), "{refusal}");
                }
            }
        }
        let (_, refusals) = fold(&[("dev", 0, requested(1)), ("sec", 0, approved(1)), ("sec", 8 * DAY, approved(1))]);
        assert_eq!(refusals[2], None, "an expired one can be approved anew");
        assert_eq!(
            fold(&[("sec", 0, approved(1))]).1[0].as_deref(),
            Some(format!("there is no exemption with the id {}", id(1)).as_str())
        );
    }

    #[test]
    fn an_event_appended_twice_counts_once() {
        let mut state = Exemptions::default();
        let twice = entry(1, "dev", 0, requested(1));
        assert_eq!((state.apply(1, &twice), state.apply(2, &twice)), (Ok(()), Ok(())));
        let approval = entry(3, "sec", 1, approved(1));
        assert_eq!((state.apply(3, &approval), state.apply(4, &approval)), (Ok(()), Ok(())));
        assert_eq!(state.by_id[&id(1)].applied.len(), 2);
    }
}
