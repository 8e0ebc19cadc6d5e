//! The decisions on an exemption: their names, the right that each needs, and the event that records each.

use super::event::ExemptionEvent;
use super::reach::Reach;
use super::state::Exemption;
use crate::ids::{ExemptionId, Subject};
use crate::role::Right;
use crate::settings::Settings;
use crate::word_enum::word_enum;

word_enum! {
    /// A decision on an exemption.
    pub enum Decision: "a decision" {
        /// Approves the request; the term starts.
        Approve = "approve",
        /// Rejects a pending request, or revokes an approval.
        Reject = "reject",
        /// Withdraws the exemption. It cannot be reopened.
        Withdraw = "cancel",
        /// Requests a rejected or expired exemption again, unchanged.
        Reopen = "reopen",
    }
}

impl Decision {
    /// The right that the decision needs.
    pub fn right(self) -> Right {
        match self {
            Self::Approve | Self::Reject => Right::Decide,
            Self::Withdraw | Self::Reopen => Right::Develop,
        }
    }

    /// The event that records the decision on this version of an exemption, or, without one, on any. `granted` and
    /// `own` count for an approval only, see [`ExemptionEvent::Approved`].
    pub fn event(
        self,
        exemption: ExemptionId,
        comment: String,
        granted: Option<Reach>,
        own: bool,
        version: Option<u64>,
    ) -> ExemptionEvent {
        match self {
            Self::Approve => {
                ExemptionEvent::Approved { exemption, comment, reach: granted, own, version, judged: None }
            }
            Self::Reject => ExemptionEvent::Rejected { exemption, comment, version },
            Self::Withdraw => ExemptionEvent::Cancelled { exemption, comment, version },
            Self::Reopen => ExemptionEvent::Reopened { exemption, comment, version },
        }
    }
}

/// A refused withdrawal: a developer did not request the exemption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{by}` did not request the exemption and cannot end it; `{requester}`, who requested it, can withdraw it, and a reviewer \
     (secops or admin) can reject or revoke it"
)]
pub struct NotRequested {
    by: Subject,
    requester: Subject,
}

impl Exemption {
    /// Checks that a person may withdraw the exemption, which ends it for good: one who requested or reopened it, or a
    /// reviewer.
    ///
    /// # Errors
    /// The person is neither.
    pub fn check_withdrawal(&self, by: &Subject, is_reviewer: bool) -> Result<(), NotRequested> {
        if is_reviewer || self.is_requested_by(by) {
            return Ok(());
        }
        Err(NotRequested { by: by.clone(), requester: self.requested.by.clone() })
    }

    /// True if the reviewer requested the exemption and the project's settings let requesters approve.
    pub fn is_self_approval(&self, reviewer: &Subject, settings: &Settings) -> bool {
        settings.self_approval && self.is_requested_by(reviewer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::exemption;
    use super::*;

    #[test]
    fn decisions_round_trip() {
        for decision in Decision::ALL {
            assert_eq!(decision.as_str().parse(), Ok(decision));
        }
        for other in ["revoke", "withdraw", "Approve", ""] {
            assert!(other.parse::<Decision>().is_err(), "{other}");
        }
        let error = "burn\n".parse::<Decision>().unwrap_err().to_string();
        assert_eq!(error, "`burn\\n` is not a decision; expected one of `approve`, `reject`, `cancel`, `reopen`");
    }

    #[test]
    fn reviewers_approve_and_reject_and_developers_withdraw_and_reopen() {
        let rights = Decision::ALL.map(Decision::right);
        assert_eq!(rights, [Right::Decide, Right::Decide, Right::Develop, Right::Develop]);
    }

    #[test]
    fn only_the_event_of_an_approval_has_a_reach() {
        let id = ExemptionId::from_bits([1; 16]);
        let event = |decision: Decision| decision.event(id, "why".to_owned(), Some(Reach::Project), true, Some(4));
        let comment = "why".to_owned();
        let approved = ExemptionEvent::Approved {
            exemption: id,
            comment: comment.clone(),
            reach: Some(Reach::Project),
            own: true,
            version: Some(4),
            judged: None,
        };
        assert_eq!(event(Decision::Approve), approved);
        assert_eq!(
            event(Decision::Reject),
            ExemptionEvent::Rejected { exemption: id, comment: comment.clone(), version: Some(4) },
            "an approval is revoked by the same event"
        );
        assert_eq!(
            event(Decision::Withdraw),
            ExemptionEvent::Cancelled { exemption: id, comment: comment.clone(), version: Some(4) }
        );
        assert_eq!(event(Decision::Reopen), ExemptionEvent::Reopened { exemption: id, comment, version: Some(4) });
    }

    #[test]
    fn requesters_withdraw_their_own_and_reviewers_any() {
        let exemption = exemption(Reach::Project);
        let check = |by: &str, is_reviewer| exemption.check_withdrawal(&by.parse().unwrap(), is_reviewer);
        assert_eq!([check("dev", false), check(" DEV", false), check("sec", true)], [Ok(()), Ok(()), Ok(())]);
        let refused = check("eve", false).unwrap_err().to_string();
        assert!(refused.starts_with("`eve` did not request the exemption and cannot end it; `dev`, who"), "{refused}");
    }

    #[test]
    fn self_approval_needs_the_projects_permission() {
        let exemption = exemption(Reach::Project);
        let own = |reviewer: &str, self_approval| {
            exemption.is_self_approval(&reviewer.parse().unwrap(), &Settings { self_approval, ..Settings::default() })
        };
        assert!(own("dev", true) && own(" DEV", true));
        assert!(!own("dev", false) && !own("sec", true));
    }
}
