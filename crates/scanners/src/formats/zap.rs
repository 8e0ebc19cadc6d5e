//! ZAP (Zed Attack Proxy), <https://www.zaproxy.org>: scanner for web applications. Reads its XML report and its JSON
//! report (`traditional-xml`, `traditional-json`, both also in their `-plus` form with requests), as versions 2.4 to
//! 2.16 write them, and the alerts as ZAP's API lists them.
//!
//! A result is an instance of an alert: one alert at one URL. An alert without instances, which old versions and the
//! API write, is one result. The rule is the alert's reference (`10055-4`: the fourth check of plugin 10055), else the
//! number of the plugin.
//!
//! Risks are High (3), Medium (2), Low (1) and Informational (0), with scores in the middle of the severity of that
//! name. Confidence 0 is "False Positive": such results are suppressed. Requests and responses are not stored, since
//! they contain cookies and passwords. A report with requests or responses counts as one that contains secrets.
//!
//! A report without a site is blind to everything: a site without alerts is listed, too. The number of sites is not
//! compared, because sites of others that a page uses are listed as well.
//!
//! The fields of an alert may come before or after its instances. There may be many instances, so the fields are read
//! first.

use crate::Scanner;
use crate::reader::json::{self, Item, Text};
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::reader::xml::{self, Container};
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT};
use crate::value::{cwe, secret, web};
use finding::{Endpoint, Finding, Kind, Unit};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "zap",
    tool: "zap",
    name: "ZAP",
    aliases: &["owasp-zap", "zaproxy"],
    versions: "2.4 to 2.16",
    category: "DAST",
    notation: Notation::Xml,
    formats: "XML (`traditional-xml`, also plus), JSON (`traditional-json`, also plus; the API's list of alerts)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The fields of an alert that its instances need.
const ALERT: [&str; 19] = [
    "pluginid",
    "alertRef",
    "alert",
    "name",
    "riskcode",
    "riskdesc",
    "confidence",
    "desc",
    "solution",
    "otherinfo",
    "reference",
    "cweid",
    "wascid",
    // Fields of an instance, in an alert without instances.
    "uri",
    "method",
    "param",
    "attack",
    "evidence",
    "requestheader",
];
/// The fields of an instance.
const INSTANCE: [&str; 7] = ["uri", "method", "param", "attack", "evidence", "otherinfo", "requestheader"];
/// The plugin "PII Disclosure", whose evidence is the number of a credit card.
const CARD_NUMBERS: &str = "10062";
/// Names of fields in the API, and in reports.
const API_NAMES: [(&str, &str); 5] =
    [("pluginId", "pluginid"), ("description", "desc"), ("other", "otherinfo"), ("url", "uri"), ("risk", "riskdesc")];

type Fields = BTreeMap<String, String>;

fn detect(sniff: &Sniff) -> bool {
    sniff.root() == Some("OWASPZAPReport")
        || sniff.has_all(&["@generated", "@version", "site"])
        || sniff.has_all(&["alerts[].pluginId", "alerts[].risk", "alerts[].confidence"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let sniff = Sniff::of(input)?;
    if sniff.is_object() || sniff.is_list() {
        parse_json(input, collector)?
    } else {
        parse_xml(input, collector)?
    }
    require(detect(&sniff), SHAPE)
}

const SHAPE: &str = "a ZAP report is XML with the outermost element `OWASPZAPReport`, or a JSON object with `@version`, \
                     `@generated` and `site`";

/// The fields of an alert, and the number of its instances.
#[derive(Default)]
struct Alert {
    fields: Fields,
    instances: usize,
}

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    const ALERTS: &str = "OWASPZAPReport/site/alerts/alertitem";
    let mut others = ALERT.to_vec();
    others.extend(["riskdesc", "confidencedesc", "count", "sourceid", "tags", "systemic"]);
    let begin = format!("{ALERTS}@");
    let instance = format!("{ALERTS}/instances/instance");
    let instance_begin = format!("{instance}@");
    let fields: Vec<String> = ALERT.iter().map(|field| format!("{ALERTS}/{field}")).collect();
    let mut paths = vec![begin.as_str(), instance_begin.as_str()];
    paths.extend(fields.iter().map(String::as_str));
    let mut alerts: Vec<Alert> = Vec::new();
    let containers = [
        Container::exact("OWASPZAPReport", &["site!"], &["statistics", "insights", "sequences"]),
        Container::mixed("OWASPZAPReport/site", &["alerts!"], &[]),
        Container::list("OWASPZAPReport/site/alerts", &["alertitem"]),
        Container::mixed(ALERTS, &["instances"], &others),
        Container::list("OWASPZAPReport/site/alerts/alertitem/instances", &["instance"]),
    ];
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        if found.path == 0 {
            alerts.push(Alert::default());
        } else if let Some(alert) = alerts.last_mut() {
            match found.path {
                1 => alert.instances += 1,
                _ => drop(alert.fields.insert(found.element.name, found.element.text)),
            }
        }
        Ok(())
    })?;
    // `generated` is without a zone; newer versions add `created`.
    collector.ended(root.attribute("created").or(root.attribute("generated")));
    if let Some(version) = root.attribute("version") {
        collector.version(version);
    }
    structure.require(collector, SHAPE)?;
    let mut alerts = alerts.iter();
    let mut current: Option<&Alert> = None;
    xml::walk(input, &[&begin, &instance], &mut |found| {
        if found.path == 0 {
            current = alerts.next();
            return match current.filter(|alert| alert.instances == 0) {
                Some(alert) => collect_instance(collector, &alert.fields, &alert.fields),
                None => Ok(()),
            };
        }
        let Some(alert) = current else { return Ok(()) };
        let fields = INSTANCE.iter().filter_map(|field| Some(((*field).to_owned(), found.element.owned_at(field)?)));
        collect_instance(collector, &alert.fields, &fields.collect())
    })?;
    Ok(())
}

fn parse_json(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    // Old versions write a single site as an object.
    const INSTANCES: [&str; 2] = ["site[].alerts![].instances[]", "site.alerts![].instances[]"];
    let [instances, instances_of_one] = INSTANCES;
    let paths = [
        instances,
        instances_of_one,
        "site[].alerts![]{}",
        "site.alerts![]{}",
        "alerts[]",
        "@version",
        "?site[]:",
        "?site.alerts[]:",
        "site[].@name",
        "site.@name",
        "created",
        "@generated",
    ];
    let mut sites = 0;
    let mut alerts: BTreeMap<(usize, usize), Alert> = BTreeMap::new();
    let seen = json::walk(input, &paths, &mut |item| {
        match item.path {
            0 | 1 => alerts.entry(alert_index(&item)).or_default().instances += 1,
            2 | 3 => {
                let alert = alerts.entry(alert_index(&item)).or_default();
                let name = item.name(if item.path == 2 { 2 } else { 1 });
                if ALERT.contains(&name)
                    && let Some(text) = item.read().ok().and_then(text)
                {
                    alert.fields.insert(name.to_owned(), text);
                } else if name != "tags" && item.raw.starts_with('[') && item.raw.contains('{') {
                    collector.scanner_error(format!("unknown part `{name}` of an alert: it may contain results"));
                }
            }
            4 => {
                return match item.read::<BTreeMap<String, Value>>() {
                    Ok(values) => {
                        let fields = fields(values);
                        collect_instance(collector, &fields, &fields)
                    }
                    Err(reason) => collector.rejected(reason),
                };
            }
            5 => {
                if let Ok(Text(version)) = item.read() {
                    collector.version(version);
                }
            }
            10 => item.ended(collector)?,
            // It is without a zone, so `created` comes first.
            11 => item.started(collector)?,
            _ => sites += 1,
        }
        Ok(())
    })?;
    seen.report_missing(collector);
    if (seen.has(6) || seen.has(7)) && sites == 0 {
        collector.examined(Unit::Hosts, 0);
    }
    collector.require(seen.has(4) || seen.has(6) || seen.has(7), SHAPE)?;
    json::walk(input, &INSTANCES, &mut |item| {
        let Some(alert) = alerts.get(&alert_index(&item)) else { return Ok(()) };
        match item.read::<BTreeMap<String, Value>>() {
            Ok(values) => collect_instance(collector, &alert.fields, &fields(values)),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    for alert in alerts.values().filter(|alert| alert.instances == 0) {
        collect_instance(collector, &alert.fields, &alert.fields)?;
    }
    Ok(())
}

/// The indices of the site and of the alert. Paths with an even index go through a list of sites.
fn alert_index(item: &Item<'_>) -> (usize, usize) {
    if item.path.is_multiple_of(2) { (item.index(0), item.index(1)) } else { (0, item.index(0)) }
}

/// The texts among the values, by the names that reports use for them.
fn fields(values: BTreeMap<String, Value>) -> Fields {
    let named = values.into_iter().filter_map(|(name, value)| {
        let known = API_NAMES.iter().find(|(api, _)| *api == name);
        Some((known.map_or(name, |(_, name)| (*name).to_owned()), text(value)?))
    });
    named.collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Hands one instance of an alert to the collector.
fn collect_instance(collector: &mut Collector<'_>, alert: &Fields, instance: &Fields) -> Result<(), ParseError> {
    if filled(instance, "requestheader").is_some() {
        collector.holds_secrets();
    }
    collector.result(finding(alert, instance))
}

/// A field, unless it is blank.
fn filled<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).map(|text| text.trim()).filled()
}

fn finding(alert: &Fields, instance: &Fields) -> Result<Finding, String> {
    let own = |name: &str| filled(alert, name);
    let title = own("name").or(own("alert")).ok_or("`name` and `alert` are both missing")?;
    let plugin = own("pluginid");
    let rule = own("alertRef").or(plugin).unwrap_or(title);
    let confidence = own("confidence").map(confidence);
    let mut finding = Finding {
        suppressed: confidence.filter(|word| word.eq_ignore_ascii_case("false positive")).map(str::to_owned),
        confidence: confidence.map(str::to_owned),
        // -1 means that there is none.
        cwes: cwe::numbers(own("cweid").filter(|number| !number.starts_with('-'))),
        description: own("desc").map(web::plain),
        remediation: own("solution").map(web::plain),
        references: own("reference").map(web::links).unwrap_or_default(),
        endpoint: Some(Endpoint {
            method: filled(instance, "method").map(str::to_owned),
            parameter: filled(instance, "param").map(str::to_owned),
            ..web::address(filled(instance, "uri").unwrap_or_default())
        }),
        ..Finding::new(Kind::Web, rule, title, message(title, instance))
    };
    // Newer versions correct `alertRef`; the plugin's id stays.
    finding.add_former_rules(plugin.filter(|_| own("alertRef").is_some()).map(str::to_owned));
    let kept = [("pluginid", plugin.filter(|plugin| *plugin != rule)), ("wascid", own("wascid"))];
    for (name, value) in kept {
        if let Some(value) = value {
            finding.raw.insert(name.to_owned(), value.to_owned());
        }
    }
    SCANNER.rating().word(risk(alert)).apply(&mut finding);
    if let (Some(CARD_NUMBERS), Some(number)) = (plugin, filled(instance, "evidence")) {
        secret::redact(&mut finding, number);
    }
    Ok(finding)
}

/// The message of an instance: its address, the attack, the evidence and other information.
fn message(title: &str, instance: &Fields) -> String {
    let details = [("attack", "Attack: "), ("evidence", "Evidence: "), ("otherinfo", "")];
    let details = details
        .into_iter()
        .filter_map(|(name, label)| Some(format!("{label}{}", filled(instance, name)?)).map(|text| web::plain(&text)));
    let alert_index = filled(instance, "uri").map_or_else(|| title.to_owned(), |uri| format!("{title} at {uri}"));
    let lines: Vec<String> = [alert_index].into_iter().chain(details).collect();
    lines.join("\n")
}

/// ZAP's word for a risk: from its number, or from `Medium (High)`, which is risk and confidence.
fn risk(alert: &Fields) -> Option<&str> {
    match filled(alert, "riskcode") {
        Some("3") => Some("High"),
        Some("2") => Some("Medium"),
        Some("1") => Some("Low"),
        Some("0") => Some("Informational"),
        Some(_) | None => filled(alert, "riskdesc").map(|text| text.split(" (").next().unwrap_or(text)),
    }
}

/// ZAP's word for the number of a confidence; the API writes the word itself.
fn confidence(number: &str) -> &str {
    match number {
        "0" => "False Positive",
        "1" => "Low",
        "2" => "Medium",
        "3" => "High",
        "4" => "Confirmed",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::Severity;

    const JSON: &str = r#"{"@version": "2.16.0", "@generated": "now", "site": [
        {"@name": "https://a.example", "alerts": [{"instances": [{"uri": "https://a.example/1", "method": "GET"},
            {"uri": "https://a.example/2", "method": "GET"}], "pluginid": "10021", "alertRef": "10021",
            "name": "X-Content-Type-Options Header Missing", "riskcode": "1", "confidence": "2", "cweid": "693"}]},
        {"@name": "https://b.example", "alerts": [{"pluginid": 10021, "name": "Again", "riskcode": 2}]}]}"#;

    fn xml(alerts: &str) -> String {
        format!("<OWASPZAPReport version=\"2.16.0\"><site name=\"s\"><alerts>{alerts}</alerts></site></OWASPZAPReport>")
    }

    #[test]
    fn every_instance_is_a_finding_with_fields_that_come_after_it() {
        let text = xml(
            "<alertitem><pluginid>10055</pluginid><alertRef>10055-4</alertRef><name>CSP: Wildcard Directive</name>
            <instances><instance><uri>https://shop.example/find?q=1</uri><method>GET</method><param>q</param>
            <evidence>default-src *</evidence></instance></instances><riskcode>2</riskcode><confidence>3</confidence>
            <desc>&lt;p&gt;Too wide.&lt;/p&gt;</desc><solution>&lt;p&gt;Narrow it.&lt;/p&gt;</solution>
            <reference>&lt;p&gt;https://www.w3.org/TR/CSP/&lt;/p&gt;</reference><cweid>693</cweid><wascid>15</wascid></alertitem>",
        );
        let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!(parsed.scanner_version.as_deref(), Some("2.16.0"));
        assert!(!parsed.holds_secrets);
        insta::assert_json_snapshot!(findings, @r#"
        [
          {
            "result": 0,
            "kind": "web",
            "rule": "10055-4",
            "former_rules": [
              "10055"
            ],
            "title": "CSP: Wildcard Directive",
            "message": "CSP: Wildcard Directive at https://shop.example/find?q=1\nEvidence: default-src *",
            "score": {
              "score": 550,
              "source": "scanner_word"
            },
            "severity_word": "Medium",
            "scanner_severity": "medium",
            "confidence": "High",
            "cwes": [
              693
            ],
            "description": "Too wide.",
            "remediation": "Narrow it.",
            "references": [
              "https://www.w3.org/TR/CSP/"
            ],
            "endpoint": {
              "url": "https://shop.example/find?q=1",
              "host": "shop.example",
              "port": 443,
              "protocol": "https",
              "method": "GET",
              "parameter": "q"
            },
            "raw": {
              "pluginid": "10055",
              "wascid": "15"
            }
          }
        ]
        "#);
    }

    #[test]
    fn the_json_report_gives_one_finding_per_instance_too() {
        let (findings, parsed) = findings(&SCANNER, JSON.as_bytes()).unwrap();
        let severities: Vec<_> = findings.iter().map(|finding| (finding.rule.as_str(), finding.severity())).collect();
        assert_eq!(severities, [("10021", Severity::Low), ("10021", Severity::Low), ("10021", Severity::Medium)]);
        assert_eq!(findings[1].endpoint.as_ref().unwrap().url.as_deref(), Some("https://a.example/2"));
        assert_eq!((findings[0].cwes.as_slice(), parsed.scanner_version.as_deref()), (&[693][..], Some("2.16.0")));
        let one_site = JSON
            .replacen("\"site\": [", "\"site\": ", 1)
            .split(",\n        {\"@name\": \"https://b")
            .next()
            .unwrap()
            .to_owned()
            + "}";
        assert_eq!(super::tests::findings(&SCANNER, one_site.as_bytes()).unwrap().0.len(), 2);
    }

    #[test]
    fn alerts_of_the_api_are_results() {
        let text = r#"{"alerts": [{"pluginId": "40012", "alertRef": "40012", "alert": "XSS", "name": "XSS", "risk": "High",
            "confidence": "False Positive", "url": "http://shop.example/", "param": "q", "cweid": "79", "tags": {}}]}"#;
        let (findings, _) = findings(&SCANNER, text.as_bytes()).unwrap();
        assert_eq!((findings[0].rule.as_str(), findings[0].severity()), ("40012", Severity::High));
        assert_eq!(findings[0].suppressed.as_deref(), Some("False Positive"));
        assert_eq!(findings[0].endpoint.as_ref().unwrap().host.as_deref(), Some("shop.example"));
    }

    #[test]
    fn risks_become_severities_of_the_same_name_and_confidence_0_is_a_false_positive() {
        let cases = [
            ("<riskcode>3</riskcode>", Severity::High),
            ("<riskcode>2</riskcode>", Severity::Medium),
            ("<riskcode>1</riskcode>", Severity::Low),
            ("<riskcode>0</riskcode>", Severity::Info),
            ("<riskdesc>Medium (High)</riskdesc>", Severity::Medium),
            ("<riskcode>9</riskcode>", Severity::Unassigned),
        ];
        for (risk, severity) in cases {
            let text =
                xml(&format!("<alertitem><name>n</name>{risk}<confidence>0</confidence><cweid>-1</cweid></alertitem>"));
            let (findings, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
            assert_eq!(findings[0].severity(), severity, "{risk}");
            assert_eq!((parsed.summary.suppressed, findings[0].cwes.len()), (1, 0));
        }
    }

    #[test]
    fn the_number_of_a_credit_card_is_masked() {
        let text = xml(
            "<alertitem><pluginid>10062</pluginid><name>PII Disclosure</name><evidence>4111111111111111</evidence></alertitem>",
        );
        let message = findings(&SCANNER, text.as_bytes()).unwrap().0.remove(0).message;
        assert_eq!(message, "PII Disclosure\nEvidence: 4111****");
    }

    #[test]
    fn an_alert_without_a_name_is_rejected_once_per_instance() {
        let text = xml("<alertitem><instances><instance/><instance/></instances></alertitem>");
        assert_eq!(findings(&SCANNER, text.as_bytes()).unwrap().1.summary.rejected, 2);
    }

    #[test]
    fn reports_without_fields_of_zap_are_refused() {
        for text in ["{\"alerts\": []}", "{\"site\": []}", "<report/>"] {
            assert!(failure(&SCANNER, text.as_bytes()).contains("a ZAP report is"), "{text}");
        }
    }
}
