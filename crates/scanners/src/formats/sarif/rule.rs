//! The rules of a run (reporting descriptors, §3.49), with the parts that findings need.

use super::log::{RawConfiguration, RawDescriptor};
use crate::reader::fields::Fields;
use crate::reader::json::{Many, Text, partly, type_of};
use crate::reader::text::decimal;
use crate::reader::text::{Filled, shown};
use crate::value::cwe;
use crate::value::rating::{COMMON_WORDS, score_of};
use finding::limits::cut_to;
use finding::severity::Score;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest text that is kept of a rule, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;

#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) guid: Option<String>,
    pub(super) name: Option<String>,
    pub(super) short: Option<String>,
    pub(super) full: Option<String>,
    pub(super) help: Option<String>,
    pub(super) help_uri: Option<String>,
    pub(super) level: Option<String>,
    pub(super) security_severity: Option<f64>,
    pub(super) cvss: Vec<String>,
    pub(super) precision: Option<String>,
    pub(super) cwes: Vec<u32>,
    pub(super) tags: Vec<String>,
    pub(super) messages: BTreeMap<String, String>,
    pub(super) deprecated_ids: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawRule {
    id: Option<Text>,
    guid: Option<String>,
    name: Option<Text>,
    short_description: RawMessageString,
    full_description: RawMessageString,
    help: RawMessageString,
    help_uri: Option<Text>,
    default_configuration: RawConfiguration,
    message_strings: BTreeMap<String, RawMessageString>,
    relationships: Many<RawRelationship>,
    deprecated_ids: Many<Text>,
    properties: RawProperties,
}

/// A message (§3.12): a text, or only Markdown. Some tools write a string instead of the object.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(super) struct RawMessageString {
    pub(super) text: Option<String>,
}

impl From<Value> for RawMessageString {
    fn from(value: Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone().filled(),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let inner = |name: &str| value.get(name).and_then(text);
        Self { text: text(&value).or_else(|| inner("text")).or_else(|| inner("markdown")) }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRelationship {
    // KICS writes a list.
    pub(super) target: Many<RawDescriptor>,
}

/// The properties that many tools write, and those of some known tools. All others are ignored. A property bag may
/// contain any JSON (§3.8), so a property of an unexpected type is another tool's, and absent here.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(super) struct RawProperties {
    pub(super) security_severity: Option<f64>,
    /// A `security-severity` that is neither a score nor a word for a severity.
    pub(super) unread_severity: Option<String>,
    pub(super) precision: Option<String>,
    pub(super) tags: Vec<String>,
    cwe_ids: Vec<String>,
    pub(super) cvss: Vec<String>,
    texts: BTreeMap<&'static str, String>,
}

/// Properties of results of Bandit, Gitleaks and Black Duck.
const TEXTS: [&str; 8] = [
    "issue_severity",
    "issue_confidence",
    "offender",
    "commit",
    "commitMessage",
    "component",
    "componentVersion",
    "componentOrigin",
];

impl From<Value> for RawProperties {
    fn from(value: Value) -> Self {
        let Value::Object(bag) = value else { return Self::default() };
        let fields = Fields::of(&bag);
        let all = |names: &[&str]| names.iter().flat_map(|name| fields.texts(name)).collect();
        let (security_severity, unread_severity) = security_severity(bag.get("security-severity"));
        Self {
            security_severity,
            unread_severity,
            precision: fields.text("precision"),
            tags: fields.texts("tags"),
            cwe_ids: all(&["cwe", "CWE", "cwes", "cwe_ids"]),
            cvss: all(&["cvss", "cvssv3_vector", "cvssV3_vector", "cvssVector", "cvss_vector"]),
            texts: TEXTS.iter().filter_map(|name| Some((*name, fields.text(name)?))).collect(),
        }
    }
}

/// The score of a `security-severity`, which may be a text or a word, or what cannot be read.
fn security_severity(value: Option<&Value>) -> (Option<f64>, Option<String>) {
    let text = match value {
        None | Some(Value::Null) => return (None, None),
        Some(Value::Number(number)) => return (number.as_f64(), None),
        Some(Value::String(text)) => text.trim(),
        Some(other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
            return (None, Some(type_of(other).to_owned()));
        }
    };
    let score = decimal(text).or_else(|| score_of(COMMON_WORDS, text).map(Score::as_f64));
    let unknown = ["", "n/a", "na", "null", "unknown", "undefined", "unassigned", "nan"];
    let is_unread = score.is_none() && !unknown.contains(&text.to_ascii_lowercase().as_str());
    (score, is_unread.then(|| format!("`{}`", shown(text, 40))))
}

impl RawProperties {
    pub(super) fn cwe_numbers(&self) -> Vec<u32> {
        let texts = self.tags.iter().filter(|tag| is_cwe_tag(tag)).chain(&self.cwe_ids);
        cwe::numbers(texts.map(String::as_str))
    }

    /// A property of a known tool that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }
}

/// True if a tag names a weakness: `external/cwe/cwe-079`, `CWE-79`, `CWE-79: …`. A plain number does not.
fn is_cwe_tag(tag: &str) -> bool {
    tag.to_ascii_lowercase().contains("cwe")
}

/// The parts of a rule that decide the severity or the identity of its results.
const DECIDING: [&str; 4] = ["id", "guid", "defaultConfiguration", "deprecatedIds"];

/// Reads a rule, and says what of it cannot be read and matters.
pub(super) fn read(raw: &str) -> (RawRule, Option<String>) {
    let (rule, unread) = match partly::<RawRule>(raw) {
        Ok(read) => read,
        Err(reason) => return (RawRule::default(), Some(format!("a rule cannot be read: {reason}"))),
    };
    let id = rule.id.as_ref().map_or("?", |id| id.0.as_str());
    let severity = rule.properties.unread_severity.as_ref();
    let unread = unread.into_iter().filter(|place| decides(place, &DECIDING)).map(|place| format!("`{place}`"));
    let unread = unread.chain(severity.map(|found| format!("`security-severity`, which is {found}")));
    let unnamed = rule.id.is_none() && rule.guid.is_none();
    let unread = unread.chain(unnamed.then(|| "`id`, which is missing".to_owned()));
    let unread = unread.collect::<Vec<_>>().join(", ");
    let error = (!unread.is_empty()).then(|| format!("of the rule `{id}` this cannot be read: {unread}"));
    (rule, error)
}

/// True if a place is in one of these parts.
pub(super) fn decides(place: &str, parts: &[&str]) -> bool {
    let first = place.split(['.', '[']).next().unwrap_or(place);
    parts.contains(&first)
}

impl RawRule {
    /// The rule, with at most `text_bytes` bytes of texts.
    pub(super) fn into_rule(self, text_bytes: usize) -> Rule {
        let mut left = text_bytes;
        let mut kept = |text: Option<String>| {
            let mut text = text?;
            cut_to(&mut text, TEXT_BYTES_MAX);
            left = left.checked_sub(text.len())?;
            Some(text)
        };
        let mut cwes = self.properties.cwe_numbers();
        let targets = self.relationships.0.iter().flat_map(|relation| &relation.target.0);
        for number in targets.filter(|target| is_cwe(target)).filter_map(|target| cwe::number(&target.id.as_ref()?.0)) {
            if !cwes.contains(&number) {
                cwes.push(number);
            }
        }
        Rule {
            id: self.id.map(|id| id.0).unwrap_or_default(),
            guid: self.guid,
            name: self.name.filled(),
            short: kept(self.short_description.text),
            full: kept(self.full_description.text),
            messages: self.message_strings.into_iter().filter_map(|(id, text)| Some((id, kept(text.text)?))).collect(),
            help: kept(self.help.text),
            help_uri: self.help_uri.filled(),
            level: self.default_configuration.level.filled(),
            security_severity: self.properties.security_severity,
            cvss: self.properties.cvss,
            precision: self.properties.precision,
            cwes,
            tags: self.properties.tags,
            deprecated_ids: self.deprecated_ids.0.into_iter().map(|id| id.0).collect(),
        }
    }
}

/// True if a reference is to a weakness: its component is named CWE, or its id starts with `cwe-`.
pub(super) fn is_cwe(target: &RawDescriptor) -> bool {
    let component = target.tool_component.as_ref().and_then(|component| component.name.as_deref());
    component.is_some_and(|name| name.eq_ignore_ascii_case("cwe"))
        || target.id.as_ref().is_some_and(|id| id.0.to_ascii_lowercase().starts_with("cwe-"))
}

impl Rule {
    /// True if `id`, hierarchical or not, is an id of this rule.
    pub(super) fn has_id(&self, id: &str) -> bool {
        // A rule without an id is known by its index alone.
        self.id.is_empty()
            || id == self.id
            || id.strip_prefix(self.id.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn text_bytes(&self) -> usize {
        let texts = [&self.short, &self.full, &self.help].into_iter().flatten().chain(self.messages.values());
        texts.map(String::len).sum()
    }
}
