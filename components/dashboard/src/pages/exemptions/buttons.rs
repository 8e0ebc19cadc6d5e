//! The buttons for decisions on exemptions, and the notices that follow them.

use domain::exemption::{Decision, Status};

/// The label of a button for an exemption with this status.
pub(super) fn label(decision: Decision, status: Status) -> &'static str {
    match (decision, status) {
        (Decision::Approve, _) => "Approve",
        (Decision::Reject, Status::Approved) => "Revoke approval",
        (Decision::Reject, _) => "Reject",
        (Decision::Withdraw, Status::Approved) => "Withdraw exemption",
        (Decision::Withdraw, _) => "Withdraw request",
        (Decision::Reopen, _) => "Reopen request",
    }
}

/// The label of a button for several exemptions with this status.
pub(super) fn bulk_label(decision: Decision, status: Status) -> &'static str {
    match (decision, status) {
        (Decision::Approve, _) => "Approve selected",
        (Decision::Reject, Status::Approved) => "Revoke selected",
        (Decision::Reject, _) => "Reject selected",
        (Decision::Withdraw, _) => "Withdraw selected",
        (Decision::Reopen, _) => "Reopen selected",
    }
}

/// The notice ([`crate::view::notice`]) after a decision on an exemption that had this status before.
pub(super) fn notice(decision: Decision, before: Status) -> &'static str {
    match (decision, before) {
        (Decision::Approve, _) => "approved",
        (Decision::Reject, Status::Approved) => "revoked",
        (Decision::Reject, _) => "rejected",
        (Decision::Withdraw, Status::Approved) => "exemption-withdrawn",
        (Decision::Withdraw, _) => "request-withdrawn",
        (Decision::Reopen, _) => "reopened",
    }
}

/// The CSS class of a button.
pub(super) fn class(decision: Decision) -> &'static str {
    match decision {
        Decision::Approve => "",
        Decision::Reject => "danger",
        Decision::Withdraw | Decision::Reopen => "second",
    }
}
