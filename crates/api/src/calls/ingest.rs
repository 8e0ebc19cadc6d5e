//! Calls that `ingest` answers.

use super::spec::{CallSpec, Parameter, ParameterKind};
use super::table::calls;
use crate::access::Access;
use crate::problem::Code;
use crate::v1::{
    AcceptBody, AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem, AcceptedAnswer, NoBody, ReplayAnswer,
    ScanAnswer,
};
use domain::role::Right;

calls! {
    IngestCall of "ingest":

    /// Uploads a scanner's report and answers with the verdict. A retry under the same `Idempotency-Key` creates no
    /// second scan.
    Upload = CallSpec::post("/api/v1/projects/{project}/scans", Access::Right(Right::Upload))
        .query(&[
            Parameter::required(
                "scanner",
                ParameterKind::Text,
                "The report's format: an id from `GET /api/v1/scanners`, or `auto` to detect it.",
            ),
            Parameter::required(
                "target",
                ParameterKind::Text,
                "The name of the scanned target. The first scan of a target creates it.",
            ),
            Parameter::required("variant", ParameterKind::Text, "The target's scanned branch, tag or version."),
            Parameter::optional(
                "target_type",
                ParameterKind::Word(&["repository", "container", "instance", "configuration"]),
                "The type of the target. Default: `repository`.",
            ),
            Parameter::optional(
                "fail_on_severity",
                ParameterKind::Text,
                "The verdict is `fail` if an issue has at least this severity: `critical`, `high`, `medium`, `low` or \
                 `info`. Default: `none`, which never fails.",
            ),
            Parameter::optional(
                "fail_on_new",
                ParameterKind::Text,
                "The verdict is `fail` if a new issue has at least this severity. Values as for `fail_on_severity`.",
            ),
            Parameter::optional(
                "fail_on_new_occurrences",
                ParameterKind::Text,
                "The verdict is `fail` if a new occurrence has at least this severity, of a new or a common issue. \
                 Recommended for branches and pull requests. Values as for `fail_on_severity`.",
            ),
            Parameter::optional(
                "accept_missing",
                ParameterKind::Flag,
                "`true`: the scan is complete although the report lacks SARIF runs or categories that the previous \
                 report had, or examined less; what is missing becomes remediated. Default: `false`: such a scan is \
                 incomplete, or blind to everything.",
            ),
            Parameter::optional("pipeline", ParameterKind::Text, "The name of the CI pipeline."),
            Parameter::optional("execution", ParameterKind::Text, "The id of the pipeline's run."),
            Parameter::optional(
                "attempt",
                ParameterKind::Text,
                "The attempt of the pipeline's step, if it is repeated: a scan replaces those of the same step in the run \
                 only if none of them has its attempt. Otherwise the worst one counts.",
            ),
        ])
        .repeatable()
        .takes_report()
        .answers::<ScanAnswer>(201)
        .problems(&[
            Code::Forbidden,
            Code::UnknownScanner,
            Code::ReportEmpty,
            Code::ReportTruncated,
            Code::ReportMalformed,
            Code::SourceMalformed,
            Code::Conflict,
            Code::ReportTooLarge,
            Code::SourceTooLarge,
            Code::CompressionBomb,
            Code::UnsupportedEncoding,
            Code::UnknownFormat,
            Code::WrongTool,
            Code::ReportTooDeep,
            Code::IdempotencyMismatch,
        ]);

    /// Reads the report of a scan again with the current parsers and matcher, and returns the differences. The scan
    /// itself does not change.
    Replay = CallSpec::post("/api/v1/projects/{project}/scans/{scan}/replay", Access::Right(Right::Develop))
        .takes::<NoBody>()
        .answers::<ReplayAnswer>(200)
        .problems(&[Code::NotReplayable]);

    /// Accepts a scan that did not pass: the next scans of its variant by its tool are compared with it, so that its
    /// issues are not new any more. Only for a variant that is compared with itself. If the scan is incomplete only
    /// because its report lacks parts, of any variant: the parts are no longer expected, and the scan stays incomplete.
    /// A pending request is approved; the requester cannot approve it.
    Accept = CallSpec::post("/api/v1/projects/{project}/scans/{scan}/accept", Access::Right(Right::Decide))
        .takes::<AcceptBody>()
        .answers::<AcceptedAnswer>(200)
        .problems(&[Code::Conflict]);

    /// Requests that a scan is accepted, which another person then does. A scan has at most one pending request, and a
    /// project at most 100.
    RequestAccept = CallSpec::post(
            "/api/v1/projects/{project}/scans/{scan}/accept-request",
            Access::Right(Right::Develop),
        )
        .takes::<AcceptRequestBody>()
        .answers::<AcceptRequestItem>(201)
        .problems(&[Code::Conflict]);

    /// Rejects a request to accept a scan. The requester withdraws it instead.
    RejectAccept = CallSpec::post(
            "/api/v1/projects/{project}/scans/{scan}/accept-request/reject",
            Access::Right(Right::Decide),
        )
        .takes::<AcceptDecisionBody>()
        .answers::<AcceptRequestItem>(200)
        .problems(&[Code::Conflict]);

    /// Withdraws a request to accept a scan. Only the requester can.
    WithdrawAccept = CallSpec::post(
            "/api/v1/projects/{project}/scans/{scan}/accept-request/withdraw",
            Access::Right(Right::Develop),
        )
        .takes::<AcceptDecisionBody>()
        .answers::<AcceptRequestItem>(200)
        .problems(&[Code::Conflict]);
}
