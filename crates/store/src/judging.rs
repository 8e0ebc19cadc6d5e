//! Judges a compared scan with the effective exemptions. The gate does this once and stores the result; a preview of a
//! decision does it again.

use crate::journal;
use crate::keys;
use crate::kv::{Kv, KvError};
use crate::scans::{
    Compared, ExemptedOccurrence, Frozen, GateResult, Grouped, IssueExemptionState, OutgrownExemption, RemediatedSpan,
    ReturnedOccurrence, read_list,
};
use domain::comparison::{Bucket, ComparedIssue, TrackedOccurrence};
use domain::exemption::{
    Coverage, EffectiveExemptions, ExemptibleOccurrence, Exemptions, IssueCoverage, Promoted, RiseAllowed, ScanTarget,
};
use domain::gate::{Criteria, Gate, GateIssue as Weight, Judgement, SincePrevious};
use domain::grouping::{PathOrVersion, RatedIssue};
use domain::ids::{ExemptionId, IssueId, ProjectId, ScanId};
use domain::journal::JournalId;
use domain::listing::{PackedExemption, PackedIssue};
use domain::reference::Reference;
use domain::scan::ScanRecord;
use domain::time::Timestamp;
use domain::tracking;
use finding::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// The number of an issue's occurrences that are in memory at a time.
const OCCURRENCES_AT_ONCE: u32 = 10_000;

/// A judged scan: the contents of a [`GateResult`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedScan {
    /// The verdict, its reasons and counts.
    pub judgement: Judgement,
    /// The issues, then the remediated ones, then those of the remainder.
    pub issues: JudgedIssues,
    /// The issues of the remainder alone.
    pub remainder: JudgedIssues,
}

/// The issues of a scan after exemptions were applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedIssues {
    /// The issues with an effective, pending or rejected exemption.
    pub standings: Vec<IssueExemptionState>,
    /// The exempted occurrences of issues that are not exempted as a whole.
    pub exempted: Vec<ExemptedOccurrence>,
    /// The occurrences that were exempted in another form, so that the exemption does not apply.
    pub returned: Vec<ReturnedOccurrence>,
    /// The exemptions that do not apply because their issue is worse than what was judged.
    pub outgrown: Vec<OutgrownExemption>,
    /// The fields for filtering of each issue.
    pub entries: Vec<PackedIssue>,
}

/// The issues of a scan, as the gate needs them.
#[derive(Debug)]
pub struct Issues {
    /// The scan.
    scan: ScanId,
    /// The issues.
    pub rated: Vec<RatedIssue>,
    /// Their comparison, in the same order.
    pub rows: Vec<ComparedIssue>,
    /// The issues of the remainder, if there is one.
    pub remainder: Option<Box<Self>>,
}

impl Issues {
    /// Reads the issues of a scan that was compared.
    ///
    /// # Errors
    /// The store failed, or a stage is not finished.
    pub async fn of(kv: &impl Kv, scan: ScanId, grouped: &Grouped, compared: &Compared) -> Result<Self, KvError> {
        let mut issues = Self::without_remainder(kv, scan, grouped, compared).await?;
        if let Some((id, grouped, compared)) = compared.read_remainder(kv, scan).await? {
            issues.remainder = Some(Box::new(Self::without_remainder(kv, id, &grouped, &compared).await?));
        }
        Ok(issues)
    }

    async fn without_remainder(
        kv: &impl Kv,
        scan: ScanId,
        grouped: &Grouped,
        compared: &Compared,
    ) -> Result<Self, KvError> {
        let (rated, rows) = (grouped.issues_as(kv, scan).await?, compared.issues(kv, scan).await?);
        Ok(Self { scan, rated, rows, remainder: None })
    }

    /// The issues and their comparison, with those of the remainder.
    pub fn with_remainder(&self) -> impl Iterator<Item = (&RatedIssue, &ComparedIssue)> {
        let own = self.rated.iter().zip(&self.rows);
        own.chain(self.remainder.iter().flat_map(|issues| issues.rated.iter().zip(&issues.rows)))
    }

    /// All ids of the issues, with those of the remainder. An exemption may refer to any of them.
    pub fn names(&self) -> BTreeSet<IssueId> {
        self.with_remainder().flat_map(|(rated, row)| rated.names(row.id)).collect()
    }

    /// The additional ids of the issues without the remainder, each with the issue's position.
    pub fn other_ids(&self) -> impl Iterator<Item = (IssueId, u32)> {
        self.rated.iter().zip(&self.rows).zip(0..).flat_map(|((rated, row), at)| {
            let others: BTreeSet<_> = rated.names(row.id).into_iter().filter(|id| *id != row.id).collect();
            others.into_iter().map(move |id| (id, at))
        })
    }
}

/// Reads the exemptions of a project.
///
/// # Errors
/// The store failed.
pub async fn exemptions(kv: &impl Kv, project: &ProjectId, now: Timestamp) -> Result<Exemptions, KvError> {
    let journal = JournalId::Exemptions { project: project.clone() };
    Ok(journal::load(kv, &journal, now).await?.state)
}

/// The exemptions that are effective for a scan at `now`: those of its project, and those of other projects that were
/// approved for the whole account. They apply to issues that are no worse than what was judged, by the scan's settings.
/// `names` returns all ids of the scan's issues; it is called only if there are such exemptions of other projects.
///
/// # Errors
/// The store failed.
pub async fn effective_exemptions(
    kv: &impl Kv,
    record: &ScanRecord,
    own: &Exemptions,
    names: impl AsyncFnOnce() -> Result<BTreeSet<IssueId>, KvError>,
    now: Timestamp,
) -> Result<EffectiveExemptions, KvError> {
    let request = &record.request;
    let place = ScanTarget { target: &request.target, pipeline: record.proven_pipeline() };
    let mut force = own.effective(now, &place).with_rise(RiseAllowed::of(&record.settings));
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

/// The exemptions that were effective when a scan was judged, and the time of that.
///
/// # Errors
/// The store failed, or the scan was not judged.
pub async fn exemptions_at_judgement(kv: &impl Kv, scan: ScanId) -> Result<(Timestamp, EffectiveExemptions), KvError> {
    let judged = GateResult::get(kv, scan).await?;
    let whole = judged.standings(kv, scan).await?.into_iter().filter(|standing| standing.whole);
    let occurrences = judged.exempted(kv, scan).await?;
    let force = EffectiveExemptions::at_judgement(
        whole.map(|standing| (standing.issue, standing.exemption)),
        occurrences.into_iter().map(|one| (one.issue, one.occurrence, one.exemption)),
    );
    Ok((judged.at, force))
}

/// Judges a scan with the effective exemptions.
///
/// # Errors
/// The store failed, or a stage is not finished.
pub async fn judge(
    kv: &impl Kv,
    frozen: &Frozen,
    compared: &Compared,
    issues: &Issues,
    force: &EffectiveExemptions,
) -> Result<JudgedScan, KvError> {
    let scan = frozen.record.id;
    let criteria = Criteria::of(&frozen.record).map_err(|error| KvError::Unreadable {
        key: keys::scan(scan),
        reason: format!("a pattern of the project's criteria: {error}"),
    })?;
    let mut gate = Gate::new(criteria);
    let mut judged = weigh_all(kv, issues, force, |weight, _| gate.judge(&weight)).await?;
    for issue in compared.remediated(kv, scan).await? {
        gate.remediated(issue.occurrences);
        judged.entries.push(remediated_entry(&issue));
    }
    let mut remainder = JudgedIssues::default();
    if let Some(not_seen) = &issues.remainder {
        let present: BTreeSet<IssueId> = issues.rows.iter().map(|row| row.id).collect();
        let judge =
            |weight: Weight, row: &ComparedIssue| gate.not_seen(&weight, row.division, present.contains(&row.id));
        remainder = weigh_all(kv, not_seen, force, judge).await?;
        // What is not seen cannot return to review: its form and severity are those of the last scan that saw it.
        remainder.returned.clear();
        remainder.outgrown.clear();
        judged.standings.extend(remainder.standings.iter().cloned());
        judged.exempted.extend(remainder.exempted.iter().copied());
        // The issues that the scan has are in the list already; in the remainder they are the last ones.
        let absent = not_seen.rows.iter().take_while(|row| !present.contains(&row.id)).count();
        let entry = |entry: &PackedIssue| PackedIssue { bucket: Bucket::NotSeen, ..*entry };
        judged.entries.extend(remainder.entries.iter().take(absent).map(entry));
    }
    let mut judgement = gate.finish(&frozen.report.summary, compared.blind_spots(kv, scan).await?);
    if let (Reference::Accepted { .. }, Some(previous)) = (&frozen.record.reference, frozen.record.lineage) {
        let previous = GateResult::get(kv, previous).await?.judgement.counts;
        // The scan itself is the first of the origins.
        let first_seen = issues.rows.iter().filter(|row| row.seen == 0).count();
        let new = u64::try_from(first_seen).unwrap_or(u64::MAX);
        judgement.since_previous = Some(SincePrevious::between(&previous, &judgement.counts, new));
    }
    Ok(JudgedScan { judgement, issues: judged, remainder })
}

/// Applies exemptions to the issues of a scan without its remainder, and passes each issue to `judge`.
async fn weigh_all(
    kv: &impl Kv,
    issues: &Issues,
    force: &EffectiveExemptions,
    mut judge: impl FnMut(Weight, &ComparedIssue),
) -> Result<JudgedIssues, KvError> {
    let mut occurrences = OccurrenceReader::new(kv, issues.scan);
    let mut judged = JudgedIssues::default();
    for (at, (rated, row)) in (0..).zip(issues.rated.iter().zip(&issues.rows)) {
        let weighed = occurrences.weigh(rated, row, force).await?;
        let issue = row.id;
        judged.exempted.extend(weighed.exempted.iter().map(|(occurrence, exemption)| ExemptedOccurrence {
            issue,
            occurrence: *occurrence,
            exemption: *exemption,
        }));
        judged.returned.extend(weighed.returned.iter().map(|(occurrence, exemption)| ReturnedOccurrence {
            issue,
            occurrence: occurrence.reviewed(),
            exemption: *exemption,
            at,
            severity: Some(Severity::of(occurrence.score)),
            first_form: Some(occurrence.first_form).filter(|first| *first != occurrence.form),
        }));
        judged.outgrown.extend(weighed.outgrown.iter().map(|(exemption, severity)| OutgrownExemption {
            exemption: *exemption,
            issue,
            at,
            severity: *severity,
        }));
        let coverage = issue_exemption_state(rated, row, &weighed);
        judged.entries.push(entry(rated, row, coverage.as_ref()));
        judged.standings.extend(coverage);
        judge(weight(rated, row, weighed), row);
    }
    Ok(judged)
}

/// The exemption state of an issue; absent without an exemption.
pub fn issue_exemption_state(
    rated: &RatedIssue,
    row: &ComparedIssue,
    weighed: &IssueCoverage,
) -> Option<IssueExemptionState> {
    let (coverage, exemption) = weighed.coverage.zip(weighed.exemption)?;
    let whole = coverage == Coverage::Exempted && weighed.exempted.is_empty();
    let one_by_one = u32::try_from(weighed.exempted.len()).unwrap_or(u32::MAX);
    Some(IssueExemptionState {
        issue: row.id,
        coverage,
        exemption,
        exempted: if whole { rated.occurrences } else { one_by_one },
        whole,
        left: weighed.left.score.filter(|_| coverage == Coverage::PartiallyExempted),
    })
}

/// The fields for filtering of an issue.
fn entry(rated: &RatedIssue, row: &ComparedIssue, coverage: Option<&IssueExemptionState>) -> PackedIssue {
    let exempted = |issue: &IssueExemptionState| PackedExemption::new(issue.coverage, Severity::of(issue.left));
    PackedIssue {
        bucket: row.bucket,
        kind: rated.kind,
        level: rated.severity(),
        exemption: coverage.map(exempted),
        mark: PackedIssue::mark(row.id),
    }
}

/// The fields for filtering of a remediated issue, which has no exemption state.
fn remediated_entry(issue: &RemediatedSpan) -> PackedIssue {
    PackedIssue {
        bucket: Bucket::Remediated,
        kind: issue.kind,
        level: Severity::of(issue.score.map(|scored| scored.score)),
        exemption: None,
        mark: PackedIssue::mark(issue.id),
    }
}

/// The part of an issue that counts at the gate.
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

/// A reader of a scan's occurrences, as candidates for exemptions of single occurrences. It opens the lists on first
/// use.
pub struct OccurrenceReader<'a, K> {
    kv: &'a K,
    scan: ScanId,
    lists: Option<Lists>,
}

struct Lists {
    grouped: Grouped,
    compared: Compared,
    names: Vec<PathOrVersion>,
}

impl<'a, K: Kv> OccurrenceReader<'a, K> {
    /// Makes a reader; nothing is read yet.
    pub fn new(kv: &'a K, scan: ScanId) -> Self {
        Self { kv, scan, lists: None }
    }

    /// Applies the exemptions to an issue.
    ///
    /// # Errors
    /// The store failed, or a stage is not finished.
    pub async fn weigh(
        &mut self,
        rated: &RatedIssue,
        row: &ComparedIssue,
        force: &EffectiveExemptions,
    ) -> Result<IssueCoverage, KvError> {
        let issue = rated.exemptible(row.id);
        let mut weighing = force.cover(&issue);
        if force.needs_occurrences(&issue) {
            self.each(rated.first, rated.occurrences, |candidate| weighing.add(candidate)).await?;
        }
        Ok(weighing.finish())
    }

    /// Reads `count` occurrences from the position `first` on, and passes them to `each` one by one.
    ///
    /// # Errors
    /// The store failed, or a stage is not finished.
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
        let rows: Vec<tracking::ComparableOccurrence> =
            read_list(kv, &keys::grouped(scan), occurrences, &grouped.occurrences, first, count).await?;
        let tracked: Vec<TrackedOccurrence> =
            read_list(kv, &keys::compared(scan), occurrences, &compared.occurrences, first, count).await?;
        let path = |row: &tracking::ComparableOccurrence| usize::try_from(row.path).ok().and_then(|at| names.get(at));
        let candidates = rows.iter().zip(&tracked).map(|(row, tracked)| {
            let path = path(row).map(|name| name.text.as_str()).filter(|path| !path.is_empty());
            ExemptibleOccurrence::of(row, tracked, path)
        });
        Ok(candidates.collect())
    }
}
