//! Why exemptions are asked for.

use crate::word_enum::word_enum;

word_enum! {
    /// Why an exemption is asked for: the reference product's six reasons.
    pub enum Reason: "a reason" {
        /// Something else keeps the weakness from being used.
        CompensatingControls = "compensating_controls",
        /// The use is intended and harmless.
        AcceptableUse = "acceptable_use",
        /// The risk is known and taken.
        AcceptableRisk = "acceptable_risk",
        /// The scanner is wrong.
        FalsePositive = "false_positive",
        /// There is no fix yet.
        FixUnavailable = "fix_unavailable",
        /// What the text says.
        Other = "other",
    }
}
