//! CycloneDX, <https://cyclonedx.org>: bills of materials with vulnerabilities, and VEX. Reads JSON and XML, of
//! versions 1.4 to 1.7, and the older XML extension for vulnerabilities, of the document or of its components.
//!
//! A result is one affected component of one vulnerability (`vulnerabilities[].affects[]`; in the extension each
//! `vulnerability`). A vulnerability that names no component is one result without a package. A bill of materials with
//! an empty list of vulnerabilities is clean; one without such a list says nothing about vulnerabilities, so that scan
//! is incomplete. Components are found by their `bom-ref`, anywhere in the document; of a component in another document
//! only the reference is known.
//!
//! `analysis.state`: `not_affected` and `false_positive` are suppressed, `resolved` and `resolved_with_pedigree` ("the
//! vulnerability has been remediated") closed; `exploitable` and `in_triage` are findings.
//!
//! `affects[].versions`: a component whose own version is listed with the status `unaffected` is suppressed. Ranges are
//! not compared; a version that is not listed is affected, because `affects` names the component.
//!
//! NVD's ratings come first, then those of the vulnerability's own source, then the others in their order. A vector
//! without its `CVSS:3.1/` gets it by `method`; `CVSSv3` is written for 3.0 and 3.1 alike and becomes 3.1.

mod json;
mod xml;

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::packages;
use crate::value::rating::{COMMON_WORDS, Rating};
use finding::{Finding, Kind, Location, Package};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "cyclonedx",
    tool: "cyclonedx",
    name: "CycloneDX",
    aliases: &["sbom", "cyclone-dx"],
    versions: "1.0 to 1.7",
    category: "SCA, SBOM, VEX",
    notation: Notation::Json,
    formats: "JSON and XML",
    severities: "CVSS (NVD's rating, else that of the vulnerability's source, else the first), else critical 9.5, high 8.0, medium 5.5, low 2.0, info or none 0; unknown unassigned",
    severity_words: COMMON_WORDS,
    differences: &[(
        "component_name",
        "with its group, as in the package's ecosystem: `org.dom4j:dom4j`, `@babel/core`; the name alone is not unique",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.value("bomFormat").is_some_and(|format| format.eq_ignore_ascii_case("CycloneDX"))
        || (sniff.root() == Some("bom")
            && (sniff.root_attribute("xmlns").is_some_and(is_namespace) || is_namespace(sniff.text())))
}

fn is_namespace(text: &str) -> bool {
    text.contains("cyclonedx.org/schema/bom")
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

/// The error of a bill of materials without a list of vulnerabilities.
const NO_LIST: &str =
    "the bill of materials has no list of vulnerabilities: it lists components, but says nothing about vulnerabilities";

/// The fields of a component that results use.
#[derive(Debug, Default, Clone)]
struct Component {
    group: Option<String>,
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    /// The file in which it was found, if a property names it.
    path: Option<String>,
}

impl Component {
    /// Stores a property with which a known tool gives the component's path.
    fn property(&mut self, name: &str, value: Option<String>) {
        let path_properties =
            ["aquasecurity:trivy:FilePath", "syft:location:0:path", "cdx:npm:package:path", "SrcFile"];
        if self.path.is_none() && path_properties.contains(&name) {
            self.path = value;
        }
    }

    fn package(&self) -> Package {
        let by_purl = self.purl.as_deref().and_then(packages::from_purl).unwrap_or_default();
        let name = match (&self.name, &self.group) {
            (None, _) => by_purl.name,
            // The package URL has the group too, in the spelling of the ecosystem.
            (Some(name), _) if by_purl.name.len() > name.len() && by_purl.name.ends_with(name) => by_purl.name,
            (Some(name), Some(group)) => {
                packages::named(if group.starts_with('@') { "npm" } else { "maven" }, Some(group), name)
            }
            (Some(name), None) => name.clone(),
        };
        let version = self.version.clone().or(by_purl.version);
        Package { name, version, ecosystem: by_purl.ecosystem, purl: self.purl.clone(), fixed_versions: vec![] }
    }
}

/// The components that vulnerabilities refer to, by their `bom-ref`.
type Components = BTreeMap<String, Component>;

/// The `bom-ref` in a reference, which may be a link into another document: `urn:cdx:SERIAL/VERSION#BOM-REF`.
fn bom_ref(reference: &str) -> String {
    match reference.strip_prefix("urn:cdx:").and_then(|link| link.split_once('#')) {
        Some((_, fragment)) => packages::decoded(fragment),
        None => reference.to_owned(),
    }
}

#[derive(Debug, Default)]
struct Vulnerability {
    id: Option<String>,
    source: Option<String>,
    aliases: Vec<String>,
    ratings: Vec<RawRating>,
    cwes: Vec<u32>,
    description: Option<String>,
    recommendation: Option<String>,
    references: Vec<String>,
    state: Option<String>,
    /// The reasons for the state.
    reasons: Vec<String>,
    affects: Vec<Affected>,
}

#[derive(Debug, Default)]
struct RawRating {
    source: Option<String>,
    score: Option<f64>,
    severity: Option<String>,
    method: Option<String>,
    vector: Option<String>,
}

#[derive(Debug, Default)]
struct Affected {
    /// The component's `bom-ref`, or a link to it; empty where the entry has none.
    reference: String,
    /// The versions that the entry names, each with its status, if it has one. Ranges are not compared.
    versions: Vec<(String, Option<String>)>,
}

impl Affected {
    /// The first version that is affected.
    fn version(&self) -> Option<&String> {
        let affected = |status: Option<&str>| status.is_none_or(|status| status == "affected");
        self.versions.iter().find(|(_, status)| affected(status.as_deref())).map(|(version, _)| version)
    }

    /// True if a version is listed as unaffected, and not as affected too.
    fn spares(&self, version: &str) -> bool {
        let mut own = self.versions.iter().filter(|(listed, _)| listed == version).peekable();
        own.peek().is_some() && own.all(|(_, status)| status.as_deref() == Some("unaffected"))
    }
}

/// Adds the components that a vulnerability refers to.
fn note_references(vulnerability: &Vulnerability, wanted: &mut BTreeSet<String>) {
    wanted.extend(vulnerability.affects.iter().map(|affected| bom_ref(&affected.reference)));
}

impl Vulnerability {
    /// Hands the results of one vulnerability to the collector.
    fn collect(&self, components: &Components, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        let closed = matches!(self.state.as_deref(), Some("resolved" | "resolved_with_pedigree"));
        let without = [None];
        let affects = self.affects.iter().map(Some);
        let affects = affects.chain(without.into_iter().filter(|_| self.affects.is_empty()));
        for affected in affects {
            match self.finding(affected, components) {
                Ok(_) if closed => collector.closed()?,
                result => collector.result(result)?,
            }
        }
        Ok(())
    }

    fn finding(&self, affected: Option<&Affected>, components: &Components) -> Result<Finding, String> {
        let id =
            self.id.as_ref().or_else(|| self.aliases.first()).ok_or("the vulnerability's `id` is missing")?.clone();
        let reference = affected.map(|affected| bom_ref(&affected.reference));
        if reference.as_deref() == Some("") {
            return Err(format!("`ref` is missing in a component that {id} affects"));
        }
        let component = reference.as_ref().and_then(|reference| components.get(reference));
        let package = affected.zip(reference).map(|(affected, reference)| {
            let by_component = component.map(Component::package).filter(|package| !package.name.is_empty());
            let package = by_component.or_else(|| packages::from_purl(&reference));
            let mut package = package.unwrap_or_else(|| Package { name: reference, ..Package::default() });
            package.version = package.version.or_else(|| affected.version().cloned());
            package
        });
        let message = package.as_ref().map_or_else(|| id.clone(), |package| packages::message(&id, package));
        let path = component.and_then(|component| component.path.clone());
        let suppressed = self.state.as_deref().filter(|state| matches!(*state, "not_affected" | "false_positive"));
        let own = package.as_ref().and_then(|package| package.version.as_deref());
        let spared = affected.zip(own).filter(|(affected, version)| affected.spares(version));
        let spared = spared.map(|(_, version)| format!("version {version} is listed as unaffected"));
        let mut finding = Finding {
            advisories: packages::unique([id.clone()].into_iter().chain(self.aliases.iter().cloned())),
            cwes: self.cwes.clone(),
            description: self.description.clone(),
            remediation: self.recommendation.clone(),
            references: self.references.clone(),
            package,
            location: path.map(Location::file),
            suppressed: suppressed
                .map(|state| {
                    [state].into_iter().chain(self.reasons.iter().map(String::as_str)).collect::<Vec<_>>().join(": ")
                })
                .or(spared),
            ..Finding::new(Kind::Dependency, id.clone(), id, message)
        };
        finding.raw.extend(self.state.clone().map(|state| ("analysis.state".to_owned(), state)));
        finding.raw.extend(self.source.clone().map(|source| ("source.name".to_owned(), source)));
        self.rating().apply(&mut finding);
        packages::remove_duplicates(&mut finding.cvss);
        Ok(finding)
    }

    fn rating(&self) -> Rating {
        let is_own = |rated: &RawRating| rated.source.is_some() && rated.source == self.source;
        let is_nvd =
            |rated: &RawRating| rated.source.as_deref().is_some_and(|source| source.eq_ignore_ascii_case("nvd"));
        let mut ratings: Vec<&RawRating> = self.ratings.iter().collect();
        ratings.sort_by_key(|rated| (!is_nvd(rated), !is_own(rated)));
        let words = || ratings.iter().filter(|rated| rated.severity.is_some());
        let word = words().find(|rated| is_own(rated)).or_else(|| words().next());
        let word = word.and_then(|rated| rated.severity.as_deref());
        ratings.iter().fold(SCANNER.rating(), |rating, rated| rated.add_to(rating)).word(word)
    }
}

impl RawRating {
    fn add_to(&self, rating: Rating) -> Rating {
        let method = self.method.as_deref().unwrap_or_default();
        let (version, prefix) = match method {
            "CVSSv2" => ("2.0", ""),
            "CVSSv3" | "CVSSv31" => ("3.1", "CVSS:3.1/"),
            "CVSSv4" => ("4.0", "CVSS:4.0/"),
            "" if self.vector.as_deref().is_some_and(|vector| vector.starts_with("CVSS:")) => ("", ""),
            // OWASP, SSVC and other methods have other scales.
            _ => return rating,
        };
        match self.vector.as_deref() {
            Some(vector) if vector.starts_with("CVSS:") => rating.vector(Some(vector), self.score),
            Some(vector) => rating.vector(Some(&format!("{prefix}{vector}")), self.score),
            None => rating.base(version, self.score),
        }
    }
}

#[cfg(test)]
mod tests;
