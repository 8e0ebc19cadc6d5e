//! The buttons for decisions on exemptions, and the notices that follow them.

use api::v1::ExemptionItem;
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
        (Decision::Reject, Status::Approved) => "Revoke selected approvals",
        (Decision::Reject, _) => "Reject selected",
        (Decision::Withdraw, _) => "Withdraw selected",
        (Decision::Reopen, _) => "Reopen selected",
    }
}

/// True if a decision on an exemption with this status ends something, so that it asks once more: its button is folded
/// and beside no other.
pub(super) fn asks_once_more(decision: Decision, status: Status) -> bool {
    match decision {
        Decision::Withdraw => true,
        Decision::Reject => status == Status::Approved,
        Decision::Approve | Decision::Reopen => false,
    }
}

/// The effect of a decision that asks once more.
pub(super) fn consequence(decision: Decision, status: Status) -> &'static str {
    match (decision, status) {
        (Decision::Withdraw, Status::Approved) => {
            "The exemption ends: its issue counts again from the next scan. This is final; a new request can be made. It \
             stays in the list of withdrawn exemptions, with its history."
        }
        (Decision::Withdraw, _) => {
            "Nobody can approve the request any more. This is final; a new request can be made. It stays in the list of \
             withdrawn exemptions, with its history."
        }
        (Decision::Approve | Decision::Reject | Decision::Reopen, _) => {
            "The issue counts again from the next scan. The request stays in the list of rejected ones, with its history, \
             and can be reopened."
        }
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
        Decision::Reject | Decision::Withdraw => "danger",
        Decision::Reopen => "second",
    }
}

/// The field of the form for several exemptions with the version of this one.
pub(super) fn version_field(id: &str) -> String {
    format!("version-{id}")
}

/// True if decisions on several exemptions may include this one.
pub(super) fn is_selectable(item: &ExemptionItem, decisions: &[Decision]) -> bool {
    decisions.iter().any(|decision| {
        *decision != Decision::Withdraw
            && !matches!((decision, item.status), (Decision::Approve, Status::Rejected | Status::Expired))
    })
}
