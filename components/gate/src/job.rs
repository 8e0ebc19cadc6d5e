//! Judges a compared scan with the exemptions that apply to it.

use api::Problem;
use api::internal::Hold;
use domain::gate::Judgement;
use domain::ids::ScanId;
use domain::time::Timestamp;
use store::judging::{self, Issues, JudgedIssues, JudgedScan};
use store::keys;
use store::kv::{Kv, KvError};
use store::scans::{Compared, Frozen, GateResult, Grouped, write_list};

/// The memory that judging needs for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 300;

/// Runs the stage, unless its result is stored: the first judgement is final. Exemptions apply as they are at `now`; to
/// a replay, as they were when its original was judged. `hold` waits for a share of memory.
///
/// # Errors
/// The store failed, or an earlier stage is not done.
pub async fn run(kv: &impl Kv, scan: ScanId, now: Timestamp, hold: Hold) -> Result<(), Problem> {
    if GateResult::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let (grouped, compared) = (Grouped::get(kv, scan).await?, Compared::get(kv, scan).await?);
    let records = usize::try_from(grouped.issues.records.saturating_add(compared.remainder)).unwrap_or(usize::MAX);
    let _share = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
    let issues = Issues::of(kv, scan, &grouped, &compared).await?;
    let (at, force) = match frozen.record.replay_of {
        Some(original) => judging::exemptions_at_judgement(kv, original).await?,
        None => {
            let record = &frozen.record;
            let own = judging::exemptions(kv, &record.request.project, now).await?;
            (now, judging::effective_exemptions(kv, record, &own, async || Ok(issues.names()), now).await?)
        }
    };
    let JudgedScan { judgement, issues: judged, remainder } =
        judging::judge(kv, &frozen, &compared, &issues, &force).await?;
    let whole = judged.standings.iter().filter(|standing| standing.whole).map(|standing| standing.exemption);
    let ends = whole.chain(judged.exempted.iter().map(|one| one.exemption)).filter_map(|id| force.end(id)).min();
    if let Some((id, issues)) = compared.remainder_of(scan).zip(issues.remainder.as_deref()) {
        let result = result(kv, id, issues, remainder, (at, judgement.clone(), ends)).await?;
        // A run that died before it wrote the scan's result may have left one.
        if GateResult::find(kv, scan).await?.is_none() {
            result.put(kv, id).await?;
        }
    }
    let result = result(kv, scan, &issues, judged, (at, judgement, ends)).await?;
    // If another run of the stage was faster, its judgement is final.
    if GateResult::find(kv, scan).await?.is_none() {
        result.put(kv, scan).await?;
    }
    Ok(())
}

/// Writes the lists of a scan or its remainder, and returns their document.
async fn result(
    kv: &impl Kv,
    id: ScanId,
    issues: &Issues,
    judged: JudgedIssues,
    (at, judgement, ends): (Timestamp, Judgement, Option<Timestamp>),
) -> Result<GateResult, KvError> {
    let key = keys::judged(id);
    let standings = write_list(kv, &key, "standings", judged.standings).await?;
    let exempted = write_list(kv, &key, "exempted", judged.exempted).await?;
    let returned = write_list(kv, &key, "returned", judged.returned).await?;
    let outgrown = write_list(kv, &key, "outgrown", judged.outgrown).await?;
    let entries = write_list(kv, &key, "entries", judged.entries).await?;
    let other_ids = write_list(kv, &key, "other_ids", issues.other_ids()).await?;
    Ok(GateResult { v: 4, at, judgement, ends, standings, exempted, returned, outgrown, entries, other_ids })
}
