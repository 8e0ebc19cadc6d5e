//! The occurrences of an issue: file and line, code, bucket, and how each was matched.

use crate::address::IssueIds;
use crate::form::Form;
use crate::view::text::{cut, plain, web_address};
use crate::view::{exemption, list, time};
use api::v1::{IssueItem, OccurrenceItem, ScanAnswer};
use domain::comparison::Bucket;
use domain::exemption::Coverage;
use domain::time::Timestamp;
use maud::{Markup, html};

// The limits keep pages small; the API has the rest.
/// The most lines of code.
const LINES_MAX: usize = 9;
/// The longest line of code, in characters.
const LINE_CHARS_MAX: usize = 160;
/// The longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 300;
/// The longest location, in characters.
const LOCATION_CHARS_MAX: usize = 300;
/// The longest other field, in characters.
const FIELD_CHARS_MAX: usize = 160;
/// The most fields.
const FIELDS_MAX: usize = 12;

/// A page of an issue's occurrences.
pub(super) struct OccurrenceList<'a> {
    pub(super) ids: IssueIds<'a>,
    pub(super) scan: &'a ScanAnswer,
    pub(super) issue: &'a IssueItem,
    pub(super) items: &'a [OccurrenceItem],
    /// The address of the next page.
    pub(super) next: Option<String>,
    /// The cursor of this page; empty for the first.
    pub(super) cursor: &'a str,
    /// The bucket of the items, if the scan does not have them.
    pub(super) absent: Option<Bucket>,
    /// The form of a refused request; its occurrences stay selected.
    pub(super) refused_form: Option<&'a Form>,
}

impl OccurrenceList<'_> {
    /// The list. `selectable`: with checkboxes for the form to request an exemption.
    pub(super) fn section(&self, now: Timestamp, selectable: bool) -> Markup {
        let first = (!self.cursor.is_empty()).then(|| self.ids.path());
        let tally = self.issue.occurrences;
        let (title, number) = match self.absent {
            Some(Bucket::Remediated) => ("Remediated occurrences", tally.remediated),
            Some(Bucket::NotSeen) => ("Occurrences that were not seen", tally.not_seen),
            Some(Bucket::New | Bucket::Common) | None => ("Occurrences", tally.total),
        };
        let others = [
            (Bucket::Remediated, tally.remediated, "remediated occurrence", ""),
            (Bucket::NotSeen, tally.not_seen, "occurrence", " that the scan did not see"),
        ];
        html! {
            section class="stack tight" aria-labelledby="occurrences-heading" {
                h3 id="occurrences-heading" { (title) " " span class="soft" { "(" (number) ")" } }
                @for (bucket, count, name, more) in others {
                    @if self.absent.is_none() && count > 0 {
                        p { a href={ (self.ids.path()) "?bucket=" (bucket) } { (list::count(count.into(), name)) (more) } }
                    }
                }
                @if self.absent.is_some() && tally.total > 0 { p { a href=(self.ids.path()) { "Current occurrences" } } }
                @for item in self.items { (self.occurrence(item, now, selectable)) }
                (list::pager("occurrences", first.as_deref(), self.next.as_deref()))
            }
        }
    }

    fn occurrence(&self, item: &OccurrenceItem, now: Timestamp, selectable: bool) -> Markup {
        let id = format!("o-{}", item.id);
        html! {
            div class="card stack tight occurrence" {
                div class="row middle" {
                    @if selectable {
                        input type="checkbox" id=(id) name="occurrence" value=(item.id) form="request" data-chooses="scope-occurrences"
                            checked[self.is_selected(item)];
                        label for=(id) class="break" { (location(item)) }
                    } @else {
                        strong class="break" { (location(item)) }
                    }
                    (state(item))
                }
                @if !item.message.is_empty() && item.message != self.issue.message {
                    p class="break" { (cut(&item.message, MESSAGE_CHARS_MAX)) }
                }
                (code(item))
                p class="hint" {
                    (self.explanation(item))
                    " First seen " (time::relative(&item.first_seen.at, now)) "."
                }
                (details(item))
            }
        }
    }

    fn is_selected(&self, item: &OccurrenceItem) -> bool {
        let id = item.id.to_string();
        self.refused_form.is_some_and(|form| form.all("occurrence").any(|selected| selected == id))
    }

    fn explanation(&self, item: &OccurrenceItem) -> Markup {
        let why = format!("{}/occurrences/{}", self.ids.path(), item.id);
        html! {
            @match (&item.matched, self.absent) {
                (_, Some(Bucket::NotSeen)) => "In an earlier scan; the scanner could not examine this place now.",
                (_, Some(_)) => "No longer in this scan.",
                (Some(matched), None) => {
                    "Matched: " (plain(&matched.because)) "."
                },
                (None, None) if self.scan.comparison.scan.is_none() => "The scan has no reference scan.",
                (None, None) => "Not found in the reference scan.",
            }
            @if self.absent != Some(Bucket::Remediated) { " " a href=(why) { "Explain" span class="unseen" { " occurrence " (location(item)) } } "." }
        }
    }
}

/// The file and line; otherwise the address, the resource, the package, or the number of the result.
pub(crate) fn location(item: &OccurrenceItem) -> Markup {
    let endpoint = item.endpoint.as_ref().and_then(|endpoint| endpoint.url.as_ref().or(endpoint.host.as_ref()));
    html! {
        @if let Some(path) = &item.path {
            bdi { (cut(path, LOCATION_CHARS_MAX)) } @if let Some(line) = item.line { ":" (line) }
        } @else if let Some(at) = endpoint { bdi { (cut(at, LOCATION_CHARS_MAX)) } }
        @else if let Some(resource) = &item.resource { bdi { (cut(resource, LOCATION_CHARS_MAX)) } }
        @else if let Some(package) = &item.package {
            bdi { (plain(&package.name)) } @if let Some(version) = &package.version { " " (plain(version)) }
        } @else { "Result " (item.result) " of the report" }
    }
}

fn state(item: &OccurrenceItem) -> Markup {
    html! {
        @match item.bucket {
            Bucket::New => span class="badge high" { "New" },
            Bucket::Common if item.updated => span class="badge medium" { "Edited" },
            Bucket::Common => span class="badge" { "Common" },
            Bucket::Remediated => span class="badge pass" { "Remediated" },
            Bucket::NotSeen => span class="badge medium" { "Not seen" },
        }
        @if item.exemption.is_some() { (exemption::coverage(Coverage::Exempted)) }
        @match (item.exemption.is_some(), item.exemption_now.is_some()) {
            (false, true) => span class="hint" { "exempted from the next scan" },
            (true, false) => span class="hint" { "no longer exempted" },
            (true, true) | (false, false) => {},
        }
    }
}

/// The code, with the lines of the result highlighted.
pub(crate) fn code(item: &OccurrenceItem) -> Markup {
    let Some(code) = &item.code else { return html! {} };
    let marked = item.line.map(|line| line..=item.end_line.unwrap_or(line).max(line));
    let lines = (code.first_line..).zip(&code.lines).take(LINES_MAX);
    let more = code.lines.len().saturating_sub(LINES_MAX);
    // A group instead of a region: ten more landmarks would not help users of screen readers.
    html! {
        pre class="code" tabindex="0" role="group" aria-label="Code" {
            @for (number, line) in lines {
                @let is_marked = marked.as_ref().is_some_and(|marked| marked.contains(&number));
                span class={ "line" @if is_marked { " marked" } } {
                    span class="at" aria-hidden="true" { (number) }
                    @if is_marked { mark { (cut(line, LINE_CHARS_MAX)) } } @else { (cut(line, LINE_CHARS_MAX)) }
                }
            }
            @if more > 0 { span class="line soft" { (more) " more lines" } }
        }
    }
}

/// The other fields of the result, folded.
fn details(item: &OccurrenceItem) -> Markup {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut add = |name, value: Option<&String>| rows.extend(value.map(|value| (name, value.clone())));
    add("Confidence", item.confidence.as_ref());
    add("Resource", item.resource.as_ref());
    add("Suppressed", item.suppressed.as_ref());
    add("ID in the scanner", item.tool_id.as_ref());
    if let Some(endpoint) = &item.endpoint {
        add("Method", endpoint.method.as_ref());
        add("Parameter", endpoint.parameter.as_ref());
    }
    rows.extend(item.secret.as_ref().map(|secret| ("Secret", format!("{} (masked)", secret.masked))));
    rows.extend(item.other_places.iter().take(FIELDS_MAX).map(|place| {
        let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
        ("Other location", format!("{}{line}", place.path))
    }));
    let raw = item.raw.iter().take(FIELDS_MAX);
    let more = item.raw.len().saturating_sub(FIELDS_MAX);
    html! {
        @if !rows.is_empty() || !item.raw.is_empty() {
            details {
                summary { "All fields" }
                dl class="facts" {
                    @for (name, value) in &rows { dt { (name) } dd { (field(value)) } }
                    @for (name, value) in raw { dt { code { (cut(name, 100)) } } dd { (field(value)) } }
                }
                @if more > 0 { p class="hint" { "The API has " (more) " more fields." } }
                @if item.cut_fields > 0 { p class="hint" { "Some fields were too long and were shortened." } }
            }
        }
    }
}

fn field(value: &str) -> Markup {
    html! {
        @match web_address(value) {
            Some(address) => a href=(address) rel="noopener noreferrer nofollow" { (cut(address, FIELD_CHARS_MAX)) },
            None => span class="break" { (cut(value, FIELD_CHARS_MAX)) },
        }
    }
}
