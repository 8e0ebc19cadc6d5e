//! Findings of scanners for secrets.

use crate::reader::json::Text;
use crate::reader::text::Filled;
use crate::value::secret;
use finding::severity::{Score, ScoreSource};
use finding::{Finding, Kind, Scored};

/// The weakness of a secret in clear: Use of Hard-coded Credentials.
const HARD_CODED_CREDENTIALS: u32 = 798;
/// The score of a secret without a severity.
const SCORE_HUNDREDTHS: u16 = 800;

/// A finding of a secret with the default score.
pub(crate) fn finding(rule: &str, title: &str, message: impl Into<String>) -> Finding {
    let scored = |score| Scored { score, source: ScoreSource::ScannerWord };
    Finding {
        score: Score::from_hundredths(SCORE_HUNDREDTHS).map(scored),
        cwes: vec![HARD_CODED_CREDENTIALS],
        ..Finding::new(Kind::Secret, rule, title, message)
    }
}

/// Adds fields of the report to the raw fields, unless they are blank.
pub(crate) fn add_raw<const N: usize>(finding: &mut Finding, fields: [(&str, Option<Text>); N]) {
    for (name, text) in fields {
        if let Some(text) = text.filled() {
            finding.raw.insert(name.to_owned(), text.trim_end().to_owned());
        }
    }
}

/// Attaches the secret, unless the scanner masked it: equal masked texts can be different secrets, so that only their
/// locations distinguish them.
pub(crate) fn attach(finding: &mut Finding, secret: &str) {
    let is_mask = |c: char| c == '*' || c.is_whitespace();
    if secret.trim() != "REDACTED" && !secret.chars().all(is_mask) {
        secret::attach(finding, secret);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_the_scanner_masked_is_not_attached() {
        for (text, attached) in
            [("hunter2hunter2", true), ("REDACTED", false), ("*****", false), (" ", false), ("", false)]
        {
            let mut finding = finding("rule", "title", "message");
            attach(&mut finding, text);
            assert_eq!(finding.secret.is_some(), attached, "{text}");
        }
    }
}
