//! Scans of one variant by one tool take turns, so that two uploads at once answer as if one had come after the other.
//!
//! Each takes a number when its report is read, and chooses what it is compared with only when the one before is done. That
//! one may have died: it is waited for as long as it may need, and only by its successor.

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
/// How many findings the one before may have for each time that one looks again.
const FINDINGS_A_TRY: u32 = 50;
/// How often one looks at most: a request lives for 30 seconds.
const TRIES_MAX: u32 = 4_000;

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
    let mut tries = 0;
    while 1 < n && last(context.kv, &turns).await? < n - 1 {
        let before: Option<Turn> = document::find(context.kv, &keys::turn(&turns, n - 1)).await?;
        let more = before.map_or(0, |before| before.findings / FINDINGS_A_TRY);
        if tries >= TRIES.saturating_add(more).min(TRIES_MAX) {
            break;
        }
        tries += 1;
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
