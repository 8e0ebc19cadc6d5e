//! SSLyze, <https://github.com/nabla-c0d3/sslyze>: TLS of servers. Reads its JSON (`--json_out`) of versions 1 to 6,
//! and the XML (`--xml_out`) of versions 0.14 to 2.
//!
//! SSLyze reports facts about a server, not results. A *result* is a check of one of these facts, per server; the
//! checks are in [`CHECKS`]. A failed check is a finding, any other is passed. Facts without a check (session
//! resumption, HTTP headers, early data) are not results. If a server has several certificate chains, each is checked.
//!
//! SSLyze has no severities. A vulnerability with a CVE has the CVSS base score of the National Vulnerability Database.
//! A weak protocol, cipher suite or certificate is medium, as in other systems.
//!
//! A cipher suite is weak if it has no encryption, no authentication, no forward secrecy, an export key, RC2, RC4, DES,
//! 3DES, IDEA or SEED, or if its integrity is based on MD5, SHA-1 or a short tag (CCM_8), according to RFC 9325,
//! section 4. Suites of TLS 1.2 and 1.3 are checked. Older protocols must not be offered with any suite, which is a
//! check as well.
//!
//! A server that could not be reached is a blind spot, and so is one on which a command failed, because a command has
//! several checks. The number of hosts is that of the servers that were reached.

mod facts;

use crate::Scanner;
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::xml::{self, Container, Element};
use crate::value::rating::{Rating, Words};
use finding::{Endpoint, Finding, Kind, Unit};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "sslyze",
    tool: "sslyze",
    name: "SSLyze",
    aliases: &[],
    versions: "0.14 to 6",
    category: "TLS",
    notation: Notation::Json,
    formats: "JSON (`--json_out`), XML (`--xml_out`, before version 3)",
    severities: "by check: Heartbleed 7.5, CCS injection 7.4, ROBOT 5.9, insecure renegotiation 5.8, client \
                 renegotiation 5.0, no fallback SCSV 3.4, compression 2.6 (CVSS of their CVEs in the NVD); weak \
                 protocols, cipher suites, curves and certificates 5.5; no extended master secret, certificate chain out \
                 of order 2.0",
    severity_words: &[],
    differences: &[],
    detect,
    parse,
};

/// A check: its rule, its title, the meaning of a failure, and the id of the vulnerability if it has one.
struct Check {
    rule: &'static str,
    title: &'static str,
    meaning: &'static str,
    advisory: Option<&'static str>,
}

const fn check(rule: &'static str, title: &'static str, meaning: &'static str) -> Check {
    Check { rule, title, meaning, advisory: None }
}

const fn with_advisory(
    rule: &'static str,
    title: &'static str,
    meaning: &'static str,
    advisory: &'static str,
) -> Check {
    Check { rule, title, meaning, advisory: Some(advisory) }
}

/// All checks.
const CHECKS: &[Check] = &[
    check("ssl_2_0", "SSL 2.0 accepted", "SSL 2.0 is broken and must not be used (RFC 6176)."),
    check("ssl_3_0", "SSL 3.0 accepted", "SSL 3.0 is broken and must not be used (RFC 7568)."),
    check("tls_1_0", "TLS 1.0 accepted", "TLS 1.0 is deprecated and must not be used (RFC 8996)."),
    check("tls_1_1", "TLS 1.1 accepted", "TLS 1.1 is deprecated and must not be used (RFC 8996)."),
    check(
        "tls_1_2_cipher_suites",
        "Weak cipher suites for TLS 1.2",
        "Only suites with forward secrecy and authenticated encryption should be offered (RFC 9325).",
    ),
    check(
        "tls_1_3_cipher_suites",
        "Weak cipher suites for TLS 1.3",
        "Only suites with forward secrecy and authenticated encryption should be offered (RFC 9325).",
    ),
    with_advisory("heartbleed", "Heartbleed", "Anyone can read parts of the server's memory.", "CVE-2014-0160"),
    with_advisory(
        "openssl_ccs_injection",
        "OpenSSL CCS injection",
        "An attacker in the middle can make the keys predictable.",
        "CVE-2014-0224",
    ),
    check(
        "robot",
        "ROBOT",
        "An attacker can use the server to decrypt RSA key exchanges (Return Of Bleichenbacher's Oracle Threat).",
    ),
    with_advisory(
        "insecure_renegotiation",
        "Insecure renegotiation",
        "An attacker in the middle can inject data at the beginning of a session (RFC 5746).",
        "CVE-2009-3555",
    ),
    with_advisory(
        "client_renegotiation",
        "Client-initiated renegotiation",
        "A client can make the server compute any number of key exchanges.",
        "CVE-2011-1473",
    ),
    with_advisory("tls_compression", "TLS compression", "Compression leaks encrypted data (CRIME).", "CVE-2012-4929"),
    check(
        "tls_fallback_scsv",
        "No protection against downgrades",
        "Without TLS_FALLBACK_SCSV, an attacker can make a client use an older protocol (RFC 7507).",
    ),
    check(
        "tls_extended_master_secret",
        "No extended master secret",
        "Without it, sessions are not bound to their handshakes (RFC 7627).",
    ),
    check("elliptic_curves", "Weak elliptic curves", "Curves of less than 224 bits are too weak (RFC 9325)."),
    check("certificate_hostname", "Certificate is for another host", "The certificate does not name the server."),
    check(
        "certificate_trust",
        "Certificate is not trusted",
        "The certificate chain is not valid in the trust stores of common clients.",
    ),
    check(
        "certificate_chain_order",
        "Certificate chain out of order",
        "The certificates are not sent in the order of their signatures.",
    ),
    check("certificate_sha1", "Certificate signed with SHA-1", "SHA-1 signatures can be forged."),
    check(
        "certificate_symantec",
        "Certificate of a distrusted authority",
        "Clients no longer trust certificates issued by Symantec.",
    ),
    check("ocsp_response", "OCSP response is not trusted", "The stapled OCSP response is not valid."),
];

/// Scores by check. The rule of the check is used as the severity word.
const SCORES: Words = &[
    ("heartbleed", 750),
    ("openssl_ccs_injection", 740),
    ("robot", 590),
    ("tls_compression", 260),
    ("insecure_renegotiation", 580),
    ("client_renegotiation", 500),
    ("tls_fallback_scsv", 340),
    ("tls_extended_master_secret", 200),
    ("certificate_chain_order", 200),
];
/// The score of all other checks.
const USUAL_SCORE: Words = &[("weak", 550)];

/// The paths of servers, of servers that could not be reached, and of the version in a JSON report.
const SERVERS: [&str; 8] = [
    "server_scan_results[]",
    "accepted_targets[]",
    "server_connectivity_errors[]",
    "invalid_targets[]",
    "sslyze_version",
    "sslyze_url",
    "date_scans_completed",
    "date_scans_started",
];

fn detect(sniff: &Sniff) -> bool {
    // The version comes after the servers, which may be larger than the part that `Sniff` reads. Besides, `Sniff` stops
    // at the key of a certificate, because its number is too large.
    is_xml(sniff)
        || sniff.has("sslyze_version")
        || ["connectivity_status", "server_location", "scan_commands", "scan_commands_results"]
            .iter()
            .any(|field| sniff.has(&format!("server_scan_results[].{field}")))
        || sniff.has("accepted_targets[].commands_results")
}

fn is_xml(sniff: &Sniff) -> bool {
    sniff.root() == Some("document") && sniff.root_attribute("SSLyzeVersion").is_some()
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if is_xml(&Sniff::of(input)?) { parse_xml(input, collector) } else { parse_json(input, collector) }
}

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut named = false;
    let seen = json::walk(input, &SERVERS, &mut |item| {
        match item.path {
            0 | 1 => {
                return match item.read::<RawServer>() {
                    Ok(server) => check_server(&server, collector),
                    Err(reason) => collector.rejected(reason),
                };
            }
            2 | 3 => match item.read() {
                Ok(entry) => report_unreached(&entry, collector),
                Err(reason) => collector.scanner_error(reason),
            },
            4 => {
                named = true;
                item.read::<String>().into_iter().for_each(|version| collector.version(version));
            }
            6 => item.ended(collector)?,
            7 => item.started(collector)?,
            _ => named = true,
        }
        Ok(())
    })?;
    collector.examined(Unit::Hosts, 0);
    collector.require(
        named && (seen.has(0) || seen.has(1)),
        "a report of SSLyze is an object with `sslyze_version` and the list `server_scan_results`",
    )
}

/// Adds the blind spot of a server that could not be reached: a text, or an object.
fn report_unreached(entry: &Value, collector: &mut Collector<'_>) {
    let location = entry.pointer("/server_info/server_location").or(entry.get("server_info"));
    let named = |name: &str| location.and_then(|location| location.get(name)).and_then(Value::as_str);
    let text = entry.as_str().or_else(|| entry.get("server_string")?.as_str());
    // Version 1 has objects of texts by server.
    let only = entry.as_object().filter(|entry| entry.len() == 1).and_then(|entry| entry.iter().next());
    let by_server = only.and_then(|(server, message)| Some((server.as_str(), message.as_str()?)));
    let by_server = by_server.filter(|(server, _)| server.contains([':', '.']));
    let text = text.or(by_server.map(|(server, _)| server));
    let host = named("hostname").or(named("ip_address")).or_else(|| text.and_then(host_of));
    let message = entry.get("error_message").and_then(Value::as_str).or(by_server.map(|(_, message)| message));
    let reason = match (host, message) {
        (Some(_), Some(message)) => message.to_owned(),
        (Some(_), None) => "the server could not be reached".to_owned(),
        (None, _) => format!("a server could not be reached: {entry}"),
    };
    collector.blind_to_host(host, reason);
}

/// The host in the name of a server as a user writes it: `host:port`, `host{address}:port`, `[address]:port`.
fn host_of(server: &str) -> Option<&str> {
    let server = server.trim();
    if let Some(inside) = server.strip_prefix('[') {
        return inside.split_once(']').map(|(address, _)| address);
    }
    // More colons than one are an IPv6 address, and may or may not end with a port.
    let end = server.find(['{', ':']).unwrap_or(server.len());
    let is_host = !server.contains(char::is_whitespace) && server.matches(':').count() <= 1;
    server.get(..end).filter(|_| is_host || server.contains('{'))
}

/// The server that is being checked.
struct Server {
    host: Option<String>,
    ip: Option<String>,
    port: Option<u16>,
}

impl Server {
    fn name(&self) -> String {
        format!("{}:{}", self.host.as_deref().unwrap_or_default(), self.port.unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct RawServer {
    server_location: Option<Value>,
    server_info: Option<Value>,
    connectivity_status: Option<String>,
    connectivity_error_trace: Option<String>,
    scan_commands_errors: Option<BTreeMap<String, Value>>,
    #[serde(alias = "scan_commands_results", alias = "commands_results")]
    scan_result: Option<BTreeMap<String, Box<RawValue>>>,
}

fn check_server(server: &RawServer, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let info = server.server_info.as_ref();
    let location = server.server_location.as_ref().or(info.and_then(|info| info.get("server_location"))).or(info);
    let text = |name: &str| location.and_then(|location| location.get(name)?.as_str()).map(str::to_owned);
    let port = location.and_then(|location| location.get("port")?.as_u64()?.try_into().ok());
    let target = Server { host: text("hostname").or(text("ip_address")), ip: text("ip_address"), port };
    if server.connectivity_status.as_deref() == Some("ERROR") {
        let trace = server.connectivity_error_trace.as_deref().unwrap_or_default();
        let reason = format!("the server could not be reached: {}", trace.lines().last().unwrap_or_default());
        collector.blind_to_host(target.host.as_deref(), reason);
    } else {
        collector.examined(Unit::Hosts, 1);
    }
    for (command, error) in server.scan_commands_errors.iter().flatten() {
        let reason = format!("{command}: {}", error.get("reason").unwrap_or(error));
        collector.blind_to_host(target.host.as_deref(), reason);
    }
    if server.scan_result.is_none() && server.connectivity_status.as_deref() != Some("ERROR") {
        collector.rejected(format!("{}: `scan_result` is missing", target.name()))?;
    }
    // Versions that state the status of each command have no null in place of one.
    let states_statuses = server.scan_result.iter().flatten().any(|(_, raw)| raw.get().contains("\"status\""));
    server.scan_result.iter().flatten().try_for_each(|(command, raw)| match facts::read(command, raw.get()) {
        Ok(Value::Null) if states_statuses => {
            collector.rejected(format!("{}: {command}: the result is missing", target.name()))
        }
        Ok(result) => check_command(&target, command, &result, collector),
        Err(reason) => collector.rejected(format!("{}: {command}: {reason}", target.name())),
    })
}

/// Runs the checks of one command's result.
fn check_command(
    target: &Server,
    command: &str,
    result: &Value,
    collector: &mut Collector<'_>,
) -> Result<(), ParseError> {
    let states_its_status = result.get("status").is_some();
    let (result, status) = match result.get("status").and_then(Value::as_str) {
        // A command that was not run has no result.
        Some(status) => (result.get("result").unwrap_or(&Value::Null), status),
        None => (result, "COMPLETED"),
    };
    let error =
        result.get("error_message").and_then(Value::as_str).or((status == "ERROR").then_some("the command failed"));
    if let Some(error) = error {
        collector.blind_to_host(target.host.as_deref(), format!("{command}: {error}"));
    }
    if result.is_null() && error.is_none() && states_its_status && status == "COMPLETED" {
        return collector.rejected(format!("{}: {command}: the result is missing", target.name()));
    }
    if result.is_null() || error.is_some() {
        return Ok(());
    }
    facts::checks(command, result).into_iter().try_for_each(|(rule, failure)| match failure {
        Ok(None) => collector.passed(),
        Ok(Some(message)) => collector.result(finding(target, rule, message)),
        Err(reason) => collector.rejected(format!("{}: {command}: {reason}", target.name())),
    })
}

fn finding(target: &Server, rule: &str, message: String) -> Result<Finding, String> {
    let check = CHECKS.iter().find(|check| check.rule == rule).ok_or_else(|| format!("no check `{rule}`"))?;
    let endpoint = Endpoint {
        host: target.host.clone(),
        port: target.port,
        protocol: Some("tcp".to_owned()),
        ..Endpoint::default()
    };
    let mut finding = Finding {
        description: Some(check.meaning.to_owned()),
        advisories: check.advisory.into_iter().map(str::to_owned).collect(),
        endpoint: Some(endpoint),
        ..Finding::new(Kind::Host, rule, check.title, format!("{message} ({})", target.name()))
    };
    let special = SCORES.iter().any(|(name, _)| *name == rule);
    let rating =
        if special { Rating::new(SCORES).word(Some(rule)) } else { Rating::new(USUAL_SCORE).word(Some("weak")) };
    rating.apply(&mut finding);
    // SSLyze has no words; those in `SCORES` must not show up in the finding.
    (finding.severity_word, finding.scanner_severity) = (None, None);
    if let Some(ip) = target.ip.clone().filter(|ip| target.host.as_ref() != Some(ip)) {
        finding.raw.insert("ip".to_owned(), ip);
    }
    Ok(finding)
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut results = false;
    let paths = ["document/results@", "document/results/target", "document/invalidTargets/*", "document@"];
    let containers = [
        Container::mixed("document", &["results!"], &["invalidTargets"]),
        Container::list("document/results", &["target"]),
    ];
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| match found.path {
        0 => {
            results = true;
            Ok(())
        }
        1 => {
            collector.examined(Unit::Hosts, 1);
            check_target(&found.element, collector)
        }
        2 => {
            let (server, error) = (found.element.whole_text(), found.element.attribute("error").unwrap_or_default());
            collector.blind_to_host(host_of(&server), format!("the server could not be reached: {error} {server}"));
            Ok(())
        }
        _ => {
            found.element.attribute("SSLyzeVersion").into_iter().for_each(|version| collector.version(version));
            Ok(())
        }
    })?;
    const SHAPE: &str = "a report of SSLyze is a `document` with `SSLyzeVersion` and `results`";
    require(results && root.attribute("SSLyzeVersion").is_some(), SHAPE)?;
    collector.examined(Unit::Hosts, 0);
    structure.require(collector, SHAPE)
}

/// Checks a server of an XML report. XML has the same facts under other names, which are translated to those of JSON.
fn check_target(element: &Element, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let own = |name: &str| element.attribute(name).map(str::to_owned);
    let target =
        Server { host: own("host").or(own("ip")), ip: own("ip"), port: own("port").and_then(|port| port.parse().ok()) };
    element.children.iter().try_for_each(|command| {
        if let Some(error) = command.attribute("exception") {
            collector.blind_to_host(target.host.as_deref(), format!("{}: {error}", command.name));
            return Ok(());
        }
        check_command(&target, &command.name, &facts_of(command), collector)
    })
}

fn facts_of(command: &Element) -> Value {
    let is = |path: &str, name: &str| {
        let value = command.at(path).and_then(|element| element.attribute(name));
        value.map_or(Value::Null, |value| Value::Bool(value.eq_ignore_ascii_case("true")))
    };
    match command.name.as_str() {
        "heartbleed" => json!({ "is_vulnerable_to_heartbleed": is("openSslHeartbleed", "isVulnerable") }),
        "openssl_ccs" => json!({ "is_vulnerable_to_ccs_injection": is("openSslCcsInjection", "isVulnerable") }),
        "compression" => json!({ "supports_compression": is("compressionMethod", "isSupported") }),
        "fallback" => json!({ "supports_fallback_scsv": is("tlsFallbackScsv", "isSupported") }),
        "robot" => {
            json!({ "robot_result": command.at("robotAttack").and_then(|robot| robot.attribute("resultEnum")) })
        }
        "reneg" => json!({
            "supports_secure_renegotiation": is("sessionRenegotiation", "isSecure"),
            "accepts_client_renegotiation": is("sessionRenegotiation", "canBeClientInitiated"),
        }),
        "certinfo" => certificate(command),
        name if facts::is_protocol(name) => {
            let suites = command.at("acceptedCipherSuites").into_iter().flat_map(|list| list.all("cipherSuite"));
            let names: Vec<Value> =
                suites.filter_map(|suite| suite.attribute("name")).map(|name| json!({ "name": name })).collect();
            json!({ "accepted_cipher_suites": names })
        }
        _ => Value::Null,
    }
}

fn certificate(command: &Element) -> Value {
    let is = |path: &str, name: &str| {
        let value = command.at(path).and_then(|element| element.attribute(name));
        value.map(|value| value.eq_ignore_ascii_case("true"))
    };
    let validation = command.at("certificateValidation");
    let paths = validation.into_iter().flat_map(|validation| validation.all("pathValidation")).map(|path| {
        let result = path.attribute("validationResult").or(path.attribute("error")).unwrap_or("unknown");
        let failure = Some(result).filter(|result| *result != "ok");
        json!({ "trust_store": { "name": path.attribute("usingTrustStore") }, "openssl_error_string": failure })
    });
    let paths: Vec<Value> = paths.collect();
    json!({
        "leaf_certificate_subject_matches_hostname":
            is("certificateValidation/hostnameValidation", "certificateMatchesServerHostname"),
        "received_chain_has_valid_order": is("receivedCertificateChain", "isChainOrderValid"),
        "verified_chain_has_sha1_signature":
            is("certificateValidation/verifiedCertificateChain", "hasSha1SignedCertificate"),
        "verified_chain_has_legacy_symantec_anchor":
            is("certificateValidation/verifiedCertificateChain", "isAffectedBySymantecDeprecation"),
        "path_validation_results": paths,
    })
}

#[cfg(test)]
mod tests;
