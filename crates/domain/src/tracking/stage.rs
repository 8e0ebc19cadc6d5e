//! How an occurrence was recognised, and how sure that is.

use serde::{Deserialize, Serialize};

/// The stage that recognised an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The file has not changed, and the line is the same.
    UnchangedFile,
    /// Path, message, code and neighbouring lines are equal.
    Context,
    /// Path and code are equal.
    Snippet,
    /// The code is equal, in a file that was renamed.
    Renamed,
    /// The code and message are equal, in another file.
    Moved,
    /// Path and message are equal, and one of the two shows no code.
    Message,
    /// The code is alike, near the same place.
    Edited,
    /// Path and message are equal and equally frequent.
    Counted,
}

impl Stage {
    /// Whether the occurrence is beyond doubt what it was: stages A to C, and a file that has not changed. What was decided
    /// of it then holds on; after any other stage somebody looks at it again.
    pub fn keeps_form(self) -> bool {
        match self {
            Self::UnchangedFile | Self::Context | Self::Snippet | Self::Renamed => true,
            Self::Moved | Self::Message | Self::Edited | Self::Counted => false,
        }
    }

    /// All stages in their order.
    pub const ALL: [Self; 8] = [
        Self::UnchangedFile,
        Self::Context,
        Self::Snippet,
        Self::Renamed,
        Self::Moved,
        Self::Message,
        Self::Edited,
        Self::Counted,
    ];

    /// Whether the occurrence was edited, or may be another: whoever judges it may take it for new.
    pub fn is_updated(self) -> bool {
        match self {
            Self::Edited | Self::Counted => true,
            Self::UnchangedFile | Self::Context | Self::Snippet => false,
            Self::Renamed | Self::Moved | Self::Message => false,
        }
    }
}

/// How sure it is that two occurrences are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It may well be another.
    Low,
    /// It may be another of several that look the same.
    Medium,
    /// As sure as a report allows.
    High,
}

impl Confidence {
    /// The word that the API has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
