//! Requests to change a target's baseline, and the decisions on them.

use anyhow::{Context as _, Result};
use api::v1::{BaselineDecisionBody, BaselineEffect, BaselineRequestBody, BaselineRequestItem, TargetItem};
use clap::Args;
use ureq::http::Method;

use super::{BaselineArg, baseline, sentence};
use crate::args::{Connection, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

#[derive(Args)]
pub(super) struct RequestArgs {
    /// The target
    target: String,
    #[command(flatten)]
    baseline: BaselineArg,
    /// The reason, for the reviewer
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub(super) struct RequestsArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub(super) struct DecideArgs {
    /// The target
    target: String,
    /// A comment for the audit log
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    #[command(flatten)]
    connection: Connection,
}

/// Requests a change.
pub(super) fn request(args: RequestArgs) -> Result<()> {
    let client = args.connection.client()?;
    let body = BaselineRequestBody { baseline: args.baseline.body(), reason: args.reason };
    let path = ["targets", &args.target, "baseline-request"];
    let item: BaselineRequestItem = client.send(Method::POST, &path, &body)?;
    let text = format!(
        "Requested: the baseline of {} changes from {}. Another person has to approve it.",
        item.id,
        change(&item)
    );
    anstream::eprintln!("{}", plain(&text));
    Ok(())
}

/// Lists the pending requests.
pub(super) fn list(args: &RequestsArgs) -> Result<()> {
    let client = args.connection.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["baseline-requests"], &[])?),
        Format::Table => output::print(&table(&client.all(&["baseline-requests"], &[])?)),
    }
}

/// Decides a target's pending request: approves, rejects or withdraws it. An approval is for the baseline that is
/// shown.
pub(super) fn decide(args: &DecideArgs, decision: &str) -> Result<()> {
    let client = args.connection.client()?;
    let target: TargetItem = client.get(&["targets", &args.target], &[])?;
    let item = target.baseline_request.as_ref();
    let item = item.with_context(|| format!("target {} has no pending request for its baseline", args.target))?;
    anstream::eprintln!(
        "{}",
        plain(&format!("{} requested: {}, because: {}", item.requested_by, change(item), item.reason))
    );
    let body = BaselineDecisionBody { request: item.request, comment: args.comment.clone() };
    let path = ["targets", &args.target, "baseline-request", decision];
    let target: TargetItem = match decision {
        "approve" => client.send_on(Method::POST, &path, &body, target.version)?,
        _ => client.send(Method::POST, &path, &body)?,
    };
    anstream::eprintln!("{}", plain(&sentence(&target)));
    Ok(())
}

/// The change that a request asks for.
fn change(item: &BaselineRequestItem) -> String {
    format!("{} to {}", effect(&item.now), effect(&item.then))
}

fn effect(effect: &BaselineEffect) -> String {
    match baseline(&effect.baseline) {
        none if none.is_empty() => "no baseline".to_owned(),
        baseline => baseline,
    }
}

fn table(items: &[BaselineRequestItem]) -> String {
    let mut listing = Listing::new(&["TARGET", "NOW", "THEN", "REQUESTED BY", "REQUESTED", "REASON"]);
    for item in items {
        let (now, then) = (effect(&item.now), effect(&item.then));
        listing.row([item.id.as_str(), &now, &then, &item.requested_by, &item.requested_at, &item.reason]);
    }
    listing.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_what_changes() {
        let effect = |variant: Option<&str>| BaselineEffect {
            baseline: api::v1::EffectiveBaseline {
                from: "target".to_owned(),
                regex: None,
                variant: variant.map(str::to_owned),
            },
            scan: None,
        };
        let item = BaselineRequestItem {
            id: "web".to_owned(),
            request: domain::ids::EventId::from_bits([1; 16]),
            baseline: None,
            reason: "the release moved".to_owned(),
            requested_by: "dev".to_owned(),
            requested_at: "2026-11-30T06:00:00.000Z".to_owned(),
            outdated: false,
            now: effect(Some("main")),
            then: effect(None),
        };
        assert_eq!(change(&item), "main to no baseline");
        let table = table(&[item]);
        for shown in ["web", "main", "no baseline", "dev", "the release moved"] {
            assert!(table.contains(shown), "{shown} is missing:\n{table}");
        }
    }
}
