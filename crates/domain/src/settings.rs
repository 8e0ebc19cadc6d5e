//! Words of a project's settings: what the gate does where something is missing or doubtful.

use crate::baseline::BaselineChoice;
use crate::target::TargetType;
use crate::word_enum::word_enum;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    pub default_baselines: BTreeMap<TargetType, BaselineChoice>,
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
    pub fn severity_counted(&self, level: Severity) -> Severity {
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

word_enum! {
    /// What the criteria for new issues and occurrences do while the baseline has no complete scan by the scanner.
    /// `fail_on_severity` holds whatever this says.
    #[derive(Default)]
    pub enum MissingBaseline: "a value of `missing_baseline`", eq_ignore_ascii_case {
        /// Everything counts as new, and the reason says why.
        #[default]
        EverythingCounts = "everything_counts",
        /// They are not applied, and the verdict is undecided.
        Undecided = "undecided",
        /// They are not applied.
        NothingIsNew = "nothing_is_new",
    }
}

word_enum! {
    /// What an occurrence is taken for that was recognised although its code was edited.
    #[derive(Default)]
    pub enum UpdatedOccurrences: "a value of `updated_occurrences`", eq_ignore_ascii_case {
        /// For a new one: what was edited may have become worse.
        #[default]
        New = "new",
        /// For the one it was.
        Common = "common",
    }
}

word_enum! {
    /// What becomes of results that their report marks as suppressed: by a comment in the source, or in the scanner's own
    /// triage. Whoever can change the source can suppress, so nothing is taken off the gate by it unless an admin says so.
    #[derive(Default)]
    pub enum ToolSuppressions: "a value of `tool_suppressions`", eq_ignore_ascii_case {
        /// They count like any other result.
        #[default]
        Ignored = "ignored",
        /// They are left out of issues, and counted as suppressed.
        Honoured = "honoured",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for value in MissingBaseline::ALL {
            assert_eq!(value.as_str().to_ascii_uppercase().parse(), Ok(value));
            assert_eq!(serde_json::to_value(value).unwrap(), value.as_str());
        }
        for value in UpdatedOccurrences::ALL {
            assert_eq!(value.as_str().parse(), Ok(value));
            assert_eq!(serde_json::to_value(value).unwrap(), value.as_str());
        }
        assert_eq!(
            "pass".parse::<MissingBaseline>().unwrap_err().to_string(),
            "`pass` is not a value of `missing_baseline`; expected one of `everything_counts`, `undecided`, `nothing_is_new`"
        );
        assert!("updated".parse::<UpdatedOccurrences>().is_err());
    }
}
