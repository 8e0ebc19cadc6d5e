//! Hostile but legal content: it comes back unchanged.

use crate::bad_input::Bench;
use domain::verdict::Verdict;
use finding::limits::{CUT_MARK, TEXT_BYTES_MAX};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Upload, reports};

const HOSTILE: [&str; 8] = [
    "<script>alert(document.domain)</script>",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "line\nbreak\r\nand\ttab",
    "\u{202e}\u{2066}txt.exe\u{200b}\u{feff}",
    "::error::injected%0A::set-output name=x::y",
    "'; DROP TABLE spin_key_value; --",
    "{{7*7}} ${jndi:ldap://x} $(reboot) `id`",
    "\u{0}\u{1}\u{7f}\u{85}\u{2028}\u{10ffff}",
];

fn hostile(n: u64, text: &str) -> Value {
    let mut result = reports::result(n, "HIGH", &format!("./{text}/a.py"), 2);
    for field in ["issue_text", "test_name", "more_info", "issue_confidence"] {
        result[field] = json!(text);
    }
    result["test_id"] = json!(format!("B{n}{text}"));
    result["code"] = json!(format!("1 {}\n", text.replace(['\n', '\r'], " ")));
    result
}

#[test]
fn hostile_text_comes_back_unchanged() {
    let bench = Bench::new();
    let results: Vec<_> = (0..).zip(HOSTILE).map(|(n, text)| hostile(n, text)).collect();
    let answer = bench.developer.upload(&Upload::new("web", "hostile", reports::bandit(&results)));
    assert_eq!((answer.report.findings, answer.report.rejected_total, answer.report.cut_fields), (8, 0, 0));
    let issues = bench.viewer.issues(&answer, "");
    let by_rule: BTreeMap<_, _> = issues.iter().map(|issue| (issue.rule.clone(), issue)).collect();
    let occurrences = bench.viewer.occurrences(&answer);
    for (n, text) in (0_u32..).zip(HOSTILE) {
        let issue = by_rule[&format!("B{n}{text}")];
        assert_eq!(
            (issue.title.as_str(), issue.message.as_str(), issue.references.as_slice()),
            (text, text, &[text.to_owned()][..])
        );
        let place = occurrences.iter().find(|place| place.result == n).unwrap();
        assert_eq!((place.path.clone(), place.message.as_str()), (Some(format!("./{text}/a.py")), text));
    }
    let reply = bench.viewer.get(&format!("scans/{}/issues", answer.scan.id));
    assert_eq!(reply.headers["content-type"], "application/json", "a browser must not read it as a page");
    let names = ["feature/<script>", "-rf", "ü/\u{1f980} \u{202e}x", "..", "a?b#c&d=e%2F"];
    for name in names {
        let answer = bench.developer.upload(&Upload::new("web", name, reports::generated(1, 1)));
        assert_eq!(answer.scan.variant, name);
        assert_eq!(
            bench.viewer.all::<Value>(&format!("scans?variant={}", api::path::segment(name)), 5).len(),
            1,
            "{name}"
        );
    }
}

#[test]
fn a_text_above_the_limit_is_cut_marked_and_counted() {
    let bench = Bench::new();
    let long = "é".repeat(1 << 19);
    let mut result = reports::result(1, "HIGH", "./a.py", 2);
    result["issue_text"] = json!(long);
    let mut all = result.clone();
    for field in ["filename", "issue_confidence", "more_info", "test_id", "test_name"] {
        all[field] = json!(format!("{field}{long}"));
    }
    all["code"] = json!(format!("1 {long}\n2 {long}\n"));
    let answer = bench.developer.upload(&Upload::new("texts", "long", reports::bandit(&[result, all])));
    assert_eq!((answer.report.findings, answer.report.rejected_total), (2, 0));
    assert!((3..=9).contains(&answer.report.cut_fields), "{}", answer.report.cut_fields);
    for place in bench.viewer.occurrences(&answer) {
        assert!(place.message.len() <= TEXT_BYTES_MAX && place.message.starts_with("éé"));
        assert!(place.message.ends_with(CUT_MARK), "{}", &place.message[place.message.len() - 40..]);
    }
    assert_eq!(bench.viewer.issues(&answer, "").len(), 2);
    bench.developer.upload(&Upload::new("texts", "long", reports::generated(2, 1)));
}

/// Its answer lists the errors: the list must fit into the store, too.
#[test]
fn a_report_full_of_errors_is_stored_and_undecided() {
    for (name, text) in [("controls", "\u{1}"), ("quotes", "\""), ("emoji", "\u{1f980}"), ("letters", "x")] {
        let bench = Bench::new();
        let text = text.repeat(400);
        let errors: Vec<_> = (0..150).map(|n| json!({"filename": format!("{n}{text}"), "reason": text})).collect();
        let results: Vec<_> = (0..150).map(|_| json!({"filename": "a", "line_number": text})).collect();
        let report = json!({"errors": errors, "metrics": {}, "results": results}).to_string();
        let upload = Upload::new("web", "errors", report).fail_on("critical");
        let reply = bench.developer.send_upload(&upload);
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
        let answer: api::v1::ScanAnswer = reply.read();
        assert_eq!((answer.verdict, answer.report.complete), (Verdict::Undecided, false));
        let (report, total) = (&answer.report, answer.report.blind_spots_total);
        // Names that have no room in the store become one blind spot over everything.
        let is_blind = report.blind_spots.iter().any(|spot| spot.reach == "everything");
        assert_eq!((report.rejected_total, total == 150), (150, !is_blind), "{name}: {total}");
        assert_eq!(bench.viewer.scans()[0].answer, answer);
    }
}

#[test]
fn odd_numbers_are_rejected_one_by_one() {
    let bench = Bench::new();
    let mut results = vec![reports::result(1, "HIGH", "./a.py", 2)];
    for line in [json!(-1), json!(1.5), json!(4_294_967_296_u64), json!("3"), Value::Null, json!(1e300)] {
        let mut odd = results[0].clone();
        odd["line_number"] = line;
        results.push(odd);
    }
    let answer = bench.developer.upload(&Upload::new("web", "odd", reports::bandit(&results)).fail_on("none"));
    assert_eq!((answer.report.results, answer.report.findings, answer.report.rejected_total), (7, 1, 6));
    let rejected: Vec<_> = answer.report.rejected.iter().map(|entry| entry.result).collect();
    assert_eq!(rejected, (1..=6).collect::<Vec<_>>());
    assert!(!answer.report.complete);
}
