//! Small reports with faults of the kinds that public reports of real tools have, in the folder `field`.

use super::tests::{Read, findings_as};
use super::*;
use finding::severity::{ScoreSource, Severity};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn reports_with_the_faults_of_real_tools_are_read_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("field");
    let table: Value = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    for row in table["single"].as_array().unwrap() {
        let file = row["file"].as_str().unwrap();
        let report = std::fs::read(folder.join(file)).unwrap();
        for name in row["scanner"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let expected = find(name).map_or(Expected::Any, Expected::Tool);
            let read = findings_as(expected, &report).unwrap_or_else(|error| panic!("{file} as {name}: {error}"));
            for (field, value) in row["must"].as_object().unwrap() {
                check(&read, field, value, &format!("{file} as {name}: {field}"));
            }
        }
    }
}

/// A newer ZAP corrects the numbers of sub-alerts: all of them have the plugin's id as a former name.
#[test]
fn the_sub_alerts_of_a_plugin_share_its_id() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("field");
    let read = |file: &str| findings_as(Expected::Any, &std::fs::read(folder.join(file)).unwrap()).unwrap().findings;
    let (main, branch) = (read("zap_fixed-ref_main.json"), read("zap_fixed-ref_branch.json"));
    assert_eq!((main.len(), branch.len()), (15, 15));
    let rules: BTreeSet<_> = branch.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["90004-1", "90004-2", "90004-3"].into());
    assert!(main.iter().chain(&branch).all(|finding| finding.former_rules == ["90004"]));
}

fn check(read: &Read, field: &str, value: &Value, place: &str) {
    let summary = &read.parsed.summary;
    let active = || read.findings.iter().filter(|finding| finding.suppressed.is_none());
    // Issues: results of one rule count once.
    let rated = |severity: Severity| active().filter(move |finding| finding.severity() == severity);
    let count = |severity| rated(severity).map(|finding| &finding.rule).collect::<BTreeSet<_>>().len();
    let number = || usize::try_from(value.as_u64().unwrap()).unwrap();
    let ids = || value.as_array().unwrap().iter().map(|id| id.as_str().unwrap());
    match field {
        "findings" => assert_eq!(summary.findings, value.as_u64().unwrap(), "{place}"),
        "rejected" => assert_eq!(summary.rejected, value.as_u64().unwrap(), "{place}"),
        "complete" => assert_eq!(summary.is_complete(), value.as_bool().unwrap(), "{place}"),
        "recognised" => assert_eq!(Some(read.parsed.format), value.as_str(), "{place}"),
        // With the threshold critical; an incomplete scan without a critical finding is undecided.
        "verdict" if value == "fail" => assert!(count(Severity::Critical) > 0, "{place}"),
        "verdict" => assert!(count(Severity::Critical) == 0 && !summary.is_complete(), "{place}"),
        // Which of FIRST's scores the vector has, and that it is not the base score.
        "source_named" => assert!(
            active().all(|finding| finding.score.is_some_and(|scored| scored.source == ScoreSource::CvssV4Bt)),
            "{place}"
        ),
        "active" => assert!(ids().all(|id| active().any(|finding| finding.rule == id)), "{place}"),
        "suppressed_or_closed" => assert!(!ids().any(|id| active().any(|finding| finding.rule == id)), "{place}"),
        severity => {
            let severity: Severity = severity.to_ascii_lowercase().parse().unwrap();
            assert_eq!(count(severity), number(), "{place}");
        }
    }
}
