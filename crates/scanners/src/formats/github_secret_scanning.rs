//! GitHub secret scanning, <https://docs.github.com/rest/secret-scanning>. Reads the alerts as the REST API lists them,
//! of a repository, an organisation or an enterprise.
//!
//! Each alert is a result. One that is resolved as `revoked` is closed; any other resolution (`false_positive`,
//! `wont_fix`, `used_in_tests`, `pattern_edited`, `pattern_deleted`) leaves the secret where it is and valid, so it is
//! a suppressed finding with GitHub's reason. The report has the secret in clear; it is masked.
//!
//! GitHub gives no severity. The score follows from the secret's validity: active and publicly leaked is critical,
//! active is high, everything else is medium.

use crate::Scanner;
use crate::formats::github;
use crate::reader::json::{Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::secret;
use finding::{Finding, Kind, Location};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "github-secret-scanning",
    tool: "github-secret-scanning",
    name: "GitHub secret scanning",
    aliases: &["github-secrets-detection-report", "github-secrets"],
    versions: "REST API 2022-11-28",
    category: "Secrets",
    notation: Notation::Json,
    formats: "JSON, the REST API's list of alerts (`gh api repos/OWNER/REPO/secret-scanning/alerts --paginate`)",
    severities: "GitHub gives none; by the secret's validity: active and publicly leaked 9.5, active 8.0, otherwise 5.5",
    severity_words: &[("leaked", 950), ("active", 800), ("unknown", 550), ("inactive", 550)],
    differences: &[
        (
            "severity",
            "a resolved alert keeps the severity of its secret and is marked as suppressed; others call it informational",
        ),
        ("vuln_id_from_tool", "an alert resolved as revoked is closed, so it is not a finding"),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    ["", "[].", "[][]."].iter().any(|list| {
        let has = |field: &str| sniff.has(&format!("{list}{field}"));
        has("secret_type")
            && (has("secret_type_display_name") || has("locations_url") || has("push_protection_bypassed"))
    })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    collector.container();
    github::alerts(input, &mut |raw| {
        match crate::reader::json::parse::<RawAlert>(raw) {
            Err(error) => {
                // An alert that cannot be read may still contain a secret.
                collector.holds_secrets();
                collector.rejected(error)?;
                return Ok(false);
            }
            Ok(alert) if alert.is_closed() => {
                collector.holds_secrets();
                collector.closed()?;
            }
            Ok(alert) => collector.result(alert.into_finding())?,
        }
        Ok(true)
    })
}

#[derive(Deserialize)]
struct RawAlert {
    number: Option<Text>,
    state: Option<Text>,
    resolution: Option<Text>,
    resolution_comment: Option<Text>,
    secret_type: Text,
    secret_type_display_name: Option<Text>,
    secret: Option<Text>,
    html_url: Option<Text>,
    created_at: Option<Text>,
    validity: Option<Text>,
    publicly_leaked: Option<Text>,
    multi_repo: Option<Text>,
    push_protection_bypassed: Option<Text>,
    has_more_locations: Option<Text>,
    first_location_detected: Option<RawLocation>,
    #[serde(default)]
    locations: Many<RawLocationEntry>,
    repository: Option<Value>,
}

/// An entry of the list that the API gives under `locations_url`.
#[derive(Deserialize)]
struct RawLocationEntry {
    #[serde(default)]
    details: Option<RawLocation>,
}

/// A location in a file, or the address of an issue, a discussion or a pull request.
#[derive(Deserialize)]
struct RawLocation {
    path: Option<Text>,
    #[serde(default)]
    start_line: Number,
    #[serde(default)]
    end_line: Number,
    #[serde(default)]
    start_column: Number,
    commit_sha: Option<Text>,
    #[serde(
        alias = "issue_body_url",
        alias = "issue_comment_url",
        alias = "discussion_title_url",
        alias = "discussion_body_url"
    )]
    #[serde(alias = "discussion_comment_url", alias = "pull_request_title_url", alias = "pull_request_body_url")]
    #[serde(
        alias = "pull_request_comment_url",
        alias = "pull_request_review_url",
        alias = "pull_request_review_comment_url"
    )]
    issue_title_url: Option<Text>,
}

impl RawAlert {
    fn is_closed(&self) -> bool {
        let is =
            |field: &Option<Text>, word: &str| field.as_ref().is_some_and(|text| text.0.eq_ignore_ascii_case(word));
        let resolved = is(&self.state, "resolved");
        is(&self.resolution, "revoked") || (resolved && github::filled(self.resolution.clone()).is_none())
    }

    fn into_finding(self) -> Result<Finding, String> {
        const RESOLUTIONS: [&str; 7] = [
            "false_positive",
            "wont_fix",
            "revoked",
            "used_in_tests",
            "pattern_edited",
            "pattern_deleted",
            "hidden_by_config",
        ];
        let (state, resolution) = (github::filled(self.state), github::filled(self.resolution));
        github::known_state(state.as_deref(), &["open", "resolved"])?;
        github::known_state(resolution.as_deref(), &RESOLUTIONS)?;
        let kind = github::filled(self.secret_type_display_name).unwrap_or_else(|| self.secret_type.0.clone());
        let validity = github::filled(self.validity).unwrap_or_else(|| "unknown".to_owned());
        let leaked = self.publicly_leaked.as_ref().is_some_and(|leaked| leaked.0.eq_ignore_ascii_case("true"));
        let word = if validity == "active" && leaked { "leaked" } else { validity.as_str() };
        let mut raw_locations: Vec<RawLocation> = self.first_location_detected.into_iter().collect();
        raw_locations.extend(self.locations.0.into_iter().filter_map(|entry| entry.details));
        let commit = raw_locations.first().and_then(|location| github::filled(location.commit_sha.clone()));
        let mut locations: Vec<Location> = Vec::new();
        for location in raw_locations.into_iter().filter_map(RawLocation::into_location) {
            if !locations.contains(&location) {
                locations.push(location);
            }
        }
        let mut locations = locations.into_iter();
        let message = format!("{kind} found");
        let mut finding = Finding {
            references: github::filled(self.html_url).into_iter().collect(),
            location: locations.next(),
            other_locations: locations.collect(),
            tool_id: github::filled(self.number),
            ..Finding::new(Kind::Secret, self.secret_type.0, kind, message)
        };
        if let Some(reason) = resolution {
            finding.suppressed =
                Some(github::dismissal("resolved", Some(reason), github::filled(self.resolution_comment)));
        } else if let Some(state) = state.filter(|state| !state.eq_ignore_ascii_case("open")) {
            finding.suppressed = Some(state);
        }
        let fields = [
            ("validity", Some(validity.clone())),
            ("publicly_leaked", github::filled(self.publicly_leaked)),
            ("multi_repo", github::filled(self.multi_repo)),
            ("push_protection_bypassed", github::filled(self.push_protection_bypassed)),
            ("has_more_locations", github::filled(self.has_more_locations)),
            ("commit_sha", commit),
            ("created_at", github::filled(self.created_at)),
            ("repository", github::repository(self.repository.as_ref())),
        ];
        finding.raw.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        SCANNER.rating().word(Some(word)).apply(&mut finding);
        // The word is derived from the secret's validity; it is not a severity of GitHub's.
        finding.severity_word = None;
        if let Some(secret) = self.secret.filled() {
            secret::attach(&mut finding, &secret);
        }
        Ok(finding)
    }
}

impl RawLocation {
    fn into_location(self) -> Option<Location> {
        let (line, end) = (self.start_line.line(), self.end_line.line());
        Some(
            Location::lines(github::filled(self.path).or_else(|| github::filled(self.issue_title_url))?, line, end)
                .with_column(self.start_column.line()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(fields: &str) -> String {
        format!(
            r#"[{{"number": 1, "secret_type": "shop_token", "secret_type_display_name": "Shop token",
            "secret": "shp_0123456789abcdef", {fields}}}]"#
        )
    }

    #[test]
    fn each_resolution_is_counted_as_documented() {
        for (fields, counts, words) in [
            (r#""state": "open", "resolution": null"#, (1, 0, 0), None),
            (r#""state": "resolved", "resolution": "revoked""#, (0, 0, 1), None),
            (r#""state": "resolved", "resolution": null"#, (0, 0, 1), None),
            (r#""state": "resolved", "resolution": "false_positive""#, (0, 1, 0), Some("resolved: false_positive")),
            (
                r#""state": "resolved", "resolution": "wont_fix", "resolution_comment": "demo""#,
                (0, 1, 0),
                Some("resolved: wont_fix: demo"),
            ),
            (r#""state": "resolved", "resolution": "used_in_tests""#, (0, 1, 0), Some("resolved: used_in_tests")),
            (r#""state": "resolved", "resolution": "pattern_deleted""#, (0, 1, 0), Some("resolved: pattern_deleted")),
        ] {
            let (found, parsed) = findings(&SCANNER, report(fields).as_bytes()).unwrap();
            let summary = &parsed.summary;
            assert_eq!((summary.findings, summary.suppressed, summary.closed), counts, "{fields}");
            assert_eq!(found.first().and_then(|finding| finding.suppressed.as_deref()), words, "{fields}");
            assert!(parsed.holds_secrets, "{fields}");
        }
    }

    #[test]
    fn the_score_follows_from_the_secrets_validity() {
        for (fields, score) in [
            (r#""validity": "active", "publicly_leaked": true"#, 950),
            (r#""validity": "active", "publicly_leaked": false"#, 800),
            (r#""validity": "inactive", "publicly_leaked": true"#, 550),
            (r#""validity": "unknown""#, 550),
            (r#""state": "open""#, 550),
        ] {
            let (found, _) = findings(&SCANNER, report(fields).as_bytes()).unwrap();
            assert_eq!(found[0].score.unwrap().score.hundredths(), score, "{fields}");
        }
    }

    #[test]
    fn the_secret_is_masked_and_every_location_is_stored() {
        let fields = r#""first_location_detected": {"path": "a.env", "start_line": 2, "end_line": 2},
            "locations": [{"type": "commit", "details": {"path": "a.env", "start_line": 2, "end_line": 2}},
                {"type": "issue_body", "details": {"issue_body_url": "https://api.example/issues/5"}}],
            "resolution": "wont_fix", "resolution_comment": "shp_0123456789abcdef is public""#;
        let (found, _) = findings(&SCANNER, report(fields).as_bytes()).unwrap();
        let stored = serde_json::to_string(&found).unwrap();
        assert!(!stored.contains("shp_0123456789abcdef"), "{stored}");
        assert_eq!(found[0].location.as_ref().map(|l| (l.path.as_str(), l.line)), Some(("a.env", Some(2))));
        assert_eq!(found[0].other_locations[0].path, "https://api.example/issues/5");
    }

    #[test]
    fn a_bad_alert_is_rejected_and_a_report_without_alerts_is_refused() {
        let text = format!("[{{\"number\": 3}}, {}", &report(r#""state": "open""#)[1..]);
        let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((found.len(), parsed.summary.rejected), (1, 1));
        assert!(failure(&SCANNER, br#"[{"number": 3}]"#).contains("no entry is an alert of this kind"));
    }
}
