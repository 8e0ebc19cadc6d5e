//! Accepting a scan, as the reference of the next scans of its variant or without the parts that it lacks, and requests
//! for it.

use super::ScanAnswer;
use domain::accept_request::AcceptRequest;
use domain::accepting::Acceptance;
use domain::ids::{EventId, ScanId};
use serde::{Deserialize, Serialize};

/// The decision to accept a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptBody {
    /// The reason, at most 1,024 characters.
    pub comment: String,
}

/// An accepted scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptedAnswer {
    /// The scan. The next scans of its variant by its tool are compared with it, until a later one is accepted, unless
    /// `missing` has parts.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The time of the decision, RFC 3339.
    pub accepted_at: String,
    /// The reviewer.
    pub accepted_by: String,
    /// The reviewer's reason.
    pub comment: String,
    /// The first of the parts that are no longer expected in reports of the scan's variant and scanner.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
}

/// A request to accept a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptRequestBody {
    /// The reason, at most 1,024 characters.
    pub reason: String,
}

/// The rejection or withdrawal of a request to accept a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptDecisionBody {
    /// A comment, at most 1,024 characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub comment: String,
}

/// A request to accept a scan, with its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptRequestItem {
    /// The scan; the items of every list have an `id`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// The id of the request.
    #[cfg_attr(test, schemars(with = "String"))]
    pub request: EventId,
    /// The scan's target.
    pub target: String,
    /// The scan's variant.
    pub variant: String,
    /// The tool that wrote the scan's report.
    pub scanner: String,
    /// The reason.
    pub reason: String,
    /// The requester.
    pub requested_by: String,
    /// The time of the request, RFC 3339.
    pub requested_at: String,
    /// True if the scan cannot be accepted any more, because a later one was accepted or is complete.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub outdated: bool,
    /// The first of the missing parts that would no longer be expected. If there are none, the scan would be the
    /// reference of the next ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// The number of the scan's new issues that would not be new any more; 0 if parts are missing.
    pub new_issues: u64,
    /// The number of the scan's new occurrences that would not be new any more; 0 if parts are missing.
    pub new_occurrences: u64,
}

impl AcceptRequestItem {
    /// Makes the item of a request. `now` is the effect that an approval has now; absent if it has none any more.
    pub fn new(answer: &ScanAnswer, request: &AcceptRequest, now: Option<Acceptance>) -> Self {
        let missing = answer.report.missing.clone();
        let (new_issues, new_occurrences) = match missing.is_empty() {
            true => (answer.issues.new, answer.occurrences.new),
            false => (0, 0),
        };
        Self {
            id: answer.scan.id,
            request: request.made.event,
            target: request.target.to_string(),
            variant: request.variant.to_string(),
            scanner: answer.scan.scanner.clone(),
            reason: request.reason.clone(),
            requested_by: request.made.by.subject.to_string(),
            requested_at: request.made.at.to_string(),
            outdated: now.is_none(),
            missing,
            new_issues,
            new_occurrences,
        }
    }

    /// The effect of an approval as a sentence.
    pub fn effect(&self) -> String {
        if self.missing.is_empty() {
            let plural = |number: u64, one: &str| match number {
                1 => format!("1 new {one}"),
                number => format!("{number} new {one}s"),
            };
            let (issues, occurrences) = (plural(self.new_issues, "issue"), plural(self.new_occurrences, "occurrence"));
            return format!("The next scans are compared with it: {issues} and {occurrences} are not new any more.");
        }
        format!(
            "The missing parts are no longer expected: {}. Their issues are remediated by the next scan.",
            self.missing.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_is_stated_in_a_sentence() {
        let item = |missing: &[&str], new_issues| AcceptRequestItem {
            id: ScanId::from_bits([1; 16]),
            request: EventId::from_bits([2; 16]),
            target: "web".to_owned(),
            variant: "main".to_owned(),
            scanner: "codeql".to_owned(),
            reason: "why".to_owned(),
            requested_by: "dev".to_owned(),
            requested_at: "2026-11-30T06:00:00.000Z".to_owned(),
            outdated: false,
            missing: missing.iter().map(|part| (*part).to_owned()).collect(),
            new_issues,
            new_occurrences: 2,
        };
        let reference = "The next scans are compared with it: 1 new issue and 2 new occurrences are not new any more.";
        assert_eq!(item(&[], 1).effect(), reference);
        let missing = item(&["codeql/go", "codeql/js"], 0).effect();
        assert!(missing.starts_with("The missing parts are no longer expected: codeql/go, codeql/js."), "{missing}");
    }
}
