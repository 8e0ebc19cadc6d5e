//! A developer's request to accept a scan, and a reviewer's decision. It takes two people, as an exemption does: what
//! is accepted is not new any more, or no longer expected.

use crate::change_decision::{ChangeDecision, PendingChange};
use crate::event::Mark;
use crate::ids::{Subject, TargetName, VariantName};
use crate::journal::Refusal;
use serde::{Deserialize, Serialize};

/// A pending request. A scan has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptRequest {
    /// The scan's target.
    pub target: TargetName,
    /// The scan's variant.
    pub variant: VariantName,
    /// The requester's reason.
    pub reason: String,
    /// The requester, the time and the event.
    pub made: Mark,
}

impl AcceptRequest {
    /// Checks that a person may make a decision. The project's setting `self_approval` is for exemptions only.
    ///
    /// # Errors
    /// The requester approves or rejects, or somebody else withdraws.
    pub fn check(&self, decision: ChangeDecision, by: &Subject) -> Result<(), Refusal> {
        let requester = &self.made.by.subject;
        PendingChange { requester, what: "the scan has", current: true }.check(decision, by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requester_withdraws_and_another_person_decides() {
        let request = AcceptRequest {
            target: "web".parse().unwrap(),
            variant: "main".parse().unwrap(),
            reason: "why".to_owned(),
            made: crate::testing::entry(1, "dev", 1000, ()).mark(),
        };
        let refused = |decision, by: &str| request.check(decision, &by.parse().unwrap()).err().map(|no| no.reason);
        for own in ["dev", "Dev "] {
            assert!(refused(ChangeDecision::Approve, own).unwrap().contains("cannot approve it"), "{own}");
            assert!(refused(ChangeDecision::Reject, own).unwrap().contains("withdraw the request instead"), "{own}");
            assert_eq!(refused(ChangeDecision::Withdraw, own), None);
        }
        assert!(refused(ChangeDecision::Withdraw, "sec").unwrap().contains("only the requester"));
        assert_eq!(refused(ChangeDecision::Approve, "sec").or(refused(ChangeDecision::Reject, "sec")), None);
    }
}
