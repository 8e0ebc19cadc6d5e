//! Requests to change a target's baseline.

use super::{BaselineBody, EffectiveBaseline};
use domain::baseline_request::BaselineRequest;
use domain::ids::{EventId, ScanId};
use serde::{Deserialize, Serialize};

/// A request to change a target's baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("required" = ["baseline", "reason"])))]
#[serde(deny_unknown_fields)]
pub struct BaselineRequestBody {
    /// The requested baseline; `null` for the default.
    #[serde(deserialize_with = "Option::deserialize")]
    pub baseline: Option<BaselineBody>,
    /// The reason, at most 1,024 characters.
    pub reason: String,
}

/// A decision on a request to change a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaselineDecisionBody {
    /// The id of the request. If another request has replaced it, nothing is decided.
    #[cfg_attr(test, schemars(with = "String"))]
    pub request: EventId,
    /// A comment, at most 1,024 characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub comment: String,
}

/// A pending request to change a target's baseline, with its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineRequestItem {
    /// The target's name; the items of every list have an `id`.
    pub id: String,
    /// The id of the request.
    #[cfg_attr(test, schemars(with = "String"))]
    pub request: EventId,
    /// The requested baseline; absent for the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<BaselineBody>,
    /// The reason.
    pub reason: String,
    /// The requester.
    pub requested_by: String,
    /// The time of the request, RFC 3339.
    pub requested_at: String,
    /// True if the target's baseline has changed since the request, or the default that the request is from or to, so
    /// that it cannot be approved.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub outdated: bool,
    /// The effective baseline now.
    pub now: BaselineEffect,
    /// The effective baseline after an approval.
    pub then: BaselineEffect,
}

/// An effective baseline with its newest complete scan. Comparing the scans of two such baselines
/// (`GET .../scans/{scan}/compare/{other}`) shows which issues would not be new any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineEffect {
    /// The baseline.
    pub baseline: EffectiveBaseline,
    /// The newest complete scan of its variant, by any scanner; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub scan: Option<ScanId>,
}

impl BaselineRequestItem {
    /// Makes the item of a target's pending request.
    pub fn new(
        target: &str,
        request: &BaselineRequest,
        outdated: bool,
        (now, then): (BaselineEffect, BaselineEffect),
    ) -> Self {
        Self {
            id: target.to_owned(),
            request: request.made.event,
            baseline: request.requested.as_ref().map(BaselineBody::from),
            reason: request.reason.clone(),
            requested_by: request.made.by.subject.to_string(),
            requested_at: request.made.at.to_string(),
            outdated,
            now,
            then,
        }
    }
}
