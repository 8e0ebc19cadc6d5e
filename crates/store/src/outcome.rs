//! A finished scan's result as rows that are light enough to hold two results beside one another.

use crate::keys;
use crate::kv::{Kv, KvError};
use crate::scans::{Compared, Grouped, issues_list, list_of, remediated_list};
use crate::segments::{Manifest, Reader};
use domain::comparison::{Bucket, ComparedIssue, Identified, TrackedOccurrence};
use domain::ids::{IssueId, ScanId};
use domain::replay::{IssueRow, OccurrenceRow};
use finding::Scored;
use finding::severity::Severity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The part of an issue that rows are made of.
#[derive(Deserialize)]
struct Part {
    id: IssueId,
    #[serde(default)]
    score: Option<Scored>,
    occurrences: u32,
}

/// The part of an occurrence that says which result it is.
#[derive(Deserialize)]
struct Numbered {
    result: u32,
}

/// The part of an issue that people know it by.
#[derive(Deserialize)]
struct Titled {
    id: IssueId,
    title: String,
}

impl Part {
    fn row(&self, bucket: Bucket) -> IssueRow {
        IssueRow { id: self.id, bucket, severity: Severity::of(self.score.map(|scored| scored.score)) }
    }
}

/// How many rows a scan has: of issues, and of occurrences.
///
/// # Errors
/// The store failed, or a stage is not done.
pub async fn sizes(kv: &impl Kv, scan: ScanId) -> Result<(usize, usize), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let size = |manifest: &Manifest| usize::try_from(manifest.records).unwrap_or(usize::MAX);
    Ok((size(&grouped.issues).saturating_add(size(&compared.remediated)), size(&grouped.occurrences)))
}

/// The rows of a scan whose stages are done: its issues, then those that are gone; and its occurrences.
///
/// # Errors
/// The store failed, or a stage is not done.
pub async fn rows(kv: &impl Kv, scan: ScanId) -> Result<(Vec<IssueRow>, Vec<OccurrenceRow>), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let (issue_rows, occurrence_rows) = sizes(kv, scan).await?;
    let (mut issues, mut occurrences) = (Vec::with_capacity(issue_rows), Vec::with_capacity(occurrence_rows));

    let lists = [
        issues_list(scan),
        list_of(&keys::compared(scan), "issues"),
        list_of(&keys::grouped(scan), "occurrences"),
        list_of(&keys::compared(scan), "occurrences"),
        remediated_list(scan),
    ];
    let [parts, buckets, places, identities, gone] = &lists;
    let mut parts = Reader::open(kv, parts, &grouped.issues, 0).await?;
    let mut buckets = Reader::open(kv, buckets, &compared.issues, 0).await?;
    let mut places = Reader::open(kv, places, &grouped.occurrences, 0).await?;
    let mut identities = Reader::open(kv, identities, &compared.occurrences, 0).await?;
    while let (Some(part), Some(compared)) = (parts.next::<Part>().await?, buckets.next::<ComparedIssue>().await?) {
        let issue = u32::try_from(issues.len()).unwrap_or(u32::MAX);
        issues.push(IssueRow { id: compared.id, ..part.row(compared.bucket) });
        for _ in 0..part.occurrences {
            let (Some(place), Some(tracked)) =
                (places.next::<Numbered>().await?, identities.next::<TrackedOccurrence>().await?)
            else {
                break;
            };
            let bucket = if tracked.found.is_some() { Bucket::Common } else { Bucket::New };
            occurrences.push(OccurrenceRow { result: place.result, issue, id: tracked.id, bucket });
        }
    }
    let mut gone = Reader::open(kv, gone, &compared.remediated, 0).await?;
    while let Some(part) = gone.next::<Part>().await? {
        issues.push(part.row(Bucket::Remediated));
    }
    Ok((issues, occurrences))
}

/// Fills in the titles of these issues, of those that the scan has and that have none yet.
///
/// # Errors
/// The store failed, or a stage is not done.
pub async fn fill_titles(
    kv: &impl Kv,
    scan: ScanId,
    titles: &mut BTreeMap<IssueId, Option<String>>,
) -> Result<(), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let mut missing = titles.values().filter(|title| title.is_none()).count();
    let mut fill = |id: IssueId, title: String| {
        if let Some(slot) = titles.get_mut(&id).filter(|slot| slot.is_none()) {
            *slot = Some(title);
            missing -= 1;
        }
        0 < missing
    };
    let ids = compared.issues_as::<Identified<IssueId>>(kv, scan).await?;
    let list = issues_list(scan);
    let mut here = Reader::open(kv, &list, &grouped.issues, 0).await?;
    for Identified { id, .. } in ids {
        let Some(Titled { title, .. }) = here.next().await? else { break };
        if !fill(id, title) {
            return Ok(());
        }
    }
    let list = remediated_list(scan);
    let mut gone = Reader::open(kv, &list, &compared.remediated, 0).await?;
    while let Some(Titled { id, title }) = gone.next().await? {
        if !fill(id, title) {
            return Ok(());
        }
    }
    Ok(())
}
