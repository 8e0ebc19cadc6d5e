//! The occurrences of a scan, and those that are gone in it.

use crate::job::{self, Context, Seen, issue_at, scan, spans};
use crate::listed::Listed;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::v1::OccurrenceItem;
use domain::comparison::{Bucket, Tracked};
use domain::exemption::{Candidate, InForce};
use domain::grouping::{Name, Span};
use domain::ids::{IssueId, ScanId};
use domain::tracking::Place;
use std::collections::{BTreeMap, BTreeSet};
use store::judging;
use store::keys;
use store::kv::Kv;
use store::scans::{Compared, Frozen, Grouped, names_list, read_list};
use store::segments::read_at;
use store::stored_scan::StoredScan;

/// What filtering holds for each occurrence, in bytes.
const BYTES_PER_OCCURRENCE: usize = 120;

/// The occurrences of one issue of a scan, or of all, by issue, path and line. In the bucket `remediated` are those of the
/// scan compared with that are gone; they are asked for on their own.
///
/// # Errors
/// There is no such scan or issue, or the store failed.
pub async fn occurrences(
    context: &Context<'_, impl Kv>,
    id: ScanId,
    only: Option<IssueId>,
    bucket: Option<Bucket>,
    wanted: Wanted<u32>,
) -> Result<Page<OccurrenceItem>, Problem> {
    scan(context, id).await?;
    let kv = context.kv;
    let stored = StoredScan::read(kv, id).await?;
    let _held = context.hold_issues(&stored.grouped).await;
    let own = List::of(context, stored, only).await?;
    match bucket {
        None => own.page(kv, own.span(only)?, wanted, None).await,
        Some(Bucket::Remediated) => gone(context, &own, only, wanted).await,
        Some(bucket @ (Bucket::New | Bucket::Common)) => {
            let (first, count) = own.span(only)?;
            let size = usize::try_from(count).unwrap_or(usize::MAX);
            let _held = (context.hold)(size.saturating_mul(BYTES_PER_OCCURRENCE)).await;
            let tracked: Vec<Tracked> = own.tracked(kv, first, count).await?;
            let of = |tracked: &Tracked| if tracked.found.is_some() { Bucket::Common } else { Bucket::New };
            let chosen = (first..).zip(&tracked).filter(|(_, tracked)| of(tracked) == bucket).map(|(at, _)| at);
            own.chosen(kv, chosen.collect(), wanted, None).await
        }
    }
}

/// What the scan compared with had and this one has no more. An incomplete scan shows nothing to be gone.
async fn gone(
    context: &Context<'_, impl Kv>,
    own: &List,
    only: Option<IssueId>,
    wanted: Wanted<u32>,
) -> Result<Page<OccurrenceItem>, Problem> {
    let kv = context.kv;
    let record = &own.frozen.record;
    let complete = record.is_complete(&own.frozen.report.summary);
    let Some(reference) = record.reference.scan().filter(|_| complete) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let stored = StoredScan::read(kv, reference).await?;
    let _issues = context.hold_issues(&stored.grouped).await;
    let occurrences = own.grouped.occurrences.records.saturating_add(stored.grouped.occurrences.records);
    let size = usize::try_from(occurrences).unwrap_or(usize::MAX);
    let _held = (context.hold)(size.saturating_mul(BYTES_PER_OCCURRENCE)).await;
    let tracked = own.tracked(kv, 0, own.grouped.occurrences.records).await?;
    let recognised: BTreeSet<u32> =
        tracked.into_iter().filter_map(|tracked| tracked.found.map(|found| found.result)).collect();
    let theirs = List::of(context, stored, only).await?;
    // An issue that one of the scans does not have has no occurrence to show there.
    let (first, count) = match (theirs.span(only), own.span(only)) {
        (Ok(span), _) => span,
        (Err(_), Ok(_)) => (0, 0),
        (Err(problem), Err(_)) => return Err(problem),
    };
    let places: Vec<Place> = theirs.places(kv, first, count).await?;
    let chosen = (first..).zip(&places).filter(|(_, place)| !recognised.contains(&place.result)).map(|(at, _)| at);
    theirs.chosen(kv, chosen.collect(), wanted, Some(Bucket::Remediated)).await
}

/// All ids of an issue.
fn ids(issue: &Span) -> impl Iterator<Item = IssueId> {
    [issue.id].into_iter().chain(issue.aliases.iter().copied())
}

/// A scan's occurrences in their order.
struct List {
    frozen: Frozen,
    grouped: Grouped,
    compared: Compared,
    /// The issues whose occurrences are asked for.
    issues: Vec<Span>,
    seen: Seen,
    /// What was in force when the scan was judged, and what is now.
    in_force: [InForce; 2],
}

impl List {
    /// Those of one issue, or of all.
    async fn of(context: &Context<'_, impl Kv>, stored: StoredScan, only: Option<IssueId>) -> Result<Self, Problem> {
        let kv = context.kv;
        let StoredScan { frozen, grouped, compared } = stored;
        let id = frozen.record.id;
        let listed = Listed::with(kv, id, grouped, compared).await?;
        let issues = match only {
            Some(issue) => listed.span(kv, issue).await?.into_iter().collect(),
            None => spans(kv, id, &listed.grouped, &listed.compared).await?,
        };
        let Listed { grouped, compared, .. } = listed;
        let seen = Seen::of(kv, &frozen, &compared).await?;
        let names = async || Ok(issues.iter().flat_map(ids).collect());
        let now = job::in_force(context, &frozen, names).await?;
        let in_force = [judging::exemptions_at_judgement(kv, id).await?.1, now];
        Ok(Self { frozen, grouped, compared, issues, seen, in_force })
    }

    /// The first occurrence of an issue and how many there are; of all issues if none is named.
    fn span(&self, only: Option<IssueId>) -> Result<(u32, u32), Problem> {
        let Some(only) = only else { return Ok((0, self.grouped.occurrences.records)) };
        let issue = self
            .issues
            .iter()
            .find(|issue| issue.id == only)
            .ok_or_else(|| Problem::not_found(format!("scan {} has no issue {only}", self.frozen.record.id)))?;
        Ok((issue.first, issue.occurrences))
    }

    async fn places(&self, kv: &impl Kv, from: u32, count: u32) -> Result<Vec<Place>, Problem> {
        let key = keys::grouped(self.frozen.record.id);
        Ok(read_list(kv, &key, "occurrences", &self.grouped.occurrences, from, count).await?)
    }

    async fn tracked(&self, kv: &impl Kv, from: u32, count: u32) -> Result<Vec<Tracked>, Problem> {
        let key = keys::compared(self.frozen.record.id);
        Ok(read_list(kv, &key, "occurrences", &self.compared.occurrences, from, count).await?)
    }

    /// The paths of these places.
    async fn names(&self, kv: &impl Kv, places: &[Place]) -> Result<BTreeMap<u32, Name>, Problem> {
        let at: BTreeSet<u32> = places.iter().map(|place| place.path).collect();
        let list = names_list(self.frozen.record.id);
        let names: Vec<Name> = read_at(kv, &list, &self.grouped.names, at.iter().copied()).await?;
        Ok(at.into_iter().zip(names).collect())
    }

    /// A page of those that stand together.
    async fn page(
        &self,
        kv: &impl Kv,
        (first, count): (u32, u32),
        wanted: Wanted<u32>,
        bucket: Option<Bucket>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        let from = wanted.from.unwrap_or(0).min(count);
        let take = u32::try_from(wanted.limit).unwrap_or(u32::MAX).min(count - from);
        let items = self.items(kv, first + from, take, bucket).await?;
        let next = (from + take < count).then(|| encode("occurrences", &(from + take)));
        Ok(Page { items, next })
    }

    /// A page of chosen ones.
    async fn chosen(
        &self,
        kv: &impl Kv,
        chosen: Vec<u32>,
        wanted: Wanted<u32>,
        bucket: Option<Bucket>,
    ) -> Result<Page<OccurrenceItem>, Problem> {
        let from = usize::try_from(wanted.from.unwrap_or(0)).unwrap_or(usize::MAX);
        let mut rest = chosen.into_iter().skip(from);
        let mut items = Vec::new();
        // Those that stand together are read together.
        let mut run: Option<(u32, u32)> = None;
        for at in rest.by_ref().take(wanted.limit) {
            run = match run {
                Some((first, count)) if first + count == at => Some((first, count + 1)),
                Some((first, count)) => {
                    items.extend(self.items(kv, first, count, bucket).await?);
                    Some((at, 1))
                }
                None => Some((at, 1)),
            };
        }
        if let Some((first, count)) = run {
            items.extend(self.items(kv, first, count, bucket).await?);
        }
        let more = u32::try_from(from.saturating_add(items.len())).unwrap_or(u32::MAX);
        let next = rest.next().map(|_| encode("occurrences", &more));
        Ok(Page { items, next })
    }

    /// The occurrences from this place on, with their findings.
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
        let names = self.names(kv, &places).await?;
        let mut items = Vec::new();
        for (at, (place, tracked)) in (from..).zip(places.iter().zip(&tracked)) {
            let lost = |what| Problem::internal(format!("occurrence {at} has no {what}"));
            let issue = issue_at(&self.issues, at).ok_or_else(|| lost("issue"))?;
            let finding = findings.remove(&place.result).ok_or_else(|| lost("finding"))?;
            let path = names.get(&place.path).map(|name| name.text.as_str()).filter(|path| !path.is_empty());
            let mut item = OccurrenceItem::new(issue.id, tracked, self.seen.first(tracked.seen)?, path, finding);
            let candidate = Candidate::of(place, tracked, path);
            let ids: Vec<IssueId> = ids(issue).collect();
            [item.exemption, item.exemption_now] =
                self.in_force.each_ref().map(|force| force.of_occurrence(&ids, &candidate));
            if let Some(bucket) = bucket {
                // How it was recognised in the scan that had it, or exempted there, says nothing of this one.
                let (exemption, exemption_now) = (None, None);
                let (matched, updated, carried) = (None, false, None);
                item = OccurrenceItem { bucket, matched, updated, carried, exemption, exemption_now, ..item };
            }
            items.push(item);
        }
        Ok(items)
    }
}
