//! The locations of a report's findings. The parser is the server's, so both number the results alike.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::ControlFlow;

use ::scanners::{Expected, Input, ParseError, Sink, Source, Stop};
use finding::Finding;
use finding::limits::REPORT_BYTES_MAX;
use flate2::read::MultiGzDecoder;

/// A report up to this size is read from memory, in bytes.
const IN_MEMORY_BYTES_MAX: u64 = 16 << 20;

/// The location of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FindingLocation {
    /// The index of its result in the report.
    pub(crate) result: u32,
    /// First line.
    pub(crate) line: Option<u32>,
    /// Last line.
    pub(crate) end_line: Option<u32>,
    /// True if the sidecar should have its code.
    pub(crate) wants_code: bool,
}

/// The findings of a report by file, under the report's names.
pub(crate) type Locations = BTreeMap<String, Vec<FindingLocation>>;

#[derive(Default)]
struct Collected {
    locations: Locations,
}

impl Sink for Collected {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        let wants_code = finding.may_take_code();
        let Finding { result, location, .. } = finding;
        if let Some(location) = location {
            let found = FindingLocation { result, line: location.line, end_line: location.end_line, wants_code };
            self.locations.entry(location.path).or_default().push(found);
        }
        ControlFlow::Continue(())
    }
}

/// Reads the locations of a report's findings. In a report of secrets no finding takes code.
///
/// # Errors
/// The report can't be parsed; the server's message about it is better.
pub(crate) fn of(report: &File, gzip: bool, scanner: &str) -> Result<Locations, ParseError> {
    let expected = ::scanners::find(scanner).map_or(Expected::Any, Expected::Tool);
    let file = Whole { file: report, gzip };
    let small = file.small().map_err(ParseError::Unreadable)?;
    let input = small.as_deref().map_or(Input::Stream(&file), Input::Memory);
    let mut collected = Collected::default();
    let parsed = ::scanners::read(expected, input, &mut collected)?;
    if parsed.holds_secrets {
        collected.locations.values_mut().flatten().for_each(|found| found.wants_code = false);
    }
    Ok(collected.locations)
}

/// A report that can be read repeatedly.
struct Whole<'a> {
    file: &'a File,
    gzip: bool,
}

impl Whole<'_> {
    /// The report, if it is small.
    fn small(&self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.open().take(IN_MEMORY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes).filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length <= IN_MEMORY_BYTES_MAX)))
    }
}

impl Source for Whole<'_> {
    fn open(&self) -> Box<dyn Read + '_> {
        let file = io::BufReader::with_capacity(1 << 16, At { file: self.file, at: 0 });
        // The server accepts no more, and a decompression bomb must not keep us busy.
        match self.gzip {
            true => Box::new(MultiGzDecoder::new(file).take(REPORT_BYTES_MAX)),
            false => Box::new(file.take(REPORT_BYTES_MAX)),
        }
    }
}

/// A reader with its own position in a shared file.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.at))?;
        let length = file.read(to)?;
        self.at += u64::try_from(length).unwrap_or(u64::MAX);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn locations(report: &str, scanner: &str) -> Result<Locations, ParseError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(report.as_bytes()).unwrap();
        let read = of(&file, false, scanner);
        let mut packed = flate2::write::GzEncoder::new(tempfile::tempfile().unwrap(), flate2::Compression::fast());
        packed.write_all(report.as_bytes()).unwrap();
        assert_eq!(of(&packed.finish().unwrap(), true, scanner).ok(), read.as_ref().ok().cloned(), "compressed or not");
        read
    }

    fn sarif(tags: &str, snippet: &str) -> String {
        let result = |line: u32, uri: &str, snippet: &str| {
            format!(
                r#"{{"ruleId": "N1", "message": {{"text": "m"}}, "locations": [{{"physicalLocation": {{"artifactLocation":
                {{"uri": "{uri}"}}, "region": {{"startLine": {line}, "endLine": {line} {snippet}}}}}}}]}}"#
            )
        };
        let results = [result(3, "a.py", ""), result(5, "b.py", snippet), result(9, "a.py", "")].join(",");
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "Notes", "rules": [
            {{"id": "N1", "properties": {{"tags": [{tags}]}}}}]}}}}, "results": [{results}]}}]}}"#
        )
    }

    fn wanting(locations: &Locations) -> Vec<u32> {
        locations.values().flatten().filter(|found| found.wants_code).map(|found| found.result).collect()
    }

    #[test]
    fn findings_are_sorted_by_file_and_those_with_code_need_none() {
        let locations = locations(&sarif("", r#", "snippet": {"text": "eval(x)"}"#), "auto").unwrap();
        let results = |path: &str| locations[path].iter().map(|found| (found.result, found.line)).collect::<Vec<_>>();
        assert_eq!((results("a.py"), results("b.py")), (vec![(0, Some(3)), (2, Some(9))], vec![(1, Some(5))]));
        assert_eq!(wanting(&locations), [0, 2]);
    }

    #[test]
    fn no_finding_of_a_report_of_secrets_needs_code() {
        assert_eq!(wanting(&locations(&sarif("", ""), "sarif").unwrap()).len(), 3);
        assert!(wanting(&locations(&sarif(r#""secret""#, ""), "sarif").unwrap()).is_empty());
    }

    #[test]
    fn a_text_that_is_not_a_report_is_an_error_and_so_is_another_tools_report() {
        assert!(locations("{}", "auto").is_err() && locations("", "auto").is_err());
        assert!(locations(&sarif("", ""), "bandit").is_err());
    }
}
