//! How issues stand to exemptions.

use crate::word_enum::word_enum;

word_enum! {
    /// How an issue or occurrence of a scan stands to exemptions (the reference product's filters of issues); with none at
    /// all it has no such state.
    #[derive(PartialOrd, Ord)]
    pub enum Coverage: "an exemption state" {
        /// All of it is exempted.
        Exempted = "exempted",
        /// Some of its occurrences are exempted.
        PartiallyExempted = "partially_exempted",
        /// An exemption is asked for.
        Pending = "pending",
        /// An exemption was asked for and rejected.
        Rejected = "rejected",
    }
}
