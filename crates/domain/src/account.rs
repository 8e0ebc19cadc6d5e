//! The account: what belongs to the installation and to no project, as the fold of its journal. So far the tokens of its
//! admins, which name persons; the installation's own admin token is nobody's.

use crate::event::Entry;
use crate::ids::{EventId, TokenId};
use crate::journal::{Fold, Refusal};
use crate::token::{IssuedToken, Tokens};
use serde::{Deserialize, Serialize};

/// What can happen to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum AccountEvent {
    /// A token was issued.
    TokenIssued {
        /// The token.
        token: IssuedToken,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Which.
        token: TokenId,
    },
}

/// The state of the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The tokens of its admins.
    #[serde(default)]
    pub tokens: Tokens,
    /// The last event that changed it, so that one appended twice by a retry is recognised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_event: Option<EventId>,
}

impl Fold for Account {
    type Event = AccountEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, _n: u64, entry: &Entry<AccountEvent>) -> Result<(), Refusal> {
        if self.last_event == Some(entry.id) {
            return Ok(());
        }
        match &entry.event {
            AccountEvent::TokenIssued { token } => self.tokens.issue(token, entry.mark())?,
            AccountEvent::TokenRevoked { token } => self.tokens.revoke(*token)?,
        }
        self.last_event = Some(entry.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::entry;
    use crate::token::tests::token;

    #[test]
    fn admins_tokens_are_issued_and_revoked_once() {
        let mut account = Account::default();
        let issue = AccountEvent::TokenIssued { token: token("gate_x", None) };
        let revoke = AccountEvent::TokenRevoked { token: TokenId::of("gate_x") };
        assert_eq!(account.apply(1, &entry(1, "ann", 1000, issue)), Ok(()));
        assert_eq!(account.tokens.get(TokenId::of("gate_x")).unwrap().issued.by.subject.as_str(), "ann");
        let revoked = entry(2, "ann", 2000, revoke.clone());
        assert_eq!(account.apply(2, &revoked), Ok(()));
        assert_eq!(account.apply(3, &revoked), Ok(()), "the same event, appended twice");
        assert!(account.apply(4, &entry(4, "ann", 2000, revoke)).is_err());
        assert_eq!(account.tokens, Tokens::default());
    }

    #[test]
    fn the_stored_events_are_pinned() {
        let events = [
            AccountEvent::TokenIssued { token: token("gate_x", None) },
            AccountEvent::TokenRevoked { token: TokenId::of("gate_x") },
        ];
        let lines = events.map(|event| serde_json::to_string(&event).unwrap());
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"type":"token_issued","token":{"id":"18704ef65a239f969dcb36805804a0a9","sha256":"e356b614df4bb6db7de16b41361ee3ff3ba695abb03d87284fc7cb7c033e5585","name":"ci","subject":"ci","role":"developer"}}
        {"type":"token_revoked","token":"18704ef65a239f969dcb36805804a0a9"}
        "#);
    }
}
