//! The parts of a scan that are compared, read from the results of its stages.

use crate::kv::{Kv, KvError};
use crate::scans::{Compared, Frozen, Grouped, issues_list};
use crate::segments::Reader;
use domain::blind_spots::RuleAndTool;
use domain::comparison::{ComparedScan, JoinedScan, ScanContents};
use domain::grouping::{ComparableIssue, IssueKey};
use domain::ids::ScanId;
use domain::signature::ComparableFinding;
use finding::Finding;
use serde::Deserialize;
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
    /// The remainder: the occurrences that the scan did not see. It is stored as a scan of its own.
    pub remainder: Option<Box<Self>>,
}

impl StoredScan {
    /// Reads the results of a scan that was compared.
    ///
    /// # Errors
    /// The store failed, or a stage is not finished.
    pub async fn read(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        let mut stored = Self::without_remainder(kv, scan).await?;
        if let Some(remainder) = stored.compared.remainder_of(scan) {
            stored.remainder = Some(Box::new(Self::without_remainder(kv, remainder).await?));
        }
        Ok(stored)
    }

    async fn without_remainder(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
        Ok(Self { frozen, grouped, compared: Compared::get(kv, scan).await?, remainder: None })
    }

    /// The number of occurrences, with those of the remainder.
    pub fn occurrence_count(&self) -> usize {
        let own = usize::try_from(self.grouped.occurrences.records).unwrap_or(usize::MAX);
        own.saturating_add(self.remainder.as_ref().map_or(0, |remainder| remainder.occurrence_count()))
    }

    /// The number of issues, with those of the remainder.
    pub fn issue_count(&self) -> usize {
        let own = usize::try_from(self.grouped.issues.records).unwrap_or(usize::MAX);
        own.saturating_add(self.remainder.as_ref().map_or(0, |remainder| remainder.issue_count()))
    }

    /// The number of results in the report. Results of the remainder are numbered from it on.
    pub fn results(&self) -> u32 {
        u32::try_from(self.frozen.report.summary.results).unwrap_or(u32::MAX)
    }

    /// Reads what the matcher needs to compare another scan with this one. `rules`: also the rule and tool of each
    /// issue.
    ///
    /// # Errors
    /// The store failed.
    pub async fn as_reference(&self, kv: &impl Kv, rules: bool) -> Result<JoinedScan, KvError> {
        let own = self.as_compared(kv, rules).await?;
        let remainder = match &self.remainder {
            Some(remainder) => remainder.as_compared(kv, rules).await?,
            None => ComparedScan::default(),
        };
        Ok(JoinedScan::new(own, remainder, self.results()))
    }

    async fn as_compared(&self, kv: &impl Kv, rules: bool) -> Result<ComparedScan, KvError> {
        let (scan, compared) = (self.frozen.record.id, &self.compared);
        Ok(ComparedScan {
            contents: read_contents(kv, scan, &self.grouped).await?,
            issues: compared.issues_as(kv, scan).await?,
            occurrences: compared.occurrences_as(kv, scan).await?,
            origins: compared.origins(kv, scan).await?,
            rules: if rules { read_rules(kv, scan, &self.grouped).await? } else { Vec::new() },
        })
    }

    /// Reads the findings at these positions in the report, or in the remainder, and passes them to `each` one by one.
    /// Each has the number of its result in the joined scan.
    ///
    /// # Errors
    /// The store failed, or a result became no finding.
    pub async fn each_finding_at(
        &self,
        kv: &impl Kv,
        results: &BTreeSet<u32>,
        mut each: impl FnMut(Finding),
    ) -> Result<(), KvError> {
        let Some(remainder) = &self.remainder else { return self.frozen.each_finding_at(kv, results, each).await };
        let first = self.results();
        self.frozen.each_finding_at(kv, &results.range(..first).copied().collect(), &mut each).await?;
        let rest: BTreeSet<u32> = results.range(first..).map(|result| result - first).collect();
        let numbered = |finding: Finding| each(Finding { result: finding.result.saturating_add(first), ..finding });
        remainder.frozen.each_finding_at(kv, &rest, numbered).await
    }

    /// Reads the code of these results of the joined scan, normalised for comparison. Results without code are left
    /// out.
    ///
    /// # Errors
    /// The store failed, or a result became no finding.
    pub async fn code_by_result(
        &self,
        kv: &impl Kv,
        results: &BTreeSet<u32>,
    ) -> Result<BTreeMap<u32, String>, KvError> {
        let mut codes = BTreeMap::new();
        self.each_finding_at(kv, results, |finding| codes.extend(code_of(&finding))).await?;
        Ok(codes)
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

/// The fields of an issue that a blind spot over a rule or tool needs.
#[derive(Deserialize)]
struct KeyAndRule {
    key: IssueKey,
    rule: String,
}

async fn read_rules(kv: &impl Kv, scan: ScanId, grouped: &Grouped) -> Result<Vec<RuleAndTool>, KvError> {
    let list = issues_list(scan);
    let mut reader = Reader::open(kv, &list, &grouped.issues, 0).await?;
    let mut rules = Vec::new();
    while let Some(KeyAndRule { key, rule }) = reader.next().await? {
        rules.push(RuleAndTool { rule, tool: key.product().unwrap_or_default().to_owned() });
    }
    Ok(rules)
}

/// Reads the code of these results of a scan that is not compared yet, normalised for comparison. Results without code
/// are left out.
///
/// # Errors
/// The store failed, or a result became no finding.
pub async fn code_by_result(
    kv: &impl Kv,
    frozen: &Frozen,
    results: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, String>, KvError> {
    let mut codes = BTreeMap::new();
    frozen.each_finding_at(kv, results, |finding| codes.extend(code_of(&finding))).await?;
    Ok(codes)
}

fn code_of(finding: &Finding) -> Option<(u32, String)> {
    Some((finding.result, ComparableFinding::of(finding).code?))
}
