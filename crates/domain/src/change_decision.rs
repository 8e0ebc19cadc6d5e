//! A decision on a request to change a baseline or settings, or to accept a scan: what is decided, and by whom.

use crate::ids::Subject;
use crate::journal::Refusal;
use crate::word_enum::word_enum;

word_enum! {
    /// A decision on a request to change a baseline or settings, or to accept a scan.
    pub enum ChangeDecision: "a decision" {
        /// Approves the request: what it names changes, or is accepted.
        Approve = "approve",
        /// Rejects it.
        Reject = "reject",
        /// Withdraws it.
        Withdraw = "withdraw",
    }
}

/// A pending request, as far as it matters for who may decide it and how.
#[derive(Debug, Clone, Copy)]
pub struct PendingChange<'a> {
    /// The requester.
    pub requester: &'a Subject,
    /// The thing that would change, with its verb: "the settings have".
    pub what: &'static str,
    /// True if what would change is still as the requester saw it.
    pub current: bool,
}

impl PendingChange<'_> {
    /// Checks that a person may make a decision. The project's setting `self_approval` is for exemptions only.
    ///
    /// # Errors
    /// The requester approves or rejects, somebody else withdraws, or an approved request is outdated.
    pub fn check(&self, decision: ChangeDecision, by: &Subject) -> Result<(), Refusal> {
        let own = self.requester.is_same_person(by);
        match decision {
            ChangeDecision::Approve if own => {
                Err(Refusal::new(format!("`{by}` requested the change and cannot approve it")))
            }
            ChangeDecision::Reject if own => Err(Refusal::new(format!(
                "`{by}` requested the change and cannot reject it; withdraw the request instead"
            ))),
            ChangeDecision::Approve if !self.current => Err(Refusal::new(format!(
                "{} changed since the request; reject the request, and request the change again",
                self.what
            ))),
            ChangeDecision::Withdraw if !own => Err(Refusal::new(format!(
                "`{}` requested the change, and only the requester can withdraw it; a reviewer can reject it",
                self.requester
            ))),
            ChangeDecision::Approve | ChangeDecision::Reject | ChangeDecision::Withdraw => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_person_approves_or_rejects_and_the_requester_withdraws() {
        let requester: Subject = "dev".parse().unwrap();
        let [approve, reject, withdraw] = ChangeDecision::ALL;
        let check = |decision, by: &str, current| {
            let pending = PendingChange { requester: &requester, what: "the settings have", current };
            pending.check(decision, &by.parse().unwrap()).map_err(|refusal| refusal.reason)
        };
        for own in ["dev", " DEV", "d\u{435}v", "d\u{200b}ev"] {
            assert!(check(approve, own, true).unwrap_err().contains("cannot approve it"), "{own:?}");
            assert!(check(reject, own, true).unwrap_err().contains("withdraw the request instead"), "{own:?}");
            assert_eq!([true, false].map(|current| check(withdraw, own, current)), [Ok(()), Ok(())], "{own:?}");
        }
        assert_eq!([approve, reject].map(|decision| check(decision, "sec", true)), [Ok(()), Ok(())]);
        assert!(check(withdraw, "sec", true).unwrap_err().contains("only the requester can withdraw it"));
        assert!(check(approve, "sec", false).unwrap_err().starts_with("the settings have changed since the request"));
        assert_eq!(check(reject, "sec", false), Ok(()), "what is outdated can still be rejected");
    }
}
