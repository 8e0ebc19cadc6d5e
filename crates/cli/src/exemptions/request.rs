//! `gatehouse exemptions request`: asks for one exemption, or for several at once.

use anyhow::Result;
use api::page::Page;
use api::v1::{ExemptionBody, ExemptionItem, RequestsBody};
use clap::Args;
use domain::exemption::{Reason, Scope};
use ureq::http::Method;

use super::tell;
use crate::args::Connection;
use crate::output;
use crate::terminal::plain;

#[derive(Args)]
pub(super) struct RequestArgs {
    /// The issue's id, as `upload` shows it; several are asked for together, all or none
    #[arg(long, required = true, value_name = "ID")]
    issue: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    term: TermArgs,
    /// Reason: compensating_controls, acceptable_use, acceptable_risk, false_positive, fix_unavailable or other
    #[arg(long)]
    reason: Reason,
    /// Explanation, in a sentence
    #[arg(long)]
    text: String,
    /// Link to more information; begins with https:// or http://
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
struct PlaceArgs {
    /// Reach of the exemption: chosen `occurrences` in a target, or the issue in its `target`, its `pipeline` or the `project`; if
    /// not given, the chosen occurrences, otherwise the target
    #[arg(long)]
    scope: Option<Scope>,
    /// The target; with `--scan` it need not be given
    #[arg(long, required_unless_present = "scan")]
    target: Option<String>,
    /// The scan in which the issue was seen; if not given, the newest of the target that has it
    #[arg(long, value_name = "ID")]
    scan: Option<String>,
    /// The pipeline, with the scope `pipeline`; if not given, the scan's
    #[arg(long)]
    pipeline: Option<String>,
    /// An occurrence to exempt, as that scan has it; may be given several times
    #[arg(long, value_name = "ID")]
    occurrence: Vec<String>,
    /// With all occurrences chosen: exempt the issue in the target instead, with occurrences to come
    #[arg(long)]
    future_occurrences: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TermArgs {
    /// For how many days, from the approval on
    #[arg(long)]
    days: Option<u32>,
    /// Until when: a date, which is to the end of that day in UTC, or a time as in 2030-12-31T18:00:00Z
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Without an end, if the project allows it
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
        tell(item);
        output::line(&plain(&item.id))?;
    }
    Ok(())
}

/// The requests, one per issue.
fn bodies(args: RequestArgs) -> Vec<ExemptionBody> {
    let RequestArgs { issue: issues, place, term, reason, text, link, connection: _ } = args;
    let default = if place.occurrence.is_empty() { Scope::Target } else { Scope::Occurrences };
    let body = ExemptionBody {
        issue: String::new(),
        scope: place.scope.unwrap_or(default).to_string(),
        target: place.target,
        scan: place.scan,
        pipeline: place.pipeline,
        occurrences: place.occurrence,
        future_occurrences: place.future_occurrences,
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
    fn chosen_occurrences_are_asked_for_as_such_and_else_the_target() {
        let one = read("--issue a --target web --days 7").unwrap().remove(0);
        assert_eq!((one.scope.as_str(), one.duration_days, one.unlimited), ("target", Some(7), false));
        let chosen = read("--issue a --scan s --occurrence x --occurrence y --unlimited").unwrap().remove(0);
        assert_eq!((chosen.scope.as_str(), chosen.occurrences.len(), chosen.unlimited), ("occurrences", 2, true));
        let said = read("--issue a --scan s --occurrence x --scope project --until 2030-01-01").unwrap().remove(0);
        assert_eq!(
            (said.scope.as_str(), said.until.as_deref()),
            ("project", Some("2030-01-01")),
            "the server refuses it"
        );
    }

    #[test]
    fn each_issue_is_a_request_of_its_own() {
        let both = read("--issue a --issue b --target web --scope pipeline --pipeline nightly --days 7").unwrap();
        let issues: Vec<_> = both.iter().map(|body| body.issue.as_str()).collect();
        assert_eq!(issues, ["a", "b"]);
        assert!(both.iter().all(|body| body.pipeline.as_deref() == Some("nightly") && body.scope == "pipeline"));
    }

    #[test]
    fn where_and_how_long_must_be_said_once() {
        use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
        for line in ["--issue a --days 7", "--issue a --target web", "--target web --days 7"] {
            assert_eq!(read(line).err(), Some(MissingRequiredArgument), "{line}");
        }
        for line in ["--days 7 --until 2030-01-01", "--days 7 --unlimited", "--until 2030-01-01 --unlimited"] {
            assert_eq!(read(&format!("--issue a --target web {line}")).err(), Some(ArgumentConflict), "{line}");
        }
    }
}
