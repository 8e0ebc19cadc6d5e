//! pip-audit, <https://github.com/pypa/pip-audit>: known vulnerabilities of Python packages. Reads its JSON report
//! (`pip-audit -f json`): the object with `dependencies`, and the plain list that it wrote before version 2.5.
//!
//! Each entry of `vulns` is one result. A dependency with `skip_reason` could not be audited, for example because it is
//! not on PyPI; it counts as not applicable.
//!
//! Neither pip-audit nor PyPI's advisory database has severities. Every result has 5.5, medium.

use crate::Scanner;
use crate::reader::json::{self, Item, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{or_default, unique};
use crate::value::rating::score_of;
use finding::severity::ScoreSource;
use finding::{Finding, Kind, Package, Scored};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "pip-audit",
    tool: "pip-audit",
    name: "pip-audit",
    aliases: &[],
    versions: "1.0 to 2.10",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`pip-audit -f json`)",
    severities: "none in the report; every vulnerability is medium 5.5",
    severity_words: &[("vulnerable", 550)],
    differences: &[(
        "cwe",
        "empty: the report has no weakness; others use 1395 (depends on a vulnerable component) for all findings",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    ["dependencies[]", "[]"].iter().any(|list| {
        let has = |field: &str| sniff.has(&format!("{list}.{field}"));
        has("name") && ((has("version") && has("vulns")) || has("skip_reason"))
    }) || (sniff.has_all(&["dependencies", "fixes"]) && !sniff.has("dependencies[]"))
        || is_empty_object(sniff)
}

/// True for `{"dependencies": []}`, which pip-audit writes for an empty environment.
fn is_empty_object(sniff: &Sniff) -> bool {
    let text: String = sniff.text().chars().filter(|c| !c.is_whitespace()).take(30).collect();
    text == r#"{"dependencies":[]}"#
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    let path = if sniff.is_list() { "[]" } else { "dependencies[]" };
    let mut read = 0_u64;
    let seen = json::walk(input, &[path], &mut |item| dependency(&item, &mut read, collector))?;
    // Entries of another list have no name with `vulns` or `skip_reason`.
    let is_empty = !sniff.has("[]") || sniff.text().trim_start().trim_start_matches('[').trim_start().starts_with(']');
    collector.require(
        seen.has(0) && (read > 0 || (is_empty && (sniff.is_list() || detect(&sniff)))),
        "a pip-audit report is a list of dependencies with `vulns`, alone or as `dependencies`",
    )
}

fn dependency(item: &Item<'_>, read: &mut u64, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let dependency = match item.read::<RawDependency>() {
        Ok(dependency) => dependency,
        Err(reason) => return collector.rejected(reason),
    };
    let vulns = match (dependency.vulns, dependency.skip_reason) {
        (Some(vulns), _) => vulns,
        (None, Some(_)) => {
            *read += 1;
            return collector.not_applicable();
        }
        (None, None) => {
            return collector.rejected(format!("`{}` has neither `vulns` nor `skip_reason`", dependency.name));
        }
    };
    *read += 1;
    vulns.into_iter().try_for_each(|vulnerability| {
        let vulnerability = json::parse::<RawVulnerability>(vulnerability.get());
        collector.result(
            vulnerability
                .map(|vulnerability| vulnerability.into_finding(&dependency.name, dependency.version.as_ref()))
                .map_err(|error| error.to_string()),
        )
    })
}

#[derive(Deserialize)]
struct RawDependency {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: Option<Text>,
    vulns: Option<Vec<Box<RawValue>>>,
    #[serde(default, deserialize_with = "or_default")]
    skip_reason: Option<Text>,
}

#[derive(Deserialize)]
struct RawVulnerability {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    fix_versions: Vec<Text>,
}

impl RawVulnerability {
    fn into_finding(self, package: &str, version: Option<&Text>) -> Finding {
        let version = version.cloned().filled();
        let message = format!("{package} {} is vulnerable", version.as_deref().unwrap_or("of unknown version"));
        let fixed_versions = unique(self.fix_versions.into_iter().map(|version| version.0));
        Finding {
            advisories: unique([self.id.clone()].into_iter().chain(self.aliases)),
            description: self.description,
            remediation: (!fixed_versions.is_empty()).then(|| format!("Upgrade to {}.", fixed_versions.join(" or "))),
            score: score_of(SCANNER.severity_words, "vulnerable")
                .map(|score| Scored { score, source: ScoreSource::ScannerWord }),
            package: Some(Package {
                name: package.to_owned(),
                version,
                ecosystem: Some("pypi".to_owned()),
                purl: None,
                fixed_versions,
            }),
            ..Finding::new(Kind::Dependency, self.id.clone(), self.id, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const DEPENDENCIES: &str = r#"[{"name": "adal", "version": "1.2.2", "vulns": []},
        {"name": "private", "skip_reason": "Dependency not found on PyPI"},
        {"name": "jinja2", "version": "2.11.2", "vulns": [{"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"],
        "aliases": ["CVE-2020-28493", "GHSA-g3rq-g295-4j3m"], "description": "ReDoS"}, {"fix_versions": []}]}]"#;

    #[test]
    fn both_formats_give_the_same_findings() {
        let (new, parsed) =
            findings(&SCANNER, format!(r#"{{"fixes": [], "dependencies": {DEPENDENCIES}}}"#).as_bytes()).unwrap();
        let (old, _) = findings(&SCANNER, DEPENDENCIES.as_bytes()).unwrap();
        assert_eq!(new, old);
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.rejected, summary.not_applicable), (1, 1, 1));
        assert_eq!(new[0].advisories, ["PYSEC-2021-66", "CVE-2020-28493", "GHSA-g3rq-g295-4j3m"]);
        assert_eq!(new[0].package.as_ref().unwrap().fixed_versions, ["2.11.3"]);
        assert_eq!((new[0].severity(), &new[0].severity_word), (Severity::Medium, &None));
    }

    #[test]
    fn an_empty_environment_is_clean_and_a_list_of_other_things_is_not() {
        for clean in [r#"{"dependencies": []}"#, r#"{"dependencies": [], "fixes": []}"#, "[ ]"] {
            assert_eq!(findings(&SCANNER, clean.as_bytes()).unwrap().1.summary.results, 0, "{clean}");
        }
        for other in [r#"[{"a": 1}]"#, "[1]", r#"{"dependencies": [{"name": "a"}]}"#, r#"{"dependencies": [], "x": 1}"#]
        {
            assert!(failure(&SCANNER, other.as_bytes()).contains("a list of dependencies"), "{other}");
        }
    }
}
