//! Lists of exemptions, and single ones.

use crate::job::ExemptionJob;
use api::Problem;
use api::internal::Services;
use api::page::{Page, Wanted, encode};
use api::v1::{ExemptionItem, ExemptionTexts};
use domain::exemption::{Exemption, ExemptionRequest, Scope, Status};
use domain::ids::{ExemptionId, IssueId, TargetName};
use domain::journal::JournalId;
use domain::time::Timestamp;
use store::exemption_events::ExemptionEvents;
use store::kv::Kv;

/// Selects exemptions. A field that is `None` selects all.
#[derive(Debug, Clone, Default)]
pub struct ExemptionFilter {
    /// Those with this status.
    pub status: Option<Status>,
    /// Those that reach this target only.
    pub target: Option<TargetName>,
    /// Those with this scope.
    pub scope: Option<Scope>,
    /// Those for this issue.
    pub issue: Option<IssueId>,
    /// Approved ones that end within this number of days; they are sorted by their end, the soonest first.
    pub expires_within_days: Option<u32>,
}

impl ExemptionFilter {
    fn selects(&self, exemption: &Exemption, now: Timestamp) -> bool {
        let status = exemption.status(now);
        let ends = |days: u32| exemption.ends().is_some_and(|end| end <= now.plus_days(days));
        self.status.is_none_or(|wanted| wanted == status)
            && self.target.as_ref().is_none_or(|target| exemption.reach().target() == Some(target))
            && self.scope.is_none_or(|scope| exemption.reach().scope() == scope)
            && self.issue.is_none_or(|issue| exemption.issue == issue)
            && self.expires_within_days.is_none_or(|days| status == Status::Approved && ends(days))
    }

    /// The key that a list is sorted by: the newest request first, or the end that comes soonest.
    fn sort_key(&self, id: ExemptionId, exemption: &Exemption) -> ExemptionCursor {
        let rank = match (self.expires_within_days, exemption.ends()) {
            (Some(_), Some(end)) => end.as_ms(),
            (_, _) => i64::try_from(exemption.requested.n).unwrap_or(i64::MAX).saturating_neg(),
        };
        (rank, id.to_string())
    }
}

/// The end of a page of exemptions: the sort key of the last one, see [`ExemptionFilter::sort_key`].
pub type ExemptionCursor = (i64, String);

impl<'a, K: Kv, V: Services> ExemptionJob<'a, K, V> {
    /// One exemption.
    ///
    /// # Errors
    /// It does not exist, or the store failed.
    pub async fn get(&self, id: ExemptionId) -> Result<ExemptionItem, Problem> {
        let state = self.load().await?;
        self.item(&mut self.events(), id, self.find(&state, id)?).await
    }

    /// These exemptions, in this order.
    pub(crate) async fn items(&self, ids: &[ExemptionId]) -> Result<Vec<ExemptionItem>, Problem> {
        let state = self.load().await?;
        let (mut events, mut items) = (self.events(), Vec::new());
        for id in ids {
            items.push(self.item(&mut events, *id, self.find(&state, *id)?).await?);
        }
        Ok(items)
    }

    /// The exemptions of a project, the newest request first.
    ///
    /// # Errors
    /// The project or the target does not exist, or the store failed.
    pub async fn list(
        &self,
        filter: &ExemptionFilter,
        wanted: Wanted<ExemptionCursor>,
    ) -> Result<Page<ExemptionItem>, Problem> {
        let (state, now) = (self.load().await?, self.context.now);
        let visible = |name: &TargetName| state.project.targets.contains_key(name) && self.caller.covers(name);
        if let Some(target) = filter.target.as_ref().filter(|name| !visible(name)) {
            return Err(Problem::parameter("target", format_args!("target `{target}` does not exist")));
        }
        let mut selected: Vec<_> = (state.exemptions.by_id.iter())
            .filter(|(_, exemption)| filter.selects(exemption, now) && self.caller.sees_exemption(exemption))
            .map(|(id, exemption)| (filter.sort_key(*id, exemption), *id, exemption))
            .filter(|(key, _, _)| wanted.from.as_ref().is_none_or(|from| from < key))
            .collect();
        selected.sort_by(|a, b| a.0.cmp(&b.0));
        let more = selected.len() > wanted.limit;
        selected.truncate(wanted.limit);
        let (mut events, mut items) = (self.events(), Vec::with_capacity(selected.len()));
        for (_, id, exemption) in &selected {
            items.push(self.item(&mut events, *id, exemption).await?);
        }
        let next = selected.last().filter(|_| more).map(|(key, _, _)| encode("exemptions", key));
        Ok(Page { items, next })
    }

    /// The events of the project's exemptions.
    pub(crate) fn events(&self) -> ExemptionEvents<'a, K> {
        ExemptionEvents::new(self.context.kv, JournalId::Exemptions { project: self.context.project.clone() })
    }

    /// An exemption with its texts.
    pub(crate) async fn item(
        &self,
        events: &mut ExemptionEvents<'_, K>,
        id: ExemptionId,
        exemption: &Exemption,
    ) -> Result<ExemptionItem, Problem> {
        let request = events.request(id, exemption).await?;
        let comment = events.comment(id, exemption).await?;
        let ExemptionRequest { title, text, link, returned_because, .. } = request;
        let words = ExemptionTexts { title, text, link, comment, returned_because };
        Ok(ExemptionItem::new(id, exemption, words, self.context.now))
    }
}
