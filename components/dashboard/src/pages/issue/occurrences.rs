//! Where an issue occurs: file and line, the code there, how the place stands and how it was recognised.

use super::Named;
use crate::form::Form;
use crate::pages::scan::lists;
use crate::view::text::{cut, plain, web_address};
use crate::view::{list, time};
use api::v1::{IssueItem, OccurrenceItem, ScanAnswer};
use domain::comparison::Bucket;
use domain::exemption::Coverage;
use domain::time::Timestamp;
use maud::{Markup, html};

// A page is to stay light whatever a report holds; the API has the rest.
/// Lines of code that are shown.
const LINES_MAX: usize = 9;
/// Characters of such a line.
const LINE_CHARS_MAX: usize = 160;
/// Characters of a message.
const MESSAGE_CHARS_MAX: usize = 300;
/// Characters of a place.
const PLACE_CHARS_MAX: usize = 300;
/// Characters of another field.
const FIELD_CHARS_MAX: usize = 160;
/// Fields that are shown.
const FIELDS_MAX: usize = 12;

/// A page of an issue's occurrences.
pub(super) struct List<'a> {
    pub(super) named: Named<'a>,
    pub(super) scan: &'a ScanAnswer,
    pub(super) issue: &'a IssueItem,
    pub(super) items: &'a [OccurrenceItem],
    /// The next page.
    pub(super) next: Option<String>,
    /// The cursor of this one; empty for the first.
    pub(super) at: &'a str,
    /// Whether these are those that are gone.
    pub(super) gone: bool,
    /// What was sent, where it was refused: what was ticked stays so.
    pub(super) sent: Option<&'a Form>,
}

impl List<'_> {
    /// The list; `chosen`: with boxes to choose some for an exemption.
    pub(super) fn shown(&self, now: Timestamp, chosen: bool) -> Markup {
        let first = (!self.at.is_empty()).then(|| self.named.path());
        let tally = self.issue.occurrences;
        let number = if self.gone { tally.remediated } else { tally.total };
        html! {
            section class="stack tight" aria-labelledby="occurrences-heading" {
                h3 id="occurrences-heading" {
                    @if self.gone { "Where it was" } @else { "Occurrences" }
                    " " span class="soft" { "(" (number) ")" }
                }
                @if !self.gone && tally.remediated > 0 {
                    p { a href={ (self.named.path()) "?bucket=remediated" } { (tally.remediated) " that are gone" } }
                }
                @if self.gone { p { a href=(self.named.path()) { "Those that are there" } } }
                @for item in self.items { (self.occurrence(item, now, chosen)) }
                (list::pager("occurrences", first.as_deref(), self.next.as_deref()))
            }
        }
    }

    fn occurrence(&self, item: &OccurrenceItem, now: Timestamp, chosen: bool) -> Markup {
        let id = format!("o-{}", item.id);
        html! {
            div class="card stack tight occurrence" {
                div class="row middle" {
                    @if chosen {
                        input type="checkbox" id=(id) name="occurrence" value=(item.id) form="request" checked[self.is_ticked(item)];
                        label for=(id) class="break" { (place(item)) }
                    } @else {
                        strong class="break" { (place(item)) }
                    }
                    (state(item))
                }
                @if !item.message.is_empty() && item.message != self.issue.message {
                    p class="break" { (cut(&item.message, MESSAGE_CHARS_MAX)) }
                }
                (code(item))
                p class="hint" {
                    (self.recognised(item))
                    " First seen " (time::relative(&item.first_seen.at, now)) "."
                }
                (details(item))
            }
        }
    }

    fn is_ticked(&self, item: &OccurrenceItem) -> bool {
        let id = item.id.to_string();
        self.sent.is_some_and(|form| form.all("occurrence").any(|ticked| ticked == id))
    }

    fn recognised(&self, item: &OccurrenceItem) -> Markup {
        let why = format!("{}/occurrences/{}", self.named.path(), item.id);
        html! {
            @match (&item.matched, self.gone) {
                (_, true) => "It is not in this scan any more.",
                (Some(matched), false) => {
                    "Recognised: " (plain(&matched.because)) "."
                },
                (None, false) if self.scan.comparison.scan.is_none() => "There was nothing to compare it with.",
                (None, false) => "Not found in the scan compared with.",
            }
            @if !self.gone { " " a href=(why) { "Why" span class="unseen" { " occurrence " (place(item)) } } "." }
        }
    }
}

/// Where it is: the file and line, or the address, or the resource, or the package.
pub(super) fn place(item: &OccurrenceItem) -> Markup {
    let endpoint = item.endpoint.as_ref().and_then(|endpoint| endpoint.url.as_ref().or(endpoint.host.as_ref()));
    html! {
        @if let Some(path) = &item.path {
            bdi { (cut(path, PLACE_CHARS_MAX)) } @if let Some(line) = item.line { ":" (line) }
        } @else if let Some(at) = endpoint { bdi { (cut(at, PLACE_CHARS_MAX)) } }
        @else if let Some(resource) = &item.resource { bdi { (cut(resource, PLACE_CHARS_MAX)) } }
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
            Bucket::Common => span class="badge" { "Known" },
            Bucket::Remediated => span class="badge pass" { "Gone" },
        }
        @if item.exemption.is_some() { (lists::coverage(Coverage::Exempted)) }
        @match (item.exemption.is_some(), item.exemption_now.is_some()) {
            (false, true) => span class="hint" { "exempted from the next scan on" },
            (true, false) => span class="hint" { "exempted no more" },
            (true, true) | (false, false) => {},
        }
    }
}

/// The code there, with the lines that the result names marked.
fn code(item: &OccurrenceItem) -> Markup {
    let Some(code) = &item.code else { return html! {} };
    let marked = item.line.map(|line| line..=item.end_line.unwrap_or(line).max(line));
    let lines = (code.first_line..).zip(&code.lines).take(LINES_MAX);
    let more = code.lines.len().saturating_sub(LINES_MAX);
    // A group and no region: ten landmarks on a page lead nobody anywhere.
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

/// What else the report says of it, folded.
fn details(item: &OccurrenceItem) -> Markup {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut add = |name, value: Option<&String>| rows.extend(value.map(|value| (name, value.clone())));
    add("Confidence", item.confidence.as_ref());
    add("Resource", item.resource.as_ref());
    add("Suppressed", item.suppressed.as_ref());
    add("The tool's id", item.tool_id.as_ref());
    if let Some(endpoint) = &item.endpoint {
        add("Method", endpoint.method.as_ref());
        add("Parameter", endpoint.parameter.as_ref());
    }
    rows.extend(item.secret.as_ref().map(|secret| ("Secret", format!("{} (masked)", secret.masked))));
    rows.extend(item.other_places.iter().take(FIELDS_MAX).map(|place| {
        let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
        ("Also", format!("{}{line}", place.path))
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
                @if more > 0 { p class="hint" { (more) " more fields are in the API." } }
                @if item.cut_fields > 0 { p class="hint" { "Some fields were longer than is kept." } }
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
