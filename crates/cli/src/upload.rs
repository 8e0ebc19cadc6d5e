//! `gatehouse upload`: a report goes out, a verdict comes back. It decides nothing: not what an issue is, not whether
//! the gate fails.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use api::v1::ScanAnswer;
use clap::Args;
use domain::target::TargetType;
use domain::threshold::Threshold;
use domain::verdict::Verdict;

use crate::args::{Connection, Format};
use crate::body::ReportBody;
use crate::client::{Client, Error, Sending};
use crate::progress::Progress;
use crate::source::{self, Wanted};
use crate::{failure, issues, output, random, retry, terminal, variables, verdict};

/// How many rejected entries and scanner errors are shown one by one.
const COMPLAINTS_MAX: usize = 5;
/// A body larger than this is sent only once the server has agreed to take it.
const PERMISSION_BYTES_MIN: u64 = 64 << 10;

/// Upload a scanner's report and exit by the verdict
///
/// Sends the report, compressed if it is large, and shows the issues by how they compare with the target's baseline.
/// From the checkout that was scanned it adds the lines of code that the report does not show, so that findings are
/// recognised when they move; docs/source.md says what is sent, and what never.
///
/// When the connection breaks or the server is busy it tries again under the same idempotency key, so that a report is
/// never counted twice.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  gatehouse upload report.json --scanner bandit --project shop \\
      --target web --variant feature/search --fail-on-severity critical --output-file gate.env
  gatehouse upload report.sarif --source ../checkout --project shop --target web --variant main
  gatehouse upload report.sarif --project shop --target web --variant feature/search \\
      --fail-on-new-occurrences high
  trivy image -f json shop/web:1.4 | gatehouse upload - --target shop/web --target-type container --variant 1.4

The last line of the log says how it ended, for example:
  Exited with message: fail_on_severity is set to critical and that threshold was reached.

Exit codes: 0 pass, 1 fail, 2 undecided, misused or failed.")]
pub(crate) struct UploadArgs {
    /// The scanner's report, gzip-compressed or not; `-` for standard input
    report: PathBuf,
    /// The scanner that wrote it, as `gatehouse scanners` lists them; `auto` recognises it from the report
    #[arg(long, default_value = "auto")]
    scanner: String,
    /// What was scanned: a repository, an image, a host
    #[arg(long)]
    target: String,
    /// Its branch, tag or version
    #[arg(long)]
    variant: String,
    /// What kind of thing the target is: repository, container, instance or configuration
    #[arg(long, value_name = "TYPE", default_value = "repository")]
    target_type: TargetType,
    /// Fail if an issue that is not exempted is at or above this: critical, high, medium, low, info or none
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_severity: Threshold,
    /// Fail if an issue at or above this is new: it is not in the scan compared with
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_new: Threshold,
    /// Fail if an occurrence at or above this is new, of a new issue or of a known one
    #[arg(long, value_name = "LEVEL", default_value = "none", value_parser = |text: &str| text.parse::<Threshold>())]
    fail_on_new_occurrences: Threshold,
    /// Take the report as complete though it lacks SARIF runs or categories of the one before: they are no longer scanned
    #[arg(long)]
    accept_missing: bool,
    /// The CI pipeline
    #[arg(long)]
    pipeline: Option<String>,
    /// The run of the pipeline
    #[arg(long)]
    execution: Option<String>,
    /// The folder that was scanned, for code that the report does not show; the current one, if it is in a git checkout
    /// that has a file of the report
    #[arg(long, value_name = "DIR", conflicts_with = "no_source")]
    source: Option<PathBuf>,
    /// Send the report alone
    #[arg(long)]
    no_source: bool,
    /// A name for this upload: a second upload under the same name is the same scan
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Write the output variables to this file as NAME=value lines, whatever the verdict
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub(crate) fn run(args: UploadArgs) -> Result<ExitCode> {
    let client = args.connection.client()?;
    let body = with_source(&args, ReportBody::open(&args.report)?)?;
    let target_type = args.target_type.to_string();
    let mut parameters = vec![
        ("scanner", args.scanner.as_str()),
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
    let Uploaded { raw, answer } = send(&client, &parameters, args.idempotency_key.as_deref(), &body)?;

    // First what a pipeline goes on with; the table is only for people.
    let written = args.output_file.as_deref().map_or(Ok(()), |path| variables::write(path, &answer.variables));
    let shown = match args.format {
        Format::Json => output::bytes(&raw),
        Format::Table => show(&client, &answer),
    };
    complain(&answer);
    let failed = [written, shown].into_iter().filter_map(Result::err).inspect(failure::tell).count();
    tell(&answer);
    let code = if answer.verdict == Verdict::Pass && 0 < failed {
        crate::EXIT_UNDECIDED
    } else {
        verdict::exit_code(answer.verdict)
    };
    Ok(ExitCode::from(code))
}

/// Adds what the working tree shows, and says so.
fn with_source(args: &UploadArgs, report: ReportBody) -> Result<ReportBody> {
    let wanted = match (&args.source, args.no_source) {
        (Some(folder), _) => Wanted::Folder(folder),
        (None, false) => Wanted::Here,
        (None, true) => Wanted::Nowhere,
    };
    let Some(sidecar) = source::sidecar(wanted, &report, &args.scanner)? else { return Ok(report) };
    anstream::eprintln!("{}", sidecar.told);
    report.with_sidecar(&sidecar.lines)
}

/// An answer, and its bytes as they came.
pub(crate) struct Uploaded {
    pub(crate) raw: Vec<u8>,
    pub(crate) answer: ScanAnswer,
}

/// Uploads a report, again if there was trouble on the way.
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
        terminal::warn(&format!("{}; trying again in {} s", failure::describe_cause(error), delay.as_secs_f32()));
        std::thread::sleep(delay);
    });
    if matches!(sent, Err(Error::Unreachable { .. } | Error::Unreadable { .. })) {
        terminal::warn(&format!("to try later and not count the report twice, use `--idempotency-key {key}`"));
    }
    let raw = sent?;
    let answer = serde_json::from_slice(&raw).context("the answer to the upload can't be read")?;
    Ok(Uploaded { raw, answer })
}

/// Prints the issues; with a token that may only upload, how many there are.
pub(crate) fn show(client: &Client, answer: &ScanAnswer) -> Result<()> {
    let report = match issues::report(client, answer) {
        Err(error) if error.downcast_ref::<Error>().is_some_and(Error::is_forbidden) => {
            terminal::warn("the token may upload and not read: the issues are counted and not listed");
            issues::counts(answer)
        }
        other => other.context("the verdict stands, but its issues can't be shown")?,
    };
    output::print(&report)
}

/// Says what of the report could not be used.
fn complain(answer: &ScanAnswer) {
    let report = &answer.report;
    for entry in report.rejected.iter().take(COMPLAINTS_MAX) {
        terminal::warn(&format!("result {} of the report can't be read: {}", entry.result, entry.reason));
    }
    for error in report.scanner_errors.iter().take(COMPLAINTS_MAX) {
        terminal::warn(&format!("{} reports an error: {error}", answer.scan.scanner));
    }
    let shown = |listed: usize| u64::try_from(listed.min(COMPLAINTS_MAX)).unwrap_or(u64::MAX);
    let more = report.rejected_total.saturating_sub(shown(report.rejected.len()))
        + report.scanner_errors_total.saturating_sub(shown(report.scanner_errors.len()));
    if 0 < more {
        terminal::warn(&format!("{} more like this", more));
    }
    if 0 < report.without_code {
        let findings = terminal::count(report.without_code, "finding");
        anstream::eprintln!("source: {findings} without code to be recognised by");
    }
    for reason in answer.reasons.iter().skip(1) {
        terminal::warn(reason);
    }
}

/// Says how it ended, as the last line.
pub(crate) fn tell(answer: &ScanAnswer) {
    let style = match answer.verdict {
        Verdict::Pass => terminal::GOOD,
        Verdict::Fail => terminal::ERROR,
        Verdict::Undecided => terminal::WARNING,
    };
    anstream::eprintln!("{style}{}{style:#}", verdict::message(answer));
}
