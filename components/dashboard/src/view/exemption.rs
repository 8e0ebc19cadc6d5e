//! Exemptions in words: reason, scope, duration, status, and the exemption of an issue.

use crate::view::list::count;
use crate::view::{text, time};
use api::v1::{ExemptionItem, IssueExemption, IssueItem};
use domain::exemption::{Coverage, Reason, Scope, Status};
use domain::time::Timestamp;
use maud::{Markup, html};
use std::borrow::Cow;

/// The longest text in a list, in characters.
const TEXT_CHARS_LISTED: usize = 300;

/// The label of a reason.
pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::CompensatingControls => "Compensating controls",
        Reason::AcceptableUse => "Acceptable use",
        Reason::AcceptableRisk => "Acceptable risk",
        Reason::FalsePositive => "False positive",
        Reason::FixUnavailable => "No fix available",
        Reason::Other => "Other",
    }
}

/// The label of a scope.
pub(crate) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Occurrences => "Selected occurrences",
        Scope::Target => "Issue in the target",
        Scope::Pipeline => "Issue in a pipeline",
        Scope::Project => "Issue in the project",
        Scope::Account => "Issue in all projects",
    }
}

/// The label of a status.
pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "Pending",
        Status::Approved => "Approved",
        Status::Rejected => "Rejected",
        Status::Expired => "Expired",
        Status::Cancelled => "Withdrawn",
    }
}

/// The status as a badge.
pub(crate) fn status_badge(status: Status) -> Markup {
    html! { span class={ "badge status " (status.as_str()) } { (self::status(status)) } }
}

/// The scope with the names of target and pipeline.
pub(crate) fn reach(item: &ExemptionItem) -> Markup {
    let target = html! { bdi class="break" { (text::plain(&item.target)) } };
    match item.scope {
        Scope::Occurrences => {
            let selected = u64::try_from(item.occurrences.len()).unwrap_or(u64::MAX);
            html! { (count(selected, "selected occurrence")) " in the target " (target) }
        }
        Scope::Target => html! { "issue in the target " (target) ", including future occurrences" },
        Scope::Pipeline => html! {
            "issue in the pipeline "
            @match &item.pipeline {
                Some(pipeline) => bdi class="break" { (text::plain(pipeline)) },
                None => "of the scan",
            }
            ", seen in " (target)
        },
        Scope::Project => html! { "issue in the project, seen in " (target) },
        Scope::Account => html! { "issue in all projects, seen in " (target) },
    }
}

/// The requested duration, or the expiry of an approved exemption.
pub(crate) fn duration(item: &ExemptionItem, now: Timestamp) -> Markup {
    let requested = html! {
        @match (item.duration_days, &item.until) {
            (Some(days), _) => { (count(days.into(), "day")) " from approval" }
            (None, Some(until)) => { "until " (time::relative(until, now)) }
            (None, None) => "no expiry",
        }
    };
    match (item.status, &item.ends_at) {
        (Status::Approved, Some(end)) => html! { "expires " (time::relative(end, now)) },
        (Status::Expired, Some(end)) => html! { "expired " (time::relative(end, now)) },
        (Status::Approved, None) => html! { "no expiry" },
        (Status::Pending | Status::Rejected | Status::Expired | Status::Cancelled, _) => requested,
    }
}

/// The reason, text and link of the request. `whole`: the text is not shortened.
pub(crate) fn explanation(item: &ExemptionItem, whole: bool) -> Markup {
    let text = if whole { text::plain(&item.text) } else { text::cut(&item.text, TEXT_CHARS_LISTED) };
    html! {
        p class="break" { strong { (reason(item.reason)) ": " } bdi class="quoted" { (text) } }
        @if let Some(link) = &item.link {
            p class="break" {
                @match text::web_address(link) {
                    Some(link) => a href=(link) rel="noopener noreferrer nofollow" { (text::plain(link)) },
                    None => bdi { (text::plain(link)) },
                }
            }
        }
    }
}

/// Badges for exemptions that were returned to review or approved by their requester.
pub(crate) fn marks(item: &ExemptionItem) -> Markup {
    html! {
        @if item.returned_from.is_some() { " " span class="badge pending" { "Returned to review" } }
        @if item.self_approved { " " span class="badge pending" { "Self-approved" } }
    }
}

/// The explanation of "Returned to review".
pub(crate) const RETURNED: &str = "An exempted occurrence was edited or moved, so the approval does not cover it anymore. \
    It counts at the gate until a reviewer approves it again.";

/// The explanation of why this exemption returned to review.
pub(crate) fn returned(item: &ExemptionItem) -> Cow<'_, str> {
    match &item.returned_because {
        None => Cow::Borrowed(RETURNED),
        Some(because) => Cow::Owned(format!(
            "The issue changed, so the approval does not cover it anymore. {} It counts at the gate until a reviewer \
             approves it again.",
            text::plain(because)
        )),
    }
}

/// The link to the exemption from which this one returned.
pub(crate) fn returned_from(item: &ExemptionItem) -> &'static str {
    if item.returned_because.is_some() {
        "Exemption of the issue before it changed"
    } else {
        "Exemption of the code before it was edited or moved"
    }
}

/// The last decision, with reviewer, time and comment; empty if there is none.
pub(crate) fn last_decision(item: &ExemptionItem, now: Timestamp) -> Markup {
    let verb = match item.status {
        Status::Pending => return html! {},
        Status::Approved | Status::Expired => "Approved",
        Status::Rejected => "Rejected",
        Status::Cancelled => "Withdrawn",
    };
    html! {
        (verb)
        @if let Some(by) = &item.decided_by { " by " bdi { (text::plain(by)) } }
        @if let Some(at) = &item.decided_at { " " (time::relative(at, now)) }
        @if let Some(comment) = &item.comment { ": " q { bdi class="quoted" { (text::cut(comment, TEXT_CHARS_LISTED)) } } }
    }
}

/// The requester and the time of the request.
pub(crate) fn requested_by(item: &ExemptionItem, now: Timestamp) -> Markup {
    html! { "Requested by " bdi { (text::plain(&item.requested_by)) } " " (time::relative(&item.requested_at, now)) }
}

/// The exemption of an issue at the time of the scan, and the current one if it differs.
pub(crate) fn of_issue(issue: &IssueItem) -> Markup {
    let (then, now) = (issue.exemption.as_ref(), issue.exemption_now.as_ref());
    let state = |of: Option<&IssueExemption>| of.map(|of| of.state);
    html! {
        @match state(then) { Some(state) => (coverage(state)), None => {} }
        @if state(then) != state(now) {
            span class="hint" { " now: " @match state(now) { Some(state) => (coverage(state)), None => "none" } }
        }
    }
}

/// The state of an issue's exemptions as a badge.
pub(crate) fn coverage(state: Coverage) -> Markup {
    let (class, word) = match state {
        Coverage::Exempted => ("exempted", "Exempted"),
        Coverage::PartiallyExempted => ("exempted", "Partially exempted"),
        Coverage::Pending => ("pending", "Requested"),
        Coverage::Rejected => ("rejected", "Rejected"),
    };
    html! { span class={ "badge " (class) } { (word) } }
}
