//! Parses a report: runs its parser, adds the code from the sidecar, and writes the findings into segments.

use crate::raw_segments::StoredPart;
use crate::sidecar::Sidecar;
use crate::sync_kv::SyncKv;
use api::problem::{Code, Problem};
use domain::ids::ScannerId;
use domain::scan::ParsedReport;
use domain::source::Revision;
use finding::Finding;
use scanners::{Expected, ParseError, Sink, Stop};
use std::ops::ControlFlow;
use store::keys;
use store::segments::{Builder, Manifest, Segment};

/// A report and its sidecar, ready to be parsed.
pub(crate) struct ReportParser<'a, S> {
    /// The store.
    pub(crate) sync: &'a S,
    /// The expected format.
    pub(crate) expected: Expected,
    /// The report.
    pub(crate) report: StoredPart<'a, S>,
    /// The sidecar, if there is one.
    pub(crate) sidecar: Option<StoredPart<'a, S>>,
}

/// The result of parsing. The findings are in the store.
pub(crate) struct ParseResult {
    /// The tool that wrote the report.
    pub(crate) tool: ScannerId,
    /// The format of the report.
    pub(crate) format: ScannerId,
    /// The categories of the report, sorted.
    pub(crate) categories: Vec<String>,
    /// The parts of the report, sorted.
    pub(crate) parts: Vec<String>,
    /// The counts, and the scanner's version.
    pub(crate) report: ParsedReport,
    /// True if the report contains secrets in clear.
    pub(crate) holds_secrets: bool,
    /// The list of the findings.
    pub(crate) findings: Manifest,
    /// The revision in the sidecar, if there is a sidecar.
    pub(crate) revision: Option<Revision>,
}

impl<S: SyncKv> ReportParser<'_, S> {
    /// Parses the report, and writes its findings to the list `list`. `written` counts the segments, also if this fails.
    ///
    /// # Errors
    /// The file is not a report of the expected format, the sidecar cannot be read, or the store failed.
    pub(crate) fn parse(self, list: String, written: &mut u32) -> Result<ParseResult, Problem> {
        let result = self.parse_parts(list, written);
        // A parser reports an error of the store as an unreadable report.
        let failure = self.report.failure().or_else(|| self.sidecar.and_then(StoredPart::failure));
        match failure {
            Some(failure) => Err(failure.into()),
            None => result,
        }
    }

    fn parse_parts(&self, list: String, written: &mut u32) -> Result<ParseResult, Problem> {
        let sidecar = self.sidecar.as_ref().map(|sidecar| Sidecar::open(sidecar.reader())).transpose()?;
        let (revision, sidecar) = sidecar.unzip();
        let (builder, failure, without_code) = (Builder::default(), None, 0);
        let mut writer = FindingWriter { sync: self.sync, list, builder, written, sidecar, without_code, failure };
        let parsed = scanners::read(self.expected, self.report.input(), &mut writer);
        if let Some(failure) = writer.failure {
            return Err(failure);
        }
        let mut parsed = parsed.map_err(|error| problem(&error))?;
        let counts = writer.sidecar.take().map(Sidecar::finish).transpose()?.unwrap_or_default();
        parsed.summary.without_code = writer.without_code;
        (parsed.summary.enriched, parsed.summary.mismatched) = (counts.enriched, counts.mismatched);
        if !parsed.summary.adds_up() {
            let (format, summary) = (parsed.format, parsed.summary);
            return Err(Problem::internal(format!("the counts of the parser of {format} do not add up: {summary:?}")));
        }
        let (last, findings) = std::mem::take(&mut writer.builder).finish();
        if let Some(segment) = last {
            writer.write(&segment)?;
        }
        let id = |text: &str| text.parse().map_err(|error| Problem::internal(format!("{error}")));
        Ok(ParseResult {
            tool: id(&parsed.tool)?,
            format: id(parsed.format)?,
            categories: parsed.categories.into_iter().collect(),
            parts: parsed.parts.into_iter().collect(),
            report: ParsedReport { summary: parsed.summary, scanner_version: parsed.scanner_version },
            holds_secrets: parsed.holds_secrets,
            findings,
            revision,
        })
    }
}

/// Writes findings into segments as the parser hands them over.
struct FindingWriter<'a, S> {
    sync: &'a S,
    list: String,
    builder: Builder,
    written: &'a mut u32,
    sidecar: Option<Sidecar<'a>>,
    /// The number of findings so far that are matched by their code and have none.
    without_code: u64,
    failure: Option<Problem>,
}

impl<S: SyncKv> FindingWriter<'_, S> {
    fn push(&mut self, mut finding: Finding) -> Result<(), Problem> {
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.add_to(&mut finding)?;
        }
        self.without_code += u64::from(finding.lacks_code());
        for segment in self.builder.push(&finding)? {
            self.write(&segment)?;
        }
        Ok(())
    }

    fn write(&mut self, segment: &Segment) -> Result<(), Problem> {
        self.sync.set(&keys::segment(&self.list, segment.n), &segment.bytes)?;
        *self.written = segment.n + 1;
        Ok(())
    }
}

impl<S: SyncKv> Sink for FindingWriter<'_, S> {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        match self.push(finding) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(Stop)
            }
        }
    }
}

/// The problem for a report that cannot be parsed.
fn problem(error: &ParseError) -> Problem {
    let code = match error {
        ParseError::Empty => Code::ReportEmpty,
        ParseError::Truncated { .. } => Code::ReportTruncated,
        ParseError::Malformed { .. } => Code::ReportMalformed,
        ParseError::WrongTool { .. } | ParseError::OtherShape { .. } => Code::WrongTool,
        ParseError::TooDeep { .. } => Code::ReportTooDeep,
        ParseError::UnknownFormat { .. } => Code::UnknownFormat,
        ParseError::TooManyFindings { .. } | ParseError::EntryTooLarge { .. } | ParseError::TooLarge { .. } => {
            Code::ReportTooLarge
        }
        ParseError::Stopped => Code::Internal,
        ParseError::Unreadable(_) => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}
