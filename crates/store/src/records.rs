//! Small documents that belong to no scan and no journal.

use serde::{Deserialize, Serialize};

/// The use of an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// The format's version: 1.
    pub v: u8,
    /// The SHA-256 of the request's body as 64 hexadecimal digits.
    pub sha256: String,
}

/// The turn of a scan among the scans of a variant by a tool. It exists from when it is taken until it is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The format's version: 1.
    pub v: u8,
    /// The number of the scan's findings, from which others estimate how long its stages may take.
    pub findings: u32,
}

/// The last finished turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnsDone {
    /// The format's version: 1.
    pub v: u8,
    /// The number of the turn.
    pub n: u64,
}
