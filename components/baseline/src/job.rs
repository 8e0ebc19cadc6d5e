//! Compares a scan with its reference scan and with its variant's own previous scan.

use api::internal::Hold;
use api::problem::{Code, Problem};
use domain::blind_spots::{
    ComparedSpot, ExaminedBefore, Exchanges, SpotState, compare as compare_spots, examined_less, needs_rules,
};
use domain::comparison::{
    Comparison, CurrentScan, JoinedScan, Matches, Origin, PerScan, RemediatedIssue, ScanPair, compare,
};
use domain::grouping::Issue;
use domain::ids::ScanId;
use finding::{BlindSpot, Examined, Reach};
use store::keys;
use store::kv::{Kv, KvError};
use store::remainder::{self, COPIED_AT_ONCE, EarlierScan, EarlierScans};
use store::scans::{Compared, Frozen, Grouped, Remediated, list_writer, write_list};
use store::segments::Manifest;
use store::stored_scan::{StoredScan, code_by_result, read_contents};

/// The memory that comparing needs for each occurrence of each scan, in bytes.
const BYTES_PER_OCCURRENCE: usize = 300;
/// The same for each issue, with its other names.
const BYTES_PER_ISSUE: usize = 200;
/// The maximum number of occurrences of a scan together with those that it did not see. The next scans read both. With
/// so many this component needs 102 of its 128 MiB.
const JOINED_OCCURRENCES_MAX: usize = 200_000;

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
    let size = |manifest: &Manifest| usize::try_from(manifest.records).unwrap_or(usize::MAX);
    let own = bytes(size(&grouped.occurrences), size(&grouped.issues));
    let others = [&reference, &lineage].into_iter().flatten();
    let others = others.map(|stored| bytes(stored.occurrence_count(), stored.issue_count()));
    let _share = hold(others.fold(own, usize::saturating_add)).await;

    let side = read_contents(kv, scan, &grouped).await?;
    let (spots, expected) = blind_spots(&frozen, reference.as_ref());
    let rules = needs_rules(&spots);
    let reference_known = known(kv, &reference, rules).await?;
    let reference_match = match (&reference, &reference_known) {
        (Some(stored), Some(known)) => {
            Some(finish(kv, &frozen, stored, ScanPair::new(&side, &known.scan), &spots).await?)
        }
        (_, _) => None,
    };
    let lineage_known = known(kv, &lineage, rules).await?;
    let lineage_match = match (&lineage, &lineage_known) {
        (Some(stored), Some(known)) => {
            let pair = match (&reference_known, &reference_match) {
                (Some(reference), Some(done)) => ScanPair::of_unmatched(&side, &known.scan, &reference.scan, done),
                (_, _) => ScanPair::new(&side, &known.scan),
            };
            Some(finish(kv, &frozen, stored, pair, &spots).await?)
        }
        (_, _) => None,
    };
    let subject = CurrentScan {
        contents: &side,
        target: record.request.target_id(),
        origin: Origin { scan: record.identity_scan(), at: record.received, variant: record.request.variant.clone() },
        complete: record.is_complete(&frozen.report.summary),
    };
    let with_reference = reference_known.as_ref().map(|known| &known.scan).zip(reference_match.as_ref());
    let with_lineage = lineage_known.as_ref().map(|known| &known.scan).zip(lineage_match.as_ref());
    let comparison = compare(&subject, with_reference, with_lineage);
    check_size(size(&grouped.occurrences), &comparison)?;

    let exchanges = reference_match.map(|matches| matches.blind.exchanges().clone()).unwrap_or_default();
    let spots = compared_spots(kv, &spots, reference.as_ref(), &exchanges, &comparison).await?;
    let earlier = EarlierScans {
        reference: reference.as_ref().zip(reference_known.as_ref()),
        lineage: lineage.as_ref().zip(lineage_known.as_ref()),
    };
    write(kv, &frozen, comparison, earlier, (spots, expected)).await
}

fn bytes(occurrences: usize, issues: usize) -> usize {
    occurrences.saturating_mul(BYTES_PER_OCCURRENCE).saturating_add(issues.saturating_mul(BYTES_PER_ISSUE))
}

/// Returns the blind spots of the scan, and the numbers that the next scan should examine. A scan that examined too
/// little is blind to everything, unless the uploader or a reviewer accepts it.
fn blind_spots(frozen: &Frozen, reference: Option<&StoredScan>) -> (Vec<BlindSpot>, Examined) {
    let (record, summary) = (&frozen.record, &frozen.report.summary);
    let mut spots = summary.blind_spots.clone();
    let mut expected = summary.examined.clone();
    // Who accepts that parts are missing accepts that less is examined.
    let is_accepted = record.request.accept_missing || record.dropped.as_ref().is_some_and(|dropped| !dropped.before);
    let Some(stored) = reference.filter(|_| !is_accepted) else { return (spots, expected) };
    let before = &stored.compared.expected;
    let is_blind = |spots: &[BlindSpot]| spots.iter().any(|spot| spot.reach == Reach::Everything);
    if !is_blind(&spots) {
        let before = ExaminedBefore { own: &stored.frozen.report.summary.examined, expected: before };
        spots.extend(examined_less(&summary.examined, before, record.settings.examined_share.percent()));
    }
    if is_blind(&spots) {
        for (unit, count) in before {
            let expected = expected.entry(*unit).or_default();
            *expected = (*expected).max(*count);
        }
    }
    (spots, expected)
}

/// Compares the blind spots with those of the reference scan.
async fn compared_spots(
    kv: &impl Kv,
    spots: &[BlindSpot],
    reference: Option<&StoredScan>,
    exchanges: &Exchanges,
    comparison: &Comparison,
) -> Result<Vec<ComparedSpot>, KvError> {
    let before = match reference {
        Some(stored) => stored.compared.blind_spots(kv, stored.frozen.record.id).await?,
        None => Vec::new(),
    };
    let before = before.into_iter().filter(|spot| spot.state != SpotState::Gone);
    let before: Vec<BlindSpot> = before.map(|spot| spot.spot).collect();
    Ok(compare_spots(spots, &before, exchanges, &comparison.not_seen_by_spot))
}

/// Refuses a scan that has too many occurrences together with those that it did not see.
fn check_size(own: usize, comparison: &Comparison) -> Result<(), Problem> {
    let not_seen: usize = comparison.not_seen.iter().map(|issue| issue.occurrences.len()).sum();
    if not_seen == 0 || own.saturating_add(not_seen) <= JOINED_OCCURRENCES_MAX {
        return Ok(());
    }
    let detail = format!(
        "the scan has {own} occurrences, and {not_seen} of earlier scans are in its blind spots; at most {JOINED_OCCURRENCES_MAX} together are allowed; scan the parts of the target as targets of their own"
    );
    Err(Problem::new(Code::ReportTooLarge, detail))
}

async fn stored(kv: &impl Kv, scan: Option<ScanId>) -> Result<Option<StoredScan>, KvError> {
    match scan {
        Some(scan) => Ok(Some(StoredScan::read(kv, scan).await?)),
        None => Ok(None),
    }
}

async fn known(kv: &impl Kv, stored: &Option<StoredScan>, rules: bool) -> Result<Option<JoinedScan>, KvError> {
    match stored {
        Some(stored) => Ok(Some(stored.as_reference(kv, rules).await?)),
        None => Ok(None),
    }
}

/// Finishes the matching: reads the code of the occurrences that are left and matches them by it.
async fn finish(
    kv: &impl Kv,
    current: &Frozen,
    other: &StoredScan,
    pair: ScanPair<'_>,
    spots: &[BlindSpot],
) -> Result<Matches, KvError> {
    let wanted = pair.codes_needed();
    let current = code_by_result(kv, current, &wanted.current).await?;
    let reference = other.code_by_result(kv, &wanted.reference).await?;
    Ok(pair.finish(PerScan { current, reference }, spots))
}

async fn write(
    kv: &impl Kv,
    frozen: &Frozen,
    comparison: Comparison,
    earlier: EarlierScans<'_>,
    (spots, expected): (Vec<ComparedSpot>, Examined),
) -> Result<(), Problem> {
    let scan = frozen.record.id;
    let Comparison { issues, occurrences, remediated, not_seen, not_seen_by_spot: _, origins } = comparison;
    let remainder = remainder::write(kv, frozen, &not_seen, earlier, &origins).await?;
    let document = keys::compared(scan);
    let issues = write_list(kv, &document, "issues", issues).await?;
    let occurrences = write_list(kv, &document, "occurrences", occurrences).await?;
    let remediated = match earlier.reference {
        Some(reference) => write_remediated(kv, &document, reference, &remediated).await?,
        None => write_list(kv, &document, "remediated", [(); 0]).await?,
    };
    let origins = write_list(kv, &document, "origins", origins).await?;
    let blind_spots = match spots.is_empty() {
        true => Manifest::default(),
        false => write_list(kv, &document, "blind_spots", spots).await?,
    };
    let compared = Compared { v: 3, issues, occurrences, remediated, origins, blind_spots, remainder, expected };
    compared.put(kv, scan).await?;
    Ok(())
}

/// Copies the remediated issues from the reference scan, because that scan may be removed before this one.
async fn write_remediated(
    kv: &impl Kv,
    document: &str,
    (stored, joined): EarlierScan<'_>,
    remediated: &[RemediatedIssue],
) -> Result<Manifest, KvError> {
    let mut writer = list_writer(kv, document, "remediated");
    for some in remediated.chunks(COPIED_AT_ONCE) {
        let issues = remainder::issues_at(kv, stored, joined, some.iter().map(|issue| issue.at)).await?;
        for (issue, RemediatedIssue { id, seen, occurrences, .. }) in issues.into_iter().zip(some) {
            let issue = Issue { id: *id, occurrences: *occurrences, ..issue };
            writer.push(&Remediated { issue, seen: *seen }).await?;
        }
    }
    writer.finish().await
}
