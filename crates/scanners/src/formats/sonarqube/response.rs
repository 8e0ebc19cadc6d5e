//! SonarQube's issues and hotspots in JSON: responses of the web API, and reports of `sonar-report`.

use super::{SCANNER, State, state_of, weakness};
use crate::reader::html;
use crate::reader::json::Loose;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::text::Filled;
use crate::reader::text::decimal;
use crate::value::cwe;
use crate::value::rating::Rating;
use finding::{Finding, Kind, Location, Package};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The rule by which the dependency-check plugin reports vulnerable packages.
const PLUGIN: &str = "OWASP:UsingComponentWithKnownVulnerability";

/// The numbers of results read, and of results that the responses state, for issues and for hotspots.
#[derive(Debug, Default)]
pub(super) struct Totals {
    read: [f64; 2],
    stated: [f64; 2],
}

impl Totals {
    /// Reports missing results as scanner errors.
    pub(super) fn check(&self, collector: &mut Collector<'_>) {
        for ((read, stated), name) in self.read.iter().zip(&self.stated).zip(["issues", "hotspots"]) {
            if read < stated {
                collector.scanner_error(format!(
                    "the response contains {read} of {stated} {name}: it is one page of several"
                ));
            }
        }
    }
}

/// The data outside of the results: components, rules, paging.
#[derive(Default)]
struct ReportData {
    /// Paths of files, by their component's key.
    paths: BTreeMap<String, String>,
    rules: BTreeMap<String, RawRule>,
    total: Option<f64>,
    /// True if the report has a field that only SonarQube writes.
    is_from_sonarqube: bool,
}

/// Reads the report.
///
/// # Errors
/// The report has neither issues nor hotspots, or cannot be read.
pub(super) fn parse(input: Input<'_>, totals: &mut Totals, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let data = read_data(input, collector)?;
    let mut read = [0.0; 2];
    let seen = json::walk(input, &["issues[]", "hotspots[]"], &mut |item| {
        if let Some(read) = read.get_mut(item.path) {
            *read += 1.0;
        }
        match item.read::<Raw>() {
            Ok(raw) => raw.collect(&data, collector),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    for (at, read) in read.into_iter().enumerate() {
        if let (Some(sum), Some(stated)) = (totals.read.get_mut(at), totals.stated.get_mut(at))
            && seen.has(at)
        {
            *sum += read;
            *stated = stated.max(data.total.unwrap_or(0.0));
        }
    }
    collector.require(
        (seen.has(0) || seen.has(1)) && (data.is_from_sonarqube || read.iter().sum::<f64>() > 0.0),
        "a response of SonarQube has `issues` or `hotspots`, and `paging`",
    )
}

fn read_data(input: Input<'_>, collector: &mut Collector<'_>) -> Result<ReportData, ParseError> {
    let mut data = ReportData::default();
    let paths = ["components[]", "rules[]", "rules{}", "paging", "sonarBaseURL"];
    let seen = json::walk(input, &paths, &mut |item| {
        match item.path {
            0 => {
                if let Ok(RawComponent { key, path, long_name }) = item.read()
                    && let Some(path) = path.filled().or(long_name.filled())
                {
                    data.paths.insert(key, path);
                }
            }
            1 | 2 => {
                if let Ok(rule) = item.read::<RawRule>() {
                    let key = rule.key.filled().unwrap_or_else(|| item.name(0).to_owned());
                    data.rules.insert(key, RawRule { key: Loose::default(), ..rule });
                }
            }
            3 => {
                let paging: Option<RawPaging> = item.context("`paging`", collector);
                data.total = paging.as_ref().and_then(|paging| paging.total.number());
                data.is_from_sonarqube |= paging.is_some_and(|paging| paging.total.0.is_some());
            }
            _ => data.is_from_sonarqube = true,
        }
        Ok(())
    })?;
    data.is_from_sonarqube |= seen.has(0);
    Ok(data)
}

#[derive(Deserialize)]
struct RawPaging {
    total: Loose<Number>,
}

#[derive(Deserialize)]
struct RawComponent {
    key: String,
    path: Loose<Text>,
    #[serde(rename = "longName")]
    long_name: Loose<Text>,
}

#[derive(Deserialize)]
struct RawRule {
    key: Loose<Text>,
    name: Loose<Text>,
    #[serde(rename = "htmlDesc")]
    description: Loose<Text>,
}

#[derive(Deserialize)]
struct Raw {
    key: Loose<Text>,
    #[serde(rename = "ruleKey")]
    rule_key: Loose<Text>,
    rule: Loose<Text>,
    severity: Loose<Text>,
    impacts: Loose<Vec<RawImpact>>,
    #[serde(rename = "vulnerabilityProbability")]
    probability: Loose<Text>,
    component: Loose<Text>,
    project: Loose<Text>,
    line: Loose<Number>,
    #[serde(rename = "textRange")]
    range: Loose<RawRange>,
    message: Loose<Text>,
    /// The rule's name, in reports of `sonar-report`.
    description: Loose<Text>,
    status: Loose<Text>,
    resolution: Loose<Text>,
    #[serde(rename = "issueStatus")]
    issue_status: Loose<Text>,
    hash: Loose<Text>,
    tags: Loose<Many<Text>>,
    #[serde(rename = "type")]
    issue_type: Loose<Text>,
    #[serde(rename = "securityCategory")]
    category: Loose<Text>,
    effort: Loose<Text>,
}

#[derive(Deserialize)]
struct RawImpact {
    severity: Loose<Text>,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "startLine")]
    start: Loose<Number>,
    #[serde(rename = "endLine")]
    end: Loose<Number>,
    #[serde(rename = "startOffset")]
    column: Loose<Number>,
}

impl Raw {
    fn collect(self, data: &ReportData, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        match state_of(&[self.resolution.as_str(), self.issue_status.as_str(), self.status.as_str()]) {
            State::Closed => collector.closed(),
            State::Open => collector.result(self.into_finding(data)),
            State::Suppressed(word) => {
                let finding = self.into_finding(data);
                collector.result(finding.map(|finding| Finding { suppressed: Some(word), ..finding }))
            }
        }
    }

    fn into_finding(self, data: &ReportData) -> Result<Finding, String> {
        let location = self.location(&data.paths);
        let rule = self.rule.filled().or(self.rule_key.filled()).ok_or("`rule` is missing")?;
        let known = data.rules.get(&rule);
        let name = self.description.filled().or(known.and_then(|known| known.name.as_str().map(str::to_owned)));
        let title = name.unwrap_or_else(|| rule.clone());
        let message = self.message.filled().unwrap_or_else(|| title.clone());
        let description = known.and_then(|known| known.description.as_str());
        let tags = self.tags.texts();
        let weaknesses = tags.iter().filter(|tag| tag.starts_with("cwe-")).map(String::as_str);
        let mut finding = Finding {
            tool_id: self.key.filled(),
            cwes: cwe::numbers(weaknesses),
            description: description.map(html::text).filled(),
            location,
            ..Finding::new(Kind::Code, rule, title, message)
        };
        let linked = description.unwrap_or_default().split('"').filter_map(weakness);
        linked.for_each(|cwe| {
            if !finding.cwes.contains(&cwe) {
                finding.cwes.push(cwe)
            }
        });
        finding.fingerprints.extend(self.hash.filled().map(|hash| ("lineHash".to_owned(), hash)));
        for (name, text) in [
            ("type", self.issue_type.filled()),
            ("securityCategory", self.category.filled()),
            ("effort", self.effort.filled()),
            ("tags", tags.join(", ").filled()),
        ] {
            finding.raw.extend(text.map(|text| (name.to_owned(), text)));
        }
        let worst = self.impacts.0.unwrap_or_default().into_iter().filter_map(|impact| impact.severity.filled());
        let worst = worst.max_by_key(|word| crate::value::rating::score_of(SCANNER.severity_words, word));
        let word = self.severity.filled().or(self.probability.filled()).or(worst);
        let rating = SCANNER.rating().word(word.as_deref());
        if finding.rule.starts_with(PLUGIN) {
            read_package(&mut finding, rating)
        } else {
            rating.apply(&mut finding)
        }
        Ok(finding)
    }

    /// The file, unless the component is the whole project.
    fn location(&self, paths: &BTreeMap<String, String>) -> Option<Location> {
        let component = self.component.as_str().filter(|component| self.project.as_str() != Some(*component))?;
        let project = self.project.as_str().map(|project| format!("{project}:"));
        let path = paths.get(component).map(String::as_str);
        let path = path.or(project.and_then(|project| component.strip_prefix(&project))).unwrap_or(component);
        let range = self.range.0.as_ref();
        let line = self.line.line().or(range.and_then(|range| range.start.line()));
        Some(
            Location::lines(path, line, range.and_then(|range| range.end.line()))
                .with_column(range.and_then(|range| range.column.line())),
        )
    }
}

/// Reads the package, the vulnerability and its score from the plugin's message: `Filename: lodash:4.17.20 | Reference:
/// CVE-2021-23337 | CVSS Score: 7.2 | Category: CWE-94 | text`, or with all vulnerabilities of a package in one
/// message.
fn read_package(finding: &mut Finding, rating: Rating) {
    let message = finding.message.clone();
    let parts: Vec<(&str, &str)> = message.split(" | ").filter_map(|part| part.trim().split_once(": ")).collect();
    let get = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|(_, text)| text.trim());
    let Some(file) = get("Filename") else { return rating.apply(finding) };
    let (name, version) =
        file.rsplit_once(':').map_or((file, None), |(name, version)| (name, Some(version.to_owned())));
    finding.kind = Kind::Dependency;
    finding.package = Some(Package { name: name.to_owned(), version, ..Package::default() });
    // `CVE-2023-52428 (7.5)`. Several references are different vulnerabilities, not aliases.
    let references: Vec<&str> = get("Reference").or(get("References")).unwrap_or_default().split(", ").collect();
    if let [one] = references.as_slice() {
        finding.advisories.extend(one.split(' ').next().filter(|id| !id.is_empty()).map(str::to_owned));
    }
    let weakness = get("Category").and_then(cwe::number).filter(|cwe| !finding.cwes.contains(cwe));
    // All issues of the plugin have the tag CWE-937, components with known vulnerabilities. This weakness is more
    // specific.
    if let Some(weakness) = weakness {
        finding.cwes = vec![weakness];
    }
    let score = get("CVSS Score").or(get("Highest CVSS Score")).and_then(decimal);
    rating.base("3.1", score).apply(finding);
}
