//! Requests to change the settings that can loosen the gate, and the decisions on them.

use anyhow::Result;
use api::v1::{GateSettingsBody, ProjectAnswer, SettingsDecisionBody, SettingsRequestBody, SettingsRequestItem};
use clap::Args;
use domain::settings::ToolSuppressions;
use domain::settings_request::GateSettings;
use ureq::http::Method;

use super::{GateArgs, criteria, target_criteria};
use crate::args::{Format, Server};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// The path of the calls, below the project.
const PATH: &str = "settings-request";

#[derive(Args)]
pub(super) struct RequestArgs {
    /// The project's name
    project: String,
    #[command(flatten)]
    settings: GateArgs,
    /// Set a setting to its default: tool_suppressions, criteria or target_criteria
    #[arg(long, value_name = "SETTING")]
    reset: Vec<String>,
    /// The reason, for the reviewer
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The project's name
    project: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct DecideArgs {
    /// The project's name
    project: String,
    /// A comment for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    #[command(flatten)]
    server: Server,
}

/// Requests a change.
pub(super) fn request(args: RequestArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let body = SettingsRequestBody { settings: read(args.settings, &args.reset)?, reason: args.reason };
    let item: SettingsRequestItem = client.send(Method::POST, &[PATH], &body)?;
    output::print(&table(&item))?;
    anstream::eprintln!("Requested. Another person has to approve it.");
    Ok(())
}

/// Shows the pending request.
pub(super) fn show(args: &ShowArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    match args.format {
        Format::Json => output::json(&client.get::<serde_json::Value>(&[PATH], &[])?),
        Format::Table => {
            let item: SettingsRequestItem = client.get(&[PATH], &[])?;
            output::print(&table(&item))?;
            anstream::eprintln!("{}", plain(&origin(&item)));
            Ok(())
        }
    }
}

/// Decides the pending request: approves, rejects or withdraws it.
pub(super) fn decide(args: &DecideArgs, decision: &str) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let item: SettingsRequestItem = client.get(&[PATH], &[])?;
    output::print(&table(&item))?;
    anstream::eprintln!("{}", plain(&origin(&item)));
    let body = SettingsDecisionBody { request: item.request, comment: args.comment.clone() };
    let project: ProjectAnswer = client.send(Method::POST, &[PATH, decision], &body)?;
    let done = match decision {
        "approve" => "approved; the settings apply from the next scan",
        "reject" => "rejected",
        _ => "withdrawn",
    };
    anstream::eprintln!("{}", plain(&format!("Project {}: request {done}.", project.id)));
    Ok(())
}

/// The settings that are given, and the defaults of those that are reset.
///
/// # Errors
/// None is named, or one is unknown or named twice.
fn read(given: GateArgs, reset: &[String]) -> Result<GateSettingsBody> {
    let of_targets = target_criteria(given.target_criteria)?;
    let mut settings = GateSettingsBody {
        tool_suppressions: given.tool_suppressions,
        criteria: criteria(given.criteria)?,
        target_criteria: (!of_targets.is_empty()).then_some(of_targets),
    };
    for name in reset {
        let is_set = match name.as_str() {
            "tool_suppressions" => {
                settings.tool_suppressions.replace(ToolSuppressions::default().as_str().to_owned()).is_some()
            }
            "criteria" => settings.criteria.replace(Default::default()).is_some(),
            "target_criteria" => settings.target_criteria.replace(Default::default()).is_some(),
            _ => anyhow::bail!(
                "`{name}` is not a setting whose change can be requested; expected one of {}",
                GateSettings::NAMES.join(", ")
            ),
        };
        anyhow::ensure!(!is_set, "`{name}` is named twice; give a value, or reset it once");
    }
    anyhow::ensure!(
        settings != GateSettingsBody::default(),
        "name at least one setting to change; `--help` lists them"
    );
    Ok(settings)
}

/// The values that a request would change.
fn table(item: &SettingsRequestItem) -> String {
    let mut listing = Listing::new(&["SETTING", "NOW", "THEN"]);
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    for change in &item.changes {
        listing.row([change.name().as_str(), &value(&change.now), &value(&change.then)]);
    }
    listing.render()
}

/// The requester and the reason in a sentence.
fn origin(item: &SettingsRequestItem) -> String {
    let outdated = if item.outdated { " The settings have changed since, so it cannot be approved." } else { "" };
    format!("{} requested it at {}, because: {}.{outdated}", item.requested_by, item.requested_at, item.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1::SettingChangeItem;

    fn given(args: &[&str], reset: &[&str]) -> Result<String> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            settings: GateArgs,
        }
        let line = [&["gatehouse"][..], args].concat();
        let settings = <Line as clap::Parser>::try_parse_from(line)?.settings;
        let reset: Vec<_> = reset.iter().map(|name| (*name).to_owned()).collect();
        Ok(serde_json::to_string(&read(settings, &reset)?)?)
    }

    #[test]
    fn only_named_settings_are_requested() {
        let criteria = given(&["--criteria", "fail_on_new=high"], &[]).unwrap();
        assert_eq!(criteria, r#"{"criteria":{"fail_on_new":"high"}}"#);
        let both = given(&["--target-criteria", "web|api:fail_on_new=low"], &["tool_suppressions"]).unwrap();
        assert_eq!(both, r#"{"tool_suppressions":"ignored","target_criteria":{"web|api":{"fail_on_new":"low"}}}"#);
        assert_eq!(given(&[], &["criteria", "target_criteria"]).unwrap(), r#"{"criteria":{},"target_criteria":{}}"#);
        for (args, reset, error) in [
            (&[][..], &[][..], "name at least one setting"),
            (&[][..], &["self_approval"][..], "`self_approval` is not a setting whose change can be requested"),
            (&["--criteria", "fail_on_new=high"][..], &["criteria"][..], "`criteria` is named twice"),
        ] {
            assert!(given(args, reset).unwrap_err().to_string().contains(error), "{args:?} {reset:?}");
        }
    }

    #[test]
    fn a_request_shows_what_changes_and_why() {
        let item = SettingsRequestItem {
            request: domain::ids::EventId::from_bits([1; 16]),
            settings: GateSettingsBody::default(),
            reason: "the release waits".to_owned(),
            requested_by: "dev".to_owned(),
            requested_at: "2026-11-30T06:00:00.000Z".to_owned(),
            outdated: true,
            changes: vec![SettingChangeItem {
                setting: "target_criteria".to_owned(),
                pattern: Some("web|api".to_owned()),
                criterion: Some("fail_on_new".to_owned()),
                now: Some("high".to_owned()),
                then: None,
            }],
        };
        let table = table(&item);
        for shown in ["target_criteria of web|api: fail_on_new", "high", "none"] {
            assert!(table.contains(shown), "{shown} is missing:\n{table}");
        }
        let origin = origin(&item);
        assert!(origin.contains("dev requested it") && origin.contains("the release waits"), "{origin}");
        assert!(origin.contains("cannot be approved"), "{origin}");
    }
}
