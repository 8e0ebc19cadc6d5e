//! A scan with its verdict and counts: the answer to an upload.

use crate::auth::Identity;
use domain::blind_spots::{ComparedSpot, SpotState};
use domain::counts::Counts;
use domain::gate::{AppliedThresholds, Judgement};
use domain::ids::{ProjectId, ScanId};
use domain::reference::Reference;
use domain::report_age;
use domain::scan::{ParsedReport, ScanRecord};
use domain::source::Revision;
use domain::target::TargetType;
use domain::threshold::Threshold;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to an upload, and to `GET .../scans/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanAnswer {
    /// The scan: its target, variant, scanner, uploader and parameters.
    pub scan: Scan,
    /// The verdict of the gate.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// The thresholds that were applied: the stricter of the upload's and of the project's least criteria. Absent for
    /// scans of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thresholds: Option<Thresholds>,
    /// True if no threshold was applied, so that nothing could fail the gate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub no_threshold: bool,
    /// The reasons for the verdict; empty for `pass`.
    pub reasons: Vec<String>,
    /// `Exited with message: ` and the first reason; absent for `pass`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// The output variables: strings under fixed names. All of them are always present.
    pub variables: BTreeMap<String, String>,
    /// The scan that this one was compared with.
    pub comparison: Comparison,
    /// True for the first scan of a variant by a scanner. It is accepted whatever its verdict, unless it is incomplete:
    /// the next scan of a variant that is compared with itself is compared with it. False for incomplete scans and
    /// replays. Absent for scans of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted_as_first: Option<bool>,
    /// The number of issues in each bucket. Exempted issues count only in `exempted`.
    pub issues: Tally,
    /// The number of occurrences in each bucket. Exempted occurrences count only in `exempted`.
    pub occurrences: Tally,
    /// The results of the report. Each counts in exactly one number.
    pub report: Report,
    /// The time at which the scan was judged, RFC 3339. Exemptions count in this answer as they did then, also if the
    /// answer is repeated. Scans of earlier versions do not have it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub judged_at: Option<String>,
}

/// The thresholds of the gate: severities, or `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Thresholds {
    /// The severity from which an issue fails the gate.
    pub fail_on_severity: String,
    /// The severity from which a new issue fails the gate.
    pub fail_on_new: String,
    /// The severity from which a new occurrence fails the gate.
    pub fail_on_new_occurrences: String,
}

impl Thresholds {
    fn new(applied: &AppliedThresholds) -> Self {
        let text = |threshold: &Threshold| threshold.as_written().to_owned();
        Self {
            fail_on_severity: text(&applied.fail_on_severity),
            fail_on_new: text(&applied.fail_on_new),
            fail_on_new_occurrences: text(&applied.fail_on_new_occurrences),
        }
    }
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scan {
    /// The scan's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// For a replay, the original scan. A replay appears in no list and no count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub replay_of: Option<ScanId>,
    /// The project.
    pub project: String,
    /// The scanned target.
    pub target: TargetRef,
    /// The scanned branch, tag or version of the target.
    pub variant: String,
    /// The tool that wrote the report, as detected. It is part of the key of each issue.
    pub scanner: String,
    /// The format of the report: an id from `GET /api/v1/scanners`.
    pub format: String,
    /// The categories of the report (SARIF). They distinguish parts of a tool's results that are uploaded separately.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The scanner's version, if the report contains it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_version: Option<String>,
    /// The severity from which an issue fails the gate, as the uploader wrote it.
    pub fail_on_severity: String,
    /// The severity from which a new issue fails the gate, as the uploader wrote it.
    #[serde(default = "no_threshold")]
    pub fail_on_new: String,
    /// The severity from which a new occurrence fails the gate, as the uploader wrote it.
    #[serde(default = "no_threshold")]
    pub fail_on_new_occurrences: String,
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<String>,
    /// The run of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<String>,
    /// The attempt of the pipeline's step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<String>,
    /// The start of the upload, RFC 3339.
    pub received_at: String,
    /// The uploader.
    pub uploaded_by: String,
    /// The scanned git revision, if the upload contained a sidecar.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
}

/// The git revision of a working tree. Unknown fields are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub branch: Option<String>,
    /// The address of the remote, without credentials.
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

/// The default of thresholds that stored answers of earlier versions lack.
fn no_threshold() -> String {
    Threshold::none().as_written().to_owned()
}

/// A target by name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetRef {
    /// The target's name.
    pub name: String,
    /// The target's type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<TargetType>"))]
    pub target_type: TargetType,
}

/// The scan that another scan was compared with, or the reason why it was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// `baseline`: compared with the newest complete scan of the target's baseline. `previous`: with the previous
    /// complete scan of the variant. `accepted`: with the newest accepted scan of the variant, because no later one
    /// is accepted. `none`: not compared, this is the first scan, or no scan of the variant was accepted.
    /// `baseline_not_scanned_by_this_scanner`: not compared, the baseline has no scan by this scanner.
    /// `baseline_incomplete`: not compared, all scans of the baseline by this scanner are incomplete.
    /// `baseline_untrusted`: not compared, all complete scans of the baseline by this scanner are by tokens that may
    /// not upload baselines.
    /// `baseline_unknown`: not compared, the baseline's pattern matches none of the variants that are stored, and the
    /// target has more. The verdict is undecided.
    pub with: String,
    /// The variant of the reference scan, or the baseline; absent for `none`, and if the baseline is a pattern that
    /// matches no scanned variant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variant: Option<String>,
    /// The reference scan; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub scan: Option<ScanId>,
    /// The variant's own previous complete scan, where that is not the reference scan. Issues and occurrences keep the
    /// ids that they have there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub previous: Option<ScanId>,
}

/// The number of issues or occurrences in each bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// In the scan, but not in the reference scan.
    pub new: u64,
    /// In both scans.
    pub common: u64,
    /// For occurrences: those of `common` whose code was edited, so that the match is uncertain.
    #[serde(default)]
    pub updated: u64,
    /// In the reference scan, but not in the scan.
    pub remediated: u64,
    /// In the reference scan, and inside a blind spot of the scan.
    #[serde(default)]
    pub not_seen: u64,
    /// Exempted; these count in no other number.
    pub exempted: u64,
}

/// The results of a report, by outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// All results in the report.
    pub results: u64,
    /// Results that became findings.
    pub findings: u64,
    /// Results that the report marks as passed.
    pub passed: u64,
    /// Results that the report marks as not applicable.
    pub not_applicable: u64,
    /// Results that the report marks as closed.
    pub closed: u64,
    /// Results that the report marks as suppressed.
    pub suppressed: u64,
    /// The first results that could not be read.
    pub rejected: Vec<RejectedEntry>,
    /// The number of results that could not be read.
    pub rejected_total: u64,
    /// The first errors that the scanner reports about its own run.
    pub scanner_errors: Vec<String>,
    /// The number of errors that the scanner reports about its own run.
    pub scanner_errors_total: u64,
    /// The first blind spots, at most 100: what the scanner could not examine. New ones come first, then known ones,
    /// then those that only the reference scan has.
    #[serde(default)]
    pub blind_spots: Vec<BlindSpot>,
    /// The number of blind spots of this scan.
    #[serde(default)]
    pub blind_spots_total: u64,
    /// The number of things that the scanner examined, by unit (`files`, `lines`, `rules`, ...), where the report
    /// states it.
    #[serde(default)]
    pub examined: BTreeMap<String, u64>,
    /// The number of text fields that were cut to the limit.
    pub cut_fields: u64,
    /// The variant's previous scan, if it had the same report, byte for byte, for another commit: the report may not be
    /// of this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub same_as: Option<ScanId>,
    /// The time at which the scanner made the report, RFC 3339, if the report states it: the end of the run, else its
    /// start. Nothing proves it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<String>,
    /// The newest accepted scan of this variant and scanner, if its report was made after this one: this report may not
    /// be that of the newest code. A time more than a day after its upload is not compared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub older_than: Option<NewerReport>,
    /// True if the upload began more than 24 hours after `made_at`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub made_long_before: bool,
    /// The first SARIF runs, by tool and category, that the previous report contained and this one lacks.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// True if the scan is complete. Only a complete scan remediates issues and serves as a reference scan.
    pub complete: bool,
    /// The number of findings, with suppressed ones, that are matched by code, but have no code. They are matched by
    /// place and message.
    #[serde(default)]
    pub without_code: u64,
    /// The use of the sidecar; absent if the upload had none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceUse>,
}

/// A scan whose report was made after that of another scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewerReport {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The time at which its report was made, RFC 3339.
    pub made_at: String,
}

/// The use of a sidecar with code from the working tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceUse {
    /// The number of findings that got their code from the sidecar.
    pub enriched: u64,
    /// The number of rows that were not used, because the report has no such finding.
    pub mismatched: u64,
}

/// Something that the scanner could not examine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BlindSpot {
    /// The extent: `file`, `folder`, `rule`, `tool` or `everything`.
    pub reach: String,
    /// The name of the file, folder, rule or tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The scanner's reason.
    pub reason: String,
    /// The result of the comparison with the reference scan.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<SpotState>"))]
    pub state: SpotState,
    /// The number of occurrences that the reference scan has there.
    pub not_seen: u32,
}

impl BlindSpot {
    fn new(compared: &ComparedSpot) -> Self {
        let ComparedSpot { spot, state, not_seen } = compared;
        Self {
            reach: spot.reach.word().to_owned(),
            name: spot.reach.name().map(str::to_owned),
            reason: spot.reason.clone(),
            state: *state,
            not_seen: *not_seen,
        }
    }
}

/// A result that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RejectedEntry {
    /// The position of the result in the report, counted from 0.
    pub result: u32,
    /// The reason.
    pub reason: String,
}

/// A scan in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanItem {
    /// The scan's id; the items of every list have an `id`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub id: ScanId,
    /// The answer to the scan's upload.
    #[serde(flatten)]
    pub answer: ScanAnswer,
}

impl ScanAnswer {
    /// Makes the answer for a scan whose stages are finished.
    pub fn new(record: &ScanRecord, report: &ParsedReport, judgement: &Judgement) -> Self {
        let (issues, occurrences) = tallies(&judgement.counts);
        let counts = record.replay_of.is_none() && record.is_complete(&report.summary);
        Self {
            scan: Scan::new(record, report.scanner_version.clone()),
            verdict: judgement.verdict,
            thresholds: judgement.thresholds.as_ref().map(Thresholds::new),
            no_threshold: judgement.thresholds.as_ref().is_some_and(AppliedThresholds::are_none),
            reasons: judgement.reasons.clone(),
            message: judgement.reasons.first().map(|reason| format!("Exited with message: {reason}")),
            variables: judgement.counts.variables().into_iter().collect(),
            comparison: Comparison::new(record),
            accepted_as_first: Some(counts && record.is_first()),
            issues,
            occurrences,
            report: Report::new(record, report, judgement),
            judged_at: None,
        }
    }
}

/// The tallies of issues and of occurrences.
pub(super) fn tallies(counts: &Counts) -> (Tally, Tally) {
    let issues = Tally {
        new: counts.new.total(),
        common: counts.all.total().saturating_sub(counts.new.total()),
        updated: 0,
        remediated: counts.remediated,
        not_seen: counts.not_seen,
        exempted: counts.ignored,
    };
    let occurrences = Tally {
        new: counts.new_occurrences,
        common: counts.common_occurrences,
        updated: counts.updated_occurrences,
        remediated: counts.remediated_occurrences,
        not_seen: counts.not_seen_occurrences,
        exempted: counts.exempted_occurrences,
    };
    (issues, occurrences)
}

impl Scan {
    /// Makes a scan from its frozen parameters.
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
            attempt: request.attempt.as_ref().map(ToString::to_string),
            received_at: record.received.to_string(),
            uploaded_by: record.by.subject.to_string(),
            source: record.source.as_ref().map(Source::new),
        }
    }

    /// True if the scan belongs to the project and its target is covered by the caller's token.
    pub fn is_visible_to(&self, caller: &Identity, project: &ProjectId) -> bool {
        self.project == project.as_str() && self.target.name.parse().is_ok_and(|target| caller.covers(&target))
    }
}

impl Comparison {
    /// Makes the comparison from a scan's frozen reference.
    pub fn new(record: &ScanRecord) -> Self {
        let (with, variant) = match &record.reference {
            Reference::Baseline { variant, .. } => ("baseline", Some(variant)),
            Reference::Previous { variant, .. } => ("previous", Some(variant)),
            Reference::Accepted { variant, .. } => ("accepted", Some(variant)),
            Reference::None => ("none", None),
            Reference::BaselineNotScannedByThisScanner { variant } => {
                ("baseline_not_scanned_by_this_scanner", variant.as_ref())
            }
            Reference::BaselineIncomplete { variant } => ("baseline_incomplete", Some(variant)),
            Reference::BaselineUntrusted { variant } => ("baseline_untrusted", Some(variant)),
            Reference::BaselineUnknown => ("baseline_unknown", None),
        };
        Self {
            with: with.to_owned(),
            variant: variant.map(ToString::to_string),
            scan: record.reference.scan(),
            previous: record.lineage,
        }
    }
}

impl Report {
    fn new(record: &ScanRecord, report: &ParsedReport, judgement: &Judgement) -> Self {
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
            blind_spots: judgement.blind_spots.iter().map(BlindSpot::new).collect(),
            blind_spots_total: judgement.counts.blind_spots,
            examined: summary.examined.iter().map(|(unit, count)| (unit.as_str().to_owned(), *count)).collect(),
            cut_fields: summary.cut_fields,
            without_code: summary.without_code,
            source: record
                .source_sha256
                .is_some()
                .then_some(SourceUse { enriched: summary.enriched, mismatched: summary.mismatched }),
            same_as: record.same_report,
            made_at: report.made_at.map(|made_at| made_at.to_string()),
            older_than: record
                .older_than
                .map(|newer| NewerReport { scan: newer.scan, made_at: newer.made_at.to_string() }),
            made_long_before: report_age::is_late(report.made_at, record.received),
            missing: record.missing.clone(),
            complete: record.is_complete(summary),
        }
    }
}
