//! Comparisons of any two scans of a target.

use crate::job::ResultsJob;
use crate::scan_issues::ScanIssues;
use api::Problem;
use api::page::{Wanted, encode};
use api::v1::{ComparedItem, ScanComparison, Tally};
use domain::comparison::{Bucket, Identified};
use domain::families::{IssueNames, in_both_scans};
use domain::ids::{IssueId, OccurrenceId, ScanId};
use domain::listing::PackedExemption;
use std::collections::BTreeSet;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen};

/// The memory that a comparison takes for each issue of either scan, in bytes: its ids and its index.
const BYTES_PER_ISSUE: usize = 200;
/// The memory that it takes for each occurrence, in bytes.
const BYTES_PER_OCCURRENCE: usize = 80;

impl<K: Kv> ResultsJob<'_, K> {
    /// Compares a finished scan with another one of its target. The scans that they were compared with at their uploads
    /// make no difference.
    ///
    /// # Errors
    /// A scan does not exist, the scans are of different targets, or the store failed.
    pub async fn compare(
        &self,
        id: ScanId,
        other: ScanId,
        bucket: Option<Bucket>,
        wanted: Wanted<usize>,
    ) -> Result<ScanComparison, Problem> {
        let (own_answer, other_answer) = (self.scan(id).await?, self.scan(other).await?);
        let [target, other_target] = [&own_answer, &other_answer].map(|answer| &answer.scan.target.name);
        if target != other_target {
            let detail = format!("scan {id} is of target `{target}` and scan {other} of target `{other_target}`");
            return Err(Problem::parameter("other", detail));
        }
        let kv = self.kv;
        let (own, others) = (ScanIssues::read(kv, id).await?, ScanIssues::read(kv, other).await?);
        let _held = (self.hold)(memory(&own).saturating_add(memory(&others))).await;
        let other_names = names(kv, &others).await?;
        let unseen = Unseen::read(kv, &own).await?;
        let unseen_at = unseen.issues_of(&other_names);
        // For each issue of either scan, true if the other scan has it too.
        let (own_shared, other_shared) = in_both_scans(names(kv, &own).await?, other_names);
        let bucket_of = |is_shared| if is_shared { Bucket::Common } else { Bucket::New };
        let buckets: Vec<Bucket> = own_shared.into_iter().map(bucket_of).collect();
        let absent = (0..).zip(other_shared).filter(|(_, is_shared)| !is_shared).map(|(at, _)| at);
        let (not_seen, remediated): (Vec<u32>, Vec<u32>) = absent.partition(|at| unseen_at.contains(at));

        let own_in =
            |wanted| (0..).zip(&buckets).filter(move |(_, is)| **is == wanted).map(move |(at, _)| (wanted, at));
        let all = own_in(Bucket::New).chain(own_in(Bucket::Common));
        let all = all.chain(remediated.iter().map(|at| (Bucket::Remediated, *at)));
        let all = all.chain(not_seen.iter().map(|at| (Bucket::NotSeen, *at)));
        let selected = all.filter(|(is, _)| bucket.is_none_or(|bucket| bucket == *is));
        let selected: Vec<(Bucket, u32)> = selected.collect();
        let from = wanted.from.unwrap_or(0);
        let page: Vec<(Bucket, u32)> = selected.iter().copied().skip(from).take(wanted.limit).collect();
        let next = from.saturating_add(page.len());
        let more = !page.is_empty() && next < selected.len();
        Ok(ScanComparison {
            same_tool: own_answer.scan.scanner == other_answer.scan.scanner,
            scan_complete: own_answer.report.complete,
            other_complete: other_answer.report.complete,
            scan: own_answer.scan,
            other: other_answer.scan,
            issues: issue_tally(&own, &buckets, remediated.len(), not_seen.len()),
            occurrences: occurrence_tally(kv, &own, &others, &unseen).await?,
            items: self.compared_items(&own, &others, &page).await?,
            next: more.then(|| encode("compared", &next)),
        })
    }

    /// The issues of a page, each from the scan that has it.
    async fn compared_items(
        &self,
        own: &ScanIssues,
        others: &ScanIssues,
        page: &[(Bucket, u32)],
    ) -> Result<Vec<ComparedItem>, Problem> {
        let (present, absent): (Vec<_>, Vec<_>) =
            page.iter().copied().partition(|(bucket, _)| matches!(bucket, Bucket::New | Bucket::Common));
        let mut items = Vec::new();
        for (issues, part) in [(own, present), (others, absent)] {
            let indices: Vec<u32> = part.iter().map(|(_, at)| *at).collect();
            let frozen = Frozen::get(self.kv, issues.id).await?;
            let issues = issues.items(self, &frozen, &indices).await?;
            items.extend(part.into_iter().zip(issues).map(|((bucket, _), issue)| ComparedItem { bucket, issue }));
        }
        Ok(items)
    }
}

/// The issues and occurrences that a scan did not see.
struct Unseen {
    issues: BTreeSet<IssueId>,
    occurrences: BTreeSet<OccurrenceId>,
}

impl Unseen {
    async fn read(kv: &impl Kv, issues: &ScanIssues) -> Result<Self, KvError> {
        let Some(id) = issues.compared.remainder_of(issues.id) else {
            return Ok(Self { issues: BTreeSet::new(), occurrences: BTreeSet::new() });
        };
        let compared = Compared::get(kv, id).await?;
        let issues: Vec<Identified<IssueId>> = compared.issues_as(kv, id).await?;
        let occurrences: Vec<Identified<OccurrenceId>> = compared.occurrences_as(kv, id).await?;
        Ok(Self {
            issues: issues.into_iter().map(|row| row.id).collect(),
            occurrences: occurrences.into_iter().map(|row| row.id).collect(),
        })
    }

    /// The indices of those issues of another scan that are among them, under any of their names.
    fn issues_of(&self, names: &IssueNames) -> BTreeSet<u32> {
        let named = names.ids.iter().filter(|(id, _)| self.issues.contains(id));
        named.filter_map(|(_, at)| u32::try_from(*at).ok()).collect()
    }
}

/// The memory that a comparison takes for a scan, in bytes.
fn memory(issues: &ScanIssues) -> usize {
    let size = |records: u32, each: usize| usize::try_from(records).unwrap_or(usize::MAX).saturating_mul(each);
    let occurrences = size(issues.grouped.occurrences.records, BYTES_PER_OCCURRENCE);
    size(issues.present(), BYTES_PER_ISSUE).saturating_add(occurrences)
}

/// All ids of a scan's issues.
async fn names(kv: &impl Kv, issues: &ScanIssues) -> Result<IssueNames, KvError> {
    let rows: Vec<Identified<_>> = issues.compared.issues_as(kv, issues.id).await?;
    let count = rows.len();
    let others = issues.judged.other_ids(kv, issues.id).await?;
    let others = others.into_iter().filter_map(|(id, at)| Some((id, usize::try_from(at).ok()?)));
    Ok(IssueNames { issues: count, ids: rows.into_iter().map(|row| row.id).zip(0..).chain(others).collect() })
}

/// For each issue that a scan has, true if it was exempted there as a whole.
fn exempted_whole(issues: &ScanIssues) -> impl Iterator<Item = bool> {
    let present = issues.indexed().take_while(|(at, _)| *at < issues.present());
    present.map(|(_, entry)| entry.exemption == Some(PackedExemption::Whole))
}

fn issue_tally(own: &ScanIssues, buckets: &[Bucket], remediated: usize, not_seen: usize) -> Tally {
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut tally = Tally { remediated: size(remediated), not_seen: size(not_seen), ..Tally::default() };
    for (bucket, exempted) in buckets.iter().zip(exempted_whole(own)) {
        count(&mut tally, *bucket == Bucket::Common, exempted);
    }
    tally
}

async fn occurrence_tally(
    kv: &impl Kv,
    own: &ScanIssues,
    others: &ScanIssues,
    unseen: &Unseen,
) -> Result<Tally, KvError> {
    let own_ids: Vec<Identified<OccurrenceId>> = own.compared.occurrences_as(kv, own.id).await?;
    let other_ids: Vec<Identified<OccurrenceId>> = others.compared.occurrences_as(kv, others.id).await?;
    let other_ids: BTreeSet<_> = other_ids.into_iter().map(|one| one.id).collect();
    let exempted: BTreeSet<_> = own.judged.exempted(kv, own.id).await?.into_iter().map(|one| one.occurrence).collect();
    // For each occurrence, true if its issue was exempted as a whole.
    let divisions = own.compared.issues(kv, own.id).await?.into_iter().map(|row| row.division);
    let whole = divisions.zip(exempted_whole(own)).flat_map(|(division, whole)| {
        let count = usize::try_from(division.new + division.common).unwrap_or(usize::MAX);
        std::iter::repeat_n(whole, count)
    });
    let mut tally = Tally::default();
    let mut shared = 0_usize;
    for (one, whole) in own_ids.into_iter().zip(whole) {
        let common = other_ids.contains(&one.id);
        shared += usize::from(common);
        count(&mut tally, common, whole || exempted.contains(&one.id));
    }
    let not_seen = other_ids.intersection(&unseen.occurrences).count();
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    tally.not_seen = size(not_seen);
    tally.remediated = size(other_ids.len().saturating_sub(shared).saturating_sub(not_seen));
    Ok(tally)
}

/// Adds an issue or occurrence to the tally.
fn count(tally: &mut Tally, common: bool, exempted: bool) {
    match (exempted, common) {
        (true, _) => tally.exempted += 1,
        (false, true) => tally.common += 1,
        (false, false) => tally.new += 1,
    }
}
