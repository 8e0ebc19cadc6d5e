//! Grype, <https://github.com/anchore/grype>: vulnerable packages of images, file systems and SBOMs. Reads its JSON
//! report (`grype -o json`).
//!
//! A result is one entry of `matches` or `ignoredMatches`; the latter, which an ignore rule or VEX left out, is
//! suppressed. The same vulnerability of the same package at two locations is two matches and two results.
//!
//! `relatedVulnerabilities` are other databases' records of the same vulnerability: their ids are its aliases, and
//! their CVSS and description are used if the match's own record has none, as is usual for distributions.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::cwe;
use crate::value::packages;
use crate::value::rating::{COMMON_WORDS, Rating};
use finding::{Epss, Finding, Kind, Location, Package};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "grype",
    tool: "grype",
    name: "Grype",
    aliases: &["anchore-grype"],
    versions: "0.7 to 0.94",
    category: "SCA, containers",
    notation: Notation::Json,
    formats: "JSON (`-o json`)",
    severities: "CVSS (the record's own, NVD's first; else the related records'), else critical 9.5, high 8.0, medium 5.5, low 2.0, negligible 0; unknown unassigned",
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["matches[].vulnerability.id", "matches[].artifact.name"])
        || sniff.has_all(&["ignoredMatches[].vulnerability.id", "ignoredMatches[].artifact.name"])
        || (sniff.has("matches")
            && (sniff.value("descriptor.name") == Some("grype") || sniff.has_all(&["source", "distro"])))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths =
        ["matches~[]", "ignoredMatches[]", "descriptor.version", "source.type", "distro.name", "descriptor.timestamp"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(fields::of(&item, |fields| finding(fields, false))),
        1 => collector.result(fields::of(&item, |fields| finding(fields, true))),
        2 => {
            item.read::<json::Text>().into_iter().for_each(|version| collector.version(version.0));
            Ok(())
        }
        5 => item.ended(collector),
        _ => Ok(()),
    })?;
    // A report that was cut down to its matches is accepted if Grype is named.
    seen.require(collector, &[0], "a Grype JSON report is an object with the list `matches`")
}

fn finding(fields: Fields<'_>, ignored: bool) -> Result<Finding, String> {
    let id = fields.required("vulnerability.id")?;
    let record = fields.object("vulnerability").ok_or("`vulnerability` is missing")?;
    let related = fields.objects("relatedVulnerabilities");
    let purl = fields.text("artifact.purl");
    let package = Package {
        name: fields.required("artifact.name")?,
        version: fields.text("artifact.version"),
        ecosystem: packages::ecosystem(purl.as_deref()).or_else(|| fields.text("artifact.type")),
        purl,
        fixed_versions: record.texts("fix.versions"),
    };
    let aliases = related.iter().filter_map(|related| related.text("id"));
    let aliases = [id.clone()].into_iter().chain(aliases);
    let vendors = record.objects("advisories").into_iter().filter_map(|advisory| advisory.text("id"));
    let descriptions = || related.iter().find_map(|related| related.text("description"));
    let urls = record.text("dataSource").into_iter().chain(record.texts("urls"));
    let cwes: Vec<_> = record.objects("cwes").into_iter().filter_map(|cwe| cwe.text("cwe")).collect();
    let mut locations = fields
        .objects("artifact.locations")
        .into_iter()
        .filter_map(|location| Some(Location::file(location.text("path")?)));
    let message = packages::message(&id, &package);
    let mut finding = Finding {
        advisories: packages::unique(aliases.chain(vendors)),
        cwes: cwe::numbers(cwes.iter().map(String::as_str)),
        epss: epss(record),
        known_exploited: (!record.objects("knownExploited").is_empty()).then_some(true),
        description: record.text("description").or_else(descriptions),
        references: packages::unique(urls),
        package: Some(package),
        location: locations.next(),
        other_locations: locations.collect(),
        suppressed: ignored.then(|| ignore_rules(fields)),
        ..Finding::new(Kind::Dependency, id.clone(), id, message)
    };
    for field in ["fix.state", "namespace"] {
        finding.raw.extend(record.text(field).map(|text| (field.to_owned(), text)));
    }
    rating(record, &related).apply(&mut finding);
    packages::remove_duplicates(&mut finding.cvss);
    Ok(finding)
}

/// The CVSS of the match's own record, then of the related ones; in each record NVD's first.
fn rating(record: Fields<'_>, related: &[Fields<'_>]) -> Rating {
    let mut rating = SCANNER.rating();
    for record in [record].iter().chain(related) {
        let mut ratings = record.objects("cvss");
        ratings.sort_by_key(|cvss| cvss.text("source").is_none_or(|source| !source.starts_with("nvd")));
        for cvss in ratings {
            let score = cvss.number("metrics.baseScore");
            rating = match (cvss.text("vector"), cvss.text("version")) {
                (Some(vector), _) => rating.vector(Some(&vector), score),
                (None, Some(version)) => rating.base(&version, score),
                (None, None) => rating,
            };
        }
    }
    rating.word(record.text("severity").as_deref())
}

fn epss(record: Fields<'_>) -> Option<Epss> {
    let first = *record.objects("epss").first()?;
    let share = |field| first.number(field).filter(|number| (0.0..=1.0).contains(number));
    Some(Epss { probability: share("epss")?, percentile: share("percentile") })
}

/// The rules that left a match out, as in the configuration.
fn ignore_rules(fields: Fields<'_>) -> String {
    const FIELDS: [&str; 8] = [
        "reason",
        "vulnerability",
        "fix-state",
        "vex-status",
        "vex-justification",
        "package.name",
        "package.type",
        "package.location",
    ];
    let rules = fields.objects("appliedIgnoreRules").into_iter().map(|rule| {
        let parts = FIELDS.iter().filter_map(|name| Some(format!("{name} {}", rule.text(name)?)));
        parts.collect::<Vec<_>>().join(", ")
    });
    let rules = rules.filter(|rule| !rule.is_empty()).collect::<Vec<_>>().join("; ");
    if rules.is_empty() { "ignored".to_owned() } else { format!("ignored: {rules}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::{ScoreSource, Severity};

    fn read(matches: &str, ignored: &str) -> (Vec<Finding>, crate::Parsed) {
        let text = format!(
            r#"{{"matches": [{matches}], "ignoredMatches": [{ignored}], "descriptor": {{"name": "grype", "version": "0.90.0"}}}}"#
        );
        findings(&SCANNER, text.as_bytes()).unwrap()
    }

    #[test]
    fn related_records_give_aliases_and_missing_fields() {
        let (found, parsed) = read(
            r#"{"vulnerability": {"id": "GHSA-v6rh-hp5x-86rv", "severity": "High", "cvss": [], "fix": {"versions": ["3.2.10"],
            "state": "fixed"}, "epss": [{"epss": 0.004, "percentile": 0.7}], "knownExploited": [{"cve": "CVE-2021-44420"}]},
            "relatedVulnerabilities": [{"id": "CVE-2021-44420", "description": "from NVD", "cvss": [
                {"source": "a@b.c", "version": "3.1", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                {"source": "nvd@nist.gov", "version": "3.1", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L",
                 "metrics": {"baseScore": 7.3}}]}],
            "artifact": {"name": "Django", "version": "3.2.9", "purl": "pkg:pypi/Django@3.2.9",
                "locations": [{"path": "/a/METADATA"}, {"path": "/a/RECORD"}]}}"#,
            "",
        );
        let finding = &found[0];
        assert_eq!(finding.advisories, ["GHSA-v6rh-hp5x-86rv", "CVE-2021-44420"]);
        assert_eq!((finding.rule.as_str(), finding.description.as_deref()), ("GHSA-v6rh-hp5x-86rv", Some("from NVD")));
        let scored = finding.score.unwrap();
        assert_eq!((scored.score.hundredths(), scored.source), (730, ScoreSource::CvssV3));
        assert_eq!((finding.known_exploited, finding.epss.unwrap().percentile), (Some(true), Some(0.7)));
        assert_eq!(
            (finding.location.as_ref().unwrap().path.as_str(), finding.other_locations.len()),
            ("/a/METADATA", 1)
        );
        assert_eq!(parsed.scanner_version.as_deref(), Some("0.90.0"));
    }

    #[test]
    fn ignored_matches_are_suppressed_and_equal_matches_are_not_merged() {
        let one = r#"{"vulnerability": {"id": "CVE-1", "severity": "Low"}, "artifact": {"name": "tar"}}"#;
        let ignored = r#"{"vulnerability": {"id": "CVE-2"}, "artifact": {"name": "tar"},
            "appliedIgnoreRules": [{"vulnerability": "CVE-2", "reason": "not used", "fix-state": ""}]}"#;
        let (found, parsed) = read(&format!("{one}, {one}, {{}}"), ignored);
        assert_eq!((parsed.summary.findings, parsed.summary.suppressed, parsed.summary.rejected), (2, 1, 1));
        assert_eq!(found[2].suppressed.as_deref(), Some("ignored: reason not used, vulnerability CVE-2"));
    }

    #[test]
    fn words_become_the_documented_severities() {
        for (word, severity) in [
            ("Critical", Severity::Critical),
            ("High", Severity::High),
            ("Medium", Severity::Medium),
            ("Low", Severity::Low),
            ("Negligible", Severity::Info),
            ("Unknown", Severity::Unassigned),
        ] {
            let entry =
                format!(r#"{{"vulnerability": {{"id": "CVE-1", "severity": "{word}"}}, "artifact": {{"name": "a"}}}}"#);
            assert_eq!(read(&entry, "").0[0].severity(), severity, "{word}");
        }
    }

    #[test]
    fn a_list_of_matches_alone_is_clean_if_grype_is_named_and_another_object_is_refused() {
        for clean in [&br#"{"matches": []}"#[..], br#"{"matches": null}"#] {
            assert!(findings(&SCANNER, clean).unwrap().1.summary.is_complete());
            assert!(crate::tests::findings_as(crate::Expected::Any, clean).is_err());
        }
        assert!(failure(&SCANNER, br#"{"match": []}"#).contains("not a report of Grype"));
    }
}
