//! Compares a scan with the one that was chosen when it began.

use api::Problem;
use api::internal::Hold;
use domain::comparison::{Side, compare};
use domain::grouping::{Issue, Span};
use domain::ids::{IssueId, ScanId};
use std::collections::BTreeSet;
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, Grouped, issues_list, list_writer, write_list};
use store::segments::{Manifest, Reader};

/// What comparing holds for each occurrence of either scan, in bytes.
const BYTES_PER_OCCURRENCE: usize = 200;

/// Runs the stage: a pure function of two scans' stored results, so running it again writes the same. `hold` waits for
/// a share of memory of so many bytes.
///
/// # Errors
/// The store failed, or a scan's earlier stage is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, hold: Hold) -> Result<(), Problem> {
    if Compared::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let current = Grouped::get(kv, scan).await?;
    let reference_stage = match frozen.record.reference.scan() {
        None => None,
        Some(scan) => Some((scan, Grouped::get(kv, scan).await?)),
    };
    let occurrences = |grouped: &Grouped| usize::try_from(grouped.occurrences.records).unwrap_or(usize::MAX);
    let both = occurrences(&current) + reference_stage.as_ref().map_or(0, |(_, grouped)| occurrences(grouped));
    let _held = hold(both.saturating_mul(BYTES_PER_OCCURRENCE)).await;

    let current = side(kv, scan, &current).await?;
    let reference = match &reference_stage {
        None => None,
        Some((scan, grouped)) => {
            Some((side(kv, *scan, grouped).await?, Compared::get(kv, *scan).await?.occurrences(kv, *scan).await?))
        }
    };
    let reference = reference.as_ref().map(|(side, identities)| (side, identities.as_slice()));
    let comparison = compare(&current, frozen.record.is_complete(&frozen.report.summary), reference);
    let document = keys::compared(scan);
    let issues = write_list(kv, &document, "issues", comparison.issues).await?;
    let occurrences = write_list(kv, &document, "occurrences", comparison.occurrences).await?;
    let remediated = match (&reference_stage, comparison.remediated.is_empty()) {
        (Some((scan, grouped)), false) => remediated(kv, &document, *scan, grouped, &comparison.remediated).await?,
        (Some(_) | None, _) => write_list(kv, &document, "remediated", [(); 0]).await?,
    };
    Compared { v: 1, issues, occurrences, remediated }.put(kv, scan).await?;
    Ok(())
}

/// Copies the issues that are gone from the scan compared with, which may be removed before this one is.
async fn remediated(
    kv: &impl Kv,
    document: &str,
    scan: ScanId,
    grouped: &Grouped,
    gone: &[Span],
) -> Result<Manifest, KvError> {
    let gone: BTreeSet<IssueId> = gone.iter().map(|issue| issue.id).collect();
    let list = issues_list(scan);
    let mut reader = Reader::open(kv, &list, &grouped.issues, 0).await?;
    let mut writer = list_writer(kv, document, "remediated");
    while let Some(issue) = reader.next::<Issue>().await? {
        if gone.contains(&issue.id) {
            writer.push(&issue).await?;
        }
    }
    writer.finish().await
}

async fn side(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<Side, KvError> {
    let issues = grouped.parts::<Span>(kv, scan).await?;
    Ok(Side { scan, issues, occurrences: grouped.occurrences(kv, scan).await? })
}
