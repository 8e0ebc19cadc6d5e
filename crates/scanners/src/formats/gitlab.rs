//! The security report that GitLab's four formats share,
//! <https://gitlab.com/gitlab-org/security-products/security-report-schemas>, in versions 2.0 to 15.2 of its schema.
//!
//! `scan.type` states the kind of scan. Reports before version 3 lack it, and in large reports it comes last, so a
//! report is also detected by each vulnerability's `category`, and where that is missing (from version 15 on) by the
//! fields of its location.
//!
//! Each entry of `vulnerabilities` is a result. The rule is its primary identifier, the first one, by type and value.
//! GitLab's `id` and its older `cve` belong to the location and become the id of the result. Results that are dismissed
//! or flagged as likely false positives are suppressed. A scan whose status is `failure`, and fatal messages, make it
//! incomplete.
//!
//! Severities are GitLab's words, unless the report has CVSS vectors. `Unknown` and `Undefined` have no score.

use crate::reader::json::{self, Loose, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::Sniff;
use crate::reader::text::Filled;
use crate::value::rating::{Rating, Words};
use crate::value::{cwe, secret};
use finding::{Excerpt, Finding, Kind, Location, Package};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const VERSIONS: &str = "report schema 2.0 to 15.2";
pub(crate) const SEVERITIES: &str =
    "CVSS if given, else Critical 9.5, High 8.0, Medium 5.5, Low 2.0, Info 0; Unknown and Undefined unassigned";
pub(crate) const SEVERITY_DIFFERENCE: (&str, &str) =
    ("severity", "GitLab's Unknown, Undefined and missing severities stay unassigned; others make them informational");
pub(crate) const WORDS: Words = &[("critical", 950), ("high", 800), ("medium", 550), ("low", 200), ("info", 0)];

/// The four kinds of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    Sast,
    Secrets,
    Dependencies,
    Containers,
}

impl Scan {
    /// The values of `scan.type` and `category`.
    fn types(self) -> &'static [&'static str] {
        match self {
            Self::Sast => &["sast"],
            Self::Secrets => &["secret_detection"],
            Self::Dependencies => &["dependency_scanning"],
            Self::Containers => &["container_scanning", "cluster_image_scanning"],
        }
    }
}

/// True if a report is GitLab's, of this kind.
pub(crate) fn is_report_of(sniff: &Sniff, scan: Scan) -> bool {
    let stated = sniff.value("scan.type").or_else(|| sniff.value("vulnerabilities[].category"));
    let is_gitlab = sniff.is_object() && sniff.has_all(&["version", "vulnerabilities"]);
    match stated {
        Some(stated) => is_gitlab && scan.types().contains(&stated),
        None => is_gitlab && kind_by_location(sniff) == Some(scan),
    }
}

/// The kind of a report by the fields of its first vulnerabilities.
fn kind_by_location(sniff: &Sniff) -> Option<Scan> {
    if !sniff.has_all(&["vulnerabilities[].location", "vulnerabilities[].identifiers[].type"]) {
        return None;
    }
    let has = |field: &str| sniff.has(&format!("vulnerabilities[].location.{field}"));
    match () {
        () if has("image") || has("operating_system") => Some(Scan::Containers),
        () if has("dependency.package.name") => Some(Scan::Dependencies),
        () if has("commit") || sniff.has("vulnerabilities[].raw_source_code_extract") => Some(Scan::Secrets),
        () if has("file") => Some(Scan::Sast),
        () => None,
    }
}

/// Reads a report of this kind.
pub(crate) fn parse(input: Input<'_>, collector: &mut Collector<'_>, scan: Scan) -> Result<(), ParseError> {
    let mut header = RawScan::default();
    let mut remedies: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut has_version = false;
    json::walk(input, &["version", "scan", "remediations[]"], &mut |item| {
        match item.path {
            0 => has_version = item.raw != "null",
            1 => header = item.context("`scan`", collector),
            _ => item.context::<RawRemediation>("a remediation", collector).add_to(&mut remedies),
        }
        Ok(())
    })?;
    if let Some(other) = header.kind.as_ref().filter(|kind| !scan.types().contains(&kind.0.as_str())) {
        return Err(ParseError::other_shape(format!(
            "it is a GitLab security report with the `scan.type` `{}`",
            other.0
        )));
    }
    let seen = json::walk(input, &["vulnerabilities[]"], &mut |item| {
        match item.read::<RawVulnerability>() {
            // Only exports have the state `resolved`: the report itself lists what was found.
            Ok(raw) if raw.is_resolved() => collector.closed(),
            read => collector.result(read.and_then(|raw| raw.into_finding(scan, &remedies))),
        }
    })?;
    collector.require(
        seen.has(0) && (has_version || header.kind.is_some()),
        "a GitLab security report is an object with `version` and the list `vulnerabilities`",
    )?;
    header.collect(collector);
    Ok(())
}

#[derive(Deserialize, Default)]
struct RawScan {
    #[serde(rename = "type")]
    kind: Option<Text>,
    status: Option<Text>,
    start_time: Loose<Text>,
    end_time: Loose<Text>,
    scanner: Option<RawScanner>,
    #[serde(default)]
    messages: Many<RawMessage>,
}

#[derive(Deserialize)]
struct RawScanner {
    name: Option<Text>,
    version: Option<Text>,
}

#[derive(Deserialize)]
struct RawMessage {
    level: Option<Text>,
    value: Option<Text>,
}

impl RawScan {
    fn collect(self, collector: &mut Collector<'_>) {
        collector.ended(self.end_time.as_str());
        collector.started(self.start_time.as_str());
        if let Some(RawScanner { name, version: Some(version) }) = self.scanner {
            collector.version(name.filled().map_or(version.0.clone(), |name| format!("{name} {}", version.0)));
        }
        if let Some(status) = self.status.filter(|status| !status.0.eq_ignore_ascii_case("success")) {
            collector.scanner_error(format!("the scan's status is `{}`", status.0));
        }
        for message in self.messages.0 {
            if message.level.is_some_and(|level| level.0.eq_ignore_ascii_case("fatal")) {
                collector.scanner_error(message.value.map_or_else(|| "fatal".to_owned(), |value| value.0));
            }
        }
    }
}

#[derive(Deserialize, Default)]
struct RawRemediation {
    summary: Option<Text>,
    #[serde(default)]
    fixes: Many<RawFix>,
}

#[derive(Deserialize)]
struct RawFix {
    id: Option<Text>,
    cve: Option<Text>,
}

impl RawRemediation {
    fn add_to(self, remedies: &mut BTreeMap<String, Vec<String>>) {
        let Some(summary) = self.summary.filled() else { return };
        let ids: BTreeSet<String> = self.fixes.0.into_iter().filter_map(|fix| fix.id.or(fix.cve)?.filled()).collect();
        for id in ids {
            remedies.entry(id).or_default().push(summary.clone());
        }
    }
}

#[derive(Deserialize)]
struct RawVulnerability {
    id: Option<Text>,
    cve: Option<Text>,
    category: Option<Text>,
    name: Option<Text>,
    message: Option<Text>,
    description: Option<Text>,
    severity: Option<Text>,
    confidence: Option<Text>,
    solution: Option<Text>,
    scanner: Option<RawScanner>,
    raw_source_code_extract: Option<Text>,
    #[serde(default)]
    identifiers: Many<RawIdentifier>,
    #[serde(default)]
    links: Many<RawLink>,
    #[serde(default)]
    flags: Many<RawFlag>,
    #[serde(default)]
    cvss_vectors: Many<RawVector>,
    #[serde(default)]
    location: RawLocation,
    tracking: Option<Value>,
    dismissed: Option<Text>,
    state: Option<Text>,
}

#[derive(Deserialize)]
struct RawIdentifier {
    #[serde(rename = "type")]
    kind: Option<Text>,
    name: Option<Text>,
    value: Option<Text>,
    url: Option<Text>,
}

#[derive(Deserialize)]
struct RawLink {
    url: Option<Text>,
}

#[derive(Deserialize)]
struct RawFlag {
    #[serde(rename = "type")]
    kind: Option<Text>,
    origin: Option<Text>,
    description: Option<Text>,
}

#[derive(Deserialize)]
struct RawVector {
    vendor: Option<Text>,
    #[serde(alias = "vector_string")]
    vector: Option<Text>,
}

#[derive(Deserialize, Default)]
struct RawLocation {
    file: Option<Text>,
    #[serde(default)]
    start_line: Number,
    #[serde(default)]
    end_line: Number,
    #[serde(rename = "class")]
    class: Option<Text>,
    method: Option<Text>,
    image: Option<Text>,
    operating_system: Option<Text>,
    commit: Option<RawCommit>,
    dependency: Option<RawDependency>,
    kubernetes_resource: Option<RawResource>,
}

#[derive(Deserialize)]
struct RawCommit {
    sha: Option<Text>,
}

#[derive(Deserialize)]
struct RawDependency {
    package: Option<RawPackage>,
    version: Option<Text>,
    direct: Option<Text>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Option<Text>,
    path: Option<Text>,
}

#[derive(Deserialize)]
struct RawResource {
    namespace: Option<Text>,
    kind: Option<Text>,
    name: Option<Text>,
    container_name: Option<Text>,
}

impl RawVulnerability {
    fn is_resolved(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.0.eq_ignore_ascii_case("resolved"))
    }

    fn kind(&self, scan: Scan) -> Kind {
        let is_secret = self.category.as_ref().is_some_and(|category| category.0 == "secret_detection")
            || self.identifiers.0.first().is_some_and(RawIdentifier::is_of_secret_scanner);
        match scan {
            Scan::Secrets => Kind::Secret,
            Scan::Dependencies | Scan::Containers => Kind::Dependency,
            // Until GitLab 13.1 the scan for secrets was part of SAST.
            Scan::Sast if is_secret => Kind::Secret,
            Scan::Sast => Kind::Code,
        }
    }

    fn into_finding(self, scan: Scan, remedies: &BTreeMap<String, Vec<String>>) -> Result<Finding, String> {
        let kind = self.kind(scan);
        let (rating, suppressed) = (self.rating(), self.suppressed());
        let primary = self.identifiers.0.iter().find(|identifier| identifier.value().is_some());
        let [name, message, description] = [self.name, self.message, self.description].map(|text| text?.filled());
        let title = name.or_else(|| message.clone()).or_else(|| primary?.name()).or_else(|| description.clone());
        let rule = primary.and_then(|identifier| identifier.rule(kind)).or_else(|| title.clone());
        let rule = rule.ok_or("`identifiers` and `name` are missing")?;
        let title = title.unwrap_or_else(|| rule.clone());
        let text = message.or_else(|| description.clone()).unwrap_or_else(|| title.clone());
        let ids = [self.id, self.cve].map(|id| id?.filled());
        let solution = self.solution.filled();
        let mut remedy: Vec<String> = solution.iter().cloned().collect();
        remedy.extend(ids.iter().flatten().filter_map(|id| remedies.get(id)).flatten().cloned());
        let urls = self.links.0.into_iter().map(|link| link.url);
        let urls = urls.chain(self.identifiers.0.iter().map(|identifier| identifier.url.clone()));
        let mut references: Vec<String> = Vec::new();
        for url in urls.filter_map(|url| url?.filled()) {
            if !references.contains(&url) {
                references.push(url);
            }
        }
        let mut finding = Finding {
            confidence: self.confidence.filled(),
            cwes: cwe::numbers(self.identifiers.0.iter().filter_map(RawIdentifier::cwe)),
            advisories: if kind == Kind::Dependency { advisories(&self.identifiers.0) } else { vec![] },
            description: description.filter(|description| *description != text),
            remediation: (!remedy.is_empty()).then(|| remedy.join("\n")),
            references,
            fingerprints: fingerprints(self.tracking.as_ref()),
            suppressed,
            ..Finding::new(kind, rule, title, text)
        };
        self.location.put(&mut finding, solution.as_deref());
        let scanner = self.scanner.and_then(|scanner| scanner.name?.filled());
        finding.raw.extend(scanner.map(|scanner| ("scanner".to_owned(), scanner)));
        rating.apply(&mut finding);
        let [id, cve] = ids;
        let extract = self.raw_source_code_extract.filled();
        match (kind, extract) {
            (Kind::Secret, Some(extract)) => secret::attach(&mut finding, &extract),
            (Kind::Secret, None) => {
                finding.secret = cve.as_deref().and_then(hash).map(|hash| secret::hashed("sha256-plain", hash))
            }
            (_, Some(extract)) => finding.code = excerpt(&finding, &extract),
            (_, None) => {}
        }
        // Bandit includes the password that it found: `Possible hardcoded password: 'hunter2'`.
        if let Some((_, quoted)) = finding.message.split_once("ardcoded password: '") {
            let password = quoted.strip_suffix('\'').unwrap_or(quoted).to_owned();
            secret::attach(&mut finding, &password);
        }
        finding.tool_id = id.or(cve);
        Ok(finding)
    }

    fn rating(&self) -> Rating {
        let is_nvd =
            |vector: &&RawVector| vector.vendor.as_ref().is_some_and(|vendor| vendor.0.eq_ignore_ascii_case("nvd"));
        let (nvd, others): (Vec<_>, Vec<_>) = self.cvss_vectors.0.iter().partition(is_nvd);
        let vectors = nvd.into_iter().chain(others).filter_map(|vector| vector.vector.as_ref());
        let rating = vectors.fold(Rating::new(WORDS), |rating, vector| rating.vector(Some(&vector.0), None));
        rating.word(self.severity.as_ref().map(|word| word.0.as_str()))
    }

    fn suppressed(&self) -> Option<String> {
        let is =
            |field: &Option<Text>, word: &str| field.as_ref().is_some_and(|text| text.0.eq_ignore_ascii_case(word));
        if is(&self.dismissed, "true") || is(&self.state, "dismissed") {
            return Some("dismissed".to_owned());
        }
        let flag = self.flags.0.iter().find(|flag| is(&flag.kind, "flagged-as-likely-false-positive"))?;
        let words = [&flag.kind, &flag.origin, &flag.description].map(|text| text.clone()?.filled());
        Some(words.into_iter().flatten().collect::<Vec<_>>().join(": "))
    }
}

impl RawIdentifier {
    fn value(&self) -> Option<String> {
        self.value.clone().filled()
    }

    fn name(&self) -> Option<String> {
        self.name.clone().filled()
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|own| own.0.eq_ignore_ascii_case(kind))
    }

    /// The rule that this identifier names. The id of an advisory is unique without its type.
    fn rule(&self, kind: Kind) -> Option<String> {
        let value = self.value()?;
        match self.kind.clone().filled() {
            Some(own) if kind != Kind::Dependency => Some(format!("{own}:{value}")),
            Some(_) | None => Some(value),
        }
    }

    /// The CWE of this identifier; NodeJsScan writes its number only in the name.
    fn cwe(&self) -> Option<&str> {
        let texts = [self.value.as_ref(), self.name.as_ref()].into_iter().flatten().map(|text| text.0.as_str());
        texts.filter(|_| self.is("cwe")).find(|text| cwe::number(text).is_some())
    }

    fn is_of_secret_scanner(&self) -> bool {
        self.is("gitleaks_rule_id") || self.is("trufflehog_rule_id")
    }
}

/// The identifiers of advisories, without those of weaknesses.
fn advisories(identifiers: &[RawIdentifier]) -> Vec<String> {
    let is_advisory = |identifier: &&RawIdentifier| !["cwe", "owasp", "wasc"].iter().any(|class| identifier.is(class));
    let mut ids: Vec<String> = Vec::new();
    for id in identifiers.iter().filter(is_advisory).filter_map(RawIdentifier::value) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// The signatures with which GitLab itself tracks a result; those that count lines from the top are left out.
fn fingerprints(tracking: Option<&Value>) -> BTreeMap<String, String> {
    let items = tracking.and_then(|tracking| tracking.get("items")?.as_array());
    let signatures = items.and_then(|items| items.first()?.get("signatures")?.as_array()).into_iter().flatten();
    let named = signatures.filter_map(|signature| {
        let algorithm = signature.get("algorithm")?.as_str().filter(|name| name.starts_with("scope_offset"))?;
        Some((format!("{algorithm}/v1"), signature.get("value")?.as_str()?.to_owned()))
    });
    named.collect()
}

/// The hash in `file:hash:rule`, with which older reports identify secrets.
fn hash(cve: &str) -> Option<&str> {
    cve.split(':').find(|part| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn excerpt(finding: &Finding, extract: &str) -> Option<Excerpt> {
    let first_line = finding.location.as_ref()?.line?;
    Some(Excerpt { first_line, lines: extract.lines().map(str::to_owned).collect() })
}

impl RawLocation {
    fn put(self, finding: &mut Finding, solution: Option<&str>) {
        let (line, end) = (self.start_line.line(), self.end_line.line());
        let dependency = self.dependency;
        let (package, version) = dependency.map_or((None, None), |dependency| {
            finding.raw.extend(dependency.direct.map(|direct| ("direct".to_owned(), direct.0)));
            (dependency.package, dependency.version)
        });
        let (name, path) = package.map_or((None, None), |package| (package.name, package.path));
        if let Some(name) = name.filled() {
            let fixed_versions = solution.map(|solution| fixed_versions(solution, &name)).unwrap_or_default();
            finding.package = Some(Package { name, version: version.filled(), fixed_versions, ..Package::default() });
        }
        finding.location = self.file.filled().or_else(|| path?.filled()).map(|path| Location::lines(path, line, end));
        finding.resource =
            self.kubernetes_resource.and_then(RawResource::name).or_else(|| self.image.clone()?.filled());
        let fields = [
            ("class", self.class),
            ("method", self.method),
            ("image", self.image),
            ("operating_system", self.operating_system),
            ("commit_sha", self.commit.and_then(|commit| commit.sha)),
        ];
        finding.raw.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.filled()?))));
    }
}

impl RawResource {
    fn name(self) -> Option<String> {
        let parts = [self.namespace, self.kind, self.name, self.container_name].map(|part| part?.filled());
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
        name.filled()
    }
}

/// The versions in the sentences of GitLab's analysers: `Upgrade to version 2.2.3 or above.`,
/// `Upgrade to versions 1.2, 2.3 or above.`, `Upgrade apt from 1.4.8 to 1.4.9`.
fn fixed_versions(solution: &str, package: &str) -> Vec<String> {
    let line = solution.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let listed = line.strip_prefix("Upgrade to version").map(|rest| rest.strip_prefix('s').unwrap_or(rest));
    let listed = listed.map(|rest| rest.trim_end_matches("or above").trim_end_matches("or higher"));
    let from_to = || line.strip_prefix("Upgrade ")?.strip_prefix(package)?.strip_prefix(" from ")?.split_once(" to ");
    let Some(versions) = listed.or_else(|| from_to().map(|(_, to)| to)) else { return vec![] };
    let versions: Vec<&str> = versions.split(',').map(str::trim).filter(|version| !version.is_empty()).collect();
    let is_version =
        |version: &&str| version.starts_with(|c: char| c.is_ascii_alphanumeric()) && !version.contains(' ');
    if versions.iter().all(is_version) { versions.into_iter().map(str::to_owned).collect() } else { vec![] }
}

#[cfg(test)]
mod tests;
