//! A project and its settings.

use super::{BaselineBody, SettingsRequestItem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a project, in requests and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsBody {
    /// The severity that issues without a severity count with: `critical`, `high`, `medium`, `low` or `info`. Default:
    /// they stay `unassigned`; if a threshold is set and not reached, they make the verdict `undecided`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unassigned_as: Option<String>,
    /// The treatment of results that the report marks as suppressed. `ignored` (default) ignores the mark: they count
    /// like all others. `honoured`: they do not count.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_suppressions: Option<String>,
    /// The baselines of targets without an own baseline, by type of target; `null` for no baseline. Types that are
    /// absent have the built-in one: `main|master` for repositories, `latest|v?\d+\.\d+\.\d+` for containers, none for
    /// others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub default_baselines: BTreeMap<String, Option<BaselineBody>>,
    /// The effect of `fail_on_new` and `fail_on_new_occurrences` if the baseline has no complete scan by the scanner.
    /// `everything_counts` (default): all issues and occurrences count as new. `undecided`: the two are not applied,
    /// and the verdict is `undecided`. `nothing_is_new`: the two are not applied.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_baseline: Option<String>,
    /// The number of results that may be unreadable in the report of a complete scan. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rejected_allowed: Option<u32>,
    /// The treatment by `fail_on_new_occurrences` of matched occurrences whose code was edited: `new` (default) or
    /// `common`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub updated_occurrences: Option<String>,
    /// The effect of blind spots that the reference scan does not have: `undecided` (default), `fail` or `ignore`. A
    /// blind spot is what the scanner could not examine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_blind_spots: Option<String>,
    /// The share in percent, 0 to 100, of what the reference scan examined that a scan has to examine. A scan that
    /// examined less is blind to everything. Default: 50; 0 compares nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub examined_share: Option<u32>,
    /// The least criteria for all targets. An upload can be stricter, never looser.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub criteria: Option<CriteriaBody>,
    /// Further least criteria, by a pattern in RE2's syntax for whole names of targets, at most 50. Of all that apply
    /// to a target, the strictest counts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub target_criteria: BTreeMap<String, CriteriaBody>,
    /// The people who may change a baseline that is set, and upload with `accept_missing`: `secops` (default; a
    /// developer may set a target's first baseline) or `developer`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline_changes: Option<String>,
    /// True if people may approve exemptions that they requested themselves. Default: `false`. The audit log marks such
    /// approvals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub self_approval: Option<bool>,
    /// True if exemptions without an end may be approved. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unlimited_exemptions: Option<bool>,
    /// The maximum number of days of an exemption, by the severity. Severities that are absent have no limit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub exemption_days_max: BTreeMap<String, u32>,
    /// The number of days before its end, 1 to 90, from which an exemption is listed as ending soon. Default: 7.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ending_notice_days: Option<u32>,
    /// The number of levels, 0 to 5, by which the severity of an issue may rise above the one that was approved without
    /// sending its exemption back to review. Default: 0. It applies to the band of EPSS, too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_rise_allowed: Option<u32>,
}

/// Least criteria of the gate. What is absent requires nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CriteriaBody {
    /// The severity from which an issue fails the gate: `critical`, `high`, `medium`, `low` or `info`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fail_on_severity: Option<String>,
    /// The severity from which a new issue fails the gate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fail_on_new: Option<String>,
    /// The severity from which a new occurrence fails the gate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fail_on_new_occurrences: Option<String>,
    /// The tools that have to report in each run of a pipeline that scans the target, at most 50. Until they have, a
    /// run that would pass is `undecided`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub required_scanners: Vec<String>,
    /// The least strict value of the setting `missing_baseline`: `nothing_is_new`, `everything_counts` and `undecided`
    /// are stricter in this order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing_baseline: Option<String>,
    /// The least strict value of the setting `new_blind_spots`: `ignore`, `undecided` and `fail` are stricter in this
    /// order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_blind_spots: Option<String>,
}

impl CriteriaBody {
    /// Sets the criterion with this name, as `required_scanners` with names of scanners that are separated by commas.
    /// More required scanners are added to the ones before.
    ///
    /// # Errors
    /// No criterion has this name, or it was set before.
    pub fn set(&mut self, name: &str, value: String) -> Result<(), CriterionError> {
        let field = match name {
            "fail_on_severity" => &mut self.fail_on_severity,
            "fail_on_new" => &mut self.fail_on_new,
            "fail_on_new_occurrences" => &mut self.fail_on_new_occurrences,
            "missing_baseline" => &mut self.missing_baseline,
            "new_blind_spots" => &mut self.new_blind_spots,
            "required_scanners" => {
                self.required_scanners.extend(value.split(',').map(|scanner| scanner.trim().to_owned()));
                return Ok(());
            }
            _ => return Err(CriterionError::Unknown),
        };
        if field.replace(value).is_some() { Err(CriterionError::Twice) } else { Ok(()) }
    }
}

/// A criterion that [`CriteriaBody::set`] does not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CriterionError {
    /// No criterion has this name.
    Unknown,
    /// The criterion was set before.
    Twice,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProjectAnswer {
    /// The project's name.
    pub id: String,
    /// The project's settings.
    pub settings: SettingsBody,
    /// The time of its creation, RFC 3339.
    pub created_at: String,
    /// The number of its targets.
    pub targets: usize,
    /// The version of the settings, for `If-Match`. It changes with every change of them; 0 if the last change was made
    /// by a program that did not record it.
    pub version: u64,
    /// The person who changed the settings last, if that is recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed_by: Option<String>,
    /// The time of that change, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changed_at: Option<String>,
    /// A pending request to change settings.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings_request: Option<Box<SettingsRequestItem>>,
}
