//! Judges a compared scan with the exemptions of its target.

use api::Problem;
use api::internal::Hold;
use domain::exemption::Exemptions;
use domain::gate::{Gate, Judged as Issue, Terms};
use domain::grouping::Rated;
use domain::ids::ScanId;
use domain::journal::JournalId;
use domain::time::Timestamp;
use store::journal;
use store::keys;
use store::kv::Kv;
use store::scans::{Compared, Exempted, Frozen, Grouped, Judged, write_list};

/// What judging holds for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 200;

/// Runs the stage. Whether an exemption is in force is judged at `now`, once: run again, the first judgement stands.
/// `hold` waits for a share of memory of so many bytes.
///
/// # Errors
/// The store failed, or an earlier stage is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, now: Timestamp, hold: Hold) -> Result<(), Problem> {
    if Judged::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let request = &frozen.record.request;
    let journal = JournalId::Exemptions { project: request.project.clone(), target: request.target_id() };
    let exemptions = journal::load::<Exemptions>(kv, &journal, now).await?.state.covering(now);
    let grouped = Grouped::get(kv, scan).await?;
    let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
    let _held = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
    let issues = grouped.parts::<Rated>(kv, scan).await?;
    let compared = Compared::get(kv, scan).await?;

    let mut gate = Gate::new(Terms::of(&frozen.record));
    let mut exempted: Vec<Exempted> = Vec::new();
    for (issue, row) in issues.iter().zip(compared.issues(kv, scan).await?) {
        let exemption = exemptions.get(&issue.id);
        exempted.extend(exemption.map(|exemption| (issue.id, *exemption)));
        gate.judge(&Issue {
            severity: issue.severity(),
            bucket: row.bucket,
            division: row.division,
            worst_new: row.worst_new,
            worst_updated: row.worst_updated,
            exempted: exemption.is_some(),
        });
    }
    for issue in compared.remediated(kv, scan).await? {
        gate.remediated(issue.occurrences);
    }
    let judgement = gate.finish(&frozen.report.summary);
    let exempted = write_list(kv, &keys::judged(scan), "exempted", exempted).await?;
    Judged { v: 1, at: now, judgement, exempted }.put(kv, scan).await?;
    Ok(())
}
