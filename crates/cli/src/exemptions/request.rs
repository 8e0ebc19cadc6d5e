//! `gatehouse exemptions request`: requests one exemption or several.

use anyhow::Result;
use api::page::Page;
use api::v1::{ExemptionBody, ExemptionItem, RequestsBody};
use clap::Args;
use domain::exemption::{Reason, Scope};
use ureq::http::Method;

use super::print_state;
use crate::args::Connection;
use crate::output;
use crate::terminal::plain;

#[derive(Args)]
pub(super) struct RequestArgs {
    /// The issue's id, as `upload` shows it; may be given several times
    #[arg(long, required = true, value_name = "ID")]
    issue: Vec<String>,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    term: TermArgs,
    /// Reason: compensating_controls, acceptable_use, acceptable_risk, false_positive, fix_unavailable or other
    #[arg(long)]
    reason: Reason,
    /// Explanation
    #[arg(long)]
    text: String,
    /// Link to more information; begins with https:// or http://
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct ReachArgs {
    /// Scope: the given `occurrences` of a target, or the issue in its `target`, its `pipeline` or the `project`;
    /// defaults to the given occurrences if any, else to the target
    #[arg(long)]
    scope: Option<Scope>,
    /// The target; optional with `--scan`
    #[arg(long, required_unless_present = "scan")]
    target: Option<String>,
    /// A scan that has the issue; defaults to the target's newest one
    #[arg(long, value_name = "ID")]
    scan: Option<String>,
    /// The pipeline, with the scope `pipeline`; defaults to the scan's
    #[arg(long)]
    pipeline: Option<String>,
    /// An occurrence to exempt, with its id in that scan; may be given several times
    #[arg(long, value_name = "ID")]
    occurrence: Vec<String>,
    /// With all occurrences given: exempt the issue in the target instead, including future occurrences
    #[arg(long)]
    future_occurrences: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TermArgs {
    /// Number of days from the approval
    #[arg(long)]
    days: Option<u32>,
    /// Last day (to its end in UTC), or a time such as 2030-12-31T18:00:00Z
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// No end, if the project allows it
    #[arg(long)]
    unlimited: bool,
}

/// Runs the command.
pub(super) fn run(args: RequestArgs) -> Result<()> {
    let client = args.connection.client()?;
    let mut bodies = bodies(args);
    let items = match bodies.pop() {
        Some(body) if bodies.is_empty() => vec![client.send(Method::POST, &["exemptions"], &body)?],
        last => {
            bodies.extend(last);
            let body = RequestsBody { requests: bodies };
            client.send::<Page<ExemptionItem>>(Method::POST, &["exemptions", "requests"], &body)?.items
        }
    };
    for item in &items {
        print_state(item);
        output::line(&plain(&item.id))?;
    }
    Ok(())
}

/// The requests, one per issue.
fn bodies(args: RequestArgs) -> Vec<ExemptionBody> {
    let RequestArgs { issue: issues, reach, term, reason, text, link, connection: _ } = args;
    let default = if reach.occurrence.is_empty() { Scope::Target } else { Scope::Occurrences };
    let body = ExemptionBody {
        issue: String::new(),
        scope: reach.scope.unwrap_or(default).to_string(),
        target: reach.target,
        scan: reach.scan,
        pipeline: reach.pipeline,
        occurrences: reach.occurrence,
        future_occurrences: reach.future_occurrences,
        duration_days: term.days,
        until: term.until,
        unlimited: term.unlimited,
        reason: reason.as_str().to_owned(),
        text,
        link,
    };
    issues.into_iter().map(|issue| ExemptionBody { issue, ..body.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RequestArgs,
    }

    fn read(line: &str) -> Result<Vec<ExemptionBody>, clap::error::ErrorKind> {
        let common = "request --project shop --reason other --text why ";
        let parsed = Line::try_parse_from(format!("{common}{line}").split_whitespace());
        parsed.map(|line| bodies(line.args)).map_err(|error| error.kind())
    }

    #[test]
    fn the_scope_is_the_given_occurrences_or_else_the_target() {
        let one = read("--issue a --target web --days 7").unwrap().remove(0);
        assert_eq!((one.scope.as_str(), one.duration_days, one.unlimited), ("target", Some(7), false));
        let chosen = read("--issue a --scan s --occurrence x --occurrence y --unlimited").unwrap().remove(0);
        assert_eq!((chosen.scope.as_str(), chosen.occurrences.len(), chosen.unlimited), ("occurrences", 2, true));
        let explicit = read("--issue a --scan s --occurrence x --scope project --until 2030-01-01").unwrap().remove(0);
        assert_eq!(
            (explicit.scope.as_str(), explicit.until.as_deref()),
            ("project", Some("2030-01-01")),
            "the server refuses it"
        );
    }

    #[test]
    fn each_issue_is_a_separate_request() {
        let both = read("--issue a --issue b --target web --scope pipeline --pipeline nightly --days 7").unwrap();
        let issues: Vec<_> = both.iter().map(|body| body.issue.as_str()).collect();
        assert_eq!(issues, ["a", "b"]);
        assert!(both.iter().all(|body| body.pipeline.as_deref() == Some("nightly") && body.scope == "pipeline"));
    }

    #[test]
    fn reach_and_term_must_be_given_once() {
        use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
        for line in ["--issue a --days 7", "--issue a --target web", "--target web --days 7"] {
            assert_eq!(read(line).err(), Some(MissingRequiredArgument), "{line}");
        }
        for line in ["--days 7 --until 2030-01-01", "--days 7 --unlimited", "--until 2030-01-01 --unlimited"] {
            assert_eq!(read(&format!("--issue a --target web {line}")).err(), Some(ArgumentConflict), "{line}");
        }
    }
}
