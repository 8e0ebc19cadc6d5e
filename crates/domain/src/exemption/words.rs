//! The words of exemptions: reasons, scopes, states.

use serde::{Deserialize, Serialize};
use std::fmt;
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

/// How far an exemption holds, from the narrowest on (section 7 of the reference product). It is granted at the scope
/// that was asked for or a wider one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// For chosen occurrences in one target.
    Occurrences,
    /// For the issue in one target, occurrences to come included.
    Target,
    /// For the issue in all scans of one pipeline.
    Pipeline,
    /// For the issue in the project.
    Project,
    /// For the issue in all projects of the installation; granted only, never asked for.
    Account,
}

impl Scope {
    /// All scopes, the narrowest first.
    pub const ALL: [Self; 5] = [Self::Occurrences, Self::Target, Self::Pipeline, Self::Project, Self::Account];

    /// The scope as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Occurrences => "occurrences",
            Self::Target => "target",
            Self::Pipeline => "pipeline",
            Self::Project => "project",
            Self::Account => "account",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no scope; use one of occurrences, target, pipeline, project, account", .0.escape_default())]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(value: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == value).ok_or_else(|| UnknownScope(value.to_owned()))
    }
}

/// How an exemption stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Asked for, not decided.
    Pending,
    /// In force.
    Approved,
    /// Refused or taken back.
    Rejected,
    /// Was in force until its end.
    Expired,
    /// Withdrawn.
    Cancelled,
}

impl Status {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Cancelled];

    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no status; use one of pending, approved, rejected, expired, cancelled", .0.escape_default())]
pub struct UnknownStatus(String);

impl FromStr for Status {
    type Err = UnknownStatus;
    fn from_str(value: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == value).ok_or_else(|| UnknownStatus(value.to_owned()))
    }
}

/// How an issue or occurrence of a scan stands to exemptions (the reference product's filters of issues); with none at
/// all it has no such state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// All of it is exempted.
    Exempted,
    /// Some of its occurrences are exempted.
    PartiallyExempted,
    /// An exemption is asked for.
    Pending,
    /// An exemption was asked for and rejected.
    Rejected,
}

impl Coverage {
    /// All, with the names that the API gives them.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Exempted, "exempted"),
        (Self::PartiallyExempted, "partially_exempted"),
        (Self::Pending, "pending"),
        (Self::Rejected, "rejected"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for (coverage, name) in Coverage::ALL {
            assert_eq!(serde_json::to_value(coverage).unwrap(), name);
        }
        assert!("Target".parse::<Scope>().is_err() && "canceled".parse::<Status>().is_err());
        assert!(Scope::ALL.is_sorted(), "from the narrowest to the widest");
    }
}
