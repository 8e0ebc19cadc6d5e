//! What the tests of several modules share.

use finding::severity::{Score, ScoreSource};
use finding::{Excerpt, Finding, Kind, Location, Scored};
use std::collections::BTreeMap;

/// A finding of `rule` in a line of a file, shown with the lines `code` around it.
pub(crate) fn finding(result: u32, rule: &str, path: &str, line: u32, code: &[&str]) -> Finding {
    Finding {
        result,
        kind: Kind::Code,
        rule: rule.to_owned(),
        title: format!("title of {rule}"),
        message: "message".to_owned(),
        score: Score::from_hundredths(950).map(|score| Scored { score, source: ScoreSource::ScannerWord }),
        severity_word: Some("HIGH".to_owned()),
        confidence: None,
        cwes: vec![327],
        references: vec![],
        location: Some(Location { path: path.to_owned(), line: Some(line), end_line: None, column: None }),
        code: (!code.is_empty()).then(|| Excerpt {
            first_line: line.saturating_sub(1),
            lines: code.iter().map(|line| (*line).to_owned()).collect(),
        }),
        raw: BTreeMap::new(),
        cut_fields: 0,
    }
}
