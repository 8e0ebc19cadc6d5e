//! npm audit of npm 6, <https://docs.npmjs.com/cli/v6/commands/npm-audit>: known vulnerabilities of an npm project's
//! dependencies. Reads `npm audit --json` of npm 6 (`advisories`), which `pnpm audit --json` writes as well.
//!
//! Each entry of `advisories` is one result: an advisory about one package, with all its paths in the dependency tree.
//! The rule is the advisory's GitHub id, which npm 7 and later report as well, or the npm registry's own number if an
//! old report has no GitHub id. So the same advisory about the same package is one issue in both formats.
//!
//! The score is the advisory's CVSS if the report has it (from 2021 on), else that of npm's word. npm writes a score of
//! 0 without a vector for a missing score. If npm itself fails, it writes `error` instead of a report, and the scan is
//! incomplete.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{addresses, github_id, keyed_by_rule, lower_bounds, or_default, unique};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "npm-audit",
    tool: "npm-audit",
    name: "npm audit",
    aliases: &["npm"],
    versions: "npm 6",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`npm audit --json` of npm 6)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    (is_audit(sniff) && !is_from_yarn(sniff)) || sniff.has_all(&["error.summary", "error.detail"])
}

/// True for the response of the npm registry's audit service, which npm 6, Yarn 2 and Yarn 3 write unchanged.
pub(crate) fn is_audit(sniff: &Sniff) -> bool {
    sniff.has("advisories.*.module_name")
        || sniff.has_all(&["actions", "advisories", "muted"])
        || sniff.has_all(&["advisories", "metadata.vulnerabilities"])
        || sniff.has("actions[].resolves")
}

/// True if Yarn 2 or 3 wrote the response, on one line. npm indents it and adds a `runId`.
pub(crate) fn is_from_yarn(sniff: &Sniff) -> bool {
    let text = sniff.text().trim_start();
    text.starts_with("{\"") && !text.trim_end().contains('\n') && !sniff.has("runId")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    read_audit(input, collector)
}

/// Reads the response of the npm registry's audit service.
pub(crate) fn read_audit(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut evidence, mut message, mut failure) = (false, None, None);
    let paths = ["advisories{}", "metadata.vulnerabilities", "message", "error"];
    let seen = json::walk(input, &paths, &mut |item| {
        match item.path {
            0 => {
                let advisory = item.read::<RawAdvisory>();
                evidence |= advisory.is_ok();
                return collector.result(advisory.map(|advisory| advisory.into_finding(None)));
            }
            1 => evidence = true,
            2 => message = item.read::<String>().ok(),
            _ => {
                let unread = |reason| RawError { summary: reason, code: None, detail: None };
                let is_object = item.raw.starts_with('{');
                failure = is_object.then(|| item.read::<RawError>().unwrap_or_else(unread));
            }
        }
        Ok(())
    })?;
    let failed = failure.is_some();
    if let Some(failure) = failure {
        collector.scanner_error(failure.into_text(message));
    }
    collector.require(
        failed || (seen.has(0) && evidence),
        "an audit report is an object with the objects `advisories` and `metadata`",
    )
}

/// The error that npm writes instead of a report.
#[derive(Deserialize)]
struct RawError {
    summary: String,
    #[serde(default, deserialize_with = "or_default")]
    code: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    detail: Option<String>,
}

impl RawError {
    fn into_text(self, message: Option<String>) -> String {
        let parts = unique([self.code, message, Some(self.summary), self.detail].into_iter().flatten());
        if parts.is_empty() { "npm failed without a message".to_owned() } else { parts.join(": ") }
    }
}

/// An advisory about a package, as the npm registry's audit service writes it.
#[derive(Deserialize)]
pub(crate) struct RawAdvisory {
    module_name: String,
    #[serde(default, deserialize_with = "or_default")]
    id: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    github_advisory_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cves: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    cwe: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    cvss: RawCvss,
    #[serde(default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    overview: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    recommendation: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    references: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    vulnerable_versions: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    patched_versions: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    findings: Vec<RawInstalled>,
}

/// An installed version and its paths in the dependency tree: `express>send>debug`.
#[derive(Default, Deserialize)]
struct RawInstalled {
    #[serde(default, deserialize_with = "or_default")]
    version: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    paths: Vec<Text>,
}

/// CVSS as npm writes it: a score of 0 without a vector means that there is no score.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawCvss {
    #[serde(default)]
    score: Number,
    #[serde(default, deserialize_with = "or_default")]
    vector_string: Option<String>,
}

impl RawCvss {
    /// The vector and its score.
    pub(crate) fn parts(&self) -> (Option<&str>, Option<f64>) {
        (self.vector_string.as_deref(), self.score.0.filter(|score| 0.0 < *score))
    }
}

impl RawAdvisory {
    /// The finding, with the given path in the dependency tree (if the report has one result per path) or all paths.
    pub(crate) fn into_finding(self, place: Option<String>) -> Finding {
        let github = self.github_advisory_id.or_else(|| github_id(self.url.as_deref()?));
        let number = self.id.filled();
        let cves: Vec<String> = self.cves.0.into_iter().map(|cve| cve.0).collect();
        let title = self.title.as_deref().map_or("", str::trim);
        let title = if title.is_empty() { "Vulnerability" } else { title };
        let rule = github.clone().or_else(|| number.clone()).or_else(|| cves.first().cloned());

        let at =
            |found: &&RawInstalled| place.as_ref().is_some_and(|place| found.paths.iter().any(|path| path.0 == *place));
        let in_use = self.findings.iter().find(at).or(self.findings.first());
        let version = in_use.and_then(|found| found.version.clone()).filled();
        let versions = unique(self.findings.iter().filter_map(|found| found.version.clone()).map(|version| version.0));
        let paths = match place {
            Some(place) => vec![place],
            None => unique(self.findings.into_iter().flat_map(|found| found.paths).map(|path| path.0)),
        };
        let patched = self.patched_versions.filled();
        let vulnerable = self.vulnerable_versions.filled();
        let message = format!(
            "{} {} is vulnerable ({}){}",
            self.module_name,
            version.as_deref().unwrap_or("of unknown version"),
            vulnerable.as_deref().unwrap_or("no range is given"),
            paths.first().map(|path| format!(", by way of {path}")).unwrap_or_default(),
        );
        let mut locations = paths.into_iter().map(Location::file);
        let mut finding = Finding {
            advisories: unique(github.into_iter().chain(cves)),
            cwes: cwes(&self.cwe.0),
            description: self.overview,
            remediation: self.recommendation,
            references: unique(
                self.url.into_iter().chain(self.references.0.iter().flat_map(|text| addresses(&text.0))),
            ),
            location: locations.next(),
            other_locations: locations.collect(),
            package: Some(Package {
                name: self.module_name,
                version,
                ecosystem: Some("npm".to_owned()),
                purl: None,
                fixed_versions: patched.as_deref().map(lower_bounds).unwrap_or_default(),
            }),
            ..Finding::new(Kind::Dependency, rule.unwrap_or_else(|| title.to_owned()), title, message)
        };
        let several = (versions.len() > 1).then(|| versions.join(", "));
        let raw = [("id", number), ("vulnerable_versions", vulnerable), ("patched_versions", patched)];
        for (name, value) in raw.into_iter().chain([("versions", several)]) {
            finding.raw.extend(value.map(|value| (name.to_owned(), value)));
        }
        let (vector, score) = self.cvss.parts();
        SCANNER.rating().vector(vector, score).word(self.severity.as_deref()).apply(&mut finding);
        keyed_by_rule(finding)
    }
}

/// The weaknesses: `CWE-400`, a list of them, or a list inside of a text: `["CWE-1333"]`.
fn cwes(written: &[Text]) -> Vec<u32> {
    cwe::numbers(written.iter().flat_map(|text| text.0.split([',', '[', ']', '"'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::ScoreSource;

    fn report(advisories: &str) -> String {
        format!(r#"{{"actions": [], "advisories": {{{advisories}}}, "muted": [], "metadata": {{}}, "runId": "r"}}"#)
    }

    #[test]
    fn an_advisory_with_all_its_places_is_one_finding() {
        let text = report(
            r#""532": {"id": 532, "module_name": "debug", "severity": "moderate", "cwe": "[\"CWE-400\",\"CWE-1333\"]",
            "title": "ReDoS", "cves": ["CVE-2017-16137"], "github_advisory_id": "GHSA-gxpj-cx7g-858c",
            "vulnerable_versions": "<2.6.9", "patched_versions": ">=2.6.9", "cvss": {"score": 0, "vectorString": null},
            "references": "- [Fix](https://a.example/1)\n- https://a.example/2", "url": "https://npmjs.com/advisories/532",
            "findings": [{"version": "2.2.0", "paths": ["express>debug"]}, {"version": "2.6.8", "paths": ["debug"]}]}"#,
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.summary.is_complete());
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.rule, "GHSA-gxpj-cx7g-858c");
        assert_eq!(finding.advisories, ["GHSA-gxpj-cx7g-858c", "CVE-2017-16137"]);
        assert_eq!(finding.cwes, [400, 1333]);
        assert_eq!(
            finding.score.map(|scored| (scored.score.hundredths(), scored.source)),
            Some((550, ScoreSource::ScannerWord))
        );
        assert_eq!(finding.location.as_ref().map(|location| location.path.as_str()), Some("express>debug"));
        assert_eq!(finding.other_locations.len(), 1);
        let package = finding.package.as_ref().unwrap();
        assert_eq!(
            (package.version.as_deref(), package.fixed_versions.as_slice()),
            (Some("2.2.0"), &["2.6.9".to_owned()][..])
        );
        assert_eq!(
            finding.references,
            ["https://npmjs.com/advisories/532", "https://a.example/1", "https://a.example/2"]
        );
        assert_eq!(finding.raw["versions"], "2.2.0, 2.6.8");
    }

    #[test]
    fn an_old_advisory_is_known_by_its_number() {
        let text = report(r#""106": {"id": 106, "module_name": "negotiator", "cves": [], "severity": "high"}"#);
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings[0].rule.as_str(), findings[0].title.as_str()), ("106", "Vulnerability"));
        assert!(findings[0].package.as_ref().unwrap().version.is_none());
    }

    #[test]
    fn one_bad_entry_does_not_hide_the_others_nor_a_field_its_entry() {
        let text = report(
            r#""1": {"id": 1}, "2": [], "3": {"module_name": "a", "cwe": 79, "cvss": "?", "findings": {"b": 1}}"#,
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 2));
        assert_eq!(findings[0].cwes, [79]);
    }

    #[test]
    fn a_failure_of_npm_is_an_incomplete_scan_and_not_a_clean_one() {
        let text =
            r#"{"error": {"code": "ENOLOCK", "summary": "This command requires an existing lockfile.", "detail": ""}}"#;
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["ENOLOCK: This command requires an existing lockfile."]);
        assert!(!parsed.summary.is_complete());
    }

    #[test]
    fn an_object_that_only_has_a_field_of_that_name_is_refused() {
        for text in [r#"{"advisories": {}}"#, r#"{"error": "x"}"#, r#"{"metadata": {"vulnerabilities": {}}}"#] {
            assert!(failure(&SCANNER, text.as_bytes()).contains("an audit report is an object"), "{text}");
        }
    }
}
