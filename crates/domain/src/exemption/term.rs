//! The term of an exemption.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The duration of an exemption. It starts at the approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// A number of days of 24 hours from the approval.
    Days(u32),
    /// Until a time.
    Until(Timestamp),
    /// Until the approval is revoked.
    Unlimited,
}

impl Term {
    /// Returns the end if the exemption is approved at `at`; nothing if it has no end.
    pub fn end(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(at.plus_days(days)),
            Self::Until(end) => Some(end),
            Self::Unlimited => None,
        }
    }

    /// Returns the reason why it cannot be approved at `at`, if there is one. `most` is the maximum in days for the
    /// issue's severity.
    pub fn excess(self, at: Timestamp, most: Option<u32>) -> Option<String> {
        let latest = most.map(|days| at.plus_days(days));
        match (self.end(at), latest) {
            (Some(end), _) if end <= at => Some(format!("its end, {end}, has passed")),
            (Some(end), Some(latest)) if latest < end => {
                Some(format!("it would apply until {end}; at most {} days are allowed", most.unwrap_or_default()))
            }
            (None, Some(_)) => {
                Some(format!("it would have no end; at most {} days are allowed", most.unwrap_or_default()))
            }
            (_, _) => None,
        }
    }
}
