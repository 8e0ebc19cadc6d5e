//! Invariants of every input. The fuzz targets in `fuzz` check them, and the tests on the inputs that fuzzing found.

use crate::{ALL, Expected, Input, ParseError, Parsed, Sink, Source, Stop, read};
use finding::Finding;
use finding::limits::{LIST_ENTRIES_MAX, TEXT_BYTES_MAX};
use std::io::Read;
use std::ops::ControlFlow;

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Sink for Findings {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        self.0.push(finding);
        ControlFlow::Continue(())
    }
}

/// A report that is read a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl Source for Trickle<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        Box::new(Trickling(self.0))
    }
}

struct Trickling<'a>(&'a [u8]);

impl Read for Trickling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.take(13).read(buffer).inspect(|length| self.0 = self.0.get(*length..).unwrap_or_default())
    }
}

/// Reads `data` as a report: its first byte is the index of the format in `ALL`, or any other for detection.
///
/// # Panics An invariant is broken: a result is lost, a text is longer than its limit, memory and stream give different
/// findings, or a stored finding is read back differently.
pub fn exercise(data: &[u8]) {
    let Some((choice, report)) = data.split_first() else { return };
    let expected = ALL.get(usize::from(*choice)).map_or(Expected::Any, Expected::Tool);
    let memory = run(expected, Input::Memory(report));
    let stream = run(expected, Input::Stream(&Trickle(report)));
    match (&memory, &stream) {
        (Ok(read), Ok(streamed)) => assert_eq!(read, streamed, "memory and stream"),
        // The error that is found first depends on how much is read at once.
        (Err(_), Err(_)) => {}
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
            assert!(memory.is_ok() == stream.is_ok(), "from memory {memory:?}, from a stream {stream:?}");
        }
    }
    if let Ok((findings, parsed)) = memory {
        assert!(parsed.summary.adds_up(), "{:?}", parsed.summary);
        let passed_on = u64::try_from(findings.len()).unwrap_or(u64::MAX);
        assert_eq!(passed_on, parsed.summary.findings + parsed.summary.suppressed, "findings");
        findings.into_iter().for_each(check_finding);
    }
}

fn run(expected: Expected, input: Input<'_>) -> Result<(Vec<Finding>, Parsed), ParseError> {
    let mut findings = Findings::default();
    read(expected, input, &mut findings).map(|parsed| (findings.0, parsed))
}

fn check_finding(mut finding: Finding) {
    let stored =
        serde_json::to_string(&finding).map(|text| serde_json::from_str::<Finding>(&text).map(|back| (text, back)));
    match stored {
        Ok(Ok((text, back))) => assert_eq!(serde_json::to_string(&back).ok(), Some(text), "stored and read back"),
        other => assert!(other.is_err(), "a stored finding cannot be read back: {other:?}"),
    }
    assert!(finding.references.len() <= LIST_ENTRIES_MAX && finding.raw.len() <= LIST_ENTRIES_MAX, "lists");
    finding.for_each_text(&mut |text| assert!(text.len() <= TEXT_BYTES_MAX, "a text of {} bytes", text.len()));
}
