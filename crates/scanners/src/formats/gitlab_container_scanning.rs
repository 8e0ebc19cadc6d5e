//! GitLab container scanning, <https://docs.gitlab.com/user/application_security/>: vulnerable packages of an image, by
//! Trivy or Grype, and of the images that run in a cluster. Reads the report `gl-container-scanning-report.json`; see
//! [`gitlab`](crate::formats::gitlab).

use crate::Scanner;
use crate::formats::gitlab::{self, Scan};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gitlab-container-scanning",
    tool: "gitlab-container-scanning",
    name: "GitLab container scanning",
    aliases: &["gitlab-container-scan"],
    versions: gitlab::VERSIONS,
    category: "Container",
    notation: Notation::Json,
    formats: "JSON (`gl-container-scanning-report.json`, the job's artifact)",
    severities: gitlab::SEVERITIES,
    severity_words: gitlab::WORDS,
    differences: &[gitlab::SEVERITY_DIFFERENCE],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    gitlab::is_report_of(sniff, Scan::Containers)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    gitlab::parse(input, collector, Scan::Containers)
}
