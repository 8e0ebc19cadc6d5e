//! Where else an issue occurs.

use crate::job::{Context, scan};
use crate::listed::Listed;
use api::Problem;
use api::page::{Page, Wanted, encode};
use api::project_context::project_state;
use api::v1::AffectedTarget;
use domain::baseline::Meant;
use domain::ids::{IssueId, ScanId, TargetName, VariantName};
use domain::journal::JournalId;
use domain::project::{Project, Target};
use domain::scan::{Head, ScanLog, ScanRecord};
use std::collections::BTreeSet;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, journal, keys};

/// How many targets a page looks at.
const TARGETS_MAX: usize = 100;
/// What looking holds for each issue of a scan, in bytes.
const BYTES_PER_ISSUE: usize = 20;
/// The same for each other name that its issues have.
const BYTES_PER_NAME: usize = 24;

/// The project's targets that the caller may see, by name, each with whether the issue occurs there. The scan says which
/// issue is meant, with all of its names, and by which tool and categories.
///
/// # Errors
/// There is no such scan, it has no such issue and none is gone in it, or the store failed.
pub async fn affected(
    context: &Context<'_, impl Kv>,
    issue: IssueId,
    id: ScanId,
    wanted: Wanted<String>,
) -> Result<Page<AffectedTarget>, Problem> {
    scan(context, id).await?;
    let names = {
        let listed = Listed::of(context.kv, id).await?;
        let _held = hold(context, &listed).await;
        let missing = || Problem::not_found(format!("scan {id} has no issue {issue}"));
        let at = listed.find(context.kv, issue).await?.ok_or_else(missing)?;
        listed.names(context.kv, at).await?
    };
    let record = Frozen::get(context.kv, id).await?.record;
    let state = project_state(context.kv, &context.project, context.now).await?;
    let seen = state.targets.iter().filter(|(name, _)| context.who.covers(name));
    let mut rest = seen.filter(|(name, _)| wanted.from.as_ref().is_none_or(|from| from.as_str() < name.as_str()));
    let (mut items, mut last) = (Vec::new(), None);
    for (name, target) in rest.by_ref().take(wanted.limit.min(TARGETS_MAX)) {
        last = Some(name.as_str());
        if let Some((variant, scan)) = looked_at(context, &state, (name, target), &record).await? {
            items.push(at(context, name, variant, scan, &names).await?);
        }
    }
    let next = last.filter(|_| rest.next().is_some()).map(|last| encode("affected", &last));
    Ok(Page { items, next })
}

async fn hold(context: &Context<'_, impl Kv>, listed: &Listed) -> Box<dyn std::any::Any> {
    let names = usize::try_from(listed.judged.other_ids.records).unwrap_or(usize::MAX);
    let bytes =
        listed.entries.len().saturating_mul(BYTES_PER_ISSUE).saturating_add(names.saturating_mul(BYTES_PER_NAME));
    (context.hold)(bytes).await
}

/// The scan of a target that is looked at, with its variant, if there is one: of its baseline, or without a baseline of
/// the variant that was scanned last, the newest complete one that is like `record`'s.
async fn looked_at(
    context: &Context<'_, impl Kv>,
    state: &Project,
    (name, target): (&TargetName, &Target),
    record: &ScanRecord,
) -> Result<Option<(VariantName, ScanId)>, Problem> {
    let journal = JournalId::Scans { project: context.project.clone(), target: target.id };
    let log: ScanLog = journal::load(context.kv, &journal, context.now).await?.state;
    let meant = state.baseline(name, target.target_type).meant(None, &log);
    let variant = match meant.map_err(|error| Problem::internal(format!("the stored baseline: {error}")))? {
        Meant::Variant(variant, _) => Some(variant),
        Meant::None => log.newest(&log.complete, |_| true).map(|(variant, _)| variant.clone()),
        Meant::NothingScanned => None,
    };
    let Some(variant) = variant else { return Ok(None) };
    let key = keys::head(target.id, &variant, &record.tool, &record.categories);
    let head: Option<Head> = document::find(context.kv, &key).await?;
    Ok(head.map(|head| (variant, head.scan)))
}

/// Whether an issue of one of these names occurs in a scan.
async fn at(
    context: &Context<'_, impl Kv>,
    target: &TargetName,
    variant: VariantName,
    scan: ScanId,
    names: &BTreeSet<IssueId>,
) -> Result<AffectedTarget, Problem> {
    let listed = Listed::of(context.kv, scan).await?;
    let _held = hold(context, &listed).await;
    let found = listed.named(context.kv, names).await?;
    Ok(AffectedTarget {
        id: target.to_string(),
        variant: variant.to_string(),
        scan,
        occurrences: found.map_or(0, |(_, occurrences)| occurrences),
        severity: found.map(|(level, _)| level.to_string()),
        affected: found.is_some(),
    })
}
