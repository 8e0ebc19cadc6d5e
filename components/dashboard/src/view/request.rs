//! A pending request that one person made and another decides: the facts about it, and the forms of its decisions.

use super::text::plain;
use super::time;
use crate::layout::csrf;
use crate::session::Session;
use domain::time::Timestamp;
use maud::{Markup, html};

/// The rows of a list of facts that say who requested it, when and why.
pub(crate) fn facts(requested_by: &str, requested_at: &str, reason: &str, now: Timestamp) -> Markup {
    html! {
        dt { "Requested" }
        dd { "by " bdi { (plain(requested_by)) } " " (time::relative(requested_at, now)) }
        dt { "Reason" } dd class="break" { bdi { (plain(reason)) } }
    }
}

/// The form of a decision on a request.
pub(crate) struct DecisionForm<'a> {
    /// The address of the request; the decision follows in the path.
    pub(crate) address: &'a str,
    /// The decision's word in the path.
    pub(crate) decision: &'a str,
    /// Its word on the page.
    pub(crate) label: &'a str,
    /// Its effect.
    pub(crate) hint: &'a str,
    /// The fields that name what the page shows, with their values.
    pub(crate) shown: &'a [(&'a str, String)],
}

impl DecisionForm<'_> {
    /// The form, folded: a confirmation without a script.
    pub(crate) fn markup(&self, session: &Session) -> Markup {
        let Self { address, decision, label, hint, shown } = self;
        let id = format!("comment-{decision}");
        html! {
            details {
                summary { (label) " …" }
                form method="post" action={ (address) "/" (decision) } class="stack tight" {
                    (csrf(session))
                    @for (name, value) in *shown { input type="hidden" name=(name) value=(value); }
                    p class="hint" { (hint) }
                    div class="field" {
                        label for=(id) { "Comment" }
                        input id=(id) name="comment" maxlength="1024" autocomplete="off";
                    }
                    div { button { (label) " request" } }
                }
            }
        }
    }
}
