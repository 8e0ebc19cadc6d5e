//! Turns: scans of one variant by one tool are compared one after the other, so that two uploads at once answer as if one
//! had come after the other.
//!
//! A scan takes a number when its report is parsed, and its reference scan is chosen only when the scan before it has
//! finished. A scan that died is waited for as long as it could have needed. When one scan stops waiting for it, the later
//! ones go on too.

use crate::ingest::Ingest;
use api::internal::{Count, Services};
use api::problem::Problem;
use domain::ids::{ScannerId, TargetId};
use domain::scan::ScanRequest;
use std::time::Duration;
use store::kv::Kv;
use store::records::{Turn, TurnsDone};
use store::{document, keys, poll};

/// The time for which the scan before is waited for, however small it is.
const WAIT: Duration = Duration::from_secs(2);
/// The time for which it is waited for in addition, for each finding that it has: one second for 10,000.
const WAIT_FOR_A_FINDING: Duration = Duration::from_micros(100);
/// The longest wait for a turn. A request lives for 30 seconds.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

/// The key of the turns of this variant and tool.
fn turns_key(request: &ScanRequest, tool: &ScannerId) -> String {
    let target: TargetId = request.target_id();
    keys::turns(target, &request.variant, tool)
}

impl<K: Kv, S, V: Services> Ingest<'_, K, S, V> {
    /// Takes a turn and waits until the turns before it are finished. Returns its number, with which the caller has to
    /// [finish](Self::finish_turn) it.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn wait_for_turn(
        &self,
        request: &ScanRequest,
        tool: &ScannerId,
        findings: u32,
    ) -> Result<u64, Problem> {
        let turns = turns_key(request, tool);
        let count = Count::Turn { target: request.target_id(), variant: request.variant.clone(), tool: tool.clone() };
        let n = self.services.count(&count).await?;
        document::put(self.kv, &keys::turn(&turns, n), &Turn { v: 1, findings }).await?;
        let (mut finished_before, mut since) = (0, Duration::ZERO);
        poll::until(self.services, WAIT_MAX, async |slept| {
            let finished = last_finished(self.kv, &turns).await?;
            if n <= finished.saturating_add(1) {
                return Ok(Some(()));
            }
            // While turns finish, the one before this is alive: it waits too.
            if finished_before < finished {
                (finished_before, since) = (finished, slept);
            }
            let next: Option<Turn> = document::find(self.kv, &keys::turn(&turns, finished + 1)).await?;
            let findings = next.map_or(0, |next| next.findings);
            let wait = WAIT.saturating_add(WAIT_FOR_A_FINDING.saturating_mul(findings));
            // The later the turn, the longer the wait: the turns before this one stop waiting first.
            let before = u32::try_from(n - 1 - finished).unwrap_or(u32::MAX);
            Ok::<_, Problem>((slept.saturating_sub(since) >= wait.saturating_mul(before)).then_some(()))
        })
        .await?;
        Ok(n)
    }

    /// Finishes a turn, so that the next one goes on.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn finish_turn(&self, request: &ScanRequest, tool: &ScannerId, n: u64) -> Result<(), Problem> {
        let turns = turns_key(request, tool);
        // A scan that nobody waits for any more may finish late, and must not stop later ones.
        if last_finished(self.kv, &turns).await? < n {
            document::put(self.kv, &keys::turns_done(&turns), &TurnsDone { v: 1, n }).await?;
        }
        self.kv.delete(&keys::turn(&turns, n)).await?;
        Ok(())
    }
}

async fn last_finished(kv: &impl Kv, turns: &str) -> Result<u64, Problem> {
    let done: Option<TurnsDone> = document::find(kv, &keys::turns_done(turns)).await?;
    Ok(done.map_or(0, |done| done.n))
}
