use super::*;
use crate::tests::{failure, findings};
use finding::severity::{ScoreSource, Severity};

/// An issue with the required fields and these.
fn issue(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { ", " };
    format!(
        r#"{{"issueName": "Weak hash", "issueDescription": "MD5", "subProduct": "My Scanner", "severity": 5.5{comma}{fields}}}"#
    )
}

fn report(meta: &str, issues: &str) -> String {
    format!(r#"{{"meta": {meta}, "issues": [{issues}]}}"#)
}

const META: &str = r#"{"key": ["issueName", "fileName"], "subproduct": "My Scanner"}"#;

fn one(fields: &str) -> Finding {
    findings(&SCANNER, report(META, &issue(fields)).as_bytes()).unwrap().0.remove(0)
}

fn rejection(issue: &str) -> String {
    let (_, parsed) = findings(&SCANNER, report(META, issue).as_bytes()).unwrap();
    assert_eq!((parsed.summary.results, parsed.summary.rejected), (1, 1), "{issue}");
    parsed.summary.rejected_entries[0].reason.clone()
}

/// The form of the reference product's example, with names of our own.
#[test]
fn the_reference_example_is_read() {
    let text = r#"{"meta": {"key": ["issueName", "fileName"], "subproduct": "MyCustomScanner"}, "issues": [
        {"subproduct": "MyCustomScanner", "issueName": "Cross Site Scripting", "issueDescription": "A page shows what was sent.",
         "fileName": "notes/home.py", "lineNumber": "31", "remediationSteps": "Escape it.", "risk": "high", "severity": 8.0,
         "status": "open", "referenceIdentifiers": [{"type": "cwe", "id": "79"}], "_rawIssueCwe": {"id": 79}},
        {"subproduct": "MyCustomScanner", "issueName": "Cross Site Scripting", "issueDescription": "A page shows what was sent.",
         "fileName": "notes/home.py", "lineNumber": "47", "risk": "high", "severity": 8.0, "status": "open",
         "referenceIdentifiers": [{"type": "cwe", "id": "79"}]}]}"#;
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert_eq!((parsed.tool.as_str(), parsed.summary.findings), ("custom-mycustomscanner", 2));
    insta::assert_json_snapshot!(found[0], @r#"
    {
      "result": 0,
      "kind": "code",
      "rule": "Cross Site Scripting",
      "title": "Cross Site Scripting",
      "message": "A page shows what was sent.",
      "key": [
        [
          "issueName",
          "Cross Site Scripting"
        ],
        [
          "fileName",
          "notes/home.py"
        ]
      ],
      "score": {
        "score": 800,
        "source": "scanner_score"
      },
      "scanner_severity": "high",
      "cwes": [
        79
      ],
      "remediation": "Escape it.",
      "location": {
        "path": "notes/home.py",
        "line": 31
      },
      "raw": {
        "_rawIssueCwe": "{\"id\":79}",
        "risk": "high",
        "status": "open"
      }
    }
    "#);
    // Both have the same key, so they are one issue with two occurrences.
    assert_eq!(found[0].key, found[1].key);
    assert_eq!(found[1].location.as_ref().and_then(|location| location.line), Some(47));
}

#[test]
fn a_meta_that_is_wrong_refuses_the_report_and_names_the_field() {
    for (meta, reason) in [
        ("5", "`meta` must be an object"),
        (r#"{"subproduct": "s"}"#, "`meta.key` is missing; it must list the fields that identify an issue"),
        (
            r#"{"key": null, "subproduct": "s"}"#,
            "`meta.key` is missing; it must list the fields that identify an issue",
        ),
        (r#"{"key": "issueName", "subproduct": "s"}"#, "`meta.key` must be a list of field names"),
        (r#"{"key": [], "subproduct": "s"}"#, "`meta.key` is empty; it must list the fields that identify an issue"),
        (r#"{"key": ["issueName", 5], "subproduct": "s"}"#, "`meta.key[1]` must be a field name"),
        (
            r#"{"key": ["issueName", "team"], "subproduct": "s"}"#,
            "`meta.key[1]`: `team` is not a field of the format; custom fields cannot be part of the key",
        ),
        (
            r#"{"key": ["_rawIssueCwe"], "subproduct": "s"}"#,
            "`meta.key[0]`: `_rawIssueCwe` is not a field of the format; custom fields cannot be part of the key",
        ),
        (r#"{"key": ["targetId"], "subproduct": "s"}"#, "`meta.key[0]`: `targetId` is a reserved name"),
        (r#"{"key": ["subproduct", "subProduct"], "subproduct": "s"}"#, "`meta.key[1]`: `subProduct` is listed twice"),
        (r#"{"key": ["issueName"]}"#, "`meta.subproduct` is missing; it must name the tool"),
        (r#"{"key": ["issueName"], "subproduct": 5}"#, "`meta.subproduct` must be a text"),
        (r#"{"key": ["issueName"], "subproduct": "!"}"#, "`meta.subproduct` must contain a letter or a digit"),
    ] {
        let expected = format!("the report is not valid custom JSON: {reason}");
        assert_eq!(failure(&SCANNER, report(meta, &issue("")).as_bytes()), expected, "{meta}");
    }
    assert!(failure(&SCANNER, br#"{"issues": []}"#).ends_with("`meta` is missing"));
    assert!(failure(&SCANNER, format!(r#"{{"meta": {META}}}"#).as_bytes()).ends_with("the list `issues` is missing"));
}

#[test]
fn an_issue_that_is_wrong_is_rejected_and_names_the_field() {
    for (entry, reason) in [
        (r#"{"issueDescription": "d", "subProduct": "s", "severity": 1.0}"#, "`issueName` is missing"),
        (r#"{"issueName": "", "issueDescription": "d", "subProduct": "s", "severity": 1.0}"#, "`issueName` is empty"),
        (
            r#"{"issueName": ["n"], "issueDescription": "d", "subProduct": "s", "severity": 1.0}"#,
            "`issueName` must be a text",
        ),
        (r#"{"issueName": "n", "subProduct": "s", "severity": 1.0}"#, "`issueDescription` is missing"),
        (r#"{"issueName": "n", "issueDescription": "d", "severity": 1.0}"#, "`subProduct` is missing"),
        (
            r#"{"issueName": "n", "issueDescription": "d", "subProduct": "!", "severity": 1.0}"#,
            "`subProduct` must contain a letter or a digit",
        ),
        (
            r#"{"issueName": "n", "issueDescription": "d", "subProduct": "s"}"#,
            "`severity` is missing; it must be a number from 0 to 10, or null",
        ),
        (
            r#"{"issueName": "n", "issueDescription": "d", "subProduct": "s", "severity": "high"}"#,
            "`severity` must be a number from 0 to 10, or null",
        ),
        (
            r#"{"issueName": "n", "issueDescription": "d", "subProduct": "s", "severity": 10.1}"#,
            "`severity` is 10.1; it must be from 0 to 10",
        ),
        (
            r#"{"issueName": "n", "issueDescription": "d", "subProduct": "s", "severity": -2}"#,
            "`severity` is -2; it must be from 0 to 10",
        ),
    ] {
        assert_eq!(rejection(entry), reason, "{entry}");
    }
    for name in RESERVED {
        let reason = format!("the field `{name}` is reserved and must not be given");
        assert_eq!(rejection(&issue(&format!(r#""{name}": null"#))), reason);
    }
    assert!(rejection("5").contains("expected an object, found a number"));
}

#[test]
fn every_field_of_the_format_may_be_part_of_the_key() {
    for name in FIELDS {
        let meta = format!(r#"{{"key": ["{name}"], "subproduct": "s"}}"#);
        let (found, _) = findings(&SCANNER, report(&meta, &issue("")).as_bytes()).unwrap();
        assert_eq!(found[0].key[0].0, *name);
    }
}

#[test]
fn the_key_has_the_issues_values_in_the_declared_order() {
    let meta = r#"{"key": ["port", "subproduct", "severity", "host", "referenceIdentifiers"], "subproduct": "s"}"#;
    let text = report(meta, &issue(r#""port": 443, "referenceIdentifiers": [{"id": "79", "type": "cwe"}]"#));
    let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
    let key: Vec<_> = found[0].key.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let identifiers = r#"[{"id":"79","type":"cwe"}]"#;
    // `host` is not given: an empty text.
    let expected = [
        ("port", "443"),
        ("subProduct", "My Scanner"),
        ("severity", "5.5"),
        ("host", ""),
        ("referenceIdentifiers", identifiers),
    ];
    assert_eq!(key, expected);
}

#[test]
fn severity_is_the_issues_own_score() {
    for (severity, rest, level, source) in [
        ("9.5", "", Severity::Critical, Some(ScoreSource::ScannerScore)),
        ("\"7.0\"", "", Severity::High, Some(ScoreSource::ScannerScore)),
        ("1", "", Severity::Low, Some(ScoreSource::ScannerScore)),
        ("0", "", Severity::Info, Some(ScoreSource::ScannerScore)),
        ("-1.0", "", Severity::Info, Some(ScoreSource::ScannerScore)),
        ("null", "", Severity::Unassigned, None),
        ("null", r#", "scanSeverity": "high""#, Severity::Unassigned, None),
        (
            "5.0",
            r#", "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H""#,
            Severity::Medium,
            Some(ScoreSource::CvssV3),
        ),
        (
            "null",
            r#", "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H""#,
            Severity::Critical,
            Some(ScoreSource::CvssV3),
        ),
        ("5.0", r#", "cvss": "9.8""#, Severity::Medium, Some(ScoreSource::ScannerScore)),
    ] {
        let entry = issue("").replace("5.5", severity).replace('}', &format!("{rest}}}"));
        let (found, _) = findings(&SCANNER, report(META, &entry).as_bytes()).unwrap();
        assert_eq!(
            (found[0].severity(), found[0].score.map(|scored| scored.source)),
            (level, source),
            "{severity} {rest}"
        );
    }
    assert_eq!(one(r#""scanSeverity": "BLOCKER""#).severity_word.as_deref(), Some("BLOCKER"));
}

#[test]
fn the_issues_type_and_its_fields_decide_what_it_is() {
    for (fields, kind) in [
        (r#""issueType": "SAST""#, Kind::Code),
        (r#""issueType": "SCA""#, Kind::Dependency),
        (r#""issueType": "dast""#, Kind::Web),
        (r#""issueType": "SECRET""#, Kind::Secret),
        (r#""issueType": "IAC""#, Kind::Infrastructure),
        (r#""issueType": "MISCONFIG""#, Kind::Infrastructure),
        (r#""issueType": "licence""#, Kind::License),
        (r#""issueType": "CODE_SMELLS""#, Kind::Code),
        (r#""issueType": "vulnerability", "libraryName": "l""#, Kind::Dependency),
        (r#""issueType": "vulnerability", "url": "u""#, Kind::Web),
        (r#""issueType": "vulnerability", "ip": "10.0.0.1""#, Kind::Host),
        (r#""fileName": "f", "url": "u""#, Kind::Code),
        ("", Kind::Code),
    ] {
        assert_eq!(one(fields).kind, kind, "{fields}");
    }
}

#[test]
fn identifiers_have_their_prefix_or_not() {
    let finding =
        one(r#""referenceIdentifiers": [{"type": "cve", "id": "2020-14343"}, {"type": "cve", "id": "CVE-2021-44228"},
        {"type": "cwe", "id": "CWE-79"}, {"type": "cwe", "id": 89}, {"type": "CWE", "id": "79"},
        {"type": "ghsa", "id": "GHSA-jfh8-c2jp-5v3q"}, {"type": "owasp", "id": "A1"}, 5]"#);
    assert_eq!(finding.advisories, ["CVE-2020-14343", "CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q"]);
    assert_eq!(finding.cwes, [79, 89]);
    assert_eq!(finding.raw["referenceIdentifiers"], r#"[{"id":"A1","type":"owasp"},5]"#);
}

#[test]
fn other_fields_are_stored_and_so_is_an_issues_own_tool() {
    let finding = one(
        r#""host": "shop.example", "port": 8443, "url": "https://shop.example/a", "link": "https://wiki.example/md5",
        "confidence": 0.9, "impactScore": "3.6", "team": {"name": "notes"}, "port2": null, "lineNumber": "5""#,
    );
    let endpoint = finding.endpoint.as_ref().unwrap();
    assert_eq!((endpoint.host.as_deref(), endpoint.port), (Some("shop.example"), Some(8443)));
    assert_eq!(
        (finding.confidence.as_deref(), &finding.references[..]),
        (Some("0.9"), &["https://wiki.example/md5".to_owned()][..])
    );
    let raw: Vec<_> = finding.raw.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(raw, [("impactScore", "3.6"), ("lineNumber", "5"), ("team", r#"{"name":"notes"}"#)]);
    assert_eq!(finding.tool, None);
    let text = report(META, &issue("").replace("My Scanner", "Other one"));
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert_eq!((parsed.tool.as_str(), found[0].tool.as_deref()), ("custom-my-scanner", Some("custom-other-one")));
}
