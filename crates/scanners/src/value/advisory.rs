//! Shared by the parsers of package audits (npm, Yarn, pip, Cargo, Bundler, OSV, Go).

use crate::reader::json;
use crate::reader::sniff::Sniff;
use finding::Finding;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Reads a field, or its default if it is missing, null or of an unexpected type: one field must not hide a
/// vulnerability. For `#[serde(default, deserialize_with = "or_default")]`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(json::from_value(value).unwrap_or_default())
}

/// The texts that are not blank, trimmed, each once, in order.
pub(crate) fn unique(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let text = text.trim();
        if !text.is_empty() && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

/// Makes the rule and the package the key. For a finding whose first advisory is the wrong key: its advisories
/// are of several vulnerabilities, or only some versions of the tool report all of them.
pub(crate) fn keyed_by_rule(mut finding: Finding) -> Finding {
    let package = finding.package.as_ref().map(|package| package.name.clone()).unwrap_or_default();
    finding.key = vec![("advisory".to_owned(), finding.rule.clone()), ("package".to_owned(), package)];
    finding
}

/// The id of the GitHub advisory in an address: `https://github.com/advisories/GHSA-xvch-5gv4-984h`.
pub(crate) fn github_id(url: &str) -> Option<String> {
    let (_, after) = url.rsplit_once("/GHSA-")?;
    let id: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    (!id.is_empty()).then(|| format!("GHSA-{id}"))
}

/// The addresses in a text, one per line or in Markdown: `- https://…`, `- [Report](https://…)`.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "()[]<>\"'".contains(c));
    unique(parts.filter(|part| part.starts_with("http://") || part.starts_with("https://")).map(str::to_owned))
}

/// The lowest versions that meet a requirement, which are the first fixed ones: those after `>=`, `~>`, `^` and `=`,
/// and those without an operator. Requirements are separated by commas, `||` or spaces: `>=1.2.3 <2.0.0 || >= 2.1.0`.
pub(crate) fn lower_bounds(requirement: &str) -> Vec<String> {
    let spaced = requirement.replace([',', '|', '\'', '"', ';'], " ");
    let mut found = Vec::new();
    let mut operator = "";
    for token in spaced.split_whitespace() {
        let digits = token.find(|c: char| c.is_ascii_digit()).unwrap_or(token.len());
        let (before, version) = token.split_at_checked(digits).unwrap_or((token, ""));
        let before = before.trim_end_matches('v');
        operator = if before.is_empty() { operator } else { before };
        if !version.is_empty() {
            if matches!(operator, ">=" | "~>" | "^" | "~" | "=" | "==" | "") {
                found.push(version.to_owned());
            }
            operator = "";
        }
    }
    unique(found)
}

/// The names of the outermost fields of a report, sorted. Absent if the report is longer than its head or not an
/// object.
pub(crate) fn outermost(sniff: &Sniff) -> Option<Vec<String>> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_str(sniff.text()).ok()?;
    Some(fields.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_github_advisory_is_found_only_in_its_address() {
        assert_eq!(
            github_id("https://github.com/advisories/GHSA-gxpj-cx7g-858c?x=1").as_deref(),
            Some("GHSA-gxpj-cx7g-858c")
        );
        assert_eq!(github_id("https://npmjs.com/advisories/1555"), None);
        assert_eq!(github_id("about GHSA-gxpj"), None);
    }

    #[test]
    fn addresses_are_found_in_lists_and_in_markdown() {
        let text = "- https://a.example/1\n- [Report](https://b.example/2)\n- https://a.example/1";
        assert_eq!(addresses(text), ["https://a.example/1", "https://b.example/2"]);
        assert!(addresses("none").is_empty());
    }

    #[test]
    fn the_lower_bounds_of_a_requirement_are_the_fixed_versions() {
        let cases: [(&str, &[&str]); 8] = [
            (">=2.0.1", &["2.0.1"]),
            (">= 0.6.1", &["0.6.1"]),
            (">=2.6.9 <3.0.0 || >= 3.1.0", &["2.6.9", "3.1.0"]),
            ("~> 1.6.11, >= 2.0.6", &["1.6.11", "2.0.6"]),
            ("'~> 2.1.3', '>= 2.2.0'", &["2.1.3", "2.2.0"]),
            ("^1.6.5", &["1.6.5"]),
            ("<0.0.0", &[]),
            (">1.0.0", &[]),
        ];
        for (requirement, expected) in cases {
            assert_eq!(lower_bounds(requirement), expected, "{requirement}");
        }
    }
}
