//! Runs a parser over a report and puts its findings into segments, with what the working tree shows of them.

use crate::sidecar::Sidecar;
use crate::sync_kv::SyncKv;
use api::problem::{Code, Problem};
use domain::ids::ScanId;
use finding::Finding;
use scanners::{Expected, Input, ParseError, Parsed, Sink, Stop};
use std::ops::ControlFlow;
use store::keys;
use store::scans::findings_list;
use store::segments::{Builder, Manifest, Segment};

/// A report to parse.
pub(crate) struct Report<'a> {
    pub(crate) expected: Expected,
    pub(crate) input: Input<'a>,
    pub(crate) scan: ScanId,
    pub(crate) attempt: &'a str,
}

/// Parses a report; its findings are in the store when this returns.
///
/// # Errors
/// The file is no report of this scanner, the sidecar can't be read, or the store failed. `written` then says how many
/// segments there are to remove.
pub(crate) fn parse<'a, S: SyncKv>(
    sync: &'a S,
    report: Report<'a>,
    sidecar: Option<Sidecar<'a>>,
    written: &'a mut u32,
) -> Result<(Parsed, Manifest), Problem> {
    let list = findings_list(report.scan, report.attempt);
    let (builder, failure, without_code) = (Builder::default(), None, 0);
    let mut writer = FindingWriter { sync, list, builder, written, sidecar, without_code, failure };
    let parsed = scanners::read(report.expected, report.input, &mut writer);
    if let Some(failure) = writer.failure {
        return Err(failure);
    }
    let mut parsed = parsed.map_err(|error| problem(&error))?;
    let counts = writer.sidecar.take().map(Sidecar::finish).transpose()?.unwrap_or_default();
    parsed.summary.without_code = writer.without_code;
    (parsed.summary.enriched, parsed.summary.mismatched) = (counts.enriched, counts.mismatched);
    if !parsed.summary.adds_up() {
        return Err(Problem::internal(format!("the parser of {} has lost count: {:?}", parsed.format, parsed.summary)));
    }
    let (last, manifest) = std::mem::take(&mut writer.builder).finish();
    if let Some(segment) = last {
        writer.write(&segment)?;
    }
    Ok((parsed, manifest))
}

struct FindingWriter<'a, S> {
    sync: &'a S,
    list: String,
    builder: Builder,
    written: &'a mut u32,
    sidecar: Option<Sidecar<'a>>,
    /// Findings so far that are recognised by their code and have none.
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

/// What the uploader is told of a file that is no report.
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
