//! Small records that stand alone.

use serde::{Deserialize, Serialize};

/// That an `Idempotency-Key` was used, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// The format's version: 1.
    pub v: u8,
    /// SHA-256 of the body, 64 hexadecimal digits.
    pub sha256: String,
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
