//! What can be done to tokens, of a project or of the account: every change is an event in its journal.

use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal};
use api::internal::{AnyEvent, Append, Services};
use api::page::{Page, Wanted, page_of};
use api::problem::Code;
use api::project_context::project_state;
use api::v1::{TokenBody, TokenItem};
use domain::account::{Account, AccountEvent};
use domain::event::Mark;
use domain::ids::{EventId, ProjectId, Subject, TargetName, TokenId, token_digest};
use domain::journal::JournalId;
use domain::limits::{DURATION_DAYS_MAX, TOKEN_TARGETS_MAX};
use domain::project::{Named, ProjectEvent};
use domain::role::Role;
use domain::time::Timestamp;
use domain::token::{IssuedToken, Token, TokenRecord, Tokens, Used};
use futures::future::try_join_all;
use std::collections::BTreeSet;
use store::kv::Kv;
use store::{document, journal, keys};

/// How many registers are read at once.
const READ_AT_ONCE: usize = 64;

/// What a call to tokens works with.
pub struct Context<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// When the call began.
    pub now: Timestamp,
    /// The id of the event that the call appends, if it appends one.
    pub event: EventId,
    /// Whose tokens: a project's; absent: the account's.
    pub project: Option<ProjectId>,
}

impl<K: Kv, V: Services> Context<'_, K, V> {
    async fn state(&self) -> Result<Tokens, Problem> {
        match &self.project {
            Some(project) => Ok(project_state(self.kv, project, self.now).await?.tokens),
            None => Ok(journal::load::<Account>(self.kv, &JournalId::Account, self.now).await?.state.tokens),
        }
    }

    async fn issued(&self, who: &Identity, token: IssuedToken) -> Result<(), Problem> {
        let event = match &self.project {
            Some(project) => of_project(project, ProjectEvent::TokenIssued { token }),
            None => AnyEvent::Account { event: AccountEvent::TokenIssued { token } },
        };
        self.append(who, event).await
    }

    async fn revoked(&self, who: &Identity, token: TokenId) -> Result<(), Problem> {
        let event = match &self.project {
            Some(project) => of_project(project, ProjectEvent::TokenRevoked { token }),
            None => AnyEvent::Account { event: AccountEvent::TokenRevoked { token } },
        };
        self.append(who, event).await
    }

    async fn append(&self, who: &Identity, event: AnyEvent) -> Result<(), Problem> {
        let append = Append { id: self.event, by: who.actor.clone(), event };
        match self.services.append(&append).await?.refused {
            None => Ok(()),
            Some(refusal) => Err(Problem::new(Code::Conflict, refusal.reason)),
        }
    }
}

fn of_project(project: &ProjectId, event: ProjectEvent) -> AnyEvent {
    AnyEvent::Project { event: Named { project: project.clone(), event } }
}

/// The tokens, without themselves, each with its last use.
///
/// # Errors
/// The project does not exist, or the store failed.
pub async fn list<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    wanted: Wanted<String>,
) -> Result<Page<TokenItem>, Problem> {
    let state = context.state().await?;
    let page = page_of("tokens", state.iter().map(|token| (token.token.id.to_string(), token)), wanted);
    let mut items = Vec::with_capacity(page.items.len());
    for some in page.items.chunks(READ_AT_ONCE) {
        let keys: Vec<_> = some.iter().map(|token| keys::used(&token.token.sha256)).collect();
        let used = try_join_all(keys.iter().map(|key| document::find::<Used>(context.kv, key))).await?;
        items.extend(some.iter().zip(used).map(|(token, used)| TokenItem::new(token, used.as_ref())));
    }
    Ok(Page { items, next: page.next })
}

/// Issues a token. It stands in this answer and nowhere else.
///
/// # Errors
/// The request is not legal, the project does not exist, there are too many tokens, or the store failed.
pub async fn issue<K: Kv, V: Services>(
    context: &Context<'_, K, V>,
    who: &Identity,
    wanted: TokenBody,
    secret: String,
) -> Result<TokenItem, Problem> {
    context.state().await?;
    let token = read(wanted, &secret, context.now)?;
    // The journal first: a token that nobody knows of must not open anything.
    context.issued(who, token.clone()).await?;
    let record = TokenRecord { v: 1, project: context.project.clone(), token: token.clone() };
    let register = keys::token(&token.sha256);
    document::put(context.kv, &register, &record).await?;
    // It was in the list before it opened anything: who revoked it meanwhile found no register to delete.
    if context.state().await?.get(token.id).is_none() {
        context.kv.delete(&register).await?;
        return Err(Problem::new(Code::Conflict, "the token was revoked while it was issued"));
    }
    let issued = Mark { event: context.event, at: context.now, by: who.actor.clone() };
    let item = TokenItem::new(&Token { token, issued }, None);
    Ok(TokenItem { token: Some(secret), ..item })
}

fn read(wanted: TokenBody, secret: &str, now: Timestamp) -> Result<IssuedToken, Problem> {
    let expires = match wanted.expires_in_days {
        Some(days) if !(1..=DURATION_DAYS_MAX).contains(&days) => {
            return Err(illegal("expires_in_days", format_args!("{days} is not from 1 to {DURATION_DAYS_MAX}")));
        }
        days => days.map(|days| now.plus_days(days)),
    };
    let name: Subject = field("name", &wanted.name)?;
    let role: Role = field("role", &wanted.role)?;
    Ok(IssuedToken {
        id: TokenId::of(secret),
        sha256: token_digest(secret),
        name: name.to_string(),
        subject: field("subject", wanted.subject.as_deref().unwrap_or(&wanted.name))?,
        role,
        targets: wanted.targets.map(|names| read_targets(role, &names)).transpose()?,
        expires,
    })
}

fn read_targets(role: Role, names: &[String]) -> Result<BTreeSet<TargetName>, Problem> {
    if role == Role::Admin {
        return Err(illegal("targets", "an admin's token is good for all targets: leave them out"));
    }
    if !(1..=TOKEN_TARGETS_MAX).contains(&names.len()) {
        return Err(illegal("targets", format_args!("{} are not from 1 to {TOKEN_TARGETS_MAX}", names.len())));
    }
    names.iter().map(|name| field("targets", name)).collect()
}

/// Revokes a token at once.
///
/// # Errors
/// There is no such token, or the store failed.
pub async fn revoke<K: Kv, V: Services>(context: &Context<'_, K, V>, who: &Identity, id: &str) -> Result<(), Problem> {
    let id: TokenId = id.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let state = context.state().await?;
    let token = state.get(id).ok_or_else(|| Problem::not_found(format!("there is no token {id}")))?;
    // The register first: if the event fails, the token is dead all the same and revoking it again records it.
    let register = keys::token(&token.token.sha256);
    context.kv.delete(&register).await?;
    context.revoked(who, id).await?;
    // Again: whoever is just issuing it looks for this event only after writing the register.
    context.kv.delete(&register).await?;
    context.kv.delete(&keys::used(&token.token.sha256)).await?;
    Ok(())
}
