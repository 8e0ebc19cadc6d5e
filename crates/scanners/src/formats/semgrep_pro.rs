//! The findings of Semgrep's platform (Semgrep AppSec Platform, formerly Semgrep Pro), <https://semgrep.dev>, as its
//! API lists them: `GET /api/v1/deployments/{}/findings` for code and dependencies (`issue_type`), and
//! `GET /api/v1/deployments/{}/secrets` for secrets.
//!
//! Each element of `findings[]` is a result. Results with the status or state `fixed`, `removed` or `resolved` are
//! closed; ignored and muted ones are suppressed, with the reason given at triage. Rules have the same names as in the
//! tool's own reports, so an issue stays the same. Severities are the words of the tool's documentation.

use crate::Scanner;
use crate::formats::semgrep::{self, add_raw};
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use finding::{Epss, Finding, Kind, Location, Package};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "semgrep-pro",
    tool: "semgrep",
    name: "Semgrep AppSec Platform",
    aliases: &["semgrep-platform", "semgrep-app"],
    versions: "API v1",
    category: "SAST",
    notation: Notation::Json,
    formats: "JSON of the API's findings and secrets",
    severities: "critical 9.5, high 8.0, medium 5.5, low 2.0 (Semgrep's documentation of a rule's severity)",
    severity_words: semgrep::SCANNER.severity_words,
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.has_all(&["findings[].match_based_id", "findings[].rule_name"])
        || sniff.has_all(&["findings[].rule_name", "findings[].triage_state"])
        || sniff.has_all(&["findings[].findingPath", "findings[].validationState"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let seen = json::walk(input, &["findings[]"], &mut |item| {
        let raw = item.read::<Raw>().and_then(|raw| match raw {
            Raw { rule_name: Some(_), .. } | Raw { finding_path: Some(_), .. } => Ok(raw),
            Raw { .. } => Err("`rule_name` and `findingPath` are both missing".to_owned()),
        });
        match raw {
            Ok(raw) if raw.is_closed() => collector.closed(),
            raw => collector.result(raw.map(Raw::into_finding)),
        }
    })?;
    seen.require(collector, &[0], "the platform's findings are an object with the list `findings`")
}

#[derive(Deserialize)]
struct Raw {
    id: Loose<Text>,
    match_based_id: Loose<Text>,
    rule_name: Option<String>,
    rule_message: Loose<Text>,
    status: Loose<Text>,
    state: Loose<Text>,
    triage_state: Loose<Text>,
    triage_reason: Loose<Text>,
    triage_comment: Loose<Text>,
    severity: Loose<Text>,
    confidence: Loose<Text>,
    location: Loose<RawLocation>,
    rule: Loose<RawRule>,
    line_of_code_url: Loose<Text>,
    vulnerability_identifier: Loose<Text>,
    found_dependency: Loose<RawDependency>,
    fix_recommendations: Loose<Vec<RawDependency>>,
    epss_score: Loose<RawEpss>,
    reachability: Loose<Text>,
    // Fields of secrets.
    #[serde(rename = "findingPath")]
    finding_path: Option<String>,
    #[serde(rename = "type")]
    secret_type: Loose<Text>,
    #[serde(rename = "validationState")]
    validation_state: Loose<Text>,
    #[serde(rename = "findingPathUrl")]
    finding_path_url: Loose<Text>,
}

#[derive(Deserialize)]
struct RawLocation {
    file_path: Loose<Text>,
    line: Loose<Number>,
    end_line: Loose<Number>,
    column: Loose<Number>,
}

#[derive(Deserialize, Default)]
struct RawRule {
    name: Loose<Text>,
    message: Loose<Text>,
    category: Loose<Text>,
    cwe_names: Loose<Many<Text>>,
    owasp_names: Loose<Many<Text>>,
}

#[derive(Deserialize)]
struct RawDependency {
    package: String,
    version: Loose<Text>,
    ecosystem: Loose<Text>,
}

#[derive(Deserialize)]
struct RawEpss {
    score: Loose<Number>,
    percentile: Loose<Number>,
}

impl Raw {
    /// True if the finding was fixed, or its code was removed.
    fn is_closed(&self) -> bool {
        let closed = ["fixed", "removed", "resolved"];
        [&self.status, &self.state]
            .into_iter()
            .filter_map(Loose::as_str)
            .any(|word| closed.contains(&without_prefix(word).as_str()))
    }

    fn suppressed(&self) -> Option<String> {
        let words = [&self.status, &self.state, &self.triage_state];
        let hidden = |word: &&str| ["ignored", "muted"].contains(&without_prefix(word).as_str());
        let word = words.into_iter().filter_map(Loose::as_str).find(hidden)?;
        let why = [&self.triage_reason, &self.triage_comment].into_iter().filter_map(Loose::as_str);
        Some([word].into_iter().chain(why).collect::<Vec<_>>().join(": "))
    }

    fn into_finding(self) -> Finding {
        let suppressed = self.suppressed();
        let rule = self.rule.0.unwrap_or_default();
        let secret_type = self.secret_type.filled().unwrap_or_else(|| "secret".to_owned());
        let (id, mut kind) = match self.rule_name {
            Some(name) => (name, Kind::Code),
            None => (secret_type, Kind::Secret),
        };
        if id.split('.').any(|part| part == "secrets") {
            kind = Kind::Secret;
        }
        let title = id.rsplit('.').next().unwrap_or(&id).to_owned();
        let message = self.rule_message.filled().or(rule.message.filled()).unwrap_or_else(|| title.clone());
        let mut finding = Finding {
            tool_id: self.id.filled(),
            suppressed,
            confidence: self.confidence.as_str().map(without_prefix),
            cwes: cwe::numbers(rule.cwe_names.texts().iter().map(String::as_str)),
            advisories: self.vulnerability_identifier.filled().into_iter().collect(),
            references: [self.line_of_code_url, self.finding_path_url].into_iter().filter_map(Loose::filled).collect(),
            location: self
                .location
                .0
                .and_then(RawLocation::into_location)
                .or(self.finding_path.map(location_from_path)),
            epss: self.epss_score.0.and_then(|epss| {
                Some(Epss { probability: epss.score.number()?, percentile: epss.percentile.number() })
            }),
            ..Finding::new(kind, id, title, message)
        };
        finding.fingerprints.extend(self.match_based_id.filled().map(|id| ("matchBasedId/v1".to_owned(), id)));
        if let Some(found) = self.found_dependency.0 {
            let fixes = self.fix_recommendations.0.unwrap_or_default();
            finding.kind = Kind::Dependency;
            finding.package = Some(Package {
                fixed_versions: fixes
                    .into_iter()
                    .filter(|fix| fix.package == found.package)
                    .filter_map(|fix| fix.version.filled())
                    .collect(),
                name: found.package,
                version: found.version.filled(),
                ecosystem: found.ecosystem.filled().map(|ecosystem| ecosystem.to_ascii_lowercase()),
                purl: None,
            });
        }
        let owasp = rule.owasp_names.texts().join(", ").filled();
        let kept = [
            ("category", rule.category.filled()),
            ("owasp", owasp),
            ("rule", rule.name.filled()),
            ("reachability", self.reachability.filled()),
            ("validationState", self.validation_state.filled()),
        ];
        add_raw(&mut finding, kept);
        SCANNER.rating().word(self.severity.as_str().map(without_prefix).as_deref()).apply(&mut finding);
        finding
    }
}

impl RawLocation {
    fn into_location(self) -> Option<Location> {
        let line = self.line.line();
        Some(Location::lines(self.file_path.filled()?, line, self.end_line.line()).with_column(self.column.line()))
    }
}

/// A word in lower case without the prefix that older parts of the API write: `FINDING_STATUS_OPEN`, `SEVERITY_HIGH`.
fn without_prefix(word: &str) -> String {
    let word = word.to_ascii_lowercase();
    let prefixes = ["finding_status_", "severity_", "confidence_"];
    prefixes.into_iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(&word).to_owned()
}

/// Parses `src/main.py:12`.
fn location_from_path(path: String) -> Location {
    match path.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => Location::lines(path, Some(line), None),
        None => Location::file(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        let path = format!("{}/fixtures/semgrep-pro/{file}", env!("CARGO_MANIFEST_DIR"));
        findings(&SCANNER, &std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn fixed_findings_are_closed_and_ignored_or_muted_ones_are_suppressed() {
        let (findings, parsed) = read("findings.json");
        let summary = parsed.summary;
        assert_eq!((summary.results, summary.findings, summary.suppressed, summary.closed), (5, 2, 2, 1));
        let suppressed: Vec<_> = findings.iter().filter_map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(suppressed, ["ignored: acceptable_risk: Only the owner calls it.", "muted"]);
    }

    #[test]
    fn a_finding_has_the_rule_and_the_fingerprint_of_the_tools_own_report() {
        let finding = &read("findings.json").0[0];
        assert_eq!((finding.kind, finding.rule.as_str()), (Kind::Code, "python.notes.subprocess-shell-true"));
        assert_eq!(finding.fingerprints["matchBasedId/v1"], "c0ffee02_0");
        assert_eq!((finding.tool_id.as_deref(), finding.cwes.as_slice()), (Some("11"), &[78][..]));
        assert_eq!(finding.score.unwrap().score.hundredths(), 800);
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line, location.end_line), ("notes/store.py", Some(9), Some(11)));
    }

    #[test]
    fn a_dependency_is_one_of_its_advisory() {
        let finding = &read("findings.json").0[3];
        let package = finding.package.as_ref().unwrap();
        assert_eq!(
            (finding.kind, finding.advisories.as_slice()),
            (Kind::Dependency, &["CVE-2021-23337".to_owned()][..])
        );
        assert_eq!((package.name.as_str(), package.fixed_versions.as_slice()), ("lodash", &["4.17.21".to_owned()][..]));
        assert_eq!(finding.epss.map(|epss| epss.probability), Some(0.02));
    }

    #[test]
    fn secrets_are_read_from_their_own_list() {
        let (findings, parsed) = read("secrets.json");
        let location = findings[0].location.as_ref().unwrap();
        assert_eq!(
            (findings[0].kind, location.path.as_str(), location.line),
            (Kind::Secret, "notes/store.py", Some(4))
        );
        assert_eq!((findings[0].severity().as_str(), parsed.summary.closed), ("high", 1));
    }

    #[test]
    fn an_entry_without_a_rule_is_rejected_and_a_report_without_the_list_is_refused() {
        let (_, parsed) = findings(&SCANNER, br#"{"findings": [{"id": 1}, 5]}"#).unwrap();
        assert_eq!(parsed.summary.rejected, 2);
        assert!(failure(&SCANNER, br#"{"results": 1}"#).contains("`findings`"));
    }
}
