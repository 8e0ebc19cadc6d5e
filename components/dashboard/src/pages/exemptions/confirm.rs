//! The folded form of a decision that ends something: it asks once more, without a script.

use super::buttons;
use crate::address;
use crate::layout::csrf;
use crate::session::Session;
use crate::view::text;
use api::v1::ExemptionItem;
use domain::exemption::Decision;
use maud::{Markup, html};

/// The page that contains the form.
#[derive(Clone, Copy)]
pub(super) struct Confirm<'a> {
    pub(super) project: &'a str,
    pub(super) session: &'a Session,
    /// The page that the decision leads back to.
    pub(super) back: &'a str,
    /// The version that the page shows.
    pub(super) version: u64,
    /// The comment of a refused decision; with it, the form is unfolded.
    pub(super) comment: &'a str,
}

impl Confirm<'_> {
    /// The forms of those of the decisions that ask once more.
    pub(super) fn forms(&self, item: &ExemptionItem, decisions: &[Decision]) -> Markup {
        let asks = |decision: &&Decision| buttons::asks_once_more(**decision, item.status);
        html! { @for decision in decisions.iter().filter(asks) { (self.form(item, *decision)) } }
    }

    fn form(&self, item: &ExemptionItem, decision: Decision) -> Markup {
        let (path, verb) = (address::exemption(self.project, &item.id), decision.as_str());
        let (label, comment) = (buttons::label(decision, item.status), format!("{verb}-comment-{}", item.id));
        html! {
            details open[!self.comment.is_empty()] {
                summary { (label) " …" span class="unseen" { " " (text::cut(&item.title, 300)) } }
                form method="post" action={ (path) "/" (verb) } class="stack tight" {
                    (hidden(self.session, self.back, item, self.version))
                    // The key Enter in the comment presses the first button, which decides nothing.
                    button hidden disabled {}
                    p class="hint" { (buttons::consequence(decision, item.status)) }
                    div class="field" {
                        label for=(comment) { "Comment (optional)" }
                        input id=(comment) name="comment" maxlength="1024" autocomplete="off" value=(self.comment);
                    }
                    div class="actions" { button class="danger" { (label) span class="unseen" { " " (text::cut(&item.title, 300)) } } }
                }
            }
        }
    }
}

/// The hidden fields of every form for a decision on one exemption.
pub(super) fn hidden(session: &Session, back: &str, item: &ExemptionItem, version: u64) -> Markup {
    html! {
        (csrf(session))
        input type="hidden" name="back" value=(back);
        input type="hidden" name="status" value=(item.status);
        input type="hidden" name="version" value=(version);
    }
}
