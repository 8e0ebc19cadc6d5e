//! What an issue is: its score, its weaknesses and names, and what the scanner says about it.

use super::Named;
use crate::address;
use crate::pages::scan::head;
use crate::view::text::{cut, plain, web_address};
use crate::view::{badge, cwe, time};
use api::path::segment;
use api::v1::{IssueItem, OccurrenceItem};
use domain::time::Timestamp;
use maud::{Markup, html};

/// From how many characters on a text is folded.
const FOLDED_FROM: usize = 1_200;
/// The most characters of one text on a page, which is to stay light; the API has the rest.
const WHOLE_CHARS_MAX: usize = 4_000;
/// Characters of a fact: a rule, a version, an advisory.
const FACT_CHARS_MAX: usize = 300;
/// Characters of a reference that are shown.
const REFERENCE_CHARS_MAX: usize = 300;
/// The longest address that is a link, in bytes: what browsers and servers agree on.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// What is known of it, as names and values.
pub(super) fn facts(now: Timestamp, named: Named<'_>, issue: &IssueItem, first: Option<&OccurrenceItem>) -> Markup {
    html! {
        dl class="facts card" {
            dt { "Score" }
            dd { (score(issue, first)) }
            dt { "Rule" }
            dd { code { (cut(&issue.rule, FACT_CHARS_MAX)) } " (" (head::kind(&issue.kind)) ")" }
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
                dt { "Mended in" }
                dd {
                    @if package.fixed_versions.is_empty() { "No version that the report names" }
                    @else { (cut(&package.fixed_versions.join(", "), FACT_CHARS_MAX)) }
                }
            }
            @if let Some(epss) = issue.epss {
                dt { "Exploitation" }
                dd { (format!("{:.1}", epss * 100.0)) "\u{a0}% within 30 days (EPSS)" }
            }
            @if issue.known_exploited { dt { "Exploited" } dd { strong { "Known to be exploited" } } }
            dt { "First seen" }
            dd {
                (time::relative(&issue.first_seen.at, now)) " in "
                a href=(address::scan(named.project, issue.first_seen.scan)) {
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
        "cvss_v3" => "CVSS 3 base score",
        "cvss_v2" => "CVSS 2 base score",
        "scanner_score" => "the scanner's own score",
        "scanner_word" => "the scanner's word",
        _ => "another source",
    });
    let word = first.and_then(|first| first.severity_word.as_deref());
    html! {
        @match issue.score {
            Some(score) => { strong { (format!("{score:.1}")) } " of 10, " (badge::severity(&issue.severity)) },
            None => "None: the report gives it no severity",
        }
        @if let Some(source) = source { ", by " (source) }
        @if let Some(word) = word { " (" (cut(word, FACT_CHARS_MAX)) ")" }
        @if let Some(own) = issue.scanner_severity.as_ref().filter(|own| **own != issue.severity) {
            "; the scanner itself says " (badge::severity(own))
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
            Bucket::New => { "New, in " (tally.total) " " (places(tally.total)) },
            Bucket::Common => {
                "Known before, in " (tally.total) " " (places(tally.total))
                @if tally.new > 0 { "; " (tally.new) " of them new" }
                @if tally.updated > 0 { "; " (tally.updated) " edited since" }
                @if tally.remediated > 0 { "; " (tally.remediated) " gone" }
            },
            Bucket::Remediated => "Gone: it was in the scan compared with",
        }
    }
}

fn places(number: u32) -> &'static str {
    if number == 1 { "place" } else { "places" }
}

/// An advisory, as a link to the database that its name is of.
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

/// What the scanner says: the message, the description, the advice, where to read more.
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

/// A text, folded if it is long.
pub(super) fn long(text: &str) -> Markup {
    let text = plain(text);
    html! {
        @match text.char_indices().nth(FOLDED_FROM).and_then(|(at, _)| text.split_at_checked(at)) {
            None => p class="prose" { (text) },
            Some((start, _)) => {
                p class="prose" { (start) "\u{2026}" }
                details class="fold" {
                    summary { "All of it" }
                    p class="prose" { (cut(&text, WHOLE_CHARS_MAX)) }
                }
            },
        }
    }
}
