//! The decisions on an exemption: their names, the right that each needs, and the event that records each.

use super::{Exemption, ExemptionEvent, Reach};
use crate::ids::{ExemptionId, Subject};
use crate::project::Settings;
use crate::role::Right;
use std::fmt;
use std::str::FromStr;

/// A decision on an exemption. Its names in paths and bodies are `approve`, `reject`, `cancel` and `reopen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Approves the request; the term starts.
    Approve,
    /// Rejects a pending request, or revokes an approval.
    Reject,
    /// Withdraws the exemption. It cannot be reopened.
    Withdraw,
    /// Requests a rejected or expired exemption again, unchanged.
    Reopen,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Reject, Self::Withdraw, Self::Reopen];

    /// The decision as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "cancel",
            Self::Reopen => "reopen",
        }
    }

    /// The decision with this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == name)
    }

    /// The right that the decision needs.
    pub fn right(self) -> Right {
        match self {
            Self::Approve | Self::Reject => Right::Decide,
            Self::Withdraw | Self::Reopen => Right::Develop,
        }
    }

    /// The event that records the decision. `granted` and `own` count for an approval only, see
    /// [`ExemptionEvent::Approved`].
    pub fn event(self, exemption: ExemptionId, comment: String, granted: Option<Reach>, own: bool) -> ExemptionEvent {
        match self {
            Self::Approve => ExemptionEvent::Approved { exemption, comment, reach: granted, own },
            Self::Reject => ExemptionEvent::Rejected { exemption, comment },
            Self::Withdraw => ExemptionEvent::Cancelled { exemption, comment },
            Self::Reopen => ExemptionEvent::Reopened { exemption, comment },
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not the name of a decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a decision; expected one of `approve`, `reject`, `cancel`, `reopen`", .0.escape_default())]
pub struct UnknownDecision(String);

impl FromStr for Decision {
    type Err = UnknownDecision;
    fn from_str(value: &str) -> Result<Self, UnknownDecision> {
        Self::named(value).ok_or_else(|| UnknownDecision(value.to_owned()))
    }
}

impl Exemption {
    /// True if the reviewer requested the exemption and the project's settings let requesters approve.
    pub fn is_self_approval(&self, reviewer: &Subject, settings: &Settings) -> bool {
        settings.self_approval && self.is_asked_by(reviewer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::exemption;
    use super::*;

    #[test]
    fn decisions_are_read_as_they_are_written() {
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
        let event = |decision: Decision| decision.event(id, "why".to_owned(), Some(Reach::Project), true);
        let comment = "why".to_owned();
        let approved = ExemptionEvent::Approved {
            exemption: id,
            comment: comment.clone(),
            reach: Some(Reach::Project),
            own: true,
        };
        assert_eq!(event(Decision::Approve), approved);
        assert_eq!(
            event(Decision::Reject),
            ExemptionEvent::Rejected { exemption: id, comment: comment.clone() },
            "an approval is revoked by the same event"
        );
        assert_eq!(event(Decision::Withdraw), ExemptionEvent::Cancelled { exemption: id, comment: comment.clone() });
        assert_eq!(event(Decision::Reopen), ExemptionEvent::Reopened { exemption: id, comment });
    }

    #[test]
    fn an_approval_is_the_requesters_own_only_where_the_project_allows_it() {
        let exemption = exemption(Reach::Project);
        let own = |reviewer: &str, self_approval| {
            exemption.is_self_approval(&reviewer.parse().unwrap(), &Settings { self_approval, ..Settings::default() })
        };
        assert!(own("dev", true) && own(" DEV", true));
        assert!(!own("dev", false) && !own("sec", true));
    }
}
