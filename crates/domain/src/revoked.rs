//! The tokens that were revoked last, so that a second revocation can say what happened.

use crate::exemption::Stamp;
use crate::ids::TokenId;
use crate::journal::Refusal;
use serde::{Deserialize, Serialize};

/// The number of revoked tokens that a journal's fold remembers.
const REVOKED_KEPT: usize = 100;

/// A revoked token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    /// Its id.
    pub id: TokenId,
    /// The name that its issuer gave it.
    pub name: String,
    /// Its revocation.
    pub revoked: Stamp,
}

/// The tokens that were revoked last, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevokedTokens(Vec<RevokedToken>);

impl RevokedTokens {
    /// True if none was revoked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a token.
    pub(crate) fn add(&mut self, token: RevokedToken) {
        if self.0.len() >= REVOKED_KEPT {
            self.0.remove(0);
        }
        self.0.push(token);
    }

    /// Returns the refusal of a second revocation of this token; nothing if it is not known to be revoked.
    pub fn second(&self, id: TokenId) -> Option<Refusal> {
        let RevokedToken { name, revoked: Stamp { at, by, .. }, .. } = self.0.iter().find(|token| token.id == id)?;
        Some(Refusal::new(format!("token `{name}` was already revoked by `{by}` at {at}; nothing was changed")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_second_revocation_names_the_first_while_it_is_remembered() {
        let mut revoked = RevokedTokens::default();
        let token = |n: usize| RevokedToken {
            id: TokenId::of(&format!("gate_{n}")),
            name: format!("ci{n}"),
            revoked: Stamp { n: 1, at: Timestamp::from_ms(1000), by: "sam".parse().unwrap() },
        };
        for n in 0..=REVOKED_KEPT {
            revoked.add(token(n));
        }
        assert_eq!(
            revoked.second(token(1).id).unwrap().reason,
            "token `ci1` was already revoked by `sam` at 1970-01-01T00:00:01.000Z; nothing was changed"
        );
        assert_eq!(revoked.second(token(0).id), None, "the oldest is forgotten");
    }
}
