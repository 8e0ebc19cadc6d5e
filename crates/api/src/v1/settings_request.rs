//! Requests to change the settings that can loosen the gate.

use super::CriteriaBody;
use domain::ids::EventId;
use domain::settings::ToolSuppressions;
use domain::settings_request::{SettingChange, SettingsRequest};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The settings that a developer can request to change, and that the role secops may change. A setting that is absent
/// stays as it is; `null` resets one to its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GateSettingsBody {
    /// The treatment of results that the report marks as suppressed: `ignored` (default) or `honoured`.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "suppressions")]
    pub tool_suppressions: Option<String>,
    /// The least criteria for all targets, as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "value_or_default")]
    pub criteria: Option<CriteriaBody>,
    /// Further least criteria, by a pattern for whole names of targets, as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "value_or_default")]
    pub target_criteria: Option<BTreeMap<String, CriteriaBody>>,
}

/// Reads a value that is present; `null` is the default.
fn value_or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Some(Option::<T>::deserialize(from)?.unwrap_or_default()))
}

/// Reads a word that is present; `null` is the default.
fn suppressions<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let word = Option::<String>::deserialize(from)?;
    Ok(Some(word.unwrap_or_else(|| ToolSuppressions::default().as_str().to_owned())))
}

/// A request to change settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsRequestBody {
    /// The requested settings, at least one.
    pub settings: GateSettingsBody,
    /// The reason, at most 1,024 characters.
    pub reason: String,
}

/// A decision on a request to change settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsDecisionBody {
    /// The id of the request. If another request has replaced it, nothing is decided.
    #[cfg_attr(test, schemars(with = "String"))]
    pub request: EventId,
    /// A comment, at most 1,024 characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub comment: String,
}

/// A pending request to change settings, with its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SettingsRequestItem {
    /// The id of the request.
    #[cfg_attr(test, schemars(with = "String"))]
    pub request: EventId,
    /// The requested settings.
    pub settings: GateSettingsBody,
    /// The reason.
    pub reason: String,
    /// The requester.
    pub requested_by: String,
    /// The time of the request, RFC 3339.
    pub requested_at: String,
    /// True if one of the settings that can be requested has changed since, so that the request cannot be approved.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub outdated: bool,
    /// The values that an approval would change now.
    pub changes: Vec<SettingChangeItem>,
}

/// A value that an approval would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SettingChangeItem {
    /// The name of the setting: `tool_suppressions`, `criteria` or `target_criteria`.
    pub setting: String,
    /// The pattern of targets; absent except for `target_criteria`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pattern: Option<String>,
    /// The name of the criterion; absent for `tool_suppressions`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub criterion: Option<String>,
    /// The value now; absent if nothing is required.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub now: Option<String>,
    /// The value after an approval; absent if nothing is required.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub then: Option<String>,
}

impl SettingsRequestItem {
    /// Makes the item of a pending request. `settings` are the requested ones.
    pub fn new(
        request: &SettingsRequest,
        settings: GateSettingsBody,
        outdated: bool,
        changes: Vec<SettingChange>,
    ) -> Self {
        Self {
            request: request.made.event,
            settings,
            reason: request.reason.clone(),
            requested_by: request.made.by.subject.to_string(),
            requested_at: request.made.at.to_string(),
            outdated,
            changes: changes.into_iter().map(SettingChangeItem::from).collect(),
        }
    }
}

impl SettingChangeItem {
    /// The changed value in words: the setting with its pattern and criterion.
    pub fn name(&self) -> String {
        let pattern = self.pattern.as_ref().map(|pattern| format!(" of {pattern}")).unwrap_or_default();
        let criterion = self.criterion.as_ref().map(|criterion| format!(": {criterion}")).unwrap_or_default();
        format!("{}{pattern}{criterion}", self.setting)
    }
}

impl From<SettingChange> for SettingChangeItem {
    fn from(change: SettingChange) -> Self {
        let SettingChange { setting, pattern, criterion, now, then } = change;
        Self {
            setting: setting.to_owned(),
            pattern: pattern.map(|pattern| pattern.as_str().to_owned()),
            criterion: criterion.map(str::to_owned),
            now,
            then,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_the_default_and_a_missing_setting_is_not_named() {
        let read = |text: &str| serde_json::from_str::<GateSettingsBody>(text);
        assert_eq!(read("{}").unwrap(), GateSettingsBody::default());
        let reset = GateSettingsBody {
            tool_suppressions: Some("ignored".to_owned()),
            criteria: Some(CriteriaBody::default()),
            target_criteria: Some(BTreeMap::new()),
        };
        let null = read(r#"{"tool_suppressions":null,"criteria":null,"target_criteria":null}"#).unwrap();
        assert_eq!(null, reset);
        assert_eq!(read(&serde_json::to_string(&reset).unwrap()).unwrap(), reset, "it is sent as it is read");
        assert!(read(r#"{"self_approval":true}"#).is_err() && read(r#"{"criteria":7}"#).is_err());
    }

    #[test]
    fn a_change_is_named_with_its_pattern_and_criterion() {
        let name = |setting: &str, pattern: Option<&str>, criterion: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let (pattern, criterion) = (owned(pattern), owned(criterion));
            SettingChangeItem { setting: setting.to_owned(), pattern, criterion, now: None, then: None }.name()
        };
        assert_eq!(name("tool_suppressions", None, None), "tool_suppressions");
        assert_eq!(name("criteria", None, Some("fail_on_new")), "criteria: fail_on_new");
        let of_targets = name("target_criteria", Some("web|api"), Some("fail_on_new"));
        assert_eq!(of_targets, "target_criteria of web|api: fail_on_new");
    }
}
