//! A scan: what is frozen when it begins, what the target's journal keeps of it, and which scan it is compared with.

use crate::event::{Actor, Entry};
use crate::ids::{PipelineName, ProjectId, ScanId, ScannerId, TargetId, TargetName, VariantName};
use crate::journal::{Fold, Refusal};
use crate::project::{Settings, TargetType};
use crate::replay::Replayed;
use crate::source::Revision;
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
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<PipelineName>,
    /// The run of that pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<PipelineName>,
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
}

/// What a scan is compared with; frozen into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "with")]
pub enum Reference {
    /// The newest complete scan of the target's baseline.
    Baseline {
        /// The baseline.
        variant: VariantName,
        /// Its scan.
        scan: ScanId,
    },
    /// The previous complete scan of the same variant.
    Previous {
        /// The variant itself.
        variant: VariantName,
        /// Its previous scan.
        scan: ScanId,
    },
    /// Nothing: the first scan. Everything is new.
    None,
    /// The target's baseline has no complete scan by this scanner. Everything is new, and the answer says why.
    BaselineNotScannedByThisScanner {
        /// The baseline.
        variant: VariantName,
    },
}

impl Reference {
    /// Chooses what a scan of `variant` is compared with: the baseline's newest scan, or, for the baseline itself and
    /// for targets without one, the variant's own previous scan.
    pub fn choose(
        variant: &VariantName,
        baseline: Option<&VariantName>,
        head_of_baseline: Option<&Head>,
        head_of_variant: Option<&Head>,
    ) -> Self {
        match (baseline.filter(|baseline| *baseline != variant), head_of_baseline, head_of_variant) {
            (Some(baseline), Some(head), _) => Self::Baseline { variant: baseline.clone(), scan: head.scan },
            (Some(baseline), None, _) => Self::BaselineNotScannedByThisScanner { variant: baseline.clone() },
            (None, _, Some(head)) => Self::Previous { variant: variant.clone(), scan: head.scan },
            (None, _, None) => Self::None,
        }
    }

    /// The scan, where there is one.
    pub fn scan(&self) -> Option<ScanId> {
        match self {
            Self::Baseline { scan, .. } | Self::Previous { scan, .. } => Some(*scan),
            Self::None | Self::BaselineNotScannedByThisScanner { .. } => None,
        }
    }
}

/// A scan as its target's journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEvent {
    /// The scan.
    pub scan: ScanId,
    /// The variant.
    pub variant: VariantName,
    /// The scanner.
    pub scanner: ScannerId,
}

/// The fold of a target's scans: nothing. They are read from the journal's end, a page at a time, so that no upload's
/// cost grows with their number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanLog {}

impl Fold for ScanLog {
    type Event = ScanEvent;
    const ORDERED: bool = false;

    fn apply(&mut self, _n: u64, _entry: &Entry<ScanEvent>) -> Result<(), Refusal> {
        Ok(())
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

    fn head(n: u8) -> Head {
        Head { v: 1, scan: ScanId::from_bits([n; 16]), received: Timestamp::from_ms(0) }
    }

    #[test]
    fn the_rule_of_comparison() {
        let (main, branch): (VariantName, VariantName) = ("main".parse().unwrap(), "branch".parse().unwrap());
        let (one, two) = (head(1), head(2));
        let cases = [
            (
                &branch,
                Some(&main),
                Some(&one),
                Some(&two),
                Reference::Baseline { variant: main.clone(), scan: one.scan },
            ),
            (
                &branch,
                Some(&main),
                None,
                Some(&two),
                Reference::BaselineNotScannedByThisScanner { variant: main.clone() },
            ),
            (&main, Some(&main), Some(&one), Some(&one), Reference::Previous { variant: main.clone(), scan: one.scan }),
            (&branch, None, None, Some(&two), Reference::Previous { variant: branch.clone(), scan: two.scan }),
            (&main, Some(&main), None, None, Reference::None),
            (&branch, None, None, None, Reference::None),
        ];
        for (variant, baseline, of_baseline, of_variant, expected) in cases {
            assert_eq!(Reference::choose(variant, baseline, of_baseline, of_variant), expected);
        }
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
