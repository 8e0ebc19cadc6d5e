//! Judges a compared scan with the exemptions of its target.

use api::Problem;
use api::internal::Hold;
use domain::exemption::Exemptions;
use domain::gate::{Gate, Judged as Issue, Terms};
use domain::grouping::Rated;
use domain::ids::{ExemptionId, IssueId, ScanId};
use domain::journal::JournalId;
use domain::time::Timestamp;
use std::collections::BTreeMap;
use store::journal;
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Exempted, Frozen, Grouped, Judged, write_list};

/// What judging holds for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 200;

/// Runs the stage. Whether an exemption is in force is judged at `now`, once: run again, the first judgement stands.
/// A replay is judged with what was in force when its original was. `hold` waits for a share of memory of so many bytes.
///
/// # Errors
/// The store failed, or an earlier stage is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, now: Timestamp, hold: Hold) -> Result<(), Problem> {
    if Judged::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let (at, exemptions) = exemptions(kv, &frozen, now).await?;
    let grouped = Grouped::get(kv, scan).await?;
    let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
    let _held = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
    let issues = grouped.issues_as::<Rated>(kv, scan).await?;
    let compared = Compared::get(kv, scan).await?;

    let mut gate = Gate::new(Terms::of(&frozen.record));
    let mut exempted: Vec<Exempted> = Vec::new();
    for (issue, row) in issues.iter().zip(compared.issues(kv, scan).await?) {
        // An exemption that was given under another of the issue's names is one for it all the same.
        let names = [row.id, issue.id].into_iter().chain(issue.aliases.iter().copied());
        let exemption = names.filter_map(|id| exemptions.get(&id)).next();
        exempted.extend(exemption.map(|exemption| (row.id, *exemption)));
        gate.judge(&Issue {
            severity: issue.severity(),
            bucket: row.bucket,
            division: row.division,
            levels_new: row.levels_new,
            levels_updated: row.levels_updated,
            exempted: exemption.is_some(),
        });
    }
    for issue in compared.remediated(kv, scan).await? {
        gate.remediated(issue.occurrences);
    }
    let judgement = gate.finish(&frozen.report.summary);
    let exempted = write_list(kv, &keys::judged(scan), "exempted", exempted).await?;
    Judged { v: 1, at, judgement, exempted }.put(kv, scan).await?;
    Ok(())
}

/// The exempted issues, and when that was judged: now; in a replay when the original was, as it was judged then.
async fn exemptions(
    kv: &impl Kv,
    frozen: &Frozen,
    now: Timestamp,
) -> Result<(Timestamp, BTreeMap<IssueId, ExemptionId>), KvError> {
    if let Some(original) = frozen.record.replay_of {
        let judged = Judged::get(kv, original).await?;
        return Ok((judged.at, judged.exempted(kv, original).await?.into_iter().collect()));
    }
    let request = &frozen.record.request;
    let journal = JournalId::Exemptions { project: request.project.clone(), target: request.target_id() };
    Ok((now, journal::load::<Exemptions>(kv, &journal, now).await?.state.covering(now)))
}
