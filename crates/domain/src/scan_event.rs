//! Events of the journal of a target's scans.

use crate::counts::BySeverity;
use crate::digest::Short;
use crate::ids::{ScanId, ScannerId, VariantName};
use crate::serde_skip::is_default;
use crate::time::Timestamp;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A scan, as recorded in its target's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEvent {
    /// The scan.
    pub scan: ScanId,
    /// The variant.
    pub variant: VariantName,
    /// The scanner.
    pub scanner: ScannerId,
    /// True if the scan is complete.
    #[serde(skip_serializing_if = "is_true", default = "complete_by_default")]
    pub complete: bool,
    /// The scan's [`series`](crate::series::series); absent in old events.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<Short>,
    /// True if the uploader's token may not upload variants that a baseline means.
    #[serde(skip_serializing_if = "is_default", default)]
    pub untrusted: bool,
    /// The outcome.
    pub outcome: ScanOutcome,
}

fn complete_by_default() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// The outcome of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanOutcome {
    /// The start of its upload, which is the same in every event of a scan.
    pub received: Timestamp,
    /// Its verdict.
    pub verdict: Verdict,
    /// Its issues by severity, with those of the reference scan that were not seen, and without exempted ones.
    pub open: BySeverity,
    /// New issues.
    pub new: u64,
    /// Remediated issues.
    pub remediated: u64,
    /// Exempted issues.
    pub exempted: u64,
    /// True if no threshold was applied, so that it could not fail.
    #[serde(skip_serializing_if = "is_default", default)]
    pub no_threshold: bool,
    /// True if it counts as a scan of the baseline, see [`ScanRecord::baseline`](crate::scan::ScanRecord::baseline).
    pub baseline: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::series;
    use crate::testing::recorded;

    #[test]
    fn the_stored_events_are_pinned() {
        let event = ScanEvent {
            complete: false,
            series: Some(series(&"codeql".parse().unwrap(), &["python".to_owned()])),
            ..recorded(1, 2, "codeql", Verdict::Undecided)
        };
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<ScanEvent>(&stored).unwrap(), event);
        insta::assert_snapshot!(stored, @r#"{"scan":"1dede82649db2478f28c4781208921de","variant":"main","scanner":"codeql","complete":false,"series":"d0cc922b15f73fabfa2634374b927576","outcome":{"received":172800001,"verdict":"undecided","open":{"critical":0,"high":1,"medium":0,"low":0,"info":0,"unassigned":0},"new":1,"remediated":2,"exempted":3,"baseline":true}}"#);
    }
}
