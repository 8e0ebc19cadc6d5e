//! Parsers of scanners' reports: bytes in, findings out, one file per format.
//!
//! A parser never panics, never merges results and never drops one. A result that it cannot read is *rejected* with its
//! number and the reason, and stays in the counts. A file that is not a report of the named scanner is an error. "No
//! findings" needs evidence: the fields that identify the format are required, so that `{}` is not a clean report.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read fixtures"))]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::as_conversions
    )
)]

mod formats;
mod reader;
mod scanner;
mod value;

pub use formats::ALL;
pub use reader::report::{Input, ParseError, Parsed, Sink, Source, Stop};
pub use reader::sniff::Notation;
pub use scanner::Scanner;

use formats::sarif;
use reader::report::Collector;
use reader::sniff::Sniff;

/// The format with this id or alias. Upper and lower case, `_`, `-` and spaces are the same.
pub fn find(name: &str) -> Option<&'static Scanner> {
    let name = normalized(name);
    let by_id = ALL.iter().find(|scanner| normalized(scanner.id) == name);
    by_id.or_else(|| ALL.iter().find(|scanner| scanner.aliases.iter().any(|alias| normalized(alias) == name)))
}

/// A name in the form in which names are compared.
fn normalized(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', ' '], "-")
}

/// The scanner that a report should be of.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Any: the format is detected from the content.
    Any,
    /// The tool of this format, in any of its formats.
    Tool(&'static Scanner),
}

/// Reads a report and passes each finding to the sink as soon as it is read.
///
/// # Errors
/// The report is not of the expected tool, is in no known format or is damaged, or the sink or the source failed.
pub fn read(expected: Expected, input: Input<'_>, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
    let sniff = match (Sniff::of(input), expected) {
        (Err(ParseError::Empty), Expected::Tool(scanner)) if may_be_empty(scanner) => {
            return Ok(empty_report(scanner, sink));
        }
        (sniff, _) => sniff?,
    };
    let detected = ALL.iter().find(|scanner| (scanner.detect)(&sniff));
    let looks_like = |name: &str, tool: &str| format!("it looks like a report of {name} (`{tool}`)");
    let wrong = |expected: &Scanner, reason| Err(ParseError::WrongTool { expected: expected.name, reason });
    let scanner = match (expected, detected) {
        (Expected::Any, Some(scanner)) => scanner,
        (Expected::Any, None) => return Err(ParseError::UnknownFormat { reason: sniff.describe() }),
        // It may be a broken report of the expected format, whose parser gives the best error message.
        (Expected::Tool(scanner), None) => scanner,
        (Expected::Tool(expected), Some(scanner)) if accepts(expected, scanner) => scanner,
        // The tool that wrote a SARIF report is known only after reading.
        (Expected::Tool(expected), Some(sarif)) if sarif::is_sarif(&sniff) => {
            if expected.id == sarif::SCANNER.id || sarif.id == sarif::SCANNER.id {
                sarif
            } else {
                return wrong(expected, looks_like(sarif.name, sarif.id));
            }
        }
        (Expected::Tool(expected), Some(other)) => return wrong(expected, looks_like(other.name, other.id)),
    };
    let mut collector = Collector::new(sink, scanner.id, scanner.tool);
    if let Err(error) = (scanner.parse)(input, &mut collector) {
        let ParseError::OtherShape { reason } = error else { return Err(error) };
        return wrong(scanner, reason);
    }
    let parsed = collector.finish();
    match expected {
        Expected::Tool(expected)
            if scanner.id == sarif::SCANNER.id && expected.id != scanner.id && parsed.tool != expected.tool =>
        {
            wrong(expected, looks_like("SARIF", &parsed.tool))
        }
        Expected::Tool(_) | Expected::Any => Ok(parsed),
    }
}

/// Formats that are accepted under the name of another tool, because their users expect that: the name, the format.
const ALSO_ACCEPTED: &[(&str, &str)] = &[
    // Both are alerts from GitHub; other systems give them one name.
    ("github-dependabot", "github-code-scanning"),
    // One command line tool writes both.
    ("snyk", "snyk-code"),
];

/// True if a report in the format of `scanner` is accepted when the format `expected` was named.
fn accepts(expected: &Scanner, scanner: &Scanner) -> bool {
    scanner.tool == expected.tool || ALSO_ACCEPTED.contains(&(expected.id, scanner.id))
}

/// True if a tool's report may be empty: it writes a line per result, or its older versions wrote nothing.
fn may_be_empty(scanner: &Scanner) -> bool {
    scanner.notation == Notation::JsonLines || scanner.id == "osv-scanner"
}

/// The empty report of a tool that writes one line per result. The tool also writes nothing if it did not run, so the
/// scan is incomplete: an empty file must not pass the gate.
fn empty_report(scanner: &Scanner, sink: &mut dyn Sink) -> Parsed {
    let mut collector = Collector::new(sink, scanner.id, scanner.tool);
    let name = scanner.name;
    collector.scanner_error(format!(
        "the report is empty: {name} writes nothing when it finds nothing, and nothing when it fails"
    ));
    collector.finish()
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod docs;
#[cfg(any(test, feature = "exercise"))]
mod exercise;
#[cfg(any(test, feature = "exercise"))]
pub use exercise::exercise;
#[cfg(test)]
mod tests;
