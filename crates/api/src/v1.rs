//! Requests and responses of version 1, as they stand on the wire. A breaking change is a module `v2`.

mod account;
mod audit;
mod execution;
mod exemption;
pub mod explain;
mod identity;
mod occurrence;
mod overview;
mod query;
mod replay;
mod scanner;
mod source;
mod target;
mod token;

pub use account::{Me, ProjectItem};
pub use audit::{AuditAbout, AuditActor, AuditItem};
pub use execution::{Execution, ExecutionIssue, ExecutionReason};
pub use exemption::{
    BulkDecision, DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, IssueExemption, Outcome, PreviewItem,
    RequestsBody, Unused, Words,
};
pub use explain::{Explanation, PassedOver};
pub use identity::{FirstSeen, Matched};
pub use occurrence::{Code, Cvss, Endpoint, Epss, OccurrenceItem, Package, Place, Secret};
pub use overview::{DayItem, FailingVariant, LastScan, Levels, Overview, OverviewExemptions, OverviewTarget};
pub use query::{AffectedTarget, ComparedItem, IssuesPage, ScanComparison};
pub use replay::{
    NoBody, ReplayAnswer, ReplayComparison, ReplayExample, ReplayIssues, ReplayOccurrences, ReplayVariable,
    ReplayVersions, VersionsItem,
};
pub use scanner::{Difference, ScannerItem};
pub use source::{REPORT_PART, SOURCE_PART, SOURCE_VERSION, SourceHead, SourceRow};
pub use target::{BaselineBody, EffectiveBaseline, TargetItem, TargetPatch, VariantItem};
pub use token::{AccountTokenBody, TokenBody, TokenItem};

use domain::comparison::{Bucket, Division};
use domain::counts::Counts;
use domain::gate::Judgement;
use domain::grouping::Issue;
use domain::ids::{IssueId, ScanId};
use domain::reference::Reference;
use domain::scan::{ParsedReport, ScanRecord};
use domain::source::Revision;
use domain::target::TargetType;
use domain::threshold::Threshold;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to an upload, and what `GET .../scans/{id}` gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanAnswer {
    /// What was scanned, with what, by whom.
    pub scan: Scan,
    /// Pass, fail or undecided.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
    /// Why; empty for a pass.
    pub reasons: Vec<String>,
    /// `Exited with message: ` and the first reason; absent for a pass.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// The output variables: strings under fixed names, always all of them.
    pub variables: BTreeMap<String, String>,
    /// What the scan was compared with.
    pub comparison: Comparison,
    /// Issues by bucket; exempted ones are in no other.
    pub issues: Tally,
    /// Occurrences by bucket; exempted ones are in no other.
    pub occurrences: Tally,
    /// What the report held, every result in exactly one count.
    pub report: Report,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scan {
    /// Its id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// The scan that this one replays: its result made anew, which counts nowhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub replay_of: Option<ScanId>,
    /// The project.
    pub project: String,
    /// What was scanned.
    pub target: TargetRef,
    /// Its branch, tag or version.
    pub variant: String,
    /// The tool that wrote the report, as it was recognised: what its issues are keyed by.
    pub scanner: String,
    /// The format that the report was read as: one of `GET /api/v1/scanners`.
    pub format: String,
    /// What tells apart the parts of the tool's results that are uploaded one by one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The scanner's version, where the report tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_version: Option<String>,
    /// From which level on the gate fails, as the uploader wrote it.
    pub fail_on_severity: String,
    /// From which level on a new issue fails the gate, as the uploader wrote it.
    #[serde(default = "none")]
    pub fail_on_new: String,
    /// From which level on a new occurrence fails the gate, as the uploader wrote it.
    #[serde(default = "none")]
    pub fail_on_new_occurrences: String,
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The run of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<String>,
    /// When the upload began, RFC 3339.
    pub received_at: String,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// What was scanned, as git tells it, where the upload came with its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
}

/// Which state of which repository was scanned. What is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub branch: Option<String>,
    /// Where the repository comes from, without what opens it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote: Option<String>,
}

impl Source {
    fn new(revision: &Revision) -> Self {
        Self {
            commit: revision.commit.as_ref().map(ToString::to_string),
            branch: revision.branch.as_ref().map(ToString::to_string),
            remote: revision.remote.as_ref().map(ToString::to_string),
        }
    }
}

/// What no threshold is written as: answers from before there were these have none.
fn none() -> String {
    Threshold::none().as_written().to_owned()
}

/// A target by name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetRef {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<TargetType>"))]
    pub target_type: TargetType,
}

/// What a scan was compared with, and when it could not be, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// `baseline`, `previous`, `none`, `baseline_not_scanned_by_this_scanner` or `baseline_incomplete`.
    pub with: String,
    /// The variant; absent too where the baseline is a pattern that matches nothing scanned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
    /// The scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub scan: Option<ScanId>,
}

/// Numbers by bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// Only here.
    pub new: u64,
    /// Also in the scan compared with.
    pub common: u64,
    /// Of occurrences: those of the common ones that were edited, so that the match is doubtful.
    #[serde(default)]
    pub updated: u64,
    /// Only in the scan compared with.
    pub remediated: u64,
    /// Exempted; in no other number.
    pub exempted: u64,
}

/// What the report held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Results in the file.
    pub results: u64,
    /// Results that became findings.
    pub findings: u64,
    /// Results the report calls passed.
    pub passed: u64,
    /// Results the report calls not applicable.
    pub not_applicable: u64,
    /// Results the report calls closed.
    pub closed: u64,
    /// Results the report calls suppressed.
    pub suppressed: u64,
    /// Results that could not be read, the first of them one by one.
    pub rejected: Vec<RejectedEntry>,
    /// How many could not be read.
    pub rejected_total: u64,
    /// What the scanner says went wrong, the first of it.
    pub scanner_errors: Vec<String>,
    /// How many things the scanner says went wrong.
    pub scanner_errors_total: u64,
    /// Text fields cut to the limit.
    pub cut_fields: u64,
    /// Parts that the report before had and this one lacks, the first of them: SARIF's runs, by tool and category.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// Whether nothing is missing; only such a scan shows what is remediated and is compared with.
    pub complete: bool,
    /// Findings, suppressed ones among them, that are recognised by their code and had none to be recognised by.
    #[serde(default)]
    pub without_code: u64,
    /// What became of the sidecar; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceUse>,
}

/// What became of the code that was sent beside a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceUse {
    /// Findings that got their code from it.
    pub enriched: u64,
    /// Rows that were not used: no finding of the report is there.
    pub mismatched: u64,
}

/// An entry of a report that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RejectedEntry {
    /// Its place in the report, counted from 0.
    pub result: u32,
    /// What is wrong with it.
    pub reason: String,
}

impl ScanAnswer {
    /// The answer for a scan whose stages are done.
    pub fn new(record: &ScanRecord, report: &ParsedReport, judgement: &Judgement) -> Self {
        let (issues, occurrences) = tallies(&judgement.counts);
        Self {
            scan: Scan::new(record, report.scanner_version.clone()),
            verdict: judgement.verdict,
            reasons: judgement.reasons.clone(),
            message: judgement.reasons.first().map(|reason| format!("Exited with message: {reason}")),
            variables: judgement.counts.variables().into_iter().collect(),
            comparison: Comparison::new(&record.reference),
            issues,
            occurrences,
            report: Report::new(record, report),
        }
    }
}

/// Issues and occurrences by bucket.
fn tallies(counts: &Counts) -> (Tally, Tally) {
    let issues = Tally {
        new: counts.new.total(),
        common: counts.all.total().saturating_sub(counts.new.total()),
        updated: 0,
        remediated: counts.remediated,
        exempted: counts.ignored,
    };
    let occurrences = Tally {
        new: counts.new_occurrences,
        common: counts.common_occurrences,
        updated: counts.updated_occurrences,
        remediated: counts.remediated_occurrences,
        exempted: counts.exempted_occurrences,
    };
    (issues, occurrences)
}

impl Scan {
    /// A scan as it was frozen.
    pub fn new(record: &ScanRecord, scanner_version: Option<String>) -> Self {
        let request = &record.request;
        Self {
            id: record.id,
            replay_of: record.replay_of,
            project: request.project.to_string(),
            target: TargetRef { name: request.target.to_string(), target_type: request.target_type },
            variant: request.variant.to_string(),
            scanner: record.tool.to_string(),
            format: record.format.to_string(),
            categories: record.categories.clone(),
            scanner_version,
            fail_on_severity: request.fail_on_severity.as_written().to_owned(),
            fail_on_new: request.fail_on_new.as_written().to_owned(),
            fail_on_new_occurrences: request.fail_on_new_occurrences.as_written().to_owned(),
            pipeline: request.pipeline.as_ref().map(ToString::to_string),
            execution: request.execution.as_ref().map(ToString::to_string),
            received_at: record.received.to_string(),
            uploaded_by: record.by.subject.to_string(),
            source: record.source.as_ref().map(Source::new),
        }
    }
}

impl Comparison {
    /// What a scan was compared with.
    pub fn new(reference: &Reference) -> Self {
        let (with, variant) = match reference {
            Reference::Baseline { variant, .. } => ("baseline", Some(variant)),
            Reference::Previous { variant, .. } => ("previous", Some(variant)),
            Reference::None => ("none", None),
            Reference::BaselineNotScannedByThisScanner { variant } => {
                ("baseline_not_scanned_by_this_scanner", variant.as_ref())
            }
            Reference::BaselineIncomplete { variant } => ("baseline_incomplete", Some(variant)),
        };
        Self { with: with.to_owned(), variant: variant.map(ToString::to_string), scan: reference.scan() }
    }
}

impl Report {
    fn new(record: &ScanRecord, report: &ParsedReport) -> Self {
        let summary = &report.summary;
        Self {
            results: summary.results,
            findings: summary.findings,
            passed: summary.passed,
            not_applicable: summary.not_applicable,
            closed: summary.closed,
            suppressed: summary.suppressed,
            rejected: summary
                .rejected_entries
                .iter()
                .map(|entry| RejectedEntry { result: entry.result, reason: entry.reason.clone() })
                .collect(),
            rejected_total: summary.rejected,
            scanner_errors: summary.scanner_errors.clone(),
            scanner_errors_total: summary.scanner_errors_total,
            cut_fields: summary.cut_fields,
            without_code: summary.without_code,
            source: record
                .source_sha256
                .is_some()
                .then_some(SourceUse { enriched: summary.enriched, mismatched: summary.mismatched }),
            missing: record.missing.clone(),
            complete: record.is_complete(summary),
        }
    }
}

/// A scan in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanItem {
    /// The scan's id, as items of every list have one.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// The scan's answer.
    #[serde(flatten)]
    pub answer: ScanAnswer,
}

/// An issue of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssueItem {
    /// The issue.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: IssueId,
    /// The scanner's rule.
    pub rule: String,
    /// The rule's name.
    pub title: String,
    /// What the scanner says about it.
    pub message: String,
    /// `code`, `dependency`, `license`, `secret`, `web`, `host` or `infrastructure`.
    pub kind: String,
    /// `critical` to `unassigned`.
    pub severity: String,
    /// 0 to 10; absent when unassigned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// Where the score came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score_source: Option<String>,
    /// The level that the scanner's own word means, where it has one; `severity` may come from a CVSS score instead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_severity: Option<String>,
    /// Weaknesses by their CWE number.
    pub cwes: Vec<u32>,
    /// The vulnerability's names: CVE, GHSA, the vendor's.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advisories: Vec<String>,
    /// The package that is vulnerable, in all versions that occur.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<IssuePackage>,
    /// The chance of exploitation within 30 days, from 0 to 1 (EPSS), where the report has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epss: Option<f64>,
    /// Whether the report says that it is known to be exploited.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub known_exploited: bool,
    /// Where to read more.
    pub references: Vec<String>,
    /// What makes it one issue: names and values of the fields.
    pub key: Vec<KeyField>,
    /// Where it stands relative to the scan compared with.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Bucket>"))]
    pub bucket: Bucket,
    /// The scan that saw it first.
    pub first_seen: FirstSeen,
    /// Whether all of it was exempted at the time of the scan, so that it is in no count but `IGNORED`.
    pub exempted: bool,
    /// How it stood to exemptions at the time of the scan; absent if nobody had asked for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exemption: Option<IssueExemption>,
    /// How it stands to exemptions now. The next scan is judged by it; this one stays as it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exemption_now: Option<IssueExemption>,
    /// Its occurrences.
    pub occurrences: OccurrenceTally,
}

/// The package of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssuePackage {
    /// Its name.
    pub name: String,
    /// Its ecosystem or type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ecosystem: Option<String>,
    /// The versions in use.
    pub versions: Vec<String>,
    /// Versions in which the vulnerability is mended.
    pub fixed_versions: Vec<String>,
}

impl IssuePackage {
    fn new(package: &domain::grouping::IssuePackage) -> Self {
        Self {
            name: package.name.clone(),
            ecosystem: package.ecosystem.clone(),
            versions: package.versions.iter().cloned().collect(),
            fixed_versions: package.fixed_versions.iter().cloned().collect(),
        }
    }
}

/// A field of an issue's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyField {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An issue's occurrences in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OccurrenceTally {
    /// Here.
    pub total: u32,
    /// Only here.
    pub new: u32,
    /// Also in the scan compared with.
    pub common: u32,
    /// Those of the common ones that were edited, so that the match is doubtful.
    #[serde(default)]
    pub updated: u32,
    /// Only in the scan compared with.
    pub remediated: u32,
}

/// How an issue stands in a scan.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The id it goes by.
    pub id: IssueId,
    /// Where it stands relative to the scan compared with.
    pub bucket: Bucket,
    /// Its occurrences; for a remediated issue what is gone.
    pub division: Division,
    /// The scan that saw it first.
    pub first_seen: FirstSeen,
    /// How it stood to exemptions when the scan was judged.
    pub exemption: Option<IssueExemption>,
    /// How it stands to exemptions now.
    pub exemption_now: Option<IssueExemption>,
}

impl IssueItem {
    /// An issue as it stands in a scan.
    pub fn new(issue: &Issue, standing: Standing) -> Self {
        let Standing { id, bucket, division, first_seen, exemption, exemption_now } = standing;
        Self {
            id,
            rule: issue.rule.clone(),
            title: issue.title.clone(),
            message: issue.message.clone(),
            kind: word(&issue.kind),
            severity: issue.severity().to_string(),
            score: issue.score.map(|scored| scored.score.as_f64()),
            score_source: issue.score.map(|scored| word(&scored.source)),
            scanner_severity: issue.scanner_severity.map(|level| level.to_string()),
            cwes: issue.cwes.iter().copied().collect(),
            advisories: issue.advisories.iter().cloned().collect(),
            package: issue.package.as_ref().map(IssuePackage::new),
            epss: issue.epss,
            known_exploited: issue.known_exploited,
            references: issue.references.iter().cloned().collect(),
            key: issue
                .key
                .pattern
                .iter()
                .zip(&issue.key.values)
                .map(|(name, value)| KeyField { name: name.clone(), value: value.clone() })
                .collect(),
            bucket,
            first_seen,
            exempted: exemption.as_ref().is_some_and(IssueExemption::is_whole),
            exemption,
            exemption_now,
            occurrences: OccurrenceTally {
                total: division.new + division.common,
                new: division.new,
                common: division.common,
                updated: division.updated,
                remediated: division.remediated,
            },
        }
    }
}

/// The word of an enum, as serde writes it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The settings of a project, in requests and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsBody {
    /// The level that issues without a severity count as: `critical` to `info`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unassigned_as: Option<String>,
    /// Whether results that their report marks as suppressed count like any other (`ignored`: the mark is) or not at all
    /// (`honoured`); `ignored` if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_suppressions: Option<String>,
    /// The baselines of targets that have none of their own, by type of target; `null` for none. A type that is absent
    /// has the built-in one: `main|master` for repositories, `latest|v?\d+\.\d+\.\d+` for containers, none for others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub default_baselines: BTreeMap<String, Option<BaselineBody>>,
    /// What `fail_on_new` and `fail_on_new_occurrences` do where the baseline has no complete scan by the scanner:
    /// `everything_counts` (if absent) as new, the verdict is `undecided`, or `nothing_is_new`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_baseline: Option<String>,
    /// How many entries of a report may be unreadable before its scan is incomplete; 0 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rejected_allowed: Option<u32>,
    /// What `fail_on_new_occurrences` takes occurrences for that were recognised although their code was edited: `new` (if
    /// absent) or `common`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub updated_occurrences: Option<String>,
    /// Whether somebody may approve the exemption that they asked for themselves; `false` if absent. The audit says when
    /// it was done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub self_approval: Option<bool>,
    /// Whether exemptions without an end may be granted; `false` if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unlimited_exemptions: Option<bool>,
    /// For how many days an issue of a level may be exempted at most; a level that is absent has no such limit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub exemption_days_max: BTreeMap<String, u32>,
    /// How many days before an exemption's end people are told, 1 to 90; 7 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_notice_days: Option<u32>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProjectAnswer {
    /// Its name.
    pub id: String,
    /// Its settings.
    pub settings: SettingsBody,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// How many targets it has.
    pub targets: usize,
}
