//! Judges a compared scan with the exemptions that apply to it.

use api::Problem;
use api::internal::Hold;
use domain::ids::ScanId;
use domain::time::Timestamp;
use store::judging::{self, Issues, JudgedScan};
use store::keys;
use store::kv::Kv;
use store::scans::{Compared, Frozen, GateResult, Grouped, write_list};

/// The memory that judging needs for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 300;

/// Runs the stage, unless its result is stored: the first judgement is final. Exemptions apply as they are at `now`; to a
/// replay, as they were when its original was judged. `hold` waits for a share of memory.
///
/// # Errors
/// The store failed, or an earlier stage is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, now: Timestamp, hold: Hold) -> Result<(), Problem> {
    if GateResult::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
    let _share = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
    let issues = Issues::of(kv, scan, &grouped, &compared).await?;
    let (at, force) = match frozen.record.replay_of {
        Some(original) => judging::exemptions_at_judgement(kv, original).await?,
        None => {
            let request = &frozen.record.request;
            let own = judging::exemptions(kv, &request.project, now).await?;
            (now, judging::effective_exemptions(kv, request, &own, async || Ok(issues.names()), now).await?)
        }
    };
    let JudgedScan { judgement, standings, exempted, returned, entries } =
        judging::judge(kv, &frozen, &compared, &issues, &force).await?;
    let whole = standings.iter().filter(|standing| standing.whole).map(|standing| standing.exemption);
    let ends = whole.chain(exempted.iter().map(|one| one.exemption)).filter_map(|id| force.end(id)).min();
    let key = keys::judged(scan);
    let standings = write_list(kv, &key, "standings", standings).await?;
    let exempted = write_list(kv, &key, "exempted", exempted).await?;
    let returned = write_list(kv, &key, "returned", returned).await?;
    let entries = write_list(kv, &key, "entries", entries).await?;
    let other_ids = write_list(kv, &key, "other_ids", issues.other_ids()).await?;
    // If another run of the stage was faster, its judgement is final.
    if GateResult::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    GateResult { v: 3, at, judgement, ends, standings, exempted, returned, entries, other_ids }.put(kv, scan).await?;
    Ok(())
}
