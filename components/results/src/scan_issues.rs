//! The issues of a finished scan. An issue is read only if it is shown.

use crate::first_seen::FirstScans;
use crate::job::ResultsJob;
use api::Problem;
use api::v1::{IssueExemption, IssueItem, IssueState, OccurrenceTally};
use domain::comparison::{Bucket, ComparedIssue, Division, Identified};
use domain::exemption::Coverage;
use domain::grouping::{Issue, RatedIssue};
use domain::ids::{IssueId, ScanId};
use domain::listing::PackedIssue;
use finding::severity::Severity;
use std::collections::BTreeSet;
use store::judging::{self, OccurrenceReader};
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, GateResult, Grouped, Remediated, issues_list, read_list_at, remediated_list};
use store::segments::read_at;

/// The issues of a scan by index: first those that it has, then those that are remediated, then those of its remainder,
/// which were not seen.
pub(crate) struct ScanIssues {
    pub(crate) id: ScanId,
    pub(crate) grouped: Grouped,
    pub(crate) compared: Compared,
    pub(crate) judged: GateResult,
    /// The fields of each issue that filters need.
    pub(crate) entries: Vec<PackedIssue>,
}

impl ScanIssues {
    /// Reads the entries of a scan that was judged.
    pub(crate) async fn read(kv: &impl Kv, id: ScanId) -> Result<Self, KvError> {
        let (grouped, compared) = (Grouped::get(kv, id).await?, Compared::get(kv, id).await?);
        Self::with(kv, id, grouped, compared).await
    }

    /// Reads the entries of a scan that was judged; its other results are read already.
    pub(crate) async fn with(kv: &impl Kv, id: ScanId, grouped: Grouped, compared: Compared) -> Result<Self, KvError> {
        let judged = GateResult::get(kv, id).await?;
        let entries = judged.entries(kv, id).await?;
        Ok(Self { id, grouped, compared, judged, entries })
    }

    /// The number of issues that the scan has; those from this index on are remediated.
    pub(crate) fn present(&self) -> u32 {
        self.grouped.issues.records
    }

    /// All entries with their indices.
    pub(crate) fn indexed(&self) -> impl Iterator<Item = (u32, &PackedIssue)> {
        (0..).zip(&self.entries)
    }

    /// The index of the issue with this id.
    pub(crate) async fn find(&self, kv: &impl Kv, id: IssueId) -> Result<Option<u32>, KvError> {
        let mark = PackedIssue::mark(id);
        let candidates = self.indexed().filter(|(_, entry)| entry.mark == mark).map(|(at, _)| at).collect::<Vec<_>>();
        let Parts { present, remediated, not_seen } = self.split(&candidates);
        let mut ids = self.identified(kv, present).await?;
        let list = remediated_list(self.id);
        ids.extend(read_at::<Identified<_>>(kv, &list, &self.compared.remediated, remediated).await?);
        if let Some(remainder) = self.remainder(kv, &not_seen).await? {
            ids.extend(remainder.identified(kv, &not_seen).await?);
        }
        Ok(candidates.into_iter().zip(ids).find(|(_, candidate)| candidate.id == id).map(|(at, _)| at))
    }

    /// The issue with this id, with its range of occurrences. `None` if the scan does not have it.
    pub(crate) async fn span(&self, kv: &impl Kv, id: IssueId) -> Result<Option<IssueSpan>, KvError> {
        let Some(at) = self.find(kv, id).await?.filter(|at| *at < self.present()) else { return Ok(None) };
        let spans: Vec<RatedIssue> = read_at(kv, &issues_list(self.id), &self.grouped.issues, [at]).await?;
        Ok(spans.into_iter().next().map(|rated| IssueSpan { id, rated }))
    }

    /// All ids of the issue at this index.
    pub(crate) async fn names(&self, kv: &impl Kv, at: u32) -> Result<BTreeSet<IssueId>, KvError> {
        let Parts { present, remediated, not_seen } = self.split(std::slice::from_ref(&at));
        if let Some(remainder) = self.remainder(kv, &not_seen).await?
            && let Some(at) = not_seen.first()
        {
            return Box::pin(remainder.names(kv, *at)).await;
        }
        let mut names = BTreeSet::new();
        for row in self.identified(kv, present).await? {
            names.insert(row.id);
            let others = self.judged.other_ids(kv, self.id).await?;
            names.extend(others.into_iter().filter(|(_, index)| *index == at).map(|(id, _)| id));
        }
        let list = remediated_list(self.id);
        for Remediated { issue, .. } in read_at(kv, &list, &self.compared.remediated, remediated).await? {
            names.extend(issue.aliases.into_iter().chain([issue.id]));
        }
        Ok(names)
    }

    /// The severity and number of occurrences of the first issue that the scan or its remainder has under one of these
    /// ids.
    pub(crate) async fn find_any(
        &self,
        kv: &impl Kv,
        names: &BTreeSet<IssueId>,
    ) -> Result<Option<(Severity, u32)>, KvError> {
        let marks: BTreeSet<u16> = names.iter().map(|id| PackedIssue::mark(*id)).collect();
        let others = self.judged.other_ids(kv, self.id).await?;
        let others: BTreeSet<u32> = others.into_iter().filter(|(id, _)| names.contains(id)).map(|(_, at)| at).collect();
        let present = self.indexed().take_while(|(at, _)| *at < self.present());
        let candidates = present.filter(|(at, entry)| marks.contains(&entry.mark) || others.contains(at));
        let candidates: Vec<(u32, Severity)> = candidates.map(|(at, entry)| (at, entry.level)).collect();
        let (key, indices) = (keys::compared(self.id), candidates.iter().map(|(at, _)| *at));
        let rows: Vec<ComparedIssue> = read_list_at(kv, &key, "issues", &self.compared.issues, indices).await?;
        let mut found = candidates.into_iter().zip(rows);
        let found = found.find(|((at, _), row)| names.contains(&row.id) || others.contains(at));
        if let (None, Some(remainder)) = (&found, self.compared.remainder_of(self.id)) {
            return Box::pin(Self::read(kv, remainder).await?.find_any(kv, names)).await;
        }
        Ok(found.map(|((_, severity), row)| (severity, row.division.new + row.division.common)))
    }

    /// The ids of issues that the scan has.
    async fn identified(&self, kv: &impl Kv, indices: &[u32]) -> Result<Vec<Identified<IssueId>>, KvError> {
        let (key, list) = (keys::compared(self.id), &self.compared.issues);
        read_list_at(kv, &key, "issues", list, indices.iter().copied()).await
    }

    /// Splits ascending indices into those of issues that the scan has, of remediated ones, and of the remainder's. The
    /// last two are counted from the first of their kind.
    pub(crate) fn split<'a>(&self, indices: &'a [u32]) -> Parts<'a> {
        let (present, others) = indices.split_at(indices.partition_point(|at| *at < self.present()));
        let not_seen = self.present().saturating_add(self.compared.remediated.records);
        let (remediated, unseen) = others.split_at(others.partition_point(|at| *at < not_seen));
        Parts {
            present,
            remediated: remediated.iter().map(|at| at - self.present()).collect(),
            not_seen: unseen.iter().map(|at| at - not_seen).collect(),
        }
    }

    /// The issues of the remainder; `None` without a remainder, or if none of them is wanted.
    pub(crate) async fn remainder(&self, kv: &impl Kv, wanted: &[u32]) -> Result<Option<Self>, KvError> {
        match self.compared.remainder_of(self.id).filter(|_| !wanted.is_empty()) {
            Some(remainder) => Ok(Some(Self::read(kv, remainder).await?)),
            None => Ok(None),
        }
    }

    /// The issues at these indices, in this order; `frozen` is the scan's.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn items(
        &self,
        job: &ResultsJob<'_, impl Kv>,
        frozen: &Frozen,
        wanted: &[u32],
    ) -> Result<Vec<IssueItem>, Problem> {
        let ordered: Vec<u32> = wanted.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let Parts { present, remediated, not_seen } = self.split(&ordered);
        let first_scans = FirstScans::read(job.kv, frozen, &self.compared).await?;
        let mut items = self.present_items(job, frozen, &first_scans, present).await?;
        items.extend(self.remediated_items(job.kv, &first_scans, &remediated).await?);
        if let Some(remainder) = self.remainder(job.kv, &not_seen).await? {
            let unseen = remainder.present_items(job, frozen, &first_scans, &not_seen).await?;
            items.extend(unseen.into_iter().map(not_seen_item));
        }
        let item = |at| ordered.binary_search(at).ok().and_then(|at| items.get(at)).cloned();
        wanted
            .iter()
            .map(|at| item(at).ok_or_else(|| Problem::internal(format!("the scan has no issue at index {at}"))))
            .collect()
    }

    async fn present_items(
        &self,
        job: &ResultsJob<'_, impl Kv>,
        frozen: &Frozen,
        first_scans: &FirstScans,
        indices: &[u32],
    ) -> Result<Vec<IssueItem>, Problem> {
        if indices.is_empty() {
            return Ok(Vec::new());
        }
        let (kv, at) = (job.kv, indices.iter().copied());
        let issues: Vec<Issue> = read_at(kv, &issues_list(self.id), &self.grouped.issues, at.clone()).await?;
        let key = keys::compared(self.id);
        let rows: Vec<ComparedIssue> = read_list_at(kv, &key, "issues", &self.compared.issues, at).await?;
        let mut then = self.standings(kv, indices).await?.into_iter().peekable();
        let all: Vec<_> = issues.iter().zip(&rows).map(|(issue, row)| (issue, RatedIssue::from(issue), row)).collect();
        let names = async || Ok(all.iter().flat_map(|(_, rated, row)| rated.names(row.id)).collect());
        let (effective, mut occurrences) =
            (job.effective_now(frozen, names).await?, OccurrenceReader::new(kv, self.id));
        let mut items = Vec::new();
        for (issue, rated, row) in &all {
            let weighed = occurrences.weigh(rated, row, &effective).await?;
            let standing = IssueState {
                id: row.id,
                bucket: row.bucket,
                division: row.division,
                first_seen: first_scans.get(row.seen)?,
                exemption: then.next_if(|standing| standing.issue == row.id).as_ref().map(exemption_item),
                exemption_now: judging::issue_exemption_state(rated, row, &weighed).as_ref().map(exemption_item),
            };
            items.push(IssueItem::new(issue, standing));
        }
        Ok(items)
    }

    /// The states of these issues' exemptions when the scan was judged. Issues without an exemption then are left out.
    async fn standings(
        &self,
        kv: &impl Kv,
        indices: &[u32],
    ) -> Result<Vec<store::scans::IssueExemptionState>, KvError> {
        // The gate stored one for each issue with an exemption, in the order of the issues.
        let exempted = self.indexed().filter(|(_, entry)| entry.exemption.is_some()).map(|(at, _)| at);
        let wanted = (0..).zip(exempted).filter(|(_, at)| indices.binary_search(at).is_ok()).map(|(rank, _)| rank);
        read_list_at(kv, &keys::judged(self.id), "standings", &self.judged.standings, wanted).await
    }

    async fn remediated_items(
        &self,
        kv: &impl Kv,
        first_scans: &FirstScans,
        indices: &[u32],
    ) -> Result<Vec<IssueItem>, Problem> {
        let (list, at) = (remediated_list(self.id), indices.iter().copied());
        let rows: Vec<Remediated> = read_at(kv, &list, &self.compared.remediated, at).await?;
        rows.into_iter().map(|row| remediated_item(row, first_scans)).collect()
    }
}

/// The issues that a scan has, each with its range of occurrences.
pub(crate) async fn spans(
    kv: &impl Kv,
    id: ScanId,
    grouped: &Grouped,
    compared: &Compared,
) -> Result<Vec<IssueSpan>, Problem> {
    let issues = grouped.issues_as::<RatedIssue>(kv, id).await?;
    let identities = compared.issues_as::<Identified<IssueId>>(kv, id).await?;
    Ok(issues.into_iter().zip(identities).map(|(rated, identity)| IssueSpan { id: identity.id, rated }).collect())
}

/// The issue of the occurrence at this index.
pub(crate) fn issue_of_occurrence(issues: &[IssueSpan], at: u32) -> Option<&IssueSpan> {
    let after = issues.partition_point(|issue| issue.rated.first <= at);
    issues.get(after.checked_sub(1)?)
}

/// An issue that a scan has, with its range of occurrences.
pub(crate) struct IssueSpan {
    /// The id that the comparison gave it.
    pub(crate) id: IssueId,
    /// The issue.
    pub(crate) rated: RatedIssue,
}

/// Indices of a scan's issues, by the part of the list that they are in.
pub(crate) struct Parts<'a> {
    /// Of issues that the scan has.
    pub(crate) present: &'a [u32],
    /// Of remediated issues, counted from the first of them.
    pub(crate) remediated: Vec<u32>,
    /// Of issues of the remainder.
    pub(crate) not_seen: Vec<u32>,
}

/// An issue of the remainder: none of its occurrences there are in the scan.
fn not_seen_item(item: IssueItem) -> IssueItem {
    let OccurrenceTally { total, remediated, .. } = item.occurrences;
    let occurrences = OccurrenceTally { not_seen: total, remediated, ..OccurrenceTally::default() };
    IssueItem { bucket: Bucket::NotSeen, occurrences, ..item }
}

fn remediated_item(Remediated { issue, seen }: Remediated, first_scans: &FirstScans) -> Result<IssueItem, Problem> {
    let standing = IssueState {
        id: issue.id,
        bucket: Bucket::Remediated,
        division: Division { remediated: issue.occurrences, ..Division::default() },
        first_seen: first_scans.get(seen)?,
        exemption: None,
        exemption_now: None,
    };
    Ok(IssueItem::new(&issue, standing))
}

fn exemption_item(standing: &store::scans::IssueExemptionState) -> IssueExemption {
    IssueExemption {
        state: standing.coverage,
        id: standing.exemption,
        occurrences: standing.exempted,
        severity: (standing.coverage == Coverage::PartiallyExempted).then(|| Severity::of(standing.left).to_string()),
    }
}
