//! Trivy, <https://trivy.dev>: vulnerable packages, misconfigurations, secrets and licences of images, file systems,
//! repositories and clusters. Reads its JSON report (`--format json`): the plain list of versions before 0.20, the
//! object with `SchemaVersion` of later versions, and that of `trivy k8s` with the lists `Resources`, `Findings`, or
//! the older `Vulnerabilities` and `Misconfigurations`.
//!
//! A result is one entry of `Vulnerabilities`, `Misconfigurations`, `Secrets`, `Licenses` or
//! `ExperimentalModifiedFindings` of one target. A misconfiguration with the status `PASS` is passed, with `EXCEPTION`
//! suppressed. A vulnerability with the status `not_affected`, which comes from the distribution, is suppressed. Other
//! statuses (`will_not_fix`, `end_of_life`, ...) are plans of the distribution and change nothing. Results in
//! `ExperimentalModifiedFindings` (`--show-suppressed`), which `.trivyignore`, a policy or VEX excluded, are
//! suppressed.
//!
//! A report without targets is a blind spot over everything: Trivy found nothing that it can scan. So is the error of a
//! cluster's resource, because the names of its targets are unknown.
//!
//! Trivy reports CVSS of several vendors. The National Vulnerability Database counts, else the vendor of the severity,
//! else the first by name. Trivy masks secrets itself; a masked secret has no digest and is identified by its location.

use crate::Scanner;
use crate::reader::fields::{self, Fields};
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::cwe;
use crate::value::packages;
use crate::value::rating::{COMMON_WORDS, Rating};
use finding::{Excerpt, Finding, Kind, Location, Package, Reach};
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "trivy",
    tool: "trivy",
    name: "Trivy",
    aliases: &["aqua-trivy", "aquasec-trivy"],
    versions: "0.9 to 0.69",
    category: "SCA, containers, IaC, secrets, licences",
    notation: Notation::Json,
    formats: "JSON (`--format json`), also of `trivy k8s`",
    severities: "CVSS (NVD, else the vendor of the severity), else CRITICAL 9.5, HIGH 8.0, MEDIUM 5.5, LOW 2.0; UNKNOWN unassigned",
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The paths of the lists of results.
const RESULTS: [&str; 6] = [
    "Results[]",
    "[]",
    "Resources[].Results[]",
    "Findings[].Results[]",
    "Vulnerabilities[].Results[]",
    "Misconfigurations[].Results[]",
];
/// The paths of the resources of clusters, which contain the last lists in [`RESULTS`].
const RESOURCES: [&str; 4] = ["Resources[]", "Findings[]", "Vulnerabilities[]", "Misconfigurations[]"];
/// The index of the plain list in [`RESULTS`].
const PLAIN_LIST: usize = 1;

fn detect(sniff: &Sniff) -> bool {
    // If fields are sorted by name, `SchemaVersion` of a large report comes too late.
    if sniff.has_all(&["ArtifactName", "Results[].Vulnerabilities[].VulnerabilityID"]) {
        return true;
    }
    let lists = ["Resources", "Findings", "Vulnerabilities", "Misconfigurations"];
    sniff.has_all(&["SchemaVersion", "ArtifactName"])
        || sniff.has_all(&["SchemaVersion", "Results[].Target"])
        || (sniff.has("ClusterName") && lists.iter().any(|list| sniff.has(list)))
        || (sniff.has("[].Target") && (sniff.has("[].Vulnerabilities") || sniff.has("[].Misconfigurations")))
}

/// A target: a file, an image's operating system, a resource of a cluster.
#[derive(Debug, Default, Clone)]
struct Target {
    name: String,
    class: String,
    ecosystem: Option<String>,
    /// The resource of a cluster that it belongs to.
    resource: Option<String>,
}

/// The position of a target: the index of its list in [`RESULTS`], the index of the resource, the index in the list.
type Position = (usize, usize, usize);

/// The targets and resources of a report, and the fields that show that Trivy wrote it.
#[derive(Default)]
struct Targets {
    targets: BTreeMap<Position, Target>,
    /// Namespace, kind and name of a resource, by the index of its list and its index in the list.
    resources: BTreeMap<(usize, usize), [String; 3]>,
    /// True for each of `SchemaVersion`, `ArtifactName` and `ClusterName` that exists.
    fields: [bool; 3],
    /// True if a target is in a plain list.
    is_plain_list: bool,
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let report = read_targets(input, collector)?;
    let sections: [(&str, Read); 5] = [
        ("Vulnerabilities", vulnerability),
        ("Misconfigurations", misconfiguration),
        ("Secrets", secret),
        ("Licenses", license),
        ("ExperimentalModifiedFindings", modified),
    ];
    let lists = RESULTS.iter().flat_map(|list| sections.map(|(name, _)| format!("{list}.{name}[]")));
    // The lists of targets, and what else is in them: a list of another name may be one of new results.
    let targets = RESULTS.iter().map(|list| format!("?{list}:Packages CustomResources"));
    let clusters = RESOURCES.iter().map(|list| format!("?{list}:"));
    let paths: Vec<String> = lists.chain(targets).chain(clusters).chain(["?:".to_owned()]).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let seen = json::walk(input, &paths, &mut |item| {
        let (list, section) = (item.path / sections.len(), item.path % sections.len());
        let Some((_, read)) = sections.get(section) else { return Ok(()) };
        let default = Target::default();
        let target = report.targets.get(&position(list, &item)).unwrap_or(&default);
        match fields::of(&item, |fields| read(fields, target)) {
            Ok(Entry::Finding(finding)) => collector.finding(*finding),
            Ok(Entry::Passed) => collector.passed(),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    seen.report_missing(collector);
    let first = RESULTS.len() * sections.len();
    let of_clusters = first + RESULTS.len()..first + RESULTS.len() + RESOURCES.len();
    // A cluster's report may list only the resources with results.
    if !of_clusters.into_iter().any(|list| seen.has(list)) && report.targets.is_empty() && collector.results() == 0 {
        collector.blind_spot(Reach::Everything, "the report has no targets: Trivy had nothing to scan");
    }
    collector.container();
    Ok(())
}

/// Reads one entry of a target.
type Read = fn(Fields<'_>, &Target) -> Result<Entry, String>;

/// An entry of a target, as it was read.
enum Entry {
    Finding(Box<Finding>),
    Passed,
}

fn position(list: usize, item: &json::Item<'_>) -> Position {
    if list < 2 { (list, 0, item.index(0)) } else { (list, item.index(0), item.index(1)) }
}

/// Reads targets and resources, and checks that Trivy wrote the report.
fn read_targets(input: Input<'_>, collector: &mut Collector<'_>) -> Result<Targets, ParseError> {
    const TARGET: [&str; 3] = ["Target", "Class", "Type"];
    const RESOURCE: [&str; 4] = ["Namespace", "Kind", "Name", "Error"];
    const OUTER: [&str; 5] = ["Trivy.Version", "SchemaVersion", "ArtifactName", "ClusterName", "CreatedAt"];
    let targets = RESULTS.iter().flat_map(|list| TARGET.map(|field| format!("{list}.{field}")));
    let resources = RESOURCES.iter().flat_map(|list| RESOURCE.map(|field| format!("{list}.{field}")));
    let paths: Vec<String> = targets.chain(resources).chain(OUTER.map(str::to_owned)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (of_resources, outer) = (RESULTS.len() * 3, RESULTS.len() * 3 + RESOURCES.len() * 4);
    let mut report = Targets::default();
    json::walk(input, &paths, &mut |item| {
        let text = item.read::<json::Text>().map(|text| text.0).unwrap_or_default();
        if let Some(at) = item.path.checked_sub(outer) {
            match at.checked_sub(1) {
                None => collector.version(text),
                Some(3) => collector.ended(text.as_str()),
                Some(at) => report.fields.iter_mut().skip(at).take(1).for_each(|exists| *exists = true),
            }
        } else if let Some(at) = item.path.checked_sub(of_resources) {
            let key = (at / RESOURCE.len(), item.index(0));
            match at % RESOURCE.len() {
                3 if !text.is_empty() => collector.blind_spot(Reach::Everything, format!("a resource: {text}")),
                3 if !matches!(item.raw, "null" | "\"\"") => {
                    collector.scanner_error(format!("the error of a resource: {}", item.raw));
                }
                field => {
                    let names = report.resources.entry(key).or_default();
                    names.iter_mut().skip(field).take(1).for_each(|name| text.clone_into(name));
                }
            }
        } else {
            let target = report.targets.entry(position(item.path / TARGET.len(), &item)).or_default();
            match item.path % TARGET.len() {
                0 => {
                    target.name = text;
                    report.is_plain_list |= item.path == PLAIN_LIST * TARGET.len();
                }
                1 => target.class = text,
                _ => target.ecosystem = text.to_lowercase().filled(),
            }
        }
        Ok(())
    })?;
    for ((list, resource, _), target) in &mut report.targets {
        // The first two lists are not inside of resources.
        let names = list.checked_sub(2).and_then(|list| report.resources.get(&(list, *resource)));
        target.resource =
            names.map(|names| names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join("/"));
    }
    let [schema, artifact, cluster] = report.fields;
    // A cluster without resources has an empty list, which paths of its elements do not match.
    let of_cluster = !report.resources.is_empty()
        || (cluster && {
            let seen = json::walk(input, &RESOURCES, &mut |_| Ok(()))?;
            (0..RESOURCES.len()).any(|list| seen.has(list))
        });
    let with_targets = report.targets.keys().any(|(list, ..)| *list == 0);
    if report.is_plain_list || (schema && (artifact || with_targets || cluster)) || (cluster && of_cluster) {
        return Ok(report);
    }
    Err(ParseError::other_shape(
        "a Trivy JSON report has `SchemaVersion` and `ArtifactName`, or `ClusterName` and `Resources`, or is a \
                  list of objects with `Target`",
    ))
}

fn vulnerability(fields: Fields<'_>, target: &Target) -> Result<Entry, String> {
    let id = fields.required("VulnerabilityID")?;
    let purl = fields.text("PkgIdentifier.PURL").or_else(|| fields.text("Ref").filter(|text| text.starts_with("pkg:")));
    let fixed = fields.text("FixedVersion").unwrap_or_default();
    let package = Package {
        name: fields.required("PkgName")?,
        version: fields.text("InstalledVersion"),
        ecosystem: packages::ecosystem(purl.as_deref()).or_else(|| target.ecosystem.clone()),
        purl,
        fixed_versions: fixed.split(',').map(|version| version.trim().to_owned()).filter(|v| !v.is_empty()).collect(),
    };
    let path = fields.text("PkgPath").unwrap_or_else(|| target.name.clone());
    let status = fields.text("Status");
    let urls = fields.text("PrimaryURL").into_iter().chain(fields.texts("References"));
    let cwes = fields.texts("CweIDs");
    let title = fields.text("Title").unwrap_or_else(|| id.clone());
    let message = packages::message(&id, &package);
    let mut finding = Finding {
        advisories: packages::unique([id.clone()].into_iter().chain(fields.texts("VendorIDs"))),
        cwes: cwe::numbers(cwes.iter().map(String::as_str)),
        description: fields.text("Description"),
        references: packages::unique(urls),
        package: Some(package),
        suppressed: status.clone().filter(|status| status == "not_affected").map(|status| format!("Status: {status}")),
        ..with_location(Finding::new(Kind::Dependency, id, title, message), target, Some(path))
    };
    finding.fingerprints.extend(fields.text("Fingerprint").map(|print| ("Fingerprint".to_owned(), print)));
    finding.raw.extend(status.map(|status| ("Status".to_owned(), status)));
    finding.raw.extend(fields.text("Layer.DiffID").map(|layer| ("Layer.DiffID".to_owned(), layer)));
    rating(fields).apply(&mut finding);
    packages::remove_duplicates(&mut finding.cvss);
    Ok(Entry::Finding(Box::new(finding)))
}

/// The CVSS of all vendors, the preferred one first, and Trivy's word.
fn rating(fields: Fields<'_>) -> Rating {
    let source = fields.text("SeveritySource").unwrap_or_default();
    let mut vendors = fields.named("CVSS");
    vendors.sort_by_key(|(vendor, _)| (*vendor != "nvd", *vendor != source));
    let mut rating = SCANNER.rating();
    for (_, cvss) in vendors {
        for (version, vector, score) in
            [("4.0", "V40Vector", "V40Score"), ("3.1", "V3Vector", "V3Score"), ("2.0", "V2Vector", "V2Score")]
        {
            rating = match cvss.text(vector) {
                Some(vector) => rating.vector(Some(&vector), cvss.number(score)),
                None => rating.base(version, cvss.number(score)),
            };
        }
    }
    rating.word(fields.text("Severity").as_deref())
}

fn misconfiguration(fields: Fields<'_>, target: &Target) -> Result<Entry, String> {
    let status = fields.text("Status").unwrap_or_default();
    if status.eq_ignore_ascii_case("PASS") {
        return Ok(Entry::Passed);
    }
    let id = fields.first(&["ID", "AVDID"]).ok_or("`ID` is missing")?;
    let title = fields.text("Title").unwrap_or_else(|| id.clone());
    let message = fields.text("Message").unwrap_or_else(|| title.clone());
    let urls = fields.text("PrimaryURL").into_iter().chain(fields.texts("References"));
    let located =
        with_location(Finding::new(Kind::Infrastructure, id, title, message), target, Some(target.name.clone()));
    let mut finding = Finding {
        description: fields.text("Description"),
        remediation: fields.text("Resolution"),
        references: packages::unique(urls),
        code: excerpt(fields, "CauseMetadata.Code.Lines"),
        suppressed: status.eq_ignore_ascii_case("EXCEPTION").then(|| format!("Status: {status}")),
        ..located
    };
    if let Some(cause) = fields.object("CauseMetadata").or_else(|| fields.object("IacMetadata")) {
        let named = cause.text("Resource");
        finding.resource = match (finding.resource, named) {
            (Some(outer), Some(inner)) => Some(format!("{outer} {inner}")),
            (outer, inner) => inner.or(outer),
        };
        lines(&mut finding, cause);
    }
    // Trivy's database has both ids for a check. Versions differ in which one is the `ID`.
    finding.add_former_rules(fields.text("AVDID"));
    finding.raw.extend(fields.text("AVDID").map(|id| ("AVDID".to_owned(), id)));
    SCANNER.rating().word(fields.text("Severity").as_deref()).apply(&mut finding);
    Ok(Entry::Finding(Box::new(finding)))
}

fn secret(fields: Fields<'_>, target: &Target) -> Result<Entry, String> {
    let rule = fields.required("RuleID")?;
    let title = fields.text("Title").unwrap_or_else(|| rule.clone());
    // Trivy masks the secret in the matched line. No other part of the file is stored.
    let masked = fields.text("Match").filter(|text| text.contains("***"));
    let message = masked.unwrap_or_else(|| title.clone());
    let mut finding =
        with_location(Finding::new(Kind::Secret, rule, title, message), target, Some(target.name.clone()));
    lines(&mut finding, fields);
    finding.raw.extend(fields.text("Category").map(|category| ("Category".to_owned(), category)));
    SCANNER.rating().word(fields.text("Severity").as_deref()).apply(&mut finding);
    Ok(Entry::Finding(Box::new(finding)))
}

fn license(fields: Fields<'_>, target: &Target) -> Result<Entry, String> {
    /// Names of targets that are not files, but groups of packages of one kind.
    const GROUPS: [&str; 8] =
        ["OS Packages", "Loose File License(s)", "Python", "Node.js", "Java", "Ruby", "Conda", "C/C++"];
    let name = fields.required("Name")?;
    let category = fields.text("Category");
    let package = fields.text("PkgName");
    let file =
        fields.text("FilePath").or_else(|| Some(target.name.clone()).filter(|name| !GROUPS.contains(&name.as_str())));
    let of = package.clone().or_else(|| file.clone()).unwrap_or_default();
    let kind = category.as_deref().map(|category| format!(" ({category})")).unwrap_or_default();
    let message = format!("{of}: {name}{kind}");
    let mut finding = Finding {
        references: fields.text("Link").into_iter().collect(),
        confidence: fields.text("Confidence"),
        package: package.map(|name| Package { name, ecosystem: target.ecosystem.clone(), ..Package::default() }),
        ..with_location(Finding::new(Kind::License, name.clone(), name, message), target, file)
    };
    finding.raw.extend(category.map(|category| ("Category".to_owned(), category)));
    SCANNER.rating().word(fields.text("Severity").as_deref()).apply(&mut finding);
    Ok(Entry::Finding(Box::new(finding)))
}

fn modified(fields: Fields<'_>, target: &Target) -> Result<Entry, String> {
    let inner = fields.object("Finding").ok_or("`Finding` is missing")?;
    let outcome = match fields.required("Type")?.as_str() {
        "vulnerability" => vulnerability(inner, target),
        "misconfiguration" => misconfiguration(inner, target),
        "secret" => secret(inner, target),
        "license" => license(inner, target),
        other => Err(format!("unknown type `{other}`")),
    }?;
    Ok(match outcome {
        Entry::Passed => Entry::Passed,
        Entry::Finding(mut finding) => {
            let reason = ["Status", "Statement", "Source"].iter().filter_map(|field| fields.text(field));
            finding.suppressed = Some(reason.collect::<Vec<_>>().join(", "));
            Entry::Finding(finding)
        }
    })
}

fn with_location(finding: Finding, target: &Target, path: Option<String>) -> Finding {
    let mut finding = Finding { resource: target.resource.clone(), ..finding };
    let path = path.filled();
    finding.location = path.map(Location::file);
    finding.raw.extend(Some(&target.class).filter(|class| !class.is_empty()).map(|c| ("Class".to_owned(), c.clone())));
    finding
}

fn lines(finding: &mut Finding, cause: Fields<'_>) {
    if let Some(location) = &mut finding.location {
        location.line = cause.line("StartLine");
        location.end_line = cause.line("EndLine").filter(|end| location.line.is_some_and(|line| line < *end));
    }
}

fn excerpt(fields: Fields<'_>, path: &str) -> Option<Excerpt> {
    let lines = fields.objects(path);
    let first_line = lines.first()?.line("Number")?;
    // Blank lines have no `Content`.
    let lines = lines.iter().map(|line| line.raw("Content").unwrap_or_default().to_owned()).collect();
    Some(Excerpt { first_line, lines })
}

#[cfg(test)]
mod tests;
