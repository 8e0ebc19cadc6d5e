//! The registers of a series: its head, and what reviewers accepted; and the known parts of a variant's reports.

use crate::kv::{Kv, KvError};
use crate::scans::Frozen;
use crate::{document, keys};
use domain::accepting::{Acceptance, AcceptedMissing, CompleteScan};
use domain::head::{AcceptedScan, Head, SeriesScan};
use domain::ids::{IdError, ScannerId, TargetId, VariantName};
use domain::journal::Refusal;
use domain::parts::KnownParts;
use domain::scan::ScanRecord;
use domain::series::Series;

/// The tool of a report by several tools.
const SEVERAL_TOOLS: &str = "sarif";

/// Reads the head of a variant in a series.
///
/// # Errors
/// The store failed.
pub async fn head(
    kv: &impl Kv,
    target: TargetId,
    variant: &VariantName,
    series: &Series,
) -> Result<Option<Head>, KvError> {
    document::find(kv, &keys::head(target, variant, &series.tool, &series.categories)).await
}

/// Reads the known sets of parts of a variant's reports by a tool. If they do not decide about `parts`, those of
/// reports by several tools too.
///
/// # Errors
/// The store failed.
pub async fn known_parts(
    kv: &impl Kv,
    target: TargetId,
    variant: &VariantName,
    tool: &ScannerId,
    parts: &[String],
) -> Result<Option<KnownParts>, KvError> {
    if parts.is_empty() {
        return Ok(None);
    }
    let of_tool = document::find::<KnownParts>(kv, &keys::parts(target, variant, tool)).await?;
    if tool.as_str() == SEVERAL_TOOLS || of_tool.as_ref().is_some_and(|known| known.decides(parts)) {
        return Ok(of_tool);
    }
    let unreadable = |error: IdError| KvError::Unreadable { key: SEVERAL_TOOLS.to_owned(), reason: error.to_string() };
    let several = SEVERAL_TOOLS.parse().map_err(unreadable)?;
    let of_several = document::find::<KnownParts>(kv, &keys::parts(target, variant, &several)).await?;
    Ok(KnownParts::joined(of_tool, of_several))
}

/// Reads the newest complete scans that can show what a scan's report lacks: that of its own series, and those of the
/// series whose reports had its parts and more.
///
/// # Errors
/// The store failed.
async fn complete_scans(
    kv: &impl Kv,
    record: &ScanRecord,
    known: Option<&KnownParts>,
) -> Result<Vec<CompleteScan>, KvError> {
    let own = record.own_series();
    let mut all = known.map(|known| known.fuller(&record.parts)).unwrap_or_default();
    if !all.contains(&own) {
        all.push(own);
    }
    let mut complete = Vec::with_capacity(all.len());
    for series in all {
        let found = head(kv, record.request.target_id(), &record.request.variant, &series).await?;
        complete.extend(found.map(|head| CompleteScan { tool: series.tool, scan: head.newest }));
    }
    Ok(complete)
}

/// Checks if a reviewer accepted that a report of this variant lacks the parts which it lacks. Called only if it lacks
/// some.
///
/// # Errors
/// The store failed.
pub async fn is_missing_accepted(
    kv: &impl Kv,
    record: &ScanRecord,
    known: Option<&KnownParts>,
) -> Result<bool, KvError> {
    let Some(decision) = document::find::<AcceptedMissing>(kv, &accepted_missing_key(record)).await? else {
        return Ok(false);
    };
    // The heads of other series are read only for a decision about this report's parts.
    Ok(decision.covers(&record.parts, &[]) && decision.covers(&record.parts, &complete_scans(kv, record, known).await?))
}

/// Returns the key of the register of a series' parts that are no longer scanned.
pub fn accepted_missing_key(record: &ScanRecord) -> String {
    let request = &record.request;
    keys::accepted_missing(request.target_id(), &request.variant, &record.tool, &record.categories)
}

/// Returns the key of the register of a series' newest scan that a reviewer accepted.
pub fn accepted_key(record: &ScanRecord) -> String {
    let request = &record.request;
    keys::accepted(request.target_id(), &request.variant, &record.tool, &record.categories)
}

/// Returns the effect that accepting a scan has now, or the reason why it has none.
///
/// # Errors
/// The store failed.
pub async fn acceptance(kv: &impl Kv, frozen: &Frozen) -> Result<Result<Acceptance, Refusal>, KvError> {
    let record = &frozen.record;
    let acceptance = match Acceptance::of(record, &frozen.report.summary) {
        Ok(acceptance) => acceptance,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let own = SeriesScan::of(record, &frozen.report);
    let refused = match acceptance {
        Acceptance::Reference => {
            let decision = document::find::<AcceptedScan>(kv, &accepted_key(record)).await?;
            let head = head(kv, record.request.target_id(), &record.request.variant, &record.own_series()).await?;
            let known = head.and_then(|head| head.accepted_with(decision.as_ref()));
            known
                .filter(|known| !own.is_after(known))
                .map(|known| format!("scan {} of the same variant and scanner is accepted already", known.scan))
        }
        Acceptance::Missing => missing_refused(kv, frozen, &own).await?,
    };
    Ok(match refused {
        Some(why) => Err(Refusal::new(format!("scan {} needs no decision: {why}", record.id))),
        None => Ok(acceptance),
    })
}

/// Returns the reason why nothing follows from accepting the missing parts of a scan.
async fn missing_refused(kv: &impl Kv, frozen: &Frozen, own: &SeriesScan) -> Result<Option<String>, KvError> {
    let record = &frozen.record;
    let decision = document::find::<AcceptedMissing>(kv, &accepted_missing_key(record)).await?;
    if let Some(later) = decision.filter(|decision| !own.is_after(&decision.scan)) {
        let scan = later.scan.scan;
        return Ok(Some(format!(
            "the missing parts of scan {scan} of the same variant and scanner are accepted already"
        )));
    }
    let (target, variant) = (record.request.target_id(), &record.request.variant);
    let known = known_parts(kv, target, variant, &record.tool, &record.parts).await?;
    let complete = complete_scans(kv, record, known.as_ref()).await?;
    let later = complete.into_iter().find(|complete| complete.is_after(&record.tool, own));
    Ok(later.map(|later| format!("scan {} of the same variant came after it, and is complete", later.scan.scan)))
}
