//! The calls to a project, its settings, targets and baselines. Every change is an event in the project's journal.

use crate::baseline_requests::request_item;
use crate::settings::{read_patch, read_settings, settings_body};
use crate::settings_requests::{check_names, settings_item};
use api::Problem;
use api::auth::{Identity, no_target};
use api::internal::{AnyEvent, Services};
use api::page::{Page, Wanted, encode, page_of};
use api::problem::Code;
use api::project_context::ProjectContext;
use api::v1::{EffectiveBaseline, ProjectAnswer, SettingsBody, TargetItem, TargetPatch, VariantItem};
use domain::baseline::{
    Baseline, BaselineChange, BaselineChoice, BaselinePattern, BaselineSource, ChosenBaseline, PatternError,
};
use domain::exemption::Stamp;
use domain::ids::{TargetId, TargetName};
use domain::journal::JournalId;
use domain::project::{InProject, Project, ProjectEvent, Target, version_of};
use domain::reference::choose::ResolvedBaseline;
use domain::role::Right;
use domain::scan_log::{ScanLog, Variant};
use store::journal;
use store::kv::Kv;

/// A call to a project or its targets.
pub struct ProjectJob<'a, K, V> {
    /// The project, and the store and components that the call uses.
    pub context: ProjectContext<'a, K, V>,
    /// The caller.
    pub caller: Identity,
}

impl<K: Kv, V: Services> ProjectJob<'_, K, V> {
    /// The project, with the number of its targets that the caller may see.
    ///
    /// # Errors
    /// It does not exist, or the store failed.
    pub async fn project(&self) -> Result<ProjectAnswer, Problem> {
        let state = self.context.state().await?;
        let created = state.created.as_ref().map(|mark| mark.at).unwrap_or_default();
        Ok(ProjectAnswer {
            id: self.context.project.to_string(),
            settings: settings_body(&state.settings),
            created_at: created.to_string(),
            targets: state.targets.keys().filter(|name| self.caller.covers(name)).count(),
            version: version_of(state.settings_set.as_ref()),
            changed_by: state.settings_set.as_ref().map(|set| set.by.to_string()),
            changed_at: state.settings_set.as_ref().map(|set| set.at.to_string()),
            settings_request: settings_item(&state).map(Box::new),
        })
    }

    /// Creates the project, or, unless `create` is true, replaces this version of its settings; without a version, any.
    ///
    /// # Errors
    /// A setting is not legal, the project is to be created and exists, the settings have another version, or the store
    /// failed.
    pub async fn put_project(
        &self,
        settings: SettingsBody,
        create: bool,
        version: Option<u64>,
    ) -> Result<ProjectAnswer, Problem> {
        let settings = read_settings(settings)?;
        if version.is_some() {
            // A change of a version needs a project.
            self.context.state().await?;
        }
        self.add_to_account().await?;
        let set = self.append(ProjectEvent::SettingsSet { settings, version, only: None, create }).await;
        set.map_err(|problem| {
            if problem.code == Code::Conflict && create {
                let detail = format!("{}; change its settings with PATCH (`gatehouse projects set`)", problem.detail);
                Problem { detail, ..problem }
            } else {
                problem
            }
        })?;
        self.project().await
    }

    /// Changes the settings that a JSON object contains, if the settings have this version; without a version, in any
    /// case. The others stay as they are.
    ///
    /// # Errors
    /// A setting is not legal or not one that the caller may change, the project does not exist, the settings have
    /// another version, or the store failed.
    pub async fn patch_project(&self, body: &[u8], version: Option<u64>) -> Result<ProjectAnswer, Problem> {
        let (settings, names) = read_patch(body)?;
        if self.caller.require(&self.context.project, Right::Administer).is_err() {
            self.caller.require_all_targets()?;
            check_names(&names)?;
        }
        self.context.state().await?;
        self.append(ProjectEvent::SettingsSet { settings, version, only: Some(names), create: false }).await?;
        self.project().await
    }

    /// The project's targets that the caller may see, by name.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn targets(&self, wanted: Wanted<String>) -> Result<Page<TargetItem>, Problem> {
        let state = self.context.state().await?;
        let visible = state.targets.iter().filter(|(name, _)| self.caller.covers(name));
        let page = page_of("targets", visible.map(|(name, target)| (name.to_string(), (name, target))), wanted);
        let mut items = Vec::with_capacity(page.items.len());
        for (name, target) in page.items {
            items.push(self.target_item(&state, name, target).await?);
        }
        Ok(Page { items, next: page.next })
    }

    /// One target.
    ///
    /// # Errors
    /// It does not exist, or the store failed.
    pub async fn target(&self, name: &str) -> Result<TargetItem, Problem> {
        let (state, name) = self.find_target(name).await?;
        let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
        self.target_item(&state, &name, target).await
    }

    /// Sets or removes a target's own baseline, if it has this version; without a version, in any case. It counts from
    /// the next scan on.
    ///
    /// # Errors
    /// The target does not exist, its baseline has another version or is not legal, or the store failed.
    pub async fn set_baseline(
        &self,
        name: &str,
        patch: TargetPatch,
        version: Option<u64>,
    ) -> Result<TargetItem, Problem> {
        let (mut state, name) = self.find_target(name).await?;
        let choice = patch.baseline.map(|baseline| baseline.read("baseline")).transpose()?;
        let version = self.check_change(&state, &name, choice.as_ref(), version).await?;
        let n = self.append(ProjectEvent::baseline_set(name.clone(), choice.clone()).on_version(version)).await?;
        // The answer shows this change, even if another call has changed the baseline since.
        let target = state.targets.get_mut(&name).ok_or_else(|| no_target(&name))?;
        target.baseline = choice;
        let mut now = self.context.state().await?;
        let stored = now.targets.remove(&name).and_then(|target| target.baseline_set).filter(|set| set.n == n);
        let own = || Stamp { n, at: self.context.now, by: self.caller.actor.subject.clone() };
        target.baseline_set = Some(stored.unwrap_or_else(own));
        let target = target.clone();
        self.target_item(&state, &name, &target).await
    }

    /// The scanned variants of a target, the most recently scanned first. Each says whether `regex` matches it; without
    /// `regex`, whether the target's baseline does.
    ///
    /// # Errors
    /// The target does not exist, or the store failed.
    pub async fn variants(
        &self,
        name: &str,
        regex: Option<BaselinePattern>,
        wanted: Wanted<u64>,
    ) -> Result<Page<VariantItem>, Problem> {
        let (state, name) = self.find_target(name).await?;
        let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
        let settled = match regex {
            Some(regex) => ChosenBaseline { baseline: Some(Baseline::Regex(regex)), origin: BaselineSource::Target },
            None => state.baseline(&name, target.target_type),
        };
        let log = self.scan_log(target.id).await?;
        let chosen = resolve(&settled, &log)?;
        let matcher = match &settled.baseline {
            Some(Baseline::Regex(regex)) => Some(regex.matcher().map_err(|error| stored_baseline(&error))?),
            Some(Baseline::Variant(_)) | None => None,
        };
        let variants = log.variants();
        let mut rest = variants.iter().filter(|variant| wanted.from.is_none_or(|from| variant.newest.n < from));
        let page: Vec<_> = rest.by_ref().take(wanted.limit).collect();
        let more = rest.next().is_some();
        let next = page.last().filter(|_| more).map(|variant| encode("variants", &variant.newest.n));
        let item = |variant: &&Variant<'_>| {
            let chosen = matches!(&chosen, ResolvedBaseline::Variant(chosen, _) if chosen == variant.name);
            let matches = matcher.as_ref().map_or(chosen, |matcher| matcher.matches(variant.name));
            VariantItem::new(variant, matches, chosen)
        };
        Ok(Page { items: page.iter().map(item).collect(), next })
    }

    /// Checks that the caller may set a target's own baseline to this one, and returns the version that the change is
    /// for: the requested one, or, if the right depends on the present baseline, that one. Else a change by a reviewer
    /// between this check and the change would be overwritten.
    async fn check_change(
        &self,
        state: &Project,
        name: &TargetName,
        requested: Option<&BaselineChoice>,
        version: Option<u64>,
    ) -> Result<Option<u64>, Problem> {
        let target = state.targets.get(name).ok_or_else(|| no_target(name))?;
        let default: Option<ResolvedBaseline> = match &target.baseline {
            Some(_) => None,
            None => {
                let log = self.scan_log(target.id).await?;
                Some(resolve(&state.baseline(name, target.target_type), &log)?)
            }
        };
        let change = BaselineChange {
            role: self.caller.actor.role,
            allowed_to: state.settings.baseline_changes,
            current: target.baseline.as_ref(),
            default: default.as_ref(),
            requested,
        };
        change.check().map_err(|refusal| Problem::new(Code::Forbidden, refusal.to_string()))?;
        let checked = Some(version_of(target.baseline_set.as_ref())).filter(|_| !change.is_free());
        Ok(version.or(checked))
    }

    /// Appends an event to the project's journal, and returns its number.
    pub(crate) async fn append(&self, event: ProjectEvent) -> Result<u64, Problem> {
        let event = AnyEvent::Project { event: InProject { project: self.context.project.clone(), event } };
        self.context.append_numbered(&self.caller.actor, event).await
    }

    /// The project, and the name of a target that it has and the caller may see.
    pub(crate) async fn find_target(&self, name: &str) -> Result<(Project, TargetName), Problem> {
        let name: TargetName = name.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        let state = self.context.state().await?;
        let visible = self.caller.covers(&name) && state.targets.contains_key(&name);
        if visible { Ok((state, name)) } else { Err(no_target(&name)) }
    }

    async fn target_item(&self, state: &Project, name: &TargetName, target: &Target) -> Result<TargetItem, Problem> {
        let settled = state.baseline(name, target.target_type);
        let request = target.baseline_request.as_deref();
        // Without a baseline, or with a fixed one, the target's scans make no difference.
        let log = match (&settled.baseline, settled.origin, request) {
            (None, _, None) | (Some(Baseline::Variant(_)), BaselineSource::Target, None) => ScanLog::default(),
            (_, _, _) => self.scan_log(target.id).await?,
        };
        let effective = EffectiveBaseline::new(&settled, &resolve(&settled, &log)?);
        let item = |request| request_item(state, name, target, request, &log).map(Box::new);
        let baseline_request = request.map(item).transpose()?;
        Ok(TargetItem { baseline_request, ..TargetItem::new(name.as_str(), target, effective) })
    }

    pub(crate) async fn scan_log(&self, target: TargetId) -> Result<ScanLog, Problem> {
        let journal = JournalId::Scans { project: self.context.project.clone(), target };
        Ok(journal::load::<ScanLog>(self.context.kv, &journal, self.context.now).await?.state)
    }
}

/// The variant that a baseline means, given the target's scans.
pub(crate) fn resolve(settled: &ChosenBaseline, log: &ScanLog) -> Result<ResolvedBaseline, Problem> {
    settled.resolve(None, log).map_err(|error| stored_baseline(&error))
}

fn stored_baseline(error: &PatternError) -> Problem {
    Problem::internal(format!("the stored baseline: {error}"))
}
