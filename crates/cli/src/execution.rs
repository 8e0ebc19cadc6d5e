//! `gatehouse execution`: the verdict of a pipeline's run, over all scans of it. The server decides the verdict.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use api::v1::{Execution, ScanItem};
use clap::Args;
use domain::verdict::Verdict;

use crate::args::{Connection, Format};
use crate::table::Listing;
use crate::terminal::{HEADING, count, plain};
use crate::{output, upload, verdict};

/// Show a pipeline's run, and exit with its verdict
///
/// The verdict of a run is over all its scans: it fails if one of them fails, and is undecided until every required
/// scanner has reported. Each upload answers for its own scan only; a pipeline runs this after the last one.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  gatehouse execution build 17

The last line of the log is the verdict, for example:
  Exited with message: the required scanner semgrep has not reported for web:main.

Exit codes: 0 pass, 1 fail, 2 undecided, wrong usage or failure.")]
pub(crate) struct ExecutionArgs {
    /// The pipeline, as the uploads name it with `--pipeline`
    pipeline: String,
    /// The run of the pipeline, as the uploads name it with `--execution`
    execution: String,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: &ExecutionArgs) -> Result<ExitCode> {
    let client = args.connection.client()?;
    let answer: serde_json::Value = client.get(&["pipelines", &args.pipeline, "executions", &args.execution], &[])?;
    let run: Execution = serde_json::from_value(answer.clone()).context("the answer can't be read")?;
    match args.format {
        Format::Json => output::json(&answer)?,
        Format::Table => output::print(&text(&run)?)?,
    }
    upload::print_last(run.verdict, &message(&run));
    Ok(ExitCode::from(verdict::exit_code(run.verdict)))
}

/// The steps, the scanners that have not reported, and the reasons.
fn text(run: &Execution) -> Result<String> {
    let mut text = String::new();
    let heading = format!("Execution {} of {}", run.execution, run.pipeline);
    writeln!(text, "{HEADING}{}{HEADING:#}", plain(&heading))?;
    let mut listing = Listing::new(&["TARGET", "VARIANT", "SCANNER", "VERDICT", "NEW ISSUES", "SCAN"]);
    for ScanItem { id, answer } in &run.scans {
        let scan = &answer.scan;
        let (verdict, new) = (verdict::word(answer.verdict, answer.no_threshold), answer.issues.new.to_string());
        listing.row(
            [&scan.target.name, &scan.variant, &scan.scanner, &verdict, &new, &id.to_string()].map(String::as_str),
        );
    }
    text.push_str(&listing.render());
    if !run.superseded.is_empty() {
        let superseded = count(u64::try_from(run.superseded.len()).unwrap_or(u64::MAX), "superseded scan");
        writeln!(text, "not counted: {superseded} of the same steps")?;
    }
    for missing in &run.missing_scanners {
        let of = format!("{}:{}", missing.target, missing.variant);
        writeln!(text, "not reported: {} for {}", plain(&missing.scanner), plain(&of))?;
    }
    if run.more_scans {
        writeln!(text, "the run has more scans than are considered, so it cannot pass")?;
    }
    for reason in &run.reasons {
        let of = format!("{}, {}: {}", reason.target, reason.scanner, reason.reason);
        writeln!(text, "{}", plain(&of))?;
    }
    Ok(text)
}

/// The last line of the log.
fn message(run: &Execution) -> String {
    let cause = match (run.verdict, run.reasons.first(), run.missing_scanners.first()) {
        (Verdict::Pass, _, _) => return passed(run),
        (Verdict::Fail | Verdict::Undecided, Some(reason), _) => reason.reason.clone(),
        (Verdict::Fail | Verdict::Undecided, None, Some(missing)) => {
            let of = format!("{}:{}", missing.target, missing.variant);
            format!("the required scanner {} has not reported for {of}.", missing.scanner)
        }
        (verdict @ (Verdict::Fail | Verdict::Undecided), None, None) if run.more_scans => {
            format!("the verdict is {verdict}, because the run has more scans than are considered.")
        }
        (verdict @ (Verdict::Fail | Verdict::Undecided), None, None) => format!("the verdict is {verdict}."),
    };
    plain(&format!("Exited with message: {cause}"))
}

fn passed(run: &Execution) -> String {
    let scans = count(u64::try_from(run.scans.len()).unwrap_or(u64::MAX), "scan");
    if run.scans.iter().all(|item| item.answer.no_threshold) {
        return format!("Passed: {scans}, but no threshold is set, so nothing could fail.");
    }
    format!("Passed: {scans}, and every required scanner has reported.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issues::tests::answer;
    use serde_json::json;

    fn execution(verdict: &str, missing: &serde_json::Value, reasons: &serde_json::Value) -> Execution {
        let mut scan = serde_json::to_value(answer()).unwrap();
        scan["id"] = json!("0".repeat(32));
        let none = json!({"new": 0, "common": 0, "remediated": 0, "exempted": 0});
        serde_json::from_value(json!({
            "pipeline": "build", "execution": "17", "verdict": verdict, "missing_scanners": missing, "reasons": reasons,
            "variables": {}, "issues": none, "occurrences": none, "report_results": 9, "scans": [scan], "superseded": [scan]
        }))
        .unwrap()
    }

    #[test]
    fn an_undecided_run_names_the_scanner_that_has_not_reported() {
        let run =
            execution("undecided", &json!([{"target": "web", "variant": "main", "scanner": "semgrep"}]), &json!([]));
        assert_eq!(message(&run), "Exited with message: the required scanner semgrep has not reported for web:main.");
        let text = anstream::adapter::strip_str(&text(&run).unwrap()).to_string();
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let scan = "0".repeat(32);
        let expected = [
            "Execution 17 of build".to_owned(),
            "TARGET VARIANT SCANNER VERDICT NEW ISSUES SCAN".to_owned(),
            format!("dvpwa DEMO-001 bandit pass 3 {scan}"),
            "not counted: 1 superseded scan of the same steps".to_owned(),
            "not reported: semgrep for web:main".to_owned(),
        ];
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_run_that_fails_ends_with_its_first_reason() {
        let reason =
            json!([{"scan": "0".repeat(32), "target": "w\u{1b}[1A", "scanner": "bandit", "reason": "too many"}]);
        let run = execution("fail", &json!([{"target": "web", "variant": "main", "scanner": "semgrep"}]), &reason);
        assert_eq!(message(&run), "Exited with message: too many");
        let text = anstream::adapter::strip_str(&text(&run).unwrap()).to_string();
        assert!(text.contains("w\\u{1b}[1A, bandit: too many\n"), "{text}");
    }

    #[test]
    fn a_run_that_passes_says_if_nothing_could_fail() {
        let mut run = execution("pass", &json!([]), &json!([]));
        assert_eq!(message(&run), "Passed: 1 scan, and every required scanner has reported.");
        run.scans[0].answer.no_threshold = true;
        assert_eq!(message(&run), "Passed: 1 scan, but no threshold is set, so nothing could fail.");
        run.verdict = Verdict::Undecided;
        run.more_scans = true;
        assert!(message(&run).contains("more scans than are considered"));
    }
}
