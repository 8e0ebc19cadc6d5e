//! Every format through all stages: the same report twice gives the same issues, and no secret is stored.

use crate::pipeline::wiring::{System, upload_of};
use api::v1::SettingsBody;
use std::path::{Path, PathBuf};
use tests::data;

pub(crate) fn reports(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "md"))
        .collect();
    files.sort();
    files
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/scanners/fixtures")
}

/// Uploads a report twice and checks that the second scan has nothing new or remediated.
fn check_twice(scanner: &str, file: &Path) {
    let report = std::fs::read(file).unwrap();
    let system = System::new();
    let upload = || system.upload(upload_of(scanner, "notes", "main", &report));
    let name = file.display();
    let first = upload().unwrap_or_else(|problem| panic!("{name}: {}: {}", problem.code.as_str(), problem.detail));
    let held = &first.report;
    let marked = held.passed + held.not_applicable + held.closed;
    assert_eq!(held.results, held.findings + held.suppressed + held.rejected_total + marked, "{name}");
    assert_eq!(first.occurrences.new, held.findings + held.suppressed, "{name}");
    let second = upload().unwrap();
    // An incomplete scan is never a reference scan.
    if held.complete {
        assert_eq!(second.comparison.scan, Some(first.scan.id), "{name}");
        assert_eq!((second.issues.new, second.issues.remediated), (0, 0), "{name}");
        assert_eq!((second.occurrences.new, second.occurrences.remediated), (0, 0), "{name}");
        assert_eq!(second.issues.common, first.issues.new, "{name}");
    } else {
        assert_eq!((second.comparison.with.as_str(), second.issues.remediated), ("none", 0), "{name}");
    }
}

#[test]
fn every_fixture_uploaded_twice_gives_the_same_issues() {
    for scanner in scanners::ALL {
        let files = reports(&fixtures().join(scanner.id));
        assert!(!files.is_empty(), "{} has no fixtures", scanner.id);
        files.iter().for_each(|file| check_twice(scanner.id, file));
    }
}

/// Checks every report that a corpus lists in its manifest.
fn check_corpus(corpus: &Path) {
    let manifest = std::fs::read(corpus.join("manifest.json")).unwrap();
    let entries: Vec<serde_json::Value> = serde_json::from_slice(&manifest).unwrap();
    assert!(!entries.is_empty(), "{} lists no reports", corpus.display());
    for entry in entries {
        check_twice(entry["scanner"].as_str().unwrap(), &corpus.join(entry["file"].as_str().unwrap()));
    }
}

#[test]
fn real_reports_uploaded_twice_give_the_same_issues() {
    check_corpus(&fixtures().join("../corpus"));
}

#[test]
#[ignore = "reads large data: cargo xtask test --data"]
fn every_real_report_uploaded_twice_gives_the_same_issues() {
    check_corpus(&data("GATEHOUSE_CORPUS"));
}

#[test]
fn a_secret_in_a_report_is_never_stored() {
    let report = std::fs::read(fixtures().join("sarif/secrets.sarif")).unwrap();
    let secret = b"zq8Jk2mPw7XbT4vLc9RnY3hD";
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    assert!(holds(&report), "the fixture contains it");
    let system = System::new();
    let scan = system.upload(upload_of("gitleaks", "notes", "main", &report)).unwrap();
    assert_eq!((scan.scan.scanner.as_str(), scan.scan.format.as_str(), scan.report.findings), ("gitleaks", "sarif", 1));
    for (key, value) in system.kv.contents() {
        assert!(!holds(&value), "{key} contains the secret");
        assert!(!key.contains(":raw:"), "{key}: without a storage key the raw report is removed");
    }
}

#[test]
fn suppressed_results_count_unless_the_project_honours_suppressions() {
    let report = std::fs::read(fixtures().join("sarif/suppressions.sarif")).unwrap();
    let system = System::new();
    let counted = |system: &System| {
        let answer = system.upload(upload_of("auto", "notes", "main", &report)).unwrap();
        (answer.report.findings, answer.report.suppressed, answer.occurrences.new + answer.occurrences.common)
    };
    assert_eq!(counted(&system), (5, 2, 7));
    system.settings(SettingsBody { tool_suppressions: Some("honoured".to_owned()), ..SettingsBody::default() });
    assert_eq!(counted(&system), (5, 2, 5));
}

#[test]
fn an_unknown_format_and_another_tools_report_are_refused_with_their_code() {
    let system = System::new();
    let refused = |scanner: &str, report: &[u8]| {
        let problem = system.upload(upload_of(scanner, "notes", "main", report)).unwrap_err();
        format!("{}: {}", problem.code.as_str(), problem.detail)
    };
    let trivy = std::fs::read(reports(&fixtures().join("trivy")).remove(0)).unwrap();
    let expected = "wrong-tool: this is not a report of Bandit: it looks like a report of Trivy (`trivy`)";
    assert_eq!(refused("bandit", &trivy), expected);
    let unknown = refused("auto", br#"{"hello": []}"#);
    assert!(unknown.starts_with("unknown-format: ") && unknown.contains("`hello`"), "{unknown}");
}

#[test]
fn gzip_is_detected_alone_and_in_base64() {
    use base64::Engine as _;
    let report = std::fs::read(fixtures().join("sarif/00-typical.sarif")).unwrap();
    let compressed = crate::pipeline::wiring::gzip(&report);
    let encoded = base64::engine::general_purpose::STANDARD.encode(&compressed);
    let lines = encoded.as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n');
    for body in [report.as_slice(), &compressed, encoded.as_bytes(), &lines] {
        let answer = System::new().upload(upload_of("sarif", "notes", "main", body)).unwrap();
        assert_eq!((answer.report.findings, answer.scan.scanner.as_str()), (1, "notes-lint"));
    }
    let cut = &encoded.as_bytes()[..encoded.len() / 2];
    let problem = System::new().upload(upload_of("sarif", "notes", "main", cut)).unwrap_err();
    assert!(["report-truncated", "report-malformed"].contains(&problem.code.as_str()), "{}", problem.detail);
}
