//! Versions of exemptions: a decision that was made on one version does not take effect on another.

use super::state::{Exemption, Stamp};
use super::status::Status;
use crate::ids::EventId;
use crate::journal::Refusal;
use serde::{Deserialize, Serialize};

/// The state of an exemption before its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousVersion {
    /// The version.
    pub version: u64,
    /// The status at the time of the change.
    pub status: Status,
}

impl Exemption {
    /// Returns the version: the number of the last event that changed it.
    pub fn version(&self) -> u64 {
        self.last_change().1.n
    }

    /// Checks that a decision was made on the present version. The event of a decision that was applied before is
    /// always accepted.
    ///
    /// # Errors
    /// It was made on another version.
    pub fn check_version(&self, version: Option<u64>, event: EventId) -> Result<(), Refusal> {
        let Some(version) = version.filter(|version| *version != self.version() && !self.applied.contains(&event))
        else {
            return Ok(());
        };
        let (change, Stamp { at, by, .. }) = self.last_change();
        let status = match self.before {
            Some(before) if before.version == version => format!("; it was {} when you decided", before.status),
            Some(_) | None => String::new(),
        };
        Err(Refusal::stale(format!("{change} by `{by}` at {at}{status}. Nothing was changed; reload and decide again")))
    }

    /// Returns the event of the last change, and what it did.
    fn last_change(&self) -> (&'static str, &Stamp) {
        match (&self.decision, &self.reopened) {
            (Some(decision), _) if decision.status == Status::Approved => {
                ("the exemption was approved", &decision.stamp)
            }
            (Some(decision), _) if decision.status == Status::Cancelled => {
                ("the exemption was withdrawn", &decision.stamp)
            }
            (Some(decision), _) => match self.before {
                Some(before) if before.status == Status::Approved => {
                    ("the exemption's approval was revoked", &decision.stamp)
                }
                Some(_) | None => ("the exemption was rejected", &decision.stamp),
            },
            (None, Some(stamp)) => ("the exemption was reopened", stamp),
            (None, None) => ("the exemption was requested", &self.requested),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::ExemptionEvent;
    use super::super::reach::Reach;
    use super::super::{Decision, Exemptions};
    use super::*;
    use crate::ids::ExemptionId;
    use crate::journal::Fold as _;
    use crate::testing::entry;

    fn id() -> ExemptionId {
        ExemptionId::from_bits([1; 16])
    }

    /// A pending exemption of version 1, as an older program stored it.
    fn requested() -> Exemptions {
        Exemptions { by_id: [(id(), super::super::testing::exemption(Reach::Project))].into() }
    }

    fn decide(
        state: &mut Exemptions,
        n: u64,
        by: &str,
        decision: Decision,
        version: Option<u64>,
    ) -> Result<(), Refusal> {
        let event = decision.event(id(), String::new(), None, false, version);
        state.apply(n, &entry(n, by, 1000, event))
    }

    #[test]
    fn a_decision_on_an_older_version_changes_nothing_and_says_what_happened() {
        let mut state = requested();
        assert_eq!(state.by_id[&id()].version(), 1);
        decide(&mut state, 4, "sam", Decision::Reject, Some(1)).unwrap();
        let before = state.clone();
        let refusal = decide(&mut state, 5, "kim", Decision::Approve, Some(1)).unwrap_err();
        assert_eq!(
            refusal.reason,
            "the exemption was rejected by `sam` at 1970-01-01T00:00:01.000Z; it was pending when you decided. Nothing was changed; reload and decide again"
        );
        assert!(refusal.stale && state == before);
        assert_eq!(state.by_id[&id()].version(), 4);
        decide(&mut state, 6, "kim", Decision::Approve, Some(4)).unwrap();
        decide(&mut state, 7, "sam", Decision::Reject, None).unwrap();
        let refusal = decide(&mut state, 8, "kim", Decision::Withdraw, Some(4)).unwrap_err();
        assert!(
            refusal.reason.starts_with("the exemption's approval was revoked by `sam` at 1970-01-01T00:00:01.000Z. ")
        );
    }

    #[test]
    fn a_request_that_was_rejected_and_reopened_has_another_version() {
        let mut state = requested();
        decide(&mut state, 2, "sam", Decision::Reject, None).unwrap();
        decide(&mut state, 3, "dev", Decision::Reopen, Some(2)).unwrap();
        let refusal = decide(&mut state, 4, "kim", Decision::Approve, Some(1)).unwrap_err();
        assert!(refusal.stale && refusal.reason.starts_with("the exemption was reopened by `dev` at "), "{refusal}");
        decide(&mut state, 5, "kim", Decision::Approve, Some(3)).unwrap();
        assert_eq!(state.by_id[&id()].version(), 5);
    }

    #[test]
    fn a_repeated_decision_is_not_stale() {
        let mut state = requested();
        let event = entry(2, "sam", 1000, Decision::Reject.event(id(), String::new(), None, false, Some(1)));
        assert_eq!((state.apply(2, &event), state.apply(3, &event)), (Ok(()), Ok(())));
    }

    #[test]
    fn of_several_decisions_none_takes_effect_if_one_is_stale() {
        let mut state = requested();
        let mut other = state.by_id[&id()].clone();
        other.requested.n = 2;
        state.by_id.insert(ExemptionId::from_bits([2; 16]), other);
        let before = state.clone();
        let decision = |n: u8, version| {
            Decision::Reject.event(ExemptionId::from_bits([n; 16]), String::new(), None, false, Some(version))
        };
        let event = ExemptionEvent::Many { events: vec![decision(1, 1), decision(2, 1)] };
        let refusal = state.apply(3, &entry(3, "sam", 1000, event)).unwrap_err();
        assert!(
            refusal.stale && refusal.reason.starts_with("number 2: the exemption was requested by `dev`"),
            "{refusal}"
        );
        assert_eq!(state, before);
    }

    #[test]
    fn an_exemption_stored_before_versions_is_still_read() {
        let stored = serde_json::to_value(&requested().by_id[&id()]).unwrap();
        assert!(stored.get("reopened").is_none() && stored.get("before").is_none(), "{stored}");
        assert_eq!(serde_json::from_value::<Exemption>(stored).unwrap(), requested().by_id[&id()]);
    }
}
