//! bundler-audit, <https://github.com/rubysec/bundler-audit>: known vulnerabilities of the gems in a Gemfile.lock.
//! Reads the text that `bundle-audit check` prints (blocks of lines that begin with `Name:`) and its JSON report
//! (`--format json`).
//!
//! Each block and each entry of `results` is one result: an advisory about a gem, or a source that is not encrypted.
//! The rule is the CVE, else the GitHub advisory, else the advisory's id in the Ruby advisory database.
//!
//! The printed report ends with `Vulnerabilities found!` or `No vulnerabilities found`; without this line it is
//! incomplete. The score is the advisory's CVSS in JSON, else the criticality. `Unknown` and `None` mean that the
//! advisory database has no score: such results get none.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{lower_bounds, or_default, outermost, unique};
use finding::limits::ENTRY_BYTES_MAX;
use finding::{Finding, Kind, Package};
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, Read as _};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "bundler-audit",
    tool: "bundler-audit",
    name: "bundler-audit",
    aliases: &["bundle-audit"],
    versions: "0.6 to 0.9",
    category: "SCA",
    notation: Notation::Text,
    formats: "printed text (`bundle-audit check`), JSON (`--format json`)",
    severities: "the advisory's CVSS, else Critical 9.5, High 8.0, Medium 5.5, Low 2.0; Unknown and None unassigned",
    severity_words: &[("critical", 950), ("high", 800), ("medium", 550), ("low", 200)],
    differences: &[(
        "severity",
        "the other system makes Unknown medium; the advisory has no score, so people decide on its severity",
    )],
    detect,
    parse,
};

const FOUND: &str = "Vulnerabilities found!";
const NOTHING_FOUND: &str = "No vulnerabilities found";
const INSECURE: &str = "Insecure Source URI found:";

fn detect(sniff: &Sniff) -> bool {
    if sniff.is_object() {
        return is_json(sniff);
    }
    let text = plain(sniff.text());
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    (has("Name: ") && has("Version: ") && has("Criticality:"))
        || has(INSECURE)
        || text.lines().any(|line| line.trim_end() == NOTHING_FOUND)
}

fn is_json(sniff: &Sniff) -> bool {
    let is_clean = || outermost(sniff).is_some_and(|fields| fields == ["created_at", "results", "version"]);
    sniff.has_all(&["results[].gem.name", "results[].advisory.id"])
        || sniff.value("results[].type") == Some("insecure_source")
        || (sniff.has_all(&["version", "created_at", "results"]) && is_clean())
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if Sniff::of(input)?.is_object() { parse_json(input, collector) } else { parse_text(input, collector) }
}

fn parse_text(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut block, mut blocks, mut has_end) = (Block::default(), 0_u64, false);
    lines(input, &mut |line| {
        let line = plain(line);
        let is_end = line == FOUND || line == NOTHING_FOUND;
        let source = line.strip_prefix(INSECURE);
        if is_end || source.is_some() || line.starts_with("Name:") {
            std::mem::take(&mut block).end(&mut blocks, collector)?;
        }
        has_end |= is_end;
        match source {
            Some(source) => {
                blocks += 1;
                collector.finding(insecure(source.trim()))
            }
            None => {
                block.add(&line);
                Ok(())
            }
        }
    })?;
    block.end(&mut blocks, collector)?;
    if !has_end && blocks == 0 {
        return Err(ParseError::other_shape(format!(
            "its text has blocks that begin with `Name:`, and ends with `{FOUND}` or `{NOTHING_FOUND}`"
        )));
    }
    if has_end {
        collector.container();
    } else {
        collector.scanner_error(
            "the last line, `Vulnerabilities found!` or `No vulnerabilities found`, is missing: the report was cut off",
        );
    }
    Ok(())
}

/// Calls `on` with every line, without its end.
fn lines(input: Input<'_>, on: &mut dyn FnMut(&str) -> Result<(), ParseError>) -> Result<(), ParseError> {
    let mut reader = BufReader::new(input.open());
    let most = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(most).read_until(b'\n', &mut line).map_err(ParseError::Unreadable)? == 0 {
            return Ok(());
        }
        if line.len() >= ENTRY_BYTES_MAX {
            return Err(ParseError::entry_too_large("in a line"));
        }
        on(String::from_utf8_lossy(&line).trim_end())?;
    }
}

/// The text without the escape codes for terminal colours.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.strip_prefix('[').and_then(|code| code.split_once('m'));
        plain.push_str(after.map_or(part, |(_, text)| text));
    }
    plain
}

/// The lines of a result; the first begins with `Name:`.
#[derive(Default)]
struct Block {
    fields: Vec<(String, String)>,
    in_description: bool,
}

impl Block {
    fn add(&mut self, line: &str) {
        if self.in_description && (line.starts_with("  ") || line.is_empty()) {
            if let Some((_, description)) = self.fields.last_mut() {
                description.push_str(line.trim());
                description.push('\n');
            }
            return;
        }
        let Some((name, value)) = line.split_once(':') else { return };
        let names =
            ["Version", "Advisory", "CVE", "GHSA", "OSVDB", "Criticality", "URL", "Title", "Description", "Solution"];
        if name == "Name" || (!self.fields.is_empty() && names.contains(&name)) {
            self.in_description = name == "Description";
            self.fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.trim().to_owned()).filled()
    }

    fn end(self, blocks: &mut u64, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        if self.fields.is_empty() {
            return Ok(());
        }
        *blocks += 1;
        let Some(name) = self.get("Name") else { return collector.rejected("`Name` is missing".to_owned()) };
        let ids = ["CVE", "GHSA", "Advisory", "OSVDB"].iter().filter_map(|field| self.get(field));
        let advisory = Advisory {
            ids: ids.collect(),
            title: self.get("Title"),
            description: self.get("Description"),
            url: self.get("URL"),
            solution: self.get("Solution"),
            criticality: self.get("Criticality"),
            ..Advisory::default()
        };
        collector.result(advisory.into_finding(name, self.get("Version")))
    }
}

/// The fields of an advisory that both formats have.
#[derive(Default)]
struct Advisory {
    ids: Vec<String>,
    title: Option<String>,
    description: Option<String>,
    url: Option<String>,
    solution: Option<String>,
    criticality: Option<String>,
    patched: Vec<String>,
    cvss_v2: Option<f64>,
    cvss_v3: Option<f64>,
}

impl Advisory {
    fn into_finding(self, gem: String, version: Option<String>) -> Result<Finding, String> {
        let advisories = unique(self.ids);
        let Some(rule) = advisories.first().cloned() else { return Err(format!("the advisory of `{gem}` has no id")) };
        // The printed report has the title or, with `--verbose`, the description.
        let first = self.description.as_deref().and_then(|text| text.lines().next()).map(str::to_owned);
        let title = self.title.or(first).unwrap_or_else(|| rule.clone());
        let message = format!("{gem} {} is vulnerable: {title}", version.as_deref().unwrap_or("of unknown version"));
        let patched = if self.patched.is_empty() { self.solution.clone() } else { Some(self.patched.join(", ")) };
        let fixed_versions = patched.as_deref().map(lower_bounds).unwrap_or_default();
        let solution = self.solution.or_else(|| Some(format!("upgrade to {}", patched?)));
        let package = Package { name: gem, version, ecosystem: Some("gem".to_owned()), purl: None, fixed_versions };
        let mut finding = Finding {
            advisories,
            description: self.description,
            remediation: solution,
            references: self.url.into_iter().collect(),
            package: Some(package),
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        let rating = SCANNER.rating().base("3.0", self.cvss_v3).base("2.0", self.cvss_v2);
        rating.word(self.criticality.as_deref()).apply(&mut finding);
        Ok(finding)
    }
}

fn insecure(source: &str) -> Finding {
    Finding {
        resource: Some(source.to_owned()),
        ..Finding::new(
            Kind::Infrastructure,
            "insecure-source",
            "Insecure source of gems",
            format!("gems come from {source}, unencrypted"),
        )
    }
}

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut has_date, mut read) = (false, 0_u64);
    let seen = json::walk(input, &["results[]", "created_at", "version"], &mut |item| match item.path {
        0 => {
            let result = item.read::<RawResult>().and_then(RawResult::into_finding);
            read += u64::from(result.is_ok());
            collector.result(result)
        }
        1 => {
            has_date = true;
            item.ended(collector)
        }
        _ => {
            if let Ok(version) = item.read::<Text>() {
                collector.version(version.0);
            }
            Ok(())
        }
    })?;
    collector.require(
        seen.has(0) && (has_date || read > 0),
        "a bundler-audit JSON report has `version`, `created_at` and the list `results`",
    )
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    source: Option<String>,
    gem: Option<RawGem>,
    advisory: Option<RawAdvisory>,
}

#[derive(Deserialize)]
struct RawGem {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: Option<Text>,
}

#[derive(Deserialize)]
struct RawAdvisory {
    #[serde(default, deserialize_with = "or_default")]
    id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cve: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    ghsa: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    osvdb: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    title: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    criticality: Option<String>,
    #[serde(default)]
    cvss_v2: Number,
    #[serde(default)]
    cvss_v3: Number,
    #[serde(default, deserialize_with = "or_default")]
    patched_versions: Vec<String>,
}

impl RawResult {
    fn into_finding(self) -> Result<Finding, String> {
        match (self.gem, self.advisory, self.source) {
            (Some(gem), Some(advisory), _) => advisory.into_advisory().into_finding(gem.name, gem.version.filled()),
            (None, None, Some(source)) if self.kind.as_deref() == Some("insecure_source") => Ok(insecure(&source)),
            _ => Err("expected a gem with its advisory, or an insecure source".to_owned()),
        }
    }
}

impl RawAdvisory {
    fn into_advisory(self) -> Advisory {
        // The ids have no prefix: `"cve": "2020-8161"`.
        let named = |kind: &str, id: Option<String>| {
            id.map(|id| if id.starts_with(kind) { id } else { format!("{kind}-{id}") })
        };
        let osvdb = self.osvdb.filled();
        let ids = [named("CVE", self.cve), named("GHSA", self.ghsa), self.id, named("OSVDB", osvdb)];
        Advisory {
            ids: ids.into_iter().flatten().collect(),
            title: self.title,
            description: self.description,
            url: self.url,
            solution: None,
            criticality: self.criticality,
            patched: self.patched_versions,
            cvss_v2: self.cvss_v2.0,
            cvss_v3: self.cvss_v3.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const BLOCK: &str = "Name: rack\nVersion: 1.6.13\nCVE: CVE-2020-8161\nGHSA: GHSA-5f9h-9pjv-v6j7\nCriticality: High\n\
        URL: https://a.example\nTitle: Directory traversal\nSolution: upgrade to '~> 2.1.3', '>= 2.2.0'\n\n";

    #[test]
    fn blocks_of_all_versions_are_findings() {
        let old = "Name: sprockets\nVersion: 2.2.3\nAdvisory: OSVDB-1\nCriticality: Unknown\nDescription:\n\n  First line\n\n  Name: x\n\n\
            Solution: remove or disable this gem until a patch is available!\n";
        let text = format!("Updating the database\n{BLOCK}\u{1b}[31m{old}\u{1b}[0m\nVulnerabilities found!\n");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.summary.is_complete() && findings.len() == 2, "{:?}", parsed.summary);
        assert_eq!(findings[0].advisories, ["CVE-2020-8161", "GHSA-5f9h-9pjv-v6j7"]);
        assert_eq!(findings[0].package.as_ref().unwrap().fixed_versions, ["2.1.3", "2.2.0"]);
        assert_eq!((findings[1].rule.as_str(), findings[1].title.as_str()), ("OSVDB-1", "First line"));
        assert!(findings[1].score.is_none() && findings[1].package.as_ref().unwrap().fixed_versions.is_empty());
    }

    #[test]
    fn json_gives_the_same_issue_as_the_printed_report() {
        let text = r#"{"version": "0.9.1", "created_at": "2026-11-23 04:00:00 +0000", "results": [{"type": "unpatched_gem",
            "gem": {"name": "rack", "version": "1.6.13"}, "advisory": {"id": "CVE-2020-8161", "cve": "2020-8161",
            "ghsa": "5f9h-9pjv-v6j7", "title": "Directory traversal", "cvss_v3": 8.6, "criticality": "high",
            "patched_versions": ["~> 2.1.3", ">= 2.2.0"]}}, {"type": "insecure_source", "source": "http://gems.example/"},
            {"type": "other"}]}"#;
        let (json, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let (printed, _) = findings(&SCANNER, format!("{BLOCK}{FOUND}").as_bytes()).unwrap();
        assert_eq!((&json[0].rule, &json[0].advisories), (&printed[0].rule, &printed[0].advisories));
        assert_eq!(json[0].package, printed[0].package);
        assert_eq!(json[0].score.map(|scored| scored.score.hundredths()), Some(860));
        assert_eq!(json[1].resource.as_deref(), Some("http://gems.example/"));
        assert_eq!((parsed.summary.rejected, parsed.scanner_version.as_deref()), (1, Some("0.9.1")));
    }

    #[test]
    fn a_printed_report_without_its_last_line_is_incomplete() {
        let (_, parsed) = findings(&SCANNER, BLOCK.as_bytes()).unwrap();
        assert!(parsed.summary.scanner_errors[0].contains("cut off"));
        assert!(failure(&SCANNER, b"Name of nothing").contains("blocks that begin with `Name:`"));
        let (_, parsed) =
            findings(&SCANNER, b"Name: rack\nVersion: 1\nCriticality: Low\nVulnerabilities found!").unwrap();
        assert_eq!(parsed.summary.rejected, 1);
    }
}
