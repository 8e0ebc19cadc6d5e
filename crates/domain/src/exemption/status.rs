//! How exemptions stand.

use crate::word_enum::word_enum;

word_enum! {
    /// How an exemption stands at some time.
    pub enum Status: "a status" {
        /// Asked for, not decided.
        Pending = "pending",
        /// In force.
        Approved = "approved",
        /// Refused or taken back.
        Rejected = "rejected",
        /// Was in force until its end.
        Expired = "expired",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}
