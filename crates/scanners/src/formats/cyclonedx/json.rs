//! CycloneDX in JSON.

use super::{Affected, Component, Components, NO_LIST, RawRating, Vulnerability, note_references};
use crate::reader::fields::{self, Fields};
use crate::reader::json::{self, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::value::cwe;
use crate::value::packages;
use std::collections::BTreeSet;

/// The most levels of nested components that are read.
const NESTED_MAX: usize = 32;

pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut wanted = BTreeSet::new();
    let mut is_bom = false;
    let tool = ["metadata.tools.components[]", "metadata.tools[]"];
    let paths = ["bomFormat", "vulnerabilities[]", tool[0], tool[1], "metadata.timestamp"];
    let seen = json::walk(input, &paths, &mut |item| {
        match item.path {
            0 => is_bom = item.read::<Text>().is_ok_and(|format| format.0.eq_ignore_ascii_case("CycloneDX")),
            1 => {
                let read = fields::of(&item, vulnerability);
                read.iter().for_each(|vulnerability| note_references(vulnerability, &mut wanted));
            }
            4 => item.ended(collector)?,
            _ if item.index(0) == 0 => {
                let read = fields::of(&item, |tool| {
                    Ok(["name", "version"].iter().filter_map(|part| tool.text(part)).collect::<Vec<_>>().join(" "))
                });
                read.into_iter().for_each(|version| collector.version(version));
            }
            _ => {}
        }
        Ok(())
    })?;
    if !is_bom {
        return Err(ParseError::other_shape("a CycloneDX document in JSON has `bomFormat` with the value `CycloneDX`"));
    }
    if seen.has(1) {
        collector.container();
    } else {
        collector.scanner_error(NO_LIST);
    }
    let mut components = Components::new();
    json::walk(input, &["components[]", "metadata.component", "services[]"], &mut |item| {
        // A component that cannot be read stays unknown; results show its reference instead.
        let _ = fields::of(&item, |fields| {
            collect_components(fields, &wanted, &mut components, NESTED_MAX);
            Ok(())
        });
        Ok(())
    })?;
    json::walk(input, &["vulnerabilities[]"], &mut |item| match fields::of(&item, vulnerability) {
        Ok(vulnerability) => vulnerability.collect(&components, collector),
        Err(reason) => collector.rejected(reason),
    })?;
    Ok(())
}

fn collect_components(fields: Fields<'_>, wanted: &BTreeSet<String>, components: &mut Components, levels_left: usize) {
    if let Some(reference) = fields.text("bom-ref").filter(|reference| wanted.contains(reference)) {
        let mut component = Component {
            group: fields.text("group"),
            name: fields.text("name"),
            version: fields.text("version"),
            purl: fields.text("purl"),
            path: fields.objects("evidence.occurrences").into_iter().find_map(|occurrence| occurrence.text("location")),
        };
        for property in fields.objects("properties") {
            component.property(&property.text("name").unwrap_or_default(), property.text("value"));
        }
        components.insert(reference, component);
    }
    if let Some(levels_left) = levels_left.checked_sub(1) {
        fields
            .objects("components")
            .into_iter()
            .for_each(|inner| collect_components(inner, wanted, components, levels_left));
    }
}

fn vulnerability(fields: Fields<'_>) -> Result<Vulnerability, String> {
    let references = fields.objects("references").into_iter().filter_map(|reference| reference.text("id"));
    let ratings = fields.objects("ratings").into_iter().map(|rating| RawRating {
        source: rating.text("source.name"),
        score: rating.number("score"),
        severity: rating.text("severity"),
        method: rating.text("method"),
        vector: rating.text("vector"),
    });
    let urls = fields.objects("advisories").into_iter().filter_map(|advisory| advisory.text("url"));
    let cwes = fields.texts("cwes");
    let affects = fields.entries("affects").into_iter().map(|entry| {
        let Some(affected) = entry else { return Affected::default() };
        let versions = affected.objects("versions").into_iter();
        Affected {
            reference: affected.text("ref").unwrap_or_default(),
            versions: versions.filter_map(|version| Some((version.text("version")?, version.text("status")))).collect(),
        }
    });
    Ok(Vulnerability {
        id: fields.text("id"),
        source: fields.text("source.name"),
        aliases: references.collect(),
        ratings: ratings.collect(),
        cwes: cwe::numbers(cwes.iter().map(String::as_str)),
        description: fields.first(&["description", "detail"]),
        recommendation: fields.first(&["recommendation", "workaround"]),
        references: packages::unique(fields.text("source.url").into_iter().chain(urls)),
        state: fields.text("analysis.state"),
        reasons: ["analysis.justification", "analysis.detail"].iter().filter_map(|path| fields.text(path)).collect(),
        affects: affects.collect(),
    })
}
