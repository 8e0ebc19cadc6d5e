//! The reach of an exemption.

use super::scope::Scope;
use crate::digest::Short;
use crate::ids::{OccurrenceId, PipelineName, TargetName};
use serde::{Deserialize, Serialize};

/// An occurrence as a reviewer saw it: its id and its form. Code that is edited or moved keeps its id and gets another
/// form, see [`TrackedOccurrence::form`](crate::comparison::TrackedOccurrence::form).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reviewed {
    /// The occurrence's id.
    pub id: OccurrenceId,
    /// Its form.
    pub form: Short,
}

/// The set of scans and occurrences that an exemption applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope")]
pub enum Reach {
    /// Some occurrences in one target.
    Occurrences {
        /// The target.
        target: TargetName,
        /// The occurrences, sorted.
        occurrences: Vec<Reviewed>,
    },
    /// The issue in one target.
    Target {
        /// The target.
        target: TargetName,
    },
    /// The issue in the scans of one pipeline.
    Pipeline {
        /// The pipeline.
        pipeline: PipelineName,
    },
    /// The issue in the project.
    Project,
    /// The issue in the installation.
    Account,
}

impl Reach {
    /// Returns the scope: the reach without its names.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Occurrences { .. } => Scope::Occurrences,
            Self::Target { .. } => Scope::Target,
            Self::Pipeline { .. } => Scope::Pipeline,
            Self::Project => Scope::Project,
            Self::Account => Scope::Account,
        }
    }

    /// Returns the target, if the reach is within one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::Occurrences { target, .. } | Self::Target { target } => Some(target),
            Self::Pipeline { .. } | Self::Project | Self::Account => None,
        }
    }

    /// Returns the pipeline, if the reach is within one.
    pub fn pipeline(&self) -> Option<&PipelineName> {
        match self {
            Self::Pipeline { pipeline } => Some(pipeline),
            Self::Occurrences { .. } | Self::Target { .. } | Self::Project | Self::Account => None,
        }
    }

    /// Returns the individual occurrences; none if the whole issue is exempted.
    pub fn occurrences(&self) -> &[Reviewed] {
        match self {
            Self::Occurrences { occurrences, .. } => occurrences,
            Self::Target { .. } | Self::Pipeline { .. } | Self::Project | Self::Account => &[],
        }
    }
}
