//! The details of an issue: score, weaknesses, advisories, package, and the texts of the scanner.

use crate::address::{self, IssueIds};
use crate::pages::scan::filters;
use crate::view::list::count;
use crate::view::text::{cut, plain, web_address};
use crate::view::{badge, cwe, time};
use api::path::segment;
use api::v1::{IssueItem, OccurrenceItem};
use domain::time::Timestamp;
use maud::{Markup, html};

/// The longest text that is not folded, in characters.
const UNFOLDED_CHARS_MAX: usize = 1_200;
/// The longest text on a page, in characters; the API has the rest.
const WHOLE_CHARS_MAX: usize = 4_000;
/// The longest rule, version or advisory, in characters.
const FACT_CHARS_MAX: usize = 300;
/// The longest reference, in characters.
const REFERENCE_CHARS_MAX: usize = 300;
/// The longest address that becomes a link, in bytes: a limit that all browsers and servers accept.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// The table of names and values.
pub(super) fn facts(now: Timestamp, ids: IssueIds<'_>, issue: &IssueItem, first: Option<&OccurrenceItem>) -> Markup {
    html! {
        dl class="facts card" {
            dt { "Score" }
            dd { (score(issue, first)) }
            dt { "Rule" }
            dd { code { (cut(&issue.rule, FACT_CHARS_MAX)) } " (" (filters::kind(&issue.kind)) ")" }
            @if !issue.cwes.is_empty() {
                dt { @if issue.cwes.len() == 1 { "Weakness" } @else { "Weaknesses" } }
                dd { ul { @for number in &issue.cwes { li { (cwe::link(*number)) } } } }
            }
            @if !issue.advisories.is_empty() {
                dt { "Advisories" }
                dd { ul class="row" { @for name in &issue.advisories { li { (advisory(name)) } } } }
            }
            @if let Some(package) = &issue.package {
                dt { "Package" }
                dd {
                    bdi { (cut(&package.name, FACT_CHARS_MAX)) } " " (cut(&package.versions.join(", "), FACT_CHARS_MAX))
                    @if let Some(ecosystem) = &package.ecosystem { " (" (cut(ecosystem, FACT_CHARS_MAX)) ")" }
                }
                dt { "Fixed in" }
                dd {
                    @if package.fixed_versions.is_empty() { "No fixed version in the report" }
                    @else { (cut(&package.fixed_versions.join(", "), FACT_CHARS_MAX)) }
                }
            }
            @if let Some(epss) = issue.epss {
                dt { "Exploit probability" }
                dd { (format!("{:.1}", epss * 100.0)) "\u{a0}% in the next 30 days (EPSS)" }
            }
            @if issue.known_exploited { dt { "Known exploited" } dd { strong { "Yes" } } }
            dt { "First seen" }
            dd {
                (time::relative(&issue.first_seen.at, now)) " in "
                a href=(address::scan(ids.project, issue.first_seen.scan)) {
                    "a scan of " bdi { (plain(&issue.first_seen.variant)) }
                }
            }
            dt { "In this scan" }
            dd { (bucket(issue)) }
        }
    }
}

fn score(issue: &IssueItem, first: Option<&OccurrenceItem>) -> Markup {
    let source = issue.score_source.as_deref().map(|source| match source {
        "cvss_v4" => "CVSS 4.0 base score",
        "cvss_v4_bt" => "CVSS 4.0 score with threat metrics (CVSS-BT)",
        "cvss_v4_be" => "CVSS 4.0 score with environmental metrics (CVSS-BE)",
        "cvss_v4_bte" => "CVSS 4.0 score with threat and environmental metrics (CVSS-BTE)",
        "cvss_v3" => "CVSS 3 base score",
        "cvss_v2" => "CVSS 2 base score",
        "scanner_score" => "score of the scanner",
        "scanner_word" => "severity reported by the scanner",
        _ => "another source",
    });
    let word = first.and_then(|first| first.severity_word.as_deref());
    html! {
        @match issue.score {
            Some(score) => { strong { (format!("{score:.1}")) } " of 10, " (badge::severity(&issue.severity)) },
            None => "None: the report has no severity",
        }
        @if let Some(source) = source { ", by " (source) }
        @if let Some(word) = word { " (" (cut(word, FACT_CHARS_MAX)) ")" }
        @if let Some(own) = issue.scanner_severity.as_ref().filter(|own| **own != issue.severity) {
            "; the scanner reports " (badge::severity(own))
        }
        @if let Some(cvss) = first.and_then(|first| first.cvss.first()) {
            @if let Some(vector) = &cvss.vector { br; code { (cut(vector, FACT_CHARS_MAX)) } }
        }
    }
}

fn bucket(issue: &IssueItem) -> Markup {
    use domain::comparison::Bucket;
    let tally = issue.occurrences;
    html! {
        @match issue.bucket {
            Bucket::New => { "New, " (occurrences(tally.total)) },
            Bucket::Common => {
                "Common, " (occurrences(tally.total))
                @if tally.new > 0 { "; " (tally.new) " new" }
                @if tally.updated > 0 { "; " (tally.updated) " edited" }
                @if tally.remediated > 0 { "; " (tally.remediated) " remediated" }
                @if tally.not_seen > 0 { "; " (tally.not_seen) " not seen" }
            },
            Bucket::Remediated => "Remediated: only in the reference scan",
            Bucket::NotSeen => {
                "Not seen: " (occurrences(tally.not_seen)) " of earlier scans inside a blind spot of this one"
            },
        }
    }
}

fn occurrences(number: u32) -> String {
    count(number.into(), "occurrence")
}

/// An advisory, as a link to its database.
fn advisory(name: &str) -> Markup {
    let address = match name.split_once('-').map(|(kind, _)| kind.to_ascii_uppercase()).as_deref() {
        Some("CVE") => Some(format!("https://nvd.nist.gov/vuln/detail/{}", segment(name))),
        Some("GHSA") => Some(format!("https://github.com/advisories/{}", segment(name))),
        Some("RUSTSEC") => Some(format!("https://rustsec.org/advisories/{}.html", segment(name))),
        Some("PYSEC" | "GO" | "OSV" | "MAL") => Some(format!("https://osv.dev/vulnerability/{}", segment(name))),
        Some(_) | None => None,
    };
    html! {
        @match address.filter(|address| address.len() <= ADDRESS_BYTES_MAX) {
            Some(address) => a href=(address) rel="noopener noreferrer" { (cut(name, FACT_CHARS_MAX)) },
            None => (cut(name, FACT_CHARS_MAX)),
        }
    }
}

/// The texts of the scanner: message, description, remediation, references.
pub(super) fn texts(issue: &IssueItem, first: Option<&OccurrenceItem>) -> Markup {
    let text = |of: fn(&OccurrenceItem) -> Option<&String>| first.and_then(of).filter(|text| !text.trim().is_empty());
    let references: Vec<_> = issue.references.iter().take(20).collect();
    html! {
        @if !issue.message.trim().is_empty() && issue.message != issue.title { (long(&issue.message)) }
        @if let Some(text) = text(|of| of.description.as_ref()).filter(|text| **text != issue.message) {
            h3 { "Description" } (long(text))
        }
        @if let Some(text) = text(|of| of.remediation.as_ref()) { h3 { "Remediation" } (long(text)) }
        @if !references.is_empty() {
            h3 { "References" }
            ul class="stack tight" {
                @for reference in references {
                    li {
                        @match web_address(reference).filter(|address| address.len() <= ADDRESS_BYTES_MAX) {
                            Some(address) => a href=(address) rel="noopener noreferrer nofollow" { (cut(address, REFERENCE_CHARS_MAX)) },
                            None => span class="break" { (cut(reference, REFERENCE_CHARS_MAX)) },
                        }
                    }
                }
            }
        }
    }
}

/// A text; a long one is folded.
fn long(text: &str) -> Markup {
    let text = plain(text);
    html! {
        @match text.char_indices().nth(UNFOLDED_CHARS_MAX).and_then(|(at, _)| text.split_at_checked(at)) {
            None => p class="prose" { (text) },
            Some((start, _)) => {
                p class="prose" { (start) "\u{2026}" }
                details class="fold" {
                    summary { "Show more" }
                    p class="prose" { (cut(&text, WHOLE_CHARS_MAX)) }
                }
            },
        }
    }
}
