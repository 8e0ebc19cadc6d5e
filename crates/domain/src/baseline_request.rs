//! A developer's request to change a target's baseline, and a reviewer's decision. The baseline decides what is new, so
//! it takes two people, as an exemption does.

use crate::baseline::{BaselineChoice, BaselineSource, ChosenBaseline};
use crate::change_decision::{ChangeDecision, PendingChange};
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
    /// The default for the target's type at the time of the request; absent if the request is neither from it nor to
    /// it, and in requests of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default: Option<DefaultBaseline>,
    /// The requester's reason.
    pub reason: String,
    /// The requester, the time and the event.
    pub made: Mark,
}

/// The default baseline for a type of target, in its stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultBaseline {
    /// The baseline.
    pub choice: BaselineChoice,
    /// The project or the program.
    pub origin: BaselineSource,
}

impl From<ChosenBaseline> for DefaultBaseline {
    fn from(chosen: ChosenBaseline) -> Self {
        let choice = chosen.baseline.map_or(BaselineChoice::None, BaselineChoice::Of);
        Self { choice, origin: chosen.origin }
    }
}

/// The baselines that decide what a request means: the target's own one, and the default for its type.
#[derive(Debug, Clone)]
pub struct BaselinesNow<'a> {
    /// The target's own baseline; absent for the default.
    pub own: Option<&'a BaselineChoice>,
    /// The default for its type.
    pub default: ChosenBaseline,
}

impl BaselineRequest {
    /// Makes a request to change these baselines.
    pub fn new(now: BaselinesNow<'_>, requested: Option<BaselineChoice>, reason: String, made: Mark) -> Self {
        let is_for_default = now.own.is_none() || requested.is_none();
        let default = is_for_default.then(|| now.default.into());
        Self { requested, current: now.own.cloned(), default, reason, made }
    }

    /// True if the baselines are those that the requester saw: the target's own one, and, if the request is from the
    /// default or to it, the default.
    pub fn is_current(&self, now: &BaselinesNow<'_>) -> bool {
        let default = || DefaultBaseline::from(now.default.clone());
        self.current.as_ref() == now.own && self.default.as_ref().is_none_or(|held| *held == default())
    }

    /// Checks that a person may make a decision, given the baselines now.
    ///
    /// # Errors
    /// As [`PendingChange::check`].
    pub fn check(&self, decision: ChangeDecision, by: &Subject, now: &BaselinesNow<'_>) -> Result<(), Refusal> {
        let (requester, current) = (&self.made.by.subject, self.is_current(now));
        PendingChange { requester, what: "the baseline or its default has", current }.check(decision, by)
    }
}
