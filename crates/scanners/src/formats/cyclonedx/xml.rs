//! CycloneDX in XML.

use super::{Affected, Component, Components, NO_LIST, RawRating, Vulnerability, is_namespace, note_references};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::reader::xml::{self, Container, Element};
use crate::value::cwe;
use crate::value::packages;
use std::collections::BTreeSet;

const VULNERABILITIES: &str = "bom/vulnerabilities/vulnerability";
const COMPONENTS: &str = "bom/components/component";

pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut wanted = BTreeSet::new();
    let mut tools = Vec::new();
    let mut has_list = false;
    let paths = [VULNERABILITIES, "bom/metadata/tools", "bom/vulnerabilities@", "bom/metadata/timestamp"];
    let root = xml::walk(input, &paths, &mut |found| {
        if found.path == 2 {
            has_list = true;
        } else if found.path == 3 {
            collector.ended(found.element.text.as_str());
        } else if found.path == 0 {
            note_references(&vulnerability(&found.element, None), &mut wanted);
        } else {
            let tool = found.element.at("tool").or_else(|| found.element.at("components/component"));
            let parts =
                tool.map(|tool| ["name", "version"].map(|part| tool.text_at(part).unwrap_or_default()).join(" "));
            tools.extend(parts);
        }
        Ok(())
    })?;
    let mut namespaces = root.attributes.iter().filter(|(name, _)| name.starts_with("xmlns"));
    if root.name != "bom" || !namespaces.any(|(_, value)| is_namespace(value)) {
        return Err(ParseError::other_shape(
            "a CycloneDX document in XML is a `bom` of the namespace `http://cyclonedx.org/schema/bom/…`",
        ));
    }
    tools.into_iter().take(1).for_each(|tool| collector.version(tool.trim()));
    let mut components = Components::new();
    xml::walk(input, &[COMPONENTS, "bom/metadata/component", "bom/services/service"], &mut |found| {
        collect_components(&found.element, &wanted, &mut components);
        Ok(())
    })?;
    let containers = [Container::list("bom/vulnerabilities", &["vulnerability"])];
    let walked = xml::walk_within(input, &containers, &[VULNERABILITIES, COMPONENTS], &mut |found| match found.path {
        0 => vulnerability(&found.element, None).collect(&components, collector),
        _ => of_component(&found.element, collector),
    });
    let (_, structure) = walked?;
    if has_list {
        structure.require(collector, "a CycloneDX document in XML has the list `vulnerabilities`")?;
    }
    // The old extension has a list in each vulnerable component, and no list if nothing is vulnerable.
    if !has_list && collector.results() == 0 {
        collector.scanner_error(NO_LIST);
    }
    Ok(())
}

fn collect_components(element: &Element, wanted: &BTreeSet<String>, components: &mut Components) {
    if let Some(reference) = element.attribute("bom-ref").filter(|reference| wanted.contains(*reference)) {
        components.insert(reference.to_owned(), component(element));
    }
    // The walk limits the depth of elements, and so of this recursion.
    for inner in element.at("components").into_iter().flat_map(|list| list.all("component")) {
        collect_components(inner, wanted, components);
    }
}

fn component(element: &Element) -> Component {
    let mut component = Component {
        group: element.owned_at("group"),
        name: element.owned_at("name"),
        version: element.owned_at("version"),
        purl: element.owned_at("purl"),
        path: element.owned_at("evidence/occurrences/occurrence/location"),
    };
    for property in element.at("properties").into_iter().flat_map(|list| list.all("property")) {
        component.property(property.attribute("name").unwrap_or_default(), Some(property.text.trim().to_owned()));
    }
    component
}

/// Reads the extension's vulnerabilities inside of a component, which is the affected one.
fn of_component(element: &Element, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    for inner in element.at("vulnerabilities").into_iter().flat_map(|list| list.all("vulnerability")) {
        const HERE: &str = "here";
        let components = Components::from([(HERE.to_owned(), component(element))]);
        vulnerability(inner, Some(HERE)).collect(&components, collector)?;
    }
    for inner in element.at("components").into_iter().flat_map(|list| list.all("component")) {
        of_component(inner, collector)?;
    }
    Ok(())
}

fn vulnerability(element: &Element, within: Option<&str>) -> Vulnerability {
    let each =
        |list: &'static str, name: &'static str| element.at(list).into_iter().flat_map(move |list| list.all(name));
    let ratings = each("ratings", "rating").map(|rating| RawRating {
        source: rating.owned_at("source/name"),
        score: rating.text_at("score/base").or(rating.text_at("score")).and_then(decimal),
        severity: rating.owned_at("severity"),
        method: rating.owned_at("method"),
        vector: rating.owned_at("vector"),
    });
    let advisories = each("advisories", "advisory");
    let urls =
        advisories.filter_map(|advisory| advisory.text_at("url").or(Some(advisory.text.trim())).map(str::to_owned));
    let urls = element.owned_at("source/url").into_iter().chain(urls).filter(|url| !url.is_empty());
    let affects = each("affects", "target").map(|target| {
        let versions = target.at("versions").into_iter().flat_map(|list| list.all("version"));
        let versions = versions.filter_map(|version| Some((version.owned_at("version")?, version.owned_at("status"))));
        Affected { reference: target.owned_at("ref").unwrap_or_default(), versions: versions.collect() }
    });
    // The extension names its only component in an attribute.
    let reference = within.or(element.attribute("ref"));
    let legacy = reference.map(|reference| Affected { reference: reference.to_owned(), versions: vec![] });
    let recommendations: Vec<_> =
        each("recommendations", "recommendation").map(|element| element.text.trim().to_owned()).collect();
    Vulnerability {
        id: element.owned_at("id"),
        source: element
            .at("source")
            .and_then(|source| source.text_at("name").or(source.attribute("name")))
            .map(str::to_owned),
        aliases: each("references", "reference").filter_map(|reference| reference.owned_at("id")).collect(),
        ratings: ratings.collect(),
        cwes: cwe::numbers(each("cwes", "cwe").map(|cwe| cwe.text.as_str())),
        description: element.owned_at("description").or_else(|| element.owned_at("detail")),
        recommendation: element.owned_at("recommendation").or_else(|| recommendations.join("\n").filled()),
        references: packages::unique(urls),
        state: element.owned_at("analysis/state"),
        reasons: ["analysis/justification", "analysis/detail"]
            .iter()
            .filter_map(|path| element.owned_at(path))
            .collect(),
        affects: affects.chain(legacy).collect(),
    }
}
