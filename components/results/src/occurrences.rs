//! Pages of a scan's occurrences, and of those that are remediated in it.

use crate::first_seen::FirstScans;
use crate::job::ResultsJob;
use crate::scan_issues::{IssueSpan, ScanIssues, issue_of_occurrence, spans};
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::v1::OccurrenceItem;
use domain::comparison::{Bucket, Identified, TrackedOccurrence};
use domain::exemption::{EffectiveExemptions, ExemptibleOccurrence};
use domain::grouping::PathOrVersion;
use domain::ids::{IssueId, OccurrenceId, ScanId};
use domain::tracking::ComparableOccurrence;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv;
use store::scans::{Compared, Frozen, Grouped, names_list, read_list};
use store::segments::read_at;
use store::stored_scan::StoredScan;
use store::{judging, keys};

/// The memory that filtering takes for each occurrence, in bytes.
const BYTES_PER_OCCURRENCE: usize = 120;

impl<K: Kv> ResultsJob<'_, K> {
    /// The occurrences of one issue of a scan, or of all, by issue, path and line. Those of the buckets `remediated`
    /// and `not_seen` are in earlier scans; without a bucket they are left out.
    ///
    /// # Errors
    /// The scan or the issue does not exist, or the store failed.
    pub async fn occurrences(
        &self,
        id: ScanId,
        only: Option<IssueId>,
        bucket: Option<Bucket>,
        wanted: Wanted<u32>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        self.scan(id).await?;
        let kv = self.kv;
        let stored = StoredScan::read(kv, id).await?;
        let _held = self.hold_issues(&stored.grouped).await;
        let own = ScanOccurrences::read(self, stored, only).await?;
        match bucket {
            None => own.page(kv, own.range(only)?, wanted).await,
            Some(Bucket::Remediated) => self.remediated_occurrences(&own, only, wanted).await,
            Some(Bucket::NotSeen) => self.unseen_occurrences(own, only, wanted).await,
            Some(bucket @ (Bucket::New | Bucket::Common)) => {
                let (first, count) = own.range(only)?;
                let size = usize::try_from(count).unwrap_or(usize::MAX);
                let _held = (self.hold)(size.saturating_mul(BYTES_PER_OCCURRENCE)).await;
                let tracked: Vec<TrackedOccurrence> = own.tracked(kv, first, count).await?;
                let of =
                    |tracked: &TrackedOccurrence| if tracked.found.is_some() { Bucket::Common } else { Bucket::New };
                let selected = (first..).zip(&tracked).filter(|(_, tracked)| of(tracked) == bucket);
                page_of(kv, &[(&own, selected.map(|(at, _)| at).collect())], wanted, None).await
            }
        }
    }

    /// The occurrences of the reference scan that this scan does not have. There are none if this scan is incomplete.
    async fn remediated_occurrences(
        &self,
        own: &ScanOccurrences,
        only: Option<IssueId>,
        wanted: Wanted<u32>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        let kv = self.kv;
        let record = &own.frozen.record;
        let complete = record.is_complete(&own.frozen.report.summary);
        let Some(reference) = record.reference.scan().filter(|_| complete) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let stored = StoredScan::read(kv, reference).await?;
        let _issues = self.hold_issues(&stored.grouped).await;
        let occurrences = own.grouped.occurrences.records.saturating_add(stored.grouped.occurrences.records);
        let size = usize::try_from(occurrences).unwrap_or(usize::MAX);
        let _held = (self.hold)(size.saturating_mul(BYTES_PER_OCCURRENCE)).await;
        let tracked = own.tracked(kv, 0, own.grouped.occurrences.records).await?;
        // Numbers of results in the reference scan and its remainder.
        let matched: BTreeSet<u32> =
            tracked.into_iter().filter_map(|tracked| tracked.found.map(|found| found.result)).collect();
        let unseen = own.unseen(kv).await?;
        let results = stored.results();
        let referenced = ScanOccurrences::read(self, stored, only).await?;
        let remainder = referenced.remainder(self, only).await?;
        let mut parts = Vec::new();
        for (scan, first_result) in [(Some(&referenced), 0), (remainder.as_ref(), results)] {
            let Some(scan) = scan else { continue };
            // An issue that only this scan has is not in the reference scan: it has no remediated occurrences.
            let Ok((first, count)) = scan.range(only) else { continue };
            let (places, ids) = (scan.places(kv, first, count).await?, scan.tracked(kv, first, count).await?);
            let rows = (first..).zip(places.iter().zip(&ids));
            let is_gone = |(_, (place, row)): &(u32, (&ComparableOccurrence, &TrackedOccurrence))| {
                !matched.contains(&place.result.saturating_add(first_result)) && !unseen.contains(&row.id)
            };
            parts.push((scan, rows.filter(is_gone).map(|(at, _)| at).collect::<Vec<u32>>()));
        }
        if parts.is_empty() {
            own.range(only)?;
        }
        page_of(kv, &parts, wanted, Some(Bucket::Remediated)).await
    }

    /// The occurrences of earlier scans that are inside a blind spot of this scan.
    async fn unseen_occurrences(
        &self,
        own: ScanOccurrences,
        only: Option<IssueId>,
        wanted: Wanted<u32>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        let remainder = own.remainder(self, only).await?;
        match remainder.as_ref().map(|remainder| (remainder, remainder.range(only))) {
            Some((remainder, Ok((first, count)))) => {
                let all = (first..first.saturating_add(count)).collect();
                page_of(self.kv, &[(remainder, all)], wanted, Some(Bucket::NotSeen)).await
            }
            Some((_, Err(_))) | None => {
                own.range(only)?;
                Ok(Page { items: Vec::new(), next: None })
            }
        }
    }
}

/// The occurrences of a scan, in their order.
struct ScanOccurrences {
    frozen: Frozen,
    grouped: Grouped,
    compared: Compared,
    /// The issues whose occurrences are wanted.
    issues: Vec<IssueSpan>,
    first_scans: FirstScans,
    /// The exemptions that were effective when the scan was judged, and those that are now.
    effective: [EffectiveExemptions; 2],
    /// The id of the scan's remainder.
    remainder: Option<ScanId>,
}

impl ScanOccurrences {
    /// Reads what a page needs of one issue, or of all.
    async fn read(job: &ResultsJob<'_, impl Kv>, stored: StoredScan, only: Option<IssueId>) -> Result<Self, Problem> {
        let kv = job.kv;
        let StoredScan { frozen, grouped, compared, remainder } = stored;
        let id = frozen.record.id;
        let remainder = remainder.map(|remainder| remainder.frozen.record.id);
        let scan = ScanIssues::with(kv, id, grouped, compared).await?;
        let issues = match only {
            Some(issue) => scan.span(kv, issue).await?.into_iter().collect(),
            None => spans(kv, id, &scan.grouped, &scan.compared).await?,
        };
        let ScanIssues { grouped, compared, .. } = scan;
        let first_scans = FirstScans::read(kv, &frozen, &compared).await?;
        let names = async || Ok(issues.iter().flat_map(|issue| issue.rated.names(issue.id)).collect());
        let now = job.effective_now(&frozen, names).await?;
        let effective = [judging::exemptions_at_judgement(kv, id).await?.1, now];
        Ok(Self { frozen, grouped, compared, issues, first_scans, effective, remainder })
    }

    /// Reads the same of the remainder; `None` if there is none.
    async fn remainder(&self, job: &ResultsJob<'_, impl Kv>, only: Option<IssueId>) -> Result<Option<Self>, Problem> {
        let Some(remainder) = self.remainder else { return Ok(None) };
        let stored = StoredScan::read(job.kv, remainder).await?;
        Ok(Some(Self::read(job, stored, only).await?))
    }

    /// The ids of the occurrences that the scan did not see.
    async fn unseen(&self, kv: &impl Kv) -> Result<BTreeSet<OccurrenceId>, Problem> {
        let Some(remainder) = self.remainder else { return Ok(BTreeSet::new()) };
        let rows: Vec<Identified<OccurrenceId>> =
            Compared::get(kv, remainder).await?.occurrences_as(kv, remainder).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The index of the first occurrence of an issue and their number; without an issue, those of all.
    fn range(&self, only: Option<IssueId>) -> Result<(u32, u32), Problem> {
        let Some(only) = only else { return Ok((0, self.grouped.occurrences.records)) };
        let issue = self
            .issues
            .iter()
            .find(|issue| issue.id == only)
            .ok_or_else(|| Problem::not_found(format!("scan {} has no issue {only}", self.frozen.record.id)))?;
        Ok((issue.rated.first, issue.rated.occurrences))
    }

    async fn places(&self, kv: &impl Kv, from: u32, count: u32) -> Result<Vec<ComparableOccurrence>, Problem> {
        let key = keys::grouped(self.frozen.record.id);
        Ok(read_list(kv, &key, "occurrences", &self.grouped.occurrences, from, count).await?)
    }

    async fn tracked(&self, kv: &impl Kv, from: u32, count: u32) -> Result<Vec<TrackedOccurrence>, Problem> {
        let key = keys::compared(self.frozen.record.id);
        Ok(read_list(kv, &key, "occurrences", &self.compared.occurrences, from, count).await?)
    }

    /// The paths of these places.
    async fn paths(
        &self,
        kv: &impl Kv,
        places: &[ComparableOccurrence],
    ) -> Result<BTreeMap<u32, PathOrVersion>, Problem> {
        let at: BTreeSet<u32> = places.iter().map(|place| place.path).collect();
        let list = names_list(self.frozen.record.id);
        let names: Vec<PathOrVersion> = read_at(kv, &list, &self.grouped.names, at.iter().copied()).await?;
        Ok(at.into_iter().zip(names).collect())
    }

    /// A page of a range of occurrences.
    async fn page(
        &self,
        kv: &impl Kv,
        (first, count): (u32, u32),
        wanted: Wanted<u32>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        let from = wanted.from.unwrap_or(0).min(count);
        let take = u32::try_from(wanted.limit).unwrap_or(u32::MAX).min(count - from);
        let items = self.items(kv, first + from, take, None).await?;
        let next = (from + take < count).then(|| encode("occurrences", &(from + take)));
        Ok(Page { items, next })
    }

    /// The occurrences from an index on, with their findings.
    async fn items(
        &self,
        kv: &impl Kv,
        from: u32,
        count: u32,
        bucket: Option<Bucket>,
    ) -> Result<Vec<OccurrenceItem>, Problem> {
        let (places, tracked) = (self.places(kv, from, count).await?, self.tracked(kv, from, count).await?);
        let results: BTreeSet<u32> = places.iter().map(|place| place.result).collect();
        let mut findings = self.frozen.findings_at(kv, &results).await?;
        let paths = self.paths(kv, &places).await?;
        let mut items = Vec::new();
        for (at, (place, tracked)) in (from..).zip(places.iter().zip(&tracked)) {
            let missing = |what| Problem::internal(format!("occurrence {at} has no {what}"));
            let issue = issue_of_occurrence(&self.issues, at).ok_or_else(|| missing("issue"))?;
            let finding = findings.remove(&place.result).ok_or_else(|| missing("finding"))?;
            let path = paths.get(&place.path).map(|name| name.text.as_str()).filter(|path| !path.is_empty());
            let first_seen = self.first_scans.get(tracked.seen)?;
            let mut item = OccurrenceItem::new(issue.id, tracked, first_seen, path, finding);
            let candidate = ExemptibleOccurrence::of(place, tracked, path);
            let checked = issue.rated.exemptible(issue.id);
            [item.exemption, item.exemption_now] =
                self.effective.each_ref().map(|effective| effective.of_occurrence(&checked, &candidate));
            if let Some(bucket) = bucket {
                // Matches and exemptions in the scan that has the occurrence do not concern the scan that does not.
                let (exemption, exemption_now) = (None, None);
                let (matched, updated, carried) = (None, false, None);
                item = OccurrenceItem { bucket, matched, updated, carried, exemption, exemption_now, ..item };
            }
            items.push(item);
        }
        Ok(items)
    }
}

/// A page of the occurrences at these indices of scans. `bucket` replaces the bucket that each has in its own scan.
async fn page_of(
    kv: &impl Kv,
    parts: &[(&ScanOccurrences, Vec<u32>)],
    wanted: Wanted<u32>,
    bucket: Option<Bucket>,
) -> Result<Page<OccurrenceItem>, Problem> {
    let from = usize::try_from(wanted.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let all: usize = parts.iter().map(|(_, indices)| indices.len()).sum();
    let (mut skip, mut items) = (from, Vec::new());
    for (scan, indices) in parts {
        let page: Vec<u32> =
            indices.iter().copied().skip(skip).take(wanted.limit.saturating_sub(items.len())).collect();
        skip = skip.saturating_sub(indices.len());
        // Occurrences with adjacent indices are read together.
        for adjacent in page.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
            let (Some(first), Ok(count)) = (adjacent.first(), u32::try_from(adjacent.len())) else { continue };
            items.extend(scan.items(kv, *first, count, bucket).await?);
        }
    }
    let next = from.saturating_add(items.len());
    let more = u32::try_from(next).unwrap_or(u32::MAX);
    Ok(Page { items, next: (next < all).then(|| encode("occurrences", &more)) })
}
