//! The job of a query about scans: its inputs, and the steps that several queries share. Queries read the stored
//! results of the stages, and change nothing.

use api::Problem;
use api::auth::Identity;
use api::internal::Hold;
use api::scan_answer::scan_answer;
use api::v1::ScanAnswer;
use domain::exemption::EffectiveExemptions;
use domain::ids::{IssueId, ProjectId, ScanId};
use domain::time::Timestamp;
use std::any::Any;
use std::collections::BTreeSet;
use store::judging;
use store::kv::{Kv, KvError};
use store::scans::{Frozen, Grouped};

/// The memory that a query takes for each issue of its scan, in bytes: its occurrences' range, and how it compares.
const BYTES_PER_ISSUE: usize = 150;

/// A query about the scans of a project.
pub struct ResultsJob<'a, K> {
    /// The store.
    pub kv: &'a K,
    /// The time at which the query began.
    pub now: Timestamp,
    /// The project.
    pub project: ProjectId,
    /// The caller.
    pub caller: Identity,
    /// Waits for a share of memory.
    pub hold: Hold,
}

impl<K: Kv> ResultsJob<'_, K> {
    /// The answer to the upload of a scan.
    ///
    /// # Errors
    /// The scan does not exist in the project, is not finished, or is of a target that the caller may not see.
    pub async fn scan(&self, scan: ScanId) -> Result<ScanAnswer, Problem> {
        scan_answer(self.kv, &self.caller, &self.project, scan).await
    }

    /// Waits for the memory that a query takes for all issues of a scan.
    pub(crate) async fn hold_issues(&self, grouped: &Grouped) -> Box<dyn Any> {
        let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
        (self.hold)(records.saturating_mul(BYTES_PER_ISSUE)).await
    }

    /// The exemptions that are effective now for a scan that was judged. `names` returns all ids of the issues of the
    /// scan that are read.
    pub(crate) async fn effective_now(
        &self,
        frozen: &Frozen,
        names: impl AsyncFnOnce() -> Result<BTreeSet<IssueId>, KvError>,
    ) -> Result<EffectiveExemptions, Problem> {
        let own = judging::exemptions(self.kv, &frozen.record.request.project, self.now).await?;
        Ok(judging::effective_exemptions(self.kv, &frozen.record, &own, names, self.now).await?)
    }
}
