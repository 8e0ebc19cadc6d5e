//! The scan of an `Idempotency-Key`. A key belongs to one subject and one target, and holds for some days.

use crate::ingest::Ingest;
use api::Problem;
use domain::ids::{ScanId, Subject};
use domain::limits::IDEMPOTENCY_KEY_DAYS;
use domain::scan::{ScanRecord, ScanRequest};
use store::kv::Kv;
use store::scans::Frozen;

impl<K: Kv, V> Ingest<'_, K, V> {
    /// The id of the scan that this subject uploads under a key, and the scan, if it is frozen already.
    ///
    /// When the key of a scan no longer holds, the id of the next scan is derived from it. So retries that come at once
    /// find the same, and a key may be used again and again.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn scan_of_key(
        &self,
        subject: &Subject,
        request: &ScanRequest,
        key: &str,
    ) -> Result<(ScanId, Option<Frozen>), Problem> {
        let first = ScanId::of_idempotency_key(subject, &request.project, &request.target, key);
        let mut scan = first;
        while let Some(frozen) = Frozen::find(self.kv, scan).await? {
            if self.is_held_by_key(&frozen.record) {
                return Ok((scan, Some(frozen)));
            }
            scan = ScanId::of_key_again(scan);
        }
        if scan == first {
            // A retry of an upload to an earlier version.
            let earlier = ScanId::of_first_idempotency_key(&request.project, key);
            let frozen = Frozen::find(self.kv, earlier).await?.filter(|frozen| {
                let record = &frozen.record;
                record.by.subject == *subject && record.request.target == request.target && self.is_held_by_key(record)
            });
            if frozen.is_some() {
                return Ok((earlier, frozen));
            }
        }
        Ok((scan, None))
    }

    fn is_held_by_key(&self, record: &ScanRecord) -> bool {
        self.now < record.received.plus_days(IDEMPOTENCY_KEY_DAYS)
    }
}
