//! The calls that `projects` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::problem::Code;
use crate::v1::{ProjectAnswer, SettingsBody, TargetItem, TargetPatch, TokenBody, TokenItem, VariantItem};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const DEVELOP: Access = Access::Right(Right::Develop);
const ADMINISTER: Access = Access::Right(Right::Administer);

calls! {
    "projects":

    /// The project: its settings, and how many targets it has.
    Project = Row::get("/api/v1/projects/{project}", READ).answers::<ProjectAnswer>(200);

    /// Sets the project's settings, all of them. The account admin creates a project so.
    PutProject = Row::put("/api/v1/projects/{project}", ADMINISTER)
        .takes::<SettingsBody>()
        .answers::<ProjectAnswer>(200)
        .problems(&[Code::Conflict]);

    /// The tokens that were issued and not revoked.
    Tokens = Row::get("/api/v1/projects/{project}/tokens", ADMINISTER).lists::<TokenItem>();

    /// Issues a token. It is in this answer alone.
    IssueToken = Row::post("/api/v1/projects/{project}/tokens", ADMINISTER)
        .takes::<TokenBody>()
        .answers::<TokenItem>(201)
        .problems(&[Code::Conflict]);

    /// Revokes a token, at once.
    RevokeToken = Row::delete("/api/v1/projects/{project}/tokens/{token}", ADMINISTER).problems(&[Code::Conflict]);

    /// The targets, and the baseline that holds for each.
    Targets = Row::get("/api/v1/projects/{project}/targets", READ).lists::<TargetItem>();

    /// A target.
    Target = Row::get("/api/v1/projects/{project}/targets/{target}", READ).answers::<TargetItem>(200);

    /// Sets or removes a target's own baseline.
    PatchTarget = Row::patch("/api/v1/projects/{project}/targets/{target}", DEVELOP)
        .takes::<TargetPatch>()
        .answers::<TargetItem>(200)
        .problems(&[Code::Conflict]);

    /// A target's variants that were scanned, and which of them the baseline means.
    Variants = Row::get("/api/v1/projects/{project}/targets/{target}/variants", READ)
        .query(&[Parameter::optional(
            "regex",
            Kind::Text,
            "A pattern to try: each variant says whether it matches and is chosen.",
        )])
        .lists::<VariantItem>();
}
