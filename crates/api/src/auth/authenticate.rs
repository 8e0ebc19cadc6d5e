//! From the `Authorization` header to an identity, and what is done against guessing.
//!
//! Three registers are read at once: what the token opens, when it was last used, and how many unknown tokens came from
//! the client's network. So a good token waits for one read, and a right guess looks like a wrong one to whoever measures.

use super::Identity;
use crate::problem::{Code, Problem};
use domain::event::Actor;
use domain::ids::{Subject, token_digest};
use domain::role::Role;
use domain::time::Timestamp;
use domain::token::{IssuedToken, Network, TokenRecord, TokenUse, UnknownTokens};
use futures::try_join;
use store::kv::Kv;
use store::{document, keys};
use subtle::ConstantTimeEq as _;

/// The longest `Authorization` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 512;

/// Finds out who calls, from the value of the `Authorization` header and the client's address as the host saw it. A header
/// like `X-Forwarded-For` is no address: whoever guesses could write another one with each guess.
///
/// A good token's use is written down, at most every ten minutes; an unknown one is counted.
///
/// # Errors
/// `Unauthenticated` without a known token, `TokenExpired` after its end, `TooManyAttempts` for whatever was not lately
/// used from the same network while too many unknown ones come from there.
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

    // Digests are compared, and all of their bytes: how long it takes tells nothing about the token.
    let is_admin = !admin_token.is_empty() && bool::from(digest.as_bytes().ct_eq(admin.as_bytes()));
    let opened = if is_admin { Some(Opened::Installation) } else { record.map(Opened::Issued) };
    let at_home = last.as_ref().is_some_and(|last| Network::of(last.address.as_deref()) == network);
    if guessed.as_ref().is_some_and(|guessed| guessed.reached_limit(now)) && !(opened.is_some() && at_home) {
        let detail = "too many unknown tokens came from this address; for a minute only tokens are taken that were lately \
                      used from it";
        return Err(Problem::new(Code::TooManyAttempts, detail));
    }
    let Some(opened) = opened else {
        document::put(kv, &guesses, &UnknownTokens::with_one_more(guessed, now)).await?;
        let detail = "the token is not known: it is misspelt, revoked, or of another installation";
        return Err(Problem::new(Code::Unauthenticated, detail));
    };
    let identity = opened.identity(address, now)?;
    if last.is_none_or(|last| last.is_old(now)) {
        document::put(kv, &used, &TokenUse { v: 1, at: now, address: address.map(str::to_owned) }).await?;
    }
    Ok(identity)
}

/// The token in the header.
fn bearer(authorization: Option<&str>) -> Result<&str, Problem> {
    let refused = |detail: &str| Problem::new(Code::Unauthenticated, detail);
    let header = authorization.ok_or_else(|| refused("send the header `Authorization: Bearer <token>`"))?;
    header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && header.len() <= HEADER_BYTES_MAX)
        .ok_or_else(|| refused("the header must read `Authorization: Bearer <token>`"))
}

/// A token that is known.
enum Opened {
    /// The installation's own, which is nobody's.
    Installation,
    /// One that was issued.
    Issued(TokenRecord),
}

impl Opened {
    fn identity(self, address: Option<&str>, now: Timestamp) -> Result<Identity, Problem> {
        let actor = |subject: Subject, role, token| Actor { subject, role, token, address: address.map(str::to_owned) };
        match self {
            Self::Installation => {
                let subject = "admin".parse().map_err(|error| Problem::internal(format!("{error}")))?;
                Ok(Identity { actor: actor(subject, Role::Admin, None), project: None, targets: None })
            }
            Self::Issued(TokenRecord { v: _, project, token }) => {
                let IssuedToken { id, sha256: _, name: _, subject, role, targets, expires } = token;
                if let Some(end) = expires.filter(|end| *end <= now) {
                    let detail = format!("the token ended at {end}; ask an admin for a new one");
                    return Err(Problem::new(Code::TokenExpired, detail));
                }
                Ok(Identity { actor: actor(subject, role, Some(id)), project, targets })
            }
        }
    }
}

#[cfg(test)]
mod tests;
