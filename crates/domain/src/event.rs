//! The envelope of every journal event: who did it, when, from where.

use crate::ids::{EventId, Subject, TokenId};
use crate::role::Role;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Who acted, as authenticated when they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person or machine the token was issued to.
    pub subject: Subject,
    /// The role the token gave.
    pub role: Role,
    /// The token used; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<TokenId>,
    /// The client's network address as the host saw it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// An event as it stands in a journal, written once under its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry<E> {
    /// The format's version: 1.
    pub v: u8,
    /// The event's id; a retried request appends the same id again, and a fold counts it once.
    pub id: EventId,
    /// When it was appended, by the ledger's clock.
    pub at: Timestamp,
    /// Who did it.
    pub by: Actor,
    /// What was done.
    pub event: E,
}

/// Who did something and when: what a state keeps of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The event.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
}

impl<E> Entry<E> {
    /// Who and when.
    pub fn mark(&self) -> Mark {
        Mark { event: self.id, at: self.at, by: self.by.clone() }
    }
}
