//! Anchore Engine and Anchore Enterprise, <https://docs.anchore.com>: vulnerable packages of images. Reads the list of
//! vulnerabilities of an image, `anchore-cli --json image vuln IMAGE all`, and the security evaluation that Enterprise
//! exports (`metadata`, `securityEvaluation`).
//!
//! A result is one entry of `vulnerabilities` or `securityEvaluation`. The severity is NVD's CVSS score, else the
//! vendor's, else the feed's word. `None`, `N/A` and a score of -1 mean that a value is unknown. The security
//! evaluation writes package and version as one text; the type of the package says where to split it.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::packages;
use crate::value::rating::{COMMON_WORDS, Rating};
use finding::{Finding, Kind, Location, Package};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "anchore",
    tool: "anchore",
    name: "Anchore Engine",
    aliases: &["anchore-engine", "anchore-enterprise"],
    versions: "Engine 0.2 to 1.1, Enterprise 2.4 to 5",
    category: "SCA, containers",
    notation: Notation::Json,
    formats: "JSON (`anchore-cli --json image vuln IMAGE all`; Enterprise's security evaluation)",
    severities: "CVSS (NVD's, else the vendor's), else critical 9.5, high 8.0, medium 5.5, low 2.0, negligible 0; unknown unassigned",
    severity_words: COMMON_WORDS,
    differences: &[(
        "component_name",
        "the security evaluation writes name and version as one text; with the version in the name, each update would make a new issue",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["vulnerabilities[].vuln", "vulnerabilities[].package_type"])
        || sniff.has_all(&["vulnerability_type", "vulnerabilities"])
        || sniff.has("securityEvaluation")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths =
        ["vulnerabilities[]", "securityEvaluation[]", "vulnerability_type", "imageDigest", "image_digest", "metadata"];
    let mut is_image_report = false;
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => {
            let read = fields::of(&item, vulnerability);
            is_image_report |= read.is_ok();
            collector.result(read)
        }
        1 => collector.result(fields::of(&item, evaluation)),
        5 => {
            let made = fields::of(&item, |metadata| Ok(metadata.text("timestamp")));
            collector.ended(made.ok().flatten().as_deref());
            Ok(())
        }
        _ => {
            is_image_report = true;
            Ok(())
        }
    })?;
    collector.require(
        (seen.has(0) && is_image_report) || seen.has(1),
        "an Anchore report is an object with `vulnerabilities` and `vulnerability_type` or the image's digest, \
                  or with `securityEvaluation`",
    )
}

/// The text at a path; absent if it is `None`, `N/A` or `null`.
fn known_text(fields: Fields<'_>, path: &str) -> Option<String> {
    fields.text(path).filter(|text| !["None", "N/A", "null"].contains(&text.as_str()))
}

fn vulnerability(fields: Fields<'_>) -> Result<Finding, String> {
    let id = fields.required("vuln")?;
    let kind = known_text(fields, "package_type");
    let whole = known_text(fields, "package");
    let (name, version) = match (known_text(fields, "package_name"), whole) {
        (Some(name), _) => (name, known_text(fields, "package_version")),
        (None, Some(whole)) => split(&whole, kind.as_deref().unwrap_or_default()),
        (None, None) => return Err("`package_name` is missing".to_owned()),
    };
    let package = Package { name, version, ..package(kind, known_text(fields, "fix")) };
    let mut ratings = SCANNER.rating();
    for path in ["extra.nvd_data", "nvd_data", "extra.vendor_data", "vendor_data"] {
        ratings = fields.objects(path).into_iter().fold(ratings, with_cvss);
    }
    let others = ["nvd_data", "vendor_data"].map(|path| fields.objects(path)).into_iter().flatten();
    let others: Vec<_> = others.filter_map(|record| record.text("id")).collect();
    let path = known_text(fields, "package_path").filter(|path| path != "pkgdb");
    let url = known_text(fields, "url");
    let mut finding = finding(id, package, path, others, url);
    finding.description = fields.text("extra.description");
    for field in ["feed_group", "inherited_from_base", "will_not_fix"] {
        finding.raw.extend(known_text(fields, field).map(|text| (field.to_owned(), text)));
    }
    ratings.word(fields.text("severity").as_deref()).apply(&mut finding);
    packages::remove_duplicates(&mut finding.cvss);
    Ok(finding)
}

/// Adds the CVSS scores of one record.
fn with_cvss(rating: Rating, record: Fields<'_>) -> Rating {
    [("3.1", "cvss_v3"), ("2.0", "cvss_v2")].into_iter().fold(rating, |rating, (version, name)| {
        let at = |field| format!("{name}.{field}");
        let score = record.number(&at("base_score")).or_else(|| record.number(&at("base_metrics.base_score")));
        // -1 means that the score is unknown.
        let score = score.filter(|score| *score >= 0.0);
        match record.text(&at("vector_string")) {
            Some(vector) => rating.vector(Some(&vector), score),
            None => rating.base(version, score),
        }
    })
}

fn evaluation(fields: Fields<'_>) -> Result<Finding, String> {
    let id = fields.required("vulnerabilityId")?;
    let kind = known_text(fields, "packageType");
    let (name, version) = split(&fields.required("package")?, kind.as_deref().unwrap_or_default());
    let package = Package { name, version, ..package(kind, known_text(fields, "fixAvailable")) };
    let cves = known_text(fields, "cves").unwrap_or_default();
    let cves = cves.split([',', ' ']).filter(|cve| !cve.is_empty()).map(str::to_owned).collect();
    let mut finding = finding(
        id,
        package,
        known_text(fields, "path").filter(|path| path != "pkgdb"),
        cves,
        known_text(fields, "link"),
    );
    let score = fields.number("nvdCvssBaseScore").filter(|score| *score >= 0.0);
    SCANNER.rating().base("3.1", score).word(fields.text("severity").as_deref()).apply(&mut finding);
    Ok(finding)
}

fn package(kind: Option<String>, fix: Option<String>) -> Package {
    let fix = fix.unwrap_or_default();
    let fixed_versions = fix.split(',').map(|version| version.trim().to_owned()).filter(|v| !v.is_empty()).collect();
    Package { ecosystem: kind.map(|kind| kind.to_lowercase()), fixed_versions, ..Package::default() }
}

fn finding(id: String, package: Package, path: Option<String>, others: Vec<String>, url: Option<String>) -> Finding {
    let message = packages::message(&id, &package);
    Finding {
        advisories: packages::unique([id.clone()].into_iter().chain(others)),
        references: url.into_iter().collect(),
        package: Some(package),
        location: path.map(Location::file),
        ..Finding::new(Kind::Dependency, id.clone(), id, message)
    }
}

/// Splits a text of package name and version. An RPM's version and release are its last two parts. The version of a
/// Debian or Alpine package begins at the first `-` before a digit, any other at the last.
fn split(whole: &str, kind: &str) -> (String, Option<String>) {
    let versions = || {
        whole.match_indices('-').map(|(at, _)| at).filter(|at| {
            let rest = whole.get(at + 1..).unwrap_or_default();
            rest.strip_prefix('v').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
        })
    };
    let at = match kind.to_ascii_lowercase().as_str() {
        "rpm" => whole.rmatch_indices('-').nth(1).map(|(at, _)| at),
        "dpkg" | "deb" | "apk" | "apkg" => versions().next(),
        _ => versions().next_back(),
    };
    match at.and_then(|at| Some((whole.get(..at)?, whole.get(at + 1..)?))) {
        Some((name, version)) if !name.is_empty() => (name.to_owned(), Some(version.to_owned())),
        Some(_) | None => (whole.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    #[test]
    fn name_and_version_are_split_by_the_type_of_the_package() {
        for (whole, kind, name, version) in [
            ("openssl-libs-1:1.1.1k-14.el8_6", "RPM", "openssl-libs", Some("1:1.1.1k-14.el8_6")),
            (
                "java-11-openjdk-headless-1:11.0.25.0.9-2.el8",
                "RPM",
                "java-11-openjdk-headless",
                Some("1:11.0.25.0.9-2.el8"),
            ),
            ("libgnutls30-3.5.8-5+deb9u4", "dpkg", "libgnutls30", Some("3.5.8-5+deb9u4")),
            ("busybox-1.36.1-r2", "APKG", "busybox", Some("1.36.1-r2")),
            ("log4j-1.2-api-2.17.0", "Java", "log4j-1.2-api", Some("2.17.0")),
            ("guava-29.0-jre", "Java", "guava", Some("29.0-jre")),
            ("golang.org/x/net-v0.1.0", "Go", "golang.org/x/net", Some("v0.1.0")),
            ("esapi", "Java", "esapi", None),
            ("-1", "Java", "-1", None),
        ] {
            assert_eq!(split(whole, kind), (name.to_owned(), version.map(str::to_owned)), "{whole}");
        }
    }

    #[test]
    fn unknown_values_are_absent() {
        let text = br#"{"vulnerability_type": "all", "vulnerabilities": [{"vuln": "VULNDB-1", "package_name": "a", "fix": "None",
            "package_path": "None", "severity": "Unknown", "vendor_data": [{"id": "CVE-2020-8231", "cvss_v3": {"base_score": -1.0},
            "cvss_v2": {"base_score": 5.0}}]}]}"#;
        let (found, _) = findings(&SCANNER, text).unwrap();
        let package = found[0].package.as_ref().unwrap();
        assert!(package.fixed_versions.is_empty() && found[0].location.is_none() && found[0].raw.is_empty());
        assert_eq!(found[0].score.map(|scored| scored.score.hundredths()), Some(500));
        assert_eq!(found[0].advisories, ["VULNDB-1", "CVE-2020-8231"]);
    }

    #[test]
    fn a_security_evaluation_is_read_like_the_list() {
        let text =
            br#"{"securityEvaluation": [{"vulnerabilityId": "GHSA-1", "cves": "CVE-2024-10220", "severity": "High",
            "packageType": "Java", "package": "commons-io-2.8.0", "path": "/app/commons-io-2.8.0.jar",
            "fixAvailable": "2.14.0,2.15.0", "nvdCvssBaseScore": "N/A"}, {"package": "a"}]}"#;
        let (found, parsed) = findings(&SCANNER, text).unwrap();
        let package = found[0].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.fixed_versions.len()), ("commons-io", 2));
        assert_eq!((found[0].score.unwrap().score.hundredths(), parsed.summary.rejected), (800, 1));
    }

    #[test]
    fn vulnerabilities_alone_are_no_evidence() {
        assert!(failure(&SCANNER, br#"{"vulnerabilities": []}"#).contains("not a report of Anchore"));
        assert!(findings(&SCANNER, br#"{"vulnerabilities": [], "vulnerability_type": "os"}"#).is_ok());
    }
}
