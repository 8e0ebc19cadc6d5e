//! How long an exemption holds.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How long an exemption holds. The clock starts at the approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// So many days of 24 hours from the approval.
    Days(u32),
    /// Until then.
    Until(Timestamp),
    /// Until it is taken back.
    Unlimited,
}

impl Term {
    /// When it ends if it is approved at `at`; nothing if it has no end.
    pub fn end(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => Some(at.plus_days(days)),
            Self::Until(end) => Some(end),
            Self::Unlimited => None,
        }
    }

    /// What stands against approving it at `at`, where an issue of this level may be exempted for at most `most` days.
    pub fn excess(self, at: Timestamp, most: Option<u32>) -> Option<String> {
        let latest = most.map(|days| at.plus_days(days));
        match (self.end(at), latest) {
            (Some(end), _) if end <= at => Some(format!("its end, {end}, has passed")),
            (Some(end), Some(latest)) if latest < end => {
                Some(format!("it would hold until {end}; at most {} days are allowed", most.unwrap_or_default()))
            }
            (None, Some(_)) => {
                Some(format!("it would have no end; at most {} days are allowed", most.unwrap_or_default()))
            }
            (_, _) => None,
        }
    }
}
