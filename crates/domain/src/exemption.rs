//! Exemptions: permission to leave an issue, or some of its occurrences, be; requested by a developer, decided by somebody
//! else of SecOps, ending by itself.
//!
//! One journal holds all exemptions of a project, whatever their scope, so that many are asked for or decided on by one
//! event, all or none, and a wider grant is one event too. Its fold, [`Exemptions`], keeps what the gate needs; the words of
//! people stay in the events. What holds for a scan is an [`InForce`].
//!
//! An exemption that was granted for the whole installation stays in its project's journal; the journal of [`Promoted`]
//! only tells other projects where to look.

mod decision;
mod force;
mod promoted;
mod requested_reach;
mod state;
mod term_limits;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod words;

pub use decision::{Decision, UnknownDecision};
pub use force::{Candidate, Grant, InForce, Left, Place, Weighed, Weighing};
pub use promoted::{Pointer, Promoted, PromotedEvent};
pub use requested_reach::{ChosenOccurrences, ReachError, RequestedReach};
pub use state::{Exemption, Exemptions, LastDecision, Stamp};
pub use term_limits::TermError;
pub use words::{Coverage, Reason, Scope, Status, UnknownReason, UnknownScope, UnknownStatus};

use crate::digest::Short;
use crate::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScanId, ScannerId, TargetName};
use crate::time::Timestamp;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};

/// An occurrence as it was when somebody judged it: its identity, and the form it had. Code that was edited, or went
/// elsewhere, keeps its identity and has another form, see [`Tracked::form`](crate::comparison::Tracked::form).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reviewed {
    /// Which.
    pub id: OccurrenceId,
    /// In which form.
    pub form: Short,
}

/// What an exemption holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope")]
pub enum Reach {
    /// Some occurrences in one target.
    Occurrences {
        /// The target.
        target: TargetName,
        /// Which, in order.
        occurrences: Vec<Reviewed>,
    },
    /// The issue in one target.
    Target {
        /// The target.
        target: TargetName,
    },
    /// The issue in the scans of one pipeline.
    Pipeline {
        /// The pipeline.
        pipeline: PipelineName,
    },
    /// The issue in the project.
    Project,
    /// The issue in the installation.
    Account,
}

impl Reach {
    /// How wide it is.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Occurrences { .. } => Scope::Occurrences,
            Self::Target { .. } => Scope::Target,
            Self::Pipeline { .. } => Scope::Pipeline,
            Self::Project => Scope::Project,
            Self::Account => Scope::Account,
        }
    }

    /// The one target that it holds for, if it is one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::Occurrences { target, .. } | Self::Target { target } => Some(target),
            Self::Pipeline { .. } | Self::Project | Self::Account => None,
        }
    }

    /// The one pipeline that it holds for, if it is one.
    pub fn pipeline(&self) -> Option<&PipelineName> {
        match self {
            Self::Pipeline { pipeline } => Some(pipeline),
            Self::Occurrences { .. } | Self::Target { .. } | Self::Project | Self::Account => None,
        }
    }

    /// The occurrences that were chosen; none where it is for the whole issue.
    pub fn occurrences(&self) -> &[Reviewed] {
        match self {
            Self::Occurrences { occurrences, .. } => occurrences,
            Self::Target { .. } | Self::Pipeline { .. } | Self::Project | Self::Account => &[],
        }
    }
}

/// How long an exemption holds. The clock starts at the approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// So many days of 24 hours from the approval.
    Days(u32),
    /// Until then.
    Until(Timestamp),
    /// Until it is taken back.
    Unlimited,
}

impl Term {
    /// When it ends if it is approved at `at`; nothing if it has no end.
    pub fn end(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(at.plus_days(days)),
            Self::Until(end) => Some(end),
            Self::Unlimited => None,
        }
    }

    /// What stands against approving it at `at`, where an issue of this level may be exempted for at most `most` days.
    pub fn excess(self, at: Timestamp, most: Option<u32>) -> Option<String> {
        let latest = most.map(|days| at.plus_days(days));
        match (self.end(at), latest) {
            (Some(end), _) if end <= at => Some(format!("its end, {end}, has passed")),
            (Some(end), Some(latest)) if latest < end => {
                Some(format!("it would hold until {end}; at most {} days are allowed", most.unwrap_or_default()))
            }
            (None, Some(_)) => {
                Some(format!("it would have no end; at most {} days are allowed", most.unwrap_or_default()))
            }
            (_, _) => None,
        }
    }
}

/// The scan in which an issue was seen by whoever asks for its exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenIn {
    /// The scan.
    pub scan: ScanId,
    /// Its target.
    pub target: TargetName,
    /// Its pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<PipelineName>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionRequest {
    /// The exemption.
    pub id: ExemptionId,
    /// The issue.
    pub issue: IssueId,
    /// The issue's title when it was asked for, for whoever decides.
    pub title: String,
    /// The tool that found the issue.
    pub scanner: ScannerId,
    /// The issue's level then.
    pub severity: Severity,
    /// Where it was seen.
    pub seen: SeenIn,
    /// What it is to hold for.
    pub reach: Reach,
    /// How long.
    pub term: Term,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub text: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// The exemption whose occurrences these were until their code was edited or moved: they are to be judged anew.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_from: Option<ExemptionId>,
}

/// What can happen to an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ExemptionEvent {
    /// It was asked for.
    Requested {
        /// What for.
        request: Box<ExemptionRequest>,
    },
    /// It was granted; the clock starts.
    Approved {
        /// Which.
        exemption: ExemptionId,
        /// What the reviewer said.
        comment: String,
        /// What it is granted for, where that is more than was asked for.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reach: Option<Reach>,
        /// Whether it is of somebody who asked for it themselves, as the project then allowed.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        own: bool,
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
    /// It is asked for again as it was.
    Reopened {
        /// Which.
        exemption: ExemptionId,
        /// Why, if they said.
        comment: String,
    },
    /// Exempted occurrences were edited or moved: they are asked for anew, in the name of those who asked before.
    Returned {
        /// What for; each says from which exemption it was returned.
        requests: Vec<ExemptionRequest>,
    },
    /// Several of these, of which all take effect or none.
    Many {
        /// Which, in their order.
        events: Vec<ExemptionEvent>,
    },
}

impl ExemptionEvent {
    /// The request for this exemption, if the event is one for it.
    pub fn request_for(&self, id: ExemptionId) -> Option<&ExemptionRequest> {
        match self {
            Self::Requested { request } => Some(&**request).filter(|request| request.id == id),
            Self::Returned { requests } => requests.iter().find(|request| request.id == id),
            Self::Many { events } => events.iter().find_map(|event| event.request_for(id)),
            Self::Approved { .. } | Self::Rejected { .. } | Self::Cancelled { .. } | Self::Reopened { .. } => None,
        }
    }

    /// What was said with a decision on this exemption, if the event is one; of several the last.
    pub fn comment_on(&self, id: ExemptionId) -> Option<&str> {
        match self {
            Self::Approved { exemption, comment, .. }
            | Self::Rejected { exemption, comment }
            | Self::Cancelled { exemption, comment }
            | Self::Reopened { exemption, comment } => (*exemption == id).then_some(comment.as_str()),
            Self::Many { events } => events.iter().rev().find_map(|event| event.comment_on(id)),
            Self::Requested { .. } | Self::Returned { .. } => None,
        }
    }
}

impl ExemptionId {
    /// The id of the request to judge an occurrence of this exemption anew in another form: one for each form.
    pub fn of_returned(from: Self, occurrence: Reviewed) -> Self {
        let fields: [&[u8]; 3] = [&from.short().0, &occurrence.id.short().0, &occurrence.form.0];
        Self::derived("v1:exemption:returned", &fields)
    }
}
