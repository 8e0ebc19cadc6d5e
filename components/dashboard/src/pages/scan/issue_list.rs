//! The lists of issues: new, common, remediated, not seen.

use super::filters;
use super::url_state::UrlState;
use crate::address;
use crate::view::text::{cut, plain};
use crate::view::{badge, exemption, list, time};
use api::v1::{IssueItem, OccurrenceTally};
use domain::time::Timestamp;
use maud::{Markup, html};

/// The longest title in a list, in characters.
const TITLE_CHARS: usize = 160;

/// The heading of the list of issues that were not seen.
pub(crate) const NOT_SEEN: &str = "Not seen: inside a blind spot";

/// An issue in a list.
pub(crate) struct IssueRow {
    /// The path of its page.
    pub(crate) path: String,
    /// The issue.
    pub(crate) issue: IssueItem,
    /// The target and the scanner, on a page with several scans.
    pub(crate) of: Option<(String, String)>,
}

impl IssueRow {
    /// An issue of a scan.
    pub(crate) fn new(project: &str, scan: &str, issue: IssueItem, of: Option<(String, String)>) -> Self {
        let path = address::issue(project, scan, issue.id);
        Self { path, issue, of }
    }
}

/// A list of issues.
pub(crate) struct IssueList<'a> {
    /// The bucket: `new`, `common`, `remediated` or `not_seen`.
    pub(crate) bucket: &'static str,
    /// The heading.
    pub(crate) title: String,
    /// The number of issues without filters.
    pub(crate) all: u64,
    /// The number of issues that match the filters, if known.
    pub(crate) matching: Option<u64>,
    /// The issues on this page.
    pub(crate) rows: Vec<IssueRow>,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
    /// True if the list can be sorted.
    pub(crate) sorted: bool,
    /// The filters and positions in the URL of the page.
    pub(crate) state: &'a UrlState,
}

/// The columns that a list can be sorted by, and their labels.
const COLUMNS: [(&str, &str); 4] =
    [("severity", "Severity"), ("title", "Issue"), ("occurrences", "Occurrences"), ("first_seen", "First seen")];

impl IssueList<'_> {
    /// The list.
    pub(crate) fn shown(&self, now: Timestamp) -> Markup {
        let id = format!("list-{}", self.bucket);
        let heading = format!("{id}-heading");
        // The API does not count the issues that match a text.
        let number = if self.state.is_filtered() { self.matching } else { Some(self.all) };
        let at = format!("at_{}", self.bucket);
        let first = (!self.state.get(&at).is_empty()).then(|| self.state.with(&at, ""));
        let next = self.next.as_ref().map(|next| self.state.with(&at, next));
        html! {
            section id=(id) class="stack tight" aria-labelledby=(heading) {
                h2 id=(heading) {
                    bdi { (plain(&self.title)) }
                    @if let Some(number) = number { " " span class="soft" { "(" (number) ")" } }
                }
                @if self.rows.is_empty() {
                    p class="soft" { @if self.state.is_filtered() { "No issues match the filters." } @else { "No issues." } }
                } @else {
                    div class="table" {
                        table class="folding issues" aria-labelledby=(heading) {
                            thead { tr { (self.columns()) } }
                            tbody { @for row in &self.rows { (self.row(row, now)) } }
                        }
                        (list::pager(&self.title, first.as_deref(), next.as_deref()))
                    }
                }
            }
        }
    }

    fn columns(&self) -> Markup {
        let name = format!("sort_{}", self.bucket);
        let chosen = match self.state.get(&name) {
            "" => "severity",
            chosen => chosen,
        };
        let number = |word: &str| (word == "occurrences").then_some("number");
        let column = |word: &str, text: &str| {
            let is_chosen = word == chosen || (word == "first_seen" && chosen == "newest");
            // The first click sorts by the oldest, the second one by the newest.
            let to = if word == "first_seen" && chosen == "first_seen" { "newest" } else { word };
            let order = match (is_chosen, chosen) {
                (false, _) => None,
                (true, "title" | "first_seen") => Some("ascending"),
                (true, _) => Some("descending"),
            };
            let url = self.state.with(&name, if to == "severity" { "" } else { to });
            html! { th scope="col" class=[number(word)] aria-sort=[order] { a href=(url) { (text) } } }
        };
        html! {
            @for (word, text) in COLUMNS {
                @if self.sorted { (column(word, text)) } @else { th scope="col" class=[number(word)] { (text) } }
                @if word == "title" && self.is_of_several() { th scope="col" { "Target" } th scope="col" { "Scanner" } }
            }
            th scope="col" { "Exemption" }
        }
    }

    fn is_of_several(&self) -> bool {
        self.rows.iter().any(|row| row.of.is_some())
    }

    fn row(&self, row: &IssueRow, now: Timestamp) -> Markup {
        let IssueRow { path, issue, of } = row;
        html! {
            tr {
                td data-label="Severity" { (badge::severity(&issue.severity)) }
                th scope="row" {
                    a href=(path) hx-get=(path) hx-target="#detail" hx-select="#issue" hx-swap="innerHTML" {
                        bdi { (cut(&issue.title, TITLE_CHARS)) }
                    }
                    p class="hint" { (subtitle(issue)) }
                }
                @if let Some((target, scanner)) = of {
                    td data-label="Target" { bdi { (plain(target)) } }
                    td data-label="Scanner" { (plain(scanner)) }
                } @else if self.is_of_several() { td {} td {} }
                td class="number" data-label="Occurrences" { (occurrences(self.bucket, &issue.occurrences)) }
                td data-label="First seen" { (time::relative(&issue.first_seen.at, now)) }
                td data-label="Exemption" { (exemption::of_issue(issue)) }
            }
        }
    }
}

/// The kind, the rule, the weaknesses, the advisories and the package, in one line.
fn subtitle(issue: &IssueItem) -> Markup {
    let cwes = issue.cwes.iter().take(3).map(|cwe| format!("CWE-{cwe}"));
    let advisories = issue.advisories.iter().take(2).cloned();
    let package = issue.package.as_ref().map(|package| {
        let versions = package.versions.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
        format!("{} {versions}", package.name)
    });
    let parts = [filters::kind(&issue.kind).to_owned(), issue.rule.clone()].into_iter();
    let line = parts.chain(cwes).chain(advisories).chain(package).collect::<Vec<_>>().join(" · ");
    html! { bdi { (cut(&line, TITLE_CHARS)) } }
}

fn occurrences(bucket: &str, tally: &OccurrenceTally) -> Markup {
    let number = match bucket {
        "remediated" => tally.remediated,
        "not_seen" => tally.not_seen,
        _ => tally.total,
    };
    let new = (bucket == "common" && tally.new > 0).then_some(tally.new);
    html! { (number) @if let Some(new) = new { " " span class="badge high" { (new) " new" } } }
}
