//! The verdict of the gate.

use crate::word_enum::word_enum;

word_enum! {
    /// The result of the gate for a pipeline.
    pub enum Verdict: "a verdict" {
        /// No criterion was reached.
        Pass = "pass",
        /// A criterion was reached.
        Fail = "fail",
        /// Something could not be judged. A pipeline treats it as failure.
        Undecided = "undecided",
    }
}

impl Verdict {
    /// Returns the weight of a verdict among others: the heaviest one decides.
    pub fn weight(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Undecided => 1,
            Self::Fail => 2,
        }
    }
}
