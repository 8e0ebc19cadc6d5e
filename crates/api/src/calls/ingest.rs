//! The calls that `ingest` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::problem::Code;
use crate::v1::{NoBody, ReplayAnswer, ScanAnswer};
use domain::role::Right;

calls! {
    "ingest":

    /// Uploads a scanner's report, and answers with the verdict. Sent again under the same key it is no second scan.
    Upload = Row::post("/api/v1/projects/{project}/scans", Access::Right(Right::Upload))
        .query(&[
            Parameter::required("scanner", Kind::Text, "One of `GET /api/v1/scanners`, or `auto`."),
            Parameter::required("target", Kind::Text, "What was scanned. Its first scan creates it."),
            Parameter::required("variant", Kind::Text, "Its branch, tag or version."),
            Parameter::optional(
                "target_type",
                Kind::Word(&["repository", "container", "instance", "configuration"]),
                "What the target is; `repository` if absent.",
            ),
            Parameter::optional(
                "fail_on_severity",
                Kind::Text,
                "The verdict is `fail` if an issue is at least so severe: `critical` to `info`, or `none` (if absent).",
            ),
            Parameter::optional("fail_on_new", Kind::Text, "The same for new issues."),
            Parameter::optional("fail_on_new_occurrences", Kind::Text, "The same for new occurrences."),
            Parameter::optional("accept_missing", Kind::Flag, "Whether parts may be missing that the report before had."),
            Parameter::optional("pipeline", Kind::Text, "The CI pipeline."),
            Parameter::optional("execution", Kind::Text, "The run of the pipeline."),
        ])
        .repeatable()
        .takes_report()
        .answers::<ScanAnswer>(201)
        .problems(&[
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

    /// Reads a scan's report again by the parsers and the matcher of today, and says what differs.
    Replay = Row::post("/api/v1/projects/{project}/scans/{scan}/replay", Access::Right(Right::Develop))
        .takes::<NoBody>()
        .answers::<ReplayAnswer>(200)
        .problems(&[Code::NotReplayable]);
}
