//! What a token's holder may do. The order is the order of power.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A role in one project, after section 13 of the reference product: each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads results.
    Viewer,
    /// Uploads reports, sets baselines, requests and cancels exemptions.
    Developer,
    /// Decides on exemptions.
    Secops,
    /// Makes projects and tokens.
    Admin,
}

impl Role {
    /// All roles, the weakest first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Developer, Self::Secops, Self::Admin];

    /// The role as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Secops => "secops",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no role; use one of viewer, developer, secops, admin", .0.escape_default())]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(value: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == value).ok_or_else(|| UnknownRole(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_by_power_and_read_back() {
        assert!(Role::Viewer < Role::Developer && Role::Developer < Role::Secops && Role::Secops < Role::Admin);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!(
            "Root".parse::<Role>().unwrap_err().to_string(),
            "`Root` is no role; use one of viewer, developer, secops, admin"
        );
    }
}
