use super::*;
use crate::tests::{failure, findings};
use finding::severity::{ScoreSource, Severity};

fn of(section: &str, entries: &str) -> Vec<Finding> {
    let text = format!(
        r#"{{"SchemaVersion": 2, "Results": [{{"{section}": [{entries}], "Type": "npm", "Class": "lang-pkgs",
        "Target": "web/package-lock.json"}}], "ArtifactName": "."}}"#
    );
    let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert!(parsed.summary.adds_up());
    findings
}

#[test]
fn a_vulnerability_has_its_package_and_location() {
    let found = of(
        "Vulnerabilities",
        r#"{"VulnerabilityID": "CVE-2023-26136", "VendorIDs": ["GHSA-72xf-g2v4-qvf3"],
        "PkgName": "tough-cookie", "InstalledVersion": "2.5.0", "FixedVersion": "4.1.3, 5.0.0", "Severity": "MEDIUM",
        "PkgIdentifier": {"PURL": "pkg:npm/tough-cookie@2.5.0"}, "CweIDs": ["CWE-1321"], "SeveritySource": "ghsa"}"#,
    );
    let finding = &found[0];
    let package = finding.package.as_ref().unwrap();
    assert_eq!((finding.rule.as_str(), package.name.as_str()), ("CVE-2023-26136", "tough-cookie"));
    assert_eq!(finding.advisories, ["CVE-2023-26136", "GHSA-72xf-g2v4-qvf3"]);
    assert_eq!(
        (package.fixed_versions.as_slice(), &finding.cwes),
        (&["4.1.3".to_owned(), "5.0.0".to_owned()][..], &vec![1321])
    );
    assert_eq!(finding.location.as_ref().unwrap().path, "web/package-lock.json");
    assert_eq!(finding.message, "tough-cookie 2.5.0: CVE-2023-26136, fixed in 4.1.3, 5.0.0");
}

#[test]
fn nvd_counts_before_the_vendor_of_the_severity_and_that_before_the_others() {
    let vulnerability = |cvss: &str| {
        let entry = format!(
            r#"{{"VulnerabilityID": "CVE-1", "PkgName": "a", "Severity": "LOW", "SeveritySource": "ghsa", "CVSS": {{{cvss}}}}}"#
        );
        let scored = of("Vulnerabilities", &entry)[0].score.unwrap();
        (scored.score.hundredths(), scored.source)
    };
    let bitnami = r#""bitnami": {"V3Score": 1.1}"#;
    let ghsa = r#""ghsa": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "V3Score": 7.5}"#;
    let nvd = r#""nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 9.8}"#;
    assert_eq!(vulnerability(&[bitnami, ghsa, nvd].join(",")), (980, ScoreSource::CvssV3));
    assert_eq!(vulnerability(&[bitnami, ghsa].join(",")), (750, ScoreSource::CvssV3));
    assert_eq!(vulnerability(bitnami), (110, ScoreSource::CvssV3));
    assert_eq!(vulnerability(""), (200, ScoreSource::ScannerWord));
}

#[test]
fn words_become_the_documented_severities() {
    for (word, level) in [
        ("CRITICAL", Severity::Critical),
        ("HIGH", Severity::High),
        ("MEDIUM", Severity::Medium),
        ("LOW", Severity::Low),
        ("UNKNOWN", Severity::Unassigned),
    ] {
        let entry = format!(r#"{{"Name": "MIT", "Severity": "{word}"}}"#);
        assert_eq!(of("Licenses", &entry)[0].severity(), level, "{word}");
    }
}

#[test]
fn marks_of_the_report_are_kept() {
    let text = r#"{"SchemaVersion": 2, "ArtifactName": "a", "Results": [{"Target": "Dockerfile", "Class": "config",
        "Misconfigurations": [{"ID": "DS002", "Status": "PASS"}, {"ID": "DS002", "Status": "EXCEPTION"},
            {"ID": "DS002", "Status": "FAIL"}, {"Status": "FAIL"}],
        "Vulnerabilities": [{"VulnerabilityID": "CVE-1", "PkgName": "a", "Status": "not_affected"}],
        "ExperimentalModifiedFindings": [{"Type": "license", "Status": "ignored", "Source": ".trivyignore",
            "Finding": {"Name": "MIT"}}, {"Type": "odd", "Finding": {}}]}]}"#;
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    let summary = &parsed.summary;
    assert_eq!((summary.findings, summary.suppressed, summary.passed, summary.rejected), (1, 3, 1, 2));
    let marks: Vec<_> = found.iter().filter_map(|finding| finding.suppressed.as_deref()).collect();
    assert_eq!(marks, ["Status: EXCEPTION", "Status: not_affected", "ignored, .trivyignore"]);
}

#[test]
fn a_checks_second_id_is_another_name_of_the_same_rule() {
    let found = of(
        "Misconfigurations",
        r#"{"ID": "DS002", "AVDID": "AVD-DS-0002", "Status": "FAIL"}, {"AVDID": "AVD-DS-0002", "Status": "FAIL"},
        {"ID": "DS-0002", "AVDID": "DS-0002", "Status": "FAIL"}"#,
    );
    assert_eq!((found[0].rule.as_str(), found[0].former_rules.as_slice()), ("DS002", &["AVD-DS-0002".to_owned()][..]));
    assert!(found[1].former_rules.is_empty() && found[2].former_rules.is_empty());
}

#[test]
fn results_in_a_cluster_have_the_resource_of_their_list() {
    for list in ["Resources", "Findings", "Vulnerabilities", "Misconfigurations"] {
        let text = format!(
            r#"{{"ClusterName": "c", "{list}": [{{"Results": [{{"Target": "Role/a", "Misconfigurations": [{{"ID": "KSV1",
            "Status": "FAIL", "CauseMetadata": {{"Resource": "box", "StartLine": 3, "EndLine": 9}}}}]}}],
            "Namespace": "shop", "Kind": "Role", "Name": "a"}}, {{"Kind": "Pod", "Error": "image not found"}}]}}"#
        );
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(found[0].resource.as_deref(), Some("shop/Role/a box"), "{list}");
        let place = found[0].location.as_ref().unwrap();
        assert_eq!((place.path.as_str(), place.line, place.end_line), ("Role/a", Some(3), Some(9)));
        let [spot] = parsed.summary.blind_spots.as_slice() else { panic!("{:?}", parsed.summary) };
        assert_eq!((&spot.reach, spot.reason.as_str()), (&Reach::Everything, "a resource: image not found"));
    }
}

#[test]
fn nothing_found_needs_evidence() {
    for clean in [
        r#"[{"Target": "notes:1 (alpine 3.12.3)", "Vulnerabilities": null}]"#,
        r#"{"ClusterName": "c", "Resources": []}"#,
    ] {
        let summary = findings(&SCANNER, clean.as_bytes()).unwrap().1.summary;
        assert_eq!((summary.results, summary.is_complete(), summary.blind_spots.len()), (0, true, 0), "{clean}");
    }
    for nothing in ["", r#", "Results": null"#, r#", "Results": []"#] {
        let text = format!(r#"{{"SchemaVersion": 2, "ArtifactName": "notes:1"{nothing}}}"#);
        let summary = findings(&SCANNER, text.as_bytes()).unwrap().1.summary;
        assert_eq!((summary.is_complete(), &summary.blind_spots[0].reach), (true, &Reach::Everything), "{nothing}");
    }
    for other in ["{}", "[]", "[{}]", r#"{"Results": []}"#, r#"{"ClusterName": "c"}"#] {
        assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of Trivy"), "{other}");
    }
}

#[test]
fn only_what_trivy_masked_is_kept_of_a_secret() {
    let found = of(
        "Secrets",
        r#"{"RuleID": "aws-access-key-id", "Title": "AWS Access Key ID", "Severity": "CRITICAL",
        "StartLine": 2, "EndLine": 2, "Code": {"Lines": [{"Number": 2, "Content": "clear"}]}, "Match": "clear"},
        {"RuleID": "a", "StartLine": 2, "Match": "key: ****"}"#,
    );
    assert!(!serde_json::to_string(&found).unwrap().contains("clear"));
    assert_eq!((found[0].message.as_str(), found[1].message.as_str()), ("AWS Access Key ID", "key: ****"));
    assert_eq!(found[0].location.as_ref().unwrap().line, Some(2));
}

#[test]
fn a_large_report_with_fields_sorted_by_name_is_detected() {
    let report = br#"{"ArtifactName": "notes", "ArtifactType": "container_image", "Results": [{"Class": "os-pkgs",
        "Vulnerabilities": [{"PkgName": "zlib", "VulnerabilityID": "CVE-2023-45853"}, {"PkgName": "cut off"#;
    assert!(detect(&Sniff::of(Input::Memory(report)).unwrap()));
}
