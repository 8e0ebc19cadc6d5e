//! The calls to a project, its settings, targets and baselines. Every change is an event in the project's journal.

use api::Problem;
use api::auth::{Identity, no_target};
use api::body::{field, illegal};
use api::internal::{AnyEvent, Services};
use api::page::{Page, Wanted, encode, page_of};
use api::problem::Code;
use api::project_context::ProjectContext;
use api::v1::{BaselineBody, EffectiveBaseline, ProjectAnswer, SettingsBody, TargetItem, TargetPatch, VariantItem};
use domain::baseline::{Baseline, BaselineChoice, BaselinePattern, BaselineSource, ChosenBaseline, PatternError};
use domain::ids::{TargetId, TargetName};
use domain::journal::JournalId;
use domain::limits::DURATION_DAYS_MAX;
use domain::project::{InProject, Project, ProjectEvent, Target};
use domain::reference::choose::ResolvedBaseline;
use domain::scan_log::{ScanLog, Variant};
use domain::settings::{
    ExaminedShare, MissingBaseline, NewBlindSpots, NoticeDays, Settings, SeverityRise, ToolSuppressions,
    UpdatedOccurrences,
};
use domain::target::TargetType;
use finding::severity::Severity;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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
        let created = state.created.map(|mark| mark.at).unwrap_or_default();
        Ok(ProjectAnswer {
            id: self.context.project.to_string(),
            settings: settings_body(&state.settings),
            created_at: created.to_string(),
            targets: state.targets.keys().filter(|name| self.caller.covers(name)).count(),
        })
    }

    /// Creates the project, or, unless `create` is true, replaces its settings.
    ///
    /// # Errors
    /// A setting is not legal, the project is to be created and exists, or the store failed.
    pub async fn put_project(&self, settings: SettingsBody, create: bool) -> Result<ProjectAnswer, Problem> {
        let settings = read_settings(settings)?;
        self.add_to_account().await?;
        let set = self.append(ProjectEvent::SettingsSet { settings, only: None, create }).await;
        set.map_err(|problem| match problem.code {
            Code::Conflict if create => {
                let detail = format!("{}; change its settings with PATCH (`gatehouse projects set`)", problem.detail);
                Problem { detail, ..problem }
            }
            _ => problem,
        })?;
        self.project().await
    }

    /// Changes the settings that a JSON object contains; the others stay as they are.
    ///
    /// # Errors
    /// A setting is not legal, the project does not exist, or the store failed.
    pub async fn patch_project(&self, body: &[u8]) -> Result<ProjectAnswer, Problem> {
        let (settings, names) = read_patch(body)?;
        self.context.state().await?;
        self.append(ProjectEvent::SettingsSet { settings, only: Some(names), create: false }).await?;
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

    /// Sets or removes a target's own baseline. It counts from the next scan on.
    ///
    /// # Errors
    /// The target does not exist, the baseline is not legal, or the store failed.
    pub async fn set_baseline(&self, name: &str, patch: TargetPatch) -> Result<TargetItem, Problem> {
        let (mut state, name) = self.find_target(name).await?;
        let choice = patch.baseline.map(|baseline| baseline.read("baseline")).transpose()?;
        self.append(ProjectEvent::baseline_set(name.clone(), choice.clone())).await?;
        // The answer shows this change, even if another call has changed the baseline since.
        let target = state.targets.get_mut(&name).ok_or_else(|| no_target(&name))?;
        target.baseline = choice;
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

    /// Appends an event to the project's journal.
    async fn append(&self, event: ProjectEvent) -> Result<(), Problem> {
        let event = AnyEvent::Project { event: InProject { project: self.context.project.clone(), event } };
        self.context.append(&self.caller.actor, event).await
    }

    /// The project, and the name of a target that it has and the caller may see.
    async fn find_target(&self, name: &str) -> Result<(Project, TargetName), Problem> {
        let name: TargetName = name.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        let state = self.context.state().await?;
        let visible = self.caller.covers(&name) && state.targets.contains_key(&name);
        if visible { Ok((state, name)) } else { Err(no_target(&name)) }
    }

    async fn target_item(&self, state: &Project, name: &TargetName, target: &Target) -> Result<TargetItem, Problem> {
        let settled = state.baseline(name, target.target_type);
        // Without a baseline, or with a fixed one, the target's scans make no difference.
        let log = match (&settled.baseline, settled.origin) {
            (None, _) | (Some(Baseline::Variant(_)), BaselineSource::Target) => ScanLog::default(),
            (Some(_), _) => self.scan_log(target.id).await?,
        };
        let effective = EffectiveBaseline::new(&settled, &resolve(&settled, &log)?);
        Ok(TargetItem::new(name.as_str(), target, effective))
    }

    async fn scan_log(&self, target: TargetId) -> Result<ScanLog, Problem> {
        let journal = JournalId::Scans { project: self.context.project.clone(), target };
        Ok(journal::load::<ScanLog>(self.context.kv, &journal, self.context.now).await?.state)
    }
}

fn settings_body(settings: &Settings) -> SettingsBody {
    let baselines = settings.default_baselines.iter();
    let days_max = settings.exemption_days_max.iter();
    SettingsBody {
        unassigned_as: settings.unassigned_as.map(|severity| severity.to_string()),
        tool_suppressions: Some(settings.tool_suppressions.as_str().to_owned()),
        default_baselines: baselines.map(|(kind, choice)| (kind.to_string(), baseline_body(choice))).collect(),
        missing_baseline: Some(settings.missing_baseline.as_str().to_owned()),
        rejected_allowed: Some(settings.rejected_allowed),
        updated_occurrences: Some(settings.updated_occurrences.as_str().to_owned()),
        new_blind_spots: Some(settings.new_blind_spots.as_str().to_owned()),
        examined_share: Some(settings.examined_share.percent()),
        self_approval: Some(settings.self_approval),
        unlimited_exemptions: Some(settings.unlimited_exemptions),
        exemption_days_max: days_max.map(|(severity, days)| (severity.to_string(), *days)).collect(),
        ending_notice_days: Some(settings.ending_notice_days.days()),
        severity_rise_allowed: Some(settings.severity_rise_allowed.levels()),
    }
}

/// A default baseline as requests and answers have it: `null` for no baseline.
fn baseline_body(choice: &BaselineChoice) -> Option<BaselineBody> {
    match choice {
        BaselineChoice::Of(_) => Some(BaselineBody::from(choice)),
        BaselineChoice::None => None,
    }
}

/// Reads the body of a change: the settings in it, and their names. `null` means the default, of every setting.
fn read_patch(body: &[u8]) -> Result<(Settings, BTreeSet<String>), Problem> {
    let mut fields: BTreeMap<String, Value> = guest::json(body)?;
    let names = fields.keys().cloned().collect();
    for name in ["default_baselines", "exemption_days_max"] {
        // The default of a list by name is the empty one.
        if let Some(value) = fields.get_mut(name).filter(|value| value.is_null()) {
            *value = Value::Object(serde_json::Map::new());
        }
    }
    let text = serde_json::to_vec(&fields).map_err(|error| Problem::internal(error.to_string()))?;
    Ok((read_settings(guest::json(&text)?)?, names))
}

fn read_settings(body: SettingsBody) -> Result<Settings, Problem> {
    let unassigned_as = body.unassigned_as.map(|word| field::<Severity>("unassigned_as", &word)).transpose()?;
    if unassigned_as == Some(Severity::Unassigned) {
        return Err(illegal(
            "unassigned_as",
            "`unassigned` is not allowed; expected `info`, `low`, `medium`, `high` or `critical`",
        ));
    }
    let suppressions = body.tool_suppressions.map(|word| field::<ToolSuppressions>("tool_suppressions", &word));
    let missing = body.missing_baseline.map(|word| field::<MissingBaseline>("missing_baseline", &word));
    let updated = body.updated_occurrences.map(|word| field::<UpdatedOccurrences>("updated_occurrences", &word));
    let blind = body.new_blind_spots.map(|word| field::<NewBlindSpots>("new_blind_spots", &word));
    let share = body.examined_share.map(|percent| {
        let error = || illegal("examined_share", format_args!("expected 0 to 100, found {percent}"));
        ExaminedShare::new(percent).ok_or_else(error)
    });
    let default_baseline = |(kind, body): (String, Option<BaselineBody>)| {
        let at = format!("default_baselines.{}", kind.escape_default());
        let kind: TargetType = field(&at, &kind)?;
        let choice = body.map_or(Ok(BaselineChoice::None), |body| body.read(&at))?;
        Ok::<_, Problem>((kind, choice))
    };
    let days_max = |(severity, days): (String, u32)| {
        let at = format!("exemption_days_max.{}", severity.escape_default());
        if !(1..=DURATION_DAYS_MAX).contains(&days) {
            return Err(illegal(&at, format_args!("expected 1 to {DURATION_DAYS_MAX}, found {days}")));
        }
        Ok((field::<Severity>(&at, &severity)?, days))
    };
    let notice = body.ending_notice_days.map(|days| {
        let error = || illegal("ending_notice_days", format_args!("expected 1 to 90, found {days}"));
        NoticeDays::new(days).ok_or_else(error)
    });
    let rise = body.severity_rise_allowed.map(|levels| {
        let error = || illegal("severity_rise_allowed", format_args!("expected 0 to 5, found {levels}"));
        SeverityRise::new(levels).ok_or_else(error)
    });
    Ok(Settings {
        unassigned_as,
        tool_suppressions: suppressions.transpose()?.unwrap_or_default(),
        default_baselines: body.default_baselines.into_iter().map(default_baseline).collect::<Result<_, _>>()?,
        missing_baseline: missing.transpose()?.unwrap_or_default(),
        rejected_allowed: body.rejected_allowed.unwrap_or_default(),
        updated_occurrences: updated.transpose()?.unwrap_or_default(),
        new_blind_spots: blind.transpose()?.unwrap_or_default(),
        examined_share: share.transpose()?.unwrap_or_default(),
        self_approval: body.self_approval.unwrap_or_default(),
        unlimited_exemptions: body.unlimited_exemptions.unwrap_or_default(),
        exemption_days_max: body.exemption_days_max.into_iter().map(days_max).collect::<Result<_, _>>()?,
        ending_notice_days: notice.transpose()?.unwrap_or_default(),
        severity_rise_allowed: rise.transpose()?.unwrap_or_default(),
    })
}

/// The variant that a baseline means, given the target's scans.
fn resolve(settled: &ChosenBaseline, log: &ScanLog) -> Result<ResolvedBaseline, Problem> {
    settled.resolve(None, log).map_err(|error| stored_baseline(&error))
}

fn stored_baseline(error: &PatternError) -> Problem {
    Problem::internal(format!("the stored baseline: {error}"))
}
