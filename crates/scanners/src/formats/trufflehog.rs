//! TruffleHog by Truffle Security, <https://github.com/trufflesecurity/trufflehog>: secrets in repositories, images,
//! buckets and many other places. Reads its JSON lines (`trufflehog … --json`): those of version 3, with
//! `SourceMetadata`, and those of version 2, with `stringsFound`.
//!
//! Each line is a finding, even if it repeats another. Version 3 can try secrets. One that works (`Verified`) is
//! critical, 9.5. Every other secret is high, 8.0; TruffleHog itself reports no severity.
//!
//! If version 3 finds nothing, it writes only its log (to the error output). Lines of the log among the results are not
//! results: its errors make the scan incomplete, and its last line shows that the scan finished.
//!
//! Early releases of version 3 write `Raw` in Base64. It is decoded, so a secret stays the same if TruffleHog is
//! updated. `Raw`, `RawV2`, `Redacted` (often the secret itself) and the `diff` and `printDiff` of version 2 are not
//! stored; their secrets are masked in all other fields.

use crate::Scanner;
use crate::formats::trufflehog3::RawOlder;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::leak;
use crate::value::secret;
use finding::severity::Score;
use finding::{Finding, Location};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "trufflehog",
    tool: "trufflehog",
    name: "TruffleHog",
    aliases: &["trufflehog-v3"],
    versions: "2 and 3",
    category: "Secrets",
    notation: Notation::JsonLines,
    formats: "JSON lines (`--json`)",
    severities: "verified secrets, which are live, 9.5; all others 8.0 (TruffleHog reports no severity)",
    severity_words: &[],
    differences: &[(
        "severity",
        "depends on whether the secret works, which TruffleHog reports; the reference product guesses from the detector's name",
    )],
    detect,
    parse,
};

/// The score of a secret that works.
const VERIFIED_HUNDREDTHS: u16 = 950;

fn detect(sniff: &Sniff) -> bool {
    let version_3 =
        |prefix: &str| ["SourceMetadata", "DetectorName"].iter().all(|name| sniff.has(&format!("{prefix}{name}")));
    let version_2 = sniff.has_all(&["reason", "stringsFound"]) && (sniff.has("diff") || sniff.has("printDiff"));
    let log = sniff.has_all(&["level", "ts", "msg"]) && sniff.value("logger") == Some("trufflehog");
    version_3("") || version_3("[].") || version_2 || log
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut evidence = false;
    json::values(input, &mut |_, text| match json::parse::<RawLine>(text) {
        Ok(RawLine::Version3(result)) => {
            evidence = true;
            collector.finding(result.into_finding())
        }
        Ok(RawLine::Version2(result)) => {
            evidence = true;
            collector.finding(result.into_finding())
        }
        Ok(RawLine::Log(line)) => {
            evidence |= line.collect(collector);
            Ok(())
        }
        Err(_) => collector.rejected("expected a result or a line of the log".to_owned()),
    })?;
    collector.require(evidence, "TruffleHog's JSON lines have `SourceMetadata`, or `reason` and `stringsFound`")
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLine {
    Version3(Box<RawResult>),
    Version2(RawOlder),
    Log(RawLog),
}

#[derive(Deserialize)]
struct RawLog {
    level: Text,
    msg: Text,
    ts: Text,
    error: Option<Text>,
    trufflehog_version: Option<Text>,
}

impl RawLog {
    /// Notes version and errors. Returns true if the line shows that the scan finished.
    fn collect(self, collector: &mut Collector<'_>) -> bool {
        if let Some(version) = self.trufflehog_version.filled() {
            collector.version(version);
        }
        if ["error", "fatal", "panic"].iter().any(|level| self.level.0.starts_with(level)) {
            let error = self.error.filled().map(|error| format!(": {error}")).unwrap_or_default();
            collector.scanner_error(format!("{}{error}", self.msg.0));
        }
        let finished = !self.ts.0.is_empty() && self.msg.0 == "finished scanning";
        if finished {
            collector.ended(self.ts.0.as_str());
        }
        finished
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawResult {
    source_metadata: Option<RawMetadata>,
    source_name: Option<Text>,
    detector_name: Text,
    detector_description: Option<Text>,
    decoder_name: Option<Text>,
    verified: Option<bool>,
    verification_error: Option<Text>,
    raw: Option<Text>,
    #[serde(rename = "RawV2")]
    raw_v2: Option<Text>,
    redacted: Option<Text>,
    extra_data: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMetadata {
    /// The searched source, by its kind: `Git`, `Github`, `Filesystem`, `Docker`, `S3`, `Slack`, ...
    data: Option<BTreeMap<String, Option<BTreeMap<String, Value>>>>,
}

impl RawResult {
    fn into_finding(self) -> Finding {
        let detector = self.detector_name.0;
        let mut fields_left: BTreeMap<String, Value> = BTreeMap::new();
        let mut source = None;
        for (name, fields) in self.source_metadata.and_then(|metadata| metadata.data).unwrap_or_default() {
            fields_left.extend(fields.unwrap_or_default());
            source = Some(name);
        }
        let extra = self.extra_data.unwrap_or_default();
        // All custom detectors have the name `CustomRegex`.
        let custom_name = extra.get("name").and_then(Value::as_str).filter(|_| detector == "CustomRegex");
        let rule = custom_name.map_or_else(|| detector.clone(), |name| format!("{detector}/{name}"));
        let verified = self.verified.unwrap_or(false);
        let message = match verified {
            true => format!("{detector} secret, verified: it works"),
            false => format!("{detector} secret, not verified"),
        };
        let mut finding = Finding {
            location: location(&mut fields_left),
            references: fields_left.remove("link").and_then(text).into_iter().collect(),
            description: self.detector_description.filled(),
            ..leak::finding(&rule, &rule, message)
        };
        if verified {
            let score = Score::from_hundredths(VERIFIED_HUNDREDTHS);
            finding.score =
                finding.score.map(|scored| finding::Scored { score: score.unwrap_or(scored.score), ..scored });
        }
        finding.raw.insert("verified".to_owned(), verified.to_string());
        leak::add_raw(
            &mut finding,
            [
                ("source", source.map(Text)),
                ("source_name", self.source_name),
                ("decoder", self.decoder_name),
                ("verification_error", self.verification_error),
            ],
        );
        let kept =
            fields_left.into_iter().chain(extra.into_iter().map(|(name, value)| (format!("extra.{name}"), value)));
        finding.raw.extend(kept.filter_map(|(name, value)| Some((name, text(value)?))));
        mask(&mut finding, self.raw, self.raw_v2, self.redacted);
        finding
    }
}

/// Removes path and line from the fields. A source without files has none; its other fields contain the address.
fn location(fields_left: &mut BTreeMap<String, Value>) -> Option<Location> {
    let line = fields_left.remove("line").and_then(|line| serde_json::from_value::<Number>(line).ok()?.line());
    let path = ["file", "filename", "path"].iter().find_map(|name| fields_left.remove(*name).and_then(text))?;
    Some(Location::lines(path, line, None))
}

/// A string, number or boolean that is not blank, as text.
fn text(value: Value) -> Option<String> {
    serde_json::from_value::<Text>(value).ok()?.filled()
}

/// Masks all forms of the secret. Its digest is that of `Raw`, because the other forms may be missing.
fn mask(finding: &mut Finding, raw: Option<Text>, raw_v2: Option<Text>, redacted: Option<Text>) {
    let old = raw_v2.is_none();
    let [raw, raw_v2, redacted] = [raw, raw_v2, redacted].map(|text| text.filled());
    // A form with stars is masked already.
    for form in [&raw_v2, &redacted].into_iter().flatten().filter(|form| !form.contains('*')) {
        secret::redact(finding, form);
    }
    let Some(raw) = raw.or(raw_v2) else { return };
    secret::redact(finding, &raw);
    match base64(&raw).filter(|_| old) {
        Some(decoded) => leak::attach(finding, &decoded),
        None => leak::attach(finding, &raw),
    }
}

/// Decodes Base64, if the result is text.
fn base64(text: &str) -> Option<String> {
    let bare = text.trim().trim_end_matches('=');
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in bare.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xFFFF;
        count += 6;
        if 8 <= count {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok().filter(|_| text.trim().len().is_multiple_of(4) && !bare.is_empty())?;
    (!text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const SECRET: &str = "ghp_Zq8bX2kLm9RtYv4NwPs7UdHc3JfA6eGi1oKb";

    fn one(text: &str) -> Finding {
        let (mut findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.holds_secrets);
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains(SECRET), "{stored}");
        findings.remove(0)
    }

    fn result(source: &str, fields: &str, rest: &str) -> String {
        format!(
            r#"{{"SourceMetadata": {{"Data": {{"{source}": {fields}}}}}, "SourceName": "trufflehog - x", "DetectorType": 8,
            "DetectorName": "Github", "Verified": false, "Raw": "{SECRET}", "RawV2": "", "Redacted": "" {rest}}}"#
        )
        .replace('\n', " ")
    }

    #[test]
    fn a_result_of_version_3_becomes_a_finding() {
        let finding = one(&result(
            "Github",
            r#"{"link": "https://shop.example/a.py#L3", "repository": "https://shop.example/notes.git", "commit": "0a",
               "email": "Ann <ann@shop.example>", "file": "a.py", "timestamp": "2026-01-02", "line": 3, "visibility": {}}"#,
            &format!(
                r#", "ExtraData": {{"seen": "in {SECRET}", "count": 2, "list": [1]}}, "DetectorDescription": "GitHub is…""#
            ),
        ));
        assert_eq!((finding.rule.as_str(), finding.severity()), ("Github", Severity::High));
        assert_eq!(finding.location.as_ref().map(|at| (at.path.as_str(), at.line)), Some(("a.py", Some(3))));
        assert_eq!(finding.references, ["https://shop.example/a.py#L3"]);
        let raw: Vec<_> = finding.raw.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            raw,
            [
                "commit=0a",
                "email=Ann <ann@shop.example>",
                "extra.count=2",
                "extra.seen=in ghp_****",
                "repository=https://shop.example/notes.git",
                "source=Github",
                "source_name=trufflehog - x",
                "timestamp=2026-01-02",
                "verified=false"
            ]
        );
    }

    #[test]
    fn every_kind_of_source_has_its_location() {
        let cases = [
            ("Filesystem", r#"{"file": "a.py", "line": 2}"#, Some("a.py")),
            ("Docker", r#"{"file": "/etc/a", "image": "notes", "layer": "sha256:0a", "tag": "1"}"#, Some("/etc/a")),
            ("S3", r#"{"bucket": "b", "file": "k", "link": "https://b.example/k"}"#, Some("k")),
            ("Slack", r#"{"channel_id": "C1", "link": "https://slack.example/C1", "file": ""}"#, None),
            ("Jenkins", r#"{"project_name": "notes", "build_number": 4}"#, None),
            ("Stdin", "null", None),
        ];
        for (source, fields, path) in cases {
            let finding = one(&result(source, fields, ""));
            assert_eq!(finding.location.map(|at| at.path).as_deref(), path, "{source}");
            assert_eq!(finding.raw["source"], source);
        }
    }

    #[test]
    fn a_verified_secret_is_critical_and_the_same_as_before_it_was_verified() {
        let before = one(&result("Git", "{}", ""));
        let after = one(&result("Git", "{}", "").replace("false", "true"));
        assert_eq!((after.severity(), before.severity()), (Severity::Critical, Severity::High));
        assert_eq!(after.secret, before.secret);
    }

    #[test]
    fn old_versions_write_the_secret_in_base64_and_show_it_as_redacted() {
        let old = r#"{"SourceMetadata": {"Data": {"Git": {"file": "a"}}}, "DetectorName": "AWS", "Verified": true,
            "Raw": "QUtJQVEzRUdSSVdOT1RFU0RFTU8=", "Redacted": "AKIAQ3EGRIWNOTESDEMO",
            "ExtraData": {"arn": "AKIAQ3EGRIWNOTESDEMO"}, "StructuredData": null}"#;
        let finding = one(old);
        assert!(!serde_json::to_string(&finding).unwrap().contains("Q3EGRIW"));
        assert_eq!(finding.secret, Some(secret::of("AKIAQ3EGRIWNOTESDEMO")));
        for (text, decoded) in [("aGk=", Some("hi")), ("aGk", None), ("a-b=", None), ("", None), ("AAAA", None)] {
            assert_eq!(base64(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn custom_detectors_are_separate_rules() {
        let text =
            result("Git", "{}", r#", "ExtraData": {"name": "notes key"}"#).replace("\"Github\"", "\"CustomRegex\"");
        assert_eq!(one(&text).rule, "CustomRegex/notes key");
    }

    #[test]
    fn the_diff_of_version_2_is_not_stored() {
        let finding = one(&format!(
            r#"{{"branch": "origin/main", "commit": "add key\n", "commitHash": "0a", "date": "2021-01-30 19:50:09",
            "diff": "@@ -0,0 +1 @@\n+{SECRET}", "path": "a.py", "printDiff": "+{SECRET}", "reason": "Generic Secret",
            "stringsFound": ["{SECRET}"]}}"#
        ));
        assert_eq!((finding.rule.as_str(), finding.severity()), ("Generic Secret", Severity::High));
        assert_eq!(finding.secret, Some(secret::of(SECRET)));
    }

    #[test]
    fn a_log_line_is_not_a_result_but_shows_that_a_clean_scan_finished() {
        let end = r#"{"level":"info-0","ts":"2026-01-02T03:04:05Z","logger":"trufflehog","msg":"finished scanning",
            "chunks":3,"verified_secrets":0,"unverified_secrets":0,"trufflehog_version":"3.88.0"}"#
            .replace('\n', "");
        let error = r#"{"level":"error","ts":"2026-01-02T03:04:05Z","logger":"trufflehog","msg":"error cloning","error":"no such host"}"#;
        let (none, parsed) = findings(&SCANNER, end.as_bytes()).unwrap();
        assert!(none.is_empty() && parsed.summary.is_complete() && parsed.summary.results == 0);
        assert_eq!(parsed.scanner_version.as_deref(), Some("3.88.0"));
        let (_, parsed) = findings(&SCANNER, format!("{error}\n{end}\n").as_bytes()).unwrap();
        assert_eq!(parsed.summary.scanner_errors, ["error cloning: no such host"]);
        assert!(failure(&SCANNER, error.as_bytes()).contains("`SourceMetadata`"));
    }
}
