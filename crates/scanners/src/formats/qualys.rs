//! Qualys, <https://www.qualys.com>: vulnerabilities of hosts. Reads the CSV and XML reports of Vulnerability
//! Management: the asset data report (`ASSET_DATA_REPORT`), the scan report (`SCAN`) and tables, whose header may come
//! after lines about the report.
//!
//! Each detection of a QID at a host and port is a result. The rule is the QID. In the asset data report, its
//! description is in the glossary, after the detections. Fixed detections are closed; ignored ones and approved false
//! positives are suppressed. A row about a host without a detection is passed if the host was scanned, and not
//! applicable if it was not alive. A host that could not be scanned is a blind spot, by its name and by its address. An
//! `ERROR` of a scan report makes the scan incomplete.
//!
//! The severity is the CVSS base score, else Qualys' level (<https://www.qualys.com/research/knowledge/severity/>): 5
//! urgent, 4 critical, 3 serious, 2 medium, 1 minimal, which are critical, high, medium, low and info here. Levels of
//! "information gathered" and of services rate the disclosed information, not a vulnerability; they are info.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element, Found};
use finding::{Endpoint, Finding, Kind};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "qualys",
    tool: "qualys",
    name: "Qualys",
    aliases: &["qualys-vmdr"],
    versions: "reports of Vulnerability Management 8 to 10",
    category: "hosts",
    notation: Notation::Csv,
    formats: "CSV, XML (`ASSET_DATA_REPORT`, `SCAN`)",
    severities: "CVSS, else Qualys' level: 5 is 9.5, 4 is 8.0, 3 is 5.5, 2 is 2.0, 1 is 0; information gathered 0",
    severity_words: &[
        ("5", 950),
        ("4", 800),
        ("3", 550),
        ("2", 200),
        ("1", 0),
        ("critical", 950),
        ("urgent", 950),
        ("high", 800),
        ("medium", 550),
        ("low", 200),
        ("info", 0),
        ("informational", 0),
    ],
    differences: &[],
    detect,
    parse,
};

/// The columns of the two kinds of tables.
const TABLES: [&[&str]; 2] = [&["QID", "Title", "Severity", "IP"], &["QID", "VULN TITLE", "IP"]];
/// The number of lines among which the header must be.
const PREAMBLE_LINES_MAX: usize = 100;
const ROOTS: [&str; 2] = ["ASSET_DATA_REPORT", "SCAN"];

fn detect(sniff: &Sniff) -> bool {
    kind_of_xml(sniff).is_some() || kind_of_table(sniff).is_some()
}

/// The root element of a Qualys report. Other tools write `SCAN` as well, so that needs further evidence.
fn kind_of_xml(sniff: &Sniff) -> Option<&'static str> {
    let root = ROOTS.into_iter().find(|root| sniff.root() == Some(root))?;
    let known = root != "SCAN"
        || sniff.root_attribute("value").is_some()
        || ["SCAN/IP", "SCAN/HEADER", "SCAN/ERROR"].iter().any(|path| sniff.has_element(path));
    known.then_some(root)
}

fn kind_of_table(sniff: &Sniff) -> Option<&'static [&'static str]> {
    if sniff.is_object() || sniff.is_list() || sniff.root().is_some() {
        return None;
    }
    // Only the header contains `QID`; lines before it do not.
    let lines = sniff.text().lines().take(PREAMBLE_LINES_MAX).filter(|line| line.to_ascii_uppercase().contains("QID"));
    lines.map(table::header).find_map(|header| {
        let has = |columns: &&&[&str]| columns.iter().all(|column| header.contains(&column.to_ascii_lowercase()));
        TABLES.iter().find(has).copied()
    })
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    match (kind_of_xml(&sniff), kind_of_table(&sniff)) {
        (Some("SCAN"), _) => parse_scan(input, collector),
        (Some(_), _) => parse_assets(input, collector),
        (None, Some(columns)) => {
            table::rows(input, columns, &mut |row| match row {
                Ok(row) => collect_row(&row, collector),
                Err(reason) => collector.rejected(reason),
            })?;
            collector.container();
            Ok(())
        }
        (None, None) => Err(ParseError::other_shape(
            "expected a table with the columns `QID` and `Title`, or XML with the outermost element `ASSET_DATA_REPORT` or `SCAN`",
        )),
    }
}

/// A detection, from any of the formats.
#[derive(Debug, Clone, Default)]
struct Detection {
    qid: String,
    title: Option<String>,
    kind: Option<String>,
    level: Option<String>,
    category: Option<String>,
    threat: Option<String>,
    impact: Option<String>,
    solution: Option<String>,
    result: Option<String>,
    cves: Vec<String>,
    references: Vec<String>,
    cvss2: Option<String>,
    cvss3: Option<String>,
    cvss3_temporal: Option<String>,
    status: Option<String>,
    suppressed: Option<String>,
    name: Option<String>,
    ip: Option<String>,
    port: Option<String>,
    protocol: Option<String>,
}

impl Detection {
    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        if self.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("fixed")) {
            return collector.closed();
        }
        collector.finding(self.into_finding())
    }

    fn into_finding(self) -> Finding {
        let title = self.title.unwrap_or_else(|| format!("QID {}", self.qid));
        let message = self.result.filled().unwrap_or_else(|| title.clone());
        let description = match (self.threat, self.impact) {
            (Some(threat), Some(impact)) => Some(format!("{threat}\n\n{impact}")),
            (threat, impact) => threat.or(impact),
        };
        let mut finding = Finding {
            advisories: self.cves,
            description,
            remediation: self.solution,
            references: self.references,
            suppressed: self.suppressed,
            endpoint: Some(Endpoint {
                host: self.name.or(self.ip.clone()),
                port: self.port.and_then(|port| port.parse().ok()),
                protocol: self.protocol.map(|protocol| protocol.to_ascii_lowercase()),
                ..Endpoint::default()
            }),
            ..Finding::new(Kind::Host, self.qid, title, message)
        };
        let information = self.kind.as_deref().is_some_and(is_information);
        let raw = [("type", self.kind), ("category", self.category), ("status", self.status), ("ip", self.ip)];
        for (name, value) in raw {
            finding.raw.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut rating = SCANNER.rating().word(self.level.as_deref());
        let temporal = self.cvss3_temporal.as_deref().and_then(|text| score_and_vector(text).1);
        for (version, text, extra) in [("3.0", &self.cvss3, temporal), ("2.0", &self.cvss2, None)] {
            let Some(text) = text else { continue };
            rating = match score_and_vector(text) {
                (score, Some(vector)) => rating.vector(Some(&complete_vector(version, vector, extra)), score),
                (score, None) => rating.base(version, score),
            };
        }
        rating.apply(&mut finding);
        if information {
            finding.score = finding::severity::Score::from_hundredths(0)
                .map(|score| finding::Scored { score, source: finding::severity::ScoreSource::ScannerWord });
            finding.scanner_severity = finding.score.map(|score_and_vector| score_and_vector.score.severity());
        }
        finding
    }
}

/// True for detections that are information, not vulnerabilities.
fn is_information(kind: &str) -> bool {
    matches!(kind.to_ascii_lowercase().as_str(), "ig" | "info" | "service" | "information gathered" | "information")
}

/// Splits `8.1 (AV:N/…)` into score and vector.
fn score_and_vector(text: &str) -> (Option<f64>, Option<&str>) {
    let (score, vector) = text.split_once('(').unwrap_or((text, ""));
    let vector = vector.trim().trim_end_matches(')').trim();
    (decimal(score), vector.filled())
}

/// A complete vector: with its beginning, which Qualys omits, and the temporal metrics, which are in another field.
fn complete_vector(version: &str, vector: &str, temporal: Option<&str>) -> String {
    let start = if version == "2.0" || vector.starts_with("CVSS") { String::new() } else { format!("CVSS:{version}/") };
    let end = temporal.map(|metrics| format!("/{metrics}")).unwrap_or_default();
    format!("{start}{vector}{end}")
}

/// The columns with a host's name.
const NAME_COLUMNS: [&str; 4] = ["FQDN", "DNS", "HOSTNAME", "NetBIOS"];

fn collect_row(row: &Row<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let any = |columns: &[&str]| {
        columns.iter().find_map(|column| row.get(column)).filter(|text| *text != "-").map(str::to_owned)
    };
    let Some(qid) = any(&["QID"]) else { return collect_host(row, collector) };
    let cves = any(&["CVE ID", "CVEID", "CVE"]).unwrap_or_default();
    let cves = cves.split([',', ' ', ';']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let ticket = any(&["Ticket State"]).filter(|state| state.to_ascii_lowercase().contains("ignored"));
    let dismissed = any(&["FALSE POSITIVE STATUS"]).filter(|status| status.eq_ignore_ascii_case("approved"));
    let status = any(&["Vuln Status"]);
    let ignored = status.clone().filter(|status| status.to_ascii_lowercase().contains("ignored"));
    let detection = Detection {
        qid,
        title: any(&["Title", "VULN TITLE"]),
        kind: any(&["Type"]),
        level: any(&["Q_SEVERITY", "Severity"]),
        category: any(&["Category"]),
        threat: any(&["Threat"]),
        impact: any(&["Impact"]),
        solution: any(&["Solution"]),
        result: any(&["Results", "Result"]),
        cves,
        references: any(&["Vendor Reference"]).into_iter().collect(),
        cvss2: any(&["CVSS Base", "CVSS_BASE"]),
        cvss3: any(&["CVSS3.1 Base", "CVSS3 Base"]),
        cvss3_temporal: any(&["CVSS3.1 Temporal", "CVSS3 Temporal"]),
        status,
        suppressed: dismissed.map(|status| format!("false positive: {status}")).or(ticket).or(ignored),
        name: any(&NAME_COLUMNS),
        ip: any(&["IP"]),
        port: any(&["Port"]),
        protocol: any(&["Protocol"]),
    };
    detection.collect(collector)
}

/// Collects a row about a host without a detection.
fn collect_host(row: &Row<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let status = row.get("IP Status").unwrap_or_default();
    let lower = status.to_ascii_lowercase();
    if lower.contains("not alive") || lower.contains("dead") {
        return collector.not_applicable();
    }
    if lower.contains("no vuln") || lower.contains("host scanned") {
        return collector.passed();
    }
    if lower.is_empty() {
        return collector.rejected("`QID` is missing in the row".to_owned());
    }
    let names = NAME_COLUMNS.into_iter().chain(["IP"]).filter_map(|column| row.get(column));
    let names: Vec<&str> = names.filter(|name| *name != "-").collect();
    // Findings have the name or the address, and a host may have no name in another scan.
    names.iter().for_each(|name| collector.blind_to_host(Some(name), status));
    if names.is_empty() {
        collector.blind_to_host(None, format!("unknown host: {status}"));
    }
    collector.not_applicable()
}

/// The host of the detections that are being read.
#[derive(Default)]
struct Host {
    ip: Option<String>,
    name: Option<String>,
}

fn texts(element: &Element, list: &str, entry: &str, id: &str) -> Vec<String> {
    let Some(list) = element.at(list) else { return Vec::new() };
    list.all(entry).filter_map(|entry| entry.owned_at(id)).collect()
}

/// The description of a QID in the glossary, or of a detection in a scan.
fn description_of(element: &Element, qid: String) -> Detection {
    let text = |paths: &[&str]| paths.iter().find_map(|path| element.owned_at(path));
    Detection {
        qid,
        title: text(&["TITLE"]),
        level: text(&["SEVERITY"]).or(element.attribute("severity").map(str::to_owned)),
        category: text(&["CATEGORY"]),
        threat: text(&["THREAT", "DIAGNOSIS"]),
        impact: text(&["IMPACT", "CONSEQUENCE"]),
        solution: text(&["SOLUTION"]),
        result: text(&["RESULT"]),
        cves: texts(element, "CVE_ID_LIST", "CVE_ID", "ID"),
        references: texts(element, "VENDOR_REFERENCE_LIST", "VENDOR_REFERENCE", "URL"),
        cvss2: text(&["CVSS_SCORE/CVSS_BASE", "CVSS_BASE"]),
        cvss3: text(&["CVSS3_SCORE/CVSS3_BASE", "CVSS3_BASE"]),
        cvss3_temporal: text(&["CVSS3_SCORE/CVSS3_TEMPORAL", "CVSS3_TEMPORAL"]),
        ..Detection::default()
    }
}

fn parse_assets(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    const HOST: &str = "ASSET_DATA_REPORT/HOST_LIST/HOST";
    let mut glossary: BTreeMap<String, Detection> = BTreeMap::new();
    let mut sections = 0_u64;
    let paths = [
        "ASSET_DATA_REPORT/GLOSSARY/VULN_DETAILS_LIST/VULN_DETAILS",
        "ASSET_DATA_REPORT/HEADER@",
        "ASSET_DATA_REPORT/HOST_LIST@",
        "ASSET_DATA_REPORT/HEADER/GENERATION_DATETIME",
    ];
    xml::walk(input, &paths, &mut |found| {
        match found.path {
            0 => {
                let id = found.element.owned_at("QID");
                let key = found.element.attribute("id").map(str::to_owned).or(id.clone()).unwrap_or_default();
                let qid = id.unwrap_or_else(|| key.trim_start_matches("qid_").to_owned());
                glossary.insert(key, description_of(&found.element, qid));
            }
            3 => collector.ended(found.element.text.as_str()),
            _ => sections += 1,
        }
        Ok(())
    })?;
    require(sections > 0, "an asset data report has a `HEADER` or a `HOST_LIST`")?;
    let host_of = |part: &str| format!("{HOST}/{part}");
    let parts = ["IP", "DNS", "NETBIOS", "VULN_INFO_LIST/VULN_INFO"].map(host_of);
    let begin = format!("{HOST}@");
    let paths: Vec<&str> = [begin.as_str()].into_iter().chain(parts.iter().map(String::as_str)).collect();
    let mut host = Host::default();
    let of_host =
        ["IP", "DNS", "NETBIOS", "TRACKING_METHOD", "OPERATING_SYSTEM", "OS_CPE", "ASSET_TAGS", "QG_HOSTID", "NETWORK"];
    let list = host_of("VULN_INFO_LIST");
    let containers = [
        Container::mixed("ASSET_DATA_REPORT", &["HOST_LIST!"], &[]),
        Container::list("ASSET_DATA_REPORT/HOST_LIST", &["HOST"]),
        Container::mixed(HOST, &["VULN_INFO_LIST"], &of_host),
        Container::list(&list, &["VULN_INFO"]),
    ];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        let text = found.element.text.trim().to_owned().filled();
        match found.path {
            0 => host = Host::default(),
            1 => host.ip = text,
            2 => host.name = text,
            3 => host.name = host.name.take().or(text),
            _ => {
                let qid = found.element.at("QID").and_then(|qid| qid.attribute("id"));
                if let Some(qid) = qid.filter(|qid| {
                    !glossary.contains_key(*qid) && !glossary.contains_key(qid.trim_start_matches("qid_"))
                }) {
                    collector.scanner_error(format!("`{qid}` is missing in the glossary: its severity is unknown"));
                }
                return match detection_of_asset(&found.element, &host, &glossary) {
                    Some(detection) => detection.collect(collector),
                    None => collector.rejected("`QID` is missing in a `VULN_INFO`".to_owned()),
                };
            }
        }
        Ok(())
    })?;
    structure.require(collector, "an asset data report has the outermost element `ASSET_DATA_REPORT`")
}

fn detection_of_asset(element: &Element, host: &Host, glossary: &BTreeMap<String, Detection>) -> Option<Detection> {
    let text = |path: &str| element.owned_at(path);
    let id = element.at("QID")?;
    let qid = id.text.trim().to_owned().filled();
    let qid = qid.or_else(|| Some(id.attribute("id")?.trim_start_matches("qid_").to_owned()))?;
    let key = id.attribute("id").map_or_else(|| format!("qid_{qid}"), str::to_owned);
    let known = glossary.get(&key).or_else(|| glossary.get(&qid)).cloned().unwrap_or_default();
    let status = text("VULN_STATUS");
    let ignored = status.clone().filter(|status| status.to_ascii_lowercase().contains("ignored"));
    let ticket = text("TICKET_STATE").filter(|state| state.to_ascii_lowercase().contains("ignored"));
    Some(Detection {
        qid,
        kind: text("TYPE"),
        result: text("RESULT"),
        status,
        suppressed: ignored.or(ticket),
        name: text("FQDN").or(host.name.clone()),
        ip: host.ip.clone(),
        port: text("PORT"),
        protocol: text("PROTOCOL"),
        // Some reports have the score at the detection instead of in the glossary.
        cvss2: known.cvss2.clone().or(text("CVSS_FINAL").filter(|score| score != "-")),
        cvss3: known.cvss3.clone().or(text("CVSS3_FINAL").filter(|score| score != "-")),
        ..known
    })
}

/// Parses a scan report, which groups detections by host, by kind (information or vulnerability) and by service.
fn parse_scan(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let kinds = ["INFOS", "SERVICES", "VULNS", "PRACTICES"];
    let lists = kinds.map(|kind| format!("SCAN/IP/{kind}"));
    let mut containers = vec![
        Container::mixed("SCAN", &["IP"], &["HEADER", "ERROR"]),
        Container::mixed("SCAN/IP", &kinds, &["OS", "OS_CPE", "NETBIOS_HOSTNAME", "FQDN"]),
    ];
    containers.extend(lists.iter().map(|list| Container::list(list, &["CAT"])));
    let paths = ["SCAN/IP/*/CAT/*", "SCAN/ERROR", "SCAN/HEADER/ERROR", "SCAN/HEADER/KEY"];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| match found.path {
        0 if !["INFO", "SERVICE", "VULN", "PRACTICE"].contains(&found.element.name.as_str()) => {
            collector.rejected(format!("unknown element <{}> in <CAT>", found.element.name))
        }
        0 => match detection_of_scan(&found) {
            Some(detection) => detection.collect(collector),
            None => collector.rejected(format!("`number` is missing in a `{}`", found.element.name)),
        },
        3 => {
            let date = Some(&found.element).filter(|key| key.attribute("value") == Some("DATE"));
            collector.started(date.map(|date| date.text.as_str()));
            Ok(())
        }
        _ => {
            collector.scanner_error(found.element.whole_text());
            Ok(())
        }
    })?;
    structure.require(collector, "a scan report has the outermost element `SCAN`")
}

fn detection_of_scan(found: &Found<'_>) -> Option<Detection> {
    let element = &found.element;
    let around = |name: &str| found.ancestors.iter().find(|outer| outer.name == name);
    let of = |name: &str, attribute: &str| around(name)?.attribute(attribute).map(str::to_owned);
    let qid = element.attribute("number")?.to_owned();
    let mut detection = description_of(element, qid);
    if let (true, Some(id)) = (detection.cves.is_empty(), element.attribute("cveid")) {
        detection.cves = id.split([',', ' ']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    }
    Some(Detection {
        kind: Some(element.name.to_ascii_lowercase()),
        category: of("CAT", "value"),
        name: of("IP", "name").filter(|name| !name.eq_ignore_ascii_case("no registered hostname")),
        ip: of("IP", "value"),
        port: of("CAT", "port"),
        protocol: of("CAT", "protocol"),
        ..detection
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    #[test]
    fn a_table_may_begin_with_lines_about_the_report_and_list_hosts_without_detections() {
        let csv = "\"Asset Search Report\",\"05/25/2026\"\n\"Shop\",\"1 Street, Town\"\n\n\
            \"IP\",\"DNS\",\"IP Status\",\"QID\",\"Title\",\"Vuln Status\",\"Type\",\"Severity\",\"Port\",\"CVE ID\",\"CVSS3 Base\",\"CVSS3 Temporal\",\"Ticket State\"\n\
            \"192.0.2.7\",\"shop.example\",\"host scanned, found vuln\",\"38739\",\"Weak SSH\",\"Active\",\"Vuln\",\"3\",\"22\",\"CVE-2008-5161,CVE-2023-48795\",\"5.9 (AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N)\",\"5.3 (E:P/RL:O/RC:C)\",\"\"\n\
            \"192.0.2.7\",\"\",\"host scanned, found vuln\",\"45017\",\"OS\",\"Active\",\"Ig\",\"2\",\"\",\"\",\"\",\"\",\"\"\n\
            \"192.0.2.7\",\"\",\"host scanned, found vuln\",\"1\",\"A\",\"Fixed\",\"Vuln\",\"3\",\"\",\"\",\"\",\"\",\"\"\n\
            \"192.0.2.7\",\"\",\"host scanned, found vuln\",\"2\",\"B\",\"Active\",\"Vuln\",\"4\",\"\",\"\",\"\",\"\",\"Closed/Ignored\"\n\
            \"192.0.2.8\",\"\",\"host scanned, no vuln\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n\
            \"192.0.2.9\",\"\",\"host not alive\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n\
            \"192.0.2.10\",\"\",\"host not scanned\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n";
        let (findings, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
        let summary = &parsed.summary;
        let counts = (summary.findings, summary.suppressed, summary.closed, summary.passed, summary.not_applicable);
        assert_eq!((counts, summary.scanner_errors_total), ((2, 1, 1, 1, 2), 0));
        let [spot] = summary.blind_spots.as_slice() else { panic!("{summary:?}") };
        assert_eq!((spot.reach.to_string().as_str(), spot.reason.as_str()), ("file `192.0.2.10`", "host not scanned"));
        let vector = findings[0].cvss[0].vector.as_deref();
        assert_eq!(vector, Some("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N/E:P/RL:O/RC:C"));
        assert_eq!((findings[0].severity(), findings[0].advisories.len()), (Severity::Medium, 2));
        assert_eq!(findings[1].severity(), Severity::Info);
        assert_eq!(findings[0].endpoint.as_ref().unwrap().host.as_deref(), Some("shop.example"));
    }

    #[test]
    fn the_glossary_after_the_detections_describes_them() {
        let xml = r#"<!DOCTYPE ASSET_DATA_REPORT SYSTEM "https://qualysguard.example/asset_data_report.dtd"><ASSET_DATA_REPORT><HEADER/>
            <HOST_LIST><HOST><IP>192.0.2.7</IP><DNS>shop.example</DNS><VULN_INFO_LIST>
            <VULN_INFO><QID id="qid_38739">38739</QID><TYPE>Vuln</TYPE><PORT>22</PORT><PROTOCOL>tcp</PROTOCOL><RESULT><![CDATA[cbc]]></RESULT>
            <VULN_STATUS>Active</VULN_STATUS></VULN_INFO><VULN_INFO><TYPE>Vuln</TYPE></VULN_INFO></VULN_INFO_LIST></HOST></HOST_LIST>
            <GLOSSARY><VULN_DETAILS_LIST><VULN_DETAILS id="qid_38739"><QID id="qid_38739">38739</QID><TITLE>Weak SSH</TITLE><SEVERITY>3</SEVERITY>
            <THREAT>t</THREAT><IMPACT>i</IMPACT><CVSS_SCORE><CVSS_BASE source="service">2.6</CVSS_BASE></CVSS_SCORE>
            <CVE_ID_LIST><CVE_ID><ID>CVE-2008-5161</ID></CVE_ID></CVE_ID_LIST></VULN_DETAILS></VULN_DETAILS_LIST></GLOSSARY></ASSET_DATA_REPORT>"#;
        let (findings, parsed) = findings(&SCANNER, xml.as_bytes()).unwrap();
        assert_eq!((findings.len(), parsed.summary.rejected), (1, 1));
        let finding = &findings[0];
        assert_eq!((finding.title.as_str(), finding.message.as_str()), ("Weak SSH", "cbc"));
        assert_eq!((finding.severity(), finding.scanner_severity), (Severity::Low, Some(Severity::Medium)));
        assert_eq!(finding.endpoint.as_ref().unwrap().port, Some(22));
        assert!(failure(&SCANNER, b"<ASSET_DATA_REPORT/>").contains("HOST_LIST"));
    }

    #[test]
    fn a_scan_report_lists_information_services_and_vulnerabilities() {
        let xml = r#"<SCAN value="scan/1"><HEADER/><IP value="192.0.2.7" name="No registered hostname">
            <INFOS><CAT value="Information gathering"><INFO number="45017" severity="3"><TITLE>OS</TITLE></INFO></CAT></INFOS>
            <VULNS><CAT value="Web server" port="443" protocol="tcp"><VULN number="86137" severity="4" cveid="CVE-2014-0160">
            <TITLE>Heartbleed</TITLE></VULN></CAT></VULNS></IP></SCAN>"#;
        let (findings, _) = findings(&SCANNER, xml.as_bytes()).unwrap();
        assert_eq!(findings.iter().map(Finding::severity).collect::<Vec<_>>(), [Severity::Info, Severity::High]);
        let endpoint = findings[1].endpoint.as_ref().unwrap();
        assert_eq!((endpoint.host.as_deref(), endpoint.port), (Some("192.0.2.7"), Some(443)));
        assert_eq!(findings[1].advisories, ["CVE-2014-0160"]);
    }
}
