//! The result of a scan as small rows, so that a replay and its original fit into memory together.

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
use std::collections::{BTreeMap, BTreeSet};

/// The fields of an issue that its row needs.
#[derive(Deserialize)]
struct IssueFields {
    id: IssueId,
    #[serde(default)]
    score: Option<Scored>,
    occurrences: u32,
}

/// The field of an occurrence that its row needs.
#[derive(Deserialize)]
struct OccurrenceFields {
    result: u32,
}

/// An issue's id and title.
#[derive(Deserialize)]
struct IssueTitle {
    id: IssueId,
    title: String,
}

impl IssueFields {
    fn row(&self, bucket: Bucket) -> IssueRow {
        IssueRow { id: self.id, bucket, severity: Severity::of(self.score.map(|scored| scored.score)) }
    }
}

/// The numbers of a scan's rows: of issues, with remediated ones, and of occurrences.
///
/// # Errors
/// The store failed, or a stage is not finished.
pub async fn row_counts(kv: &impl Kv, scan: ScanId) -> Result<(usize, usize), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let size = |manifest: &Manifest| usize::try_from(manifest.records).unwrap_or(usize::MAX);
    let unseen = usize::try_from(compared.remainder).unwrap_or(usize::MAX);
    let issues = size(&grouped.issues).saturating_add(size(&compared.remediated)).saturating_add(unseen);
    Ok((issues, size(&grouped.occurrences)))
}

/// Reads the rows of a scan whose stages are finished: its issues, then the remediated ones, then those that were not
/// seen; and its occurrences.
///
/// # Errors
/// The store failed, or a stage is not finished.
pub async fn read_rows(kv: &impl Kv, scan: ScanId) -> Result<(Vec<IssueRow>, Vec<OccurrenceRow>), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let (issue_rows, occurrence_rows) = row_counts(kv, scan).await?;
    let (mut issues, mut occurrences) = (Vec::with_capacity(issue_rows), Vec::with_capacity(occurrence_rows));

    let lists = [
        issues_list(scan),
        list_of(&keys::compared(scan), "issues"),
        list_of(&keys::grouped(scan), "occurrences"),
        list_of(&keys::compared(scan), "occurrences"),
        remediated_list(scan),
    ];
    let [issue_list, bucket_list, occurrence_list, identity_list, remediated] = &lists;
    let mut issue_fields = Reader::open(kv, issue_list, &grouped.issues, 0).await?;
    let mut buckets = Reader::open(kv, bucket_list, &compared.issues, 0).await?;
    let mut results = Reader::open(kv, occurrence_list, &grouped.occurrences, 0).await?;
    let mut identities = Reader::open(kv, identity_list, &compared.occurrences, 0).await?;
    while let (Some(fields), Some(compared)) =
        (issue_fields.next::<IssueFields>().await?, buckets.next::<ComparedIssue>().await?)
    {
        let issue = u32::try_from(issues.len()).unwrap_or(u32::MAX);
        issues.push(IssueRow { id: compared.id, ..fields.row(compared.bucket) });
        for _ in 0..fields.occurrences {
            let (Some(occurrence), Some(tracked)) =
                (results.next::<OccurrenceFields>().await?, identities.next::<TrackedOccurrence>().await?)
            else {
                break;
            };
            let bucket = if tracked.found.is_some() { Bucket::Common } else { Bucket::New };
            occurrences.push(OccurrenceRow { result: occurrence.result, issue, id: tracked.id, bucket });
        }
    }
    let mut remediated = Reader::open(kv, remediated, &compared.remediated, 0).await?;
    while let Some(fields) = remediated.next::<IssueFields>().await? {
        issues.push(fields.row(Bucket::Remediated));
    }
    if let Some((remainder, grouped, compared)) = compared.read_remainder(kv, scan).await? {
        let present: BTreeSet<IssueId> = issues.iter().map(|row| row.id).collect();
        let ids = compared.issues_as::<Identified<IssueId>>(kv, remainder).await?;
        let list = issues_list(remainder);
        let mut fields = Reader::open(kv, &list, &grouped.issues, 0).await?;
        for Identified { id, .. } in ids {
            let Some(fields) = fields.next::<IssueFields>().await? else { break };
            if !present.contains(&id) {
                issues.push(IssueRow { id, ..fields.row(Bucket::NotSeen) });
            }
        }
    }
    Ok((issues, occurrences))
}

/// Fills in the missing titles of these issues, as far as the scan or its remainder has the issues.
///
/// # Errors
/// The store failed, or a stage is not finished.
pub async fn fill_titles(
    kv: &impl Kv,
    scan: ScanId,
    titles: &mut BTreeMap<IssueId, Option<String>>,
) -> Result<(), KvError> {
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let mut missing = titles.values().filter(|title| title.is_none()).count();
    // Returns true while titles are missing.
    let mut fill = |id: IssueId, title: String| {
        if let Some(slot) = titles.get_mut(&id).filter(|slot| slot.is_none()) {
            *slot = Some(title);
            missing -= 1;
        }
        0 < missing
    };
    let mut parts = vec![(scan, grouped, compared.issues_as::<Identified<IssueId>>(kv, scan).await?)];
    if let Some((id, grouped, compared)) = compared.read_remainder(kv, scan).await? {
        parts.push((id, grouped, compared.issues_as(kv, id).await?));
    }
    for (scan, grouped, ids) in parts {
        let list = issues_list(scan);
        let mut issues = Reader::open(kv, &list, &grouped.issues, 0).await?;
        for Identified { id, .. } in ids {
            let Some(IssueTitle { title, .. }) = issues.next().await? else { break };
            if !fill(id, title) {
                return Ok(());
            }
        }
    }
    let list = remediated_list(scan);
    let mut remediated = Reader::open(kv, &list, &compared.remediated, 0).await?;
    while let Some(IssueTitle { id, title }) = remediated.next().await? {
        if !fill(id, title) {
            return Ok(());
        }
    }
    Ok(())
}
