//! Scans of one variant by one tool take turns, so that two uploads at once answer as if one had come after the other.
//!
//! Each takes a number when its report is read, and chooses what it is compared with only when the one before is done. One
//! that died is waited for as long as it might have needed; whoever waited for it lets the others go on.

use crate::upload::Context;
use api::internal::{Count, Services};
use api::problem::Problem;
use domain::ids::{ScannerId, TargetId};
use domain::scan::ScanRequest;
use store::kv::Kv;
use store::records::{Turn, TurnsDone};
use store::{document, keys};

/// How often one looks whether the one before is done, however small that is: two seconds at least.
const TRIES: u32 = 400;
/// How many findings a scan may have for each time that one looks again.
const FINDINGS_A_TRY: u32 = 50;
/// How often one looks at most: a request lives for 30 seconds.
pub(crate) const TRIES_MAX: u32 = 4_000;

/// The name of the turns of this variant and tool.
fn name(request: &ScanRequest, tool: &ScannerId) -> String {
    let target: TargetId = request.target_id();
    keys::turns(target, &request.variant, tool)
}

/// Takes a number and waits for the turn. Gives the number, which is to be [done](done) with.
///
/// # Errors
/// The store failed.
pub(crate) async fn take<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    request: &ScanRequest,
    tool: &ScannerId,
    findings: u32,
) -> Result<u64, Problem> {
    let turns = name(request, tool);
    let count = Count::Turn { target: request.target_id(), variant: request.variant.clone(), tool: tool.clone() };
    let n = context.services.count(&count).await?;
    document::put(context.kv, &keys::turn(&turns, n), &Turn { v: 1, findings }).await?;
    let (mut tries, mut all, mut seen) = (0, 0, 0);
    loop {
        let done = last(context.kv, &turns).await?;
        if n <= done.saturating_add(1) {
            break;
        }
        // As long as others get on, the one before is only waiting too.
        if seen < done {
            (tries, seen) = (0, done);
        }
        let next: Option<Turn> = document::find(context.kv, &keys::turn(&turns, done + 1)).await?;
        let more = next.map_or(0, |next| next.findings / FINDINGS_A_TRY);
        // The further back, the longer: those before give up first, and then get on.
        let before = u32::try_from(n - 1 - done).unwrap_or(u32::MAX);
        if tries >= TRIES.saturating_add(more).saturating_mul(before) || all >= TRIES_MAX {
            break;
        }
        (tries, all) = (tries + 1, all + 1);
        context.services.pause().await;
    }
    Ok(n)
}

/// Lets the next one go on.
///
/// # Errors
/// The store failed.
pub(crate) async fn done(kv: &impl Kv, request: &ScanRequest, tool: &ScannerId, n: u64) -> Result<(), Problem> {
    let turns = name(request, tool);
    // One that was given up must not hold up those after it when it comes to its end all the same.
    if last(kv, &turns).await? < n {
        document::put(kv, &keys::turns_done(&turns), &TurnsDone { v: 1, n }).await?;
    }
    kv.delete(&keys::turn(&turns, n)).await?;
    Ok(())
}

async fn last(kv: &impl Kv, turns: &str) -> Result<u64, Problem> {
    let done: Option<TurnsDone> = document::find(kv, &keys::turns_done(turns)).await?;
    Ok(done.map_or(0, |done| done.n))
}
