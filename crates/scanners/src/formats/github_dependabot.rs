//! GitHub Dependabot alerts, <https://docs.github.com/graphql/reference/dependabot> and
//! <https://docs.github.com/rest/dependabot/alerts>. Reads both forms: the GraphQL API's answers with
//! `vulnerabilityAlerts` of one repository, of a search, of an organisation's repositories, under aliases and as
//! several pages; and the REST API's list of alerts of a repository, an organisation or an enterprise.
//!
//! Each alert is a result: an open one a finding, a dismissed or automatically dismissed one a suppressed finding, a
//! fixed one closed. A page that is not the last, and an error in the answer, make the scan incomplete. The severity is
//! the advisory's CVSS score, else GitHub's word. An advisory without CVSS has the score 0.0, which is ignored.

use crate::Scanner;
use crate::formats::github;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, COMMON_WORDS_TEXT, Rating};
use finding::{Epss, Finding, Kind, Location, Package};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "github-dependabot",
    tool: "github-dependabot",
    name: "GitHub Dependabot",
    aliases: &["github-vulnerability", "dependabot"],
    versions: "GraphQL API to 2026, REST API 2022-11-28",
    category: "SCA",
    notation: Notation::Json,
    formats: "JSON: GraphQL answers with `vulnerabilityAlerts`, or the REST API's list of alerts \
              (`gh api repos/OWNER/REPO/dependabot/alerts --paginate`)",
    severities: COMMON_WORDS_TEXT,
    severity_words: COMMON_WORDS,
    differences: &[],
    detect,
    parse,
};

/// The paths that lead to `vulnerabilityAlerts` in GraphQL answers. The query chooses the name under `data`.
const GRAPHS: &[&str] = &[
    "data{}.",
    "data{}.nodes[].",
    "data{}.edges[].node.",
    "data{}.search.nodes[].",
    "data{}.search.edges[].node.",
    "data{}.repositories.nodes[].",
    "data{}.repositories.edges[].node.",
    "data{}.organizations.nodes[].repositories.nodes[].",
    "repository.",
    "search.nodes[].",
    "search.edges[].node.",
    "organization.repositories.nodes[].",
    "organization.repositories.edges[].node.",
    "",
];

fn detect(sniff: &Sniff) -> bool {
    let graph = (0..7).any(|depth| sniff.has(&format!("{}vulnerabilityAlerts", "*.".repeat(depth))));
    let rest =
        |list: &str| sniff.has_all(&[&*format!("{list}security_advisory"), &*format!("{list}security_vulnerability")]);
    graph || ["", "[].", "[][]."].into_iter().any(rest)
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    // A document with a graph is walked, so that it can have any size. Everything else is a sequence of alerts or
    // pages.
    if has_graph(input) {
        return graph(input, collector, true);
    }
    let mut error_answer = None;
    collector.container();
    let read = github::alerts(input, &mut |raw| {
        if has_graph(Input::Memory(raw.as_bytes())) {
            return graph(Input::Memory(raw.as_bytes()), collector, false).map(|()| true);
        }
        match json::parse::<RawAlert>(raw).and_then(RawAlert::checked) {
            Ok(alert) => alert.collect(collector).map(|()| true),
            Err(reason) => {
                error_answer = error_answer
                    .take()
                    .or_else(|| json::parse::<RawErrorAnswer>(raw).ok().and_then(RawErrorAnswer::text));
                collector.rejected(reason).map(|()| false)
            }
        }
    });
    match (read, error_answer) {
        (Err(ParseError::OtherShape { .. }), Some(reason)) => {
            Err(ParseError::other_shape(format!("GitHub answered with an error: {reason}")))
        }
        (read, _) => read,
    }
}

/// The paths of alerts in a graph; then those of pages that are not the last, and of errors.
fn paths() -> (Vec<String>, usize, usize) {
    let under = |what: &'static str| GRAPHS.iter().map(move |graph| format!("{graph}vulnerabilityAlerts.{what}"));
    let mut paths: Vec<String> = under("nodes[]").chain(under("edges[].node")).collect();
    let pages = paths.len();
    paths.extend(under("pageInfo.hasNextPage"));
    let errors = paths.len();
    paths.push("errors[]".to_owned());
    (paths, pages, errors)
}

fn has_graph(input: Input<'_>) -> bool {
    let (paths, pages, _) = paths();
    let alerts: Vec<&str> = paths.iter().take(pages).map(String::as_str).collect();
    let seen = json::walk(input, &alerts, &mut |_| Ok(()));
    seen.is_ok_and(|seen| (0..pages).any(|path| seen.has(path)))
}

fn graph(input: Input<'_>, collector: &mut Collector<'_>, is_single: bool) -> Result<(), ParseError> {
    let (paths, pages, errors) = paths();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    collector.container();
    json::walk(input, &paths, &mut |item| match item.path {
        path if path < pages => match item.read::<RawAlert>().and_then(RawAlert::checked) {
            Ok(alert) => alert.collect(collector),
            Err(reason) => collector.rejected(reason),
        },
        path if path < errors => {
            // With several pages, each but the last says so; only a single page is known to be incomplete.
            if is_single && item.raw == "true" {
                collector.scanner_error("the report is one of several pages of alerts: `hasNextPage` is true");
            }
            Ok(())
        }
        _ => {
            let text = item.read::<RawErrorAnswer>().ok().and_then(RawErrorAnswer::text);
            collector.scanner_error(text.unwrap_or_else(|| item.raw.to_owned()));
            Ok(())
        }
    })
    .map(drop)
}

/// GitHub's error answer.
#[derive(Deserialize)]
struct RawErrorAnswer {
    message: Option<Text>,
    #[serde(default)]
    errors: Many<Value>,
}

impl RawErrorAnswer {
    fn text(self) -> Option<String> {
        let first = self.errors.0.first().and_then(|error| error.get("message")?.as_str().map(str::to_owned));
        first.or_else(|| github::filled(self.message))
    }
}

/// An alert of either API: GraphQL's names and REST's.
#[derive(Deserialize)]
struct RawAlert {
    id: Option<Text>,
    number: Option<Text>,
    state: Option<Text>,
    #[serde(alias = "createdAt")]
    created_at: Option<Text>,
    #[serde(alias = "fixedAt")]
    fixed_at: Option<Text>,
    #[serde(alias = "dismissedAt")]
    dismissed_at: Option<Text>,
    #[serde(alias = "autoDismissedAt")]
    auto_dismissed_at: Option<Text>,
    #[serde(alias = "dismissReason")]
    dismissed_reason: Option<Text>,
    #[serde(alias = "dismissComment")]
    dismissed_comment: Option<Text>,
    html_url: Option<Text>,
    #[serde(rename = "vulnerableManifestPath")]
    manifest_path: Option<Text>,
    #[serde(rename = "vulnerableManifestFilename")]
    manifest_name: Option<Text>,
    #[serde(rename = "vulnerableRequirements")]
    requirements: Option<Text>,
    #[serde(rename = "dependencyScope")]
    scope: Option<Text>,
    #[serde(rename = "dependabotUpdate")]
    update: Option<Value>,
    dependency: Option<RawDependency>,
    #[serde(alias = "securityVulnerability")]
    security_vulnerability: Option<RawVulnerability>,
    #[serde(alias = "securityAdvisory")]
    security_advisory: Option<RawAdvisory>,
    repository: Option<Value>,
}

#[derive(Deserialize, Default)]
struct RawDependency {
    package: Option<RawPackage>,
    manifest_path: Option<Text>,
    scope: Option<Text>,
    relationship: Option<Text>,
}

#[derive(Deserialize, Default)]
struct RawVulnerability {
    severity: Option<Text>,
    package: Option<RawPackage>,
    #[serde(alias = "firstPatchedVersion")]
    first_patched_version: Option<RawVersion>,
    #[serde(alias = "vulnerableVersionRange")]
    vulnerable_version_range: Option<Text>,
    advisory: Option<RawAdvisory>,
}

#[derive(Deserialize, Clone)]
struct RawPackage {
    name: Option<Text>,
    ecosystem: Option<Text>,
}

#[derive(Deserialize)]
struct RawVersion {
    identifier: Option<Text>,
}

#[derive(Deserialize, Default)]
struct RawAdvisory {
    #[serde(alias = "ghsaId")]
    ghsa_id: Option<Text>,
    cve_id: Option<Text>,
    summary: Option<Text>,
    description: Option<Text>,
    severity: Option<Text>,
    permalink: Option<Text>,
    #[serde(default)]
    identifiers: Many<RawIdentifier>,
    #[serde(default)]
    references: Many<RawReference>,
    cvss: Option<RawCvss>,
    #[serde(alias = "cvssSeverities")]
    cvss_severities: Option<RawSeverities>,
    #[serde(default)]
    cwes: Many<RawCwe>,
    #[serde(default)]
    epss: Many<RawEpss>,
}

#[derive(Deserialize)]
struct RawIdentifier {
    #[serde(rename = "type")]
    kind: Option<Text>,
    value: Option<Text>,
}

#[derive(Deserialize)]
struct RawReference {
    url: Option<Text>,
}

#[derive(Deserialize)]
struct RawCvss {
    #[serde(alias = "vectorString")]
    vector_string: Option<Text>,
    #[serde(default)]
    score: Number,
}

#[derive(Deserialize)]
struct RawSeverities {
    #[serde(alias = "cvssV3")]
    cvss_v3: Option<RawCvss>,
    #[serde(alias = "cvssV4")]
    cvss_v4: Option<RawCvss>,
}

/// REST lists the weaknesses; GraphQL lists them in `nodes`.
#[derive(Deserialize)]
struct RawCwe {
    #[serde(alias = "cweId")]
    cwe_id: Option<Text>,
    #[serde(default)]
    nodes: Vec<RawCwe>,
}

#[derive(Deserialize)]
struct RawEpss {
    #[serde(default)]
    percentage: Number,
    #[serde(default)]
    percentile: Number,
}

impl RawAlert {
    fn checked(self) -> Result<Self, String> {
        let has_vulnerability = self.security_vulnerability.is_some() || self.security_advisory.is_some();
        if has_vulnerability {
            Ok(self)
        } else {
            Err("`security_vulnerability` and `security_advisory` are missing".to_owned())
        }
    }

    fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        if self.state() == "fixed" {
            return collector.closed();
        }
        collector.result(self.into_finding())
    }

    fn state(&self) -> String {
        let at = |date: &Option<Text>| github::filled(date.clone()).is_some();
        let by_dates = || match (at(&self.fixed_at), at(&self.auto_dismissed_at), at(&self.dismissed_at)) {
            (true, ..) => "fixed",
            (_, true, _) => "auto_dismissed",
            (.., true) => "dismissed",
            (false, false, false) => "open",
        };
        github::filled(self.state.clone()).unwrap_or_else(|| by_dates().to_owned()).to_ascii_lowercase()
    }

    fn into_finding(self) -> Result<Finding, String> {
        let state = self.state();
        github::known_state(Some(&state), &["open", "fixed", "dismissed", "auto_dismissed"])?;
        let vulnerability = self.security_vulnerability.unwrap_or_default();
        let dependency = self.dependency.unwrap_or_default();
        let advisory = vulnerability
            .advisory
            .into_iter()
            .chain(self.security_advisory)
            .reduce(RawAdvisory::or)
            .unwrap_or_default();
        let advisories = advisory.ids();
        let summary = github::filled(advisory.summary.clone());
        let rule = advisories.iter().find(|id| id.starts_with("GHSA-")).or(advisories.first()).cloned();
        let rule = rule.or_else(|| summary.clone()).ok_or("the advisory's id is missing")?;
        let requirements = github::filled(self.requirements);
        let range = github::filled(vulnerability.vulnerable_version_range);
        let package = vulnerability.package.or(dependency.package).and_then(|package| {
            Some(Package {
                name: github::filled(package.name)?,
                version: requirements.as_deref().and_then(exact_version).map(str::to_owned),
                ecosystem: github::filled(package.ecosystem).map(|ecosystem| ecosystem.to_lowercase()),
                purl: None,
                fixed_versions: vulnerability
                    .first_patched_version
                    .and_then(|version| github::filled(version.identifier))
                    .into_iter()
                    .collect(),
            })
        });
        let path =
            [self.manifest_path, dependency.manifest_path, self.manifest_name].into_iter().find_map(github::filled);
        let title = summary.unwrap_or_else(|| rule.clone());
        let name = package.as_ref().map_or("a package", |package| package.name.as_str());
        let message = match &range {
            Some(range) => format!("{title}: {name} {range} is vulnerable"),
            None => format!("{title}: {name} is vulnerable"),
        };
        let mut finding = Finding {
            cwes: advisory.cwes(),
            epss: advisory.epss(),
            references: advisory.links(self.html_url),
            description: github::filled(advisory.description.clone()),
            location: path.map(Location::file),
            tool_id: github::filled(self.id).or_else(|| github::filled(self.number.clone())),
            advisories,
            package,
            ..Finding::new(Kind::Dependency, rule, title, message)
        };
        if state != "open" {
            let comment = github::filled(self.dismissed_comment);
            finding.suppressed = Some(github::dismissal(&state, github::filled(self.dismissed_reason), comment));
        }
        let update =
            self.update.and_then(|update| update.pointer("/pullRequest/permalink")?.as_str().map(str::to_owned));
        let fields = [
            ("number", github::filled(self.number)),
            ("created_at", github::filled(self.created_at)),
            ("vulnerable_requirements", requirements),
            ("vulnerable_version_range", range),
            (
                "scope",
                github::filled(self.scope)
                    .or_else(|| github::filled(dependency.scope))
                    .map(|scope| scope.to_lowercase()),
            ),
            ("relationship", github::filled(dependency.relationship)),
            ("pull_request", update),
            ("repository", github::repository(self.repository.as_ref())),
        ];
        finding.raw.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let word = github::filled(vulnerability.severity).or_else(|| github::filled(advisory.severity.clone()));
        advisory.rating().word(word.as_deref()).apply(&mut finding);
        Ok(finding)
    }
}

/// The first list, or the other one if it is empty.
fn either<T>(one: Many<T>, other: Many<T>) -> Many<T> {
    if one.0.is_empty() { other } else { one }
}

/// The version in `= 1.2.3`; `None` for a range.
fn exact_version(requirements: &str) -> Option<&str> {
    let version = requirements.trim().trim_start_matches('=').trim();
    let clear = requirements.trim().starts_with('=') && !version.contains([',', ' ', '<', '>', '*', '|']);
    Some(version).filter(|version| clear && !version.is_empty())
}

impl RawAdvisory {
    /// Merges two copies of an advisory: fields that are missing in `self` come from `other`.
    fn or(self, other: Self) -> Self {
        Self {
            ghsa_id: self.ghsa_id.or(other.ghsa_id),
            cve_id: self.cve_id.or(other.cve_id),
            summary: self.summary.or(other.summary),
            description: self.description.or(other.description),
            severity: self.severity.or(other.severity),
            permalink: self.permalink.or(other.permalink),
            identifiers: either(self.identifiers, other.identifiers),
            references: either(self.references, other.references),
            cvss: self.cvss.or(other.cvss),
            cvss_severities: self.cvss_severities.or(other.cvss_severities),
            cwes: either(self.cwes, other.cwes),
            epss: either(self.epss, other.epss),
        }
    }

    fn ids(&self) -> Vec<String> {
        let listed = self
            .identifiers
            .0
            .iter()
            .filter(|id| !id.kind.as_ref().is_some_and(|kind| kind.0.eq_ignore_ascii_case("cwe")));
        let mut ids: Vec<String> = Vec::new();
        let listed = listed.map(|id| id.value.clone());
        for id in [self.ghsa_id.clone(), self.cve_id.clone()].into_iter().chain(listed).filter_map(github::filled) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    fn cwes(&self) -> Vec<u32> {
        let all = self.cwes.0.iter().flat_map(|cwe| std::iter::once(cwe).chain(&cwe.nodes));
        cwe::numbers(all.filter_map(|cwe| cwe.cwe_id.as_ref()).map(|id| id.0.as_str()))
    }

    fn epss(&self) -> Option<Epss> {
        let share = |number: Number| number.0.filter(|share| (0.0..=1.0).contains(share));
        let epss = self.epss.0.first()?;
        Some(Epss { probability: share(epss.percentage)?, percentile: share(epss.percentile) })
    }

    fn links(&self, alert: Option<Text>) -> Vec<String> {
        let links = self.references.0.iter().map(|reference| reference.url.clone());
        let mut all: Vec<String> = Vec::new();
        for link in links.chain([self.permalink.clone(), alert]).filter_map(github::filled) {
            if !all.contains(&link) {
                all.push(link);
            }
        }
        all
    }

    fn rating(&self) -> Rating {
        let newer = self.cvss_severities.as_ref();
        let all = [
            newer.and_then(|all| all.cvss_v4.as_ref()),
            newer.and_then(|all| all.cvss_v3.as_ref()),
            self.cvss.as_ref(),
        ];
        let mut vectors: Vec<String> = Vec::new();
        all.into_iter().flatten().fold(SCANNER.rating(), |rating, cvss| {
            let vector = github::filled(cvss.vector_string.clone());
            let score = cvss.score.0.filter(|score| *score > 0.0);
            match vector {
                // `cvss` repeats the vector of version 3 or 4.
                Some(vector) if vectors.contains(&vector) => rating,
                Some(vector) => {
                    let rating = rating.vector(Some(&vector), score);
                    vectors.push(vector);
                    rating
                }
                None if vectors.is_empty() => rating.base("3.1", score),
                None => rating,
            }
        })
    }
}

#[cfg(test)]
mod tests;
