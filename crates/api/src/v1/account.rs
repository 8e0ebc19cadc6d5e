//! The caller of a request, and the projects that they have access to.

use crate::auth::Identity;
use domain::project::Project;
use domain::role::{Right, Role};
use serde::{Deserialize, Serialize};

/// The caller's identity and permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Me {
    /// The person or machine.
    pub subject: String,
    /// The role of the token.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Role>"))]
    pub role: Role,
    /// The project of the token; absent for an account admin, who is admin of all projects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<String>,
    /// The targets of the token; absent if it gives access to the whole project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<Vec<String>>,
    /// The token's id; absent for the installation's own admin token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
}

impl Me {
    /// Describes an identity.
    pub fn new(caller: &Identity) -> Self {
        Self {
            subject: caller.actor.subject.to_string(),
            role: caller.actor.role,
            project: caller.project().map(ToString::to_string),
            targets: caller.targets().map(|targets| targets.iter().map(ToString::to_string).collect()),
            token: caller.actor.token.map(|token| token.to_string()),
        }
    }

    /// True if the token gives this right in its project or, for an account admin, in all projects. A token for some
    /// targets gives no right to administer.
    pub fn has_right(&self, right: Right) -> bool {
        self.role.has(right) && (right != Right::Administer || self.targets.is_none())
    }

    /// True if the caller is an account admin.
    pub fn is_account_admin(&self) -> bool {
        self.project.is_none()
    }
}

/// A project in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProjectItem {
    /// The project's name.
    pub id: String,
    /// The time of its creation, RFC 3339.
    pub created_at: String,
    /// The number of its targets that the token gives access to.
    pub targets: usize,
}

impl ProjectItem {
    /// Makes the item of a project; `None` if the project was never created.
    pub fn new(id: String, project: &Project, caller: &Identity) -> Option<Self> {
        let created = project.created.as_ref()?;
        let targets = project.targets.keys().filter(|name| caller.covers(name)).count();
        Some(Self { id, created_at: created.at.to_string(), targets })
    }
}
