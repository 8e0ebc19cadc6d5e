//! Short messages above a page: what was just done, and what went wrong.

use crate::visit::Visit;
use maud::{Markup, html};

/// What was done, by the word that a page is sent to with: a fixed list, so that no link puts words into our mouth.
const DONE: &[(&str, &str)] = &[
    ("signed-in", "You are signed in."),
    ("project-created", "The project is there."),
    ("settings-saved", "The settings are saved."),
    ("baseline-saved", "The baseline is saved. It holds from the next scan on."),
    ("exemption-requested", "The exemption is requested. A reviewer decides on it."),
    ("exemptions-requested", "The exemptions are requested. A reviewer decides on them."),
    ("approved", "Approved. It counts from the next scan on."),
    ("rejected", "Rejected."),
    ("cancelled", "Cancelled. If it was in force, the issue counts again from the next scan on."),
    ("reopened", "Requested again."),
    ("decided", "All of them are decided."),
    ("token-revoked", "The token is revoked. It opens nothing any more."),
];

/// What the query says was done.
pub(crate) fn of_visit<A>(visit: &Visit<'_, A>) -> Markup {
    // A link from elsewhere tells nobody that something was done.
    let word = if visit.from_here { visit.text("done") } else { "" };
    let told = DONE.iter().find(|(known, _)| *known == word);
    html! { @if let Some((_, text)) = told { (good(text)) } }
}

/// Something went well.
pub(crate) fn good(text: &str) -> Markup {
    html! { p class="notice good" role="status" { (text) } }
}

/// Something went wrong, or needs care.
pub(crate) fn bad(text: &str) -> Markup {
    html! { p class="notice bad" role="alert" { (text) } }
}
