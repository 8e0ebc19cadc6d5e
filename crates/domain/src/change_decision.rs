//! A decision on a request to change a baseline or settings.

use crate::word_enum::word_enum;

word_enum! {
    /// A decision on a request to change a baseline or settings.
    pub enum ChangeDecision: "a decision" {
        /// Approves the request: what it names changes.
        Approve = "approve",
        /// Rejects it.
        Reject = "reject",
        /// Withdraws it.
        Withdraw = "withdraw",
    }
}
