//! Small documents that belong to no scan and no journal.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The use of an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// The format's version: 1.
    pub v: u8,
    /// The SHA-256 of the request's body as 64 hexadecimal digits.
    pub sha256: String,
    /// The time of the first of the requests. Absent if an earlier version stored it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Timestamp>,
    /// The number of times that the key was used before, and held no longer.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub uses: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The sign of life of an upload that others wait for: it has claimed a scan and not yet frozen it, or it has a turn
/// among the scans of a variant by a tool. It is written again and again while the upload works, if that takes long.
/// One that stays as it is, or stays absent, is that of a dead upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOfLife {
    /// The format's version: 2. Version 1, of turns alone, had the number of findings and was written once.
    pub v: u8,
    /// A number that is another each time; 0 in version 1.
    #[serde(default)]
    pub beat: u64,
    /// True if nobody has this turn: its number was taken to know the turns before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

impl SignOfLife {
    /// The sign of an upload that works. `beat` is another one each time.
    pub fn beat(beat: u64) -> Self {
        Self { v: 2, beat, given_up: false }
    }

    /// The mark of a turn that nobody has.
    pub fn given_up() -> Self {
        Self { given_up: true, ..Self::beat(0) }
    }
}

/// The last finished turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnsDone {
    /// The format's version: 1.
    pub v: u8,
    /// The number of the turn.
    pub n: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_of_version_1_is_read_as_one_without_a_sign_of_life() {
        let turn: SignOfLife = serde_json::from_str(r#"{"v":1,"findings":7}"#).unwrap();
        assert_eq!(turn, SignOfLife { v: 1, beat: 0, given_up: false });
        let written = serde_json::to_string(&SignOfLife { v: 2, beat: 5, given_up: false }).unwrap();
        assert_eq!(written, r#"{"v":2,"beat":5}"#);
        let given_up = SignOfLife { v: 2, beat: 5, given_up: true };
        assert_eq!(serde_json::from_str::<SignOfLife>(&serde_json::to_string(&given_up).unwrap()).unwrap(), given_up);
    }
}
