//! SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>: the common format of code scanners.
//! Section numbers below are those of the specification.
//!
//! The tool is the driver of the run (§3.18). The SARIF of a known tool counts as that tool's, so it gives the same
//! issues as the tool's own format. Any other tool is named after its driver. A report with runs of different tools is
//! `sarif`, and each finding names its tool. Rules for single tools are in `tool_specific`.
//!
//! The report is read twice: first rules, artifacts, base URIs and the state of invocations, then the results. So the
//! order of properties makes no difference, and results are not kept in memory.
//!
//! - One entry of `runs[].results` (or of an inline external property's) is one result, however many locations it has:
//!   several locations mean that all of them must be fixed (§3.27.12).
//! - `kind` (§3.27.9): `fail` is a finding; `pass` counts as passed; `notApplicable` and `informational` count as not
//!   applicable; `open` and `review`, which need a review, are findings of severity info. A result whose
//!   `baselineState` is `absent` is closed: it is not in this run.
//! - Level (§3.27.10): the result's, else the invocation's override, else the rule's, else `warning`. A
//!   `security-severity` from 0 to 10 of the rule or result, text or number, overrides it. Words for severities
//!   (`critical`, `high`, `low`) count as what they mean, in both fields.
//! - Rules and results are read in parts: what cannot be read and decides severity or identity makes the scan
//!   incomplete, and the rest is kept. `null` means absent. A property bag may contain any JSON (§3.8).
//! - A run without a list `results` is not a clean run, unless inline external properties belong to it.
//! - Suppressions (§3.27.23): a result is suppressed if it has any and none of them is under review or rejected.
//! - Runs of the same tool and category are read as one. External files that are not part of the report make the scan
//!   incomplete. Nothing outside the report is fetched.
//! - A notification of level `error` (§3.58) is a blind spot over the files of its locations, else over its
//!   `associatedRule`. Its `descriptor` is an id of notifications, not of a rule. One that has neither, and an
//!   invocation that was not successful for another reason, is a blind spot over the tool if the report has runs of
//!   several tools, and else makes the scan incomplete.
//! - The list of artifacts is not a number of examined files: many tools list only those with results.

mod dependency;
mod locations;
mod log;
mod result;
mod rule;
mod tool_specific;
mod tools;

use crate::Scanner;
use crate::reader::json;
use crate::reader::report::{Collector, Input, ParseError};
use crate::reader::sniff::{Notation, Sniff};
use finding::Reach;
use log::{Log, Run};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SCANNER: Scanner = Scanner {
    id: "sarif",
    tool: "sarif",
    name: "SARIF",
    aliases: &["sarif-2.1.0"],
    versions: "2.1.0",
    category: "depends on the tool that wrote it",
    notation: Notation::Json,
    formats: "SARIF 2.1.0 of any tool; known tools are read as themselves",
    severities: "`security-severity` from 0 to 10; else the level: error 8.0, warning 5.5, note 0, none 0, and words that are not levels: critical 9.5, high 8.0, medium 5.5, low 2.0, info 0 (error is high in the reference product, RN STO-6845); levels of Bandit, Checkov and Semgrep are translated back to the tool's own words",
    severity_words: result::LEVELS,
    differences: &[(
        "file_path",
        "base URIs are resolved as §3.14.14 requires, and `file:` URIs become paths, so that they match the paths of other formats",
    )],
    detect: |sniff| is_sarif(sniff) && !is_of(sniff, "snyk-code"),
    parse,
};

/// True for SARIF of any version; the parser refuses unsupported ones with a message.
pub(crate) fn is_sarif(sniff: &Sniff) -> bool {
    sniff.has("runs") && (sniff.has("version") || sniff.has("$schema") || sniff.has("runs[].tool"))
}

/// True if the first run's driver belongs to this tool.
pub(crate) fn is_of(sniff: &Sniff, tool: &str) -> bool {
    sniff.value("runs[].tool.driver.name").is_some_and(|name| tools::tool_of(name) == tool)
}

pub(crate) fn parse(input: Input<'_>, collector: &mut Collector<'_>) -> Result<(), ParseError> {
    let log = Log::read(input)?;
    let tools: BTreeSet<&str> = log.runs.values().map(|run| run.tool.as_str()).collect();
    let several_tools = tools.len() > 1;
    if let (Some(tool), false) = (tools.first(), several_tools) {
        collector.tool((*tool).to_owned());
    }
    for run in log.runs.values() {
        run.errors.iter().for_each(|error| collector.scanner_error(error.as_str()));
        report_failures(run, several_tools, collector);
        run.category.iter().for_each(|category| collector.category(category.clone()));
        match &run.category {
            Some(category) => collector.part(&format!("{}/{category}", run.tool)),
            None => collector.part(&run.tool),
        }
        collector.part_made(run.ended_ms.or(run.started_ms));
        run.version.iter().for_each(|version| collector.version(version.as_str()));
    }
    let mut rules_seen: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let seen = json::walk(input, &["runs[].results![]", "inlineExternalProperties[].results[]"], &mut |item| {
        let run = if item.path == 0 { Some(item.index(0)) } else { log.run_of_inline(item.index(0)) };
        let Some((at, run)) = run.and_then(|at| Some((at, log.runs.get(&at)?))) else {
            return collector.rejected("the result does not belong to a run of the report".to_owned());
        };
        match result::RawResult::read(item.raw, collector) {
            Ok(raw) => raw.collect(run, several_tools, rules_seen.entry(at).or_default(), collector),
            Err(reason) => collector.rejected(reason),
        }
    })?;
    // Null and a missing list mean that the tool has no results to report, not that it found nothing (§3.14.23).
    for missing in seen.missing().iter().filter(|missing| !(seen.has(1) && log.has_inline(missing.index))) {
        collector.scanner_error(missing.to_string());
    }
    if seen.has(0) || seen.has(1) {
        collector.container();
    }
    Ok(())
}

/// Adds the blind spots and errors of a run's invocations.
fn report_failures(run: &Run, several_tools: bool, collector: &mut Collector<'_>) {
    let mut without_reach = |reason: &str| match several_tools {
        true => collector.blind_spot(Reach::Tool(run.tool.clone()), reason),
        false => collector.scanner_error(reason),
    };
    let reaches: Vec<_> = run.failures.iter().map(|failure| (failure, run.reach_of(failure))).collect();
    for invocation in &run.unsuccessful {
        let of_it = || reaches.iter().filter(|(failure, _)| failure.invocation == *invocation);
        // Tools also call a run without success in which they could not read a file.
        if of_it().next().is_none() || of_it().any(|(_, reach)| reach.is_empty()) {
            without_reach("the tool reports that its run was not successful");
        }
    }
    for (failure, _) in reaches.iter().filter(|(_, reach)| reach.is_empty()) {
        without_reach(&failure.reason);
    }
    for (failure, reach) in reaches {
        reach.into_iter().for_each(|reach| collector.blind_spot(reach, failure.reason.as_str()));
    }
    if run.has_more_failures {
        collector.blind_spot(Reach::Everything, "the run has more notifications of errors than are read");
    }
}

#[cfg(test)]
mod tests;
