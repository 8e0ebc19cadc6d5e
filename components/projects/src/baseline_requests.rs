//! The calls to requests to change baselines.

use crate::job::{ProjectJob, resolve};
use api::Problem;
use api::auth::no_target;
use api::body::{illegal, remark};
use api::internal::Services;
use api::page::{Page, Wanted, page_of};
use api::v1::{
    BaselineDecisionBody, BaselineEffect, BaselineRequestBody, BaselineRequestItem, EffectiveBaseline, TargetItem,
};
use domain::baseline::ChosenBaseline;
use domain::baseline_request::BaselineRequest;
use domain::change_decision::ChangeDecision;
use domain::ids::TargetName;
use domain::project::{Project, ProjectEvent, Target};
use domain::reference::choose::ResolvedBaseline;
use domain::scan_log::ScanLog;
use store::kv::Kv;

impl<K: Kv, V: Services> ProjectJob<'_, K, V> {
    /// Requests a change of a target's baseline.
    ///
    /// # Errors
    /// The target does not exist or has a pending request, the baseline or reason is not legal, or the store failed.
    pub async fn request_baseline(
        &self,
        name: &str,
        body: BaselineRequestBody,
    ) -> Result<BaselineRequestItem, Problem> {
        let (_, name) = self.find_target(name).await?;
        let requested = body.baseline.map(|baseline| baseline.read("baseline")).transpose()?;
        let comment = remark("reason", body.reason)?;
        if comment.trim().is_empty() {
            return Err(illegal("reason", "expected the reason for the change, found an empty text"));
        }
        self.append(ProjectEvent::BaselineRequested { name: name.clone(), requested, comment }).await?;
        let state = self.context.state().await?;
        let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
        let request = target.baseline_request.as_ref().filter(|request| request.made.event == self.context.event);
        request_item(
            &state,
            &name,
            target,
            request.ok_or_else(Problem::decided_meanwhile)?,
            &self.scan_log(target.id).await?,
        )
    }

    /// Decides a request to change a target's baseline, if the baseline has this version; without a version, in any
    /// case.
    ///
    /// # Errors
    /// The target or request does not exist, the caller may not decide it, the baseline has another version, or the
    /// store failed.
    pub async fn decide_baseline(
        &self,
        name: &str,
        decision: ChangeDecision,
        body: BaselineDecisionBody,
        version: Option<u64>,
    ) -> Result<TargetItem, Problem> {
        let (_, name) = self.find_target(name).await?;
        let comment = remark("comment", body.comment)?;
        let request = body.request;
        self.append(ProjectEvent::BaselineDecided { name: name.clone(), request, decision, comment, version }).await?;
        self.target(name.as_str()).await
    }

    /// The pending requests of targets that the caller may see.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn baseline_requests(&self, wanted: Wanted<String>) -> Result<Page<BaselineRequestItem>, Problem> {
        let state = self.context.state().await?;
        let pending = state.targets.iter().filter(|(name, _)| self.caller.covers(name));
        let pending = pending.filter_map(|(name, target)| {
            let request = target.baseline_request.as_deref()?;
            Some((name.to_string(), (name, target, request)))
        });
        let page = page_of("baseline-requests", pending, wanted);
        let mut items = Vec::with_capacity(page.items.len());
        for (name, target, request) in page.items {
            items.push(request_item(&state, name, target, request, &self.scan_log(target.id).await?)?);
        }
        Ok(Page { items, next: page.next })
    }
}

/// Makes the item of a pending request, with its effect. `log` is that of the target.
pub(crate) fn request_item(
    state: &Project,
    name: &TargetName,
    target: &Target,
    request: &BaselineRequest,
    log: &ScanLog,
) -> Result<BaselineRequestItem, Problem> {
    let now = effect(&state.baseline(name, target.target_type), log)?;
    let then = effect(&state.baseline_with(request.requested.as_ref(), target.target_type), log)?;
    let outdated = !request.is_current(&state.baselines(target));
    Ok(BaselineRequestItem::new(name.as_str(), request, outdated, (now, then)))
}

/// A baseline with the newest complete scan of the variant that it resolves to.
fn effect(settled: &ChosenBaseline, log: &ScanLog) -> Result<BaselineEffect, Problem> {
    let resolved = resolve(settled, log)?;
    let scan = match &resolved {
        ResolvedBaseline::Variant(variant, _) => log.newest_trusted(|name| name == variant).map(|(_, seen)| seen.scan),
        ResolvedBaseline::None | ResolvedBaseline::NothingScanned | ResolvedBaseline::Unknown => None,
    };
    Ok(BaselineEffect { baseline: EffectiveBaseline::new(settled, &resolved), scan })
}
