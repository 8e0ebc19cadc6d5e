//! A request to change the settings that can loosen the gate, and a reviewer's decision. They decide what every upload
//! is judged by, so a developer's change takes two people, as an exemption does.

use crate::change_decision::{ChangeDecision, PendingChange};
use crate::criteria::{LeastCriteria, TargetPattern};
use crate::event::Mark;
use crate::ids::Subject;
use crate::journal::Refusal;
use crate::settings::{Settings, ToolSuppressions};
use crate::threshold::Threshold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The settings that a developer may request to change, and that the role secops may change. A setting that is absent
/// stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSettings {
    /// The treatment of results that their report marks as suppressed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_suppressions: Option<ToolSuppressions>,
    /// The least criteria for all targets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub criteria: Option<LeastCriteria>,
    /// Further least criteria for the targets that match a pattern.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target_criteria: Option<BTreeMap<TargetPattern, LeastCriteria>>,
}

impl GateSettings {
    /// The names of these settings.
    pub const NAMES: [&'static str; 3] = ["tool_suppressions", "criteria", "target_criteria"];

    /// Returns all of them as a project has them.
    pub fn of(settings: &Settings) -> Self {
        Self {
            tool_suppressions: Some(settings.tool_suppressions),
            criteria: Some(settings.criteria.clone()),
            target_criteria: Some(settings.target_criteria.clone()),
        }
    }

    /// True if no setting is named.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns a project's settings with those that are named here.
    pub fn applied_to(&self, settings: &Settings) -> Settings {
        let mut changed = settings.clone();
        if let Some(tool_suppressions) = self.tool_suppressions {
            changed.tool_suppressions = tool_suppressions;
        }
        if let Some(criteria) = &self.criteria {
            changed.criteria.clone_from(criteria);
        }
        if let Some(target_criteria) = &self.target_criteria {
            changed.target_criteria.clone_from(target_criteria);
        }
        changed
    }

    /// Returns the names of settings that are not among these.
    pub fn others(names: &BTreeSet<String>) -> Vec<&str> {
        names.iter().map(String::as_str).filter(|name| !Self::NAMES.contains(name)).collect()
    }
}

/// A pending request. A project has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsRequest {
    /// The requested settings.
    pub requested: GateSettings,
    /// All settings that can be requested, at the time of the request. They work together: the strictest criterion of
    /// all counts.
    pub current: GateSettings,
    /// The requester's reason.
    pub reason: String,
    /// The requester, the time and the event.
    pub made: Mark,
}

impl SettingsRequest {
    /// Makes a request. `pending` is the project's pending one, which is replaced if it is outdated.
    ///
    /// # Errors
    /// Another request is pending, or the project has the requested settings.
    pub fn new(
        pending: Option<&Self>,
        settings: &Settings,
        requested: GateSettings,
        reason: String,
        made: Mark,
    ) -> Result<Self, Refusal> {
        if let Some(held) = pending.filter(|held| held.is_current(settings)) {
            let by = &held.made.by.subject;
            let what = format!("the project has a pending request by `{by}` to change its settings already");
            return Err(Refusal::new(what));
        }
        let request = Self { requested, current: GateSettings::of(settings), reason, made };
        if request.changes(settings).is_empty() {
            return Err(Refusal::new("the project has the requested settings already; nothing would change"));
        }
        Ok(request)
    }

    /// True if the settings are those that the requester saw.
    pub fn is_current(&self, settings: &Settings) -> bool {
        self.current == GateSettings::of(settings)
    }

    /// Checks that a person may make a decision, given the project's settings now.
    ///
    /// # Errors
    /// As [`PendingChange::check`].
    pub fn check(&self, decision: ChangeDecision, by: &Subject, settings: &Settings) -> Result<(), Refusal> {
        let (requester, current) = (&self.made.by.subject, self.is_current(settings));
        PendingChange { requester, what: "the settings have", current }.check(decision, by)
    }

    /// Returns what an approval would change in a project's settings.
    pub fn changes(&self, settings: &Settings) -> Vec<SettingChange> {
        let then = self.requested.applied_to(settings);
        let mut changes = Vec::new();
        if settings.tool_suppressions != then.tool_suppressions {
            let value = |settings: &Settings| Some(settings.tool_suppressions.as_str().to_owned());
            let (now, then) = (value(settings), value(&then));
            changes.push(SettingChange { setting: "tool_suppressions", pattern: None, criterion: None, now, then });
        }
        add_changes(&mut changes, None, &settings.criteria, &then.criteria);
        let patterns: BTreeSet<_> = settings.target_criteria.keys().chain(then.target_criteria.keys()).collect();
        let nothing = LeastCriteria::default();
        for pattern in patterns {
            let of = |settings: &'_ BTreeMap<TargetPattern, LeastCriteria>| settings.get(pattern).cloned();
            let (now, then) = (of(&settings.target_criteria), of(&then.target_criteria));
            let (now, then) = (now.as_ref().unwrap_or(&nothing), then.as_ref().unwrap_or(&nothing));
            add_changes(&mut changes, Some(pattern), now, then);
        }
        changes
    }
}

/// A value that a request would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// The name of the setting.
    pub setting: &'static str,
    /// The pattern of targets, for criteria of some targets.
    pub pattern: Option<TargetPattern>,
    /// The name of the criterion, for criteria.
    pub criterion: Option<&'static str>,
    /// The value now; absent if nothing is required.
    pub now: Option<String>,
    /// The value after an approval; absent if nothing is required.
    pub then: Option<String>,
}

/// Adds the criteria that differ. Without a pattern they are those for all targets.
fn add_changes(
    changes: &mut Vec<SettingChange>,
    pattern: Option<&TargetPattern>,
    now: &LeastCriteria,
    then: &LeastCriteria,
) {
    let setting = if pattern.is_some() { "target_criteria" } else { "criteria" };
    for ((criterion, now), (_, then)) in values(now).into_iter().zip(values(then)) {
        if now != then {
            let pattern = pattern.cloned();
            changes.push(SettingChange { setting, pattern, criterion: Some(criterion), now, then });
        }
    }
}

/// Returns the criteria by name; absent is what requires nothing.
fn values(criteria: &LeastCriteria) -> [(&'static str, Option<String>); 6] {
    let threshold = |threshold: &Threshold| threshold.level().map(|level| level.as_str().to_owned());
    let scanners: Vec<_> = criteria.required_scanners.iter().map(ToString::to_string).collect();
    [
        ("fail_on_severity", threshold(&criteria.fail_on_severity)),
        ("fail_on_new", threshold(&criteria.fail_on_new)),
        ("fail_on_new_occurrences", threshold(&criteria.fail_on_new_occurrences)),
        ("required_scanners", (!scanners.is_empty()).then(|| scanners.join(", "))),
        ("missing_baseline", criteria.missing_baseline.map(|value| value.as_str().to_owned())),
        ("new_blind_spots", criteria.new_blind_spots.map(|value| value.as_str().to_owned())),
    ]
}

#[cfg(test)]
mod tests;
