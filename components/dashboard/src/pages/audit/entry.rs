//! The table of entries.

use super::event_kinds;
use crate::address;
use crate::view::{text, time};
use api::path::segment;
use api::v1::{AuditActor, AuditItem};
use domain::time::Timestamp;
use maud::{Markup, html};

/// The longest details of an entry, in characters.
const DETAILS_CHARS: usize = 20_000;
/// The most subjects of one kind that an entry names; a bulk decision may have a hundred.
const SUBJECTS_SHOWN: usize = 5;
/// The characters of an id that are shown.
const ID_CHARS: usize = 12;

/// The table.
pub(super) fn table(now: Timestamp, project: Option<&str>, items: &[AuditItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Entries, newest first" {
            table class="folding" aria-label="Entries, newest first" {
                thead { tr {
                    th scope="col" { "Time" } th scope="col" { "User" } th scope="col" { "Event" } th scope="col" { "Subject" }
                    th scope="col" { "Comment" }
                } }
                tbody { @for item in items { (row(now, project, item)) } }
            }
        }
    }
}

fn row(now: Timestamp, project: Option<&str>, item: &AuditItem) -> Markup {
    html! {
        tr {
            td data-label="Time" { (time::relative(&item.at, now)) }
            td data-label="User" { (actor(&item.by)) }
            td data-label="Event" {
                strong { (event_kinds::label(&item.what)) }
                @if item.refused.is_some() { " " span class="badge fail" { "Refused" } }
                @if item.repeated { " " span class="badge" title="This entry repeats the same request and has no effect." { "Repeated" } }
                @if let Some(reason) = &item.refused { p class="break" { (text::cut(reason, 500)) } }
                (details(item))
            }
            td data-label="Subject" { (subjects(project, item)) }
            td data-label="Comment" {
                @match &item.why { Some(why) => bdi class="quoted break" { (text::cut(why, 1_000)) }, None => "–" }
            }
        }
    }
}

fn actor(by: &AuditActor) -> Markup {
    html! {
        bdi { (text::plain(&by.subject)) }
        br;
        span class="hint" { (by.role) @if let Some(address) = &by.address { " from " bdi { (text::plain(address)) } } }
    }
}

fn details(item: &AuditItem) -> Markup {
    let json = serde_json::to_string_pretty(&item.details).unwrap_or_default();
    html! {
        details {
            summary { "Details" span class="unseen" { " of entry " (item.n) " of " (item.journal) } }
            div class="code details" tabindex="0" role="region" aria-label={ "Details of entry " (item.n) " of " (item.journal) } {
                pre { (text::cut(&json, DETAILS_CHARS)) }
            }
            @if json.chars().nth(DETAILS_CHARS).is_some() { p class="hint" { "The details are shortened; the downloaded file contains all of them." } }
            p class="hint" { "Entry " (item.n) " of " code { (text::plain(&item.journal)) } ", event " code { (item.id) } }
        }
    }
}

fn subjects(project: Option<&str>, item: &AuditItem) -> Markup {
    let kinds = [
        ("target", "targets", &item.about.targets),
        ("exemption", "exemptions", &item.about.exemptions),
        ("scan", "scans", &item.about.scans),
        ("token", "tokens", &item.about.tokens),
    ];
    // In the log of the account, only the details of an event name the project.
    let details = &item.details;
    let inside = details.get("project").or_else(|| details.get("pointer")?.get("project"));
    let inside = inside.and_then(|name| name.as_str()).filter(|_| project.is_none());
    html! {
        @if let Some(name) = inside { p class="break" { "project " a href=(address::project(name)) { bdi { (text::plain(name)) } } } }
        @for (kind, area, names) in kinds {
            @for name in names.iter().take(SUBJECTS_SHOWN) { p class="break" { (kind) " " (link(project.or(inside), area, name)) } }
            @if SUBJECTS_SHOWN < names.len() { p class="hint" { "and " (names.len().saturating_sub(SUBJECTS_SHOWN)) " more " (area) } }
        }
    }
}

fn link(project: Option<&str>, area: &str, name: &str) -> Markup {
    // The beginning of an id is enough to distinguish it from others.
    let chars = if area == "targets" { 100 } else { ID_CHARS };
    let shown = html! { bdi title=(name) { (text::cut(name, chars)) } };
    match project.filter(|_| area != "tokens") {
        Some(project) => {
            html! { a href={ (address::project(project)) "/" (area) "/" (segment(name)) } { (shown) } }
        }
        None => shown,
    }
}
