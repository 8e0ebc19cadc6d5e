//! The rules of a run (reporting descriptors, §3.49), with the parts that findings need.

use super::log::{RawConfiguration, RawDescriptor};
use crate::reader::json::{Many, Number, Text};
use crate::reader::text::Filled;
use crate::value::cwe;
use finding::limits::cut_to;
use serde::Deserialize;
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
#[serde(from = "RawText")]
pub(super) struct RawMessageString {
    pub(super) text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawText {
    Object { text: Option<Text>, markdown: Option<Text> },
    Bare(Text),
    Other(serde::de::IgnoredAny),
}

impl From<RawText> for RawMessageString {
    fn from(raw: RawText) -> Self {
        let text = match raw {
            RawText::Object { text, markdown } => text.filled().or(markdown.filled()),
            RawText::Bare(text) => text.filled(),
            RawText::Other(_) => None,
        };
        Self { text }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRelationship {
    pub(super) target: RawDescriptor,
}

/// The properties that many tools write, and those of some known tools. All others are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawProperties {
    #[serde(rename = "security-severity")]
    pub(super) security_severity: Number,
    pub(super) precision: Option<Text>,
    pub(super) tags: Many<Text>,
    pub(super) cwe: Many<Text>,
    #[serde(alias = "CWE", alias = "cwes")]
    pub(super) cwe_ids: Many<Text>,
    #[serde(alias = "cvssv3_vector", alias = "cvssV3_vector", alias = "cvssVector", alias = "cvss_vector")]
    pub(super) cvss: Many<Text>,
}

impl RawProperties {
    pub(super) fn cwe_numbers(&self) -> Vec<u32> {
        let texts = self.tags.0.iter().filter(|tag| is_cwe_tag(&tag.0)).chain(&self.cwe.0).chain(&self.cwe_ids.0);
        cwe::numbers(texts.map(|text| text.0.as_str()))
    }
}

/// True if a tag names a weakness: `external/cwe/cwe-079`, `CWE-79`, `CWE-79: …`. A plain number does not.
fn is_cwe_tag(tag: &str) -> bool {
    tag.to_ascii_lowercase().contains("cwe")
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
        let related = self.relationships.0.iter().filter(|relation| is_cwe(&relation.target));
        for number in related.filter_map(|relation| cwe::number(&relation.target.id.as_ref()?.0)) {
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
            level: self.default_configuration.level,
            security_severity: self.properties.security_severity.0,
            cvss: self.properties.cvss.0.into_iter().map(|text| text.0).collect(),
            precision: self.properties.precision.map(|text| text.0),
            cwes,
            tags: self.properties.tags.0.into_iter().map(|tag| tag.0).collect(),
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
        id == self.id || id.strip_prefix(self.id.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn text_bytes(&self) -> usize {
        let texts = [&self.short, &self.full, &self.help].into_iter().flatten().chain(self.messages.values());
        texts.map(String::len).sum()
    }
}
