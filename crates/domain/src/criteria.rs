//! The least criteria of a project: what the gate applies to every upload, whatever the uploader asks for. An upload
//! may be stricter, never looser.

use crate::baseline::{BaselinePattern, PatternError};
use crate::ids::{ScannerId, TargetName};
use crate::serde_skip::is_default;
use crate::settings::{MissingBaseline, NewBlindSpots};
use crate::threshold::Threshold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of patterns of targets with criteria of their own.
pub const TARGET_CRITERIA_MAX: usize = 50;
/// The maximum number of scanners that a project or pattern requires.
pub const REQUIRED_SCANNERS_MAX: usize = 50;

/// Least criteria, of a project or of some of its targets. What is absent requires nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeastCriteria {
    /// The severity from which an issue fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_severity: Threshold,
    /// The severity from which a new issue fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new: Threshold,
    /// The severity from which a new occurrence fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new_occurrences: Threshold,
    /// The tools that have to report in each run of a pipeline that scans the target.
    #[serde(skip_serializing_if = "is_default", default)]
    pub required_scanners: BTreeSet<ScannerId>,
    /// The least strict treatment of a baseline without a complete scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_baseline: Option<MissingBaseline>,
    /// The least strict effect of new blind spots.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_blind_spots: Option<NewBlindSpots>,
}

impl LeastCriteria {
    /// Returns the stricter of both, field by field.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            fail_on_severity: self.fail_on_severity.stricter(&other.fail_on_severity).clone(),
            fail_on_new: self.fail_on_new.stricter(&other.fail_on_new).clone(),
            fail_on_new_occurrences: self.fail_on_new_occurrences.stricter(&other.fail_on_new_occurrences).clone(),
            required_scanners: self.required_scanners.union(&other.required_scanners).cloned().collect(),
            missing_baseline: self.missing_baseline.into_iter().chain(other.missing_baseline).max_by_key(rank_missing),
            new_blind_spots: self.new_blind_spots.into_iter().chain(other.new_blind_spots).max_by_key(rank_blind),
        }
    }

    /// Returns the stricter of these criteria and the project's setting.
    pub fn missing_baseline(&self, setting: MissingBaseline) -> MissingBaseline {
        self.missing_baseline.into_iter().chain([setting]).max_by_key(rank_missing).unwrap_or(setting)
    }

    /// Returns the stricter of these criteria and the project's setting.
    pub fn new_blind_spots(&self, setting: NewBlindSpots) -> NewBlindSpots {
        self.new_blind_spots.into_iter().chain([setting]).max_by_key(rank_blind).unwrap_or(setting)
    }
}

/// The strictness of a value: how much it keeps from passing.
fn rank_missing(value: &MissingBaseline) -> u8 {
    match value {
        MissingBaseline::NothingIsNew => 0,
        MissingBaseline::EverythingCounts => 1,
        MissingBaseline::Undecided => 2,
    }
}

/// The strictness of a value: how much it keeps from passing.
fn rank_blind(value: &NewBlindSpots) -> u8 {
    match value {
        NewBlindSpots::Ignore => 0,
        NewBlindSpots::Undecided => 1,
        NewBlindSpots::Fail => 2,
    }
}

/// A pattern for whole names of targets, in the syntax of baseline patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetPattern(String);

impl TargetPattern {
    /// True if the pattern matches the whole name.
    ///
    /// # Errors
    /// The stored pattern is invalid.
    pub fn matches(&self, target: &TargetName) -> Result<bool, PatternError> {
        Ok(self.0.parse::<BaselinePattern>()?.matcher()?.matches_text(target.as_str()))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for TargetPattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        text.parse::<BaselinePattern>()?;
        Ok(Self(text.to_owned()))
    }
}

/// Returns the least criteria for a target: those of the project and of every pattern that matches it, the strictest of
/// each.
///
/// # Errors
/// A stored pattern is invalid.
pub fn least_criteria(
    of_project: &LeastCriteria,
    of_targets: &BTreeMap<TargetPattern, LeastCriteria>,
    target: &TargetName,
) -> Result<LeastCriteria, PatternError> {
    let mut least = of_project.clone();
    for (pattern, criteria) in of_targets {
        if pattern.matches(target)? {
            least = least.and(criteria);
        }
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criteria(severity: &str, new: &str) -> LeastCriteria {
        LeastCriteria {
            fail_on_severity: severity.parse().unwrap(),
            fail_on_new: new.parse().unwrap(),
            ..LeastCriteria::default()
        }
    }

    #[test]
    fn the_strictest_of_all_that_match_applies() {
        let scanners = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let of_targets = BTreeMap::from([
            ("web|api".parse().unwrap(), criteria("high", "none")),
            (
                "web".parse().unwrap(),
                LeastCriteria {
                    required_scanners: scanners(&["bandit"]),
                    missing_baseline: Some(MissingBaseline::Undecided),
                    new_blind_spots: Some(NewBlindSpots::Fail),
                    ..criteria("critical", "low")
                },
            ),
        ]);
        let project = LeastCriteria { required_scanners: scanners(&["trivy"]), ..criteria("none", "medium") };
        let of = |name: &str| least_criteria(&project, &of_targets, &name.parse().unwrap()).unwrap();
        let web = of("web");
        assert_eq!((web.fail_on_severity.as_written(), web.fail_on_new.as_written()), ("high", "low"));
        assert_eq!(web.required_scanners, scanners(&["bandit", "trivy"]));
        assert_eq!(web.missing_baseline(MissingBaseline::NothingIsNew), MissingBaseline::Undecided);
        assert_eq!(web.new_blind_spots(NewBlindSpots::Ignore), NewBlindSpots::Fail);
        let other = of("webshop");
        assert_eq!(other, project, "a pattern is for the whole name");
        assert_eq!(other.missing_baseline(MissingBaseline::NothingIsNew), MissingBaseline::NothingIsNew);
        assert_eq!(of("api").fail_on_new.as_written(), "medium");
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let stored = serde_json::to_string(&criteria("High", "none")).unwrap();
        assert_eq!(stored, r#"{"fail_on_severity":"High"}"#);
        assert_eq!(serde_json::from_str::<LeastCriteria>("{}").unwrap(), LeastCriteria::default());
        assert!("(".parse::<TargetPattern>().is_err());
    }
}
