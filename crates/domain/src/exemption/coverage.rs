//! How issues stand to exemptions.

use serde::{Deserialize, Serialize};

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
