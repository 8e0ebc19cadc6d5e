//! The envelope of every journal event: actor, time and address.

use crate::ids::{EventId, Subject, TokenId};
use crate::role::Role;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An authenticated person or machine at the time of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person or machine that the token was issued to.
    pub subject: Subject,
    /// The role of the token.
    pub role: Role,
    /// The token; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<TokenId>,
    /// The client's network address, as the host reports it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// An event in a journal, written once under its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry<E> {
    /// The format's version: 1.
    pub v: u8,
    /// The event's id. A retry appends the same id again, and a fold counts it once.
    pub id: EventId,
    /// The time at which it was appended, by the ledger's clock.
    pub at: Timestamp,
    /// The actor.
    pub by: Actor,
    /// The event itself.
    pub event: E,
}

/// The actor and time of an event, as a folded state stores them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The event's id.
    pub event: EventId,
    /// Its time.
    pub at: Timestamp,
    /// Its actor.
    pub by: Actor,
}

impl<E> Entry<E> {
    /// Returns the actor and time.
    pub fn mark(&self) -> Mark {
        Mark { event: self.id, at: self.at, by: self.by.clone() }
    }
}
