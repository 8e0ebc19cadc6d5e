use super::*;
use crate::tests::{failure, findings};
use finding::severity::{ScoreSource, Severity};

fn one(fields: &str) -> Finding {
    let text = format!(r#"{{"findings": [{{"title": "T", "description": "D", {fields}}}]}}"#);
    findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0)
}

#[test]
fn the_fields_decide_the_kind_and_the_rule() {
    let package = r#""component_name": "shop-ui", "component_version": "1.0""#;
    for (fields, kind, rule) in [
        (r#""severity": "Low""#.to_owned(), Kind::Code, "T"),
        (r#""vuln_id_from_tool": "S-1""#.to_owned(), Kind::Code, "S-1"),
        (r#""cve": "CVE-2024-0001""#.to_owned(), Kind::Code, "T"),
        (package.to_owned(), Kind::Code, "T"),
        (format!(r#"{package}, "cve": "CVE-2024-0001""#), Kind::Dependency, "CVE-2024-0001"),
        (format!(r#"{package}, "vulnerability_ids": ["GHSA-1"], "endpoints": ["a"]"#), Kind::Dependency, "GHSA-1"),
        (format!(r#"{package}, "cve": "CVE-2024-0001", "vuln_id_from_tool": "S-1""#), Kind::Dependency, "S-1"),
        (r#""endpoints": ["https://shop.example"], "file_path": "a.py""#.to_owned(), Kind::Web, "T"),
        (r#""endpoints": [], "line": 3, "file_path": "a.py""#.to_owned(), Kind::Code, "T"),
    ] {
        let finding = one(&fields);
        assert_eq!((finding.kind, finding.rule.as_str()), (kind, rule), "{fields}");
    }
}

#[test]
fn marks_suppress_and_mitigated_findings_are_closed() {
    for (fields, counts, words) in [
        (r#""active": true, "verified": false"#, (1, 0, 0), None),
        (r#""false_p": true"#, (0, 1, 0), Some("false positive")),
        (r#""duplicate": true, "active": false"#, (0, 1, 0), Some("duplicate, not active")),
        (r#""risk_accepted": true"#, (0, 1, 0), Some("risk accepted")),
        (r#""out_of_scope": "True""#, (0, 1, 0), Some("out of scope")),
        (r#""active": false"#, (0, 1, 0), Some("not active")),
        (r#""is_mitigated": true, "active": false"#, (0, 0, 1), None),
        (r#""under_review": true"#, (1, 0, 0), None),
    ] {
        let text = format!(r#"{{"findings": [{{"title": "T", {fields}}}]}}"#);
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.closed), counts, "{fields}");
        assert_eq!(found.first().and_then(|finding| finding.suppressed.as_deref()), words, "{fields}");
    }
}

#[test]
fn cvss_counts_before_the_word() {
    let v3 = r#""cvssv3": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H""#;
    let v4 = r#""cvssv4": "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N""#;
    for (fields, severity, source) in [
        (r#""severity": "Critical""#.to_owned(), Severity::Critical, Some(ScoreSource::ScannerWord)),
        (r#""severity": "Info", "cvssv3_score": 0"#.to_owned(), Severity::Info, Some(ScoreSource::ScannerWord)),
        (r#""severity": "Odd""#.to_owned(), Severity::Unassigned, None),
        (r#""cve": null"#.to_owned(), Severity::Unassigned, None),
        (format!(r#"{v3}, "severity": "Low""#), Severity::Critical, Some(ScoreSource::CvssV3)),
        (format!(r#"{v3}, {v4}, "severity": "Low""#), Severity::High, Some(ScoreSource::CvssV4)),
        (r#""cvssv3_score": 5.1, "severity": "Low""#.to_owned(), Severity::Medium, Some(ScoreSource::CvssV3)),
        (r#""cvssv4_score": "9.1", "severity": "Low""#.to_owned(), Severity::Critical, Some(ScoreSource::CvssV4)),
        (r#""cvssv3": "", "severity": "Low""#.to_owned(), Severity::Low, Some(ScoreSource::ScannerWord)),
    ] {
        let finding = one(&fields);
        assert_eq!((finding.severity(), finding.score.map(|scored| scored.source)), (severity, source), "{fields}");
    }
}

#[test]
fn every_field_is_read() {
    let finding = one(
        r#""severity": "High", "mitigation": "M", "impact": "I", "references": "https://a.example\n\nhttps://b.example",
        "cve": "CVE-2024-0001", "vulnerability_ids": ["CVE-2024-0001", ["GHSA-1"], {"vulnerability_id": "OSV-1"}, 5],
        "cwe": 261, "cwes": [261, "CWE-79"], "file_path": "a.py", "line": "13", "component_name": "c", "component_version": "1",
        "fix_version": "2", "epss_score": 0.4, "epss_percentile": 0.9, "known_exploited": true, "unique_id_from_tool": "u",
        "service": "shop", "tags": ["a", "b"], "static_finding": true, "nb_occurences": 3, "date": "2026-01-06",
        "files": [{"title": "one.png", "data": "AAAA"}], "sast_source_file_path": "b.py", "own": {"x": 1}"#,
    );
    assert_eq!(finding.advisories, ["CVE-2024-0001", "GHSA-1", "OSV-1"]);
    assert_eq!((&finding.cwes[..], finding.references.len()), (&[261, 79][..], 2));
    assert_eq!(
        finding.location.as_ref().map(|location| (location.path.as_str(), location.line)),
        Some(("a.py", Some(13)))
    );
    assert_eq!(finding.package.as_ref().unwrap().fixed_versions, ["2"]);
    assert_eq!((finding.epss.unwrap().percentile, finding.known_exploited), (Some(0.9), Some(true)));
    assert_eq!((finding.remediation.as_deref(), finding.tool_id.as_deref()), (Some("M"), Some("u")));
    for (name, value) in [
        ("impact", "I"),
        ("service", "shop"),
        ("tags", "a, b"),
        ("static_finding", "true"),
        ("nb_occurences", "3"),
        ("date", "2026-01-06"),
        ("files", "one.png"),
        ("sast_source_file_path", "b.py"),
        ("own", r#"{"x":1}"#),
    ] {
        assert_eq!(finding.raw.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[test]
fn endpoints_are_urls_hosts_or_their_parts() {
    for (endpoints, url, host) in [
        (r#"["https://shop.example:8443/a"]"#, Some("https://shop.example:8443/a"), None),
        (r#"["shop.example"]"#, None, Some("shop.example")),
        (r#"[{"host": "shop.example"}]"#, None, Some("shop.example")),
        (
            r#"[{"protocol": "https", "host": "shop.example", "port": 8443, "path": "a/b", "query": "c=1", "fragment": "d"}]"#,
            Some("https://shop.example:8443/a/b?c=1#d"),
            Some("shop.example"),
        ),
        (r#""https://shop.example""#, Some("https://shop.example"), None),
    ] {
        let endpoint = one(&format!(r#""param": "q", "endpoints": {endpoints}"#)).endpoint.unwrap();
        assert_eq!((endpoint.url.as_deref(), endpoint.host.as_deref()), (url, host), "{endpoints}");
        assert_eq!(endpoint.parameter.as_deref(), Some("q"));
    }
    assert_eq!(
        one(r#""endpoints": ["https://a.example", "b.example"]"#).raw["endpoints"],
        "https://a.example\nb.example"
    );
}

#[test]
fn a_report_belongs_to_the_tool_that_its_type_names() {
    for (fields, tool) in [
        (r#""name": "n""#, "generic"),
        (r#""type": "Generic Findings Import""#, "generic"),
        (r#""type": "Internal Company Tool", "name": "n", "version": "1.0.5""#, "generic-internal-company-tool"),
        (r#""type": "検査""#, "generic"),
        (r#""type": null"#, "generic"),
    ] {
        for text in [format!(r#"{{{fields}, "findings": []}}"#), format!(r#"{{"findings": [], {fields}}}"#)] {
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().1.tool, tool, "{text}");
        }
    }
}

#[test]
fn a_bad_finding_does_not_hide_the_others_and_the_list_is_required() {
    let text = br#"{"findings": [{"title": "T"}, {"severity": "High"}, {"title": " "}, 5]}"#;
    let (found, parsed) = findings(&SCANNER, text).unwrap();
    assert_eq!((found.len(), parsed.summary.rejected), (1, 3));
    assert!(failure(&SCANNER, b"{\"name\": \"n\"}").contains("the list `findings`"));
}
