//! Nuclei, <https://docs.projectdiscovery.io/tools/nuclei>: scanner that runs templates against addresses. Reads its
//! JSON, one result per line (`-jsonl`, formerly `-json`) or as a list (`-json-export`), as versions 2 and 3 write it.
//!
//! A result is a match of a template at an address. The rule is the template's id. The name of the matcher (such as the
//! missing header) is the parameter, so matches of several matchers are occurrences of one issue. With
//! `-matcher-status`, Nuclei also lists templates that did not match. They are passed. One with an error is a blind
//! spot over the template.
//!
//! Severities are Nuclei's words (critical, high, medium, low, info), with scores in the middle of the severity of that
//! name; `unknown` is unassigned. The CVSS of a template is preferred.
//!
//! Requests and responses are not stored, since they contain cookies and passwords. A report with requests or responses
//! counts as one that contains secrets. Values that templates for tokens and keys extract are secrets, and are masked.

use crate::Scanner;
use crate::reader::json::{self, Loose, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use crate::value::{cwe, secret, web};
use finding::{Endpoint, Epss, Finding, Kind, Location, Reach};
use serde::Deserialize;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "nuclei",
    tool: "nuclei",
    name: "Nuclei",
    aliases: &[],
    versions: "2 and 3",
    category: "DAST",
    notation: Notation::JsonLines,
    formats: "JSON lines (`-jsonl`), JSON list (`-json-export`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[("component_name", "empty: the name of a matcher is not a package; it is the finding's parameter")],
    detect,
    parse,
};

/// Tags of templates whose extracted results are secrets.
const SECRET_TAGS: [&str; 6] = ["token", "tokens", "key", "keys", "secret", "secrets"];

fn detect(sniff: &Sniff) -> bool {
    let line = |id: &str| sniff.has_all(&[id, "info.severity"]) || sniff.has_all(&[id, "info.name"]);
    let entry = |id: &str| sniff.has_all(&[id, "[].info.severity"]) || sniff.has_all(&[id, "[].info.name"]);
    line("template-id") || line("templateID") || entry("[].template-id") || entry("[].templateID")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let (mut entries, mut valid): (u64, u64) = (0, 0);
    json::values(input, &mut |_, raw| {
        entries += 1;
        let read = json::parse::<RawResult>(raw);
        let result = match read {
            Ok(result) => result,
            Err(reason) => return collector.rejected(reason),
        };
        if result.rule().is_none() {
            return collector.rejected("`template-id` is missing".to_owned());
        }
        valid += 1;
        collector.started(result.timestamp.as_str());
        collect(result, collector)
    })?;
    collector.require(
        valid > 0 || entries == 0,
        "a Nuclei report is a list, or lines, of objects with `template-id` and `info`",
    )
}

fn collect(result: RawResult, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if result.matcher_status == Some(false) {
        let rule = result.rule().map(str::to_owned);
        let Some(error) = result.error.filled() else { return collector.passed() };
        match rule {
            Some(rule) => collector.blind_spot(Reach::Rule(rule), error),
            None => collector.scanner_error(error),
        }
        return collector.not_applicable();
    }
    if result.request.is_some() || result.response.is_some() || result.curl_command.is_some() {
        collector.holds_secrets();
    }
    collector.result(result.into_finding())
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(rename = "template-id", alias = "templateID", alias = "template_id")]
    template_id: Option<Text>,
    #[serde(default)]
    info: RawInfo,
    r#type: Option<Text>,
    host: Option<Text>,
    port: Option<Text>,
    ip: Option<Text>,
    #[serde(rename = "matched-at", alias = "matched", alias = "matched_at")]
    matched: Option<Text>,
    #[serde(rename = "matcher-name", alias = "matcher_name")]
    matcher: Option<Text>,
    #[serde(rename = "extractor-name", alias = "extractor_name")]
    extractor: Option<Text>,
    #[serde(rename = "extracted-results", alias = "extracted_results", default)]
    extracted: Many<Text>,
    #[serde(rename = "matched-line", default)]
    lines: Many<Number>,
    #[serde(rename = "matcher-status")]
    matcher_status: Option<bool>,
    error: Option<Text>,
    timestamp: Loose<Text>,
    #[serde(rename = "fuzzing_parameter")]
    fuzzed: Option<Text>,
    #[serde(rename = "fuzzing_method")]
    fuzzed_method: Option<Text>,
    request: Option<serde::de::IgnoredAny>,
    response: Option<serde::de::IgnoredAny>,
    #[serde(rename = "curl-command", alias = "curl_command")]
    curl_command: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct RawInfo {
    name: Option<Text>,
    severity: Option<Text>,
    description: Option<Text>,
    impact: Option<Text>,
    remediation: Option<Text>,
    #[serde(default, alias = "references")]
    reference: Many<Text>,
    #[serde(default)]
    tags: Many<Text>,
    #[serde(default)]
    classification: Option<RawClassification>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct RawClassification {
    cve_id: Many<Text>,
    cwe_id: Many<Text>,
    cvss_metrics: Option<Text>,
    cvss_score: Number,
    epss_score: Number,
    epss_percentile: Number,
    cpe: Option<Text>,
}

/// The parts of a list, or of a text with commas.
fn texts(many: &Many<Text>) -> Vec<String> {
    let parts = many.0.iter().flat_map(|text| text.0.split([',', '\n']));
    parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn filled(text: &Option<Text>) -> Option<&str> {
    text.as_ref().map(|text| text.0.trim()).filled()
}

impl RawResult {
    fn rule(&self) -> Option<&str> {
        filled(&self.template_id)
    }

    fn into_finding(self) -> Result<Finding, String> {
        let rule = self.rule().ok_or("`template-id` is missing")?;
        let title = filled(&self.info.name).unwrap_or(rule);
        let class = self.info.classification.as_ref();
        let at = filled(&self.matched).or(filled(&self.host)).unwrap_or_default();
        let file = filled(&self.r#type) == Some("file");
        let mut finding = Finding {
            advisories: class
                .map(|class| texts(&class.cve_id).iter().map(|id| id.to_ascii_uppercase()).collect())
                .unwrap_or_default(),
            description: [&self.info.description, &self.info.impact]
                .into_iter()
                .filter_map(filled)
                .map(str::to_owned)
                .reduce(|all, more| format!("{all}\n{more}")),
            remediation: filled(&self.info.remediation).map(str::to_owned),
            references: self.info.reference.0.iter().flat_map(|text| web::links(&text.0)).collect(),
            cwes: class.map(|class| cwe::numbers(class.cwe_id.0.iter().map(|cwe| cwe.0.as_str()))).unwrap_or_default(),
            epss: class.and_then(epss),
            location: file.then(|| self.location(at)),
            endpoint: if file { None } else { Some(self.endpoint(at)) },
            ..Finding::new(self.kind(at), rule, title, self.message(title, at))
        };
        let cpe = class.and_then(|class| filled(&class.cpe));
        let raw = [
            ("matcher-name", filled(&self.matcher)),
            ("extractor-name", filled(&self.extractor)),
            ("ip", filled(&self.ip)),
            ("cpe", cpe),
        ];
        for (name, value) in raw {
            if let Some(value) = value {
                finding.raw.insert(name.to_owned(), value.to_owned());
            }
        }
        let mut rating = SCANNER.rating().word(filled(&self.info.severity));
        if let Some(class) = class {
            // Only templates about CVEs have a score without a vector, and theirs is CVSS 3.
            rating = match filled(&class.cvss_metrics) {
                Some(vector) => rating.vector(Some(vector), class.cvss_score.0),
                None => rating.base("3.1", class.cvss_score.0),
            };
        }
        rating.apply(&mut finding);
        self.mask_extracted(&mut finding);
        Ok(finding)
    }

    fn kind(&self, at: &str) -> Kind {
        match filled(&self.r#type) {
            Some("http" | "headless" | "websocket" | "offlinehttp") => Kind::Web,
            Some("dns" | "tcp" | "network" | "ssl" | "whois") => Kind::Host,
            Some("file") => Kind::Code,
            Some(_) | None => {
                if at.starts_with("http") {
                    Kind::Web
                } else {
                    Kind::Host
                }
            }
        }
    }

    fn location(&self, at: &str) -> Location {
        Location::lines(at, self.lines.0.iter().find_map(|line| line.line()), None)
    }

    fn endpoint(&self, at: &str) -> Endpoint {
        let mut endpoint = web::address(at);
        if endpoint.protocol.is_none() {
            // `shop.example:443`, the form in results about TLS and DNS.
            (endpoint.host, endpoint.port) = web::host_and_port(at.split('/').next().unwrap_or(at));
            endpoint.url = None;
            endpoint.protocol = filled(&self.r#type).map(str::to_owned);
        }
        endpoint.host = endpoint.host.or_else(|| filled(&self.ip).map(str::to_owned));
        endpoint.port = endpoint.port.or_else(|| filled(&self.port)?.parse().ok());
        endpoint.method = filled(&self.fuzzed_method).map(str::to_owned);
        endpoint.parameter = filled(&self.fuzzed).or(filled(&self.matcher)).map(str::to_owned);
        endpoint
    }

    fn message(&self, title: &str, at: &str) -> String {
        let mut message = match filled(&self.matcher) {
            Some(matcher) => format!("{title} ({matcher}) at {at}"),
            None => format!("{title} at {at}"),
        };
        let extracted: Vec<&str> = self.extracted.0.iter().map(|text| text.0.as_str()).collect();
        if !extracted.is_empty() {
            message = format!("{message}: {}", extracted.join(", "));
        }
        message
    }

    /// Masks the values that a template for secrets extracted.
    fn mask_extracted(&self, finding: &mut Finding) {
        let tags = texts(&self.info.tags);
        if !tags.iter().any(|tag| SECRET_TAGS.contains(&tag.to_ascii_lowercase().as_str())) {
            return;
        }
        let mut extracted = self.extracted.0.iter().map(|text| text.0.trim()).filter(|text| !text.is_empty());
        if let Some(first) = extracted.next() {
            extracted.for_each(|text| secret::redact(finding, text));
            secret::attach(finding, first);
        }
    }
}

fn epss(class: &RawClassification) -> Option<Epss> {
    Some(Epss { probability: class.epss_score.0?, percentile: class.epss_percentile.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const CVE: &str = r#"{"template-id": "CVE-2021-41773", "info": {"name": "Apache 2.4.49 - Path Traversal", "severity": "high",
        "description": "Reads files.", "remediation": "Update.", "reference": ["https://a.example"], "tags": ["cve", "lfi"],
        "classification": {"cve-id": ["CVE-2021-41773"], "cwe-id": ["cwe-22"], "cvss-score": 7.5, "epss-score": 0.97,
        "epss-percentile": 0.999, "cvss-metrics": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}, "type": "http",
        "host": "https://shop.example", "matched-at": "https://shop.example/etc/passwd", "ip": "192.0.2.7", "request": "GET /",
        "matcher-status": true}"#;

    fn one(text: &str) -> Finding {
        findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0)
    }

    #[test]
    fn a_match_becomes_a_finding_without_its_request() {
        let (findings, parsed) = findings(&SCANNER, CVE.as_bytes()).unwrap();
        assert!(parsed.holds_secrets);
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "web",
            "rule": "CVE-2021-41773",
            "title": "Apache 2.4.49 - Path Traversal",
            "message": "Apache 2.4.49 - Path Traversal at https://shop.example/etc/passwd",
            "score": {
              "score": 750,
              "source": "cvss_v3"
            },
            "severity_word": "high",
            "scanner_severity": "high",
            "cvss": [
              {
                "version": "3.1",
                "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                "score": 750
              }
            ],
            "cwes": [
              22
            ],
            "advisories": [
              "CVE-2021-41773"
            ],
            "epss": {
              "probability": 0.97,
              "percentile": 0.999
            },
            "description": "Reads files.",
            "remediation": "Update.",
            "references": [
              "https://a.example"
            ],
            "endpoint": {
              "url": "https://shop.example/etc/passwd",
              "host": "shop.example",
              "port": 443,
              "protocol": "https"
            },
            "raw": {
              "ip": "192.0.2.7"
            }
          }
        ]
        "#);
    }

    #[test]
    fn a_list_lines_and_old_names_are_the_same_report() {
        let list = findings(&SCANNER, format!("[{CVE}, {CVE}]").as_bytes()).unwrap();
        assert_eq!(findings(&SCANNER, format!("{CVE}\n{CVE}\n").as_bytes()).unwrap(), list);
        let old = CVE
            .replace("template-id", "templateID")
            .replace("matched-at", "matched")
            .replace(r#"["cve", "lfi"]"#, r#""cve,lfi""#);
        assert_eq!(one(&old), list.0[0]);
        assert_eq!(findings(&SCANNER, b"[]").unwrap().1.summary.results, 0);
    }

    #[test]
    fn words_become_severities_of_the_same_name() {
        let cases = [
            ("critical", Severity::Critical),
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("low", Severity::Low),
            ("info", Severity::Info),
            ("unknown", Severity::Unassigned),
        ];
        for (word, severity) in cases {
            let text = format!(r#"{{"template-id": "a", "info": {{"name": "n", "severity": "{word}"}}, "host": "h"}}"#);
            assert_eq!(one(&text).severity(), severity, "{word}");
        }
    }

    #[test]
    fn matchers_are_occurrences_of_one_rule() {
        let of = |matcher: &str| {
            let finding = one(&format!(
                r#"{{"template-id": "headers", "info": {{"name": "n"}}, "type": "http", "matched-at": "http://a", "matcher-name": "{matcher}"}}"#
            ));
            (finding.rule, finding.endpoint.unwrap().parameter.unwrap())
        };
        assert_eq!(of("x-frame-options"), ("headers".to_owned(), "x-frame-options".to_owned()));
        assert_eq!(of("referrer-policy"), ("headers".to_owned(), "referrer-policy".to_owned()));
    }

    #[test]
    fn templates_that_did_not_match_passed_and_those_with_an_error_are_blind_spots() {
        let passed = CVE.replace("\"matcher-status\": true", "\"matcher-status\": false");
        let failed = passed.replace("\"request\"", "\"error\": \"no route\", \"request\"");
        let (_, parsed) = findings(&SCANNER, format!("{passed}\n{failed}").as_bytes()).unwrap();
        assert_eq!((parsed.summary.passed, parsed.summary.not_applicable), (1, 1));
        let spot = &parsed.summary.blind_spots[0];
        let rule = one(CVE).rule;
        assert_eq!((&spot.reach, spot.reason.as_str()), (&Reach::Rule(rule), "no route"));
        assert!(parsed.summary.is_complete());
    }

    #[test]
    fn values_that_templates_for_tokens_extract_are_masked() {
        let finding = one(
            r#"{"template-id": "aws-access-key", "info": {"name": "n", "tags": "exposure,token"}, "type": "http",
            "matched-at": "https://shop.example/app.js", "extracted-results": ["AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"]}"#,
        );
        let stored = serde_json::to_string(&finding).unwrap();
        assert!(finding.secret.is_some() && !stored.contains("IOSFODNN7"), "{stored}");
    }

    #[test]
    fn places_of_hosts_and_files_are_read() {
        let tls = one(
            r#"{"template-id": "tls", "info": {"name": "n"}, "type": "ssl", "host": "a.example", "matched-at": "a.example:443"}"#,
        );
        let endpoint = tls.endpoint.unwrap();
        assert_eq!((tls.kind, endpoint.host.as_deref(), endpoint.port), (Kind::Host, Some("a.example"), Some(443)));
        let file = one(
            r#"{"template-id": "f", "info": {"name": "n"}, "type": "file", "matched-at": "src/a.js", "matched-line": [7, 9]}"#,
        );
        assert_eq!(file.location.unwrap().line, Some(7));
    }

    #[test]
    fn invalid_entries_are_rejected_and_a_report_with_only_invalid_entries_is_refused() {
        let (findings, parsed) = findings(&SCANNER, format!("{CVE}\n{{}}\n5\n").as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 2));
        assert!(failure(&SCANNER, b"{}").contains("a Nuclei report is"));
    }
}
