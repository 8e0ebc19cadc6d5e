//! The status of exemptions.

use crate::word_enum::word_enum;

word_enum! {
    /// The status of an exemption at a time.
    pub enum Status: "a status" {
        /// Requested, but not decided.
        Pending = "pending",
        /// Approved, and not ended.
        Approved = "approved",
        /// Rejected, or its approval was revoked.
        Rejected = "rejected",
        /// Approved, and ended.
        Expired = "expired",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}
