//! One test for each part of SARIF that is easily misread; each reads its own fixture.

use crate::tests::{Read, findings_as};
use crate::{Expected, ParseError, find};
use finding::severity::Severity;
use finding::{Finding, Kind};

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sarif").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(name: &str) -> Read {
    findings_as(Expected::Any, &fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn each<T>(name: &str, of: impl Fn(&Finding) -> T) -> Vec<T> {
    read(name).findings.iter().map(of).collect()
}

#[test]
fn a_typical_result_has_all_that_its_rule_and_place_say() {
    insta::assert_json_snapshot!(read("00-typical.sarif").findings, @r#"
    [
      {
        "result": 0,
        "kind": "code",
        "rule": "N1",
        "title": "No eval",
        "message": "eval on user input",
        "score": {
          "score": 800,
          "source": "scanner_word"
        },
        "severity_word": "error",
        "scanner_severity": "high",
        "cwes": [
          95
        ],
        "description": "eval runs what it is given.",
        "references": [
          "https://notes.example/n1"
        ],
        "location": {
          "path": "src/notes.py",
          "line": 3,
          "column": 5
        },
        "code": {
          "first_line": 3,
          "lines": [
            "eval(x)"
          ]
        },
        "fingerprints": {
          "primaryLocationLineHash": "aa:1"
        },
        "raw": {
          "precision": "high"
        }
      }
    ]
    "#);
}

#[test]
fn the_deprecated_ids_of_a_renamed_rule_are_its_former_names() {
    let report = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Notes", "rules": [
        {"id": "N2", "deprecatedIds": ["N1", "N2", "OLD", "N1"]}, {"id": "N3"}]}}, "results": [
        {"ruleId": "N2", "message": {"text": "m"}}, {"ruleId": "N3", "message": {"text": "m"}}]}]}"#;
    let found = findings_as(Expected::Any, report).unwrap_or_else(|error| panic!("{error}")).findings;
    assert_eq!(found[0].former_rules, ["N1", "OLD"]);
    assert!(found[0].raw.is_empty() && found[1].former_rules.is_empty());
}

#[test]
fn a_level_is_the_results_or_the_overrides_or_the_rules_or_a_warning() {
    use Severity::{High, Info, Medium};
    assert_eq!(each("levels.sarif", Finding::severity), [Info, High, Medium, High, Info, Medium]);
}

#[test]
fn a_security_severity_counts_as_text_and_as_number_and_only_within_its_range() {
    let scores = each("security-severity.sarif", |finding| finding.score.map(|scored| scored.score.hundredths()));
    assert_eq!(scores, [910, 750, 800, 550, 200].map(Some));
}

#[test]
fn rules_artifacts_and_code_are_found_where_codeql_puts_them() {
    let read = read("rules-in-extensions.sarif");
    assert_eq!((read.parsed.tool.as_str(), read.parsed.scanner_version.as_deref()), ("codeql", Some("2.20.1")));
    assert_eq!(read.parsed.categories.into_iter().collect::<Vec<_>>(), ["python"]);
    for finding in &read.findings {
        assert_eq!(
            (finding.rule.as_str(), finding.title.as_str()),
            ("py/sql-injection", "SQL query built from user input")
        );
        assert_eq!((finding.severity(), finding.cwes.as_slice()), (Severity::High, &[89][..]));
        assert_eq!(finding.location.as_ref().unwrap().path, "app/db.py");
    }
    let code = read.findings[0].code.as_ref().unwrap();
    assert_eq!(
        (code.first_line, code.lines.as_slice()),
        (11, ["def find(q):", "    db.run(q)", "    return"].map(str::to_owned).as_slice())
    );
    assert_eq!(read.findings[0].raw["related_locations"], "app/views.py:40");
}

#[test]
fn where_index_and_id_disagree_the_id_is_right() {
    let rules = each("rule-index-disagrees.sarif", |finding| (finding.rule.clone(), finding.severity()));
    let expected = [
        ("B", Severity::High),
        ("CA5350", Severity::High),
        ("CA5350", Severity::High),
        ("A", Severity::Info),
        ("B", Severity::High),
        ("unnamed", Severity::Medium),
    ];
    assert_eq!(rules, expected.map(|(rule, level)| (rule.to_owned(), level)));
}

#[test]
fn places_are_paths_from_the_root_of_what_was_scanned() {
    let paths = each("places.sarif", |finding| finding.location.as_ref().map(|location| location.path.clone()));
    let (last, first) = (&paths[6..], &paths[..6]);
    assert_eq!(first[..4], ["src/a.py", "src/b c.py", "src/d.py", "path/e.tf"].map(|path| Some(path.to_owned())));
    assert!(first[4].as_ref().unwrap().ends_with("x/f.py"));
    assert_eq!(first[5].as_deref(), Some("docker.io/library/alpine:3.20"));
    assert_eq!(last, [None, Some("g.py".to_owned()), None, Some("j.bin".to_owned())]);
    let findings = read("places.sarif").findings;
    let others: Vec<_> = findings[7].other_locations.iter().map(|place| (place.path.as_str(), place.line)).collect();
    assert_eq!(others, [("h.py", Some(2)), ("i.py", Some(3))]);
    assert_eq!(findings[8].resource.as_deref(), Some("Shop.Orders.add"));
    assert_eq!(findings[9].location.as_ref().unwrap().line, None);
}

#[test]
fn only_failures_and_what_must_be_looked_at_are_findings() {
    let read = read("kinds.sarif");
    let summary = &read.parsed.summary;
    assert_eq!((summary.findings, summary.passed, summary.not_applicable, summary.closed), (4, 1, 2, 1));
    let levels: Vec<_> = read.findings.iter().map(Finding::severity).collect();
    assert_eq!(levels, [Severity::Medium, Severity::Info, Severity::Info, Severity::Medium]);
}

#[test]
fn a_result_is_suppressed_only_if_every_suppression_is_accepted() {
    let read = read("suppressions.sarif");
    let marks: Vec<_> = read.findings.iter().map(|finding| finding.suppressed.as_deref()).collect();
    assert_eq!(marks, [None, None, None, Some("inSource"), Some("external: internal tool"), None, None]);
    assert_eq!((read.parsed.summary.findings, read.parsed.summary.suppressed), (5, 2));
}

#[test]
fn weaknesses_come_from_tags_relations_fields_and_taxa_and_never_from_free_text() {
    let cwes = each("weaknesses.sarif", |finding| finding.cwes.clone());
    assert_eq!(cwes, [vec![79, 80], vec![120, 20], vec![22], vec![326], vec![78], vec![]]);
}

#[test]
fn messages_are_found_by_their_ids_with_their_arguments() {
    let messages = each("messages.sarif", |finding| finding.message.clone());
    let expected = [
        "Variable 'count' of {type} int is unused{2}.",
        "Shared by all",
        "**only** markdown",
        "Only the rule says it.",
        "no arguments {0}",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn every_run_is_read_and_keeps_its_tool() {
    let read = read("runs.sarif");
    assert_eq!(read.parsed.tool, "sarif");
    assert_eq!(read.parsed.categories.iter().map(String::as_str).collect::<Vec<_>>(), ["backend", "frontend"]);
    assert_eq!(
        read.parsed.parts.iter().map(String::as_str).collect::<Vec<_>>(),
        ["bandit", "bandit #2", "notes-lint/backend", "notes-lint/frontend"]
    );
    let tools: Vec<_> = read.findings.iter().map(|finding| finding.tool.as_deref()).collect();
    assert_eq!(tools, [Some("notes-lint"), Some("notes-lint"), Some("bandit")]);
    assert_eq!(read.findings[2].severity(), Severity::Critical, "Bandit's own word counts");
}

#[test]
fn a_failed_invocation_and_errors_make_the_scan_incomplete() {
    let summary = read("incomplete.sarif").parsed.summary;
    let errors = ["the tool reports that its run was not successful", "src/x.py could not be parsed", "CFG1"];
    assert_eq!(summary.scanner_errors, errors);
    assert!(!summary.is_complete());
}

#[test]
fn a_notification_of_an_error_has_the_reach_of_what_it_names() {
    let summary = |successful: bool, notifications: &str, more: &str| {
        let report = format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "Notes", "rules": [{{"id": "N1"}}]}}}},
            "invocations": [{{"executionSuccessful": {successful}, "toolConfigurationNotifications": [{notifications}]}}],
            "results": [], "originalUriBaseIds": {{"SRC": {{"uri": "src/"}}}}}}{more}]}}"#
        );
        let summary = findings_as(Expected::Any, report.as_bytes()).unwrap().parsed.summary;
        let spots: Vec<_> = summary.blind_spots.iter().map(|spot| spot.reach.to_string()).collect();
        (spots.join(", "), summary.scanner_errors_total)
    };
    let alone = |successful, notifications| summary(successful, notifications, "");
    let at = |uri: &str| {
        format!(r#"{{"physicalLocation": {{"artifactLocation": {{"uri": "{uri}", "uriBaseId": "SRC"}}}}}}"#)
    };
    let error = |rest: &str| format!(r#"{{"level": "error", "message": {{"text": "m"}}{rest}}}"#);
    let file = error(&format!(r#", "locations": [{}], "associatedRule": {{"id": "N1"}}"#, at("a.py")));
    let files = error(&format!(r#", "locations": [{}, {}]"#, at("a.py"), at("b.py")));
    let unclear = error(&format!(r#", "locations": [{}, {{}}]"#, at("a.py")));
    let unreadable = error(r#", "locations": [7], "associatedRule": {"id": "N1"}"#);
    let (rule, unknown) = (error(r#", "associatedRule": {"index": 0}"#), error(r#", "associatedRule": {"id": "N9"}"#));
    let descriptor = error(r#", "descriptor": {"id": "N1"}"#);
    for (notification, expected, errors) in [
        (file.as_str(), "file `src/a.py`", 0),
        (&files, "file `src/a.py`, file `src/b.py`", 0),
        (&rule, "rule `N1`", 0),
        (&unknown, "rule `N9`", 0),
        (&unclear, "", 1),
        (&unreadable, "", 1),
        (&descriptor, "", 1),
    ] {
        assert_eq!(alone(true, notification), (expected.to_owned(), errors), "{notification}");
        // The run failed for the reason that the notification names, if that has a reach.
        let failed = if errors == 0 { 0 } else { 2 };
        assert_eq!(alone(false, notification), (expected.to_owned(), failed), "{notification}");
    }
    assert_eq!(alone(false, ""), (String::new(), 1));
    let other = r#", {"tool": {"driver": {"name": "Other"}}, "results": []}"#;
    assert_eq!(summary(false, "", other), ("tool `notes`".to_owned(), 0));
    assert_eq!(summary(true, &descriptor, other), ("tool `notes`".to_owned(), 0));
}

#[test]
fn inline_external_properties_are_read_and_other_files_are_missed_and_never_fetched() {
    let inline = read("external-properties.sarif");
    assert_eq!(inline.findings.len(), 1);
    assert_eq!(inline.findings[0].severity(), Severity::High);
    assert!(inline.parsed.summary.is_complete());
    let elsewhere = read("external-file.sarif");
    assert_eq!(elsewhere.findings.len(), 1);
    assert!(elsewhere.parsed.summary.scanner_errors[0].contains("another file"));
}

#[test]
fn secrets_in_snippets_are_masked() {
    let read = read("secrets.sarif");
    assert_eq!((read.findings[0].kind, read.parsed.holds_secrets), (Kind::Secret, true));
    let stored = serde_json::to_string(&read.findings).unwrap();
    assert!(!stored.contains("zq8Jk2mPw7XbT4vLc9RnY3hD") && stored.contains("zq8J****"), "{stored}");
}

#[test]
fn packages_are_read_from_what_tools_write() {
    let finding = &read("dependencies.sarif").findings[0];
    assert_eq!((finding.kind, finding.advisories.as_slice()), (Kind::Dependency, &["CVE-2021-3711".to_owned()][..]));
    let package = finding.package.as_ref().unwrap();
    assert_eq!((package.name.as_str(), package.version.as_deref()), ("openssl", Some("1.1.1k-r0")));
    assert_eq!(package.fixed_versions, ["1.1.1l-r0"]);
    assert_eq!(finding.location.as_ref().unwrap().path, "library/notes");
}

#[test]
fn sarif_is_taken_for_the_tool_that_wrote_it_and_refused_for_another() {
    let report = fixture("dependencies.sarif");
    let trivy_or_sarif = ["sarif"].into_iter().chain(find("trivy").map(|_| "trivy"));
    for name in trivy_or_sarif {
        assert_eq!(findings_as(Expected::Tool(find(name).unwrap()), &report).unwrap().parsed.tool, "trivy");
    }
    let refused = findings_as(Expected::Tool(find("bandit").unwrap()), &report).unwrap_err().to_string();
    assert_eq!(refused, "this is not a report of Bandit: it looks like a report of SARIF (`trivy`)");
}

#[test]
fn other_versions_and_other_json_are_refused() {
    let cases = [
        (r#"{"version": "2.0.0", "runs": []}"#, "`version` is `2.0.0`"),
        (r#"{"$schema": "x", "runs": [{"tool": {"driver": {"name": "x"}}}]}"#, "`version` is missing"),
        (r#"{"version": "2.1.0", "runs": []}"#, "`runs` with a `tool` and its `driver` is missing"),
        (r#"{"version": "2.1.0", "runs": null}"#, "`runs` with a `tool` and its `driver` is missing"),
        (r#"{"version": "2.1.0", "runs": [{"results": []}]}"#, "`runs` with a `tool` and its `driver` is missing"),
    ];
    for (report, expected) in cases {
        match findings_as(Expected::Tool(find("sarif").unwrap()), report.as_bytes()) {
            Err(ParseError::WrongTool { reason, .. }) => assert!(reason.contains(expected), "{report}: {reason}"),
            other => panic!("{report}: {other:?}"),
        }
    }
}

#[test]
fn one_bad_result_does_not_hide_the_others() {
    let report = r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x", "rules": [7, {"id": "A"}]}},
        "results": [5, {"ruleId": "A", "ruleIndex": 1, "message": {"text": "m"}}, {"level": "error"}]}]}"#;
    let read = findings_as(Expected::Any, report.as_bytes()).unwrap();
    assert_eq!((read.parsed.summary.findings, read.parsed.summary.rejected), (1, 2));
    assert_eq!(read.findings[0].result, 1);
}

#[test]
fn a_location_that_is_not_an_object_is_reported_and_null_is_absent() {
    let report = |location: &str| {
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "Notes", "rules": []}}}}, "results": [],
                "artifacts": [{{"location": {location}}}], "originalUriBaseIds": {{"SRC": {location}}}}}]}}"#
        )
    };
    let errors = |location: &str| {
        let read = findings_as(Expected::Any, report(location).as_bytes()).unwrap();
        read.parsed.summary.scanner_errors
    };
    assert_eq!(errors(r#"{"uri": "src/"}"#), Vec::<String>::new());
    assert_eq!(errors("null"), Vec::<String>::new());
    let list = errors("[]");
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(list.iter().all(|error| error.contains("expected an object, found a list")), "{list:?}");
}
