//! A decision on a request to change a baseline or settings, or to accept a scan.

use crate::word_enum::word_enum;

word_enum! {
    /// A decision on a request to change a baseline or settings, or to accept a scan.
    pub enum ChangeDecision: "a decision" {
        /// Approves the request: what it names changes, or is accepted.
        Approve = "approve",
        /// Rejects it.
        Reject = "reject",
        /// Withdraws it.
        Withdraw = "withdraw",
    }
}
