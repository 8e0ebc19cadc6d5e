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
use reader::encoding::{Decoded, Encoding};
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
    match Encoding::of(input)? {
        Some(encoding) => read_utf_8(expected, Input::Stream(&Decoded { input, encoding }), sink),
        None => read_utf_8(expected, input, sink),
    }
}

fn read_utf_8(expected: Expected, input: Input<'_>, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
    let sniff = match (Sniff::of(input), expected) {
        (Err(ParseError::Empty), Expected::Tool(scanner)) if may_be_empty(scanner) => {
            return empty_report(scanner, sink);
        }
        (sniff, _) => sniff?,
    };
    if let Expected::Tool(scanner) = expected
        && NULL_IS_CLEAN.contains(&scanner.id)
        && sniff.text().trim() == "null"
    {
        let mut collector = Collector::new(sink, scanner.id, scanner.tool);
        collector.container();
        return collector.finish();
    }
    let log = sniff.log_before_json();
    let looks_like = |name: &str, tool: &str| format!("it looks like a report of {name} (`{tool}`)");
    let wrong = |expected: &Scanner, reason| Err(ParseError::WrongTool { expected: expected.name, reason });
    let scanner = match (expected, detected(&sniff)) {
        (Expected::Any, Some(scanner)) => scanner,
        (Expected::Any, None) => {
            let reason = sniff.describe();
            // What decides may come after the beginning.
            let whole = sniff.of_whole(input)?;
            match whole.as_ref().and_then(detected) {
                Some(scanner) => scanner,
                None => {
                    return Err(ParseError::UnknownFormat { reason: whole.map_or(reason, |whole| whole.describe()) });
                }
            }
        }
        // It may be a broken report of the expected format, whose parser gives the best error message.
        (Expected::Tool(scanner), None) => in_notation_of(scanner, &sniff),
        (Expected::Tool(expected), Some(scanner)) if accepts(expected, scanner) => scanner,
        (Expected::Tool(expected), Some(scanner)) if WRITE_ALIKE.contains(&(expected.id, scanner.id)) => expected,
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
    let parsed = match (scanner.parse)(input, &mut collector).and_then(|()| collector.finish()) {
        Ok(parsed) => parsed,
        Err(ParseError::OtherShape { reason }) => return wrong(scanner, log.unwrap_or(reason)),
        Err(ParseError::Malformed { notation: "JSON", reason }) => {
            return Err(ParseError::Malformed { notation: "JSON", reason: log.unwrap_or(reason) });
        }
        Err(error) => return Err(error),
    };
    let is_accepted = |expected: &Scanner| {
        parsed.tool == expected.tool || ALSO_ACCEPTED.contains(&(expected.id, parsed.tool.as_str()))
    };
    match expected {
        Expected::Tool(expected)
            if scanner.id == sarif::SCANNER.id && expected.id != scanner.id && !is_accepted(expected) =>
        {
            wrong(expected, looks_like("SARIF", &parsed.tool))
        }
        Expected::Tool(_) | Expected::Any => Ok(parsed),
    }
}

/// The format that a report has.
fn detected(sniff: &Sniff) -> Option<&'static Scanner> {
    ALL.iter().find(|scanner| (scanner.detect)(sniff))
}

/// The format of a scanner's tool that has the notation of a report: a name stands for all notations of its tool.
fn in_notation_of(scanner: &'static Scanner, sniff: &Sniff) -> &'static Scanner {
    if sniff.may_be(scanner.notation) {
        return scanner;
    }
    let other = ALL.iter().find(|other| other.tool == scanner.tool && sniff.may_be(other.notation));
    other.unwrap_or(scanner)
}

/// Formats of tools that write `null` for an empty list. It shows no format, so the format must be named.
const NULL_IS_CLEAN: &[&str] = &["gitleaks", "nuclei", "trivy", "trufflehog"];

/// Formats that are accepted under the name of another tool, because their users expect that: the name, the format.
const ALSO_ACCEPTED: &[(&str, &str)] = &[
    // Both are alerts from GitHub; other systems give them one name.
    ("github-dependabot", "github-code-scanning"),
    // One command line tool writes both.
    ("snyk", "snyk-code"),
];

/// Tools that write the same as another: the name of the tool, the format that is detected.
const WRITE_ALIKE: &[(&str, &str)] = &[
    // `yarn npm audit` passes on the answer of npm's registry; only its line breaks tell.
    ("yarn-audit", "npm-audit"),
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
fn empty_report(scanner: &Scanner, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
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
mod field;
#[cfg(test)]
mod made_at;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod written;
