//! The parts of a scan that are compared, read from the results of its stages.

use crate::kv::{Kv, KvError};
use crate::scans::{Compared, Frozen, Grouped};
use domain::comparison::{ComparedScan, ScanContents};
use domain::grouping::ComparableIssue;
use domain::ids::ScanId;
use domain::signature::ComparableFinding;
use std::collections::{BTreeMap, BTreeSet};

/// A scan's stored results, without their lists.
#[derive(Debug)]
pub struct StoredScan {
    /// The parameters and the findings.
    pub frozen: Frozen,
    /// The issues and occurrences.
    pub grouped: Grouped,
    /// The identities of issues and occurrences.
    pub compared: Compared,
}

impl StoredScan {
    /// Reads the results of a scan that was compared.
    ///
    /// # Errors
    /// The store failed, or a stage is not finished.
    pub async fn read(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
        Ok(Self { frozen, grouped, compared: Compared::get(kv, scan).await? })
    }

    /// The number of occurrences.
    pub fn occurrence_count(&self) -> usize {
        usize::try_from(self.grouped.occurrences.records).unwrap_or(usize::MAX)
    }

    /// Reads what the matcher needs to compare another scan with this one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn as_reference(&self, kv: &impl Kv) -> Result<ComparedScan, KvError> {
        let (scan, compared) = (self.frozen.record.id, &self.compared);
        Ok(ComparedScan {
            contents: read_contents(kv, scan, &self.grouped).await?,
            issues: compared.issues_as(kv, scan).await?,
            occurrences: compared.occurrences_as(kv, scan).await?,
            origins: compared.origins(kv, scan).await?,
        })
    }
}

/// Reads the issues, occurrences and names of a scan: one side of a comparison.
///
/// # Errors
/// The store failed.
pub async fn read_contents(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<ScanContents, KvError> {
    let issues = grouped.issues_as::<ComparableIssue>(kv, scan).await?;
    let (occurrences, names) = (grouped.occurrences(kv, scan).await?, grouped.names(kv, scan).await?);
    Ok(ScanContents { issues, occurrences, names })
}

/// Reads the code of these results, normalised for comparison. Results without code are left out.
///
/// # Errors
/// The store failed, or a result became no finding.
pub async fn code_by_result(
    kv: &impl Kv,
    frozen: &Frozen,
    results: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, String>, KvError> {
    let mut codes = BTreeMap::new();
    frozen
        .each_finding_at(kv, results, |finding| {
            codes.extend(ComparableFinding::of(&finding).code.map(|code| (finding.result, code)));
        })
        .await?;
    Ok(codes)
}
