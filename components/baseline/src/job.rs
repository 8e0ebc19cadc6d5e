//! Compares a scan with the one that was chosen when it began.

use api::Problem;
use api::internal::Hold;
use domain::comparison::{Comparison, Gone, Known, Meeting, Origin, Recognised, Subject, Wanted, compare};
use domain::grouping::Issue;
use domain::ids::ScanId;
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, Grouped, Remediated, issues_list, list_writer, write_list};
use store::segments::{Manifest, Reader};
use store::stored_scan::{StoredScan, code_by_result, read_contents};

/// What comparing holds for each occurrence of each scan, in bytes.
const BYTES_PER_OCCURRENCE: usize = 300;
/// The same for each issue, its other names among it.
const BYTES_PER_ISSUE: usize = 200;

/// Runs the stage: a pure function of the scans' stored results, so running it again writes the same. `hold` waits for
/// a share of memory of so many bytes.
///
/// # Errors
/// The store failed, or a scan's earlier stage is not done.
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
    let _held = hold(others.map(bytes).fold(bytes(&grouped), usize::saturating_add)).await;

    let side = read_contents(kv, scan, &grouped).await?;
    let known = known(kv, &reference).await?;
    let recognised = match (&reference, &known) {
        (Some(stored), Some(known)) => Some(finish(kv, &frozen, stored, Meeting::of(&side, known)).await?),
        (_, _) => None,
    };
    let before = self::known(kv, &lineage).await?;
    let carried = match (&lineage, &before) {
        (Some(stored), Some(before)) => {
            let meeting = match (&known, &recognised) {
                (Some(known), Some(done)) => Meeting::of_the_rest(&side, before, known, done),
                (_, _) => Meeting::of(&side, before),
            };
            Some(finish(kv, &frozen, stored, meeting).await?)
        }
        (_, _) => None,
    };
    let subject = Subject {
        side: &side,
        target: record.request.target_id(),
        origin: Origin { scan: record.identity_scan(), at: record.received, variant: record.request.variant.clone() },
        complete: record.is_complete(&frozen.report.summary),
    };
    let comparison = compare(&subject, known.as_ref().zip(recognised.as_ref()), before.as_ref().zip(carried.as_ref()));
    write(kv, scan, comparison, reference.as_ref()).await
}

async fn stored(kv: &impl Kv, scan: Option<ScanId>) -> Result<Option<StoredScan>, KvError> {
    match scan {
        Some(scan) => Ok(Some(StoredScan::read(kv, scan).await?)),
        None => Ok(None),
    }
}

async fn known(kv: &impl Kv, stored: &Option<StoredScan>) -> Result<Option<Known>, KvError> {
    match stored {
        Some(stored) => Ok(Some(stored.as_reference(kv).await?)),
        None => Ok(None),
    }
}

/// Recognises the rest by the code of both scans' findings.
async fn finish(
    kv: &impl Kv,
    current: &Frozen,
    other: &StoredScan,
    meeting: Meeting<'_>,
) -> Result<Recognised, KvError> {
    let wanted = meeting.wanted();
    let current = code_by_result(kv, current, &wanted.current).await?;
    let reference = code_by_result(kv, &other.frozen, &wanted.reference).await?;
    Ok(meeting.finish(Wanted { current, reference }))
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
    let gone = match reference {
        Some(stored) if !remediated.is_empty() => gone(kv, &document, stored, &remediated).await?,
        Some(_) | None => write_list(kv, &document, "remediated", [(); 0]).await?,
    };
    let origins = write_list(kv, &document, "origins", origins).await?;
    Compared { v: 2, issues, occurrences, remediated: gone, origins }.put(kv, scan).await?;
    Ok(())
}

/// Copies the issues that are gone from the scan compared with, which may be removed before this one is.
async fn gone(kv: &impl Kv, document: &str, stored: &StoredScan, gone: &[Gone]) -> Result<Manifest, KvError> {
    let list = issues_list(stored.frozen.record.id);
    let mut reader = Reader::open(kv, &list, &stored.grouped.issues, 0).await?;
    let mut writer = list_writer(kv, document, "remediated");
    let mut rest = gone.iter().peekable();
    let mut at = 0;
    while let (Some(Gone { at: wanted, id, seen, occurrences }), Some(line)) = (rest.peek(), reader.line().await?) {
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
