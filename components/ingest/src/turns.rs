//! Turns: scans of one variant by one tool are compared one after the other, so that two uploads at once answer as if
//! one had come after the other.
//!
//! A scan takes a number when its report is parsed, and its reference scan is chosen only when the scans before it have
//! finished, or their uploads show no sign of life any more (`life.rs`).

use crate::ingest::Ingest;
use crate::life::{DEAD_AFTER, Signs};
use api::internal::{Count, Services};
use api::problem::Problem;
use domain::ids::{ScannerId, TargetId};
use domain::scan::ScanRequest;
use std::time::Duration;
use store::kv::Kv;
use store::records::{SignOfLife, TurnsDone};
use store::{document, keys, poll};

/// The longest wait for a turn, even if the uploads before are alive. A request lives for 30 seconds.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);
/// The time between two looks at the signs of life.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The time without a new sign of life of an upload after which those before it are looked at too: if it lives, it
/// waits for them itself.
const SUSPECT_AFTER: Duration = Duration::from_millis(750);

/// The queue of the scans of one variant by one tool.
pub(crate) struct Turns<'a, K, V> {
    kv: &'a K,
    services: &'a V,
    count: Count,
    /// The start of the queue's keys.
    key: String,
    signs: Signs,
    /// When the signs of life were last looked at.
    looked: Option<Duration>,
}

impl<K, V> Ingest<'_, K, V> {
    /// The queue of the scans of this variant and tool.
    pub(crate) fn turns(&self, request: &ScanRequest, tool: &ScannerId) -> Turns<'_, K, V> {
        let target: TargetId = request.target_id();
        let key = keys::turns(target, &request.variant, tool);
        let count = Count::Turn { target, variant: request.variant.clone(), tool: tool.clone() };
        Turns { kv: self.kv, services: self.services, count, key, signs: Signs::default(), looked: None }
    }
}

impl<K: Kv, V: Services> Turns<'_, K, V> {
    /// Takes a turn. It is [waited for](Self::wait) with a sign of life under [`sign`](Self::sign), and
    /// [finished](Self::finish) in the end.
    ///
    /// # Errors
    /// The ledger failed.
    pub(crate) async fn take(&self) -> Result<u64, Problem> {
        self.services.count(&self.count).await
    }

    /// Takes a turn and gives it up. Returns its number: all turns before it exist, and can be looked at.
    ///
    /// # Errors
    /// The store or the ledger failed.
    pub(crate) async fn take_and_give_up(&self) -> Result<u64, Problem> {
        let n = self.take().await?;
        document::put(self.kv, &self.sign(n), &SignOfLife::given_up()).await?;
        Ok(n)
    }

    /// The key of the sign of life of the upload that has a turn.
    pub(crate) fn sign(&self, n: u64) -> String {
        keys::turn(&self.key, n)
    }

    /// Waits until a turn has come.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn wait(&mut self, n: u64) -> Result<(), Problem> {
        poll::until(self.services, WAIT_MAX, async |_| Ok::<_, Problem>(self.has_come(n).await?.then_some(()))).await?;
        Ok(())
    }

    /// True if a turn has come: those before it are finished or given up, or their uploads are dead.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn has_come(&mut self, n: u64) -> Result<bool, Problem> {
        let finished = last_finished(self.kv, &self.key).await?;
        if n <= finished.saturating_add(1) {
            return Ok(true);
        }
        let (now, first) = (self.services.now(), self.looked.is_none());
        if self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK_EVERY) {
            return Ok(false);
        }
        self.looked = Some(now);
        let mut all_dead = true;
        for before in (finished + 1..n).rev() {
            let seen = self.signs.look(self.kv, self.services, self.sign(before)).await?;
            all_dead &= seen.given_up || DEAD_AFTER <= seen.silent;
            // The first look is at all of them, so that their silence is measured from now on.
            if !first && !seen.given_up && seen.silent < SUSPECT_AFTER {
                return Ok(false);
            }
        }
        Ok(all_dead)
    }

    /// Finishes a turn that has come, so that the next one goes on.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn finish(&self, n: u64) -> Result<(), Problem> {
        // A scan that nobody waits for any more may finish late, and must not stop later ones.
        let last = last_finished(self.kv, &self.key).await?;
        if n <= last {
            return Ok(());
        }
        document::put(self.kv, &keys::turns_done(&self.key), &TurnsDone { v: 1, n }).await?;
        // What dead uploads left.
        for before in last + 1..n {
            self.kv.delete(&self.sign(before)).await?;
        }
        Ok(())
    }
}

async fn last_finished(kv: &impl Kv, turns: &str) -> Result<u64, Problem> {
    let done: Option<TurnsDone> = document::find(kv, &keys::turns_done(turns)).await?;
    Ok(done.map_or(0, |done| done.n))
}
