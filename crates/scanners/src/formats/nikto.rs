//! Nikto, <https://github.com/sullo/nikto>: scanner for web servers. Reads its XML report (`-Format xml`), also with
//! several `niktoscan` elements in one, and its JSON report (`-Format json`), one host or a list of hosts; versions 2.1
//! to 2.5.
//!
//! A result is an item: one test that matched at one URL. The rule is the test's id.
//!
//! Nikto reports no severity. An item with an OSVDB number, or with a CVE id among the references (which replaced OSVDB
//! in version 2.5), is medium, 5.5, as in other systems. All other items are informational, 0.
//!
//! Nikto skips a host after 20 failed requests, its own limit: a blind spot over the site, by its name and by its
//! address. The number of hosts is that of the `scandetails`, or of the objects with a `host`.

use crate::Scanner;
use crate::reader::json::{self, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::reader::xml;
use crate::reader::xml::{Container, Element, Found};
use crate::value::web;
use finding::severity::{Score, ScoreSource};
use finding::{Endpoint, Finding, Kind, Reach, Scored, Unit};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "nikto",
    tool: "nikto",
    name: "Nikto",
    aliases: &[],
    versions: "2.1 to 2.5",
    category: "DAST",
    notation: Notation::Xml,
    formats: "XML (`-Format xml`), JSON (`-Format json`)",
    severities: "none in the report: items with an OSVDB number or a CVE id 5.5, as in other systems; others 0",
    severity_words: &[],
    differences: &[],
    detect,
    parse,
};

/// The number of failed requests after which Nikto skips a host (`FAILURES` in its configuration).
const FAILURES_MAX: u32 = 20;
const CATALOGUED: u16 = 550;
const NOT_CATALOGUED: u16 = 0;

fn detect(sniff: &Sniff) -> bool {
    sniff.root() == Some("niktoscan")
        || sniff.has_all(&["host", "banner", "vulnerabilities"])
        || sniff.has_all(&["[].host", "[].banner", "[].vulnerabilities"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_object() || sniff.is_list() { parse_json(input, collector) } else { parse_xml(input, collector) }
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    // The items of one run, or of several in one outermost element.
    let paths = [
        "niktoscan/scandetails/item",
        "niktoscan/niktoscan/scandetails/item",
        "niktoscan/scandetails@",
        "niktoscan/niktoscan/scandetails@",
        "niktoscan/niktoscan@",
    ];
    let containers = [
        Container::mixed("niktoscan", &["scandetails", "niktoscan"], &[]),
        Container::mixed("niktoscan/niktoscan", &["scandetails!"], &[]),
        Container::mixed("niktoscan/scandetails", &["item"], &["statistics"]),
        Container::mixed("niktoscan/niktoscan/scandetails", &["item"], &["statistics"]),
    ];
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        match found.path {
            0 | 1 => return collector.result(item_from_xml(&found).into_finding()),
            2 | 3 => {
                collector.examined(Unit::Hosts, 1);
                collector.started(found.element.attribute("starttime"));
                let failed: u32 = found.element.attribute("errors").and_then(|count| count.parse().ok()).unwrap_or(0);
                if failed >= FAILURES_MAX {
                    report_skipped(&found.element, &format!("{failed} requests failed"), collector);
                }
            }
            _ => version(&found.element, collector),
        }
        Ok(())
    })?;
    version(&root, collector);
    const SHAPE: &str = "a Nikto XML report has the outermost element `niktoscan`, and `scandetails` in it";
    collector.examined(Unit::Hosts, 0);
    structure.require(collector, SHAPE)
}

/// Adds the blind spots of a host that Nikto skipped: its site, by name and by address, as in the links of items.
fn report_skipped(host: &Element, reason: &str, collector: &mut Collector<'_>) {
    let sites = ["sitename", "siteip"].map(|name| host.attribute(name).and_then(|site| web::address(site).url));
    let origin = |site: String| Some(site.trim_end_matches('/').to_owned()).filter(|site| site.contains("://"));
    match sites.map(|site| site.and_then(origin)) {
        [Some(name), address] => {
            collector.blind_to_host(Some(&name), reason);
            address.into_iter().for_each(|address| collector.blind_to_host(Some(&address), reason));
        }
        [None, _] => {
            let host = host.attribute("targethostname").unwrap_or_default();
            collector.blind_spot(Reach::Everything, format!("{host}: {reason}"));
        }
    }
}

/// Notes the version and the times of a run. Version 2.1.6 writes the end as the year 1970.
fn version(run: &Element, collector: &mut Collector<'_>) {
    collector.ended(run.attribute("scanend"));
    collector.started(run.attribute("scanstart"));
    if let Some(version) = run.attribute("version") {
        collector.version(version);
    }
}

/// An item of an XML or JSON report.
#[derive(Default)]
struct Item {
    id: Option<String>,
    osvdb: Option<String>,
    method: Option<String>,
    path: Option<String>,
    text: Option<String>,
    references: Option<String>,
    /// The complete address.
    url: Option<String>,
    host: Option<String>,
    port: Option<u16>,
}

fn item_from_xml(found: &Found<'_>) -> Item {
    let item = &found.element;
    let attribute = |name: &str| item.attribute(name).map(str::to_owned);
    let host = found.ancestors.last();
    let of_host = |name: &str| host.and_then(|host| host.attribute(name));
    let path = item.owned_at("uri");
    // Some versions omit the host in an item's links.
    let link = ["namelink", "iplink"].iter().filter_map(|name| item.owned_at(name)).find(|link| !link.contains("://:"));
    let site = of_host("sitename").map(|site| site.trim_end_matches('/'));
    let url = link.or_else(|| Some(format!("{}{}", site?, path.as_deref().unwrap_or_default())));
    Item {
        id: attribute("id"),
        osvdb: attribute("osvdbid"),
        method: attribute("method"),
        text: item.owned_at("description"),
        references: item.owned_at("references"),
        url,
        path,
        host: of_host("targethostname").or(of_host("targetip")).map(str::to_owned),
        port: of_host("targetport").and_then(|port| port.parse().ok()),
    }
}

/// The host that items of a JSON report belong to.
#[derive(Default)]
struct Host {
    name: Option<String>,
    ip: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct RawItem {
    id: Option<Text>,
    #[serde(rename = "OSVDB")]
    osvdb: Option<Text>,
    method: Option<Text>,
    url: Option<Text>,
    msg: Option<Text>,
    references: Option<Text>,
}

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut hosts: BTreeMap<usize, Host> = BTreeMap::new();
    json::walk(input, &["host", "ip", "port", "[].host", "[].ip", "[].port"], &mut |item| {
        let host = hosts.entry(item.index(0)).or_default();
        let text = item.read::<Text>().ok().filled();
        match item.path % 3 {
            0 => host.name = text,
            1 => host.ip = text,
            _ => host.port = text.and_then(|port| port.trim().parse().ok()),
        }
        Ok(())
    })?;
    let seen = json::walk(input, &["vulnerabilities[]", "[].vulnerabilities![]"], &mut |item| {
        let host = hosts.get(&if item.path == 0 { 0 } else { item.index(0) });
        collector.result(item.read::<RawItem>().and_then(|raw| raw.into_item(host).into_finding()))
    })?;
    seen.report_missing(collector);
    collector.examined(Unit::Hosts, u64::try_from(hosts.len()).unwrap_or(u64::MAX));
    collector.require(
        !hosts.is_empty() && (seen.has(0) || seen.has(1)),
        "a Nikto JSON report is an object, or a list of objects, with `host` and the list `vulnerabilities`",
    )
}

impl RawItem {
    fn into_item(self, host: Option<&Host>) -> Item {
        let text = |text: Option<Text>| text.filled();
        let path = text(self.url);
        let name = host.and_then(|host| host.name.as_ref().or(host.ip.as_ref()));
        let port = host.and_then(|host| host.port);
        // The report has no scheme; the address is built as Nikto does it in its XML report.
        let url = name.map(|name| {
            let (port, path) = (port.unwrap_or(80), path.as_deref().unwrap_or_default());
            let scheme = if port % 1000 == 443 { "https" } else { "http" };
            format!("{scheme}://{name}:{port}{path}")
        });
        Item {
            id: text(self.id),
            osvdb: text(self.osvdb),
            method: text(self.method),
            text: text(self.msg),
            references: text(self.references),
            url,
            host: name.cloned(),
            port,
            path,
        }
    }
}

impl Item {
    fn into_finding(self) -> Result<Finding, String> {
        let message = self.text.ok_or("the message of the item is missing")?;
        let title = self.path.as_deref().and_then(|path| message.strip_prefix(path)?.strip_prefix(": "));
        let title = title.unwrap_or(&message).to_owned();
        let osvdb = self.osvdb.filter(|number| number != "0");
        let references = self.references.unwrap_or_default();
        let advisories = cves(&references);
        let catalogued = osvdb.is_some() || !advisories.is_empty();
        let score = Score::from_hundredths(if catalogued { CATALOGUED } else { NOT_CATALOGUED });
        let address = web::address(self.url.as_deref().unwrap_or_default());
        let mut finding = Finding {
            score: score.map(|score| Scored { score, source: ScoreSource::ScannerWord }),
            references: web::links(&references),
            endpoint: Some(Endpoint {
                host: address.host.or(self.host),
                port: address.port.or(self.port),
                url: address.url,
                protocol: address.protocol,
                method: self.method,
                parameter: None,
            }),
            advisories,
            ..Finding::new(Kind::Web, self.id.unwrap_or_else(|| title.clone()), title, message)
        };
        if let Some(number) = osvdb {
            finding.advisories.push(format!("OSVDB-{number}"));
        }
        Ok(finding)
    }
}

/// The CVE ids in a list of references: alone, or in an address.
fn cves(references: &str) -> Vec<String> {
    let parts = references.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_ascii_uppercase);
    let mut found: Vec<String> = parts.filter(|part| part.starts_with("CVE-") && part.len() > 8).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const JSON: &str = r#"{"host": "shop.example", "ip": "192.0.2.7", "port": "443", "banner": "nginx", "vulnerabilities": [
        {"id": "999103", "references": "https://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2003-1418", "method": "GET",
            "url": "/", "msg": "/: Server may leak inodes via ETags."}]}"#;

    #[test]
    fn an_item_becomes_a_finding() {
        let (findings, parsed) = findings(&SCANNER, JSON.as_bytes()).unwrap();
        assert!(parsed.summary.is_complete());
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "web",
            "rule": "999103",
            "title": "Server may leak inodes via ETags.",
            "message": "/: Server may leak inodes via ETags.",
            "score": {
              "score": 550,
              "source": "scanner_word"
            },
            "advisories": [
              "CVE-2003-1418"
            ],
            "references": [
              "https://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2003-1418"
            ],
            "endpoint": {
              "url": "https://shop.example:443/",
              "host": "shop.example",
              "port": 443,
              "protocol": "https",
              "method": "GET"
            }
          }
        ]
        "#);
    }

    #[test]
    fn an_object_and_a_list_of_hosts_are_the_same_report() {
        let one = findings(&SCANNER, JSON.as_bytes()).unwrap();
        assert_eq!(findings(&SCANNER, format!("[{JSON}]").as_bytes()).unwrap(), one);
        let two = JSON.replace("shop.example", "b.example").replace("\"port\": \"443\"", "\"port\": \"8080\"");
        let (two, _) = findings(&SCANNER, format!("[{JSON}, {two}]").as_bytes()).unwrap();
        assert_eq!(two[1].endpoint.as_ref().unwrap().url.as_deref(), Some("http://b.example:8080/"));
    }

    #[test]
    fn items_in_a_catalogue_are_medium_and_others_informative() {
        let cases = [
            ("\"OSVDB\": \"3092\"", Severity::Medium),
            ("\"OSVDB\": 0", Severity::Info),
            ("\"references\": \"CVE-2003-1418\"", Severity::Medium),
            ("\"references\": \"https://shop.example\"", Severity::Info),
        ];
        for (field, severity) in cases {
            let text =
                format!(r#"{{"host": "a", "banner": "", "vulnerabilities": [{{"id": "1", "msg": "m", {field}}}]}}"#);
            assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().0[0].severity(), severity, "{field}");
        }
    }

    #[test]
    fn several_runs_in_one_report_are_read_and_a_skipped_host_is_a_blind_spot() {
        let run = |host: &str, errors: u32| {
            format!(
                r#"<niktoscan version="2.1.6"><scandetails targethostname="{host}" targetport="443" errors="{errors}"
                sitename="https://{host}:443/" siteip="https://192.0.2.7:443/"><item id="999957" osvdbid="0" method="GET"><description>d</description>
                <uri>/a</uri><namelink></namelink><iplink>http://:/a</iplink></item></scandetails></niktoscan>"#
            )
        };
        let text = format!("<niktoscan>{}{}</niktoscan>", run("a.example", 3), run("b.example", 20));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        let urls: Vec<_> =
            findings.iter().map(|finding| finding.endpoint.as_ref().unwrap().url.as_deref().unwrap()).collect();
        assert_eq!(urls, ["https://a.example:443/a", "https://b.example:443/a"]);
        let spots: Vec<_> = parsed.summary.blind_spots.iter().map(|spot| spot.reach.name().unwrap()).collect();
        assert_eq!(spots, ["https://b.example:443", "https://192.0.2.7:443"]);
        assert_eq!(parsed.summary.blind_spots[0].reason, "20 requests failed");
        assert_eq!((parsed.summary.is_complete(), parsed.summary.examined), (true, [(Unit::Hosts, 2)].into()));
        assert_eq!(parsed.scanner_version.as_deref(), Some("2.1.6"));
    }

    #[test]
    fn a_run_without_hosts_is_blind_to_everything() {
        let summary = findings(&SCANNER, br#"<niktoscan version="2.1.6"></niktoscan>"#).unwrap().1.summary;
        assert_eq!((summary.is_complete(), &summary.blind_spots[0].reach), (true, &Reach::Everything));
        let unnamed = br#"<niktoscan><scandetails targethostname="a.example" errors="20"/></niktoscan>"#;
        let summary = findings(&SCANNER, unnamed).unwrap().1.summary;
        assert_eq!(summary.blind_spots[0].reason, "a.example: 20 requests failed");
    }

    #[test]
    fn a_json_report_without_hosts_is_refused() {
        for text in ["[]", "[{}]", r#"{"vulnerabilities": []}"#, r#"{"host": "a"}"#] {
            assert!(failure(&SCANNER, text.as_bytes()).contains("a Nikto JSON report is"), "{text}");
        }
    }
}
