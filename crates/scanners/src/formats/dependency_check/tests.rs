use super::*;
use crate::tests::{failure, findings};
use finding::severity::ScoreSource;

fn xml(dependency: &str) -> String {
    format!(
        r#"<analysis xmlns="https://jeremylong.github.io/DependencyCheck/dependency-check.4.0.xsd"><scanInfo>
        <engineVersion>9.0.9</engineVersion></scanInfo><dependencies><dependency><fileName>notes.ear: lib.jar</fileName>
        <filePath>/build/17/notes.ear/lib.jar</filePath>{dependency}</dependency></dependencies></analysis>"#
    )
}

fn one(dependency: &str) -> Finding {
    let text = xml(&format!(
        "{dependency}<vulnerabilities><vulnerability><name>CVE-1</name></vulnerability></vulnerabilities>"
    ));
    findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0)
}

#[test]
fn a_library_is_named_by_the_best_that_the_report_has() {
    let evidence = r#"<evidenceCollected><evidence type="product" confidence="LOW"><value>lib</value></evidence>
        <evidence type="product" confidence="HIGHEST"><value>dom4j</value></evidence>
        <evidence type="version" confidence="HIGH"><value>2.1.1</value></evidence></evidenceCollected>"#;
    let maven = r#"<identifiers><identifier type="cpe"><name>cpe:/a:a:b:1</name></identifier>
        <identifier type="maven"><name>org.dom4j:dom4j:2.1.0</name></identifier>"#;
    let purl = "<identifiers><package><id>pkg:maven/org.dom4j/dom4j@2.0.0</id></package></identifiers>";
    for (dependency, name, version) in [
        (format!("{evidence}{maven}{purl}</identifiers>"), "org.dom4j:dom4j", Some("2.0.0")),
        (format!("{evidence}{maven}</identifiers>"), "org.dom4j:dom4j", Some("2.1.0")),
        (evidence.to_owned(), "dom4j", Some("2.1.1")),
        (String::new(), "notes.ear: lib.jar", None),
    ] {
        let finding = one(&dependency);
        let package = finding.package.unwrap();
        assert_eq!((package.name.as_str(), package.version.as_deref()), (name, version));
        assert_eq!(finding.location.unwrap().path, "notes.ear: lib.jar");
    }
}

#[test]
fn vectors_are_built_from_metrics() {
    let text = xml(
        "<vulnerabilities><vulnerability source=\"NVD\"><name>CVE-1</name><severity>HIGH</severity><cvssV2><score>7.5</score>
        <accessVector>NETWORK</accessVector><accessComplexity>LOW</accessComplexity><authenticationr>NONE</authenticationr>
        <confidentialImpact>PARTIAL</confidentialImpact><integrityImpact>PARTIAL</integrityImpact>
        <availabilityImpact>PARTIAL</availabilityImpact></cvssV2><cvssV3><baseScore>9.8</baseScore>
        <attackVector>NETWORK</attackVector><attackComplexity>LOW</attackComplexity><privilegesRequired>NONE</privilegesRequired>
        <userInteraction>NONE</userInteraction><scope>UNCHANGED</scope><confidentialityImpact>HIGH</confidentialityImpact>
        <integrityImpact>HIGH</integrityImpact><availabilityImpact>HIGH</availabilityImpact><version>3.0</version></cvssV3>
        </vulnerability></vulnerabilities>",
    );
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    let vectors: Vec<_> = found[0].cvss.iter().filter_map(|cvss| cvss.vector.as_deref()).collect();
    assert_eq!(vectors, ["CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:P/I:P/A:P"]);
    let scored = found[0].score.unwrap();
    assert_eq!((scored.score.hundredths(), scored.source), (980, ScoreSource::CvssV3));
    assert_eq!(parsed.scanner_version.as_deref(), Some("9.0.9"));
}

#[test]
fn words_count_where_there_is_no_cvss() {
    for (word, score) in [("CRITICAL", Some(950)), ("Moderate", Some(550)), ("LOW", Some(200)), ("unknown", None)] {
        let text = xml(&format!(
            "<vulnerabilities><vulnerability><name>a b</name><severity>{word}</severity></vulnerability></vulnerabilities>"
        ));
        let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(found[0].score.map(|scored| scored.score.hundredths()), score, "{word}");
        assert!(found[0].advisories.is_empty(), "a sentence is not an id");
    }
}

#[test]
fn suppressed_results_keep_their_notes_and_both_notations_agree() {
    let text = xml(
        "<relatedDependencies><relatedDependency><filePath>/build/other.jar</filePath></relatedDependency></relatedDependencies>
        <vulnerabilities><suppressedVulnerability><name>CVE-2</name><notes>not reachable</notes></suppressedVulnerability>
        <suppressedVulnerability><name>CVE-3</name></suppressedVulnerability><vulnerability/></vulnerabilities>",
    );
    let json = r#"{"reportSchema": "1.1", "dependencies": [{"fileName": "notes.ear: lib.jar", "filePath": "/build/17/notes.ear/lib.jar",
        "relatedDependencies": [{"filePath": "/build/other.jar"}], "suppressedVulnerabilities": [{"name": "CVE-2",
        "notes": "not reachable"}, {"name": "CVE-3", "notes": ""}, {}]}], "scanInfo": {"engineVersion": "9.0.9"}}"#;
    let (from_xml, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert_eq!((parsed.summary.suppressed, parsed.summary.rejected), (2, 1));
    assert_eq!(from_xml[0].suppressed.as_deref(), Some("suppressed: not reachable"));
    assert_eq!(from_xml[0].other_locations[0].path, "/build/other.jar");
    let (from_json, parsed) = findings(&SCANNER, json.as_bytes()).unwrap();
    assert_eq!((from_json, parsed.summary.rejected), (from_xml, 1));
}

#[test]
fn exceptions_of_the_analysis_make_the_scan_incomplete() {
    let text = xml("").replace(
        "</scanInfo>",
        "<analysisExceptions><exception><message>no database</message></exception></analysisExceptions></scanInfo>",
    );
    let json = r#"{"scanInfo": {"engineVersion": "9", "analysisExceptions": [{"exception": {"message": "no database"}}]}, "dependencies": []}"#;
    for text in [text.as_str(), json] {
        assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().1.summary.scanner_errors, ["no database"]);
    }
}

#[test]
fn other_documents_are_refused() {
    for other in [
        "<analysis/>",
        "<a xmlns='https://a.example/dependency-check.xsd'/>",
        r#"{"dependencies": []}"#,
        r#"{"scanInfo": {}}"#,
    ] {
        assert!(failure(&SCANNER, other.as_bytes()).contains("not a report of OWASP Dependency-Check"), "{other}");
    }
}
