//! The scans in which issues and occurrences were first seen.

use api::Problem;
use api::v1::FirstSeen;
use domain::comparison::Origin;
use domain::time::Timestamp;
use store::kv::Kv;
use store::scans::{Compared, Frozen};

/// The scans that saw the issues and occurrences of a scan first.
pub(crate) struct FirstScans {
    origins: Vec<Origin>,
    /// The time at which the scan itself was received.
    received: Timestamp,
}

impl FirstScans {
    /// Reads the first scans of a compared scan.
    pub(crate) async fn read(kv: &impl Kv, frozen: &Frozen, compared: &Compared) -> Result<Self, Problem> {
        let origins = compared.origins(kv, frozen.record.id).await?;
        Ok(Self { origins, received: frozen.record.received })
    }

    /// The first scan at this index of the scan's list of origins.
    pub(crate) fn get(&self, index: u32) -> Result<FirstSeen, Problem> {
        let origin = usize::try_from(index).ok().and_then(|at| self.origins.get(at));
        let origin = origin.ok_or_else(|| Problem::internal(format!("the scan has no origin at index {index}")))?;
        Ok(FirstSeen::new(origin, self.received))
    }
}
