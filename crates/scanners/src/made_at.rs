//! The time at which a scanner made its report: in which field of which format, and what happens if it cannot be read.

use super::tests::findings_as;
use super::*;
use std::collections::BTreeSet;
use std::path::Path;

/// A format, one of its fixtures, the text of the time in it, and the time.
const STATED: &[(&str, &str, &str, &str)] = &[
    ("bandit", "clean.json", "2026-11-23T06:56:15Z", "2026-11-23T06:56:15Z"),
    ("brakeman", "findings.json", "2026-03-04 10:11:14 +0000", "2026-03-04T10:11:14Z"),
    ("bundler-audit", "notes.json", "2026-11-23 04:00:00 +0000", "2026-11-23T04:00:00Z"),
    ("burp", "issues.xml", "Mon Nov 18 09:12:44 UTC 2024", "2024-11-18T09:12:44Z"),
    ("checkmarx", "one-portal.json", "2024-03-04T10:00:00Z", "2024-03-04T10:00:00Z"),
    ("checkmarx", "9.4.xml", "Monday, March 4, 2024 10:00:00 AM", "2024-03-04T10:00:00Z"),
    ("cyclonedx", "bom.json", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
    ("dependency-check", "a-notes.xml", "2026-03-02T08:01:00Z", "2026-03-02T08:01:00Z"),
    ("dependency-check", "notes-web.json", "2026-03-02T08:01:00Z", "2026-03-02T08:01:00Z"),
    ("detect-secrets", "audited.json", "2026-11-24T05:39:11Z", "2026-11-24T05:39:11Z"),
    ("fortify", "audit.fvdl", "10:00:00", "2024-03-04T10:00:00Z"),
    ("fortify", "webinspect.xml", "3/4/2024 10:00:00 AM", "2024-03-04T10:00:00Z"),
    ("gitlab-container-scanning", "cluster.json", "2026-03-02T08:00:09", "2026-03-02T08:00:09Z"),
    ("gitlab-dependency-scanning", "a-notes-v15.json", "2026-03-02T08:00:09", "2026-03-02T08:00:09Z"),
    ("gitlab-sast", "a-notes-v15.json", "2026-03-02T08:00:09", "2026-03-02T08:00:09Z"),
    ("gitlab-secret-detection", "a-notes-v15.json", "2026-03-02T08:00:09", "2026-03-02T08:00:09Z"),
    ("grype", "image.json", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
    ("horusec", "findings.json", "2026-03-04T10:11:14Z", "2026-03-04T10:11:14Z"),
    ("kics", "clean.json", "2026-11-20T08:00:04.000000001Z", "2026-11-20T08:00:04Z"),
    ("kubescape", "cluster.json", "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
    ("mobsf", "a-android.json", "2026-11-23 04:00:00", "2026-11-23T04:00:00Z"),
    // The end is that of an unset clock.
    ("nikto", "two-runs.xml", "Mon Nov 18 09:00:00 2024", "2024-11-18T09:00:00Z"),
    ("nmap", "hosts.xml", "1731920009", "2024-11-18T08:53:29Z"),
    // These and others below write a time for each result; the earliest counts.
    ("nuclei", "lines.jsonl", "2024-11-18T09:12:44.1Z", "2024-11-18T09:12:44.1Z"),
    ("nuclei", "list.json", "2024-11-18T09:12:44Z", "2024-11-18T09:12:44Z"),
    ("openvas", "rows.csv", "2024-11-18T09:10:00Z", "2024-11-18T09:10:00Z"),
    ("pmd", "notes.json", "2026-11-23T04:00:00.000Z", "2026-11-23T04:00:00Z"),
    ("pmd", "notes.xml", "2026-11-23T04:00:00.000", "2026-11-23T04:00:00Z"),
    ("prowler", "aws.csv", "2026-11-20 08:00:00", "2026-11-20T08:00:00Z"),
    ("prowler", "aws.ocsf.json", "1795161600", "2026-11-20T08:00:00Z"),
    ("prowler-v2", "lines.json", "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
    ("prowler-v3", "results.json", "2026-11-20T08:00:00.000000", "2026-11-20T08:00:00Z"),
    ("qualys", "assets.xml", "2026-11-23T04:00:00Z", "2026-11-23T04:00:00Z"),
    ("retirejs", "shop.json", "2026-11-24T05:41:48.419Z", "2026-11-24T05:41:48.419Z"),
    ("spotbugs", "a-notes.xml", "1795400001000", "2026-11-23T02:13:21Z"),
    ("sslyze", "a-weak.json", "2026-11-23T04:00:09.000000", "2026-11-23T04:00:09Z"),
    ("testssl", "pretty.json", "1795400000", "2026-11-23T02:13:20Z"),
    ("trivy", "image.json", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
    ("trufflehog", "version-3-log.json", "2026-03-04T10:11:14Z", "2026-03-04T10:11:14Z"),
    // The colons are character references in the report.
    ("veracode", "detailed.xml", "2024-03-01 10&#x3a;02&#x3a;01 UTC", "2024-03-01T10:02:01Z"),
    ("wiz", "wizcli-dir.json", "2026-01-25T00:19:27Z", "2026-01-25T00:19:27Z"),
    ("wpscan", "blog.json", "1731920060", "2024-11-18T08:54:20Z"),
    ("zap", "alerts.xml", "Mon, 18 Nov 2024 09:12:44", "2024-11-18T09:12:44Z"),
    ("zap", "clean.json", "Mon, 18 Nov 2024 09:12:44", "2024-11-18T09:12:44Z"),
];

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn read_as(format: &str, report: &str) -> Parsed {
    let scanner = find(format).unwrap_or_else(|| panic!("no format {format}"));
    findings_as(Expected::Tool(scanner), report.as_bytes()).unwrap_or_else(|error| panic!("{format}: {error}")).parsed
}

#[test]
fn the_time_at_which_a_report_was_made_is_read_and_an_unreadable_one_loses_nothing() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (format, file, text, expected) in STATED {
        let report = std::fs::read_to_string(fixtures.join(format).join(file)).unwrap();
        assert!(report.contains(text), "{format}/{file} does not contain {text}");
        let read = read_as(format, &report);
        assert_eq!(read.made_at_ms, Some(ms(expected)), "{format}/{file}");
        // A number stays one, so that the report stays valid.
        let unreadable = if text.bytes().all(|byte| byte.is_ascii_digit()) { "5" } else { "soon" };
        let without = read_as(format, &report.replace(text, unreadable));
        assert_eq!(without.summary, read.summary, "{format}/{file} with an unreadable time");
    }
    let formats: BTreeSet<_> = STATED.iter().map(|(format, ..)| *format).collect();
    assert!(formats.len() >= 35, "{} formats", formats.len());
}

#[test]
fn the_times_of_other_notations_are_read() {
    let nessus = r#"<NessusClientData_v2><Policy/><Report name="n">
        <ReportHost name="b"><HostProperties><tag name="HOST_END">Mon Nov 23 06:18:00 2026</tag></HostProperties></ReportHost>
        <ReportHost name="a"><HostProperties><tag name="HOST_END">Mon Nov 23 09:18:00 2026</tag>
        <tag name="HOST_END_TIMESTAMP">1795414740</tag></HostProperties></ReportHost></Report></NessusClientData_v2>"#;
    let openvas = r#"<report id="1"><report id="1"><scan_run_status>Done</scan_run_status><scan_start>2026-11-23T05:18:00Z</scan_start>
        <scan_end>2026-11-23T06:18:00Z</scan_end><results max="-1" start="1"></results></report></report>"#;
    let qualys = r#"<SCAN value="scan/1"><HEADER><KEY value="USERNAME">2026-11-23T01:18:00Z</KEY>
        <KEY value="DATE">2026-11-23T06:18:00Z</KEY></HEADER></SCAN>"#;
    let cyclonedx = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><metadata><timestamp>2026-11-23T06:18:00Z</timestamp>
        </metadata><vulnerabilities></vulnerabilities></bom>"#;
    let nikto = r#"<niktoscan version="2.1.5"><scandetails targetip="192.0.2.7" targethostname="shop.example" targetport="443"
        starttime="2026-11-23 06:18:00"></scandetails></niktoscan>"#;
    let anchore = r#"{"metadata": {"imageDigest": "sha256:1", "timestamp": "2026-11-23T06:18:00.000Z"}, "securityEvaluation": []}"#;
    for (format, report) in [
        ("tenable", nessus),
        ("openvas", openvas),
        ("qualys", qualys),
        ("cyclonedx", cyclonedx),
        ("nikto", nikto),
        ("anchore", anchore),
    ] {
        assert_eq!(read_as(format, report).made_at_ms, Some(ms("2026-11-23T06:18:00Z")), "{format}");
    }
    let zap = r#"{"@version": "2.16.0", "@generated": "Mon, 23 Nov 2026 08:18:00", "created": "2026-11-23T06:18:00Z", "site": []}"#;
    assert_eq!(read_as("zap", zap).made_at_ms, Some(ms("2026-11-23T06:18:00Z")), "with a zone comes first");
}

#[test]
fn a_sarif_log_was_made_when_its_first_run_ended() {
    let run = |times: &str| {
        format!(
            r#"{{"tool": {{"driver": {{"name": "CodeQL"}}}}, "invocations": [{{"executionSuccessful": true{times}}}], "results": []}}"#
        )
    };
    let log = |runs: &[String]| format!(r#"{{"version": "2.1.0", "runs": [{}]}}"#, runs.join(","));
    let made = |runs: &[String]| read_as("sarif", &log(runs)).made_at_ms;
    let late = run(r#", "startTimeUtc": "2026-11-23T04:00:00Z", "endTimeUtc": "2026-11-23T09:00:00Z""#);
    let early = run(r#", "startTimeUtc": "2026-11-23T05:00:00Z", "endTimeUtc": "2026-11-23T06:18:00Z""#);
    let started = run(r#", "startTimeUtc": "2026-11-23T05:30:00Z""#);
    let unknown = run(r#", "endTimeUtc": {}"#);
    assert_eq!(made(&[late.clone(), early.clone()]), Some(ms("2026-11-23T06:18:00Z")));
    assert_eq!(made(&[late.clone(), early, started]), Some(ms("2026-11-23T05:30:00Z")), "of a run without an end");
    assert_eq!(made(&[unknown.clone(), late]), Some(ms("2026-11-23T09:00:00Z")));
    assert_eq!(made(&[unknown, run("")]), None);
}

#[test]
fn a_report_that_states_no_time_has_none() {
    let gosec = r#"{"Golang errors": {}, "Issues": [], "Stats": {"files": 1, "lines": 2, "nosec": 0, "found": 0}}"#;
    assert_eq!(read_as("gosec", gosec).made_at_ms, None);
}
