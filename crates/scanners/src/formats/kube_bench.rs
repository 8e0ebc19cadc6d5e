//! kube-bench, <https://github.com/aquasecurity/kube-bench>: checks Kubernetes nodes against the CIS benchmark. Reads
//! its JSON report (`kube-bench --json`): `Controls` with their totals, as versions from 0.4 on write it; a list of
//! controls or a single control of earlier versions; and several of these in sequence.
//!
//! A result is a test: each of `Controls[].tests[].results[]`. FAIL and WARN are findings. A manual test always has the
//! status WARN, as kube-bench checks nothing there: it counts as not applicable, and so does INFO, which is a test that
//! was skipped.
//!
//! kube-bench has no severities. FAIL is a scored test that failed: medium. WARN is a test that is not scored, or that
//! could not be run: info. If a test could not be run, its `reason` says so, and is part of the message.
//!
//! The report is small: a hundred tests for each kind of node. So each control is read as a whole.

use crate::Scanner;
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use finding::{Finding, Kind};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "kube-bench",
    tool: "kube-bench",
    name: "kube-bench",
    aliases: &["kubebench"],
    versions: "0.1 to 0.11",
    category: "IaC",
    notation: Notation::Json,
    formats: "JSON (`--json`)",
    severities: "no severities: FAIL 5.5, WARN 0 (a test that is not scored)",
    severity_words: &[("FAIL", 550), ("WARN", 0)],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    ["", "[].", "Controls[].", "[].Controls[]."].iter().any(|before| {
        let has = |path: &str| sniff.has(&format!("{before}{path}"));
        has("node_type") && (has("tests[].results[].test_number") || has("tests[].section") || has("total_pass"))
    })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut is_report = false;
    json::values(input, &mut |_, raw| {
        let Ok(document) = json::parse::<RawDocument>(raw) else {
            return Err(ParseError::other_shape(SHAPE));
        };
        let single = document.tests.is_some().then(|| raw.to_owned());
        let controls = document.controls.into_iter().flatten().map(|control| control.get().to_owned());
        for control in controls.chain(single) {
            is_report = true;
            read_control(&control, collector)?;
        }
        Ok(())
    })?;
    collector.require(is_report, SHAPE)
}

const SHAPE: &str =
    "a kube-bench JSON report is a list of controls with `tests`, or an object with the list `Controls`";

fn read_control(raw: &str, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let control = match json::parse::<RawControl>(raw) {
        Ok(control) => control,
        Err(error) => return collector.rejected(format!("the control cannot be read: {error}")),
    };
    let info = ControlInfo {
        benchmark: control.version.filled(),
        node_type: control.node_type.filled(),
        text: control.text.filled(),
    };
    for group in control.tests.0 {
        let group = match json::parse::<RawGroup>(group.get()) {
            Ok(group) => group,
            Err(error) => {
                collector.rejected(format!("the group of tests cannot be read: {error}"))?;
                continue;
            }
        };
        let section = group.desc.filled();
        for test in group.results.0 {
            let test = json::parse::<RawTest>(test.get());
            let status = test.as_ref().map(RawTest::status).unwrap_or(Status::Finding);
            match status {
                Status::Passed => collector.passed()?,
                Status::NotApplicable => collector.not_applicable()?,
                Status::Finding => {
                    collector.result(test.and_then(|test| test.into_finding(&info, section.as_deref())))?
                }
            }
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct RawDocument {
    #[serde(rename = "Controls")]
    controls: Option<Vec<Box<RawValue>>>,
    tests: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct RawControl {
    tests: Many<Box<RawValue>>,
    version: Loose<Text>,
    node_type: Loose<Text>,
    text: Loose<Text>,
}

#[derive(Deserialize)]
struct RawGroup {
    results: Many<Box<RawValue>>,
    desc: Loose<Text>,
}

struct ControlInfo {
    benchmark: Option<String>,
    node_type: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct RawTest {
    test_number: Text,
    status: String,
    test_desc: Loose<Text>,
    #[serde(rename = "type")]
    kind: Loose<Text>,
    reason: Loose<Text>,
    audit: Loose<Text>,
    remediation: Loose<Text>,
    actual_value: Loose<Text>,
    expected_result: Loose<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Finding,
    Passed,
    NotApplicable,
}

impl RawTest {
    fn status(&self) -> Status {
        let is =
            |field: &Loose<Text>, text: &str| field.0.as_ref().is_some_and(|field| field.0.eq_ignore_ascii_case(text));
        let manual = is(&self.kind, "manual") || is(&self.reason, "Test marked as a manual test");
        match self.status.trim().to_ascii_uppercase().as_str() {
            "PASS" => Status::Passed,
            "INFO" => Status::NotApplicable,
            "WARN" if manual => Status::NotApplicable,
            _ => Status::Finding,
        }
    }

    fn into_finding(self, info: &ControlInfo, section: Option<&str>) -> Result<Finding, String> {
        if !["FAIL", "WARN"].iter().any(|known| self.status.trim().eq_ignore_ascii_case(known)) {
            return Err(format!(
                "unknown status `{}` of test {}; expected `PASS`, `FAIL`, `WARN` or `INFO`",
                self.status, self.test_number.0
            ));
        }
        let title = self.test_desc.filled().unwrap_or_else(|| self.test_number.0.clone());
        let (actual, expected) = (self.actual_value.filled(), self.expected_result.filled());
        let parts = [
            self.reason.filled(),
            expected.map(|expected| format!("expected: {}", expected.trim())),
            actual.map(|actual| format!("found: {}", actual.trim())),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let message = if parts.is_empty() { title.clone() } else { parts.join("; ") };
        let raw = [
            ("benchmark", info.benchmark.clone()),
            ("control", info.text.clone()),
            ("section", section.map(str::to_owned)),
            ("audit", self.audit.filled()),
        ];
        let mut finding = Finding {
            remediation: self.remediation.filled().map(|text| text.trim().to_owned()),
            resource: info.node_type.clone(),
            raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..Finding::new(Kind::Infrastructure, self.test_number.0, title, message)
        };
        SCANNER.rating().word(Some(&self.status)).apply(&mut finding);
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn control(test: &str) -> String {
        format!(
            r#"{{"id": "4", "version": "cis-1.9", "detected_version": "1.29", "text": "Worker", "node_type": "node",
                "tests": [{{"section": "4.1", "desc": "Files", "results": [{test}]}}], "total_pass": 0}}"#
        )
    }

    fn test(status: &str, rest: &str) -> String {
        format!(r#"{{"test_number": "4.1.1", "test_desc": "Permissions", "status": "{status}" {rest}}}"#)
    }

    #[test]
    fn each_status_is_counted_as_what_it_is() {
        let manual = r#", "type": "manual""#;
        let by_reason = r#", "reason": "Test marked as a manual test""#;
        // Findings, passed, not applicable, rejected; and the severity.
        let cases = [
            ("FAIL", "", (1, 0, 0, 0), Some(Severity::Medium)),
            ("FAIL", manual, (1, 0, 0, 0), Some(Severity::Medium)),
            ("WARN", "", (1, 0, 0, 0), Some(Severity::Info)),
            ("WARN", r#", "reason": "failed to run: stat""#, (1, 0, 0, 0), Some(Severity::Info)),
            ("WARN", manual, (0, 0, 1, 0), None),
            ("WARN", by_reason, (0, 0, 1, 0), None),
            ("PASS", "", (0, 1, 0, 0), None),
            ("INFO", "", (0, 0, 1, 0), None),
            ("MAYBE", "", (0, 0, 0, 1), None),
        ];
        for (status, rest, expected, severity) in cases {
            let (findings, parsed) = findings(&SCANNER, control(&test(status, rest)).as_bytes()).unwrap();
            let summary = parsed.summary;
            let counts = (summary.findings, summary.passed, summary.not_applicable, summary.rejected);
            assert_eq!(counts, expected, "{status} {rest}");
            assert_eq!(findings.first().map(Finding::severity), severity, "{status} {rest}");
        }
    }

    #[test]
    fn all_ways_to_write_controls_give_the_same() {
        let one = control(&test("FAIL", r#", "actual_value": "777", "expected_result": "600""#));
        let (expected, _) = findings(&SCANNER, one.as_bytes()).unwrap();
        assert_eq!(expected[0].message, "expected: 600; found: 777");
        assert_eq!(expected[0].resource.as_deref(), Some("node"));
        let ways = [
            format!(r#"{{"Controls": [{one}], "Totals": {{"total_fail": 1}}}}"#),
            format!("[{one}]"),
            format!(r#"[{{"Controls": [{one}]}}]"#),
        ];
        for way in ways {
            assert_eq!(findings(&SCANNER, way.as_bytes()).unwrap().0, expected, "{way}");
        }
        assert_eq!(findings(&SCANNER, format!("{one}\n{one}").as_bytes()).unwrap().0.len(), 2);
    }

    #[test]
    fn unreadable_tests_are_rejected_and_reports_without_controls_refused() {
        let text =
            format!("[{}, {{\"tests\": [{{\"results\": 5}}]}}, {{\"tests\": 7}}]", control(r#"{"status": "FAIL"}"#));
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.rejected), (0, 3));
        for other in [&b"[]"[..], br#"{"Controls": []}"#, br#"{"Totals": {}}"#, b"[5]"] {
            assert!(failure(&SCANNER, other).contains("`Controls`"));
        }
    }
}
