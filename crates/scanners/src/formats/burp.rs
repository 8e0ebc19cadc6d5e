//! Burp Suite, <https://portswigger.net/burp>: scanner and proxy for web applications. Reads the XML of "Report
//! selected issues", as versions 1.6 to 2025 write it.
//!
//! A result is an `issue`: one type of issue at one location. The rule is the number of the issue's type. Extensions
//! share one type (`134217728`), so their rule includes the issue's name.
//!
//! Burp's severities are High, Medium, Low and Information. Each gets the score in the middle of our severity of that
//! name. An issue that a tester set to "False positive" is suppressed. Requests and responses are not stored: they
//! contain cookies and passwords. A report that has some is treated as one that contains secrets.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::reader::xml;
use crate::reader::xml::{Container, Element};
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use crate::value::{cwe, web};
use finding::{Endpoint, Finding, Kind};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "burp",
    tool: "burp",
    name: "Burp Suite",
    aliases: &["burp-suite", "burpsuite"],
    versions: "1.6 to 2025",
    category: "DAST",
    notation: Notation::Xml,
    formats: "XML (Report selected issues, XML), requests and responses in base64 or not",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The type of every issue that an extension reports.
const EXTENSIONS: &str = "134217728";

fn detect(sniff: &Sniff) -> bool {
    sniff.root() == Some("issues")
        && (sniff.root_attribute("burpVersion").is_some() || sniff.has_element("issues/issue/serialNumber"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut issues: u64 = 0;
    let containers = [Container::list("issues", &["issue"])];
    let (root, structure) = xml::walk_within(input, &containers, &["issues/issue"], &mut |found| {
        issues += 1;
        if found.element.all("requestresponse").any(|pair| pair.text_at("request").is_some()) {
            collector.holds_secrets();
        }
        collector.result(issue(&found.element))
    })?;
    collector.ended(root.attribute("exportTime"));
    let version = root.attribute("burpVersion");
    if let Some(version) = version {
        collector.version(version);
    }
    const SHAPE: &str = "a Burp Suite XML report has the outermost element `issues` with a `burpVersion`";
    require(version.is_some() || issues > 0, SHAPE)?;
    structure.require(collector, SHAPE)
}

fn issue(issue: &Element) -> Result<Finding, String> {
    let kind = issue.text_at("type").ok_or("`type` is missing")?;
    let name = issue.text_at("name").ok_or("`name` is missing")?;
    let html = |field: &str| issue.text_at(field).map(web::plain).filled();
    let rule = if kind == EXTENSIONS { format!("{kind}:{name}") } else { kind.to_owned() };
    let location = issue.text_at("location").or(issue.text_at("path"));
    let classifications = issue.text_at("vulnerabilityClassifications").map(web::links).unwrap_or_default();
    let cwes = classifications.iter().map(String::as_str).filter(|link| link.contains("cwe.mitre.org"));
    let mut finding = Finding {
        confidence: issue.owned_at("confidence"),
        cwes: cwe::numbers(cwes),
        description: html("issueBackground"),
        remediation: joined([html("remediationDetail"), html("remediationBackground")]),
        references: issue.text_at("references").map(web::links).unwrap_or_default(),
        endpoint: Some(endpoint(issue)),
        tool_id: issue.owned_at("serialNumber"),
        ..Finding::new(Kind::Web, rule, name, message(issue, name, location))
    };
    if let Some(location) = location {
        finding.raw.insert("location".to_owned(), location.to_owned());
    }
    let severity = issue.text_at("severity");
    finding.suppressed = severity.filter(|word| word.eq_ignore_ascii_case("false positive")).map(str::to_owned);
    SCANNER.rating().word(severity).apply(&mut finding);
    Ok(finding)
}

fn joined(parts: [Option<String>; 2]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n").filled()
}

/// The issue's detail and its items, else its name and location.
fn message(issue: &Element, name: &str, location: Option<&str>) -> String {
    let items = issue.at("issueDetailItems").map(|items| items.all("issueDetailItem"));
    let items = items.into_iter().flatten().map(|item| web::plain(&item.text));
    let parts: Vec<String> = issue.text_at("issueDetail").map(web::plain).into_iter().chain(items).collect();
    match (parts.is_empty(), location) {
        (false, _) => parts.join("\n"),
        (true, Some(location)) => format!("{name} at {location}"),
        (true, None) => name.to_owned(),
    }
}

fn endpoint(issue: &Element) -> Endpoint {
    let host = issue.text_at("host").unwrap_or_default().trim_end_matches('/');
    let mut endpoint = web::address(&format!("{host}{}", issue.text_at("path").unwrap_or_default()));
    endpoint.host = endpoint.host.or_else(|| issue.at("host")?.attribute("ip").map(str::to_owned));
    endpoint.method =
        issue.at("requestresponse/request").and_then(|request| request.attribute("method")).map(str::to_owned);
    endpoint.parameter = issue.text_at("location").and_then(parameter);
    endpoint
}

/// The `q` in `/search [q parameter]` and the `b_id` in `/basket [b_id cookie]`; other locations stay as Burp writes
/// them: `/ [name of an arbitrarily supplied URL parameter]`.
fn parameter(location: &str) -> Option<String> {
    let (_, input) = location.strip_suffix(']')?.split_once(" [")?;
    let name = [" parameter", " cookie"].iter().find_map(|kind| input.strip_suffix(kind));
    Some(name.filter(|name| !name.contains(' ')).unwrap_or(input).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    fn report(issues: &str) -> String {
        format!("<?xml version=\"1.0\"?><issues burpVersion=\"2024.1\" exportTime=\"now\">{issues}</issues>")
    }

    fn one(fields: &str) -> Finding {
        let text = report(&format!("<issue><type>1</type><name>n</name>{fields}</issue>"));
        findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0)
    }

    #[test]
    fn an_issue_becomes_a_finding_without_its_request() {
        let text = report(
            r#"<issue><serialNumber>77</serialNumber><type>2097920</type><name>Cross-site scripting (reflected)</name>
            <host ip="192.0.2.7">https://shop.example</host><path><![CDATA[/find]]></path>
            <location><![CDATA[/find [q parameter]]]></location><severity>High</severity><confidence>Firm</confidence>
            <issueBackground><![CDATA[<p>Background.</p>]]></issueBackground>
            <remediationBackground><![CDATA[<p>Encode.</p>]]></remediationBackground>
            <references><![CDATA[<a href="https://portswigger.example/xss">XSS</a>]]></references>
            <vulnerabilityClassifications><![CDATA[<a href="https://cwe.mitre.org/data/definitions/79.html">CWE-79: x</a>
            <a href="https://capec.mitre.org/data/definitions/591.html">CAPEC-591: y</a>]]></vulnerabilityClassifications>
            <issueDetail><![CDATA[The value of <b>q</b> is copied.]]></issueDetail>
            <requestresponse><request method="GET" base64="true"><![CDATA[R0VUIC8=]]></request></requestresponse></issue>"#,
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.scanner_version.as_deref(), Some("2024.1"));
        assert!(parsed.holds_secrets);
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "web",
            "rule": "2097920",
            "title": "Cross-site scripting (reflected)",
            "message": "The value of q is copied.",
            "score": {
              "score": 800,
              "source": "scanner_word"
            },
            "severity_word": "High",
            "scanner_severity": "high",
            "confidence": "Firm",
            "cwes": [
              79
            ],
            "description": "Background.",
            "remediation": "Encode.",
            "references": [
              "https://portswigger.example/xss"
            ],
            "endpoint": {
              "url": "https://shop.example/find",
              "host": "shop.example",
              "port": 443,
              "protocol": "https",
              "method": "GET",
              "parameter": "q"
            },
            "tool_id": "77",
            "raw": {
              "location": "/find [q parameter]"
            }
          }
        ]
        "#);
    }

    #[test]
    fn severities_keep_their_names_and_a_false_positive_is_suppressed() {
        let cases = [
            ("High", Severity::High),
            ("Medium", Severity::Medium),
            ("Low", Severity::Low),
            ("Information", Severity::Info),
            ("False positive", Severity::Unassigned),
        ];
        for (word, severity) in cases {
            let finding = one(&format!("<severity>{word}</severity>"));
            assert_eq!(finding.severity(), severity, "{word}");
            assert_eq!(finding.suppressed.is_some(), word == "False positive", "{word}");
        }
    }

    #[test]
    fn issues_of_extensions_have_the_name_in_their_rule() {
        let text = report("<issue><type>134217728</type><name>Software version</name></issue>");
        assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0[0].rule, "134217728:Software version");
    }

    #[test]
    fn the_place_inside_a_request_is_the_parameter() {
        let cases = [
            ("/a [q parameter]", Some("q")),
            ("/a [b_id cookie]", Some("b_id")),
            ("/a [Referer HTTP header]", Some("Referer HTTP header")),
            (
                "/ [name of an arbitrarily supplied URL parameter]",
                Some("name of an arbitrarily supplied URL parameter"),
            ),
            ("/a", None),
        ];
        for (location, expected) in cases {
            assert_eq!(parameter(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn an_issue_without_a_type_is_rejected_and_other_lists_of_issues_are_refused() {
        let text = report("<issue><name>n</name></issue><issue><type>1</type><name>n</name></issue>");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 1));
        assert!(failure(&SCANNER, b"<issues format=\"5\"></issues>").contains("burpVersion"));
    }
}
