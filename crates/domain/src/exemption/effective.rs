//! The exemptions that apply to a scan at a time, and what of an issue still counts at the gate.

use super::coverage::Coverage;
use super::judged::{ExemptibleIssue, Judged, RiseAllowed};
use super::reach::{Reach, Reviewed};
use super::state::{Exemption, Exemptions};
use super::status::Status;
use crate::comparison::{Division, TrackedOccurrence};
use crate::digest::Short;
use crate::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, TargetName};
use crate::time::Timestamp;
use crate::tracking;
use finding::severity::{Score, Severity};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The target and pipeline of a scan. An exemption applies if its reach includes them.
#[derive(Debug, Clone, Copy)]
pub struct ScanTarget<'a> {
    /// The target.
    pub target: &'a TargetName,
    /// The pipeline, if known.
    pub pipeline: Option<&'a PipelineName>,
}

/// An exemption of an occurrence. Without a form it applies to every form of the occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The exemption.
    pub exemption: ExemptionId,
    /// The form that it applies to.
    pub form: Option<Short>,
}

/// The exemptions that apply to a scan, and pending and rejected ones for display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectiveExemptions {
    /// The exemptions of whole issues, the one that is named first last.
    issues: BTreeMap<IssueId, Vec<ExemptionId>>,
    occurrences: BTreeMap<OccurrenceId, Vec<Grant>>,
    /// The issues with occurrences that are exempted individually.
    partly: BTreeSet<IssueId>,
    /// The newest pending or rejected exemption of each issue.
    requested: BTreeMap<IssueId, (Coverage, ExemptionId)>,
    /// The end of each exemption above that has one.
    ends: BTreeMap<ExemptionId, Timestamp>,
    /// The state of the issue that was judged for each exemption above. One without an entry applies to any state of
    /// its issue.
    judged: BTreeMap<ExemptionId, Judged>,
    /// The rise of severity up to which they apply.
    rise_allowed: RiseAllowed,
}

/// An occurrence of an issue, to be checked for exemptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExemptibleOccurrence {
    /// Its id.
    pub id: OccurrenceId,
    /// Its form.
    pub form: Short,
    /// Its form by the first version of forms. Exemptions of earlier versions apply to it.
    pub first_form: Short,
    /// Its score.
    pub score: Option<Score>,
    /// True if it is new.
    pub new: bool,
    /// True if it was matched although its code was edited.
    pub updated: bool,
}

impl ExemptibleOccurrence {
    /// Makes one from an occurrence of a scan and its path there.
    pub fn of(place: &tracking::ComparableOccurrence, tracked: &TrackedOccurrence, path: Option<&str>) -> Self {
        Self {
            id: tracked.id,
            form: tracked.form(place, path),
            first_form: tracked.first_form(place, path),
            score: place.score,
            new: tracked.found.is_none(),
            updated: tracked.found.as_ref().is_some_and(|found| found.stage.is_updated()),
        }
    }
}

impl ExemptibleOccurrence {
    /// Returns it as a reviewer sees it.
    pub fn reviewed(&self) -> Reviewed {
        Reviewed { id: self.id, form: self.form }
    }

    /// True if a reviewer who saw this form saw the occurrence as it is.
    pub fn has_form(&self, form: Short) -> bool {
        form == self.form || form == self.first_form
    }
}

/// The result of applying exemptions to an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueCoverage {
    /// The issue's exemption state.
    pub coverage: Option<Coverage>,
    /// The exemption that gives this state; of several the one that ends last.
    pub exemption: Option<ExemptionId>,
    /// The exempted occurrences with their exemptions, unless the whole issue is exempted.
    pub exempted: Vec<(OccurrenceId, ExemptionId)>,
    /// Occurrences with an exemption that does not apply to their present form, each with the exemption.
    pub returned: Vec<(ExemptibleOccurrence, ExemptionId)>,
    /// The exemptions that do not apply because the issue is worse than what was judged, each with the highest severity
    /// of what it exempted.
    pub outgrown: BTreeMap<ExemptionId, Severity>,
    /// The occurrences that still count.
    pub left: Remaining,
}

/// The occurrences of an issue that are not exempted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Their numbers by bucket; never remediated ones.
    pub division: Division,
    /// The severities of new ones.
    pub levels_new: BTreeSet<Severity>,
    /// The severities of edited ones.
    pub levels_updated: BTreeSet<Severity>,
    /// The highest score.
    pub score: Option<Score>,
}

impl Exemptions {
    /// Returns the exemptions that apply at `now` to scans of this target and pipeline.
    pub fn effective(&self, now: Timestamp, place: &ScanTarget<'_>) -> EffectiveExemptions {
        let mut effective = EffectiveExemptions::default();
        // Later ones overwrite earlier ones: those that end last win, then those that were requested last.
        let mut all: Vec<_> = self.by_id.iter().filter(|(_, held)| reaches(held.reach(), place)).collect();
        all.sort_by_key(|(id, held)| (held.ends().is_none(), held.ends(), held.requested.n, **id));
        for (id, held) in all {
            match held.status(now) {
                Status::Approved => effective.grant(*id, held),
                Status::Pending => {
                    effective.requested.insert(held.issue, (Coverage::Pending, *id));
                }
                Status::Rejected => {
                    effective.requested.entry(held.issue).or_insert((Coverage::Rejected, *id));
                }
                Status::Expired | Status::Cancelled => {}
            }
        }
        effective
    }

    /// Returns those of the exemptions `ids` that apply at `now` in every project.
    pub fn effective_everywhere(&self, now: Timestamp, ids: &BTreeSet<ExemptionId>) -> EffectiveExemptions {
        let mut effective = EffectiveExemptions::default();
        for id in ids {
            let held = self.by_id.get(id).filter(|held| held.status(now) == Status::Approved);
            if let Some(held) = held.filter(|held| *held.reach() == Reach::Account) {
                effective.grant(*id, held);
            }
        }
        effective
    }
}

fn reaches(reach: &Reach, place: &ScanTarget<'_>) -> bool {
    match reach {
        Reach::Occurrences { target, .. } | Reach::Target { target } => target == place.target,
        Reach::Pipeline { pipeline } => Some(pipeline) == place.pipeline,
        Reach::Project | Reach::Account => true,
    }
}

impl EffectiveExemptions {
    /// Returns them as they apply in a project that allows this rise of severity.
    #[must_use]
    pub fn with_rise(self, rise_allowed: RiseAllowed) -> Self {
        Self { rise_allowed, ..self }
    }

    /// Rebuilds the exemptions that applied when a scan was judged: of whole issues, and of occurrences in any form.
    /// The present state of the issues makes no difference.
    pub fn at_judgement(
        issues: impl IntoIterator<Item = (IssueId, ExemptionId)>,
        occurrences: impl IntoIterator<Item = (IssueId, OccurrenceId, ExemptionId)>,
    ) -> Self {
        let issues = issues.into_iter().map(|(issue, exemption)| (issue, vec![exemption])).collect();
        let mut effective = Self { issues, ..Self::default() };
        for (issue, occurrence, exemption) in occurrences {
            effective.partly.insert(issue);
            effective.occurrences.entry(occurrence).or_default().push(Grant { exemption, form: None });
        }
        effective
    }

    fn grant(&mut self, id: ExemptionId, held: &Exemption) {
        self.ends.extend(held.ends().map(|end| (id, end)));
        self.judged.insert(id, held.judged());
        match held.reach() {
            Reach::Occurrences { occurrences, .. } => {
                self.partly.insert(held.issue);
                for occurrence in occurrences {
                    let grant = Grant { exemption: id, form: Some(occurrence.form) };
                    self.occurrences.entry(occurrence.id).or_default().push(grant);
                }
            }
            Reach::Target { .. } | Reach::Pipeline { .. } | Reach::Project | Reach::Account => {
                self.issues.entry(held.issue).or_default().push(id);
            }
        }
    }

    /// Adds other exemptions. If both exempt an issue, the one that is already here stays.
    pub fn add(&mut self, other: Self) {
        for (issue, mut exemptions) in other.issues {
            let own = self.issues.entry(issue).or_default();
            exemptions.append(own);
            *own = exemptions;
        }
        for (occurrence, grants) in other.occurrences {
            self.occurrences.entry(occurrence).or_default().extend(grants);
        }
        self.partly.extend(other.partly);
        self.ends.extend(other.ends);
        self.judged.extend(other.judged);
    }

    /// True if the occurrences of an issue must be checked one by one: some may be exempted.
    pub fn needs_occurrences(&self, issue: &ExemptibleIssue) -> bool {
        self.whole_issue(issue).is_none() && issue.ids.iter().any(|id| self.partly.contains(id))
    }

    /// Returns the exemption of a whole issue.
    pub fn whole_issue(&self, issue: &ExemptibleIssue) -> Option<ExemptionId> {
        self.of_whole(issue).find(|exemption| self.applies(*exemption, issue, issue.severity))
    }

    /// The exemptions of a whole issue, whatever was judged; the one that is named first comes first.
    fn of_whole(&self, issue: &ExemptibleIssue) -> impl Iterator<Item = ExemptionId> {
        issue.ids.iter().filter_map(|id| self.issues.get(id)).flat_map(|held| held.iter().rev().copied())
    }

    /// True if the issue is no worse than what was judged for the exemption.
    fn applies(&self, exemption: ExemptionId, issue: &ExemptibleIssue, severity: Severity) -> bool {
        self.judged.get(&exemption).is_none_or(|judged| judged.includes(issue, severity, self.rise_allowed))
    }

    /// Returns the end of an exemption, if it has one.
    pub fn end(&self, exemption: ExemptionId) -> Option<Timestamp> {
        self.ends.get(&exemption).copied()
    }

    /// Starts to apply the exemptions to an issue. Occurrences need only be added if
    /// [`needs_occurrences`](Self::needs_occurrences) is true.
    pub fn cover<'a>(&'a self, issue: &'a ExemptibleIssue) -> IssueCoverageBuilder<'a> {
        IssueCoverageBuilder { effective: self, issue, coverage: IssueCoverage::default(), counted: 0 }
    }

    /// Returns the exemption of one occurrence of an issue.
    pub fn of_occurrence(&self, issue: &ExemptibleIssue, occurrence: &ExemptibleOccurrence) -> Option<ExemptionId> {
        self.whole_issue(issue).or_else(|| match self.occurrence(issue, occurrence) {
            OccurrenceCoverage::Exempted(exemption) => Some(exemption),
            OccurrenceCoverage::Returned(_) | OccurrenceCoverage::Outgrown(_) | OccurrenceCoverage::Other => None,
        })
    }

    fn occurrence(&self, issue: &ExemptibleIssue, occurrence: &ExemptibleOccurrence) -> OccurrenceCoverage {
        let grants = self.occurrences.get(&occurrence.id).map(Vec::as_slice).unwrap_or_default();
        let of_form = || grants.iter().filter(|grant| grant.form.is_none_or(|form| occurrence.has_form(form))).rev();
        let severity = Severity::of(occurrence.score);
        match (of_form().find(|grant| self.applies(grant.exemption, issue, severity)), of_form().next(), grants.last())
        {
            (Some(grant), _, _) => OccurrenceCoverage::Exempted(grant.exemption),
            (None, Some(grant), _) => OccurrenceCoverage::Outgrown(grant.exemption),
            (None, None, Some(grant)) => OccurrenceCoverage::Returned(grant.exemption),
            (None, None, None) => OccurrenceCoverage::Other,
        }
    }
}

/// An issue while exemptions are applied to its occurrences.
#[derive(Debug)]
pub struct IssueCoverageBuilder<'a> {
    effective: &'a EffectiveExemptions,
    issue: &'a ExemptibleIssue,
    coverage: IssueCoverage,
    counted: usize,
}

impl IssueCoverageBuilder<'_> {
    /// Adds an occurrence.
    pub fn add(&mut self, occurrence: &ExemptibleOccurrence) {
        self.counted += 1;
        let coverage = &mut self.coverage;
        let severity = Severity::of(occurrence.score);
        match self.effective.occurrence(self.issue, occurrence) {
            OccurrenceCoverage::Exempted(exemption) => {
                coverage.exempted.push((occurrence.id, exemption));
                return;
            }
            OccurrenceCoverage::Returned(exemption) => {
                coverage.returned.push((*occurrence, exemption));
            }
            OccurrenceCoverage::Outgrown(exemption) => {
                let highest = coverage.outgrown.entry(exemption).or_insert(severity);
                *highest = severity.max(*highest);
            }
            OccurrenceCoverage::Other => {}
        }
        coverage.left.add(occurrence);
    }

    /// Returns the result.
    pub fn finish(self) -> IssueCoverage {
        let Self { effective, issue: checked, coverage: mut issue, counted } = self;
        if let Some(exemption) = effective.whole_issue(checked) {
            return IssueCoverage {
                coverage: Some(Coverage::Exempted),
                exemption: Some(exemption),
                ..IssueCoverage::default()
            };
        }
        issue.outgrown.extend(effective.of_whole(checked).next().map(|exemption| (exemption, checked.severity)));
        let named = issue.exempted.iter().map(|(_, exemption)| *exemption);
        issue.exemption = named.max_by_key(|id| (effective.end(*id).is_none(), effective.end(*id), Reverse(*id)));
        issue.coverage = match issue.exempted.len() {
            0 => None,
            exempted if exempted == counted => Some(Coverage::Exempted),
            _ => Some(Coverage::PartiallyExempted),
        };
        if issue.coverage.is_none() {
            let requested = checked.ids.iter().find_map(|id| effective.requested.get(id)).copied();
            (issue.coverage, issue.exemption) = requested.unzip();
        }
        issue
    }
}

enum OccurrenceCoverage {
    Exempted(ExemptionId),
    /// Its form was not judged.
    Returned(ExemptionId),
    /// It is worse than what was judged.
    Outgrown(ExemptionId),
    Other,
}

impl Remaining {
    fn add(&mut self, occurrence: &ExemptibleOccurrence) {
        let level = Severity::of(occurrence.score);
        self.score = self.score.max(occurrence.score);
        if occurrence.new {
            self.division.new += 1;
            self.levels_new.insert(level);
            return;
        }
        self.division.common += 1;
        if occurrence.updated {
            self.division.updated += 1;
            self.levels_updated.insert(level);
        }
    }
}
