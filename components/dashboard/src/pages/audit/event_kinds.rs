//! The kinds of events in the audit log, and their labels.

use crate::view::badge::capitalised;

/// The kinds of events in the log of a project.
pub(super) const OF_PROJECT: [&str; 20] = [
    "settings_set",
    "target_created",
    "baseline_set",
    "token_issued",
    "token_revoked",
    "baseline_requested",
    "baseline_decided",
    "settings_requested",
    "settings_decided",
    "scan_accepted",
    "scan_accept_requested",
    "scan_accept_decided",
    "exemption_requested",
    "exemption_approved",
    "exemption_rejected",
    "exemption_cancelled",
    "exemption_reopened",
    "exemption_returned",
    "exemption_many",
    "scan_recorded",
];
/// The kinds of events in the log of the account.
pub(super) const OF_ACCOUNT: [&str; 4] = ["project_created", "token_issued", "token_revoked", "exemption_promoted"];

/// The label of a kind.
pub(super) fn label(kind: &str) -> String {
    match kind {
        "exemption_cancelled" => "Exemption withdrawn".to_owned(),
        "exemption_many" => "Several exemptions changed".to_owned(),
        "exemption_returned" => "Exemption returned to review".to_owned(),
        "exemption_promoted" => "Exemption approved for all projects".to_owned(),
        "settings_requested" => "Change of settings requested".to_owned(),
        "settings_decided" => "Request to change settings decided".to_owned(),
        "scan_accept_requested" => "Acceptance of a scan requested".to_owned(),
        "scan_accept_decided" => "Request to accept a scan decided".to_owned(),
        other => capitalised(other),
    }
}
