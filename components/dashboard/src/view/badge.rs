//! Levels, verdicts and states as coloured words. The word says it; the colour repeats it.

use domain::exemption::Status;
use domain::verdict::Verdict;
use maud::{Markup, html};

/// The levels, the worst first.
pub(crate) const LEVELS: [&str; 6] = ["critical", "high", "medium", "low", "info", "unassigned"];

/// A level, in whatever case the API writes it.
pub(crate) fn severity(level: &str) -> Markup {
    let class = level.to_ascii_lowercase();
    let known = LEVELS.contains(&class.as_str());
    html! { span class={ "badge " @if known { (class) } } { (capitalised(level)) } }
}

/// A verdict.
pub(crate) fn verdict(verdict: Verdict) -> Markup {
    let (class, word) = match verdict {
        Verdict::Pass => ("pass", "Pass"),
        Verdict::Fail => ("fail", "Fail"),
        Verdict::Undecided => ("undecided", "Undecided"),
    };
    html! { span class={ "badge verdict " (class) } { (word) } }
}

/// How an exemption stands.
pub(crate) fn status(status: Status) -> Markup {
    let word = status.as_str();
    html! { span class={ "badge status " (word) } { (capitalised(word)) } }
}

/// The text with its first letter in upper case and spaces for underscores.
pub(crate) fn capitalised(text: &str) -> String {
    let text = text.replace('_', " ");
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
