//! The input and output of a parser.

use crate::reader::text::Filled;
use crate::value::time;
use finding::limits::{
    BLIND_SPOT_NAME_BYTES_MAX, BLIND_SPOTS_MAX, ENTRY_BYTES_MAX, FINDINGS_MAX, REJECTED_LISTED_MAX,
    SUMMARY_TEXT_BYTES_MAX,
};
use finding::{BlindSpot, Finding, Kind, Reach, Rejected, ReportSummary, Unit};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

/// The number of bytes at the beginning of a report from which its format is detected.
pub(crate) const HEAD_BYTES: usize = 256 * 1024;

/// A report that is read piece by piece. A parser may read it more than once from the beginning: the data that a result
/// needs may follow it.
pub trait Source {
    /// A reader from the first byte.
    fn open(&self) -> Box<dyn Read + '_>;
}

/// The bytes of a report: in memory, which is faster, or read piece by piece, which needs less memory.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// The whole report.
    Memory(&'a [u8]),
    /// A source that opens readers of it.
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
    /// A reader from the first byte.
    pub(crate) fn open(self) -> Box<dyn Read + 'a> {
        match self {
            Self::Memory(bytes) => Box::new(bytes),
            Self::Stream(source) => source.open(),
        }
    }

    /// The first [`HEAD_BYTES`] of the report.
    pub(crate) fn head(self) -> Result<Vec<u8>, ParseError> {
        let mut head = Vec::new();
        let most = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        self.open().take(most).read_to_end(&mut head).map_err(ParseError::Unreadable)?;
        Ok(head)
    }

    /// The whole report, for formats that cannot be read piece by piece.
    ///
    /// # Errors
    /// It has more than `most` bytes, or cannot be read.
    pub(crate) fn whole(self, most: usize) -> Result<Vec<u8>, ParseError> {
        let mut bytes = Vec::new();
        let over = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        self.open().take(over).read_to_end(&mut bytes).map_err(ParseError::Unreadable)?;
        if most < bytes.len() { Err(ParseError::TooLarge { max: most }) } else { Ok(bytes) }
    }
}

/// The answer of a sink that stops the parser. The sink itself knows the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// The receiver of findings.
pub trait Sink {
    /// Receives a finding, or stops the parser.
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop>;
}

/// The rest of a report: everything except its findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The format of the report: the id of a [`Scanner`](crate::Scanner).
    pub format: &'static str,
    /// The tool that wrote the report, as part of issue keys.
    pub tool: String,
    /// The names of the parts of a tool's results that are uploaded separately (SARIF's `automationDetails`).
    pub categories: BTreeSet<String>,
    /// The parts of the report, in formats that have parts: SARIF's runs, by tool and category.
    pub parts: BTreeSet<String>,
    /// The counts of results.
    pub summary: ReportSummary,
    /// The scanner's version, if the report has it.
    pub scanner_version: Option<String>,
    /// The time at which the scanner made the report, in milliseconds since the Unix epoch, if the report states it:
    /// the end of the scan, or else its start. Of several times, such as those of the runs in a SARIF report, it is the
    /// earliest: a report is as old as its oldest part.
    pub made_at_ms: Option<i64>,
    /// True if the report contains secrets in clear, so that the raw report must not be kept readable.
    pub holds_secrets: bool,
}

/// The error of a report that cannot be read. The uploader's fault, except `Stopped` and `Unreadable`.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// It is empty.
    #[error("the report is empty; a scanner that finds nothing still writes a report")]
    Empty,
    /// It ends too early.
    #[error("the report was cut off: it ends {place}")]
    Truncated {
        /// The place of its end: a line and column, or an element.
        place: String,
    },
    /// It violates the notation of its format.
    #[error("the report is not valid {notation}: {reason}")]
    Malformed {
        /// JSON, XML, ...
        notation: &'static str,
        /// The fault and its place.
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
        /// The difference from a report of that scanner.
        reason: String,
    },
    /// No format is detected.
    #[error("the format of the report is unknown: {reason}")]
    UnknownFormat {
        /// The visible features of the report.
        reason: String,
    },
    /// It is nested too deep.
    #[error("the report is nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A single entry of it is too large.
    #[error("an entry of the report is larger than {max} bytes, {place}")]
    EntryTooLarge {
        /// The limit.
        max: usize,
        /// The place of the entry.
        place: String,
    },
    /// It is too large for a format that is read as a whole.
    #[error("a report of this format is read as a whole and must have at most {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// It has more results than one scan may have.
    #[error("the report has more than {max} results")]
    TooManyFindings {
        /// The limit.
        max: u64,
    },
    /// The sink stopped the parser.
    #[error("reading the report was stopped")]
    Stopped,
    /// Its bytes could not be read: a fault of the store.
    #[error("the report could not be read from the store: {0}")]
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

/// Counts the results of a report and passes findings to the sink, within the limits. A parser calls exactly one of
/// `result`, `finding`, `rejected`, `passed`, `not_applicable` and `closed` for each result.
pub(crate) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    parsed: Parsed,
    /// The number of parts that are not listed in `parsed`.
    more_parts: usize,
    /// The reaches of the blind spots so far.
    blind: BTreeSet<Reach>,
    /// The bytes that further texts of the summary may take.
    text_bytes_left: usize,
    /// True if the container of the results was seen.
    container: bool,
    /// The earliest start that the report states, in milliseconds since the Unix epoch.
    started_ms: Option<i64>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, format: &'static str, tool: &'static str) -> Self {
        let parsed = Parsed { format, tool: tool.to_owned(), ..Parsed::default() };
        Self {
            sink,
            parsed,
            more_parts: 0,
            blind: BTreeSet::new(),
            text_bytes_left: SUMMARY_TEXT_BYTES_MAX,
            container: false,
            started_ms: None,
        }
    }

    /// Counts the next result: a finding, or the reason why it cannot be read. A finding with a `suppressed` mark
    /// counts as suppressed.
    pub(crate) fn result(&mut self, result: Result<Finding, String>) -> Result<(), ParseError> {
        match result {
            Ok(finding) => self.finding(finding),
            Err(reason) => self.rejected(reason),
        }
    }

    /// Counts a finding and passes it on, see [`result`](Self::result).
    pub(crate) fn finding(&mut self, finding: Finding) -> Result<(), ParseError> {
        let result = self.next_number()?;
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

    /// Counts a result that cannot be read, for this reason.
    pub(crate) fn rejected(&mut self, reason: String) -> Result<(), ParseError> {
        let result = self.next_number()?;
        self.parsed.summary.rejected += 1;
        let reason = shortened(reason);
        if self.parsed.summary.rejected_entries.len() < REJECTED_LISTED_MAX && self.has_room_for(&[&reason]) {
            self.parsed.summary.rejected_entries.push(Rejected { result, reason });
        }
        Ok(())
    }

    /// Counts a result that the report marks as passed.
    pub(crate) fn passed(&mut self) -> Result<(), ParseError> {
        self.next_number()?;
        self.parsed.summary.passed += 1;
        Ok(())
    }

    /// Counts a result that the report marks as not applicable or skipped, or that only informs about a check.
    pub(crate) fn not_applicable(&mut self) -> Result<(), ParseError> {
        self.next_number()?;
        self.parsed.summary.not_applicable += 1;
        Ok(())
    }

    /// Counts a result that the report marks as closed: it was fixed before this scan.
    pub(crate) fn closed(&mut self) -> Result<(), ParseError> {
        self.next_number()?;
        self.parsed.summary.closed += 1;
        Ok(())
    }

    /// The number of results so far.
    pub(crate) fn results(&self) -> u64 {
        self.parsed.summary.results
    }

    /// Notes that the report has the container of its results: the list or object in which a result would be. A report
    /// without results and without this is refused, so that no parser calls a report clean that it does not understand.
    pub(crate) fn container(&mut self) {
        self.container = true;
    }

    /// Checks the evidence that a report is of its parser's format and has the container of its results.
    ///
    /// # Errors
    /// `met` is false: the report is not of this format; `shape` says what such a report looks like.
    pub(crate) fn require(&mut self, met: bool, shape: &str) -> Result<(), ParseError> {
        require(met, shape)?;
        self.container();
        Ok(())
    }

    /// Adds an error that the scanner reports of its own run. It makes the scan incomplete.
    pub(crate) fn scanner_error(&mut self, text: impl Into<String>) {
        self.parsed.summary.scanner_errors_total += 1;
        let text = shortened(text.into());
        if self.parsed.summary.scanner_errors.len() < REJECTED_LISTED_MAX && self.has_room_for(&[&text]) {
            self.parsed.summary.scanner_errors.push(text);
        }
    }

    /// Adds something that the scanner could not examine. The scan stays complete. Use [`Self::scanner_error`] only
    /// where nobody can say what was not examined.
    ///
    /// `reason` is the scanner's. A reach that was added before is not added again.
    pub(crate) fn blind_spot(&mut self, reach: Reach, reason: impl Into<String>) {
        if self.blind.contains(&Reach::Everything) || self.blind.contains(&reach) {
            return;
        }
        let spot = if self.blind.len() + 1 == BLIND_SPOTS_MAX {
            let reason = format!("the report lists over {} things that were not examined", BLIND_SPOTS_MAX - 1);
            BlindSpot { reach: Reach::Everything, reason }
        } else if reach.name().is_some_and(|name| name.len() > BLIND_SPOT_NAME_BYTES_MAX) {
            let reason = format!("the name of a {} is too long: {}", reach.word(), reason.into());
            BlindSpot { reach: Reach::Everything, reason: shortened(reason) }
        } else {
            BlindSpot { reach, reason: shortened(reason.into()) }
        };
        let texts = [spot.reach.name().unwrap_or_default(), spot.reason.as_str()];
        let spot = if spot.reach == Reach::Everything || self.has_room_for(&texts) {
            spot
        } else {
            let reason = "the names of what was not examined are too long to be listed".to_owned();
            BlindSpot { reach: Reach::Everything, reason }
        };
        self.blind.insert(spot.reach.clone());
        self.parsed.summary.blind_spots.push(spot);
    }

    /// Adds a blind spot over a file, see [`Self::blind_spot`]. `path` must be the path that findings in the file have.
    /// Without one, the error has no reach.
    pub(crate) fn blind_to_file(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        match path.into().filled() {
            Some(path) => self.blind_spot(Reach::File(path), reason),
            None => self.scanner_error(reason),
        }
    }

    /// Adds a blind spot over a host, see [`Self::blind_spot`]. `host` must be the host of findings of it, or the
    /// scheme, host and port of a site. Without one, the error has no reach.
    pub(crate) fn blind_to_host(&mut self, host: Option<&str>, reason: impl Into<String>) {
        self.blind_to_file(host.unwrap_or_default().to_ascii_lowercase(), reason);
    }

    /// True if these texts have room in the summary; then they take it.
    fn has_room_for(&mut self, texts: &[&str]) -> bool {
        // The names of the fields, quotes and commas.
        const AROUND: usize = 48;
        let size = |c: char| match c {
            '"' | '\\' => 2,
            _ if c.is_control() => 6,
            _ => c.len_utf8(),
        };
        let bytes = AROUND + texts.iter().flat_map(|text| text.chars()).map(size).sum::<usize>();
        let left = self.text_bytes_left.checked_sub(bytes);
        self.text_bytes_left = left.unwrap_or(self.text_bytes_left);
        left.is_some()
    }

    /// Adds to the number of things that the scanner examined. State zero too: a report without results that examined
    /// nothing is blind to everything.
    pub(crate) fn examined(&mut self, unit: Unit, count: u64) {
        let examined = self.parsed.summary.examined.entry(unit).or_default();
        *examined = examined.saturating_add(count);
    }

    /// Sets the scanner's version.
    pub(crate) fn version(&mut self, version: impl Into<String>) {
        self.parsed.scanner_version = Some(shortened(version.into()));
    }

    /// Notes the time at which the scan ended, or the report was generated. A text that is not a time has no effect.
    pub(crate) fn ended<'t>(&mut self, text: impl Into<Option<&'t str>>) {
        time::keep_earliest(&mut self.parsed.made_at_ms, text.into());
    }

    /// Notes the time at which one part of the report was made, in milliseconds since the Unix epoch.
    pub(crate) fn part_made(&mut self, ms: Option<i64>) {
        let earliest = &mut self.parsed.made_at_ms;
        *earliest = earliest.iter().copied().chain(ms).min();
    }

    /// Notes the time at which the scan started, or saw a result. It counts if the report states no end.
    pub(crate) fn started<'t>(&mut self, text: impl Into<Option<&'t str>>) {
        time::keep_earliest(&mut self.started_ms, text.into());
    }

    /// Sets the tool that wrote the report, if it is not the tool of the format.
    pub(crate) fn tool(&mut self, tool: String) {
        self.parsed.tool = tool;
    }

    /// Adds the name of a part of the tool's results that is uploaded separately.
    pub(crate) fn category(&mut self, category: String) {
        if self.parsed.categories.len() < REJECTED_LISTED_MAX {
            self.parsed.categories.insert(shortened(category));
        }
    }

    /// Adds a part of the report. A repeated name gets a number. Parts above the limit are only counted.
    pub(crate) fn part(&mut self, part: &str) {
        let parts = &mut self.parsed.parts;
        let name = cut(part, PART_CHARS_MAX);
        if parts.len() < REJECTED_LISTED_MAX {
            let numbered = (2_u32..).map(|n| format!("{name} #{n}"));
            let unused = std::iter::once(name.clone()).chain(numbered).find(|name| !parts.contains(name));
            parts.extend(unused);
        } else {
            self.more_parts += 1;
        }
    }

    /// Sets that the report contains secrets in clear, although no finding is a secret.
    pub(crate) fn holds_secrets(&mut self) {
        self.parsed.holds_secrets = true;
    }

    /// Returns what was counted.
    ///
    /// # Errors
    /// There is neither a result, nor an error, nor the container in which results would be.
    pub(crate) fn finish(mut self) -> Result<Parsed, ParseError> {
        if 0 < self.more_parts {
            self.parsed.parts.insert(format!("{} more", self.more_parts));
        }
        self.parsed.made_at_ms = self.parsed.made_at_ms.or(self.started_ms);
        let summary = &self.parsed.summary;
        let nothing = summary.examined.iter().find(|(_, count)| **count == 0).map(|(unit, _)| unit.as_str());
        if let (0, Some(unit)) = (summary.results, nothing) {
            self.blind_spot(Reach::Everything, format!("the scanner examined 0 {unit}"));
        }
        let summary = &self.parsed.summary;
        if summary.results == 0 && summary.scanner_errors_total == 0 && !self.container {
            return Err(ParseError::other_shape("it has no list of results, not even an empty one"));
        }
        Ok(self.parsed)
    }

    fn next_number(&mut self) -> Result<u32, ParseError> {
        let summary = &mut self.parsed.summary;
        if summary.results >= FINDINGS_MAX {
            return Err(ParseError::TooManyFindings { max: FINDINGS_MAX });
        }
        let number = u32::try_from(summary.results).map_err(|_| ParseError::TooManyFindings { max: FINDINGS_MAX })?;
        summary.results += 1;
        Ok(number)
    }
}

/// A text cut to the length of an entry in a list of errors.
pub(crate) fn shortened(text: String) -> String {
    const CHARS_MAX: usize = 300;
    cut(&text, CHARS_MAX)
}

/// Longest name of a report's part, in characters.
const PART_CHARS_MAX: usize = 120;

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + finding::limits::CUT_MARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nowhere;

    impl Sink for Nowhere {
        fn finding(&mut self, _: Finding) -> ControlFlow<Stop> {
            ControlFlow::Continue(())
        }
    }

    fn summary(collect: impl FnOnce(&mut Collector<'_>)) -> ReportSummary {
        let mut sink = Nowhere;
        let mut collector = Collector::new(&mut sink, "bandit", "bandit");
        collect(&mut collector);
        collector.container();
        collector.finish().unwrap().summary
    }

    fn file(name: impl Into<String>) -> Reach {
        Reach::File(name.into())
    }

    #[test]
    fn a_reach_is_listed_once_and_too_many_become_everything() {
        let twice = summary(|collector| (0..2).for_each(|_| collector.blind_spot(file("a.py"), "syntax error")));
        assert_eq!(twice.blind_spots.len(), 1);
        let many = |count: usize| {
            summary(|collector| (0..count).for_each(|n| collector.blind_spot(file(n.to_string()), "syntax error")))
        };
        assert!(many(BLIND_SPOTS_MAX - 1).blind_spots.iter().all(|spot| spot.reach != Reach::Everything));
        for count in [BLIND_SPOTS_MAX, BLIND_SPOTS_MAX + 5] {
            let spots = many(count).blind_spots;
            assert_eq!((spots.len(), &spots[spots.len() - 1].reach), (BLIND_SPOTS_MAX, &Reach::Everything));
        }
    }

    #[test]
    fn names_that_cannot_be_listed_become_everything() {
        let named = |length: usize| {
            summary(|collector| collector.blind_spot(file("x".repeat(length)), "syntax error")).blind_spots
        };
        assert_eq!(named(BLIND_SPOT_NAME_BYTES_MAX)[0].reach.word(), "file");
        assert_eq!(named(BLIND_SPOT_NAME_BYTES_MAX + 1)[0].reach, Reach::Everything);
        for letter in ["\u{1}", "\"", "\u{1f980}", "x"] {
            let summary = summary(|collector| {
                for n in 0..900 {
                    collector.scanner_error(letter.repeat(400));
                    collector.rejected(letter.repeat(400)).unwrap();
                    let name = letter.repeat(BLIND_SPOT_NAME_BYTES_MAX / letter.len() - 4) + &n.to_string();
                    collector.blind_spot(file(name), letter.repeat(400));
                }
            });
            assert_eq!((summary.rejected, summary.scanner_errors_total), (900, 900));
            assert_eq!(summary.blind_spots.last().unwrap().reach, Reach::Everything);
            let bytes = serde_json::to_string(&summary).unwrap().len();
            assert!(bytes < SUMMARY_TEXT_BYTES_MAX + 2000, "{bytes} bytes of {letter:?}");
        }
    }

    #[test]
    fn a_report_without_results_that_examined_nothing_is_blind_to_everything() {
        let of = |results: bool, counts: &[u64]| {
            summary(|collector| {
                counts.iter().for_each(|count| collector.examined(Unit::Files, *count));
                if results {
                    collector.passed().unwrap();
                }
            })
        };
        assert_eq!(of(false, &[0]).blind_spots[0].reason, "the scanner examined 0 files");
        for (results, counts) in [(false, &[][..]), (true, &[0][..]), (false, &[0, 3][..])] {
            assert!(of(results, counts).blind_spots.is_empty(), "{results} {counts:?}");
        }
    }
}
