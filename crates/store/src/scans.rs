//! The stored results of a scan's stages: one document per stage, written once, with its lists.
//!
//! | document | written by | contains |
//! |---|---|---|
//! | [`Frozen`] | ingest | everything that the stages depend on, and the findings |
//! | [`Grouped`] | fingerprint | issues and occurrences |
//! | [`Compared`] | baseline | the buckets of issues, and the identities of occurrences |
//! | [`GateResult`] | gate | the verdict, and the effective exemptions |
//! | [`Answered`] | ingest | the answer to the upload; if it exists, the scan counts |

use crate::document;
use crate::keys;
use crate::kv::{Kv, KvError};
use crate::segments::{Manifest, Reader, Writer, read, read_all, read_at};
use domain::blind_spots::ComparedSpot;
use domain::comparison::{ComparedIssue, Origin, TrackedOccurrence};
use domain::digest::Short;
use domain::exemption::{Coverage, Reviewed};
use domain::gate::Judgement;
use domain::grouping::{Issue, PathOrVersion};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, ScanId};
use domain::listing::PackedIssue;
use domain::scan::{ParsedReport, ScanRecord};
use domain::time::Timestamp;
use domain::tracking::ComparableOccurrence;
use finding::severity::{Score, Severity};
use finding::{Examined, Finding, Kind, Scored};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is frozen before the stages run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// The parameters.
    pub record: ScanRecord,
    /// The counts and metadata of the parsed report.
    pub report: ParsedReport,
    /// The attempt whose segments belong to the scan: several uploads may begin under one `Idempotency-Key`.
    pub attempt: String,
    /// The raw report.
    pub raw: RawReport,
    /// The number of the sidecar's segments; absent without a sidecar or if it was removed. The segments are encrypted
    /// with the raw report's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<u32>,
    /// The findings, in the order of the report.
    pub findings: Manifest,
    /// For a replay of the stored findings: the scan whose segments contain them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub findings_of: Option<ScanId>,
}

/// The state of a raw report, and the key of its encrypted segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum RawReport {
    /// Stored, with its key in clear: no `storage_key` is set, and no secret was found in the report.
    Kept {
        /// The number of segments.
        segments: u32,
        /// The key as 64 hexadecimal digits.
        key: String,
    },
    /// Stored, with its key encrypted under the installation's `storage_key`.
    Locked {
        /// The number of segments.
        segments: u32,
        /// The salt of the storage key as hexadecimal digits.
        salt: String,
        /// The encrypted key as hexadecimal digits.
        key: String,
    },
    /// Removed after parsing: it contained secrets, and no `storage_key` is set.
    Removed,
    /// Stored with the original scan: the scan is a replay.
    OfOriginal,
}

/// The name of the list of an attempt's findings.
pub fn findings_list(scan: ScanId, attempt: &str) -> String {
    format!("{}:{attempt}", keys::findings(scan))
}

impl Frozen {
    /// Reads a scan's parameters, if the scan is frozen.
    pub async fn find(kv: &impl Kv, scan: ScanId) -> Result<Option<Self>, KvError> {
        document::find(kv, &keys::scan(scan)).await
    }

    /// Reads a scan's parameters.
    pub async fn get(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        document::get(kv, &keys::scan(scan)).await
    }

    /// The name of the list of the findings.
    pub fn list(&self) -> String {
        findings_list(self.findings_of.unwrap_or(self.record.id), &self.attempt)
    }

    /// Reads the findings at these positions in the report.
    pub async fn findings_at(&self, kv: &impl Kv, places: &BTreeSet<u32>) -> Result<BTreeMap<u32, Finding>, KvError> {
        let mut found = BTreeMap::new();
        self.each_finding_at(kv, places, |finding| {
            found.insert(finding.result, finding);
        })
        .await?;
        Ok(found)
    }

    /// Reads the findings at these positions in the report, and passes them to `each` one by one.
    pub async fn each_finding_at(
        &self,
        kv: &impl Kv,
        places: &BTreeSet<u32>,
        mut each: impl FnMut(Finding),
    ) -> Result<(), KvError> {
        let list = self.list();
        let mut reader: Option<Reader<'_, _>> = None;
        let mut at: u32 = 0;
        for place in places {
            // The position of a finding in the list is its position in the report, minus the results before it that did
            // not become findings.
            let others = self.report.summary.results.saturating_sub(u64::from(self.findings.records));
            let lowest = place.saturating_sub(u32::try_from(others).unwrap_or(u32::MAX));
            let open = match reader.take() {
                Some(open) if lowest <= at.saturating_add(SKIP_RECORDS_MAX) => open,
                _ => {
                    at = lowest;
                    Reader::open(kv, &list, &self.findings, lowest).await?
                }
            };
            let open = reader.insert(open);
            let mut found = false;
            while let Some(line) = open.line().await? {
                at += 1;
                let FindingPosition { result } = document::decode(&list, line)?;
                if result == *place {
                    each(document::decode(&list, line)?);
                    found = true;
                    break;
                }
            }
            if !found {
                return Err(KvError::Missing { key: format!("{list} result {place}") });
            }
        }
        Ok(())
    }
}

/// The maximum number of findings to skip by reading before the reader jumps to the next wanted one.
const SKIP_RECORDS_MAX: u32 = 1000;

/// The position of a finding's result in the report.
#[derive(Deserialize)]
struct FindingPosition {
    result: u32,
}

/// The result of the fingerprint stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouped {
    /// The format's version: 2.
    pub v: u8,
    /// The issues, the most severe first.
    pub issues: Manifest,
    /// The occurrences, sorted by issue.
    pub occurrences: Manifest,
    /// The paths and versions of the occurrences.
    pub names: Manifest,
}

/// The result of the baseline stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The format's version: 3. Version 2 has no blind spots and no remainder.
    pub v: u8,
    /// The issues' buckets, in the order of [`Grouped::issues`].
    pub issues: Manifest,
    /// The occurrences' identities, in the order of [`Grouped::occurrences`].
    pub occurrences: Manifest,
    /// The remediated issues.
    pub remediated: Manifest,
    /// The first scans with each issue and occurrence.
    pub origins: Manifest,
    /// The blind spots of the scan and of its reference scan.
    #[serde(skip_serializing_if = "is_default", default)]
    pub blind_spots: Manifest,
    /// The number of issues in the [remainder](crate::remainder); 0 if the scan has no remainder.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub remainder: u32,
    /// The numbers that the next scan should examine: those of this scan, or of an earlier one, if this scan examined
    /// too little.
    #[serde(skip_serializing_if = "is_default", default)]
    pub expected: Examined,
}

impl Compared {
    /// Returns the id under which the remainder is stored, if there is one.
    pub fn remainder_of(&self, scan: ScanId) -> Option<ScanId> {
        (self.remainder > 0).then(|| ScanId::of_remainder(scan))
    }

    /// Reads the results of the remainder, if there is one, with its id.
    pub async fn read_remainder(&self, kv: &impl Kv, scan: ScanId) -> Result<Option<(ScanId, Grouped, Self)>, KvError> {
        match self.remainder_of(scan) {
            Some(id) => Ok(Some((id, Grouped::get(kv, id).await?, Self::get(kv, id).await?))),
            None => Ok(None),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A remediated issue, as in the reference scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remediated {
    /// The issue, with its id in the reference scan and the number of remediated occurrences.
    #[serde(flatten)]
    pub issue: Issue,
    /// The first scan with the issue, as a position in [`Compared::origins`].
    pub seen: u32,
}

/// The fields of a remediated issue that the gate needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RemediatedSpan {
    /// The issue's id in the reference scan.
    pub id: IssueId,
    /// The issue's kind.
    pub kind: Kind,
    /// The issue's score.
    #[serde(default)]
    pub score: Option<Scored>,
    /// The number of remediated occurrences.
    pub occurrences: u32,
}

/// The result of the gate stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// The format's version: 4. Version 3 has no issues of a remainder.
    pub v: u8,
    /// The time at which the scan was judged and exemptions were applied.
    pub at: Timestamp,
    /// The verdict, its reasons and counts.
    pub judgement: Judgement,
    /// The earliest end of the exemptions that exempt something in this scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<Timestamp>,
    /// The issues with an effective, pending or rejected exemption.
    pub standings: Manifest,
    /// The exempted occurrences of issues that are not exempted as a whole.
    pub exempted: Manifest,
    /// The occurrences that were exempted in another form, so that the exemption does not apply.
    pub returned: Manifest,
    /// The exemptions that do not apply because their issue is worse than what was judged. Version 4 without it has
    /// none.
    #[serde(skip_serializing_if = "is_default", default)]
    pub outgrown: Manifest,
    /// The fields for filtering of each issue, in the order of [`Grouped::issues`], then of each remediated issue, in
    /// the order of [`Compared::remediated`], then of each issue that only the remainder has.
    pub entries: Manifest,
    /// The additional ids of issues, each with the issue's position in [`Grouped::issues`].
    pub other_ids: Manifest,
}

/// The exemption state of an issue when its scan was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueExemptionState {
    /// The issue.
    pub issue: IssueId,
    /// The state.
    pub coverage: Coverage,
    /// The exemption that gives this state.
    pub exemption: ExemptionId,
    /// The number of exempted occurrences.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub exempted: u32,
    /// True if the whole issue was exempted, with future occurrences.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub whole: bool,
    /// For a partially exempted issue: the highest score of the occurrences that are not exempted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<Score>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// An exempted occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptedOccurrence {
    /// Its issue.
    pub issue: IssueId,
    /// The occurrence.
    pub occurrence: OccurrenceId,
    /// The exemption.
    pub exemption: ExemptionId,
}

/// An occurrence whose exemption does not apply to its current form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedOccurrence {
    /// Its issue.
    pub issue: IssueId,
    /// The occurrence with its current form.
    #[serde(flatten)]
    pub occurrence: Reviewed,
    /// The exemption.
    pub exemption: ExemptionId,
    /// The position of the issue in [`Grouped::issues`].
    #[serde(default)]
    pub at: u32,
    /// Its severity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity: Option<Severity>,
    /// Its form by the first version of forms, if that differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_form: Option<Short>,
}

/// An exemption that does not apply because its issue is worse than what was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgrownExemption {
    /// The exemption.
    pub exemption: ExemptionId,
    /// The issue.
    pub issue: IssueId,
    /// The position of the issue in [`Grouped::issues`].
    pub at: u32,
    /// The highest severity of what it exempted.
    pub severity: Severity,
}

/// The answer to an upload, with the number of the scan's event in the target's journal. Another event of the same scan
/// was appended by an upload that died before it could answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered<A> {
    /// The format's version: 1.
    pub v: u8,
    /// The number of the scan's event; 0 for a replay, which is in no journal.
    pub position: u64,
    /// The answer.
    pub answer: A,
}

macro_rules! lists {
    ($document:ident, $key:path, $($list:ident: $record:ty),*) => {
        impl $document {
            /// Reads the stage's result, if the stage is finished.
            pub async fn find(kv: &impl Kv, scan: ScanId) -> Result<Option<Self>, KvError> {
                document::find(kv, &$key(scan)).await
            }

            /// Reads the stage's result.
            pub async fn get(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
                document::get(kv, &$key(scan)).await
            }

            /// Writes the stage's result, after its lists.
            pub async fn put(&self, kv: &impl Kv, scan: ScanId) -> Result<(), KvError> {
                document::put(kv, &$key(scan), self).await
            }

            $(
                #[doc = concat!("Reads all records of the list `", stringify!($list), "`.")]
                pub async fn $list(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<$record>, KvError> {
                    read_all(kv, &list_of(&$key(scan), stringify!($list)), &self.$list).await
                }
            )*
        }
    };
}

lists!(Grouped, keys::grouped, occurrences: ComparableOccurrence, names: PathOrVersion);
lists!(
    Compared, keys::compared, issues: ComparedIssue, occurrences: TrackedOccurrence, remediated: RemediatedSpan,
    origins: Origin, blind_spots: ComparedSpot
);
lists!(
    GateResult, keys::judged, standings: IssueExemptionState, exempted: ExemptedOccurrence, returned: ReturnedOccurrence,
    outgrown: OutgrownExemption, entries: PackedIssue, other_ids: (IssueId, u32)
);

impl Grouped {
    /// Reads all issues as `T`, which contains only the required fields, to save memory.
    pub async fn issues_as<T: DeserializeOwned>(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<T>, KvError> {
        read_all(kv, &issues_list(scan), &self.issues).await
    }
}

impl Compared {
    /// Reads the comparison of all issues as `T`, which contains only the required fields.
    pub async fn issues_as<T: DeserializeOwned>(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<T>, KvError> {
        read_all(kv, &list_of(&keys::compared(scan), "issues"), &self.issues).await
    }

    /// Reads the comparison of all occurrences as `T`, which contains only the required fields.
    pub async fn occurrences_as<T: DeserializeOwned>(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<T>, KvError> {
        read_all(kv, &list_of(&keys::compared(scan), "occurrences"), &self.occurrences).await
    }
}

/// The name of the list of a scan's issues.
pub fn issues_list(scan: ScanId) -> String {
    list_of(&keys::grouped(scan), "issues")
}

/// The name of the list of a scan's occurrences.
pub fn occurrences_list(scan: ScanId) -> String {
    list_of(&keys::grouped(scan), "occurrences")
}

/// The name of the list of the paths and versions of a scan's occurrences.
pub fn names_list(scan: ScanId) -> String {
    list_of(&keys::grouped(scan), "names")
}

/// The name of the list of a scan's remediated issues.
pub fn remediated_list(scan: ScanId) -> String {
    list_of(&keys::compared(scan), "remediated")
}

/// The name of a list that belongs to a stage's result.
pub(crate) fn list_of(document: &str, list: &str) -> String {
    format!("{document}:{list}")
}

/// A writer of a list that belongs to the stage's result under `document`.
pub fn list_writer<'a, K: Kv>(kv: &'a K, document: &str, list: &str) -> Writer<'a, K> {
    Writer::new(kv, list_of(document, list))
}

/// Writes a list that belongs to the stage's result under `document`.
pub async fn write_list<T: Serialize>(
    kv: &impl Kv,
    document: &str,
    list: &str,
    records: impl IntoIterator<Item = T>,
) -> Result<Manifest, KvError> {
    let mut writer = list_writer(kv, document, list);
    for record in records {
        writer.push(&record).await?;
    }
    writer.finish().await
}

/// Reads at most `count` records, beginning with `from`, of a list that belongs to the stage's result under `document`.
pub async fn read_list<T: DeserializeOwned>(
    kv: &impl Kv,
    document: &str,
    list: &str,
    manifest: &Manifest,
    from: u32,
    count: u32,
) -> Result<Vec<T>, KvError> {
    read(kv, &list_of(document, list), manifest, from, count).await
}

/// Reads the records at these positions, in ascending order, of a list that belongs to the stage's result under
/// `document`.
pub async fn read_list_at<T: DeserializeOwned>(
    kv: &impl Kv,
    document: &str,
    list: &str,
    manifest: &Manifest,
    places: impl IntoIterator<Item = u32>,
) -> Result<Vec<T>, KvError> {
    read_at(kv, &list_of(document, list), manifest, places).await
}

/// The number of segments of each kind that an upload has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Segments of the raw report.
    pub raw: u32,
    /// Segments of the sidecar.
    pub source: u32,
    /// Segments of the findings.
    pub findings: u32,
}

/// Removes the segments of an upload: all of them if it became no scan.
pub async fn discard(kv: &impl Kv, scan: ScanId, attempt: &str, written: Written) -> Result<(), KvError> {
    for n in 0..written.raw {
        kv.delete(&keys::raw(scan, attempt, n)).await?;
    }
    for n in 0..written.source {
        kv.delete(&keys::source(scan, attempt, n)).await?;
    }
    for n in 0..written.findings {
        kv.delete(&keys::segment(&findings_list(scan, attempt), n)).await?;
    }
    Ok(())
}

/// Removes the segments of a list of findings whose number is not known: those from 0 on that exist.
///
/// # Errors
/// The store failed.
pub async fn discard_findings(kv: &impl Kv, list: &str) -> Result<(), KvError> {
    for n in 0..u32::MAX {
        let key = keys::segment(list, n);
        if kv.get(&key).await?.is_none() {
            break;
        }
        kv.delete(&key).await?;
    }
    Ok(())
}
