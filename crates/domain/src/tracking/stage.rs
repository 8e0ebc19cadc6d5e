//! How an occurrence was recognised, and how sure that is.

use crate::word_enum::word_enum;

word_enum! {
    /// The stage that recognised an occurrence.
    #[derive(PartialOrd, Ord)]
    pub enum Stage: "a stage" {
        /// The file has not changed, and the line is the same.
        UnchangedFile = "unchanged_file",
        /// Path, message, code and neighbouring lines are equal.
        Context = "context",
        /// Path and code are equal.
        Snippet = "snippet",
        /// The code is equal, in a file that was renamed.
        Renamed = "renamed",
        /// The code and message are equal, in another file.
        Moved = "moved",
        /// Path and message are equal, and one of the two shows no code.
        Message = "message",
        /// The code is alike, near the same place.
        Edited = "edited",
        /// Path and message are equal and equally frequent.
        Counted = "counted",
    }
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

    /// Whether the occurrence was edited, or may be another: whoever judges it may take it for new.
    pub fn is_updated(self) -> bool {
        match self {
            Self::Edited | Self::Counted => true,
            Self::UnchangedFile | Self::Context | Self::Snippet => false,
            Self::Renamed | Self::Moved | Self::Message => false,
        }
    }
}

word_enum! {
    /// How sure it is that two occurrences are one.
    #[derive(PartialOrd, Ord)]
    pub enum Confidence: "a confidence" {
        /// It may well be another.
        Low = "low",
        /// It may be another of several that look the same.
        Medium = "medium",
        /// As sure as a report allows.
        High = "high",
    }
}
