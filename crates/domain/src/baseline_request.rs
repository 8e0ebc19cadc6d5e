//! A developer's request to change a target's baseline, and a reviewer's decision. The baseline decides what is new, so it
//! takes two people, as an exemption does.

use crate::baseline::BaselineChoice;
use crate::change_decision::ChangeDecision;
use crate::event::Mark;
use crate::ids::Subject;
use crate::journal::Refusal;
use serde::{Deserialize, Serialize};

/// A pending request. A target has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineRequest {
    /// The requested baseline; absent for the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requested: Option<BaselineChoice>,
    /// The target's own baseline at the time of the request; absent for the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current: Option<BaselineChoice>,
    /// The requester's reason.
    pub reason: String,
    /// The requester, the time and the event.
    pub made: Mark,
}

impl BaselineRequest {
    /// True if the target's own baseline is the one that the requester saw.
    pub fn is_current(&self, baseline: Option<&BaselineChoice>) -> bool {
        self.current.as_ref() == baseline
    }

    /// Checks that a person may make a decision, given the target's own baseline now. `self_approval` is the project's
    /// setting.
    ///
    /// # Errors
    /// The requester approves, somebody else withdraws, or the baseline has changed since the request.
    pub fn check(
        &self,
        decision: ChangeDecision,
        by: &Subject,
        baseline: Option<&BaselineChoice>,
        self_approval: bool,
    ) -> Result<(), Refusal> {
        let own = self.made.by.subject.is_same_person(by);
        match decision {
            ChangeDecision::Approve if own && !self_approval => {
                Err(Refusal::new(format!("`{by}` requested the change and cannot approve it")))
            }
            ChangeDecision::Approve if !self.is_current(baseline) => Err(Refusal::new(
                "the baseline has changed since the request; reject the request, and request the change again",
            )),
            ChangeDecision::Withdraw if !own => Err(Refusal::new(format!(
                "`{}` requested the change, and only the requester can withdraw it; a reviewer can reject it",
                self.made.by.subject
            ))),
            ChangeDecision::Approve | ChangeDecision::Reject | ChangeDecision::Withdraw => Ok(()),
        }
    }
}
