//! Report formats: bytes in, findings out, one file per scanner.
//!
//! A parser never panics, never merges and never drops: an entry it cannot read is *rejected*, with its place and the
//! reason, and stays in the counts; a file that is not the named scanner's report is an error. "No findings" needs
//! evidence: a field that identifies the format is required, so that `{}` is not a clean report.
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

/// The scanner of this id or alias.
pub fn find(name: &str) -> Option<&'static Scanner> {
    let name = normal(name);
    let by_id = ALL.iter().find(|scanner| normal(scanner.id) == name);
    by_id.or_else(|| ALL.iter().find(|scanner| scanner.aliases.iter().any(|alias| normal(alias) == name)))
}

/// A name as it is compared.
fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', ' '], "-")
}

/// Which scanner a report is said to be of.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Whichever its content shows.
    Any,
    /// This one, in whichever format.
    Tool(&'static Scanner),
}

/// Reads a report and hands each finding to the sink as it is read.
///
/// # Errors
/// It is not a report of the tool that is expected, it is no report at all, or the sink or the report's source failed.
pub fn read(expected: Expected, input: Input<'_>, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
    let sniff = match (Sniff::of(input), expected) {
        (Err(ParseError::Empty), Expected::Tool(scanner)) if may_be_silent(scanner) => {
            return Ok(silent(scanner, sink));
        }
        (sniff, _) => sniff?,
    };
    let recognised = ALL.iter().find(|scanner| (scanner.detect)(&sniff));
    let looks_like = |name: &str, tool: &str| format!("it looks like one of {name} (`{tool}`)");
    let wrong = |expected: &Scanner, reason| Err(ParseError::WrongTool { expected: expected.name, reason });
    let scanner = match (expected, recognised) {
        (Expected::Any, Some(scanner)) => scanner,
        (Expected::Any, None) => return Err(ParseError::Unrecognised { reason: sniff.describe() }),
        // What no format recognises may still be the expected one's, broken: its own parser tells best what is wrong.
        (Expected::Tool(scanner), None) => scanner,
        (Expected::Tool(expected), Some(scanner)) if accepts(expected, scanner) => scanner,
        // Which tool wrote SARIF is known once it is read.
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

/// Formats that are taken under another tool's name, because it is a matter of course to those who use them.
const ALSO_TAKEN: &[(&str, &str)] = &[
    // Both are alerts that GitHub exports; other systems file them under one name.
    ("github-dependabot", "github-code-scanning"),
    // One command line tool writes both.
    ("snyk", "snyk-code"),
];

fn accepts(expected: &Scanner, scanner: &Scanner) -> bool {
    scanner.tool == expected.tool || ALSO_TAKEN.contains(&(expected.id, scanner.id))
}

/// Whether a tool's report may be empty: it writes a line for each result, or older versions of it wrote nothing.
fn may_be_silent(scanner: &Scanner) -> bool {
    scanner.notation == Notation::JsonLines || scanner.id == "osv-scanner"
}

/// The report of a tool that writes a line for each result, and so nothing where there is none. It writes nothing either
/// when it did not run, so the scan counts as incomplete: an empty file must not make a verdict a pass.
fn silent(scanner: &Scanner, sink: &mut dyn Sink) -> Parsed {
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
