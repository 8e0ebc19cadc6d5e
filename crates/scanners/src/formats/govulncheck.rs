//! govulncheck, <https://go.dev/security/vuln/>: known vulnerabilities that affect Go code, by the functions that it
//! calls. Reads its JSON report (`govulncheck -format json ./...`): the sequence of messages of version 1 and later,
//! also as a list, and the single object of earlier versions (`Vulns`; with `Modules` from 0.1 on).
//!
//! Each `finding` message is one result, and in the old format each entry of `Vulns`. govulncheck reports a
//! vulnerability up to three times: for a module that is required, a package that is imported and a symbol that is
//! called. Each is an occurrence of one issue. `osv` messages describe advisories, most of which do not apply; they are
//! not results.
//!
//! The Go database has no severities; govulncheck reports how close the code gets to the vulnerability. Unless the
//! advisory has a severity after all, a symbol that is called is high, a package that is imported medium and a module
//! that is only required low. A scan that was limited to modules or packages (`-scan`) cannot know that nothing is
//! called: its results are high.

use crate::Scanner;
use crate::reader::json::{self, Number};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::advisory::{or_default, unique};
use crate::value::osv::Entry;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

mod old;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "govulncheck",
    tool: "govulncheck",
    name: "govulncheck",
    aliases: &[],
    versions: "0.0 to 1.1",
    category: "SCA",
    notation: Notation::JsonLines,
    formats: "JSON (`govulncheck -format json ./...`)",
    severities: "the database has none; symbol called 8.0, package imported 5.5, module required 2.0; 8.0 if `-scan` limited the scan to modules or packages; the words of another database: critical 9.5, high 8.0, medium 5.5, low 2.0",
    severity_words: &[
        ("symbol", 800),
        ("package", 550),
        ("module", 200),
        ("package scan", 800),
        ("module scan", 800),
        ("critical", 950),
        ("high", 800),
        ("medium", 550),
        ("moderate", 550),
        ("low", 200),
        ("info", 0),
    ],
    differences: &[
        ("file_path", "the other system has the vulnerable package's path; ours is the location that calls it"),
        ("fix_version", "ours is written like the used version, with the `v` of Go's versions"),
        ("unique_id_from_tool", "composed by the other system; the report has only the advisory's id"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let is_message = ["", "[]."].iter().any(|list| {
        let has = |field: &str| sniff.has(&format!("{list}{field}"));
        sniff.value(&format!("{list}config.scanner_name")) == Some("govulncheck")
            || (has("config.db_last_modified") && has("config.go_version"))
            || (has("finding.osv") && has("finding.trace"))
    });
    is_message || is_old(sniff)
}

/// True if the report is the single object of versions before 1.
fn is_old(sniff: &Sniff) -> bool {
    sniff.has_all(&["Calls.Functions", "Imports.Packages"])
        || sniff.has_all(&["Vulns", "Requires"])
        || sniff.has_all(&["Calls", "Imports"])
        || sniff.has("Vulns[].OSV")
        || sniff.has_all(&["Vulns", "Modules"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if is_old(&Sniff::of(input)?) { old::parse(input, collector) } else { parse_messages(input, collector) }
}

fn parse_messages(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut advisories, mut evidence) = (BTreeMap::new(), false);
    let (mut has_config, mut needs_config) = (false, false);
    let mut config = RawConfig::default();
    json::values(input, &mut |_, raw| {
        if let Ok(message) = json::parse::<RawMessage>(raw) {
            match message.osv.map(|osv| json::parse::<Entry>(osv.get())) {
                Some(Ok(entry)) => drop(advisories.insert(entry.id.clone(), entry)),
                Some(Err(reason)) => collector.scanner_error(format!("an advisory cannot be read: {reason}")),
                None => {}
            }
            evidence |= message.config.is_some() || message.finding.is_some() || message.vulnerability.is_some();
            has_config |= message.config.is_some();
            needs_config |= message.finding.is_some();
            config = message.config.unwrap_or(std::mem::take(&mut config));
        }
        Ok(())
    })?;
    collector.require(
        evidence,
        "a govulncheck report has messages with `config`, `osv` and `finding`, or is an object with `Vulns`",
    )?;
    if needs_config && !has_config {
        collector.scanner_error("`config` is missing, so the level of the scan is unknown");
    }
    let scan_level = config.scan_level.unwrap_or_default();
    if let Some(version) = config.scanner_version {
        collector.version(version);
    }
    let unknown_advisory = Entry::default();
    json::values(input, &mut |_, raw| match json::parse::<RawMessage>(raw) {
        Ok(RawMessage { finding: Some(finding), .. }) => {
            let finding = json::parse::<RawFinding>(finding.get());
            collector.result(finding.and_then(|finding| {
                let entry = advisories.get(&finding.osv).unwrap_or(&unknown_advisory);
                finding.into_finding(entry, &scan_level)
            }))
        }
        Ok(RawMessage { vulnerability: Some(vulnerability), .. }) => {
            let vulnerability = json::parse::<old::RawVulnerability>(vulnerability.get());
            collector.result(
                vulnerability
                    .map_err(|error| error.to_string())
                    .and_then(|vulnerability| vulnerability.into_finding(&old::ModuleVersions::default())),
            )
        }
        Ok(RawMessage { config: None, osv: None, progress: None, sbom: None, .. }) => {
            collector.rejected("a message has neither `finding` nor another known field".to_owned())
        }
        Ok(RawMessage { .. }) => Ok(()),
        Err(error) => collector.rejected(error),
    })
}

#[derive(Deserialize)]
struct RawMessage {
    config: Option<RawConfig>,
    progress: Option<IgnoredAny>,
    #[serde(rename = "SBOM")]
    sbom: Option<IgnoredAny>,
    osv: Option<Box<RawValue>>,
    finding: Option<Box<RawValue>>,
    /// The finding, in version 0.2.
    vulnerability: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct RawConfig {
    #[serde(default, deserialize_with = "or_default")]
    scanner_version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    scan_level: Option<String>,
}

#[derive(Deserialize)]
struct RawFinding {
    osv: String,
    #[serde(default, deserialize_with = "or_default")]
    fixed_version: Option<String>,
    trace: Vec<RawFrame>,
}

/// A step from the vulnerable symbol, which is the first, to the code that was scanned.
#[derive(Deserialize)]
struct RawFrame {
    module: String,
    #[serde(default, deserialize_with = "or_default")]
    version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    package: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    function: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    receiver: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    position: Option<RawPosition>,
}

#[derive(Deserialize)]
struct RawPosition {
    filename: String,
    #[serde(default)]
    line: Number,
    #[serde(default)]
    column: Number,
}

impl RawFrame {
    /// The symbol's name with its package: `net/http.(*Server).Serve`.
    fn symbol(&self) -> Option<String> {
        let function = self.function.as_deref()?;
        let package = self.package.as_deref().unwrap_or(&self.module);
        Some(match self.receiver.as_deref().filled() {
            None => format!("{package}.{function}"),
            Some(receiver) if receiver.starts_with('*') => format!("{package}.({receiver}).{function}"),
            Some(receiver) => format!("{package}.{receiver}.{function}"),
        })
    }

    fn location(&self) -> Option<Location> {
        let position = self.position.as_ref()?;
        let (line, column) = (position.line.line(), position.column.line());
        Some(Location::lines(position.filename.clone(), line, None).with_column(column))
    }

    fn to_text(&self) -> String {
        let at = self.location().map(|at| format!(" at {}:{}", at.path, at.line.unwrap_or_default()));
        self.symbol().unwrap_or_else(|| self.module.clone()) + &at.unwrap_or_default()
    }
}

impl RawFinding {
    fn into_finding(self, entry: &Entry, scan_level: &str) -> Result<Finding, String> {
        let Some(sink) = self.trace.first() else { return Err("`trace` is empty".to_owned()) };
        let symbol = sink.symbol();
        let level = match (&symbol, &sink.package) {
            (Some(_), _) => Level::Symbol,
            (None, Some(_)) => Level::Package,
            (None, None) => Level::Module,
        };
        let caller = if self.trace.len() > 1 { self.trace.last().and_then(RawFrame::symbol) } else { None };
        let message = match (&symbol, &sink.package) {
            (Some(symbol), _) => {
                caller.map_or_else(|| format!("has {symbol}"), |caller| format!("{caller} calls {symbol}"))
            }
            (None, Some(package)) => format!("imports {package}"),
            (None, None) => format!("requires {}", sink.module),
        };
        let is_limited = scan_level == level.word();
        let location = self.trace.iter().rev().find_map(RawFrame::location);
        let fixed = self.fixed_version.filled();
        let fixed_versions = fixed.map_or_else(|| entry.fixed_versions(&sink.module), |version| vec![version]);
        let raw = [("package", sink.package.clone()), ("symbol", symbol)];
        let trace =
            (self.trace.len() > 1).then(|| self.trace.iter().map(RawFrame::to_text).collect::<Vec<_>>().join("\n"));
        let mut finding = Finding {
            location,
            raw: raw_fields(raw.into_iter().chain([("trace", trace)])),
            package: Some(Package {
                name: sink.module.clone(),
                version: sink.version.clone(),
                ecosystem: Some("go".to_owned()),
                purl: None,
                fixed_versions,
            }),
            ..advisory(&self.osv, entry, message)
        };
        rate(&mut finding, entry, level, is_limited);
        Ok(finding)
    }
}

/// The level at which the code uses the vulnerable module.
#[derive(Clone, Copy)]
enum Level {
    Symbol,
    Package,
    Module,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Package => "package",
            Self::Module => "module",
        }
    }
}

fn raw_fields<'n>(fields: impl IntoIterator<Item = (&'n str, Option<String>)>) -> BTreeMap<String, String> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A finding with the advisory's fields, for both formats.
fn advisory(id: &str, entry: &Entry, message: String) -> Finding {
    let title = entry.summary.clone().filled();
    Finding {
        advisories: unique([id.to_owned()].into_iter().chain(entry.aliases.iter().cloned())),
        cwes: entry.cwes(),
        description: entry.details.clone(),
        references: entry.references(),
        ..Finding::new(Kind::Dependency, id, title.unwrap_or_else(|| id.to_owned()), message)
    }
}

fn rate(finding: &mut Finding, entry: &Entry, level: Level, is_limited: bool) {
    let name = finding.package.as_ref().map(|package| package.name.clone()).unwrap_or_default();
    let word = match (level, is_limited) {
        (Level::Module, true) => "module scan",
        (Level::Package, true) => "package scan",
        (Level::Symbol, _) | (Level::Module | Level::Package, false) => level.word(),
    };
    // The advisory's own severity has priority over the level.
    entry.rate(&name, SCANNER.rating().word(Some(word))).apply(finding);
    finding.raw.insert("level".to_owned(), level.word().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const OSV: &str =
        r#"{"osv": {"id": "GO-2021-0113", "aliases": ["CVE-2021-38561"], "summary": "Out-of-bounds read"}}"#;

    fn found(trace: &str) -> String {
        format!(r#"{{"finding": {{"osv": "GO-2021-0113", "fixed_version": "v0.3.7", "trace": [{trace}]}}}}"#)
    }

    fn config(level: &str) -> String {
        format!(
            r#"{{"config": {{"scanner_name": "govulncheck", "scanner_version": "v1.1.4", "scan_level": "{level}"}}}}"#
        )
    }

    const MODULE: &str = r#"{"module": "golang.org/x/text", "version": "v0.3.5"}"#;
    const PACKAGE: &str =
        r#"{"module": "golang.org/x/text", "version": "v0.3.5", "package": "golang.org/x/text/language"}"#;
    const SYMBOL: &str = r#"{"module": "golang.org/x/text", "version": "v0.3.5", "package": "golang.org/x/text/language",
        "function": "Parse", "receiver": "*Tag"}, {"module": "shop.example", "package": "shop.example", "function": "main",
        "position": {"filename": "main.go", "offset": 189, "line": 12, "column": 43}}"#;

    #[test]
    fn each_finding_message_is_a_result_rated_by_its_level() {
        // The advisory follows the findings, and one that does not apply is not a result.
        let other = OSV.replace("0113", "0114");
        let text = [config("symbol"), found(MODULE), found(PACKAGE), found(SYMBOL), OSV.to_owned(), other].join("\n");
        let (lines, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let short: Vec<_> = lines.iter().map(|f| (f.message.as_str(), f.score.unwrap().score.hundredths())).collect();
        let expected = [
            ("requires golang.org/x/text", 200),
            ("imports golang.org/x/text/language", 550),
            ("shop.example.main calls golang.org/x/text/language.(*Tag).Parse", 800),
        ];
        assert_eq!(short, expected);
        assert_eq!(parsed.scanner_version.as_deref(), Some("v1.1.4"));
        assert_eq!(lines[2].location.as_ref().and_then(|location| location.line), Some(12));
        assert_eq!(lines[0].advisories, ["GO-2021-0113", "CVE-2021-38561"]);
        assert_eq!(lines[0].package.as_ref().unwrap().fixed_versions, ["v0.3.7"]);

        let list =
            format!("[{}]", [config("symbol"), found(MODULE), found(PACKAGE), found(SYMBOL), OSV.to_owned()].join(","));
        assert_eq!(findings(&SCANNER, list.as_bytes()).unwrap().0, lines);
    }

    #[test]
    fn a_scan_of_modules_alone_does_not_prove_that_nothing_is_called() {
        for (level, trace, score) in [("module", MODULE, 800), ("package", PACKAGE, 800), ("package", MODULE, 200)] {
            let text = format!("{}{}", config(level), found(trace));
            let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!(findings[0].score.unwrap().score.hundredths(), score, "{level} {trace}");
        }
    }

    #[test]
    fn findings_that_cannot_be_read_are_rejected_and_other_messages_refused() {
        let text =
            [config("symbol"), found(""), r#"{"finding": {"osv": 1}}"#.to_owned(), "5".to_owned(), found(MODULE)]
                .join("\n");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 3));
        for other in [r#"{"osv": {"id": "1"}}"#, r#"[{"a": 1}]"#, r#"{"finding": null}"#] {
            assert!(failure(&SCANNER, other.as_bytes()).contains("a govulncheck report has messages"), "{other}");
        }
    }
}
