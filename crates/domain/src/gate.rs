//! The gate: issues, exemptions and thresholds become a verdict with reasons and counts. It is computed here once, and
//! nothing that shows it can change it.

use crate::baseline::PatternError;
use crate::blind_spots::{ComparedSpot, SpotState};
use crate::comparison::{Bucket, Division};
use crate::counts::Counts;
use crate::ids::VariantName;
use crate::reference::Reference;
use crate::scan::ScanRecord;
use crate::scan_event::ScanOutcome;
use crate::settings::{MissingBaseline, NewBlindSpots, UpdatedOccurrences, severity_counted};
use crate::threshold::Threshold;
use crate::verdict::Verdict;
use finding::ReportSummary;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// An issue as the gate judges it.
#[derive(Debug, Clone)]
pub struct GateIssue {
    /// The highest severity of its occurrences that are not exempted.
    pub severity: Severity,
    /// New or common.
    pub bucket: Bucket,
    /// Its occurrences by bucket, without exempted ones.
    pub division: Division,
    /// The severities of its new occurrences, without exempted ones.
    pub levels_new: BTreeSet<Severity>,
    /// The severities of its updated occurrences, without exempted ones.
    pub levels_updated: BTreeSet<Severity>,
    /// The number of its exempted occurrences. If no others are left, the issue is exempted.
    pub exempted: u32,
}

/// The gate's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reasons as sentences; none if the scan passes.
    pub reasons: Vec<String>,
    /// The counts.
    pub counts: Counts,
    /// The first blind spots, at most [`BLIND_SPOTS_LISTED_MAX`]; new ones come first, then known, then gone ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub blind_spots: Vec<ComparedSpot>,
    /// The changes since the variant's previous scan, if the scan was compared with an older one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since_previous: Option<SincePrevious>,
    /// The thresholds that were applied; absent in judgements of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thresholds: Option<AppliedThresholds>,
}

/// The thresholds that were applied: the stricter of those of the upload and of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedThresholds {
    /// The severity from which an issue fails the gate.
    pub fail_on_severity: Threshold,
    /// The severity from which a new issue fails the gate.
    pub fail_on_new: Threshold,
    /// The severity from which a new occurrence fails the gate.
    pub fail_on_new_occurrences: Threshold,
}

impl AppliedThresholds {
    /// Returns the stricter of both, threshold by threshold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            fail_on_severity: self.fail_on_severity.stricter(&other.fail_on_severity).clone(),
            fail_on_new: self.fail_on_new.stricter(&other.fail_on_new).clone(),
            fail_on_new_occurrences: self.fail_on_new_occurrences.stricter(&other.fail_on_new_occurrences).clone(),
        }
    }

    /// True if none of the other thresholds is stricter than its counterpart here.
    pub fn are_as_strict_as(&self, other: &Self) -> bool {
        let both = self.and(other);
        let levels =
            |all: &Self| [&all.fail_on_severity, &all.fail_on_new, &all.fail_on_new_occurrences].map(Threshold::level);
        levels(&both) == levels(self)
    }

    /// True if no threshold was set, so that nothing could fail the gate.
    pub fn are_none(&self) -> bool {
        let all = [&self.fail_on_severity, &self.fail_on_new, &self.fail_on_new_occurrences];
        all.into_iter().all(|threshold| threshold.level().is_none())
    }
}

/// The changes of a variant since its previous scan. The trend adds these up: what is new since the last accepted scan
/// stays new in every scan after it, and would count again with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SincePrevious {
    /// Issues that no earlier scan has.
    pub new: u64,
    /// Issues that the previous scan had.
    pub remediated: u64,
}

impl SincePrevious {
    /// Returns the changes between the counts of two scans, of which the newer one saw `new` issues first.
    pub fn between(previous: &Counts, now: &Counts, new: u64) -> Self {
        let total = |counts: &Counts| counts.all.total() + counts.ignored + counts.not_seen;
        Self { new, remediated: (total(previous) + new).saturating_sub(total(now)) }
    }
}

/// The maximum number of blind spots that a judgement lists.
pub const BLIND_SPOTS_LISTED_MAX: usize = 100;
/// The maximum length of the texts of these blind spots together, in bytes.
const BLIND_SPOTS_BYTES_MAX: usize = 16 * 1024;
/// The maximum number of blind spots that a reason names.
const BLIND_SPOTS_NAMED_MAX: usize = 3;

impl Judgement {
    /// Returns the outcome for the journal of the target.
    pub fn outcome(&self, record: &ScanRecord) -> ScanOutcome {
        let counts = &self.counts;
        let mut open = counts.all;
        open += counts.not_seen_open;
        ScanOutcome {
            received: record.received,
            verdict: self.verdict,
            open,
            new: self.since_previous.map_or(counts.new.total(), |since| since.new),
            remediated: self.since_previous.map_or(counts.remediated, |since| since.remediated),
            exempted: counts.ignored,
            no_threshold: self.thresholds.as_ref().is_some_and(AppliedThresholds::are_none),
            baseline: record.baseline,
        }
    }
}

/// A baseline that a scan could not be compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoBaselineScan {
    /// It has no scan by this scanner. The name is absent if the baseline is a pattern that matches no variant.
    NotScanned(Option<VariantName>),
    /// All its scans by this scanner are incomplete.
    Incomplete(VariantName),
    /// All its complete scans by this scanner are by tokens that may not write baselines.
    Untrusted(VariantName),
    /// The baseline is a pattern, and the variants that it could match were forgotten. New issues then cannot be
    /// determined, whatever the project's setting.
    Unknown,
}

impl fmt::Display for NoBaselineScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotScanned(Some(variant)) => write!(f, "baseline `{variant}` was never scanned by this scanner"),
            Self::NotScanned(None) => f.write_str("the baseline's pattern matches no scanned variant"),
            Self::Incomplete(variant) => write!(f, "baseline `{variant}` has no complete scan by this scanner"),
            Self::Untrusted(variant) => write!(
                f,
                "baseline `{variant}` was scanned by this scanner only with tokens that may not upload baselines; upload it \
                 with a token that may"
            ),
            Self::Unknown => f.write_str(
                "the baseline's pattern matches none of the target's newest variants, and older ones are not known any \
                 more; set the baseline to a variant",
            ),
        }
    }
}

/// The criteria by which the gate judges a scan. All of them are frozen in the scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The severity from which any issue fails the gate.
    pub fail_on_severity: Threshold,
    /// The severity from which a new issue fails the gate.
    pub fail_on_new: Threshold,
    /// The severity from which a new occurrence fails the gate.
    pub fail_on_new_occurrences: Threshold,
    /// The severity that issues without one count as.
    pub unassigned_as: Option<Severity>,
    /// The bucket that occurrences with edited code count as.
    pub updated_occurrences: UpdatedOccurrences,
    /// The baseline, if the scan should have been compared with it and could not be.
    pub no_baseline_scan: Option<NoBaselineScan>,
    /// The effect of such a baseline on the criteria for new issues and occurrences.
    pub missing_baseline: MissingBaseline,
    /// The number of the report's results that may be unreadable.
    pub rejected_allowed: u32,
    /// The parts of the previous scan that the report lacks.
    pub missing: Vec<String>,
    /// The effect of blind spots that the reference scan does not have.
    pub new_blind_spots: NewBlindSpots,
    /// The names of the thresholds that are the project's, because they are stricter than those of the upload.
    pub of_project: BTreeSet<&'static str>,
}

const FAIL_ON_SEVERITY: &str = "fail_on_severity";
const FAIL_ON_NEW: &str = "fail_on_new";
const FAIL_ON_NEW_OCCURRENCES: &str = "fail_on_new_occurrences";

impl Criteria {
    /// Returns the criteria of a scan: the stricter of those of the upload and of the project.
    ///
    /// # Errors
    /// A stored pattern of the project's settings is invalid.
    pub fn of(record: &ScanRecord) -> Result<Self, PatternError> {
        let (request, settings) = (&record.request, &record.settings);
        let least = settings.least_criteria(&request.target)?;
        let of_project = [
            (FAIL_ON_SEVERITY, &request.fail_on_severity, &least.fail_on_severity),
            (FAIL_ON_NEW, &request.fail_on_new, &least.fail_on_new),
            (FAIL_ON_NEW_OCCURRENCES, &request.fail_on_new_occurrences, &least.fail_on_new_occurrences),
        ];
        let is_stricter = |(name, own, least): (_, &Threshold, &Threshold)| {
            (own.stricter(least).level() != own.level()).then_some(name)
        };
        Ok(Self {
            of_project: of_project.into_iter().filter_map(is_stricter).collect(),
            fail_on_severity: request.fail_on_severity.stricter(&least.fail_on_severity).clone(),
            fail_on_new: request.fail_on_new.stricter(&least.fail_on_new).clone(),
            fail_on_new_occurrences: request.fail_on_new_occurrences.stricter(&least.fail_on_new_occurrences).clone(),
            unassigned_as: settings.unassigned_as,
            updated_occurrences: settings.updated_occurrences,
            no_baseline_scan: match &record.reference {
                Reference::BaselineNotScannedByThisScanner { variant } => {
                    Some(NoBaselineScan::NotScanned(variant.clone()))
                }
                Reference::BaselineIncomplete { variant } => Some(NoBaselineScan::Incomplete(variant.clone())),
                Reference::BaselineUntrusted { variant } => Some(NoBaselineScan::Untrusted(variant.clone())),
                Reference::BaselineUnknown => Some(NoBaselineScan::Unknown),
                Reference::Baseline { .. }
                | Reference::Previous { .. }
                | Reference::Accepted { .. }
                | Reference::None => None,
            },
            missing_baseline: if record.reference == Reference::BaselineUnknown {
                MissingBaseline::Undecided
            } else {
                least.missing_baseline(settings.missing_baseline)
            },
            rejected_allowed: settings.rejected_allowed,
            missing: record.missing.clone(),
            new_blind_spots: least.new_blind_spots(settings.new_blind_spots),
        })
    }

    /// Returns the thresholds.
    pub fn thresholds(&self) -> AppliedThresholds {
        AppliedThresholds {
            fail_on_severity: self.fail_on_severity.clone(),
            fail_on_new: self.fail_on_new.clone(),
            fail_on_new_occurrences: self.fail_on_new_occurrences.clone(),
        }
    }
}

/// One criterion, while issues are judged.
#[derive(Debug)]
struct Criterion {
    name: &'static str,
    threshold: Threshold,
    /// True if the threshold is the project's.
    of_project: bool,
    reached: bool,
    /// True if an issue that was not seen reached the threshold.
    reached_unseen: bool,
    /// The number of issues without a severity to compare.
    unassigned: u64,
}

impl Criterion {
    fn new(name: &'static str, threshold: Threshold, criteria: &Criteria) -> Self {
        let of_project = criteria.of_project.contains(name);
        Self { name, threshold, of_project, reached: false, reached_unseen: false, unassigned: 0 }
    }

    fn judge(&mut self, severity: Severity) {
        self.reached |= self.is_reached_by(severity);
    }

    /// Judges an issue that was not seen. It counts, or a file that cannot be read would hide it.
    fn judge_unseen(&mut self, severity: Severity) {
        self.reached_unseen |= self.is_reached_by(severity);
    }

    fn is_reached_by(&mut self, severity: Severity) -> bool {
        match self.threshold.level() {
            None => false,
            Some(_) if severity == Severity::Unassigned => {
                self.unassigned += 1;
                false
            }
            Some(level) => level <= severity,
        }
    }

    fn reached(&self) -> Option<String> {
        let level = self.threshold.as_written();
        let unseen =
            " Only issues that were not seen reached it: earlier scans have them, and blind spots cover them now.";
        let because = if self.reached { "" } else { unseen };
        let is_reached = self.reached || self.reached_unseen;
        let by = if self.of_project { " by the project" } else { "" };
        is_reached.then(|| format!("{} is set to {level}{by} and that threshold was reached.{because}", self.name))
    }

    /// Returns the reason against a verdict if issues have no severity; `one` and `many` describe them.
    fn unassigned(&self, one: &str, many: &str) -> Option<String> {
        (self.unassigned > 0).then(|| {
            format!(
                "{}, and {} is set to {}; the project's setting `unassigned_as` can provide one.",
                plural(self.unassigned, one, many),
                self.name,
                self.threshold.as_written()
            )
        })
    }
}

/// Judges the issues of a scan, one by one.
#[derive(Debug)]
pub struct Gate {
    severity: Criterion,
    new: Criterion,
    new_occurrences: Criterion,
    /// The criterion for new occurrences, applied to edited ones.
    updated_occurrences: Criterion,
    criteria: Criteria,
    counts: Counts,
}

impl Gate {
    /// Makes a gate with these criteria.
    pub fn new(criteria: Criteria) -> Self {
        let judges_new =
            criteria.no_baseline_scan.is_none() || criteria.missing_baseline == MissingBaseline::EverythingCounts;
        let for_new = |threshold: &Threshold| if judges_new { threshold.clone() } else { Threshold::none() };
        let for_updated = match criteria.updated_occurrences {
            UpdatedOccurrences::New => for_new(&criteria.fail_on_new_occurrences),
            UpdatedOccurrences::Common => Threshold::none(),
        };
        Self {
            severity: Criterion::new(FAIL_ON_SEVERITY, criteria.fail_on_severity.clone(), &criteria),
            new: Criterion::new(FAIL_ON_NEW, for_new(&criteria.fail_on_new), &criteria),
            new_occurrences: Criterion::new(
                FAIL_ON_NEW_OCCURRENCES,
                for_new(&criteria.fail_on_new_occurrences),
                &criteria,
            ),
            updated_occurrences: Criterion::new(FAIL_ON_NEW_OCCURRENCES, for_updated, &criteria),
            criteria,
            counts: Counts::default(),
        }
    }

    /// Judges an issue of the scan.
    pub fn judge(&mut self, issue: &GateIssue) {
        // What was not seen of the issue is judged by itself.
        let Division { new, common, updated, remediated, not_seen: _ } = issue.division;
        self.counts.remediated_occurrences += u64::from(remediated);
        self.counts.exempted_occurrences += u64::from(issue.exempted);
        if issue.exempted > 0 && new == 0 && common == 0 {
            self.counts.ignored += 1;
            return;
        }
        let unassigned_as = self.criteria.unassigned_as;
        let rated = |severity| severity_counted(severity, unassigned_as);
        let severity = rated(issue.severity);
        self.counts.all.add(severity);
        self.severity.judge(severity);
        if issue.bucket == Bucket::New {
            self.counts.new.add(severity);
            self.new.judge(severity);
        }
        self.counts.new_occurrences += u64::from(new);
        self.counts.common_occurrences += u64::from(common);
        self.counts.updated_occurrences += u64::from(updated);
        issue.levels_new.iter().for_each(|level| self.new_occurrences.judge(rated(*level)));
        issue.levels_updated.iter().for_each(|level| self.updated_occurrences.judge(rated(*level)));
    }

    /// Judges an issue with occurrences that were not seen. `issue` has those that are not exempted, `division` all of
    /// them. `is_present` is true if the scan has other occurrences of the issue.
    ///
    /// Those of the reference scan are common, those of the variant's own previous scan new, as if they had been seen.
    pub fn not_seen(&mut self, issue: &GateIssue, division: Division, is_present: bool) {
        self.counts.not_seen_occurrences += u64::from(division.common);
        self.counts.remediated_occurrences += u64::from(division.remediated);
        self.counts.not_seen += u64::from(!is_present && division.common > 0);
        if issue.division.new == 0 && issue.division.common == 0 {
            return;
        }
        let unassigned_as = self.criteria.unassigned_as;
        let rated = |severity| severity_counted(severity, unassigned_as);
        if !is_present && division.common > 0 {
            self.counts.not_seen_open.add(rated(issue.severity));
        }
        self.severity.judge_unseen(rated(issue.severity));
        if issue.bucket == Bucket::New && !is_present {
            self.new.judge_unseen(rated(issue.severity));
        }
        issue.levels_new.iter().for_each(|level| self.new_occurrences.judge_unseen(rated(*level)));
    }

    /// Counts a remediated issue with its number of occurrences.
    pub fn remediated(&mut self, occurrences: u32) {
        self.counts.remediated += 1;
        self.counts.remediated_occurrences += u64::from(occurrences);
    }

    /// Returns the verdict. `report` is the report's own summary, `spots` are the blind spots after the comparison. A
    /// threshold that was reached fails the scan, whatever else is uncertain.
    pub fn finish(mut self, report: &ReportSummary, spots: Vec<ComparedSpot>) -> Judgement {
        let count = |wanted: SpotState| spots.iter().filter(|spot| spot.state == wanted).count();
        let (new, known) = (count(SpotState::New), count(SpotState::Known));
        self.counts.new_blind_spots = u64::try_from(new).unwrap_or(u64::MAX);
        self.counts.blind_spots = u64::try_from(new + known).unwrap_or(u64::MAX);
        let mut reasons = self.reached();
        let blind = reason_of_new_spots(&spots, self.criteria.new_blind_spots);
        let (failing, undecided) = match self.criteria.new_blind_spots {
            NewBlindSpots::Fail => (blind, None),
            NewBlindSpots::Undecided => (None, blind),
            NewBlindSpots::Ignore => (None, None),
        };
        reasons.extend(failing);
        let failed = !reasons.is_empty();
        reasons.extend(undecided);
        let criteria = &self.criteria;
        if let (Some(baseline), MissingBaseline::Undecided) = (&criteria.no_baseline_scan, criteria.missing_baseline) {
            let setting = match baseline {
                NoBaselineScan::Unknown => "",
                NoBaselineScan::NotScanned(_) | NoBaselineScan::Incomplete(_) | NoBaselineScan::Untrusted(_) => {
                    "; the project's setting `missing_baseline` is `undecided`"
                }
            };
            reasons.push(format!("New issues cannot be determined, because {baseline}{setting}."));
        }
        if report.rejected > u64::from(criteria.rejected_allowed) {
            reasons.push(format!(
                "{} of the report's {} results could not be read, so the scan is incomplete.",
                report.rejected, report.results
            ));
        }
        if report.scanner_errors_total > 0 {
            let first = report.scanner_errors.first().map(String::as_str).unwrap_or("not described");
            reasons.push(format!(
                "The scanner reports {}, so the scan is incomplete; the first: {first}.",
                plural(report.scanner_errors_total, "error", "errors")
            ));
        }
        if !criteria.missing.is_empty() {
            let missing: Vec<_> = criteria.missing.iter().map(|part| format!("`{part}`")).collect();
            reasons.push(format!(
                "The report lacks {}, which the previous report had, so the scan is incomplete; if they are no longer scanned, accept the scan, or upload the report with `accept_missing=true`.",
                missing.join(", ")
            ));
        }
        reasons.extend(self.severity.unassigned("issue has no severity", "issues have no severity"));
        reasons.extend(self.new.unassigned("new issue has no severity", "new issues have no severity"));
        reasons.extend(self.new_occurrences.unassigned(
            "issue has new occurrences without a severity",
            "issues have new occurrences without a severity",
        ));
        reasons.extend(self.updated_occurrences.unassigned(
            "issue has edited occurrences without a severity",
            "issues have edited occurrences without a severity",
        ));
        let verdict = match (failed, reasons.is_empty()) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Undecided,
        };
        let mut bytes = 0;
        let has_room = |spot: &ComparedSpot| {
            bytes += spot.spot.reach.name().map_or(0, str::len) + spot.spot.reason.len();
            bytes <= BLIND_SPOTS_BYTES_MAX
        };
        let blind_spots = spots.into_iter().take(BLIND_SPOTS_LISTED_MAX).take_while(has_room).collect();
        let thresholds = Some(self.criteria.thresholds());
        Judgement { verdict, reasons, counts: self.counts, blind_spots, since_previous: None, thresholds }
    }

    /// Returns the reasons of criteria that were reached.
    fn reached(&self) -> Vec<String> {
        let because = match &self.criteria.no_baseline_scan {
            Some(baseline) => format!(" Everything counts as new, because {baseline}."),
            None => String::new(),
        };
        let occurrences = self.new_occurrences.reached().or_else(|| {
            let edited = " Only edited occurrences reached it; they count as new unless the project's setting `updated_occurrences` is `common`.";
            self.updated_occurrences.reached().map(|reason| reason + edited)
        });
        let new = self.new.reached().into_iter().chain(occurrences).map(|reason| reason + &because);
        self.severity.reached().into_iter().chain(new).collect()
    }
}

/// Returns the reason for the effect of new blind spots, if there are any.
fn reason_of_new_spots(spots: &[ComparedSpot], effect: NewBlindSpots) -> Option<String> {
    let new: Vec<&ComparedSpot> = spots.iter().filter(|spot| spot.state == SpotState::New).collect();
    let count = u64::try_from(new.len()).unwrap_or(u64::MAX);
    let named =
        new.iter().take(BLIND_SPOTS_NAMED_MAX).map(|spot| format!("{} ({})", spot.spot.reach, spot.spot.reason));
    let more = if new.len() > BLIND_SPOTS_NAMED_MAX { ", ..." } else { "" };
    let hidden: u64 = new.iter().map(|spot| u64::from(spot.not_seen)).sum();
    let hidden = match hidden {
        0 => String::new(),
        _ => format!(
            " The reference scan has {} there, which this scan did not see.",
            plural(hidden, "occurrence", "occurrences")
        ),
    };
    (count > 0).then(|| {
        format!(
            "The scanner could not examine everything: {}: {}{more}.{hidden} The project's setting `new_blind_spots` is `{effect}`.",
            plural(count, "new blind spot", "new blind spots"),
            named.collect::<Vec<_>>().join(", "),
        )
    })
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::{BlindSpot, Reach};

    fn issue(severity: Severity, bucket: Bucket, exempted: bool) -> GateIssue {
        GateIssue {
            severity,
            bucket,
            division: Division { new: u32::from(!exempted), ..Division::default() },
            levels_new: if exempted { BTreeSet::new() } else { BTreeSet::from([severity]) },
            levels_updated: BTreeSet::new(),
            exempted: u32::from(exempted),
        }
    }

    fn on_severity(threshold: &str) -> Criteria {
        Criteria { fail_on_severity: threshold.parse().unwrap(), ..Criteria::default() }
    }

    fn on_new(threshold: &str) -> Criteria {
        Criteria { fail_on_new: threshold.parse().unwrap(), ..Criteria::default() }
    }

    fn on_new_occurrences(threshold: &str) -> Criteria {
        Criteria { fail_on_new_occurrences: threshold.parse().unwrap(), ..Criteria::default() }
    }

    fn judge(threshold: &str, issues: &[GateIssue]) -> Judgement {
        judge_by(on_severity(threshold), issues)
    }

    fn judge_by(criteria: Criteria, issues: &[GateIssue]) -> Judgement {
        let mut gate = Gate::new(criteria);
        issues.iter().for_each(|issue| gate.judge(issue));
        gate.finish(&ReportSummary::default(), Vec::new())
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
    fn the_reason_is_the_exact_sentence_with_the_typed_word() {
        let judgement = judge("CRITICAL", &[issue(Severity::Critical, Bucket::New, false)]);
        assert_eq!(judgement.reasons, ["fail_on_severity is set to CRITICAL and that threshold was reached."]);
    }

    #[test]
    fn issues_without_a_severity_never_pass_silently() {
        let unknown = issue(Severity::Unassigned, Bucket::New, false);
        let judgement = judge("critical", std::slice::from_ref(&unknown));
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(
            judgement.reasons,
            [
                "1 issue has no severity, and fail_on_severity is set to critical; the project's setting `unassigned_as` can provide one."
            ]
        );
        assert_eq!(judge("none", std::slice::from_ref(&unknown)).verdict, Verdict::Pass);
        let mut gate = Gate::new(Criteria { unassigned_as: Some(Severity::High), ..on_severity("high") });
        gate.judge(&unknown);
        let judgement = gate.finish(&ReportSummary::default(), Vec::new());
        assert_eq!((judgement.verdict, judgement.counts.all.high), (Verdict::Fail, 1));
    }

    #[test]
    fn a_scan_with_unreadable_results_is_undecided_unless_it_fails() {
        let report = ReportSummary { results: 3, findings: 2, rejected: 1, ..ReportSummary::default() };
        let gate = || Gate::new(on_severity("critical"));
        let judgement = gate().finish(&report, Vec::new());
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(judgement.reasons, ["1 of the report's 3 results could not be read, so the scan is incomplete."]);
        let mut failing = gate();
        failing.judge(&issue(Severity::Critical, Bucket::New, false));
        let judgement = failing.finish(&report, Vec::new());
        assert_eq!((judgement.verdict, judgement.reasons.len()), (Verdict::Fail, 2));
        let broken = ReportSummary {
            scanner_errors: vec!["a.py: syntax error".to_owned()],
            scanner_errors_total: 2,
            ..ReportSummary::default()
        };
        let judgement = gate().finish(&broken, Vec::new());
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(
            judgement.reasons,
            ["The scanner reports 2 errors, so the scan is incomplete; the first: a.py: syntax error."]
        );
    }

    #[test]
    fn exempted_and_remediated_issues_are_in_no_other_count() {
        let mut gate = Gate::new(Criteria::default());
        gate.judge(&issue(Severity::Critical, Bucket::New, true));
        gate.judge(&issue(Severity::Low, Bucket::Common, false));
        gate.remediated(4);
        let counts = gate.finish(&ReportSummary::default(), Vec::new()).counts;
        let variables: Vec<_> = counts.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
        insta::assert_snapshot!(variables.join(" "), @"CRITICAL=0 HIGH=0 MEDIUM=0 LOW=1 INFO=0 UNASSIGNED=0 TOTAL=1 IGNORED=1 NEW_CRITICAL=0 NEW_HIGH=0 NEW_MEDIUM=0 NEW_LOW=0 NEW_INFO=0 NEW_UNASSIGNED=0 NEW_TOTAL=0 NEW_OCCURRENCES=1 REMEDIATED=1 NOT_SEEN=0 BLIND_SPOTS=0 NEW_BLIND_SPOTS=0");
        assert_eq!((counts.exempted_occurrences, counts.remediated_occurrences), (1, 4));
    }

    /// Makes a common issue with numbers of new and of edited occurrences, and their severities.
    fn known(severity: Severity, new: (u32, Severity), updated: (u32, Severity)) -> GateIssue {
        let levels = |(count, severity): (u32, Severity)| (0 < count).then_some(severity).into_iter().collect();
        GateIssue {
            severity,
            bucket: Bucket::Common,
            division: Division { new: new.0, common: updated.0 + 1, updated: updated.0, ..Division::default() },
            levels_new: levels(new),
            levels_updated: levels(updated),
            exempted: 0,
        }
    }

    #[test]
    fn a_partially_exempted_issue_counts_with_its_remaining_occurrences() {
        let rest = GateIssue { exempted: 3, ..known(Severity::Low, (0, Severity::Low), (0, Severity::Low)) };
        let judgement = judge_by(on_severity("high"), &[rest]);
        let counts = judgement.counts;
        assert_eq!((judgement.verdict, counts.ignored, counts.exempted_occurrences), (Verdict::Pass, 0, 3));
        assert_eq!((counts.all.low, counts.all.total(), counts.common_occurrences), (1, 1, 1));
    }

    #[test]
    fn fail_on_new_judges_new_issues_only() {
        let cases = [
            (Severity::High, Bucket::New, false, Verdict::Fail),
            (Severity::Critical, Bucket::New, false, Verdict::Fail),
            (Severity::Medium, Bucket::New, false, Verdict::Pass),
            (Severity::Critical, Bucket::Common, false, Verdict::Pass),
            (Severity::Critical, Bucket::New, true, Verdict::Pass),
            (Severity::Unassigned, Bucket::New, false, Verdict::Undecided),
            (Severity::Unassigned, Bucket::Common, false, Verdict::Pass),
        ];
        for (severity, bucket, exempted, expected) in cases {
            let judgement = judge_by(on_new("High"), &[issue(severity, bucket, exempted)]);
            assert_eq!(judgement.verdict, expected, "{severity} {bucket:?} {exempted}");
        }
        let reasons = |severity| judge_by(on_new("High"), &[issue(severity, Bucket::New, false)]).reasons;
        assert_eq!(reasons(Severity::High), ["fail_on_new is set to High and that threshold was reached."]);
        assert_eq!(
            reasons(Severity::Unassigned),
            [
                "1 new issue has no severity, and fail_on_new is set to High; the project's setting `unassigned_as` can provide one."
            ]
        );
        let criteria = Criteria { unassigned_as: Some(Severity::High), ..on_new("high") };
        assert_eq!(judge_by(criteria, &[issue(Severity::Unassigned, Bucket::New, false)]).verdict, Verdict::Fail);
    }

    #[test]
    fn fail_on_new_occurrences_judges_new_occurrences_of_common_issues_too() {
        let (high, low, none) = (Severity::High, Severity::Low, (0, Severity::Info));
        let unassigned = Severity::Unassigned;
        let cases = [
            ("nothing new", known(high, none, none), Verdict::Pass),
            ("a new one", known(high, (1, high), none), Verdict::Fail),
            ("a new one below", known(high, (1, low), none), Verdict::Pass),
            ("an edited one", known(high, none, (1, high)), Verdict::Fail),
            ("an edited one below", known(high, none, (1, low)), Verdict::Pass),
            ("a new one without a level", known(high, (1, unassigned), none), Verdict::Undecided),
            ("an edited one without a level", known(high, none, (1, unassigned)), Verdict::Undecided),
            ("of a new issue", issue(high, Bucket::New, false), Verdict::Fail),
            ("exempted", issue(high, Bucket::New, true), Verdict::Pass),
        ];
        for (case, issue, expected) in cases {
            assert_eq!(judge_by(on_new_occurrences("high"), &[issue]).verdict, expected, "{case}");
        }
        let both = GateIssue { levels_new: BTreeSet::from([low, unassigned]), ..known(high, (2, low), none) };
        assert_eq!(judge_by(on_new_occurrences("high"), &[both]).verdict, Verdict::Undecided, "each of them counts");
    }

    #[test]
    fn edited_occurrences_are_new_or_common_by_the_projects_setting() {
        let edited = known(Severity::High, (0, Severity::Info), (1, Severity::High));
        let judgement = judge_by(on_new_occurrences("high"), std::slice::from_ref(&edited));
        assert_eq!(
            judgement.reasons,
            [
                "fail_on_new_occurrences is set to high and that threshold was reached. Only edited occurrences reached it; they count as new unless the project's setting `updated_occurrences` is `common`."
            ]
        );
        let both = [edited.clone(), known(Severity::High, (1, Severity::High), (0, Severity::Info))];
        assert_eq!(
            judge_by(on_new_occurrences("high"), &both).reasons,
            ["fail_on_new_occurrences is set to high and that threshold was reached."]
        );
        let common = Criteria { updated_occurrences: UpdatedOccurrences::Common, ..on_new_occurrences("high") };
        assert_eq!(judge_by(common, std::slice::from_ref(&edited)).verdict, Verdict::Pass);
    }

    #[test]
    fn the_effect_of_a_baseline_without_a_scan_is_a_setting() {
        let never = NoBaselineScan::NotScanned(Some("main".parse().unwrap()));
        let criteria = |missing_baseline| Criteria {
            no_baseline_scan: Some(never.clone()),
            missing_baseline,
            fail_on_new_occurrences: "high".parse().unwrap(),
            ..on_new("high")
        };
        let new = [issue(Severity::High, Bucket::New, false)];
        let counts = judge_by(criteria(MissingBaseline::EverythingCounts), &new);
        assert_eq!(
            (counts.verdict, counts.reasons),
            (
                Verdict::Fail,
                ["fail_on_new", "fail_on_new_occurrences"]
                    .map(|name| {
                        format!("{name} is set to high and that threshold was reached. Everything counts as new, because baseline `main` was never scanned by this scanner.")
                    })
                    .to_vec()
            )
        );
        assert_eq!(judge_by(criteria(MissingBaseline::EverythingCounts), &[]).verdict, Verdict::Pass);
        let undecided = judge_by(criteria(MissingBaseline::Undecided), &new);
        assert_eq!(
            (undecided.verdict, undecided.reasons),
            (
                Verdict::Undecided,
                vec!["New issues cannot be determined, because baseline `main` was never scanned by this scanner; the project's setting `missing_baseline` is `undecided`.".to_owned()]
            )
        );
        assert_eq!(judge_by(criteria(MissingBaseline::NothingIsNew), &new).verdict, Verdict::Pass);
        for missing in [MissingBaseline::Undecided, MissingBaseline::NothingIsNew] {
            let criteria = Criteria { fail_on_severity: "high".parse().unwrap(), ..criteria(missing) };
            let judgement = judge_by(criteria, &new);
            let first = "fail_on_severity is set to high and that threshold was reached.";
            assert_eq!((judgement.verdict, judgement.reasons[0].as_str()), (Verdict::Fail, first), "{missing:?}");
        }
        let measured = Criteria { no_baseline_scan: None, ..criteria(MissingBaseline::NothingIsNew) };
        assert_eq!(judge_by(measured, &new).verdict, Verdict::Fail, "a baseline that was scanned");
        let because = |no_baseline_scan| {
            judge_by(Criteria { no_baseline_scan: Some(no_baseline_scan), ..on_new("high") }, &new).reasons.remove(0)
        };
        let incomplete = because(NoBaselineScan::Incomplete("main".parse().unwrap()));
        assert!(incomplete.ends_with("because baseline `main` has no complete scan by this scanner."));
        let nothing = because(NoBaselineScan::NotScanned(None));
        assert!(nothing.ends_with("because the baseline's pattern matches no scanned variant."), "{nothing}");
    }

    #[test]
    fn an_upload_can_be_stricter_than_the_project_and_not_looser() {
        let record = |severity: &str, least: &str| -> ScanRecord {
            serde_json::from_value(serde_json::json!({
                "v": 1, "id": "01".repeat(16), "tool": "bandit", "format": "bandit",
                "request": {
                    "project": "shop", "target": "web", "target_type": "repository", "variant": "main",
                    "scanner": "auto", "fail_on_severity": severity
                },
                "by": {"subject": "ci", "role": "developer"}, "received": 5, "report_sha256": "ab", "report_bytes": 7,
                "settings": {"criteria": {"fail_on_severity": least}}, "reference": {"with": "none"}
            }))
            .unwrap()
        };
        let judge = |severity: &str, least: &str| {
            let mut gate = Gate::new(Criteria::of(&record(severity, least)).unwrap());
            gate.judge(&issue(Severity::High, Bucket::Common, false));
            gate.finish(&ReportSummary::default(), Vec::new())
        };
        let looser = judge("critical", "High");
        assert_eq!(looser.reasons, ["fail_on_severity is set to High by the project and that threshold was reached."]);
        let stricter = judge("high", "critical");
        assert_eq!(stricter.reasons, ["fail_on_severity is set to high and that threshold was reached."]);
        assert_eq!(judge("none", "critical").verdict, Verdict::Pass);
        let without = judge("none", "none");
        assert!(without.thresholds.unwrap().are_none() && !judge("none", "low").thresholds.unwrap().are_none());
    }

    #[test]
    fn as_many_rejected_results_as_allowed_leave_a_verdict() {
        let criteria = |rejected_allowed| Criteria { rejected_allowed, ..Criteria::default() };
        let report = ReportSummary { results: 9, findings: 7, rejected: 2, ..ReportSummary::default() };
        for (allowed, expected) in [(0, Verdict::Undecided), (1, Verdict::Undecided), (2, Verdict::Pass)] {
            assert_eq!(Gate::new(criteria(allowed)).finish(&report, Vec::new()).verdict, expected, "{allowed}");
        }
    }

    #[test]
    fn a_missing_part_is_undecided_and_named() {
        let missing = vec!["codeql/js".to_owned(), "semgrep".to_owned()];
        let judgement = judge_by(Criteria { missing, ..Criteria::default() }, &[]);
        assert_eq!(judgement.verdict, Verdict::Undecided);
        assert_eq!(
            judgement.reasons,
            [
                "The report lacks `codeql/js`, `semgrep`, which the previous report had, so the scan is incomplete; if they are no longer scanned, accept the scan, or upload the report with `accept_missing=true`."
            ]
        );
    }

    fn spot(path: &str, state: SpotState, not_seen: u32) -> ComparedSpot {
        let spot = BlindSpot { reach: Reach::File(path.to_owned()), reason: "syntax error".to_owned() };
        ComparedSpot { spot, state, not_seen }
    }

    #[test]
    fn only_new_blind_spots_have_an_effect_and_it_is_a_setting() {
        let judge = |new_blind_spots, spots: &[ComparedSpot]| {
            let criteria = Criteria { new_blind_spots, ..Criteria::default() };
            Gate::new(criteria).finish(&ReportSummary::default(), spots.to_vec())
        };
        let old = [spot("a.py", SpotState::Known, 3), spot("b.py", SpotState::Gone, 0)];
        let known = judge(NewBlindSpots::Fail, &old);
        assert_eq!((known.verdict, known.counts.blind_spots, known.counts.new_blind_spots), (Verdict::Pass, 1, 0));
        assert_eq!(known.blind_spots, old);
        let new: Vec<_> = (0..4).map(|n| spot(&format!("{n}.py"), SpotState::New, n)).collect();
        let undecided = judge(NewBlindSpots::Undecided, &new);
        assert_eq!(undecided.verdict, Verdict::Undecided);
        assert_eq!(
            undecided.reasons,
            [
                "The scanner could not examine everything: 4 new blind spots: file `0.py` (syntax error), file `1.py` (syntax error), file `2.py` (syntax error), .... The reference scan has 6 occurrences there, which this scan did not see. The project's setting `new_blind_spots` is `undecided`."
            ]
        );
        assert_eq!(judge(NewBlindSpots::Fail, &new).verdict, Verdict::Fail);
        let ignored = judge(NewBlindSpots::Ignore, &new);
        assert_eq!((ignored.verdict, ignored.counts.new_blind_spots), (Verdict::Pass, 4));
        let many: Vec<_> = (0..200).map(|n| spot(&"x".repeat(n), SpotState::Known, 0)).collect();
        assert_eq!(judge(NewBlindSpots::Fail, &many).blind_spots.len(), BLIND_SPOTS_LISTED_MAX);
        let long: Vec<_> = (0..50).map(|_| spot(&"x".repeat(1000), SpotState::Known, 0)).collect();
        assert_eq!(judge(NewBlindSpots::Fail, &long).blind_spots.len(), 16);
    }

    #[test]
    fn what_was_not_seen_counts_for_thresholds_unless_it_is_exempted() {
        let unseen = |bucket, exempted, is_present| {
            let mut gate = Gate::new(Criteria { fail_on_new: "high".parse().unwrap(), ..on_severity("high") });
            let all = Division { common: 1, remediated: 2, ..Division::default() };
            let left = if exempted { Division::default() } else { all };
            let issue = GateIssue { division: left, ..issue(Severity::High, bucket, exempted) };
            gate.not_seen(&issue, all, is_present);
            gate.finish(&ReportSummary::default(), Vec::new())
        };
        let common = unseen(Bucket::Common, false, false);
        assert_eq!(
            common.reasons,
            [
                "fail_on_severity is set to high and that threshold was reached. Only issues that were not seen reached it: earlier scans have them, and blind spots cover them now."
            ]
        );
        let counts = common.counts;
        assert_eq!((counts.not_seen, counts.not_seen_occurrences, counts.remediated_occurrences), (1, 1, 2));
        assert_eq!((counts.all.total(), counts.not_seen_open.high), (0, 1));
        assert_eq!(unseen(Bucket::New, false, false).reasons.len(), 2, "a new one");
        let present = unseen(Bucket::New, false, true);
        assert_eq!((present.reasons.len(), present.counts.not_seen), (1, 0), "the scan has the issue itself");
        let exempted = unseen(Bucket::Common, true, false);
        assert_eq!(
            (exempted.verdict, exempted.counts.not_seen, exempted.counts.not_seen_open.high),
            (Verdict::Pass, 1, 0)
        );
    }
}
