//! An entry of the log.

use super::words;
use crate::address;
use crate::view::{text, time};
use api::path::segment;
use api::v1::{AuditActor, AuditItem};
use domain::time::Timestamp;
use maud::{Markup, html};

/// How many characters of an entry's details are shown.
const DETAILS_CHARS: usize = 20_000;
/// How many things of a kind an entry names; a bulk may be about a hundred.
const NAMED: usize = 5;
/// How many characters of an id are shown.
const ID_CHARS: usize = 12;

/// The entries.
pub(super) fn table(now: Timestamp, project: Option<&str>, items: &[AuditItem]) -> Markup {
    html! {
        div class="table" tabindex="0" role="region" aria-label="Entries, the newest first" {
            table class="folding" aria-label="Entries, the newest first" {
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "About" }
                    th scope="col" { "Why" }
                } }
                tbody { @for item in items { (line(now, project, item)) } }
            }
        }
    }
}

fn line(now: Timestamp, project: Option<&str>, item: &AuditItem) -> Markup {
    html! {
        tr {
            td data-label="When" { (time::relative(&item.at, now)) }
            td data-label="Who" { (who(&item.by)) }
            td data-label="What" {
                strong { (words(&item.what)) }
                @if item.refused.is_some() { " " span class="badge fail" { "Refused" } }
                @if item.repeated { " " span class="badge" title="The same request was recorded shortly before; this one counts no more." { "Repeated" } }
                @if let Some(reason) = &item.refused { p class="break" { (text::cut(reason, 500)) } }
                (details(item))
            }
            td data-label="About" { (about(project, item)) }
            td data-label="Why" {
                @match &item.why { Some(why) => bdi class="said break" { (text::cut(why, 1_000)) }, None => "–" }
            }
        }
    }
}

fn who(by: &AuditActor) -> Markup {
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
            @if json.chars().nth(DETAILS_CHARS).is_some() { p class="hint" { "It is longer; the downloaded file has all of it." } }
            p class="hint" { "Entry " (item.n) " of " code { (text::plain(&item.journal)) } ", event " code { (item.id) } }
        }
    }
}

fn about(project: Option<&str>, item: &AuditItem) -> Markup {
    let kinds = [
        ("target", "targets", &item.about.targets),
        ("exemption", "exemptions", &item.about.exemptions),
        ("scan", "scans", &item.about.scans),
        ("token", "tokens", &item.about.tokens),
    ];
    // The account's log names projects only inside its events.
    let details = &item.details;
    let inside = details.get("project").or_else(|| details.get("pointer")?.get("project"));
    let inside = inside.and_then(|name| name.as_str()).filter(|_| project.is_none());
    html! {
        @if let Some(name) = inside { p class="break" { "project " a href=(address::project(name)) { bdi { (text::plain(name)) } } } }
        @for (kind, place, names) in kinds {
            @for name in names.iter().take(NAMED) { p class="break" { (kind) " " (link(project.or(inside), place, name)) } }
            @if NAMED < names.len() { p class="hint" { "and " (names.len().saturating_sub(NAMED)) " more " (place) } }
        }
    }
}

fn link(project: Option<&str>, place: &str, name: &str) -> Markup {
    // An id says nothing to people; its beginning is enough to tell it from others.
    let chars = if place == "targets" { 100 } else { ID_CHARS };
    let shown = html! { bdi title=(name) { (text::cut(name, chars)) } };
    match project.filter(|_| place != "tokens") {
        Some(project) => {
            html! { a href={ (address::project(project)) "/" (place) "/" (segment(name)) } { (shown) } }
        }
        None => shown,
    }
}
