//! The calls that `results` answers.

use super::{Access, Kind, Parameter, Row, calls};
use crate::v1::{
    AffectedTarget, Execution, ExecutionIssue, Explanation, IssueItem, IssuesPage, OccurrenceItem, Overview,
    ScanAnswer, ScanComparison, ScanItem,
};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const BUCKET: Parameter = Parameter::optional(
    "bucket",
    Kind::Word(&["new", "common", "remediated"]),
    "Only those that stand so to the scan compared with.",
);

const SEVERITY: Parameter = Parameter::optional(
    "severity",
    Kind::Word(&["critical", "high", "medium", "low", "info", "unassigned"]),
    "Only those of this level.",
);
const EXEMPTED: Parameter =
    Parameter::optional("exempted", Kind::Flag, "Only those that were exempted, or only those that were not.");
const EXEMPTION: Parameter = Parameter::optional(
    "exemption",
    Kind::Word(&["exempted", "partially_exempted", "pending", "rejected"]),
    "Only those that stood so to exemptions at the time of the scan.",
);
const COUNTED_AS: Parameter = Parameter::optional(
    "counted_as",
    Kind::Text,
    "Only those that the scan counts as one of these, separated by commas: `critical`, `high`, `medium`, \
                 `low`, `info`, `unassigned`, `exempted`. What was exempted as a whole is `exempted` and nothing else, \
                 what was exempted in part has the level of the rest.",
);
const KIND: Parameter = Parameter::optional(
    "kind",
    Kind::Word(&["code", "dependency", "license", "secret", "web", "host", "infrastructure"]),
    "Only those of this kind.",
);
const TEXT: Parameter = Parameter::optional(
    "text",
    Kind::Text,
    "Only those that have this text, of 1 to 200 characters in either case, in title, rule, message, an \
                 advisory, `CWE-` with a number, the package's name or, where they are not gone, the path of an \
                 occurrence.",
);

calls! {
    "results":

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

    /// A scan's issues, the worst first unless asked for otherwise.
    Issues = Row::get("/api/v1/projects/{project}/scans/{scan}/issues", READ)
        .query(&[
            BUCKET,
            SEVERITY,
            EXEMPTED,
            EXEMPTION,
            COUNTED_AS,
            KIND,
            TEXT,
            Parameter::optional(
                "sort",
                Kind::Word(&["severity", "title", "occurrences", "first_seen", "newest"]),
                "What is first: the worst (if absent; those that are gone come last then), the title by the alphabet, \
                 those with the most occurrences, the oldest, or the newest.",
            ),
        ])
        .answers::<IssuesPage>(200)
        .paged();

    /// An issue of a scan, also one that is gone there.
    Issue = Row::get("/api/v1/projects/{project}/scans/{scan}/issues/{issue}", READ).answers::<IssueItem>(200);

    /// How a finished scan differs from another of its target.
    Compare = Row::get("/api/v1/projects/{project}/scans/{scan}/compare/{other}", READ)
        .query(&[Parameter::optional(
            "bucket",
            Kind::Word(&["new", "common", "remediated"]),
            "Only issues that are only in the scan, in both, or only in the other.",
        )])
        .answers::<ScanComparison>(200)
        .paged();

    /// The project's targets by name, each with whether an issue occurs in its newest complete scan by the same tool and
    /// categories of its baseline, or without one of the variant that was scanned last. Targets without such a scan are left
    /// out, so a page may hold fewer than asked for. A page looks at 100 targets at most, with some 20 reads each.
    AffectedTargets = Row::get("/api/v1/projects/{project}/issues/{issue}/targets", READ)
        .query(&[Parameter::required("scan", Kind::Text, "The scan that has the issue.")])
        .lists::<AffectedTarget>();

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
            SEVERITY,
            EXEMPTED,
            EXEMPTION,
            COUNTED_AS,
            KIND,
            TEXT,
            Parameter::optional("target", Kind::Text, "Only those of scans of this target."),
            Parameter::optional("scanner", Kind::Text, "Only those of scans by this tool."),
        ])
        .lists::<ExecutionIssue>();
}
