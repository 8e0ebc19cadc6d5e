//! Looks up issues in the scans of a project.

use api::Problem;
use api::auth::Identity;
use api::body::illegal;
use api::scan_answer::find_answer;
use domain::comparison::Identified;
use domain::exemption::{ExemptibleOccurrence, Marks, SourceScan};
use domain::grouping::Issue;
use domain::ids::{IssueId, ProjectId, ScanId, ScannerId, TargetId};
use domain::journal::JournalId;
use domain::scan_event::ScanEvent;
use domain::scan_log::ScanLog;
use domain::time::Timestamp;
use finding::severity::Severity;
use store::journal;
use store::judging::OccurrenceReader;
use store::kv::Kv;
use store::scans::{Compared, Frozen, Grouped, issues_list};
use store::segments::Reader;

/// The number of a target's newest scans that are searched for an issue.
const SCANS_SEARCHED: usize = 20;

/// An issue as a scan has it.
#[derive(Debug, Clone)]
pub(crate) struct FoundIssue {
    pub(crate) id: IssueId,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) marks: Marks,
    pub(crate) scanner: ScannerId,
    pub(crate) seen: SourceScan,
    /// The index of its first occurrence in the scan's list of occurrences.
    first: u32,
    occurrences: u32,
}

/// Looks up issues in a project's scans. The scan that was read last stays in memory: bulk requests often name the
/// same.
pub(crate) struct IssueLookup<'a, K> {
    kv: &'a K,
    project: ProjectId,
    caller: &'a Identity,
    last: Option<ReadScan>,
}

struct ReadScan {
    frozen: Frozen,
    grouped: Grouped,
    issues: Vec<Identified<IssueId>>,
}

impl<'a, K: Kv> IssueLookup<'a, K> {
    pub(crate) fn new(kv: &'a K, project: &ProjectId, caller: &'a Identity) -> Self {
        Self { kv, project: project.clone(), caller, last: None }
    }

    /// Finds the issue in this scan.
    pub(crate) async fn in_scan(&mut self, scan: ScanId, issue: IssueId) -> Result<FoundIssue, Problem> {
        if !self.read(scan).await? {
            return Err(illegal("scan", format_args!("the project has no finished scan {scan}")));
        }
        let found = self.find(issue).await?;
        found.ok_or_else(|| illegal("issue", format_args!("scan {scan} has no issue {issue}")))
    }

    /// Finds the issue in the newest of a target's scans that has it.
    pub(crate) async fn in_target(
        &mut self,
        target: TargetId,
        issue: IssueId,
        now: Timestamp,
    ) -> Result<FoundIssue, Problem> {
        let journal = JournalId::Scans { project: self.project.clone(), target };
        let last = journal::load::<ScanLog>(self.kv, &journal, now).await?.last;
        let newest = journal::read_back::<ScanEvent>(self.kv, &journal, last, SCANS_SEARCHED).await?;
        for (_, entry) in newest {
            if self.read(entry.event.scan).await?
                && let Some(found) = self.find(issue).await?
            {
                return Ok(found);
            }
        }
        let detail = format_args!("the newest {SCANS_SEARCHED} scans of the target do not have issue {issue}");
        Err(illegal("issue", detail))
    }

    /// Calls `each` with every occurrence of the issue in its scan.
    pub(crate) async fn each_occurrence(
        &self,
        issue: &FoundIssue,
        each: impl FnMut(&ExemptibleOccurrence),
    ) -> Result<(), Problem> {
        Ok(OccurrenceReader::new(self.kv, issue.seen.scan).each(issue.first, issue.occurrences, each).await?)
    }

    /// Reads a scan. Returns false if it is not a finished scan of the project that the caller may see.
    async fn read(&mut self, scan: ScanId) -> Result<bool, Problem> {
        if self.last.as_ref().is_some_and(|read| read.frozen.record.id == scan) {
            return Ok(true);
        }
        let answer = find_answer(self.kv, self.caller, &self.project, scan).await?;
        // Replays do not count: an exemption for an issue in a replay is requested in the original scan.
        if answer.is_none_or(|answer| answer.scan.replay_of.is_some()) {
            return Ok(false);
        }
        let (frozen, grouped) = (Frozen::get(self.kv, scan).await?, Grouped::get(self.kv, scan).await?);
        let issues = Compared::get(self.kv, scan).await?.issues_as(self.kv, scan).await?;
        self.last = Some(ReadScan { frozen, grouped, issues });
        Ok(true)
    }

    /// Finds the issue in the scan that was read last.
    async fn find(&self, id: IssueId) -> Result<Option<FoundIssue>, Problem> {
        let Some(ReadScan { frozen, grouped, issues }) = &self.last else { return Ok(None) };
        let Some(at) = (0..).zip(issues).find(|(_, issue)| issue.id == id).map(|(at, _)| at) else { return Ok(None) };
        let record = &frozen.record;
        let list = issues_list(record.id);
        let mut reader = Reader::open(self.kv, &list, &grouped.issues, at).await?;
        let (target, pipeline) = (record.request.target.clone(), record.request.pipeline.clone());
        let seen = SourceScan { scan: record.id, target, pipeline };
        Ok(reader.next::<Issue>().await?.map(|issue| FoundIssue {
            id,
            severity: issue.severity(),
            marks: issue.marks(),
            title: issue.title,
            scanner: record.tool.clone(),
            seen,
            first: issue.first,
            occurrences: issue.occurrences,
        }))
    }
}
