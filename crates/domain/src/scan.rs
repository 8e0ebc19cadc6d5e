//! A scan: its request, and its record, which is frozen before the stages run.

use crate::digest::Short;
use crate::event::Actor;
use crate::ids::{PipelineName, ProjectId, ScanId, ScannerId, TargetId, TargetName, VariantName};
use crate::parts::DroppedParts;
use crate::reference::Reference;
use crate::replay::Replayed;
use crate::report_age::NewerReport;
use crate::serde_skip::is_default;
use crate::series::{Series, series};
use crate::settings::Settings;
use crate::source::Revision;
use crate::target::TargetType;
use crate::threshold::Threshold;
use crate::time::Timestamp;
use crate::upload_limits::UploadLimits;
use crate::version::Versions;
use finding::ReportSummary;
use serde::{Deserialize, Serialize};

/// The request of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequest {
    /// The project.
    pub project: ProjectId,
    /// The scanned target.
    pub target: TargetName,
    /// The target's type.
    pub target_type: TargetType,
    /// The target's branch, tag or version.
    pub variant: VariantName,
    /// The requested scanner: the name of a format, or `auto`.
    pub scanner: ScannerId,
    /// The severity from which an issue fails the gate.
    pub fail_on_severity: Threshold,
    /// The severity from which a new issue fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new: Threshold,
    /// The severity from which a new occurrence, of a new or a common issue, fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new_occurrences: Threshold,
    /// True if missing parts are no longer scanned: the report is complete although it lacks parts of the previous one.
    #[serde(skip_serializing_if = "is_default", default)]
    pub accept_missing: bool,
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<PipelineName>,
    /// The run of the pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<PipelineName>,
    /// The attempt of the pipeline's step. A scan replaces those of the same step only under a name that none of them
    /// has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<PipelineName>,
}

impl ScanRequest {
    /// Returns the target's id.
    pub fn target_id(&self) -> TargetId {
        TargetId::of(&self.project, &self.target)
    }
}

/// A scan's record: everything that its stages depend on besides its findings. It is written once, before the first
/// stage runs, so a repeated stage writes the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    pub id: ScanId,
    /// The request of the upload.
    pub request: ScanRequest,
    /// The tool that wrote the report. It is the product in the keys of issues, and scans are compared by tool.
    pub tool: ScannerId,
    /// The format of the report.
    pub format: ScannerId,
    /// The categories of a tool's results that are uploaded separately. Scans with different categories are not
    /// compared.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The parts of the report, see [`parts`](crate::parts); none if its format has no parts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<String>,
    /// The first of the parts that the previous report had and this one lacks. A scan with missing parts is incomplete.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// The parts that earlier reports had, if a reviewer accepted that this one lacks them. The scan is complete
    /// without them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped: Option<DroppedParts>,
    /// The uploader.
    pub by: Actor,
    /// The start of the upload.
    pub received: Timestamp,
    /// SHA-256 of the decompressed report, 64 hexadecimal digits.
    pub report_sha256: String,
    /// The size of the decompressed report, in bytes.
    pub report_bytes: u64,
    /// The revision that was scanned, if the upload included its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Revision>,
    /// SHA-256 of the decompressed sidecar, 64 hexadecimal digits, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_sha256: Option<String>,
    /// The project's settings at the time of the upload.
    pub settings: Settings,
    /// The reference scan.
    pub reference: Reference,
    /// The variant's own newest complete scan, if it is not the reference scan. Occurrences of a branch keep the ids of
    /// that scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lineage: Option<ScanId>,
    /// True for a scan of the target's baseline, or of a target without one. The trend of open issues consists of such
    /// scans. A new release that is compared with the release before is one too, if the baseline is a pattern.
    #[serde(skip_serializing_if = "is_default", default)]
    pub baseline: bool,
    /// The turn of the scan among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
    /// The versions of the parsers and of the matcher.
    #[serde(default)]
    pub versions: Versions,
    /// The scan that this one replays. A replay has no effect on other scans.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay_of: Option<ScanId>,
    /// The variant's own previous scan, if it had the same report for another commit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub same_report: Option<ScanId>,
    /// The newest accepted scan of the series, if its report was made after this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub older_than: Option<NewerReport>,
    /// The trust in what the uploader says. The default is that of scans that were stored before tokens had limits.
    #[serde(skip_serializing_if = "is_default", default)]
    pub trust: UploadTrust,
    /// The actor, time and source of the replay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replayed: Option<Replayed>,
}

/// The trust in what an uploader says of a scan, by the limits of the token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadTrust {
    /// True if the token may not upload variants that a baseline means.
    #[serde(skip_serializing_if = "is_default", default)]
    pub untrusted: bool,
    /// True if nothing proves that the pipeline of the request made the upload.
    #[serde(skip_serializing_if = "is_default", default)]
    pub unproven_pipeline: bool,
}

impl UploadTrust {
    /// Returns the trust in uploads with these limits.
    pub fn of(limits: &UploadLimits) -> Self {
        Self { untrusted: limits.untrusted, unproven_pipeline: !limits.proves_pipeline() }
    }
}

impl ScanRecord {
    /// Returns the pipeline of the scan, if the token of the upload proves it. Exemptions for a pipeline apply only
    /// then.
    pub fn proven_pipeline(&self) -> Option<&PipelineName> {
        self.request.pipeline.as_ref().filter(|_| !self.trust.unproven_pipeline)
    }

    /// Returns the scan from which the ids of new occurrences are derived: in a replay the original, so that both
    /// results use the same ids.
    pub fn identity_scan(&self) -> ScanId {
        self.replay_of.unwrap_or(self.id)
    }

    /// True if it is the first scan of its series, so that there was none to compare it with.
    pub fn is_first(&self) -> bool {
        self.reference == Reference::None && self.lineage.is_none()
    }

    /// True if the scan is complete, given the report's own summary. Only complete scans remediate issues and serve as
    /// reference scans.
    pub fn is_complete(&self, report: &ReportSummary) -> bool {
        self.is_read_whole(report) && self.missing.is_empty()
    }

    /// True if the scan is incomplete for one reason only: its report lacks parts.
    pub fn lacks_only_parts(&self, report: &ReportSummary) -> bool {
        self.is_read_whole(report) && !self.missing.is_empty()
    }

    /// True if nothing in the report itself makes the scan incomplete.
    fn is_read_whole(&self, report: &ReportSummary) -> bool {
        report.rejected <= u64::from(self.settings.rejected_allowed) && report.scanner_errors_total == 0
    }

    /// Returns the series of the scan's tool and categories.
    pub fn own_series(&self) -> Series {
        Series { tool: self.tool.clone(), categories: self.categories.clone() }
    }

    /// Returns the [`series`] of the scan.
    pub fn series(&self) -> Short {
        series(&self.tool, &self.categories)
    }
}

/// The report's own statements, stored with the record of its scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedReport {
    /// The counts.
    pub summary: ReportSummary,
    /// The scanner's version, if the report states it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_version: Option<String>,
    /// The time at which the scanner made the report, if the report states it; absent for scans of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::stored_scan;

    #[test]
    fn older_stored_requests_are_still_read_and_written_unchanged() {
        let old = r#"{"project":"shop","target":"web","target_type":"repository","variant":"main","scanner":"bandit","fail_on_severity":"High"}"#;
        let read: ScanRequest = serde_json::from_str(old).unwrap();
        assert_eq!((read.fail_on_new.level(), read.fail_on_new_occurrences.level()), (None, None));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let typed = ScanRequest { fail_on_new: "NONE".parse().unwrap(), ..read };
        let stored = serde_json::to_string(&typed).unwrap();
        assert_eq!(serde_json::from_str::<ScanRequest>(&stored).unwrap(), typed, "a retry must find the same words");
    }

    #[test]
    fn a_stored_scan_without_versions_has_the_first_versions() {
        let read: ScanRecord = serde_json::from_value(stored_scan()).unwrap();
        assert_eq!((read.versions, read.replay_of, &read.replayed), (Versions::default(), None, &None));
        assert_eq!(read.identity_scan(), read.id);
        let mut stored = stored_scan();
        stored["versions"] = serde_json::json!({"parsers": 1, "matcher": 1});
        stored["settings"] = serde_json::to_value(&read.settings).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored, "and nothing else is new in its stored form");
    }

    #[test]
    fn a_stored_report_without_a_time_is_read_and_written_unchanged() {
        let stored = serde_json::json!({"summary": ReportSummary::default(), "scanner_version": "1.9"});
        let read: ParsedReport = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(read.made_at, None);
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        let timed = ParsedReport { made_at: Some(Timestamp::from_ms(5)), ..read };
        assert_eq!(serde_json::to_value(&timed).unwrap()["made_at"], 5);
    }

    #[test]
    fn the_evidence_of_an_older_report_is_stored_with_its_scan() {
        let mut stored = stored_scan();
        stored["older_than"] = serde_json::json!({"scan": "02".repeat(16), "made_at": 5});
        let read: ScanRecord = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap()["older_than"], stored["older_than"]);
    }

    #[test]
    fn a_replay_derives_the_same_ids_as_its_original() {
        let mut stored = stored_scan();
        stored["replay_of"] = "02".repeat(16).into();
        let replay: ScanRecord = serde_json::from_value(stored).unwrap();
        assert_eq!(replay.identity_scan(), ScanId::from_bits([2; 16]));
    }
}
