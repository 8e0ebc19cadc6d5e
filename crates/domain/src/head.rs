//! The head of a series: its newest complete scan, and its newest accepted one.
//!
//! A scan is *accepted* if it passed its gate, if it is the first scan of its variant, or if a reviewer accepted it.
//! The gate of a variant that is compared with itself counts what is new since the newest accepted scan. If it counted
//! what is new since the newest scan, a second upload of a failing report would pass.
//!
//! After scans that did not pass, one that passes is accepted only if its thresholds are at least as strict as theirs.
//! Otherwise an upload of the failing report without thresholds would make it the reference. For the same reason scans
//! by untrusted tokens are never accepted in a series that has one by a trusted token.

use crate::baseline::PatternError;
use crate::event::Mark;
use crate::gate::{AppliedThresholds, Criteria};
use crate::ids::{CommitId, ScanId};
use crate::reference::Reference;
use crate::report_age::credible;
use crate::scan::{ParsedReport, ScanRecord};
use crate::serde_skip::is_default;
use crate::time::Timestamp;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A scan with its place in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesScan {
    /// The scan.
    pub scan: ScanId,
    /// The start of its upload.
    pub received: Timestamp,
    /// The turn of the scan among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
    /// The time at which its report was made, if the report states a credible one; absent for scans of earlier
    /// versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<Timestamp>,
}

impl SeriesScan {
    /// Returns the place of a scan.
    pub fn of(record: &ScanRecord, report: &ParsedReport) -> Self {
        let made_at = credible(report.made_at, record.received);
        Self { scan: record.id, received: record.received, turn: record.turn, made_at }
    }

    /// True if this scan comes after the other: by their turns, which are the order in which they are compared.
    pub fn is_after(&self, other: &Self) -> bool {
        match (self.turn, other.turn) {
            (Some(own), Some(other)) => other < own,
            (_, _) => other.received < self.received,
        }
    }
}

/// The head of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format's version: 3. In version 1 the newest scan is the accepted one. Before version 3 all scans count as
    /// trusted, and the thresholds of those that did not pass are unknown and count as none.
    pub v: u8,
    /// The newest complete scan.
    #[serde(flatten)]
    pub newest: SeriesScan,
    /// The newest scan that was accepted without a reviewer; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    accepted: Option<SeriesScan>,
    /// True if the accepted scan is by an untrusted token.
    #[serde(skip_serializing_if = "is_default", default)]
    accepted_untrusted: bool,
    /// The newest complete scan by a trusted token; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    trusted: Option<SeriesScan>,
    /// The thresholds of the scans after the accepted one that did not pass, the strictest of each; absent if all are
    /// `none`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    failed: Option<AppliedThresholds>,
    /// The report of the newest scan; absent in version 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    report: Option<SeenReport>,
}

/// A report, and the commit that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenReport {
    /// SHA-256 of the decompressed report, 64 hexadecimal digits.
    pub sha256: String,
    /// The scanned commit, if the upload states it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<CommitId>,
}

impl SeenReport {
    /// Returns the report of a scan.
    pub fn of(record: &ScanRecord) -> Self {
        let commit = record.source.as_ref().and_then(|revision| revision.commit.clone());
        Self { sha256: record.report_sha256.clone(), commit }
    }

    /// True if this is the same report as another one, but of another commit: it may not have been made for this one.
    pub fn is_of_another_commit(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 && self.commit.is_some() && other.commit.is_some() && self.commit != other.commit
    }
}

/// The register of a reviewer's decision to accept a scan. It is separate from the head, which an upload may move at
/// the same time. Its last writer wins; if that is the older of two decisions, more counts as new, never less.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptedScan {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    #[serde(flatten)]
    pub scan: SeriesScan,
    /// The reviewer, the time and the event in the project's journal.
    pub mark: Mark,
    /// The reviewer's reason.
    pub comment: String,
}

/// The facts that decide if a complete scan is accepted without a reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedScan {
    /// The verdict.
    pub verdict: Verdict,
    /// The thresholds that were applied.
    pub thresholds: AppliedThresholds,
    /// True if it is by an untrusted token.
    pub untrusted: bool,
    /// The scans of the series that it was compared with.
    pub compared: Compared,
}

/// The scans of a series that a scan of it was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// None, because it is the first scan of its variant.
    First,
    /// None, because none of the variant's earlier scans was accepted.
    NoneAccepted,
    /// The previous scan, which was accepted.
    Previous,
    /// An older scan of the variant, or one of another variant.
    Another,
}

impl JudgedScan {
    /// Returns the facts about a scan.
    ///
    /// # Errors
    /// A stored pattern of the project's settings is invalid.
    pub fn of(record: &ScanRecord, verdict: Verdict) -> Result<Self, PatternError> {
        let compared = match &record.reference {
            Reference::None if record.is_first() => Compared::First,
            Reference::None => Compared::NoneAccepted,
            Reference::Previous { .. } => Compared::Previous,
            Reference::Accepted { .. }
            | Reference::Baseline { .. }
            | Reference::BaselineNotScannedByThisScanner { .. }
            | Reference::BaselineUntrusted { .. }
            | Reference::BaselineIncomplete { .. }
            | Reference::BaselineUnknown => Compared::Another,
        };
        let thresholds = Criteria::of(record)?.thresholds();
        Ok(Self { verdict, thresholds, untrusted: record.trust.untrusted, compared })
    }

    /// True if the scan is accepted without a reviewer, as the series is now: it passed, and nothing before it failed
    /// by stricter thresholds; or it is the first scan of its variant, or the first by a trusted token, so that nothing
    /// could be new.
    fn is_accepted(&self, current: Option<&Head>) -> bool {
        let is_first = match self.compared {
            Compared::First => true,
            Compared::NoneAccepted => self.is_first_trusted(current),
            Compared::Previous | Compared::Another => false,
        };
        let failed = current.and_then(|head| head.failed.as_ref());
        let is_strict = failed.is_none_or(|failed| self.thresholds.are_as_strict_as(failed));
        is_first || (self.verdict == Verdict::Pass && (self.begins_anew(current) || is_strict))
    }

    /// True if it is the first scan of its series by a trusted token.
    fn is_first_trusted(&self, current: Option<&Head>) -> bool {
        !self.untrusted && current.is_none_or(|current| current.newest_trusted().is_none())
    }

    /// True if what failed before does not count for this scan: the scan before it is accepted, if only by a reviewer,
    /// or all before it are by untrusted tokens.
    fn begins_anew(&self, current: Option<&Head>) -> bool {
        self.compared == Compared::Previous
            || self.is_first_trusted(current)
            || current.is_none_or(|current| current.accepted_for(self.untrusted, None) == Some(current.newest))
    }
}

impl Head {
    /// Returns the head of a series after a scan. `judged` is absent if the scan is incomplete, which is never
    /// accepted. The scan may be late: another one that comes after it may be the head already.
    pub fn after(current: Option<&Self>, scan: SeriesScan, report: SeenReport, judged: Option<&JudgedScan>) -> Self {
        let newer = current.filter(|current| !scan.is_after(&current.newest));
        let (newest, report) = match newer {
            Some(current) => (current.newest, current.report.clone()),
            None => (scan, Some(report)),
        };
        let known = current.and_then(Self::accepted);
        let trusted = current.and_then(Self::newest_trusted);
        let mut head = Self {
            v: 3,
            newest,
            accepted: known,
            accepted_untrusted: current.is_some_and(|current| current.accepted_untrusted),
            trusted,
            failed: current.and_then(|current| current.failed.clone()),
            report,
        };
        let Some(judged) = judged else { return head };
        if !judged.untrusted && trusted.is_none_or(|trusted| scan.is_after(&trusted)) {
            head.trusted = Some(scan);
        }
        let is_later = known.is_none_or(|known| scan.is_after(&known));
        // In a series with trusted scans the others decide nothing.
        let may_move = !judged.untrusted || trusted.is_none();
        if !is_later || !may_move {
            return head;
        }
        if judged.is_accepted(current) {
            (head.accepted, head.accepted_untrusted) = (Some(scan), judged.untrusted);
            // What failed after a late scan is still not accepted.
            head.failed = head.failed.filter(|_| newer.is_some());
        } else if judged.verdict != Verdict::Pass {
            let before = head.failed.filter(|_| newer.is_some() || !judged.begins_anew(current));
            let failed = before.map_or_else(|| judged.thresholds.clone(), |before| before.and(&judged.thresholds));
            head.failed = Some(failed).filter(|failed| !failed.are_none());
        }
        head
    }

    /// Returns the newest scan that was accepted without a reviewer.
    pub fn accepted(&self) -> Option<SeriesScan> {
        if self.v < 2 { Some(self.newest) } else { self.accepted }
    }

    /// Returns the newest scan, if this report is the same as its report, but of another commit.
    pub fn same_report(&self, report: &SeenReport) -> Option<ScanId> {
        self.report.as_ref().filter(|seen| report.is_of_another_commit(seen)).map(|_| self.newest.scan)
    }

    /// Returns the newest complete scan by a trusted token: the one that a baseline means.
    pub fn newest_trusted(&self) -> Option<SeriesScan> {
        if self.v < 3 { Some(self.newest) } else { self.trusted }
    }

    /// Returns the newest accepted scan for trusted scans, given the newest decision of a reviewer.
    pub fn accepted_with(&self, decision: Option<&AcceptedScan>) -> Option<SeriesScan> {
        self.accepted_for(false, decision)
    }

    /// Returns the newest accepted scan that a new scan is compared with, given the newest decision of a reviewer. A
    /// scan by a trusted token is not compared with one by an untrusted token that no reviewer accepted.
    pub fn accepted_for(&self, untrusted: bool, decision: Option<&AcceptedScan>) -> Option<SeriesScan> {
        let own = self.accepted().filter(|_| untrusted || !self.accepted_untrusted);
        let decided = decision.map(|decision| decision.scan);
        match (own, decided) {
            (Some(own), Some(decided)) if decided.is_after(&own) => Some(decided),
            (None, decided) => decided,
            (own, _) => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(turn: u64) -> SeriesScan {
        let n = u8::try_from(turn).unwrap();
        let scan = ScanId::from_bits([n; 16]);
        SeriesScan { scan, received: Timestamp::from_ms(0), turn: Some(turn), made_at: None }
    }

    /// A scan by a trusted token that was compared with an older scan, with a threshold for new issues.
    fn judged(verdict: Verdict, on_new: &str) -> JudgedScan {
        let thresholds = AppliedThresholds {
            fail_on_severity: "none".parse().unwrap(),
            fail_on_new: on_new.parse().unwrap(),
            fail_on_new_occurrences: "none".parse().unwrap(),
        };
        JudgedScan { verdict, thresholds, untrusted: false, compared: Compared::Another }
    }

    /// The head after scans with these turns, and the turn of its accepted scan.
    fn after(scans: impl IntoIterator<Item = (u64, JudgedScan)>) -> (Head, Option<u64>) {
        let mut head: Option<Head> = None;
        for (turn, judged) in scans {
            let next = Head::after(head.as_ref(), scan(turn), report("a", None), Some(&judged));
            let repeated = Head::after(Some(&next), scan(turn), report("a", None), Some(&judged));
            assert_eq!(repeated, next, "a retry changes nothing");
            head = Some(next);
        }
        let head = head.unwrap();
        let accepted = head.accepted().and_then(|accepted| accepted.turn);
        (head, accepted)
    }

    #[test]
    fn after_a_failed_scan_only_one_that_passes_by_thresholds_as_strict_is_accepted() {
        use Verdict::{Fail, Pass, Undecided};
        let of = |scans: &[(Verdict, &str)]| {
            after((1..).zip(scans.iter().map(|(verdict, on_new)| judged(*verdict, on_new)))).1
        };
        assert_eq!(of(&[(Pass, "none"), (Fail, "low"), (Pass, "none")]), Some(1));
        assert_eq!(of(&[(Pass, "none"), (Fail, "low"), (Pass, "high")]), Some(1));
        assert_eq!(of(&[(Pass, "none"), (Undecided, "low"), (Pass, "none")]), Some(1));
        assert_eq!(
            of(&[(Pass, "none"), (Fail, "low"), (Fail, "high"), (Pass, "high")]),
            Some(1),
            "the strictest counts"
        );
        assert_eq!(of(&[(Pass, "none"), (Fail, "low"), (Pass, "none"), (Pass, "none")]), Some(1), "and stays");
        assert_eq!(of(&[(Fail, "low"), (Pass, "none")]), None);
        assert_eq!(of(&[(Pass, "none"), (Fail, "high"), (Pass, "high")]), Some(3));
        assert_eq!(of(&[(Pass, "none"), (Fail, "high"), (Pass, "low")]), Some(3));
        assert_eq!(of(&[(Pass, "low"), (Pass, "none")]), Some(2), "nothing failed");
        assert_eq!(of(&[(Pass, "none"), (Fail, "low"), (Pass, "low"), (Pass, "none")]), Some(4), "it begins anew");
        assert_eq!(of(&[(Pass, "none"), (Undecided, "none"), (Pass, "none")]), Some(3), "no thresholds are set");
    }

    #[test]
    fn each_threshold_is_compared_with_its_own() {
        let other = |verdict, on_severity: &str| {
            let mut judged = judged(verdict, "none");
            judged.thresholds.fail_on_severity = on_severity.parse().unwrap();
            judged
        };
        let first = (1, judged(Verdict::Pass, "none"));
        let swapped = [first.clone(), (2, judged(Verdict::Fail, "low")), (3, other(Verdict::Pass, "low"))];
        assert_eq!(after(swapped).1, Some(1));
        let both = [first, (2, judged(Verdict::Fail, "low")), (3, other(Verdict::Fail, "high"))];
        let (mut strict, mut loose) = (other(Verdict::Pass, "high"), other(Verdict::Pass, "critical"));
        (strict.thresholds.fail_on_new, loose.thresholds.fail_on_new) =
            ("low".parse().unwrap(), "low".parse().unwrap());
        assert_eq!(after(both.clone().into_iter().chain([(4, loose)])).1, Some(1));
        assert_eq!(after(both.into_iter().chain([(4, strict)])).1, Some(4));
    }

    #[test]
    fn after_a_decision_about_the_newest_scan_what_failed_before_it_does_not_count() {
        let follows = |verdict, on_new| JudgedScan { compared: Compared::Previous, ..judged(verdict, on_new) };
        let failed = [(1, judged(Verdict::Pass, "none")), (2, judged(Verdict::Fail, "low"))];
        assert_eq!(after(failed.clone().into_iter().chain([(3, follows(Verdict::Pass, "none"))])).1, Some(3));
        let again = [(3, follows(Verdict::Fail, "high")), (4, judged(Verdict::Pass, "high"))];
        assert_eq!(after(failed.into_iter().chain(again)).1, Some(4));
    }

    #[test]
    fn what_failed_after_a_late_scan_still_counts() {
        let scans =
            [(1, judged(Verdict::Pass, "none")), (3, judged(Verdict::Fail, "low")), (2, judged(Verdict::Pass, "low"))];
        assert_eq!(after(scans.clone()).1, Some(2));
        assert_eq!(after(scans.into_iter().chain([(4, judged(Verdict::Pass, "none"))])).1, Some(2));
        let late =
            [(1, judged(Verdict::Pass, "none")), (3, judged(Verdict::Pass, "none")), (2, judged(Verdict::Fail, "low"))];
        assert_eq!(after(late.into_iter().chain([(4, judged(Verdict::Pass, "none"))])).1, Some(4));
    }

    #[test]
    fn a_scan_by_an_untrusted_token_is_never_what_trusted_scans_are_compared_with() {
        let untrusted = |verdict, on_new| JudgedScan { untrusted: true, ..judged(verdict, on_new) };
        let pass = || judged(Verdict::Pass, "none");
        let (head, accepted) = after([(1, pass()), (2, untrusted(Verdict::Pass, "low"))]);
        assert_eq!((accepted, head.newest, head.newest_trusted()), (Some(1), scan(2), Some(scan(1))));
        let strict = [(1, pass()), (2, untrusted(Verdict::Fail, "info")), (3, pass())];
        assert_eq!(after(strict).1, Some(3), "nor does it hold them up");
        let (planted, _) = after([(1, untrusted(Verdict::Pass, "none"))]);
        assert_eq!((planted.newest_trusted(), planted.accepted_with(None)), (None, None));
        assert_eq!(planted.accepted_for(true, None), Some(scan(1)));
        let failed = [(1, untrusted(Verdict::Pass, "none")), (2, untrusted(Verdict::Fail, "info"))];
        assert_eq!(after(failed.clone().into_iter().chain([(3, untrusted(Verdict::Pass, "none"))])).1, Some(1));
        assert_eq!(after(failed.into_iter().chain([(3, pass())])).1, Some(3), "the first trusted one begins anew");
        let first = JudgedScan { compared: Compared::NoneAccepted, ..judged(Verdict::Fail, "low") };
        let head = Head::after(Some(&planted), scan(2), report("b", None), Some(&first));
        assert_eq!(
            (head.accepted_with(None), head.newest_trusted()),
            (Some(scan(2)), Some(scan(2))),
            "the first trusted"
        );
        let next = Head::after(Some(&head), scan(3), report("b", None), Some(&first));
        assert_eq!(next.accepted_with(None), Some(scan(2)));
    }

    #[test]
    fn an_incomplete_scan_is_neither_accepted_nor_a_baselines_scan() {
        let head = Head::after(None, scan(1), report("a", None), None);
        assert_eq!((head.accepted(), head.newest_trusted()), (None, None));
    }

    fn report(sha256: &str, commit: Option<&str>) -> SeenReport {
        SeenReport { sha256: sha256.to_owned(), commit: commit.map(|commit| commit.parse().unwrap()) }
    }

    #[test]
    fn the_same_report_of_another_commit_is_noticed() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let head = Head::after(None, scan(1), report("a", Some(&one)), Some(&judged(Verdict::Pass, "none")));
        assert_eq!(head.same_report(&report("a", Some(&two))), Some(scan(1).scan));
        assert_eq!(head.same_report(&report("a", Some(&one))), None, "a repeated upload");
        assert_eq!(head.same_report(&report("b", Some(&two))), None);
        assert_eq!(head.same_report(&report("a", None)), None, "the commit is unknown");
    }

    fn head(scans: &[(u64, bool)]) -> Head {
        let mut head = None;
        for (turn, accepted) in scans {
            let verdict = if *accepted { Verdict::Pass } else { Verdict::Fail };
            head = Some(Head::after(head.as_ref(), scan(*turn), report("a", None), Some(&judged(verdict, "none"))));
        }
        head.unwrap()
    }

    #[test]
    fn a_scan_that_is_not_accepted_becomes_the_head_and_not_the_reference() {
        let failed = head(&[(1, true), (2, false), (3, false)]);
        assert_eq!((failed.newest, failed.accepted()), (scan(3), Some(scan(1))));
        let fixed = head(&[(1, true), (2, false), (3, true)]);
        assert_eq!((fixed.newest, fixed.accepted()), (scan(3), Some(scan(3))));
        assert_eq!(head(&[(1, false)]).accepted(), None, "a branch that never passed");
    }

    #[test]
    fn a_late_scan_moves_only_what_is_older() {
        let late = head(&[(1, true), (3, false), (2, true)]);
        assert_eq!((late.newest, late.accepted()), (scan(3), Some(scan(2))));
        let older = head(&[(1, true), (3, true), (2, true)]);
        assert_eq!((older.newest, older.accepted()), (scan(3), Some(scan(3))));
        let repeated = head(&[(1, true), (2, true), (2, true)]);
        assert_eq!(repeated, head(&[(1, true), (2, true)]));
    }

    #[test]
    fn the_later_of_the_head_and_a_decision_is_accepted() {
        let mark = crate::testing::entry(1, "ann", 1000, ()).mark();
        let decision = |turn| AcceptedScan { v: 1, scan: scan(turn), mark: mark.clone(), comment: "agreed".to_owned() };
        let failed = head(&[(2, true), (3, false), (4, false)]);
        assert_eq!(failed.accepted_with(Some(&decision(3))), Some(scan(3)));
        assert_eq!(failed.accepted_with(Some(&decision(1))), Some(scan(2)), "an old decision");
        assert_eq!(failed.accepted_with(None), Some(scan(2)));
        assert_eq!(head(&[(1, false)]).accepted_with(Some(&decision(1))), Some(scan(1)));
    }

    #[test]
    fn a_head_of_version_1_is_accepted_and_the_stored_form_is_pinned() {
        let old = format!(r#"{{"v":1,"scan":"{}","received":5,"turn":7}}"#, "07".repeat(16));
        let old: Head = serde_json::from_str(&old).unwrap();
        assert_eq!(old.accepted(), Some(old.newest));
        assert_eq!((old.newest.made_at, old.newest_trusted()), (None, Some(old.newest)));
        let second =
            format!(r#"{{"v":2,"scan":"{0}","received":5,"accepted":{{"scan":"{0}","received":5}}}}"#, "07".repeat(16));
        let second: Head = serde_json::from_str(&second).unwrap();
        assert_eq!(second.accepted(), Some(second.newest), "a head from before reports had a time");
        let made_at = Some(Timestamp::from_ms(9));
        let failed = JudgedScan { untrusted: true, ..judged(Verdict::Fail, "low") };
        let next = Head::after(Some(&old), SeriesScan { made_at, ..scan(8) }, report("ab", None), Some(&failed));
        assert_eq!((next.accepted(), next.newest_trusted()), (Some(old.newest), Some(old.newest)));
        let failed = JudgedScan { untrusted: false, ..failed };
        let next = Head::after(Some(&next), SeriesScan { made_at, ..scan(8) }, report("ab", None), Some(&failed));
        insta::assert_snapshot!(serde_json::to_string(&next).unwrap(), @r#"{"v":3,"scan":"08080808080808080808080808080808","received":0,"turn":8,"made_at":9,"accepted":{"scan":"07070707070707070707070707070707","received":5,"turn":7},"trusted":{"scan":"08080808080808080808080808080808","received":0,"turn":8,"made_at":9},"failed":{"fail_on_severity":"none","fail_on_new":"low","fail_on_new_occurrences":"none"},"report":{"sha256":"ab"}}"#);
    }
}
