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
    /// The 1 to 50 variants that the token may upload: names, or patterns in RE2's syntax for whole names. Default:
    /// all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variants: Option<Vec<String>>,
    /// `false`: the token may not upload variants that a baseline means, such as the main branch. So a pull request
    /// cannot change what it is compared with. Default: `true`, or `false` if `variants` is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baselines: Option<bool>,
    /// The 1 to 50 pipelines that the token may name in uploads. Default: all. An exemption for a pipeline applies only
    /// to uploads with a token that is limited to pipelines, or that may upload baselines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipelines: Option<Vec<String>>,
    /// The number of days until the token expires, 1 to 3,650. Default: 90.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
    /// `true`: the token is valid until it is revoked. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub never_expires: Option<bool>,
}

impl TokenBody {
    /// Makes a request for a token without limits, with the default term.
    pub fn new(name: String, role: Role) -> Self {
        Self {
            name,
            role: role.to_string(),
            subject: None,
            targets: None,
            variants: None,
            baselines: None,
            pipelines: None,
            expires_in_days: None,
            never_expires: None,
        }
    }
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
    /// The number of days until the token expires, 1 to 3,650. Default: 90.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in_days: Option<u32>,
    /// `true`: the token is valid until it is revoked. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub never_expires: Option<bool>,
}

impl From<AccountTokenBody> for TokenBody {
    fn from(body: AccountTokenBody) -> Self {
        let AccountTokenBody { name, subject, expires_in_days, never_expires } = body;
        Self { subject, expires_in_days, never_expires, ..Self::new(name, Role::Admin) }
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
    /// The variants that the token may upload, as patterns; absent if it may upload all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub variants: Option<Vec<String>>,
    /// True if the token may upload variants that a baseline means.
    #[serde(default = "trusted")]
    pub baselines: bool,
    /// The pipelines that the token may name; absent if it may name all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipelines: Option<Vec<String>>,
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

fn trusted() -> bool {
    true
}

impl TokenItem {
    /// Makes the item of a token, without the token itself; `used` is its last use.
    pub fn new(token: &Token, used: Option<&TokenUse>) -> Self {
        let (targets, uploads) = (token.token.targets.as_ref(), &token.token.uploads);
        Self {
            id: token.token.id.to_string(),
            name: token.token.name.clone(),
            subject: token.token.subject.to_string(),
            role: token.token.role.to_string(),
            targets: targets.map(|targets| targets.iter().map(ToString::to_string).collect()),
            variants: uploads.variants.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
            baselines: !uploads.untrusted,
            pipelines: uploads.pipelines.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
            expires_at: token.token.expires.map(|end| end.to_string()),
            issued_at: token.issued.at.to_string(),
            issued_by: token.issued.by.subject.to_string(),
            last_used_at: used.map(|used| used.at.to_string()),
            last_used_address: used.and_then(|used| used.address.clone()),
            token: None,
        }
    }
}
