//! The threshold of the gate.

use finding::severity::{Severity, UnknownSeverity};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The severity from which the gate fails. The word is stored as the caller wrote it, because messages repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    level: Option<Severity>,
    written: String,
}

impl Threshold {
    /// Returns the threshold `none`: the gate does not fail by severity.
    pub fn none() -> Self {
        Self { level: None, written: "none".to_owned() }
    }

    /// Returns the severity from which an issue fails the gate; absent for `none`.
    pub fn level(&self) -> Option<Severity> {
        self.level
    }

    /// Returns the word as the caller wrote it.
    pub fn as_written(&self) -> &str {
        &self.written
    }
}

impl Threshold {
    /// Returns the stricter of two thresholds; this one if both are equal. `none` is the least strict.
    pub fn stricter<'a>(&'a self, other: &'a Self) -> &'a Self {
        match (self.level, other.level) {
            (Some(own), Some(other_level)) if other_level < own => other,
            (None, Some(_)) => other,
            (_, _) => self,
        }
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self::none()
    }
}

impl FromStr for Threshold {
    type Err = UnknownSeverity;
    fn from_str(value: &str) -> Result<Self, UnknownSeverity> {
        let unknown = || UnknownSeverity {
            value: value.to_owned(),
            allowed: "critical, high, medium, low, info, none (upper or lower case)",
        };
        let level = match value.parse::<Severity>() {
            Ok(Severity::Unassigned) => return Err(unknown()),
            Ok(level) => Some(level),
            Err(_) if value.eq_ignore_ascii_case("none") => None,
            Err(_) => return Err(unknown()),
        };
        Ok(Self { level, written: value.to_owned() })
    }
}

impl TryFrom<String> for Threshold {
    type Error = UnknownSeverity;
    fn try_from(value: String) -> Result<Self, UnknownSeverity> {
        value.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> String {
        threshold.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_ignores_case_and_keeps_the_word_as_written() {
        let threshold: Threshold = "CriTical".parse().unwrap();
        assert_eq!((threshold.level(), threshold.as_written()), (Some(Severity::Critical), "CriTical"));
        assert_eq!("NONE".parse::<Threshold>().unwrap().level(), None);
        for bad in ["", "severe", "unassigned", "all"] {
            assert!(bad.parse::<Threshold>().is_err(), "{bad}");
        }
        assert_eq!(
            "severe".parse::<Threshold>().unwrap_err().to_string(),
            "`severe` is not a severity; expected one of critical, high, medium, low, info, none (upper or lower case)"
        );
    }
}
