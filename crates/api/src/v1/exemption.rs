//! Exemptions: requests, decisions, lists and previews.

use super::{Scan, Tally};
use domain::exemption::{Coverage, EpssBand, Exemption, Reason, Scope, Status, Term};
use domain::gate::{AppliedThresholds, Judgement};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, ScanId};
use domain::time::Timestamp;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request for an exemption. It must set exactly one of `duration_days`, `until` and `unlimited`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExemptionBody {
    /// The issue's id.
    pub issue: String,
    /// `occurrences`: selected occurrences in one target. `target`: the issue in one target, with future occurrences.
    /// `pipeline`: the issue in all scans of one pipeline. `project`: the issue in the whole project.
    pub scope: String,
    /// The target; not needed if `scan` is set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// A scan that has the issue. Default: the target's newest scan with the issue.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan: Option<String>,
    /// The pipeline, for the scope `pipeline`. Default: the scan's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The ids of 1 to 500 occurrences of that scan, for the scope `occurrences`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub occurrences: Vec<String>,
    /// If all occurrences of the issue are selected: exempts the issue in the target instead, with future occurrences.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub future_occurrences: bool,
    /// The duration in days from the approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_days: Option<u32>,
    /// The end: a time (RFC 3339), or a date, which means the end of that day in UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// True for an exemption without an end, if the project allows it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unlimited: bool,
    /// The kind of reason: `compensating_controls`, `acceptable_use`, `acceptable_risk`, `false_positive`,
    /// `fix_unavailable` or `other`.
    pub reason: String,
    /// The reason in the requester's words.
    pub text: String,
    /// A link to more information; it begins with `http://` or `https://`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
}

/// Requests for several exemptions. If one is refused, none is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestsBody {
    /// 1 to 100 requests.
    pub requests: Vec<ExemptionBody>,
}

/// A decision on an exemption.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// The reviewer's comment.
    #[serde(default)]
    pub comment: String,
    /// For an approval: a scope that is wider than the requested one. Only an account admin can approve for `account`,
    /// which means all projects of the installation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// The pipeline, for the scope `pipeline`. Default: that of the scan in the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The version that the decision is made on: the exemption's `version` as the reviewer saw it. If it has changed
    /// since, the answer is 412 and nothing happens. Default: any version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
    /// For an approval: the scan in which the reviewer saw the issue. The approval is then for the severity, the names
    /// and the marks of exploitation that the issue has there, too. Default: for those of the request alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan: Option<String>,
}

/// One of several decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkDecision {
    /// The exemption's id.
    pub id: String,
    /// `approve`, `reject`, `cancel` or `reopen`.
    pub decision: String,
    /// The reviewer's comment.
    #[serde(default)]
    pub comment: String,
    /// As in a single decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// As in a single decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// As in a single decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
    /// For an approval: the scan in which the reviewer saw the issue.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan: Option<String>,
}

/// Decisions on several exemptions. If one is refused, none is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionsBody {
    /// 1 to 100 decisions.
    pub decisions: Vec<BulkDecision>,
}

/// An exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExemptionItem {
    /// The exemption's id.
    pub id: String,
    /// The current status.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Status>"))]
    pub status: Status,
    /// The issue's id.
    pub issue: String,
    /// The issue's title at the time of the request.
    pub title: String,
    /// The issue's severity at the time of the request.
    pub severity: String,
    /// The scanner that found the issue.
    pub scanner: String,
    /// The approved scope or, if it is not approved, the requested scope.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Scope>"))]
    pub scope: Scope,
    /// The requested scope, if a wider one was approved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::EnumSchema<Scope>>"))]
    pub requested_scope: Option<Scope>,
    /// The target that the exemption applies to or, for a wider scope, the target of the scan in the request.
    pub target: String,
    /// The pipeline that the exemption applies to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The selected occurrences.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub occurrences: Vec<OccurrenceId>,
    /// The scan with the issue, from the request.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The requested duration in days from the approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_days: Option<u32>,
    /// The requested end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// True if the exemption has no end.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unlimited: bool,
    /// The kind of reason.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Reason>"))]
    pub reason: Reason,
    /// The reason in the requester's words.
    pub text: String,
    /// A link to more information.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// The exemption that this request returns to review, because the code of its occurrence was edited or moved, or
    /// because its issue is worse than what was approved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub returned_from: Option<ExemptionId>,
    /// The change of the issue because of which the exemption returned to review, in words. If it is absent, the code
    /// was edited or moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returned_because: Option<String>,
    /// The severity that was approved, if the reviewer judged the issue in a later scan than that of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approved_severity: Option<String>,
    /// The ids of the issue under all of its names (CVE, GHSA, rule) when it was judged. If the issue goes under
    /// another name of a vulnerability later, the exemption does not apply.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub names: Vec<IssueId>,
    /// True if the issue was reported as known to be exploited (KEV) when it was judged.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub known_exploited: bool,
    /// The probability of its exploitation (EPSS) when it was judged: `unlikely` (below 10 %, or not reported),
    /// `possible` or `likely` (from 50 % on). Absent for requests of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::EnumSchema<EpssBand>>"))]
    pub epss: Option<EpssBand>,
    /// The requester.
    pub requested_by: String,
    /// The others who requested or reopened it, or the exemption that it returned from. None of them may approve it,
    /// unless the project allows it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also_requested_by: Vec<String>,
    /// The time of the request, RFC 3339.
    pub requested_at: String,
    /// The person who made the last decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_by: Option<String>,
    /// The time of the last decision, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<String>,
    /// The comment on the last decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
    /// True if the requester approved it, which the project allowed at that time.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub self_approved: bool,
    /// The end of an approved exemption, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends_at: Option<String>,
    /// The version: it changes with every decision. A decision that names it takes effect only on this version.
    pub version: u64,
}

/// The texts of an exemption that only the journal's events contain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExemptionTexts {
    /// The issue's title.
    pub title: String,
    /// The reason in the requester's words.
    pub text: String,
    /// A link to more information.
    pub link: Option<String>,
    /// The comment on the last decision.
    pub comment: String,
    /// The change because of which it returned to review.
    pub returned_because: Option<String>,
}

impl ExemptionItem {
    /// Makes the item of an exemption with its status at `now`.
    pub fn new(id: ExemptionId, exemption: &Exemption, texts: ExemptionTexts, now: Timestamp) -> Self {
        let (reach, decision) = (exemption.reach(), exemption.decision.as_ref());
        let (duration_days, until, unlimited) = match exemption.term {
            Term::Days(days) => (Some(days), None, false),
            Term::Until(end) => (None, Some(end.to_string()), false),
            Term::Unlimited => (None, None, true),
        };
        let requested_scope = exemption.asked.scope();
        let others = exemption.askers.iter().filter(|asker| **asker != exemption.requested.by);
        let marks = exemption.judged().marks;
        Self {
            id: id.to_string(),
            status: exemption.status(now),
            issue: exemption.issue.to_string(),
            title: texts.title,
            severity: exemption.severity.to_string(),
            scanner: exemption.scanner.to_string(),
            scope: reach.scope(),
            requested_scope: (requested_scope != reach.scope()).then_some(requested_scope),
            target: reach.target().unwrap_or(&exemption.seen.target).to_string(),
            pipeline: reach.pipeline().map(ToString::to_string),
            occurrences: reach.occurrences().iter().map(|occurrence| occurrence.id).collect(),
            scan: exemption.seen.scan,
            duration_days,
            until,
            unlimited,
            reason: exemption.reason,
            text: texts.text,
            link: texts.link,
            returned_from: exemption.returned_from,
            returned_because: texts.returned_because,
            approved_severity: decision.and_then(|decision| Some(decision.judged.as_ref()?.severity.to_string())),
            known_exploited: marks.as_ref().is_some_and(|marks| marks.known_exploited),
            epss: marks.as_ref().map(|marks| marks.epss),
            names: marks.into_iter().flat_map(|marks| marks.names).collect(),
            requested_by: exemption.requested.by.to_string(),
            also_requested_by: others.map(ToString::to_string).collect(),
            requested_at: exemption.requested.at.to_string(),
            decided_by: decision.map(|decision| decision.stamp.by.to_string()),
            decided_at: decision.map(|decision| decision.stamp.at.to_string()),
            comment: Some(texts.comment).filter(|comment| !comment.is_empty()),
            self_approved: decision.is_some_and(|decision| decision.own),
            ends_at: exemption.ends().map(|end| end.to_string()),
            version: exemption.version(),
        }
    }
}

/// An exemption that exempted nothing in recent scans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unused {
    /// The exemption.
    #[serde(flatten)]
    pub exemption: ExemptionItem,
    /// The number of scans since its approval in which it exempted nothing.
    pub scans: usize,
}

/// The exemption state of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssueExemption {
    /// `exempted`, `partially_exempted`, `pending` or `rejected`.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Coverage>"))]
    pub state: Coverage,
    /// The exemption that gives this state; of several, the one that ends last.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ExemptionId,
    /// The number of exempted occurrences.
    pub occurrences: u32,
    /// For `partially_exempted`: the highest severity of the occurrences that are not exempted. The issue counts with
    /// it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<String>,
}

impl IssueExemption {
    /// True if the whole issue is exempted.
    pub fn is_whole(&self) -> bool {
        self.state == Coverage::Exempted
    }
}

/// The effect of a decision on a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewItem {
    /// The scan's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// The scan's target.
    pub target: String,
    /// The scan's variant.
    pub variant: String,
    /// The start of its upload, RFC 3339.
    pub received_at: String,
    /// The issue's id in the scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The verdict that the scan has.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// The result with the exemptions that are effective now.
    pub now: PreviewOutcome,
    /// The result after the decision.
    pub then: PreviewOutcome,
}

/// The result of a scan in a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewOutcome {
    /// The verdict of the gate.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// True if no threshold applies, so that nothing can fail the gate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub no_threshold: bool,
    /// The reasons for the verdict; empty for `pass`.
    pub reasons: Vec<String>,
    /// The output variables.
    pub variables: BTreeMap<String, String>,
    /// The number of issues in each bucket.
    pub issues: Tally,
    /// The number of occurrences in each bucket.
    pub occurrences: Tally,
}

impl PreviewOutcome {
    /// Makes the result from a judgement.
    pub fn new(judgement: &Judgement) -> Self {
        let (issues, occurrences) = super::scan::tallies(&judgement.counts);
        Self {
            verdict: judgement.verdict,
            no_threshold: judgement.thresholds.as_ref().is_some_and(AppliedThresholds::are_none),
            reasons: judgement.reasons.clone(),
            variables: judgement.counts.variables().into_iter().collect(),
            issues,
            occurrences,
        }
    }
}

impl PreviewItem {
    /// Makes the item of a scan with this verdict.
    pub fn new(scan: &Scan, issue: IssueId, verdict: Verdict, now: &Judgement, then: &Judgement) -> Self {
        Self {
            id: scan.id,
            target: scan.target.name.clone(),
            variant: scan.variant.clone(),
            received_at: scan.received_at.clone(),
            issue,
            verdict,
            now: PreviewOutcome::new(now),
            then: PreviewOutcome::new(then),
        }
    }
}
