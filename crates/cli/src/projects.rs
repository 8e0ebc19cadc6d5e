//! `gatehouse projects`: projects and their settings.

use std::collections::BTreeMap;

use anyhow::Result;
use api::v1::{BaselineBody, ProjectAnswer, SettingsBody};
use clap::{Args, Subcommand};
use ureq::http::Method;

use crate::args::{EXIT_CODES, Server};
use crate::terminal::plain;

/// Create projects and change their settings
///
/// A project has its own targets, tokens and exemptions; nothing is shared between projects.
#[derive(Args)]
pub(crate) struct ProjectsArgs {
    #[command(subcommand)]
    command: ProjectsCommand,
}

#[derive(Subcommand)]
enum ProjectsCommand {
    /// Create a project or replace its settings; needs the admin token of `gatehouse up`
    #[command(after_long_help = format!("\
Examples:
  gatehouse projects create shop
  gatehouse projects create shop --unassigned-as high
  gatehouse projects create shop --default-baseline repository=trunk \\
      --default-baseline-regex container=v[0-9.]+ --missing-baseline undecided
  gatehouse projects create shop --exemption-days-max critical=14 --exemption-days-max high=90 \\
      --ending-notice-days 14

{EXIT_CODES}"))]
    Create(CreateArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// The project's name
    project: String,
    /// The severity that unassigned issues count as: critical, high, medium, low or info
    #[arg(long, value_name = "LEVEL")]
    unassigned_as: Option<String>,
    /// Marks of suppression in reports: ignored (the results count) or honoured (they do not)
    #[arg(long, value_name = "HOW")]
    tool_suppressions: Option<String>,
    /// Default baseline for a type of target: a variant, or empty for none
    #[arg(long, value_name = "TYPE=VARIANT", value_parser = of_type)]
    default_baseline: Vec<(String, String)>,
    /// Default baseline by pattern: the most recently scanned variant whose whole name matches (RE2 syntax)
    #[arg(long, value_name = "TYPE=REGEX", value_parser = of_type)]
    default_baseline_regex: Vec<(String, String)>,
    /// Result of the criteria for new issues while the baseline has no complete scan: everything_counts, undecided or
    /// nothing_is_new
    #[arg(long, value_name = "HOW")]
    missing_baseline: Option<String>,
    /// Number of rejected results above which a scan is incomplete
    #[arg(long, value_name = "COUNT")]
    rejected_allowed: Option<u32>,
    /// Bucket of matched occurrences whose code was edited: new or common
    #[arg(long, value_name = "HOW")]
    updated_occurrences: Option<String>,
    /// Effect of blind spots that the reference scan does not have: undecided, fail or ignore
    #[arg(long, value_name = "HOW")]
    new_blind_spots: Option<String>,
    /// Percent of what the reference scan examined that a scan has to examine, 0 to 100; 50 by default
    #[arg(long, value_name = "PERCENT")]
    examined_share: Option<u32>,
    /// Let requesters approve their own exemptions; each is marked as self-approved
    #[arg(long)]
    self_approval: bool,
    /// Allow exemptions without an end
    #[arg(long)]
    unlimited_exemptions: bool,
    /// Longest exemption for issues of a severity, in days; other severities have no limit
    #[arg(long, value_name = "LEVEL=DAYS", value_parser = of_level)]
    exemption_days_max: Vec<(String, u32)>,
    /// Days before an exemption's end at which a notice is sent, 1 to 90; 7 by default
    #[arg(long, value_name = "DAYS")]
    ending_notice_days: Option<u32>,
    /// Levels by which an issue's severity may rise before its exemption returns to review, 0 to 5; 0 by default
    #[arg(long, value_name = "LEVELS")]
    severity_rise_allowed: Option<u32>,
    #[command(flatten)]
    server: Server,
}

/// Splits `TYPE=VALUE`.
fn of_type(text: &str) -> Result<(String, String), String> {
    let (kind, value) = text.split_once('=').ok_or("use TYPE=BASELINE")?;
    Ok((kind.to_owned(), value.to_owned()))
}

/// Splits `LEVEL=DAYS`.
fn of_level(text: &str) -> Result<(String, u32), String> {
    let (level, days) = text.split_once('=').ok_or("use LEVEL=DAYS")?;
    let days = days.parse().map_err(|error| format!("`{days}` is not a number of days: {error}"))?;
    Ok((level.to_owned(), days))
}

/// The longest exemptions by severity.
///
/// # Errors
/// A severity is given twice.
fn days_max(pairs: Vec<(String, u32)>) -> Result<BTreeMap<String, u32>> {
    let mut all = BTreeMap::new();
    for (level, days) in pairs {
        anyhow::ensure!(!all.contains_key(&level), "--exemption-days-max is given twice for `{level}`");
        all.insert(level, days);
    }
    Ok(all)
}

/// The default baselines by type.
///
/// # Errors
/// A type is given twice.
fn default_baselines(
    fixed: Vec<(String, String)>,
    patterns: Vec<(String, String)>,
) -> Result<BTreeMap<String, Option<BaselineBody>>> {
    let fixed = fixed.into_iter().map(|(kind, variant)| {
        let body = (!variant.is_empty()).then(|| BaselineBody::variant(variant));
        (kind, body)
    });
    let patterns = patterns.into_iter().map(|(kind, regex)| (kind, Some(BaselineBody::regex(regex))));
    let mut all = BTreeMap::new();
    for (kind, body) in fixed.chain(patterns) {
        anyhow::ensure!(!all.contains_key(&kind), "two default baselines are given for `{kind}`");
        all.insert(kind, body);
    }
    Ok(all)
}

/// Runs the command.
pub(crate) fn run(args: ProjectsArgs) -> Result<()> {
    match args.command {
        ProjectsCommand::Create(args) => create(args),
    }
}

fn create(args: CreateArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let settings = SettingsBody {
        unassigned_as: args.unassigned_as,
        tool_suppressions: args.tool_suppressions,
        default_baselines: default_baselines(args.default_baseline, args.default_baseline_regex)?,
        missing_baseline: args.missing_baseline,
        rejected_allowed: args.rejected_allowed,
        updated_occurrences: args.updated_occurrences,
        new_blind_spots: args.new_blind_spots,
        examined_share: args.examined_share,
        self_approval: args.self_approval.then_some(true),
        unlimited_exemptions: args.unlimited_exemptions.then_some(true),
        exemption_days_max: days_max(args.exemption_days_max)?,
        ending_notice_days: args.ending_notice_days,
        severity_rise_allowed: args.severity_rise_allowed,
    };
    let project: ProjectAnswer = client.send(Method::PUT, &[], &settings)?;
    let level = match &project.settings.unassigned_as {
        Some(level) => format!("issues without a severity count as {level}"),
        None => "issues without a severity leave the verdict undecided".to_owned(),
    };
    anstream::eprintln!("{}", plain(&format!("Project {} created; {level}.", project.id)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_default_baseline() {
        let read = |fixed: &[&str], patterns: &[&str]| {
            let pairs = |list: &[&str]| list.iter().map(|text| of_type(text).unwrap()).collect();
            default_baselines(pairs(fixed), pairs(patterns)).map_err(|error| error.to_string())
        };
        let both = read(&["repository=trunk", "instance="], &["container=v=.*"]).unwrap();
        assert_eq!(both["repository"], Some(BaselineBody::variant("trunk")));
        assert_eq!((both["container"].clone(), both["instance"].clone()), (Some(BaselineBody::regex("v=.*")), None));
        let twice = read(&["repository=a"], &["repository=b"]);
        assert_eq!(twice, Err("two default baselines are given for `repository`".to_owned()));
        assert!(of_type("trunk").is_err());
    }

    #[test]
    fn a_severity_has_one_longest_exemption() {
        let read = |list: &[&str]| {
            let pairs = list.iter().map(|text| of_level(text).unwrap()).collect();
            days_max(pairs).map_err(|error| error.to_string())
        };
        let both = BTreeMap::from([("critical".to_owned(), 14), ("high".to_owned(), 90)]);
        assert_eq!(read(&["critical=14", "high=90"]), Ok(both));
        assert_eq!(read(&["low=1", "low=1"]), Err("--exemption-days-max is given twice for `low`".to_owned()));
        for wrong in ["critical", "critical=", "critical=soon", "critical=-1"] {
            assert!(of_level(wrong).is_err(), "{wrong}");
        }
    }
}
