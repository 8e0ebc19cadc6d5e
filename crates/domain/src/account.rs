//! The account: the fold of the installation's own journal. It has the tokens of account admins and the list of
//! projects. The installation's own admin token is not part of it: it names no person.

use crate::event::Entry;
use crate::exemption::Stamp;
use crate::ids::{EventId, ProjectId, TokenId};
use crate::journal::{Fold, Refusal};
use crate::limits::PROJECTS_MAX;
use crate::revoked::RevokedTokens;
use crate::token::{IssuedToken, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An event of the account's journal.
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
        /// Its id.
        token: TokenId,
    },
    /// A project was created. Its content is in the project's own journal; this event only adds it to the list.
    ProjectCreated {
        /// Its id.
        project: ProjectId,
    },
}

/// The state of the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The tokens of account admins.
    #[serde(default)]
    pub tokens: Tokens,
    /// The names of all projects.
    #[serde(default)]
    pub projects: BTreeSet<ProjectId>,
    /// The last event that changed the account. A retry may append an event twice; this detects it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_event: Option<EventId>,
    /// The tokens that were revoked last.
    #[serde(skip_serializing_if = "RevokedTokens::is_empty", default)]
    pub revoked: RevokedTokens,
}

impl Fold for Account {
    type Event = AccountEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, n: u64, entry: &Entry<AccountEvent>) -> Result<(), Refusal> {
        if self.last_event == Some(entry.id) {
            return Ok(());
        }
        match &entry.event {
            AccountEvent::TokenIssued { token } => self.tokens.issue(token, entry.mark())?,
            AccountEvent::TokenRevoked { token } => {
                let stamp = Stamp { n, at: entry.at, by: entry.by.subject.clone() };
                self.tokens.revoke(*token, stamp, &mut self.revoked)?;
            }
            AccountEvent::ProjectCreated { project } => self.list(project)?,
        }
        self.last_event = Some(entry.id);
        Ok(())
    }
}

impl Account {
    fn list(&mut self, project: &ProjectId) -> Result<(), Refusal> {
        if self.projects.len() >= PROJECTS_MAX && !self.projects.contains(project) {
            return Err(Refusal::new(format!("the installation has {PROJECTS_MAX} projects, the maximum")));
        }
        self.projects.insert(project.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, token};

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
    fn projects_are_listed_once_and_up_to_a_limit() {
        let mut account = Account::default();
        let created = |n: usize| AccountEvent::ProjectCreated { project: format!("p{n}").parse().unwrap() };
        for n in 0..PROJECTS_MAX {
            account.projects.insert(format!("p{n}").parse().unwrap());
        }
        assert_eq!(account.apply(1, &entry(1, "ann", 1000, created(7))), Ok(()), "it exists already");
        let refused = account.apply(2, &entry(2, "ann", 1000, created(PROJECTS_MAX)));
        assert_eq!(refused.unwrap_err().reason, format!("the installation has {PROJECTS_MAX} projects, the maximum"));
        account.projects.clear();
        assert_eq!(account.apply(3, &entry(3, "ann", 1000, created(PROJECTS_MAX))), Ok(()));
        assert_eq!(account.projects.len(), 1);
    }

    #[test]
    fn the_stored_events_are_pinned() {
        let events = [
            AccountEvent::TokenIssued { token: token("gate_x", None) },
            AccountEvent::TokenRevoked { token: TokenId::of("gate_x") },
            AccountEvent::ProjectCreated { project: "shop".parse().unwrap() },
        ];
        let lines = events.map(|event| serde_json::to_string(&event).unwrap());
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"type":"token_issued","token":{"id":"18704ef65a239f969dcb36805804a0a9","sha256":"e356b614df4bb6db7de16b41361ee3ff3ba695abb03d87284fc7cb7c033e5585","name":"ci","subject":"ci","role":"developer"}}
        {"type":"token_revoked","token":"18704ef65a239f969dcb36805804a0a9"}
        {"type":"project_created","project":"shop"}
        "#);
    }
}
