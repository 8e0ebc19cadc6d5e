//! Freezes a scan: writes everything that its stages depend on, once.

use crate::ingest::Ingest;
use crate::life::{DEAD_AFTER, First, Signs};
use crate::turns::{Turns, WAIT_MAX};
use api::internal::{Count, Services};
use api::problem::Problem;
use domain::ids::ScanId;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, keys, poll};

/// The result of claiming a scan.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// This request has to freeze the scan, with [`Ingest::freeze_claimed`], while it shows signs of life under
    /// [`keys::scan_claim`], the first of them as this says.
    Own(First),
    /// Another request has frozen it.
    Frozen(Box<Frozen>),
}

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Claims a scan that several requests may freeze. If another request claimed it before, waits until that one has
    /// frozen it or is dead. The turns are looked at meanwhile: whoever died with the claim need not be waited for a
    /// second time.
    ///
    /// # Errors
    /// The store or the ledger failed.
    pub(crate) async fn claim(
        &self,
        scan: ScanId,
        mut turns: Option<&mut Turns<'_, K, V>>,
    ) -> Result<Claimed, Problem> {
        if self.services.count(&Count::Claim { scan }).await? == 1 {
            return Ok(Claimed::Own(First::Later));
        }
        let last = match &turns {
            Some(turns) => turns.take_and_give_up().await?,
            None => 0,
        };
        let mut signs = Signs::default();
        let claimed = poll::until(self.services, WAIT_MAX, async |_| {
            if let Some(frozen) = Frozen::find(self.kv, scan).await? {
                return Ok(Some(Claimed::Frozen(Box::new(frozen))));
            }
            if let Some(turns) = &mut turns {
                turns.has_come(last).await?;
            }
            let claim = signs.look(self.kv, self.services, keys::scan_claim(scan)).await?;
            Ok::<_, Problem>((DEAD_AFTER <= claim.silent).then_some(Claimed::Own(First::AtOnce)))
        });
        Ok(claimed.await?.unwrap_or(Claimed::Own(First::AtOnce)))
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
