//! The calls to tokens of a project or of the account. Every change is an event in the journal of either.

use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal};
use api::internal::{AnyEvent, Append, Services};
use api::page::{Page, Wanted, page_of};
use api::problem::Code;
use api::project_context::project_state;
use api::v1::{TokenBody, TokenItem};
use domain::account::{Account, AccountEvent};
use domain::baseline::BaselinePattern;
use domain::event::Mark;
use domain::ids::{EventId, PipelineName, ProjectId, Subject, TargetName, TokenId, token_digest};
use domain::journal::JournalId;
use domain::limits::{DURATION_DAYS_MAX, TOKEN_DAYS_DEFAULT, TOKEN_TARGETS_MAX};
use domain::project::{InProject, ProjectEvent};
use domain::revoked::RevokedTokens;
use domain::role::Role;
use domain::time::Timestamp;
use domain::token::{IssuedToken, Token, TokenRecord, TokenUse, Tokens};
use domain::upload_limits::UploadLimits;
use futures::future::try_join_all;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use store::kv::Kv;
use store::{document, journal, keys};

/// The number of registers that are read together.
const READ_AT_ONCE: usize = 64;

/// A call to tokens.
pub struct TokenJob<'a, K, V> {
    /// The store.
    pub kv: &'a K,
    /// The other components.
    pub services: &'a V,
    /// The time at which the call began.
    pub now: Timestamp,
    /// The id of the event that the call appends, if it appends one.
    pub event: EventId,
    /// The project of the tokens; if absent, they are the account's.
    pub project: Option<ProjectId>,
    /// The caller.
    pub caller: Identity,
}

impl<K: Kv, V: Services> TokenJob<'_, K, V> {
    /// The tokens with their last use, without their secrets.
    ///
    /// # Errors
    /// The project does not exist, or the store failed.
    pub async fn list(&self, wanted: Wanted<String>) -> Result<Page<TokenItem>, Problem> {
        let state = self.state().await?;
        let page = page_of("tokens", state.iter().map(|token| (token.token.id.to_string(), token)), wanted);
        let mut items = Vec::with_capacity(page.items.len());
        for tokens in page.items.chunks(READ_AT_ONCE) {
            let keys: Vec<_> = tokens.iter().map(|token| keys::used(&token.token.sha256)).collect();
            let used = try_join_all(keys.iter().map(|key| document::find::<TokenUse>(self.kv, key))).await?;
            items.extend(tokens.iter().zip(used).map(|(token, used)| TokenItem::new(token, used.as_ref())));
        }
        Ok(Page { items, next: page.next })
    }

    /// Issues a token with this secret. Only this answer contains the secret.
    ///
    /// # Errors
    /// The request is not legal, the project does not exist, there are too many tokens, or the store failed.
    pub async fn issue(&self, body: TokenBody, secret: String) -> Result<TokenItem, Problem> {
        self.state().await?;
        let token = read_token(body, &secret, self.now)?;
        // The journal comes first: a token that is in no list must not open anything.
        self.append_issued(token.clone()).await?;
        let record = TokenRecord { v: 1, project: self.project.clone(), token: token.clone() };
        let register = keys::token(&token.sha256);
        document::put(self.kv, &register, &record).await?;
        // A call that revoked the token between the two writes found no register to delete.
        if self.state().await?.get(token.id).is_none() {
            self.kv.delete(&register).await?;
            return Err(Problem::new(Code::Conflict, "the token was revoked while it was being issued"));
        }
        let issued = Mark { event: self.event, at: self.now, by: self.caller.actor.clone() };
        let item = TokenItem::new(&Token { token, issued }, None);
        Ok(TokenItem { token: Some(secret), ..item })
    }

    /// Revokes a token with immediate effect.
    ///
    /// # Errors
    /// The token does not exist, or was revoked before, or the store failed.
    pub async fn revoke(&self, id: &str) -> Result<(), Problem> {
        let id: TokenId = id.parse().map_err(|error| Problem::not_found(format!("{error}")))?;
        let (state, revoked) = self.state_and_revoked().await?;
        let Some(token) = state.get(id) else {
            let unknown = || Problem::not_found(format!("token {id} does not exist"));
            return Err(revoked.second(id).map_or_else(unknown, Problem::from));
        };
        // The register comes first: if the event fails, the token opens nothing, and revoking it again records it.
        let register = keys::token(&token.token.sha256);
        self.kv.delete(&register).await?;
        self.append_revoked(id).await?;
        // A call that is issuing the token looks for this event only after it wrote the register.
        self.kv.delete(&register).await?;
        self.kv.delete(&keys::used(&token.token.sha256)).await?;
        Ok(())
    }

    async fn state(&self) -> Result<Tokens, Problem> {
        Ok(self.state_and_revoked().await?.0)
    }

    async fn state_and_revoked(&self) -> Result<(Tokens, RevokedTokens), Problem> {
        if let Some(project) = &self.project {
            let state = project_state(self.kv, project, self.now).await?;
            return Ok((state.tokens, state.revoked));
        }
        let state = journal::load::<Account>(self.kv, &JournalId::Account, self.now).await?.state;
        Ok((state.tokens, state.revoked))
    }

    async fn append_issued(&self, token: IssuedToken) -> Result<(), Problem> {
        self.append(match &self.project {
            Some(project) => project_event(project, ProjectEvent::TokenIssued { token }),
            None => AnyEvent::Account { event: AccountEvent::TokenIssued { token } },
        })
        .await
    }

    async fn append_revoked(&self, token: TokenId) -> Result<(), Problem> {
        self.append(match &self.project {
            Some(project) => project_event(project, ProjectEvent::TokenRevoked { token }),
            None => AnyEvent::Account { event: AccountEvent::TokenRevoked { token } },
        })
        .await
    }

    async fn append(&self, event: AnyEvent) -> Result<(), Problem> {
        let append = Append { id: self.event, by: self.caller.actor.clone(), event };
        match self.services.append(&append).await?.refused {
            None => Ok(()),
            Some(refusal) => Err(refusal.into()),
        }
    }
}

fn project_event(project: &ProjectId, event: ProjectEvent) -> AnyEvent {
    AnyEvent::Project { event: InProject { project: project.clone(), event } }
}

fn read_token(body: TokenBody, secret: &str, now: Timestamp) -> Result<IssuedToken, Problem> {
    let expires = match (body.expires_in_days, body.never_expires.unwrap_or_default()) {
        (Some(_), true) => {
            return Err(illegal("never_expires", "leave it out, or leave out `expires_in_days`"));
        }
        (Some(days), false) if !(1..=DURATION_DAYS_MAX).contains(&days) => {
            return Err(illegal("expires_in_days", format_args!("expected 1 to {DURATION_DAYS_MAX}, found {days}")));
        }
        (None, true) => None,
        (days, false) => Some(now.plus_days(days.unwrap_or(TOKEN_DAYS_DEFAULT))),
    };
    let variants =
        body.variants.map(|patterns| read_list::<BaselinePattern, Vec<_>>("variants", &patterns)).transpose()?;
    let pipelines =
        body.pipelines.map(|names| read_list::<PipelineName, BTreeSet<_>>("pipelines", &names)).transpose()?;
    let untrusted = !body.baselines.unwrap_or(variants.is_none());
    let name: Subject = field("name", &body.name)?;
    let role: Role = field("role", &body.role)?;
    Ok(IssuedToken {
        id: TokenId::of(secret),
        sha256: token_digest(secret),
        name: name.to_string(),
        subject: field("subject", body.subject.as_deref().unwrap_or(&body.name))?,
        role,
        targets: body.targets.map(|names| read_targets(role, &names)).transpose()?,
        expires,
        uploads: UploadLimits { variants, pipelines, untrusted },
    })
}

/// Reads a list of 1 to [`TOKEN_TARGETS_MAX`] texts.
fn read_list<T, L>(field_name: &str, texts: &[String]) -> Result<L, Problem>
where
    T: FromStr<Err: Display>,
    L: FromIterator<T>,
{
    if !(1..=TOKEN_TARGETS_MAX).contains(&texts.len()) {
        let expected = format_args!("expected 1 to {TOKEN_TARGETS_MAX} {field_name}, found {}", texts.len());
        return Err(illegal(field_name, expected));
    }
    texts.iter().map(|text| field(field_name, text)).collect()
}

fn read_targets(role: Role, names: &[String]) -> Result<BTreeSet<TargetName>, Problem> {
    if role == Role::Admin {
        return Err(illegal("targets", "an admin's token is always for all targets; leave this out"));
    }
    read_list("targets", names)
}
