//! The types of targets.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What kind of thing a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// A source code repository.
    Repository,
    /// A container image.
    Container,
    /// A running application or host.
    Instance,
    /// The configuration of a cloud account or cluster.
    Configuration,
}

impl TargetType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Repository, Self::Container, Self::Instance, Self::Configuration];

    /// The type as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Container => "container",
            Self::Instance => "instance",
            Self::Configuration => "configuration",
        }
    }
}

impl fmt::Display for TargetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no type of target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no target type; use one of repository, container, instance, configuration", .0.escape_default())]
pub struct UnknownTargetType(String);

impl FromStr for TargetType {
    type Err = UnknownTargetType;
    fn from_str(value: &str) -> Result<Self, UnknownTargetType> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == value).ok_or_else(|| UnknownTargetType(value.to_owned()))
    }
}
