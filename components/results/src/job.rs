//! The job of a query about scans: its inputs, and the steps that several queries share. Queries read the stored
//! results of the stages, and change nothing.

use api::Problem;
use api::auth::Identity;
use api::internal::Hold;
use api::v1::ScanAnswer;
use domain::exemption::EffectiveExemptions;
use domain::ids::{IssueId, ProjectId, ScanId};
use domain::time::Timestamp;
use std::any::Any;
use std::collections::BTreeSet;
use store::kv::{Kv, KvError};
use store::scans::{Answered, Frozen, Grouped};
use store::{document, judging, keys};

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
        let answered: Option<Answered<ScanAnswer>> = document::find(self.kv, &keys::answer(scan)).await?;
        let answer = answered.map(|answered| answered.answer);
        let visible = answer.filter(|answer| answer.scan.is_visible_to(&self.caller, &self.project));
        visible.ok_or_else(|| Problem::not_found(format!("project `{}` has no finished scan {scan}", self.project)))
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
        let record = &frozen.record;
        let own = judging::exemptions(self.kv, &record.request.project, self.now).await?;
        Ok(judging::effective_exemptions(self.kv, record, &own, names, self.now).await?)
    }
}
