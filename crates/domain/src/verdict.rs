//! The answer of the gate in one word.

use crate::word_enum::word_enum;

word_enum! {
    /// What the pipeline is told.
    pub enum Verdict: "a verdict" {
        /// Nothing stands against it.
        Pass = "pass",
        /// A threshold was reached.
        Fail = "fail",
        /// Something could not be judged; a pipeline takes it as failure.
        Undecided = "undecided",
    }
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
