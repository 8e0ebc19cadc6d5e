//! The calls that `results` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::v1::{Execution, ExecutionIssue, Explanation, IssueItem, OccurrenceItem, Overview, ScanAnswer, ScanItem};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const BUCKET: Parameter = Parameter::optional(
    "bucket",
    Kind::Word(&["new", "common", "remediated"]),
    "Only those that stand so to the scan compared with.",
);

calls! {
    /// The scans, the newest first.
    Scans = Row::get("/api/v1/projects/{project}/scans", READ)
        .query(&[
            Parameter::optional("target", Kind::Text, "Only those of this target."),
            Parameter::optional("variant", Kind::Text, "Only those of this variant."),
            Parameter::optional("scanner", Kind::Text, "Only those of this tool."),
        ])
        .lists::<ScanItem>();

    /// A scan, as its upload was answered.
    Scan = Row::get("/api/v1/projects/{project}/scans/{scan}", READ).answers::<ScanAnswer>(200);

    /// A scan's issues, the worst first.
    Issues = Row::get("/api/v1/projects/{project}/scans/{scan}/issues", READ)
        .query(&[
            BUCKET,
            Parameter::optional(
                "severity",
                Kind::Word(&["critical", "high", "medium", "low", "info", "unassigned"]),
                "Only those of this level.",
            ),
            Parameter::optional("exempted", Kind::Flag, "Only those that were exempted, or only those that were not."),
            Parameter::optional(
                "exemption",
                Kind::Word(&["exempted", "partially_exempted", "pending", "rejected"]),
                "Only those that stood so to exemptions at the time of the scan.",
            ),
        ])
        .lists::<IssueItem>();

    /// The occurrences of an issue in a scan.
    IssueOccurrences = Row::get("/api/v1/projects/{project}/scans/{scan}/issues/{issue}/occurrences", READ)
        .query(&[BUCKET])
        .lists::<OccurrenceItem>();

    /// A scan's occurrences, in the order of the report.
    Occurrences = Row::get("/api/v1/projects/{project}/scans/{scan}/occurrences", READ)
        .query(&[BUCKET])
        .lists::<OccurrenceItem>();

    /// Why an occurrence is new or common, and which were passed over.
    Explain = Row::get("/api/v1/projects/{project}/scans/{scan}/explain/{occurrence}", READ).answers::<Explanation>(200);

    /// The project at a glance: a trend of its baselines, its targets, what fails now, and exemptions.
    Overview = Row::get("/api/v1/projects/{project}/overview", READ)
        .query(&[Parameter::optional("days", Kind::Number(1, 90), "How many days up to today; 30 if absent.")])
        .answers::<Overview>(200);

    /// The run of a pipeline: all scans that were uploaded with its `pipeline` and `execution`, as one.
    Execution = Row::get("/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}", READ)
        .answers::<Execution>(200);

    /// The issues of the scans that count in the run of a pipeline, as one list, the worst first; then those that are gone.
    ExecutionIssues = Row::get("/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}/issues", READ)
        .query(&[
            BUCKET,
            Parameter::optional(
                "severity",
                Kind::Word(&["critical", "high", "medium", "low", "info", "unassigned"]),
                "Only those of this level.",
            ),
            Parameter::optional("exempted", Kind::Flag, "Only those that were exempted, or only those that were not."),
            Parameter::optional(
                "exemption",
                Kind::Word(&["exempted", "partially_exempted", "pending", "rejected"]),
                "Only those that stood so to exemptions at the time of their scan.",
            ),
        ])
        .lists::<ExecutionIssue>();
}
