//! `gatehouse targets`: what a project scans, and what each target's variants are compared with.

use anyhow::Result;
use api::v1::{BaselineBody, TargetItem, TargetPatch};
use clap::{Args, Subcommand};
use ureq::http::Method;

use crate::args::{Connection, EXIT_CODES, Format};
use crate::output;
use crate::table::Listing;
use crate::terminal::plain;

/// List targets and set their baselines
///
/// A target is made by its first upload. Its baseline is the variant that all others are compared with, most often the
/// main branch; without one, each variant is compared with its own previous scan.
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
    /// Set or remove a target's baseline
    #[command(after_long_help = format!("\
Examples:
  gatehouse targets set-baseline web main
  gatehouse targets set-baseline web --none

{EXIT_CODES}"))]
    SetBaseline(BaselineArgs),
}

#[derive(Args)]
struct ListArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct BaselineArgs {
    /// The target
    target: String,
    /// The variant to compare others with
    #[arg(required_unless_present = "none", conflicts_with = "none")]
    variant: Option<String>,
    /// Remove the baseline
    #[arg(long)]
    none: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: TargetsArgs) -> Result<()> {
    match args.command {
        TargetsCommand::List(args) => list(&args),
        TargetsCommand::SetBaseline(args) => set_baseline(args),
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
    let mut listing = Listing::new(&["NAME", "TYPE", "BASELINE", "CREATED"]);
    for item in items {
        let (kind, baseline) = (item.target_type.to_string(), item.baseline.as_ref());
        let baseline = baseline.map(|baseline| baseline.variant.as_str()).unwrap_or_default();
        listing.row([item.name.as_str(), &kind, baseline, &item.created_at]);
    }
    listing.render()
}

fn set_baseline(args: BaselineArgs) -> Result<()> {
    let client = args.connection.client()?;
    let patch = TargetPatch { baseline: args.variant.map(|variant| BaselineBody { variant }) };
    let item: TargetItem = client.send(Method::PATCH, &["targets", &args.target], &patch)?;
    let text = match &item.baseline {
        Some(baseline) => format!("The baseline of {} is {}.", item.name, baseline.variant),
        None => format!("{} has no baseline.", item.name),
    };
    anstream::eprintln!("{}", plain(&text));
    Ok(())
}
