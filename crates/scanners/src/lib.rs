//! Report formats: bytes in, findings out, one file per scanner.
//!
//! A parser never panics, never merges and never drops: an entry it cannot read is *rejected*, with its place and the
//! reason, and stays in the counts; a file that is not the named scanner's report is an error. "No findings" needs
//! evidence: a field that identifies the format is required, so that `{}` is not a clean report.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    forbid(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::as_conversions
    )
)]

mod advisory;
mod anchore;
mod archive;
mod bandit;
mod blackduck;
mod brakeman;
mod bundler_audit;
mod burp;
mod cargo_audit;
mod checkmarx;
mod checkov;
mod clair;
mod custom;
mod cwe;
mod cyclonedx;
mod dependency_check;
mod detect_secrets;
mod dockle;
mod eslint;
mod fields;
mod fortify;
mod generic;
mod generic_csv;
mod github;
mod github_code_scanning;
mod github_dependabot;
mod github_secret_scanning;
mod gitlab;
mod gitlab_container_scanning;
mod gitlab_dependency_scanning;
mod gitlab_sast;
mod gitlab_secret_detection;
mod gitleaks;
mod gosec;
mod govulncheck;
mod grype;
mod hadolint;
mod horusec;
mod html;
mod json;
mod kics;
mod kube_bench;
mod kubescape;
mod leak;
mod mobsf;
mod nikto;
mod nmap;
mod npm_audit;
mod npm_audit_7;
mod nuclei;
mod openvas;
mod osv;
mod osv_scanner;
mod packages;
mod pip_audit;
mod pmd;
mod prowler;
mod prowler_v2;
mod prowler_v3;
mod qualys;
mod rating;
mod report;
mod retirejs;
mod sarif;
mod secret;
mod semgrep;
mod semgrep_pro;
mod slug;
mod sniff;
mod snippet;
mod snyk;
mod snyk_code;
mod sonarqube;
mod spotbugs;
mod sslyze;
mod table;
mod tenable;
mod testssl;
mod tfsec;
mod trivy;
mod trufflehog;
mod trufflehog3;
mod veracode;
mod web;
mod wiz;
mod wpscan;
mod xml;
mod yarn_audit;
mod zap;

pub use report::{Input, ParseError, Parsed, Sink, Source, Stop};
pub use sniff::Notation;

use report::Collector;
use sniff::Sniff;

/// One report format of one scanner.
#[derive(Clone, Copy)]
pub struct Scanner {
    /// The format's name in URLs; lower case, `-` between words.
    pub id: &'static str,
    /// The tool's name in issue keys: the same for all formats in which one tool's reports come, so that an issue stays
    /// the same when the format changes.
    pub tool: &'static str,
    /// The tool's own name.
    pub name: &'static str,
    /// Other names under which it is found. Upper and lower case, `_`, `-` and spaces are the same.
    pub aliases: &'static [&'static str],
    /// Versions whose reports were read.
    pub versions: &'static str,
    /// What it looks for, in the field's words.
    pub category: &'static str,
    /// What its reports are written in.
    pub notation: Notation,
    /// The formats that are read, and how the tool is made to write them.
    pub formats: &'static str,
    /// How its severities become scores, and where that rule comes from.
    pub severities: &'static str,
    /// Where we differ on purpose from what other systems make of these reports: the field, and why ours is better.
    pub differences: &'static [(&'static str, &'static str)],
    /// Whether a report looks like this format; never true of another's.
    pub(crate) detect: fn(&Sniff) -> bool,
    /// Reads a report.
    pub(crate) parse: fn(Input<'_>, &mut Collector<'_>) -> Result<(), ParseError>,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Every format, sorted by id: the only list.
pub const ALL: &[Scanner] = &[
    anchore::SCANNER,
    bandit::SCANNER,
    blackduck::SCANNER,
    brakeman::SCANNER,
    bundler_audit::SCANNER,
    burp::SCANNER,
    cargo_audit::SCANNER,
    checkmarx::SCANNER,
    checkov::SCANNER,
    clair::SCANNER,
    custom::SCANNER,
    cyclonedx::SCANNER,
    dependency_check::SCANNER,
    detect_secrets::SCANNER,
    dockle::SCANNER,
    eslint::SCANNER,
    fortify::SCANNER,
    generic::SCANNER,
    generic_csv::SCANNER,
    github_code_scanning::SCANNER,
    github_dependabot::SCANNER,
    github_secret_scanning::SCANNER,
    gitlab_container_scanning::SCANNER,
    gitlab_dependency_scanning::SCANNER,
    gitlab_sast::SCANNER,
    gitlab_secret_detection::SCANNER,
    gitleaks::SCANNER,
    gosec::SCANNER,
    govulncheck::SCANNER,
    grype::SCANNER,
    hadolint::SCANNER,
    horusec::SCANNER,
    kics::SCANNER,
    kube_bench::SCANNER,
    kubescape::SCANNER,
    mobsf::SCANNER,
    nikto::SCANNER,
    nmap::SCANNER,
    npm_audit::SCANNER,
    npm_audit_7::SCANNER,
    nuclei::SCANNER,
    openvas::SCANNER,
    osv_scanner::SCANNER,
    pip_audit::SCANNER,
    pmd::SCANNER,
    prowler::SCANNER,
    prowler_v2::SCANNER,
    prowler_v3::SCANNER,
    qualys::SCANNER,
    retirejs::SCANNER,
    sarif::SCANNER,
    semgrep::SCANNER,
    semgrep_pro::SCANNER,
    snyk::SCANNER,
    snyk_code::SCANNER,
    sonarqube::SCANNER,
    spotbugs::SCANNER,
    sslyze::SCANNER,
    tenable::SCANNER,
    testssl::SCANNER,
    tfsec::SCANNER,
    trivy::SCANNER,
    trufflehog::SCANNER,
    trufflehog3::SCANNER,
    veracode::SCANNER,
    wiz::SCANNER,
    wpscan::SCANNER,
    yarn_audit::SCANNER,
    zap::SCANNER,
];

/// The scanner of this id or alias.
pub fn find(name: &str) -> Option<&'static Scanner> {
    let name = normal(name);
    let by_id = ALL.iter().find(|scanner| normal(scanner.id) == name);
    by_id.or_else(|| ALL.iter().find(|scanner| scanner.aliases.iter().any(|alias| normal(alias) == name)))
}

/// A name as it is compared.
fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', ' '], "-")
}

/// Which scanner a report is said to be of.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Whichever its content shows.
    Any,
    /// This one, in whichever format.
    Tool(&'static Scanner),
}

/// Reads a report and hands each finding to the sink as it is read.
///
/// # Errors
/// It is not a report of the tool that is expected, it is no report at all, or the sink or the report's source failed.
pub fn read(expected: Expected, input: Input<'_>, sink: &mut dyn Sink) -> Result<Parsed, ParseError> {
    let sniff = match (Sniff::of(input), expected) {
        (Err(ParseError::Empty), Expected::Tool(scanner)) if may_be_silent(scanner) => {
            return Ok(silent(scanner, sink));
        }
        (sniff, _) => sniff?,
    };
    let recognised = ALL.iter().find(|scanner| (scanner.detect)(&sniff));
    let looks_like = |name: &str, tool: &str| format!("it looks like one of {name} (`{tool}`)");
    let wrong = |expected: &Scanner, reason| Err(ParseError::WrongTool { expected: expected.name, reason });
    let scanner = match (expected, recognised) {
        (Expected::Any, Some(scanner)) => scanner,
        (Expected::Any, None) => return Err(ParseError::Unrecognised { reason: sniff.describe() }),
        // What no format recognises may still be the expected one's, broken: its own parser tells best what is wrong.
        (Expected::Tool(scanner), None) => scanner,
        (Expected::Tool(expected), Some(scanner)) if accepts(expected, scanner) => scanner,
        // Which tool wrote SARIF is known once it is read.
        (Expected::Tool(expected), Some(sarif)) if sarif::is_sarif(&sniff) => {
            if expected.id == sarif::SCANNER.id || sarif.id == sarif::SCANNER.id {
                sarif
            } else {
                return wrong(expected, looks_like(sarif.name, sarif.id));
            }
        }
        (Expected::Tool(expected), Some(other)) => return wrong(expected, looks_like(other.name, other.id)),
    };
    let mut collector = Collector::new(sink, scanner.id, scanner.tool);
    if let Err(error) = (scanner.parse)(input, &mut collector) {
        let ParseError::OtherShape { reason } = error else { return Err(error) };
        return wrong(scanner, reason);
    }
    let parsed = collector.finish();
    match expected {
        Expected::Tool(expected)
            if scanner.id == sarif::SCANNER.id && expected.id != scanner.id && parsed.tool != expected.tool =>
        {
            wrong(expected, looks_like("SARIF", &parsed.tool))
        }
        Expected::Tool(_) | Expected::Any => Ok(parsed),
    }
}

/// Formats that are taken under another tool's name, because it is a matter of course to those who use them.
const ALSO_TAKEN: &[(&str, &str)] = &[
    // Both are alerts that GitHub exports; other systems file them under one name.
    ("github-dependabot", "github-code-scanning"),
    // One command line tool writes both.
    ("snyk", "snyk-code"),
];

fn accepts(expected: &Scanner, scanner: &Scanner) -> bool {
    scanner.tool == expected.tool || ALSO_TAKEN.contains(&(expected.id, scanner.id))
}

/// Whether a tool's report may be empty: it writes a line for each result, or older versions of it wrote nothing.
fn may_be_silent(scanner: &Scanner) -> bool {
    scanner.notation == Notation::JsonLines || scanner.id == "osv-scanner"
}

/// The report of a tool that writes a line for each result, and so nothing where there is none. It writes nothing either
/// when it did not run, so the scan counts as incomplete: an empty file must not make a verdict a pass.
fn silent(scanner: &Scanner, sink: &mut dyn Sink) -> Parsed {
    let mut collector = Collector::new(sink, scanner.id, scanner.tool);
    let name = scanner.name;
    collector.scanner_error(format!(
        "the report is empty: {name} writes nothing when it finds nothing, and nothing when it fails"
    ));
    collector.finish()
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod docs;
#[cfg(any(test, feature = "exercise"))]
mod exercise;
#[cfg(any(test, feature = "exercise"))]
pub use exercise::exercise;
#[cfg(test)]
mod tests;
