//! Changes every node of every fixture, and checks that no change loses a finding or its severity in silence.
//!
//! A change renames, removes, nulls, empties, duplicates or retypes a member or element of JSON, an element, attribute
//! or text of XML, or a column or field of a table. Afterwards either the report is refused, or the scan is incomplete,
//! or a result is rejected, or there are as many findings as before with the severities that they had. What the format
//! itself makes impossible is a row of [`exceptions::EXCEPTIONS`] with its reason.
//!
//! The quick test changes one node of each path; the ignored one changes every node.

mod exceptions;
mod json;
mod table;
mod xml;

use crate::tests::{Read, for_each_fixture, read_all};
use crate::{Expected, Input, Scanner};
use exceptions::{EXCEPTIONS, Exception, is_rated};
use finding::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Rename,
    Remove,
    Null,
    Empty,
    Duplicate,
    Retype,
}

/// A changed report.
pub(crate) struct Mutant {
    /// The path of the changed node: names with `.`, `[]` for an element of a list; in XML with `/`, `@` for an
    /// attribute and `#` for text.
    pub(crate) path: String,
    pub(crate) change: Change,
    pub(crate) report: Vec<u8>,
}

/// Makes the mutants of a report and hands each to `on`. `all`: of every node; else of the first node of each path.
fn mutants(report: &[u8], all: bool, on: &mut dyn FnMut(Mutant)) {
    let report = report.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(report);
    match report.trim_ascii_start().first() {
        Some(b'{' | b'[') => json::mutants(report, all, on),
        Some(b'<') if !report.to_ascii_lowercase().starts_with(b"<!doctype html") => xml::mutants(report, all, on),
        Some(b'P') if report.starts_with(b"PK") => {}
        Some(_) => table::mutants(report, all, on),
        None => {}
    }
}

/// The severities of the findings that count.
fn severities(read: &Read) -> Vec<Severity> {
    read.findings.iter().filter(|finding| finding.suppressed.is_none()).map(finding::Finding::severity).collect()
}

fn is_silent(read: &Read) -> bool {
    let summary = &read.parsed.summary;
    summary.is_complete() && summary.rejected == 0 && summary.blind_spots.is_empty()
}

/// The loss that a change causes in silence, if any.
fn loss(base: &[Severity], mutant: &Mutant, scanner: &'static Scanner) -> Option<&'static str> {
    // A finding without a severity makes the verdict undecided, so it is not silent.
    let kept = |(now, before): (&Severity, &Severity)| now == before || *now == Severity::Unassigned;
    let Ok(read) = read_all(Expected::Tool(scanner), Input::Memory(&mutant.report)) else { return None };
    if !is_silent(&read) {
        return None;
    }
    let now = severities(&read);
    match now.len().cmp(&base.len()) {
        std::cmp::Ordering::Less => Some("finding"),
        std::cmp::Ordering::Equal if !now.iter().zip(base).all(kept) && !is_rated(scanner.id, &mutant.path) => {
            Some("severity")
        }
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => None,
    }
}

fn check(all: bool) {
    let tried = Mutex::new(BTreeMap::<&str, u64>::new());
    let faults = Mutex::new(BTreeSet::new());
    let used = Mutex::new(BTreeSet::new());
    for_each_fixture(|scanner, file, report| {
        let base = match read_all(Expected::Tool(scanner), Input::Memory(report)) {
            // Where the scan is incomplete anyway, no loss is silent.
            Ok(read) if is_silent(&read) && !read.findings.is_empty() => severities(&read),
            Ok(_) | Err(_) => return,
        };
        let mut count = 0;
        mutants(report, all, &mut |mutant| {
            count += 1;
            let Some(lost) = loss(&base, &mutant, scanner) else { return };
            let excepted = |exception: &&Exception| exception.covers(scanner.id, &mutant, lost);
            match EXCEPTIONS.iter().position(|exception| excepted(&exception)) {
                Some(at) => drop(used.lock().unwrap().insert(at)),
                None => {
                    let name = file.file_name().unwrap().to_string_lossy().into_owned();
                    let (path, change) = (mutant.path, mutant.change);
                    let fault = format!("{}: {path} {change:?} loses a {lost} ({name})", scanner.id);
                    faults.lock().unwrap().insert(fault);
                }
            }
        });
        *tried.lock().unwrap().entry(scanner.id).or_default() += count;
    });
    let (tried, faults, used) = (tried.into_inner().unwrap(), faults.into_inner().unwrap(), used.into_inner().unwrap());
    let count = tried.values().sum::<u64>();
    println!("{count} mutants of {} formats, {} faults", tried.len(), faults.len());
    let listed: Vec<&str> = faults.iter().map(String::as_str).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), listed.join("\n"));
    let unused: Vec<_> =
        EXCEPTIONS.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, e)| (e.format, e.paths)).collect();
    assert!(!all || unused.is_empty(), "exceptions that nothing needs: {unused:?}");
}

#[test]
fn no_change_of_a_report_loses_a_finding_or_its_severity_in_silence() {
    check(false);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p scanners mutations -- --ignored --nocapture"]
fn no_change_of_any_node_loses_a_finding_or_its_severity_in_silence() {
    check(true);
}
