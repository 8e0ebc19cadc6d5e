//! Groups the findings of a scan into issues and occurrences.

use api::Problem;
use api::internal::Hold;
use domain::grouping::Grouper;
use domain::ids::ScanId;
use domain::settings::ToolSuppressions;
use finding::Finding;
use store::keys;
use store::kv::Kv;
use store::scans::{Frozen, Grouped, write_list};
use store::segments::Reader;

/// The memory that grouping needs for each finding, in bytes.
const BYTES_PER_FINDING: usize = 500;

/// Runs the stage, unless its result is stored. The result depends on the scan's findings only, so a repeated run
/// writes the same. `hold` waits for a share of memory.
///
/// # Errors
/// The store failed, or the scan is not parsed yet.
pub async fn run(kv: &impl Kv, scan: ScanId, hold: Hold) -> Result<(), Problem> {
    if Grouped::find(kv, scan).await?.is_some() {
        return Ok(());
    }
    let frozen = Frozen::get(kv, scan).await?;
    let findings = usize::try_from(frozen.findings.records).unwrap_or(usize::MAX);
    let _share = hold(findings.saturating_mul(BYTES_PER_FINDING)).await;
    let honoured = frozen.record.settings.tool_suppressions == ToolSuppressions::Honoured;
    let mut grouper = Grouper::new(frozen.record.tool.clone(), findings);
    let list = frozen.list();
    let mut reader = Reader::open(kv, &list, &frozen.findings, 0).await?;
    while let Some(finding) = reader.next::<Finding>().await? {
        if !(honoured && finding.suppressed.is_some()) {
            grouper.push(finding);
        }
    }
    let (issues, occurrences, names) = grouper.finish();
    let document = keys::grouped(scan);
    let issues = write_list(kv, &document, "issues", issues).await?;
    let occurrences = write_list(kv, &document, "occurrences", occurrences).await?;
    let names = write_list(kv, &document, "names", names).await?;
    Grouped { v: 2, issues, occurrences, names }.put(kv, scan).await?;
    Ok(())
}
