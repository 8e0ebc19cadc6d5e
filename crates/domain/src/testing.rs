//! What the tests of several modules share.

use finding::severity::{Score, ScoreSource};
use finding::{Excerpt, Finding, Kind, Location, Scored};

/// A finding of `rule` in a line of a file, shown with the lines `code` around it.
pub(crate) fn finding(result: u32, rule: &str, path: &str, line: u32, code: &[&str]) -> Finding {
    Finding {
        result,
        score: Score::from_hundredths(950).map(|score| Scored { score, source: ScoreSource::ScannerWord }),
        severity_word: Some("HIGH".to_owned()),
        cwes: vec![327],
        location: Some(Location { path: path.to_owned(), line: Some(line), ..Location::default() }),
        code: (!code.is_empty()).then(|| Excerpt {
            first_line: line.saturating_sub(1),
            lines: code.iter().map(|line| (*line).to_owned()).collect(),
        }),
        ..Finding::new(Kind::Code, rule, format!("title of {rule}"), "message")
    }
}
