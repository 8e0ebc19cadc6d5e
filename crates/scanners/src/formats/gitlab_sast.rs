//! GitLab SAST, <https://docs.gitlab.com/user/application_security/>: static analysis of source code, by Semgrep,
//! SpotBugs, Bandit and others. Until GitLab 13.1 it also looked for secrets: those results are secrets here too. Reads
//! the report `gl-sast-report.json`; see [`gitlab`](crate::formats::gitlab).

use crate::Scanner;
use crate::formats::gitlab::{self, Scan};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gitlab-sast",
    tool: "gitlab-sast",
    name: "GitLab SAST",
    aliases: &[],
    versions: gitlab::VERSIONS,
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`gl-sast-report.json`, the job's artifact)",
    severities: gitlab::SEVERITIES,
    severity_words: gitlab::WORDS,
    differences: &[
        gitlab::SEVERITY_DIFFERENCE,
        ("cwe", "NodeJsScan writes the weakness's number into the identifier's name; others read only its value"),
        ("line", "the location begins at its first line; others use the last line"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    gitlab::is_report_of(sniff, Scan::Sast)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    gitlab::parse(input, collector, Scan::Sast)
}
