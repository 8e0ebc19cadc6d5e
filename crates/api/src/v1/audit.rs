//! Entries of the audit log.

use domain::audit::{About, DescribedEvent};
use domain::event::Actor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::audit::Event;

/// An entry of the audit log: an action that took effect or was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditItem {
    /// The event's id. A retried request has two entries with the same id.
    pub id: String,
    /// The time of the event, RFC 3339. The events of a journal are sorted by `n`, so their times may be out of order
    /// by some seconds.
    pub at: String,
    /// The person or machine, as authenticated at that time.
    pub by: AuditActor,
    /// The action: `settings_set`, `token_issued`, `exemption_approved`, `scan_recorded`, ...; `exemption_many` for a
    /// bulk.
    pub what: String,
    /// The targets, exemptions, tokens and scans that the action affects.
    pub about: AuditAbout,
    /// The request's text or the decision's comment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// The whole recorded event, without the hashes of tokens.
    pub details: serde_json::Value,
    /// The reason why the action was refused; absent if it took effect.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// True if this is a retry of a request that was recorded shortly before. It counts only once.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repeated: bool,
    /// The journal that contains the event.
    pub journal: String,
    /// The event's number in the journal.
    pub n: u64,
}

/// The person or machine that did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditActor {
    /// The subject of the token.
    pub subject: String,
    /// The role of the token.
    pub role: String,
    /// The token's id; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// The client's network address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// The things that an action affects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditAbout {
    /// Names of targets.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub targets: Vec<String>,
    /// Ids of exemptions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exemptions: Vec<String>,
    /// Ids of tokens.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tokens: Vec<String>,
    /// Ids of scans.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scans: Vec<String>,
}

impl AuditItem {
    /// Makes the entry of an event.
    pub fn new(event: Event, description: DescribedEvent, refused: Option<String>, repeated: bool) -> Self {
        let Event { position, entry, .. } = event;
        let DescribedEvent { what, about, why, details, .. } = description;
        Self {
            id: entry.id.to_string(),
            at: entry.at.to_string(),
            by: AuditActor::from(&entry.by),
            what,
            about: AuditAbout::from(about),
            why,
            details,
            refused,
            repeated,
            journal: position.journal,
            n: position.n,
        }
    }
}

impl From<&Actor> for AuditActor {
    fn from(actor: &Actor) -> Self {
        Self {
            subject: actor.subject.to_string(),
            role: actor.role.to_string(),
            token: actor.token.map(|token| token.to_string()),
            address: actor.address.clone(),
        }
    }
}

impl From<About> for AuditAbout {
    fn from(about: About) -> Self {
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        let About { targets, exemptions, tokens, scans } = about;
        Self { targets: list(targets), exemptions: list(exemptions), tokens: list(tokens), scans: list(scans) }
    }
}
