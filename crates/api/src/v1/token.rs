//! Tokens as they stand on the wire.

use domain::role::Role;
use domain::token::{Token, TokenUse};
use serde::{Deserialize, Serialize};

/// Asks for a token of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// What to call it.
    pub name: String,
    /// `uploader`, `viewer`, `developer`, `secops` or `admin`.
    pub role: String,
    /// The person or machine it is for; the name if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The targets it is good for, 1 to 50; all, and the project as a whole, if absent. Not for an admin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// When it ends, in days from now; never if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
}

/// Asks for a token of an account admin: a person who is admin of the whole installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountTokenBody {
    /// What to call it.
    pub name: String,
    /// The person it is for; the name if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// When it ends, in days from now; never if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
}

impl From<AccountTokenBody> for TokenBody {
    fn from(body: AccountTokenBody) -> Self {
        let AccountTokenBody { name, subject, expires_in_days } = body;
        Self { name, role: Role::Admin.to_string(), subject, targets: None, expires_in_days }
    }
}

/// A token, never with itself but in the answer that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TokenItem {
    /// Its public id.
    pub id: String,
    /// What its issuer called it.
    pub name: String,
    /// Whom it is for.
    pub subject: String,
    /// What it allows.
    pub role: String,
    /// The targets it is good for; absent: all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// When it ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<String>,
    /// When it was issued, RFC 3339.
    pub issued_at: String,
    /// Who issued it.
    pub issued_by: String,
    /// When it was last used, RFC 3339, to within ten minutes; absent: never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_at: Option<String>,
    /// The network address that it was used from then, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_address: Option<String>,
    /// The token itself: only in the answer that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

impl TokenItem {
    /// A token without itself, and its last use if it was ever used.
    pub fn new(token: &Token, used: Option<&TokenUse>) -> Self {
        let targets = token.token.targets.as_ref();
        Self {
            id: token.token.id.to_string(),
            name: token.token.name.clone(),
            subject: token.token.subject.to_string(),
            role: token.token.role.to_string(),
            targets: targets.map(|targets| targets.iter().map(ToString::to_string).collect()),
            expires_at: token.token.expires.map(|end| end.to_string()),
            issued_at: token.issued.at.to_string(),
            issued_by: token.issued.by.subject.to_string(),
            last_used_at: used.map(|used| used.at.to_string()),
            last_used_address: used.and_then(|used| used.address.clone()),
            token: None,
        }
    }
}
