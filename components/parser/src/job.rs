//! Parses a report: runs its parser, adds the code from the sidecar, and writes the findings into segments.

use crate::raw_part::StoredPart;
use crate::sidecar::Sidecar;
use api::internal::{AUTO, ParseRequest, ParseResult};
use api::problem::{Code, Problem};
use domain::grouping::Footprint;
use domain::ids::ScannerId;
use domain::scan::ParsedReport;
use domain::time::Timestamp;
use finding::Finding;
use scanners::{Expected, ParseError, Sink, Stop};
use std::io::Read;
use std::ops::ControlFlow;
use store::keys;
use store::kv::BlockingKv;
use store::raw::RawPart;
use store::segments::{Builder, Segment};

/// The end of the message about a report that is too large.
const SPLIT: &str = "more cannot be compared. Split the report, for example by folder, and upload each part as a target, \
                     or with a SARIF category, of its own";

/// Parses a report, and writes its findings.
///
/// # Errors
/// The file is not a report of the expected format, the sidecar cannot be read, or the store failed. Segments of the
/// findings may be left.
pub fn parse<K: BlockingKv>(kv: &K, request: ParseRequest) -> Result<ParseResult, Problem> {
    let ParseRequest { raw, report, sidecar, scanner, findings } = request;
    let expected = expected(&scanner)?;
    let report = StoredPart::new(kv, &raw, RawPart::Report, report);
    let sidecar = sidecar.map(|count| StoredPart::new(kv, &raw, RawPart::Sidecar, count));
    let in_memory = report.in_memory()?;
    let input = report.input(in_memory.as_deref());
    let reader = sidecar.as_ref().map(|sidecar| scanners::Source::open(sidecar));
    let result = parse_parts(kv, expected, input, reader, findings);
    // A parser reports an error of the store as an unreadable report.
    match report.failure().or_else(|| sidecar.and_then(StoredPart::failure)) {
        Some(failure) => Err(failure.into()),
        None => result,
    }
}

/// The expected format. `ingest` has checked the name.
fn expected(scanner: &ScannerId) -> Result<Expected, Problem> {
    let name = scanner.as_str();
    if name == AUTO {
        return Ok(Expected::Any);
    }
    let unknown = || {
        Problem::new(Code::UnknownScanner, format!("`{name}` is not a format; run `gatehouse scanners` for the list"))
    };
    scanners::find(name).map(Expected::Tool).ok_or_else(unknown)
}

fn parse_parts<K: BlockingKv>(
    kv: &K,
    expected: Expected,
    report: scanners::Input<'_>,
    sidecar: Option<Box<dyn Read + '_>>,
    list: String,
) -> Result<ParseResult, Problem> {
    let (revision, sidecar) = sidecar.map(Sidecar::open).transpose()?.unzip();
    let (builder, footprint) = (Builder::default(), Footprint::default());
    let mut writer = FindingWriter { kv, list, builder, sidecar, footprint, without_code: 0, failure: None };
    let parsed = scanners::read(expected, report, &mut writer);
    if let Some(failure) = writer.failure {
        return Err(failure);
    }
    let mut parsed = parsed.map_err(|error| problem(&error))?;
    if let Some(sidecar) = &writer.sidecar {
        parsed.summary.blind_spots.iter_mut().for_each(|spot| sidecar.shorten_path(spot));
    }
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
        report: ParsedReport {
            summary: parsed.summary,
            scanner_version: parsed.scanner_version,
            made_at: parsed.made_at_ms.map(Timestamp::from_ms),
        },
        holds_secrets: parsed.holds_secrets,
        findings,
        revision,
    })
}

/// Writes findings into segments as the parser hands them over.
struct FindingWriter<'a, K> {
    kv: &'a K,
    list: String,
    builder: Builder,
    sidecar: Option<Sidecar<'a>>,
    footprint: Footprint,
    /// The number of findings so far that are matched by their code and have none.
    without_code: u64,
    failure: Option<Problem>,
}

impl<K: BlockingKv> FindingWriter<'_, K> {
    fn push(&mut self, mut finding: Finding) -> Result<(), Problem> {
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.add_to(&mut finding)?;
        }
        self.footprint
            .add(&finding)
            .map_err(|error| Problem::new(Code::ReportTooLarge, format!("{error}; {SPLIT}")))?;
        self.without_code += u64::from(finding.lacks_code());
        for segment in self.builder.push(&finding)? {
            self.write(&segment)?;
        }
        Ok(())
    }

    fn write(&mut self, segment: &Segment) -> Result<(), Problem> {
        Ok(self.kv.set_now(&keys::segment(&self.list, segment.n), &segment.bytes)?)
    }
}

impl<K: BlockingKv> Sink for FindingWriter<'_, K> {
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
    let mut detail = error.to_string();
    if matches!(error, ParseError::TooManyFindings { .. }) {
        detail = format!("{detail}; {SPLIT}");
    }
    Problem::new(code, detail)
}
