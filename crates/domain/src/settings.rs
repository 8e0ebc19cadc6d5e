//! Words of a project's settings: what the gate does where something is missing or doubtful.

use crate::baseline::Choice;
use crate::target::TargetType;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;

/// What a project's admin decides for all its scans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The level that issues without a severity count as; absent: with a threshold set they make a verdict undecided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unassigned_as: Option<Severity>,
    /// Whether results that their report marks as suppressed count like any other, or not at all.
    #[serde(skip_serializing_if = "is_default", default)]
    pub tool_suppressions: ToolSuppressions,
    /// The baselines of targets that have none of their own, by type; a type that is absent has the built-in one.
    #[serde(skip_serializing_if = "is_default", default)]
    pub default_baselines: BTreeMap<TargetType, Choice>,
    /// What the criteria for what is new do where the baseline has no complete scan by the scanner.
    #[serde(skip_serializing_if = "is_default", default)]
    pub missing_baseline: MissingBaseline,
    /// How many of a report's entries may be unreadable before its scan is incomplete.
    #[serde(skip_serializing_if = "is_default", default)]
    pub rejected_allowed: u32,
    /// Whether an occurrence is new if it was recognised although its code was edited.
    #[serde(skip_serializing_if = "is_default", default)]
    pub updated_occurrences: UpdatedOccurrences,
    /// Whether somebody may approve the exemption that they asked for themselves.
    #[serde(skip_serializing_if = "is_default", default)]
    pub self_approval: bool,
    /// Whether exemptions without an end may be granted.
    #[serde(skip_serializing_if = "is_default", default)]
    pub unlimited_exemptions: bool,
    /// For how many days an issue of a level may be exempted at most.
    #[serde(skip_serializing_if = "is_default", default)]
    pub exemption_days_max: BTreeMap<Severity, u32>,
    /// How many days before an exemption's end people are told.
    #[serde(skip_serializing_if = "is_default", default)]
    pub ending_notice_days: NoticeDays,
}

impl Settings {
    /// The level that an issue counts as, given its own.
    pub fn judged_as(&self, level: Severity) -> Severity {
        match (level, self.unassigned_as) {
            (Severity::Unassigned, Some(level)) => level,
            (level, _) => level,
        }
    }
}

/// How many days before an exemption's end people are told, from 1 to 90.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeDays(u32);

impl NoticeDays {
    /// So many days, if that is allowed.
    pub fn new(days: u32) -> Option<Self> {
        (1..=90).contains(&days).then_some(Self(days))
    }

    /// The days.
    pub fn days(self) -> u32 {
        self.0
    }
}

impl Default for NoticeDays {
    /// The reference product's: section 7, the list of what ends within N days.
    fn default() -> Self {
        Self(7)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the criteria for new issues and occurrences do while the baseline has no complete scan by the scanner.
/// `fail_on_severity` holds whatever this says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingBaseline {
    /// Everything counts as new, and the reason says why.
    #[default]
    EverythingCounts,
    /// They are not applied, and the verdict is undecided.
    Undecided,
    /// They are not applied.
    NothingIsNew,
}

/// What an occurrence is taken for that was recognised although its code was edited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdatedOccurrences {
    /// For a new one: what was edited may have become worse.
    #[default]
    New,
    /// For the one it was.
    Common,
}

impl MissingBaseline {
    /// All, with the names that the API gives them.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::EverythingCounts, "everything_counts"),
        (Self::Undecided, "undecided"),
        (Self::NothingIsNew, "nothing_is_new"),
    ];

    /// The name that the API gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EverythingCounts => "everything_counts",
            Self::Undecided => "undecided",
            Self::NothingIsNew => "nothing_is_new",
        }
    }
}

impl UpdatedOccurrences {
    /// Both, with the names that the API gives them.
    pub const ALL: [(Self, &'static str); 2] = [(Self::New, "new"), (Self::Common, "common")];

    /// The name that the API gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Common => "common",
        }
    }
}

impl FromStr for MissingBaseline {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::ALL, name)
    }
}

impl FromStr for UpdatedOccurrences {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::ALL, name)
    }
}

fn named<T: Copy>(all: &[(T, &'static str)], name: &str) -> Result<T, String> {
    let found = all.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
    found.map(|(value, _)| *value).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(_, known)| format!("`{known}`")).collect();
        format!("`{}` is none of {}", name.escape_default(), known.join(", "))
    })
}

/// What becomes of results that their report marks as suppressed: by a comment in the source, or in the scanner's own
/// triage. Whoever can change the source can suppress, so nothing is taken off the gate by it unless an admin says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolSuppressions {
    /// They count like any other result.
    #[default]
    Ignored,
    /// They are left out of issues, and counted as suppressed.
    Honoured,
}

impl ToolSuppressions {
    /// Both, with their names.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Ignored, "ignored"), (Self::Honoured, "honoured")];

    /// The name that the API gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Honoured => "honoured",
        }
    }
}

impl FromStr for ToolSuppressions {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found
            .map(|(value, _)| value)
            .ok_or_else(|| format!("`{}` is neither `ignored` nor `honoured`", name.escape_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for (value, word) in MissingBaseline::ALL {
            assert_eq!((word.parse(), value.as_str()), (Ok(value), word));
            assert_eq!(serde_json::to_value(value).unwrap(), word);
        }
        for (value, word) in UpdatedOccurrences::ALL {
            assert_eq!((word.parse(), value.as_str()), (Ok(value), word));
            assert_eq!(serde_json::to_value(value).unwrap(), word);
        }
        assert_eq!(
            "pass".parse::<MissingBaseline>().unwrap_err(),
            "`pass` is none of `everything_counts`, `undecided`, `nothing_is_new`"
        );
        assert!("updated".parse::<UpdatedOccurrences>().is_err());
    }
}
