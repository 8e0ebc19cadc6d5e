//! Accepting a scan: a reviewer decides that its issues are not new any more, or that the parts which its report lacks
//! are no longer scanned.

use crate::event::Mark;
use crate::head::SeriesScan;
use crate::ids::ScannerId;
use crate::journal::Refusal;
use crate::scan::ScanRecord;
use finding::ReportSummary;
use serde::{Deserialize, Serialize};

/// The effect of accepting a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// The next scans of its variant are compared with it: its issues are not new any more.
    Reference,
    /// The parts that its report lacks are no longer expected. The scan itself stays incomplete.
    Missing,
}

impl Acceptance {
    /// Returns the effect of accepting a scan, given the report's own summary.
    ///
    /// # Errors
    /// Accepting the scan can have no effect: it is a replay, incomplete for another reason than missing parts, or
    /// compared with the baseline.
    pub fn of(record: &ScanRecord, report: &ReportSummary) -> Result<Self, Refusal> {
        let scan = record.id;
        if record.replay_of.is_some() {
            let what = format!("scan {scan} is a replay, which no scan is compared with; accept its original");
            return Err(Refusal::new(what));
        }
        if record.lacks_only_parts(report) {
            return Ok(Self::Missing);
        }
        if !record.is_complete(report) {
            let what = format!("scan {scan} is incomplete, so no scan is compared with it; upload a complete one");
            return Err(Refusal::new(what));
        }
        if record.reference.is_to_baseline() {
            return Err(Refusal::new(format!(
                "scan {scan} is compared with the target's baseline and not with its own variant, so accepting it has no \
                 effect; request exemptions for its issues instead"
            )));
        }
        Ok(Self::Reference)
    }
}

/// The newest complete scan of a series, with its tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteScan {
    /// The tool of the series.
    pub tool: ScannerId,
    /// The scan.
    pub scan: SeriesScan,
}

/// The register of a reviewer's decision that the parts which a scan lacks are no longer scanned. It belongs to the
/// scan's series. Its last writer wins; if that is the older of two decisions, more is missing, never less.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptedMissing {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    #[serde(flatten)]
    pub scan: SeriesScan,
    /// The scan's tool.
    pub tool: ScannerId,
    /// The parts that the scan's report has. All others were accepted as missing.
    pub parts: Vec<String>,
    /// The reviewer, the time and the event in the project's journal.
    pub mark: Mark,
    /// The reviewer's reason.
    pub comment: String,
}

impl AcceptedMissing {
    /// True if a report with these parts lacks only what the scan lacked. `complete` has the newest complete scans
    /// whose reports could show a missing part. If one of them is later than the decision's scan, the parts were
    /// scanned again, and the decision counts no more.
    pub fn covers(&self, parts: &[String], complete: &[CompleteScan]) -> bool {
        self.parts.iter().all(|part| parts.contains(part))
            && !complete.iter().any(|complete| complete.is_after(&self.tool, &self.scan))
    }
}

impl CompleteScan {
    /// True if this scan comes after the other. Turns are counted by tool, so scans of two tools are compared by time.
    pub fn is_after(&self, tool: &ScannerId, scan: &SeriesScan) -> bool {
        if self.tool == *tool { self.scan.is_after(scan) } else { scan.received < self.scan.received }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ScanId;
    use crate::time::Timestamp;

    fn scan(turn: u64, ms: i64) -> SeriesScan {
        let scan = ScanId::from_bits([u8::try_from(turn).unwrap(); 16]);
        SeriesScan { scan, received: Timestamp::from_ms(ms), turn: Some(turn), made_at: None }
    }

    fn complete(tool: &str, turn: u64, ms: i64) -> CompleteScan {
        CompleteScan { tool: tool.parse().unwrap(), scan: scan(turn, ms) }
    }

    fn owned(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    /// The decision about the codeql scan of turn 5 at time 50, whose report has the parts `a` and `b`.
    fn decision() -> AcceptedMissing {
        let mark = crate::testing::entry(1, "ann", 1000, ()).mark();
        let (parts, comment) = (owned(&["a", "b"]), "agreed".to_owned());
        AcceptedMissing { v: 1, scan: scan(5, 50), tool: "codeql".parse().unwrap(), parts, mark, comment }
    }

    #[test]
    fn a_report_may_lack_what_the_accepted_scan_lacked_and_no_third_part() {
        let before = [complete("codeql", 4, 40)];
        let covers = |parts: &[&str]| decision().covers(&owned(parts), &before);
        assert!(covers(&["a", "b"]) && covers(&["a", "b", "c"]));
        assert!(!covers(&["a"]), "it lacks b too");
        assert!(!covers(&["a", "c"]), "a part that came does not make up for one that went");
        assert!(decision().covers(&owned(&["a", "b"]), &[]), "no report of this variant was complete");
    }

    #[test]
    fn a_decision_ends_when_a_complete_report_comes_after_its_scan() {
        let covers = |complete: &[CompleteScan]| decision().covers(&owned(&["a", "b"]), complete);
        assert!(!covers(&[complete("codeql", 4, 40), complete("codeql", 6, 60)]));
        assert!(!covers(&[complete("codeql", 6, 40)]), "turns are the order, not times");
        assert!(covers(&[complete("codeql", 4, 60)]));
        assert!(covers(&[complete("sarif", 9, 40)]), "another tool's turns are others");
        assert!(!covers(&[complete("sarif", 2, 60)]));
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let stored = serde_json::to_string(&decision()).unwrap();
        assert_eq!(serde_json::from_str::<AcceptedMissing>(&stored).unwrap(), decision());
        insta::assert_snapshot!(stored, @r#"{"v":1,"scan":"05050505050505050505050505050505","received":50,"turn":5,"tool":"codeql","parts":["a","b"],"mark":{"event":"1dede82649db2478f28c4781208921de","at":1000,"by":{"subject":"ann","role":"admin"}},"comment":"agreed"}"#);
    }

    fn record(change: impl FnOnce(&mut serde_json::Value)) -> ScanRecord {
        let mut record = crate::testing::stored_scan();
        change(&mut record);
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn only_missing_parts_and_complete_scans_of_a_variant_that_is_compared_with_itself_can_be_accepted() {
        let (clean, failed) =
            (ReportSummary::default(), ReportSummary { scanner_errors_total: 1, ..ReportSummary::default() });
        let to_baseline = serde_json::json!({"with": "baseline_incomplete", "variant": "main"});
        assert_eq!(Acceptance::of(&record(|_| ()), &clean), Ok(Acceptance::Reference));
        let lacks = record(|record| record["missing"] = serde_json::json!(["go"]));
        assert_eq!(Acceptance::of(&lacks, &clean), Ok(Acceptance::Missing));
        let branch = record(|record| {
            (record["missing"], record["reference"]) = (serde_json::json!(["go"]), to_baseline.clone());
        });
        assert_eq!(Acceptance::of(&branch, &clean), Ok(Acceptance::Missing), "a branch can lack parts too");
        let refused = |record: &ScanRecord, report| Acceptance::of(record, report).unwrap_err().reason;
        assert!(refused(&lacks, &failed).contains("is incomplete"), "it lacks parts and has another fault");
        assert!(refused(&record(|_| ()), &failed).contains("is incomplete"));
        let complete_branch = record(|record| record["reference"] = to_baseline.clone());
        assert!(refused(&complete_branch, &clean).contains("compared with the target's baseline"));
        let replay = record(|record| record["replay_of"] = "02".repeat(16).into());
        assert!(refused(&replay, &clean).contains("is a replay"));
    }
}
