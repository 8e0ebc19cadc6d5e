//! An advisory in the Open Source Vulnerability format, <https://ossf.github.io/osv-schema/>, which reports of
//! OSV-Scanner and govulncheck contain.

use crate::reader::json::Text;
use crate::value::advisory::{or_default, unique};
use crate::value::cwe;
use crate::value::rating::Rating;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) upstream: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) summary: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) details: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Severities,
    #[serde(default, deserialize_with = "or_default")]
    affected: Vec<Affected>,
    #[serde(default, deserialize_with = "or_default")]
    references: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    database_specific: Specific,
}

/// CVSS vectors and other ratings by their kind, or a single word, which is not in the schema.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Severities {
    List(Vec<Severity>),
    Word(String),
    #[default]
    None,
}

#[derive(Debug, Deserialize)]
struct Severity {
    #[serde(rename = "type")]
    kind: String,
    score: Text,
}

#[derive(Debug, Default, Deserialize)]
struct Affected {
    #[serde(default, deserialize_with = "or_default")]
    package: AffectedPackage,
    #[serde(default, deserialize_with = "or_default")]
    severity: Severities,
    #[serde(default, deserialize_with = "or_default")]
    ranges: Vec<Range>,
    #[serde(default, deserialize_with = "or_default")]
    database_specific: Specific,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem_specific: Specific,
}

#[derive(Debug, Default, Deserialize)]
struct AffectedPackage {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    purl: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Range {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    events: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
struct Event {
    #[serde(default, deserialize_with = "or_default")]
    fixed: Option<Text>,
}

/// The fields that a database adds: GitHub a severity word and weaknesses, others weaknesses in another form.
#[derive(Debug, Default, Deserialize)]
struct Specific {
    #[serde(default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cwe_ids: Vec<Text>,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<Weakness>,
    #[serde(default, deserialize_with = "or_default")]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Weakness {
    Named {
        #[serde(rename = "cweId")]
        id: Text,
    },
    Id(Text),
}

#[derive(Debug, Deserialize)]
struct Reference {
    url: String,
}

impl Entry {
    /// The affected packages with this name, or all if none has it.
    fn affected_by_name(&self, package: &str) -> Vec<&Affected> {
        // A repository or a package of a Go module has no entry by its own name: all entries are about it.
        let is_named = |affected: &&Affected| affected.package.name.eq_ignore_ascii_case(package);
        let named: Vec<_> = self.affected.iter().filter(is_named).collect();
        if named.is_empty() { self.affected.iter().collect() } else { named }
    }

    /// The versions in which the vulnerability of a package is fixed, without commits.
    pub(crate) fn fixed_versions(&self, package: &str) -> Vec<String> {
        let ranges = self
            .affected_by_name(package)
            .into_iter()
            .flat_map(|affected| &affected.ranges)
            .filter(|range| range.kind != "GIT");
        unique(ranges.flat_map(|range| &range.events).filter_map(|event| Some(event.fixed.as_ref()?.0.clone())))
    }

    /// The name of the first affected package.
    pub(crate) fn package(&self) -> Option<&str> {
        self.affected.iter().map(|affected| affected.package.name.as_str()).find(|name| !name.is_empty())
    }

    /// The package URL of a package.
    pub(crate) fn purl(&self, package: &str) -> Option<&str> {
        self.affected_by_name(package).into_iter().find_map(|affected| affected.package.purl.as_deref())
    }

    /// All addresses, each once.
    pub(crate) fn references(&self) -> Vec<String> {
        let more = self.database_specific.url.iter().cloned();
        unique(more.chain(self.references.iter().map(|reference| reference.url.clone())))
    }

    /// All weaknesses, each once.
    pub(crate) fn cwes(&self) -> Vec<u32> {
        let more =
            self.affected.iter().flat_map(|affected| [&affected.database_specific, &affected.ecosystem_specific]);
        let specifics = [&self.database_specific].into_iter().chain(more);
        cwe::numbers(specifics.flat_map(|specific| {
            let named = specific.cwes.iter().map(|weakness| match weakness {
                Weakness::Named { id } | Weakness::Id(id) => id.0.as_str(),
            });
            specific.cwe_ids.iter().map(|id| id.0.as_str()).chain(named)
        }))
    }

    /// Adds its CVSS vectors and its severity word to a rating. Without vectors for all packages, those of the package
    /// count.
    pub(crate) fn rate(&self, package: &str, mut rating: Rating) -> Rating {
        let is_rated = matches!(&self.severity, Severities::List(list) if !list.is_empty());
        let own = is_rated.then_some(&self.severity).into_iter();
        let package = self
            .affected_by_name(package)
            .into_iter()
            .take(if is_rated { 0 } else { 1 })
            .map(|affected| &affected.severity);
        let mut word = self.word();
        for severities in own.chain(package) {
            let Severities::List(list) = severities else { continue };
            for severity in list {
                if severity.kind.starts_with("CVSS") {
                    rating = rating.vector(Some(&severity.score.0), None);
                } else {
                    word = word.or(Some(&severity.score.0));
                }
            }
        }
        rating.word(word)
    }

    fn word(&self) -> Option<&str> {
        if let Severities::Word(word) = &self.severity {
            return Some(word);
        }
        let more =
            self.affected.iter().flat_map(|affected| [&affected.ecosystem_specific, &affected.database_specific]);
        [&self.database_specific].into_iter().chain(more).find_map(|specific| specific.severity.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::rating::COMMON_WORDS;
    use finding::{Finding, Kind};

    fn rated(entry: &str) -> (Option<u16>, Option<String>) {
        let entry: Entry = serde_json::from_str(entry).unwrap();
        let mut finding = Finding::new(Kind::Dependency, "r", "t", "m");
        entry.rate("a", Rating::new(COMMON_WORDS)).apply(&mut finding);
        (finding.score.map(|scored| scored.score.hundredths()), finding.severity_word)
    }

    #[test]
    fn vectors_count_before_words() {
        let v3 = r#"{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}"#;
        let v4 = r#"{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}"#;
        let word = |word: &str| Some(word.to_owned());
        let cases = [
            (
                format!(r#"{{"id": "1", "severity": [{v3}, {v4}], "database_specific": {{"severity": "LOW"}}}}"#),
                (Some(930), word("LOW")),
            ),
            (
                format!(r#"{{"id": "1", "affected": [{{"package": {{"name": "a"}}, "severity": [{v3}]}}]}}"#),
                (Some(750), None),
            ),
            (r#"{"id": "1", "database_specific": {"severity": "MODERATE"}}"#.to_owned(), (Some(550), word("MODERATE"))),
            (r#"{"id": "1", "severity": [{"type": "Ubuntu", "score": "low"}]}"#.to_owned(), (Some(200), word("low"))),
            (r#"{"id": "1", "severity": "High"}"#.to_owned(), (Some(800), word("High"))),
            (r#"{"id": "1", "severity": 5}"#.to_owned(), (None, None)),
        ];
        for (entry, expected) in cases {
            assert_eq!(rated(&entry), expected, "{entry}");
        }
    }

    #[test]
    fn fixed_versions_are_those_of_the_package_without_commits() {
        let entry: Entry = serde_json::from_str(
            r#"{"id": "1", "affected": [
            {"package": {"name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]},
                {"type": "GIT", "events": [{"fixed": "0123456789"}]}]},
            {"package": {"name": "b"}, "ranges": [{"type": "SEMVER", "events": [{"fixed": "3.0.0"}]}],
                "database_specific": {"cwes": [{"cweId": "CWE-79"}, "CWE-80"]}}]}"#,
        )
        .unwrap();
        assert_eq!(entry.fixed_versions("a"), ["1.2"]);
        assert_eq!(entry.fixed_versions("c"), ["1.2", "3.0.0"]);
        assert_eq!(entry.cwes(), [79, 80]);
    }
}
