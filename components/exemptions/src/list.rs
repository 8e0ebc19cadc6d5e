//! Exemptions as they stand.

use crate::job::Known;
use crate::words::Events;
use api::Problem;
use api::auth::Identity;
use api::internal::Services;
use api::page::{Page, Wanted, encode};
use api::project_context::ProjectContext;
use api::v1::ExemptionItem;
use domain::exemption::{Exemption, Scope, Status};
use domain::ids::{ExemptionId, IssueId, TargetName};
use domain::time::Timestamp;
use store::kv::Kv;

/// Which exemptions are asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those that stand so.
    pub status: Option<Status>,
    /// Those that hold for one target: this one.
    pub target: Option<TargetName>,
    /// Those of this scope.
    pub scope: Option<Scope>,
    /// Those for this issue.
    pub issue: Option<IssueId>,
    /// Approved ones that end within so many days; they are sorted by their end, the soonest first.
    pub expires_within_days: Option<u32>,
}

impl Filter {
    fn takes(&self, held: &Exemption, now: Timestamp) -> bool {
        let status = held.status(now);
        let ends = |days: u32| held.ends().is_some_and(|end| end <= now.plus_days(days));
        self.status.is_none_or(|wanted| wanted == status)
            && self.target.as_ref().is_none_or(|target| held.reach().target() == Some(target))
            && self.scope.is_none_or(|scope| held.reach().scope() == scope)
            && self.issue.is_none_or(|issue| held.issue == issue)
            && self.expires_within_days.is_none_or(|days| status == Status::Approved && ends(days))
    }

    /// What a list is sorted by: those asked for last come first, or those that end soonest.
    fn rank(&self, id: ExemptionId, held: &Exemption) -> Cursor {
        let rank = match (self.expires_within_days, held.ends()) {
            (Some(_), Some(end)) => end.as_ms(),
            (_, _) => i64::try_from(held.requested.n).unwrap_or(i64::MAX).saturating_neg(),
        };
        (rank, id.to_string())
    }
}

/// Where a list goes on: the rank and id of the last exemption before.
pub type Cursor = (i64, String);

/// One exemption.
///
/// # Errors
/// There is none of this id, or the store failed.
pub async fn get<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    id: ExemptionId,
) -> Result<ExemptionItem, Problem> {
    let known = Known::load(context).await?;
    let held = known.find(who, id)?;
    item(context, &mut Events::default(), id, held).await
}

/// These exemptions.
pub(crate) async fn items<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    ids: &[ExemptionId],
) -> Result<Vec<ExemptionItem>, Problem> {
    let known = Known::load(context).await?;
    let (mut events, mut items) = (Events::default(), Vec::new());
    for id in ids {
        items.push(item(context, &mut events, *id, known.find(who, *id)?).await?);
    }
    Ok(items)
}

/// The exemptions of a project, those asked for last first.
///
/// # Errors
/// The project or the target does not exist, or the store failed.
pub async fn list<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    filter: &Filter,
    wanted: Wanted<Cursor>,
) -> Result<Page<ExemptionItem>, Problem> {
    let known = Known::load(context).await?;
    let there = |target: &&TargetName| known.project.targets.contains_key(*target) && who.covers(target);
    if let Some(target) = filter.target.as_ref().filter(|target| !there(target)) {
        return Err(Problem::parameter("target", format_args!("there is no target `{target}`")));
    }
    let mut chosen: Vec<_> = (known.exemptions.by_id.iter())
        .filter(|(_, held)| filter.takes(held, context.now) && who.sees_exemption(held))
        .map(|(id, held)| (filter.rank(*id, held), *id, held))
        .filter(|(rank, _, _)| wanted.from.as_ref().is_none_or(|from| from < rank))
        .collect();
    chosen.sort_by(|a, b| a.0.cmp(&b.0));
    let more = chosen.len() > wanted.limit;
    chosen.truncate(wanted.limit);
    let (mut events, mut items) = (Events::default(), Vec::with_capacity(chosen.len()));
    for (_, id, held) in &chosen {
        items.push(item(context, &mut events, *id, held).await?);
    }
    let next = chosen.last().filter(|_| more).map(|(rank, _, _)| encode("exemptions", rank));
    Ok(Page { items, next })
}

pub(crate) async fn item<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    events: &mut Events,
    id: ExemptionId,
    held: &Exemption,
) -> Result<ExemptionItem, Problem> {
    let words = events.words(context, id, held).await?;
    Ok(ExemptionItem::new(id, held, words, context.now))
}
