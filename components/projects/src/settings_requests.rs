//! The calls to requests to change settings.

use crate::job::ProjectJob;
use crate::settings::{gate_settings_body, named, read_gate_settings};
use api::Problem;
use api::body::{illegal, remark};
use api::internal::Services;
use api::problem::Code;
use api::v1::{ProjectAnswer, SettingsDecisionBody, SettingsRequestBody, SettingsRequestItem};
use domain::change_decision::ChangeDecision;
use domain::project::{Project, ProjectEvent};
use domain::settings_request::GateSettings;
use std::collections::BTreeSet;
use store::kv::Kv;

impl<K: Kv, V: Services> ProjectJob<'_, K, V> {
    /// Requests a change of settings, if they have this version; without a version, in any case.
    ///
    /// # Errors
    /// The token is for some targets only, the settings or the reason are not legal, a request is pending, nothing
    /// would change, the settings have another version, or the store failed.
    pub async fn request_settings(
        &self,
        body: SettingsRequestBody,
        version: Option<u64>,
    ) -> Result<SettingsRequestItem, Problem> {
        self.caller.require_all_targets()?;
        let settings = read_gate_settings(body.settings)?;
        let comment = remark("reason", body.reason)?;
        if comment.trim().is_empty() {
            return Err(illegal("reason", "expected the reason for the change, found an empty text"));
        }
        self.context.state().await?;
        self.append(ProjectEvent::SettingsRequested { settings, comment, version }).await?;
        let state = self.context.state().await?;
        let item = settings_item(&state).filter(|item| item.request == self.context.event);
        item.ok_or_else(Problem::decided_meanwhile)
    }

    /// The pending request to change settings.
    ///
    /// # Errors
    /// The project does not exist or has no pending request, or the store failed.
    pub async fn settings_request(&self) -> Result<SettingsRequestItem, Problem> {
        let none = || {
            let project = &self.context.project;
            Problem::not_found(format!("project `{project}` has no pending request to change its settings"))
        };
        settings_item(&self.context.state().await?).ok_or_else(none)
    }

    /// Decides the request to change settings, if the settings have this version; without a version, in any case.
    ///
    /// # Errors
    /// The token is for some targets only, the request does not exist, the caller may not decide it, the settings have
    /// another version, or the store failed.
    pub async fn decide_settings(
        &self,
        decision: ChangeDecision,
        body: SettingsDecisionBody,
        version: Option<u64>,
    ) -> Result<ProjectAnswer, Problem> {
        self.caller.require_all_targets()?;
        let comment = remark("comment", body.comment)?;
        self.context.state().await?;
        self.append(ProjectEvent::SettingsDecided { request: body.request, decision, comment, version }).await?;
        self.project().await
    }
}

/// Checks that the role secops may change the settings of these names.
///
/// # Errors
/// Another role is needed for one of them.
pub(crate) fn check_names(names: &BTreeSet<String>) -> Result<(), Problem> {
    let others = GateSettings::others(names);
    if others.is_empty() {
        return Ok(());
    }
    let (own, others) = (named(&GateSettings::NAMES), named(&others));
    let detail = format!(
        "the role secops may change the settings {own} only; to change {others}, use a token with the role admin"
    );
    Err(Problem::new(Code::Forbidden, detail))
}

/// The item of a project's pending request, with its effect.
pub(crate) fn settings_item(state: &Project) -> Option<SettingsRequestItem> {
    let request = state.settings_request.as_deref()?;
    let outdated = !request.is_current(&state.settings);
    let changes = request.changes(&state.settings);
    Some(SettingsRequestItem::new(request, gate_settings_body(&request.requested), outdated, changes))
}
