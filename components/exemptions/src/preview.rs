//! Previews of decisions: the newest scans judged as they are now, and as they would be after the decision.

use crate::job::{CurrentState, ExemptionJob};
use api::Problem;
use api::internal::{Hold, Services};
use api::page::{Page, Wanted, encode};
use api::v1::{PreviewItem, ScanAnswer};
use domain::comparison::ComparedIssue;
use domain::exemption::{Decision, Exemption, Exemptions, ReachError, Scope};
use domain::grouping::RatedIssue;
use domain::ids::{ExemptionId, PipelineName, ScanId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::scan_event::ScanEvent;
use domain::scan_log::ScanLog;
use std::collections::BTreeSet;
use store::judging::{self, Issues};
use store::kv::Kv;
use store::scans::{Answered, Compared, Frozen, Grouped};
use store::{document, journal, keys};

/// The number of a target's newest scans among which the newest of each variant is found.
const SCANS_SEARCHED: usize = 50;
/// The most scans that are judged for one page, whether they have the issue or not. So a page may be short or empty and
/// still have a next one.
const SCANS_JUDGED: usize = 50;
/// The most targets that are searched for one page.
const TARGETS_SEARCHED: usize = 100;
/// The memory that judging takes for each issue, in bytes.
const BYTES_PER_ISSUE: usize = 300;

/// The start of the next page: a target, and the number of its scans to skip.
pub type PreviewCursor = (String, usize);

/// A decision to preview.
#[derive(Debug, Clone, Default)]
pub struct PreviewQuery {
    /// The decision; an approval if absent.
    pub decision: Option<Decision>,
    /// The scope of an approval.
    pub scope: Option<Scope>,
    /// The pipeline of an approval at the scope `pipeline`.
    pub pipeline: Option<PipelineName>,
}

/// The exemptions before and after a decision.
struct Preview<'a> {
    exemption: &'a Exemption,
    now: &'a Exemptions,
    then: Exemptions,
    /// The target of the exemption, if it reaches only one.
    only: Option<TargetName>,
}

impl<K: Kv, V: Services> ExemptionJob<'_, K, V> {
    /// The newest scans that have the issue, of all variants and targets of the project that the exemption reaches or
    /// would reach, each as it is judged now and after the decision. Other projects are left out: the caller may not
    /// see them.
    ///
    /// # Errors
    /// The exemption does not exist, the decision cannot be previewed or its scope does not fit, or the store failed.
    pub async fn preview(
        &self,
        id: ExemptionId,
        query: &PreviewQuery,
        wanted: Wanted<PreviewCursor>,
        hold: Hold,
    ) -> Result<Page<PreviewItem>, Problem> {
        let state = self.load().await?;
        let preview = self.suppose(&state, id, query)?;
        let (from, mut skip) = wanted.from.unwrap_or_default();
        let (mut items, mut judged, mut searched) = (Vec::new(), 0, 0);
        for (name, target) in &state.project.targets {
            let concerned = preview.only.as_ref().is_none_or(|only| only == name) && self.caller.covers(name);
            if !concerned || name.as_str() < from.as_str() {
                continue;
            }
            if searched >= TARGETS_SEARCHED {
                return Ok(Page { items, next: Some(encode("preview", &(name.as_str(), 0_usize))) });
            }
            searched += 1;
            let begin = if name.as_str() == from { std::mem::take(&mut skip) } else { 0 };
            let journal = JournalId::Scans { project: self.context.project.clone(), target: target.id };
            let scans = self.newest_scans(&journal, preview.exemption).await?;
            for (at, scan) in scans.into_iter().enumerate().skip(begin) {
                if items.len() >= wanted.limit || judged >= SCANS_JUDGED {
                    let next = Some(encode("preview", &(name.as_str(), at)));
                    return Ok(Page { items, next });
                }
                judged += 1;
                items.extend(self.judge(&preview, scan, hold).await?);
            }
        }
        Ok(Page { items, next: None })
    }

    /// The project's exemptions as they would be after the decision.
    fn suppose<'s>(
        &self,
        state: &'s CurrentState,
        id: ExemptionId,
        query: &PreviewQuery,
    ) -> Result<Preview<'s>, Problem> {
        let exemption = self.find(state, id)?;
        let decision = query.decision.unwrap_or(Decision::Approve);
        let checked = decision.check_scope(query.scope, query.pipeline.as_ref());
        checked.map_err(|error| Problem::parameter(error.field(), error))?;
        let reach = match decision {
            Decision::Approve => {
                // Who may approve for the project only can preview an approval for the account: within the project both
                // change the same.
                let scope = query.scope.map(|scope| if scope == Scope::Account { Scope::Project } else { scope });
                let refused = |error: ReachError| Problem::parameter(error.field(), error);
                let granted = self.granted_reach(exemption, scope, query.pipeline.clone(), refused)?;
                Some(granted.unwrap_or_else(|| exemption.asked.clone()))
            }
            Decision::Reject | Decision::Withdraw => None,
            Decision::Reopen => {
                let detail = "`reopen` cannot be previewed; expected one of `approve`, `reject`, `cancel`";
                return Err(Problem::parameter("decision", detail));
            }
        };
        let only = reach.as_ref().unwrap_or_else(|| exemption.reach()).target().cloned();
        let then = state.exemptions.simulate(id, reach.as_ref(), self.context.now);
        Ok(Preview { exemption, now: &state.exemptions, then, only })
    }

    /// The newest scan of each variant and series by the exemption's scanner.
    async fn newest_scans(&self, journal: &JournalId, exemption: &Exemption) -> Result<Vec<ScanId>, Problem> {
        let (kv, now) = (self.context.kv, self.context.now);
        let last = journal::load::<ScanLog>(kv, journal, now).await?.last;
        let events = journal::read_back::<ScanEvent>(kv, journal, last, SCANS_SEARCHED).await?;
        let mut found: BTreeSet<(VariantName, Option<_>)> = BTreeSet::new();
        let events = events.into_iter().map(|(_, entry)| entry.event);
        let events = events.filter(|event| event.scanner == exemption.scanner);
        Ok(events.filter(|event| found.insert((event.variant.clone(), event.series))).map(|event| event.scan).collect())
    }

    /// Judges a scan by the exemptions before and after the decision. `None` if the scan does not have the issue.
    async fn judge(&self, preview: &Preview<'_>, scan: ScanId, hold: Hold) -> Result<Option<PreviewItem>, Problem> {
        let (kv, at) = (self.context.kv, self.context.now);
        let answered: Option<Answered<ScanAnswer>> = document::find(kv, &keys::answer(scan)).await?;
        let Some(Answered { answer, .. }) = answered else { return Ok(None) };
        let (frozen, grouped) = (Frozen::get(kv, scan).await?, Grouped::get(kv, scan).await?);
        let records = usize::try_from(grouped.issues.records).unwrap_or(usize::MAX);
        let _held = hold(records.saturating_mul(BYTES_PER_ISSUE)).await;
        let compared = Compared::get(kv, scan).await?;
        let issues = Issues::of(kv, scan, &grouped, &compared).await?;
        let is_exempted =
            |(rated, row): &(&RatedIssue, &ComparedIssue)| rated.names(row.id).contains(&preview.exemption.issue);
        let Some((_, row)) = issues.with_remainder().find(is_exempted) else { return Ok(None) };
        let record = &frozen.record;
        let now = judging::effective_exemptions(kv, record, preview.now, async || Ok(issues.names()), at).await?;
        let then = judging::effective_exemptions(kv, record, &preview.then, async || Ok(issues.names()), at).await?;
        let now = judging::judge(kv, &frozen, &compared, &issues, &now).await?.judgement;
        let then = judging::judge(kv, &frozen, &compared, &issues, &then).await?.judgement;
        Ok(Some(PreviewItem::new(&answer.scan, row.id, answer.verdict, &now, &then)))
    }
}
