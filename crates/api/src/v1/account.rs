//! Who is calling, and which projects there are for them.

use crate::auth::Identity;
use domain::project::Project;
use domain::role::{Right, Role};
use serde::{Deserialize, Serialize};

/// Who a token is for, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Me {
    /// The person or machine.
    pub subject: String,
    /// The role.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Role>"))]
    pub role: Role,
    /// The one project that the token is good for; absent for an account admin, who is admin of all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<String>,
    /// The targets that the token is good for; absent: all, and what concerns the project as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// The token's id; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

impl Me {
    /// What an identity is to its holder.
    pub fn new(who: &Identity) -> Self {
        Self {
            subject: who.actor.subject.to_string(),
            role: who.actor.role,
            project: who.project().map(ToString::to_string),
            targets: who.targets().map(|targets| targets.iter().map(ToString::to_string).collect()),
            token: who.actor.token.map(|token| token.to_string()),
        }
    }

    /// Whether the token gives this right in whatever project it is good for. A token for some targets gives none to
    /// administer.
    pub fn may(&self, right: Right) -> bool {
        self.role.has(right) && (right != Right::Administer || self.targets.is_none())
    }

    /// Whether the token is an account admin's.
    pub fn is_account_admin(&self) -> bool {
        self.project.is_none()
    }
}

/// A project in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProjectItem {
    /// Its name.
    pub id: String,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// How many targets it has that the token is good for.
    pub targets: usize,
}

impl ProjectItem {
    /// A project as it is; none if it was not created.
    pub fn new(id: String, project: &Project, who: &Identity) -> Option<Self> {
        let created = project.created.as_ref()?;
        let targets = project.targets.keys().filter(|name| who.covers(name)).count();
        Some(Self { id, created_at: created.at.to_string(), targets })
    }
}
