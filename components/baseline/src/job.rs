//! Compares a scan with the one that was chosen when it began.

use api::Problem;
use api::internal::Hold;
use domain::comparison::{Side, compare};
use domain::ids::ScanId;
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, Grouped, write_list};

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
    let reference = match frozen.record.reference.scan() {
        None => None,
        Some(scan) => Some((scan, Grouped::get(kv, scan).await?)),
    };
    let occurrences = |grouped: &Grouped| usize::try_from(grouped.occurrences.records).unwrap_or(usize::MAX);
    let both = occurrences(&current) + reference.as_ref().map_or(0, |(_, grouped)| occurrences(grouped));
    let _held = hold(both.saturating_mul(BYTES_PER_OCCURRENCE)).await;

    let current = side(kv, scan, &current).await?;
    let reference = match reference {
        None => None,
        Some((scan, grouped)) => {
            Some((side(kv, scan, &grouped).await?, Compared::get(kv, scan).await?.occurrences(kv, scan).await?))
        }
    };
    let reference = reference.as_ref().map(|(side, identities)| (side, identities.as_slice()));
    let comparison = compare(&current, frozen.report.summary.is_complete(), reference);
    let document = keys::compared(scan);
    let issues = write_list(kv, &document, "issues", comparison.issues).await?;
    let occurrences = write_list(kv, &document, "occurrences", comparison.occurrences).await?;
    let remediated = write_list(kv, &document, "remediated", comparison.remediated).await?;
    Compared { v: 1, issues, occurrences, remediated }.put(kv, scan).await?;
    Ok(())
}

async fn side(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<Side, KvError> {
    let issues = grouped.issues(kv, scan).await?;
    Ok(Side { scan, issues, occurrences: grouped.occurrences(kv, scan).await? })
}
