//! The entries of the list of exemptions, with a form for decisions.

use super::confirm::{Confirm, hidden};
use super::permissions::Permissions;
use super::{buttons, preview};
use crate::address;
use crate::form::Form;
use crate::session::Session;
use crate::view::{badge, exemption, list, text};
use api::v1::ExemptionItem;
use domain::exemption::{Decision, Status};
use maud::{Markup, html};

/// The entries of a list.
pub(super) struct Rows<'a> {
    pub(super) project: &'a str,
    pub(super) session: &'a Session,
    pub(super) permissions: &'a Permissions<'a>,
    /// The address of the list; decisions lead back to it.
    pub(super) list_url: &'a str,
    pub(super) refused_form: RefusedForm<'a>,
}

/// The form of a refused decision; empty if none was refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RefusedForm<'a> {
    pub(super) form: Option<&'a Form>,
    /// The exemption of the form; absent for the form for several exemptions.
    pub(super) id: Option<&'a str>,
}

impl RefusedForm<'_> {
    /// A field of the form of this exemption, or of the form for several exemptions.
    pub(super) fn text(&self, id: Option<&str>, name: &str) -> &str {
        self.form.filter(|_| self.id == id).map_or("", |form| form.text(name))
    }

    /// True if this exemption was selected in the form for several exemptions, and has not changed since.
    pub(super) fn is_selected(&self, item: &ExemptionItem) -> bool {
        let is_in = |form: &Form| {
            let is_unchanged = form.text(&buttons::version_field(&item.id)) == item.version.to_string();
            is_unchanged && form.all("exemption").any(|selected| selected == item.id)
        };
        self.id.is_none() && self.form.is_some_and(is_in)
    }
}

impl Rows<'_> {
    /// An entry. `unused_in`: the number of scans in which the exemption had no effect.
    pub(super) fn row(&self, item: &ExemptionItem, unused_in: Option<usize>) -> Markup {
        let path = address::exemption(self.project, &item.id);
        let decisions = self.permissions.decisions(item);
        let now = self.permissions.now;
        let title = text::cut(&item.title, 300);
        html! {
            li class="card exemption" id={ "e-" (item.id) } {
                div class="top" {
                    @if buttons::is_selectable(item, &decisions) {
                        input type="checkbox" form="decisions" name="exemption" value=(item.id)
                            checked[self.refused_form.is_selected(item)] aria-label={ "Select " (title) };
                        input type="hidden" form="decisions" name=(buttons::version_field(&item.id)) value=(item.version);
                    }
                    (badge::severity(&item.severity))
                    h2 { a href=(path) { bdi { (title) } } }
                    (exemption::marks(item))
                }
                p class="hint" {
                    (item.scanner) " · " (exemption::reach(item))
                    @if let Some(scope) = item.requested_scope { " · requested: " (lower(exemption::scope(scope))) }
                    " · " (exemption::duration(item, now))
                }
                (exemption::explanation(item, false))
                p class="hint" {
                    (exemption::requested_by(item, now))
                    @if item.status != Status::Pending { " · " (exemption::last_decision(item, now)) }
                }
                @if item.returned_from.is_some() && item.status == Status::Pending {
                    p class="hint" { (exemption::returned(item)) }
                }
                @if let Some(scans) = unused_in {
                    p { "No effect in " (list::count(u64::try_from(scans).unwrap_or(u64::MAX), "scan")) "." }
                }
                @if self.permissions.is_own_request(item) { (own_request()) }
                (self.decisions(item, &path, &decisions))
                (self.preview_link(item, &path, &decisions))
            }
        }
    }

    fn decisions(&self, item: &ExemptionItem, path: &str, decisions: &[Decision]) -> Markup {
        // A rejected or expired exemption can be approved only on its own page, where the reviewer sees all of it.
        let is_plain = |decision: &Decision| {
            !buttons::asks_once_more(*decision, item.status)
                && (*decision != Decision::Approve || item.status == Status::Pending)
        };
        let plain: Vec<_> = decisions.iter().copied().filter(is_plain).collect();
        let confirm = Confirm {
            project: self.project,
            session: self.session,
            back: self.list_url,
            version: item.version,
            comment: self.refused_form.text(Some(&item.id), "comment"),
        };
        html! {
            @match (plain.as_slice(), item.status) {
                ([], _) => {},
                (plain, Status::Pending) => (self.form(item, path, plain)),
                (plain, Status::Approved | Status::Rejected | Status::Expired | Status::Cancelled) => {
                    details open[self.refused_form.id == Some(item.id.as_str())] {
                        summary { "Change decision" }
                        (self.form(item, path, plain))
                    }
                }
            }
            (confirm.forms(item, decisions))
        }
    }

    fn form(&self, item: &ExemptionItem, path: &str, decisions: &[Decision]) -> Markup {
        let comment = format!("comment-{}", item.id);
        html! {
            form method="post" action={ (path) "/" (decisions.first().map_or("reject", |first| first.as_str())) } class="row" {
                (hidden(self.session, self.list_url, item, item.version))
                // The key Enter in the comment presses the first button, which decides nothing.
                button hidden disabled {}
                div class="field grow" {
                    label for=(comment) { "Comment (optional)" }
                    input id=(comment) name="comment" maxlength="1024" autocomplete="off"
                        value=(self.refused_form.text(Some(&item.id), "comment"));
                }
                div class="actions" {
                    @for decision in decisions {
                        button class=(buttons::class(*decision)) formaction={ (path) "/" (decision.as_str()) } {
                            (buttons::label(*decision, item.status)) span class="unseen" { " " (text::cut(&item.title, 300)) }
                        }
                    }
                }
            }
        }
    }

    fn preview_link(&self, item: &ExemptionItem, path: &str, decisions: &[Decision]) -> Markup {
        let (decision, label) = match item.status {
            Status::Pending => (Decision::Approve, "Preview the approval"),
            Status::Approved if decisions.contains(&Decision::Reject) => (Decision::Reject, "Preview the revocation"),
            Status::Approved | Status::Rejected | Status::Expired | Status::Cancelled => return html! {},
        };
        let section = preview::section_id(&item.id);
        let href = format!("{path}?preview={}", decision.as_str());
        html! {
            @if self.permissions.decides {
                p {
                    a href=(href) hx-get=(href) hx-select={ "#" (section) } hx-target={ "#" (section) } hx-swap="outerHTML" hx-indicator="closest p" {
                        (label) span class="unseen" { " of " (text::cut(&item.title, 300)) }
                    }
                    " " span class="waiting" { "Evaluating the newest scans …" }
                }
                div id=(section) {}
            }
        }
    }
}

/// The reason why the requester cannot approve.
pub(super) fn own_request() -> Markup {
    html! { p class="hint" { "You requested or reopened this exemption, so you cannot approve it." } }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
