//! Veracode, <https://www.veracode.com>: static, dynamic and dependency analysis as a service. Reads the detailed
//! report (XML, format 1.5), the findings of the REST API (`/appsec/v2/applications/{}/findings`, the response or only
//! the list) and the results of a pipeline scan.
//!
//! A result is a flaw, or a vulnerability of one component. Flaws are classified by their weakness, so the rule is the
//! CWE. Fixed results are closed. A result with an accepted mitigation is suppressed, even if the API calls it closed
//! for that reason: nothing was fixed. A response that is one page of several makes the scan incomplete.
//!
//! Severities are those of Veracode (its documentation, "Severity, Exploitability, and Effort to Fix"): Very High is
//! critical, Very Low is low. Vulnerabilities of components have a CVSS score. The detailed report does not state its
//! version, which is assumed to be 3. The API writes vectors of version 3 without their beginning.

mod findings;

use crate::Scanner;
use crate::reader::html;
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use finding::{Endpoint, Finding, Kind, Location, Package};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "veracode",
    tool: "veracode",
    name: "Veracode",
    aliases: &["veracode-sca", "veracode-static", "veracode-pipeline"],
    versions: "detailed report 1.5, REST API v2, pipeline scan",
    category: "SAST, DAST, SCA",
    notation: Notation::Xml,
    formats: "detailed report (XML), JSON of the findings API and of pipeline scans",
    severities: "5 Very High 9.5, 4 High 8.0, 3 Medium 5.5, 2 Low 2.0, 1 Very Low 1.0, 0 Informational 0 (Veracode's documentation); components by CVSS",
    severity_words: &[
        ("Very High", 950),
        ("High", 800),
        ("Medium", 550),
        ("Low", 200),
        ("Very Low", 100),
        ("Informational", 0),
    ],
    differences: &[
        ("severity", "Very Low is low with a score below Low, not info"),
        (
            "line",
            "the line in the file; the reference product adds the relative position in the function, a percentage",
        ),
        (
            "unique_id_from_tool",
            "only the number of the flaw, which XML and API share; the reference product adds the application's number",
        ),
        (
            "component_name",
            "`group:artifact` for Maven packages, since artifacts of different groups can have the same name",
        ),
    ],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    let api = |list: &str| sniff.has_all(&[&format!("{list}[].finding_details"), &format!("{list}[].scan_type")]);
    let empty = || sniff.value("_links.self.href").is_some_and(|link| link.contains("/appsec/v2/applications/"));
    sniff.root() == Some("detailedreport")
        || api("findings")
        || api("_embedded.findings")
        || (sniff.has("page.total_elements") && empty())
        || sniff.has_all(&["pipeline_scan", "scan_status"])
        || sniff.has_all(&["findings[].issue_type_id", "findings[].cwe_id"])
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    if input.head()?.trim_ascii_start().starts_with(b"{") {
        findings::parse(input, collector)
    } else {
        parse_xml(input, collector)
    }
}

/// Veracode's word for a severity from 0 to 5.
fn severity_word(level: &str) -> Option<&'static str> {
    let place = level.trim().parse().ok().and_then(|level: usize| 5_usize.checked_sub(level))?;
    SCANNER.severity_words.get(place).map(|(severity_word, _)| *severity_word)
}

const CATEGORY: &str = "detailedreport/severity/category";
const COMPONENT: &str = "detailedreport/software_composition_analysis/vulnerable_components/component";

fn parse_xml(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = [
        format!("{CATEGORY}@"),
        format!("{CATEGORY}/desc"),
        format!("{CATEGORY}/recommendations"),
        format!("{CATEGORY}/cwe/staticflaws/flaw"),
        format!("{CATEGORY}/cwe/dynamicflaws/flaw"),
        format!("{CATEGORY}/cwe/manualflaws/flaw"),
        COMPONENT.to_owned(),
        "detailedreport/static-analysis@".to_owned(),
    ];
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut texts = (None, None);
    let flaws = ["staticflaws", "dynamicflaws", "manualflaws"].map(|list| format!("{CATEGORY}/cwe/{list}"));
    let class = format!("{CATEGORY}/cwe");
    /// The other elements of a detailed report in Veracode's schema.
    const OTHERS: [&str; 5] = ["static-analysis", "dynamic-analysis", "manual-analysis", "flaw-status", "customfields"];
    let mut containers = vec![
        Container::exact("detailedreport", &["severity!", "software_composition_analysis"], &OTHERS),
        Container::list("detailedreport/severity", &["category"]),
        Container::mixed(CATEGORY, &["cwe!"], &["desc", "recommendations"]),
        Container::exact(&class, &["staticflaws", "dynamicflaws", "manualflaws"], &["description"]),
        Container::mixed("detailedreport/software_composition_analysis", &["vulnerable_components!"], &[]),
        Container::list("detailedreport/software_composition_analysis/vulnerable_components", &["component"]),
    ];
    containers.extend(flaws.iter().map(|list| Container::list(list, &["flaw"])));
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        match found.path {
            0 => texts = (None, None),
            1 => texts.0 = paragraphs(&found.element),
            2 => texts.1 = paragraphs(&found.element),
            3..=5 if is_fixed(&found.element) => return collector.closed(),
            3..=5 => {
                let class = found.ancestors.last().zip(found.ancestors.iter().rev().nth(1));
                let flaw = flaw(&found.element, class.map(|(_, cwe)| cwe), found.path == 4);
                let (description, remediation) = texts.clone();
                return collector.result(flaw.map(|flaw| Finding { description, remediation, ..flaw }));
            }
            6 => {
                let Some(list) = found.element.at("vulnerabilities") else {
                    return collector.rejected("`vulnerabilities` is missing in a component".to_owned());
                };
                for vulnerability in &list.children {
                    collector.result(match vulnerability.name.as_str() {
                        "vulnerability" => component(&found.element, vulnerability),
                        other => Err(format!("unknown element <{other}> in the list of vulnerabilities")),
                    })?;
                }
            }
            _ => found.element.attribute("engine_version").into_iter().for_each(|version| collector.version(version)),
        }
        Ok(())
    })?;
    const SHAPE: &str = "Veracode's detailed report is a `detailedreport` with elements `severity`";
    collector.ended(root.attribute("generation_date"));
    require(structure.has(1), SHAPE)?;
    structure.require(collector, SHAPE)
}

/// The texts in an element, which are in attributes.
fn paragraphs(element: &Element) -> Option<String> {
    fn collect<'e>(element: &'e Element, texts: &mut Vec<&'e str>) {
        texts.extend(element.attribute("text"));
        // The depth is limited, because that of elements is.
        element.children.iter().for_each(|child| collect(child, texts));
    }
    let mut texts = Vec::new();
    collect(element, &mut texts);
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn is_fixed(flaw: &Element) -> bool {
    flaw.attribute("remediation_status").is_some_and(|status| status.eq_ignore_ascii_case("fixed"))
}

fn flaw(flaw: &Element, class: Option<&Element>, dynamic: bool) -> Result<Finding, String> {
    let of_class = class.and_then(|class| class.attribute("cweid"));
    let cwe = flaw.attribute("cweid").or(of_class).ok_or("`cweid` is missing")?;
    // If a user changed the severity, the flaw may be in a category of another weakness.
    let name = class.filter(|_| of_class == Some(cwe)).and_then(|class| class.attribute("cwename"));
    let title = name.or(flaw.attribute("categoryname")).unwrap_or(cwe);
    let file = flaw
        .attribute("sourcefile")
        .map(|file| format!("{}{file}", flaw.attribute("sourcefilepath").unwrap_or_default()));
    let line = flaw.attribute("line").and_then(|line| line.parse().ok()).filter(|line| *line > 0);
    let status = flaw.attribute("mitigation_status").filter(|status| status.eq_ignore_ascii_case("accepted"));
    let mitigated = flaw.attribute("remediation_status").filter(|status| status.eq_ignore_ascii_case("mitigated"));
    let kind = if dynamic { Kind::Web } else { Kind::Code };
    let mut finding = Finding {
        tool_id: flaw.attribute("issueid").map(str::to_owned),
        cwes: cwe::number(cwe).into_iter().collect(),
        location: file.map(|path| Location::lines(path, line, None)),
        endpoint: flaw.attribute("url").map(|url| Endpoint {
            url: Some(url.to_owned()),
            parameter: flaw.attribute("vuln_parameter").map(str::to_owned),
            ..Endpoint::default()
        }),
        suppressed: status.and(flaw.attribute("mitigation_status_desc")).or(status).or(mitigated).map(str::to_owned),
        ..Finding::new(kind, format!("CWE-{cwe}"), title, html::text(flaw.attribute("description").unwrap_or(title)))
    };
    for name in ["categoryname", "type", "module", "scope", "functionprototype", "exploitLevel", "count", "note"] {
        finding.raw.extend(flaw.attribute(name).map(|text| (name.to_owned(), text.to_owned())));
    }
    SCANNER.rating().word(flaw.attribute("severity").and_then(severity_word)).apply(&mut finding);
    Ok(finding)
}

fn component(component: &Element, vulnerability: &Element) -> Result<Finding, String> {
    let id = vulnerability.attribute("cve_id").ok_or("`cve_id` is missing")?;
    let library = component.attribute("library").or(component.attribute("file_name"));
    let mut package = Package {
        name: library.ok_or("`library` and `file_name` of the component are both missing")?.to_owned(),
        version: component.attribute("version").map(str::to_owned),
        ..Package::default()
    };
    if let Some((ecosystem, name)) = component.attribute("library_id").and_then(library_id) {
        (package.ecosystem, package.name) = (Some(ecosystem), name);
    }
    let message = format!("{} {}: {id}", package.name, package.version.as_deref().unwrap_or_default());
    let paths = component.at("file_paths").into_iter().flat_map(|paths| paths.all("file_path"));
    let mut places = paths.filter_map(|path| Some(Location::file(path.attribute("value")?)));
    let mitigated = vulnerability.attribute("mitigation").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut finding = Finding {
        advisories: vec![id.to_owned()],
        cwes: vulnerability.attribute("cwe_id").and_then(cwe::number).into_iter().collect(),
        description: vulnerability.attribute("cve_summary").map(html::text),
        location: places.next(),
        other_locations: places.collect(),
        package: Some(package),
        suppressed: mitigated.then(|| vulnerability.attribute("mitigation_type").unwrap_or("mitigation").to_owned()),
        ..Finding::new(Kind::Dependency, id, id, message)
    };
    for name in ["vendor", "sha1", "file_name"] {
        finding.raw.extend(component.attribute(name).map(|text| (name.to_owned(), text.to_owned())));
    }
    let score = vulnerability.attribute("cvss_score").and_then(decimal);
    let level =
        vulnerability.attribute("severity").and_then(severity_word).or(vulnerability.attribute("severity_desc"));
    SCANNER.rating().base("3.1", score).word(level).apply(&mut finding);
    Ok(finding)
}

/// Reads ecosystem and name from `maven:org.example:notes:1.0:`.
fn library_id(id: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = id.split(':').collect();
    match parts.as_slice() {
        ["maven", group, artifact, ..] => Some(("maven".to_owned(), format!("{group}:{artifact}"))),
        [ecosystem, name, ..] if !ecosystem.is_empty() && !name.is_empty() => {
            Some(((*ecosystem).to_owned(), (*name).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{failure, findings};
    use finding::severity::ScoreSource;

    fn read(file: &str) -> (Vec<Finding>, crate::Parsed) {
        let path = format!("{}/fixtures/veracode/{file}", env!("CARGO_MANIFEST_DIR"));
        findings(&SCANNER, &std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn numbers_become_the_documented_words() {
        let words = ["Informational", "Very Low", "Low", "Medium", "High", "Very High"];
        for (level, expected) in words.into_iter().enumerate() {
            assert_eq!(severity_word(&level.to_string()), Some(expected));
        }
        assert_eq!([severity_word("6"), severity_word(""), severity_word("-1")], [None; 3]);
    }

    #[test]
    fn a_flaw_has_its_location_its_weakness_and_the_texts_of_its_category() {
        let (findings, parsed) = read("detailed.xml");
        let finding = &findings[0];
        let location = finding.location.as_ref().unwrap();
        assert_eq!((location.path.as_str(), location.line), ("shop/example/notes/Store.java", Some(41)));
        assert_eq!((finding.rule.as_str(), finding.tool_id.as_deref()), ("CWE-89", Some("7")));
        assert_eq!(finding.message, "Calls execute() with \"a\" < b.");
        assert_eq!(finding.description.as_deref(), Some("A query is put together."));
        assert_eq!(finding.remediation.as_deref(), Some("Bind parameters.\nNever join texts."));
        assert_eq!(parsed.scanner_version.as_deref(), Some("20240101"));
    }

    #[test]
    fn fixed_flaws_are_closed_and_accepted_mitigations_suppressed() {
        let (findings, parsed) = read("detailed.xml");
        let suppressed: Vec<_> = findings.iter().map(|finding| finding.suppressed.as_deref()).collect();
        assert_eq!(suppressed, [None, Some("Mitigation Accepted"), None, None, Some("Mitigate by Design")]);
        assert_eq!((parsed.summary.results, parsed.summary.closed), (6, 1));
    }

    #[test]
    fn a_flaw_found_from_outside_has_its_address() {
        let finding = &read("detailed.xml").0[2];
        let endpoint = finding.endpoint.as_ref().unwrap();
        assert_eq!(finding.kind, Kind::Web);
        assert_eq!(endpoint.url.as_deref(), Some("https://shop.example/find?word=x"));
        assert_eq!(endpoint.parameter.as_deref(), Some("word"));
    }

    #[test]
    fn each_vulnerability_of_a_component_is_a_result() {
        let findings = read("detailed.xml").0;
        let package = findings[3].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.ecosystem.as_deref()), ("example.shop:notes-log", Some("maven")));
        assert_eq!(findings[3].score.map(|scored| scored.source), Some(ScoreSource::CvssV3));
        assert_eq!(findings[3].other_locations[0].path, "b.war#zip:WEB-INF/lib/notes-log-1.0.jar");
        assert_eq!(findings[4].advisories, ["CVE-2018-0002"]);
    }

    #[test]
    fn findings_that_the_api_closed_for_a_mitigation_are_suppressed_and_others_closed() {
        let (findings, parsed) = read("findings.json");
        assert_eq!((parsed.summary.results, parsed.summary.suppressed, parsed.summary.closed), (5, 1, 1));
        assert_eq!(findings[1].suppressed.as_deref(), Some("MITIGATED"));
        assert_eq!(findings[0].message, "A query is put together & run.");
        let package = findings[2].package.as_ref().unwrap();
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("notes-log.jar", Some("1.0")));
        assert_eq!(findings[2].cvss[0].vector.as_deref(), Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"));
        assert_eq!(findings[2].scanner_severity.map(|level| level.as_str()), Some("medium"));
    }

    #[test]
    fn xml_api_and_pipeline_give_the_same_rule() {
        for file in ["detailed.xml", "findings.json", "pipeline.json"] {
            let finding = &read(file).0[0];
            assert_eq!((finding.kind, finding.rule.as_str()), (Kind::Code, "CWE-89"), "{file}");
            assert_eq!(finding.location.as_ref().unwrap().line, Some(41), "{file}");
            assert_eq!(finding.score.unwrap().score.hundredths(), 800, "{file}");
        }
    }

    #[test]
    fn one_page_of_several_is_incomplete_and_no_findings_need_evidence() {
        let page = br#"{"_embedded": {"findings": []}, "page": {"total_elements": 700, "total_pages": 2}}"#;
        assert!(findings(&SCANNER, page).unwrap().1.summary.scanner_errors[0].contains("one page"));
        assert!(read("clean.json").0.is_empty());
        assert!(failure(&SCANNER, br#"{"page": {"total_elements": 3}}"#).contains("`findings`"));
        assert!(failure(&SCANNER, b"<summaryreport/>").contains("`detailedreport`"));
    }
}
