//! The answer to the upload of a scan, for callers that may see it.

use crate::auth::Identity;
use crate::problem::Problem;
use crate::v1::ScanAnswer;
use domain::ids::{ProjectId, ScanId};
use store::kv::{Kv, KvError};
use store::scans::Answered;
use store::{document, keys};

/// Reads the answer to the upload of a scan. Absent if the scan is not a finished one of the project, or of a target
/// that the caller may not see.
///
/// # Errors
/// The store failed.
pub async fn find_answer(
    kv: &impl Kv,
    caller: &Identity,
    project: &ProjectId,
    scan: ScanId,
) -> Result<Option<ScanAnswer>, KvError> {
    let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(scan)).await?;
    Ok(answered.map(|answered| answered.answer).filter(|answer| answer.scan.is_visible_to(caller, project)))
}

/// Reads the answer to the upload of a scan.
///
/// # Errors
/// The scan does not exist in the project, is not finished, or is of a target that the caller may not see; or the store
/// failed.
pub async fn scan_answer(
    kv: &impl Kv,
    caller: &Identity,
    project: &ProjectId,
    scan: ScanId,
) -> Result<ScanAnswer, Problem> {
    let answer = find_answer(kv, caller, project, scan).await?;
    answer.ok_or_else(|| Problem::not_found(format!("project `{project}` has no finished scan {scan}")))
}
