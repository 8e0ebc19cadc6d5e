//! Why an occurrence of a scan is new or common.

use crate::job::{Context, Seen, issue_at, scan, spans};
use api::Problem;
use api::v1::explain::because;
use api::v1::{Comparison, Explanation, Matched, PassedOver};
use domain::comparison::{Bucket, Comparable, Known, Side, Tracked};
use domain::explain::{Why, nearest, spot, why};
use domain::ids::{OccurrenceId, ScanId};
use domain::tracking::Place;
use std::collections::{BTreeMap, BTreeSet};
use store::kv::Kv;
use store::scans::Frozen;
use store::stored_scan::{StoredScan, code_by_result, read_contents};

/// What explaining holds for each occurrence of both scans, in bytes.
const BYTES_PER_OCCURRENCE: usize = 200;

/// Explains an occurrence: against what it was compared, what recognised it, and why the nearest others are not it.
///
/// # Errors
/// There is no such scan or occurrence, or the store failed.
pub async fn explain(
    context: &Context<'_, impl Kv>,
    id: ScanId,
    occurrence: OccurrenceId,
) -> Result<Explanation, Problem> {
    scan(context, id).await?;
    let kv = context.kv;
    let own = StoredScan::read(kv, id).await?;
    let record = &own.frozen.record;
    let reference = match record.reference.scan() {
        Some(scan) => Some(StoredScan::read(kv, scan).await?),
        None => None,
    };
    let occurrences = own.occurrence_count() + reference.as_ref().map_or(0, StoredScan::occurrence_count);
    let _held = (context.hold)(occurrences.saturating_mul(BYTES_PER_OCCURRENCE)).await;

    let tracked = own.compared.occurrences(kv, id).await?;
    let missing = || Problem::not_found(format!("scan {id} has no occurrence {occurrence}"));
    let at = tracked.iter().position(|tracked| tracked.id == occurrence).ok_or_else(missing)?;
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

    let passed = match &reference {
        Some(stored) => passed_over(kv, &own.frozen, (&side, at, &tracked), stored).await?,
        None => Passed::default(),
    };
    let issues = spans(kv, id, &own.grouped, &own.compared).await?;
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Ok(Explanation {
        scan: id,
        occurrence,
        issue: issue_at(&issues, at).ok_or_else(missing)?.id,
        rule: finding.rule,
        place: spot(path, line),
        comparison: Comparison::new(&record.reference),
        bucket: if matched.is_some() { Bucket::Common } else { Bucket::New },
        because: because(record, found, matched.as_ref(), passed.of_its_issue),
        carried: found.carried,
        first_seen: Seen::of(kv, &own.frozen, &own.compared).await?.first(found.seen)?,
        matched,
        passed_over: passed.over,
    })
}

/// What was passed over.
#[derive(Default)]
struct Passed {
    over: Vec<PassedOver>,
    /// How many occurrences of the issue the scan compared with has.
    of_its_issue: usize,
}

async fn passed_over(
    kv: &impl Kv,
    current: &Frozen,
    (side, at, tracked): (&Side, usize, &[Tracked]),
    stored: &StoredScan,
) -> Result<Passed, Problem> {
    let known = stored.as_reference(kv).await?;
    let near = nearest(side, &known, at);
    let of_its_issue = near.all;
    let takers: BTreeMap<u32, usize> =
        tracked.iter().enumerate().filter_map(|(at, tracked)| Some((tracked.found.as_ref()?.result, at))).collect();
    let result = |side: &Side, at: usize| side.occurrences.get(at).map(|place| place.result);
    let others: Vec<usize> = near
        .first
        .into_iter()
        .filter(|other| result(&known.side, *other).and_then(|result| takers.get(&result)) != Some(&at))
        .collect();
    let own = code_by_result(kv, current, &result(side, at).into_iter().collect()).await?;
    let results = others.iter().filter_map(|other| result(&known.side, *other)).collect();
    let theirs = code_by_result(kv, &stored.frozen, &results).await?;
    let code = result(side, at).and_then(|result| own.get(&result)).map(String::as_str);
    let mut over = Vec::new();
    for other in others {
        let there = result(&known.side, other).and_then(|result| theirs.get(&result)).map(String::as_str);
        let compared = Comparable::of(side, at, code).zip(Comparable::of(&known.side, other, there));
        let (Some((here, there)), Some(identity)) = (compared, known.occurrences.get(other)) else { continue };
        let why = why(&here, &there, |place: &Place| takers.get(&place.result).copied());
        over.push(PassedOver {
            occurrence: identity.id,
            place: place_of(&known, other),
            because: why.text(&taken_by(side, &why)),
        });
    }
    Ok(Passed { over, of_its_issue })
}

fn place_of(known: &Known, at: usize) -> String {
    let place = known.side.occurrences.get(at);
    spot(place.and_then(|place| known.side.name(place.path)), place.map(|place| place.line).filter(|line| *line != 0))
}

fn taken_by(side: &Side, why: &Why) -> String {
    let place = match why {
        Why::Taken { by } => side.occurrences.get(*by),
        Why::OtherCode { .. } | Why::TooFar { .. } | Why::Elsewhere { .. } | Why::TooShort => None,
        Why::Ambiguous | Why::OtherThing | Why::NothingToCompare => None,
    };
    spot(place.and_then(|place| side.name(place.path)), place.map(|place| place.line).filter(|line| *line != 0))
}
