//! Nmap, <https://nmap.org>: network scanner. Reads its XML report (`-oX`), as versions 4 to 7 write it.
//!
//! A result is an open port of a host. The rule is the port and its protocol (`22/tcp`), so a port is one issue with an
//! occurrence for every host on which it is open. Ports in other states, such as `open|filtered`, are not results.
//!
//! Results of scripts are added to the finding of their port: a service with thirty known vulnerabilities is fixed
//! once, by an update or by closing the port, and their number changes with every update of the database. The ids from
//! `vulners` and the `vulns` library are the finding's advisories; the scripts' output is stored as well. Exploits, and
//! vulnerabilities that a script reports as not present, are skipped. Results of a script about a whole host are added
//! to the port that the script's name implies (SMB), else to the host's first open port. A host without open ports gets
//! a finding with the script's name.
//!
//! An open port alone is informational, 0. Of the scores of scripts, the highest counts. The report does not state
//! their CVSS version, so the score counts as Nmap's own.
//!
//! A host that timed out and was skipped is a blind spot. A run that failed (`errormsg`) is incomplete. `runstats` has
//! the number of hosts that are up.

use crate::Scanner;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use finding::{Endpoint, Finding, Kind, Package, Unit};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "nmap",
    tool: "nmap",
    name: "Nmap",
    aliases: &[],
    versions: "4 to 7",
    category: "Network",
    notation: Notation::Xml,
    formats: "XML (`-oX`), with the output of scripts such as `vulners`",
    severities: "an open port 0; with advisories from scripts (`vulners`, `vulns`), the highest of their scores",
    severity_words: &[("open", 0)],
    differences: &[(
        "severity",
        "a port and its advisories are one finding with the highest score; other systems make one of each advisory as well",
    )],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.root() == Some("nmaprun")
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["nmaprun/host", "nmaprun/runstats/finished", "nmaprun/runstats/hosts"];
    const OTHERS: [&str; 16] = [
        "scaninfo",
        "verbose",
        "debugging",
        "runstats",
        "target",
        "taskbegin",
        "taskprogress",
        "taskend",
        "hosthint",
        "prescript",
        "postscript",
        "output",
        "address",
        "times",
        "smurf",
        "hostscript",
    ];
    let containers = [Container::exact("nmaprun", &["host"], &OTHERS)];
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        match found.path {
            0 => return host(&found.element, collector),
            1 => {
                collector.ended(found.element.attribute("time"));
                found.element.attribute("errormsg").into_iter().for_each(|error| collector.scanner_error(error));
            }
            _ => {
                let up = found.element.attribute("up").and_then(|count| count.trim().parse().ok());
                up.into_iter().for_each(|count| collector.examined(Unit::Hosts, count));
            }
        }
        Ok(())
    })?;
    collector.started(root.attribute("start"));
    if let Some(version) = root.attribute("version") {
        collector.version(version);
    }
    structure.require(collector, "an Nmap XML report has the outermost element `nmaprun`")
}

fn host(host: &Element, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let identity = HostIdentity::from_xml(host);
    if host.attribute("timedout") == Some("true") {
        collector.blind_to_host(Some(&identity.host), "the host timed out and was skipped");
    }
    for unknown in unknown_parts(host) {
        collector.rejected(format!("{}: {unknown}", identity.host))?;
    }
    let ports = host.at("ports").map(|ports| ports.all("port")).into_iter().flatten();
    let open: Vec<&Element> = ports.filter(|port| state(port) == Some("open")).collect();
    let mut scripts: Vec<(Option<usize>, &Element, ScriptResult)> = Vec::new();
    for script in host.at("hostscript").map(|scripts| scripts.all("script")).into_iter().flatten() {
        let result = ScriptResult::from_xml(script);
        if !result.is_empty() {
            scripts.push((port_of(script, &open), script, result));
        }
    }
    for (number, port) in open.iter().enumerate() {
        if port.all("script").any(|script| script.attribute("id").is_some_and(prints_passwords)) {
            collector.holds_secrets();
        }
        let of_host = scripts.iter().filter(|(at, ..)| *at == Some(number)).map(|(_, script, _)| *script);
        collector.result(finding(port, &identity, of_host))?;
    }
    for (_, script, result) in scripts.into_iter().filter(|(at, ..)| at.is_none()) {
        let id = script.attribute("id").unwrap_or("hostscript");
        let title = result.title.clone().unwrap_or_else(|| id.to_owned());
        let mut finding = Finding {
            endpoint: Some(Endpoint { host: Some(identity.host.clone()), ..Endpoint::default() }),
            ..Finding::new(Kind::Host, id, title, script.attribute("output").unwrap_or(id).trim())
        };
        SCANNER.rating().own(result.score).apply(&mut finding);
        finding.advisories = result.advisories;
        collector.finding(finding)?;
    }
    Ok(())
}

/// The parts of a host that may be an open port and cannot be read, in words.
fn unknown_parts(host: &Element) -> Vec<String> {
    /// The elements of a host in Nmap's DTD.
    const OF_HOST: [&str; 14] = [
        "status",
        "address",
        "hostnames",
        "smurf",
        "ports",
        "os",
        "distance",
        "uptime",
        "tcpsequence",
        "ipidsequence",
        "tcptssequence",
        "hostscript",
        "trace",
        "times",
    ];
    const STATES: [&str; 7] =
        ["open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered", "unknown"];
    let unknown = |within: &str, name: &str| format!("unknown element <{name}> in <{within}>");
    let of_host = host.children.iter().filter(|child| !OF_HOST.contains(&child.name.as_str()));
    let of_host = of_host.map(|child| unknown("host", &child.name));
    let of_ports = host.at("ports").into_iter().flat_map(|ports| &ports.children);
    let of_ports = of_ports.filter_map(|child| match child.name.as_str() {
        "extraports" => None,
        "port" if state(child).is_some_and(|state| STATES.contains(&state)) => None,
        "port" => Some("the state of a port is missing or unknown".to_owned()),
        name => Some(unknown("ports", name)),
    });
    of_host.chain(of_ports).collect()
}

/// The index of the open port for the result of a host script: 445 or 139 for SMB scripts, else the first one.
fn port_of(script: &Element, open: &[&Element]) -> Option<usize> {
    let smb =
        ["smb", "samba", "msrpc"].iter().any(|name| script.attribute("id").is_some_and(|id| id.starts_with(name)));
    let with = |number: &str| open.iter().position(|port| port.attribute("portid") == Some(number));
    let smb_port = if smb { with("445").or(with("139")) } else { None };
    smb_port.or(if open.is_empty() { None } else { Some(0) })
}

/// True if a script prints the passwords with which it could log in.
fn prints_passwords(script: &str) -> bool {
    script.ends_with("-brute") || script.ends_with("default-accounts")
}

fn state(port: &Element) -> Option<&str> {
    port.at("state")?.attribute("state")
}

/// A host's name and addresses.
struct HostIdentity {
    host: String,
    addresses: String,
    names: String,
}

impl HostIdentity {
    /// Prefers the name that the user entered, which changes less often than the address. A looked-up name does not.
    fn from_xml(host: &Element) -> Self {
        let names: Vec<&Element> =
            host.at("hostnames").map(|names| names.all("hostname")).into_iter().flatten().collect();
        let entered = names.iter().find(|name| name.attribute("type") == Some("user"));
        let addresses: Vec<&str> = host.all("address").filter_map(|address| address.attribute("addr")).collect();
        let name = entered.and_then(|name| name.attribute("name")).or(addresses.first().copied());
        let names: Vec<&str> = names.iter().filter_map(|name| name.attribute("name")).collect();
        Self { host: name.unwrap_or_default().to_owned(), addresses: addresses.join(", "), names: names.join(", ") }
    }
}

fn finding<'e>(
    port: &'e Element,
    identity: &HostIdentity,
    of_host: impl Iterator<Item = &'e Element>,
) -> Result<Finding, String> {
    let number = port.attribute("portid").ok_or("the number of the port is missing")?;
    let protocol = port.attribute("protocol").unwrap_or("tcp");
    let service = port.at("service");
    let about = |name: &str| service.and_then(|service| service.attribute(name));
    let described = ["name", "product", "version", "extrainfo"].iter().filter_map(|name| about(name));
    let described = described.collect::<Vec<_>>().join(" ");
    let name = if described.is_empty() { "an unknown service" } else { described.as_str() };
    let mut finding = Finding {
        package: package(service),
        endpoint: Some(Endpoint {
            host: Some(identity.host.clone()),
            port: number.parse().ok(),
            protocol: Some(protocol.to_owned()),
            ..Endpoint::default()
        }),
        ..Finding::new(
            Kind::Host,
            format!("{number}/{protocol}"),
            format!("Open port {number}/{protocol}"),
            format!("{name} on {}, port {number}/{protocol}", identity.host),
        )
    };
    let mut score: Option<f64> = None;
    for script in port.all("script").chain(of_host) {
        let result = ScriptResult::from_xml(script);
        score = score.into_iter().chain(result.score).reduce(f64::max);
        finding.advisories.extend(result.advisories);
        if let (Some(id), Some(output)) = (script.attribute("id"), script.attribute("output")) {
            let output = if prints_passwords(id) { "omitted: may contain passwords" } else { output };
            finding.raw.insert(format!("script:{id}"), output.to_owned());
        }
    }
    finding.advisories.sort();
    finding.advisories.dedup();
    let reason = port.at("state").and_then(|state| state.attribute("reason")).unwrap_or_default();
    for (name, value) in
        [("addresses", identity.addresses.as_str()), ("hostnames", &identity.names), ("reason", reason)]
    {
        if !value.is_empty() {
            finding.raw.insert(name.to_owned(), value.to_owned());
        }
    }
    SCANNER.rating().own(score).word(state(port)).apply(&mut finding);
    Ok(finding)
}

/// The software of the service, from its CPE (`cpe:/a:openbsd:openssh:7.4`), else from Nmap's name for it.
fn package(service: Option<&Element>) -> Option<Package> {
    let service = service?;
    let cpe = service.all("cpe").map(|cpe| cpe.text.trim()).find(|cpe| cpe.starts_with("cpe:/a:"));
    let parts: Vec<&str> = cpe.unwrap_or_default().split(':').collect();
    let name = parts.get(3).copied().or(service.attribute("product"))?;
    let version = parts.get(4).copied().filled().or(service.attribute("version"));
    Some(Package { name: name.to_owned(), version: version.map(str::to_owned), ..Package::default() })
}

/// The vulnerabilities that a script reports.
#[derive(Default)]
struct ScriptResult {
    title: Option<String>,
    advisories: Vec<String>,
    score: Option<f64>,
}

impl ScriptResult {
    fn from_xml(script: &Element) -> Self {
        let mut result = Self::default();
        for table in script.all("table") {
            match entry(table, "state") {
                Some(state) => result.add_vulns_entry(table, &state),
                None => table.all("table").for_each(|entry| result.add_vulners_entry(entry)),
            }
        }
        // Early versions of `vulners` write only text: id, score and address on a line.
        if script.attribute("id") == Some("vulners") && script.children.is_empty() {
            for line in script.attribute("output").unwrap_or_default().lines() {
                let mut words = line.split_whitespace();
                if let (Some(id), Some(Ok(score))) = (words.next(), words.next().map(str::parse)) {
                    result.add(id, Some(score));
                }
            }
        }
        result
    }

    fn is_empty(&self) -> bool {
        self.advisories.is_empty() && self.title.is_none()
    }

    fn add(&mut self, id: &str, score: Option<f64>) {
        self.advisories.push(id.to_owned());
        self.score = self.score.into_iter().chain(score).reduce(f64::max);
    }

    /// Adds an entry of `vulners`: a vulnerability, or an exploit of one, which is skipped.
    fn add_vulners_entry(&mut self, table: &Element) {
        let exploit = entry(table, "is_exploit").is_some_and(|is| is == "true");
        if let (Some(id), false) = (entry(table, "id"), exploit) {
            self.add(&id, entry(table, "cvss").and_then(|score| decimal(&score)));
        }
    }

    /// Adds an entry of the `vulns` library: title, state, ids (`CVE:CVE-2017-0143`) and scores (`9.3 (HIGH)`).
    fn add_vulns_entry(&mut self, table: &Element, state: &str) {
        if !state.starts_with("VULNERABLE") && !state.starts_with("LIKELY VULNERABLE") {
            return;
        }
        self.title = entry(table, "title").or(self.title.take());
        let inner = |key: &str| {
            let list = table.all("table").find(|inner| inner.attribute("key") == Some(key));
            list.map(|list| list.all("elem")).into_iter().flatten().map(|elem| elem.text.trim())
        };
        let scores = inner("scores").filter_map(|score| decimal(score.split_whitespace().next()?));
        let score = scores.reduce(f64::max);
        self.score = self.score.into_iter().chain(score).reduce(f64::max);
        for id in inner("ids") {
            self.add(id.rsplit(':').next().unwrap_or(id), None);
        }
    }
}

/// The text of the element `elem` with this key.
fn entry(table: &Element, key: &str) -> Option<String> {
    let elem = table.all("elem").find(|elem| elem.attribute("key") == Some(key))?;
    elem.text.trim().to_owned().filled()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};

    fn report(host: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><nmaprun scanner="nmap" version="7.95"><host><address addr="192.0.2.7" addrtype="ipv4"/>
            <hostnames><hostname name="shop.example" type="user"/><hostname name="x.example" type="PTR"/></hostnames>
            {host}</host><runstats><finished exit="success"/></runstats></nmaprun>"#
        )
    }

    const SSH: &str = r#"<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/>
        <service name="ssh" product="OpenSSH" version="7.4"><cpe>cpe:/a:openbsd:openssh:7.4</cpe></service>
        <script id="vulners" output="told"><table key="cpe:/a:openbsd:openssh:7.4">
        <table><elem key="cvss">5.0</elem><elem key="id">CVE-2018-15919</elem><elem key="is_exploit">false</elem></table>
        <table><elem key="cvss">6.8</elem><elem key="id">CVE-2017-15906</elem><elem key="is_exploit">false</elem></table>
        <table><elem key="cvss">9.9</elem><elem key="id">EDB-ID:45233</elem><elem key="is_exploit">true</elem></table>
        </table></script></port>"#;

    fn smb(state: &str) -> String {
        format!(
            r#"<hostscript><script id="smb-vuln-ms17-010" output="told"><table key="CVE-2017-0143">
            <elem key="title">Remote Code Execution vulnerability</elem><elem key="state">{state}</elem>
            <table key="ids"><elem>CVE:CVE-2017-0143</elem></table>
            <table key="scores"><elem key="CVSSv2">9.3 (HIGH) (AV:N/AC:M/Au:N/C:C/I:C/A:C)</elem></table>
            </table></script></hostscript>"#
        )
    }

    fn open(port: u16) -> String {
        format!(r#"<port protocol="tcp" portid="{port}"><state state="open"/></port>"#)
    }

    #[test]
    fn an_open_port_is_one_finding_with_its_advisories_and_the_highest_score() {
        let text = report(&format!("<ports>{SSH}</ports>"));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.scanner_version.as_deref(), Some("7.95"));
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "host",
            "rule": "22/tcp",
            "title": "Open port 22/tcp",
            "message": "ssh OpenSSH 7.4 on shop.example, port 22/tcp",
            "score": {
              "score": 680,
              "source": "scanner_score"
            },
            "severity_word": "open",
            "scanner_severity": "info",
            "advisories": [
              "CVE-2017-15906",
              "CVE-2018-15919"
            ],
            "package": {
              "name": "openssh",
              "version": "7.4"
            },
            "endpoint": {
              "host": "shop.example",
              "port": 22,
              "protocol": "tcp"
            },
            "raw": {
              "addresses": "192.0.2.7",
              "hostnames": "shop.example, x.example",
              "reason": "syn-ack",
              "script:vulners": "told"
            }
          }
        ]
        "#);
    }

    #[test]
    fn ports_that_are_not_open_are_not_results() {
        let port = |state: &str| format!(r#"<port protocol="udp" portid="53"><state state="{state}"/></port>"#);
        let ports: String = ["closed", "filtered", "open|filtered"].map(port).concat();
        let (_, parsed) = findings(&SCANNER, report(&format!("<ports>{ports}</ports>")).as_bytes()).unwrap();
        assert_eq!(parsed.summary.results, 0);
    }

    #[test]
    fn the_result_of_a_host_script_is_added_to_the_port_that_it_probed() {
        let text = report(&format!("<ports>{}{}</ports>{}", open(22), open(445), smb("VULNERABLE")));
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        let advisories: Vec<_> =
            findings.iter().map(|finding| (finding.rule.as_str(), finding.advisories.as_slice())).collect();
        assert_eq!(advisories, [("22/tcp", &[][..]), ("445/tcp", &["CVE-2017-0143".to_owned()][..])]);
        assert_eq!(findings[1].score.unwrap().score.hundredths(), 930);
    }

    #[test]
    fn a_host_without_open_ports_keeps_what_scripts_found() {
        let (found, _) = findings(&SCANNER, report(&smb("VULNERABLE (Exploitable)")).as_bytes()).unwrap();
        assert_eq!((found[0].rule.as_str(), found[0].advisories.len()), ("smb-vuln-ms17-010", 1));
        let (none, _) = findings(&SCANNER, report(&smb("NOT VULNERABLE")).as_bytes()).unwrap();
        assert!(none.is_empty());
    }

    #[test]
    fn text_of_early_vulners_is_read() {
        let script = r#"<script id="vulners" output="&#xa;  cpe:/a:x:y: &#xa;  &#x9;CVE-2018-15919&#x9;5.0&#x9;https://v.example"/>"#;
        let port = open(22).replace("</port>", &format!("{script}</port>"));
        let (findings, _) = findings(&SCANNER, report(&format!("<ports>{port}</ports>")).as_bytes()).unwrap();
        assert_eq!(findings[0].advisories, ["CVE-2018-15919"]);
        assert_eq!(findings[0].score.unwrap().score.hundredths(), 500);
    }

    #[test]
    fn passwords_that_a_script_found_are_left_out() {
        let script = "<script id=\"ssh-brute\" output=\"Accounts: root:hunter2 - Valid credentials\"/>";
        let text = report(&format!("<ports>{}</ports>", open(22).replace("</port>", &format!("{script}</port>"))));
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert!(parsed.holds_secrets && !serde_json::to_string(&findings).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_run_that_failed_is_incomplete_and_a_host_that_was_skipped_is_a_blind_spot() {
        let text = report("").replace("exit=\"success\"", "exit=\"error\" errormsg=\"no route\"");
        assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().1.summary.scanner_errors, ["no route"]);
        let text = report("").replace("<host>", "<host timedout=\"true\">");
        let summary = findings(&SCANNER, text.as_bytes()).unwrap().1.summary;
        assert_eq!((summary.is_complete(), summary.blind_spots.len()), (true, 1));
        assert_eq!(summary.blind_spots[0].reach, finding::Reach::File("shop.example".to_owned()));
        let none = br#"<nmaprun version="7"><runstats><hosts up="0" down="1"/></runstats></nmaprun>"#;
        let summary = findings(&SCANNER, none).unwrap().1.summary;
        assert_eq!(summary.blind_spots[0].reason, "the scanner examined 0 hosts");
        assert!(failure(&SCANNER, b"<a/>").contains("nmaprun"));
    }
}
