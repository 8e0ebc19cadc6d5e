//! The summary of a scan or an execution: the verdict with its reasons, and the effect of deduplication.

use crate::view::badge;
use crate::view::list::count;
use crate::view::text::plain;
use domain::verdict::Verdict;
use maud::{Markup, html};

/// The verdict with its reasons.
pub(crate) fn verdict(verdict: Verdict, no_threshold: bool, reasons: &[String]) -> Markup {
    html! {
        div class="verdict-line" {
            (badge::verdict(verdict, no_threshold))
            @match reasons {
                [] if verdict == Verdict::Pass && no_threshold => span { "Nothing could fail the gate: neither the upload nor the project sets a threshold." },
                [] if verdict == Verdict::Pass => span { "No issue reached a threshold." },
                [] => {},
                [one] => span class="break" { (plain(one)) },
                several => ul { @for reason in several { li class="break" { (plain(reason)) } } },
            }
        }
    }
}

/// The numbers of results and issues, and the share that deduplication removed.
pub(crate) fn share(results: u64, issues: u64) -> Markup {
    let removed = results.checked_sub(issues).filter(|removed| *removed > 0);
    let percent = removed.map(|removed| removed * 100 / results.max(1));
    html! {
        (count(results, "result")) " in the report, " (count(issues, "issue"))
        @if let Some(percent) = percent { ": deduplication removed " strong { (percent) "\u{a0}%" } }
        "."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_deduplication_removed() {
        assert_eq!(
            share(200, 50).into_string(),
            "200 results in the report, 50 issues: deduplication removed <strong>75\u{a0}%</strong>."
        );
        assert_eq!(share(0, 0).into_string(), "0 results in the report, 0 issues.");
        assert_eq!(share(1, 1).into_string(), "1 result in the report, 1 issue.");
        assert_eq!(share(1, 2).into_string(), "1 result in the report, 2 issues.");
    }
}
