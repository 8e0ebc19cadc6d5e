//! What an exemption says, in words.

use crate::view::list::count;
use crate::view::{text, time};
use api::v1::ExemptionItem;
use domain::exemption::{Reason, Scope, Status};
use domain::time::Timestamp;
use maud::{Markup, html};

/// How long a text may be in a list, in characters.
const TEXT_CHARS_LISTED: usize = 300;

/// Why, in a few words.
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

/// A scope, as a choice.
pub(super) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Occurrences => "The chosen occurrences",
        Scope::Target => "The issue in the target",
        Scope::Pipeline => "The issue in a pipeline",
        Scope::Project => "The issue in the project",
        Scope::Account => "The issue in all projects of the installation",
    }
}

/// What it holds for.
pub(crate) fn reach(item: &ExemptionItem) -> Markup {
    let target = html! { bdi class="break" { (text::plain(&item.target)) } };
    match item.scope {
        Scope::Occurrences => {
            let chosen = u64::try_from(item.occurrences.len()).unwrap_or(u64::MAX);
            html! { (count(chosen, "chosen occurrence")) " in the target " (target) }
        }
        Scope::Target => html! { "the issue in the target " (target) ", with occurrences to come" },
        Scope::Pipeline => html! {
            "the issue in the pipeline "
            @match &item.pipeline {
                Some(pipeline) => bdi class="break" { (text::plain(pipeline)) },
                None => "of the scan",
            }
            ", seen in " (target)
        },
        Scope::Project => html! { "the issue in the project, seen in " (target) },
        Scope::Account => html! { "the issue in all projects of the installation, seen in " (target) },
    }
}

/// How long, or since when not.
pub(crate) fn term(item: &ExemptionItem, now: Timestamp) -> Markup {
    let asked = html! {
        @match (item.duration_days, &item.until) {
            (Some(days), _) => { (count(days.into(), "day")) " from the approval on" }
            (None, Some(until)) => { "until " (time::relative(until, now)) }
            (None, None) => "without an end",
        }
    };
    match (item.status, &item.ends_at) {
        (Status::Approved, Some(end)) => html! { "ends " (time::relative(end, now)) },
        (Status::Expired, Some(end)) => html! { "ended " (time::relative(end, now)) },
        (Status::Approved, None) => html! { "has no end" },
        (Status::Pending | Status::Rejected | Status::Expired | Status::Cancelled, _) => asked,
    }
}

/// Why, as it was asked for: the word, the text, and where to read more. `whole`: the text is not cut.
pub(crate) fn why(item: &ExemptionItem, whole: bool) -> Markup {
    let said = if whole { text::plain(&item.text) } else { text::cut(&item.text, TEXT_CHARS_LISTED) };
    html! {
        p class="break" { strong { (reason(item.reason)) ": " } bdi class="said" { (said) } }
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

/// What marks it among others.
pub(super) fn marks(item: &ExemptionItem) -> Markup {
    html! {
        @if item.returned_from.is_some() { " " span class="badge pending" { "Back for review" } }
        @if item.self_approved { " " span class="badge pending" { "Self-approved" } }
    }
}

/// What that it came back means.
pub(super) const RETURNED: &str = "An occurrence that was exempted was edited or moved, so it is not what was judged. \
    It counts at the gate until somebody decides on it as it is now.";

/// Who did what last.
pub(crate) fn decided(item: &ExemptionItem, now: Timestamp) -> Markup {
    let verb = match item.status {
        Status::Pending => return html! {},
        Status::Approved | Status::Expired => "Approved",
        Status::Rejected => "Rejected",
        Status::Cancelled => "Cancelled",
    };
    html! {
        (verb)
        @if let Some(by) = &item.decided_by { " by " bdi { (text::plain(by)) } }
        @if let Some(at) = &item.decided_at { " " (time::relative(at, now)) }
        @if let Some(comment) = &item.comment { ": " q { bdi class="said" { (text::cut(comment, TEXT_CHARS_LISTED)) } } }
    }
}

/// Who asked.
pub(crate) fn asked_by(item: &ExemptionItem, now: Timestamp) -> Markup {
    html! { "Asked for by " bdi { (text::plain(&item.requested_by)) } " " (time::relative(&item.requested_at, now)) }
}
