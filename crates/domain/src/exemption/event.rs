//! What can happen to an exemption.

use super::reach::{Reach, Reviewed};
use super::reason::Reason;
use super::term::Term;
use crate::ids::{ExemptionId, IssueId, PipelineName, ScanId, ScannerId, TargetName};
use finding::severity::Severity;
use serde::{Deserialize, Serialize};

/// The scan in which an issue was seen by whoever asks for its exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceScan {
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
    pub seen: SourceScan,
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
