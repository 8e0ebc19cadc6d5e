//! One exemption of the list, with what can be decided on it.

use super::offers::{Decision, Reader};
use super::{base, preview, words};
use crate::form::Form;
use crate::layout::csrf;
use crate::session::Session;
use crate::view::{badge, list, text};
use api::path::segment;
use api::v1::ExemptionItem;
use domain::exemption::Status;
use maud::{Markup, html};

/// What a list's rows have in common.
pub(super) struct Shared<'a> {
    pub(super) project: &'a str,
    pub(super) session: &'a Session,
    pub(super) reader: &'a Reader<'a>,
    /// The list, to come back to.
    pub(super) here: &'a str,
    /// What was typed before it was refused.
    pub(super) typed: Typed<'a>,
}

/// What somebody typed before it was refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Typed<'a> {
    /// The form.
    pub(super) form: Option<&'a Form>,
    /// The exemption whose form it is; absent: the form for several.
    pub(super) id: Option<&'a str>,
}

impl Typed<'_> {
    /// A field of the form of this exemption, or of the one for several.
    pub(super) fn text(&self, id: Option<&str>, name: &str) -> &str {
        self.form.filter(|_| self.id == id).map_or("", |form| form.text(name))
    }

    /// Whether the box of this exemption was ticked.
    pub(super) fn chose(&self, id: &str) -> bool {
        self.id.is_none() && self.form.is_some_and(|form| form.all("exemption").any(|chosen| chosen == id))
    }
}

/// The row. `unused_in`: in how many scans it exempted nothing.
pub(super) fn row(shared: &Shared<'_>, item: &ExemptionItem, unused_in: Option<usize>) -> Markup {
    let Shared { project, reader, .. } = shared;
    let path = format!("{}/{}", base(project), segment(&item.id));
    let offers = reader.offers(item);
    let now = reader.now;
    let title = text::cut(&item.title, 300);
    html! {
        li class="card exemption" id={ "e-" (item.id) } {
            div class="top" {
                @if !offers.is_empty() {
                    input type="checkbox" form="decisions" name="exemption" value=(item.id)
                        checked[shared.typed.chose(&item.id)] aria-label={ "Choose " (title) };
                }
                (badge::severity(&item.severity))
                h2 { a href=(path) { bdi { (title) } } }
                (words::marks(item))
            }
            p class="hint" {
                (item.scanner) " · " (words::reach(item))
                @if let Some(asked) = item.requested_scope { " · asked for: " (lower(words::scope(asked))) }
                " · " (words::term(item, now))
            }
            (words::why(item, false))
            p class="hint" {
                (words::asked_by(item, now))
                @if item.status != Status::Pending { " · " (words::decided(item, now)) }
            }
            @if item.returned_from.is_some() && item.status == Status::Pending { p class="hint" { (words::RETURNED) } }
            @if let Some(scans) = unused_in {
                p { "It exempted nothing in " (list::count(u64::try_from(scans).unwrap_or(u64::MAX), "scan")) "." }
            }
            @if reader.is_own(item) { (own()) }
            (decisions(shared, item, &path, &offers))
            (preview_link(reader, item, &path, &offers))
        }
    }
}

/// Why somebody is offered no approval.
pub(super) fn own() -> Markup {
    html! { p class="hint" { "You asked for it; somebody else has to decide." } }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn decisions(shared: &Shared<'_>, item: &ExemptionItem, path: &str, offers: &[Decision]) -> Markup {
    let form = || {
        let comment = format!("comment-{}", item.id);
        // To approve what was rejected or is over needs a look at it: that is on its own page.
        let is_offered = |decision: &&Decision| **decision != Decision::Approve || item.status == Status::Pending;
        html! {
            form method="post" action={ (path) "/" (offers.first().map_or("cancel", |first| first.as_str())) } class="row" {
                (csrf(shared.session))
                input type="hidden" name="back" value=(shared.here);
                // Enter in the comment presses this one, and decides nothing.
                button hidden disabled {}
                div class="field grow" {
                    label for=(comment) { "Comment, if you like" }
                    input id=(comment) name="comment" maxlength="1024" autocomplete="off"
                        value=(shared.typed.text(Some(&item.id), "comment"));
                }
                div class="actions" {
                    @for decision in offers.iter().filter(is_offered) {
                        button class=(decision.class()) formaction={ (path) "/" (decision.as_str()) } {
                            (decision.button(item.status)) span class="unseen" { " " (text::cut(&item.title, 300)) }
                        }
                    }
                }
            }
        }
    };
    let is_refused = shared.typed.id == Some(item.id.as_str());
    match (offers, item.status) {
        ([], _) => html! {},
        (_, Status::Pending) => form(),
        (_, Status::Approved | Status::Rejected | Status::Expired | Status::Cancelled) => html! {
            details open[is_refused] { summary { "Decide again" } (form()) }
        },
    }
}

fn preview_link(reader: &Reader<'_>, item: &ExemptionItem, path: &str, offers: &[Decision]) -> Markup {
    let (decision, name) = match item.status {
        Status::Pending => (Decision::Approve, "Preview the effect of an approval"),
        Status::Approved if offers.contains(&Decision::Reject) => {
            (Decision::Reject, "Preview the effect of taking it back")
        }
        Status::Approved | Status::Rejected | Status::Expired | Status::Cancelled => return html! {},
    };
    let section = preview::section_id(&item.id);
    let href = format!("{path}?preview={}", decision.as_str());
    html! {
        @if reader.decides {
            p {
                a href=(href) hx-get=(href) hx-select={ "#" (section) } hx-target={ "#" (section) } hx-swap="outerHTML" hx-indicator="closest p" {
                    (name) span class="unseen" { " of " (text::cut(&item.title, 300)) }
                }
                " " span class="waiting" { "Judging the newest scans anew …" }
            }
            div id=(section) {}
        }
    }
}
