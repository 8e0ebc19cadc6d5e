//! The gate: issues, exemptions and a threshold become a verdict with its reasons and counts. Computed here once; no
//! renderer can change it.

use crate::comparison::{Bucket, Division};
use crate::threshold::Threshold;
use finding::ReportSummary;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the pipeline is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing stands against it.
    Pass,
    /// A threshold was reached.
    Fail,
    /// Something could not be judged; a pipeline takes it as failure.
    Undecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
        })
    }
}

/// One issue as the gate sees it.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// Its level.
    pub severity: Severity,
    /// New or common.
    pub bucket: Bucket,
    /// Its occurrences.
    pub division: Division,
    /// Whether an exemption is in force for it.
    pub exempted: bool,
}

/// Numbers by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BySeverity {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Informational ones.
    pub info: u64,
    /// Ones without a level.
    pub unassigned: u64,
}

impl BySeverity {
    fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
            Severity::Unassigned => &mut self.unassigned,
        };
        *count += 1;
    }

    /// How many of this level.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
            Severity::Unassigned => self.unassigned,
        }
    }

    /// All levels together.
    pub fn total(&self) -> u64 {
        Severity::ALL.into_iter().map(|severity| self.of(severity)).sum()
    }
}

/// What the gate counted. Exempted and remediated issues are in no count but `ignored` and `remediated`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Issues by level.
    pub all: BySeverity,
    /// New issues by level.
    pub new: BySeverity,
    /// Exempted issues.
    pub ignored: u64,
    /// Issues that are gone.
    pub remediated: u64,
    /// New occurrences, of new and of known issues.
    pub new_occurrences: u64,
    /// Occurrences recognised in the scan compared with.
    pub common_occurrences: u64,
    /// Occurrences of exempted issues.
    pub exempted_occurrences: u64,
    /// Occurrences that are gone, those of remediated issues included.
    pub remediated_occurrences: u64,
}

impl Counts {
    /// The output variables: strings under fixed names, always all of them (section 6 of the reference product).
    pub fn variables(&self) -> Vec<(String, String)> {
        let by_level = |prefix: &str, counts: &BySeverity| -> Vec<(String, String)> {
            let levels = Severity::ALL.into_iter().map(|severity| {
                (format!("{prefix}{}", severity.as_str().to_ascii_uppercase()), counts.of(severity).to_string())
            });
            levels.chain([(format!("{prefix}TOTAL"), counts.total().to_string())]).collect()
        };
        let mut variables = by_level("", &self.all);
        variables.push(("IGNORED".to_owned(), self.ignored.to_string()));
        variables.extend(by_level("NEW_", &self.new));
        variables.push(("NEW_OCCURRENCES".to_owned(), self.new_occurrences.to_string()));
        variables.push(("REMEDIATED".to_owned(), self.remediated.to_string()));
        variables
    }
}

/// The gate's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Pass, fail or undecided.
    pub verdict: Verdict,
    /// Why, in sentences; empty for a pass.
    pub reasons: Vec<String>,
    /// The counts.
    pub counts: Counts,
}

/// Judges the issues of one scan, one at a time.
#[derive(Debug)]
pub struct Gate {
    threshold: Threshold,
    unassigned_as: Option<Severity>,
    counts: Counts,
    reached: bool,
}

impl Gate {
    /// A gate with this threshold. `unassigned_as` is the level that issues without one are judged as.
    pub fn new(threshold: Threshold, unassigned_as: Option<Severity>) -> Self {
        Self { threshold, unassigned_as, counts: Counts::default(), reached: false }
    }

    /// Takes an issue of the scan into account.
    pub fn judge(&mut self, issue: &Judged) {
        let Division { new, common, updated: _, remediated } = issue.division;
        self.counts.remediated_occurrences += u64::from(remediated);
        if issue.exempted {
            self.counts.ignored += 1;
            self.counts.exempted_occurrences += u64::from(new) + u64::from(common);
            return;
        }
        let severity = match (issue.severity, self.unassigned_as) {
            (Severity::Unassigned, Some(level)) => level,
            (severity, _) => severity,
        };
        self.counts.all.add(severity);
        if issue.bucket == Bucket::New {
            self.counts.new.add(severity);
        }
        self.counts.new_occurrences += u64::from(new);
        self.counts.common_occurrences += u64::from(common);
        self.reached |=
            severity != Severity::Unassigned && self.threshold.level().is_some_and(|level| level <= severity);
    }

    /// Takes an issue into account that is gone, with so many occurrences.
    pub fn remediated(&mut self, occurrences: u32) {
        self.counts.remediated += 1;
        self.counts.remediated_occurrences += u64::from(occurrences);
    }

    /// The verdict, given what the report said of itself. A threshold that was reached fails whatever else is unclear.
    pub fn finish(self, report: &ReportSummary) -> Judgement {
        let mut reasons = Vec::new();
        if self.reached {
            let level = self.threshold.as_written();
            reasons.push(format!("fail_on_severity is set to {level} and that threshold was reached."));
        }
        if report.rejected > 0 {
            reasons.push(format!("{} of the report's {} results could not be read.", report.rejected, report.results));
        }
        if report.scanner_errors_total > 0 {
            let first = report.scanner_errors.first().map(String::as_str).unwrap_or("not described");
            reasons.push(format!(
                "The scanner reports {} of its own, so the scan is incomplete; the first: {first}.",
                plural(report.scanner_errors_total, "error", "errors")
            ));
        }
        if self.counts.all.unassigned > 0 && self.threshold.level().is_some() {
            reasons.push(format!(
                "{} without a severity, and fail_on_severity is set to {}; the project's setting `unassigned_as` can give one.",
                plural(self.counts.all.unassigned, "issue is", "issues are"),
                self.threshold.as_written()
            ));
        }
        let verdict = match (self.reached, reasons.is_empty()) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Undecided,
        };
        Judgement { verdict, reasons, counts: self.counts }
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(severity: Severity, bucket: Bucket, exempted: bool) -> Judged {
        Judged { severity, bucket, division: Division { new: 1, ..Division::default() }, exempted }
    }

    fn judge(threshold: &str, issues: &[Judged]) -> Judgement {
        let mut gate = Gate::new(threshold.parse().unwrap(), None);
        issues.iter().for_each(|issue| gate.judge(issue));
        gate.finish(&ReportSummary::default())
    }

    #[test]
    fn every_threshold_against_every_severity() {
        let thresholds = ["critical", "high", "medium", "low", "info"];
        let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
        for (at, threshold) in thresholds.into_iter().enumerate() {
            for (level, severity) in severities.into_iter().enumerate() {
                let verdict = judge(threshold, &[issue(severity, Bucket::Common, false)]).verdict;
                let expected = if level <= at { Verdict::Fail } else { Verdict::Pass };
                assert_eq!(verdict, expected, "{threshold} against {severity}");
                assert_eq!(judge(threshold, &[issue(severity, Bucket::New, true)]).verdict, Verdict::Pass, "exempted");
                assert_eq!(judge("none", &[issue(severity, Bucket::New, false)]).verdict, Verdict::Pass);
            }
            assert_eq!(judge(threshold, &[]).verdict, Verdict::Pass);
        }
    }

    #[test]
    fn the_reason_is_the_exact_sentence_with_the_word_as_typed() {
        let judgement = judge("CRITICAL", &[issue(Severity::Critical, Bucket::New, false)]);
        assert_eq!(judgement.reasons, ["fail_on_severity is set to CRITICAL and that threshold was reached."]);
    }

    #[test]
    fn issues_without_a_severity_are_never_a_quiet_pass() {
        let unknown = issue(Severity::Unassigned, Bucket::New, false);
        let judgement = judge("critical", &[unknown]);
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(
            judgement.reasons,
            [
                "1 issue is without a severity, and fail_on_severity is set to critical; the project's setting `unassigned_as` can give one."
            ]
        );
        assert_eq!(judge("none", &[unknown]).verdict, Verdict::Pass);
        let mut gate = Gate::new("high".parse().unwrap(), Some(Severity::High));
        gate.judge(&unknown);
        let judgement = gate.finish(&ReportSummary::default());
        assert_eq!((judgement.verdict, judgement.counts.all.high), (Verdict::Fail, 1));
    }

    #[test]
    fn what_could_not_be_read_is_undecided_unless_it_fails_anyway() {
        let report = ReportSummary { results: 3, findings: 2, rejected: 1, ..ReportSummary::default() };
        let gate = || Gate::new("critical".parse().unwrap(), None);
        let judgement = gate().finish(&report);
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(judgement.reasons, ["1 of the report's 3 results could not be read."]);
        let mut failing = gate();
        failing.judge(&issue(Severity::Critical, Bucket::New, false));
        let judgement = failing.finish(&report);
        assert_eq!((judgement.verdict, judgement.reasons.len()), (Verdict::Fail, 2));
        let broken = ReportSummary {
            scanner_errors: vec!["a.py: syntax error".to_owned()],
            scanner_errors_total: 2,
            ..ReportSummary::default()
        };
        let judgement = gate().finish(&broken);
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(
            judgement.reasons,
            ["The scanner reports 2 errors of its own, so the scan is incomplete; the first: a.py: syntax error."]
        );
    }

    #[test]
    fn exempted_and_remediated_issues_are_in_no_other_count() {
        let mut gate = Gate::new(Threshold::none(), None);
        gate.judge(&issue(Severity::Critical, Bucket::New, true));
        gate.judge(&issue(Severity::Low, Bucket::Common, false));
        gate.remediated(4);
        let counts = gate.finish(&ReportSummary::default()).counts;
        let variables: Vec<_> = counts.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(variables.join(" "), @"CRITICAL=0 HIGH=0 MEDIUM=0 LOW=1 INFO=0 UNASSIGNED=0 TOTAL=1 IGNORED=1 NEW_CRITICAL=0 NEW_HIGH=0 NEW_MEDIUM=0 NEW_LOW=0 NEW_INFO=0 NEW_UNASSIGNED=0 NEW_TOTAL=0 NEW_OCCURRENCES=1 REMEDIATED=1");
        assert_eq!((counts.exempted_occurrences, counts.remediated_occurrences), (1, 4));
    }
}
