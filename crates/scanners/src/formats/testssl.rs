//! testssl.sh, <https://testssl.sh>: TLS of a server. Reads its CSV (`--csvfile`), its flat JSON (`--jsonfile`) and its
//! structured JSON (`--jsonfile-pretty`), of versions 2.9 to 3.2.
//!
//! Each row is a result. `OK` is passed, `INFO` and `DEBUG` are facts, not checks (not applicable), all others are
//! findings. `LOW` to `CRITICAL` are the tool's severities. `WARN` means that a test could not be run, and `FATAL` that
//! the target could not be reached (its manual, "severity"). They are findings of severity info, because they do not
//! describe the server, and a blind spot over the host: the id of a warning is not always that of the test's findings.
//! The exception is `engine_problem`: a common OpenSSL cannot test GOST ciphers.
//!
//! The ids of rows about one of several certificates end with its number (`cert_keySize <cert#2>`), which is not part
//! of the rule.

use crate::Scanner;
use crate::reader::json;
use crate::reader::json::Text;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::table::{self, Row};
use crate::reader::text::Filled;
use crate::value::cwe;
use finding::{Endpoint, Finding, Kind};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "testssl",
    tool: "testssl",
    name: "testssl.sh",
    aliases: &["testssl.sh"],
    versions: "2.9 to 3.2",
    category: "TLS",
    notation: Notation::Csv,
    formats: "CSV (`--csvfile`), JSON (`--jsonfile`, `--jsonfile-pretty`)",
    severities: "CRITICAL 9.5, HIGH 8.0, MEDIUM 5.5, LOW 2.0; WARN and FATAL, which describe the scan, 0",
    severity_words: &[("CRITICAL", 950), ("HIGH", 800), ("MEDIUM", 550), ("LOW", 200), ("WARN", 0), ("FATAL", 0)],
    differences: &[],
    detect,
    parse,
};

const COLUMNS: &[&str] = &["id", "fqdn/ip", "port", "severity", "finding"];

fn detect(sniff: &Sniff) -> bool {
    sniff.has_columns(COLUMNS)
        || sniff.has_all(&["[].id", "[].ip", "[].port", "[].severity", "[].finding"])
        || sniff.has_all(&["Invocation", "scanResult"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_list() {
        return parse_flat(input, collector);
    }
    if sniff.is_object() {
        return parse_pretty(input, collector);
    }
    table::rows(input, COLUMNS, &mut |row| collect(row.and_then(|row| RawRow::from_csv(&row)), collector))?;
    collector.container();
    Ok(())
}

#[derive(Debug, Deserialize)]
struct RawRow {
    id: String,
    ip: Option<Text>,
    port: Option<Text>,
    severity: String,
    #[serde(default)]
    finding: Text,
    cve: Option<Text>,
    cwe: Option<Text>,
    hint: Option<Text>,
}

impl RawRow {
    fn from_csv(row: &Row<'_>) -> Result<Self, String> {
        Ok(Self {
            id: row.owned("id").ok_or("`id` is missing in the row")?,
            ip: row.owned("fqdn/ip").map(Text),
            port: row.owned("port").map(Text),
            severity: row.owned("severity").ok_or("`severity` is missing in the row")?,
            finding: Text(row.owned("finding").unwrap_or_default()),
            cve: row.owned("cve").map(Text),
            cwe: row.owned("cwe").map(Text),
            hint: row.owned("hint").map(Text),
        })
    }

    /// The id without the number of the certificate.
    fn rule(&self) -> &str {
        let id = self.id.trim();
        id.split_once('<').map_or(id, |(rule, _)| rule.trim_end())
    }

    /// The name and the address of the target.
    fn target(&self) -> (&str, &str) {
        let target = self.ip.as_ref().map_or("", |target| &target.0);
        target.rsplit_once('/').unwrap_or((target, ""))
    }

    /// The host of the target: its name, else its address.
    fn host(&self) -> Option<&str> {
        let (name, address) = self.target();
        [name, address].into_iter().find(|part| !part.trim().is_empty())
    }

    fn into_finding(self) -> Finding {
        let rule = self.rule().to_owned();
        let (name, address) = self.target();
        let (is_named, address) = (!name.is_empty(), address.to_owned());
        let host = self.host().map(str::to_owned);
        let message = if self.finding.0.trim().is_empty() { rule.clone() } else { self.finding.0.trim().to_owned() };
        let list = |text: Option<Text>| text.map(|text| text.0).unwrap_or_default();
        let mut finding = Finding {
            advisories: list(self.cve).split([' ', ',']).filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            cwes: cwe::numbers(list(self.cwe).split([' ', ','])),
            remediation: self.hint.filled(),
            endpoint: Some(Endpoint {
                host,
                port: self.port.and_then(|port| port.0.trim().parse().ok()),
                protocol: Some("tcp".to_owned()),
                ..Endpoint::default()
            }),
            ..Finding::new(Kind::Host, &*rule, &*rule, message)
        };
        if rule != self.id {
            finding.raw.insert("id".to_owned(), self.id);
        }
        if !address.is_empty() && is_named {
            finding.raw.insert("ip".to_owned(), address);
        }
        SCANNER.rating().word(Some(&self.severity)).apply(&mut finding);
        finding
    }
}

fn collect(row: Result<RawRow, String>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let row = match row {
        Ok(row) => row,
        Err(reason) => return collector.rejected(reason),
    };
    match row.severity.trim().to_ascii_uppercase().as_str() {
        "OK" => collector.passed(),
        "INFO" | "DEBUG" => collector.not_applicable(),
        severity => {
            if severity == "FATAL" || severity == "WARN" && row.rule() != "engine_problem" {
                collector.blind_to_host(row.host(), format!("{}: {}", row.id, row.finding.0));
            }
            collector.finding(row.into_finding())
        }
    }
}

fn parse_flat(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut rows = 0_u64;
    json::walk(input, &["[]"], &mut |item| {
        let row = item.read::<RawRow>();
        rows += u64::from(row.is_ok());
        collect(row, collector)
    })?;
    collector.require(
        rows > 0,
        "a testssl.sh JSON report lists objects with `id`, `severity` and `finding`, and is never empty",
    )
}

/// Parses the structured report: targets with their properties, and lists of rows by section.
fn parse_pretty(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let seen = json::walk(input, &["scanResult[]", "version", "startTime"], &mut |item| {
        if item.path == 1 {
            item.read::<String>().into_iter().for_each(|version| collector.version(version));
            return Ok(());
        }
        if item.path == 2 {
            return item.started(collector);
        }
        match item.read::<BTreeMap<String, serde_json::Value>>() {
            Ok(target) => collect_target(target, collector),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    seen.require(collector, &[0], "a testssl.sh structured JSON report is an object with the list `scanResult`")
}

fn collect_target(
    mut target: BTreeMap<String, serde_json::Value>,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let text = |name: &str| target.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let address = format!("{}/{}", text("targetHost"), text("ip"));
    let port = target.remove("port").and_then(|port| json::from_value::<Text>(port).ok());
    // A target that could not be scanned is itself a row.
    if target.contains_key("severity") && target.contains_key("id") {
        return collect(json::from_value(serde_json::Value::Object(target.into_iter().collect())), collector);
    }
    for section in target.into_values() {
        let serde_json::Value::Array(rows) = section else { continue };
        for row in rows.into_iter().filter(|row| row.get("severity").is_some()) {
            let row = json::from_value::<RawRow>(row).map(|row| RawRow {
                ip: row.ip.or(Some(Text(address.clone()))),
                port: row.port.or(port.clone()),
                ..row
            });
            collect(row, collector)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    const HEADER: &str = r#""id","fqdn/ip","port","severity","finding","cve","cwe""#;

    #[test]
    fn rows_are_counted_by_their_severity() {
        let csv = format!(
            "{HEADER}\n\
             \"service\",\"shop.example/192.0.2.7\",\"443\",\"INFO\",\"HTTP\",\"\",\"\"\n\
             \"SSLv2\",\"shop.example/192.0.2.7\",\"443\",\"OK\",\"not offered\",\"\",\"\"\n\
             \"cert_keySize <cert#2>\",\"shop.example/192.0.2.7\",\"443\",\"HIGH\",\"RSA 1024\",\"\",\"\"\n\
             \"SWEET32\",\"shop.example/192.0.2.7\",\"443\",\"LOW\",\"uses 64 bit\",\"CVE-2016-2183 CVE-2016-6329\",\"CWE-327\"\n"
        );
        let (findings, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
        let summary = &parsed.summary;
        assert!(summary.is_complete());
        assert_eq!((summary.passed, summary.not_applicable, summary.findings), (1, 1, 2));
        assert_eq!(
            (findings[0].rule.as_str(), findings[0].raw["id"].as_str()),
            ("cert_keySize", "cert_keySize <cert#2>")
        );
        assert_eq!(findings[1].advisories, ["CVE-2016-2183", "CVE-2016-6329"]);
        assert_eq!(findings[1].cwes, [327]);
        let endpoint = findings[1].endpoint.as_ref().unwrap();
        assert_eq!((endpoint.host.as_deref(), endpoint.port), (Some("shop.example"), Some(443)));
    }

    #[test]
    fn tests_that_could_not_run_are_findings_of_severity_info_and_a_blind_spot_over_the_host() {
        for (id, severity, spots) in
            [("scanProblem", "FATAL", 1), ("secure_client_renego", "WARN", 1), ("engine_problem", "WARN", 0)]
        {
            let csv = format!("{HEADER}\n\"{id}\",\"Shop.example/\",\"443\",\"{severity}\",\"no\",\"\",\"\"");
            let (found, parsed) = findings(&SCANNER, csv.as_bytes()).unwrap();
            assert_eq!(found[0].severity(), finding::severity::Severity::Info, "{id}");
            let summary = parsed.summary;
            assert_eq!((summary.is_complete(), summary.blind_spots.len()), (true, spots), "{id}");
            for spot in summary.blind_spots {
                assert_eq!(spot.reach, finding::Reach::File("shop.example".to_owned()));
            }
            let nameless = csv.replace("Shop.example/", "");
            assert_eq!(findings(&SCANNER, nameless.as_bytes()).unwrap().1.summary.is_complete(), spots == 0, "{id}");
        }
    }

    #[test]
    fn both_json_reports_are_read() {
        let row = r#"{"id": "BREACH", "ip": "shop.example/192.0.2.7", "port": "443", "severity": "MEDIUM", "cve": "CVE-2013-3587",
            "cwe": "CWE-310", "finding": "potentially VULNERABLE"}"#;
        let short = r#"{"id": "BREACH", "severity": "MEDIUM", "cve": "CVE-2013-3587", "cwe": "CWE-310",
            "finding": "potentially VULNERABLE"}"#;
        let pretty = format!(
            r#"{{"Invocation": "testssl.sh", "version": "3.0.8", "scanResult": [{{"targetHost": "shop.example", "ip": "192.0.2.7",
            "port": "443", "service": "HTTP", "vulnerabilities": [{short}]}}], "scanTime": 40}}"#
        );
        let (flat, _) = findings(&SCANNER, format!("[{row}]").as_bytes()).unwrap();
        let (pretty, parsed) = findings(&SCANNER, pretty.as_bytes()).unwrap();
        assert_eq!(flat, pretty);
        assert_eq!(parsed.scanner_version.as_deref(), Some("3.0.8"));
        assert!(failure(&SCANNER, b"[]").contains("never empty"));
    }
}
