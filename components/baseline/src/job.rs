//! Compares a scan with the one that was chosen when it began.

use api::Problem;
use api::internal::Hold;
use domain::comparison::{Comparison, Gone, Known, Meeting, Origin, Recognised, Side, Subject, Wanted, compare};
use domain::grouping::{Issue, Span};
use domain::ids::ScanId;
use domain::scan::ScanRecord;
use domain::signature::Marks;
use std::collections::{BTreeMap, BTreeSet};
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, Grouped, Remediated, issues_list, list_writer, write_list};
use store::segments::{Manifest, Reader};

/// What comparing holds for each occurrence of each scan, in bytes.
const BYTES_PER_OCCURRENCE: usize = 300;

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
    let reference = Stored::of(kv, record.reference.scan()).await?;
    let lineage = Stored::of(kv, lineage(record)).await?;
    let occurrences = |grouped: &Grouped| usize::try_from(grouped.occurrences.records).unwrap_or(usize::MAX);
    let others = [&reference, &lineage].into_iter().flatten().map(|stored| occurrences(&stored.grouped)).sum::<usize>();
    let _held = hold((occurrences(&grouped) + others).saturating_mul(BYTES_PER_OCCURRENCE)).await;

    let side = side(kv, scan, &grouped).await?;
    let reference = known(kv, reference).await?;
    let recognised = match &reference {
        Some((stored, known)) => {
            let meeting = Meeting::of(&side, known);
            let codes = codes(kv, &frozen, stored, &meeting).await?;
            Some(meeting.finish(codes))
        }
        None => None,
    };
    let lineage = known(kv, lineage).await?;
    let carried = match &lineage {
        Some((stored, known)) => {
            let meeting = match (&reference, &recognised) {
                (Some((_, reference)), Some(done)) => Meeting::of_the_rest(&side, known, reference, done),
                (_, _) => Meeting::of(&side, known),
            };
            let codes = codes(kv, &frozen, stored, &meeting).await?;
            Some(meeting.finish(codes))
        }
        None => None,
    };
    let subject = Subject {
        side: &side,
        target: record.request.target_id(),
        origin: Origin { scan, at: record.received, variant: record.request.variant.clone() },
        complete: frozen.report.summary.is_complete(),
    };
    let comparison = compare(&subject, met(&reference, &recognised), met(&lineage, &carried));
    write(kv, scan, comparison, reference.as_ref().map(|(stored, _)| stored)).await
}

/// The variant's own previous scan, which occurrences that no baseline has keep their ids from.
fn lineage(_record: &ScanRecord) -> Option<ScanId> {
    None
}

/// A scan's stored results.
struct Stored {
    frozen: Frozen,
    grouped: Grouped,
    compared: Compared,
}

impl Stored {
    async fn of(kv: &impl Kv, scan: Option<ScanId>) -> Result<Option<Self>, KvError> {
        let Some(scan) = scan else { return Ok(None) };
        let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
        Ok(Some(Self { frozen, grouped, compared: Compared::get(kv, scan).await? }))
    }
}

fn met<'a>(
    known: &'a Option<(Stored, Known)>,
    recognised: &'a Option<Recognised>,
) -> Option<(&'a Known, &'a Recognised)> {
    Some((&known.as_ref()?.1, recognised.as_ref()?))
}

async fn side(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<Side, KvError> {
    let issues = grouped.parts::<Span>(kv, scan).await?;
    let (occurrences, names) = (grouped.occurrences(kv, scan).await?, grouped.names(kv, scan).await?);
    Ok(Side { issues, occurrences, names })
}

async fn known(kv: &impl Kv, stored: Option<Stored>) -> Result<Option<(Stored, Known)>, KvError> {
    let Some(stored) = stored else { return Ok(None) };
    let (scan, compared) = (stored.frozen.record.id, &stored.compared);
    let known = Known {
        side: side(kv, scan, &stored.grouped).await?,
        issues: compared.identities(kv, scan, "issues", &compared.issues).await?,
        occurrences: compared.identities(kv, scan, "occurrences", &compared.occurrences).await?,
        origins: compared.origins(kv, scan).await?,
    };
    Ok(Some((stored, known)))
}

/// The code that is to be compared, from the findings of both scans.
async fn codes(
    kv: &impl Kv,
    current: &Frozen,
    other: &Stored,
    meeting: &Meeting<'_>,
) -> Result<Wanted<BTreeMap<u32, String>>, KvError> {
    let wanted = meeting.wanted();
    Ok(Wanted {
        current: code(kv, current, &wanted.current).await?,
        reference: code(kv, &other.frozen, &wanted.reference).await?,
    })
}

async fn code(kv: &impl Kv, frozen: &Frozen, results: &BTreeSet<u32>) -> Result<BTreeMap<u32, String>, KvError> {
    let mut codes = BTreeMap::new();
    frozen
        .each_finding_at(kv, results, |finding| {
            codes.extend(Marks::of(&finding).code.map(|code| (finding.result, code)));
        })
        .await?;
    Ok(codes)
}

async fn write(
    kv: &impl Kv,
    scan: ScanId,
    comparison: Comparison,
    reference: Option<&Stored>,
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
async fn gone(kv: &impl Kv, document: &str, stored: &Stored, gone: &[Gone]) -> Result<Manifest, KvError> {
    let list = issues_list(stored.frozen.record.id);
    let mut reader = Reader::open(kv, &list, &stored.grouped.issues, 0).await?;
    let mut writer = list_writer(kv, document, "remediated");
    let mut rest = gone.iter().peekable();
    let mut at = 0;
    while let (Some(Gone { at: wanted, id, seen }), Some(line)) = (rest.peek(), reader.line().await?) {
        if *wanted == at {
            let issue: Issue = store::document::decode(&list, line)?;
            writer.push(&Remediated { issue: Issue { id: *id, ..issue }, seen: *seen }).await?;
            rest.next();
        }
        at += 1;
    }
    writer.finish().await
}
