//! Which exemptions hold for a scan at some time, and what of an issue they leave for the gate.

use super::coverage::Coverage;
use super::reach::Reach;
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

/// What a scan is of: where an exemption must reach to hold for it.
#[derive(Debug, Clone, Copy)]
pub struct ScanTarget<'a> {
    /// The target.
    pub target: &'a TargetName,
    /// The pipeline, if it is known.
    pub pipeline: Option<&'a PipelineName>,
}

/// An exemption of an occurrence. Without a form it holds in whatever form the occurrence is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// By which exemption.
    pub exemption: ExemptionId,
    /// In which form.
    pub form: Option<Short>,
}

/// The exemptions that hold for a scan, and those that are asked for or were refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectiveExemptions {
    issues: BTreeMap<IssueId, ExemptionId>,
    occurrences: BTreeMap<OccurrenceId, Vec<Grant>>,
    /// The issues of which occurrences are exempted.
    partly: BTreeSet<IssueId>,
    /// The issues for which an exemption is pending or was refused, the newest.
    asked: BTreeMap<IssueId, (Coverage, ExemptionId)>,
    /// When each that is named above ends.
    ends: BTreeMap<ExemptionId, Timestamp>,
}

/// One occurrence of an issue as it is weighed.
#[derive(Debug, Clone, Copy)]
pub struct ExemptibleOccurrence {
    /// Its identity.
    pub id: OccurrenceId,
    /// Its form.
    pub form: Short,
    /// Its score.
    pub score: Option<Score>,
    /// Whether it is only here.
    pub new: bool,
    /// Whether it was recognised although its code was edited.
    pub updated: bool,
}

impl ExemptibleOccurrence {
    /// An occurrence of a scan, with its path there.
    pub fn of(place: &tracking::ComparableOccurrence, tracked: &TrackedOccurrence, path: Option<&str>) -> Self {
        Self {
            id: tracked.id,
            form: tracked.form(place, path),
            score: place.score,
            new: tracked.found.is_none(),
            updated: tracked.found.as_ref().is_some_and(|found| found.stage.is_updated()),
        }
    }
}

/// What exemptions leave of an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueCoverage {
    /// How it stands to exemptions.
    pub coverage: Option<Coverage>,
    /// The exemption that says so; of several the one that ends last.
    pub exemption: Option<ExemptionId>,
    /// The exempted occurrences where not the whole issue is exempted, each with its exemption.
    pub exempted: Vec<(OccurrenceId, ExemptionId)>,
    /// The occurrences whose exemption does not hold for the form that they have now, with that exemption and form.
    pub returned: Vec<(OccurrenceId, Short, ExemptionId)>,
    /// What is left, as [`ExemptibleOccurrence`]s of which no exemption takes any away: its division, levels and highest score.
    pub left: Remaining,
}

/// The occurrences of an issue that are not exempted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// How they divide; nothing is gone of them.
    pub division: Division,
    /// The levels that the new ones have.
    pub levels_new: BTreeSet<Severity>,
    /// The levels that the edited ones have.
    pub levels_updated: BTreeSet<Severity>,
    /// The highest score.
    pub score: Option<Score>,
}

impl Exemptions {
    /// What holds at `now` for the scans of this place.
    pub fn effective(&self, now: Timestamp, place: &ScanTarget<'_>) -> EffectiveExemptions {
        let mut effective = EffectiveExemptions::default();
        // Later ones overwrite: those that end last, then those that were asked for last.
        let mut all: Vec<_> = self.by_id.iter().filter(|(_, held)| reaches(held.reach(), place)).collect();
        all.sort_by_key(|(id, held)| (held.ends().is_none(), held.ends(), held.requested.n, **id));
        for (id, held) in all {
            match held.status(now) {
                Status::Approved => effective.grant(*id, held),
                Status::Pending => {
                    effective.asked.insert(held.issue, (Coverage::Pending, *id));
                }
                Status::Rejected => {
                    effective.asked.entry(held.issue).or_insert((Coverage::Rejected, *id));
                }
                Status::Expired | Status::Cancelled => {}
            }
        }
        effective
    }

    /// What holds at `now` in every project, of these exemptions.
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
    /// What held when a scan was judged: the issues that were exempted as a whole, and occurrences, in whatever form.
    pub fn at_judgement(
        issues: impl IntoIterator<Item = (IssueId, ExemptionId)>,
        occurrences: impl IntoIterator<Item = (IssueId, OccurrenceId, ExemptionId)>,
    ) -> Self {
        let mut effective = Self { issues: issues.into_iter().collect(), ..Self::default() };
        for (issue, occurrence, exemption) in occurrences {
            effective.partly.insert(issue);
            effective.occurrences.entry(occurrence).or_default().push(Grant { exemption, form: None });
        }
        effective
    }

    fn grant(&mut self, id: ExemptionId, held: &Exemption) {
        self.ends.extend(held.ends().map(|end| (id, end)));
        match held.reach() {
            Reach::Occurrences { occurrences, .. } => {
                self.partly.insert(held.issue);
                for occurrence in occurrences {
                    let grant = Grant { exemption: id, form: Some(occurrence.form) };
                    self.occurrences.entry(occurrence.id).or_default().push(grant);
                }
            }
            Reach::Target { .. } | Reach::Pipeline { .. } | Reach::Project | Reach::Account => {
                self.issues.insert(held.issue, id);
            }
        }
    }

    /// Adds what holds besides; where both exempt an issue, this one's exemption is named.
    pub fn add(&mut self, other: Self) {
        for (issue, exemption) in other.issues {
            self.issues.entry(issue).or_insert(exemption);
        }
        for (occurrence, grants) in other.occurrences {
            self.occurrences.entry(occurrence).or_default().extend(grants);
        }
        self.partly.extend(other.partly);
        self.ends.extend(other.ends);
    }

    /// Whether each occurrence of an issue of these names must be looked at: some may be exempted.
    pub fn needs_occurrences(&self, names: &[IssueId]) -> bool {
        self.whole_issue(names).is_none() && names.iter().any(|name| self.partly.contains(name))
    }

    /// The exemption of the whole issue of these names.
    pub fn whole_issue(&self, names: &[IssueId]) -> Option<ExemptionId> {
        names.iter().find_map(|name| self.issues.get(name)).copied()
    }

    /// When an exemption that holds ends, if it has an end.
    pub fn end(&self, exemption: ExemptionId) -> Option<Timestamp> {
        self.ends.get(&exemption).copied()
    }

    /// Begins to weigh an issue of these names. Its occurrences need only be added where [`is_partial`](Self::needs_occurrences)
    /// says so.
    pub fn cover<'a>(&'a self, names: &'a [IssueId]) -> IssueCoverageBuilder<'a> {
        IssueCoverageBuilder { effective: self, names, issue: IssueCoverage::default(), counted: 0 }
    }

    /// The exemption of one occurrence of an issue of these names.
    pub fn of_occurrence(&self, names: &[IssueId], occurrence: &ExemptibleOccurrence) -> Option<ExemptionId> {
        self.whole_issue(names).or_else(|| match self.occurrence(occurrence) {
            OccurrenceCoverage::Exempted(exemption) => Some(exemption),
            OccurrenceCoverage::Returned(_) | OccurrenceCoverage::Other => None,
        })
    }

    fn occurrence(&self, occurrence: &ExemptibleOccurrence) -> OccurrenceCoverage {
        let grants = self.occurrences.get(&occurrence.id).map(Vec::as_slice).unwrap_or_default();
        let holds = |grant: &&Grant| grant.form.is_none_or(|form| form == occurrence.form);
        match (grants.iter().rfind(holds), grants.last()) {
            (Some(grant), _) => OccurrenceCoverage::Exempted(grant.exemption),
            (None, Some(grant)) => OccurrenceCoverage::Returned(grant.exemption),
            (None, None) => OccurrenceCoverage::Other,
        }
    }
}

/// An issue while it is weighed, one occurrence after the other.
#[derive(Debug)]
pub struct IssueCoverageBuilder<'a> {
    effective: &'a EffectiveExemptions,
    names: &'a [IssueId],
    issue: IssueCoverage,
    counted: usize,
}

impl IssueCoverageBuilder<'_> {
    /// Takes an occurrence into account.
    pub fn add(&mut self, occurrence: &ExemptibleOccurrence) {
        self.counted += 1;
        let issue = &mut self.issue;
        match self.effective.occurrence(occurrence) {
            OccurrenceCoverage::Exempted(exemption) => issue.exempted.push((occurrence.id, exemption)),
            OccurrenceCoverage::Returned(exemption) => {
                issue.returned.push((occurrence.id, occurrence.form, exemption));
                issue.left.add(occurrence);
            }
            OccurrenceCoverage::Other => issue.left.add(occurrence),
        }
    }

    /// What exemptions leave of the issue.
    pub fn finish(self) -> IssueCoverage {
        let Self { effective, names, mut issue, counted } = self;
        if let Some(exemption) = effective.whole_issue(names) {
            return IssueCoverage {
                coverage: Some(Coverage::Exempted),
                exemption: Some(exemption),
                ..IssueCoverage::default()
            };
        }
        let named = issue.exempted.iter().map(|(_, exemption)| *exemption);
        issue.exemption = named.max_by_key(|id| (effective.end(*id).is_none(), effective.end(*id), Reverse(*id)));
        issue.coverage = match issue.exempted.len() {
            0 => None,
            exempted if exempted == counted => Some(Coverage::Exempted),
            _ => Some(Coverage::PartiallyExempted),
        };
        if issue.coverage.is_none() {
            let asked = names.iter().find_map(|name| effective.asked.get(name)).copied();
            (issue.coverage, issue.exemption) = asked.unzip();
        }
        issue
    }
}

enum OccurrenceCoverage {
    Exempted(ExemptionId),
    Returned(ExemptionId),
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
