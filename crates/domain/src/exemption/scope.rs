//! How far exemptions hold.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far an exemption holds, from the narrowest on (section 7 of the reference product). It is granted at the scope
/// that was asked for or a wider one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// For chosen occurrences in one target.
    Occurrences,
    /// For the issue in one target, occurrences to come included.
    Target,
    /// For the issue in all scans of one pipeline.
    Pipeline,
    /// For the issue in the project.
    Project,
    /// For the issue in all projects of the installation; granted only, never asked for.
    Account,
}

impl Scope {
    /// All scopes, the narrowest first.
    pub const ALL: [Self; 5] = [Self::Occurrences, Self::Target, Self::Pipeline, Self::Project, Self::Account];

    /// The scope as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Occurrences => "occurrences",
            Self::Target => "target",
            Self::Pipeline => "pipeline",
            Self::Project => "project",
            Self::Account => "account",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no scope; use one of occurrences, target, pipeline, project, account", .0.escape_default())]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(value: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == value).ok_or_else(|| UnknownScope(value.to_owned()))
    }
}
