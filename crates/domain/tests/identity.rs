//! Issue ids for every kind of finding: fields that a new version of a scanner may change do not change them.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use domain::grouping::{Grouper, Issue, IssueKey};
use finding::Finding;
use serde_json::{Value, json};

const KINDS: [&str; 7] = ["code", "dependency", "license", "secret", "web", "host", "infrastructure"];

/// A finding of this kind with everything that is part of some kind's identity.
fn stored(kind: &str) -> Value {
    json!({
        "result": 0, "kind": kind, "rule": "R1", "title": "a title", "message": "a message",
        "score": {"score": 200, "source": "scanner_score"}, "severity_word": "LOW", "scanner_severity": "low",
        "cwes": [79], "advisories": ["CVE-2024-1"], "references": ["https://a.example/"],
        "package": {"name": "lib", "version": "1.0"}, "location": {"path": "a.py", "line": 3},
        "endpoint": {"url": "https://shop.example/"}, "resource": "bucket", "secret": {"digest": "d1", "masked": "ab…"}
    })
}

fn with(kind: &str, changes: &[(&str, Value)]) -> Finding {
    let mut stored = stored(kind);
    for (field, value) in changes {
        stored[*field] = value.clone();
    }
    serde_json::from_value(stored).unwrap()
}

fn id(finding: &Finding) -> domain::ids::IssueId {
    IssueKey::of("tool", finding).id()
}

/// Fields that a new version of a scanner or of its database may change for the same problem.
fn rescored() -> Vec<(&'static str, Value)> {
    vec![
        ("score", json!({"score": 990, "source": "scanner_score"})),
        ("severity_word", json!("CRITICAL")),
        ("scanner_severity", json!("critical")),
        ("confidence", json!("HIGH")),
        ("cvss", json!([{"version": "3.1", "score": 990}])),
        ("title", json!("another title")),
        ("message", json!("another message")),
        ("description", json!("a description")),
        ("remediation", json!("an advice")),
        ("cwes", json!([89, 20])),
        ("references", json!(["https://b.example/"])),
        ("epss", json!({"probability": 0.9})),
        ("known_exploited", json!(true)),
        ("tool_id", json!("x-1")),
        ("fingerprints", json!({"matchBasedId/v1": "f"})),
        ("raw", json!({"more": "x"})),
        ("result", json!(7)),
    ]
}

#[test]
fn rescoring_changes_no_issue_id() {
    for kind in KINDS {
        let before = id(&with(kind, &[]));
        for change in rescored() {
            let field = change.0;
            assert_eq!(id(&with(kind, &[change])), before, "{kind}: {field}");
        }
        assert_eq!(id(&with(kind, &rescored())), before, "{kind}: all of them");
        assert_ne!(id(&with(kind, &[("rule", json!("R2")), ("advisories", json!(["CVE-2024-2"]))])), before, "{kind}");
    }
}

#[test]
fn a_rescored_finding_is_an_occurrence_of_the_same_issue() {
    for kind in KINDS {
        let mut grouper = Grouper::new("tool".parse().unwrap(), 2);
        grouper.push(with(kind, &[]));
        grouper.push(with(kind, &rescored()));
        let issues: Vec<Issue> = grouper.finish().0.collect();
        let found: Vec<_> = issues.iter().map(|issue| (issue.id, issue.occurrences)).collect();
        assert_eq!(found, [(id(&with(kind, &[])), 2)], "{kind}");
    }
}
