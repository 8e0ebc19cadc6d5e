//! What stands in a project's audit log.

use domain::audit::{About, DescribedEvent};
use domain::event::Actor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::audit::Event;

/// Something that was done, or tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditItem {
    /// The event's id; a request that was sent again has the same one twice.
    pub id: String,
    /// When it was recorded, RFC 3339. Neighbours may be out of order by some seconds; the list goes by their numbers.
    pub at: String,
    /// Who did it.
    pub by: AuditActor,
    /// What was done: `settings_set`, `token_issued`, `exemption_approved`, `scan_recorded`, ...; several exemptions at
    /// once are `exemption_many`.
    pub what: String,
    /// What it is about.
    pub about: AuditAbout,
    /// Why, in the words of who did it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// The event as it was recorded, whole, but for the hashes of tokens.
    pub details: serde_json::Value,
    /// Why it changed nothing; absent if it took effect.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// Whether the request was recorded shortly before, and was sent again; it counts once.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub repeated: bool,
    /// The journal in which it stands.
    pub journal: String,
    /// Its number there.
    pub n: u64,
}

/// Who did something, as authenticated then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditActor {
    /// The person or machine.
    pub subject: String,
    /// The role that the token gave.
    pub role: String,
    /// The token's id; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// The network address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

/// What something is about, as far as it is about such.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditAbout {
    /// Targets by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub targets: Vec<String>,
    /// Exemptions by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exemptions: Vec<String>,
    /// Tokens by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tokens: Vec<String>,
    /// Scans by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scans: Vec<String>,
}

impl AuditItem {
    /// An event of the list, as it is told.
    pub fn new(event: Event, told: DescribedEvent, refused: Option<String>, repeated: bool) -> Self {
        let Event { place, entry, .. } = event;
        let DescribedEvent { what, about, why, details, .. } = told;
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
            journal: place.journal,
            n: place.n,
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
