//! npm audit of npm 7 and later, <https://docs.npmjs.com/cli/commands/npm-audit>: known vulnerabilities of an npm
//! project's dependencies. Reads `npm audit --json` (`auditReportVersion` 2).
//!
//! Each entry of `vulnerabilities` is one result: a package, however many advisories it has. Its `via` lists the
//! causes: advisories about the package itself, or names of packages that it depends on.
//!
//! The rule is the GitHub id of the worst advisory about the package. npm 6 reports the same id, so the issue stays the
//! same. All other advisories follow it. An entry that only depends on vulnerable packages (npm 6 does not report
//! those) has the advisories of these packages, directly or through others.
//!
//! The severity of an entry is the highest in its `via`, including packages, which have their own entries. So the score
//! is that of the worst advisory about the package itself: its CVSS, else npm's word. An entry without own advisories
//! has npm's word.

use crate::Scanner;
use crate::formats::npm_audit::RawCvss;
use crate::reader::json::{self, Many, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{github_id, keyed_by_rule, lower_bounds, or_default, unique};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT, base_score, score_of};
use finding::severity::Score;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "npm-audit-7",
    tool: "npm-audit",
    name: "npm audit",
    aliases: &["npm-audit-7-plus"],
    versions: "npm 7 to 11",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`npm audit --json` of npm 7 and later)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["auditReportVersion", "vulnerabilities"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut tree = Tree::default();
    let mut is_audit = false;
    let seen = json::walk(input, &["vulnerabilities{}", "auditReportVersion"], &mut |item| {
        match item.path {
            0 => {
                if let Ok(entry) = item.read::<RawEntry>() {
                    tree.add(item.name(0), &entry.via);
                }
            }
            _ => is_audit = true,
        }
        Ok(())
    })?;
    collector.require(
        seen.has(0) && is_audit,
        "a report of npm 7 or later has `auditReportVersion` and the object `vulnerabilities`",
    )?;
    if let Some(missing) = tree.missing() {
        collector.scanner_error(format!("the package `{missing}` of a `via` is missing in `vulnerabilities`"));
    }
    json::walk(input, &["vulnerabilities{}"], &mut |item| {
        collector.result(item.read::<RawEntry>().map(|entry| entry.into_finding(item.name(0), &tree)))
    })
    .map(drop)
}

/// The advisories and package names in each package's `via`.
#[derive(Default)]
struct Tree(BTreeMap<String, (Vec<RankedAdvisory>, Vec<String>)>);

/// An advisory's id, and its score in hundredths (0 without a score).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RankedAdvisory {
    id: String,
    score: u16,
}

impl Tree {
    fn add(&mut self, package: &str, via: &[RawVia]) {
        let advisories = via.iter().filter_map(RawVia::advisory).filter_map(|advisory| {
            let id = advisory.id()?;
            Some(RankedAdvisory { id, score: advisory.score().map_or(0, Score::hundredths) })
        });
        let names = via.iter().filter_map(RawVia::name).map(str::to_owned);
        self.0.insert(package.to_owned(), (advisories.collect(), names.collect()));
    }

    /// A package that a `via` names and that has no entry.
    fn missing(&self) -> Option<&str> {
        let mut named = self.0.values().flat_map(|(_, via)| via).map(String::as_str);
        named.find(|name| !self.0.contains_key(*name))
    }

    /// The advisories of these packages and of all packages in their `via`, transitively; the worst comes first.
    fn advisories_of(&self, names: &[&str]) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut visited: BTreeSet<&str> = names.iter().copied().collect();
        let mut open: Vec<&str> = names.to_vec();
        while let Some(name) = open.pop() {
            let Some((advisories, via)) = self.0.get(name) else { continue };
            found.extend(advisories.iter().cloned());
            open.extend(via.iter().map(String::as_str).filter(|name| visited.insert(name)));
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        unique(found.into_iter().map(|advisory| advisory.id))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    via: Vec<RawVia>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    is_direct: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    range: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    nodes: Many<String>,
    #[serde(default, deserialize_with = "or_default")]
    effects: Many<String>,
    #[serde(default, deserialize_with = "or_default")]
    fix_available: RawFix,
}

/// A cause for which a package is vulnerable: another package, or an advisory.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
enum RawVia {
    Name(String),
    Advisory(Box<RawAdvisory>),
}

impl TryFrom<Value> for RawVia {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(name) => Ok(Self::Name(name)),
            advisory @ Value::Object(_) => {
                let read = json::from_value::<Box<RawAdvisory>>(advisory)?;
                let is_named = read.id().is_some() || read.title.is_some();
                is_named.then_some(Self::Advisory(read)).ok_or_else(|| "an advisory in `via` has no id".to_owned())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                Err(format!("expected a name or an advisory in `via`, found {}", json::type_of(&other)))
            }
        }
    }
}

#[derive(Deserialize)]
struct RawAdvisory {
    #[serde(default, deserialize_with = "or_default")]
    source: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cwe: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    cvss: RawCvss,
    #[serde(default, deserialize_with = "or_default")]
    range: Option<String>,
}

/// The field `fixAvailable`: a boolean, or the package to install for the fix.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum RawFix {
    Known(bool),
    Install {
        name: String,
        version: Text,
        #[serde(default, rename = "isSemVerMajor")]
        is_major: bool,
    },
    #[default]
    Unknown,
}

impl RawVia {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Advisory(_) => None,
        }
    }

    fn advisory(&self) -> Option<&RawAdvisory> {
        match self {
            Self::Advisory(advisory) => Some(advisory),
            Self::Name(_) => None,
        }
    }
}

impl RawAdvisory {
    fn id(&self) -> Option<String> {
        let number = || self.source.clone().filled();
        self.url.as_deref().and_then(github_id).or_else(number)
    }

    /// Its CVSS score, else that of its word.
    fn score(&self) -> Option<Score> {
        let (vector, score) = self.cvss.parts();
        let computed = || base_score(vector?).ok().map(|(_, score)| score);
        let by_cvss = vector.and(score).and_then(Score::from_f64).or_else(computed);
        by_cvss.or_else(|| score_of(COMMON_WORDS, self.severity.as_deref()?))
    }
}

impl RawFix {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Known(true) => Some("Run `npm audit fix`.".to_owned()),
            Self::Known(false) => Some("There is no fix yet.".to_owned()),
            Self::Install { name, version, is_major } => {
                let warning = if *is_major { ", a new major version" } else { "" };
                Some(format!("Install {name}@{}{warning}.", version.0))
            }
            Self::Unknown => None,
        }
    }

    fn versions(&self, package: &str, range: Option<&str>) -> Vec<String> {
        match self {
            Self::Install { name, version, .. } if name == package => vec![version.0.clone()],
            Self::Known(true) | Self::Install { .. } => range.map(first_beyond).unwrap_or_default(),
            Self::Known(false) | Self::Unknown => vec![],
        }
    }
}

/// The first versions after an advisory's range, `<1.2.3` or `>=2.0.0 <2.1.4`. The advisory database ends a range with
/// `<` if a fixed version is released.
fn first_beyond(range: &str) -> Vec<String> {
    let ends = range.split([' ', '|']).filter_map(|part| part.strip_prefix('<').filter(|end| !end.starts_with('=')));
    ends.flat_map(lower_bounds).collect()
}

impl RawEntry {
    fn into_finding(self, package: &str, tree: &Tree) -> Finding {
        let names: Vec<&str> = self.via.iter().filter_map(RawVia::name).collect();
        let mut own: Vec<&RawAdvisory> = self.via.iter().filter_map(RawVia::advisory).collect();
        own.sort_by_key(|advisory| (std::cmp::Reverse(advisory.score()), advisory.id()));
        let worst = own.first().copied();
        let advisories = match worst {
            Some(_) => unique(own.iter().filter_map(|advisory| advisory.id())),
            None => tree.advisories_of(&names),
        };
        let title = match worst {
            Some(worst) => worst.title.clone().unwrap_or_else(|| "Vulnerability".to_owned()),
            None => format!("Depends on vulnerable versions of {}", names.join(", ")),
        };
        let rule = advisories.first().cloned().unwrap_or_else(|| title.clone());
        let message = match (&self.range, own.len()) {
            (Some(range), 0 | 1) => format!("{package} is vulnerable in the versions {range}"),
            (Some(range), several) => {
                format!("{package} is vulnerable in the versions {range}, by {several} advisories")
            }
            (None, _) => format!("{package} is vulnerable"),
        };
        let vulnerable = worst.and_then(|worst| worst.range.as_deref());
        let mut nodes = self.nodes.0.iter().map(|node| Location::file(node.clone()));
        let mut finding = Finding {
            cwes: cwe::numbers(own.iter().flat_map(|advisory| &advisory.cwe.0).map(|cwe| cwe.0.as_str())),
            references: unique(own.iter().filter_map(|advisory| advisory.url.clone())),
            remediation: self.fix_available.advice(),
            location: nodes.next(),
            other_locations: nodes.collect(),
            package: Some(Package {
                name: package.to_owned(),
                ecosystem: Some("npm".to_owned()),
                fixed_versions: self.fix_available.versions(package, vulnerable),
                ..Package::default()
            }),
            advisories,
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        if own.len() > 1 {
            let titles =
                own.iter().filter_map(|advisory| Some(format!("{}: {}", advisory.id()?, advisory.title.as_ref()?)));
            finding.description = Some(titles.collect::<Vec<_>>().join("\n"));
        }
        self.rate(&own, &mut finding);
        let raw = [
            ("via", Some(names.join(", "))),
            ("effects", Some(self.effects.0.join(", "))),
            ("range", self.range),
            ("isDirect", self.is_direct.map(|direct| direct.to_string())),
        ];
        let raw = raw.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
        finding.raw.extend(raw.map(|(name, value)| (name.to_owned(), value)));
        keyed_by_rule(finding)
    }

    /// Rates by the worst advisory. Vectors of the others are added only if the worst one has a vector of the same CVSS
    /// version; else the vector of a lesser advisory would count before the word of the worst one.
    fn rate(&self, own: &[&RawAdvisory], finding: &mut Finding) {
        let mut rating = SCANNER.rating();
        let major = |advisory: &RawAdvisory| base_score(advisory.cvss.parts().0?).ok()?.0.chars().next();
        let Some(worst) = own.first() else { return rating.word(self.severity.as_deref()).apply(finding) };
        for advisory in own.iter().filter(|advisory| major(worst).is_some() && major(advisory) == major(worst)) {
            let (vector, score) = advisory.cvss.parts();
            rating = rating.vector(vector, score);
        }
        let by_cvss = major(worst).is_some();
        let word =
            if by_cvss { self.severity.as_deref() } else { worst.severity.as_deref().or(self.severity.as_deref()) };
        rating.word(word).apply(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::{ScoreSource, Severity};

    fn report(entries: &str) -> Vec<u8> {
        format!(r#"{{"auditReportVersion": 2, "vulnerabilities": {{{entries}}}, "metadata": {{}}}}"#).into_bytes()
    }

    fn advisory(id: &str, severity: &str, cvss: &str, range: &str) -> String {
        format!(
            r#"{{"source": 1, "name": "n", "title": "About {id}", "url": "https://github.com/advisories/GHSA-{id}",
            "severity": "{severity}", "cwe": ["CWE-400"], "cvss": {cvss}, "range": "{range}"}}"#
        )
    }

    const NO_CVSS: &str = r#"{"score": 0, "vectorString": null}"#;
    const MEDIUM: &str = r#"{"score": 5.3, "vectorString": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}"#;
    const HIGH: &str = r#"{"score": 7.5, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}"#;

    #[test]
    fn a_package_is_one_finding_under_its_worst_advisory() {
        let via = [advisory("aaaa", "moderate", MEDIUM, "<1.5.0"), advisory("bbbb", "high", HIGH, ">=2.0.0 <2.6.9")];
        let entry = format!(
            r#""debug": {{"severity": "high", "via": [{}, "ms"], "range": "<=2.6.8", "isDirect": true, "nodes": ["node_modules/debug",
            "node_modules/express/node_modules/debug"], "fixAvailable": {{"name": "express", "version": "4.18.3", "isSemVerMajor": true}}}}"#,
            via.join(",")
        );
        let (findings, parsed) = findings(&SCANNER, &report(&entry)).unwrap();
        assert!(parsed.summary.adds_up() && findings.len() == 1);
        let finding = &findings[0];
        assert_eq!((finding.rule.as_str(), finding.title.as_str()), ("GHSA-bbbb", "About bbbb"));
        assert_eq!(finding.advisories, ["GHSA-bbbb", "GHSA-aaaa"]);
        let key: Vec<_> = finding.key.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(key[0], ("advisory", "GHSA-bbbb"), "the worst alone is the issue's name");
        assert_eq!(finding.score.map(|scored| scored.score.hundredths()), Some(750));
        assert_eq!(finding.cvss.len(), 2);
        assert_eq!(finding.other_locations[0].path, "node_modules/express/node_modules/debug");
        assert_eq!(finding.package.as_ref().unwrap().fixed_versions, ["2.6.9"]);
        assert_eq!(finding.remediation.as_deref(), Some("Install express@4.18.3, a new major version."));
        assert_eq!(finding.raw["via"], "ms");
    }

    #[test]
    fn a_critical_advisory_without_cvss_is_not_outweighed_by_a_lesser_one_with_it() {
        let via = [advisory("aaaa", "moderate", MEDIUM, "<1"), advisory("bbbb", "critical", NO_CVSS, "<1")];
        let entry = format!(r#""a": {{"severity": "critical", "via": [{}]}}"#, via.join(","));
        let (findings, _) = findings(&SCANNER, &report(&entry)).unwrap();
        assert_eq!(findings[0].rule, "GHSA-bbbb");
        assert_eq!(findings[0].score.map(|scored| scored.source), Some(ScoreSource::ScannerWord));
        assert_eq!(findings[0].severity(), Severity::Critical);
    }

    #[test]
    fn a_package_that_depends_on_vulnerable_ones_has_their_advisories_in_any_order() {
        let entries = format!(
            r#""app": {{"severity": "high", "via": ["lib"]}}, "lib": {{"severity": "high", "via": ["root", "app"]}},
            "root": {{"severity": "high", "via": [{}], "fixAvailable": false}}"#,
            advisory("aaaa", "high", NO_CVSS, "<1")
        );
        let (findings, _) = findings(&SCANNER, &report(&entries)).unwrap();
        let rules: Vec<_> = findings.iter().map(|finding| (finding.rule.as_str(), finding.title.as_str())).collect();
        let expected = [
            ("GHSA-aaaa", "Depends on vulnerable versions of lib"),
            ("GHSA-aaaa", "Depends on vulnerable versions of root, app"),
            ("GHSA-aaaa", "About aaaa"),
        ];
        assert_eq!(rules, expected);
        assert!(findings[2].package.as_ref().unwrap().fixed_versions.is_empty());
    }

    #[test]
    fn an_entry_without_its_cause_is_rejected_and_a_report_without_its_version_refused() {
        let (_, parsed) = findings(&SCANNER, &report(r#""a": {"severity": "high"}, "b": {"via": [5]}"#)).unwrap();
        assert_eq!((parsed.summary.rejected, parsed.summary.findings), (2, 0));
        assert!(failure(&SCANNER, br#"{"vulnerabilities": {}}"#).contains("auditReportVersion"));
    }
}
