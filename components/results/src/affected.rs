//! The targets of a project in which an issue occurs.

use crate::job::ResultsJob;
use crate::scan_issues::ScanIssues;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::project_context::project_state;
use api::v1::AffectedTarget;
use domain::head::Head;
use domain::ids::{IssueId, ScanId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::project::{Project, Target};
use domain::reference::choose::ResolvedBaseline;
use domain::scan::ScanRecord;
use domain::scan_log::ScanLog;
use std::any::Any;
use std::collections::BTreeSet;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, journal, keys};

/// The most targets that are searched for one page.
const TARGETS_MAX: usize = 100;
/// The memory that a search takes for each issue of a scan, in bytes.
const BYTES_PER_ISSUE: usize = 20;
/// The memory that it takes for each other id of the issues, in bytes.
const BYTES_PER_NAME: usize = 24;

impl<K: Kv> ResultsJob<'_, K> {
    /// The project's targets that the caller may see, by name; each says if the issue occurs there. The scan `id` gives
    /// all ids of the issue, and the tool and categories of the scans that are searched.
    ///
    /// # Errors
    /// The scan does not exist, the issue is neither in it nor remediated in it, or the store failed.
    pub async fn affected(
        &self,
        issue: IssueId,
        id: ScanId,
        wanted: Wanted<String>,
    ) -> Result<Page<AffectedTarget>, Problem> {
        self.scan(id).await?;
        let names = {
            let issues = ScanIssues::read(self.kv, id).await?;
            let _held = self.hold_search(&issues).await;
            let missing = || Problem::not_found(format!("scan {id} has no issue {issue}"));
            let at = issues.find(self.kv, issue).await?.ok_or_else(missing)?;
            issues.names(self.kv, at).await?
        };
        let record = Frozen::get(self.kv, id).await?.record;
        let state = project_state(self.kv, &self.project, self.now).await?;
        let visible = state.targets.iter().filter(|(name, _)| self.caller.covers(name));
        let from = wanted.from.as_deref();
        let mut rest = visible.filter(|(name, _)| from.is_none_or(|from| from < name.as_str()));
        let (mut items, mut last) = (Vec::new(), None);
        for (name, target) in rest.by_ref().take(wanted.limit.min(TARGETS_MAX)) {
            last = Some(name.as_str());
            if let Some((variant, scan)) = self.searched_scan(&state, (name, target), &record).await? {
                items.push(self.affected_target(name, variant, scan, &names).await?);
            }
        }
        let next = last.filter(|_| rest.next().is_some()).map(|last| encode("affected", &last));
        Ok(Page { items, next })
    }

    /// Waits for the memory that a search of a scan takes.
    async fn hold_search(&self, issues: &ScanIssues) -> Box<dyn Any> {
        let names = usize::try_from(issues.judged.other_ids.records).unwrap_or(usize::MAX);
        let bytes = issues.entries.len().saturating_mul(BYTES_PER_ISSUE);
        (self.hold)(bytes.saturating_add(names.saturating_mul(BYTES_PER_NAME))).await
    }

    /// The scan of a target that is searched, with its variant: the newest complete one with the tool and categories of
    /// `record`. Its variant is the baseline; without a baseline, the variant that was scanned last.
    async fn searched_scan(
        &self,
        state: &Project,
        (name, target): (&TargetName, &Target),
        record: &ScanRecord,
    ) -> Result<Option<(VariantName, ScanId)>, Problem> {
        let journal = JournalId::Scans { project: self.project.clone(), target: target.id };
        let log: ScanLog = journal::load(self.kv, &journal, self.now).await?.state;
        let meant = state.baseline(name, target.target_type).resolve(None, &log);
        let variant = match meant.map_err(|error| Problem::internal(format!("the stored baseline: {error}")))? {
            ResolvedBaseline::Variant(variant, _) => Some(variant),
            ResolvedBaseline::None | ResolvedBaseline::NothingScanned | ResolvedBaseline::Unknown => {
                log.newest_complete(|_| true).map(|(variant, _)| variant.clone())
            }
        };
        let Some(variant) = variant else { return Ok(None) };
        let key = keys::head(target.id, &variant, &record.tool, &record.categories);
        let head: Option<Head> = document::find(self.kv, &key).await?;
        Ok(head.map(|head| (variant, head.newest_trusted().unwrap_or(head.newest).scan)))
    }

    /// Searches a scan for an issue with one of these ids.
    async fn affected_target(
        &self,
        target: &TargetName,
        variant: VariantName,
        scan: ScanId,
        names: &BTreeSet<IssueId>,
    ) -> Result<AffectedTarget, Problem> {
        let issues = ScanIssues::read(self.kv, scan).await?;
        let _held = self.hold_search(&issues).await;
        let found = issues.find_any(self.kv, names).await?;
        Ok(AffectedTarget {
            id: target.to_string(),
            variant: variant.to_string(),
            scan,
            occurrences: found.map_or(0, |(_, occurrences)| occurrences),
            severity: found.map(|(severity, _)| severity.to_string()),
            affected: found.is_some(),
        })
    }
}
