//! cargo audit, <https://github.com/rustsec/rustsec/tree/main/cargo-audit>: advisories of the RustSec database about
//! the crates in a Cargo.lock. Reads its JSON report (`cargo audit --json`), as versions 0.11 to 0.22 write it.
//!
//! Each vulnerability and each warning is one result. Warnings report crates that are unmaintained, unsound or yanked,
//! or a notice; `cargo audit` lists them and still succeeds, unless `--deny` is given. A yanked version has no
//! advisory; its rule is `yanked`.
//!
//! The score is that of the advisory's CVSS vector. Without a vector, the kind of result decides: `cargo audit` fails
//! because of vulnerabilities and only warns of the others.

use crate::Scanner;
use crate::reader::json::{self, Item, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{lower_bounds, or_default, unique};
use finding::{Finding, Kind, Package};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "cargo-audit",
    tool: "cargo-audit",
    name: "cargo audit",
    aliases: &["rustsec"],
    versions: "0.11 to 0.22",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`cargo audit --json`)",
    severities: "the advisory's CVSS; without it vulnerability 8.0, unmaintained, unsound and yanked 2.0, notice 0: cargo audit fails because of the first and warns of the others",
    severity_words: &[("vulnerability", 800), ("unsound", 200), ("unmaintained", 200), ("yanked", 200), ("notice", 0)],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["vulnerabilities.list", "lockfile"])
        || sniff.has_all(&["vulnerabilities.list", "settings"])
        || sniff.has_all(&["vulnerabilities.list[].advisory", "vulnerabilities.list[].package"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["vulnerabilities.list[]", "warnings{}[]", "warnings[]", "lockfile", "settings", "??:database"];
    let mut has_marker = false;
    let mut read = 0_u64;
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => read_entry(&item, Some("vulnerability"), &mut read, collector),
        1 => {
            let kind = item.name(0).to_owned();
            read_entry(&item, Some(&kind), &mut read, collector)
        }
        2 => read_entry(&item, None, &mut read, collector),
        _ => {
            has_marker = true;
            Ok(())
        }
    })?;
    seen.report_missing(collector);
    collector.require(
        seen.has(0) && (has_marker || read > 0),
        "a cargo audit report has `lockfile`, `settings` and the list `vulnerabilities.list`",
    )
}

fn read_entry(
    item: &Item<'_>,
    kind: Option<&str>,
    read: &mut u64,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let entry = item.read::<RawEntry>();
    *read += u64::from(entry.is_ok());
    collector.result(entry.and_then(|entry| match &entry.advisory {
        None if kind == Some("vulnerability") => Err("`advisory` is missing".to_owned()),
        Some(_) | None => Ok(entry.into_finding(kind)),
    }))
}

#[derive(Deserialize)]
struct RawEntry {
    package: RawPackage,
    advisory: Option<RawAdvisory>,
    #[serde(default, deserialize_with = "or_default")]
    versions: RawVersions,
    #[serde(default, deserialize_with = "or_default")]
    affected: RawAffected,
    #[serde(default, deserialize_with = "or_default")]
    kind: RawKind,
}

/// The kind of a warning. Old versions wrote the advisory inside it.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum RawKind {
    Word(String),
    With(BTreeMap<String, RawKindDetails>),
    #[default]
    None,
}

#[derive(Deserialize)]
struct RawKindDetails {
    advisory: Option<RawAdvisory>,
    #[serde(default, deserialize_with = "or_default")]
    versions: RawVersions,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    source: Option<String>,
}

#[derive(Deserialize)]
struct RawAdvisory {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    related: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    categories: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    informational: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    references: Vec<String>,
}

#[derive(Default, Deserialize)]
struct RawVersions {
    #[serde(default, deserialize_with = "or_default")]
    patched: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    unaffected: Vec<String>,
}

#[derive(Default, Deserialize)]
struct RawAffected {
    #[serde(default, deserialize_with = "or_default")]
    functions: BTreeMap<String, serde::de::IgnoredAny>,
}

impl RawEntry {
    fn into_finding(self, kind: Option<&str>) -> Finding {
        let (mut advisory, mut versions) = (self.advisory, self.versions);
        let mut word = kind.map(str::to_owned);
        match self.kind {
            RawKind::Word(own) => word = word.or(Some(own)),
            RawKind::With(inside) => {
                for (own, inside) in inside {
                    word = word.or(Some(own));
                    advisory = advisory.or(inside.advisory);
                    versions = inside.versions;
                }
            }
            RawKind::None => {}
        }
        // In a list of warnings of the kind `informational`, the advisory states the actual kind.
        let informational = advisory.as_ref().and_then(|advisory| advisory.informational.clone());
        let kind = informational.or(word).unwrap_or_else(|| "warning".to_owned());
        let version = self.package.version.filled();
        let name = self.package.name;
        let of = format!("{name} {}", version.as_deref().unwrap_or("of unknown version"));
        let message = match kind.as_str() {
            "vulnerability" => format!("{of} is vulnerable"),
            "notice" => format!("{of} has a notice"),
            kind => format!("{of} is {kind}"),
        };
        let title = advisory.as_ref().and_then(|advisory| advisory.title.clone());
        let title = title.unwrap_or_else(|| format!("The version is {kind}"));
        let rule = advisory.as_ref().map_or_else(|| kind.clone(), |advisory| advisory.id.clone());
        let solution = (!versions.patched.is_empty()).then(|| format!("Upgrade to {}.", versions.patched.join(" or ")));
        let mut finding = Finding {
            remediation: solution,
            package: Some(Package {
                name,
                version,
                ecosystem: Some("cargo".to_owned()),
                purl: None,
                fixed_versions: unique(versions.patched.iter().flat_map(|patched| lower_bounds(patched))),
            }),
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        let functions: Vec<String> = self.affected.functions.into_keys().collect();
        let mut raw = vec![
            ("patched", versions.patched.join(", ")),
            ("unaffected", versions.unaffected.join(", ")),
            ("functions", functions.join(", ")),
            ("source", self.package.source.unwrap_or_default()),
        ];
        let mut rating = SCANNER.rating().word(Some(&kind));
        if let Some(advisory) = advisory {
            rating = rating.vector(advisory.cvss.as_deref(), None);
            finding.advisories = unique([advisory.id].into_iter().chain(advisory.aliases));
            finding.description = advisory.description;
            finding.references = unique(advisory.url.into_iter().chain(advisory.references));
            raw.extend([("categories", advisory.categories.join(", ")), ("related", advisory.related.join(", "))]);
        }
        let raw = raw.into_iter().filter(|(_, value)| !value.is_empty());
        finding.raw = raw.map(|(name, value)| (name.to_owned(), value)).collect();
        rating.apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::ScoreSource;

    fn report(vulnerabilities: &str, warnings: &str) -> Vec<u8> {
        format!(
            r#"{{"lockfile": {{}}, "settings": {{}}, "warnings": {warnings},
            "vulnerabilities": {{"found": true, "count": 1, "list": [{vulnerabilities}]}}}}"#
        )
        .into_bytes()
    }

    const PACKAGE: &str = r#""package": {"name": "notes-core", "version": "0.4.7", "source": null}"#;

    #[test]
    fn vulnerabilities_and_warnings_of_every_kind_are_findings() {
        let vulnerability = format!(
            r#"{{{PACKAGE}, "advisory": {{"id": "RUSTSEC-2020-0091", "title": "Dangling reference", "aliases": ["CVE-2020-35711"],
            "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "url": "https://a.example"}},
            "versions": {{"patched": [">=1.1.0", ">=0.4.8, <1.0.0-0"], "unaffected": []}},
            "affected": {{"functions": {{"notes_core::Map": ["<1"]}}}}}}"#
        );
        let warnings = format!(
            r#"{{"unmaintained": [{{"kind": "unmaintained", {PACKAGE}, "advisory": {{"id": "RUSTSEC-2021-0001", "informational": "unmaintained"}}}}],
            "yanked": [{{"kind": "yanked", {PACKAGE}, "advisory": null, "versions": null}}]}}"#
        );
        let (findings, parsed) = findings(&SCANNER, &report(&vulnerability, &warnings)).unwrap();
        assert!(parsed.summary.is_complete());
        let mut short: Vec<_> = findings
            .iter()
            .map(|f| {
                (f.rule.as_str(), f.message.as_str(), f.score.map(|scored| (scored.score.hundredths(), scored.source)))
            })
            .collect();
        short.sort();
        let expected = [
            ("RUSTSEC-2020-0091", "notes-core 0.4.7 is vulnerable", Some((750, ScoreSource::CvssV3))),
            ("RUSTSEC-2021-0001", "notes-core 0.4.7 is unmaintained", Some((200, ScoreSource::ScannerWord))),
            ("yanked", "notes-core 0.4.7 is yanked", Some((200, ScoreSource::ScannerWord))),
        ];
        assert_eq!(short, expected);
        let first = findings.iter().find(|f| f.rule == "RUSTSEC-2020-0091").unwrap();
        assert_eq!(first.package.as_ref().unwrap().fixed_versions, ["1.1.0", "0.4.8"]);
        assert_eq!(first.raw["functions"], "notes_core::Map");
    }

    #[test]
    fn warnings_of_old_versions_are_a_list() {
        let warnings = format!(
            r#"[{{"kind": {{"informational": {{"advisory": {{"id": "RUSTSEC-2019-0001", "informational": "unsound"}},
            "versions": {{"patched": [">= 1.2"]}}}}}}, {PACKAGE}}}, {{"kind": "yanked", {PACKAGE}}}, {{}}]"#
        );
        let (findings, parsed) = findings(&SCANNER, &report("", &warnings)).unwrap();
        let short: Vec<_> = findings.iter().map(|f| (f.rule.as_str(), f.severity_word.as_deref())).collect();
        assert_eq!(short, [("RUSTSEC-2019-0001", Some("unsound")), ("yanked", Some("yanked"))]);
        assert_eq!(parsed.summary.rejected, 1);
    }

    #[test]
    fn a_list_of_vulnerabilities_alone_is_no_evidence() {
        assert!(failure(&SCANNER, br#"{"vulnerabilities": {"list": []}}"#).contains("`lockfile`"));
    }
}
