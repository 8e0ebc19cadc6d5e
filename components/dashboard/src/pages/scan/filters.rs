//! The filters above lists of issues: the severity tiles, and the form.

use super::url_state::{TILES, UrlState};
use crate::view::badge;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The kinds of issues, and their labels.
const KINDS: [(&str, &str); 7] = [
    ("code", "Code"),
    ("dependency", "Dependency"),
    ("license", "Licence"),
    ("secret", "Secret"),
    ("web", "Web"),
    ("host", "Host"),
    ("infrastructure", "Infrastructure"),
];
/// The states of an issue's exemptions, and their labels.
const EXEMPTION_STATES: [(&str, &str); 4] = [
    ("pending", "Exemption requested"),
    ("exempted", "Exempted"),
    ("partially_exempted", "Partially exempted"),
    ("rejected", "Exemption rejected"),
];

/// The label of a kind.
pub(crate) fn kind(word: &str) -> &str {
    KINDS.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| name)
}

/// A tile for each severity and one for exempted issues; each is a switch that shows or hides its issues.
pub(crate) fn tiles(state: &UrlState, variables: &BTreeMap<String, String>) -> Markup {
    let number = |tile: &str| {
        let name = if tile == "exempted" { "IGNORED".to_owned() } else { tile.to_uppercase() };
        variables.get(&name).cloned().unwrap_or_else(|| "0".to_owned())
    };
    html! {
        form method="get" action=(state.path()) class="tiles" aria-label="Filter by severity"
            hx-get=(state.path()) hx-target="#results" hx-select="#results" hx-swap="outerHTML" hx-push-url="true" {
            @for (name, value) in state.without(&["show"]) { input type="hidden" name=(name) value=(value); }
            @for tile in TILES {
                @let is_on = state.shown().any(|shown| shown == tile);
                button class={ "tile " (tile) } name="show" value=(state.toggled(tile)) aria-pressed=(is_on) {
                    span class="count" { (number(tile)) }
                    span class="name" { (badge::capitalised(tile)) }
                }
            }
        }
    }
}

/// The form. `targets` and `scanners`: the choices on a page with several scans.
pub(crate) fn filters(state: &UrlState, targets: &[String], scanners: &[String]) -> Markup {
    let named = |names: &[String]| names.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
    let fixed = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(value, name)| ((*value).to_owned(), (*name).to_owned())).collect::<Vec<_>>()
    };
    html! {
        form method="get" action=(state.path()) class="row filters" role="search" aria-label="Filter issues"
            hx-get=(state.path()) hx-target="#results" hx-select="#results" hx-swap="outerHTML" hx-push-url="true"
            hx-trigger="change, submit" {
            @for (name, value) in state.without(&["kind", "status", "text", "target", "scanner"]) {
                input type="hidden" name=(name) value=(value);
            }
            div class="field grow" {
                label for="text" { "Text" }
                input id="text" name="text" type="search" value=(state.get("text")) maxlength="200"
                    placeholder="Title, CWE, CVE, package or path";
            }
            (choice("kind", "Type", state.get("kind"), &fixed(&KINDS)))
            (choice("status", "Exemption", state.get("status"), &fixed(&EXEMPTION_STATES)))
            @if targets.len() > 1 { (choice("target", "Target", state.get("target"), &named(targets))) }
            @if scanners.len() > 1 { (choice("scanner", "Scanner", state.get("scanner"), &named(scanners))) }
            button class="second" { "Filter" }
            @if state.is_filtered() { a href=(state.path()) { "Clear filters" } }
            span class="waiting" role="status" { "Loading …" }
        }
    }
}

fn choice(name: &str, label: &str, chosen: &str, options: &[(String, String)]) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { "All" }
                @for (value, text) in options { option value=(value) selected[value == chosen] { (text) } }
            }
        }
    }
}
