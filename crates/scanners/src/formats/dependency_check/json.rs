//! Dependency-Check's JSON report.

use super::{Dependency, Evidence, Vulnerability, cvss_2_vector, cvss_3_vector, finding};
use crate::reader::fields::{self, Fields};
use crate::reader::json::{self, Text};
use crate::reader::report::{Collector, Input, ParseError};

pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let paths =
        ["dependencies[]", "scanInfo.engineVersion", "scanInfo.analysisExceptions[]", "reportSchema", "projectInfo"];
    let seen = json::walk(input, &paths, &mut |item| match item.path {
        0 => {
            let results = fields::of(&item, |fields| {
                let dependency = dependency(fields);
                let results = |list: &str, suppressed| {
                    let read = |entry: Option<Fields<'_>>| match entry {
                        Some(fields) => finding(&dependency, vulnerability(fields, suppressed)),
                        None => Err(format!("an entry of `{list}` is not an object")),
                    };
                    fields.entries(list).into_iter().map(read).collect::<Vec<_>>()
                };
                Ok([results("vulnerabilities", false), results("suppressedVulnerabilities", true)].concat())
            });
            match results {
                Ok(results) => results.into_iter().try_for_each(|result| collector.result(result)),
                Err(reason) => collector.rejected(reason),
            }
        }
        1 => {
            item.read::<Text>().into_iter().for_each(|version| collector.version(version.0));
            Ok(())
        }
        2 => {
            let text = fields::of(&item, |fields| Ok(fields.first(&["exception.message", "message"])));
            let text = text.ok().flatten().unwrap_or_else(|| "the analysis failed with an exception".to_owned());
            collector.scanner_error(text);
            Ok(())
        }
        4 => {
            let made = fields::of(&item, |project| Ok(project.text("reportDate")));
            collector.ended(made.ok().flatten().as_deref());
            Ok(())
        }
        _ => Ok(()),
    })?;
    seen.require(
        collector,
        &[0, 1],
        "a Dependency-Check JSON report is an object with `scanInfo` and the list `dependencies`",
    )
}

fn dependency(fields: Fields<'_>) -> Dependency {
    let evidence = ["vendorEvidence", "productEvidence", "versionEvidence"];
    let evidence = evidence.iter().flat_map(|list| fields.objects(&format!("evidenceCollected.{list}")));
    let related = fields.objects("relatedDependencies").into_iter();
    Dependency {
        file: fields.text("fileName"),
        path: fields.text("filePath"),
        related: related.filter_map(|related| related.first(&["fileName", "filePath"])).collect(),
        purls: fields.objects("packages").into_iter().filter_map(|package| package.text("id")).collect(),
        maven: None,
        evidence: evidence
            .filter_map(|evidence| {
                Some(Evidence {
                    kind: evidence.text("type")?,
                    confidence: evidence.text("confidence").unwrap_or_default(),
                    value: evidence.text("value")?,
                })
            })
            .collect(),
    }
}

fn vulnerability(fields: Fields<'_>, suppressed: bool) -> Vulnerability {
    let (two, three, four) = (fields.object("cvssv2"), fields.object("cvssv3"), fields.object("cvssv4"));
    let four = four.map(|cvss| (cvss.text("vectorString"), "4.0", cvss.number("baseScore")));
    let version = if three.and_then(|cvss| cvss.text("version")).as_deref() == Some("3.0") { "3.0" } else { "3.1" };
    let words = [
        three.and_then(|cvss| cvss.first(&["baseSeverity", "baseSeverity>"])),
        two.and_then(|cvss| cvss.text("severity")),
    ];
    let three = three.map(|cvss| (cvss_3_vector(&|name| cvss.text(name)), version, cvss.number("baseScore")));
    let two = two.map(|cvss| (cvss_2_vector(&|name| cvss.text(name)), "2.0", cvss.number("score")));
    let urls = fields.objects("references").into_iter().filter_map(|reference| reference.text("url"));
    let software = fields.objects("vulnerableSoftware").into_iter().filter_map(|entry| entry.object("software"));
    let matched = software.into_iter().find(|software| {
        ["vulnerabilityIdMatched", "matched"].iter().any(|field| software.text(field).as_deref() == Some("true"))
    });
    Vulnerability {
        name: fields.text("name"),
        source: fields.text("source"),
        severity: fields.text("severity").or_else(|| words.into_iter().flatten().next()),
        cvss: [four, three, two].into_iter().flatten().collect(),
        cwes: fields.texts("cwes"),
        description: fields.text("description"),
        notes: fields.text("notes"),
        references: urls.collect(),
        fixed: matched.and_then(|software| software.text("versionEndExcluding")),
        suppressed,
    }
}
