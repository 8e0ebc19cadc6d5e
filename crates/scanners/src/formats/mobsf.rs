//! MobSF, <https://mobsf.github.io>: mobile apps. Reads the JSON report of its static analysis (`/api/v1/report_json`),
//! its scorecard (`/api/v1/scorecard`) and the JSON of its command line tool `mobsfscan --json`, as versions 0.9 to 4
//! write them.
//!
//! A report, or a list of reports, has sections instead of a list of results. A result is, by section:
//! - `code_analysis` (formerly `findings`): a rule in a file; further lines of the file are its other locations;
//! - `manifest_analysis` (formerly `manifest`), `network_security`, `ats_analysis`, `certificate_analysis`,
//!   `firebase_analysis`: an entry;
//! - `binary_analysis`, `macho_analysis`, `dylib_analysis`, `framework_analysis`: a check of a binary;
//! - `permissions`: a permission. A dangerous or unknown one is a finding, others are not applicable;
//! - `android_api`, `ios_api`: an API in use, not applicable unless its severity is above `info`;
//! - `file_analysis`: a file that contains a key or certificate; lists of files by kind are not applicable;
//! - `secrets`: a secret, stored as its digest; `firebase_urls`: a database, a finding if it is open; `trackers`: a
//!   tracker; `domains`: a malicious domain, or one in a sanctioned country; `insecure_connections`: an address;
//! - in the scorecard: an entry; in the report of mobsfscan: a match of a rule, or the rule if it has no match.
//!
//! `good` and `secure` are passed. So is `info` of a check of a binary: it says that a protection exists. The rest of
//! the report is facts: strings, URLs, activities. `appsec` repeats the findings of the sections.
//!
//! An error of mobsfscan that names the `path` of a file is a blind spot; any other makes the scan incomplete.
//!
//! Severities are words. The field `cvss` is a number of the rule, without version or vector, which often contradicts
//! the word (`info` with 7.5). Versions from 3.9 on omit it. It is stored, but not used.

mod sections;

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::rating::{Rating, Words};
use crate::value::secret;
use finding::{Excerpt, Finding, Kind, Location};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "mobsf",
    tool: "mobsf",
    name: "MobSF",
    aliases: &["mobsfscan", "mobsf-scorecard"],
    versions: "MobSF 0.9 to 4, mobsfscan 0.0.6 to 0.4",
    category: "mobile apps",
    notation: Notation::Json,
    formats: "JSON of the static analysis, of its scorecard and of `mobsfscan --json`",
    severities: "MobSF: high 8.0, warning or secret 5.5, hotspot, dangerous or unknown permission 2.0, info 0; mobsfscan: \
                 ERROR 8.0, WARNING 5.5, INFO 2.0 (errors, warnings and notes in its SARIF report)",
    severity_words: &[
        ("high", 800),
        ("bad", 800),
        ("insecure", 800),
        ("warning", 550),
        ("hotspot", 200),
        ("dangerous", 200),
        ("unknown", 200),
        ("info", 0),
    ],
    differences: &[
        (
            "cwe",
            "the weakness that the report names; others use 919 (weaknesses in mobile applications) for all findings",
        ),
        ("severity", "a dangerous permission that the app requests is 2.0: MobSF calls it a hotspot, not a weakness"),
    ],
    detect,
    parse,
};

const MOBSFSCAN_WORDS: Words = &[("ERROR", 800), ("WARNING", 550), ("INFO", 200)];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["mobsfscan_version", "results"])
        || sniff.has_all(&["security_score", "hotspot", "total_trackers"])
        || ["", "[]."].iter().any(|before| is_static_analysis(sniff, before))
}

/// True if it is the report of a static analysis, or a list of them.
fn is_static_analysis(sniff: &Sniff, before: &str) -> bool {
    let has = |field: &str| sniff.has(&format!("{before}{field}"));
    sniff.value(&format!("{before}title")) == Some("Static Analysis") && has("file_name")
        || has("md5")
            && (has("sha256") || has("file_name"))
            && (has("code_analysis") || has("file_analysis") || has("binary_analysis"))
            && (has("app_name") || has("name") || has("package_name") || has("bundle_id"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.has("mobsfscan_version") || sniff.has_all(&["results", "errors"]) {
        return parse_mobsfscan(input, collector);
    }
    // The static analysis may have a score too, but not the scorecard's lists.
    let lists = ["high", "warning", "info", "hotspot", "secure"].into_iter().filter(|list| sniff.has(list)).count();
    if lists > 1 && !sniff.has("appsec") {
        return parse_scorecard(input, collector);
    }
    sections::parse(input, if sniff.is_list() { "[]." } else { "" }, collector)
}

fn parse_scorecard(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    const LISTS: [&str; 5] = ["high![]", "warning![]", "info![]", "hotspot![]", "secure![]"];
    let seen = json::walk(input, &LISTS, &mut |item| {
        let word = LISTS.get(item.path).map_or("", |list| list.trim_end_matches("![]"));
        match item.read::<RawEntry>() {
            Ok(_) if word == "secure" => collector.passed(),
            Ok(entry) => collector.finding(entry.into_finding(word)),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    seen.require(
        collector,
        &[0, 3],
        "a MobSF scorecard has the lists `high`, `warning`, `info`, `secure` and `hotspot`",
    )
}

#[derive(Deserialize)]
struct RawEntry {
    title: String,
    description: Option<String>,
    section: Option<String>,
}

impl RawEntry {
    fn into_finding(self, word: &str) -> Finding {
        let title = sections::plain(&self.title);
        let message = self.description.as_deref().map_or_else(|| title.clone(), sections::plain);
        let section = self.section.unwrap_or_default();
        let mut finding =
            Finding::new(Kind::Infrastructure, sections::rule_from_title(&section, &self.title), title, message);
        SCANNER.rating().word(Some(word)).apply(&mut finding);
        finding.raw.insert("section".to_owned(), section);
        // The entry about secrets lists all of them in one text, which cannot be split reliably.
        if finding.raw.get("section").is_some_and(|section| section == "secrets") {
            let listed = std::mem::replace(&mut finding.message, finding.title.clone());
            secret::attach(&mut finding, &listed);
            finding.kind = Kind::Secret;
        }
        finding
    }
}

#[derive(Deserialize)]
struct RawRule {
    #[serde(default)]
    files: Vec<serde_json::Value>,
    metadata: RawMetadata,
}

#[derive(Deserialize, Clone, Default)]
struct RawMetadata {
    description: Option<String>,
    severity: Option<String>,
    cwe: Option<Text>,
    #[serde(alias = "ref")]
    reference: Option<String>,
    masvs: Option<String>,
    #[serde(rename = "owasp-mobile")]
    owasp: Option<String>,
    #[serde(default)]
    cvss: Number,
}

impl RawMetadata {
    fn finding(&self, kind: Kind, rule: &str, words: Words) -> Finding {
        let message = self.description.as_deref().unwrap_or(rule).trim();
        let mut finding = Finding {
            cwes: self.cwe.as_ref().and_then(|cwe| cwe::number(&cwe.0)).into_iter().collect(),
            references: self.reference.clone().into_iter().filter(|link| !link.is_empty()).collect(),
            ..Finding::new(kind, rule, rule, message)
        };
        let cvss = self.cvss.0.filter(|score| *score > 0.0).map(|score| score.to_string());
        for (name, value) in [("masvs", self.masvs.clone()), ("owasp_mobile", self.owasp.clone()), ("cvss", cvss)] {
            finding.raw.extend(value.filled().map(|value| (name.to_owned(), value)));
        }
        Rating::new(words).word(self.severity.as_deref()).apply(&mut finding);
        finding
    }
}

#[derive(Deserialize)]
struct RawMatch {
    file_path: String,
    #[serde(default)]
    match_lines: Vec<Number>,
    match_string: Option<String>,
}

/// An error of Semgrep, which mobsfscan runs.
#[derive(Deserialize)]
struct RawError {
    path: String,
    message: Option<Text>,
    #[serde(rename = "type", default)]
    kind: serde_json::Value,
}

/// True if the path of an error of this type is that of an examined file, not of a file of rules.
fn is_about_target(kind: &serde_json::Value) -> bool {
    let kind = kind.to_string().to_ascii_lowercase();
    !["rule", "pattern", "plugin", "interfile"].iter().any(|word| kind.contains(word))
}

fn parse_mobsfscan(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut named = false;
    let seen = json::walk(input, &["results{}", "errors[]", "mobsfscan_version"], &mut |item| match item.path {
        0 => match item.read::<RawRule>() {
            Ok(rule) => collect_rule(item.name(0), rule, collector),
            Err(reason) => collector.rejected(format!("{}: {reason}", item.name(0))),
        },
        1 => {
            match item.read::<RawError>() {
                Ok(RawError { path, message, kind }) if is_about_target(&kind) => {
                    collector.blind_to_file(path, message.filled().unwrap_or_else(|| item.raw.to_owned()));
                }
                Ok(_) | Err(_) => {
                    collector.scanner_error(item.read::<String>().unwrap_or_else(|_| item.raw.to_owned()))
                }
            }
            Ok(())
        }
        _ => {
            named = true;
            item.read::<String>().into_iter().for_each(|version| collector.version(version));
            Ok(())
        }
    })?;
    collector.require(
        named && seen.has(0),
        "a mobsfscan report is an object with `mobsfscan_version` and the object `results`",
    )
}

fn collect_rule(rule: &str, raw: RawRule, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let finding = raw.metadata.finding(Kind::Code, rule, MOBSFSCAN_WORDS);
    if raw.files.is_empty() {
        // A missing protection has no location.
        return collector.finding(finding);
    }
    raw.files.into_iter().try_for_each(|file| {
        let place = json::from_value::<RawMatch>(file).map_err(|error| format!("{rule}: {error}"));
        collector.result(place.map(|place| finding_of_match(finding.clone(), place)))
    })
}

fn finding_of_match(mut finding: Finding, place: RawMatch) -> Finding {
    let lines: Vec<u32> = place.match_lines.into_iter().filter_map(Number::line).collect();
    let line = lines.first().copied();
    let end_line = lines.last().copied();
    finding.location = Some(Location::lines(place.file_path, line, end_line));
    let Some(text) = place.match_string.filled() else { return finding };
    // Rules about hard-coded credentials match the whole assignment.
    if finding.cwes.contains(&798) || finding.rule.contains("hardcoded") || finding.rule.contains("secret") {
        finding.kind = Kind::Secret;
        secret::attach(&mut finding, &text);
    } else if let Some(first_line) = line {
        finding.code = Some(Excerpt { first_line, lines: text.lines().map(str::to_owned).collect() });
    }
    finding
}

#[cfg(test)]
mod tests;
