//! Events of exemptions.

use super::judged::{Judged, Marks};
use super::reach::{Reach, Reviewed};
use super::reason::Reason;
use super::term::Term;
use crate::ids::{ExemptionId, IssueId, PipelineName, ScanId, ScannerId, TargetName};
use finding::severity::Severity;
use serde::{Deserialize, Serialize};

/// The scan in which the requester saw the issue.
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

/// A request for an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionRequest {
    /// The exemption's id.
    pub id: ExemptionId,
    /// The issue.
    pub issue: IssueId,
    /// The issue's title at the time of the request, for the reviewer.
    pub title: String,
    /// The tool that found the issue.
    pub scanner: ScannerId,
    /// The issue's severity at the time of the request.
    pub severity: Severity,
    /// The scan in which the requester saw the issue.
    pub seen: SourceScan,
    /// The requested reach.
    pub reach: Reach,
    /// The requested term.
    pub term: Term,
    /// The reason, as one word.
    pub reason: Reason,
    /// The reason, as free text.
    pub text: String,
    /// A link to more information.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// The exemption that these occurrences had until their code was edited or moved, or that the issue had until it
    /// became worse than what was judged. They return to review.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_from: Option<ExemptionId>,
    /// The issue's names, and what was known of its exploitation, at the time of the request. Requests of earlier
    /// versions do not have them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub marks: Option<Marks>,
    /// The change of the issue because of which the exemption returns to review, in words. If it is absent, the code of
    /// the occurrences was edited or moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_because: Option<String>,
}

/// An event of an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ExemptionEvent {
    /// It was requested.
    Requested {
        /// The request.
        request: Box<ExemptionRequest>,
    },
    /// It was approved; the term starts.
    Approved {
        /// Its id.
        exemption: ExemptionId,
        /// The reviewer's comment.
        comment: String,
        /// The reach for which it was approved, if that is wider than requested.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reach: Option<Reach>,
        /// True if the project allowed requesters to approve their own exemptions.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        own: bool,
        /// The exemption's version that the decision was made on, see
        /// [`Exemption::version`](super::Exemption::version). Without it, the decision is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
        /// The state of the issue that the reviewer judged, if they saw it in a later scan than that of the request.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        judged: Option<Box<Judged>>,
    },
    /// It was rejected, or its approval was revoked.
    Rejected {
        /// Its id.
        exemption: ExemptionId,
        /// The reviewer's comment.
        comment: String,
        /// The exemption's version that the decision was made on, see
        /// [`Exemption::version`](super::Exemption::version). Without it, the decision is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// It was withdrawn. It stays in the list, without effect.
    Cancelled {
        /// Its id.
        exemption: ExemptionId,
        /// The reason, if one was given.
        comment: String,
        /// The exemption's version that the decision was made on, see
        /// [`Exemption::version`](super::Exemption::version). Without it, the decision is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// It was reopened: requested again, unchanged.
    Reopened {
        /// Its id.
        exemption: ExemptionId,
        /// The reason, if one was given.
        comment: String,
        /// The exemption's version that the decision was made on, see
        /// [`Exemption::version`](super::Exemption::version). Without it, the decision is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// The code of exempted occurrences was edited or moved, or exempted issues are worse than what was judged: they
    /// return to review, in the name of the earlier requesters.
    Returned {
        /// The requests; each names the exemption that it returns from.
        requests: Vec<ExemptionRequest>,
    },
    /// Several events, of which all take effect or none.
    Many {
        /// The events in their order.
        events: Vec<ExemptionEvent>,
    },
}

impl ExemptionEvent {
    /// Returns the request for this exemption, if the event has one.
    pub fn request_for(&self, id: ExemptionId) -> Option<&ExemptionRequest> {
        match self {
            Self::Requested { request } => Some(&**request).filter(|request| request.id == id),
            Self::Returned { requests } => requests.iter().find(|request| request.id == id),
            Self::Many { events } => events.iter().find_map(|event| event.request_for(id)),
            Self::Approved { .. } | Self::Rejected { .. } | Self::Cancelled { .. } | Self::Reopened { .. } => None,
        }
    }

    /// Returns the comment of a decision on this exemption, if the event has one; of several the last.
    pub fn comment_on(&self, id: ExemptionId) -> Option<&str> {
        match self {
            Self::Approved { exemption, comment, .. }
            | Self::Rejected { exemption, comment, .. }
            | Self::Cancelled { exemption, comment, .. }
            | Self::Reopened { exemption, comment, .. } => (*exemption == id).then_some(comment.as_str()),
            Self::Many { events } => events.iter().rev().find_map(|event| event.comment_on(id)),
            Self::Requested { .. } | Self::Returned { .. } => None,
        }
    }
}

impl ExemptionId {
    /// Derives the id of the request that returns an occurrence of this exemption to review; one for each form.
    pub fn of_returned(from: Self, occurrence: Reviewed) -> Self {
        let fields: [&[u8]; 3] = [&from.short().0, &occurrence.id.short().0, &occurrence.form.0];
        Self::derived("v1:exemption:returned", &fields)
    }

    /// Derives the id of the request that returns this exemption to review because the issue became worse than what was
    /// judged; one for each severity, set of names and marks.
    pub fn of_outgrown(from: Self, now: &Judged) -> Self {
        let marks = now.marks.clone().unwrap_or_default();
        let ids: Vec<[u8; 16]> = marks.names.iter().map(|name| name.short().0).collect();
        let (from, exploited) = (from.short().0, [u8::from(marks.known_exploited)]);
        let words = [now.severity.as_str(), marks.epss.as_str()].map(str::as_bytes);
        let fields: Vec<&[u8]> =
            [&from[..], &exploited].into_iter().chain(words).chain(ids.iter().map(<[u8; 16]>::as_slice)).collect();
        Self::derived("v1:exemption:outgrown", &fields)
    }
}
