//! What the formats of scanners for secrets have in common.

use crate::reader::json::Text;
use crate::reader::text::Filled;
use crate::value::secret;
use finding::severity::{Score, ScoreSource};
use finding::{Finding, Kind, Scored};

/// The weakness of a secret that stands in clear: Use of Hard-coded Credentials.
const HARD_CODED_CREDENTIALS: u32 = 798;
/// The score of a secret of which the scanner says no more than that it is one.
const SCORE_HUNDREDTHS: u16 = 800;

/// A finding of a secret, at the level that secrets have where their scanner gives none.
pub(crate) fn finding(rule: &str, title: &str, message: impl Into<String>) -> Finding {
    let scored = |score| Scored { score, source: ScoreSource::ScannerWord };
    Finding {
        score: Score::from_hundredths(SCORE_HUNDREDTHS).map(scored),
        cwes: vec![HARD_CODED_CREDENTIALS],
        ..Finding::new(Kind::Secret, rule, title, message)
    }
}

/// Keeps fields of the report, unless they are blank.
pub(crate) fn keep<const N: usize>(finding: &mut Finding, fields: [(&str, Option<Text>); N]) {
    for (name, text) in fields {
        if let Some(text) = text.filled() {
            finding.raw.insert(name.to_owned(), text.trim_end().to_owned());
        }
    }
}

/// Notes the secret, unless the scanner itself hid it: then equal texts are different secrets, and the place alone tells
/// them apart.
pub(crate) fn put(finding: &mut Finding, secret: &str) {
    let hidden = |c: char| c == '*' || c.is_whitespace();
    if secret.trim() != "REDACTED" && !secret.chars().all(hidden) {
        secret::put(finding, secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_hidden_already_is_no_secret_of_its_own() {
        for (text, kept) in [("hunter2hunter2", true), ("REDACTED", false), ("*****", false), (" ", false), ("", false)]
        {
            let mut finding = finding("rule", "title", "message");
            put(&mut finding, text);
            assert_eq!(finding.secret.is_some(), kept, "{text}");
        }
    }
}
