//! Why exemptions are asked for.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Why an exemption is asked for: the reference product's six reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Something else keeps the weakness from being used.
    CompensatingControls,
    /// The use is intended and harmless.
    AcceptableUse,
    /// The risk is known and taken.
    AcceptableRisk,
    /// The scanner is wrong.
    FalsePositive,
    /// There is no fix yet.
    FixUnavailable,
    /// What the text says.
    Other,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::CompensatingControls,
        Self::AcceptableUse,
        Self::AcceptableRisk,
        Self::FalsePositive,
        Self::FixUnavailable,
        Self::Other,
    ];

    /// The reason as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CompensatingControls => "compensating_controls",
            Self::AcceptableUse => "acceptable_use",
            Self::AcceptableRisk => "acceptable_risk",
            Self::FalsePositive => "false_positive",
            Self::FixUnavailable => "fix_unavailable",
            Self::Other => "other",
        }
    }
}

/// A word that names no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no reason; use one of compensating_controls, acceptable_use, acceptable_risk, false_positive, fix_unavailable, other",
    .0.escape_default()
)]
pub struct UnknownReason(String);

impl FromStr for Reason {
    type Err = UnknownReason;
    fn from_str(value: &str) -> Result<Self, UnknownReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == value).ok_or_else(|| UnknownReason(value.to_owned()))
    }
}
