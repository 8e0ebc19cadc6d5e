//! `gatehouse projects`: projects and their settings.

mod requests;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use api::v1::{BaselineBody, CriteriaBody, CriterionError, ProjectAnswer, SettingsBody};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
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
    /// Create a project; refused if it exists. Needs the admin token of `gatehouse up`
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
    /// Change the settings that are named, and no others; needs the role admin, or secops for tool suppressions and
    /// criteria
    #[command(after_long_help = format!("\
Examples:
  gatehouse projects set shop --missing-baseline undecided
  gatehouse projects set shop --exemption-days-max critical=14
  gatehouse projects set shop --self-approval=false --reset unassigned_as

{EXIT_CODES}"))]
    Set(SetArgs),
    /// Request a change of tool suppressions or criteria, which another person approves
    #[command(after_long_help = format!("\
Examples:
  gatehouse projects request-settings shop --criteria fail_on_new_occurrences=critical \\
      --reason release-7-waits
  gatehouse projects request-settings shop --reset target_criteria --reason web-is-retired

{EXIT_CODES}"))]
    RequestSettings(requests::RequestArgs),
    /// Show the pending request to change settings: each value now, and after an approval
    #[command(after_long_help = format!("\
Example:
  gatehouse projects settings-request shop

{EXIT_CODES}"))]
    SettingsRequest(requests::ShowArgs),
    /// Approve the request to change settings; needs the role secops
    #[command(after_long_help = format!("\
Example:
  gatehouse projects approve-settings shop --comment agreed

{EXIT_CODES}"))]
    ApproveSettings(requests::DecideArgs),
    /// Reject the request to change settings; needs the role secops
    #[command(after_long_help = format!("\
Example:
  gatehouse projects reject-settings shop --comment fix-it-first

{EXIT_CODES}"))]
    RejectSettings(requests::DecideArgs),
    /// Withdraw your own request to change settings
    #[command(after_long_help = format!("\
Example:
  gatehouse projects withdraw-settings shop

{EXIT_CODES}"))]
    WithdrawSettings(requests::DecideArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// The project's name
    project: String,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
struct SetArgs {
    /// The project's name
    project: String,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Set a setting to its default, by its name in the API, for example unassigned_as
    #[arg(long, value_name = "SETTING")]
    reset: Vec<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
struct SettingsArgs {
    /// The severity that unassigned issues count as: critical, high, medium, low or info
    #[arg(long, value_name = "LEVEL")]
    unassigned_as: Option<String>,
    #[command(flatten)]
    gate: GateArgs,
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
    /// Role from which users may change baselines and upload with accept_missing: secops or developer
    #[arg(long, value_name = "WHO")]
    baseline_changes: Option<String>,
    /// Let requesters approve their own exemptions; each is marked as self-approved
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    self_approval: Option<bool>,
    /// Allow exemptions without an end
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    unlimited_exemptions: Option<bool>,
    /// Longest exemption for issues of a severity, in days; other severities have no limit
    #[arg(long, value_name = "LEVEL=DAYS", value_parser = of_level)]
    exemption_days_max: Vec<(String, u32)>,
    /// Days before an exemption's end at which a notice is sent, 1 to 90; 7 by default
    #[arg(long, value_name = "DAYS")]
    ending_notice_days: Option<u32>,
    /// Levels by which an issue's severity may rise before its exemption returns to review, 0 to 5; 0 by default
    #[arg(long, value_name = "LEVELS")]
    severity_rise_allowed: Option<u32>,
}

#[derive(Args)]
struct GateArgs {
    /// Marks of suppression in reports: ignored (the results count) or honoured (they do not)
    #[arg(long, value_name = "HOW")]
    tool_suppressions: Option<String>,
    /// Least criterion for every upload, which can be stricter but never looser: fail_on_severity, fail_on_new,
    /// fail_on_new_occurrences, required_scanners (separated by commas), missing_baseline or new_blind_spots
    #[arg(long, value_name = "NAME=VALUE", value_parser = of_name)]
    criteria: Vec<(String, String)>,
    /// Least criterion for the targets whose whole name matches a pattern (RE2 syntax)
    #[arg(long, value_name = "PATTERN:NAME=VALUE", value_parser = of_name)]
    target_criteria: Vec<(String, String)>,
}

impl SettingsArgs {
    /// The settings that are given.
    ///
    /// # Errors
    /// A setting is given twice.
    fn read(self) -> Result<SettingsBody> {
        Ok(SettingsBody {
            unassigned_as: self.unassigned_as,
            tool_suppressions: self.gate.tool_suppressions,
            default_baselines: default_baselines(self.default_baseline, self.default_baseline_regex)?,
            missing_baseline: self.missing_baseline,
            rejected_allowed: self.rejected_allowed,
            updated_occurrences: self.updated_occurrences,
            new_blind_spots: self.new_blind_spots,
            examined_share: self.examined_share,
            criteria: criteria(self.gate.criteria)?,
            target_criteria: target_criteria(self.gate.target_criteria)?,
            baseline_changes: self.baseline_changes,
            self_approval: self.self_approval,
            unlimited_exemptions: self.unlimited_exemptions,
            exemption_days_max: days_max(self.exemption_days_max)?,
            ending_notice_days: self.ending_notice_days,
            severity_rise_allowed: self.severity_rise_allowed,
        })
    }
}

/// Splits `TYPE=VALUE`.
fn of_type(text: &str) -> Result<(String, String), String> {
    let (kind, value) = text.split_once('=').ok_or("use TYPE=BASELINE")?;
    Ok((kind.to_owned(), value.to_owned()))
}

/// Splits `NAME=VALUE`.
fn of_name(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.rsplit_once('=').ok_or("use NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The least criteria of the project, if any are given.
///
/// # Errors
/// A name is unknown or given twice.
fn criteria(pairs: Vec<(String, String)>) -> Result<Option<CriteriaBody>> {
    let mut body = None;
    for (name, value) in pairs {
        set_criterion(body.get_or_insert_default(), &name, value)?;
    }
    Ok(body)
}

/// The least criteria of targets by pattern.
///
/// # Errors
/// A pattern is missing, or a name is unknown or given twice.
fn target_criteria(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, CriteriaBody>> {
    let mut all: BTreeMap<String, CriteriaBody> = BTreeMap::new();
    for (name, value) in pairs {
        let (pattern, name) = name.rsplit_once(':').context("use PATTERN:NAME=VALUE with `--target-criteria`")?;
        set_criterion(all.entry(pattern.to_owned()).or_default(), name, value)?;
    }
    Ok(all)
}

fn set_criterion(body: &mut CriteriaBody, name: &str, value: String) -> Result<()> {
    body.set(name, value).map_err(|error| match error {
        CriterionError::Unknown => anyhow::anyhow!(
            "`{name}` is not a criterion; expected one of fail_on_severity, fail_on_new, fail_on_new_occurrences, \
             required_scanners, missing_baseline, new_blind_spots"
        ),
        CriterionError::Twice => anyhow::anyhow!("the criterion `{name}` is given twice"),
    })
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
        ProjectsCommand::Set(args) => set(args),
        ProjectsCommand::RequestSettings(args) => requests::request(args),
        ProjectsCommand::SettingsRequest(args) => requests::show(&args),
        ProjectsCommand::ApproveSettings(args) => requests::decide(&args, "approve"),
        ProjectsCommand::RejectSettings(args) => requests::decide(&args, "reject"),
        ProjectsCommand::WithdrawSettings(args) => requests::decide(&args, "withdraw"),
    }
}

fn create(args: CreateArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let project: ProjectAnswer = client.send_with(Method::PUT, &[], &[("create", "true")], &args.settings.read()?)?;
    let level = match &project.settings.unassigned_as {
        Some(level) => format!("issues without a severity count as {level}"),
        None => "issues without a severity leave the verdict undecided".to_owned(),
    };
    anstream::eprintln!("{}", plain(&format!("Project {} created; {level}.", project.id)));
    Ok(())
}

fn set(args: SetArgs) -> Result<()> {
    let client = args.server.client(&args.project)?;
    let mut settings = args.settings.read()?;
    if !settings.default_baselines.is_empty() || !settings.exemption_days_max.is_empty() {
        // The call replaces such a list as a whole; entries that are not named stay.
        let current: ProjectAnswer = client.get(&[], &[])?;
        add_unnamed(&mut settings, current.settings);
    }
    let changes = changes(&settings, &args.reset)?;
    let project: ProjectAnswer = client.send(Method::PATCH, &[], &changes)?;
    let names = changes.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    anstream::eprintln!("{}", plain(&format!("Project {}: changed {names}.", project.id)));
    Ok(())
}

/// Adds the entries of lists by name that are not given.
fn add_unnamed(settings: &mut SettingsBody, current: SettingsBody) {
    fn add<V>(given: &mut BTreeMap<String, V>, current: BTreeMap<String, V>) {
        if !given.is_empty() {
            for (name, value) in current {
                given.entry(name).or_insert(value);
            }
        }
    }
    add(&mut settings.default_baselines, current.default_baselines);
    add(&mut settings.exemption_days_max, current.exemption_days_max);
}

/// The body of the call that changes settings: those that are given, and `null` for those that are reset.
///
/// # Errors
/// Nothing is to be changed, or a setting is both given and reset.
fn changes(settings: &SettingsBody, reset: &[String]) -> Result<Map<String, Value>> {
    let Value::Object(mut changes) = serde_json::to_value(settings)? else {
        anyhow::bail!("the settings are not an object");
    };
    for name in reset {
        anyhow::ensure!(!changes.contains_key(name), "`{name}` is both set and reset");
        changes.insert(name.clone(), Value::Null);
    }
    anyhow::ensure!(!changes.is_empty(), "name at least one setting to change; `--help` lists them");
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(args: &[&str]) -> SettingsBody {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            settings: SettingsArgs,
        }
        let line = [&["gatehouse"][..], args].concat();
        <Line as clap::Parser>::try_parse_from(line).unwrap().settings.read().unwrap()
    }

    #[test]
    fn only_named_settings_are_changed() {
        let changes = |args: &[&str], reset: &[&str]| {
            let reset: Vec<_> = reset.iter().map(|name| (*name).to_owned()).collect();
            changes(&given(args), &reset).map(|changes| Value::Object(changes).to_string())
        };
        assert_eq!(changes(&["--rejected-allowed", "0"], &[]).unwrap(), r#"{"rejected_allowed":0}"#);
        assert_eq!(changes(&["--self-approval=false"], &[]).unwrap(), r#"{"self_approval":false}"#);
        let both = changes(&["--self-approval"], &["unassigned_as"]).unwrap();
        assert_eq!(both, r#"{"self_approval":true,"unassigned_as":null}"#);
        for (args, reset, error) in [
            (&[][..], &[][..], "name at least one setting"),
            (&["--self-approval"][..], &["self_approval"][..], "both set and reset"),
        ] {
            assert!(changes(args, reset).unwrap_err().to_string().contains(error), "{args:?} {reset:?}");
        }
    }

    #[test]
    fn entries_that_are_not_named_stay() {
        let days = |pairs: &[(&str, u32)]| pairs.iter().map(|(level, days)| ((*level).to_owned(), *days)).collect();
        let current = SettingsBody {
            exemption_days_max: days(&[("critical", 7), ("high", 30)]),
            default_baselines: [("repository".to_owned(), None)].into(),
            ..SettingsBody::default()
        };
        let mut settings = given(&["--exemption-days-max", "critical=14"]);
        add_unnamed(&mut settings, current);
        assert_eq!(settings.exemption_days_max, days(&[("critical", 14), ("high", 30)]));
        assert!(settings.default_baselines.is_empty(), "a list of which nothing is named is not sent");
    }

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
