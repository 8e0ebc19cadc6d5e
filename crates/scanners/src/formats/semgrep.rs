//! Semgrep, <https://semgrep.dev>: code, dependency and secret scanner. Reads the JSON report of `semgrep scan --json`
//! and `semgrep ci --json` as versions 0.70 to 1.182 write it, and the list `vulns[]` of the platform's export of
//! vulnerable dependencies. The platform's findings are a format of their own, `semgrep-pro`.
//!
//! Each element of `results[]` or `vulns[]` is a result. The rule is `check_id`, exactly as in the tool's SARIF. A
//! result that a `nosemgrep` comment ignores (`is_ignored`) is suppressed. An export that is only one page of several
//! (`hasMore`) is incomplete.
//!
//! Blind spots: the file of an error (`errors[].path`), of level `error` or `warn`, which syntax errors have; else its
//! rule; everything after an error of the interfile analysis. An error of level `error` without file and rule makes the
//! scan incomplete. Rules in `skipped_rules` were not applied. `paths.skipped` (`--verbose`) lists files with Semgrep's
//! reason; those that the user excluded, that no rule is about, and binary ones are not blind spots. `paths.scanned` is
//! the list of the examined files. (`time.rules` is empty in useful scans, too.)
//!
//! Semgrep's documentation (rule syntax, `severity`) has four severities, and maps the older words to them: ERROR is
//! HIGH, WARNING is MEDIUM, INFO is LOW. Since version 1.100 the tool writes `requires login` instead of the code and
//! the fingerprint. This text is ignored.

mod vulns;

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::secret;
use finding::{Excerpt, Finding, Kind, Location, Package, Reach, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;
use vulns::RawVulnerability;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "semgrep",
    tool: "semgrep",
    name: "Semgrep",
    aliases: &["semgrep-oss", "semgrep-json"],
    versions: "0.70 to 1.182",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`semgrep scan --json`), and the platform's export of dependencies (`vulns`)",
    severities: "CRITICAL 9.5, ERROR or HIGH 8.0, WARNING or MEDIUM 5.5, INFO or LOW 2.0 (Semgrep's documentation of a rule's severity)",
    // With the words of Semgrep's platform.
    severity_words: &[
        ("CRITICAL", 950),
        ("ERROR", 800),
        ("HIGH", 800),
        ("WARNING", 550),
        ("MEDIUM", 550),
        ("INFO", 200),
        ("LOW", 200),
    ],
    differences: &[],
    detect,
    parse,
};

/// The text in place of code and fingerprints that only users who are signed in can see, in SARIF too.
pub(crate) const REQUIRES_LOGIN: &str = "requires login";

fn detect(sniff: &Sniff) -> bool {
    let bare: String = sniff.text().chars().filter(|c| !c.is_whitespace()).take(40).collect();
    sniff.has_all(&["results[].check_id", "results[].extra"])
        || sniff.has_all(&["errors", "paths.scanned"])
        || sniff.has_all(&["vulns[].advisory.ruleId", "vulns[].matchedDependency"])
        || bare == r#"{"results":[],"errors":[]}"#
        || bare == r#"{"errors":[],"results":[]}"#
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = [
        "results[]",
        "vulns[]",
        "errors[]",
        "version",
        "hasMore",
        "paths.scanned[]",
        "paths.skipped[]",
        "skipped_rules[]",
    ];
    let mut scanned = 0;
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawResult>().map(RawResult::into_finding)),
        1 => match item.read::<RawVulnerability>() {
            Ok(raw) if raw.is_fixed() => collector.closed(),
            raw => collector.result(raw.map(RawVulnerability::into_finding)),
        },
        2 => {
            match item.read::<RawError>() {
                Ok(error) => error.collect(collector),
                Err(reason) => collector.scanner_error(reason),
            }
            Ok(())
        }
        3 => {
            item.read::<Text>().into_iter().filter_map(Filled::filled).for_each(|version| collector.version(version));
            Ok(())
        }
        4 => {
            if !matches!(item.raw, "false" | "null") {
                collector.scanner_error("the export is one page of several: `hasMore` is true");
            }
            Ok(())
        }
        5 => {
            scanned += 1;
            Ok(())
        }
        6 => {
            match item.read::<RawSkippedFile>() {
                Ok(skipped) => skipped.collect(collector),
                Err(reason) => collector.scanner_error(format!("a skipped file cannot be read: {reason}")),
            }
            Ok(())
        }
        _ => {
            match item.read::<RawSkippedRule>() {
                Ok(RawSkippedRule { rule_id, details }) => {
                    let reason = details.filled().unwrap_or_else(|| "Semgrep skipped the rule".to_owned());
                    collector.blind_spot(Reach::Rule(rule_id), reason);
                }
                Err(reason) => collector.scanner_error(format!("a skipped rule cannot be read: {reason}")),
            }
            Ok(())
        }
    })?;
    if seen.has(5) {
        collector.examined(Unit::Files, scanned);
    }
    collector.require(
        (seen.has(0) && seen.has(2)) || seen.has(1),
        "a Semgrep JSON report is an object with the lists `results` and `errors`",
    )
}

#[derive(Deserialize)]
struct RawError {
    level: Loose<Text>,
    #[serde(rename = "type", default)]
    kind: serde_json::Value,
    message: Loose<Text>,
    long_msg: Loose<Text>,
    short_msg: Loose<Text>,
    path: Loose<Text>,
    rule_id: Loose<Text>,
}

impl RawError {
    fn collect(self, collector: &mut Collector<'_>) {
        if self.level.is("info") {
            return;
        }
        let is_warning = self.level.is("warn") || self.level.is("warning");
        // A text, or since version 1.45 a list of a text and details.
        let kind = self.kind.as_str().or_else(|| self.kind.get(0)?.as_str()).unwrap_or_default().to_ascii_lowercase();
        let message = self.message.filled().or(self.long_msg.filled()).or(self.short_msg.filled());
        let message = message.unwrap_or_else(|| "Semgrep reports an error without a message".to_owned());
        // A name that cannot be read may be that of a larger reach.
        let (path, rule) = match (self.path.checked("path"), self.rule_id.checked("rule_id")) {
            (Ok(path), Ok(rule)) => (path.filled(), rule.filled()),
            (Err(reason), _) | (_, Err(reason)) => return collector.scanner_error(format!("{message} ({reason})")),
        };
        let rule = rule.map(Reach::Rule);
        let is_about_rule = ["rule", "pattern", "plugin"].iter().any(|word| kind.contains(word));
        // The path of an error in a rule is that of the rule's file.
        let file = path.filter(|_| !is_about_rule || kind.contains("plugin")).map(Reach::File);
        let reaches = match (file, rule) {
            _ if kind.contains("interfile") => [Some(Reach::Everything), None],
            (Some(file), rule) => [Some(file), rule.filter(|_| is_about_rule)],
            (None, rule) => [rule, None],
        };
        match reaches {
            [None, None] if is_warning => {}
            [None, None] => collector.scanner_error(message),
            reaches => {
                reaches.into_iter().flatten().for_each(|reach| collector.blind_spot(reach, message.as_str()));
            }
        }
    }
}

/// Reasons for which Semgrep skips a file that it should not examine.
const NOT_TO_EXAMINE: [&str; 11] = [
    "always_skipped",
    "binary",
    "cli_exclude_flags_match",
    "cli_include_flags_do_not_match",
    "dotfile",
    "excluded_by_config",
    "gitignore_patterns_match",
    "irrelevant_rule",
    "nonexistent_file",
    "semgrepignore_patterns_match",
    "wrong_language",
];

#[derive(Deserialize)]
struct RawSkippedFile {
    path: Text,
    reason: Text,
    details: Loose<Text>,
}

impl RawSkippedFile {
    fn collect(self, collector: &mut Collector<'_>) {
        let reason = self.reason.0;
        if NOT_TO_EXAMINE.iter().any(|other| reason.eq_ignore_ascii_case(other)) {
            return;
        }
        let details = self.details.filled().map(|details| format!(": {details}")).unwrap_or_default();
        collector.blind_to_file(self.path.0, format!("{reason}{details}"));
    }
}

#[derive(Deserialize)]
struct RawSkippedRule {
    rule_id: String,
    details: Loose<Text>,
}

#[derive(Deserialize)]
struct RawResult {
    check_id: String,
    path: Text,
    start: Loose<RawPosition>,
    end: Loose<RawPosition>,
    extra: RawExtra,
}

#[derive(Deserialize, Default)]
struct RawPosition {
    line: Loose<Number>,
    col: Loose<Number>,
}

#[derive(Deserialize)]
struct RawExtra {
    message: Loose<Text>,
    severity: Loose<Text>,
    lines: Loose<Text>,
    fingerprint: Loose<Text>,
    fix: Loose<Text>,
    is_ignored: Loose<bool>,
    validation_state: Loose<Text>,
    metadata: Loose<RawMetadata>,
    metavars: Loose<BTreeMap<String, RawMetavariable>>,
    sca_info: Loose<RawScaInfo>,
}

#[derive(Deserialize, Default)]
struct RawMetadata {
    cwe: Loose<Many<Text>>,
    owasp: Loose<Many<Text>>,
    references: Loose<Many<Text>>,
    technology: Loose<Many<Text>>,
    source: Loose<Text>,
    shortlink: Loose<Text>,
    category: Loose<Text>,
    confidence: Loose<Text>,
    likelihood: Loose<Text>,
    impact: Loose<Text>,
    product: Loose<Text>,
    #[serde(rename = "sca-vuln-database-identifier")]
    advisories: Loose<Many<Text>>,
    #[serde(rename = "sca-fix-versions")]
    fixes: Loose<Many<BTreeMap<String, Text>>>,
    #[serde(rename = "sca-severity")]
    sca_severity: Loose<Text>,
}

#[derive(Deserialize)]
struct RawMetavariable {
    abstract_content: Loose<Text>,
}

#[derive(Deserialize)]
struct RawScaInfo {
    reachable: Loose<bool>,
    dependency_match: RawMatch,
}

#[derive(Deserialize)]
struct RawMatch {
    found_dependency: RawFound,
    lockfile: Loose<Text>,
}

#[derive(Deserialize)]
struct RawFound {
    package: String,
    version: Loose<Text>,
    ecosystem: Loose<Text>,
    transitivity: Loose<Text>,
    lockfile_path: Loose<Text>,
    line_number: Loose<Number>,
}

impl RawResult {
    fn into_finding(self) -> Finding {
        let Self { check_id, path, start, end, extra } = self;
        let (start, end) = (start.0.unwrap_or_default(), end.0.unwrap_or_default());
        let metadata = extra.metadata.0.unwrap_or_default();
        let technology = metadata.technology.texts();
        let is_secret = is_secret(&check_id, &technology, metadata.product.as_str());
        let title = title_of(&check_id).to_owned();
        let lines = extra.lines.filled().filter(|lines| lines != REQUIRES_LOGIN);
        let line = start.line.line();
        let references = [
            metadata.references.texts(),
            [metadata.source, metadata.shortlink].map(Loose::filled).into_iter().flatten().collect(),
        ];
        let mut finding = Finding {
            confidence: metadata.confidence.filled(),
            cwes: cwe::numbers(metadata.cwe.texts().iter().map(String::as_str)),
            references: references.concat(),
            location: Some(Location::lines(path.0, line, end.line.line()).with_column(start.col.line())),
            code: lines
                .as_ref()
                .zip(line)
                .map(|(lines, first_line)| Excerpt { first_line, lines: lines.lines().map(str::to_owned).collect() }),
            suppressed: extra.is_ignored.0.unwrap_or(false).then(|| "is_ignored".to_owned()),
            ..Finding::new(Kind::Code, check_id, title, extra.message.filled().unwrap_or_default())
        };
        let fingerprint = extra.fingerprint.filled().filter(|print| print != REQUIRES_LOGIN);
        finding.fingerprints.extend(fingerprint.map(|print| ("matchBasedId/v1".to_owned(), print)));
        let kept = [
            ("category", metadata.category.filled()),
            ("likelihood", metadata.likelihood.filled()),
            ("impact", metadata.impact.filled()),
            ("owasp", metadata.owasp.texts().join(", ").filled()),
            ("fix", extra.fix.filled()),
            ("validation_state", extra.validation_state.filled().filter(|state| state != "NO_VALIDATOR")),
        ];
        add_raw(&mut finding, kept);
        let word = metadata.sca_severity.filled().filter(|_| extra.sca_info.0.is_some()).or(extra.severity.filled());
        SCANNER.rating().word(word.as_deref()).apply(&mut finding);
        if let Some(sca) = extra.sca_info.0 {
            sca.add_to(&mut finding, metadata.advisories.texts(), metadata.fixes.0.unwrap_or_default().0);
        } else if is_secret {
            finding.kind = Kind::Secret;
            let (first, last) = (start.col.line(), end.col.line());
            let matched = lines.map(|lines| matched(&lines, first, last));
            let parts = extra.metavars.0.unwrap_or_default().into_values();
            if matched.is_none() && start.line.line() == end.line.line() {
                mask_by_length(&mut finding, first, last);
            }
            mask_secret(&mut finding, matched, parts.filter_map(|variable| variable.abstract_content.filled()));
        }
        finding
    }
}

/// Adds the fields that have a value to the finding's raw fields.
pub(crate) fn add_raw<const N: usize>(finding: &mut Finding, fields: [(&str, Option<String>); N]) {
    let there = fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    finding.raw.extend(there);
}

impl RawScaInfo {
    fn add_to(self, finding: &mut Finding, advisories: Vec<String>, fixes: Vec<BTreeMap<String, Text>>) {
        let RawMatch { found_dependency: found, lockfile } = self.dependency_match;
        let fixed = fixes.into_iter().flatten().filter(|(package, _)| *package == found.package);
        finding.kind = Kind::Dependency;
        finding.advisories = advisories;
        finding.package = Some(Package {
            fixed_versions: fixed.map(|(_, version)| version.0).collect(),
            name: found.package.clone(),
            version: found.version.filled(),
            ecosystem: found.ecosystem.filled().map(|ecosystem| ecosystem.to_ascii_lowercase()),
            purl: None,
        });
        // A reachable vulnerability is reported at the call, so the manifest is another location; else it is the
        // location.
        let manifest = found.lockfile_path.filled().or(lockfile.filled());
        if let Some(path) = manifest.filter(|path| finding.location.as_ref().is_none_or(|at| at.path != *path)) {
            finding.other_locations.push(Location::lines(path, found.line_number.line(), None));
        }
        let reachable = self.reachable.0.map(|reachable| reachable.to_string());
        add_raw(finding, [("reachable", reachable), ("transitivity", found.transitivity.filled())]);
    }
}

/// The name of a rule: the last part of its id. The parts before it are folders.
pub(crate) fn title_of(check_id: &str) -> &str {
    check_id.rsplit('.').next().unwrap_or(check_id)
}

/// True if a rule looks for secrets, according to its id, which SARIF contains too, or to its metadata.
pub(crate) fn is_secret(check_id: &str, technology: &[String], product: Option<&str>) -> bool {
    let says = |text: &str| text.eq_ignore_ascii_case("secrets");
    check_id.split('.').any(says) || technology.iter().any(|text| says(text)) || product.is_some_and(says)
}

/// The text that was matched. Columns count characters from 1, in the first and in the last line; the end is exclusive.
/// Returns all of the lines if the columns do not fit them.
pub(crate) fn matched(lines: &str, start: Option<u32>, end: Option<u32>) -> String {
    let at = |column: Option<u32>| column.and_then(|column| usize::try_from(column.checked_sub(1)?).ok());
    let (Some(start), Some(end)) = (at(start), at(end)) else { return lines.to_owned() };
    let last = lines.rfind('\n').map_or(0, |end| end + 1);
    let before = lines.chars().take(start).map(char::len_utf8).sum::<usize>();
    let after = last + lines.get(last..).unwrap_or_default().chars().take(end).map(char::len_utf8).sum::<usize>();
    let text = lines.get(before..after).unwrap_or_default().trim();
    if text.is_empty() { lines.to_owned() } else { text.to_owned() }
}

/// Masks a secret. The rule's message may contain only a part of it, from a metavariable.
pub(crate) fn mask_secret(finding: &mut Finding, matched: Option<String>, parts: impl Iterator<Item = String>) {
    const PART_MIN: usize = 4;
    for part in parts.filter(|part| part.trim().len() >= PART_MIN) {
        finding.message = finding.message.replace(part.trim(), &secret::of(&part).masked);
    }
    // `fix` is the replacement for the matched code, and may repeat it.
    finding.raw.remove("fix");
    if let Some(matched) = matched {
        secret::attach(finding, &matched);
    }
}

/// Masks words of the message that are as long as the matched text, which must be on one line. Needed if the report
/// withholds the code but the rule's message repeats it. Short words without a digit are kept: they may be ordinary.
pub(crate) fn mask_by_length(finding: &mut Finding, start: Option<u32>, end: Option<u32>) {
    const LENGTH_MIN: usize = 8;
    const LENGTH_MIN_WITHOUT_DIGIT: usize = 16;
    let length = end.zip(start).and_then(|(end, start)| usize::try_from(end.checked_sub(start)?).ok());
    let Some(length) = length.filter(|length| *length >= LENGTH_MIN) else { return };
    let may_be_secret = |word: &str| {
        // The matched text may include quotes.
        let long = [length, length - 2].contains(&word.chars().count());
        long && (length >= LENGTH_MIN_WITHOUT_DIGIT || word.bytes().any(|c| c.is_ascii_digit()))
    };
    let message = finding.message.clone();
    let words = message.split(|c: char| c.is_whitespace() || "\"'`".contains(c));
    let words = words.flat_map(|word| [word, word.trim_end_matches(['.', ',', ';', ':'])]);
    for word in words.filter(|word| may_be_secret(word)) {
        finding.message = finding.message.replace(word, &secret::of(word).masked);
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        let path = format!("{}/fixtures/semgrep/{file}", env!("CARGO_MANIFEST_DIR"));
        findings(&SCANNER, &std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn withheld_code_and_fingerprints_are_ignored() {
        let (findings, parsed) = read("1.182-findings.json");
        assert_eq!(parsed.scanner_version.as_deref(), Some("1.182.0"));
        assert_eq!(findings.len(), 4);
        assert!(findings.iter().all(|finding| finding.code.is_none() && finding.fingerprints.is_empty()));
        let finding = &findings[1];
        assert_eq!(
            (finding.rule.as_str(), finding.title.as_str()),
            ("python.notes.subprocess-shell-true", "subprocess-shell-true")
        );
        assert_eq!((finding.cwes.as_slice(), finding.location.as_ref().unwrap().line), (&[78][..], Some(8)));
        // The finding is a secret even if the report withholds the secret.
        assert_eq!((findings[0].kind, &findings[0].secret), (Kind::Secret, &None));
    }

    #[test]
    fn parts_of_secrets_in_the_message_are_masked() {
        let (findings, parsed) = read("1.50-code.json");
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains("0123456789abcdef"), "{stored}");
        assert_eq!(findings[0].secret, Some(secret::of("ntk_0123456789abcdef")));
        assert!(parsed.holds_secrets);
    }

    #[test]
    fn ignored_results_are_suppressed_and_files_with_errors_are_blind_spots() {
        let (findings, parsed) = read("1.50-code.json");
        assert_eq!(findings[1].suppressed.as_deref(), Some("is_ignored"));
        assert_eq!(findings[1].code.as_ref().map(|code| (code.first_line, code.lines.len())), Some((9, 3)));
        assert_eq!(findings[1].fingerprints["matchBasedId/v1"], "c0ffee02_0");
        let spots: Vec<_> = parsed.summary.blind_spots.iter().map(|spot| spot.reach.to_string()).collect();
        assert_eq!(spots, ["file `notes/big.py`", "file `notes/broken.py`"]);
        assert_eq!(parsed.summary.blind_spots[0].reason, "Timeout when running python.notes.slow on notes/big.py");
        assert_eq!((parsed.summary.is_complete(), &parsed.summary.examined), (true, &[(Unit::Files, 2)].into()));
    }

    #[test]
    fn an_error_has_the_reach_of_what_it_names() {
        let spots = |rest: &str| {
            let text = format!(r#"{{"results": [], "paths": {{"scanned": ["a.py"]}}, {rest}}}"#);
            let summary = findings_of(text.as_bytes()).summary;
            let spots: Vec<_> = summary.blind_spots.iter().map(|spot| spot.reach.to_string()).collect();
            (spots.join(", "), summary.scanner_errors_total)
        };
        let error = |fields: &str| spots(&format!(r#""errors": [{{"message": "m", {fields}}}]"#));
        for (fields, expected, errors) in [
            (r#""level": "error", "rule_id": "r", "path": "a.py", "type": "Timeout""#, "file `a.py`", 0),
            (r#""level": "warn", "path": "a.py", "type": ["PartialParsing", []]"#, "file `a.py`", 0),
            (r#""level": "error", "rule_id": "r", "path": "r.yml", "type": ["PatternParseError", []]"#, "rule `r`", 0),
            (
                r#""level": "warn", "rule_id": "r", "path": "a.py", "type": "Missing plugin""#,
                "file `a.py`, rule `r`",
                0,
            ),
            (r#""level": "warn", "path": "a.py", "type": "OOM during interfile analysis""#, "everything", 0),
            (r#""level": "error", "type": "SemgrepError""#, "", 1),
            (r#""level": "warn", "type": "SemgrepWarning""#, "", 0),
            (r#""level": "info", "path": "a.py""#, "", 0),
            (r#""type": "Fatal error""#, "", 1),
            (r#""level": "error", "rule_id": "r", "path": {}"#, "", 1),
        ] {
            assert_eq!(error(fields), (expected.to_owned(), errors), "{fields}");
        }
        assert_eq!(spots(r#""errors": [7], "skipped_rules": [{"rule_id": "r"}, {}]"#), ("rule `r`".to_owned(), 2));
    }

    #[test]
    fn skipped_files_are_blind_spots_unless_the_user_excluded_them() {
        let text = br#"{"results": [], "errors": [], "paths": {"scanned": ["a.py"], "skipped": [
            {"path": "b.py", "reason": "exceeded_size_limit"}, {"path": "c.py", "reason": "semgrepignore_patterns_match"},
            {"path": "d.js", "reason": "minified", "rule_id": "r"}, {"path": "e.py", "reason": "Dotfile"}, {}]}}"#;
        let summary = findings_of(text).summary;
        let spots: Vec<_> = summary.blind_spots.iter().map(|spot| spot.reach.to_string()).collect();
        assert_eq!((spots.join(", ").as_str(), summary.scanner_errors_total), ("file `b.py`, file `d.js`", 1));
    }

    #[test]
    fn a_scan_of_no_file_is_blind_to_everything() {
        let summary = findings_of(br#"{"results": [], "errors": [], "paths": {"scanned": []}}"#).summary;
        assert_eq!((summary.is_complete(), &summary.blind_spots[0].reach), (true, &Reach::Everything));
        assert!(findings_of(br#"{"results": [], "errors": []}"#).summary.blind_spots.is_empty());
    }

    #[test]
    fn a_vulnerable_dependency_is_one_of_its_advisory() {
        let package = |version: &str| Package {
            name: "lodash".to_owned(),
            version: Some(version.to_owned()),
            ecosystem: Some("npm".to_owned()),
            purl: None,
            fixed_versions: vec!["4.17.21".to_owned()],
        };
        for finding in [&read("1.50-code.json").0[2], &read("vulns.json").0[0]] {
            assert_eq!((finding.kind, finding.package.as_ref()), (Kind::Dependency, Some(&package("4.17.20"))));
            assert_eq!(
                (finding.rule.as_str(), finding.advisories.as_slice()),
                ("ssc-0a1b2c3d", &["CVE-2021-23337".to_owned()][..])
            );
            assert_eq!(
                (finding.location.as_ref().unwrap().line, finding.severity_word.as_deref()),
                (Some(12), Some("HIGH"))
            );
        }
    }

    #[test]
    fn an_exported_dependency_is_closed_or_dismissed_by_its_triage() {
        let (findings, parsed) = read("vulns.json");
        assert_eq!(findings[1].suppressed.as_deref(), Some("IGNORED: ACCEPTABLE_RISK"));
        assert_eq!((parsed.summary.closed, parsed.summary.suppressed, parsed.summary.is_complete()), (1, 1, true));
        let page = findings_of(br#"{"vulns": [], "hasMore": true}"#);
        assert!(page.summary.scanner_errors[0].contains("one page"));
    }

    fn findings_of(report: &[u8]) -> crate::Parsed {
        findings(&SCANNER, report).unwrap().1
    }

    #[test]
    fn the_matched_text_is_cut_out_by_its_columns() {
        assert_eq!(matched("é = 'x1'", Some(5), Some(9)), "'x1'");
        assert_eq!(matched("a = '''x\ny''' # z", Some(5), Some(5)), "'''x\ny'''");
        for (start, end) in [(None, Some(2)), (Some(9), Some(4)), (Some(90), Some(99)), (Some(1), Some(1))] {
            assert_eq!(matched("a = 1", start, end), "a = 1", "{start:?} {end:?}");
        }
    }

    #[test]
    fn a_secret_of_which_only_the_columns_are_known_is_masked_in_the_message() {
        let cases = [
            ("The key AKIAIOSFODNN7EXAMPLE.", 20, "The key AKIA****."),
            ("`'hunter22'` is a password", 10, "`'hu****'` is a password"),
            ("A password is here", 8, "A password is here"),
            ("correct-horse-battery: why?", 21, "corr****: why?"),
            ("pin 1234", 4, "pin 1234"),
        ];
        for (message, length, expected) in cases {
            let mut finding = Finding::new(Kind::Secret, "rule", "title", message);
            mask_by_length(&mut finding, Some(5), Some(5 + length));
            assert_eq!(finding.message, expected);
        }
    }

    #[test]
    fn no_findings_need_both_lists() {
        assert!(findings(&SCANNER, br#"{"results": [], "errors": []}"#).unwrap().0.is_empty());
        assert!(failure(&SCANNER, br#"{"results": []}"#).contains("`results` and `errors`"));
    }
}
