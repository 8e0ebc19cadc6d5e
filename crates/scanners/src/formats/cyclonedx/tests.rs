use super::*;
use crate::tests::{failure, findings};
use finding::severity::{ScoreSource, Severity};

fn read(vulnerabilities: &str) -> (Vec<Finding>, crate::Parsed) {
    let text = format!(
        r#"{{"vulnerabilities": [{vulnerabilities}], "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {{"bom-ref": "outer", "name": "outer", "components": [{{"bom-ref": "inner", "group": "org.dom4j", "name": "dom4j",
        "version": "2.1.1", "purl": "pkg:maven/org.dom4j/dom4j@2.1.1",
        "properties": [{{"name": "aquasecurity:trivy:FilePath", "value": "app/dom4j.jar"}}]}}]}}]}}"#
    );
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert!(parsed.summary.adds_up());
    (found, parsed)
}

#[test]
fn each_affected_component_is_a_result_and_is_found_anywhere_in_the_document() {
    let (found, parsed) = read(
        r#"{"id": "CVE-2020-10683", "references": [{"id": "GHSA-hwj3-m3p6-hj38"}], "cwes": [611],
        "affects": [{"ref": "inner"}, {"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:npm/%2540babel/core@7.1.2"},
        {"ref": "b-17", "versions": [{"version": "1.0", "status": "unaffected"}, {"version": "1.1"}]}, {}, "inner"]},
        {"id": "CVE-1"}, {"affects": [{"ref": "inner"}]}, 5"#,
    );
    let packages: Vec<_> = found
        .iter()
        .map(|f| f.package.as_ref().map(|p| (p.name.as_str(), p.version.as_deref().unwrap_or_default())))
        .collect();
    let expected = [Some(("org.dom4j:dom4j", "2.1.1")), Some(("@babel/core", "7.1.2")), Some(("b-17", "1.1")), None];
    assert_eq!(packages, expected);
    assert_eq!((found[0].advisories.len(), found[0].cwes.as_slice()), (2, &[611][..]));
    assert_eq!(found[0].location.as_ref().unwrap().path, "app/dom4j.jar");
    assert_eq!((parsed.summary.findings, parsed.summary.rejected), (4, 4));
}

#[test]
fn the_state_of_the_analysis_counts_by_its_name() {
    for (state, expected) in [
        ("not_affected", (0, 1, 0)),
        ("false_positive", (0, 1, 0)),
        ("resolved", (0, 0, 1)),
        ("resolved_with_pedigree", (0, 0, 1)),
        ("exploitable", (1, 0, 0)),
        ("in_triage", (1, 0, 0)),
    ] {
        let entry = format!(
            r#"{{"id": "CVE-1", "affects": [{{"ref": "inner"}}], "analysis": {{"state": "{state}", "justification": "code_not_reachable"}}}}"#
        );
        let (found, parsed) = read(&entry);
        let summary = parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.closed), expected, "{state}");
        if summary.suppressed == 1 {
            assert_eq!(found[0].suppressed, Some(format!("{state}: code_not_reachable")));
        }
    }
}

#[test]
fn ratings_of_nvd_come_first_then_those_of_the_own_source() {
    let scored = |ratings: &str| {
        let entry = format!(r#"{{"id": "CVE-1", "source": {{"name": "ghsa"}}, "ratings": [{ratings}]}}"#);
        let found = read(&entry).0.remove(0);
        (found.score.map(|scored| (scored.score.hundredths(), scored.source)), found.severity_word)
    };
    let other = r#"{"source": {"name": "redhat"}, "score": 1.0, "severity": "low", "method": "CVSSv31"}"#;
    let own = r#"{"source": {"name": "ghsa"}, "severity": "high", "method": "CVSSv3", "vector": "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}"#;
    let nvd = r#"{"source": {"name": "NVD"}, "score": 9.8, "severity": "critical", "method": "CVSSv31"}"#;
    let owasp = r#"{"source": {"name": "NVD"}, "score": 2.0, "method": "OWASP", "severity": "info"}"#;
    let high = Some("high".to_owned());
    assert_eq!(scored(&[other, own, nvd].join(",")), (Some((980, ScoreSource::CvssV3)), high.clone()));
    assert_eq!(scored(&[other, own].join(",")), (Some((750, ScoreSource::CvssV3)), high));
    assert_eq!(scored(owasp), (Some((0, ScoreSource::ScannerWord)), Some("info".to_owned())));
    assert_eq!(scored(r#"{"severity": "unknown"}"#).0, None);
}

#[test]
fn words_become_the_documented_severities() {
    for (word, severity) in [
        ("critical", Severity::Critical),
        ("high", Severity::High),
        ("medium", Severity::Medium),
        ("low", Severity::Low),
        ("info", Severity::Info),
        ("none", Severity::Info),
        ("unknown", Severity::Unassigned),
    ] {
        let (found, _) = read(&format!(r#"{{"id": "CVE-1", "ratings": [{{"severity": "{word}"}}]}}"#));
        assert_eq!(found[0].severity(), severity, "{word}");
    }
}

#[test]
fn the_extension_is_read_on_the_document_and_on_components() {
    let text = br#"<bom xmlns="http://cyclonedx.org/schema/bom/1.2" xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0">
        <v:vulnerabilities><v:vulnerability ref="a"><v:id>CVE-2018-7489</v:id><v:source name="NVD"/><v:ratings><v:rating>
        <v:score><v:base>9.8</v:base></v:score><v:severity>Critical</v:severity><v:method>CVSSv3</v:method></v:rating></v:ratings>
        <v:advisories><v:advisory>https://a.example</v:advisory></v:advisories></v:vulnerability></v:vulnerabilities>
        <components><component bom-ref="a"><group>g</group><name>n</name><version>1</version>
        <v:vulnerabilities><v:vulnerability><v:id>CVE-2</v:id></v:vulnerability></v:vulnerabilities></component></components></bom>"#;
    let (found, _) = findings(&SCANNER, text).unwrap();
    let packages: Vec<_> = found.iter().map(|f| (f.rule.as_str(), f.package.as_ref().unwrap().name.as_str())).collect();
    assert_eq!(packages, [("CVE-2018-7489", "g:n"), ("CVE-2", "g:n")]);
    assert_eq!((found[0].score.unwrap().score.hundredths(), found[0].references.len()), (980, 1));
}

#[test]
fn an_empty_list_of_vulnerabilities_is_clean_and_none_is_no_evidence() {
    let complete = |text: &str| {
        let parsed = findings(&SCANNER, text.as_bytes()).unwrap().1;
        assert_eq!(parsed.summary.results, 0, "{text}");
        parsed.summary.is_complete()
    };
    assert!(complete(r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": []}"#));
    assert!(complete(r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components/><vulnerabilities/></bom>"#));
    assert!(!complete(r#"{"bomFormat": "CycloneDX", "specVersion": "1.5"}"#));
    assert!(!complete(r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components/></bom>"#));
}

#[test]
fn other_documents_than_bills_of_materials_are_refused() {
    for other in [r#"{"bomFormat": "SPDX", "vulnerabilities": []}"#, "<bom/>", "[]"] {
        assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of CycloneDX") || other == "[]", "{other}");
    }
}
