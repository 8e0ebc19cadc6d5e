//! `gatehouse targets`: a project's targets and their baselines.

mod requests;

use anyhow::Result;
use api::v1::{BaselineBody, EffectiveBaseline, TargetItem, TargetPatch, VariantItem};
use clap::{Args, Subcommand};
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// List targets and set their baselines
///
/// The first upload creates a target. Its baseline is the variant that all others are compared with: a fixed one,
/// usually the main branch, or the most recently scanned one that matches a pattern, usually a release. A target
/// without its own baseline uses its project's default for its type, or the built-in default: the first scanned of
/// `main` and `master` for repositories, `latest` or a version for containers. Without any baseline each variant is
/// compared with its own previous scan.
#[derive(Args)]
pub(crate) struct TargetsArgs {
    #[command(subcommand)]
    command: TargetsCommand,
}

#[derive(Subcommand)]
enum TargetsCommand {
    /// List a project's targets
    #[command(after_long_help = format!("\
Example:
  gatehouse targets list

{EXIT_CODES}"))]
    List(ListArgs),
    /// List a target's variants, the most recently scanned first, and show which one a pattern selects
    #[command(after_long_help = format!("\
Examples:
  gatehouse targets variants web
  gatehouse targets variants web --regex release-[0-9]+

{EXIT_CODES}"))]
    Variants(VariantsArgs),
    /// Set a target's baseline, from the next scan on
    #[command(after_long_help = format!("\
Examples:
  gatehouse targets set-baseline web main
  gatehouse targets set-baseline web --regex release-[0-9]+
  gatehouse targets set-baseline web --none
  gatehouse targets set-baseline web --default

{EXIT_CODES}"))]
    SetBaseline(BaselineArgs),
    /// Request a change of a target's baseline, which another person approves
    #[command(after_long_help = format!("\
Example:
  gatehouse targets request-baseline web release-2 --reason main-is-frozen

{EXIT_CODES}"))]
    RequestBaseline(requests::RequestArgs),
    /// List the pending requests to change baselines
    #[command(after_long_help = format!("\
Example:
  gatehouse targets baseline-requests

{EXIT_CODES}"))]
    BaselineRequests(requests::RequestsArgs),
    /// Approve the request to change a target's baseline; needs the role secops
    #[command(after_long_help = format!("\
Example:
  gatehouse targets approve-baseline web --comment agreed

{EXIT_CODES}"))]
    ApproveBaseline(requests::DecideArgs),
    /// Reject the request to change a target's baseline; needs the role secops
    #[command(after_long_help = format!("\
Example:
  gatehouse targets reject-baseline web --comment not-merged-yet

{EXIT_CODES}"))]
    RejectBaseline(requests::DecideArgs),
    /// Withdraw your own request to change a target's baseline
    #[command(after_long_help = format!("\
Example:
  gatehouse targets withdraw-baseline web

{EXIT_CODES}"))]
    WithdrawBaseline(requests::DecideArgs),
}

#[derive(Args)]
struct ListArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct BaselineArgs {
    /// The target
    target: String,
    #[command(flatten)]
    baseline: BaselineArg,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct BaselineArg {
    /// The variant to compare others with
    variant: Option<String>,
    /// Compare with the most recently scanned variant whose whole name matches this (RE2 syntax)
    #[arg(long)]
    regex: Option<String>,
    /// Compare each variant with its own previous scan
    #[arg(long)]
    none: bool,
    /// Use the project's default for the target's type
    #[arg(long)]
    default: bool,
}

#[derive(Args)]
struct VariantsArgs {
    /// The target
    target: String,
    /// Try this pattern (RE2 syntax, whole names) instead of the target's baseline
    #[arg(long)]
    regex: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl BaselineArg {
    /// The body of the request.
    fn body(self) -> Option<BaselineBody> {
        match (self.variant, self.regex) {
            (Some(variant), _) => Some(BaselineBody::variant(variant)),
            (None, Some(regex)) => Some(BaselineBody::regex(regex)),
            (None, None) => self.none.then(BaselineBody::none),
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: TargetsArgs) -> Result<()> {
    match args.command {
        TargetsCommand::List(args) => list(&args),
        TargetsCommand::Variants(args) => variants(&args),
        TargetsCommand::SetBaseline(args) => set_baseline(args),
        TargetsCommand::RequestBaseline(args) => requests::request(args),
        TargetsCommand::BaselineRequests(args) => requests::list(&args),
        TargetsCommand::ApproveBaseline(args) => requests::decide(&args, "approve"),
        TargetsCommand::RejectBaseline(args) => requests::decide(&args, "reject"),
        TargetsCommand::WithdrawBaseline(args) => requests::decide(&args, "withdraw"),
    }
}

fn list(args: &ListArgs) -> Result<()> {
    let client = args.connection.client()?;
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&["targets"], &[])?),
        Format::Table => output::print(&table(&client.all(&["targets"], &[])?)),
    }
}

fn table(items: &[TargetItem]) -> String {
    let mut listing = Listing::new(&["NAME", "TYPE", "BASELINE", "FROM", "CREATED"]);
    for item in items {
        let (kind, baseline) = (item.target_type.to_string(), baseline(&item.effective));
        listing.row([item.name.as_str(), &kind, &baseline, &item.effective.from, &item.created_at]);
    }
    listing.render()
}

/// A baseline in a cell: the variant, with the pattern that selects it.
fn baseline(effective: &EffectiveBaseline) -> String {
    match (&effective.variant, &effective.regex) {
        (Some(variant), None) => variant.clone(),
        (Some(variant), Some(regex)) => format!("{variant} (by {regex})"),
        (None, Some(regex)) => format!("none yet (by {regex})"),
        (None, None) => String::new(),
    }
}

fn variants(args: &VariantsArgs) -> Result<()> {
    let client = args.connection.client()?;
    let path = ["targets", &args.target, "variants"];
    let query: Vec<_> = args.regex.as_deref().map(|regex| ("regex", regex)).into_iter().collect();
    match args.format {
        Format::Json => output::json(&client.all::<serde_json::Value>(&path, &query)?),
        Format::Table => output::print(&variants_table(&client.all(&path, &query)?)),
    }
}

fn variants_table(items: &[VariantItem]) -> String {
    let mut listing = Listing::new(&["VARIANT", "SCANNED", "SCAN", "COMPLETE", "BASELINE"]);
    for item in items {
        let complete = if item.complete { "yes" } else { "no" };
        let baseline = match (item.chosen, item.matches) {
            (true, _) => "this one",
            (false, true) => "matches",
            (false, false) => "",
        };
        listing.row([item.id.as_str(), &item.scanned_at, &item.scan.to_string(), complete, baseline]);
    }
    listing.render()
}

fn set_baseline(args: BaselineArgs) -> Result<()> {
    let client = args.connection.client()?;
    let patch = TargetPatch { baseline: args.baseline.body() };
    let item: TargetItem = client.send(Method::PATCH, &["targets", &args.target], &patch)?;
    anstream::eprintln!("{}", plain(&sentence(&item)));
    Ok(())
}

/// Describes a target's baseline in a sentence.
fn sentence(item: &TargetItem) -> String {
    let (name, effective) = (&item.name, &item.effective);
    let from = match (effective.from.as_str(), &item.baseline) {
        (_, Some(_)) => "",
        ("project", None) => ", by the project's default",
        (_, None) => ", by the built-in default",
    };
    if effective.from == "built_in" && effective.regex.as_deref() == Some("main|master") {
        let now = effective
            .variant
            .as_deref()
            .map_or_else(|| "none was scanned yet".to_owned(), |name| format!("{name} now"));
        return format!("The baseline of {name} is the first scanned of main and master{from}: {now}.");
    }
    match (&effective.variant, &effective.regex) {
        (Some(variant), None) => format!("The baseline of {name} is {variant}{from}."),
        (Some(variant), Some(regex)) => {
            format!(
                "The baseline of {name} is the most recently scanned variant that matches {regex}{from}: {variant} now."
            )
        }
        (None, Some(regex)) => {
            format!(
                "The baseline of {name} is the most recently scanned variant that matches {regex}{from}: none was scanned yet."
            )
        }
        (None, None) => format!("{name} has no baseline{from}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(baseline: Option<BaselineBody>, from: &str, regex: Option<&str>, variant: Option<&str>) -> TargetItem {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        TargetItem {
            id: "0".repeat(32),
            name: "web".to_owned(),
            target_type: domain::target::TargetType::Repository,
            baseline,
            effective: EffectiveBaseline { from: from.to_owned(), regex: owned(regex), variant: owned(variant) },
            baseline_request: None,
            created_at: "2026-01-01T00:00:00Z".to_owned(),
            version: 0,
            changed_by: None,
            changed_at: None,
        }
    }

    #[test]
    fn a_sentence_gives_the_effective_baseline_and_its_origin() {
        let cases = [
            (item(Some(BaselineBody::variant("main")), "target", None, Some("main")), "The baseline of web is main."),
            (
                item(Some(BaselineBody::regex("v.*")), "target", Some("v.*"), None),
                "The baseline of web is the most recently scanned variant that matches v.*: none was scanned yet.",
            ),
            (
                item(None, "built_in", Some("main|master"), Some("master")),
                "The baseline of web is the first scanned of main and master, by the built-in default: master now.",
            ),
            (item(Some(BaselineBody::none()), "target", None, None), "web has no baseline."),
            (item(None, "project", None, None), "web has no baseline, by the project's default."),
        ];
        for (item, expected) in cases {
            assert_eq!(sentence(&item), expected);
        }
    }

    #[test]
    fn each_flag_is_a_kind_of_baseline() {
        let body = |variant: Option<&str>, regex: Option<&str>, none, default| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            BaselineArg { variant: owned(variant), regex: owned(regex), none, default }.body()
        };
        assert_eq!(body(Some("main"), None, false, false), Some(BaselineBody::variant("main")));
        assert_eq!(body(None, Some("v.*"), false, false), Some(BaselineBody::regex("v.*")));
        assert_eq!(body(None, None, true, false), Some(BaselineBody::none()));
        assert_eq!(body(None, None, false, true), None);
    }
}
