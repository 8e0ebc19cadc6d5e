use super::*;
use crate::tests::{failure, findings};
use crate::value::rating::score_of;
use finding::severity::Severity;

fn report(sections: &str) -> String {
    format!(
        r#"{{"version": "v3.9.4", "title": "Static Analysis", "file_name": "notes.apk", "app_name": "Notes", "md5": "00", {sections}}}"#
    )
}

fn read(sections: &str) -> (Vec<Finding>, finding::ReportSummary) {
    let (findings, parsed) = findings(&SCANNER, report(sections).as_bytes()).unwrap();
    (findings, parsed.summary)
}

#[test]
fn words_become_the_documented_scores() {
    for (words, word, expected) in [
        (SCANNER.severity_words, "high", Some(800)),
        (SCANNER.severity_words, "warning", Some(550)),
        (SCANNER.severity_words, "info", Some(0)),
        (SCANNER.severity_words, "dangerous", Some(200)),
        (SCANNER.severity_words, "strange", None),
        (MOBSFSCAN_WORDS, "INFO", Some(200)),
    ] {
        assert_eq!(score_of(words, word).map(|score| score.hundredths()), expected, "{word}");
    }
}

#[test]
fn a_rule_is_a_result_in_each_file_and_its_cvss_is_no_severity() {
    let (found, summary) = read(
        r#""code_analysis": {"findings": {"android_logging": {"files": {"a/A.java": "20,3,20", "b/B.java": "7"},
        "metadata": {"cvss": 7.5, "cwe": "CWE-532: Log", "description": "The app logs.", "severity": "info", "masvs": "M-3", "ref": "https://x.example"}},
        "android_root": {"files": {"c.java": "1"}, "metadata": {"description": "d", "severity": "good"}}}, "summary": {}}"#,
    );
    assert_eq!((summary.findings, summary.passed), (2, 1));
    assert_eq!(found[0].location.as_ref().unwrap().line, Some(3));
    assert_eq!(found[0].other_locations[0].line, Some(20));
    assert_eq!((found[0].severity(), found[0].cwes.as_slice()), (Severity::Info, &[532][..]));
    assert_eq!(found[0].raw["cvss"], "7.5");
}

#[test]
fn the_manifest_is_read_as_every_version_writes_it() {
    let new = r#""manifest_analysis": {"manifest_findings": [{"rule": "exported", "title": "<strong>Activity</strong> (notes.Main) is not Protected.<br>x",
        "severity": "warning", "description": "d", "component": ["Activity", "notes.Main"]}]}"#;
    let old = r#""manifest_analysis": [{"title": "<strong>Activity</strong> (notes.Main) is not Protected.", "stat": "high", "desc": "d", "name": "n", "component": "Activity"}]"#;
    let oldest = r#""manifest": [{"title": "Debug Enabled For App", "stat": "high", "desc": "d"}]"#;
    let rules: Vec<_> = [new, old, oldest].iter().map(|text| read(text).0.remove(0).rule).collect();
    assert_eq!(
        rules,
        [
            "manifest_analysis/exported",
            "manifest_analysis/Activity is not Protected.",
            "manifest/Debug Enabled For App"
        ]
    );
    let first = read(new).0.remove(0);
    assert_eq!(
        (first.title.as_str(), first.resource.as_deref()),
        ("Activity (notes.Main) is not Protected. x", Some("Activity notes.Main"))
    );
}

#[test]
fn binaries_are_read_as_every_version_writes_them() {
    let (found, summary) = read(
        r#""binary_analysis": [{"name": "lib/a.so", "nx": {"is_nx": true, "severity": "info", "description": "NX is set"},
        "fortify": {"is_fortified": false, "severity": "warning", "description": "not fortified"}}]"#,
    );
    assert_eq!((summary.findings, summary.passed), (1, 1));
    assert_eq!(
        (found[0].rule.as_str(), found[0].location.as_ref().unwrap().path.as_str()),
        ("binary_analysis/fortify", "lib/a.so")
    );
    let (found, _) = read(
        r#""binary_analysis": {"findings": {"Binary uses malloc": {"detailed_desc": "_malloc", "severity": "high", "cvss": 2, "cwe": "CWE-789: Alloc"}}, "summary": {}}"#,
    );
    assert_eq!(
        (found[0].severity(), found[0].message.as_str(), found[0].cwes.as_slice()),
        (Severity::High, "_malloc", &[789][..])
    );
    let (found, _) = read(
        r#""binary_analysis": [{"issue": "Insecure API", "status": "Insecure", "description": "d"}, {"issue": "PIE", "status": "Secure", "description": "d"}]"#,
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn facts_are_not_applicable_and_what_they_show_is_found() {
    let (found, summary) = read(
        r#""permissions": {"android.permission.INTERNET": {"status": "normal"}, "android.permission.READ_CONTACTS": {"status": "dangerous", "description": "d"}},
        "android_api": {"api_ipc": {"files": {"a": "1"}, "metadata": {"description": "IPC", "severity": "info"}}},
        "firebase_urls": [{"url": "https://notes.firebaseio.example", "open": true}, {"url": "https://b.example", "open": false}],
        "domains": {"bad.example": {"bad": "yes"}, "good.example": {"bad": "no"}}, "trackers": {"detected_trackers": 1, "total_trackers": 9,
        "trackers": [{"name": "Track", "categories": "Ads", "url": "https://t.example"}]}, "certificate_analysis": {"certificate_info": "x",
        "certificate_findings": [["good", "signed"], ["high", "SHA1withRSA", "Hash collision"]]}"#,
    );
    assert_eq!((summary.findings, summary.passed, summary.not_applicable), (5, 1, 3));
    assert!(found.iter().any(|finding| finding.rule == "certificate_analysis/Hash collision"));
}

#[test]
fn secrets_are_masked() {
    let (found, _) = read(r#""secrets": ["\"maps_api_key\" : \"AIzaSyNotARealKeyAtAll\"", "hunter2hunter2"]"#);
    let stored = serde_json::to_string(&found).unwrap();
    assert!(!stored.contains("NotARealKey") && !stored.contains("hunter2hunter2"), "{stored}");
    assert_eq!(found[0].message, "Possible secret: maps_api_key");
    let text = r#"{"mobsfscan_version": "0.2.0", "errors": [], "results": {"android_kotlin_hardcoded": {"files": [{"file_path": "A.kt",
        "match_lines": [10, 10], "match_string": "key = \"hunter2hunter2\""}], "metadata": {"cwe": "CWE-798 Creds", "severity": "WARNING"}},
        "android_ssl_pinning": {"metadata": {"cwe": "CWE-295", "severity": "INFO"}}}}"#;
    let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
    let severities: Vec<_> = found.iter().map(|finding| (finding.kind, finding.severity())).collect();
    assert_eq!(severities, [(Kind::Secret, Severity::Medium), (Kind::Code, Severity::Low)]);
}

#[test]
fn an_error_of_mobsfscan_with_the_path_of_a_file_is_a_blind_spot() {
    let summary = |error: &str| {
        let text = format!(r#"{{"mobsfscan_version": "0.2.0", "errors": [{error}], "results": {{}}}}"#);
        findings(&SCANNER, text.as_bytes()).unwrap().1.summary
    };
    let file = summary(r#"{"path": "A.kt", "message": "Syntax error", "type": "Syntax error"}"#);
    assert_eq!((file.is_complete(), &file.blind_spots[0].reach), (true, &finding::Reach::File("A.kt".to_owned())));
    assert_eq!(summary(r#""timed out""#).scanner_errors, ["timed out"]);
    for unclear in [r#"{"path": "r.yml", "type": ["PatternParseError", []]}"#, r#"{"message": "m"}"#, r#"{"path": ""}"#]
    {
        assert_eq!(summary(unclear).scanner_errors_total, 1, "{unclear}");
    }
}

#[test]
fn a_scorecard_is_read_and_other_json_is_refused() {
    let text = r#"{"high": [{"title": "Debug Enabled For App", "description": "d", "section": "manifest"}], "warning": [],
        "info": [], "secure": [{"title": "No trackers", "description": "d", "section": "trackers"}],
        "hotspot": [{"title": "Found 3 critical permission(s)", "description": "d", "section": "permissions"}],
        "total_trackers": 4, "trackers": 0, "security_score": 40, "app_name": "Notes", "file_name": "notes.apk", "hash": "00"}"#;
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert_eq!((found.len(), parsed.summary.passed), (2, 1));
    assert!(found.iter().any(|finding| finding.rule == "permissions/Found critical permission"));
    assert!(failure(&SCANNER, br#"{"md5": "0"}"#).contains("code_analysis"));
    assert!(failure(&SCANNER, br#"{"code_analysis": {}}"#).contains("file_name"));
}
