//! A compared scan judged with the exemptions that hold for it. The gate does so once and stores it; whoever asks what would
//! be if an exemption were granted or taken back does so again.

use crate::journal;
use crate::keys;
use crate::kv::{Kv, KvError};
use crate::scans::{
    Compared, ExemptedOccurrence, Frozen, Grouped, Judged, RemediatedSpan, ReturnedOccurrence, Standing, read_list,
};
use domain::comparison::{Bucket, ComparedIssue, TrackedOccurrence};
use domain::exemption::{
    Coverage, EffectiveExemptions, ExemptibleOccurrence, Exemptions, IssueCoverage, Promoted, Reviewed, ScanTarget,
};
use domain::gate::{Criteria, Gate, GateIssue as Weight, Judgement};
use domain::grouping::{PathOrVersion, RatedIssue};
use domain::ids::{ExemptionId, IssueId, ProjectId, ScanId};
use domain::journal::JournalId;
use domain::listing::{PackedExemption, PackedIssue};
use domain::scan::ScanRequest;
use domain::time::Timestamp;
use domain::tracking;
use finding::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// How many occurrences of an issue are in memory at once.
const OCCURRENCES_AT_ONCE: u32 = 10_000;

/// A scan judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judging {
    /// The verdict, its reasons and counts.
    pub judgement: Judgement,
    /// The issues that an exemption is in force, pending or rejected for.
    pub standings: Vec<Standing>,
    /// The exempted occurrences of issues that are not exempted as a whole.
    pub exempted: Vec<ExemptedOccurrence>,
    /// The occurrences that were exempted in another form.
    pub returned: Vec<ReturnedOccurrence>,
    /// What choosing needs of each issue, and then of each that is gone.
    pub entries: Vec<PackedIssue>,
}

/// A scan's issues as they are judged.
#[derive(Debug)]
pub struct Issues {
    /// The issues.
    pub rated: Vec<RatedIssue>,
    /// How they compare, in the same order.
    pub rows: Vec<ComparedIssue>,
}

impl Issues {
    /// Reads the issues of a scan that was compared.
    ///
    /// # Errors
    /// The store failed, or a stage is not done.
    pub async fn of(kv: &impl Kv, scan: ScanId, grouped: &Grouped, compared: &Compared) -> Result<Self, KvError> {
        Ok(Self { rated: grouped.issues_as(kv, scan).await?, rows: compared.issues(kv, scan).await? })
    }

    /// All ids under which one of them may be exempted.
    pub fn names(&self) -> BTreeSet<IssueId> {
        self.rated.iter().zip(&self.rows).flat_map(|(rated, row)| rated.names(row.id)).collect()
    }

    /// The ids that they have besides the one that they go by, each with the issue's place.
    pub fn other_ids(&self) -> impl Iterator<Item = (IssueId, u32)> {
        self.rated.iter().zip(&self.rows).zip(0..).flat_map(|((rated, row), at)| {
            let others: BTreeSet<_> = rated.names(row.id).into_iter().filter(|id| *id != row.id).collect();
            others.into_iter().map(move |id| (id, at))
        })
    }
}

/// The exemptions of a project.
///
/// # Errors
/// The store failed.
pub async fn exemptions(kv: &impl Kv, project: &ProjectId, now: Timestamp) -> Result<Exemptions, KvError> {
    let journal = JournalId::Exemptions { project: project.clone() };
    Ok(journal::load(kv, &journal, now).await?.state)
}

/// What holds at `now` for a scan: its project's exemptions, and those of other projects that were granted for the whole
/// installation. `names` gives all ids of the scan's issues; it is asked only if there are such.
///
/// # Errors
/// The store failed.
pub async fn in_force(
    kv: &impl Kv,
    request: &ScanRequest,
    own: &Exemptions,
    names: impl AsyncFnOnce() -> Result<BTreeSet<IssueId>, KvError>,
    now: Timestamp,
) -> Result<EffectiveExemptions, KvError> {
    let place = ScanTarget { target: &request.target, pipeline: request.pipeline.as_ref() };
    let mut force = own.effective(now, &place);
    let promoted: Promoted = journal::load(kv, &JournalId::Promoted, now).await?.state;
    if promoted.by_id.values().all(|pointer| pointer.project == request.project) {
        return Ok(force);
    }
    let names = names().await?;
    let mut elsewhere: BTreeMap<ProjectId, BTreeSet<ExemptionId>> = BTreeMap::new();
    for (id, pointer) in promoted.by_id {
        if pointer.project != request.project && names.contains(&pointer.issue) {
            elsewhere.entry(pointer.project).or_default().insert(id);
        }
    }
    for (project, ids) in elsewhere {
        force.add(exemptions(kv, &project, now).await?.effective_everywhere(now, &ids));
    }
    Ok(force)
}

/// What held when a scan was judged.
///
/// # Errors
/// The store failed, or the scan was not judged.
pub async fn as_judged(kv: &impl Kv, scan: ScanId) -> Result<(Timestamp, EffectiveExemptions), KvError> {
    let judged = Judged::get(kv, scan).await?;
    let whole = judged.standings(kv, scan).await?.into_iter().filter(|standing| standing.whole);
    let occurrences = judged.exempted(kv, scan).await?;
    let force = EffectiveExemptions::at_judgement(
        whole.map(|standing| (standing.issue, standing.exemption)),
        occurrences.into_iter().map(|one| (one.issue, one.occurrence, one.exemption)),
    );
    Ok((judged.at, force))
}

/// Judges a scan with what holds for it.
///
/// # Errors
/// The store failed, or a stage is not done.
pub async fn judge(
    kv: &impl Kv,
    frozen: &Frozen,
    compared: &Compared,
    issues: &Issues,
    force: &EffectiveExemptions,
) -> Result<Judging, KvError> {
    let scan = frozen.record.id;
    let mut gate = Gate::new(Criteria::of(&frozen.record));
    let mut places = Places::new(kv, scan);
    let (mut standings, mut exempted, mut returned) = (Vec::new(), Vec::new(), Vec::new());
    let mut entries = Vec::new();
    for (rated, row) in issues.rated.iter().zip(&issues.rows) {
        let weighed = places.weigh(rated, row, force).await?;
        let issue = row.id;
        exempted.extend(weighed.exempted.iter().map(|(occurrence, exemption)| ExemptedOccurrence {
            issue,
            occurrence: *occurrence,
            exemption: *exemption,
        }));
        returned.extend(weighed.returned.iter().map(|(id, form, exemption)| ReturnedOccurrence {
            issue,
            occurrence: Reviewed { id: *id, form: *form },
            exemption: *exemption,
        }));
        let standing = standing(rated, row, &weighed);
        entries.push(entry(rated, row, standing.as_ref()));
        standings.extend(standing);
        gate.judge(&weight(rated, row, weighed));
    }
    for issue in compared.remediated(kv, scan).await? {
        gate.remediated(issue.occurrences);
        entries.push(gone(&issue));
    }
    let judgement = gate.finish(&frozen.report.summary);
    Ok(Judging { judgement, standings, exempted, returned, entries })
}

/// How an issue stands to exemptions, if it does.
pub fn standing(rated: &RatedIssue, row: &ComparedIssue, weighed: &IssueCoverage) -> Option<Standing> {
    let (coverage, exemption) = weighed.coverage.zip(weighed.exemption)?;
    let whole = coverage == Coverage::Exempted && weighed.exempted.is_empty();
    let one_by_one = u32::try_from(weighed.exempted.len()).unwrap_or(u32::MAX);
    Some(Standing {
        issue: row.id,
        coverage,
        exemption,
        exempted: if whole { rated.occurrences } else { one_by_one },
        whole,
        left: weighed.left.score.filter(|_| coverage == Coverage::PartiallyExempted),
    })
}

/// What choosing needs of an issue.
fn entry(rated: &RatedIssue, row: &ComparedIssue, standing: Option<&Standing>) -> PackedIssue {
    let stood = |standing: &Standing| PackedExemption::new(standing.coverage, Severity::of(standing.left));
    PackedIssue {
        bucket: row.bucket,
        kind: rated.kind,
        level: rated.severity(),
        exemption: standing.map(stood),
        mark: PackedIssue::mark(row.id),
    }
}

/// The same of one that is gone: it stands to no exemption.
fn gone(issue: &RemediatedSpan) -> PackedIssue {
    PackedIssue {
        bucket: Bucket::Remediated,
        kind: issue.kind,
        level: Severity::of(issue.score.map(|scored| scored.score)),
        exemption: None,
        mark: PackedIssue::mark(issue.id),
    }
}

/// An issue as the gate takes it into account.
fn weight(rated: &RatedIssue, row: &ComparedIssue, weighed: IssueCoverage) -> Weight {
    let ComparedIssue { bucket, division, levels_new, levels_updated, .. } = row.clone();
    let IssueCoverage { coverage, exempted, left, .. } = weighed;
    match coverage {
        Some(Coverage::Exempted | Coverage::PartiallyExempted) => {
            let one_by_one = u32::try_from(exempted.len()).unwrap_or(u32::MAX);
            Weight {
                severity: Severity::of(left.score),
                bucket,
                division: domain::comparison::Division { remediated: division.remediated, ..left.division },
                levels_new: left.levels_new,
                levels_updated: left.levels_updated,
                exempted: if exempted.is_empty() { rated.occurrences } else { one_by_one },
            }
        }
        Some(Coverage::Pending | Coverage::Rejected) | None => {
            Weight { severity: rated.severity(), bucket, division, levels_new, levels_updated, exempted: 0 }
        }
    }
}

/// The occurrences of a scan, of which only those are read that may be exempted one by one.
pub struct Places<'a, K> {
    kv: &'a K,
    scan: ScanId,
    lists: Option<Lists>,
}

struct Lists {
    grouped: Grouped,
    compared: Compared,
    names: Vec<PathOrVersion>,
}

impl<'a, K: Kv> Places<'a, K> {
    /// The occurrences of this scan.
    pub fn new(kv: &'a K, scan: ScanId) -> Self {
        Self { kv, scan, lists: None }
    }

    /// What exemptions leave of an issue.
    ///
    /// # Errors
    /// The store failed, or a stage is not done.
    pub async fn weigh(
        &mut self,
        rated: &RatedIssue,
        row: &ComparedIssue,
        force: &EffectiveExemptions,
    ) -> Result<IssueCoverage, KvError> {
        let names = rated.names(row.id);
        let mut weighing = force.cover(&names);
        if force.needs_occurrences(&names) {
            self.each(rated.first, rated.occurrences, |candidate| weighing.add(candidate)).await?;
        }
        Ok(weighing.finish())
    }

    /// Hands over so many occurrences from the place `first` on, as they are weighed.
    ///
    /// # Errors
    /// The store failed, or a stage is not done.
    pub async fn each(
        &mut self,
        first: u32,
        count: u32,
        mut each: impl FnMut(&ExemptibleOccurrence),
    ) -> Result<(), KvError> {
        let end = first.saturating_add(count);
        let mut first = first;
        while first < end {
            let count = OCCURRENCES_AT_ONCE.min(end - first);
            self.candidates(first, count).await?.iter().for_each(&mut each);
            first += count;
        }
        Ok(())
    }

    async fn candidates(&mut self, first: u32, count: u32) -> Result<Vec<ExemptibleOccurrence>, KvError> {
        let (kv, scan) = (self.kv, self.scan);
        let lists = match self.lists.take() {
            Some(lists) => lists,
            None => {
                let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
                let names = grouped.names(kv, scan).await?;
                Lists { grouped, compared, names }
            }
        };
        let Lists { grouped, compared, names } = self.lists.insert(lists);
        let occurrences = "occurrences";
        let places: Vec<tracking::ComparableOccurrence> =
            read_list(kv, &keys::grouped(scan), occurrences, &grouped.occurrences, first, count).await?;
        let tracked: Vec<TrackedOccurrence> =
            read_list(kv, &keys::compared(scan), occurrences, &compared.occurrences, first, count).await?;
        let path =
            |place: &tracking::ComparableOccurrence| usize::try_from(place.path).ok().and_then(|at| names.get(at));
        let candidates = places.iter().zip(&tracked).map(|(place, tracked)| {
            let path = path(place).map(|name| name.text.as_str()).filter(|path| !path.is_empty());
            ExemptibleOccurrence::of(place, tracked, path)
        });
        Ok(candidates.collect())
    }
}
