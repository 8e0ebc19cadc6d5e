//! Calls that `projects` answers.

use super::spec::{CallSpec, Parameter, ParameterKind};
use super::table::calls;
use crate::access::Access;
use crate::problem::Code;
use crate::v1::{
    AcceptRequestItem, BaselineDecisionBody, BaselineRequestBody, BaselineRequestItem, ProjectAnswer, SettingsBody,
    SettingsDecisionBody, SettingsRequestBody, SettingsRequestItem, TargetItem, TargetPatch, TokenBody, TokenItem,
    VariantItem,
};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const DEVELOP: Access = Access::Right(Right::Develop);
const DECIDE: Access = Access::Right(Right::Decide);
const ADMINISTER: Access = Access::Right(Right::Administer);

calls! {
    ProjectsCall of "projects":

    /// Returns the project's settings and its number of targets.
    Project = CallSpec::get("/api/v1/projects/{project}", READ).answers::<ProjectAnswer>(200);

    /// Replaces all settings of the project. If the project does not exist, the call creates it, which only an account
    /// admin can do.
    PutProject = CallSpec::put("/api/v1/projects/{project}", ADMINISTER)
        .query(&[Parameter::optional(
            "create",
            ParameterKind::Flag,
            "If true, the call only creates the project, and is refused if the project exists. Default: false.",
        )])
        .takes::<SettingsBody>()
        .answers::<ProjectAnswer>(200)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Changes the settings that the body contains, each as a whole; `null` resets one to its default. All others stay
    /// as they are. The role secops may change `tool_suppressions`, `criteria` and `target_criteria`; the others need
    /// the role admin.
    PatchProject = CallSpec::patch("/api/v1/projects/{project}", DECIDE)
        .takes::<SettingsBody>()
        .answers::<ProjectAnswer>(200)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Returns the pending request to change settings, with its effect.
    SettingsRequest = CallSpec::get("/api/v1/projects/{project}/settings-request", READ)
        .answers::<SettingsRequestItem>(200);

    /// Requests a change of `tool_suppressions`, `criteria` and `target_criteria`, which another person then approves.
    /// A project has at most one pending request.
    RequestSettings = CallSpec::post("/api/v1/projects/{project}/settings-request", DEVELOP)
        .takes::<SettingsRequestBody>()
        .answers::<SettingsRequestItem>(201)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Approves a request to change settings. The requester cannot approve it.
    ApproveSettings = CallSpec::post("/api/v1/projects/{project}/settings-request/approve", DECIDE)
        .takes::<SettingsDecisionBody>()
        .answers::<ProjectAnswer>(200)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Rejects a request to change settings. The requester withdraws it instead.
    RejectSettings = CallSpec::post("/api/v1/projects/{project}/settings-request/reject", DECIDE)
        .takes::<SettingsDecisionBody>()
        .answers::<ProjectAnswer>(200)
        .problems(&[Code::Conflict]);

    /// Withdraws a request to change settings. Only the requester can.
    WithdrawSettings = CallSpec::post("/api/v1/projects/{project}/settings-request/withdraw", DEVELOP)
        .takes::<SettingsDecisionBody>()
        .answers::<ProjectAnswer>(200)
        .problems(&[Code::Conflict]);

    /// Lists the project's tokens that are not revoked.
    Tokens = CallSpec::get("/api/v1/projects/{project}/tokens", ADMINISTER).lists::<TokenItem>();

    /// Issues a token for the project. Only this response contains the token itself.
    IssueToken = CallSpec::post("/api/v1/projects/{project}/tokens", ADMINISTER)
        .takes::<TokenBody>()
        .answers::<TokenItem>(201)
        .problems(&[Code::Conflict]);

    /// Revokes a token of the project, with immediate effect. A second revocation is refused and names the first.
    RevokeToken = CallSpec::delete("/api/v1/projects/{project}/tokens/{token}", ADMINISTER).problems(&[Code::Conflict]);

    /// Lists the project's targets, each with its effective baseline.
    Targets = CallSpec::get("/api/v1/projects/{project}/targets", READ).lists::<TargetItem>();

    /// Returns a target with its effective baseline.
    Target = CallSpec::get("/api/v1/projects/{project}/targets/{target}", READ).answers::<TargetItem>(200);

    /// Sets or removes the target's own baseline. A developer can only set the first one, unless the project's setting
    /// `baseline_changes` is `developer`; otherwise request the change.
    PatchTarget = CallSpec::patch("/api/v1/projects/{project}/targets/{target}", DEVELOP)
        .takes::<TargetPatch>()
        .answers::<TargetItem>(200)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Lists the pending requests to accept scans, by scan, each with its effect.
    AcceptRequests = CallSpec::get("/api/v1/projects/{project}/accept-requests", READ)
        .query(&[Parameter::optional("scan", ParameterKind::Text, "Only the request for this scan.")])
        .lists::<AcceptRequestItem>();

    /// Lists the pending requests to change baselines, by target.
    BaselineRequests = CallSpec::get("/api/v1/projects/{project}/baseline-requests", READ)
        .lists::<BaselineRequestItem>();

    /// Requests a change of the target's baseline, which another person then approves.
    RequestBaseline = CallSpec::post("/api/v1/projects/{project}/targets/{target}/baseline-request", DEVELOP)
        .takes::<BaselineRequestBody>()
        .answers::<BaselineRequestItem>(201)
        .problems(&[Code::Conflict]);

    /// Approves a request to change the target's baseline. The requester cannot approve it.
    ApproveBaseline = CallSpec::post("/api/v1/projects/{project}/targets/{target}/baseline-request/approve", DECIDE)
        .takes::<BaselineDecisionBody>()
        .answers::<TargetItem>(200)
        .conditional()
        .problems(&[Code::Conflict, Code::ChangedMeanwhile]);

    /// Rejects a request to change the target's baseline. The requester withdraws it instead.
    RejectBaseline = CallSpec::post("/api/v1/projects/{project}/targets/{target}/baseline-request/reject", DECIDE)
        .takes::<BaselineDecisionBody>()
        .answers::<TargetItem>(200)
        .problems(&[Code::Conflict]);

    /// Withdraws a request to change the target's baseline. Only the requester can.
    WithdrawBaseline = CallSpec::post("/api/v1/projects/{project}/targets/{target}/baseline-request/withdraw", DEVELOP)
        .takes::<BaselineDecisionBody>()
        .answers::<TargetItem>(200)
        .problems(&[Code::Conflict]);

    /// Lists the target's scanned variants. Each says whether the target's baseline matches it and currently selects
    /// it.
    Variants = CallSpec::get("/api/v1/projects/{project}/targets/{target}/variants", READ)
        .query(&[Parameter::optional(
            "regex",
            ParameterKind::Text,
            "A baseline pattern to try: `matches` and `chosen` of each variant refer to it instead of the target's \
             baseline.",
        )])
        .lists::<VariantItem>();
}
