//! Roles and rights of tokens.

use crate::word_enum::word_enum;

word_enum! {
    /// The role of a token in a project, as in section 13 of the reference product. Each role except `uploader`
    /// includes those before it. `uploader` is for machines, and cannot read results.
    #[derive(PartialOrd, Ord)]
    pub enum Role: "a role" {
        /// Uploads reports and gets their verdicts; cannot read anything else.
        Uploader = "uploader",
        /// Reads results.
        Viewer = "viewer",
        /// Uploads reports, sets baselines, requests and withdraws exemptions, requests changes of settings.
        Developer = "developer",
        /// Decides on exemptions and on what the gate requires.
        Secops = "secops",
        /// Creates projects and tokens.
        Admin = "admin",
    }
}

/// The right that a call requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// To upload reports.
    Upload,
    /// To read results.
    Read,
    /// To set baselines, and to request and withdraw exemptions.
    Develop,
    /// To decide on exemptions.
    Decide,
    /// To change settings and create tokens.
    Administer,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 5] = [Self::Upload, Self::Read, Self::Develop, Self::Decide, Self::Administer];

    /// Returns the roles that have the right, the weakest first.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| role.has(self))
    }
}

impl Role {
    /// True if the role has the right.
    pub fn has(self, right: Right) -> bool {
        match right {
            Right::Upload => self == Self::Uploader || Self::Developer <= self,
            Right::Read => Self::Viewer <= self,
            Right::Develop => Self::Developer <= self,
            Right::Decide => Self::Secops <= self,
            Right::Administer => Self::Admin <= self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!(
            "Root".parse::<Role>().unwrap_err().to_string(),
            "`Root` is not a role; expected one of `uploader`, `viewer`, `developer`, `secops`, `admin`"
        );
    }

    #[test]
    fn each_role_has_its_rights() {
        let expected = [
            (Right::Upload, "uploader developer secops admin"),
            (Right::Read, "viewer developer secops admin"),
            (Right::Develop, "developer secops admin"),
            (Right::Decide, "secops admin"),
            (Right::Administer, "admin"),
        ];
        assert_eq!(expected.map(|(right, _)| right), Right::ALL);
        for (right, roles) in expected {
            assert_eq!(right.roles().map(Role::as_str).collect::<Vec<_>>().join(" "), roles);
        }
    }
}
