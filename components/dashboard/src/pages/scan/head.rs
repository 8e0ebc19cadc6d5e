//! What stands above a scan's issues: the verdict with its reason, the tiles, the filters.

use super::state::{State, TILES};
use crate::view::badge;
use crate::view::list::count;
use crate::view::text::plain;
use domain::verdict::Verdict;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Kinds of issues, and their names for people.
const KINDS: [(&str, &str); 7] = [
    ("code", "Code"),
    ("dependency", "Dependency"),
    ("license", "Licence"),
    ("secret", "Secret"),
    ("web", "Web"),
    ("host", "Host"),
    ("infrastructure", "Infrastructure"),
];
/// How issues stand to exemptions, and what that is called.
const STATES: [(&str, &str); 4] = [
    ("pending", "Exemption requested"),
    ("exempted", "Exempted"),
    ("partially_exempted", "Partly exempted"),
    ("rejected", "Exemption rejected"),
];

/// The name of a kind.
pub(crate) fn kind(word: &str) -> &str {
    KINDS.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| name)
}

/// The verdict, and why.
pub(crate) fn verdict(verdict: Verdict, reasons: &[String]) -> Markup {
    html! {
        div class="verdict-line" {
            (badge::verdict(verdict))
            @match reasons {
                [] if verdict == Verdict::Pass => span { "Nothing stands against it." },
                [] => {},
                [one] => span class="break" { (plain(one)) },
                several => ul { @for reason in several { li class="break" { (plain(reason)) } } },
            }
        }
    }
}

/// How many results the reports held, and how few issues that were.
pub(crate) fn share(results: u64, issues: u64) -> Markup {
    let saved = results.checked_sub(issues).filter(|saved| *saved > 0).map(|saved| saved * 100 / results.max(1));
    html! {
        (count(results, "result")) " in the report, " (count(issues, "issue"))
        @if let Some(percent) = saved { ": deduplication took away " strong { (percent) "\u{a0}%" } }
        "."
    }
}

/// A tile a level, and one for what is exempted: each shows and hides its issues.
pub(crate) fn tiles(state: &State, variables: &BTreeMap<String, String>) -> Markup {
    let number = |tile: &str| {
        let name = if tile == "exempted" { "IGNORED".to_owned() } else { tile.to_uppercase() };
        variables.get(&name).cloned().unwrap_or_else(|| "0".to_owned())
    };
    html! {
        form method="get" action=(state.path()) class="tiles" aria-label="Show issues by level"
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

/// The filters; `scans`: the targets and scanners to choose from, where there are several scans.
pub(crate) fn filters(state: &State, targets: &[String], scanners: &[String]) -> Markup {
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
            (choice("status", "Exemption", state.get("status"), &fixed(&STATES)))
            @if targets.len() > 1 { (choice("target", "Target", state.get("target"), &named(targets))) }
            @if scanners.len() > 1 { (choice("scanner", "Scanner", state.get("scanner"), &named(scanners))) }
            button class="second" { "Filter" }
            @if state.is_filtered() { a href=(state.path()) { "Show all" } }
            span class="waiting" role="status" { "Loading" }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_deduplication_took_away() {
        assert_eq!(
            share(200, 50).into_string(),
            "200 results in the report, 50 issues: deduplication took away <strong>75\u{a0}%</strong>."
        );
        assert_eq!(share(0, 0).into_string(), "0 results in the report, 0 issues.");
        assert_eq!(share(1, 1).into_string(), "1 result in the report, 1 issue.");
        assert_eq!(share(1, 2).into_string(), "1 result in the report, 2 issues.");
    }
}
