//! Uploads with code from the working tree beside the report.

use crate::pipeline::wiring::{System, Upload, upload_of};
use api::problem::Code;
use api::v1::{OccurrenceItem, ScanAnswer};
use domain::ids::ScanId;
use domain::source::Revision;
use serde_json::json;

/// A SARIF report without any code: results of one rule in these lines of one file.
fn report(tags: &[&str], lines: &[u32]) -> String {
    let result = |line: &u32| {
        json!({"ruleId": "N1", "message": {"text": "eval on user input"}, "locations": [{"physicalLocation":
            {"artifactLocation": {"uri": "src/notes.py"}, "region": {"startLine": line}}}]})
    };
    json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Notes", "rules": [
        {"id": "N1", "deprecatedIds": ["OLD1"], "properties": {"tags": tags}}]}},
        "results": lines.iter().map(result).collect::<Vec<_>>()}]})
    .to_string()
}

const HEAD: &str =
    r#"{"v":1,"git":{"commit":"0123abcd","branch":"main","remote":"https://me:hunter2@host.example/notes.git"}}"#;

fn row(result: usize, line: u32, code: [&str; 3]) -> String {
    json!({"result": result, "path": "src/notes.py", "line": line, "sha256": "5".repeat(64), "first_line": line - 1,
        "lines": code})
    .to_string()
}

fn sidecar(rows: &[String]) -> String {
    std::iter::once(HEAD).chain(rows.iter().map(String::as_str)).map(|line| format!("{line}\n")).collect()
}

fn notes(variant: &str, report: &str) -> Upload {
    upload_of("sarif", "notes", variant, report.as_bytes())
}

fn occurrences(system: &System, scan: ScanId) -> Vec<OccurrenceItem> {
    let issues = system.all_issues(scan);
    issues.iter().flat_map(|issue| system.occurrences(scan, issue)).collect()
}

fn keys(system: &System, part: &str) -> usize {
    system.kv.contents().keys().filter(|key| key.contains(part)).count()
}

const ONE: [&str; 3] = ["def a(x):", "    eval(x)", "    return 1"];
const TWO: [&str; 3] = ["def b(y):", "    eval(y)", "    return 2"];

#[test]
fn code_from_the_working_tree_becomes_the_findings_code_and_the_revision_is_shown() {
    let system = System::new();
    let sent = sidecar(&[row(0, 10, ONE), row(1, 20, TWO)]);
    let answer = system.upload(notes("main", &report(&[], &[10, 20, 30])).source(&sent)).unwrap();
    let used = answer.report.source.unwrap();
    assert_eq!((used.enriched, used.mismatched, answer.report.without_code), (2, 0, 1));
    let source = answer.scan.source.unwrap();
    assert_eq!((source.commit.as_deref(), source.branch.as_deref()), (Some("0123abcd"), Some("main")));
    assert_eq!(source.remote.as_deref(), Some("https://host.example/notes.git"));
    let mut found = occurrences(&system, answer.scan.id);
    found.sort_by_key(|occurrence| occurrence.result);
    let code: Vec<_> = found.iter().map(|occurrence| occurrence.code.as_ref().map(|code| code.lines.clone())).collect();
    assert_eq!(code, [Some(ONE.map(str::to_owned).to_vec()), Some(TWO.map(str::to_owned).to_vec()), None]);
    assert_eq!(
        (found[0].file_sha256.as_deref(), found[2].file_sha256.as_deref()),
        (Some("5".repeat(64).as_str()), None)
    );
    assert_eq!(found[0].former_rules, ["OLD1"]);
    let stored =
        system.kv.contents().values().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<String>();
    assert!(!stored.contains("hunter2"), "no password of a remote is stored");
}

#[test]
fn a_moved_finding_matches_by_its_code_and_one_on_its_old_line_is_new() {
    let system = System::new();
    let first = sidecar(&[row(0, 10, ONE), row(1, 20, TWO)]);
    system.upload(notes("main", &report(&[], &[10, 20])).source(&first)).unwrap();
    // The first is removed, and the second is now where the first was.
    let moved = sidecar(&[row(0, 10, TWO), row(1, 50, ["def c(z):", "    exec(z, {})", "    return 3"])]);
    let moved = moved.replace(&"5".repeat(64), &"6".repeat(64));
    let answer = system.upload(notes("main", &report(&[], &[10, 50])).source(&moved)).unwrap();
    assert!(answer.occurrences.common >= 1);
    let found = occurrences(&system, answer.scan.id);
    let second = found.iter().find(|occurrence| occurrence.line == Some(10)).unwrap();
    assert_eq!(second.matched.as_ref().unwrap().line, Some(20));
}

#[test]
fn without_a_sidecar_the_answer_counts_the_findings_without_code() {
    let system = System::new();
    let answer = system.upload(notes("main", &report(&[], &[10, 20]))).unwrap();
    assert_eq!((answer.report.without_code, answer.report.source, answer.scan.source), (2, None, None));
    let again = system.upload(notes("main", &report(&[], &[10, 20]))).unwrap();
    assert_eq!((again.occurrences.new, again.occurrences.common), (0, 2));
}

#[test]
fn rows_that_match_no_finding_are_counted_and_have_no_effect() {
    let system = System::new();
    let elsewhere = row(0, 10, ONE).replace("src/notes.py", "src/other.py");
    let sent = sidecar(&[elsewhere, row(1, 21, TWO), row(7, 10, ONE)]);
    let answer = system.upload(notes("main", &report(&[], &[10, 20])).source(&sent)).unwrap();
    let used = answer.report.source.unwrap();
    assert_eq!((used.enriched, used.mismatched, answer.report.without_code), (0, 3, 2));
    assert!(occurrences(&system, answer.scan.id).iter().all(|one| one.code.is_none() && one.file_sha256.is_none()));
}

#[test]
fn a_bad_sidecar_is_refused_without_a_trace() {
    let (good, rows) = (report(&[], &[10, 20]), [row(0, 10, ONE), row(1, 20, TWO)]);
    let whole = sidecar(&rows);
    let large = format!("{HEAD}\n{}\n", " ".repeat(2 << 20));
    for (sent, expected) in [
        ("", Code::SourceMalformed),
        ("{\"v\": 2}\n", Code::SourceMalformed),
        (&whole[..whole.len() - 20], Code::SourceMalformed),
        (&sidecar(&[row(1, 20, TWO), row(0, 10, ONE)]), Code::SourceMalformed),
        (&format!("{whole}\n{whole}"), Code::SourceMalformed),
        (&large, Code::SourceTooLarge),
    ] {
        let system = System::new();
        let before = system.kv.contents();
        assert_eq!(system.upload(notes("main", &good).source(sent)).unwrap_err().code, expected, "{sent:.60}");
        assert_eq!(system.kv.contents(), before, "{sent:.60}");
        assert_eq!(system.upload(notes("main", "{}").source(&whole)).unwrap_err().code, Code::WrongTool);
        assert_eq!(system.kv.contents(), before, "the sidecar of a bad report is not stored");
    }
}

#[test]
fn another_sidecar_under_the_same_key_is_refused() {
    let system = System::new();
    let good = report(&[], &[10]);
    let sent = sidecar(&[row(0, 10, ONE)]);
    let first = system.upload(notes("main", &good).source(&sent).key("k")).unwrap();
    assert_eq!(system.upload(notes("main", &good).source(&sent).key("k")), Ok(first));
    let other = sidecar(&[row(0, 10, TWO)]);
    for retry in [notes("main", &good).source(&other).key("k"), notes("main", &good).key("k")] {
        let problem = system.upload(retry).unwrap_err();
        assert_eq!(problem.code, Code::IdempotencyMismatch);
        assert!(problem.detail.contains("another sidecar"), "{}", problem.detail);
    }
    assert_eq!(system.scans("main"), 1);
}

#[test]
fn an_upload_with_a_sidecar_that_crashes_at_any_write_is_finished_by_a_retry() {
    let sent = sidecar(&[row(0, 10, ONE), row(1, 20, TWO)]);
    let keyed = || notes("main", &report(&[], &[10, 20])).source(&sent).key("build-7");
    let undisturbed: ScanAnswer = System::new().upload(keyed()).unwrap();
    for writes in 0.. {
        let system = System::new();
        system.kv.fail_after_writes(Some(writes));
        let first = system.upload(keyed());
        system.kv.fail_after_writes(None);
        assert_eq!(system.upload(keyed()).unwrap(), undisturbed, "dead after {writes} writes");
        if first.is_ok() {
            assert!(writes > 8, "an upload makes more writes than that: {writes}");
            break;
        }
    }
}

#[test]
fn the_sidecar_is_stored_with_the_raw_report_and_removed_with_it() {
    let system = System::new();
    let sent = sidecar(&[row(0, 10, ONE)]);
    system.upload(notes("main", &report(&[], &[10])).source(&sent)).unwrap();
    assert_eq!((keys(&system, ":raw:"), keys(&system, ":source:")), (1, 1));
    let stored = system.kv.contents();
    let clear = |value: &Vec<u8>| String::from_utf8_lossy(value).contains("return 1");
    assert!(stored.iter().all(|(key, value)| !key.contains(":source:") || !clear(value)), "it is not stored in clear");

    let system = System::new();
    let answer = system.upload(notes("main", &report(&["secret"], &[10])).source(&sent)).unwrap();
    assert_eq!(
        (keys(&system, ":raw:"), keys(&system, ":source:")),
        (0, 0),
        "a report of secrets is removed with its sidecar"
    );
    assert_eq!((answer.report.source.unwrap().enriched, answer.report.without_code), (0, 1));
    assert!(!system.kv.contents().values().any(clear), "no line of code of a secret is stored");
}

#[test]
fn a_large_sidecar_is_read_back_from_its_segments_with_the_same_result() {
    let lines: Vec<u32> = (0..2000).map(|n| n * 20 + 10).collect();
    let long = "x = 1; ".repeat(500);
    let rows: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| row(at, *line, [&long, &format!("eval({at}); {long}"), &long]))
        .collect();
    let sent = sidecar(&rows);
    assert!(sent.len() > 16 << 20, "{} bytes must not fit into memory's share", sent.len());
    let system = System::new();
    let answer = system.upload(notes("main", &report(&[], &lines)).source(&sent)).unwrap();
    let used = answer.report.source.unwrap();
    assert_eq!((used.enriched, used.mismatched, answer.report.without_code), (2000, 0, 0));
}

#[test]
fn an_empty_revision_counts_as_absent() {
    let system = System::new();
    let answer = system.upload(notes("main", &report(&[], &[10])).source("{\"v\":1}\n")).unwrap();
    assert!(answer.scan.source.is_none() && answer.report.source.is_some() && Revision::default().is_empty());
}

#[test]
fn paths_below_the_root_of_the_checkout_are_the_same_on_every_machine() {
    let system = System::new();
    let upload = |root: &str| {
        let report = report(&[], &[10, 20]).replace("src/notes.py", &format!("{root}/src/notes.py"));
        let row = row(0, 10, ONE).replace("src/notes.py", &format!("{root}/src/notes.py"));
        system.upload(notes("main", &report).source(&format!("{{\"v\":1,\"root\":\"{root}\"}}\n{row}\n"))).unwrap()
    };
    let (first, second) = (upload("/home/runner/notes"), upload("/builds/notes"));
    assert_eq!(second.report.source.unwrap().enriched, 1);
    for scan in [first.scan.id, second.scan.id] {
        let paths: Vec<_> = occurrences(&system, scan).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, vec![Some("src/notes.py".to_owned()); 2]);
    }
    assert_eq!((second.occurrences.new, second.occurrences.common), (0, 2));
}
