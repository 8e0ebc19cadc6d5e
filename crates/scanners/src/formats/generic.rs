//! DefectDojo's generic findings, <https://docs.defectdojo.com/supported_tools/parsers/generic_findings_import/>: the
//! format that scripts write for tools without a parser of their own. Reads its JSON here; its CSV is in
//! [`generic_csv`](crate::formats::generic_csv).
//!
//! Each entry of `findings` is a result. `is_mitigated` makes it closed; `false_p`, `duplicate`, `risk_accepted`,
//! `out_of_scope` and `active: false` make it suppressed. The rule is `vuln_id_from_tool`; without it the
//! vulnerability's id for a package, else the title. The kind follows from the fields: a package with a vulnerability's
//! id is a dependency, endpoints are the web, everything else is code.
//!
//! A report that names its `type` belongs to the tool `generic-<type>`: by the documentation, that name stays the same
//! from import to import, and `name` is a text for readers. The severity is CVSS if given, else one of five words.

use crate::Scanner;
use crate::reader::json::{self, Many, Number, Text};
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::Filled;
use crate::value::rating::Rating;
use crate::value::{cwe, slug};
use finding::{Endpoint, Epss, Finding, Kind, Location, Package};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const SCANNER: Scanner = Scanner {
    id: "generic",
    tool: "generic",
    name: "Generic findings",
    aliases: &["defectdojo", "generic-findings-import"],
    versions: "DefectDojo 2.0 to 3.2",
    category: "Any",
    notation: Notation::Json,
    formats: "JSON (DefectDojo's generic findings import)",
    severities: SEVERITIES,
    severity_words: &[
        ("critical", 950),
        ("high", 800),
        ("medium", 550),
        ("low", 200),
        ("info", 0),
        ("informational", 0),
    ],
    differences: &[("cwes", "a finding's list of weaknesses includes the one in `cwe`")],
    detect,
    parse,
};

pub(crate) const SEVERITIES: &str = "CVSS if given, else Critical 9.5, High 8.0, Medium 5.5, Low 2.0, Info 0";

/// Fields of findings in other tools' reports. DefectDojo refuses unknown fields, so a generic report has none of
/// these.
const FOREIGN: &[&str] = &[
    "id",
    "Id",
    "uuid",
    "type",
    "name",
    "category",
    "status",
    "state",
    "rule",
    "rule_id",
    "ruleId",
    "check_id",
    "location",
    "locations",
    "resources",
    "resource",
    "findingArn",
    "awsAccountId",
    "file",
    "filename",
    "package",
    "plugin",
    "target",
];

fn detect(sniff: &Sniff) -> bool {
    if !sniff.is_object() || !sniff.has("findings") {
        return false;
    }
    let has = |field: &str| sniff.has(&format!("findings[].{field}"));
    let is_described = ["static_tool", "dynamic_tool", "soc"].iter().any(|field| sniff.has(field));
    let is_finding = ["title", "severity", "description"].into_iter().all(has);
    (is_finding && !FOREIGN.iter().copied().any(has)) || (is_described && !has("id"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    json::walk(input, &["type", "version"], &mut |item| {
        let text = item.read::<Text>().ok().filled();
        match (item.path, text) {
            (0, Some(name)) => set_tool(collector, &name),
            (_, Some(version)) => collector.version(version),
            (_, None) => {}
        }
        Ok(())
    })?;
    let seen = json::walk(input, &["findings[]"], &mut |item| match item.read::<RawFinding>() {
        Ok(raw) => raw.collect(collector),
        Err(reason) => collector.rejected(reason),
    })?;
    seen.require(collector, &[0], "a generic findings report is an object with the list `findings`")
}

/// Sets the tool by the report's `type`, unless that is the format's own.
fn set_tool(collector: &mut Collector<'_>, name: &str) {
    if let Some(slug) = slug::of(name).filter(|slug| slug != "generic-findings-import") {
        collector.tool(format!("generic-{slug}"));
    }
}

/// A finding of JSON or CSV.
#[derive(Deserialize, Default)]
pub(crate) struct RawFinding {
    pub(crate) title: Text,
    pub(crate) description: Option<Text>,
    pub(crate) severity: Option<Text>,
    pub(crate) mitigation: Option<Text>,
    #[serde(default)]
    pub(crate) references: Many<Text>,
    pub(crate) cve: Option<Text>,
    #[serde(default)]
    pub(crate) vulnerability_ids: Many<Value>,
    pub(crate) cwe: Option<Text>,
    #[serde(default)]
    pub(crate) cwes: Many<Text>,
    pub(crate) cvssv3: Option<Text>,
    #[serde(default)]
    pub(crate) cvssv3_score: Number,
    pub(crate) cvssv4: Option<Text>,
    #[serde(default)]
    pub(crate) cvssv4_score: Number,
    #[serde(default)]
    pub(crate) epss_score: Number,
    #[serde(default)]
    pub(crate) epss_percentile: Number,
    pub(crate) known_exploited: Option<Text>,
    pub(crate) active: Option<Text>,
    pub(crate) false_p: Option<Text>,
    pub(crate) duplicate: Option<Text>,
    pub(crate) risk_accepted: Option<Text>,
    pub(crate) out_of_scope: Option<Text>,
    pub(crate) is_mitigated: Option<Text>,
    pub(crate) file_path: Option<Text>,
    #[serde(default)]
    pub(crate) line: Number,
    pub(crate) component_name: Option<Text>,
    pub(crate) component_version: Option<Text>,
    pub(crate) fix_version: Option<Text>,
    #[serde(default)]
    pub(crate) endpoints: Many<Value>,
    pub(crate) param: Option<Text>,
    pub(crate) scanner_confidence: Option<Text>,
    pub(crate) unique_id_from_tool: Option<Text>,
    pub(crate) vuln_id_from_tool: Option<Text>,
    #[serde(default)]
    pub(crate) tags: Many<Text>,
    #[serde(default)]
    pub(crate) files: Many<Value>,
    /// The other fields: impact, service, dates, source, sink and any others.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

impl RawFinding {
    pub(crate) fn collect(self, collector: &mut Collector<'_>) -> Result<(), ParseError> {
        if self.title.0.trim().is_empty() {
            return collector.rejected("`title` is missing".to_owned());
        }
        if is_true(&self.is_mitigated) { collector.closed() } else { collector.finding(self.into_finding()) }
    }

    fn suppressed(&self) -> Option<String> {
        let marks = [
            (is_true(&self.false_p), "false positive"),
            (is_true(&self.duplicate), "duplicate"),
            (is_true(&self.risk_accepted), "risk accepted"),
            (is_true(&self.out_of_scope), "out of scope"),
            (is_false(&self.active), "not active"),
        ];
        let marks: Vec<&str> = marks.into_iter().filter(|(marked, _)| *marked).map(|(_, mark)| mark).collect();
        (!marks.is_empty()).then(|| marks.join(", "))
    }

    fn rating(&self) -> Rating {
        let rated = |rating: Rating, vector: &Option<Text>, score: Number, version: &str| {
            // An absent score is also written as 0; only a vector shows which is meant.
            let score = score.0;
            match vector.clone().filled() {
                Some(vector) => rating.vector(Some(&vector), score.filter(|score| *score > 0.0)),
                None => rating.base(version, score.filter(|score| *score > 0.0)),
            }
        };
        let rating = rated(SCANNER.rating(), &self.cvssv4, self.cvssv4_score, "4.0");
        let rating = rated(rating, &self.cvssv3, self.cvssv3_score, "3.1");
        rating.word(self.severity.as_ref().map(|word| word.0.as_str()))
    }

    fn into_finding(self) -> Finding {
        let (rating, suppressed) = (self.rating(), self.suppressed());
        let advisories = distinct(self.cve.filled().into_iter().chain(self.vulnerability_ids.0.iter().flat_map(ids)));
        let cwes = self.cwe.into_iter().chain(self.cwes.0);
        let cwes = cwe::numbers(cwes.map(|cwe| cwe.0).collect::<Vec<_>>().iter().map(String::as_str));
        let package = self.component_name.filled().map(|name| Package {
            name,
            version: self.component_version.filled(),
            fixed_versions: self.fix_version.filled().into_iter().collect(),
            ..Package::default()
        });
        let endpoints: Vec<Endpoint> = self.endpoints.0.iter().filter_map(endpoint).collect();
        let kind = match (&package, advisories.is_empty(), endpoints.is_empty()) {
            (Some(_), false, _) => Kind::Dependency,
            (_, _, false) => Kind::Web,
            (_, _, true) => Kind::Code,
        };
        let title = self.title.0.trim().to_owned();
        let tool_rule = self.vuln_id_from_tool.filled();
        let advisory = advisories.first().filter(|_| kind == Kind::Dependency).cloned();
        let rule = tool_rule.or(advisory).unwrap_or_else(|| title.clone());
        let message = self.description.filled().unwrap_or_else(|| title.clone());
        let share = |number: Number| number.0.filter(|share| (0.0..=1.0).contains(share));
        let mut finding = Finding {
            confidence: self.scanner_confidence.filled(),
            cwes,
            advisories,
            epss: share(self.epss_score)
                .map(|probability| Epss { probability, percentile: share(self.epss_percentile) }),
            known_exploited: is_true(&self.known_exploited)
                .then_some(true)
                .or(is_false(&self.known_exploited).then_some(false)),
            remediation: self.mitigation.filled(),
            references: distinct(
                self.references.0.iter().flat_map(|text| text.0.lines()).map(|line| line.trim().to_owned()),
            ),
            package,
            location: self.file_path.filled().map(|path| Location::lines(path, self.line.line(), None)),
            tool_id: self.unique_id_from_tool.filled(),
            suppressed,
            ..Finding::new(kind, rule, title, message)
        };
        if endpoints.len() > 1 {
            let all: Vec<String> =
                endpoints.iter().filter_map(|endpoint| endpoint.url.clone().or(endpoint.host.clone())).collect();
            finding.raw.insert("endpoints".to_owned(), all.join("\n"));
        }
        finding.endpoint =
            endpoints.into_iter().next().map(|first| Endpoint { parameter: self.param.filled(), ..first });
        let files = self.files.0.iter().filter_map(|file| file.get("title")?.as_str().map(str::to_owned));
        let lists = [
            ("tags", distinct(self.tags.0.into_iter().map(|tag| tag.0)).join(", ")),
            ("files", distinct(files).join(", ")),
        ];
        finding.raw.extend(lists.map(|(name, value)| (name.to_owned(), value)));
        finding.raw.extend(self.rest.into_iter().map(|(name, value)| (name, into_text(value))));
        finding.raw.retain(|_, value| !value.trim().is_empty());
        rating.apply(&mut finding);
        finding
    }
}

fn is_true(field: &Option<Text>) -> bool {
    field.as_ref().is_some_and(|text| matches!(text.0.trim().to_ascii_lowercase().as_str(), "true" | "t" | "yes" | "1"))
}

fn is_false(field: &Option<Text>) -> bool {
    field.as_ref().is_some_and(|text| matches!(text.0.trim().to_ascii_lowercase().as_str(), "false" | "f" | "no" | "0"))
}

/// The texts that are not blank, each once.
fn distinct(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        if !text.trim().is_empty() && !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// The ids in an entry of `vulnerability_ids`: a text, a list of them, or an object as the API exports it.
fn ids(value: &Value) -> Vec<String> {
    match value {
        Value::String(id) => vec![id.clone()],
        Value::Array(list) => list.iter().flat_map(ids).collect(),
        Value::Object(fields) => fields.get("vulnerability_id").map(ids).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}

/// A value as text: a text itself, anything else as JSON.
fn into_text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// An endpoint: a URL, a host, or an object with their parts.
fn endpoint(value: &Value) -> Option<Endpoint> {
    let Value::Object(fields) = value else {
        let text = value.as_str()?.trim();
        return match text.contains("://") {
            _ if text.is_empty() => None,
            true => Some(Endpoint { url: Some(text.to_owned()), ..Endpoint::default() }),
            false => Some(Endpoint { host: Some(text.to_owned()), ..Endpoint::default() }),
        };
    };
    let part = |name: &str| fields.get(name).cloned().map(into_text).filled();
    let host = part("host")?;
    let (protocol, port) = (part("protocol"), part("port").and_then(|port| port.parse().ok()));
    let url = protocol.as_ref().map(|protocol| {
        let port = port.map(|port: u16| format!(":{port}")).unwrap_or_default();
        let path = part("path").map(|path| format!("/{}", path.trim_start_matches('/'))).unwrap_or_default();
        let query = part("query").map(|query| format!("?{query}")).unwrap_or_default();
        let fragment = part("fragment").map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{protocol}://{host}{port}{path}{query}{fragment}")
    });
    Some(Endpoint { url, host: Some(host), port, protocol, ..Endpoint::default() })
}

#[cfg(test)]
mod tests;
