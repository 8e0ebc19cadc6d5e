//! What goes into a parser and what comes out of it.

use finding::limits::{ENTRY_BYTES_MAX, FINDINGS_MAX, REJECTED_LISTED_MAX};
use finding::{Finding, Kind, Rejected, ReportSummary};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

/// How much of a report is looked at to recognise its format, in bytes.
pub(crate) const HEAD_BYTES: usize = 256 * 1024;

/// A report that is read piece by piece. A parser may read it from the beginning more than once: what explains a result
/// may stand behind it.
pub trait Source {
    /// A reader from the first byte on.
    fn open(&self) -> Box<dyn Read + '_>;
}

/// A report's bytes: in memory, which is fast, or read piece by piece, which needs no memory.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// The whole report.
    Memory(&'a [u8]),
    /// What opens readers over it.
    Stream(&'a dyn Source),
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl<'a> Input<'a> {
    /// A reader from the first byte on.
    pub(crate) fn open(self) -> Box<dyn Read + 'a> {
        match self {
            Self::Memory(bytes) => Box::new(bytes),
            Self::Stream(source) => source.open(),
        }
    }

    /// The beginning of the report.
    pub(crate) fn head(self) -> Result<Vec<u8>, ParseError> {
        let mut head = Vec::new();
        let most = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        self.open().take(most).read_to_end(&mut head).map_err(ParseError::Unreadable)?;
        Ok(head)
    }

    /// The whole report, for formats that can only be read as a whole; at most `most` bytes of it.
    pub(crate) fn whole(self, most: usize) -> Result<Vec<u8>, ParseError> {
        let mut bytes = Vec::new();
        let over = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        self.open().take(over).read_to_end(&mut bytes).map_err(ParseError::Unreadable)?;
        if most < bytes.len() { Err(ParseError::TooLarge { max: most }) } else { Ok(bytes) }
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
    /// The format that it was read as: the id of a [`Scanner`](crate::Scanner).
    pub format: &'static str,
    /// The tool that wrote it: what issues are keyed by.
    pub tool: String,
    /// What tells apart the parts of a tool's results that are uploaded one by one (SARIF's `automationDetails`).
    pub categories: BTreeSet<String>,
    /// The parts that the report consists of, for formats that have any: SARIF's runs, by tool and category.
    pub parts: BTreeSet<String>,
    /// The counts.
    pub summary: ReportSummary,
    /// The scanner's version, where the report tells it.
    pub scanner_version: Option<String>,
    /// Whether the report holds secrets in clear, so that it must not be kept as it is.
    pub holds_secrets: bool,
}

/// Why a file is not a report. The uploader's fault, but for `Stopped` and `Unreadable`.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// There is nothing in it.
    #[error("there is nothing in it; a scanner that finds nothing still writes a report")]
    Empty,
    /// It ends too early.
    #[error("the report ends in the middle, {place}: it was cut off")]
    Truncated {
        /// Where it ends: a line and column, or an element.
        place: String,
    },
    /// It is not written in the format's notation.
    #[error("the report is not valid {notation}: {reason}")]
    Malformed {
        /// JSON, XML, ...
        notation: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// It is well-formed, but the format's parser finds another shape than such a report has. [`read`](crate::read)
    /// returns it as `WrongTool`.
    #[error("{reason}")]
    OtherShape {
        /// The shape that was expected, or the part that differs.
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
    /// No format that is known looks like this.
    #[error("no known scanner writes reports like this: {reason}")]
    Unrecognised {
        /// What it looks like.
        reason: String,
    },
    /// It is nested deeper than any report is.
    #[error("the report is nested deeper than {max} levels")]
    TooDeep {
        /// The most allowed.
        max: usize,
    },
    /// A single entry of it is larger than any entry is.
    #[error("one entry of the report is larger than {max} bytes, {place}")]
    EntryTooLarge {
        /// The most allowed.
        max: usize,
        /// Where.
        place: String,
    },
    /// It is of a format that is read as a whole, and too large for that.
    #[error("a report of this format is read as a whole and may have {max} bytes at most")]
    TooLarge {
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

impl ParseError {
    /// An `OtherShape`: `reason` says what a report of the format looks like.
    pub(crate) fn other_shape(reason: impl Into<String>) -> Self {
        Self::OtherShape { reason: reason.into() }
    }

    pub(crate) fn entry_too_large(place: impl Into<String>) -> Self {
        Self::EntryTooLarge { max: ENTRY_BYTES_MAX, place: place.into() }
    }
}

/// Checks the evidence that a report is of its parser's format.
///
/// # Errors
/// `met` is false: the report is not of this format; `shape` says what such a report looks like.
pub(crate) fn require(met: bool, shape: &str) -> Result<(), ParseError> {
    if met { Ok(()) } else { Err(ParseError::other_shape(shape)) }
}

/// Counts what a parser meets and passes findings on, within the limits. Every result of the report goes through exactly
/// one of its methods.
pub(crate) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    parsed: Parsed,
    /// How many parts there are beyond those that are listed.
    more_parts: usize,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, format: &'static str, tool: &'static str) -> Self {
        let parsed = Parsed { format, tool: tool.to_owned(), ..Parsed::default() };
        Self { sink, parsed, more_parts: 0 }
    }

    /// Takes the next result of the report: a finding, or the reason why it cannot be read. A finding with a
    /// `suppressed` mark is counted as suppressed.
    pub(crate) fn result(&mut self, result: Result<Finding, String>) -> Result<(), ParseError> {
        match result {
            Ok(finding) => self.finding(finding),
            Err(reason) => self.rejected(reason),
        }
    }

    /// Takes a finding, see [`result`](Self::result).
    pub(crate) fn finding(&mut self, finding: Finding) -> Result<(), ParseError> {
        let result = self.next_place()?;
        let finding = Finding { result, ..finding }.bounded();
        let summary = &mut self.parsed.summary;
        match finding.suppressed {
            None => summary.findings += 1,
            Some(_) => summary.suppressed += 1,
        }
        summary.cut_fields += u64::from(finding.cut_fields);
        self.parsed.holds_secrets |= finding.kind == Kind::Secret || finding.secret.is_some();
        match self.sink.finding(finding) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(Stop) => Err(ParseError::Stopped),
        }
    }

    /// Takes a result that cannot be read, and why.
    pub(crate) fn rejected(&mut self, reason: String) -> Result<(), ParseError> {
        let result = self.next_place()?;
        let summary = &mut self.parsed.summary;
        summary.rejected += 1;
        if summary.rejected_entries.len() < REJECTED_LISTED_MAX {
            summary.rejected_entries.push(Rejected { result, reason: shortened(reason) });
        }
        Ok(())
    }

    /// Takes a result that the report itself calls passed.
    pub(crate) fn passed(&mut self) -> Result<(), ParseError> {
        self.next_place()?;
        self.parsed.summary.passed += 1;
        Ok(())
    }

    /// Takes a result that the report itself calls not applicable, skipped by the tool or only informative about a check.
    pub(crate) fn not_applicable(&mut self) -> Result<(), ParseError> {
        self.next_place()?;
        self.parsed.summary.not_applicable += 1;
        Ok(())
    }

    /// Takes a result that the report itself calls closed: fixed before this scan.
    pub(crate) fn closed(&mut self) -> Result<(), ParseError> {
        self.next_place()?;
        self.parsed.summary.closed += 1;
        Ok(())
    }

    /// How many results there were so far.
    pub(crate) fn results(&self) -> u64 {
        self.parsed.summary.results
    }

    /// Notes what the scanner itself says went wrong: it makes the scan incomplete.
    pub(crate) fn scanner_error(&mut self, text: impl Into<String>) {
        self.parsed.summary.scanner_errors_total += 1;
        if self.parsed.summary.scanner_errors.len() < REJECTED_LISTED_MAX {
            self.parsed.summary.scanner_errors.push(shortened(text.into()));
        }
    }

    /// Notes the scanner's version.
    pub(crate) fn version(&mut self, version: impl Into<String>) {
        self.parsed.scanner_version = Some(shortened(version.into()));
    }

    /// Notes which tool wrote the report, where that is not the format's own.
    pub(crate) fn tool(&mut self, tool: String) {
        self.parsed.tool = tool;
    }

    /// Notes a part of the tool's results that is uploaded on its own.
    pub(crate) fn category(&mut self, category: String) {
        if self.parsed.categories.len() < REJECTED_LISTED_MAX {
            self.parsed.categories.insert(shortened(category));
        }
    }

    /// Notes a part that the report consists of; one that is there again gets a number. Of very many parts the number alone
    /// is kept of those beyond the first.
    pub(crate) fn part(&mut self, part: &str) {
        let parts = &mut self.parsed.parts;
        let name = cut(part, PART_CHARS_MAX);
        if parts.len() < REJECTED_LISTED_MAX {
            let again = (2_u32..).map(|n| format!("{name} #{n}"));
            let free = std::iter::once(name.clone()).chain(again).find(|name| !parts.contains(name));
            parts.extend(free);
        } else {
            self.more_parts += 1;
        }
    }

    /// Notes that the report holds secrets in clear, though no finding of it is one.
    pub(crate) fn holds_secrets(&mut self) {
        self.parsed.holds_secrets = true;
    }

    pub(crate) fn finish(mut self) -> Parsed {
        if 0 < self.more_parts {
            self.parsed.parts.insert(format!("{} more", self.more_parts));
        }
        self.parsed
    }

    fn next_place(&mut self) -> Result<u32, ParseError> {
        let summary = &mut self.parsed.summary;
        if summary.results >= FINDINGS_MAX {
            return Err(ParseError::TooManyFindings { max: FINDINGS_MAX });
        }
        let place = u32::try_from(summary.results).map_err(|_| ParseError::TooManyFindings { max: FINDINGS_MAX })?;
        summary.results += 1;
        Ok(place)
    }
}

/// A line for a list of problems: what is wrong shows at its beginning.
pub(crate) fn shortened(text: String) -> String {
    const CHARS_MAX: usize = 300;
    cut(&text, CHARS_MAX)
}

/// The longest name of a report's part, in characters.
const PART_CHARS_MAX: usize = 120;

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + finding::limits::CUT_MARK,
    }
}
