//! Horusec, <https://horusec.io>: runs a project's scanners and its own engine, and combines their results. Reads its
//! JSON report (`horusec start -o json`), as versions 1 and 2 write it.
//!
//! Each element of `analysisVulnerabilities` is a finding. `type` has people's decision: `Risk Accepted` and
//! `False Positive` are suppressed, `Corrected` is closed.
//!
//! `errors` is one text about the tools that failed and so found nothing. It does not always name them, so it is a
//! blind spot over everything. Horusec then has the status `error`. Another status than `success` without errors makes
//! the scan incomplete.
//!
//! The rule is `rule_id`, which version 2.7 introduced. If it is missing, as before and for some tools, the rule is the
//! first line of `details`, which names the problem. The severities are Horusec's words; there is no score. The CWE is
//! in the middle of the text and is not read.
//!
//! The engine for leaks and the checks for passwords print the whole line in `code` and do not mark the secret in it.
//! So the whole line counts as the secret, and is not stored.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use crate::value::secret;
use crate::value::snippet;
use finding::{Finding, Kind, Location, Reach};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "horusec",
    tool: "horusec",
    name: "Horusec",
    aliases: &[],
    versions: "1 and 2",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-o json`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The shortest literal that is masked in other texts: shorter ones occur in ordinary words.
const LITERAL_MIN: usize = 8;

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["analysisVulnerabilities", "repositoryID", "status"])
        || sniff.has("analysisVulnerabilities[].vulnerabilities.securityTool")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut final_status, mut has_errors) = (None, false);
    let paths =
        ["analysisVulnerabilities~![]", "errors", "version", "status", "repositoryID", "finishedAt", "createdAt"];
    let mut has_repository = false;
    let seen = json::walk(input, &paths, &mut |item| {
        let text = if item.path == 0 { None } else { item.read::<Text>().ok().filled() };
        match (item.path, text) {
            (0, _) => {
                return match item.read::<RawAnalysis>() {
                    Ok(analysis) => analysis.vulnerabilities.collect(collector),
                    Err(reason) => collector.rejected(reason),
                };
            }
            (1, Some(errors)) => {
                has_errors = true;
                collector.blind_spot(Reach::Everything, errors);
            }
            (2, Some(version)) => collector.version(version.trim_start_matches('v')),
            (3, status) => final_status = status,
            (4, _) => has_repository = true,
            (5, end) => collector.ended(end.as_deref()),
            (6, start) => collector.started(start.as_deref()),
            (_, _) => {}
        }
        Ok(())
    })?;
    collector.require(
        seen.has(0) || (final_status.is_some() && has_repository),
        "a Horusec JSON report has the list `analysisVulnerabilities`, a `status` and a `repositoryID`",
    )?;
    seen.report_missing(collector);
    if let Some(status) = final_status.filter(|status| status != "success" && !has_errors) {
        collector.scanner_error(format!("the analysis has the status `{status}`"));
    }
    Ok(())
}

#[derive(Deserialize)]
struct RawAnalysis {
    vulnerabilities: RawVulnerability,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVulnerability {
    details: Text,
    #[serde(rename = "vulnerabilityID")]
    vulnerability_id: Option<Text>,
    #[serde(default)]
    line: Number,
    #[serde(default)]
    column: Number,
    confidence: Option<Text>,
    file: Option<Text>,
    code: Option<Text>,
    security_tool: Option<Text>,
    language: Option<Text>,
    severity: Option<Text>,
    r#type: Option<Text>,
    #[serde(rename = "rule_id", alias = "ruleID")]
    rule_id: Option<Text>,
    vuln_hash: Option<Text>,
    commit_author: Option<Text>,
    commit_email: Option<Text>,
    commit_hash: Option<Text>,
    commit_message: Option<Text>,
    commit_date: Option<Text>,
}

impl RawVulnerability {
    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        match self.r#type.as_ref().map(|mark| mark.0.to_ascii_lowercase()).as_deref() {
            Some("corrected") => collector.closed(),
            Some("false positive" | "risk accepted") => {
                let suppressed = self.r#type.as_ref().map(|mark| mark.0.clone());
                collector.finding(Finding { suppressed, ..self.into_finding() })
            }
            Some(_) | None => collector.finding(self.into_finding()),
        }
    }

    fn into_finding(self) -> Finding {
        let (title, details) = split_details(&self.details.0);
        let tool = self.security_tool.as_ref().map_or("", |tool| &tool.0);
        let leak = self.language.as_ref().is_some_and(|language| language.0 == "Leaks") || tool == "GitLeaks";
        let line = self.line.line();
        let code = self.code.map(|code| code.0).unwrap_or_default();
        let password = names_secret(&title);
        let literals: Vec<&str> =
            snippet::literals(&code).into_iter().filter(|literal| LITERAL_MIN <= literal.len()).collect();
        // Horusec's own titles and Bandit's are fixed; those of other tools may quote the secret.
        let quotes = (leak || password) && !["HorusecEngine", "Bandit"].contains(&tool);
        let masked = |title: String, literal: &&str| title.replace(*literal, "****");
        let title = if quotes { literals.iter().fold(title, masked) } else { title };
        let rule = self.rule_id.filled().unwrap_or_else(|| title.clone());
        let mut finding = Finding {
            confidence: self.confidence.filled(),
            location: self.file.filled().map(|path| Location::lines(path, line, None).with_column(self.column.line())),
            code: match (leak || password, tool) {
                (true, _) => None,
                (false, "Bandit") => snippet::numbered(&code, " ").or_else(|| snippet::plain(&code, line)),
                (false, _) => snippet::plain(&code, line),
            },
            description: details,
            tool_id: self.vulnerability_id.filled(),
            ..Finding::new(if leak { Kind::Secret } else { Kind::Code }, rule, title.clone(), title)
        };
        SCANNER.rating().word(self.severity.as_ref().map(|word| word.0.as_str())).apply(&mut finding);
        if let Some(hash) = self.vuln_hash.filled() {
            finding.fingerprints.insert("horusec/vulnHash".to_owned(), hash);
        }
        let fields = [
            ("security_tool", self.security_tool),
            ("language", self.language),
            ("commit_author", self.commit_author),
            ("commit_email", self.commit_email),
            ("commit", self.commit_hash),
            ("commit_message", self.commit_message),
            ("commit_date", self.commit_date),
        ];
        // Without a commit, Horusec writes `-`.
        let filled =
            fields.into_iter().filter_map(|(name, text)| Some((name, text?.filled().filter(|text| text != "-")?)));
        finding.raw.extend(filled.map(|(name, text)| (name.to_owned(), text)));
        if (leak || password) && !code.trim().is_empty() {
            literals.into_iter().for_each(|literal| secret::redact(&mut finding, literal));
            secret::attach(&mut finding, &code);
        }
        finding
    }
}

/// Splits details into title and description: the first line, without the count that Horusec puts in front and without
/// the password that Bandit puts at the end, and the rest.
fn split_details(details: &str) -> (String, Option<String>) {
    let (first, rest) = details.trim().split_once('\n').unwrap_or((details.trim(), ""));
    let title = match first.split_once("* Possible vulnerability detected:") {
        Some((count, title)) if count.starts_with('(') => title.trim(),
        Some(_) | None => first.trim(),
    };
    let title = title.split_once("ardcoded password: ").map_or(title, |_| "Possible hardcoded password");
    (title.to_owned(), rest.trim().to_owned().filled())
}

fn names_secret(title: &str) -> bool {
    let title = title.to_ascii_lowercase();
    let hard_coded = ["hardcoded", "hard-coded", "hard coded"].iter().any(|word| title.contains(word));
    hard_coded && ["password", "credential", "secret", "token", "key"].iter().any(|word| title.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn report(errors: &str, status: &str, list: &str) -> String {
        format!(
            r#"{{"version": "v2.8.0", "id": "0a", "repositoryID": "00", "repositoryName": "", "status": "{status}",
            "errors": "{errors}", "createdAt": "2026-01-02T03:04:05Z", "analysisVulnerabilities": {list}}}"#
        )
    }

    fn entry(fields: &str) -> String {
        format!(
            r#"{{"vulnerabilityID": "00", "vulnerabilities": {{"vulnerabilityID": "1b", "line": "7", "column": "0",
            "confidence": "MEDIUM", "file": "a.js", "severity": "HIGH", "commitHash": "-", "vulnHash": "ff", {fields}}}}}"#
        )
    }

    fn one(fields: &str) -> Finding {
        let text = report("", "success", &format!("[{}]", entry(fields)));
        let (mut findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.summary.is_complete());
        assert_eq!(parsed.scanner_version.as_deref(), Some("2.8.0"));
        findings.remove(0)
    }

    #[test]
    fn a_vulnerability_becomes_a_finding_of_its_first_line() {
        let finding = one(
            r#""details": "(1/1) * Possible vulnerability detected: No use eval\nIt is dangerous (CWE-94).", "code": "eval(x)",
            "securityTool": "HorusecEngine", "language": "JavaScript", "type": "Vulnerability", "rule_id": "HS-JS-1""#,
        );
        assert_eq!(
            (finding.kind, finding.rule.as_str(), finding.title.as_str()),
            (Kind::Code, "HS-JS-1", "No use eval")
        );
        assert_eq!(finding.description.as_deref(), Some("It is dangerous (CWE-94)."));
        assert_eq!((finding.severity(), finding.location.unwrap().line), (Severity::High, Some(7)));
        assert_eq!(finding.code.unwrap().lines, ["eval(x)"]);
        assert_eq!((finding.tool_id.as_deref(), finding.raw.len()), (Some("1b"), 2));
        assert_eq!(finding.fingerprints["horusec/vulnHash"], "ff");
    }

    #[test]
    fn code_that_bandit_printed_loses_its_numbers() {
        let finding = one(
            r#""details": "Weak hash.", "code": "6 x = 1\n7 md5(x)\n", "securityTool": "Bandit", "language": "Python""#,
        );
        let code = finding.code.unwrap();
        assert_eq!((code.first_line, code.lines[1].as_str(), finding.rule.as_str()), (6, "md5(x)", "Weak hash."));
    }

    #[test]
    fn the_line_of_a_leak_is_its_secret_and_is_not_stored() {
        let cases = [
            r#""details": "Hard-coded password\nThe software …", "language": "Leaks", "securityTool": "HorusecEngine""#,
            r#""details": "Possible hardcoded password: 'hunter2hunter2'", "language": "Python", "securityTool": "Bandit""#,
        ];
        for (case, kind) in cases.into_iter().zip([Kind::Secret, Kind::Code]) {
            let finding =
                one(&format!(r#"{case}, "code": "P = 'hunter2hunter2'", "commitMessage": "add hunter2hunter2""#));
            let stored = serde_json::to_string(&finding).unwrap();
            assert!(!stored.contains("hunter2hunter2") && finding.secret.is_some(), "{stored}");
            assert_eq!(finding.kind, kind);
        }
    }

    #[test]
    fn a_secret_in_a_title_does_not_get_into_the_rule() {
        let finding = one(
            r#""details": "Hardcoded token hunter2hunter2 found", "language": "Go", "securityTool": "Semgrep", "code": "t := \"hunter2hunter2\"""#,
        );
        assert_eq!(finding.rule, "Hardcoded token **** found");
    }

    #[test]
    fn peoples_marks_suppress_or_close() {
        let list: Vec<_> = ["Vulnerability", "False Positive", "Risk Accepted", "Corrected", ""]
            .map(|mark| entry(&format!(r#""details": "d", "type": "{mark}""#)))
            .to_vec();
        let (findings, parsed) =
            findings(&SCANNER, report("", "success", &format!("[{}]", list.join(","))).as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert_eq!((summary.findings, summary.suppressed, summary.closed, summary.results), (2, 2, 1, 5));
        assert_eq!(findings[1].suppressed.as_deref(), Some("False Positive"));
    }

    #[test]
    fn errors_are_a_blind_spot_and_a_failure_without_one_makes_the_scan_incomplete() {
        let summary = |errors, status| findings(&SCANNER, report(errors, status, "[]").as_bytes()).unwrap().1.summary;
        let failed = summary("npm failed", "error");
        assert_eq!((failed.is_complete(), &failed.blind_spots[0].reach), (true, &Reach::Everything));
        assert_eq!(summary("", "error").scanner_errors, ["the analysis has the status `error`"]);
        let clean = summary(" ", "success");
        assert_eq!((clean.is_complete(), clean.blind_spots.len()), (true, 0));
    }

    #[test]
    fn nothing_found_needs_the_list_or_a_finished_analysis() {
        assert!(findings(&SCANNER, report("", "success", "null").as_bytes()).unwrap().0.is_empty());
        assert!(failure(&SCANNER, br#"{"status": "success"}"#).contains("`analysisVulnerabilities`"));
    }
}
