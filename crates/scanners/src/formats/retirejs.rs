//! Retire.js, <https://retirejs.github.io/retire.js/>: JavaScript libraries with known vulnerabilities, detected in
//! files. Reads its JSON report (`retire --outputformat json`): the object with `data`, and the plain list, which
//! versions before 2 write, and later versions as `jsonsimple`.
//!
//! Each entry of `vulnerabilities` is one result: a vulnerability of a library in a file. Retire.js gives some
//! vulnerabilities several ids, and some none. The rule is the first that exists of: CVE, GitHub advisory, Retire.js's
//! own id, the project's issue or bug, the summary.
//!
//! `errors` make the scan incomplete: if Retire.js cannot load its list of vulnerabilities, it finds nothing.

use crate::Scanner;
use crate::reader::json::{self, Item, Many, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{or_default, unique};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "retirejs",
    tool: "retirejs",
    name: "Retire.js",
    aliases: &["retire", "retire-js", "retire.js"],
    versions: "1 to 5",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON (`--outputformat json`, `--outputformat jsonsimple`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let has_results = ["data[]", "[]"].iter().any(|list| {
        let has = |field: &str| sniff.has(&format!("{list}.results[].{field}"));
        has("component") && (has("vulnerabilities") || has("detection"))
    });
    has_results || sniff.has_all(&["data", "messages", "errors", "time"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_list() {
        let mut read = 0_u64;
        let mut entries = 0_u64;
        json::walk(input, &["[]"], &mut |item| {
            entries += 1;
            file(&item, &mut read, collector)
        })?;
        return collector.require(entries == 0 || read > 0, SHAPE);
    }
    let mut read = 0_u64;
    let paths = ["data[]", "errors[]", "messages[]", "version", "start"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => file(&item, &mut read, collector),
        1 => {
            let error = item.read::<Text>().map_or_else(|_| item.raw.to_owned(), |text| text.0);
            collector.scanner_error(error);
            Ok(())
        }
        2 => Ok(()),
        4 => item.started(collector),
        _ => {
            if let Ok(version) = item.read::<Text>() {
                collector.version(version.0);
            }
            Ok(())
        }
    })?;
    collector.require(seen.has(0) && (read > 0 || (seen.has(1) && seen.has(2))), SHAPE)
}

const SHAPE: &str =
    "a Retire.js report is an object with the lists `data`, `messages` and `errors`, or a list of files";

fn file(item: &Item<'_>, read: &mut u64, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let file = match item.read::<RawFile>() {
        Ok(file) => file,
        Err(reason) => return collector.rejected(reason),
    };
    *read += 1;
    for library in file.results {
        for vulnerability in library.vulnerabilities.iter().flatten() {
            let vulnerability = json::parse::<RawVulnerability>(vulnerability.get());
            collector.result(
                vulnerability
                    .map(|vulnerability| vulnerability.into_finding(&library, file.file.as_deref()))
                    .map_err(|error| error.to_string()),
            )?;
        }
    }
    Ok(())
}

/// A file. In old versions also a package of Node.js, without a file name.
#[derive(Deserialize)]
struct RawFile {
    file: Option<String>,
    results: Vec<RawLibrary>,
}

#[derive(Deserialize)]
struct RawLibrary {
    component: String,
    #[serde(default, deserialize_with = "or_default")]
    version: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    npmname: Option<String>,
    #[serde(default, rename = "basePurl", deserialize_with = "or_default")]
    base_purl: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    detection: Option<String>,
    /// A library without known vulnerabilities has none, if the report is verbose.
    vulnerabilities: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
struct RawVulnerability {
    #[serde(default, deserialize_with = "or_default")]
    identifiers: BTreeMap<String, Many<Text>>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    info: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    cwe: Many<Text>,
    #[serde(default, deserialize_with = "or_default")]
    below: Option<Text>,
    #[serde(default, rename = "atOrAbove", deserialize_with = "or_default")]
    at_or_above: Option<Text>,
}

impl RawVulnerability {
    fn ids(&self, name: &str) -> Vec<String> {
        self.identifiers.get(name).into_iter().flat_map(|ids| ids.0.iter().map(|id| id.0.clone())).collect()
    }

    /// The best id of the vulnerability. Numbers, such as those of issues, are prefixed with their kind.
    fn rule(&self) -> Option<String> {
        let numbered = |name: &str| self.ids(name).first().map(|number| format!("{name}-{number}"));
        let named = |name: &str| self.ids(name).into_iter().next();
        named("CVE")
            .or_else(|| named("githubID"))
            .or_else(|| numbered("retid"))
            .or_else(|| numbered("issue"))
            .or_else(|| numbered("bug"))
            .or_else(|| named("summary"))
            .or_else(|| self.identifiers.values().flat_map(|ids| &ids.0).next().map(|id| id.0.clone()))
            .or_else(|| self.info.0.first().map(|address| address.0.clone()))
    }

    fn into_finding(self, library: &RawLibrary, file: Option<&str>) -> Finding {
        let rule = self.rule().unwrap_or_else(|| "vulnerability".to_owned());
        let title = self.ids("summary").into_iter().next().unwrap_or_else(|| rule.clone());
        let version = library.version.clone().filled();
        let message = format!("{} {}: {title}", library.component, version.as_deref().unwrap_or("of unknown version"));
        let below = self.below.clone().filled();
        let mut finding = Finding {
            advisories: unique(self.ids("CVE").into_iter().chain(self.ids("githubID"))),
            cwes: cwe::numbers(self.cwe.0.iter().map(|cwe| cwe.0.as_str())),
            references: unique(self.info.0.iter().map(|address| address.0.clone())),
            remediation: below.as_ref().map(|below| format!("Upgrade {} to {below} or later.", library.component)),
            location: file.map(Location::file),
            package: Some(Package {
                name: library.component.clone(),
                ecosystem: library.npmname.is_some().then(|| "npm".to_owned()),
                purl: version.as_ref().and_then(|version| Some(format!("{}@{version}", library.base_purl.as_ref()?))),
                version,
                fixed_versions: below.clone().into_iter().collect(),
            }),
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        let others =
            self.identifiers.iter().filter(|(name, _)| !matches!(name.as_str(), "summary" | "CVE" | "githubID"));
        for (name, ids) in others {
            let ids: Vec<&str> = ids.0.iter().map(|id| id.0.as_str()).collect();
            finding.raw.insert(name.clone(), ids.join(", "));
        }
        let more = [("below", below), ("atOrAbove", self.at_or_above.clone().filled())];
        let more = more.into_iter().chain([("detection", library.detection.clone())]);
        finding.raw.extend(more.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        SCANNER.rating().word(self.severity.as_deref()).apply(&mut finding);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(vulnerabilities: &str) -> String {
        format!(
            r#"{{"version": "5.0.0", "messages": [], "errors": [], "data": [{{"file": "static/jquery.js", "results":
            [{{"component": "jquery", "version": "1.8.1", "vulnerabilities": [{vulnerabilities}]}}]}}]}}"#
        )
    }

    #[test]
    fn the_best_id_is_the_rule() {
        let cases = [
            (r#"{"issue": "2432", "summary": "s", "CVE": ["CVE-2015-9251"], "githubID": "GHSA-a"}"#, "CVE-2015-9251"),
            (r#"{"issue": "2432", "githubID": "GHSA-a"}"#, "GHSA-a"),
            (r#"{"issue": "162", "retid": "73", "summary": "s"}"#, "retid-73"),
            (r#"{"issue": 2432, "summary": "s"}"#, "issue-2432"),
            (r#"{"bug": "11290", "summary": "s"}"#, "bug-11290"),
            (r#"{"summary": "Prototype pollution"}"#, "Prototype pollution"),
            (r#"{"osvdb": ["80056"]}"#, "80056"),
            ("{}", "vulnerability"),
        ];
        for (identifiers, expected) in cases {
            let text = report(&format!(r#"{{"severity": "low", "identifiers": {identifiers}}}"#));
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0[0].rule, expected);
        }
    }

    #[test]
    fn a_vulnerability_that_cannot_be_read_does_not_hide_the_others() {
        let good = r#"{"severity": "medium", "below": "1.12.0", "cwe": ["CWE-79"], "identifiers": {"summary": "XSS"}, "info": ["https://a.example"]}"#;
        let text = report(&format!(r#"{good}, {{"severity": "high"}}, 5, {good}"#));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        // Ids are optional; a number is not a vulnerability.
        assert_eq!((findings.len(), parsed.summary.rejected), (3, 1));
        assert_eq!(findings[0].package.as_ref().unwrap().fixed_versions, ["1.12.0"]);
        assert_eq!((findings[0].cwes.as_slice(), findings[0].title.as_str()), (&[79][..], "XSS"));
    }

    #[test]
    fn retire_js_without_its_list_of_vulnerabilities_is_an_incomplete_scan() {
        let text = r#"{"data": [], "messages": [], "errors": ["Error downloading: x"], "time": 0.1}"#;
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["Error downloading: x"]);
        assert!(!parsed.summary.is_complete());
    }

    #[test]
    fn other_lists_and_objects_are_refused() {
        for other in [r#"{"data": []}"#, r#"[{"a": 1}]"#, r#"{"messages": [], "errors": []}"#] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("a Retire.js report is"), "{other}");
        }
    }
}
