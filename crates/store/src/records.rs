//! Small records that stand alone.

use domain::ids::{ProjectId, TargetId};
use serde::{Deserialize, Serialize};

/// Where an exemption's events stand, so that its id is enough to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionPlace {
    /// The format's version: 1.
    pub v: u8,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The target it was asked for.
    pub target: TargetId,
}
