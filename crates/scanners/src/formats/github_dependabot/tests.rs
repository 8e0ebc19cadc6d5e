use super::*;
use crate::tests::{failure, findings};
use finding::severity::{ScoreSource, Severity};

const NODE: &str = r#"{"id": "RVA_1", "number": 4, "state": "OPEN", "vulnerableManifestPath": "shop/pom.xml",
    "vulnerableManifestFilename": "pom.xml", "vulnerableRequirements": "= 1.2.17",
    "securityVulnerability": {"severity": "MODERATE", "package": {"name": "log4j:log4j", "ecosystem": "MAVEN"},
        "vulnerableVersionRange": "<= 1.2.17", "firstPatchedVersion": {"identifier": "2.0"},
        "advisory": {"summary": "Bad log", "identifiers": [{"type": "GHSA", "value": "GHSA-2qrg-x229-3v8q"},
            {"type": "CVE", "value": "CVE-2019-17571"}], "cwes": {"nodes": [{"cweId": "CWE-502"}, {"cweId": "CWE-20"}]},
            "cvss": {"score": 0.0, "vectorString": null}, "epss": {"percentage": 0.5, "percentile": 0.9}}}}"#;

const REST: &str = r#"{"number": 2, "state": "open", "dependency": {"package": {"ecosystem": "npm", "name": "shop-ui"},
    "manifest_path": "web/package-lock.json", "scope": "runtime"},
    "security_advisory": {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "cve_id": "CVE-2024-0001", "summary": "S", "severity": "low",
        "identifiers": [{"value": "CVE-2024-0001", "type": "CVE"}], "cwes": [{"cwe_id": "CWE-79", "name": "XSS"}],
        "cvss": {"vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "score": 9.8},
        "cvss_severities": {"cvss_v3": {"vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "score": 9.8},
            "cvss_v4": {"vector_string": null, "score": 0.0}}},
    "security_vulnerability": {"package": {"ecosystem": "npm", "name": "shop-ui"}, "severity": "low",
        "vulnerable_version_range": "< 2.0.0", "first_patched_version": {"identifier": "2.0.0"}},
    "html_url": "https://github.example/2", "dismissed_at": null, "fixed_at": null}"#;

#[test]
fn alerts_are_found_at_every_path_of_a_query() {
    let alerts = format!(r#"{{"vulnerabilityAlerts": {{"nodes": [{NODE}]}}}}"#);
    for text in [
        format!(r#"{{"data": {{"repository": {alerts}}}}}"#),
        format!(r#"{{"data": {{"mine": {alerts}, "yours": {{"vulnerabilityAlerts": null}}}}}}"#),
        format!(r#"{{"data": {{"search": {{"nodes": [{alerts}, null, {{}}]}}}}}}"#),
        format!(r#"{{"data": {{"search": {{"edges": [{{"node": {alerts}}}]}}}}}}"#),
        format!(r#"{{"data": {{"repository": {{"name": "notes", "search": {{"nodes": [{alerts}]}}}}}}}}"#),
        format!(r#"{{"data": {{"organization": {{"repositories": {{"nodes": [{alerts}]}}}}}}}}"#),
        format!(r#"{{"data": {{"r": {{"vulnerabilityAlerts": {{"edges": [{{"cursor": "a", "node": {NODE}}}]}}}}}}}}"#),
        format!(r#"{{"repository": {alerts}}}"#),
        format!(
            r#"[{{"data": {{"repository": {alerts}}}}}, {{"data": {{"repository": {{"vulnerabilityAlerts": {{"nodes": []}}}}}}}}]"#
        ),
        format!(
            r#"{{"data": {{"repository": {alerts}}}}} {{"data": {{"repository": {{"vulnerabilityAlerts": {{"nodes": []}}}}}}}}"#
        ),
    ] {
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((found.len(), parsed.summary.results), (1, 1), "{text}");
        assert!(parsed.summary.is_complete());
    }
}

#[test]
fn both_apis_give_the_same_fields() {
    let text = format!(r#"{{"data": {{"repository": {{"vulnerabilityAlerts": {{"nodes": [{NODE}]}}}}}}}}"#);
    let finding = &findings(&SCANNER, text.as_bytes()).unwrap().0[0];
    assert_eq!((finding.rule.as_str(), &finding.cwes[..]), ("GHSA-2qrg-x229-3v8q", &[502, 20][..]));
    assert_eq!(finding.advisories, ["GHSA-2qrg-x229-3v8q", "CVE-2019-17571"]);
    let package = finding.package.as_ref().unwrap();
    assert_eq!((package.version.as_deref(), package.ecosystem.as_deref()), (Some("1.2.17"), Some("maven")));
    assert_eq!((&package.fixed_versions[..], finding.epss.unwrap().probability), (&["2.0".to_owned()][..], 0.5));
    assert_eq!(finding.location.as_ref().unwrap().path, "shop/pom.xml");
    // The advisory has no CVSS: its score 0.0 must not count.
    assert_eq!((finding.severity(), finding.score.unwrap().source), (Severity::Medium, ScoreSource::ScannerWord));

    let finding = &findings(&SCANNER, format!("[{REST}]").as_bytes()).unwrap().0[0];
    assert_eq!((finding.rule.as_str(), &finding.cwes[..]), ("GHSA-aaaa-bbbb-cccc", &[79][..]));
    assert_eq!((finding.severity(), finding.score.unwrap().source), (Severity::Critical, ScoreSource::CvssV3));
    assert_eq!((finding.scanner_severity, finding.cvss.len()), (Some(Severity::Low), 1));
    assert_eq!(finding.location.as_ref().unwrap().path, "web/package-lock.json");
    assert_eq!(finding.package.as_ref().unwrap().fixed_versions, ["2.0.0"]);
}

#[test]
fn each_state_is_counted_as_documented() {
    for (state, counts, words) in [
        (r#""state": "open""#, (1, 0, 0), None),
        (r#""state": "fixed""#, (0, 0, 1), None),
        (
            r#""state": "dismissed", "dismissed_reason": "tolerable_risk", "dismissed_comment": "demo""#,
            (0, 1, 0),
            Some("dismissed: tolerable_risk: demo"),
        ),
        (r#""state": "auto_dismissed""#, (0, 1, 0), Some("auto_dismissed")),
        (r#""fixedAt": "2026-01-01""#, (0, 0, 1), None),
        (r#""dismissedAt": "2026-01-01", "dismissReason": "NOT_USED""#, (0, 1, 0), Some("dismissed: NOT_USED")),
        (r#""autoDismissedAt": "2026-01-01""#, (0, 1, 0), Some("auto_dismissed")),
    ] {
        let text = format!(r#"[{{{state}, "security_advisory": {{"ghsa_id": "GHSA-1", "summary": "s"}}}}]"#);
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.closed), counts, "{state}");
        assert_eq!(found.first().and_then(|finding| finding.suppressed.as_deref()), words, "{state}");
    }
}

#[test]
fn only_an_exact_requirement_names_a_version() {
    for (text, version) in
        [("= 5.3.29", Some("5.3.29")), ("== 1.0", Some("1.0")), (">= 1.0, < 2", None), ("~> 1", None), ("= ", None)]
    {
        assert_eq!(exact_version(text), version, "{text}");
    }
}

#[test]
fn a_page_that_is_not_the_last_and_errors_make_the_scan_incomplete() {
    let text = r#"{"data": {"repository": {"vulnerabilityAlerts": {"pageInfo": {"hasNextPage": true}, "nodes": []}}},
        "errors": [{"message": "Something went wrong"}]}"#;
    let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    let errors = ["the report is one of several pages of alerts: `hasNextPage` is true", "Something went wrong"];
    assert_eq!(parsed.summary.scanner_errors, errors);
}

#[test]
fn an_error_answer_is_refused_with_its_message() {
    let text = br#"{"data": {"repository": null}, "errors": [{"message": "Could not resolve to a Repository"}]}"#;
    assert!(failure(&SCANNER, text).ends_with("GitHub answered with an error: Could not resolve to a Repository"));
    let text = br#"{"message": "Dependabot alerts are disabled for this repository.", "status": "403"}"#;
    assert!(failure(&SCANNER, text).ends_with("Dependabot alerts are disabled for this repository."));
}
