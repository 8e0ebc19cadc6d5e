//! The calls that `exemptions` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::problem::Code;
use crate::v1::{DecisionBody, ExemptionBody, ExemptionItem};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const DEVELOP: Access = Access::Right(Right::Develop);
const DECIDE: Access = Access::Right(Right::Decide);

/// A decision on one exemption.
const fn decision(path: &'static str, access: Access) -> Row {
    Row::post(path, access)
        .repeatable()
        .takes::<DecisionBody>()
        .answers::<ExemptionItem>(200)
        .problems(&[Code::Conflict, Code::IdempotencyMismatch])
}

calls! {
    /// The exemptions, and how each stands now.
    Exemptions = Row::get("/api/v1/projects/{project}/exemptions", READ)
        .query(&[
            Parameter::optional(
                "status",
                Kind::Word(&["pending", "approved", "rejected", "expired", "cancelled"]),
                "Only those that stand so.",
            ),
            Parameter::optional("target", Kind::Text, "Only those of this target."),
        ])
        .lists::<ExemptionItem>();

    /// Asks for an exemption.
    Request = Row::post("/api/v1/projects/{project}/exemptions", DEVELOP)
        .repeatable()
        .takes::<ExemptionBody>()
        .answers::<ExemptionItem>(201)
        .problems(&[Code::Conflict, Code::IdempotencyMismatch]);

    /// An exemption.
    Exemption = Row::get("/api/v1/projects/{project}/exemptions/{exemption}", READ).answers::<ExemptionItem>(200);

    /// Approves an exemption. Its requester cannot.
    Approve = decision("/api/v1/projects/{project}/exemptions/{exemption}/approve", DECIDE);

    /// Rejects an exemption, or takes an approved one back.
    Reject = decision("/api/v1/projects/{project}/exemptions/{exemption}/reject", DECIDE);

    /// Withdraws an exemption.
    Cancel = decision("/api/v1/projects/{project}/exemptions/{exemption}/cancel", DEVELOP);
}
