//! Reasons for exemptions.

use crate::word_enum::word_enum;

word_enum! {
    /// The reason for an exemption: one of the reference product's six.
    pub enum Reason: "a reason" {
        /// Something else prevents that the weakness is used.
        CompensatingControls = "compensating_controls",
        /// The use is intended and harmless.
        AcceptableUse = "acceptable_use",
        /// The risk is known and accepted.
        AcceptableRisk = "acceptable_risk",
        /// The scanner is wrong.
        FalsePositive = "false_positive",
        /// There is no fix yet.
        FixUnavailable = "fix_unavailable",
        /// Another reason, given in the text.
        Other = "other",
    }
}
