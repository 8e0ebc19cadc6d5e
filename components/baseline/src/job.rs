//! Compares a scan with its reference scan and with its variant's own previous scan.

use api::Problem;
use api::internal::Hold;
use domain::comparison::{
    ComparedScan, Comparison, CurrentScan, Matches, Origin, PerScan, RemediatedIssue, ScanPair, compare,
};
use domain::grouping::Issue;
use domain::ids::ScanId;
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, Grouped, Remediated, issues_list, list_writer, write_list};
use store::segments::{Manifest, Reader};
use store::stored_scan::{StoredScan, code_by_result, read_contents};

/// The memory that comparing needs for each occurrence of each scan, in bytes.
const BYTES_PER_OCCURRENCE: usize = 300;
/// The same for each issue, with its other names.
const BYTES_PER_ISSUE: usize = 200;

/// Runs the stage, unless its result is stored. The result depends on the scans' stored results only, so a repeated run
/// writes the same. `hold` waits for a share of memory.
///
/// # Errors
/// The store failed, or an earlier stage of a scan is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, hold: Hold) -> Result<(), Problem> {
    if Compared::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let record = &frozen.record;
    let grouped = Grouped::get(kv, scan).await?;
    let reference = stored(kv, record.reference.scan()).await?;
    let lineage = stored(kv, record.lineage).await?;
    let others = [&reference, &lineage].into_iter().flatten().map(|stored| &stored.grouped);
    let bytes = |grouped: &Grouped| {
        let size = |manifest: &Manifest| usize::try_from(manifest.records).unwrap_or(usize::MAX);
        let occurrences = size(&grouped.occurrences).saturating_mul(BYTES_PER_OCCURRENCE);
        occurrences.saturating_add(size(&grouped.issues).saturating_mul(BYTES_PER_ISSUE))
    };
    let _share = hold(others.map(bytes).fold(bytes(&grouped), usize::saturating_add)).await;

    let side = read_contents(kv, scan, &grouped).await?;
    let reference_known = known(kv, &reference).await?;
    let reference_match = match (&reference, &reference_known) {
        (Some(stored), Some(known)) => Some(finish(kv, &frozen, stored, ScanPair::new(&side, known)).await?),
        (_, _) => None,
    };
    let lineage_known = known(kv, &lineage).await?;
    let lineage_match = match (&lineage, &lineage_known) {
        (Some(stored), Some(known)) => {
            let meeting = match (&reference_known, &reference_match) {
                (Some(reference), Some(done)) => ScanPair::of_unmatched(&side, known, reference, done),
                (_, _) => ScanPair::new(&side, known),
            };
            Some(finish(kv, &frozen, stored, meeting).await?)
        }
        (_, _) => None,
    };
    let subject = CurrentScan {
        contents: &side,
        target: record.request.target_id(),
        origin: Origin { scan: record.identity_scan(), at: record.received, variant: record.request.variant.clone() },
        complete: record.is_complete(&frozen.report.summary),
    };
    let with_reference = reference_known.as_ref().zip(reference_match.as_ref());
    let with_lineage = lineage_known.as_ref().zip(lineage_match.as_ref());
    let comparison = compare(&subject, with_reference, with_lineage);
    write(kv, scan, comparison, reference.as_ref()).await
}

async fn stored(kv: &impl Kv, scan: Option<ScanId>) -> Result<Option<StoredScan>, KvError> {
    match scan {
        Some(scan) => Ok(Some(StoredScan::read(kv, scan).await?)),
        None => Ok(None),
    }
}

async fn known(kv: &impl Kv, stored: &Option<StoredScan>) -> Result<Option<ComparedScan>, KvError> {
    match stored {
        Some(stored) => Ok(Some(stored.as_reference(kv).await?)),
        None => Ok(None),
    }
}

/// Finishes the matching: reads the code of the occurrences that are left and matches them by it.
async fn finish(kv: &impl Kv, current: &Frozen, other: &StoredScan, meeting: ScanPair<'_>) -> Result<Matches, KvError> {
    let wanted = meeting.codes_needed();
    let current = code_by_result(kv, current, &wanted.current).await?;
    let reference = code_by_result(kv, &other.frozen, &wanted.reference).await?;
    Ok(meeting.finish(PerScan { current, reference }))
}

async fn write(
    kv: &impl Kv,
    scan: ScanId,
    comparison: Comparison,
    reference: Option<&StoredScan>,
) -> Result<(), Problem> {
    let Comparison { issues, occurrences, remediated, origins } = comparison;
    let document = keys::compared(scan);
    let issues = write_list(kv, &document, "issues", issues).await?;
    let occurrences = write_list(kv, &document, "occurrences", occurrences).await?;
    let remediated = match reference {
        Some(stored) if !remediated.is_empty() => write_remediated(kv, &document, stored, &remediated).await?,
        Some(_) | None => write_list(kv, &document, "remediated", [(); 0]).await?,
    };
    let origins = write_list(kv, &document, "origins", origins).await?;
    Compared { v: 2, issues, occurrences, remediated, origins }.put(kv, scan).await?;
    Ok(())
}

/// Copies the remediated issues from the reference scan, because that scan may be removed before this one.
async fn write_remediated(
    kv: &impl Kv,
    document: &str,
    reference: &StoredScan,
    remediated: &[RemediatedIssue],
) -> Result<Manifest, KvError> {
    let list = issues_list(reference.frozen.record.id);
    let mut reader = Reader::open(kv, &list, &reference.grouped.issues, 0).await?;
    let mut writer = list_writer(kv, document, "remediated");
    let mut rest = remediated.iter().peekable();
    let mut at = 0;
    while let (Some(RemediatedIssue { at: wanted, id, seen, occurrences }), Some(line)) =
        (rest.peek(), reader.line().await?)
    {
        if *wanted == at {
            let issue: Issue = store::document::decode(&list, line)?;
            writer
                .push(&Remediated { issue: Issue { id: *id, occurrences: *occurrences, ..issue }, seen: *seen })
                .await?;
            rest.next();
        }
        at += 1;
    }
    writer.finish().await
}
