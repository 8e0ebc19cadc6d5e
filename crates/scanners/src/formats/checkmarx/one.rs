//! The JSON reports of Checkmarx One.

use super::{SCANNER, is_dismissed, rule, title};
use crate::reader::fields;
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::value::cwe;
use crate::value::secret;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The parts of `scanResults`.
pub(super) const PARTS: [&str; 8] =
    ["resultsList", "sast", "sastScanResults", "sca", "scaScanResults", "kics", "iac", "iacScanResults"];

/// The lists of results, each with the type of results that do not state one.
const LISTS: [(&str, &str); 15] = [
    ("results[]", ""),
    ("scanResults.resultsList[].vulnerabilities![]", "sast"),
    ("scanResults.sast+.languages![].queries![]+.vulnerabilities[]", "sast"),
    ("scanResults.sast+.languages![].queries![]+.resultsList[]", "sast"),
    ("scanResults.sastScanResults+.languages![].queries![]+.vulnerabilities[]", "sast"),
    ("scanResults.sastScanResults+.languages![].queries![]+.resultsList[]", "sast"),
    ("scanResults.sca+.packages![].vulnerabilities![]", "sca"),
    ("scanResults.scaScanResults+.packages![].vulnerabilities![]", "sca"),
    ("scanResults.kics+.results[].vulnerabilities![]", "kics"),
    ("scanResults.kics+.technology[].queries![]+.resultsList[]", "kics"),
    ("scanResults.iac+.results[].vulnerabilities![]", "kics"),
    ("scanResults.iacScanResults+.technology[].queries![]+.resultsList[]", "kics"),
    ("scanResults.iacScanResults+.results[].vulnerabilities![]", "kics"),
    ("iacScanResults+.technology[].queries![]+.resultsList[]", "kics"),
    ("scaScanResults+.packages![].vulnerabilities![]", "sca"),
];
/// Fields of the objects around results: a query, its language, a package.
const NAMES: [&str; 10] = [
    "languageName",
    "cweId",
    "queryName",
    "queryId",
    "name",
    "description",
    "packageName",
    "version",
    "packageVersion",
    "platform",
];

/// The texts of the objects around results, by the object's path and the field's name.
type OuterFields = BTreeMap<(String, &'static str), String>;

/// Reads the report.
///
/// # Errors
/// The report contains no list of Checkmarx One, or cannot be read.
pub(super) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let outer_fields = collect_outer_fields(input)?;
    let mut paths: Vec<&str> = LISTS.iter().map(|(path, _)| *path).collect();
    let lists = paths.len();
    // Parts of the report without a known list.
    paths.extend(["totalCount", "scanResults{}", "iacScanResults{}", "scaScanResults{}", "??:vulnerabilityDetails"]);
    let header = paths.len();
    paths.push("reportHeader");
    let (mut total, mut results) = (None, 0.0);
    let seen = json::walk(input, &paths, &mut |item| {
        let Some((path, scanner)) = LISTS.get(item.path) else {
            if item.path == lists {
                total = item.read::<Number>().ok().and_then(|number| number.0);
            } else if item.path == header {
                let made = fields::of(&item, |header| Ok(header.text("createdDate")));
                collector.ended(made.ok().flatten().as_deref());
            } else if ["similarityId", "vulnerabilities", "resultsList"].iter().any(|name| item.raw.contains(name)) {
                collector.scanner_error(format!("unknown part `{}` of the report", item.name(0)));
            }
            return Ok(());
        };
        results += 1.0;
        match item.read::<Raw>() {
            Ok(raw) if raw.status.is("FIXED") => collector.closed(),
            Ok(raw) => {
                let enclosing =
                    Enclosing { fields: &outer_fields, paths: element_paths(&unmarked(path), |wild| item.index(wild)) };
                let own = item.read::<RawData>();
                collector.result(own.and_then(|own| raw.into_finding(scanner, own, &enclosing)))
            }
            Err(reason) => collector.rejected(reason),
        }
    })?;
    if let Some(total) = total.filter(|total| *total > results) {
        collector.scanner_error(format!("the report contains {results} of {total} results"));
    }
    seen.report_missing(collector);
    // Reports of other tools have a list `results` too.
    collector.require(
        (1..=3).any(|part| seen.has(lists + part)) || (seen.has(0) && (results > 0.0 || total.is_some())),
        "a Checkmarx One report has `scanResults`, or `results` with `totalCount`",
    )
}

/// Collects the fields of the objects around results. They may follow the results, so this is a separate pass.
fn collect_outer_fields(input: Input<'_>) -> Result<OuterFields, ParseError> {
    let mut paths: Vec<String> = Vec::new();
    for (list, _) in LISTS {
        // `a.b[].c[].d[]` is in the elements of `a.b[].c[]` and of `a.b[]`.
        let list = unmarked(list);
        let mut parent = list.as_str();
        while let Some((outer, _)) = parent.strip_suffix("[]").and_then(|list| list.rsplit_once("[].")) {
            parent = list.get(..outer.len() + 2).unwrap_or_default();
            paths.extend(NAMES.iter().map(|name| format!("{parent}.{name}")));
        }
    }
    paths.sort_unstable();
    paths.dedup();
    let borrowed: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut outer_fields = OuterFields::new();
    json::walk(input, &borrowed, &mut |item| {
        let named = paths.get(item.path).and_then(|path| path.rsplit_once('.'));
        let name = named.and_then(|(_, name)| NAMES.iter().find(|known| **known == name));
        if let (Some((parent, _)), Some(name), Ok(text)) = (named, name, item.read::<Text>())
            && let Some(path) = element_paths(parent, |wild| item.index(wild)).pop()
        {
            outer_fields.insert((path, name), text.0);
        }
        Ok(())
    })?;
    Ok(outer_fields)
}

/// A path without the marks of what a report must have.
fn unmarked(path: &str) -> String {
    path.replace(['!', '+'], "")
}

/// The list elements that a path goes through, the outermost first: `a[0]`, `a[0].b[3]`.
fn element_paths(path: &str, index: impl Fn(usize) -> usize) -> Vec<String> {
    let mut element = String::new();
    let parts: Vec<&str> = path.split("[]").collect();
    let steps = parts.iter().take(parts.len().saturating_sub(1)).enumerate();
    steps
        .map(|(wild, part)| {
            element.push_str(&format!("{part}[{}]", index(wild)));
            element.clone()
        })
        .collect()
}

/// The objects around a result: their paths, the outermost first, and their fields.
struct Enclosing<'c> {
    fields: &'c OuterFields,
    paths: Vec<String>,
}

impl Enclosing<'_> {
    /// The field of this name in the innermost object that has it.
    fn get(&self, name: &'static str) -> Option<String> {
        let at = |path: &String| self.fields.get(&(path.clone(), name));
        self.paths.iter().rev().find_map(at).filter(|text| !text.trim().is_empty()).cloned()
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    scanner: Loose<Text>,
    id: Loose<Text>,
    #[serde(rename = "similarityId")]
    similarity: Loose<Text>,
    status: Loose<Text>,
    state: Loose<Text>,
    severity: Loose<Text>,
    description: Loose<Text>,
    #[serde(rename = "cweId")]
    cwe_id: Loose<Text>,
    cwe: Loose<Text>,
    #[serde(rename = "groupName")]
    group: Loose<Text>,
    #[serde(rename = "cveId")]
    cve_id: Loose<Text>,
    #[serde(rename = "cveName")]
    cve_name: Loose<Text>,
    #[serde(rename = "cvssScore")]
    cvss_score: Loose<Number>,
    score: Loose<Number>,
    references: Loose<Many<Text>>,
    recommendations: Loose<Text>,
    data: Loose<RawData>,
    #[serde(rename = "vulnerabilityDetails")]
    details: Loose<RawDetails>,
}

/// The fields of `data`, or of the result itself.
#[derive(Deserialize, Default)]
struct RawData {
    #[serde(rename = "queryId")]
    query_id: Loose<Text>,
    #[serde(rename = "queryName")]
    query: Loose<Text>,
    #[serde(rename = "languageName")]
    language: Loose<Text>,
    nodes: Loose<Vec<RawNode>>,
    #[serde(rename = "fileName")]
    file: Loose<Text>,
    #[serde(rename = "destinationFileName")]
    destination: Loose<Text>,
    line: Loose<Number>,
    #[serde(rename = "destinationLine")]
    destination_line: Loose<Number>,
    #[serde(rename = "issueType")]
    issue: Loose<Text>,
    #[serde(rename = "expectedValue")]
    expected: Loose<Text>,
    value: Loose<Text>,
    #[serde(rename = "actualValue")]
    actual: Loose<Text>,
    #[serde(rename = "packageIdentifier")]
    package: Loose<Text>,
    #[serde(rename = "packageName")]
    package_name: Loose<Text>,
    #[serde(rename = "packageVersion")]
    package_version: Loose<Text>,
    #[serde(rename = "recommendedVersion")]
    fixed: Loose<Text>,
    #[serde(rename = "imageName")]
    image: Loose<Text>,
    #[serde(rename = "ruleName")]
    rule: Loose<Text>,
    #[serde(rename = "ruleDescription")]
    rule_description: Loose<Text>,
    snippet: Loose<Text>,
    remediation: Loose<Text>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(rename = "fileName")]
    file: Loose<Text>,
    line: Loose<Number>,
    column: Loose<Number>,
    name: Loose<Text>,
}

#[derive(Deserialize)]
struct RawDetails {
    #[serde(rename = "cweId")]
    cwe: Loose<Text>,
    #[serde(rename = "cveName")]
    cve: Loose<Text>,
    #[serde(rename = "cvssScore")]
    score: Loose<Number>,
    cvss: Loose<RawCvss>,
}

#[derive(Deserialize)]
struct RawCvss {
    version: Loose<Text>,
}

impl Raw {
    /// Converts the result. `own` has those fields of `data` that the result itself contains.
    fn into_finding(self, scanner: &str, own: RawData, enclosing: &Enclosing<'_>) -> Result<Finding, String> {
        let Self { scanner: own_scanner, data, details, .. } = self;
        let scanner = own_scanner.filled().unwrap_or_else(|| scanner.to_owned()).to_ascii_lowercase();
        let data = data.checked("data")?.unwrap_or(own);
        let (cwe, cve, score, version) = match details.0 {
            Some(details) => (details.cwe.filled(), details.cve.filled(), details.score.number(), details.cvss.0),
            None => (None, None, None, None),
        };
        let cve = self.cve_id.filled().or(self.cve_name.filled()).or(cve);
        let mut finding = if scanner.contains("secret") {
            data.into_secret()?
        } else if scanner.starts_with("kics") || scanner.starts_with("iac") {
            data.into_infrastructure(enclosing)?
        } else if scanner == "sca" || scanner == "containers" || cve.is_some() {
            data.into_dependency(enclosing, cve.or(self.id.as_str().map(str::to_owned)))?
        } else {
            data.into_code(enclosing)?
        };
        let weakness = self.cwe_id.filled().or(self.cwe.filled()).or(cwe).or(enclosing.get("cweId"));
        finding.cwes = weakness.as_deref().and_then(cwe::number).into_iter().collect();
        let description = self.description.filled().filter(|text| *text != finding.message);
        finding.description = description.or(enclosing.get("description")).or(finding.description);
        finding.remediation = self.recommendations.filled().or(finding.remediation);
        finding.references.extend(self.references.texts());
        finding.suppressed =
            [self.state, self.status].into_iter().filter_map(Loose::filled).find(|state| is_dismissed(state));
        finding.tool_id = self.id.filled();
        finding.fingerprints.extend(self.similarity.filled().map(|id| ("similarityId".to_owned(), id)));
        finding.raw.extend(self.group.filled().map(|group| ("group".to_owned(), group)));
        let version = version.and_then(|cvss| cvss.version.filled()).unwrap_or_default();
        let version = match version.chars().find(char::is_ascii_digit) {
            Some('2') => "2.0",
            Some('4') => "4.0",
            Some(_) | None => "3.1",
        };
        let score =
            score.or(self.cvss_score.number()).or(self.score.number()).filter(|_| finding.kind == Kind::Dependency);
        // A result without a score has the score 0.
        let score = score.filter(|score| *score > 0.0);
        SCANNER.rating().base(version, score).word(self.severity.as_str()).apply(&mut finding);
        Ok(finding)
    }
}

impl RawData {
    fn into_code(self, enclosing: &Enclosing<'_>) -> Result<Finding, String> {
        let query = self.query.filled().or(enclosing.get("queryName")).or(self.query_id.as_str().map(str::to_owned));
        let query = query.ok_or("`queryName` is missing")?;
        let language = self.language.filled().or(enclosing.get("languageName"));
        let nodes = self.nodes.0.unwrap_or_default();
        let name = |node: Option<&RawNode>| node.and_then(|node| node.name.as_str()).unwrap_or("?").to_owned();
        let message = format!("{}: from `{}` to `{}`", title(&query), name(nodes.first()), name(nodes.last()));
        let mut locations = nodes.into_iter().filter_map(RawNode::into_location);
        let source = locations.next();
        let file = self.destination.filled().or(self.file.filled());
        let line = self.destination_line.line().or(self.line.line());
        let whole = file.map(|path| Location::lines(path, line, None));
        let mut finding = Finding {
            location: locations.next_back().or(source.clone()).or(whole),
            ..Finding::new(Kind::Code, rule(language.as_deref(), &query), title(&query), message)
        };
        if let Some(source) = source {
            finding.raw.insert("source_file".to_owned(), source.path);
            finding.raw.extend(source.line.map(|line| ("source_line".to_owned(), line.to_string())));
        }
        let id = self.query_id.filled().or(enclosing.get("queryId"));
        finding.raw.extend(id.map(|id| ("query_id".to_owned(), id)));
        Ok(finding)
    }

    fn into_infrastructure(self, enclosing: &Enclosing<'_>) -> Result<Finding, String> {
        let query = self.query.filled().or(enclosing.get("queryName")).or(enclosing.get("name"));
        let id = self
            .query_id
            .filled()
            .or(enclosing.get("queryId"))
            .or(query.clone())
            .ok_or("`queryId` and `queryName` are missing")?;
        let query = query.map_or_else(|| id.clone(), |query| title(&query));
        let message = match (self.expected.filled(), self.value.filled().or(self.actual.filled())) {
            (Some(expected), Some(value)) => format!("{value} (expected: {expected})"),
            (expected, value) => value.or(expected).unwrap_or_else(|| query.clone()),
        };
        let line = self.line.line();
        let mut finding = Finding {
            location: self.file.filled().map(|path| Location::lines(path, line, None)),
            ..Finding::new(Kind::Infrastructure, id, query, message)
        };
        finding.raw.extend(self.issue.filled().map(|issue| ("issueType".to_owned(), issue)));
        Ok(finding)
    }

    fn into_dependency(self, enclosing: &Enclosing<'_>, cve: Option<String>) -> Result<Finding, String> {
        let id = cve.ok_or("the vulnerability's id is missing")?;
        let name = self.package_name.filled().or(enclosing.get("packageName"));
        let version = self.package_version.filled().or(enclosing.get("packageVersion")).or(enclosing.get("version"));
        let identifier = self.package.filled().or(enclosing.get("name"));
        let mut package = match (name, identifier) {
            (Some(name), _) => Package { name, ..Package::default() },
            (None, Some(identifier)) => parse_identifier(&identifier, version.as_deref()),
            (None, None) => return Err("`packageName` is missing".to_owned()),
        };
        package.version = version.or(package.version);
        package.fixed_versions = self.fixed.filled().into_iter().collect();
        let message = format!("{} {}: {id}", package.name, package.version.as_deref().unwrap_or_default());
        let mut finding = Finding {
            advisories: vec![id.clone()],
            package: Some(package),
            ..Finding::new(Kind::Dependency, id.clone(), id, message)
        };
        finding.raw.extend(self.image.filled().map(|image| ("image".to_owned(), image)));
        Ok(finding)
    }

    fn into_secret(self) -> Result<Finding, String> {
        let rule = self.rule.filled().or(self.query.filled()).ok_or("`ruleName` is missing")?;
        let line = self.line.line();
        let message = self.rule_description.filled().unwrap_or_else(|| rule.clone());
        let mut finding = Finding {
            location: self.file.filled().map(|path| Location::lines(path, line, None)),
            remediation: self.remediation.filled(),
            ..Finding::new(Kind::Secret, rule.clone(), rule, message)
        };
        // The tool may have masked the snippet only in part.
        if let Some(snippet) = self.snippet.filled() {
            secret::attach(&mut finding, &snippet);
        }
        Ok(finding)
    }
}

impl RawNode {
    fn into_location(self) -> Option<Location> {
        Some(Location::lines(self.file.filled()?, self.line.line(), None).with_column(self.column.line()))
    }
}

/// The package in `Npm-lodash-4.17.20`, or in `lodash-4.17.20`.
fn parse_identifier(identifier: &str, version: Option<&str>) -> Package {
    const MANAGERS: [&str; 14] = [
        "npm", "maven", "gradle", "python", "pip", "nuget", "go", "php", "composer", "ruby", "ios", "sbt", "cpp",
        "rust",
    ];
    let manager =
        identifier.split_once('-').filter(|(manager, _)| MANAGERS.contains(&manager.to_ascii_lowercase().as_str()));
    let rest = manager.map_or(identifier, |(_, rest)| rest);
    let split = match version.and_then(|version| rest.strip_suffix(version)?.strip_suffix('-')) {
        Some(name) => Some((name, version.unwrap_or_default())),
        // The version begins at the first part that is a number.
        None => rest.match_indices('-').map(|(at, _)| rest.split_at(at)).find_map(|(name, version)| {
            let version = version.trim_start_matches('-');
            version.starts_with(|c: char| c.is_ascii_digit()).then_some((name, version))
        }),
    };
    let (name, version) = split.map_or((rest, None), |(name, version)| (name, Some(version.to_owned())));
    let ecosystem = manager.map(|(manager, _)| manager.to_ascii_lowercase());
    Package { name: name.to_owned(), version, ecosystem, ..Package::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_split_into_manager_package_and_version() {
        let cases = [
            ("Npm-lodash-4.17.20", "lodash", Some("4.17.20"), Some("npm")),
            ("Maven-org.example:notes-log-1.0-rc1", "org.example:notes-log", Some("1.0-rc1"), Some("maven")),
            ("notes-web", "notes-web", None, None),
            ("notes-2.0", "notes", Some("2.0"), None),
        ];
        for (identifier, name, version, ecosystem) in cases {
            let package = parse_identifier(identifier, None);
            let read = (package.name.as_str(), package.version.as_deref(), package.ecosystem.as_deref());
            assert_eq!(read, (name, version, ecosystem), "{identifier}");
        }
        assert_eq!(parse_identifier("Npm-a-1-b-x", Some("x")).name, "a-1-b");
    }

    #[test]
    fn element_paths_name_each_list_on_the_way() {
        assert_eq!(element_paths("a.b[].c[]", |wild| wild + 5), ["a.b[5]", "a.b[5].c[6]"]);
    }
}
