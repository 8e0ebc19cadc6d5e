//! How two scans of a target differ.

use crate::job::{Context, scan};
use crate::listed::Listed;
use api::Problem;
use api::page::{Wanted, encode};
use api::v1::{ComparedItem, ScanComparison, Tally};
use domain::comparison::{Bucket, Identified};
use domain::families::{IssueNames, in_both_scans};
use domain::ids::{OccurrenceId, ScanId};
use domain::listing::PackedExemption;
use std::collections::BTreeSet;
use store::kv::{Kv, KvError};
use store::scans::Frozen;

/// What comparing holds for each issue of either scan, in bytes: its names, and where it stands.
const BYTES_PER_ISSUE: usize = 200;
/// The same for each occurrence.
const BYTES_PER_OCCURRENCE: usize = 80;

/// Compares a finished scan with another of its target, whatever either was compared with when it was uploaded.
///
/// # Errors
/// One of the scans is not there, they are of different targets, or the store failed.
pub async fn compare(
    context: &Context<'_, impl Kv>,
    id: ScanId,
    other: ScanId,
    bucket: Option<Bucket>,
    wanted: Wanted<usize>,
) -> Result<ScanComparison, Problem> {
    let (here, there) = (scan(context, id).await?, scan(context, other).await?);
    let (scan_complete, other_complete) = (here.report.complete, there.report.complete);
    let (here, there) = (here.scan, there.scan);
    let [target, another] = [&here, &there].map(|scan| &scan.target.name);
    if target != another {
        let what = format_args!("scan {id} is of target `{target}` and scan {other} of target `{another}`").to_string();
        return Err(Problem::parameter("other", what));
    }
    let kv = context.kv;
    let (own, theirs) = (Listed::of(kv, id).await?, Listed::of(kv, other).await?);
    let _held = (context.hold)(bytes(&own).saturating_add(bytes(&theirs))).await;
    let (familiar, known) = in_both_scans(names(kv, &own).await?, names(kv, &theirs).await?);
    let is = |has: bool, bucket| if has { Bucket::Common } else { bucket };
    let buckets: Vec<Bucket> = familiar.into_iter().map(|has| is(has, Bucket::New)).collect();
    let gone: Vec<u32> = (0..).zip(known).filter(|(_, has)| !has).map(|(at, _)| at).collect();

    let of = |wanted| (0..).zip(&buckets).filter(move |(_, is)| **is == wanted).map(move |(at, _)| (wanted, at));
    let all = of(Bucket::New).chain(of(Bucket::Common)).chain(gone.iter().map(|at| (Bucket::Remediated, *at)));
    let chosen: Vec<(Bucket, u32)> = all.filter(|(is, _)| bucket.is_none_or(|bucket| bucket == *is)).collect();
    let from = wanted.from.unwrap_or(0);
    let page: Vec<(Bucket, u32)> = chosen.iter().copied().skip(from).take(wanted.limit).collect();
    let next = from.saturating_add(page.len());
    let more = !page.is_empty() && next < chosen.len();
    let issues = issues(&own, &buckets, gone.len());
    let occurrences = occurrences(kv, &own, &theirs).await?;
    Ok(ScanComparison {
        same_tool: here.scanner == there.scanner,
        scan: here,
        other: there,
        scan_complete,
        other_complete,
        issues,
        occurrences,
        items: items(context, &own, &theirs, &page).await?,
        next: more.then(|| encode("compared", &next)),
    })
}

fn bytes(listed: &Listed) -> usize {
    let size = |records: u32, each: usize| usize::try_from(records).unwrap_or(usize::MAX).saturating_mul(each);
    let occurrences = size(listed.grouped.occurrences.records, BYTES_PER_OCCURRENCE);
    size(listed.own(), BYTES_PER_ISSUE).saturating_add(occurrences)
}

/// Every id of a scan's issues.
async fn names(kv: &impl Kv, listed: &Listed) -> Result<IssueNames, KvError> {
    let go_by: Vec<Identified<_>> = listed.compared.issues_as(kv, listed.id).await?;
    let others = listed.judged.other_ids(kv, listed.id).await?;
    let issues = go_by.len();
    let others = others.into_iter().filter_map(|(id, at)| Some((id, usize::try_from(at).ok()?)));
    Ok(IssueNames { issues, ids: go_by.into_iter().map(|row| row.id).zip(0..).chain(others).collect() })
}

/// Whether each of the issues that a scan has was exempted there as a whole.
fn whole(listed: &Listed) -> impl Iterator<Item = bool> {
    let own = listed.places().take_while(|(at, _)| *at < listed.own());
    own.map(|(_, entry)| entry.exemption == Some(PackedExemption::Whole))
}

fn issues(own: &Listed, buckets: &[Bucket], gone: usize) -> Tally {
    let mut tally = Tally { remediated: u64::try_from(gone).unwrap_or(u64::MAX), ..Tally::default() };
    for (bucket, exempted) in buckets.iter().zip(whole(own)) {
        count(&mut tally, *bucket == Bucket::Common, exempted);
    }
    tally
}

async fn occurrences(kv: &impl Kv, own: &Listed, theirs: &Listed) -> Result<Tally, KvError> {
    let here: Vec<Identified<OccurrenceId>> = own.compared.occurrences_as(kv, own.id).await?;
    let there: Vec<Identified<OccurrenceId>> = theirs.compared.occurrences_as(kv, theirs.id).await?;
    let there: BTreeSet<_> = there.into_iter().map(|one| one.id).collect();
    let exempted: BTreeSet<_> = own.judged.exempted(kv, own.id).await?.into_iter().map(|one| one.occurrence).collect();
    let divisions = own.compared.issues(kv, own.id).await?.into_iter().map(|row| row.division);
    let owners = divisions.zip(whole(own)).flat_map(|(division, whole)| {
        let count = usize::try_from(division.new + division.common).unwrap_or(usize::MAX);
        std::iter::repeat_n(whole, count)
    });
    let mut tally = Tally::default();
    let mut both = 0_usize;
    for (one, whole) in here.into_iter().zip(owners) {
        let common = there.contains(&one.id);
        both += usize::from(common);
        count(&mut tally, common, whole || exempted.contains(&one.id));
    }
    tally.remediated = u64::try_from(there.len().saturating_sub(both)).unwrap_or(u64::MAX);
    Ok(tally)
}

fn count(tally: &mut Tally, common: bool, exempted: bool) {
    match (exempted, common) {
        (true, _) => tally.exempted += 1,
        (false, true) => tally.common += 1,
        (false, false) => tally.new += 1,
    }
}

/// The issues of a page, each from the scan that has it.
async fn items(
    context: &Context<'_, impl Kv>,
    own: &Listed,
    theirs: &Listed,
    page: &[(Bucket, u32)],
) -> Result<Vec<ComparedItem>, Problem> {
    let (gone, here): (Vec<_>, Vec<_>) = page.iter().copied().partition(|(bucket, _)| *bucket == Bucket::Remediated);
    let mut items = Vec::new();
    for (listed, part) in [(own, here), (theirs, gone)] {
        let places: Vec<u32> = part.iter().map(|(_, at)| *at).collect();
        let frozen = Frozen::get(context.kv, listed.id).await?;
        let issues = listed.items(context, &frozen, &places).await?;
        items.extend(part.into_iter().zip(issues).map(|((bucket, _), issue)| ComparedItem { bucket, issue }));
    }
    Ok(items)
}
