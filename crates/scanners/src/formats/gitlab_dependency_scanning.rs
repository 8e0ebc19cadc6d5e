//! GitLab dependency scanning, <https://docs.gitlab.com/user/application_security/>: vulnerable packages of a project,
//! by Gemnasium. Reads the report `gl-dependency-scanning-report.json`; see [`gitlab`](crate::formats::gitlab).

use crate::Scanner;
use crate::formats::gitlab::{self, Scan};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gitlab-dependency-scanning",
    tool: "gitlab-dependency-scanning",
    name: "GitLab dependency scanning",
    aliases: &["gitlab-dep-scan", "gemnasium"],
    versions: gitlab::VERSIONS,
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`gl-dependency-scanning-report.json`, the job's artifact)",
    severities: gitlab::SEVERITIES,
    severity_words: gitlab::WORDS,
    differences: &[gitlab::SEVERITY_DIFFERENCE],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    gitlab::is_report_of(sniff, Scan::Dependencies)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    gitlab::parse(input, collector, Scan::Dependencies)
}
