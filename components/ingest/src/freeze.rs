//! Freezes a scan: writes everything that its stages depend on, once.

use crate::ingest::Ingest;
use crate::turns;
use api::internal::{Count, Services};
use api::problem::Problem;
use domain::ids::ScanId;
use std::time::Duration;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, keys, poll};

/// The time that the first request to claim a scan may need to freeze it, apart from the wait for its turn.
const FREEZE_WAIT: Duration = Duration::from_secs(2);

impl<K: Kv, S, V: Services> Ingest<'_, K, S, V> {
    /// Claims a scan that several requests may freeze. If another request claimed it before, waits until that one has
    /// frozen it. Returns `None` if this request has to freeze it, with [`freeze_claimed`](Self::freeze_claimed): it is the
    /// first, or the others seem to have died.
    ///
    /// # Errors
    /// The store or the ledger failed.
    pub(crate) async fn claim(&self, scan: ScanId) -> Result<Option<Frozen>, Problem> {
        if self.services.count(&Count::Claim { scan }).await? == 1 {
            return Ok(None);
        }
        let wait = FREEZE_WAIT.saturating_add(turns::WAIT_MAX);
        Ok(poll::until(self.services, wait, async |_| Frozen::find(self.kv, scan).await).await?)
    }

    /// Freezes a claimed scan, unless another request has frozen it by now. Returns the frozen scan.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn freeze_claimed(&self, own: &Frozen) -> Result<Frozen, Problem> {
        let scan = own.record.id;
        if let Some(frozen) = Frozen::find(self.kv, scan).await? {
            return Ok(frozen);
        }
        self.freeze(own).await?;
        Ok(Frozen::get(self.kv, scan).await?)
    }

    /// Freezes a scan that no other request can freeze.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn freeze(&self, own: &Frozen) -> Result<(), Problem> {
        Ok(document::put(self.kv, &keys::scan(own.record.id), own).await?)
    }
}
