//! OSV-Scanner, <https://google.github.io/osv-scanner/>: known vulnerabilities of dependencies and of what images
//! contain, by the OSV database. Reads its JSON report (`osv-scanner --format json`), as versions 1 and 2 write it.
//!
//! Each vulnerability of each package is one result, and so is each licence that is not allowed. The report can list
//! one vulnerability several times, under its ids in several databases; `groups` lists the ids that are aliases. Each
//! result has all of them, so they are one issue.
//!
//! The score is the advisory's CVSS (v4, v3, v2), else the highest of its group (`max_severity`), else that of the
//! database's word. The result of the call analysis (`experimental_analysis`) is stored, but changes nothing.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{or_default, outermost, unique};
use crate::value::osv::Entry;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "osv-scanner",
    tool: "osv-scanner",
    name: "OSV-Scanner",
    aliases: &["osv", "google-osv-scanner"],
    versions: "1.0 to 2.2",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`--format json`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has("results[].packages[].vulnerabilities")
        || sniff.has("results[].packages[].groups")
        || sniff.has_all(&["results[].packages[].package.ecosystem", "results[].source"])
        || (sniff.has_all(&["results", "experimental_config"]) && is_clean(sniff))
}

/// True for a report without results, which has only fields that OSV-Scanner writes.
fn is_clean(sniff: &Sniff) -> bool {
    const FIELDS: [&str; 4] = ["experimental_config", "image_metadata", "license_summary", "results"];
    let text: String = sniff.text().chars().filter(|c| !c.is_whitespace()).take(20).collect();
    let fields = outermost(sniff).unwrap_or_default();
    let known = fields.iter().all(|field| FIELDS.contains(&field.as_str()));
    known && ((fields.len() > 1 && sniff.has("results")) || text == r#"{"results":[]}"#)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let index = PackageIndex::read(input, collector)?;
    collector.require(
        !index.packages.is_empty() || is_clean(&Sniff::of(input)?),
        "an OSV-Scanner report has the list `results`, each with `source` and `packages`",
    )?;
    let paths = [
        "results[].packages![].vulnerabilities[]",
        "results[].packages[].license_violations[]",
        "?results[].packages[]:groups dependency_groups",
        "?results[]:",
    ];
    let groups = index.groups.iter().filter(|(_, groups)| !groups.is_empty());
    let mut with_groups: BTreeSet<(usize, usize)> = groups.map(|(at, _)| *at).collect();
    let seen = json::walk(input, &paths, &mut |item| {
        let at = (item.index(0), item.index(1));
        let package = index.package(at.0, at.1);
        if item.path == 0 {
            with_groups.remove(&at);
        }
        match item.path {
            0 => collector.result(item.read::<Entry>().map(|entry| package.vulnerability(&entry))),
            _ => collector.result(item.read::<Text>().map(|license| package.license(license.0))),
        }
    })?;
    seen.report_missing(collector);
    for (source, package) in with_groups {
        collector.rejected(format!(
            "package {} of source {} has `groups`, but no `vulnerabilities`",
            package + 1,
            source + 1
        ))?;
    }
    Ok(())
}

/// The data about sources and packages that results need, by the indices of the source and the package.
#[derive(Default)]
struct PackageIndex {
    sources: BTreeMap<usize, RawSource>,
    packages: BTreeMap<(usize, usize), RawPackage>,
    groups: BTreeMap<(usize, usize), Vec<RawGroup>>,
    uses: BTreeMap<(usize, usize), Vec<Text>>,
}

impl PackageIndex {
    fn read(input: Input<'_>, collector: &mut Collector<'_>) -> Result<Self, ParseError> {
        let mut index = Self::default();
        let paths = [
            "results[].source",
            "results[].packages[].package",
            "results[].packages[].groups",
            "results[].packages[].dependency_groups",
        ];
        json::walk(input, &paths, &mut |item| {
            let at = (item.index(0), item.index(1));
            match item.path {
                0 => drop(index.sources.insert(at.0, item.context("a `source`", collector))),
                1 => drop(index.packages.insert(at, item.context("a `package`", collector))),
                2 => drop(index.groups.insert(at, item.context("`groups` of a package", collector))),
                _ => drop(index.uses.insert(at, item.context("`dependency_groups` of a package", collector))),
            }
            Ok(())
        })?;
        Ok(index)
    }

    fn package(&self, source: usize, package: usize) -> PackageContext<'_> {
        PackageContext {
            source: self.sources.get(&source),
            package: self.packages.get(&(source, package)),
            groups: self.groups.get(&(source, package)).map(Vec::as_slice).unwrap_or_default(),
            uses: self.uses.get(&(source, package)).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

/// The data about one package in one source.
struct PackageContext<'c> {
    source: Option<&'c RawSource>,
    package: Option<&'c RawPackage>,
    groups: &'c [RawGroup],
    uses: &'c [Text],
}

#[derive(Default, Deserialize)]
struct RawSource {
    #[serde(default, deserialize_with = "or_default")]
    path: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawPackage {
    #[serde(default, deserialize_with = "or_default")]
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    version: Text,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: Text,
    #[serde(default, deserialize_with = "or_default")]
    commit: Text,
}

/// A group of ids that are aliases of each other.
#[derive(Default, Deserialize)]
struct RawGroup {
    #[serde(default, deserialize_with = "or_default")]
    ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    max_severity: Number,
    #[serde(default, alias = "experimentalAnalysis", deserialize_with = "or_default")]
    experimental_analysis: BTreeMap<String, RawAnalysis>,
}

#[derive(Default, Deserialize)]
struct RawAnalysis {
    #[serde(default, deserialize_with = "or_default")]
    called: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    unimportant: Option<bool>,
}

impl PackageContext<'_> {
    fn path(&self) -> Option<&str> {
        self.source?.path.as_deref().filled()
    }

    /// The package. Its name is missing if only a commit is known; then it is the advisory's package, else the path.
    fn package(&self, entry: Option<&Entry>) -> Package {
        let text = |field: fn(&RawPackage) -> &Text| self.package.and_then(|package| field(package).clone().filled());
        let named = text(|package| &package.name);
        let name = named.or_else(|| entry.and_then(Entry::package).map(str::to_owned));
        let name = name.or_else(|| self.path().map(str::to_owned)).unwrap_or_default();
        let version = text(|package| &package.version).or_else(|| text(|package| &package.commit));
        let purl = entry.and_then(|entry| entry.purl(&name)).map(|purl| match &version {
            Some(version) if !purl.contains(['@', '?', '#']) => format!("{purl}@{version}"),
            Some(_) | None => purl.to_owned(),
        });
        let fixed_versions = entry.map(|entry| entry.fixed_versions(&name)).unwrap_or_default();
        let ecosystem = text(|package| &package.ecosystem).map(|ecosystem| ecosystem.to_lowercase());
        Package { name, version, ecosystem, purl, fixed_versions }
    }

    fn location(&self) -> Option<Location> {
        self.path().map(Location::file)
    }

    fn vulnerability(&self, entry: &Entry) -> Finding {
        let package = self.package(Some(entry));
        let group = self.groups.iter().find(|group| group.ids.contains(&entry.id) || group.aliases.contains(&entry.id));
        let ids = [entry.id.clone()].into_iter().chain(entry.aliases.iter().cloned());
        let ids = ids.chain(group.into_iter().flat_map(|group| group.ids.iter().chain(&group.aliases)).cloned());
        let title = entry.summary.clone().filled();
        let message = format!("{} {} is vulnerable", package.name, package.version.as_deref().unwrap_or_default());
        let solution = package.fixed_versions.join(" or ");
        let rating = entry.rate(&package.name, SCANNER.rating());
        let mut finding = Finding {
            advisories: unique(ids),
            cwes: entry.cwes(),
            description: entry.details.clone(),
            remediation: (!solution.is_empty()).then(|| format!("Upgrade to {solution}.")),
            references: entry.references(),
            location: self.location(),
            package: Some(package),
            ..Finding::new(
                Kind::Dependency,
                entry.id.clone(),
                title.unwrap_or_else(|| entry.id.clone()),
                message.trim_end(),
            )
        };
        rating.own(group.and_then(|group| group.max_severity.0)).apply(&mut finding);
        let analysis = group.and_then(|group| group.experimental_analysis.get(&entry.id));
        let uses: Vec<&str> = self.uses.iter().map(|used| used.0.as_str()).collect();
        let raw = [
            ("called", analysis.and_then(|analysis| analysis.called).map(|called| called.to_string())),
            ("unimportant", analysis.and_then(|analysis| analysis.unimportant).map(|yes| yes.to_string())),
            ("dependency_groups", Some(uses.join(", "))),
            ("upstream", Some(entry.upstream.join(", "))),
            ("source_type", self.source.and_then(|source| source.kind.clone())),
        ];
        let raw = raw.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        finding.raw.extend(raw.map(|(name, value)| (name.to_owned(), value)));
        finding
    }

    fn license(&self, license: String) -> Finding {
        let package = self.package(None);
        let message = format!("{} is under {license}, which is not allowed", package.name);
        Finding {
            location: self.location(),
            package: Some(package),
            ..Finding::new(Kind::License, license.clone(), format!("Licence {license} is not allowed"), message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::ScoreSource;

    #[test]
    fn a_vulnerability_has_its_aliases_and_path_in_any_order_of_fields() {
        let text = r#"{"results": [{"packages": [{"vulnerabilities": [
            {"id": "PYSEC-2021-66", "aliases": ["CVE-2020-28493"], "affected": [{"package": {"name": "jinja2", "purl": "pkg:pypi/jinja2"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "2.11.3"}]}]}]}, {"no": "id"}],
            "license_violations": ["GPL-3.0"], "dependency_groups": ["dev"],
            "groups": [{"ids": ["PYSEC-2021-66"], "aliases": ["GHSA-g3rq-g295-4j3m"], "max_severity": "5.3",
                "experimental_analysis": {"PYSEC-2021-66": {"called": false}}}],
            "package": {"name": "jinja2", "version": "2.11.2", "ecosystem": "PyPI"}}],
            "source": {"path": "/src/poetry.lock", "type": "lockfile"}}]}"#;
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (2, 1));
        let finding = &findings[0];
        assert_eq!(finding.advisories, ["PYSEC-2021-66", "CVE-2020-28493", "GHSA-g3rq-g295-4j3m"]);
        assert_eq!(
            finding.score.map(|scored| (scored.score.hundredths(), scored.source)),
            Some((530, ScoreSource::ScannerScore))
        );
        assert_eq!(finding.location.as_ref().map(|location| location.path.as_str()), Some("/src/poetry.lock"));
        let package = finding.package.as_ref().unwrap();
        assert_eq!(
            (package.purl.as_deref(), package.ecosystem.as_deref()),
            (Some("pkg:pypi/jinja2@2.11.2"), Some("pypi"))
        );
        assert_eq!((finding.raw["called"].as_str(), finding.raw["dependency_groups"].as_str()), ("false", "dev"));
        assert_eq!((findings[1].kind, findings[1].rule.as_str()), (Kind::License, "GPL-3.0"));
    }

    #[test]
    fn a_package_with_only_a_commit_is_named_after_the_advisory_or_the_path() {
        let text = r#"{"results": [{"source": {"path": "/src/zlib", "type": "git"}, "packages": [{"package": {"name": "", "version": "",
            "ecosystem": "", "commit": "9d538"}, "vulnerabilities": [{"id": "OSV-2020-1"}]}]}]}"#;
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let package = findings[0].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("/src/zlib", Some("9d538")));
        assert!(package.ecosystem.is_none() && findings[0].score.is_none());
    }

    #[test]
    fn an_empty_list_is_clean_only_with_fields_of_osv_scanner() {
        for clean in [r#"{"results": []}"#, r#"{"results": [], "experimental_config": {"licenses": {}}}"#] {
            assert_eq!(findings(&SCANNER, clean.as_bytes()).unwrap().1.summary.results, 0, "{clean}");
        }
        let other = r#"{"results": [{"id": 1}]}"#;
        assert!(failure(&SCANNER, other.as_bytes()).contains("an OSV-Scanner report"));
    }
}
