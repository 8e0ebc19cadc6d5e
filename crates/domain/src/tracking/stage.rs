//! Stages and confidence of matches.

use crate::word_enum::word_enum;

word_enum! {
    /// The stage that found a match.
    #[derive(PartialOrd, Ord)]
    pub enum Stage: "a stage" {
        /// The file is unchanged, and the line is the same.
        UnchangedFile = "unchanged_file",
        /// Path, message, code and neighbouring lines are equal.
        Context = "context",
        /// Path and code are equal.
        Snippet = "snippet",
        /// The code is equal, in a renamed file.
        Renamed = "renamed",
        /// The code and message are equal, in another file.
        Moved = "moved",
        /// Path and message are equal, and one of the two shows no code.
        Message = "message",
        /// The code is similar, near the same location.
        Edited = "edited",
        /// Path and message are equal and equally frequent.
        Counted = "counted",
    }
}

impl Stage {
    /// True if the match is certain: stages A to C, and unchanged files. Exemptions of the occurrence then still apply;
    /// after any other stage it returns to review.
    pub fn keeps_form(self) -> bool {
        match self {
            Self::UnchangedFile | Self::Context | Self::Snippet | Self::Renamed => true,
            Self::Moved | Self::Message | Self::Edited | Self::Counted => false,
        }
    }

    /// True if the occurrence was edited, or may be another one. Such an occurrence may count as new.
    pub fn is_updated(self) -> bool {
        match self {
            Self::Edited | Self::Counted => true,
            Self::UnchangedFile | Self::Context | Self::Snippet => false,
            Self::Renamed | Self::Moved | Self::Message => false,
        }
    }
}

word_enum! {
    /// The confidence of a match.
    #[derive(PartialOrd, Ord)]
    pub enum Confidence: "a confidence" {
        /// It is probably right, but may be another occurrence.
        Low = "low",
        /// It may be another of several that look the same.
        Medium = "medium",
        /// As certain as a report allows.
        High = "high",
    }
}
