//! WebInspect's XML exports.

use super::SCANNER;
use crate::reader::html;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use finding::{Endpoint, Finding, Kind};

/// Reads the export.
///
/// # Errors
/// The export is cut off.
pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = ["Scan/Issues/Issue", "Sessions/Session", "Scan/StartTime"];
    let containers = [
        Container::mixed("Scan", &["Issues!"], &[]),
        Container::list("Scan/Issues", &["Issue"]),
        Container::mixed("Sessions", &["Session"], &[]),
    ];
    let (_, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        if found.path == 0 {
            return collector.result(issue(&found.element, None));
        }
        if found.path == 2 {
            collector.started(found.element.text.as_str());
            return Ok(());
        }
        let Some(issues) = found.element.at("Issues") else {
            return collector.rejected("`Issues` is missing in a `Session`".to_owned());
        };
        issues.children.iter().try_for_each(|each| {
            collector.result(match each.name.as_str() {
                "Issue" => issue(each, Some(&found.element)),
                other => Err(format!("unknown element <{other}> in the list of issues")),
            })
        })
    })?;
    structure.require(collector, "an export of WebInspect has the outermost element `Scan` or `Sessions`")
}

/// Converts an issue; in older exports its session has the address.
fn issue(issue: &Element, session: Option<&Element>) -> Result<Finding, String> {
    let get = |name: &str| issue.text_at(name).or(session.and_then(|session| session.text_at(name)));
    let rule = get("VulnerabilityID").ok_or("`VulnerabilityID` is missing")?;
    let title = issue.text_at("Name").unwrap_or(rule);
    let section = |name: &str| {
        let found = issue.all("ReportSection").find(|section| section.text_at("Name") == Some(name));
        found.and_then(|section| section.text_at("SectionText")).map(html::text).filled()
    };
    let request = get("VulnerableSession").or(get("RawRequest"));
    let method = request.and_then(|request| request.split_whitespace().next());
    let weaknesses = issue.at("Classifications").into_iter().flat_map(|list| list.all("Classification"));
    let weaknesses =
        weaknesses.filter(|class| class.attribute("kind").is_some_and(|kind| kind.eq_ignore_ascii_case("CWE")));
    let mut finding = Finding {
        tool_id: issue.attribute("id").map(str::to_owned),
        cwes: cwe::numbers(weaknesses.filter_map(|class| class.attribute("identifier").or(Some(class.text.as_str())))),
        description: section("Implication"),
        remediation: section("Fix"),
        endpoint: Some(Endpoint {
            url: get("URL").map(str::to_owned),
            host: get("Host").map(str::to_owned),
            port: get("Port").and_then(|port| port.parse().ok()),
            protocol: get("Scheme").map(str::to_owned),
            method: method.filter(|method| method.chars().all(|c| c.is_ascii_uppercase())).map(str::to_owned),
            parameter: get("AttackParamDescriptor").map(str::to_owned),
        }),
        ..Finding::new(Kind::Web, rule, title, section("Summary").unwrap_or_else(|| title.to_owned()))
    };
    for name in ["CheckTypeID", "EngineType"] {
        finding.raw.extend(issue.text_at(name).map(|text| (name.to_owned(), text.to_owned())));
    }
    let word = issue.text_at("Severity").map(|level| match level {
        "0" => "Informational",
        "1" => "Low",
        "2" => "Medium",
        "3" => "High",
        "4" => "Critical",
        other => other,
    });
    SCANNER.rating().word(word).apply(&mut finding);
    Ok(finding)
}
