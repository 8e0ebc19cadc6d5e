//! Calls that `exemptions` answers.

use super::spec::{CallSpec, Parameter, ParameterKind};
use super::table::calls;
use crate::access::Access;
use crate::page::Page;
use crate::problem::Code;
use crate::v1::{DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, PreviewItem, RequestsBody, Unused};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const DEVELOP: Access = Access::Right(Right::Develop);
const DECIDE: Access = Access::Right(Right::Decide);
const CONFLICTS: &[Code] = &[Code::Conflict, Code::IdempotencyMismatch];
const STALE: &[Code] = &[Code::Conflict, Code::ChangedMeanwhile, Code::IdempotencyMismatch];
const SCOPES: ParameterKind = ParameterKind::Word(&["occurrences", "target", "pipeline", "project", "account"]);

/// A decision on one exemption.
const fn decision(path: &'static str, access: Access) -> CallSpec {
    CallSpec::post(path, access)
        .repeatable()
        .conditional()
        .takes::<DecisionBody>()
        .answers::<ExemptionItem>(200)
        .problems(STALE)
}

calls! {
    ExemptionsCall of "exemptions":

    /// Lists the exemptions with their current status, the latest request first.
    Exemptions = CallSpec::get("/api/v1/projects/{project}/exemptions", READ)
        .query(&[
            Parameter::optional(
                "status",
                ParameterKind::Word(&["pending", "approved", "rejected", "expired", "cancelled"]),
                "Only exemptions with this status.",
            ),
            Parameter::optional(
                "target",
                ParameterKind::Text,
                "Only exemptions that apply to this target and no other.",
            ),
            Parameter::optional("scope", SCOPES, "Only exemptions of this scope."),
            Parameter::optional("issue", ParameterKind::Text, "Only exemptions of this issue."),
            Parameter::optional(
                "expires_within_days",
                ParameterKind::Number(0, 3_650),
                "Only approved exemptions that end within this number of days, the earliest end first.",
            ),
        ])
        .lists::<ExemptionItem>();

    /// Requests an exemption.
    Request = CallSpec::post("/api/v1/projects/{project}/exemptions", DEVELOP)
        .repeatable()
        .takes::<ExemptionBody>()
        .answers::<ExemptionItem>(201)
        .problems(CONFLICTS);

    /// Requests 1 to 100 exemptions. If one request is refused, none is made.
    RequestMany = CallSpec::post("/api/v1/projects/{project}/exemptions/requests", DEVELOP)
        .repeatable()
        .takes::<RequestsBody>()
        .answers::<Page<ExemptionItem>>(201)
        .problems(CONFLICTS);

    /// Makes 1 to 100 decisions on exemptions. If one decision is refused, none is made. To approve or reject, the
    /// caller needs the role secops or admin.
    DecideMany = CallSpec::post("/api/v1/projects/{project}/exemptions/decisions", DEVELOP)
        .repeatable()
        .takes::<DecisionsBody>()
        .answers::<Page<ExemptionItem>>(200)
        .problems(STALE);

    /// Lists approved exemptions that exempted nothing in the latest scans of any target that they apply to.
    Unused = CallSpec::get("/api/v1/projects/{project}/exemptions/unused", READ)
        .query(&[Parameter::optional(
            "scans",
            ParameterKind::Number(1, 100),
            "The number of latest scans of each target to look at. Default: 10.",
        )])
        .lists::<Unused>();

    /// Returns an exemption.
    Exemption = CallSpec::get("/api/v1/projects/{project}/exemptions/{exemption}", READ).answers::<ExemptionItem>(200);

    /// Lists the newest scans that a decision would affect, with their result now and after the decision. A page may be
    /// empty and still have a `next`.
    Preview = CallSpec::get("/api/v1/projects/{project}/exemptions/{exemption}/preview", READ)
        .query(&[
            Parameter::optional(
                "decision",
                ParameterKind::Word(&["approve", "reject", "cancel"]),
                "The decision. Default: `approve`.",
            ),
            Parameter::optional("scope", SCOPES, "The scope of the approval. Default: the requested scope."),
            Parameter::optional("pipeline", ParameterKind::Text, "The pipeline of an approval for a pipeline."),
        ])
        .lists::<PreviewItem>();

    /// Approves an exemption, for the requested scope or a wider one. The requester cannot approve it, unless the
    /// project allows self-approval.
    Approve = decision("/api/v1/projects/{project}/exemptions/{exemption}/approve", DECIDE);

    /// Rejects a request for an exemption, or revokes an approval.
    Reject = decision("/api/v1/projects/{project}/exemptions/{exemption}/reject", DECIDE);

    /// Withdraws an exemption. This is final. A developer can withdraw only what the same person requested or reopened.
    Cancel = decision("/api/v1/projects/{project}/exemptions/{exemption}/cancel", DEVELOP);

    /// Reopens an exemption that was rejected or has expired: it is pending again.
    Reopen = decision("/api/v1/projects/{project}/exemptions/{exemption}/reopen", DEVELOP);
}
