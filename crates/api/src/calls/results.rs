//! Calls that `results` answers.

use super::spec::{CallSpec, Parameter, ParameterKind};
use super::table::calls;
use crate::access::Access;
use crate::v1::{
    AffectedTarget, Execution, ExecutionIssue, Explanation, IssueItem, IssuesPage, OccurrenceItem, Overview,
    ScanAnswer, ScanComparison, ScanItem,
};
use domain::role::Right;

const READ: Access = Access::Right(Right::Read);
const BUCKETS: ParameterKind = ParameterKind::Word(&["new", "common", "remediated", "not_seen"]);
const BUCKET: Parameter =
    Parameter::optional("bucket", BUCKETS, "Only items in this bucket of the scan's own comparison.");
const SEVERITY: Parameter = Parameter::optional(
    "severity",
    ParameterKind::Word(&["critical", "high", "medium", "low", "info", "unassigned"]),
    "Only issues of this severity.",
);
const EXEMPTED: Parameter = Parameter::optional(
    "exempted",
    ParameterKind::Flag,
    "`true`: only issues that were exempted as a whole when the scan was judged. `false`: only the others.",
);
const EXEMPTION: Parameter = Parameter::optional(
    "exemption",
    ParameterKind::Word(&["exempted", "partially_exempted", "pending", "rejected"]),
    "Only issues with this exemption state when the scan was judged.",
);
const COUNTED_AS: Parameter = Parameter::optional(
    "counted_as",
    ParameterKind::Text,
    "Only issues that the scan counts as one of these, separated by commas: `critical`, `high`, `medium`, `low`, \
     `info`, `unassigned`, `exempted`. An issue that is exempted as a whole counts only as `exempted`. An issue that is \
     exempted in part counts with the severity of the rest.",
);
const KIND: Parameter = Parameter::optional(
    "kind",
    ParameterKind::Word(&["code", "dependency", "license", "secret", "web", "host", "infrastructure"]),
    "Only issues of this kind.",
);
const TEXT: Parameter = Parameter::optional(
    "text",
    ParameterKind::Text,
    "Only issues that contain this text of 1 to 200 characters, in upper or lower case, in the title, the rule, the \
     message, an advisory, `CWE-` with a number, the name of the package or, unless the issue is remediated, the path \
     of an occurrence.",
);

calls! {
    ResultsCall of "results":

    /// Lists the scans, newest first.
    Scans = CallSpec::get("/api/v1/projects/{project}/scans", READ)
        .query(&[
            Parameter::optional("target", ParameterKind::Text, "Only scans of this target."),
            Parameter::optional("variant", ParameterKind::Text, "Only scans of this variant."),
            Parameter::optional("scanner", ParameterKind::Text, "Only scans by this tool."),
        ])
        .lists::<ScanItem>();

    /// Returns a scan: the same answer that its upload got.
    Scan = CallSpec::get("/api/v1/projects/{project}/scans/{scan}", READ).answers::<ScanAnswer>(200);

    /// Lists the issues of a scan, by default the most severe first.
    Issues = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/issues", READ)
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
                ParameterKind::Word(&["severity", "title", "occurrences", "first_seen", "newest"]),
                "The order: `severity` (default) with the most severe first and remediated issues and those not seen \
                 last, `title` alphabetically, `occurrences` with the most first, `first_seen` with the oldest first, \
                 or `newest` with the newest first.",
            ),
        ])
        .answers::<IssuesPage>(200)
        .paged();

    /// Returns an issue of a scan, also one that is remediated or was not seen.
    Issue = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/issues/{issue}", READ).answers::<IssueItem>(200);

    /// Compares a finished scan with another finished scan of the same target, and lists the issues of both.
    Compare = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/compare/{other}", READ)
        .query(&[Parameter::optional(
            "bucket",
            BUCKETS,
            "Only issues that are in `scan` alone (`new`), in both (`common`), in `other` alone (`remediated`), or in \
             `other` and inside a blind spot of `scan` (`not_seen`).",
        )])
        .answers::<ScanComparison>(200)
        .paged();

    /// Lists the project's targets by name, and says of each whether the issue occurs there. It looks at one scan of
    /// each target: the newest complete one by the same tool and categories, of the target's baseline or, without a
    /// baseline, of the variant that was scanned last. Targets without such a scan are left out, and a page looks at
    /// no more than 100 targets, so it may be shorter than `limit`. A page costs about 20 reads per target.
    AffectedTargets = CallSpec::get("/api/v1/projects/{project}/issues/{issue}/targets", READ)
        .query(&[Parameter::required("scan", ParameterKind::Text, "A scan that has the issue.")])
        .lists::<AffectedTarget>();

    /// Lists the occurrences of an issue in a scan, by path and line. Remediated ones are listed with
    /// `bucket=remediated` only, and those that were not seen with `bucket=not_seen`.
    IssueOccurrences = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/issues/{issue}/occurrences", READ)
        .query(&[BUCKET])
        .lists::<OccurrenceItem>();

    /// Lists the occurrences of a scan, by issue (the most severe first), path and line. Remediated ones are listed
    /// with `bucket=remediated` only, and those that were not seen with `bucket=not_seen`.
    Occurrences = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/occurrences", READ)
        .query(&[BUCKET])
        .lists::<OccurrenceItem>();

    /// Explains why an occurrence is new, common or not seen, and why similar occurrences of the reference scan do not
    /// match it.
    Explain = CallSpec::get("/api/v1/projects/{project}/scans/{scan}/explain/{occurrence}", READ)
        .answers::<Explanation>(200);

    /// Returns the project's overview: the trend of its baselines, its targets, the variants that do not pass, and the
    /// number of exemptions that need attention.
    Overview = CallSpec::get("/api/v1/projects/{project}/overview", READ)
        .query(&[Parameter::optional(
            "days",
            ParameterKind::Number(1, 90),
            "The number of days in the trend, up to today. Default: 30.",
        )])
        .answers::<Overview>(200);

    /// Returns a pipeline's run: the combined result of all scans that were uploaded with this `pipeline` and
    /// `execution`.
    Execution = CallSpec::get("/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}", READ)
        .answers::<Execution>(200);

    /// Lists the issues of all scans that count in a pipeline's run, the most severe first, remediated ones and those
    /// not seen last.
    ExecutionIssues =
        CallSpec::get("/api/v1/projects/{project}/pipelines/{pipeline}/executions/{execution}/issues", READ)
            .query(&[
                BUCKET,
                SEVERITY,
                EXEMPTED,
                EXEMPTION,
                COUNTED_AS,
                KIND,
                TEXT,
                Parameter::optional("target", ParameterKind::Text, "Only issues of scans of this target."),
                Parameter::optional("scanner", ParameterKind::Text, "Only issues of scans by this tool."),
            ])
            .lists::<ExecutionIssue>();
}
