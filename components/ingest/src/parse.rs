//! Runs a parser over a report and puts its findings into segments.

use crate::sync_kv::SyncKv;
use api::problem::{Code, Problem};
use domain::ids::ScanId;
use finding::Finding;
use scanners::{Expected, Input, ParseError, Parsed, Sink, Stop};
use std::ops::ControlFlow;
use store::keys;
use store::kv::KvError;
use store::scans::findings_list;
use store::segments::{Builder, Manifest, Segment};

/// Parses a report; its findings are in the store when this returns.
///
/// # Errors
/// The file is no report of this scanner, or the store failed. `written` then says how many segments there are to remove.
pub(crate) fn parse<S: SyncKv>(
    sync: &S,
    expected: Expected,
    input: Input<'_>,
    scan: ScanId,
    attempt: &str,
    written: &mut u32,
) -> Result<(Parsed, Manifest), Problem> {
    let list = findings_list(scan, attempt);
    let mut writer = FindingWriter { sync, list, builder: Builder::default(), written, failure: None };
    let parsed = scanners::read(expected, input, &mut writer);
    if let Some(failure) = writer.failure {
        return Err(failure.into());
    }
    let parsed = parsed.map_err(|error| problem(&error))?;
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
    failure: Option<KvError>,
}

impl<S: SyncKv> FindingWriter<'_, S> {
    fn push(&mut self, finding: &Finding) -> Result<(), KvError> {
        for segment in self.builder.push(finding)? {
            self.write(&segment)?;
        }
        Ok(())
    }

    fn write(&mut self, segment: &Segment) -> Result<(), KvError> {
        self.sync.set(&keys::segment(&self.list, segment.n), &segment.bytes)?;
        *self.written = segment.n + 1;
        Ok(())
    }
}

impl<S: SyncKv> Sink for FindingWriter<'_, S> {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        match self.push(&finding) {
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
        ParseError::Unrecognised { .. } => Code::UnknownFormat,
        ParseError::TooManyFindings { .. } | ParseError::EntryTooLarge { .. } | ParseError::TooLarge { .. } => {
            Code::ReportTooLarge
        }
        ParseError::Stopped => Code::Internal,
        ParseError::Unreadable(_) => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}
