//! What can be done to a project: every change is an event in its journal.

use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal};
use api::context::Context;
use api::internal::{AnyEvent, Services};
use api::page::{Page, Wanted, encode};
use api::v1::{ProjectAnswer, SettingsBody, TargetItem, TargetPatch, TokenBody, TokenItem};
use domain::ids::{Subject, TargetName, TokenId, VariantName, token_digest};
use domain::limits::DURATION_DAYS_MAX;
use domain::project::{IssuedToken, Named, ProjectEvent, Settings, TokenRecord, ToolSuppressions};
use domain::role::Role;
use finding::severity::Severity;
use store::kv::Kv;
use store::{document, keys};

/// Appends an event to the project's journal.
async fn append<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    event: ProjectEvent,
) -> Result<(), Problem> {
    let event = AnyEvent::Project { event: Named { project: context.project.clone(), event } };
    context.append(&who.actor, event).await
}

/// The project.
///
/// # Errors
/// It does not exist, or the store failed.
pub async fn project<K: Kv, V: Services>(context: &Context<'_, K, V>) -> Result<ProjectAnswer, Problem> {
    let state = context.state().await?;
    let created = state.created.map(|mark| mark.at).unwrap_or_default();
    Ok(ProjectAnswer {
        id: context.project.to_string(),
        settings: SettingsBody {
            unassigned_as: state.settings.unassigned_as.map(|level| level.to_string()),
            tool_suppressions: Some(state.settings.tool_suppressions.as_str().to_owned()),
        },
        created_at: created.to_string(),
        targets: state.targets.len(),
    })
}

/// Creates the project, or replaces its settings.
///
/// # Errors
/// A setting is not legal, or the store failed.
pub async fn put_project<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    settings: SettingsBody,
) -> Result<ProjectAnswer, Problem> {
    let unassigned_as = settings.unassigned_as.map(|word| field::<Severity>("unassigned_as", &word)).transpose()?;
    if unassigned_as == Some(Severity::Unassigned) {
        return Err(illegal("unassigned_as", "`unassigned` is no level to count as"));
    }
    let suppressions = settings.tool_suppressions.map(|word| field::<ToolSuppressions>("tool_suppressions", &word));
    let tool_suppressions = suppressions.transpose()?.unwrap_or_default();
    append(context, who, ProjectEvent::SettingsSet { settings: Settings { unassigned_as, tool_suppressions } }).await?;
    project(context).await
}

/// The project's tokens, without themselves.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn tokens<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    wanted: Wanted<String>,
) -> Result<Page<TokenItem>, Problem> {
    let state = context.state().await?;
    let items = state.tokens.values().map(TokenItem::new).map(|item| (item.id.clone(), item));
    Ok(page_of("tokens", items, wanted))
}

/// Issues a token. It stands in this answer and nowhere else.
///
/// # Errors
/// The request is not legal, the project does not exist or has too many tokens, or the store failed.
pub async fn issue_token<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    wanted: TokenBody,
    secret: String,
) -> Result<TokenItem, Problem> {
    context.state().await?;
    let expires = match wanted.expires_in_days {
        Some(days) if !(1..=DURATION_DAYS_MAX).contains(&days) => {
            return Err(illegal("expires_in_days", format_args!("{days} is not from 1 to {DURATION_DAYS_MAX}")));
        }
        days => days.map(|days| context.now.plus_days(days)),
    };
    let name: Subject = field("name", &wanted.name)?;
    let token = IssuedToken {
        id: TokenId::of(&secret),
        sha256: token_digest(&secret),
        name: name.to_string(),
        subject: field("subject", wanted.subject.as_deref().unwrap_or(&wanted.name))?,
        role: field::<Role>("role", &wanted.role)?,
        expires,
    };
    // The journal first: a token that nobody knows of must not open anything.
    append(context, who, ProjectEvent::TokenIssued { token: token.clone() }).await?;
    let record = TokenRecord { v: 1, project: context.project.clone(), token: token.clone() };
    document::put(context.kv, &keys::token(&token.sha256), &record).await?;
    let issued = domain::event::Mark { event: context.event, at: context.now, by: who.actor.clone() };
    let item = TokenItem::new(&domain::project::Token { token, issued });
    Ok(TokenItem { token: Some(secret), ..item })
}

/// Revokes a token at once.
///
/// # Errors
/// There is no such token, or the store failed.
pub async fn revoke_token<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    id: &str,
) -> Result<(), Problem> {
    let id: TokenId = id.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let state = context.state().await?;
    let token = state.tokens.get(&id).ok_or_else(|| Problem::not_found(format!("there is no token {id}")))?;
    // The register first: if the event fails, the token is dead all the same and revoking it again records it.
    context.kv.delete(&keys::token(&token.token.sha256)).await?;
    append(context, who, ProjectEvent::TokenRevoked { token: id }).await
}

/// The project's targets by name.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn targets<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    wanted: Wanted<String>,
) -> Result<Page<TargetItem>, Problem> {
    let state = context.state().await?;
    let items = state.targets.iter().map(|(name, target)| (name.to_string(), TargetItem::new(name.as_str(), target)));
    Ok(page_of("targets", items, wanted))
}

/// One target.
///
/// # Errors
/// It does not exist, or the store failed.
pub async fn target<K: Kv, V: Services>(context: &Context<'_, K, V>, name: &str) -> Result<TargetItem, Problem> {
    let name: TargetName = name.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let state = context.state().await?;
    let target = state.targets.get(&name).ok_or_else(|| no_target(&name))?;
    Ok(TargetItem::new(name.as_str(), target))
}

/// Sets or removes a target's baseline; it counts from the next scan on.
///
/// # Errors
/// The target does not exist, the variant is not legal, or the store failed.
pub async fn set_baseline<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    name: &str,
    patch: TargetPatch,
) -> Result<TargetItem, Problem> {
    let item = target(context, name).await?;
    let variant = match &patch.baseline {
        None => None,
        Some(baseline) => Some(field::<VariantName>("baseline.variant", &baseline.variant)?),
    };
    let name: TargetName = field("target", &item.name)?;
    append(context, who, ProjectEvent::BaselineSet { name, variant }).await?;
    Ok(TargetItem { baseline: patch.baseline, ..item })
}

fn no_target(name: &TargetName) -> Problem {
    Problem::not_found(format!("there is no target `{name}`; its first upload creates it"))
}

/// A page of items that are sorted by a text; the cursor is the text after which the page begins.
fn page_of<T>(list: &str, items: impl Iterator<Item = (String, T)>, wanted: Wanted<String>) -> Page<T> {
    let mut rest = items.filter(|(at, _)| wanted.from.as_ref().is_none_or(|from| from < at));
    let page: Vec<_> = rest.by_ref().take(wanted.limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|(at, _)| encode(list, at));
    Page { items: page.into_iter().map(|(_, item)| item).collect(), next }
}
