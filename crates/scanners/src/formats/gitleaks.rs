//! Gitleaks, <https://github.com/gitleaks/gitleaks>: secrets in Git repositories and folders. Reads its JSON report
//! (`gitleaks detect --report-format json`) as versions 1 to 8 write it: up to 7 with `rule` and `offender`, since 8
//! with `RuleID` and `Secret`.
//!
//! Each element of the list is a finding, even if only its commit differs from another. A clean report is an empty
//! list. Gitleaks gives no severity (in versions 2 and 3 the user's own rules can): every secret is high, 8.0.
//!
//! The secret is masked everywhere, also in the commit's message. With `--redact` Gitleaks hides it itself: there is no
//! digest then, and the file identifies the secret.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::leak;
use crate::value::rating::COMMON_WORDS;
use crate::value::snippet;
use finding::{Finding, Location};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "gitleaks",
    tool: "gitleaks",
    name: "Gitleaks",
    aliases: &[],
    versions: "1 to 8",
    category: "Secrets",
    notation: Notation::Json,
    formats: "JSON (`--report-format json`)",
    severities: "every secret 8.0, as Gitleaks gives no severity; if the user's own rules do (versions 2 and 3): critical 9.5, high 8.0, medium 5.5, low 2.0",
    severity_words: COMMON_WORDS,
    differences: &[(
        "severity",
        "the reference product makes a secret critical when its rule's name contains `AWS`, `Github` or `Heroku`; Gitleaks gives no severity, so all secrets get the same",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let version_8 = ["[].RuleID", "[].StartLine", "[].Match"];
    let older = [["[].offender", "[].rule"], ["[].offender", "[].reason"], ["[].string", "[].reason"]];
    sniff.has_all(&version_8) || older.iter().any(|fields| sniff.has_all(fields) && sniff.has("[].commit"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut read, mut rejected) = (false, false);
    json::walk(input, &["[]"], &mut |item| {
        let result = item.read::<RawLeak>().and_then(RawLeak::into_finding);
        read |= result.is_ok();
        rejected |= result.is_err();
        collector.result(result)
    })?;
    collector.require(
        read || !rejected,
        "a Gitleaks JSON report is a list whose elements have `RuleID` and `Secret`, or `rule` and `offender`",
    )
}

#[derive(Deserialize)]
struct RawLeak {
    #[serde(alias = "RuleID", alias = "reason")]
    rule: Text,
    #[serde(alias = "Secret", alias = "string")]
    offender: Option<Text>,
    #[serde(alias = "File")]
    file: Option<Text>,
    #[serde(alias = "SymlinkFile")]
    symlink: Option<Text>,
    #[serde(alias = "Description", alias = "info")]
    description: Option<Text>,
    #[serde(alias = "StartLine", alias = "lineNumber", default)]
    start_line: Number,
    #[serde(alias = "EndLine", default)]
    end_line: Number,
    #[serde(alias = "StartColumn", default)]
    start_column: Number,
    #[serde(alias = "Match")]
    line: Option<Text>,
    #[serde(alias = "Commit")]
    commit: Option<Text>,
    #[serde(alias = "Message", alias = "commitMessage", alias = "commitMsg")]
    message: Option<Text>,
    #[serde(alias = "Author")]
    author: Option<Text>,
    #[serde(alias = "Email")]
    email: Option<Text>,
    #[serde(alias = "Date", alias = "time")]
    date: Option<Text>,
    #[serde(alias = "Entropy")]
    entropy: Option<Text>,
    #[serde(alias = "Tags", default)]
    tags: Many<Text>,
    #[serde(alias = "Fingerprint")]
    fingerprint: Option<Text>,
    #[serde(alias = "leakURL", alias = "Link")]
    link: Option<Text>,
    #[serde(alias = "repoURL")]
    repo_url: Option<Text>,
    repo: Option<Text>,
    branch: Option<Text>,
    operation: Option<Text>,
    severity: Option<Text>,
}

impl RawLeak {
    fn into_finding(self) -> Result<Finding, String> {
        let rule = self.rule.0;
        // Without the secret itself, the whole match counts as the secret.
        let Some(secret) = self.offender.or_else(|| self.line.clone()) else {
            return Err("`Secret` and `Match` are missing".to_owned());
        };
        let line = self.start_line.line();
        let message = self.description.filled().unwrap_or_else(|| format!("{rule} found"));
        let mut finding = Finding {
            location: self
                .file
                .filled()
                .map(|path| Location::lines(path, line, self.end_line.line()).with_column(self.start_column.line())),
            code: self.line.and_then(|text| snippet::plain(&text.0, line)),
            references: self.link.filled().into_iter().collect(),
            tool_id: self.fingerprint.filled(),
            ..leak::finding(&rule, &rule, message)
        };
        if let Some(word) = self.severity.filled() {
            let default = finding.score;
            SCANNER.rating().word(Some(&word)).apply(&mut finding);
            finding.score = finding.score.or(default);
        }
        let tags: Vec<String> = self.tags.0.into_iter().filter_map(Filled::filled).collect();
        // Files that were not committed have the zero time, `0001-01-01T00:00:00Z`.
        let date = self.date.filter(|date| !date.0.starts_with("0001-01-01"));
        leak::add_raw(
            &mut finding,
            [
                ("commit", self.commit),
                ("commit_message", self.message),
                ("author", self.author),
                ("email", self.email),
                ("date", date),
                ("entropy", self.entropy.filter(|entropy| entropy.0 != "0")),
                ("symlink", self.symlink),
                ("tags", Some(Text(tags.join(", ")))),
                ("repository", self.repo_url.filter(|url| !url.0.is_empty()).or(self.repo)),
                ("branch", self.branch),
                ("operation", self.operation),
            ],
        );
        leak::attach(&mut finding, &secret.0);
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const SECRET: &str = "ghp_Zq8bX2kLm9RtYv4NwPs7UdHc3JfA6eGi1oKb";

    fn one(text: &str) -> Finding {
        let (mut findings, parsed) = findings(&SCANNER, format!("[{text}]").as_bytes()).unwrap();
        assert!(parsed.summary.adds_up() && parsed.holds_secrets);
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains(SECRET), "{stored}");
        findings.remove(0)
    }

    #[test]
    fn a_leak_of_version_8_becomes_a_finding() {
        let finding = one(&format!(
            r#"{{"RuleID": "github-pat", "Description": "A GitHub token", "StartLine": 3, "EndLine": 4, "StartColumn": 7,
            "EndColumn": 50, "Match": "t = '{SECRET}'", "Secret": "{SECRET}", "File": "a.py", "SymlinkFile": "",
            "Commit": "0a1b", "Entropy": 4.5, "Author": "Ann", "Email": "ann@shop.example", "Date": "2026-01-02T03:04:05Z",
            "Message": "add {SECRET}", "Tags": ["key", "github"], "Fingerprint": "0a1b:a.py:github-pat:3"}}"#
        ));
        insta::assert_json_snapshot!(finding, @r#"
        {
          "result": 0,
          "kind": "secret",
          "rule": "github-pat",
          "title": "github-pat",
          "message": "A GitHub token",
          "score": {
            "score": 800,
            "source": "scanner_word"
          },
          "cwes": [
            798
          ],
          "location": {
            "path": "a.py",
            "line": 3,
            "end_line": 4,
            "column": 7
          },
          "secret": {
            "digest": "sha256:8ca955e3beafbb94a058d8d8802af6d2",
            "masked": "ghp_****"
          },
          "code": {
            "first_line": 3,
            "lines": [
              "t = 'ghp_****'"
            ]
          },
          "tool_id": "0a1b:a.py:github-pat:3",
          "raw": {
            "author": "Ann",
            "commit": "0a1b",
            "commit_message": "add ghp_****",
            "date": "2026-01-02T03:04:05Z",
            "email": "ann@shop.example",
            "entropy": "4.5",
            "tags": "key, github"
          }
        }
        "#);
    }

    #[test]
    fn older_versions_have_other_field_names() {
        let version_7 = one(&format!(
            r#"{{"line": "t = '{SECRET}'", "lineNumber": 3, "offender": "{SECRET}", "commit": "0a1b", "repo": ".",
            "repoURL": "", "leakURL": "https://shop.example/a.py#L3", "rule": "Github", "commitMessage": "add\n",
            "file": "a.py", "date": "0001-01-01T00:00:00Z", "tags": "key, Github", "operation": "addition"}}"#
        ));
        assert_eq!(version_7.location.unwrap().line, Some(3));
        assert_eq!(version_7.code.unwrap().lines, ["t = 'ghp_****'"]);
        assert_eq!(version_7.references, ["https://shop.example/a.py#L3"]);
        assert_eq!((version_7.raw["tags"].as_str(), version_7.raw["commit_message"].as_str()), ("key, Github", "add"));
        assert!(!version_7.raw.contains_key("date"));

        let version_2 = one(&format!(
            r#"{{"line": "{SECRET}", "commit": "0a1b", "offender": "{SECRET}", "rule": "Github", "info": "a token",
            "commitMsg": "add", "file": "a.py", "tags": "", "severity": "low"}}"#
        ));
        assert_eq!((version_2.message.as_str(), version_2.score.unwrap().score.hundredths()), ("a token", 200));
        // Without a line number the code's position is unknown.
        assert!(version_2.code.is_none() && version_2.location.unwrap().line.is_none());

        let bare = one(&format!(r#"{{"RuleID": "r", "StartLine": 3, "Match": "{SECRET}", "File": "a.py"}}"#));
        assert_eq!(bare.secret, version_7.secret);

        let version_0 = one(&format!(
            r#"{{"line": "{SECRET}", "commit": "0a1b", "string": "{SECRET}", "reason": "Github", "commitMsg": "add",
            "time": "2018-01-02", "author": "Ann", "file": "a.py", "repoURL": "https://shop.example/notes"}}"#
        ));
        assert_eq!(version_0.raw["repository"], "https://shop.example/notes");
        assert_eq!(version_0.secret, version_7.secret);
    }

    #[test]
    fn a_secret_that_gitleaks_hid_has_no_digest() {
        let finding = one(&format!(
            r#"{{"RuleID": "github-pat", "StartLine": 3, "Match": "t = REDACTED", "Secret": "REDACTED", "File": "{SECRET}"}}"#
        ).replace(SECRET, "a.py"));
        assert!(finding.secret.is_none());
        assert_eq!(finding.code.unwrap().lines, ["t = REDACTED"]);
    }

    #[test]
    fn leaks_that_differ_only_by_their_commit_are_all_findings() {
        let leak = |commit| {
            format!(r#"{{"RuleID": "r", "Secret": "{SECRET}", "File": "a.py", "StartLine": 3, "Commit": "{commit}"}}"#)
        };
        let text = format!("[{}, {}, {}]", leak("0a"), leak("0b"), leak("0b"));
        assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0.len(), 3);
    }

    #[test]
    fn a_clean_report_is_an_empty_list_and_other_lists_are_refused() {
        let (none, parsed) = findings(&SCANNER, b"[]\n").unwrap();
        assert!(none.is_empty() && parsed.summary.is_complete());
        assert!(failure(&SCANNER, br#"[{"rule": "x"}]"#).contains("`RuleID` and `Secret`"));
        assert!(failure(&SCANNER, b"[1]").contains("Gitleaks"));
    }
}
