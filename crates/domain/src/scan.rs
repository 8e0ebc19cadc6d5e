//! A scan: what was asked for, and what is frozen when it begins.

use crate::digest::Short;
use crate::event::Actor;
use crate::ids::{PipelineName, ProjectId, ScanId, ScannerId, TargetId, TargetName, VariantName};
use crate::reference::Reference;
use crate::replay::Replayed;
use crate::series::series;
use crate::settings::Settings;
use crate::source::Revision;
use crate::target::TargetType;
use crate::threshold::Threshold;
use crate::time::Timestamp;
use crate::version::Versions;
use finding::ReportSummary;
use serde::{Deserialize, Serialize};

/// What the caller asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequest {
    /// The project.
    pub project: ProjectId,
    /// What was scanned.
    pub target: TargetName,
    /// Its type.
    pub target_type: TargetType,
    /// Its branch, tag or version.
    pub variant: VariantName,
    /// The scanner as it was asked for: the name of a format, or `auto`.
    pub scanner: ScannerId,
    /// From which level on the gate fails.
    pub fail_on_severity: Threshold,
    /// From which level on a new issue fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new: Threshold,
    /// From which level on a new occurrence fails the gate, of a new issue or a known one.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new_occurrences: Threshold,
    /// Whether parts that the report before had and this one lacks are no longer scanned, so that it is complete.
    #[serde(skip_serializing_if = "is_default", default)]
    pub accept_missing: bool,
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<PipelineName>,
    /// The run of that pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<PipelineName>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ScanRequest {
    /// The target's id.
    pub fn target_id(&self) -> TargetId {
        TargetId::of(&self.project, &self.target)
    }
}

/// Everything a scan's stages depend on besides its findings, written once before the first of them runs: running a
/// stage again gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    pub id: ScanId,
    /// What was asked for.
    pub request: ScanRequest,
    /// The tool that wrote the report: the product that issues are keyed by, and what scans are compared by.
    pub tool: ScannerId,
    /// The format that the report was read as.
    pub format: ScannerId,
    /// What tells apart parts of one tool's results that are uploaded one by one; scans of other parts are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The parts that the report consists of, see [`parts`](crate::parts); none where its format has no parts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<String>,
    /// The parts that the scan before had and this report lacks, the first of them; with any the scan is incomplete.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// Who uploaded it.
    pub by: Actor,
    /// When the upload began.
    pub received: Timestamp,
    /// SHA-256 of the decompressed report, 64 hexadecimal digits.
    pub report_sha256: String,
    /// Bytes of the decompressed report.
    pub report_bytes: u64,
    /// What was scanned, as git tells it, where the upload came with its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Revision>,
    /// SHA-256 of the decompressed sidecar, 64 hexadecimal digits, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_sha256: Option<String>,
    /// The project's settings at that time.
    pub settings: Settings,
    /// The scan it is compared with.
    pub reference: Reference,
    /// The variant's own newest complete scan, where it is not itself the scan compared with: along a branch occurrences
    /// keep the ids that they got there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lineage: Option<ScanId>,
    /// Whether it is a scan of the target's baseline, or of a target that has none: what the trend of open issues is made of. A
    /// new release is compared with the one before and is one, where a pattern means whichever was scanned last.
    #[serde(skip_serializing_if = "is_default", default)]
    pub baseline: bool,
    /// Its turn among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
    /// The parsers and the matcher that it was made with.
    #[serde(default)]
    pub versions: Versions,
    /// The scan that this one replays: its result made anew, which counts nowhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay_of: Option<ScanId>,
    /// Who replayed it, when, and from what.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replayed: Option<Replayed>,
}

impl ScanRecord {
    /// The scan whose id makes the ids of occurrences that are seen for the first time: the original's in a replay, so
    /// that both results call the same occurrence the same.
    pub fn identity_scan(&self) -> ScanId {
        self.replay_of.unwrap_or(self.id)
    }

    /// Whether the scan saw everything that it should have, given what the report says of itself. Only such a scan shows
    /// what is remediated, and is compared with.
    pub fn is_complete(&self, report: &ReportSummary) -> bool {
        report.rejected <= u64::from(self.settings.rejected_allowed)
            && report.scanner_errors_total == 0
            && self.missing.is_empty()
    }

    /// The series that the scan belongs to: see [`series`].
    pub fn series(&self) -> Short {
        series(&self.tool, &self.categories)
    }
}

/// The newest complete scan of a variant by a scanner: what the next one is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    pub scan: ScanId,
    /// When its upload began.
    pub received: Timestamp,
    /// Its turn among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
}

impl Head {
    /// Whether this scan comes after the other: by their turns, which is the order in which they were compared.
    pub fn is_after(&self, other: &Self) -> bool {
        match (self.turn, other.turn) {
            (Some(own), Some(other)) => other < own,
            (_, _) => other.received < self.received,
        }
    }
}

/// What the report itself said, beside the record of its scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedReport {
    /// The counts.
    pub summary: ReportSummary,
    /// The scanner's version, where the report tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_before_are_still_read_and_written_the_same() {
        let old = r#"{"project":"shop","target":"web","target_type":"repository","variant":"main","scanner":"bandit","fail_on_severity":"High"}"#;
        let read: ScanRequest = serde_json::from_str(old).unwrap();
        assert_eq!((read.fail_on_new.level(), read.fail_on_new_occurrences.level()), (None, None));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let typed = ScanRequest { fail_on_new: "NONE".parse().unwrap(), ..read };
        let stored = serde_json::to_string(&typed).unwrap();
        assert_eq!(serde_json::from_str::<ScanRequest>(&stored).unwrap(), typed, "a retry must find its own words");
    }

    fn record() -> serde_json::Value {
        serde_json::json!({
            "v": 1, "id": "01".repeat(16),
            "request": {
                "project": "shop", "target": "web", "target_type": "repository", "variant": "main", "scanner": "auto",
                "fail_on_severity": "high"
            },
            "tool": "bandit", "format": "bandit", "by": {"subject": "ci", "role": "developer"}, "received": 5,
            "report_sha256": "ab", "report_bytes": 7, "settings": {}, "reference": {"with": "none"}
        })
    }

    #[test]
    fn a_scan_from_before_versions_were_recorded_has_the_first() {
        let read: ScanRecord = serde_json::from_value(record()).unwrap();
        assert_eq!((read.versions, read.replay_of, &read.replayed), (Versions::default(), None, &None));
        assert_eq!(read.identity_scan(), read.id);
        let mut stored = record();
        stored["versions"] = serde_json::json!({"parsers": 1, "matcher": 1});
        stored["settings"] = serde_json::to_value(&read.settings).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored, "and nothing else is new in its stored form");
    }

    #[test]
    fn a_replay_gives_identities_as_its_original_does() {
        let mut stored = record();
        stored["replay_of"] = "02".repeat(16).into();
        let replay: ScanRecord = serde_json::from_value(stored).unwrap();
        assert_eq!(replay.identity_scan(), ScanId::from_bits([2; 16]));
    }
}
