//! What can be done to a project and its targets: every change is an event in its journal.

use crate::account;
use api::Problem;
use api::auth::{Identity, no_target};
use api::body::{field, illegal};
use api::internal::{AnyEvent, Services};
use api::page::{Page, Wanted, encode, page_of};
use api::project_context::ProjectContext;
use api::v1::{BaselineBody, EffectiveBaseline, ProjectAnswer, SettingsBody, TargetItem, TargetPatch, VariantItem};
use domain::baseline::{Baseline, BaselinePattern, Choice, Meant, Origin, Settled};
use domain::ids::{TargetId, TargetName};
use domain::journal::JournalId;
use domain::limits::DURATION_DAYS_MAX;
use domain::project::{Named, NoticeDays, Project, ProjectEvent, Settings, Target, TargetType, ToolSuppressions};
use domain::scan::ScanLog;
use domain::settings::{MissingBaseline, UpdatedOccurrences};
use finding::severity::Severity;
use store::journal;
use store::kv::Kv;

/// Appends an event to the project's journal.
async fn append<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    event: ProjectEvent,
) -> Result<(), Problem> {
    let event = AnyEvent::Project { event: Named { project: context.project.clone(), event } };
    context.append(&who.actor, event).await
}

/// The project, with the number of those of its targets that the caller may see.
///
/// # Errors
/// It does not exist, or the store failed.
pub async fn project<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
) -> Result<ProjectAnswer, Problem> {
    let state = context.state().await?;
    let created = state.created.map(|mark| mark.at).unwrap_or_default();
    Ok(ProjectAnswer {
        id: context.project.to_string(),
        settings: SettingsBody {
            unassigned_as: state.settings.unassigned_as.map(|level| level.to_string()),
            tool_suppressions: Some(state.settings.tool_suppressions.as_str().to_owned()),
            default_baselines: state
                .settings
                .default_baselines
                .iter()
                .map(|(kind, choice)| (kind.to_string(), shown(choice)))
                .collect(),
            missing_baseline: Some(state.settings.missing_baseline.as_str().to_owned()),
            rejected_allowed: Some(state.settings.rejected_allowed),
            updated_occurrences: Some(state.settings.updated_occurrences.as_str().to_owned()),
            self_approval: Some(state.settings.self_approval),
            unlimited_exemptions: Some(state.settings.unlimited_exemptions),
            exemption_days_max: (state.settings.exemption_days_max.iter())
                .map(|(level, days)| (level.to_string(), *days))
                .collect(),
            ending_notice_days: Some(state.settings.ending_notice_days.days()),
        },
        created_at: created.to_string(),
        targets: state.targets.keys().filter(|name| who.covers(name)).count(),
    })
}

/// Creates the project, or replaces its settings.
///
/// # Errors
/// A setting is not legal, or the store failed.
pub async fn put_project<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    settings: SettingsBody,
) -> Result<ProjectAnswer, Problem> {
    let settings = read_settings(settings)?;
    account::list_project(context.kv, context.services, who, &context.project, context.now).await?;
    append(context, who, ProjectEvent::SettingsSet { settings }).await?;
    project(context, who).await
}

fn read_settings(body: SettingsBody) -> Result<Settings, Problem> {
    let unassigned_as = body.unassigned_as.map(|word| field::<Severity>("unassigned_as", &word)).transpose()?;
    if unassigned_as == Some(Severity::Unassigned) {
        return Err(illegal("unassigned_as", "`unassigned` is no level to count as"));
    }
    let suppressions = body.tool_suppressions.map(|word| field::<ToolSuppressions>("tool_suppressions", &word));
    let missing = body.missing_baseline.map(|word| field::<MissingBaseline>("missing_baseline", &word));
    let updated = body.updated_occurrences.map(|word| field::<UpdatedOccurrences>("updated_occurrences", &word));
    let default_baseline = |(kind, body): (String, Option<BaselineBody>)| {
        let at = format!("default_baselines.{}", kind.escape_default());
        let kind: TargetType = field(&at, &kind)?;
        let choice = body.map_or(Ok(Choice::None), |body| body.read(&at))?;
        Ok::<_, Problem>((kind, choice))
    };
    let days_max = |(level, days): (String, u32)| {
        let at = format!("exemption_days_max.{}", level.escape_default());
        if !(1..=DURATION_DAYS_MAX).contains(&days) {
            return Err(illegal(&at, format_args!("{days} is not from 1 to {DURATION_DAYS_MAX}")));
        }
        Ok((field::<Severity>(&at, &level)?, days))
    };
    let notice = body.ending_notice_days.map(|days| {
        NoticeDays::new(days).ok_or_else(|| illegal("ending_notice_days", format_args!("{days} is not from 1 to 90")))
    });
    Ok(Settings {
        unassigned_as,
        tool_suppressions: suppressions.transpose()?.unwrap_or_default(),
        default_baselines: body.default_baselines.into_iter().map(default_baseline).collect::<Result<_, _>>()?,
        missing_baseline: missing.transpose()?.unwrap_or_default(),
        rejected_allowed: body.rejected_allowed.unwrap_or_default(),
        updated_occurrences: updated.transpose()?.unwrap_or_default(),
        self_approval: body.self_approval.unwrap_or_default(),
        unlimited_exemptions: body.unlimited_exemptions.unwrap_or_default(),
        exemption_days_max: body.exemption_days_max.into_iter().map(days_max).collect::<Result<_, _>>()?,
        ending_notice_days: notice.transpose()?.unwrap_or_default(),
    })
}

/// A default baseline as requests and answers have it: `null` for none.
fn shown(choice: &Choice) -> Option<BaselineBody> {
    match choice {
        Choice::Of(_) => Some(BaselineBody::from(choice)),
        Choice::None => None,
    }
}

/// The project's targets by name, those that the caller may see.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn targets<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    wanted: Wanted<String>,
) -> Result<Page<TargetItem>, Problem> {
    let state = context.state().await?;
    let seen = state.targets.iter().filter(|(name, _)| who.covers(name));
    let page = page_of("targets", seen.map(|(name, target)| (name.to_string(), (name, target))), wanted);
    let mut items = Vec::with_capacity(page.items.len());
    for (name, target) in page.items {
        items.push(target_item(context, &state, name, target).await?);
    }
    Ok(Page { items, next: page.next })
}

/// One target.
///
/// # Errors
/// It does not exist, or the store failed.
pub async fn target<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    name: &str,
) -> Result<TargetItem, Problem> {
    let (state, name) = target_of(context, who, name).await?;
    let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
    target_item(context, &state, &name, target).await
}

/// Sets or removes a target's own baseline; it counts from the next scan on.
///
/// # Errors
/// The target does not exist, the baseline is not legal, or the store failed.
pub async fn set_baseline<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    name: &str,
    patch: TargetPatch,
) -> Result<TargetItem, Problem> {
    let (state, name) = target_of(context, who, name).await?;
    let choice = patch.baseline.map(|baseline| baseline.read("baseline")).transpose()?;
    append(context, who, ProjectEvent::baseline_set(name.clone(), choice.clone())).await?;
    // What was asked for, and not what somebody else may have set since.
    let mut state = state;
    let target = state.targets.get_mut(&name).ok_or_else(|| no_target(&name))?;
    target.baseline = choice;
    let target = target.clone();
    target_item(context, &state, &name, &target).await
}

/// The variants of a target that were scanned, the most recently scanned first, each with how it stands to `regex`, or else
/// to the target's baseline.
///
/// # Errors
/// The target does not exist, or the store failed.
pub async fn variants<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    name: &str,
    regex: Option<BaselinePattern>,
    wanted: Wanted<u64>,
) -> Result<Page<VariantItem>, Problem> {
    let (state, name) = target_of(context, who, name).await?;
    let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
    let settled = match regex {
        Some(regex) => Settled { baseline: Some(Baseline::Regex(regex)), origin: Origin::Target },
        None => state.baseline(&name, target.target_type),
    };
    let log = scan_log(context, target.id).await?;
    let chosen = meant(&settled, &log)?;
    let matcher = match &settled.baseline {
        Some(Baseline::Regex(regex)) => Some(regex.matcher().map_err(|error| stored(&error))?),
        Some(Baseline::Variant(_)) | None => None,
    };
    let variants = log.variants();
    let mut rest = variants.iter().filter(|variant| wanted.from.is_none_or(|from| variant.newest.n < from));
    let page: Vec<_> = rest.by_ref().take(wanted.limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|variant| encode("variants", &variant.newest.n));
    let item = |variant: &&domain::scan::Variant<'_>| {
        let chosen = matches!(&chosen, Meant::Variant(chosen, _) if chosen == variant.name);
        let matches = matcher.as_ref().map_or(chosen, |matcher| matcher.matches(variant.name));
        VariantItem::new(variant, matches, chosen)
    };
    Ok(Page { items: page.iter().map(item).collect(), next })
}

/// The project and a target of it that is there, and that the caller may see.
async fn target_of<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    name: &str,
) -> Result<(Project, TargetName), Problem> {
    let name: TargetName = name.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let state = context.state().await?;
    if who.covers(&name) && state.targets.contains_key(&name) { Ok((state, name)) } else { Err(no_target(&name)) }
}

async fn target_item<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    state: &Project,
    name: &TargetName,
    target: &Target,
) -> Result<TargetItem, Problem> {
    let settled = state.baseline(name, target.target_type);
    // Only a target's own fixed baseline, or none, means the same whatever was scanned.
    let log = match (&settled.baseline, settled.origin) {
        (None, _) | (Some(Baseline::Variant(_)), Origin::Target) => ScanLog::default(),
        (Some(_), _) => scan_log(context, target.id).await?,
    };
    let effective = EffectiveBaseline::new(&settled, &meant(&settled, &log)?);
    Ok(TargetItem::new(name.as_str(), target, effective))
}

async fn scan_log<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    target: TargetId,
) -> Result<ScanLog, Problem> {
    let journal = JournalId::Scans { project: context.project.clone(), target };
    Ok(journal::load::<ScanLog>(context.kv, &journal, context.now).await?.state)
}

fn meant(settled: &Settled, log: &ScanLog) -> Result<Meant, Problem> {
    settled.meant(None, log).map_err(|error| stored(&error))
}

fn stored(error: &domain::baseline::PatternError) -> Problem {
    Problem::internal(format!("the stored baseline: {error}"))
}
