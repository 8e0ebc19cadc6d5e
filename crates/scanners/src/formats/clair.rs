//! Clair, <https://quay.github.io/clair>: vulnerable packages of images. Reads the JSON reports of three of its
//! clients: clair-scanner (`vulnerabilities` with `unapproved`), Klar (`Vulnerabilities` by severity with `LayerCount`)
//! and Clair 4 (`clairctl report -o json`: `vulnerabilities` and `packages` by id with `package_vulnerabilities`).
//!
//! A result is one vulnerability of one package. clair-scanner lists all of them, and in `unapproved` those that are
//! neither in the whitelist nor below the threshold. If the report has that list, vulnerabilities that are missing from
//! it are suppressed.
//!
//! Severities are words, <https://quay.github.io/clair/concepts/severity_mapping.html>; `Defcon1`, in older versions,
//! is a critical one "manually highlighted by the team". Clair 4 adds NVD's CVSS as an enrichment, which has priority.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json::{self, Item};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::packages;
use finding::{Finding, Kind, Package};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "clair",
    tool: "clair",
    name: "Clair",
    aliases: &["clair-scanner", "clair-klar", "clairctl"],
    versions: "2 to 4",
    category: "Containers",
    notation: Notation::Json,
    formats: "JSON of clair-scanner (`-r`), Klar (`JSON_OUTPUT`) and `clairctl report -o json`",
    severities: "CVSS if Clair 4 gives it, else Defcon1 10.0, Critical 9.5, High 8.0, Medium 5.5, Low 2.0, Negligible 0; Unknown unassigned",
    severity_words: &[
        ("Defcon1", 1000),
        ("Critical", 950),
        ("High", 800),
        ("Medium", 550),
        ("Low", 200),
        ("Negligible", 0),
    ],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["vulnerabilities[].featurename", "vulnerabilities[].vulnerability"])
        || sniff.has_all(&["image", "unapproved", "vulnerabilities"])
        || sniff.has_all(&["LayerCount", "Vulnerabilities"])
        || sniff.has_all(&["manifest_hash", "packages"])
        || sniff.has_all(&["packages", "package_vulnerabilities"])
}

/// The parts of the report that results refer to.
#[derive(Default)]
struct ReportIndex {
    /// clair-scanner: the vulnerabilities that are not approved, if the report lists them.
    unapproved: Option<BTreeSet<String>>,
    /// Clair 4: name and version of each package, by its id.
    packages: BTreeMap<String, (String, Option<String>)>,
    /// Clair 4: the packages of each vulnerability, by ids.
    affected: BTreeMap<String, Vec<String>>,
    /// Clair 4: vectors and scores by the vulnerability's id.
    cvss: BTreeMap<String, Vec<(String, Option<f64>)>>,
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut index = index_report(input, collector)?;
    collector.container();
    let paths = ["vulnerabilities[]", "Vulnerabilities{}[]", "vulnerabilities{}"];
    json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(fields::of(&item, |fields| of_clair_scanner(fields, index.unapproved.as_ref()))),
        1 => collector.result(fields::of(&item, |fields| of_klar(fields, item.name(0)))),
        _ => of_clair_4(&item, &mut index, collector),
    })?;
    // The rest belongs to vulnerabilities that are missing from the report.
    for (id, packages) in &index.affected {
        for package in packages {
            collector.rejected(format!("vulnerability {id} of package {package} is missing from the report"))?;
        }
    }
    Ok(())
}

/// Collects the parts of the report that results refer to, and checks that this is a report of Clair.
fn index_report(input: Input<'_>, collector: &mut Collector<'_>) -> Result<ReportIndex, ParseError> {
    let paths = [
        "unapproved[]",
        "packages{}",
        "package_vulnerabilities!{}[]",
        "enrichments{}[]{}",
        "LayerCount",
        "manifest_hash",
        "image",
        "Vulnerabilities{}[]",
    ];
    let mut index = ReportIndex::default();
    let mut markers = [false; 3];
    let seen = json::walk(input, &paths, &mut |item| {
        match item.path {
            0 => {
                // The ids of results are strings too, and must be equal to these.
                let id = item.read::<String>();
                if let Err(reason) = &id {
                    collector.scanner_error(format!("an id in `unapproved` cannot be read: {reason}"));
                }
                index.unapproved.get_or_insert_default().extend(id);
            }
            1 => {
                let read = fields::of(&item, |fields| Ok((fields.required("name")?, fields.text("version"))));
                index.packages.extend(read.ok().map(|package| (item.name(0).to_owned(), package)));
            }
            2 => match item.read::<json::Text>() {
                Ok(id) => index.affected.entry(id.0).or_default().push(item.name(0).to_owned()),
                Err(reason) => {
                    collector.scanner_error(format!("an id in `package_vulnerabilities` cannot be read: {reason}"));
                }
            },
            3 => enrichment(&item, &mut index, collector),
            path => markers.iter_mut().skip(path - 4).take(1).for_each(|marker| *marker = true),
        }
        Ok(())
    })?;
    if seen.has(0) {
        index.unapproved.get_or_insert_default();
    }
    let [layers, manifest, image] = markers;
    let scanner = seen.has(0) || image;
    let four = seen.has(2) || (manifest && seen.has(1));
    let klar = layers || seen.has(7);
    let lists = json::walk(input, &["vulnerabilities[]", "Vulnerabilities{}", "vulnerabilities{}"], &mut |_| Ok(()))?;
    // The walk distinguishes a list from an object only by its entries; an empty one counts as either.
    let (either, upper) = (lists.has(0) || lists.has(2), lists.has(1));
    if four && !scanner && !klar {
        seen.report_missing(collector);
    }
    if (scanner && either) || four || (klar && upper) {
        return Ok(index);
    }
    Err(ParseError::other_shape(
        "a Clair report has `vulnerabilities` with `image` or `unapproved`, `Vulnerabilities` with `LayerCount`, or \
                  `packages` with `package_vulnerabilities`",
    ))
}

fn enrichment(item: &Item<'_>, index: &mut ReportIndex, collector: &mut Collector<'_>) {
    // The value is a list, and is read as a whole like any field of an object.
    let ratings: json::Many<serde_json::Value> = item.context("an entry of `enrichments`", collector);
    for rating in &ratings.0 {
        let Some(vector) = rating.get("vectorString").and_then(serde_json::Value::as_str) else { continue };
        let score = rating.get("baseScore").and_then(serde_json::Value::as_f64);
        // The path has the enrichment's name at 0 and the vulnerability's id at 2; the list between them has no name.
        index.cvss.entry(item.name(2).to_owned()).or_default().push((vector.to_owned(), score));
    }
}

fn of_clair_scanner(fields: Fields<'_>, unapproved: Option<&BTreeSet<String>>) -> Result<Finding, String> {
    // An id of another type would be in no list of unapproved ids, and so would count as approved.
    let id =
        fields.raw("vulnerability").map(str::trim).filled().ok_or("`vulnerability` is missing, or not a string")?;
    let id = id.to_owned();
    let package = Package {
        name: fields.required("featurename")?,
        version: fields.text("featureversion"),
        fixed_versions: fields.text("fixedby").into_iter().collect(),
        ..Package::default()
    };
    let mut finding = finding(id, package, fields.text("namespace"), fields.texts("link"));
    finding.description = fields.text("description");
    finding.suppressed = unapproved
        .filter(|unapproved| !unapproved.contains(&finding.rule))
        .map(|_| "approved: not in `unapproved`".to_owned());
    SCANNER.rating().word(fields.text("severity").as_deref()).apply(&mut finding);
    Ok(finding)
}

fn of_klar(fields: Fields<'_>, severity: &str) -> Result<Finding, String> {
    let package = Package {
        name: fields.required("FeatureName")?,
        version: fields.text("FeatureVersion"),
        fixed_versions: fields.text("FixedBy").into_iter().collect(),
        ..Package::default()
    };
    let mut finding = finding(fields.required("Name")?, package, fields.text("NamespaceName"), fields.texts("Link"));
    finding.description = fields.text("Description");
    let word = fields.text("Severity").unwrap_or_else(|| severity.to_owned());
    SCANNER.rating().word(Some(&word)).apply(&mut finding);
    Ok(finding)
}

/// One vulnerability of Clair 4: a result for each package that has it.
fn of_clair_4(item: &Item<'_>, index: &mut ReportIndex, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let id = item.name(0);
    let affected = index.affected.remove(id).unwrap_or_default();
    let results: Vec<Result<Finding, String>> = if affected.is_empty() {
        vec![fields::of(item, |fields| in_package(fields, id, None, index))]
    } else {
        let of = |package: &String| {
            let package =
                index.packages.get(package).ok_or_else(|| format!("package {package} is missing from the report"));
            fields::of(item, |fields| in_package(fields, id, Some(package?), index))
        };
        affected.iter().map(of).collect()
    };
    results.into_iter().try_for_each(|result| collector.result(result))
}

fn in_package(
    fields: Fields<'_>,
    id: &str,
    package: Option<&(String, Option<String>)>,
    index: &ReportIndex,
) -> Result<Finding, String> {
    let title = fields.required("name")?;
    // `CVE-2021-3711 on Ubuntu 20.04 LTS (focal) - high.` or `RHSA-2021:3798: openssl security update (Moderate)`.
    let rule = title.split_whitespace().next().unwrap_or_default().trim_end_matches(':').to_owned();
    let (name, version) = match package {
        Some((name, version)) => (name.clone(), version.clone()),
        None => (fields.required("package.name")?, fields.text("package.version")),
    };
    let fixed_versions = fields.text("fixed_in_version").into_iter().collect();
    let package = Package { name, version, fixed_versions, ..Package::default() };
    let links = fields.text("links").unwrap_or_default();
    let links = links.split_whitespace().map(str::to_owned).collect();
    let namespace = fields.first(&["distribution.pretty_name", "repository.name"]);
    let mut finding = Finding { title, ..finding(rule, package, namespace, links) };
    finding.description = fields.text("description");
    let mut rating = SCANNER.rating();
    for (vector, score) in index.cvss.get(id).into_iter().flatten() {
        rating = rating.vector(Some(vector), *score);
    }
    rating.word(fields.first(&["normalized_severity", "severity"]).as_deref()).apply(&mut finding);
    Ok(finding)
}

fn finding(id: String, package: Package, namespace: Option<String>, references: Vec<String>) -> Finding {
    let message = packages::message(&id, &package);
    let mut finding = Finding {
        advisories: vec![id.clone()],
        references,
        package: Some(package),
        ..Finding::new(Kind::Dependency, id.clone(), id, message)
    };
    finding.raw.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace)));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    #[test]
    fn approved_vulnerabilities_are_suppressed() {
        let one = |id: &str| {
            format!(
                r#"{{"featurename": "tar", "featureversion": "1", "vulnerability": "{id}", "severity": "Low", "fixedby": ""}}"#
            )
        };
        let list = [one("CVE-1"), one("CVE-2"), "{}".to_owned()].join(",");
        let text = format!(r#"{{"vulnerabilities": [{list}], "image": "notes:1", "unapproved": ["CVE-2"]}}"#);
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.suppressed, parsed.summary.rejected), (1, 1, 1));
        assert_eq!((found[0].suppressed.is_some(), found[1].suppressed.is_some()), (true, false));
        let without = format!(r#"{{"vulnerabilities": [{list}], "image": "notes:1"}}"#);
        assert_eq!(findings(&SCANNER, without.as_bytes()).unwrap().1.summary.suppressed, 0);
    }

    #[test]
    fn a_vulnerability_of_clair_4_is_a_result_for_each_package() {
        let text = br#"{"manifest_hash": "sha256:1", "vulnerabilities": {"7": {"name": "CVE-2021-3711 on Ubuntu 20.04 - high.",
            "normalized_severity": "High", "fixed_in_version": "1.1.1f-1ubuntu2.8", "links": "https://a.example https://b.example"}},
            "package_vulnerabilities": {"1": ["7"], "2": ["7", "8"], "3": ["7"]},
            "packages": {"1": {"name": "openssl", "version": "1.1.1f"}, "2": {"name": "libssl1.1", "version": "1.1.1f"}},
            "enrichments": {"message/vnd.clair.map.vulnerability; enricher=clair.cvss": [{"7": [{"baseScore": 9.8,
            "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}]}}"#;
        let (found, parsed) = findings(&SCANNER, text).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.rejected), (2, 2));
        let names: Vec<_> = found.iter().map(|f| f.package.as_ref().unwrap().name.as_str()).collect();
        assert_eq!(names, ["openssl", "libssl1.1"]);
        assert_eq!((found[0].rule.as_str(), found[0].references.len()), ("CVE-2021-3711", 2));
        assert_eq!(found[0].score.unwrap().score.hundredths(), 980);
    }

    #[test]
    fn nothing_found_needs_evidence() {
        for clean in [
            r#"{"LayerCount": 9, "Vulnerabilities": {}}"#,
            r#"{"image": "notes:1", "unapproved": [], "vulnerabilities": []}"#,
            r#"{"manifest_hash": "sha256:1", "packages": {}, "vulnerabilities": {}, "package_vulnerabilities": {}}"#,
        ] {
            assert_eq!(findings(&SCANNER, clean.as_bytes()).unwrap().1.summary.results, 0, "{clean}");
        }
        for other in [r#"{"vulnerabilities": []}"#, r#"{"LayerCount": 9}"#, r#"{"image": "a"}"#] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of Clair"), "{other}");
        }
    }
}
