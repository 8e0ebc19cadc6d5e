//! Exemptions: asked for, decided on, listed, and what they would change.

use super::{Scan, Tally};
use domain::exemption::{Coverage, Exemption, Reason, Scope, Status, Term};
use domain::gate::Judgement;
use domain::ids::{ExemptionId, IssueId, OccurrenceId, ScanId};
use domain::time::Timestamp;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Asks for an exemption. Exactly one of `duration_days`, `until` and `unlimited` says how long it is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExemptionBody {
    /// The issue.
    pub issue: String,
    /// `occurrences`: for chosen occurrences in one target; `target`: for the issue there, with occurrences to come;
    /// `pipeline`: in all scans of one pipeline; `project`: in the project.
    pub scope: String,
    /// The target; with `scan` it need not be given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// The scan in which the issue was seen; if absent, the newest of the target that has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scan: Option<String>,
    /// The pipeline; if absent, the scan's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The chosen occurrences, 1 to 500 of that scan.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub occurrences: Vec<String>,
    /// With all of the issue's occurrences chosen: exempt the issue in the target instead, with occurrences to come.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub future_occurrences: bool,
    /// How long, in days from the approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_days: Option<u32>,
    /// Until when: a time (RFC 3339), or a date, which is to the end of that day in UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Without an end, if the project allows it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unlimited: bool,
    /// Why, in a word: `compensating_controls`, `acceptable_use`, `acceptable_risk`, `false_positive`, `fix_unavailable` or
    /// `other`.
    pub reason: String,
    /// Why, in a sentence.
    pub text: String,
    /// Where to read more: an address that begins with `http://` or `https://`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
}

/// Asks for several exemptions, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestsBody {
    /// 1 to 100 requests.
    pub requests: Vec<ExemptionBody>,
}

/// Decides on an exemption.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// What the decider says.
    #[serde(default)]
    pub comment: String,
    /// With an approval: the scope that it is granted at, where that is wider than what was asked for. `account` is for all
    /// projects of the installation, and for the account's admin to grant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// With the scope `pipeline`: which; if absent, that of the scan in which the issue was seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
}

/// One of several decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkDecision {
    /// The exemption.
    pub id: String,
    /// `approve`, `reject`, `cancel` or `reopen`.
    pub decision: String,
    /// What the decider says.
    #[serde(default)]
    pub comment: String,
    /// As in a single decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// As in a single decision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
}

/// Decides on several exemptions, all or none.
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
    /// Its id.
    pub id: String,
    /// How it stands now.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Status>"))]
    pub status: Status,
    /// The issue.
    pub issue: String,
    /// The issue's title when it was asked for.
    pub title: String,
    /// The issue's level when it was asked for.
    pub severity: String,
    /// The scanner that found the issue.
    pub scanner: String,
    /// What it holds for: what it was granted for, or else asked for.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Scope>"))]
    pub scope: Scope,
    /// What it was asked for, where it was granted for more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::Word<Scope>>"))]
    pub requested_scope: Option<Scope>,
    /// The target: the one that it holds for, or else the one in which the issue was seen.
    pub target: String,
    /// The pipeline that it holds for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The chosen occurrences.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub occurrences: Vec<OccurrenceId>,
    /// The scan in which the issue was seen.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// How long, in days from the approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duration_days: Option<u32>,
    /// Until when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Whether it has no end.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unlimited: bool,
    /// Why, in a word.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Reason>"))]
    pub reason: Reason,
    /// Why, in a sentence.
    pub text: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link: Option<String>,
    /// The exemption whose occurrences these were until their code was edited or moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub returned_from: Option<ExemptionId>,
    /// Who asked.
    pub requested_by: String,
    /// When, RFC 3339.
    pub requested_at: String,
    /// Who decided last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_by: Option<String>,
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decided_at: Option<String>,
    /// What was said then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
    /// Whether somebody approved what they had asked for themselves, as the project then allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub self_approved: bool,
    /// When it ends, once approved, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends_at: Option<String>,
}

/// What people wrote about an exemption: it stands in the journal's events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The issue's title.
    pub title: String,
    /// Why it was asked for.
    pub text: String,
    /// Where to read more.
    pub link: Option<String>,
    /// What was said with the last decision.
    pub comment: String,
}

impl ExemptionItem {
    /// An exemption as it stands at `now`.
    pub fn new(id: ExemptionId, exemption: &Exemption, words: Words, now: Timestamp) -> Self {
        let (reach, decision) = (exemption.reach(), exemption.decision.as_ref());
        let (duration_days, until, unlimited) = match exemption.term {
            Term::Days(days) => (Some(days), None, false),
            Term::Until(end) => (None, Some(end.to_string()), false),
            Term::Unlimited => (None, None, true),
        };
        let asked = exemption.asked.scope();
        Self {
            id: id.to_string(),
            status: exemption.status(now),
            issue: exemption.issue.to_string(),
            title: words.title,
            severity: exemption.severity.to_string(),
            scanner: exemption.scanner.to_string(),
            scope: reach.scope(),
            requested_scope: (asked != reach.scope()).then_some(asked),
            target: reach.target().unwrap_or(&exemption.seen.target).to_string(),
            pipeline: reach.pipeline().map(ToString::to_string),
            occurrences: reach.occurrences().iter().map(|occurrence| occurrence.id).collect(),
            scan: exemption.seen.scan,
            duration_days,
            until,
            unlimited,
            reason: exemption.reason,
            text: words.text,
            link: words.link,
            returned_from: exemption.returned_from,
            requested_by: exemption.requested.by.to_string(),
            requested_at: exemption.requested.at.to_string(),
            decided_by: decision.map(|decision| decision.stamp.by.to_string()),
            decided_at: decision.map(|decision| decision.stamp.at.to_string()),
            comment: Some(words.comment).filter(|comment| !comment.is_empty()),
            self_approved: decision.is_some_and(|decision| decision.own),
            ends_at: exemption.ends().map(|end| end.to_string()),
        }
    }
}

/// An exemption that matched nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unused {
    /// The exemption.
    #[serde(flatten)]
    pub exemption: ExemptionItem,
    /// In how many scans since its approval it was looked for; in none of them it exempted anything.
    pub scans: usize,
}

/// How an issue stands to exemptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssueExemption {
    /// `exempted`, `partially_exempted`, `pending` or `rejected`.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Coverage>"))]
    pub state: Coverage,
    /// The exemption that says so; of several the one that ends last.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ExemptionId,
    /// How many of its occurrences are exempted.
    pub occurrences: u32,
    /// The level that it counts with, where some of it is exempted: the highest of the rest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<String>,
}

impl IssueExemption {
    /// Whether nothing of the issue is left for the gate.
    pub fn is_whole(&self) -> bool {
        self.state == Coverage::Exempted
    }
}

/// What a decision would change in a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewItem {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// Its target.
    pub target: String,
    /// Its variant.
    pub variant: String,
    /// When it began, RFC 3339.
    pub received_at: String,
    /// The issue as the scan has it.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The verdict that the scan got.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
    /// How it would be judged by what is in force now.
    pub now: Outcome,
    /// How it would be judged after the decision.
    pub then: Outcome,
}

/// How a scan is judged, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Pass, fail or undecided.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
    /// Why; empty for a pass.
    pub reasons: Vec<String>,
    /// The output variables.
    pub variables: BTreeMap<String, String>,
    /// Issues by bucket.
    pub issues: Tally,
    /// Occurrences by bucket.
    pub occurrences: Tally,
}

impl Outcome {
    /// A judgement.
    pub fn new(judgement: &Judgement) -> Self {
        let (issues, occurrences) = super::tallies(&judgement.counts);
        Self {
            verdict: judgement.verdict,
            reasons: judgement.reasons.clone(),
            variables: judgement.counts.variables().into_iter().collect(),
            issues,
            occurrences,
        }
    }
}

impl PreviewItem {
    /// What would change in a scan that got this verdict.
    pub fn new(scan: &Scan, issue: IssueId, verdict: Verdict, now: &Judgement, then: &Judgement) -> Self {
        Self {
            id: scan.id,
            target: scan.target.name.clone(),
            variant: scan.variant.clone(),
            received_at: scan.received_at.clone(),
            issue,
            verdict,
            now: Outcome::new(now),
            then: Outcome::new(then),
        }
    }
}
