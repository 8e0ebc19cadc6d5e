//! Severities and verdicts as coloured words. The colour only repeats the word.

use domain::verdict::Verdict;
use maud::{Markup, html};

/// The severities, the highest first.
const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "info", "unassigned"];

/// A severity; the API writes some in upper case.
pub(crate) fn severity(severity: &str) -> Markup {
    let class = severity.to_ascii_lowercase();
    let known = SEVERITIES.contains(&class.as_str());
    html! { span class={ "badge " @if known { (class) } } { (capitalised(severity)) } }
}

/// A verdict.
pub(crate) fn verdict(verdict: Verdict, no_threshold: bool) -> Markup {
    let (class, word) = match verdict {
        Verdict::Pass if no_threshold => ("unset", "No threshold set"),
        Verdict::Pass => ("pass", "Pass"),
        Verdict::Fail => ("fail", "Fail"),
        Verdict::Undecided => ("undecided", "Undecided"),
    };
    html! { span class={ "badge verdict " (class) } { (word) } }
}

/// The text with an upper-case first letter, and spaces instead of underscores.
pub(crate) fn capitalised(text: &str) -> String {
    let text = text.replace('_', " ");
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
