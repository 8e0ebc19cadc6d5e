//! Retries of an upload whose scan another request froze. One request at a time completes a scan, so it is judged once
//! and has one answer. A retry waits for that answer, and takes the scan over if the other request is dead.

use crate::ingest::Ingest;
use crate::life::{DEAD_AFTER, Signs};
use crate::turns::WAIT_MAX;
use api::internal::Services;
use api::problem::{Code, Problem};
use api::v1::ScanAnswer;
use domain::ids::ScanId;
use store::kv::Kv;
use store::poll::PAUSE_MAX;
use store::records::SignOfLife;
use store::scans::Answered;
use store::{document, keys, poll};

/// The state of a scan that another request froze.
#[derive(Debug)]
pub(crate) enum Completion {
    /// It has its answer.
    Done(Box<ScanAnswer>),
    /// The request that completed it is dead. This request has to complete it, and has shown a sign of life.
    TakenOver,
}

impl<K: Kv, V: Services> Ingest<'_, K, V> {
    /// Waits for the answer to a scan that another request completes, or until that request is dead. `sign` is the key
    /// of its sign of life.
    ///
    /// # Errors
    /// The store failed, or the other request still works after [`WAIT_MAX`].
    pub(crate) async fn wait_for_completion(&self, scan: ScanId, sign: &str) -> Result<Completion, Problem> {
        let mut signs = Signs::default();
        let completed = poll::until(self.services, WAIT_MAX, async |_| {
            if let Some(answer) = self.find_answered(scan).await? {
                return Ok(Some(Completion::Done(Box::new(answer))));
            }
            let seen = signs.look(self.kv, self.services, sign.to_owned()).await?;
            let is_dead = DEAD_AFTER <= seen.silent;
            Ok::<_, Problem>(if is_dead { self.take_over(scan, sign).await? } else { None })
        });
        completed.await?.ok_or_else(|| {
            let detail = format!(
                "another request under the same `Idempotency-Key` is still at work on scan {scan}; nothing is lost, send \
                 the upload again"
            );
            Problem::new(Code::Unavailable, detail)
        })
    }

    /// Finds the answer to a scan.
    pub(crate) async fn find_answered(&self, scan: ScanId) -> Result<Option<ScanAnswer>, Problem> {
        let done: Option<Answered<ScanAnswer>> = document::find(self.kv, &keys::answer(scan)).await?;
        Ok(done.map(|done| done.answer))
    }

    /// Takes over a scan whose request is dead. Of several retries that try at once, the last to show its sign of life
    /// gets it.
    async fn take_over(&self, scan: ScanId, sign: &str) -> Result<Option<Completion>, Problem> {
        let beat = self.random.iter().take(8).fold(0, |beat, byte| beat << 8 | u64::from(*byte));
        let own = SignOfLife::beat(beat);
        document::put(self.kv, sign, &own).await?;
        self.services.sleep(PAUSE_MAX).await;
        if let Some(answer) = self.find_answered(scan).await? {
            self.kv.delete(sign).await?;
            return Ok(Some(Completion::Done(Box::new(answer))));
        }
        let shown: Option<SignOfLife> = document::find(self.kv, sign).await?;
        Ok((shown == Some(own)).then_some(Completion::TakenOver))
    }
}
