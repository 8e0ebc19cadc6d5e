//! Dependency-Check's XML report.

use super::{Dependency, Evidence, Vulnerability, cvss_2_vector, cvss_3_vector, finding, is_namespace};
use crate::reader::report::{Collector, Input, ParseError, require};
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};

pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths = [
        "analysis/dependencies/dependency",
        "analysis/scanInfo",
        "analysis/analysisExceptions",
        "analysis/projectInfo/reportDate",
    ];
    let containers = [
        Container::mixed("analysis", &["dependencies!"], &[]),
        Container::list("analysis/dependencies", &["dependency"]),
    ];
    let (root, structure) = xml::walk_within(input, &containers, &paths, &mut |found| {
        let element = &found.element;
        if found.path == 0 {
            if element.at("fileName").is_none() && element.at("filePath").is_none() {
                collector.rejected("a dependency has neither `fileName` nor `filePath`".to_owned())?;
            }
            let dependency = dependency(element);
            let lists =
                ["vulnerabilities", "suppressedVulnerabilities"].into_iter().filter_map(|list| element.at(list));
            let other = |child: &&Element| {
                let list =
                    child.children.iter().any(|inner| inner.at("name").is_some() && inner.at("severity").is_some());
                list && !["vulnerabilities", "suppressedVulnerabilities"].contains(&child.name.as_str())
            };
            for unknown in element.children.iter().filter(other) {
                collector.rejected(format!("unknown element <{}> in a dependency", unknown.name))?;
            }
            let each = lists.flat_map(|list| &list.children);
            return each.map(|child| (child, child.name.as_str())).try_for_each(|(child, name)| match name {
                "vulnerability" => collector.result(finding(&dependency, vulnerability(child, false))),
                "suppressedVulnerability" => collector.result(finding(&dependency, vulnerability(child, true))),
                other => collector.rejected(format!("unknown element <{other}> in the list of vulnerabilities")),
            });
        }
        if found.path == 3 {
            collector.ended(element.text.as_str());
        }
        element.text_at("engineVersion").into_iter().for_each(|version| collector.version(version));
        let inner = element.at("analysisExceptions").or(Some(element).filter(|_| found.path == 2));
        for exception in inner.into_iter().flat_map(|list| list.all("exception")) {
            collector.scanner_error(exception.owned_at("message").unwrap_or_else(|| exception.whole_text()));
        }
        Ok(())
    })?;
    let mut namespaces = root.attributes.iter().filter(|(name, _)| name.starts_with("xmlns"));
    const SHAPE: &str = "a Dependency-Check XML report is an `analysis` of the namespace `…/dependency-check.….xsd` with \
                         the list `dependencies`";
    require(namespaces.any(|(_, value)| is_namespace(value)) && structure.has(1), SHAPE)?;
    structure.require(collector, SHAPE)
}

fn dependency(element: &Element) -> Dependency {
    // Some reports nest `identifiers` in `identifiers`.
    let outer = element.at("identifiers");
    let identifiers = || [outer, outer.and_then(|outer| outer.at("identifiers"))].into_iter().flatten();
    let related = element.at("relatedDependencies").into_iter().flat_map(|list| list.all("relatedDependency"));
    let evidence = element.at("evidenceCollected").into_iter().flat_map(|list| list.all("evidence"));
    let mut maven =
        identifiers().flat_map(|list| list.all("identifier")).filter(|id| id.attribute("type") == Some("maven"));
    Dependency {
        file: element.owned_at("fileName"),
        path: element.owned_at("filePath"),
        related: related
            .filter_map(|related| related.owned_at("fileName").or_else(|| related.owned_at("filePath")))
            .collect(),
        purls: identifiers()
            .flat_map(|list| list.all("package"))
            .filter_map(|package| package.owned_at("id"))
            .collect(),
        maven: maven.find_map(|id| id.owned_at("name")).filter(|name| name.matches(':').count() >= 2),
        evidence: evidence
            .filter_map(|evidence| {
                Some(Evidence {
                    kind: evidence.attribute("type")?.to_owned(),
                    confidence: evidence.attribute("confidence").unwrap_or_default().to_owned(),
                    value: evidence.owned_at("value")?,
                })
            })
            .collect(),
    }
}

fn vulnerability(element: &Element, suppressed: bool) -> Vulnerability {
    let number = |text: Option<&str>| text.and_then(decimal);
    let (two, three, four) = (element.at("cvssV2"), element.at("cvssV3"), element.at("cvssV4"));
    let four = four.map(|cvss| (cvss.owned_at("vectorString"), "4.0", number(cvss.text_at("baseScore"))));
    let version = if three.and_then(|cvss| cvss.text_at("version")) == Some("3.0") { "3.0" } else { "3.1" };
    let word =
        three.and_then(|cvss| cvss.owned_at("baseSeverity")).or_else(|| two.and_then(|cvss| cvss.owned_at("severity")));
    let three =
        three.map(|cvss| (cvss_3_vector(&|name| cvss.owned_at(name)), version, number(cvss.text_at("baseScore"))));
    let two = two.map(|cvss| (cvss_2_vector(&|name| cvss.owned_at(name)), "2.0", number(cvss.text_at("score"))));
    // Versions before 4 have the metrics next to the name.
    let old = element.text_at("cvssScore");
    let old = old.map(|score| (cvss_2_vector(&|name| element.owned_at(name)), "2.0", number(Some(score))));
    let cwes = element.at("cwes").into_iter().flat_map(|list| list.all("cwe")).chain(element.all("cwe"));
    let references = element.at("references").into_iter().flat_map(|list| list.all("reference"));
    let mut software = element.at("vulnerableSoftware").into_iter().flat_map(|list| list.all("software"));
    let matched = software.find(|software| {
        ["vulnerabilityIdMatched", "matched"].iter().any(|name| software.attribute(name) == Some("true"))
    });
    Vulnerability {
        name: element.owned_at("name"),
        source: element.attribute("source").map(str::to_owned),
        severity: element.owned_at("severity").or(word),
        cvss: [four, three, two, old].into_iter().flatten().collect(),
        cwes: cwes.map(|cwe| cwe.text.clone()).collect(),
        description: element.owned_at("description"),
        notes: element.owned_at("notes"),
        references: references.filter_map(|reference| reference.owned_at("url")).collect(),
        fixed: matched.and_then(|software| software.attribute("versionEndExcluding")).map(str::to_owned),
        suppressed,
    }
}
