//! detect-secrets, <https://github.com/Yelp/detect-secrets>: secrets in the files of a project. Reads the baseline that
//! `detect-secrets scan` writes (JSON), as versions 0.9 to 1.5 and IBM's fork write it, audited or not.
//!
//! Each element of a file's list below `results` is a finding. A result that an audit marked as no secret (`is_secret`
//! false) is suppressed. The report has the SHA-1 of each secret and never the secret itself; this hash identifies the
//! secret. detect-secrets gives no severity: every secret is high, 8.0.

use crate::Scanner;
use crate::reader::json::{self, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::leak;
use crate::value::secret;
use finding::{Finding, Location};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "detect-secrets",
    tool: "detect-secrets",
    name: "detect-secrets",
    aliases: &["detectsecrets"],
    versions: "0.9 to 1.5",
    category: "Secrets",
    notation: Notation::Json,
    formats: "the baseline (JSON) that `detect-secrets scan` writes",
    severities: "every secret 8.0 (detect-secrets gives no severity)",
    severity_words: &[],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["plugins_used", "results"]) && (sniff.has("generated_at") || sniff.has("filters_used"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    // The last path shows if the object `results` exists, even if it is empty: no file is called `/`.
    let paths = ["results{}[]", "plugins_used[]", "version", "results./", "generated_at"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => collector.result(item.read::<RawSecret>().map(|secret| secret.into_finding(item.name(0)))),
        2 => {
            if let Ok(version) = item.read::<Text>() {
                collector.version(version.0);
            }
            Ok(())
        }
        3 => collector.rejected("`/` is not a file name".to_owned()),
        4 => item.ended(collector),
        _ => Ok(()),
    })?;
    seen.require(collector, &[1, 3], "a detect-secrets baseline has the list `plugins_used` and the object `results`")
}

#[derive(Deserialize)]
struct RawSecret {
    r#type: Text,
    filename: Option<Text>,
    hashed_secret: Text,
    is_secret: Option<bool>,
    is_verified: Option<bool>,
    /// True if the secret worked when IBM's fork tried it.
    verified_result: Option<bool>,
    #[serde(default)]
    line_number: Number,
}

impl RawSecret {
    fn into_finding(self, file: &str) -> Finding {
        let path = self.filename.filled().unwrap_or_else(|| file.to_owned());
        let kind = self.r#type.0;
        let mut finding = Finding {
            location: Some(Location::lines(path, self.line_number.line(), None)),
            secret: Some(secret::hashed("sha1", &self.hashed_secret.0)),
            suppressed: self.is_secret.filter(|is| !is).map(|_| "is_secret: false".to_owned()),
            ..leak::finding(&kind, &kind, format!("{kind} found"))
        };
        let text = |value: Option<bool>| value.map(|value| Text(value.to_string()));
        leak::add_raw(
            &mut finding,
            [
                ("is_secret", text(self.is_secret)),
                ("is_verified", text(self.is_verified)),
                ("verified_result", text(self.verified_result)),
            ],
        );
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(results: &str) -> String {
        format!(
            r#"{{"version": "1.5.0", "plugins_used": [{{"name": "AWSKeyDetector"}}], "filters_used": [],
            "results": {results}, "generated_at": "2026-01-02T03:04:05Z"}}"#
        )
    }

    #[test]
    fn an_audited_false_alarm_is_suppressed_and_the_rest_is_not() {
        let secret = |rest: &str| {
            format!(
                r#"{{"type": "AWS Access Key", "filename": "a.py", "hashed_secret": "5737", "line_number": 6 {rest}}}"#
            )
        };
        let list = [
            secret(""),
            secret(r#", "is_secret": true, "is_verified": true"#),
            secret(r#", "is_secret": false"#),
            secret(r#", "is_secret": null, "verified_result": null"#),
        ]
        .join(",");
        let (findings, parsed) = findings(&SCANNER, report(&format!(r#"{{"a.py": [{list}]}}"#)).as_bytes()).unwrap();
        assert_eq!((parsed.summary.findings, parsed.summary.suppressed), (3, 1));
        let marks: Vec<_> = findings.iter().map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(marks, [None, None, Some("is_secret: false"), None]);
        assert_eq!(findings[1].raw["is_verified"], "true");
        assert_eq!(findings[0].secret.as_ref().unwrap().digest, "sha1:5737");
        assert_eq!((findings[0].cwes.as_slice(), parsed.scanner_version.as_deref()), (&[798][..], Some("1.5.0")));
    }

    #[test]
    fn before_version_1_only_the_list_names_the_file() {
        let text = r#"{"generated_at": "2019-01-02T03:04:05Z", "plugins_used": [], "version": "0.12.0", "exclude": {},
            "results": {"conf.d/a.py": [{"hashed_secret": "5737", "line_number": 6, "type": "Private Key"}, 7]}}"#;
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(findings[0].location.as_ref().unwrap().path, "conf.d/a.py");
        assert_eq!((parsed.summary.results, parsed.summary.rejected), (2, 1));
    }

    #[test]
    fn nothing_found_needs_the_object_of_results() {
        assert!(findings(&SCANNER, report("{}").as_bytes()).unwrap().1.summary.is_complete());
        assert!(failure(&SCANNER, br#"{"plugins_used": [], "version": "1"}"#).contains("the object `results`"));
        assert!(failure(&SCANNER, report("[]").as_bytes()).contains("expected an object at `results`, found a list"));
    }
}
