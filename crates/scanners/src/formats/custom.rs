//! Custom JSON: the format in which the reference product takes the issues of any tool. One object with `meta` and the
//! list `issues`:
//!
//! ```json
//! {"meta": {"key": ["issueName", "fileName"], "subproduct": "My Scanner"},
//!  "issues": [{"issueName": "…", "issueDescription": "…", "subProduct": "My Scanner", "severity": 7.5,
//!              "fileName": "a.py"}]}
//! ```
//!
//! `meta.key` lists the fields whose values, in this order, identify an issue; a field that an issue lacks counts as an
//! empty text. They must be fields of the format (listed in `fields.rs`), never custom ones, which only their author
//! can interpret. `meta.subproduct` names the tool: its issues belong to `custom-<subproduct>`. If an entry's own
//! `subProduct` (or `subproduct`) differs, the entry belongs to that tool.
//!
//! Each entry of `issues` is a result. It must have `issueName`, `issueDescription`, `subProduct` and `severity`, and
//! none of the reserved names: the product computes those itself. Any other field is stored under its name.
//!
//! `severity` is a score from 0 to 10 (documented from 1.0; -1 is informational too, as in the reference product), or
//! null for none. A CVSS vector in `cvss` is stored too, and the score counts as that vector's.

mod fields;

use crate::Scanner;
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use crate::reader::text::decimal;
use crate::reader::text::{Filled, shown};
use crate::value::rating::Rating;
use crate::value::{cwe, slug};
use fields::{FIELDS, RESERVED, text_of};
use finding::{Endpoint, Finding, Kind, Location, Package};
use serde_json::{Map, Value};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "custom",
    tool: "custom",
    name: "Custom JSON",
    aliases: &["custom-ingest", "harness"],
    versions: "2023 to 2026",
    category: "Any",
    notation: Notation::Json,
    formats: "JSON (an object with `meta` and `issues`)",
    severities: "the issue's own `severity` from 0 to 10; null unassigned; -1 is 0",
    severity_words: &[],
    differences: &[],
    detect,
    parse,
};

fn detect(sniff: &Sniff) -> bool {
    sniff.is_object()
        && sniff.has_all(&["meta", "issues"])
        && (sniff.has("meta.key") || sniff.has("meta.subproduct") || sniff.has("meta.subProduct"))
}

fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let mut meta = None;
    json::walk(input, &["meta"], &mut |item| {
        meta = item.read::<Value>().ok().filter(|meta| !meta.is_null());
        Ok(())
    })?;
    let Some(meta) = meta else {
        return Err(ParseError::other_shape(
            "a custom JSON report is an object with `meta` and `issues`; `meta` is missing",
        ));
    };
    let meta = Meta::of(&meta).map_err(|reason| ParseError::Malformed { notation: "custom JSON", reason })?;
    collector.tool(meta.tool.clone());
    let seen = json::walk(input, &["issues[]"], &mut |item| {
        collector.result(item.read::<Map<String, Value>>().and_then(|issue| meta.finding(issue)))
    })?;
    seen.require(
        collector,
        &[0],
        "a custom JSON report is an object with `meta` and `issues`; the list `issues` is missing",
    )
}

/// The report's settings for all its issues.
struct Meta {
    key: Vec<&'static str>,
    tool: String,
}

impl Meta {
    fn of(meta: &Value) -> Result<Self, String> {
        let meta = meta.as_object().ok_or("`meta` must be an object")?;
        let key = meta.get("key").filter(|key| !key.is_null());
        let key = key.ok_or("`meta.key` is missing; it must list the fields that identify an issue")?;
        let names = key.as_array().ok_or("`meta.key` must be a list of field names")?;
        let mut key = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let name = name.as_str().ok_or_else(|| format!("`meta.key[{index}]` must be a field name"))?;
            let field =
                key_field(name).map_err(|problem| format!("`meta.key[{index}]`: `{}` {problem}", shown(name, 60)))?;
            if key.contains(&field) {
                return Err(format!("`meta.key[{index}]`: `{field}` is listed twice"));
            }
            key.push(field);
        }
        if key.is_empty() {
            return Err("`meta.key` is empty; it must list the fields that identify an issue".to_owned());
        }
        let name = ["subproduct", "subProduct"].iter().find_map(|name| meta.get(*name)).filter(|name| !name.is_null());
        let name = name.ok_or("`meta.subproduct` is missing; it must name the tool")?;
        let name = name.as_str().ok_or("`meta.subproduct` must be a text")?;
        Ok(Self { key, tool: tool(name).ok_or("`meta.subproduct` must contain a letter or a digit")? })
    }

    fn finding(&self, mut issue: Map<String, Value>) -> Result<Finding, String> {
        if let Some(reserved) = RESERVED.iter().find(|name| issue.contains_key(**name)) {
            return Err(format!("the field `{reserved}` is reserved and must not be given"));
        }
        if let Some(subproduct) = issue.remove("subproduct") {
            issue.entry("subProduct").or_insert(subproduct);
        }
        let required = |name: &str| {
            let value =
                issue.get(name).filter(|value| !value.is_null()).ok_or_else(|| format!("`{name}` is missing"))?;
            let text = text_of(value).ok_or_else(|| format!("`{name}` must be a text"))?;
            if text.trim().is_empty() { Err(format!("`{name}` is empty")) } else { Ok(text) }
        };
        let (name, description) = (required("issueName")?, required("issueDescription")?);
        let own = tool(&required("subProduct")?).ok_or("`subProduct` must contain a letter or a digit")?;
        let severity = severity(issue.get("severity"))?;
        let key =
            self.key.iter().map(|field| ((*field).to_owned(), issue.get(*field).map(key_text).unwrap_or_default()));
        let key = key.collect();
        let mut fields = Fields(issue);
        for used in ["issueName", "issueDescription", "subProduct", "severity"] {
            fields.0.remove(used);
        }
        let kind = fields.kind();
        let mut finding = Finding { key, ..Finding::new(kind, name.clone(), name, description) };
        finding.tool = Some(own).filter(|own| *own != self.tool);
        let word = fields.take("scanSeverity");
        let vector = fields.take("cvss");
        // The meaning of the author's word is unknown: it is stored and gives no score.
        let rating = Rating::new(&[]).word(word.as_deref());
        let rating = match &vector {
            Some(vector) if vector.contains(':') => rating.vector(Some(vector), severity),
            Some(_) | None => rating,
        };
        rating.own(severity).apply(&mut finding);
        if let Some(score) = vector.filter(|vector| !vector.contains(':')) {
            finding.raw.insert("cvss".to_owned(), score);
        }
        fields.put(&mut finding);
        Ok(finding)
    }
}

/// The format's field of this name, if a key may contain it.
fn key_field(name: &str) -> Result<&'static str, String> {
    if RESERVED.contains(&name) {
        return Err("is a reserved name".to_owned());
    }
    let name = if name == "subproduct" { "subProduct" } else { name };
    if let Some(field) = FIELDS.iter().copied().find(|field| *field == name) {
        return Ok(field);
    }
    let near = nearest(name).map(|field| format!("; the nearest one is `{field}`")).unwrap_or_default();
    Err(format!("is not a field of the format{near}; custom fields cannot be part of the key"))
}

/// The field of the format whose name is most like this one, if any is alike.
fn nearest(name: &str) -> Option<&'static str> {
    let letters =
        |name: &str| name.chars().filter(char::is_ascii_alphanumeric).take(60).collect::<String>().to_ascii_lowercase();
    let name = letters(name);
    let alike = |field: &&str| {
        let field = letters(field);
        let most = name.len().max(field.len()) / 3;
        let distance = strsim::levenshtein(&name, &field);
        let inside = name.len() >= 4 && field.len() >= 4 && (field.contains(&name) || name.contains(&field));
        (distance <= most || inside).then_some(distance)
    };
    let all = FIELDS.iter().copied().filter_map(|field| Some((alike(&field)?, field)));
    all.min_by_key(|(distance, _)| *distance).map(|(_, field)| field)
}

fn tool(subproduct: &str) -> Option<String> {
    slug::of(subproduct).map(|slug| format!("custom-{slug}"))
}

/// A value as part of a key: a text as it is, anything else as JSON.
fn key_text(value: &Value) -> String {
    if value.is_null() { String::new() } else { text_of(value).unwrap_or_else(|| value.to_string()) }
}

/// The score; `None` if the field is null. A missing field is an error.
fn severity(value: Option<&Value>) -> Result<Option<f64>, String> {
    let value = value.ok_or("`severity` is missing; it must be a number from 0 to 10, or null")?;
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_f64().or_else(|| decimal(value.as_str()?));
    let number = number.ok_or("`severity` must be a number from 0 to 10, or null")?;
    match number {
        -1.0 => Ok(Some(0.0)),
        number if (0.0..=10.0).contains(&number) => Ok(Some(number)),
        number => Err(format!("`severity` is {number}; it must be from 0 to 10")),
    }
}

/// The fields of an issue that are not yet used.
struct Fields(Map<String, Value>);

impl Fields {
    /// Removes and returns a field that is a text, a number or a truth value; a field of another shape stays.
    fn take(&mut self, name: &str) -> Option<String> {
        let text = text_of(self.0.get(name)?)?;
        self.0.remove(name);
        text.filled()
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).and_then(text_of).is_some_and(|text| !text.trim().is_empty())
    }

    /// The kind of issue: by `issueType`, or, if that is not specific, by the fields that are given.
    fn kind(&self) -> Kind {
        let word = self.0.get("issueType").and_then(text_of).unwrap_or_default();
        let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match word.as_str() {
            "sca" | "dependency" | "container" | "oss" => Kind::Dependency,
            "sast" | "code" | "bug" | "bugsmells" | "codesmell" | "codesmells" | "codecoverage" => Kind::Code,
            "dast" | "web" => Kind::Web,
            "secret" | "secrets" => Kind::Secret,
            "iac" | "misconfig" | "misconfiguration" | "configuration" | "compliance" | "externalpolicy" => {
                Kind::Infrastructure
            }
            "license" | "licence" | "licensing" => Kind::License,
            _ if self.has("libraryName") => Kind::Dependency,
            _ if self.has("fileName") => Kind::Code,
            _ if self.has("url") => Kind::Web,
            _ if self.has("host") || self.has("ip") => Kind::Host,
            _ => Kind::Code,
        }
    }

    fn put(mut self, finding: &mut Finding) {
        finding.confidence = self.take("confidence");
        finding.remediation = self.take("remediationSteps");
        finding.references = self.take("link").into_iter().collect();
        finding.package = self.take("libraryName").map(|name| Package { name, ..Package::default() });
        if let Some(path) = self.take("fileName") {
            let line = self.take("lineNumber");
            let line = line.as_deref().and_then(|line| line.trim().split(['-', ',', ':']).next()?.trim().parse().ok());
            finding.location = Some(Location::lines(path, line.filter(|line| *line > 0), None));
        }
        self.put_endpoint(finding);
        self.put_identifiers(finding);
        let rest = self.0.into_iter().filter(|(_, value)| !value.is_null());
        finding.raw.extend(rest.map(|(name, value)| (name, key_text(&value))));
    }

    fn put_endpoint(&mut self, finding: &mut Finding) {
        let port = self.0.get("port").and_then(text_of).and_then(|port| port.trim().parse().ok());
        let (url, host) = (self.take("url"), self.take("host"));
        let host = host.or_else(|| self.take("ip"));
        if url.is_some() || host.is_some() || port.is_some() {
            if port.is_some() {
                self.0.remove("port");
            }
            finding.endpoint = Some(Endpoint { url, host, port, ..Endpoint::default() });
        }
    }

    /// Identifiers come with their prefix or without: `cve` and `2020-14343`, `cwe` and `CWE-79`.
    fn put_identifiers(&mut self, finding: &mut Finding) {
        let Some(Value::Array(list)) = self.0.get("referenceIdentifiers") else { return };
        let mut others: Vec<Value> = Vec::new();
        for entry in list {
            let part = |name: &str| entry.get(name).and_then(text_of).map(|text| text.trim().to_owned());
            let (kind, id) = (part("type").unwrap_or_default().to_ascii_lowercase(), part("id").unwrap_or_default());
            match kind.as_str() {
                "cwe" if cwe::number(&id).is_some() => finding.cwes.extend(cwe::number(&id)),
                "cve" | "ghsa" if !id.is_empty() => {
                    let id = id.to_ascii_uppercase();
                    let prefix = kind.to_ascii_uppercase();
                    let bare = id.strip_prefix(&prefix).map_or(id.as_str(), |rest| rest.trim_start_matches('-'));
                    // The groups of a GHSA id are in lower case.
                    let bare = if kind == "ghsa" { bare.to_ascii_lowercase() } else { bare.to_owned() };
                    finding.advisories.push(format!("{prefix}-{bare}"));
                }
                _ => others.push(entry.clone()),
            }
        }
        finding.cwes =
            cwe::numbers(finding.cwes.iter().map(u32::to_string).collect::<Vec<_>>().iter().map(String::as_str));
        if others.is_empty() {
            self.0.remove("referenceIdentifiers");
        } else {
            self.0.insert("referenceIdentifiers".to_owned(), Value::Array(others));
        }
    }
}

#[cfg(test)]
mod tests;
