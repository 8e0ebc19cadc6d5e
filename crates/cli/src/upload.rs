//! `gatehouse upload`: sends a report and shows the verdict. The server decides everything.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use api::v1::ScanAnswer;
use clap::Args;
use domain::blind_spots::SpotState;
use domain::target::TargetType;
use domain::threshold::Threshold;
use domain::verdict::Verdict;

use crate::args::{Connection, Format};
use crate::body::ReportBody;
use crate::client::{Client, Error, Sending};
use crate::progress::Progress;
use crate::source::{self, CodeSource};
use crate::{evidence, failure, issues, null_report, output, random, retry, terminal, variables, verdict};

/// The most rejected entries and scanner errors that are shown one by one.
const COMPLAINTS_MAX: usize = 5;
/// The name that stands for the detected scanner.
const AUTO: &str = "auto";
/// A larger body is sent only after the server has agreed to accept it.
const PERMISSION_BYTES_MIN: u64 = 64 << 10;

/// Upload a scanner's report and exit with the verdict
///
/// Sends the report, compressed if it is large, and shows the issues compared with the target's baseline. From the
/// scanned checkout it adds lines of code that the report lacks, so that findings still match when they move;
/// docs/source.md says what is sent, and what is never sent.
///
/// If the connection breaks or the server is busy, it retries with the same idempotency key, so a report never counts
/// twice.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  gatehouse upload report.json --scanner bandit --project shop \\
      --target web --variant feature/search --fail-on-new-occurrences high --output-file gate.env
  gatehouse upload report.sarif --source ../checkout --project shop --target web --variant main
  gatehouse upload report.sarif --project shop --target web --variant main \\
      --fail-on-severity critical
  trivy image -f json shop/web:1.4 | gatehouse upload - --target shop/web --target-type container --variant 1.4

The last line of the log is the verdict, for example:
  Exited with message: fail_on_new_occurrences is set to high and that threshold was reached.

Exit codes: 0 pass, 1 fail, 2 undecided, wrong usage or failure.")]
pub(crate) struct UploadArgs {
    /// The scanner's report, gzip-compressed or not; `-` for standard input
    report: PathBuf,
    /// The scanner that wrote it, from the list of `gatehouse scanners`; `auto` detects it
    #[arg(long, default_value = AUTO)]
    scanner: String,
    /// Name of the target: a repository, an image, a host
    #[arg(long)]
    target: String,
    /// Its branch, tag or version
    #[arg(long)]
    variant: String,
    /// Type of the target: repository, container, instance or configuration
    #[arg(long, value_name = "TYPE", default_value = "repository")]
    target_type: TargetType,
    /// Recommended for branches and pull requests: fail if an occurrence at or above this is new, whether its issue is
    /// new or not: critical, high, medium, low, info or none
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_new_occurrences: Threshold,
    /// Fail if an issue at or above this is new: the reference scan does not have it
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_new: Threshold,
    /// Fail if an issue that is not exempted is at or above this, old or new
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_severity: Threshold,
    /// Accept that the report lacks SARIF runs or categories of the previous one, or that less was examined: the rest
    /// is no longer scanned
    #[arg(long)]
    accept_missing: bool,
    /// The CI pipeline
    #[arg(long)]
    pipeline: Option<String>,
    /// The run of the pipeline
    #[arg(long)]
    execution: Option<String>,
    /// The attempt of the pipeline's step; a scan replaces those of the same step only if none of them has its attempt
    #[arg(long)]
    attempt: Option<String>,
    /// The scanned folder, for code that the report lacks; defaults to the current folder if it is in a git checkout
    /// with a file of the report
    #[arg(long, value_name = "DIR", conflicts_with = "no_source")]
    source: Option<PathBuf>,
    /// Send the report without code
    #[arg(long)]
    no_source: bool,
    /// Key of this upload: another upload of the report with the same key is the same scan
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Write the output variables to this file as NAME=value lines, for any verdict
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: UploadArgs) -> Result<ExitCode> {
    let client = args.connection.client()?;
    let report = ReportBody::open(&args.report)?;
    let named = if args.scanner == AUTO { null_report::scanner(&args.report, &report)? } else { None };
    if let Some(scanner) = &named {
        anstream::eprintln!("the report is `null`, and its path names {scanner}: an empty report of {scanner}");
    }
    let body = with_source(&args, report)?;
    let target_type = args.target_type.to_string();
    let mut parameters = vec![
        ("scanner", named.as_deref().unwrap_or(&args.scanner)),
        ("target", &args.target),
        ("variant", &args.variant),
        ("target_type", &target_type),
        ("fail_on_severity", args.fail_on_severity.as_written()),
        ("fail_on_new", args.fail_on_new.as_written()),
        ("fail_on_new_occurrences", args.fail_on_new_occurrences.as_written()),
    ];
    parameters.extend(args.accept_missing.then_some(("accept_missing", "true")));
    parameters.extend(args.pipeline.as_deref().map(|value| ("pipeline", value)));
    parameters.extend(args.execution.as_deref().map(|value| ("execution", value)));
    parameters.extend(args.attempt.as_deref().map(|value| ("attempt", value)));
    let Uploaded { raw, answer } = send(&client, &parameters, args.idempotency_key.as_deref(), &body)?;

    // First the file that a pipeline continues with; the table is only for people.
    let written = args.output_file.as_deref().map_or(Ok(()), |path| variables::write(path, &answer.variables));
    let shown = match args.format {
        Format::Json => output::bytes(&raw),
        Format::Table => show(&client, &answer),
    };
    warn_of_unused(&answer);
    let failed = [written, shown].into_iter().filter_map(Result::err).inspect(failure::print).count();
    print_verdict(&answer);
    let code = if answer.verdict == Verdict::Pass && 0 < failed {
        crate::EXIT_UNDECIDED
    } else {
        verdict::exit_code(answer.verdict)
    };
    Ok(ExitCode::from(code))
}

/// Adds code of the working tree, and says so.
fn with_source(args: &UploadArgs, report: ReportBody) -> Result<ReportBody> {
    let wanted = match (&args.source, args.no_source) {
        (Some(folder), _) => CodeSource::Folder(folder),
        (None, false) => CodeSource::CurrentFolder,
        (None, true) => CodeSource::None,
    };
    let Some(sidecar) = source::sidecar(wanted, &report, &args.scanner)? else { return Ok(report) };
    anstream::eprintln!("{}", sidecar.summary);
    report.with_sidecar(&sidecar.lines)
}

/// An answer and its original bytes.
pub(crate) struct Uploaded {
    pub(crate) raw: Vec<u8>,
    pub(crate) answer: ScanAnswer,
}

/// Uploads a report, with retries.
pub(crate) fn send(
    client: &Client,
    parameters: &[(&'static str, &str)],
    key: Option<&str>,
    body: &ReportBody,
) -> Result<Uploaded> {
    let key = key.map_or_else(random::hex::<16>, |key| Ok(key.to_owned()))?;
    let bytes = body.bytes();
    let wait_for_permission = PERMISSION_BYTES_MIN < bytes;
    let (content_type, gzip) = (body.content_type(), body.gzip());
    let sending = Sending { parameters, key: &key, content_type, gzip, bytes, wait_for_permission };
    let attempt = || client.upload(&sending, Progress::new(body.reader()?, bytes));
    let sent = retry::with_retries(&retry::DELAYS, attempt, |error, delay| {
        terminal::warn(&format!("{}; retrying in {} s", failure::describe_cause(error), delay.as_secs_f32()));
        std::thread::sleep(delay);
    });
    if matches!(sent, Err(Error::Unreachable { .. } | Error::Unreadable { .. })) {
        terminal::warn(&format!("to retry later without counting the report twice, use `--idempotency-key {key}`"));
    }
    let raw = sent?;
    let answer = serde_json::from_slice(&raw).context("the answer to the upload can't be read")?;
    Ok(Uploaded { raw, answer })
}

/// Prints the issues; with a token that may only upload, their number.
pub(crate) fn show(client: &Client, answer: &ScanAnswer) -> Result<()> {
    let report = match issues::report(client, answer) {
        Err(error) if error.downcast_ref::<Error>().is_some_and(Error::is_forbidden) => {
            terminal::warn("the token may only upload: the issues are counted but not listed");
            issues::counts(answer) + &issues::references(answer)
        }
        other => other.context("the verdict is valid, but its issues can't be shown")?,
    };
    output::print(&report)
}

/// Warns of everything in the report that could not be used.
fn warn_of_unused(answer: &ScanAnswer) {
    let report = &answer.report;
    for entry in report.rejected.iter().take(COMPLAINTS_MAX) {
        terminal::warn(&format!("result {} of the report can't be read: {}", entry.result, entry.reason));
    }
    for error in report.scanner_errors.iter().take(COMPLAINTS_MAX) {
        terminal::warn(&format!("{} reports an error: {error}", answer.scan.scanner));
    }
    evidence::sentences(report).iter().for_each(|sentence| terminal::warn(sentence));
    warn_of_blind_spots(answer);
    let shown = |listed: usize| u64::try_from(listed.min(COMPLAINTS_MAX)).unwrap_or(u64::MAX);
    let more = report.rejected_total.saturating_sub(shown(report.rejected.len()))
        + report.scanner_errors_total.saturating_sub(shown(report.scanner_errors.len()));
    if 0 < more {
        terminal::warn(&format!("{} more like this", more));
    }
    if 0 < report.without_code {
        let findings = terminal::count(report.without_code, "finding");
        anstream::eprintln!("source: {findings} without code to match by");
    }
    for reason in answer.reasons.iter().skip(1) {
        terminal::warn(reason);
    }
}

/// Warns of new blind spots, and counts the known ones.
fn warn_of_blind_spots(answer: &ScanAnswer) {
    let report = &answer.report;
    let of = |state| report.blind_spots.iter().filter(move |spot| spot.state == state);
    for spot in of(SpotState::New).take(COMPLAINTS_MAX) {
        let subject = spot.name.as_ref().map_or_else(|| spot.reach.clone(), |name| format!("{} {name}", spot.reach));
        terminal::warn(&format!("{} could not examine {subject}: {}", answer.scan.scanner, spot.reason));
    }
    let more = of(SpotState::New).count().saturating_sub(COMPLAINTS_MAX);
    if 0 < more {
        terminal::warn(&format!("{more} more new blind spots"));
    }
    let known = of(SpotState::Known).count();
    if 0 < known {
        let spots = terminal::count(u64::try_from(known).unwrap_or(u64::MAX), "blind spot");
        anstream::eprintln!("{spots} as in the reference scan");
    }
}

/// Prints the verdict as the last line.
pub(crate) fn print_verdict(answer: &ScanAnswer) {
    print_last(answer.verdict, &verdict::message(answer));
}

/// Prints the last line of the log, in the colour of the verdict.
pub(crate) fn print_last(verdict: Verdict, message: &str) {
    let style = match verdict {
        Verdict::Pass => terminal::GOOD,
        Verdict::Fail => terminal::ERROR,
        Verdict::Undecided => terminal::WARNING,
    };
    anstream::eprintln!("{style}{message}{style:#}");
}
