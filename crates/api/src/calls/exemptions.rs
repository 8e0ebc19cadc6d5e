//! The calls that `exemptions` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::page::Page;
use crate::problem::Code;
use crate::v1::{DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, PreviewItem, RequestsBody, Unused};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const DEVELOP: Access = Access::Right(Right::Develop);
const DECIDE: Access = Access::Right(Right::Decide);
const CONFLICTS: &[Code] = &[Code::Conflict, Code::IdempotencyMismatch];

/// A decision on one exemption.
const fn decision(path: &'static str, access: Access) -> Row {
    Row::post(path, access).repeatable().takes::<DecisionBody>().answers::<ExemptionItem>(200).problems(CONFLICTS)
}

calls! {
    "exemptions":

    /// The exemptions, and how each stands now; those asked for last come first.
    Exemptions = Row::get("/api/v1/projects/{project}/exemptions", READ)
        .query(&[
            Parameter::optional(
                "status",
                Kind::Word(&["pending", "approved", "rejected", "expired", "cancelled"]),
                "Only those that stand so.",
            ),
            Parameter::optional("target", Kind::Text, "Only those that hold for this target alone."),
            Parameter::optional(
                "scope",
                Kind::Word(&["occurrences", "target", "pipeline", "project", "account"]),
                "Only those of this scope.",
            ),
            Parameter::optional("issue", Kind::Text, "Only those for this issue."),
            Parameter::optional(
                "expires_within_days",
                Kind::Number(0, 3_650),
                "Only approved ones that end within so many days, the soonest first.",
            ),
        ])
        .lists::<ExemptionItem>();

    /// Asks for an exemption.
    Request = Row::post("/api/v1/projects/{project}/exemptions", DEVELOP)
        .repeatable()
        .takes::<ExemptionBody>()
        .answers::<ExemptionItem>(201)
        .problems(CONFLICTS);

    /// Asks for 1 to 100 exemptions, all or none.
    RequestMany = Row::post("/api/v1/projects/{project}/exemptions/requests", DEVELOP)
        .repeatable()
        .takes::<RequestsBody>()
        .answers::<Page<ExemptionItem>>(201)
        .problems(CONFLICTS);

    /// Decides on 1 to 100 exemptions, all or none. To approve and reject needs the right to decide.
    DecideMany = Row::post("/api/v1/projects/{project}/exemptions/decisions", DEVELOP)
        .repeatable()
        .takes::<DecisionsBody>()
        .answers::<Page<ExemptionItem>>(200)
        .problems(CONFLICTS);

    /// Approved exemptions that matched nothing in the last scans of any target they reach.
    Unused = Row::get("/api/v1/projects/{project}/exemptions/unused", READ)
        .query(&[Parameter::optional("scans", Kind::Number(1, 100), "How many scans; 10 if absent.")])
        .lists::<Unused>();

    /// An exemption.
    Exemption = Row::get("/api/v1/projects/{project}/exemptions/{exemption}", READ).answers::<ExemptionItem>(200);

    /// The newest scans that a decision would change, judged as things stand and as they would. A page may be empty and
    /// still have a next.
    Preview = Row::get("/api/v1/projects/{project}/exemptions/{exemption}/preview", READ)
        .query(&[
            Parameter::optional(
                "decision",
                Kind::Word(&["approve", "reject", "cancel"]),
                "Which decision; `approve` if absent.",
            ),
            Parameter::optional(
                "scope",
                Kind::Word(&["occurrences", "target", "pipeline", "project", "account"]),
                "The scope of an approval; what was asked for if absent.",
            ),
            Parameter::optional("pipeline", Kind::Text, "The pipeline of an approval at that scope."),
        ])
        .lists::<PreviewItem>();

    /// Approves an exemption, at the scope that was asked for or a wider one. Who asked for it cannot.
    Approve = decision("/api/v1/projects/{project}/exemptions/{exemption}/approve", DECIDE);

    /// Rejects an exemption, or takes an approved one back.
    Reject = decision("/api/v1/projects/{project}/exemptions/{exemption}/reject", DECIDE);

    /// Withdraws an exemption.
    Cancel = decision("/api/v1/projects/{project}/exemptions/{exemption}/cancel", DEVELOP);

    /// Asks again for an exemption that was rejected or has expired.
    Reopen = decision("/api/v1/projects/{project}/exemptions/{exemption}/reopen", DEVELOP);
}
