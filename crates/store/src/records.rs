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

/// A turn among a variant's scans by a tool, from when it is taken until it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The format's version: 1.
    pub v: u8,
    /// How many findings the scan has: tells how long its stages may take.
    pub findings: u32,
}

/// The last turn that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnsDone {
    /// The format's version: 1.
    pub v: u8,
    /// Its number.
    pub n: u64,
}
