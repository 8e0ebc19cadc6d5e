//! The sidecar with code from the working tree. It is read together with the report: both are in the order of the
//! report's results, so only one row is in memory at a time. `docs/source.md` has the format.

use api::problem::{Code, Problem};
use api::v1::{SourceHead, SourceRow};
use domain::source::{CheckoutRoot, Revision, SourceAdded, add_source};
use finding::limits::SOURCE_ROW_BYTES_MAX;
use finding::{BlindSpot, Finding};
use std::io::{BufRead, BufReader, Read};

/// A sidecar that is being read.
pub(crate) struct Sidecar<'a> {
    lines: Lines<'a>,
    /// The next row, for a finding that is still to come.
    next: Option<SourceRow>,
    /// The number of the result in the last row that was read.
    last: Option<u32>,
    counts: Counts,
    root: Option<CheckoutRoot>,
}

/// The numbers of rows that were used and not used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The number of findings that got their code from a row.
    pub(crate) enriched: u64,
    /// The number of rows without a finding that fits.
    pub(crate) mismatched: u64,
}

impl<'a> Sidecar<'a> {
    /// Opens a sidecar, and reads the revision from its first line.
    ///
    /// # Errors
    /// The first line is not that of a sidecar of a supported version.
    pub(crate) fn open(input: Box<dyn Read + 'a>) -> Result<(Revision, Self), Problem> {
        let mut lines = Lines { reader: BufReader::new(input), line: Vec::new(), number: 0 };
        if !lines.advance()? {
            return Err(Problem::new(Code::SourceMalformed, "the sidecar is empty"));
        }
        let head = SourceHead::read(&lines.line).map_err(|reason| lines.malformed(reason))?;
        let mut sidecar = Self { lines, next: None, last: None, counts: Counts::default(), root: head.root };
        sidecar.advance()?;
        Ok((head.git, sidecar))
    }

    /// Adds the sidecar's data to a finding. Call this for the findings in the order of the report.
    ///
    /// # Errors
    /// A row cannot be read.
    pub(crate) fn add_to(&mut self, finding: &mut Finding) -> Result<(), Problem> {
        while let Some(row) = self.next.take_if(|row| row.result <= finding.result) {
            let added = if row.result == finding.result {
                add_source(finding, row.into_view())
            } else {
                SourceAdded::Mismatched
            };
            match added {
                SourceAdded::Code => self.counts.enriched += 1,
                SourceAdded::Mismatched => self.counts.mismatched += 1,
                SourceAdded::HashAlone => {}
            }
            self.advance()?;
        }
        // After the rows, whose paths are those of the report.
        if let Some(root) = &self.root {
            root.shorten_paths(finding);
        }
        Ok(())
    }

    /// Makes the path of a blind spot relative to the root of the checkout, as the paths of findings are.
    pub(crate) fn shorten_path(&self, spot: &mut BlindSpot) {
        if let Some(root) = &self.root {
            root.shorten_path(spot);
        }
    }

    /// Reads the rows after the last finding, which belong to no finding, and returns the counts.
    ///
    /// # Errors
    /// A row cannot be read.
    pub(crate) fn finish(mut self) -> Result<Counts, Problem> {
        while self.next.is_some() {
            self.counts.mismatched += 1;
            self.advance()?;
        }
        Ok(self.counts)
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.next = None;
        if !self.lines.advance()? {
            return Ok(());
        }
        let row = SourceRow::read(&self.lines.line).map_err(|reason| self.lines.malformed(reason))?;
        if let Some(last) = self.last.filter(|last| row.result <= *last) {
            let reason = format!(
                "result {} comes after result {last}; the rows must be in ascending order, one for each result",
                row.result
            );
            return Err(self.lines.malformed(reason));
        }
        self.last = Some(row.result);
        self.next = Some(row);
        Ok(())
    }
}

struct Lines<'a> {
    reader: BufReader<Box<dyn Read + 'a>>,
    line: Vec<u8>,
    /// The number of `line`, counted from 1.
    number: u64,
}

impl Lines<'_> {
    /// Reads the next line. Returns false at the end.
    fn advance(&mut self) -> Result<bool, Problem> {
        self.line.clear();
        self.number += 1;
        let limit = u64::try_from(SOURCE_ROW_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let read = Read::by_ref(&mut self.reader).take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| Problem::internal(format!("the sidecar could not be read back: {error}")))?;
        if SOURCE_ROW_BYTES_MAX < self.line.len() {
            let detail = format!("line {} of the sidecar has more than {SOURCE_ROW_BYTES_MAX} bytes", self.number);
            return Err(Problem::new(Code::SourceTooLarge, detail));
        }
        Ok(0 < read)
    }

    fn malformed(&self, reason: String) -> Problem {
        Problem::new(Code::SourceMalformed, format!("line {} of the sidecar: {reason}", self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::{Kind, Location};

    fn finding(result: u32) -> Finding {
        let location = Location::lines(format!("{result}.py"), Some(2), None);
        Finding { result, location: Some(location), ..Finding::new(Kind::Code, "R", "t", "m") }
    }

    fn row(result: u32) -> String {
        let sha256 = "0".repeat(64);
        format!(
            r#"{{"result": {result}, "path": "{result}.py", "line": 2, "sha256": "{sha256}", "first_line": 1, "lines": ["a", "b"]}}"#
        )
    }

    /// Merges the rows into findings of these results.
    fn merged(text: &str, results: &[u32]) -> Result<(Vec<Finding>, Counts), Problem> {
        let (_, mut sidecar) = Sidecar::open(Box::new(text.as_bytes()))?;
        let mut findings: Vec<_> = results.iter().map(|result| finding(*result)).collect();
        for finding in &mut findings {
            sidecar.add_to(finding)?;
        }
        Ok((findings, sidecar.finish()?))
    }

    fn text(rows: &[String]) -> String {
        std::iter::once(r#"{"v": 1}"#.to_owned()).chain(rows.iter().cloned()).map(|line| line + "\n").collect()
    }

    fn error(text: &str) -> String {
        let problem = merged(text, &[0, 1, 2]).unwrap_err();
        format!("{}: {}", problem.code.as_str(), problem.detail)
    }

    #[test]
    fn each_row_goes_to_its_finding_and_findings_without_one_stay_as_they_are() {
        let (findings, counts) = merged(&text(&[row(1), row(4), row(5)]), &[0, 1, 2, 4, 5, 9]).unwrap();
        let with_code: Vec<_> = findings.iter().filter(|f| f.code.is_some()).map(|f| f.result).collect();
        assert_eq!(with_code, [1, 4, 5]);
        assert_eq!(findings[0], finding(0));
        assert_eq!(counts, Counts { enriched: 3, mismatched: 0 });
    }

    #[test]
    fn rows_without_a_finding_are_counted_at_any_position() {
        let moved = row(2).replace("2.py", "elsewhere.py");
        let (findings, counts) = merged(&text(&[row(0), row(1), moved, row(8), row(9)]), &[1, 2, 3]).unwrap();
        assert_eq!(counts, Counts { enriched: 1, mismatched: 4 });
        assert!(findings[1].code.is_none() && findings[1].file_sha256.is_none());
    }

    #[test]
    fn a_sidecar_may_have_only_its_head_with_the_revision() {
        let (revision, sidecar) = Sidecar::open(Box::new(&br#"{"v": 1, "git": {"branch": "main"}}"#[..])).unwrap();
        assert_eq!(revision.branch.unwrap().as_str(), "main");
        assert_eq!(sidecar.finish().unwrap(), Counts::default());
    }

    #[test]
    fn a_malformed_sidecar_is_refused_with_its_line() {
        assert_eq!(error(""), "source-malformed: the sidecar is empty");
        assert_eq!(error("{\"v\": 3}\n"), "source-malformed: line 1 of the sidecar: expected version 1, found 3");
        assert!(error("[]").starts_with("source-malformed: line 1 of the sidecar: "));
        assert!(error(&text(&[row(0), "{".to_owned()])).starts_with("source-malformed: line 3 of the sidecar: EOF"));
        assert!(
            error(&text(&[row(0), String::new(), row(1)])).starts_with("source-malformed: line 3 of the sidecar: ")
        );
        let whole = text(&[row(0)]);
        assert!(error(&whole[..whole.len() - 10]).starts_with("source-malformed: line 2 of the sidecar: "));
        assert!(error(&text(&["\u{0}".to_owned()])).starts_with("source-malformed: line 2 of the sidecar: "));
    }

    #[test]
    fn a_bad_row_after_the_last_finding_is_refused() {
        assert!(
            error(&text(&[row(7), row(8), "x".to_owned()])).starts_with("source-malformed: line 4 of the sidecar: ")
        );
    }

    #[test]
    fn rows_that_are_not_in_order_or_twice_are_refused() {
        let expected = "source-malformed: line 3 of the sidecar: result 1 comes after result 1; the rows must be in ascending order, one for each result";
        assert_eq!(error(&text(&[row(1), row(1)])), expected);
        assert!(error(&text(&[row(1), row(0)])).contains("result 0 comes after result 1"));
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_byte_more_is_refused_unread() {
        let padded = |bytes: usize| format!("{}{}", " ".repeat(bytes - row(0).len() - 1), row(0));
        let (_, counts) = merged(&text(&[padded(SOURCE_ROW_BYTES_MAX)]), &[0]).unwrap();
        assert_eq!(counts.enriched, 1);
        let over = "source-too-large: line 2 of the sidecar has more than 1048576 bytes";
        assert_eq!(error(&text(&[padded(SOURCE_ROW_BYTES_MAX + 1)])), over);
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
                to.fill(b' ');
                Ok(to.len())
            }
        }
        assert_eq!(Sidecar::open(Box::new(Endless)).err().unwrap().code, Code::SourceTooLarge);
    }
}
