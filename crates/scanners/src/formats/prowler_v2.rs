//! Prowler 2, <https://github.com/prowler-cloud/prowler>: checks accounts of AWS. Reads its CSV (`-M csv`) and its JSON
//! (`-M json`), which has one object per line. Later versions are other formats of the same tool.
//!
//! A result is a row or an object: one message of one check. FAIL and WARN are findings, PASS is passed, INFO is not
//! applicable. From version 2.5 on, which has severities, WARNING means that the check is on the allowlist: a
//! suppressed finding. In earlier versions, WARNING is a failed check.
//!
//! The rule is the name of the check, in the brackets of its title: `check114` in `[check114] Ensure hardware MFA …`.
//! If there is none, it is the number of the control. Severities are words; versions before 2.5 have none.

use crate::Scanner;
use crate::formats::prowler;
use crate::reader::json::Loose;
use crate::reader::json::Text;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use finding::{Finding, Kind};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "prowler-v2",
    tool: "prowler",
    name: "Prowler 2",
    aliases: &["aws-prowler"],
    versions: "2.0 to 2.12",
    category: "CSPM",
    notation: Notation::Csv,
    formats: "CSV and JSON lines (`-M csv`, `-M json`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[
        ("cwe", "empty: the report has none; others give every result CWE-1032"),
        (
            "severity",
            "Informational is info, not low as elsewhere; checks that passed are not findings, others import them as info",
        ),
    ],
    detect,
    parse,
};

const CSV_COLUMNS: [&str; 3] = ["ACCOUNT_NUM", "TITLE_ID", "TITLE_TEXT"];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_columns(&CSV_COLUMNS)
        || ["", "[]."].iter().any(|before| {
            ["Account Number", "Control ID", "Status"].iter().all(|field| sniff.has(&format!("{before}{field}")))
        })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_list() || sniff.is_object() {
        return prowler::objects(input, collector, RawResult::collect);
    }
    let read = table::rows(input, &CSV_COLUMNS, &mut |row| match row {
        Ok(row) => collect_row(&row, collector),
        Err(reason) => collector.rejected(reason),
    });
    collector.container();
    match read {
        Err(ParseError::Malformed { reason, .. }) => Err(ParseError::other_shape(reason)),
        other => other,
    }
}

fn collect_row(row: &Row<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let text = |columns: &[&str]| Loose::from(columns.iter().find_map(|column| row.owned(column)).map(Text));
    let result = RawResult {
        account: text(&["ACCOUNT_NUM"]),
        control: text(&["TITLE_TEXT"]),
        control_id: text(&["TITLE_ID"]),
        message: text(&["CHECK_RESULT_EXTENDED", "NOTES"]),
        status: Text(row.get("CHECK_RESULT").or(row.get("RESULT")).unwrap_or_default().to_owned()),
        severity: text(&["CHECK_SEVERITY"]),
        region: text(&["REGION"]),
        service: text(&["CHECK_SERVICENAME"]),
        risk: text(&["CHECK_RISK"]),
        remediation: text(&["CHECK_REMEDIATION"]),
        doc_link: text(&["CHECK_DOC"]),
        resource_id: text(&["CHECK_RESOURCE_ID", "RESOURCE_ID"]),
        resource_type: text(&["CHECK_ASFF_RESOURCE_TYPE"]),
        timestamp: Loose::default(),
    };
    result.collect(collector)
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(rename = "Account Number")]
    account: Loose<Text>,
    #[serde(rename = "Control")]
    control: Loose<Text>,
    #[serde(rename = "Control ID")]
    control_id: Loose<Text>,
    #[serde(rename = "Message")]
    message: Loose<Text>,
    #[serde(rename = "Status")]
    status: Text,
    #[serde(rename = "Severity")]
    severity: Loose<Text>,
    #[serde(rename = "Region")]
    region: Loose<Text>,
    #[serde(rename = "Service")]
    service: Loose<Text>,
    #[serde(rename = "Risk")]
    risk: Loose<Text>,
    #[serde(rename = "Remediation")]
    remediation: Loose<Text>,
    #[serde(rename = "Doc link")]
    doc_link: Loose<Text>,
    #[serde(rename = "Resource ID")]
    resource_id: Loose<Text>,
    #[serde(default, skip)]
    resource_type: Loose<Text>,
    #[serde(rename = "Timestamp")]
    timestamp: Loose<Text>,
}

impl RawResult {
    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        collector.started(self.timestamp.as_str());
        let severity = self.severity.clone().filled();
        let status = match self.status.0.trim() {
            "WARNING" if severity.is_none() => "WARN".to_owned(),
            other => other.to_owned(),
        };
        let (control, id) = (self.control.clone().filled(), self.control_id.clone().filled());
        let (rule, title) = name_and_title(control.as_deref().unwrap_or_default());
        let Some(rule) = rule.or(id.clone()) else {
            return collector.rejected("the name and the control number of the check are missing".to_owned());
        };
        prowler::collect(&status, None, || self.into_finding(rule, title, id, severity.as_deref()), collector)
    }

    fn into_finding(self, rule: String, title: Option<String>, id: Option<String>, severity: Option<&str>) -> Finding {
        let title = title.unwrap_or_else(|| rule.clone());
        let message = self.message.filled().unwrap_or_else(|| title.clone());
        let raw = [
            ("account", self.account.filled()),
            ("region", self.region.filled()),
            ("service", self.service.filled()),
            ("control", id),
            ("resource_type", self.resource_type.filled()),
        ];
        let mut finding = Finding {
            description: self.risk.filled(),
            remediation: self.remediation.filled(),
            references: prowler::addresses(self.doc_link.filled()),
            resource: self.resource_id.filled(),
            raw: raw.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..Finding::new(Kind::Infrastructure, rule, title, message)
        };
        SCANNER.rating().word(severity).apply(&mut finding);
        finding
    }
}

/// Splits `1.14 [check114] Ensure hardware MFA is enabled (Scored)` into the check's name and its title.
fn name_and_title(control: &str) -> (Option<String>, Option<String>) {
    let (check, title) = match control.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
        Some((check, title)) if !check.is_empty() && !check.contains(' ') => (Some(check.to_owned()), title),
        Some(_) | None => (None, control),
    };
    let mut title = title.trim();
    for mark in ["(Not part of CIS benchmark)", "(Not Scored)", "(Scored)"] {
        title = title.strip_suffix(mark).unwrap_or(title).trim_end();
    }
    (check, title.to_owned().filled())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn result(status: &str, severity: &str) -> String {
        format!(
            r#"{{"Account Number": "123456789012", "Control": "[check114] Ensure hardware MFA (Scored)", "Message": "no MFA",
                {severity} "Status": "{status}", "Control ID": "1.14", "Region": "eu-west-1", "Resource ID": "root"}}"#
        )
    }

    #[test]
    fn each_status_is_counted_correctly() {
        let rated = r#""Severity": "High","#;
        // Findings, suppressed, passed, not applicable, rejected.
        let cases = [
            ("FAIL", rated, (1, 0, 0, 0, 0)),
            ("WARN", rated, (1, 0, 0, 0, 0)),
            ("WARNING", rated, (0, 1, 0, 0, 0)),
            ("WARNING", "", (1, 0, 0, 0, 0)),
            ("PASS", rated, (0, 0, 1, 0, 0)),
            ("INFO", rated, (0, 0, 0, 1, 0)),
            ("MAYBE", rated, (0, 0, 0, 0, 1)),
        ];
        for (status, severity, expected) in cases {
            let (_, parsed) = findings(&SCANNER, result(status, severity).as_bytes()).unwrap();
            let summary = parsed.summary;
            let counts =
                (summary.findings, summary.suppressed, summary.passed, summary.not_applicable, summary.rejected);
            assert_eq!(counts, expected, "{status} {severity}");
        }
    }

    #[test]
    fn words_become_the_documented_severities() {
        let cases = [
            ("Critical", Severity::Critical),
            ("High", Severity::High),
            ("Medium", Severity::Medium),
            ("Low", Severity::Low),
            ("Informational", Severity::Info),
            ("Dire", Severity::Unassigned),
        ];
        for (word, level) in cases {
            let text = result("FAIL", &format!(r#""Severity": "{word}","#));
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0[0].severity(), level, "{word}");
        }
    }

    #[test]
    fn the_rule_is_the_checks_name_and_the_title_without_its_marks() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("[check11] Avoid root (Scored)", some("check11"), some("Avoid root")),
            ("7.5  [extra75] Unused (Not Scored) (Not part of CIS benchmark)", some("extra75"), some("Unused")),
            ("Avoid the use [of root]", None, some("Avoid the use [of root]")),
            ("", None, None),
        ];
        for (control, check, title) in cases {
            assert_eq!(name_and_title(control), (check, title), "{control}");
        }
    }

    #[test]
    fn lines_a_list_and_a_table_are_read_and_a_result_without_a_check_is_rejected() {
        let one = result("FAIL", "");
        for (text, results) in [(format!("{one}\n{one}\n"), 2), (format!("[{one}]"), 1), ("[]".to_owned(), 0)] {
            let (found, _) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!(found.len(), results, "{text}");
        }
        let old = "PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,RESULT,SCORED,LEVEL,TITLE_TEXT,NOTES\n\
            p,123456789012,eu-west-1,1.1,FAIL,Scored,Level 1,[check11] Avoid root (Scored),Root was used\np,1,r,,FAIL,,,,x\n";
        let (found, parsed) = findings(&SCANNER, old.as_bytes()).unwrap();
        assert_eq!((found[0].rule.as_str(), found[0].message.as_str()), ("check11", "Root was used"));
        assert_eq!((parsed.summary.findings, parsed.summary.rejected), (1, 1));
        assert!(failure(&SCANNER, b"a,b\n1,2\n").contains("`ACCOUNT_NUM`"));
    }
}
