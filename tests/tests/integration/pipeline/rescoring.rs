//! A new version of a scanner or of its database describes and rates the same problems differently: nothing is new or
//! remediated because of that.

use crate::pipeline::FEATURE;
use crate::pipeline::formats::fixtures;
use crate::pipeline::wiring::{System, upload, upload_of};
use api::v1::ScanAnswer;
use domain::ids::{IssueId, OccurrenceId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Replaces the values of these fields at any depth.
fn reworded(report: &[u8], fields: &[(&str, Value)]) -> Vec<u8> {
    fn walk(value: &mut Value, fields: &[(&str, Value)], changed: &mut usize) {
        match value {
            Value::Object(object) => {
                for (name, inner) in object.iter_mut() {
                    match fields.iter().find(|(field, _)| field == name) {
                        Some((_, new)) => {
                            *changed += 1;
                            inner.clone_from(new);
                        }
                        None => walk(inner, fields, changed),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, fields, changed)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut report: Value = serde_json::from_slice(report).unwrap();
    let mut changed = 0;
    walk(&mut report, fields, &mut changed);
    assert!(changed >= fields.len(), "only {changed} fields were changed");
    report.to_string().into_bytes()
}

fn identities(system: &System, scan: &ScanAnswer) -> (BTreeSet<IssueId>, BTreeSet<OccurrenceId>) {
    let issues = system.all_issues(scan.scan.id);
    let occurrences = issues.iter().flat_map(|issue| system.occurrences(scan.scan.id, issue));
    let occurrences = occurrences.map(|occurrence| occurrence.id).collect();
    (issues.iter().map(|issue| issue.id).collect(), occurrences)
}

#[test]
fn code_that_is_rescored_and_reworded_keeps_its_issues_and_occurrences() {
    let fields = [
        ("issue_severity", json!("LOW")),
        ("issue_confidence", json!("LOW")),
        ("issue_text", json!("Said in other words.")),
        ("test_name", json!("renamed_rule")),
        ("more_info", json!("https://elsewhere.example/")),
        ("issue_cwe", json!({"id": 1, "link": "https://cwe.mitre.org/data/definitions/1.html"})),
    ];
    let system = System::new();
    let first = system.upload(upload("main", FEATURE)).unwrap();
    let second = system.upload(upload("main", &reworded(FEATURE, &fields))).unwrap();
    assert_ne!(first.variables, second.variables, "the severities differ");
    assert_eq!((second.issues.new, second.issues.remediated, second.issues.common), (0, 0, first.issues.new));
    let occurrences = (second.occurrences.new, second.occurrences.remediated, second.occurrences.common);
    assert_eq!(occurrences, (0, 0, first.occurrences.new));
    assert_eq!(identities(&system, &second), identities(&system, &first));
}

#[test]
fn vulnerabilities_that_are_rescored_and_reworded_keep_their_issues() {
    let report = std::fs::read(fixtures().join("trivy/image.json")).unwrap();
    let fields = [
        ("Severity", json!("LOW")),
        ("Title", json!("Another title")),
        ("Description", json!("Described in other words.")),
        ("PrimaryURL", json!("https://elsewhere.example/")),
        ("References", json!(["https://elsewhere.example/"])),
        ("CVSS", json!({})),
    ];
    let system = System::new();
    let first = system.upload(upload_of("trivy", "notes", "main", &report)).unwrap();
    let second = system.upload(upload_of("trivy", "notes", "main", &reworded(&report, &fields))).unwrap();
    assert_ne!(first.variables, second.variables, "the severities differ");
    assert_eq!((second.issues.new, second.issues.remediated, second.issues.common), (0, 0, first.issues.new));
    assert_eq!(identities(&system, &second).0, identities(&system, &first).0);
}
