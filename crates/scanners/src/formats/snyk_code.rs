//! Snyk Code, <https://docs.snyk.io/scan-with-snyk/snyk-code>: static analysis. It writes SARIF, which the module
//! `sarif` reads; each result is one finding.

use crate::Scanner;
use crate::formats::sarif;
use crate::reader::sniff::Notation;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "snyk-code",
    tool: "snyk-code",
    name: "Snyk Code",
    aliases: &["snykcode"],
    versions: "1.x",
    category: "SAST",
    notation: Notation::Json,
    formats: "SARIF (`snyk code test --json` and `--sarif` write the same)",
    severities: "SARIF levels: error 8.0, warning 5.5, note 0 (Snyk's high, medium and low); critical 9.5, high 8.0, medium 5.5, low 2.0, info 0",
    severity_words: sarif::SCANNER.severity_words,
    differences: &[],
    detect: |sniff| sarif::is_sarif(sniff) && sarif::is_of(sniff, "snyk-code"),
    parse: sarif::parse,
};
