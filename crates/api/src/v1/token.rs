//! Tokens of projects and of account admins.

use domain::role::Role;
use domain::token::{Token, TokenUse};
use serde::{Deserialize, Serialize};

/// A request for a token of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// The token's name.
    pub name: String,
    /// The token's role: `uploader`, `viewer`, `developer`, `secops` or `admin`.
    pub role: String,
    /// The person or machine that uses the token. Default: the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The 1 to 50 targets that the token gives access to. Default: the whole project. Not possible for the role
    /// `admin`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// The number of days until the token expires. Default: it never expires.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
}

/// A request for a token of an account admin: a person who is an admin of the whole installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountTokenBody {
    /// The token's name.
    pub name: String,
    /// The person that uses the token. Default: the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The number of days until the token expires. Default: it never expires.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
}

impl From<AccountTokenBody> for TokenBody {
    fn from(body: AccountTokenBody) -> Self {
        let AccountTokenBody { name, subject, expires_in_days } = body;
        Self { name, role: Role::Admin.to_string(), subject, targets: None, expires_in_days }
    }
}

/// A token. Only the answer that issues it contains the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TokenItem {
    /// The token's public id.
    pub id: String,
    /// The name that the issuer gave it.
    pub name: String,
    /// The person or machine that uses the token.
    pub subject: String,
    /// The token's role.
    pub role: String,
    /// The targets that the token gives access to; absent if it gives access to the whole project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// The time at which the token expires, RFC 3339; absent if it never expires.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<String>,
    /// The time at which the token was issued, RFC 3339.
    pub issued_at: String,
    /// The person who issued the token.
    pub issued_by: String,
    /// The time of the last use, RFC 3339, accurate to ten minutes; absent if the token was never used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_at: Option<String>,
    /// The client's network address at the last use, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_address: Option<String>,
    /// The token itself; only in the answer that issues it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

impl TokenItem {
    /// Makes the item of a token, without the token itself; `used` is its last use.
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
