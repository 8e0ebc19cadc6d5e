//! The export of vulnerable dependencies from Semgrep's platform.

use super::{SCANNER, add_raw};
use crate::reader::json::Loose;
use crate::reader::json::{Many, Number, Text};
use crate::value::cwe;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;

/// An entry of `vulns[]`.
#[derive(Deserialize)]
pub(super) struct RawVulnerability {
    title: Loose<Text>,
    advisory: RawAdvisory,
    #[serde(rename = "exposureType")]
    exposure: Loose<Text>,
    #[serde(rename = "matchedDependency")]
    matched: RawDependency,
    #[serde(rename = "closestSafeDependency")]
    safe: Loose<RawDependency>,
    #[serde(rename = "dependencyFileLocation")]
    file: Loose<RawFile>,
    triage: Loose<RawTriage>,
    transitivity: Loose<Text>,
    #[serde(rename = "repositoryName")]
    repository: Loose<Text>,
}

#[derive(Deserialize)]
struct RawAdvisory {
    #[serde(rename = "ruleId")]
    rule: String,
    title: Loose<Text>,
    description: Loose<Text>,
    ecosystem: Loose<Text>,
    severity: Loose<Text>,
    references: Loose<RawReferences>,
}

#[derive(Deserialize, Default)]
struct RawReferences {
    #[serde(rename = "cveIds")]
    cves: Loose<Many<Text>>,
    #[serde(rename = "cweIds")]
    cwes: Loose<Many<Text>>,
    urls: Loose<Many<Text>>,
}

#[derive(Deserialize)]
struct RawDependency {
    name: String,
    #[serde(rename = "versionSpecifier")]
    version: Loose<Text>,
}

#[derive(Deserialize)]
struct RawFile {
    path: Loose<Text>,
    #[serde(rename = "startLine")]
    line: Loose<Number>,
}

#[derive(Deserialize)]
struct RawTriage {
    status: Loose<Text>,
    #[serde(rename = "dismissReason")]
    reason: Loose<Text>,
}

impl RawTriage {
    fn suppressed(self) -> Option<String> {
        let status = self.status.filled().filter(|status| ["IGNORED", "DISMISSED"].contains(&status.as_str()))?;
        match self.reason.filled().filter(|reason| reason != "UNKNOWN_REASON") {
            Some(reason) => Some(format!("{status}: {reason}")),
            None => Some(status),
        }
    }
}

impl RawVulnerability {
    /// True if the vulnerability was fixed.
    pub(super) fn is_fixed(&self) -> bool {
        self.triage.0.as_ref().is_some_and(|triage| triage.status.is("FIXED"))
    }

    /// Turns the entry into a finding.
    pub(super) fn into_finding(self) -> Finding {
        let RawAdvisory { rule, title, description, ecosystem, severity, references } = self.advisory;
        let references = references.0.unwrap_or_default();
        let title = title.filled().or(self.title.filled()).unwrap_or_else(|| rule.clone());
        let version = self.matched.version.filled();
        let message = format!("{} {}: {title}", self.matched.name, version.as_deref().unwrap_or_default());
        let mut finding = Finding {
            advisories: references.cves.texts(),
            cwes: cwe::numbers(references.cwes.texts().iter().map(String::as_str)),
            references: references.urls.texts(),
            description: description.filled(),
            location: self.file.0.and_then(|file| Some(Location::lines(file.path.filled()?, file.line.line(), None))),
            suppressed: self.triage.0.and_then(RawTriage::suppressed),
            package: Some(Package {
                fixed_versions: self.safe.0.and_then(|safe| safe.version.filled()).into_iter().collect(),
                name: self.matched.name,
                version,
                ecosystem: ecosystem.filled(),
                purl: None,
            }),
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        let kept = [
            ("exposureType", self.exposure.filled()),
            ("transitivity", self.transitivity.filled()),
            ("repositoryName", self.repository.filled()),
        ];
        add_raw(&mut finding, kept);
        SCANNER.rating().word(severity.as_str()).apply(&mut finding);
        finding
    }
}
