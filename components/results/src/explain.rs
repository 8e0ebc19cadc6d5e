//! Explanations of why an occurrence of a scan is new or common.

use crate::first_seen::FirstScans;
use crate::job::ResultsJob;
use crate::scan_issues::{issue_of_occurrence, spans};
use api::Problem;
use api::v1::explain::{because, because_of_spot};
use api::v1::{Comparison, Explanation, Matched, PassedOver};
use domain::blind_spots::{Coverage, Exchanges, RuleAndTool, SpotState};
use domain::comparison::{Bucket, OccurrenceWithCode, ScanContents, TrackedOccurrence};
use domain::explain::{MismatchReason, location_text, mismatch_reason, nearest};
use domain::ids::{OccurrenceId, ScanId};
use domain::tracking::ComparableOccurrence;
use finding::BlindSpot;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv;
use store::scans::Frozen;
use store::stored_scan::{StoredScan, code_by_result, read_contents};

/// The memory that an explanation takes for each occurrence of both scans, in bytes.
const BYTES_PER_OCCURRENCE: usize = 200;

impl<K: Kv> ResultsJob<'_, K> {
    /// Explains an occurrence: the scan that it was compared with, how it was matched, and why it does not match the
    /// nearest others.
    ///
    /// # Errors
    /// The scan or the occurrence does not exist, or the store failed.
    pub async fn explain(&self, id: ScanId, occurrence: OccurrenceId) -> Result<Explanation, Problem> {
        self.scan(id).await?;
        let kv = self.kv;
        let own = StoredScan::read(kv, id).await?;
        let record = &own.frozen.record;
        let reference = match record.reference.scan() {
            Some(scan) => Some(StoredScan::read(kv, scan).await?),
            None => None,
        };
        let occurrences = own.occurrence_count() + reference.as_ref().map_or(0, StoredScan::occurrence_count);
        let _held = (self.hold)(occurrences.saturating_mul(BYTES_PER_OCCURRENCE)).await;

        let tracked = own.compared.occurrences(kv, id).await?;
        let missing = || Problem::not_found(format!("scan {id} has no occurrence {occurrence}"));
        let Some(at) = tracked.iter().position(|tracked| tracked.id == occurrence) else {
            return unseen(kv, &own, occurrence).await?.ok_or_else(missing);
        };
        let found = tracked.get(at).ok_or_else(missing)?;
        let side = read_contents(kv, id, &own.grouped).await?;
        let place = side.occurrences.get(at).ok_or_else(missing)?;
        let finding = own.frozen.findings_at(kv, &BTreeSet::from([place.result])).await?.remove(&place.result);
        let finding = finding.ok_or_else(missing)?;
        let line = (place.line != 0).then_some(place.line);
        let path = side.name(place.path);
        let matched = found.found.as_ref().map(|found| {
            let version = finding.package.as_ref().and_then(|package| package.version.as_deref());
            Matched::new(found, finding.kind, path, line, version)
        });

        let neighbours = match &reference {
            Some(reference) => neighbours(kv, &own.frozen, (&side, at, &tracked), reference).await?,
            None => Neighbours::default(),
        };
        let issues = spans(kv, id, &own.grouped, &own.compared).await?;
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Explanation {
            scan: id,
            occurrence,
            issue: issue_of_occurrence(&issues, at).ok_or_else(missing)?.id,
            rule: finding.rule,
            place: location_text(path, line),
            comparison: Comparison::new(record),
            bucket: if matched.is_some() { Bucket::Common } else { Bucket::New },
            because: because(record, found, matched.as_ref(), neighbours.of_its_issue),
            carried: found.carried,
            first_seen: FirstScans::read(kv, &own.frozen, &own.compared).await?.get(found.seen)?,
            matched,
            passed_over: neighbours.passed_over,
        })
    }
}

/// Explains an occurrence that a scan did not see; `None` if its remainder does not have it.
async fn unseen(kv: &impl Kv, own: &StoredScan, occurrence: OccurrenceId) -> Result<Option<Explanation>, Problem> {
    let Some(remainder) = &own.remainder else { return Ok(None) };
    let (record, id) = (&own.frozen.record, remainder.frozen.record.id);
    let tracked = remainder.compared.occurrences(kv, id).await?;
    let Some(at) = tracked.iter().position(|tracked| tracked.id == occurrence) else { return Ok(None) };
    let side = read_contents(kv, id, &remainder.grouped).await?;
    let (Some(found), Some(place)) = (tracked.get(at), side.occurrences.get(at)) else { return Ok(None) };
    let finding = remainder.frozen.findings_at(kv, &BTreeSet::from([place.result])).await?.remove(&place.result);
    let Some(finding) = finding else { return Ok(None) };
    let path = side.name(place.path);
    let issues = spans(kv, id, &remainder.grouped, &remainder.compared).await?;
    let Some(issue) = issue_of_occurrence(&issues, u32::try_from(at).unwrap_or(u32::MAX)) else { return Ok(None) };
    let spots = own.compared.blind_spots(kv, record.id).await?;
    let spots = spots.into_iter().filter(|spot| spot.state != SpotState::Gone).map(|spot| spot.spot);
    let spots: Vec<BlindSpot> = spots.collect();
    let named = RuleAndTool { rule: finding.rule.clone(), tool: record.tool.to_string() };
    let spot = Coverage::of(&spots, &Exchanges::default()).spot_of(path, Some(&named));
    Ok(Some(Explanation {
        scan: record.id,
        occurrence,
        issue: issue.id,
        rule: finding.rule,
        place: location_text(path, (place.line != 0).then_some(place.line)),
        comparison: Comparison::new(record),
        bucket: Bucket::NotSeen,
        because: because_of_spot(spot.and_then(|at| spots.get(at))),
        matched: None,
        carried: None,
        first_seen: FirstScans::read(kv, &remainder.frozen, &remainder.compared).await?.get(found.seen)?,
        passed_over: Vec::new(),
    }))
}

/// The nearest occurrences of the reference scan that an occurrence does not match.
#[derive(Default)]
struct Neighbours {
    passed_over: Vec<PassedOver>,
    /// The number of occurrences of its issue in the reference scan.
    of_its_issue: usize,
}

/// Finds the neighbours of the occurrence at an index of a scan.
async fn neighbours(
    kv: &impl Kv,
    current: &Frozen,
    (side, at, tracked): (&ScanContents, usize, &[TrackedOccurrence]),
    reference: &StoredScan,
) -> Result<Neighbours, Problem> {
    let known = reference.as_reference(kv, false).await?.scan;
    let near = nearest(side, &known, at);
    let of_its_issue = near.all;
    // For each result of the reference scan that was matched, the index of the occurrence that matched it.
    let matches: BTreeMap<u32, usize> =
        tracked.iter().enumerate().filter_map(|(at, tracked)| Some((tracked.found.as_ref()?.result, at))).collect();
    let result = |side: &ScanContents, at: usize| side.occurrences.get(at).map(|place| place.result);
    let others: Vec<usize> = near
        .first
        .into_iter()
        .filter(|other| result(&known.contents, *other).and_then(|result| matches.get(&result)) != Some(&at))
        .collect();
    let own_codes = code_by_result(kv, current, &result(side, at).into_iter().collect()).await?;
    let results = others.iter().filter_map(|other| result(&known.contents, *other)).collect();
    let other_codes = reference.code_by_result(kv, &results).await?;
    let own_code = result(side, at).and_then(|result| own_codes.get(&result)).map(String::as_str);
    let mut passed_over = Vec::new();
    for other in others {
        let code = result(&known.contents, other).and_then(|result| other_codes.get(&result)).map(String::as_str);
        let compared =
            OccurrenceWithCode::of(side, at, own_code).zip(OccurrenceWithCode::of(&known.contents, other, code));
        let (Some((own, theirs)), Some(identity)) = (compared, known.occurrences.get(other)) else { continue };
        let reason = mismatch_reason(&own, &theirs, |place: &ComparableOccurrence| matches.get(&place.result).copied());
        passed_over.push(PassedOver {
            occurrence: identity.id,
            place: place_text(&known.contents, other),
            because: reason.text(&taken_by(side, &reason)),
        });
    }
    Ok(Neighbours { passed_over, of_its_issue })
}

/// The path and line of the occurrence at an index.
fn place_text(side: &ScanContents, at: usize) -> String {
    let place = side.occurrences.get(at);
    location_text(
        place.and_then(|place| side.name(place.path)),
        place.map(|place| place.line).filter(|line| *line != 0),
    )
}

/// The path and line of the occurrence that matched a neighbour instead.
fn taken_by(side: &ScanContents, reason: &MismatchReason) -> String {
    match reason {
        MismatchReason::Taken { by } => place_text(side, *by),
        MismatchReason::OtherCode { .. }
        | MismatchReason::TooFar { .. }
        | MismatchReason::Elsewhere { .. }
        | MismatchReason::TooShort => location_text(None, None),
        MismatchReason::Ambiguous | MismatchReason::OtherThing | MismatchReason::NothingToCompare => {
            location_text(None, None)
        }
    }
}
