//! OWASP Dependency-Check, <https://dependency-check.github.io/DependencyCheck/>: vulnerable libraries. Reads its XML
//! report (`--format XML`), of schema 1.3 to 4, and its JSON report (`--format JSON`).
//!
//! A result is one `vulnerability` or `suppressedVulnerability` of one dependency; the latter is suppressed, with its
//! notes. Files that Dependency-Check considers the same library (`relatedDependencies`) are further locations of the
//! same results. `analysisExceptions` make the scan incomplete.
//!
//! The library is named by its package URL, else by the Maven coordinates of old versions, else by the evidence of the
//! highest confidence for product and version. The location is the name that Dependency-Check shows
//! (`app.ear: lib.jar`), because the path belongs to the machine that ran the scan.
//!
//! Severities: CVSS 4, 3, 2, whose vectors are built from the report's metrics, else the word.

mod json;
mod xml;

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::cwe;
use crate::value::packages;
use crate::value::rating::COMMON_WORDS;
use finding::{Finding, Kind, Location, Package};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "dependency-check",
    tool: "dependency-check",
    name: "OWASP Dependency-Check",
    aliases: &["owasp-dependency-check", "owasp", "dependencycheck"],
    versions: "1.4 to 12",
    category: "SCA",
    notation: Notation::Xml,
    formats: "XML (`--format XML`) and JSON (`--format JSON`)",
    severities: "CVSS, else critical 9.5, high 8.0, medium or moderate 5.5, low 2.0, info 0; unknown unassigned",
    severity_words: COMMON_WORDS,
    differences: &[("cvssv3", "the vector has the version of CVSS that the report states, 3.0 or 3.1")],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    (sniff.root() == Some("analysis") && sniff.root_attribute("xmlns").is_some_and(is_namespace))
        || sniff.has_all(&["reportSchema", "scanInfo.engineVersion"])
        || sniff.has_all(&["scanInfo", "projectInfo", "dependencies[].fileName"])
}

fn is_namespace(namespace: &str) -> bool {
    namespace.to_ascii_lowercase().contains("dependency-check")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let head = input.head()?;
    let bytes = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&head).trim_ascii_start();
    if bytes.starts_with(b"{") || bytes.starts_with(b"[") {
        json::parse(input, collector)
    } else {
        xml::parse(input, collector)
    }
}

/// A library, with the fields that identify it.
#[derive(Debug, Default)]
struct Dependency {
    file: Option<String>,
    path: Option<String>,
    related: Vec<String>,
    purls: Vec<String>,
    /// `group:artifact:version`, of versions before 4.
    maven: Option<String>,
    evidence: Vec<Evidence>,
}

/// Evidence for a vendor, a product or a version.
#[derive(Debug)]
struct Evidence {
    kind: String,
    confidence: String,
    value: String,
}

#[derive(Debug, Default)]
struct Vulnerability {
    name: Option<String>,
    source: Option<String>,
    severity: Option<String>,
    /// Vector, version and score of each CVSS.
    cvss: Vec<(Option<String>, &'static str, Option<f64>)>,
    cwes: Vec<String>,
    description: Option<String>,
    notes: Option<String>,
    references: Vec<String>,
    /// The first version that is not vulnerable.
    fixed: Option<String>,
    suppressed: bool,
}

impl Dependency {
    fn package(&self) -> Package {
        if let Some(package) = self.purls.iter().find_map(|purl| packages::from_purl(purl)) {
            return package;
        }
        if let Some((name, version)) = self.maven.as_deref().and_then(|maven| maven.rsplit_once(':')) {
            let (name, version) = (name.to_owned(), Some(version.to_owned()));
            return Package { name, version, ecosystem: Some("maven".to_owned()), ..Package::default() };
        }
        let name = self.best("product").or_else(|| self.file.clone()).unwrap_or_default();
        Package { name, version: self.best("version"), ..Package::default() }
    }

    /// The evidence of this kind with the highest confidence; of several the first.
    fn best(&self, kind: &str) -> Option<String> {
        let rank = |evidence: &&Evidence| {
            let rank = ["HIGHEST", "HIGH", "MEDIUM", "LOW"].iter().position(|word| *word == evidence.confidence);
            rank.unwrap_or(usize::MAX)
        };
        self.evidence.iter().filter(|evidence| evidence.kind == kind).min_by_key(rank).map(|found| found.value.clone())
    }
}

fn finding(dependency: &Dependency, vulnerability: Vulnerability) -> Result<Finding, String> {
    let id = vulnerability.name.ok_or("`name` is missing")?;
    let mut package = dependency.package();
    package.fixed_versions = vulnerability.fixed.into_iter().collect();
    let message = packages::message(&id, &package);
    let at = |path: String| Location::file(path);
    let notes = vulnerability.notes.filter(|_| vulnerability.suppressed);
    let mut finding = Finding {
        // Other sources than NVD use sentences as names: `CWE-400: Uncontrolled Resource Consumption`.
        advisories: Some(id.clone()).filter(|id| !id.contains(char::is_whitespace)).into_iter().collect(),
        cwes: cwe::numbers(vulnerability.cwes.iter().map(String::as_str)),
        description: vulnerability.description,
        references: packages::unique(vulnerability.references),
        package: Some(package),
        location: dependency.file.clone().or_else(|| dependency.path.clone()).map(at),
        other_locations: dependency.related.iter().cloned().map(at).collect(),
        suppressed: vulnerability
            .suppressed
            .then(|| notes.map_or_else(|| "suppressed".to_owned(), |notes| format!("suppressed: {notes}"))),
        ..Finding::new(Kind::Dependency, id.clone(), id, message)
    };
    finding.raw.extend(dependency.path.clone().map(|path| ("filePath".to_owned(), path)));
    finding.raw.extend(vulnerability.source.map(|source| ("source".to_owned(), source)));
    let mut rating = SCANNER.rating();
    for (vector, version, score) in vulnerability.cvss {
        rating = match vector {
            Some(vector) => rating.vector(Some(&vector), score),
            None => rating.base(version, score),
        };
    }
    rating.word(vulnerability.severity.as_deref()).apply(&mut finding);
    Ok(finding)
}

/// Looks up a CVSS metric by its name in the report.
type Metric<'m> = &'m dyn Fn(&str) -> Option<String>;

/// The CVSS 3 vector of these metrics, if none is missing.
fn cvss_3_vector(metric: Metric<'_>) -> Option<String> {
    const METRICS: [(&str, &[&str]); 8] = [
        ("AV", &["attackVector"]),
        ("AC", &["attackComplexity"]),
        ("PR", &["privilegesRequired"]),
        ("UI", &["userInteraction"]),
        ("S", &["scope"]),
        ("C", &["confidentialityImpact"]),
        ("I", &["integrityImpact"]),
        ("A", &["availabilityImpact"]),
    ];
    let version = metric("version").filter(|version| version == "3.0").unwrap_or_else(|| "3.1".to_owned());
    Some(format!("CVSS:{version}/{}", join_metrics(&METRICS, metric)?))
}

/// The CVSS 2 vector of these metrics, if none is missing. Some names are misspelt in the report's template.
fn cvss_2_vector(metric: Metric<'_>) -> Option<String> {
    const METRICS: [(&str, &[&str]); 6] = [
        ("AV", &["accessVector", "cvssAccessVector"]),
        ("AC", &["accessComplexity", "cvssAccessComplexity"]),
        ("Au", &["authenticationr", "authentication", "authenticationr>", "cvssAuthenticationr"]),
        ("C", &["confidentialImpact", "confidentialityImpact", "cvssConfidentialImpact"]),
        ("I", &["integrityImpact", "cvssIntegrityImpact"]),
        ("A", &["availabilityImpact", "cvssAvailabilityImpact"]),
    ];
    join_metrics(&METRICS, metric)
}

/// Joins metrics to a vector, with the first letter of each value: `NETWORK` becomes `N`.
fn join_metrics(metrics: &[(&str, &[&str])], metric: Metric<'_>) -> Option<String> {
    let parts = metrics.iter().map(|(short, names)| {
        let value = names.iter().find_map(|name| metric(name))?;
        Some(format!("{short}:{}", value.chars().next()?.to_ascii_uppercase()))
    });
    parts.collect::<Option<Vec<_>>>().map(|parts| parts.join("/"))
}

#[cfg(test)]
mod tests;
