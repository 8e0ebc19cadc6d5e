//! Finds an issue in the scans of its project.

use api::Problem;
use api::auth::Identity;
use api::body::illegal;
use api::v1::ScanAnswer;
use domain::comparison::Identified;
use domain::exemption::Candidate;
use domain::grouping::Issue;
use domain::ids::{IssueId, PipelineName, ProjectId, ScanId, ScannerId, TargetId, TargetName};
use domain::journal::JournalId;
use domain::scan::{ScanEvent, ScanLog};
use domain::time::Timestamp;
use finding::severity::Severity;
use store::judging::Places;
use store::kv::Kv;
use store::scans::{Answered, Compared, Frozen, Grouped, issues_list};
use store::segments::Reader;
use store::{document, journal, keys};

/// How many of a target's newest scans are searched for an issue.
const SCANS_SEARCHED: usize = 20;

/// An issue as a scan has it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) issue: IssueId,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) scanner: ScannerId,
    pub(crate) scan: ScanId,
    pub(crate) target: TargetName,
    pub(crate) pipeline: Option<PipelineName>,
    /// The place of its first occurrence, and how many there are.
    first: u32,
    occurrences: u32,
}

/// Looks for issues in a project's scans; what it read last it keeps, because many are asked for of one scan.
pub(crate) struct Sight<'a, K> {
    kv: &'a K,
    project: ProjectId,
    who: &'a Identity,
    last: Option<Read>,
}

struct Read {
    frozen: Frozen,
    grouped: Grouped,
    issues: Vec<Identified<IssueId>>,
}

impl<'a, K: Kv> Sight<'a, K> {
    pub(crate) fn new(kv: &'a K, project: &ProjectId, who: &'a Identity) -> Self {
        Self { kv, project: project.clone(), who, last: None }
    }

    /// The issue in this scan.
    pub(crate) async fn in_scan(&mut self, scan: ScanId, issue: IssueId) -> Result<Seen, Problem> {
        let none = || illegal("scan", format_args!("there is no finished scan {scan} in the project"));
        if !self.look_at(scan).await? {
            return Err(none());
        }
        let found = self.find(issue).await?;
        found.ok_or_else(|| illegal("issue", format_args!("scan {scan} has no issue {issue}")))
    }

    /// The issue in the newest of a target's scans that has it.
    pub(crate) async fn in_target(
        &mut self,
        target: TargetId,
        issue: IssueId,
        now: Timestamp,
    ) -> Result<Seen, Problem> {
        let journal = JournalId::Scans { project: self.project.clone(), target };
        let last = journal::load::<ScanLog>(self.kv, &journal, now).await?.last;
        let newest = journal::read_back::<ScanEvent>(self.kv, &journal, last, SCANS_SEARCHED).await?;
        for (_, entry) in newest {
            if self.look_at(entry.event.scan).await?
                && let Some(seen) = self.find(issue).await?
            {
                return Ok(seen);
            }
        }
        let what = format_args!("none of the target's last {SCANS_SEARCHED} scans has the issue {issue}");
        Err(illegal("issue", what))
    }

    /// Hands over the issue's occurrences in its scan.
    pub(crate) async fn each_occurrence(&self, seen: &Seen, each: impl FnMut(&Candidate)) -> Result<(), Problem> {
        Ok(OccurrenceReader::new(self.kv, seen.scan).each(seen.first, seen.occurrences, each).await?)
    }

    /// Reads a scan, if it is a finished one of the project that the caller may see.
    async fn look_at(&mut self, scan: ScanId) -> Result<bool, Problem> {
        if self.last.as_ref().is_some_and(|read| read.frozen.record.id == scan) {
            return Ok(true);
        }
        let answered: Option<Answered<ScanAnswer>> = document::find(self.kv, &keys::answer(scan)).await?;
        let own = |answered: &Answered<ScanAnswer>| answered.answer.scan.is_visible_to(self.who, &self.project);
        // A replay counts nowhere: what is seen in it can be asked for of its original.
        if answered.filter(own).is_none_or(|answered| answered.answer.scan.replay_of.is_some()) {
            return Ok(false);
        }
        let (frozen, grouped) = (Frozen::get(self.kv, scan).await?, Grouped::get(self.kv, scan).await?);
        let issues = Compared::get(self.kv, scan).await?.issues_as(self.kv, scan).await?;
        self.last = Some(Read { frozen, grouped, issues });
        Ok(true)
    }

    async fn find(&self, issue: IssueId) -> Result<Option<Seen>, Problem> {
        let Some(Read { frozen, grouped, issues }) = &self.last else { return Ok(None) };
        let Some(at) = (0..).zip(issues).find(|(_, held)| held.id == issue).map(|(at, _)| at) else { return Ok(None) };
        let record = &frozen.record;
        let list = issues_list(record.id);
        let mut reader = Reader::open(self.kv, &list, &grouped.issues, at).await?;
        Ok(reader.next::<Issue>().await?.map(|found| Seen {
            issue,
            severity: found.severity(),
            title: found.title,
            scanner: record.tool.clone(),
            scan: record.id,
            target: record.request.target.clone(),
            pipeline: record.request.pipeline.clone(),
            first: found.first,
            occurrences: found.occurrences,
        }))
    }
}
