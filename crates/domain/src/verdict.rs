//! The answer of the gate in one word.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the pipeline is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing stands against it.
    Pass,
    /// A threshold was reached.
    Fail,
    /// Something could not be judged; a pipeline takes it as failure.
    Undecided,
}

impl Verdict {
    /// How much a verdict weighs among others: what decides weighs most.
    pub fn weight(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Undecided => 1,
            Self::Fail => 2,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
        })
    }
}
