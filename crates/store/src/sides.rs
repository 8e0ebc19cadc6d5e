//! Scans as they are compared, read back from their stages' results.

use crate::kv::{Kv, KvError};
use crate::scans::{Compared, Frozen, Grouped};
use domain::comparison::{ComparedScan, ScanContents};
use domain::grouping::ComparableIssue;
use domain::ids::ScanId;
use domain::signature::ComparableFinding;
use std::collections::{BTreeMap, BTreeSet};

/// A scan's stored results, without their lists.
#[derive(Debug)]
pub struct Stored {
    /// Its parameters and findings.
    pub frozen: Frozen,
    /// Its issues and occurrences.
    pub grouped: Grouped,
    /// Their identities.
    pub compared: Compared,
}

impl Stored {
    /// Reads the results of a scan that was compared.
    pub async fn of(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
        Ok(Self { frozen, grouped, compared: Compared::get(kv, scan).await? })
    }

    /// How many occurrences it has.
    pub fn occurrences(&self) -> usize {
        usize::try_from(self.grouped.occurrences.records).unwrap_or(usize::MAX)
    }

    /// What another scan is recognised in.
    pub async fn known(&self, kv: &impl Kv) -> Result<ComparedScan, KvError> {
        let (scan, compared) = (self.frozen.record.id, &self.compared);
        Ok(ComparedScan {
            contents: side(kv, scan, &self.grouped).await?,
            issues: compared.issues_as(kv, scan).await?,
            occurrences: compared.occurrences_as(kv, scan).await?,
            origins: compared.origins(kv, scan).await?,
        })
    }
}

/// What a scan found.
pub async fn side(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<ScanContents, KvError> {
    let issues = grouped.issues_as::<ComparableIssue>(kv, scan).await?;
    let (occurrences, names) = (grouped.occurrences(kv, scan).await?, grouped.names(kv, scan).await?);
    Ok(ScanContents { issues, occurrences, names })
}

/// The code of these results of a scan, as it is compared.
pub async fn codes(kv: &impl Kv, frozen: &Frozen, results: &BTreeSet<u32>) -> Result<BTreeMap<u32, String>, KvError> {
    let mut codes = BTreeMap::new();
    frozen
        .each_finding_at(kv, results, |finding| {
            codes.extend(ComparableFinding::of(&finding).code.map(|code| (finding.result, code)));
        })
        .await?;
    Ok(codes)
}
