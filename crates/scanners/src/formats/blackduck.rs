//! Black Duck, <https://www.blackduck.com>: dependency scanner. Reads the table of vulnerabilities of its version
//! detail report (`security.csv`), with the columns of before and since 2019, alone or in the report's ZIP archive.
//! There, `files.csv` (`source.csv` in newer versions) lists the files of each component.
//!
//! Each row of `security.csv` is a result. The remediation status decides (Black Duck's documentation): patched or
//! remediated results are closed; ignored, mitigated, not affected and duplicate ones are suppressed.
//!
//! The base score belongs to the CVSS version that the newer tables name; the older tables have version 2 alone.
//! `Security Risk` is the severity. `BDSA-2019-2725 (CVE-2019-12402)` names one vulnerability twice; bare numbers are
//! ids of VulnDB.

use crate::Scanner;
use crate::reader::archive::Archive;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::decimal;
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind, Location, Package};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "blackduck",
    tool: "blackduck",
    name: "Black Duck",
    aliases: &["black-duck", "black-duck-hub", "blackduck-hub"],
    versions: "2018 to 2024",
    category: "SCA",
    notation: Notation::Csv,
    formats: "the version detail report's `security.csv`, alone or in its ZIP archive",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The most files of one component that are stored.
const FILES_MAX: usize = 100;
const NEEDED: [&str; 3] = ["Vulnerability id", "Vulnerability source", "Remediation status"];

/// The number of files and the first of them, by component.
type Files = BTreeMap<Origin, (u64, Vec<String>)>;
/// The ids of a component's version and of its origin.
type Origin = (String, String);

fn detect(sniff: &Sniff) -> bool {
    let archive = || [&b"security.csv"[..], b"security_", b"security-"].iter().any(|name| sniff.contains(name));
    sniff.has_columns(&NEEDED) || (sniff.is_zip() && archive() && sniff.contains(b".csv"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if !input.head()?.starts_with(b"PK\x03\x04") {
        return read_security(input, &Files::new(), collector);
    }
    let archive = Archive::open(input)?;
    let tables = |kinds: &[&str]| {
        let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let wanted = |name: &&str| last(name).ends_with(".csv") && kinds.iter().any(|kind| last(name).contains(kind));
        archive.names().filter(wanted).map(str::to_owned).collect::<Vec<_>>()
    };
    let vulnerabilities = tables(&["security"]);
    require(!vulnerabilities.is_empty(), "a Black Duck archive has the table `security.csv`")?;
    let mut files = Files::new();
    for name in &vulnerabilities {
        if let Some(table) = archive.by_path(name)? {
            collect_origins(Input::Stream(&table), &mut files)?;
        }
    }
    for name in tables(&["files", "source"]) {
        let Some(table) = archive.by_path(&name)? else { continue };
        match collect_paths(Input::Stream(&table), &mut files) {
            // A table with other columns has no paths. No result depends on them.
            Ok(()) | Err(ParseError::Malformed { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for name in &vulnerabilities {
        if let Some(table) = archive.by_path(name)? {
            read_security(Input::Stream(&table), &files, collector)?;
        }
    }
    Ok(())
}

/// Collects the components whose files are needed.
fn collect_origins(input: Input<'_>, files: &mut Files) -> Result<(), ParseError> {
    table::rows(input, &NEEDED, &mut |row| {
        if let Ok(row) = row {
            files.entry(origin(&row)).or_default();
        }
        Ok(())
    })
}

/// Collects the files of these components. A row that cannot be read loses a path, not a result.
fn collect_paths(input: Input<'_>, files: &mut Files) -> Result<(), ParseError> {
    table::rows(input, &["Path", "Version id"], &mut |row| {
        let Ok(row) = row else { return Ok(()) };
        let path = [row.get("Archive context"), row.get("Path")].into_iter().flatten();
        let path = path.map(|part| part.trim_start_matches('/')).collect::<String>();
        if let Some((count, paths)) = files.get_mut(&origin(&row)).filter(|_| !path.is_empty()) {
            *count += 1;
            if paths.len() < FILES_MAX && !paths.contains(&path) {
                paths.push(path);
            }
        }
        Ok(())
    })
}

fn origin(row: &Row<'_>) -> Origin {
    let origin = row.owned("Channel version id").or(row.owned("Origin id")).unwrap_or_default();
    (row.owned("Version id").unwrap_or_default(), origin)
}

fn read_security(input: Input<'_>, files: &Files, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    table::rows(input, &NEEDED, &mut |row| {
        let row = match row {
            Ok(row) => row,
            Err(reason) => return collector.rejected(reason),
        };
        match status(&row).as_str() {
            "PATCHED" | "REMEDIATION_COMPLETE" => collector.closed(),
            _ => collector.result(finding(&row, files)),
        }
    })?;
    collector.container();
    Ok(())
}

/// The remediation status in the API's spelling.
fn status(row: &Row<'_>) -> String {
    row.get("Remediation status").unwrap_or_default().to_ascii_uppercase().replace([' ', '-'], "_")
}

fn finding(row: &Row<'_>, files: &Files) -> Result<Finding, String> {
    let id = row.get("Vulnerability id").ok_or("`Vulnerability id` is missing")?;
    let name = row.get("Component name").or(row.get("Project name")).ok_or("`Component name` is missing")?;
    let advisories = advisories(id, row.get("Vulnerability source").unwrap_or_default());
    let rule = advisories.first().ok_or("`Vulnerability id` contains no id")?.clone();
    let version = row.owned("Component version name").or(row.owned("Version"));
    let message = format!("{name} {}: {id}", version.as_deref().unwrap_or_default());
    let (count, paths) = files.get(&origin(row)).map_or((0, &[][..]), |(count, paths)| (*count, paths.as_slice()));
    let mut locations = paths.iter().map(|path| Location::file(path.clone()));
    let suppressed = ["IGNORED", "MITIGATED", "NOT_AFFECTED", "DUPLICATE"].contains(&status(row).as_str());
    let suppressed = row.get("Remediation status").filter(|_| suppressed);
    let comment = row.get("Remediation comment");
    let mut finding = Finding {
        description: row.owned("Description"),
        cwes: cwe::numbers(row.get("CWE Ids").unwrap_or_default().split([',', ';', '[', ']', ' '])),
        references: row.owned("URL").into_iter().collect(),
        location: locations.next(),
        other_locations: locations.collect(),
        package: Some(Package {
            name: name.to_owned(),
            version,
            ecosystem: row.get("Component origin name").or(row.get("Channel version origin")).map(str::to_lowercase),
            purl: None,
            fixed_versions: vec![],
        }),
        suppressed: suppressed.map(|status| [status].into_iter().chain(comment).collect::<Vec<_>>().join(": ")),
        advisories,
        ..Finding::new(Kind::Dependency, rule.clone(), rule, message)
    };
    for (name, text) in [
        ("origin", row.owned("Component origin id").or(row.owned("Channel version origin id"))),
        (
            "files",
            Some(count)
                .filter(|count| u64::try_from(paths.len()).is_ok_and(|listed| listed < *count))
                .map(|count| count.to_string()),
        ),
        ("match_type", row.owned("Match type")),
        ("project", row.owned("Project path")),
    ] {
        finding.raw.extend(text.map(|text| (name.to_owned(), text)));
    }
    let score = row.get("Base score").and_then(decimal);
    let version = match row.get("CVSS Version").map(|version| version.trim_start_matches(|c: char| !c.is_ascii_digit()))
    {
        Some(version) if version.starts_with('4') => "4.0",
        Some(version) if version.starts_with('3') => "3.1",
        Some(_) | None => "2.0",
    };
    SCANNER.rating().base(version, score).word(row.get("Security Risk")).apply(&mut finding);
    Ok(finding)
}

/// The ids in `BDSA-2019-2725 (CVE-2019-12402)`. A bare number gets its source as prefix.
fn advisories(id: &str, source: &str) -> Vec<String> {
    let parts = id.split(['(', ')', ',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    let bare = |part: &str| part.chars().all(|c| c.is_ascii_digit()) && !source.is_empty();
    parts.map(|part| if bare(part) { format!("{source}-{part}") } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::archive::tests::zip;
    use crate::tests::{failure, findings};
    use finding::severity::ScoreSource;

    fn fixture(file: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/blackduck/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        findings(&SCANNER, &fixture(file)).unwrap()
    }

    #[test]
    fn old_and_new_columns_mean_the_same() {
        for file in ["2018-security.csv", "2023-security.csv"] {
            let finding = &read(file).0[0];
            let package = finding.package.as_ref().unwrap();
            assert_eq!((package.name.as_str(), package.version.as_deref()), ("Notes Parser", Some("1.2")), "{file}");
            assert_eq!(package.ecosystem.as_deref(), Some("maven"), "{file}");
            assert_eq!(finding.raw["origin"], "example.shop:notes-parser:1.2", "{file}");
        }
    }

    #[test]
    fn ids_are_split_and_bare_numbers_get_their_source() {
        assert_eq!(advisories("BDSA-2019-2725 (CVE-2019-12402)", "BDSA"), ["BDSA-2019-2725", "CVE-2019-12402"]);
        assert_eq!(advisories("CVE-2019-14540", "NVD"), ["CVE-2019-14540"]);
        assert_eq!(advisories("106409", "VULNDB"), ["VULNDB-106409"]);
    }

    #[test]
    fn the_score_is_of_the_version_that_the_table_names_else_of_version_2() {
        let sources = |file| {
            let scored = read(file).0.into_iter().filter_map(|finding| finding.score);
            scored.map(|scored| (scored.score.hundredths(), scored.source)).collect::<Vec<_>>()
        };
        assert_eq!(sources("2018-security.csv"), [(750, ScoreSource::CvssV2), (950, ScoreSource::ScannerWord)]);
        assert_eq!(sources("2023-security.csv"), [(980, ScoreSource::CvssV3), (430, ScoreSource::CvssV2)]);
    }

    #[test]
    fn the_remediation_status_closes_or_suppresses() {
        let (findings, parsed) = read("2023-security.csv");
        assert_eq!(findings[1].suppressed.as_deref(), Some("IGNORED: never called"));
        assert_eq!((parsed.summary.results, parsed.summary.suppressed, parsed.summary.closed), (3, 1, 1));
    }

    #[test]
    fn an_archive_adds_the_files_of_a_component() {
        let (findings, _) = read("2018-report.zip");
        let location = findings[0].location.as_ref().unwrap();
        assert_eq!(location.path, "plugins/notes.hpi!/WEB-INF/lib/notes-parser-1.2.jar");
        assert_eq!(findings[0].other_locations.len(), 1);
        assert!(findings[1].location.is_none());
    }

    #[test]
    fn an_archive_needs_its_table() {
        assert!(failure(&SCANNER, &zip(&[("files.csv", b"Path,Version id\n")])).contains("`security.csv`"));
        let without = zip(&[("a/security_2023-01-01.csv", &fixture("2023-security.csv"))]);
        assert_eq!(findings(&SCANNER, &without).unwrap().1.summary.results, 3);
    }

    #[test]
    fn a_row_without_an_id_or_cut_short_is_rejected() {
        let table = "Vulnerability id,Project name,Vulnerability source,Remediation status\n,a,NVD,NEW\nCVE-2020-1,a\n";
        let (_, parsed) = findings(&SCANNER, table.as_bytes()).unwrap();
        assert_eq!(parsed.summary.rejected, 2);
    }
}
