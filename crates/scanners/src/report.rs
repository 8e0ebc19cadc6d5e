//! What goes into a parser and what comes out of it.

use finding::limits::{FINDINGS_MAX, REJECTED_LISTED_MAX};
use finding::{Finding, Rejected, ReportSummary};
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

/// A report's bytes: in memory, which is fast, or read piece by piece, which needs no memory.
pub enum Input<'a> {
    /// The whole report.
    Memory(&'a [u8]),
    /// A reader over it.
    Stream(&'a mut dyn Read),
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// Whoever takes the findings asks the parser to stop; it keeps the reason itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Takes findings one by one.
pub trait Sink {
    /// Takes a finding, or stops the parser.
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop>;
}

/// What a report said besides its findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The counts.
    pub summary: ReportSummary,
    /// The scanner's version, where the report tells it.
    pub scanner_version: Option<String>,
}

/// Why a file is not a report. The uploader's fault, but for `Stopped` and `Unreadable`.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// There is nothing in it.
    #[error("there is nothing in it; a scanner that finds nothing still writes a report")]
    Empty,
    /// It ends too early.
    #[error("the report ends in the middle, at line {line}, column {column}: it was cut off")]
    Truncated {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// It is not written in the format's notation.
    #[error("the report is not valid {notation}: {reason}")]
    Malformed {
        /// JSON, XML, ...
        notation: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// It is well-formed but not a report of this scanner.
    #[error("this is not a report of {expected}: {reason}")]
    WrongTool {
        /// The scanner that was named.
        expected: &'static str,
        /// What is missing, and what is there instead.
        reason: String,
    },
    /// It is nested deeper than any report is.
    #[error("the report is nested deeper than {max} levels")]
    TooDeep {
        /// The most allowed.
        max: usize,
    },
    /// It holds more results than fit into one scan.
    #[error("the report has more than {max} results")]
    TooManyFindings {
        /// The most allowed.
        max: u64,
    },
    /// The sink asked to stop.
    #[error("reading the report was stopped")]
    Stopped,
    /// Its bytes could not be read; the store's fault.
    #[error("the report could not be read back: {0}")]
    Unreadable(#[source] std::io::Error),
}

/// Counts what a parser meets and passes findings on, within the limits.
pub(crate) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    parsed: Parsed,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Self {
        Self { sink, parsed: Parsed::default() }
    }

    /// Takes the next result of the report: a finding, or the reason why it is none. `make` gets the result's place.
    pub(crate) fn result(&mut self, make: impl FnOnce(u32) -> Result<Finding, String>) -> Result<(), ParseError> {
        let summary = &mut self.parsed.summary;
        if summary.results >= FINDINGS_MAX {
            return Err(ParseError::TooManyFindings { max: FINDINGS_MAX });
        }
        let place = u32::try_from(summary.results).map_err(|_| ParseError::TooManyFindings { max: FINDINGS_MAX })?;
        summary.results += 1;
        match make(place) {
            Ok(finding) => {
                let finding = finding.bounded();
                summary.findings += 1;
                summary.cut_fields += u64::from(finding.cut_fields);
                match self.sink.finding(finding) {
                    ControlFlow::Continue(()) => Ok(()),
                    ControlFlow::Break(Stop) => Err(ParseError::Stopped),
                }
            }
            Err(reason) => {
                summary.rejected += 1;
                if summary.rejected_entries.len() < REJECTED_LISTED_MAX {
                    summary.rejected_entries.push(Rejected { result: place, reason: shortened(reason) });
                }
                Ok(())
            }
        }
    }

    /// Notes what the scanner itself says went wrong.
    pub(crate) fn scanner_error(&mut self, text: String) {
        self.parsed.summary.scanner_errors_total += 1;
        if self.parsed.summary.scanner_errors.len() < REJECTED_LISTED_MAX {
            self.parsed.summary.scanner_errors.push(shortened(text));
        }
    }

    pub(crate) fn finish(self, scanner_version: Option<String>) -> Parsed {
        Parsed { scanner_version, ..self.parsed }
    }
}

/// A line for a list of problems: what is wrong shows at its beginning.
fn shortened(text: String) -> String {
    const CHARS_MAX: usize = 300;
    match text.char_indices().nth(CHARS_MAX) {
        None => text,
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + finding::limits::CUT_MARK,
    }
}
