//! The exemption state of issues.

use crate::word_enum::word_enum;

word_enum! {
    /// The exemption state of an issue or occurrence of a scan, as in the reference product's filters. Without any
    /// exemption there is no state.
    #[derive(PartialOrd, Ord)]
    pub enum Coverage: "an exemption state" {
        /// The whole issue or occurrence is exempted.
        Exempted = "exempted",
        /// Some of the occurrences are exempted.
        PartiallyExempted = "partially_exempted",
        /// An exemption is requested.
        Pending = "pending",
        /// An exemption was requested and rejected.
        Rejected = "rejected",
    }
}
