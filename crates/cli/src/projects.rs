//! `gatehouse projects`: projects and their settings.

use anyhow::Result;
use api::v1::{ProjectAnswer, SettingsBody};
use clap::{Args, Subcommand};
use ureq::http::Method;

use crate::args::{EXIT_CODES, Server};
use crate::terminal::plain;

/// Create projects and change their settings
///
/// A project holds targets, tokens and exemptions, and nothing of one is seen in another.
#[derive(Args)]
pub(crate) struct ProjectsArgs {
    #[command(subcommand)]
    command: ProjectsCommand,
}

#[derive(Subcommand)]
enum ProjectsCommand {
    /// Create a project, or replace the settings of one; needs the admin token that `gatehouse up` keeps
    #[command(after_long_help = format!("\
Examples:
  gatehouse projects create shop
  gatehouse projects create shop --unassigned-as high

{EXIT_CODES}"))]
    Create(CreateArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// The project's name
    project: String,
    /// The level that issues without a severity count as: critical, high, medium, low or info
    #[arg(long, value_name = "LEVEL")]
    unassigned_as: Option<String>,
    /// What becomes of results that their report marks as suppressed: ignored (the mark is, they count) or honoured
    #[arg(long, value_name = "HOW")]
    tool_suppressions: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
pub(crate) fn run(args: ProjectsArgs) -> Result<()> {
    match args.command {
        ProjectsCommand::Create(args) => create(args),
    }
}

fn create(args: CreateArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let settings = SettingsBody { unassigned_as: args.unassigned_as, tool_suppressions: args.tool_suppressions };
    let project: ProjectAnswer = client.send(Method::PUT, &[], &settings)?;
    let level = match &project.settings.unassigned_as {
        Some(level) => format!("issues without a severity count as {level}"),
        None => "issues without a severity leave the verdict undecided".to_owned(),
    };
    anstream::eprintln!("{}", plain(&format!("Project {} is there; {level}.", project.id)));
    Ok(())
}
