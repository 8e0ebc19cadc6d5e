//! Brakeman, <https://brakemanscanner.org>: security scanner for Ruby on Rails. Reads its JSON report
//! (`brakeman -f json`), as versions 2 to 7 write it.
//!
//! Each element of `warnings` is a finding, and each of `ignored_warnings` (listed in `brakeman.ignore`) a suppressed
//! one. `obsolete` lists entries of that file which matched nothing.
//!
//! An error at the location `Could not parse FILE` is a blind spot over the file. Other errors have a place in
//! Brakeman's own code instead, and make the scan incomplete. `checks_performed` lists the checks.
//!
//! The rule is the warning's code as in Brakeman's SARIF report, `BRAKE0013`: a check can have several codes (`SQLCVEs`
//! has one for each vulnerability), and an issue stays the same when the format changes. Brakeman rates its confidence,
//! not the severity. Its own SARIF report makes High an error, Medium a warning and Weak a note; the severities follow
//! that.
//!
//! Warnings about passwords in the source show them in the code; they are masked.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::snippet;
use finding::{Finding, Kind, Location, Reach, Unit};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "brakeman",
    tool: "brakeman",
    name: "Brakeman",
    aliases: &[],
    versions: "2 to 7",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON (`-f json`)",
    severities: "by confidence, as in Brakeman's own SARIF report: High 8.0, Medium 5.5, Weak 2.0",
    severity_words: &[("High", 800), ("Medium", 550), ("Weak", 200)],
    differences: &[(
        "severity",
        "the reference product makes every warning medium; Brakeman's own SARIF report uses the confidence",
    )],
    detect,
    parse,
};

/// The checks that find passwords and keys in the source.
const SECRETS: [&str; 3] = ["BasicAuth", "SessionSettings", "Secrets"];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["scan_info.brakeman_version", "warnings"])
        || sniff.has_all(&["warnings[].warning_type", "warnings[].warning_code"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut is_brakeman = false;
    let (mut app, mut unparsed) = (None, Vec::new());
    let paths = [
        "warnings[]",
        "ignored_warnings[]",
        "errors[]",
        "scan_info.brakeman_version",
        "scan_info.rails_version",
        "scan_info.app_path",
        "scan_info.checks_performed",
        "scan_info.end_time",
        "scan_info.start_time",
    ];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawWarning>().map(|warning| warning.into_finding(false))),
        1 => collector.result(item.read::<RawWarning>().map(|warning| warning.into_finding(true))),
        2 => {
            match item.read::<RawError>() {
                Ok(error) => match error.file() {
                    Some(file) => unparsed.push((file, error.error.0)),
                    None => collector.scanner_error(error.text()),
                },
                Err(reason) => collector.scanner_error(reason),
            }
            Ok(())
        }
        5 => {
            app = item.read::<Text>().ok().filled();
            Ok(())
        }
        6 => {
            // Other versions have the number of checks.
            let listed = item.read::<Vec<Text>>().ok().and_then(|checks| u64::try_from(checks.len()).ok());
            let count = listed.or_else(|| item.read::<Number>().ok().and_then(Number::count));
            count.into_iter().for_each(|count| collector.examined(Unit::Rules, count));
            Ok(())
        }
        7 => item.ended(collector),
        8 => item.started(collector),
        path => {
            is_brakeman = true;
            if let Some(version) = item.read::<Text>().ok().filled().filter(|_| path == 3) {
                collector.version(version);
            }
            Ok(())
        }
    })?;
    for (file, reason) in unparsed {
        // The files of warnings are relative to the application.
        let inside = app.as_deref().and_then(|app| file.strip_prefix(app.trim_end_matches('/'))?.strip_prefix('/'));
        match inside {
            Some(inside) => collector.blind_to_file(inside, reason),
            None if file.starts_with('/') => collector.blind_spot(Reach::Everything, format!("{file}: {reason}")),
            None => collector.blind_to_file(file, reason),
        }
    }
    collector.require(
        seen.has(0) && is_brakeman,
        "a Brakeman JSON report has the object `scan_info` and the list `warnings`",
    )
}

#[derive(Deserialize)]
struct RawError {
    error: Text,
    location: Option<Text>,
}

impl RawError {
    /// The file that could not be parsed.
    fn file(&self) -> Option<String> {
        let file = self.location.as_ref()?.0.trim().strip_prefix("Could not parse ")?.trim();
        Some(file.strip_prefix("./").unwrap_or(file).to_owned()).filled()
    }

    fn text(self) -> String {
        let location = self.location.filled().map(|location| format!(" ({location})")).unwrap_or_default();
        format!("{}{location}", self.error.0)
    }
}

#[derive(Deserialize)]
struct RawWarning {
    warning_type: Text,
    warning_code: Option<Text>,
    fingerprint: Option<Text>,
    check_name: Option<Text>,
    message: Text,
    file: Option<Text>,
    #[serde(default)]
    line: Number,
    link: Option<Text>,
    code: Option<Text>,
    user_input: Option<Text>,
    confidence: Option<Text>,
    #[serde(default)]
    cwe_id: Many<Text>,
    location: Option<RawLocation>,
    /// The reason to ignore the warning, as a person wrote it.
    note: Option<Text>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLocation {
    In {
        class: Option<Text>,
        method: Option<Text>,
        template: Option<Text>,
        model: Option<Text>,
        controller: Option<Text>,
    },
    Other(serde::de::IgnoredAny),
}

impl RawLocation {
    fn text(self) -> Option<String> {
        let Self::In { class, method, template, model, controller } = self else { return None };
        let parts: Vec<String> =
            [class, method, template, model, controller].into_iter().flatten().filter_map(Filled::filled).collect();
        parts.join("#").filled()
    }
}

impl RawWarning {
    fn into_finding(self, ignored: bool) -> Finding {
        let kind = self.warning_type.0;
        let number: Option<u32> = self.warning_code.and_then(|code| code.0.parse().ok());
        let check = self.check_name.filled();
        let rule = match (number, &check) {
            (Some(number), _) => format!("BRAKE{number:04}"),
            (None, Some(check)) => check.clone(),
            (None, None) => kind.clone(),
        };
        let line = self.line.line();
        let code = self.code.filled();
        let note = self.note.filled();
        let mut finding = Finding {
            confidence: self.confidence.as_ref().map(|word| word.0.clone()),
            cwes: cwe::numbers(self.cwe_id.0.iter().map(|id| id.0.as_str())),
            references: self.link.filled().into_iter().collect(),
            location: self.file.filled().map(|path| Location::lines(path, line, None)),
            code: code.as_deref().and_then(|code| snippet::plain(code, line)),
            suppressed: ignored.then(|| note.unwrap_or_else(|| "ignored_warnings".to_owned())),
            ..Finding::new(Kind::Code, rule, kind, self.message.0)
        };
        SCANNER.rating().word(self.confidence.as_ref().map(|word| word.0.as_str())).apply(&mut finding);
        if let Some(fingerprint) = self.fingerprint.filled() {
            finding.fingerprints.insert("brakeman/v1".to_owned(), fingerprint);
        }
        let location = self.location.and_then(RawLocation::text);
        let user_input = self.user_input.filled();
        let found_by = check.clone();
        for (name, text) in [("check_name", found_by), ("user_input", user_input), ("location", location)] {
            finding.raw.extend(text.map(|text| (name.to_owned(), text)));
        }
        if let (Some(code), true) = (code, check.is_some_and(|check| SECRETS.contains(&check.as_str()))) {
            snippet::attach_secrets(&mut finding, &code);
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const WARNING: &str = r#"{"warning_type": "SQL Injection", "warning_code": 0, "fingerprint": "0a1b", "check_name": "SQL",
        "message": "Possible SQL injection", "file": "app/models/note.rb", "line": 12, "link": "https://brakemanscanner.org/sql",
        "code": "Note.where(\"id = #{params[:id]}\")", "render_path": null,
        "location": {"type": "method", "class": "Note", "method": "pick"}, "user_input": "params[:id]",
        "confidence": "High", "cwe_id": [89]}"#;

    fn report(warnings: &str, ignored: &str, errors: &str) -> String {
        format!(
            r#"{{"scan_info": {{"app_path": "/notes", "rails_version": "7.1", "brakeman_version": "6.2.1"}},
            "warnings": [{warnings}], "ignored_warnings": [{ignored}], "errors": [{errors}], "obsolete": ["ff"]}}"#
        )
    }

    #[test]
    fn a_warning_becomes_a_finding() {
        let (findings, parsed) = findings(&SCANNER, report(WARNING, "", "").as_bytes()).unwrap();
        assert_eq!(parsed.scanner_version.as_deref(), Some("6.2.1"));
        insta::assert_json_snapshot!(findings, @r##"
        [
          {
            "result": 0,
            "kind": "code",
            "rule": "BRAKE0000",
            "title": "SQL Injection",
            "message": "Possible SQL injection",
            "score": {
              "score": 800,
              "source": "scanner_word"
            },
            "severity_word": "High",
            "scanner_severity": "high",
            "confidence": "High",
            "cwes": [
              89
            ],
            "references": [
              "https://brakemanscanner.org/sql"
            ],
            "location": {
              "path": "app/models/note.rb",
              "line": 12
            },
            "code": {
              "first_line": 12,
              "lines": [
                "Note.where(\"id = #{params[:id]}\")"
              ]
            },
            "fingerprints": {
              "brakeman/v1": "0a1b"
            },
            "raw": {
              "check_name": "SQL",
              "location": "Note#pick",
              "user_input": "params[:id]"
            }
          }
        ]
        "##);
    }

    #[test]
    fn what_the_list_of_ignored_warnings_names_is_suppressed() {
        let noted = WARNING.replace("\"cwe_id\"", "\"note\": \"ids are numbers\", \"cwe_id\"");
        let (findings, parsed) =
            findings(&SCANNER, report(WARNING, &format!("{WARNING}, {noted}"), "").as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.suppressed), (1, 2));
        let marks: Vec<_> = findings.iter().map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(marks, [None, Some("ignored_warnings"), Some("ids are numbers")]);
    }

    #[test]
    fn confidence_becomes_the_documented_scores() {
        for (word, expected) in [("High", Some(800)), ("Medium", Some(550)), ("Weak", Some(200)), ("Sure", None)] {
            let warning = WARNING.replace("\"High\"", &format!("\"{word}\""));
            let (findings, _) = findings(&SCANNER, report(&warning, "", "").as_bytes()).unwrap();
            assert_eq!(findings[0].score.map(|scored| scored.score.hundredths()), expected, "{word}");
        }
    }

    #[test]
    fn a_password_in_the_code_is_masked() {
        let warning = r#"{"warning_type": "Basic Auth", "warning_code": 9, "check_name": "BasicAuth", "message": "in source code",
            "code": "http_basic_authenticate_with(:name => \"ann\", :password => \"hunter2hunter2\")", "line": 3,
            "file": "a.rb", "location": "app"}"#;
        let (findings, _) = findings(&SCANNER, report(warning, "", "").as_bytes()).unwrap();
        let stored = serde_json::to_string(&findings).unwrap();
        assert!(!stored.contains("hunter2hunter2") && findings[0].secret.is_some(), "{stored}");
    }

    #[test]
    fn a_file_that_brakeman_could_not_parse_is_a_blind_spot_and_other_errors_have_no_reach() {
        let summary = |location: &str| {
            let error = format!(r#"{{"error": "parse error on value", "location": "{location}"}}"#);
            findings(&SCANNER, report("", "", &error).as_bytes()).unwrap().1.summary
        };
        for (file, reach) in [
            ("a.rb", Reach::File("a.rb".to_owned())),
            ("/notes/lib/a.rb", Reach::File("lib/a.rb".to_owned())),
            ("/elsewhere/a.rb", Reach::Everything),
        ] {
            let summary = summary(&format!("Could not parse {file}"));
            assert_eq!((summary.is_complete(), &summary.blind_spots[0].reach), (true, &reach), "{file}");
        }
        let errors = summary("/gems/brakeman/checks.rb:12:in `run'").scanner_errors;
        assert_eq!(errors, ["parse error on value (/gems/brakeman/checks.rb:12:in `run')"]);
    }

    #[test]
    fn a_clean_report_needs_the_list_and_the_version() {
        assert!(findings(&SCANNER, report("", "", "").as_bytes()).unwrap().1.summary.is_complete());
        assert!(failure(&SCANNER, br#"{"warnings": []}"#).contains("`scan_info`"));
        assert!(failure(&SCANNER, br#"{"scan_info": {"brakeman_version": "1"}}"#).contains("`warnings`"));
    }
}
