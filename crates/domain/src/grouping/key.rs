//! The identity of issues.

use crate::ids::IssueId;
use crate::signature::place_text;
use finding::{Finding, Kind};
use serde::{Deserialize, Serialize};

/// The key of an issue: named fields in a declared order. Findings with equal keys are one issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueKey {
    /// The names of the fields.
    pub pattern: Vec<String>,
    /// The values of the fields.
    pub values: Vec<String>,
}

impl IssueKey {
    /// Returns the key of a finding of this product. If a dependency's vulnerability has several names, the key has the
    /// first of them; [`Grouper`](super::Grouper) unites names of different findings.
    pub fn of(product: &str, finding: &Finding) -> Self {
        if !finding.key.is_empty() {
            let declared = finding.key.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            return Self::from_fields([("product", product)].into_iter().chain(declared));
        }
        let rule = finding.rule.as_str();
        let package = finding.package.as_ref().map(|package| package.name.as_str()).unwrap_or_default();
        let product = ("product", product);
        match finding.kind {
            Kind::Code | Kind::Web | Kind::Host => Self::from_fields([product, ("rule", rule)]),
            Kind::Infrastructure => Self::from_fields([product, ("check", rule)]),
            Kind::License => Self::from_fields([product, ("license", rule), ("package", package)]),
            Kind::Dependency => {
                let advisory = first_name(names(finding)).unwrap_or(rule);
                Self::from_fields([product, ("advisory", advisory), ("package", package)])
            }
            Kind::Secret => match &finding.secret {
                Some(secret) => Self::from_fields([product, ("rule", rule), ("secret", &secret.digest)]),
                None => Self::from_fields([product, ("rule", rule), ("path", &place_text(finding))]),
            },
        }
    }

    fn from_fields<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let (pattern, values) = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).unzip();
        Self { pattern, values }
    }

    /// Returns the product: the tool that wrote the findings.
    pub fn product(&self) -> Option<&str> {
        self.value("product")
    }

    /// Returns the value of a field.
    pub(super) fn value(&self, field: &str) -> Option<&str> {
        let at = self.pattern.iter().position(|name| name == field)?;
        self.values.get(at).map(String::as_str)
    }

    /// Returns the id that the issue would have with another value of a field.
    pub(super) fn id_with(&self, field: &str, value: &str) -> Option<IssueId> {
        let at = self.pattern.iter().position(|name| name == field)?;
        let mut other = self.clone();
        *other.values.get_mut(at)? = value.to_owned();
        Some(other.id())
    }

    /// Returns the issue's id, by version 1 of the recipe. A change of the recipe is a new version and a migration,
    /// never an edit.
    pub fn id(&self) -> IssueId {
        let fields: Vec<&[u8]> = self
            .pattern
            .iter()
            .zip(&self.values)
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
            .collect();
        IssueId::derived("v1:issue", &fields)
    }
}

/// Returns the names of a dependency's vulnerability: its advisories, or else the rule.
pub(super) fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    let rule = finding.advisories.is_empty().then_some(finding.rule.as_str());
    finding.advisories.iter().map(String::as_str).chain(rule)
}

/// Returns the first of several names: a CVE before a GHSA before any other, then by the alphabet.
pub(super) fn first_name<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rank = |name: &str| match name.get(..5) {
        Some("GHSA-") => 1,
        Some(start) if start.starts_with("CVE-") => 0,
        Some(_) | None => 2,
    };
    names.min_by_key(|name| (rank(name), *name))
}
