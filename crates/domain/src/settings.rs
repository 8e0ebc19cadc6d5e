//! The settings of a project.

use crate::baseline::{BaselineChoice, PatternError};
use crate::criteria::{LeastCriteria, TargetPattern, least_criteria};
use crate::ids::TargetName;
use crate::serde_skip::is_default;
use crate::target::TargetType;
use crate::word_enum::word_enum;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The settings of a project, which apply to all its scans. An admin sets them; reviewers may change [some of
/// them](crate::settings_request::GateSettings).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The severity that issues without one count as. If absent, such issues make the verdict undecided, if a threshold
    /// is set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unassigned_as: Option<Severity>,
    /// The treatment of results that their report marks as suppressed.
    #[serde(skip_serializing_if = "is_default", default)]
    pub tool_suppressions: ToolSuppressions,
    /// The default baselines by type of target. A type that is absent has the built-in default.
    #[serde(skip_serializing_if = "is_default", default)]
    pub default_baselines: BTreeMap<TargetType, BaselineChoice>,
    /// The treatment of new issues and occurrences if the baseline has no complete scan by the scanner.
    #[serde(skip_serializing_if = "is_default", default)]
    pub missing_baseline: MissingBaseline,
    /// The number of a report's results that may be unreadable without making its scan incomplete.
    #[serde(skip_serializing_if = "is_default", default)]
    pub rejected_allowed: u32,
    /// The treatment of occurrences that were matched although their code was edited.
    #[serde(skip_serializing_if = "is_default", default)]
    pub updated_occurrences: UpdatedOccurrences,
    /// The effect of blind spots that the reference scan does not have.
    #[serde(skip_serializing_if = "is_default", default)]
    pub new_blind_spots: NewBlindSpots,
    /// The share of what the reference scan examined that a scan has to examine.
    #[serde(skip_serializing_if = "is_default", default)]
    pub examined_share: ExaminedShare,
    /// The least criteria for all targets.
    #[serde(skip_serializing_if = "is_default", default)]
    pub criteria: LeastCriteria,
    /// Further least criteria for the targets that match a pattern.
    #[serde(skip_serializing_if = "is_default", default)]
    pub target_criteria: BTreeMap<TargetPattern, LeastCriteria>,
    /// The people who may change baselines, and accept that something is not scanned any more.
    #[serde(skip_serializing_if = "is_default", default)]
    pub baseline_changes: BaselineChanges,
    /// True if requesters may approve their own exemptions.
    #[serde(skip_serializing_if = "is_default", default)]
    pub self_approval: bool,
    /// True if exemptions without an end may be approved.
    #[serde(skip_serializing_if = "is_default", default)]
    pub unlimited_exemptions: bool,
    /// The maximum term of an exemption in days, by the severity of its issue.
    #[serde(skip_serializing_if = "is_default", default)]
    pub exemption_days_max: BTreeMap<Severity, u32>,
    /// The time before an exemption's end at which people are notified.
    #[serde(skip_serializing_if = "is_default", default)]
    pub ending_notice_days: NoticeDays,
    /// The rise of an issue's severity up to which an exemption still applies.
    #[serde(skip_serializing_if = "is_default", default)]
    pub severity_rise_allowed: SeverityRise,
}

impl Settings {
    /// Returns the least criteria for a target.
    ///
    /// # Errors
    /// A stored pattern is invalid.
    pub fn least_criteria(&self, target: &TargetName) -> Result<LeastCriteria, PatternError> {
        least_criteria(&self.criteria, &self.target_criteria, target)
    }

    /// Returns these settings with those of `other` that have one of these names, as they are stored.
    ///
    /// # Errors
    /// The settings cannot be written or read as JSON. That is a bug of ours.
    pub fn with(&self, other: &Self, names: &BTreeSet<String>) -> Result<Self, serde_json::Error> {
        type Fields = serde_json::Map<String, serde_json::Value>;
        let fields = |settings: &Self| serde_json::from_value::<Fields>(serde_json::to_value(settings)?);
        let (mut all, mut named) = (fields(self)?, fields(other)?);
        for name in names {
            // A setting with its default is not stored.
            match named.remove(name) {
                Some(value) => drop(all.insert(name.clone(), value)),
                None => drop(all.remove(name)),
            }
        }
        serde_json::from_value(serde_json::Value::Object(all))
    }

    /// Returns the severity that an issue with this severity counts as.
    pub fn severity_counted(&self, level: Severity) -> Severity {
        severity_counted(level, self.unassigned_as)
    }
}

/// Returns the severity that an issue counts as, if issues without one count as `unassigned_as`.
pub(crate) fn severity_counted(level: Severity, unassigned_as: Option<Severity>) -> Severity {
    match (level, unassigned_as) {
        (Severity::Unassigned, Some(level)) => level,
        (level, _) => level,
    }
}

/// A number of days before an exemption's end, from 1 to 90, at which people are notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeDays(u32);

impl NoticeDays {
    /// Makes one; nothing if the number is not allowed.
    pub fn new(days: u32) -> Option<Self> {
        (1..=90).contains(&days).then_some(Self(days))
    }

    /// Returns the number of days.
    pub fn days(self) -> u32 {
        self.0
    }
}

impl Default for NoticeDays {
    /// As in the reference product: section 7, the list of exemptions that end within N days.
    fn default() -> Self {
        Self(7)
    }
}

/// A number of levels, from 0 to 5, by which the severity of an issue may rise above the one that was approved.
/// `unassigned` is one level below `info`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeverityRise(u32);

impl SeverityRise {
    /// Makes one; nothing if the number is not allowed.
    pub fn new(levels: u32) -> Option<Self> {
        (levels <= 5).then_some(Self(levels))
    }

    /// Returns the number of levels.
    pub fn levels(self) -> u32 {
        self.0
    }
}

/// A share in percent, from 0 to 100: a scan that examined less than this share of what its reference scan examined is
/// blind to everything. 0 compares nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExaminedShare(u32);

impl ExaminedShare {
    /// Makes one; nothing if the number is not allowed.
    pub fn new(percent: u32) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// Returns the percent.
    pub fn percent(self) -> u32 {
        self.0
    }
}

impl Default for ExaminedShare {
    fn default() -> Self {
        Self(50)
    }
}

word_enum! {
    /// The effect of new [blind spots](crate::blind_spots).
    #[derive(Default)]
    pub enum NewBlindSpots: "a value of `new_blind_spots`", eq_ignore_ascii_case {
        /// The verdict is undecided, unless a threshold was reached.
        #[default]
        Undecided = "undecided",
        /// The scan fails.
        Fail = "fail",
        /// None; they are listed.
        Ignore = "ignore",
    }
}

word_enum! {
    /// The people who may change a baseline that is set, and accept that something is not scanned any more. Both move
    /// what a developer's own change is judged by.
    #[derive(Default)]
    pub enum BaselineChanges: "a value of `baseline_changes`", eq_ignore_ascii_case {
        /// Reviewers: the roles secops and admin. A developer may set the first baseline of a target.
        #[default]
        Secops = "secops",
        /// Developers too, as in the reference product.
        Developer = "developer",
    }
}

word_enum! {
    /// The treatment of new issues and occurrences while the baseline has no complete scan by the scanner.
    /// `fail_on_severity` applies in any case.
    #[derive(Default)]
    pub enum MissingBaseline: "a value of `missing_baseline`", eq_ignore_ascii_case {
        /// Everything counts as new, and a reason states the cause.
        #[default]
        EverythingCounts = "everything_counts",
        /// The criteria for new issues and occurrences are not applied, and the verdict is undecided.
        Undecided = "undecided",
        /// The criteria for new issues and occurrences are not applied.
        NothingIsNew = "nothing_is_new",
    }
}

word_enum! {
    /// The treatment of an occurrence that was matched although its code was edited.
    #[derive(Default)]
    pub enum UpdatedOccurrences: "a value of `updated_occurrences`", eq_ignore_ascii_case {
        /// It counts as new: the edit may have made it worse.
        #[default]
        New = "new",
        /// It counts as common.
        Common = "common",
    }
}

word_enum! {
    /// The treatment of results that their report marks as suppressed, by a comment in the source or in the scanner's
    /// own triage. Everyone who can change the source can suppress a result, so suppressions are ignored unless a
    /// reviewer decides otherwise.
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
    fn named_settings_change_and_others_stay() {
        let now = Settings {
            self_approval: true,
            rejected_allowed: 3,
            exemption_days_max: [(Severity::High, 30)].into(),
            ..Settings::default()
        };
        let other = Settings { unassigned_as: Some(Severity::Low), rejected_allowed: 9, ..Settings::default() };
        let with = |names: &[&str]| now.with(&other, &names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
        assert_eq!(with(&[]), now);
        assert_eq!(with(&["unassigned_as"]), Settings { unassigned_as: Some(Severity::Low), ..now.clone() });
        assert_eq!(with(&["self_approval"]), Settings { self_approval: false, ..now.clone() }, "to its default");
        let both = Settings { exemption_days_max: BTreeMap::new(), rejected_allowed: 9, ..now.clone() };
        assert_eq!(with(&["rejected_allowed", "exemption_days_max"]), both);
    }

    #[test]
    fn words_round_trip() {
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
