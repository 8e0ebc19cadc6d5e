//! Reports as real tools, shells and pipelines write them: other encodings, logs before the report, null for an empty
//! list, fields in another order.

use super::tests::{Read, findings_as};
use super::*;
use std::path::Path;

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)).unwrap()
}

fn named(name: &str, report: &[u8]) -> Result<Read, ParseError> {
    findings_as(Expected::Tool(find(name).unwrap()), report)
}

/// A text in UTF-16 or UTF-32 with its mark.
fn encoded(text: &str, bits: u8, little: bool) -> Vec<u8> {
    let text = format!("\u{feff}{text}");
    let wide = |unit: u32| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    let half = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    match bits {
        16 => text.encode_utf16().flat_map(half).collect(),
        _ => text.chars().flat_map(|c| wide(u32::from(c))).collect(),
    }
}

#[test]
fn every_notation_is_read_in_every_marked_encoding() {
    let files = [
        ("grype", "grype", Notation::Json),
        ("nuclei", "nuclei", Notation::JsonLines),
        ("burp", "burp", Notation::Xml),
        ("generic-csv", "generic-csv", Notation::Csv),
        ("bundler-audit", "bundler-audit", Notation::Text),
    ];
    for (name, folder, notation) in files {
        assert_eq!(find(name).unwrap().notation, notation, "{name}");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.extension().is_none_or(|extension| extension != "md")) {
            let text = String::from_utf8(std::fs::read(&file).unwrap()).unwrap();
            let plain = named(name, text.as_bytes()).unwrap();
            for (bits, little) in [(16, true), (16, false), (32, true), (32, false)] {
                let marked = encoded(text.trim_start_matches('\u{feff}'), bits, little);
                let read = named(name, &marked).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                assert_eq!(read, plain, "{} in {bits} bits, little end first: {little}", file.display());
                assert_eq!(findings_as(Expected::Any, &marked).unwrap(), plain, "{}", file.display());
            }
        }
    }
}

#[test]
fn a_log_before_the_json_is_refused_and_the_message_says_how_to_separate_them() {
    let report = fixture("grype/image.json");
    let with_log = [b"INFO: starting\n[main] INFO running\n".as_slice(), &report].concat();
    for result in [named("grype", &with_log), findings_as(Expected::Any, &with_log)] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("the tool's log is in the report"), "{error}");
        assert!(error.contains("> report.json"), "{error}");
    }
}

#[test]
fn null_is_an_empty_list_of_the_tools_that_write_it_if_one_is_named() {
    for name in NULL_IS_CLEAN {
        let read = named(name, b"null\n").unwrap();
        assert_eq!((read.parsed.summary.results, read.parsed.summary.is_complete()), (0, true), "{name}");
        assert_eq!(read.parsed.format, *name);
    }
    assert!(findings_as(Expected::Any, b"null").is_err());
    assert!(named("bandit", b"null").is_err());
}

#[test]
fn a_name_stands_for_all_notations_and_products_of_its_tool() {
    let csv = fixture("generic-csv/notes.csv");
    assert_eq!(named("generic", &csv).unwrap(), named("generic-csv", &csv).unwrap());
    let code = fixture("snyk-code/sql.json");
    assert_eq!(named("snyk", &code).unwrap().parsed.format, "snyk-code");
    let infrastructure = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Snyk IaC", "rules": [
        {"id": "SNYK-CC-1", "defaultConfiguration": {"level": "error"}}]}}, "results": [{"ruleId": "SNYK-CC-1",
        "message": {"text": "open port"}}]}]}"#;
    let read = named("snyk", infrastructure).unwrap();
    assert_eq!((read.parsed.tool.as_str(), read.parsed.summary.findings), ("snyk", 1));
}

#[test]
fn a_list_of_mobsf_reports_is_read_as_its_reports() {
    let one = String::from_utf8(fixture("mobsf/a-android.json")).unwrap();
    let single = named("mobsf", one.as_bytes()).unwrap();
    let list = named("mobsf", format!("[{one},{one}]").as_bytes()).unwrap();
    assert_eq!(list.parsed.summary.findings, 2 * single.parsed.summary.findings);
    assert_eq!(findings_as(Expected::Any, format!("[{one}]").as_bytes()).unwrap().findings, single.findings);
}

#[test]
fn yarn_2_and_later_are_read_under_their_name_and_detected() {
    for file in ["yarn-audit/yarn-3.json", "yarn-audit/yarn-4.json"] {
        let report = fixture(file);
        let read = named("yarn-audit", &report).unwrap();
        assert!(read.parsed.summary.findings > 0 && read.parsed.summary.rejected == 0, "{file}");
        assert_eq!(findings_as(Expected::Any, &report).unwrap(), read, "{file}");
    }
}

#[test]
fn what_decides_the_format_may_come_after_a_long_beginning() {
    let long = "x".repeat(300 * 1024);
    let sarif = format!(
        r#"{{"runs": [{{"results": [{{"ruleId": "a", "level": "error", "message": {{"text": "{long}"}}}}],
        "tool": {{"driver": {{"name": "Demo"}}}}}}], "version": "2.1.0"}}"#
    );
    let gosec = format!(
        r#"{{"Golang errors": {{"a.go": [{{"line": 1, "column": 1, "error": "{long}"}}]}}, "Issues": [], "Stats":
        {{"files": 1, "lines": 1, "nosec": 0, "found": 0}}, "GosecVersion": "2"}}"#
    );
    let semgrep = format!(
        r#"{{"errors": [{{"message": "{long}", "level": "warn", "type": "Syntax error"}}], "paths": {{"scanned": []}},
        "results": [], "version": "1.50.0"}}"#
    );
    let trivy = format!(
        r#"{{"ArtifactName": "a", "Metadata": {{"x": "{long}"}}, "Results": [{{"Target": "t", "Vulnerabilities": null}}],
        "SchemaVersion": 2}}"#
    );
    for (report, format) in [(sarif, "sarif"), (gosec, "gosec"), (semgrep, "semgrep"), (trivy, "trivy")] {
        let read = findings_as(Expected::Any, report.as_bytes()).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(read.parsed.format, format);
    }
}

#[test]
fn an_unknown_field_of_a_custom_key_is_refused_and_the_nearest_field_named() {
    let report = br#"{"meta": {"key": ["issueName", "filename"], "subproduct": "Demo"}, "issues": []}"#;
    let error = named("custom", report).unwrap_err().to_string();
    assert!(error.contains("the nearest one is `fileName`"), "{error}");
}

#[test]
fn matches_alone_are_a_report_of_grype_if_it_is_named() {
    let read = named("grype", br#"{"matches": []}"#).unwrap();
    assert_eq!((read.parsed.summary.results, read.parsed.summary.is_complete()), (0, true));
    assert!(findings_as(Expected::Any, br#"{"matches": []}"#).is_err());
}

#[test]
fn a_scan_of_nothing_is_blind_to_everything() {
    let nothing = [
        ("bandit", r#"{"errors": [], "metrics": {"_totals": {"loc": 0, "nosec": 0}}, "results": []}"#),
        ("checkov", r#"{"passed": 0, "failed": 0, "resource_count": 0, "checkov_version": "3.2.1"}"#),
        ("eslint", "[]"),
        ("semgrep", r#"{"errors": [], "paths": {"scanned": []}, "results": [], "version": "1.50.0"}"#),
        ("trivy", r#"{"SchemaVersion": 2, "ArtifactName": "notes"}"#),
        ("trivy", r#"{"SchemaVersion": 2, "ArtifactName": "notes", "Results": []}"#),
    ];
    for (name, report) in nothing {
        let summary = named(name, report.as_bytes()).unwrap().parsed.summary;
        assert_eq!((summary.results, summary.is_complete(), summary.blind_spots.len()), (0, true, 1), "{name}");
        assert_eq!(summary.blind_spots[0].reach, finding::Reach::Everything, "{name}");
    }
}
