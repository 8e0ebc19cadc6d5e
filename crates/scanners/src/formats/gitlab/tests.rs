use super::*;
use crate::formats::{gitlab_container_scanning, gitlab_dependency_scanning, gitlab_sast, gitlab_secret_detection};
use crate::tests::{failure, findings};
use finding::severity::Severity;

fn report(scan: &str, vulnerabilities: &str, rest: &str) -> String {
    format!(
        r#"{{"version": "15.0.7", "vulnerabilities": [{vulnerabilities}],
        "scan": {{"type": "{scan}", "status": "success", "scanner": {{"name": "Semgrep", "version": "1.2"}}}}{rest}}}"#
    )
}

const SQL: &str = r#"{"id": "a1", "name": "SQL injection", "description": "d", "severity": "High",
    "identifiers": [{"type": "semgrep_id", "name": "bandit.B608", "value": "bandit.B608"},
        {"type": "cwe", "name": "CWE-89", "value": "89"}, {"type": "owasp", "name": "A1", "value": "A1:2017"}],
    "location": {"file": "notes/db.py", "start_line": 5, "end_line": 7},
    "tracking": {"type": "source", "items": [{"file": "notes/db.py", "signatures": [
        {"algorithm": "scope_offset", "value": "notes/db.py|find[0]:3"}, {"algorithm": "location", "value": "5"}]}]}"#;

#[test]
fn the_rule_is_the_primary_identifier_and_the_id_belongs_to_the_location() {
    let text = report(
        "sast",
        &format!("{SQL}}}, {}}}", SQL.replace("a1", "a2").replace("\"start_line\": 5", "\"start_line\": 6")),
        "",
    );
    let (found, parsed) = findings(&gitlab_sast::SCANNER, text.as_bytes()).unwrap();
    let named: Vec<_> = found.iter().map(|finding| (finding.rule.as_str(), finding.tool_id.as_deref())).collect();
    assert_eq!(named, [("semgrep_id:bandit.B608", Some("a1")), ("semgrep_id:bandit.B608", Some("a2"))]);
    assert_eq!((&found[0].cwes[..], found[0].severity()), (&[89][..], Severity::High));
    assert_eq!(
        found[0].fingerprints.iter().collect::<Vec<_>>(),
        [(&"scope_offset/v1".to_owned(), &"notes/db.py|find[0]:3".to_owned())]
    );
    assert_eq!(parsed.scanner_version.as_deref(), Some("Semgrep 1.2"));
}

#[test]
fn severities_are_gitlabs_words_unless_there_is_a_vector_of_nvds() {
    for (fields, severity) in [
        (r#""severity": "Critical""#, Severity::Critical),
        (r#""severity": "Info""#, Severity::Info),
        (r#""severity": "Unknown""#, Severity::Unassigned),
        (r#""severity": "Undefined""#, Severity::Unassigned),
        (r#""cve": "x""#, Severity::Unassigned),
        (
            r#""severity": "Low", "cvss_vectors": [{"vendor": "GitLab", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"},
            {"vendor": "NVD", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]"#,
            Severity::Critical,
        ),
    ] {
        let text = report("sast", &format!(r#"{{"name": "n", {fields}}}"#), "");
        let (found, _) = findings(&gitlab_sast::SCANNER, text.as_bytes()).unwrap();
        assert_eq!(found[0].severity(), severity, "{fields}");
    }
}

#[test]
fn flagged_and_dismissed_results_are_suppressed_and_resolved_ones_closed() {
    for (fields, counts, words) in [
        (r#""flags": []"#, (1, 0, 0), None),
        (
            r#""flags": [{"type": "flagged-as-likely-false-positive", "origin": "vet", "description": "not reached"}]"#,
            (0, 1, 0),
            Some("flagged-as-likely-false-positive: vet: not reached"),
        ),
        (r#""dismissed": true"#, (0, 1, 0), Some("dismissed")),
        (r#""state": "dismissed""#, (0, 1, 0), Some("dismissed")),
        (r#""state": "resolved""#, (0, 0, 1), None),
        (r#""state": "detected""#, (1, 0, 0), None),
    ] {
        let text = report("sast", &format!("{SQL}, {fields}}}"), "");
        let (found, parsed) = findings(&gitlab_sast::SCANNER, text.as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.closed), counts, "{fields}");
        assert_eq!(found.first().and_then(|finding| finding.suppressed.as_deref()), words, "{fields}");
    }
}

#[test]
fn a_secret_is_masked_or_identified_by_its_hash() {
    let secret = r#"{"id": "s", "name": "Key", "description": "Key gl-not-a-real-key-1", "severity": "Critical",
        "raw_source_code_extract": "gl-not-a-real-key-1", "location": {"file": "a.env", "start_line": 1, "commit": {"sha": "0f"}},
        "identifiers": [{"type": "gitleaks_rule_id", "name": "Gitleaks rule ID Key", "value": "Key"}]}"#;
    let (found, _) =
        findings(&gitlab_secret_detection::SCANNER, report("secret_detection", secret, "").as_bytes()).unwrap();
    assert!(!serde_json::to_string(&found).unwrap().contains("gl-not-a-real-key-1"));
    assert_eq!((found[0].kind, found[0].rule.as_str()), (Kind::Secret, "gitleaks_rule_id:Key"));

    let old = format!(
        r#"{{"version": "2.3", "vulnerabilities": [{{"category": "sast", "message": "Key", "cve": "a.env:{}:Key",
        "location": {{"file": "a.env"}}, "identifiers": [{{"type": "trufflehog_rule_id", "name": "K", "value": "Key"}}]}}]}}"#,
        "0a".repeat(32)
    );
    let (found, _) = findings(&gitlab_sast::SCANNER, old.as_bytes()).unwrap();
    assert_eq!(found[0].kind, Kind::Secret);
    assert_eq!(found[0].secret.as_ref().unwrap().digest, format!("sha256-plain:{}", "0a".repeat(32)));

    let bandit = r#"{"message": "Possible hardcoded password: 'hunter2'", "location": {"file": "a.py"},
        "identifiers": [{"type": "bandit_test_id", "name": "Bandit Test ID B105", "value": "B105"}]}"#;
    let (found, _) = findings(&gitlab_sast::SCANNER, report("sast", bandit, "").as_bytes()).unwrap();
    assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"), "{found:?}");
}

#[test]
fn a_dependency_has_its_package_its_advisories_and_its_fix() {
    let text = report(
        "dependency_scanning",
        r#"{"id": "d1", "name": "Loop", "severity": "High", "solution": "Upgrade to versions 2.2.3, 3.0.1 or above.",
        "location": {"file": "go.sum", "dependency": {"package": {"name": "gopkg.in/yaml.v2"}, "version": "v2.2.2", "direct": true}},
        "identifiers": [{"type": "gemnasium", "name": "Gemnasium-7", "value": "7"}, {"type": "CVE", "name": "CVE-2019-11253",
            "value": "CVE-2019-11253"}, {"type": "cwe", "name": "CWE-776", "value": 776}]},
        {"id": "d2", "name": "Old", "location": {"dependency": {"package": {}}}, "identifiers": [{"type": "gemnasium", "value": "8"}]}"#,
        r#", "remediations": [{"fixes": [{"id": "d1"}], "summary": "Upgrade yaml", "diff": "ZGlm"}]"#,
    );
    let (found, _) = findings(&gitlab_dependency_scanning::SCANNER, text.as_bytes()).unwrap();
    assert_eq!(
        (found[0].rule.as_str(), &found[0].advisories[..]),
        ("7", &["7".to_owned(), "CVE-2019-11253".to_owned()][..])
    );
    assert_eq!(found[0].package.as_ref().unwrap().fixed_versions, ["2.2.3", "3.0.1"]);
    assert_eq!(found[0].remediation.as_deref(), Some("Upgrade to versions 2.2.3, 3.0.1 or above.\nUpgrade yaml"));
    assert_eq!((&found[0].cwes[..], found[1].package.is_none()), (&[776][..], true));
}

#[test]
fn fixed_versions_are_read_from_the_analysers_own_sentences_alone() {
    for (solution, versions) in [
        ("Upgrade to version 2.2.3 or above.", &["2.2.3"][..]),
        ("Upgrade to version v0.0.0-20201216223049-8b5274cf687f or above.", &["v0.0.0-20201216223049-8b5274cf687f"]),
        ("Upgrade to versions 1.2, 2.3 or above.", &["1.2", "2.3"]),
        ("Upgrade apt from 1.4.8 to 1.4.9", &["1.4.9"]),
        ("Upgrade dpkg from 1.4.8 to 1.4.9", &[]),
        ("Upgrade to version 2 of the whole framework", &[]),
        ("No solution provided", &[]),
        ("", &[]),
    ] {
        assert_eq!(fixed_versions(solution, "apt"), versions, "{solution}");
    }
}

#[test]
fn a_report_without_its_type_is_detected_by_its_locations() {
    let entry = |location: &str, rest: &str| {
        format!(
            r#"{{"version": "15.0.0", "vulnerabilities": [{{"name": "n", "identifiers": [{{"type": "t", "value": "v"}}],
            "location": {location}{rest}}}]}}"#
        )
    };
    for (text, scan) in [
        (entry(r#"{"file": "a", "start_line": 1, "dependency": {"package": {}}}"#, ""), Some(Scan::Sast)),
        (entry(r#"{"file": "a", "commit": {"sha": "0"}}"#, ""), Some(Scan::Secrets)),
        (entry(r#"{"file": "a"}"#, r#", "raw_source_code_extract": "x""#), Some(Scan::Secrets)),
        (entry(r#"{"file": "a", "dependency": {"package": {"name": "p"}}}"#, ""), Some(Scan::Dependencies)),
        (entry(r#"{"image": "i", "dependency": {"package": {"name": "p"}}}"#, ""), Some(Scan::Containers)),
        (entry(r#"{"file": "a"}"#, r#", "category": "container_scanning""#), Some(Scan::Containers)),
        (entry(r#"{"hostname": "a"}"#, r#", "category": "dast""#), None),
        (entry(r#"{"hostname": "a"}"#, ""), None),
    ] {
        let sniff = Sniff::of(Input::Memory(text.as_bytes())).unwrap();
        let all = [Scan::Sast, Scan::Secrets, Scan::Dependencies, Scan::Containers];
        let like: Vec<_> = all.into_iter().filter(|scan| is_report_of(&sniff, *scan)).collect();
        assert_eq!(like, scan.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn a_failed_scan_is_incomplete_and_another_type_is_refused() {
    let text = r#"{"version": "15.0.7", "vulnerabilities": [], "scan": {"type": "container_scanning", "status": "failure",
        "messages": [{"level": "fatal", "value": "no image"}, {"level": "info", "value": "started"}]}}"#;
    let (_, parsed) = findings(&gitlab_container_scanning::SCANNER, text.as_bytes()).unwrap();
    assert_eq!(parsed.summary.scanner_errors, ["the scan's status is `failure`", "no image"]);
    let dast = r#"{"version": "15.0.7", "vulnerabilities": [], "scan": {"type": "dast"}}"#;
    assert!(failure(&gitlab_sast::SCANNER, dast.as_bytes()).ends_with("with the `scan.type` `dast`"));
    assert!(failure(&gitlab_sast::SCANNER, b"{\"vulnerabilities\": []}").contains("is an object with `version`"));
}

#[test]
fn a_bad_entry_does_not_hide_the_others() {
    let text = report("sast", &format!("{SQL}}}, 5, {{\"location\": {{}}}}, {SQL}}}"), "");
    let (found, parsed) = findings(&gitlab_sast::SCANNER, text.as_bytes()).unwrap();
    assert_eq!((found.len(), parsed.summary.rejected), (2, 2));
}
