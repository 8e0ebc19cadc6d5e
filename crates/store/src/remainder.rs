//! Writes the remainder of a scan: the occurrences of earlier scans that it did not see. It is stored like the results
//! of a scan of its own, under a derived id, so that every reader of a scan can read it. It has copies of everything,
//! because the earlier scans may be removed.

use crate::document;
use crate::keys;
use crate::kv::{Kv, KvError};
use crate::scans::{Compared, Frozen, Grouped, RawReport, findings_list, issues_list, list_writer, write_list};
use crate::segments::{Manifest, Writer, read_at};
use crate::stored_scan::StoredScan;
use domain::comparison::{ComparedIssue, IssueIndex, JoinedScan, NotSeenIssue, Origin, Remainder, Source};
use domain::grouping::{Issue, Occurrence};
use domain::ids::ScanId;
use domain::scan::{ParsedReport, ScanRecord};
use domain::tracking::ComparableOccurrence;
use finding::severity::Score;
use finding::{Examined, Finding, ReportSummary, Scored};
use std::collections::BTreeSet;

/// The name of the attempt that a remainder's findings belong to.
const ATTEMPT: &str = "remainder";
/// The number of issues or findings that are in memory at a time while they are copied from an earlier scan.
pub const COPIED_AT_ONCE: usize = 200;

/// An earlier scan with what the comparison read of it.
pub type EarlierScan<'a> = (&'a StoredScan, &'a JoinedScan);

/// The earlier scans of a comparison.
#[derive(Clone, Copy)]
pub struct EarlierScans<'a> {
    /// The reference scan.
    pub reference: Option<EarlierScan<'a>>,
    /// The variant's own previous scan.
    pub lineage: Option<EarlierScan<'a>>,
}

impl<'a> EarlierScans<'a> {
    /// Returns the scan of a source.
    ///
    /// # Errors
    /// There is none.
    fn of(&self, source: Source) -> Result<EarlierScan<'a>, KvError> {
        let scan = match source {
            Source::Reference => self.reference,
            Source::Lineage => self.lineage,
        };
        scan.ok_or_else(|| KvError::Missing { key: format!("the scan of {source:?}") })
    }
}

/// Writes the remainder of a scan with these issues, and returns the number of issues in it. A repeated run writes the
/// same.
///
/// # Errors
/// The store failed.
pub async fn write(
    kv: &impl Kv,
    current: &Frozen,
    not_seen: &[NotSeenIssue],
    earlier: EarlierScans<'_>,
    origins: &[Origin],
) -> Result<u32, KvError> {
    if not_seen.is_empty() {
        return Ok(0);
    }
    let [reference, lineage] = [earlier.reference, earlier.lineage].map(|one| one.map(|(_, joined)| &joined.scan));
    let remainder = Remainder::of(not_seen, reference, lineage);
    let id = ScanId::of_remainder(current.record.id);
    let findings = write_findings(kv, id, &remainder.results, earlier).await?;
    let report = ReportSummary {
        results: findings.records.into(),
        findings: findings.records.into(),
        ..ReportSummary::default()
    };
    let frozen = Frozen {
        record: ScanRecord { id, ..current.record.clone() },
        report: ParsedReport { summary: report, scanner_version: None, made_at: None },
        attempt: ATTEMPT.to_owned(),
        raw: RawReport::Removed,
        source: None,
        findings,
        findings_of: None,
    };
    document::put(kv, &keys::scan(id), &frozen).await?;
    let issues = write_issues(kv, id, not_seen, &remainder, earlier).await?;
    let key = keys::grouped(id);
    let places = write_list(kv, &key, "occurrences", remainder.contents.occurrences.iter().map(stored)).await?;
    let names = write_list(kv, &key, "names", &remainder.contents.names).await?;
    Grouped { v: 2, issues, occurrences: places, names }.put(kv, id).await?;
    let key = keys::compared(id);
    let count = u32::try_from(remainder.issues.len()).unwrap_or(u32::MAX);
    let issues = write_list(kv, &key, "issues", &remainder.issues).await?;
    let occurrences = write_list(kv, &key, "occurrences", remainder.occurrences()).await?;
    let remediated = write_list(kv, &key, "remediated", [(); 0]).await?;
    let origins = write_list(kv, &key, "origins", origins).await?;
    let (blind_spots, expected) = (Manifest::default(), Examined::new());
    Compared { v: 3, issues, occurrences, remediated, origins, blind_spots, remainder: 0, expected }
        .put(kv, id)
        .await?;
    Ok(count)
}

/// Copies the findings; each gets the number of its place.
async fn write_findings(
    kv: &impl Kv,
    id: ScanId,
    results: &[(Source, u32)],
    earlier: EarlierScans<'_>,
) -> Result<Manifest, KvError> {
    let mut writer = Writer::new(kv, findings_list(id, ATTEMPT));
    let mut number = 0;
    for part in results.chunk_by(|one, other| one.0 == other.0) {
        for some in part.chunks(COPIED_AT_ONCE) {
            let Some((source, _)) = some.first() else { continue };
            let wanted: BTreeSet<u32> = some.iter().map(|(_, result)| *result).collect();
            let mut findings = Vec::new();
            earlier.of(*source)?.0.each_finding_at(kv, &wanted, |finding| findings.push(finding)).await?;
            for finding in findings {
                writer.push(&Finding { result: number, ..finding }).await?;
                number += 1;
            }
        }
    }
    writer.finish().await
}

/// Copies the issues, each with its occurrences in the remainder alone.
async fn write_issues(
    kv: &impl Kv,
    id: ScanId,
    not_seen: &[NotSeenIssue],
    remainder: &Remainder,
    earlier: EarlierScans<'_>,
) -> Result<Manifest, KvError> {
    let mut writer = list_writer(kv, &keys::grouped(id), "issues");
    let mut rows = remainder.contents.issues.iter().zip(&remainder.issues);
    let part = |issue: &NotSeenIssue| (issue.is_present, issue.source);
    for part in not_seen.chunk_by(|one, other| part(one) == part(other)) {
        for some in part.chunks(COPIED_AT_ONCE) {
            let Some(first) = some.first() else { continue };
            let (stored, joined) = earlier.of(first.source)?;
            for issue in issues_at(kv, stored, joined, some.iter().map(|issue| issue.at)).await? {
                let Some((span, row)) = rows.next() else { break };
                let places = span_of(&remainder.contents.occurrences, span.first, span.occurrences);
                writer.push(&reduced(issue, (span.first, row), places)).await?;
            }
        }
    }
    writer.finish().await
}

fn span_of(places: &[ComparableOccurrence], first: u32, count: u32) -> &[ComparableOccurrence] {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    places.get(size(first)..size(first).saturating_add(size(count))).unwrap_or_default()
}

/// Returns an issue with these of its occurrences alone.
fn reduced(issue: Issue, (first, row): (u32, &ComparedIssue), places: &[ComparableOccurrence]) -> Issue {
    let highest: Option<Score> = places.iter().filter_map(|place| place.score).max();
    let score = issue.score.zip(highest).map(|(scored, highest)| Scored { score: highest, ..scored });
    Issue { score, first, occurrences: row.division.common + row.division.new, ..issue }
}

/// Reads issues of a joined scan, by their ascending indices.
///
/// # Errors
/// The store failed.
pub async fn issues_at(
    kv: &impl Kv,
    stored: &StoredScan,
    joined: &JoinedScan,
    indices: impl IntoIterator<Item = usize>,
) -> Result<Vec<Issue>, KvError> {
    let (mut own, mut rest) = (Vec::new(), Vec::new());
    for at in indices {
        match joined.issue(at) {
            IssueIndex::Own(at) => own.push(u32::try_from(at).unwrap_or(u32::MAX)),
            IssueIndex::Remainder(at) => rest.push(u32::try_from(at).unwrap_or(u32::MAX)),
        }
    }
    let mut issues: Vec<Issue> =
        read_at(kv, &issues_list(stored.frozen.record.id), &stored.grouped.issues, own).await?;
    if let Some(remainder) = &stored.remainder {
        issues.extend(
            read_at::<Issue>(kv, &issues_list(remainder.frozen.record.id), &remainder.grouped.issues, rest).await?,
        );
    }
    Ok(issues)
}

/// Returns an occurrence as the stage of the fingerprints stores it.
fn stored(place: &ComparableOccurrence) -> Occurrence {
    let ComparableOccurrence { result, path, line, version, score, signatures } = *place;
    Occurrence { result, path, line, version, score, signatures }
}
