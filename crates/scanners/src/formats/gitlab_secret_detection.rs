//! GitLab secret detection, <https://docs.gitlab.com/user/application_security/>: secrets in files and commits, by
//! Gitleaks. `raw_source_code_extract` is the secret in clear: it is masked everywhere. Reads the report
//! `gl-secret-detection-report.json`; see [`gitlab`](crate::formats::gitlab).

use crate::Scanner;
use crate::formats::gitlab::{self, Scan};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gitlab-secret-detection",
    tool: "gitlab-secret-detection",
    name: "GitLab secret detection",
    aliases: &["gitlab-secret-detection-report"],
    versions: gitlab::VERSIONS,
    category: "Secrets",
    notation: Notation::Json,
    formats: "JSON (`gl-secret-detection-report.json`, the job's artifact)",
    severities: gitlab::SEVERITIES,
    severity_words: gitlab::WORDS,
    differences: &[gitlab::SEVERITY_DIFFERENCE],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    gitlab::is_report_of(sniff, Scan::Secrets)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    gitlab::parse(input, collector, Scan::Secrets)
}
