//! Tenable, <https://www.tenable.com>: Nessus, Tenable.io (Vulnerability Management, Web App Scanning) and Tenable.sc
//! (Security Center). Reads Nessus' XML (`.nessus`, version 2) and the CSV exports of all of them, whose columns
//! differ.
//!
//! Each `ReportItem` or row is a result: one plugin at one port of one host. Nessus writes a row for each CVE of a
//! plugin; each is a result. The rule is the plugin. Results of severity 0 (`None`, `Info`) are findings of severity
//! info. Fixed ones (`state`) are closed, those with an accepted risk are suppressed. The rule of a compliance check
//! has the id of the check as well; passed checks are passed.
//!
//! The severity is the CVSS base score, else the tool's word: critical, high, medium, low, none or 4 to 0. VPR,
//! Tenable's priority, is stored, but not used as a severity.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use finding::{Endpoint, Epss, Finding, Kind, Package};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "tenable",
    tool: "tenable",
    name: "Tenable Nessus",
    aliases: &["nessus", "tenable-io", "tenable-sc"],
    versions: "Nessus 5 to 10, Tenable.io and Tenable.sc exports up to 2025",
    category: "hosts, DAST",
    notation: Notation::Csv,
    formats: "Nessus XML (`.nessus`, version 2), CSV exports of Nessus, Tenable.io and Tenable.sc",
    severities: "CVSS, else critical (4) 9.5, high (3) 8.0, medium (2) 5.5, low (1) 2.0, none or info (0) 0",
    severity_words: &[
        ("critical", 950),
        ("high", 800),
        ("medium", 550),
        ("low", 200),
        ("none", 0),
        ("info", 0),
        ("4", 950),
        ("3", 800),
        ("2", 550),
        ("1", 200),
        ("0", 0),
    ],
    differences: &[(
        "cwe",
        "includes the weaknesses among the report's cross references (`CWE:200`), which others omit",
    )],
    detect,
    parse,
};

/// The columns by which each kind of export is detected.
const EXPORTS: [&[&str]; 4] = [
    &["Plugin ID", "Risk", "Host", "Name"],
    &["Plugin", "Plugin Name", "Severity", "IP Address"],
    &["definition.id", "definition.name", "severity"],
    &["Plugin ID", "Plugin Name", "Severity"],
];
const ITEM: &str = "NessusClientData_v2/Report/ReportHost/ReportItem";

fn detect(sniff: &Sniff) -> bool {
    is_xml(sniff) || EXPORTS.iter().any(|columns| sniff.has_columns(columns))
}

fn is_xml(sniff: &Sniff) -> bool {
    sniff.root() == Some("NessusClientData_v2")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if is_xml(&sniff) {
        return parse_xml(input, collector);
    }
    let columns = EXPORTS.into_iter().find(|columns| sniff.has_columns(columns)).unwrap_or(EXPORTS[0]);
    table::rows(input, columns, &mut |row| match row {
        Ok(row) => collect(Item::from_row(&row), collector),
        Err(reason) => collector.rejected(reason),
    })?;
    collector.container();
    Ok(())
}

/// A result, from any of the formats.
#[derive(Default)]
struct Item {
    plugin: Option<String>,
    name: Option<String>,
    severity: Option<String>,
    host: Option<String>,
    port: Option<String>,
    protocol: Option<String>,
    synopsis: Option<String>,
    description: Option<String>,
    solution: Option<String>,
    output: Option<String>,
    see_also: Option<String>,
    cves: Vec<String>,
    cwes: Vec<u32>,
    references: Vec<String>,
    /// Version, vector and score of each CVSS rating.
    cvss: Vec<(&'static str, Option<String>, Option<f64>)>,
    epss: Option<f64>,
    cpe: Option<String>,
    tool_id: Option<String>,
    accepted: Option<String>,
    fixed: bool,
    passed: bool,
    web: bool,
    raw: BTreeMap<String, String>,
}

impl Item {
    fn from_row(row: &Row<'_>) -> Self {
        let any = |columns: &[&str]| columns.iter().find_map(|column| row.get(column)).map(str::to_owned);
        let number = |columns: &[&str]| any(columns).and_then(|text| decimal(&text));
        let references = any(&["XREF", "Cross References", "definition.references"]).unwrap_or_default();
        let references: Vec<String> = references
            .split([';', ',', '\n'])
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect();
        let host = any(&[
            "Host",
            "FQDN",
            "DNS Name",
            "asset.host_name",
            "asset.name",
            "IP Address",
            "asset.display_ipv4_address",
        ]);
        let protocol = any(&["Protocol", "protocol"]);
        let accepted = any(&["Accept Risk Comment"]).filter(|comment| !comment.eq_ignore_ascii_case("n/a"));
        let modified = any(&["risk_modified"]).filter(|word| word.eq_ignore_ascii_case("accepted"));
        let mut raw = BTreeMap::new();
        for (name, columns) in [
            ("family", &["Family", "Plugin Family", "definition.family"][..]),
            ("vpr", &["Vulnerability Priority Rating", "VPR Score", "definition.vpr.score"]),
            ("ip", &["IP Address", "asset.display_ipv4_address"]),
            ("recast", &["Recast Risk Comment", "recast_reason"]),
            ("state", &["state"]),
        ] {
            if let Some(value) = any(columns) {
                raw.insert(name.to_owned(), value);
            }
        }
        Self {
            plugin: any(&["Plugin ID", "Plugin", "definition.id"]),
            name: any(&["Name", "Plugin Name", "definition.name"]),
            severity: any(&["Risk", "severity", "definition.severity", "Risk Factor"]),
            web: protocol.as_deref().is_some_and(|protocol| protocol.to_ascii_lowercase().starts_with("http")),
            host,
            port: any(&["Port"]),
            protocol,
            synopsis: any(&["Synopsis", "definition.synopsis"]),
            description: any(&["Description", "definition.description"]),
            solution: any(&["Solution", "Steps to Remediate", "definition.solution"]),
            output: any(&["Plugin Output", "output"]),
            see_also: any(&["See Also", "definition.see_also"]),
            cves: cves(&any(&["CVE", "definition.cve"]).unwrap_or_default()),
            cwes: cwes(any(&["CWE", "definition.cwe"]).into_iter(), &references),
            references,
            cvss: vec![
                (
                    "4.0",
                    any(&["CVSS V4 Vector", "definition.cvss4.base_vector"]),
                    number(&["CVSS v4.0 Base Score", "CVSS V4 Base Score", "definition.cvss4.base_score"]),
                ),
                (
                    "3.0",
                    any(&["CVSS V3 Vector", "CVSS3 Vector", "definition.cvss3.base_vector"]),
                    number(&[
                        "CVSS v3.0 Base Score",
                        "CVSS V3 Base Score",
                        "CVSS3 Base Score",
                        "CVSSv3",
                        "definition.cvss3.base_score",
                    ]),
                ),
                (
                    "2.0",
                    any(&["CVSS V2 Vector", "CVSS Vector", "definition.cvss2.base_vector"]),
                    number(&[
                        "CVSS v2.0 Base Score",
                        "CVSS V2 Base Score",
                        "CVSS Base Score",
                        "CVSS",
                        "definition.cvss2.base_score",
                    ]),
                ),
            ],
            epss: number(&["EPSS Score", "definition.epss.score"]),
            cpe: any(&["CPE", "definition.cpe"]),
            tool_id: any(&["id"]),
            accepted: accepted.or(modified),
            fixed: any(&["state"]).is_some_and(|state| state.eq_ignore_ascii_case("fixed")),
            passed: false,
            raw,
        }
    }

    fn from_xml(element: &Element, host: &Host) -> Self {
        let text = |name: &str| element.owned_at(name);
        let texts = |name: &'static str| element.all(name).map(|child| child.text.trim().to_owned());
        let number = |name: &str| element.text_at(name).and_then(decimal);
        let own = |name: &str| element.attribute(name).map(str::to_owned);
        let references: Vec<String> = texts("xref").collect();
        let check = text("compliance-check-id").or(text("compliance-check-name"));
        let result = text("compliance-result").unwrap_or_default();
        let mut raw = host.properties.clone();
        for (name, value) in [
            ("family", own("pluginFamily")),
            ("service", own("svc_name")),
            ("vpr", text("vpr_score")),
            ("risk_factor", text("risk_factor")),
            ("compliance_result", text("compliance-result")),
        ] {
            raw.extend(value.map(|value| (name.to_owned(), value)));
        }
        Self {
            plugin: own("pluginID").map(|plugin| match &check {
                Some(check) => format!("{plugin}/{check}"),
                None => plugin,
            }),
            name: text("compliance-check-name").or(own("pluginName")).or(text("plugin_name")),
            severity: own("severity").or(text("risk_factor")),
            host: host.name.clone(),
            port: own("port"),
            protocol: own("protocol"),
            synopsis: text("synopsis"),
            description: text("description").or(text("compliance-info")),
            solution: text("solution").or(text("compliance-solution")),
            output: text("plugin_output").or(text("compliance-actual-value")),
            see_also: text("see_also"),
            cves: texts("cve").collect(),
            cwes: cwes(texts("cwe"), &references),
            references,
            cvss: vec![
                ("4.0", text("cvss4_vector"), number("cvss4_base_score")),
                ("3.0", text("cvss3_vector"), number("cvss3_base_score")),
                ("2.0", text("cvss_vector"), number("cvss_base_score")),
            ],
            epss: number("epss_score"),
            cpe: text("cpe"),
            passed: result.eq_ignore_ascii_case("passed"),
            web: host.web,
            raw,
            ..Self::default()
        }
    }

    fn into_finding(self) -> Result<Finding, String> {
        let name = self.name.or(self.plugin.clone()).ok_or("the plugin and the name are both missing")?;
        let rule = self.plugin.unwrap_or_else(|| name.clone());
        let message = self.output.or(self.synopsis.clone()).unwrap_or_else(|| name.clone());
        let known_exploited = self.references.iter().any(|text| text.starts_with("CISA-KNOWN-EXPLOITED"));
        let protocol = self.protocol.map(|protocol| protocol.to_ascii_lowercase());
        let is_url = self.host.as_deref().is_some_and(|host| host.contains("://"));
        let (url, host) = if is_url { (self.host, None) } else { (None, self.host) };
        let mut raw = self.raw;
        if !self.references.is_empty() {
            raw.insert("xref".to_owned(), self.references.join("; "));
        }
        let kind = if self.web || is_url { Kind::Web } else { Kind::Host };
        let links = self.see_also.as_deref().unwrap_or_default().split(['\n', ' ', ',']).map(str::trim);
        let mut finding = Finding {
            description: self.description.or(self.synopsis),
            remediation: self.solution.filter(|text| !text.eq_ignore_ascii_case("n/a")),
            references: links.filter(|link| link.contains("://")).map(str::to_owned).collect(),
            advisories: self.cves,
            cwes: self.cwes,
            epss: self
                .epss
                .filter(|p| (0.0..=1.0).contains(p))
                .map(|probability| Epss { probability, percentile: None }),
            known_exploited: known_exploited.then_some(true),
            package: self.cpe.as_deref().and_then(package),
            endpoint: Some(Endpoint {
                url,
                host,
                port: self.port.and_then(|port| port.parse().ok()).filter(|port| *port != 0),
                protocol,
                ..Endpoint::default()
            }),
            tool_id: self.tool_id,
            suppressed: self.accepted,
            raw,
            ..Finding::new(kind, rule, name, message)
        };
        let mut rating = SCANNER.rating().word(self.severity.as_deref());
        for (version, vector, score) in self.cvss {
            rating = match vector.filled() {
                Some(vector) => rating.vector(Some(&complete_vector(version, &vector)), score),
                None => rating.base(version, score),
            };
        }
        rating.apply(&mut finding);
        Ok(finding)
    }
}

fn collect(item: Item, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if item.fixed {
        return collector.closed();
    }
    if item.passed {
        return collector.passed();
    }
    collector.result(item.into_finding())
}

/// A vector with its beginning, which states the CVSS version. Tenable.sc omits it.
fn complete_vector(version: &str, vector: &str) -> String {
    let bare = vector.trim();
    if bare.to_ascii_uppercase().starts_with("CVSS") || version == "2.0" {
        return bare.to_owned();
    }
    format!("CVSS:{version}/{bare}")
}

fn cves(text: &str) -> Vec<String> {
    let ids = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut found: Vec<String> = Vec::new();
    for id in ids.filter(|id| id.to_ascii_uppercase().starts_with("CVE-")) {
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

fn cwes(own: impl Iterator<Item = String>, references: &[String]) -> Vec<u32> {
    let listed: Vec<String> =
        own.flat_map(|text| text.split([',', ';']).map(str::to_owned).collect::<Vec<_>>()).collect();
    let crossed = references.iter().map(String::as_str).filter(|text| text.to_ascii_uppercase().starts_with("CWE"));
    cwe::numbers(listed.iter().map(String::as_str).chain(crossed))
}

/// The product in the first Common Platform Enumeration: `cpe:/a:vendor:product:version`.
fn package(cpe: &str) -> Option<Package> {
    let first = cpe.split(['\n', ',', ';', ' ']).map(str::trim).find(|part| part.starts_with("cpe:"))?;
    let skipped = if first.starts_with("cpe:2.3:") { 4 } else { 3 };
    let mut parts = first.split(':').skip(skipped).filter(|part| !matches!(*part, "*" | "-"));
    let name = parts.next().filled()?.to_owned();
    Some(Package { name, version: parts.next().filled().map(str::to_owned), ..Package::default() })
}

/// The host of the items that are being read.
#[derive(Default)]
struct Host {
    name: Option<String>,
    web: bool,
    properties: BTreeMap<String, String>,
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    const HOST: &str = "NessusClientData_v2/Report/ReportHost@";
    const PROPERTIES: &str = "NessusClientData_v2/Report/ReportHost/HostProperties";
    let (mut host, mut reports) = (Host::default(), 0_u64);
    let paths = ["NessusClientData_v2/Report@", HOST, PROPERTIES, ITEM];
    let containers = [
        Container::mixed("NessusClientData_v2", &["Report!"], &["Policy"]),
        Container::list("NessusClientData_v2/Report", &["ReportHost"]),
        Container::exact("NessusClientData_v2/Report/ReportHost", &["ReportItem"], &["HostProperties"]),
    ];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        match found.path {
            0 => reports += 1,
            1 => {
                let report = found.ancestors.last().and_then(|report| report.attribute("type"));
                let name = found.element.attribute("name").map(str::to_owned);
                host = Host { name, web: report == Some("was"), ..Host::default() };
            }
            2 => {
                let tag = |name: &str| found.element.all("tag").find(|tag| tag.attribute("name") == Some(name));
                let end = tag("HOST_END_TIMESTAMP").or(tag("HOST_END"));
                collector.ended(end.map(|end| end.text.as_str()));
                let tags = found
                    .element
                    .all("tag")
                    .filter(|tag| matches!(tag.attribute("name"), Some("host-ip" | "host-fqdn" | "operating-system")));
                host.properties = tags
                    .filter_map(|tag| Some((tag.attribute("name")?.to_owned(), tag.text.trim().to_owned())))
                    .collect();
            }
            _ => return collect(Item::from_xml(&found.element, &host), collector),
        }
        Ok(())
    })?;
    const SHAPE: &str = "a Nessus report is XML with a `Report` in a `NessusClientData_v2`";
    require(reports > 0, SHAPE)?;
    structure.require(collector, SHAPE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    #[test]
    fn an_item_is_a_finding_at_its_host_and_port() {
        let xml = r#"<NessusClientData_v2><Policy/><Report name="n"><ReportHost name="192.0.2.7"><HostProperties>
            <tag name="host-fqdn">shop.example</tag><tag name="netbios-name">X</tag></HostProperties>
            <ReportItem port="443" svc_name="www" protocol="tcp" severity="2" pluginID="42873" pluginName="SWEET32" pluginFamily="General">
            <cvss3_base_score>7.5</cvss3_base_score><cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector>
            <cve>CVE-2016-2183</cve><xref>CWE:327</xref><xref>CISA-KNOWN-EXPLOITED:2024/07/03</xref>
            <cpe>cpe:/a:openssl:openssl:1.0.1</cpe><see_also>https://sweet32.info
https://nessus.example/u</see_also><plugin_output>3DES</plugin_output></ReportItem>
            <ReportItem port="0" protocol="tcp" severity="0" pluginID="19506" pluginName="Nessus Scan Information"/>
            </ReportHost></Report></NessusClientData_v2>"#;
        let (findings, parsed) = findings(&SCANNER, xml.as_bytes()).unwrap();
        assert!(parsed.summary.is_complete());
        let finding = &findings[0];
        assert_eq!((finding.rule.as_str(), finding.score.unwrap().score.hundredths()), ("42873", 750));
        assert_eq!((finding.cwes.as_slice(), finding.known_exploited), (&[327][..], Some(true)));
        assert_eq!((finding.references.len(), finding.package.as_ref().unwrap().name.as_str()), (2, "openssl"));
        let endpoint = finding.endpoint.as_ref().unwrap();
        assert_eq!((endpoint.host.as_deref(), endpoint.port), (Some("192.0.2.7"), Some(443)));
        assert_eq!(findings[1].severity(), finding::severity::Severity::Info);
    }

    #[test]
    fn compliance_checks_are_separate_rules_and_passed_ones_are_passed() {
        let item = |result: &str, check: &str| {
            format!(
                r#"<ReportItem port="0" severity="3" pluginID="21157" pluginName="Unix Compliance Checks">
                <cm:compliance-check-name>{check}</cm:compliance-check-name><cm:compliance-result>{result}</cm:compliance-result></ReportItem>"#
            )
        };
        let xml = format!(
            r#"<NessusClientData_v2><Report xmlns:cm="http://www.nessus.org/cm"><ReportHost name="h">{}{}</ReportHost></Report></NessusClientData_v2>"#,
            item("PASSED", "1.1 passwords"),
            item("FAILED", "1.2 umask")
        );
        let (findings, parsed) = findings(&SCANNER, xml.as_bytes()).unwrap();
        assert_eq!((parsed.summary.passed, findings[0].rule.as_str()), (1, "21157/1.2 umask"));
        assert!(failure(&SCANNER, b"<NessusClientData_v2/>").contains("`Report`"));
    }

    #[test]
    fn exports_of_all_products_are_read() {
        let nessus = "Plugin ID,CVE,CVSS,Risk,Host,Protocol,Port,Name,Synopsis,Description\n42873,CVE-2016-2183,5.0,High,shop.example,tcp,443,SWEET32,s,d\n";
        let center = "\"Plugin\",\"Plugin Name\",\"Family\",\"Severity\",\"IP Address\",\"Protocol\",\"Port\",\"DNS Name\",\"CVSS V3 Vector\",\"Accept Risk Comment\"\n\
            \"42873\",\"SWEET32\",\"General\",\"High\",\"192.0.2.7\",\"TCP\",\"443\",\"shop.example\",\"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N\",\"\"\n\
            \"42873\",\"SWEET32\",\"General\",\"High\",\"192.0.2.7\",\"TCP\",\"8443\",\"shop.example\",\"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N\",\"until May\"\n";
        let cloud = "asset.host_name;definition.id;definition.name;severity;state;port;protocol;risk_modified\n\
            shop.example;42873;SWEET32;High;ACTIVE;443;TCP;NONE\nshop.example;42873;SWEET32;High;FIXED;25;TCP;NONE\n";
        for (csv, suppressed, closed) in [(nessus, 0, 0), (center, 1, 0), (cloud, 0, 1)] {
            let (findings, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
            assert_eq!((parsed.summary.suppressed, parsed.summary.closed), (suppressed, closed), "{csv}");
            let endpoint = findings[0].endpoint.as_ref().unwrap();
            assert_eq!((endpoint.host.as_deref(), endpoint.port), (Some("shop.example"), Some(443)));
            assert_eq!((findings[0].rule.as_str(), findings[0].title.as_str()), ("42873", "SWEET32"));
        }
        let (findings, _) = findings(&SCANNER, center.as_bytes()).unwrap();
        assert_eq!(findings[0].cvss[0].version, "3.0");
    }
}
