//! The stored results of a scan's stages: one document a stage, written once, with the lists that belong to it.
//!
//! | document | written by | holds |
//! |---|---|---|
//! | [`Frozen`] | ingest | everything the stages depend on, and the findings |
//! | [`Grouped`] | fingerprint | issues and occurrences |
//! | [`Compared`] | baseline | what is new, common and gone; identities of occurrences |
//! | [`Judged`] | gate | the verdict, and the exemptions in force |
//! | [`Answered`] | ingest | the answer the upload got; its presence means the scan counts |

use crate::document;
use crate::keys;
use crate::kv::{Kv, KvError};
use crate::segments::{Manifest, Reader, Writer, read, read_all, read_at};
use domain::comparison::{ComparedIssue, Origin, TrackedOccurrence};
use domain::exemption::{Coverage, Reviewed};
use domain::gate::Judgement;
use domain::grouping::{Issue, PathOrVersion};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, ScanId};
use domain::listing::PackedIssue;
use domain::scan::{ParsedReport, ScanRecord};
use domain::time::Timestamp;
use domain::tracking::ComparableOccurrence;
use finding::severity::Score;
use finding::{Finding, Kind, Scored};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};

/// What is frozen before the stages run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// The parameters.
    pub record: ScanRecord,
    /// What the report said of itself.
    pub report: ParsedReport,
    /// Which upload's segments are the scan's: several may have begun under one `Idempotency-Key`.
    pub attempt: String,
    /// The raw report.
    pub raw: RawReport,
    /// How many segments the sidecar with code from the working tree has, where there was one and it is kept. They are
    /// encrypted with the raw report's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<u32>,
    /// The findings, in the order of the report.
    pub findings: Manifest,
    /// The scan whose segments the findings are in, where it is another: a replay that began with the findings.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub findings_of: Option<ScanId>,
}

/// What became of a raw report. Its segments are encrypted; this says with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum RawReport {
    /// It is kept, and its key beside it: there is no `storage_key`, and no secret is known to be in it.
    Kept {
        /// How many segments it has.
        segments: u32,
        /// The key, 64 hexadecimal digits.
        key: String,
    },
    /// It is kept, and its key is encrypted under the installation's `storage_key`.
    Locked {
        /// How many segments it has.
        segments: u32,
        /// What the storage key was mixed with, in hexadecimal digits.
        salt: String,
        /// The encrypted key, in hexadecimal digits.
        key: String,
    },
    /// It held secrets and there is no `storage_key`: it was removed once parsed.
    Removed,
    /// It is the original's: the scan is a replay, which keeps none of its own.
    OfOriginal,
}

/// The list of the findings that one upload read.
pub fn findings_list(scan: ScanId, attempt: &str) -> String {
    format!("{}:{attempt}", keys::findings(scan))
}

impl Frozen {
    /// Finds a scan's parameters.
    pub async fn find(kv: &impl Kv, scan: ScanId) -> Result<Option<Self>, KvError> {
        document::find(kv, &keys::scan(scan)).await
    }

    /// Reads a scan's parameters, which must be there.
    pub async fn get(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
        document::get(kv, &keys::scan(scan)).await
    }

    /// Where the findings' segments are.
    pub fn list(&self) -> String {
        findings_list(self.findings_of.unwrap_or(self.record.id), &self.attempt)
    }

    /// The findings at these places in the report.
    pub async fn findings_at(&self, kv: &impl Kv, places: &BTreeSet<u32>) -> Result<BTreeMap<u32, Finding>, KvError> {
        let mut found = BTreeMap::new();
        self.each_finding_at(kv, places, |finding| {
            found.insert(finding.result, finding);
        })
        .await?;
        Ok(found)
    }

    /// Hands over the findings at these places in the report, one at a time.
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
            // A finding's place in the list is its place in the report less the results before it that are no findings.
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
            let mut there = false;
            while let Some(line) = open.line().await? {
                at += 1;
                let Numbered { result } = document::decode(&list, line)?;
                if result == *place {
                    each(document::decode(&list, line)?);
                    there = true;
                    break;
                }
            }
            if !there {
                return Err(KvError::Missing { key: format!("{list} result {place}") });
            }
        }
        Ok(())
    }
}

/// How many findings are read over before the next wanted one is looked up anew.
const SKIP_RECORDS_MAX: u32 = 1000;

/// The part of a finding that says where it stands.
#[derive(Deserialize)]
struct Numbered {
    result: u32,
}

/// What the fingerprint stage found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouped {
    /// The format's version: 2.
    pub v: u8,
    /// The issues, the worst first.
    pub issues: Manifest,
    /// The occurrences, in the order of their issues.
    pub occurrences: Manifest,
    /// The paths and versions that occurrences have.
    pub names: Manifest,
}

/// What the baseline stage found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The format's version: 2.
    pub v: u8,
    /// The issues' buckets, in the order of [`Grouped::issues`].
    pub issues: Manifest,
    /// The occurrences' identities, in the order of [`Grouped::occurrences`].
    pub occurrences: Manifest,
    /// The issues that are gone.
    pub remediated: Manifest,
    /// The scans that saw issues and occurrences first.
    pub origins: Manifest,
}

/// An issue that is gone, as the scan compared with had it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remediated {
    /// The issue, under the id that it went by, with as many occurrences as are gone.
    #[serde(flatten)]
    pub issue: Issue,
    /// Which scan saw it first: a place in [`Compared::origins`].
    pub seen: u32,
}

/// What the gate needs of an issue that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RemediatedSpan {
    /// The id that it went by.
    pub id: IssueId,
    /// What kind of problem it is.
    pub kind: Kind,
    /// Its score.
    #[serde(default)]
    pub score: Option<Scored>,
    /// How many of its occurrences are gone.
    pub occurrences: u32,
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The format's version: 3.
    pub v: u8,
    /// When: exemptions were judged at this time.
    pub at: Timestamp,
    /// The verdict, its reasons and counts.
    pub judgement: Judgement,
    /// When the first of the exemptions ends that take something off the gate here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends: Option<Timestamp>,
    /// The issues that an exemption was in force, pending or rejected for.
    pub standings: Manifest,
    /// The exempted occurrences of issues that are not exempted as a whole.
    pub exempted: Manifest,
    /// The occurrences that were exempted in a form that they no longer have.
    pub returned: Manifest,
    /// What choosing needs of each issue, in the order of [`Grouped::issues`], and then of each that is gone, in the order
    /// of [`Compared::remediated`].
    pub entries: Manifest,
    /// The ids that issues have besides the one that they go by, each with the issue's place in [`Grouped::issues`].
    pub other_ids: Manifest,
}

/// How an issue stood to exemptions when its scan was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The issue.
    pub issue: IssueId,
    /// How it stood.
    pub coverage: Coverage,
    /// The exemption that says so.
    pub exemption: ExemptionId,
    /// How many of its occurrences were exempted.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub exempted: u32,
    /// Whether the whole issue was exempted, with occurrences to come.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub whole: bool,
    /// The highest score of what is left of it, where some of it is exempted.
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
    /// By which exemption.
    pub exemption: ExemptionId,
}

/// An occurrence whose exemption does not hold for the form that it has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedOccurrence {
    /// Its issue.
    pub issue: IssueId,
    /// The occurrence, in that form.
    #[serde(flatten)]
    pub occurrence: Reviewed,
    /// The exemption.
    pub exemption: ExemptionId,
}

/// The answer of an upload, with its place in the target's journal: an event elsewhere that names the same scan is one
/// that was appended by an upload that died before it could answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered<A> {
    /// The format's version: 1.
    pub v: u8,
    /// The number of the scan's event; 0, which no event has, for a replay, which is in no journal.
    pub position: u64,
    /// The answer.
    pub answer: A,
}

macro_rules! lists {
    ($document:ident, $key:path, $($list:ident: $record:ty),*) => {
        impl $document {
            /// Finds the stage's result, if the stage is done.
            pub async fn find(kv: &impl Kv, scan: ScanId) -> Result<Option<Self>, KvError> {
                document::find(kv, &$key(scan)).await
            }

            /// Reads the stage's result, which must be there.
            pub async fn get(kv: &impl Kv, scan: ScanId) -> Result<Self, KvError> {
                document::get(kv, &$key(scan)).await
            }

            /// Writes the stage's result, after its lists.
            pub async fn put(&self, kv: &impl Kv, scan: ScanId) -> Result<(), KvError> {
                document::put(kv, &$key(scan), self).await
            }

            $(
                #[doc = concat!("All records of `", stringify!($list), "`.")]
                pub async fn $list(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<$record>, KvError> {
                    read_all(kv, &list_of(&$key(scan), stringify!($list)), &self.$list).await
                }
            )*
        }
    };
}

lists!(Grouped, keys::grouped, occurrences: ComparableOccurrence, names: PathOrVersion);
lists!(
    Compared, keys::compared, issues: ComparedIssue, occurrences: TrackedOccurrence, remediated: RemediatedSpan, origins: Origin
);
lists!(
    Judged, keys::judged, standings: Standing, exempted: ExemptedOccurrence, returned: ReturnedOccurrence,
    entries: PackedIssue, other_ids: (IssueId, u32)
);

impl Grouped {
    /// A part of each issue: what a stage needs of it, so that it need not hold the rest.
    pub async fn issues_as<T: DeserializeOwned>(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<T>, KvError> {
        read_all(kv, &issues_list(scan), &self.issues).await
    }
}

impl Compared {
    /// A part of what was found out of each issue.
    pub async fn issues_as<T: DeserializeOwned>(&self, kv: &impl Kv, scan: ScanId) -> Result<Vec<T>, KvError> {
        read_all(kv, &list_of(&keys::compared(scan), "issues"), &self.issues).await
    }

    /// A part of what was found out of each occurrence.
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

/// The name of the list of the paths and versions that a scan's occurrences have.
pub fn names_list(scan: ScanId) -> String {
    list_of(&keys::grouped(scan), "names")
}

/// The name of the list of the issues that are gone in a scan.
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

/// Reads a part of a list that belongs to the stage's result under `document`.
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

/// Reads the records at these places, which come in their order, of a list that belongs to the stage's result under
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

/// How many segments of each kind an upload has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Of the raw report.
    pub raw: u32,
    /// Of the sidecar.
    pub source: u32,
    /// Of the findings.
    pub findings: u32,
}

/// Removes segments of an upload: all, if it became no scan.
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
