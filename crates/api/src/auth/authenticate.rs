//! From the `Authorization` header to an identity, with protection against guessing tokens.
//!
//! Three registers are read concurrently: the token's record, its last use, and the number of unknown tokens from the
//! client's network. So a valid token waits for one read only, and timing does not show if a guess was right.

use super::Identity;
use crate::problem::{Code, Problem};
use domain::event::Actor;
use domain::ids::{Subject, token_digest};
use domain::role::Role;
use domain::time::Timestamp;
use domain::token::{IssuedToken, Network, TokenRecord, TokenUse, UnknownTokens, is_hard_to_guess};
use domain::upload_limits::UploadLimits;
use futures::try_join;
use store::kv::Kv;
use store::{document, keys};
use subtle::ConstantTimeEq as _;

/// The longest accepted `Authorization` header, in bytes.
const HEADER_BYTES_MAX: usize = 512;

/// Authenticates the caller by the value of the `Authorization` header. `address` is the client's address as the host
/// saw it, never a header like `X-Forwarded-For`, which an attacker could change with each guess.
///
/// The use of a valid token is recorded at most every ten minutes. An unknown token is counted.
///
/// # Errors
/// `Unauthenticated` if the token is missing or unknown, `TokenExpired` after its end. `TooManyAttempts` while too many
/// unknown tokens come from the client's network, unless the token was last used from the same network.
pub async fn authenticate(
    kv: &impl Kv,
    admin_token: &str,
    authorization: Option<&str>,
    address: Option<&str>,
    now: Timestamp,
) -> Result<Identity, Problem> {
    let (digest, admin) = (token_digest(bearer(authorization)?), token_digest(admin_token));
    let network = Network::of(address);
    let (token, used) = (keys::token(&digest), keys::used(&digest));
    let guesses = keys::guesses(network.bucket(&admin));
    let (record, last, guessed): (Option<TokenRecord>, Option<TokenUse>, Option<UnknownTokens>) =
        try_join!(document::find(kv, &token), document::find(kv, &used), document::find(kv, &guesses))?;

    // Compares all bytes of the digests, so that the duration does not depend on the token.
    let is_admin = !admin_token.is_empty() && bool::from(digest.as_bytes().ct_eq(admin.as_bytes()));
    let known = if is_admin {
        Some(KnownToken::Installation)
    } else {
        record.map(|record| KnownToken::Issued(Box::new(record)))
    };
    let same_network = last.as_ref().is_some_and(|last| Network::of(last.address.as_deref()) == network);
    if guessed.as_ref().is_some_and(|guessed| guessed.reached_limit(now)) && !(known.is_some() && same_network) {
        let detail = "too many unknown tokens came from this network; for one minute, only tokens that were last used \
                      from it are accepted; retry later";
        return Err(Problem::new(Code::TooManyAttempts, detail));
    }
    if is_admin && !is_hard_to_guess(admin_token) {
        let detail = "the installation's admin token is too easy to guess, so it opens nothing; set the variable \
                      `admin_token` to at least 32 random characters, for example from `openssl rand -hex 32`";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let Some(known) = known else {
        document::put(kv, &guesses, &UnknownTokens::with_one_more(guessed, now)).await?;
        let detail = "the token is unknown: it is misspelt, revoked or from another installation";
        return Err(Problem::new(Code::Unauthenticated, detail));
    };
    let identity = known.identity(address, now)?;
    if last.is_none_or(|last| last.is_old(now)) {
        document::put(kv, &used, &TokenUse { v: 1, at: now, address: address.map(str::to_owned) }).await?;
    }
    Ok(identity)
}

/// The token in the header.
fn bearer(authorization: Option<&str>) -> Result<&str, Problem> {
    let refused = |detail: &str| Problem::new(Code::Unauthenticated, detail);
    let header = authorization.ok_or_else(|| refused("the header `Authorization: Bearer <token>` is missing"))?;
    header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && header.len() <= HEADER_BYTES_MAX)
        .ok_or_else(|| refused("the header must have the form `Authorization: Bearer <token>`"))
}

/// A known token.
enum KnownToken {
    /// The installation's admin token, which belongs to no person.
    Installation,
    /// A token that was issued.
    Issued(Box<TokenRecord>),
}

impl KnownToken {
    fn identity(self, address: Option<&str>, now: Timestamp) -> Result<Identity, Problem> {
        let actor = |subject: Subject, role, token| Actor { subject, role, token, address: address.map(str::to_owned) };
        match self {
            Self::Installation => {
                let subject = "admin".parse().map_err(|error| Problem::internal(format!("{error}")))?;
                let actor = actor(subject, Role::Admin, None);
                Ok(Identity { actor, project: None, targets: None, uploads: UploadLimits::default() })
            }
            Self::Issued(record) => {
                let TokenRecord { v: _, project, token } = *record;
                let IssuedToken { id, sha256: _, name: _, subject, role, targets, expires, uploads } = token;
                if let Some(end) = expires.filter(|end| *end <= now) {
                    let detail = format!("the token expired at {end}; ask an admin for a new one");
                    return Err(Problem::new(Code::TokenExpired, detail));
                }
                Ok(Identity { actor: actor(subject, role, Some(id)), project, targets, uploads })
            }
        }
    }
}

#[cfg(test)]
mod tests;
