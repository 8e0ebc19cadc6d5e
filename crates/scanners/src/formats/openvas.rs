//! OpenVAS, the scanner of Greenbone Community Edition, <https://greenbone.github.io/docs/>. Reads its XML report
//! (alone or in a response of the Greenbone Management Protocol) and its CSV report ("CSV Results"), as versions 8 to
//! 22 write them.
//!
//! A result is a `result` element or a row. The rule is the OID of the vulnerability test; CVE scans have the CVE id
//! instead.
//!
//! The severity of OpenVAS is a CVSS base score. The XML report has its vectors; a severity that an override changed
//! counts as changed. The CSV report does not state the CVSS version, so its score counts as the scanner's own. "Log"
//! results are informational, 0. A result overridden as "False Positive" is suppressed.
//!
//! Results with the threat "Error" and errors of the report are blind spots over their host. A run that is not done is
//! incomplete. `hosts/count` is not evidence of a scan of nothing: it may count only hosts with results.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use crate::value::web;
use finding::{Endpoint, Epss, Finding, Kind};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "openvas",
    tool: "openvas",
    name: "OpenVAS",
    aliases: &["greenbone", "gvm"],
    versions: "8 to 22",
    category: "Network",
    notation: Notation::Csv,
    formats: "XML (report format XML), CSV (report format CSV Results)",
    severities: "the CVSS score; without one: critical 9.5, high 8.0, medium 5.5, low 2.0, log 0",
    severity_words: &[
        ("critical", 950),
        ("high", 800),
        ("medium", 550),
        ("low", 200),
        ("log", 0),
        ("debug", 0),
        ("none", 0),
    ],
    differences: &[
        ("severity", "from the CVSS score, not from the word: 9.8 is critical, although OpenVAS' word for it is high"),
        (
            "cvssv3_score",
            "empty for CSV: the report does not state the CVSS version of its score, and old reports use version 2",
        ),
    ],
    detect,
    parse,
};

/// The paths of reports: as the web interface saves them, the inner report alone, in responses of the protocol.
const REPORTS: [&str; 3] = ["report/report", "report", "get_reports_response/report/report"];
const RESULTS_ALONE: &str = "get_results_response/result";

fn detect(sniff: &Sniff) -> bool {
    match sniff.root() {
        Some("report") => {
            let inside =
                ["report/report/gmp", "report/report/omp", "report/report/results", "report/results/result/nvt"];
            sniff.root_attribute("format_id").is_some() || inside.iter().any(|path| sniff.has_element(path))
        }
        Some("get_reports_response" | "get_results_response") => true,
        Some(_) => false,
        None => sniff.has_columns(&["NVT Name", "NVT OID"]) || sniff.has_columns(&["NVT Name", "CVSS"]),
    }
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if Sniff::of(input)?.text().trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return parse_xml(input, collector);
    }
    let taken = table::rows(input, &["NVT Name"], &mut |row| match row {
        Ok(row) => {
            collector.started(row.get("Timestamp"));
            collect(raw_from_row(&row), collector)
        }
        Err(reason) => collector.rejected(reason),
    });
    collector.container();
    match taken {
        Err(ParseError::Malformed { notation: "as a table", reason }) => Err(ParseError::other_shape(reason)),
        other => other,
    }
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let below = |what: &str| REPORTS.map(|report| format!("{report}/{what}"));
    let paths: Vec<String> = [
        below("results/result"),
        below("errors/error"),
        below("scan_run_status"),
        below("results@"),
        below("scan_end"),
        below("scan_start"),
    ]
    .into_iter()
    .flatten()
    .chain([RESULTS_ALONE.to_owned()])
    .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut results = false;
    let lists = below("results");
    let mut containers: Vec<Container<'_>> = lists.iter().map(|list| Container::list(list, &["result"])).collect();
    let inner = ["report/report", "get_reports_response/report/report"];
    containers.extend(inner.map(|report| Container::mixed(report, &["results!"], &[])));
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        let element = &found.element;
        match found.path / REPORTS.len() {
            1 => {
                let details = ["nvt/name", "description"].iter().filter_map(|field| element.text_at(field));
                collector.blind_to_host(element.text_at("host"), details.collect::<Vec<_>>().join(": "));
            }
            2 if element.text.trim() != "Done" => {
                collector.scanner_error(format!("the scan's status is {}", element.text.trim()));
            }
            2 => {}
            3 => results = true,
            4 => collector.ended(element.text.as_str()),
            5 => collector.started(element.text.as_str()),
            // Results in a report, and results in a response without one.
            _ => return collect(raw_from_element(element), collector),
        }
        Ok(())
    })?;
    const SHAPE: &str = "an OpenVAS XML report has the element `results` in the inner one of two elements `report`";
    if root.name == "get_results_response" {
        collector.container();
        return Ok(());
    }
    require(results, SHAPE)?;
    structure.require(collector, SHAPE)
}

/// A result of an XML or CSV report.
#[derive(Default)]
struct Raw {
    id: Option<String>,
    oid: Option<String>,
    name: Option<String>,
    host: Option<String>,
    hostname: Option<String>,
    port: Option<u16>,
    protocol: Option<String>,
    /// The CVSS score, after overrides.
    severity: Option<f64>,
    word: Option<String>,
    /// Vectors and their scores.
    vectors: Vec<(String, Option<f64>)>,
    confidence: Option<String>,
    text: Option<String>,
    summary: Option<String>,
    insight: Option<String>,
    impact: Option<String>,
    solution: Option<String>,
    cves: Vec<String>,
    references: Vec<String>,
    epss: Option<(f64, Option<f64>)>,
}

fn raw_from_row(row: &Row<'_>) -> Raw {
    let number = |column: &str| row.get(column).and_then(decimal);
    Raw {
        id: row.owned("Result ID"),
        oid: row.owned("NVT OID"),
        name: row.owned("NVT Name"),
        host: row.owned("IP").or(row.owned("Host")),
        hostname: row.owned("Hostname"),
        port: row.get("Port").and_then(|port| port.parse().ok()),
        protocol: row.owned("Port Protocol"),
        severity: number("CVSS"),
        word: row.owned("Severity"),
        vectors: vec![],
        confidence: row.owned("QoD"),
        text: row.owned("Specific Result"),
        summary: row.owned("Summary"),
        insight: row.owned("Vulnerability Insight"),
        impact: row.owned("Impact"),
        solution: row.owned("Solution"),
        cves: list(row.get("CVEs")),
        references: list(row.get("Other References")).iter().flat_map(|text| web::links(text)).collect(),
        epss: number("Max Severity EPSS score").map(|score| (score, number("Max Severity EPSS percentile"))),
    }
}

fn list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split([',', ' ', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty() && *part != "NOCVE").map(str::to_owned).collect()
}

fn raw_from_element(result: &Element) -> Raw {
    let nvt = result.at("nvt");
    let of_test = |path: &str| nvt.and_then(|nvt| nvt.text_at(path));
    // `summary=...|insight=...`: in old versions, this field contains all texts.
    let tags: Vec<(&str, &str)> =
        of_test("tags").unwrap_or_default().split('|').filter_map(|tag| tag.split_once('=')).collect();
    let tag = |name: &str| tags.iter().find(|(key, _)| key.trim() == name).map(|(_, text)| text.trim());
    let tag_text = |name: &str| tag(name).filter(|text| !text.is_empty() && *text != "NOTAG").map(str::to_owned);
    let number = |text: Option<&str>| text.and_then(decimal);
    let (severity, original) = (number(result.text_at("severity")), number(result.text_at("original_severity")));
    let vectors = match (severity, original) {
        (Some(severity), Some(original)) if severity != original => vec![],
        _ => vectors(nvt, tag("cvss_base_vector")),
    };
    let refs = |kind: &[&str]| {
        let refs = nvt.and_then(|nvt| nvt.at("refs")).map(|refs| refs.all("ref")).into_iter().flatten();
        let of_kind = refs.filter(|entry| entry.attribute("type").is_some_and(|is| kind.contains(&is)));
        of_kind.filter_map(|entry| entry.attribute("id").map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut cves = refs(&["cve", "cve_id"]);
    cves.extend(list(of_test("cve")));
    let mut references = refs(&["url"]);
    references.extend(of_test("xref").map(web::links).unwrap_or_default());
    let (port, protocol) = port(result.text_at("port").unwrap_or_default());
    let epss = number(of_test("epss/max_severity/score"));
    Raw {
        id: result.attribute("id").map(str::to_owned),
        oid: nvt.and_then(|nvt| nvt.attribute("oid")).map(str::to_owned),
        name: of_test("name").or(result.text_at("name")).map(str::to_owned),
        host: result.owned_at("host"),
        hostname: result.owned_at("host/hostname"),
        port,
        protocol,
        severity: severity.or(number(of_test("cvss_base"))),
        word: result.owned_at("threat"),
        vectors,
        confidence: result.owned_at("qod/value"),
        text: result.owned_at("description"),
        summary: tag_text("summary"),
        insight: tag_text("insight"),
        impact: tag_text("impact"),
        solution: of_test("solution").map(str::to_owned).or_else(|| tag_text("solution")),
        cves,
        references,
        epss: epss.map(|score| (score, number(of_test("epss/max_severity/percentile")))),
    }
}

/// The vectors of a test with their scores: those of all sources, else the one in its tags.
fn vectors(nvt: Option<&Element>, tag: Option<&str>) -> Vec<(String, Option<f64>)> {
    let all = nvt.and_then(|nvt| nvt.at("severities")).map(|list| list.all("severity")).into_iter().flatten();
    let found: Vec<_> = all
        .filter_map(|severity| Some((severity.owned_at("value")?, severity.text_at("score").and_then(decimal))))
        .collect();
    if found.is_empty() { tag.map(|vector| (vector.to_owned(), None)).into_iter().collect() } else { found }
}

/// `443/tcp`, `general/tcp`, and in old reports `https (443/tcp)`.
fn port(text: &str) -> (Option<u16>, Option<String>) {
    let text = text.rsplit_once('(').map_or(text, |(_, inside)| inside.trim_end_matches(')'));
    match text.split_once('/') {
        Some((number, protocol)) => (number.trim().parse().ok(), Some(protocol.trim().to_owned())),
        None => (text.trim().parse().ok(), None),
    }
}

/// Hands a result to the collector. An error of a test is not a finding about the host.
fn collect(raw: Raw, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if raw.word.as_deref() == Some("Error") {
        let details = [raw.name, raw.text].into_iter().flatten();
        collector.blind_to_host(raw.host.as_deref(), details.collect::<Vec<_>>().join(": "));
        return collector.not_applicable();
    }
    collector.result(raw.into_finding())
}

impl Raw {
    fn into_finding(self) -> Result<Finding, String> {
        let name = self.name.ok_or("the name of the test is missing")?;
        let message = self.text.or(self.summary.clone()).unwrap_or_else(|| name.clone());
        let description: Vec<String> = [self.summary, self.insight, self.impact].into_iter().flatten().collect();
        let mut finding = Finding {
            suppressed: self.word.clone().filter(|word| word.eq_ignore_ascii_case("false positive")),
            confidence: self.confidence,
            advisories: self.cves,
            description: description.join("\n\n").filled(),
            remediation: self.solution,
            references: self.references,
            epss: self.epss.map(|(probability, percentile)| Epss { probability, percentile }),
            endpoint: Some(Endpoint {
                host: self.host,
                port: self.port,
                protocol: self.protocol,
                ..Endpoint::default()
            }),
            tool_id: self.id,
            ..Finding::new(Kind::Host, self.oid.unwrap_or_else(|| name.clone()), name, message)
        };
        if let Some(hostname) = self.hostname {
            finding.raw.insert("hostname".to_owned(), hostname);
        }
        let mut rating = SCANNER.rating();
        for (vector, score) in &self.vectors {
            rating = rating.vector(Some(vector), *score);
        }
        // Negative numbers are not scores: -1 is a false positive.
        let severity = self.severity.filter(|severity| *severity >= 0.0 && finding.suppressed.is_none());
        rating.own(severity).word(self.word.as_deref()).apply(&mut finding);
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const HEADER: &str = "IP,Hostname,Port,Port Protocol,CVSS,Severity,QoD,Solution Type,NVT Name,Summary,Specific Result,\
                          NVT OID,CVEs,Result ID,Solution,Other References,Max Severity EPSS score,Max Severity EPSS percentile";
    const RESULT: &str = r#"<result id="r1"><name>n</name><host>192.0.2.7<hostname>shop.example</hostname></host>
        <port>443/tcp</port><nvt oid="1.3.6.1.4.1.25623.1.0.1"><name>Weak TLS</name><cvss_base>9.8</cvss_base>
        <severities score="9.8"><severity type="cvss_base_v3"><score>9.8</score>
        <value>CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H</value></severity></severities>
        <tags>summary=Weak ciphers.|insight=|impact=They may read.</tags><solution type="VendorFix">Update.</solution>
        <epss><max_severity><score>0.5</score><percentile>0.9</percentile></max_severity></epss>
        <refs><ref type="cve" id="CVE-2016-2183"/><ref type="url" id="https://sweet32.info/"/></refs></nvt>
        <threat>High</threat><severity>9.8</severity><qod><value>80</value></qod><description>Seen.</description>
        <original_threat>High</original_threat><original_severity>9.8</original_severity></result>"#;

    fn xml(results: &str) -> String {
        format!(
            r#"<report format_id="f"><report><scan_run_status>Done</scan_run_status><results>{results}</results></report></report>"#
        )
    }

    #[test]
    fn a_result_becomes_a_finding() {
        let (findings, parsed) = findings(&SCANNER, xml(RESULT).as_bytes()).unwrap();
        assert!(parsed.summary.is_complete());
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "host",
            "rule": "1.3.6.1.4.1.25623.1.0.1",
            "title": "Weak TLS",
            "message": "Seen.",
            "score": {
              "score": 980,
              "source": "cvss_v3"
            },
            "severity_word": "High",
            "scanner_severity": "high",
            "confidence": "80",
            "cvss": [
              {
                "version": "3.1",
                "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                "score": 980
              }
            ],
            "advisories": [
              "CVE-2016-2183"
            ],
            "epss": {
              "probability": 0.5,
              "percentile": 0.9
            },
            "description": "Weak ciphers.\n\nThey may read.",
            "remediation": "Update.",
            "references": [
              "https://sweet32.info/"
            ],
            "endpoint": {
              "host": "192.0.2.7",
              "port": 443,
              "protocol": "tcp"
            },
            "tool_id": "r1",
            "raw": {
              "hostname": "shop.example"
            }
          }
        ]
        "#);
    }

    #[test]
    fn every_place_of_results_is_read() {
        for text in [
            xml(RESULT),
            format!("<report><results>{RESULT}</results></report>"),
            format!("<get_reports_response>{}</get_reports_response>", xml(RESULT)),
            format!("<get_results_response>{RESULT}</get_results_response>"),
        ] {
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0.len(), 1, "{text}");
        }
    }

    #[test]
    fn an_override_counts_and_a_false_positive_is_suppressed() {
        let lowered = RESULT
            .replace("<severity>9.8</severity>", "<severity>2.0</severity>")
            .replace("High</threat>", "Low</threat>");
        let (findings, _) = findings(&SCANNER, xml(&lowered).as_bytes()).unwrap();
        assert_eq!((findings[0].severity(), findings[0].cvss.len()), (Severity::Low, 0));
        let none = RESULT
            .replace("<severity>9.8</severity>", "<severity>-1.0</severity>")
            .replace("<threat>High", "<threat>False Positive");
        let (findings, parsed) = super::tests::findings(&SCANNER, xml(&none).as_bytes()).unwrap();
        assert_eq!((parsed.summary.suppressed, findings[0].severity()), (1, Severity::Unassigned));
    }

    #[test]
    fn errors_are_blind_spots_over_their_hosts_and_a_run_that_is_not_done_is_incomplete() {
        let text = xml(&RESULT.replace("<threat>High", "<threat>Error")).replace("Done", "Stopped").replace(
            "<results>",
            "<errors><error><host>192.0.2.8</host><description>timed out</description></error><error/></errors><results>",
        );
        let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((parsed.summary.not_applicable, parsed.summary.scanner_errors_total), (1, 2));
        assert_eq!(parsed.summary.scanner_errors[0], "the scan's status is Stopped");
        let spots: Vec<_> = parsed.summary.blind_spots.iter().map(|spot| spot.reach.name().unwrap()).collect();
        assert_eq!(spots, ["192.0.2.8", "192.0.2.7"]);
    }

    #[test]
    fn rows_are_results_and_their_score_is_the_scanners_own() {
        let row = |score: &str, word: &str| {
            format!(
                "192.0.2.7,,22,tcp,{score},{word},80,Mitigation,SSH,Sum.,\"a\nb\",1.3.6.1,\"CVE-2008-5161,CVE-1\",id,Fix.,,0.5,0.9"
            )
        };
        let text =
            [HEADER.to_owned(), row("9.8", "High"), row("0.0", "Log"), row("", "Medium"), "a,b".to_owned()].join("\n");
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let levels: Vec<_> = findings.iter().map(Finding::severity).collect();
        assert_eq!(levels, [Severity::Critical, Severity::Info, Severity::Medium]);
        assert_eq!(findings[0].advisories, ["CVE-2008-5161", "CVE-1"]);
        assert_eq!((findings[0].message.as_str(), parsed.summary.rejected), ("a\nb", 1));
    }

    #[test]
    fn ports_are_read_in_every_form() {
        let tcp = || Some("tcp".to_owned());
        assert_eq!(port("443/tcp"), (Some(443), tcp()));
        assert_eq!(port("https (443/tcp)"), (Some(443), tcp()));
        assert_eq!(port("general/tcp"), (None, tcp()));
        assert_eq!(port(""), (None, None));
    }

    #[test]
    fn other_reports_are_refused() {
        assert!(failure(&SCANNER, b"<report name=\"jacoco\"><package/></report>").contains("an OpenVAS XML report"));
        assert!(failure(&SCANNER, b"a,b\n1,2\n").contains("this is not a report of OpenVAS"));
    }
}
