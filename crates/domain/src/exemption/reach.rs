//! What an exemption holds for.

use super::scope::Scope;
use crate::digest::Short;
use crate::ids::{OccurrenceId, PipelineName, TargetName};
use serde::{Deserialize, Serialize};

/// An occurrence as it was when somebody judged it: its identity, and the form it had. Code that was edited, or went
/// elsewhere, keeps its identity and has another form, see [`TrackedOccurrence::form`](crate::comparison::TrackedOccurrence::form).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reviewed {
    /// Which.
    pub id: OccurrenceId,
    /// In which form.
    pub form: Short,
}

/// What an exemption holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope")]
pub enum Reach {
    /// Some occurrences in one target.
    Occurrences {
        /// The target.
        target: TargetName,
        /// Which, in order.
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
    /// How wide it is.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Occurrences { .. } => Scope::Occurrences,
            Self::Target { .. } => Scope::Target,
            Self::Pipeline { .. } => Scope::Pipeline,
            Self::Project => Scope::Project,
            Self::Account => Scope::Account,
        }
    }

    /// The one target that it holds for, if it is one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::Occurrences { target, .. } | Self::Target { target } => Some(target),
            Self::Pipeline { .. } | Self::Project | Self::Account => None,
        }
    }

    /// The one pipeline that it holds for, if it is one.
    pub fn pipeline(&self) -> Option<&PipelineName> {
        match self {
            Self::Pipeline { pipeline } => Some(pipeline),
            Self::Occurrences { .. } | Self::Target { .. } | Self::Project | Self::Account => None,
        }
    }

    /// The occurrences that were chosen; none where it is for the whole issue.
    pub fn occurrences(&self) -> &[Reviewed] {
        match self {
            Self::Occurrences { occurrences, .. } => occurrences,
            Self::Target { .. } | Self::Pipeline { .. } | Self::Project | Self::Account => &[],
        }
    }
}
