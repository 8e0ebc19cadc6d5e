//! Real reports: a few in the folder `corpus`, and the whole corpus in the folder that `GATEHOUSE_CORPUS` names.
//!
//! The manifest of a corpus states how many results each report has, and the fields that another system's tests assert.
//! Every result must be counted; a field that differs needs a reason in the scanner's `differences`.
//! `GATEHOUSE_CORPUS_ONLY=trivy,zap` reads the whole corpus' reports of these scanners only, and prints every
//! difference.

use super::tests::{Read, findings_as};
use super::*;
use finding::Finding;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Row {
    files: u64,
    read: u64,
    results: u64,
    findings: u64,
    suppressed: u64,
    rejected: u64,
    marked: u64,
    unexplained: u64,
    checked: u64,
    right: u64,
    by_cvss: u64,
    differing: u64,
}

#[test]
fn the_committed_part_of_the_corpus_adds_up() {
    read_corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"), &BTreeSet::new());
}

#[test]
#[ignore = "reads the whole corpus: cargo xtask test --data"]
fn the_corpus_of_real_reports_adds_up() {
    let folder = std::env::var_os("GATEHOUSE_CORPUS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.is_absolute());
    let folder = folder.expect("GATEHOUSE_CORPUS must be the absolute path of the corpus' folder");
    let only = std::env::var("GATEHOUSE_CORPUS_ONLY").unwrap_or_default();
    read_corpus(&folder, &only.split(',').filter(|name| !name.is_empty()).collect());
}

/// Reads every report of a corpus, or those of the scanners in `only` if it names any, and prints the counts.
///
/// # Panics
/// The corpus is missing or has none of these scanners' reports, or something in it is read wrongly.
fn read_corpus(corpus: &Path, only: &BTreeSet<&str>) {
    let manifest = corpus.join("manifest.json");
    let manifest = std::fs::read(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut problems = Vec::new();
    for entry in &entries {
        let name = entry["scanner"].as_str().unwrap();
        if !only.is_empty() && !only.contains(name) {
            continue;
        }
        let row = rows.entry(name.to_owned()).or_default();
        row.files += 1;
        let Some(scanner) = find(name) else {
            problems.push(format!("{name}: unknown scanner"));
            continue;
        };
        let file = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(corpus.join(file)).unwrap();
        check(entry, scanner, &bytes, row, &mut problems, !only.is_empty());
    }
    print(&rows);
    assert!(!rows.is_empty(), "the corpus has no report of {only:?}");
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn check(
    entry: &Value,
    scanner: &'static Scanner,
    bytes: &[u8],
    row: &mut Row,
    problems: &mut Vec<String>,
    verbose: bool,
) {
    let file = entry["file"].as_str().unwrap();
    let Read { findings, parsed } = match findings_as(Expected::Tool(scanner), bytes) {
        Ok(read) => read,
        Err(error) => return problems.push(format!("{file}: {error}")),
    };
    row.read += 1;
    match findings_as(Expected::Any, bytes) {
        Ok(auto) if auto.parsed.tool == parsed.tool => {}
        Ok(auto) => problems.push(format!("{file}: expected {}, detected {}", parsed.tool, auto.parsed.tool)),
        // An empty list, file or archive does not show its format.
        Err(_) if bytes.len() < 200 && parsed.summary.results == 0 => {}
        Err(error) => problems.push(format!("{file}: not detected: {error}")),
    }
    let summary = &parsed.summary;
    assert!(summary.adds_up(), "{file}: {summary:?}");
    row.results += summary.results;
    row.findings += summary.findings;
    row.suppressed += summary.suppressed;
    row.rejected += summary.rejected;
    row.marked += summary.passed + summary.not_applicable + summary.closed;
    for entry in &summary.rejected_entries {
        problems.push(format!("{file}: result {} is rejected: {}", entry.result, entry.reason));
    }
    if let Some(stated) = entry["results_in_file"].as_u64()
        && !explains(summary, stated)
    {
        row.unexplained += stated.abs_diff(summary.findings + summary.suppressed + summary.rejected);
        problems.push(format!("{file}: expected {stated} results, found {summary:?}"));
    }
    // Of results that the report itself calls closed there are no findings to compare.
    if !findings.is_empty() || summary.closed == 0 {
        compare_asserted(entry, scanner, &findings, row, problems, verbose);
    }
}

/// True if the counts add up to the stated number. Findings, suppressed and rejected results always count; the manifest
/// may include passed, not applicable or closed ones, or not.
fn explains(summary: &finding::ReportSummary, stated: u64) -> bool {
    let always = summary.findings + summary.suppressed + summary.rejected;
    let marks = [summary.passed, summary.not_applicable, summary.closed];
    (0..8_u32).any(|choice| {
        let included = (0..3).filter(|mark| choice >> mark & 1 == 1).map(|mark| marks[mark as usize]).sum::<u64>();
        always + included == stated
    })
}

/// Compares the asserted fields. All fields asserted of one finding of the other system are compared with one finding
/// of ours: the one of which most are right; of several, the one with the same index.
fn compare_asserted(
    entry: &Value,
    scanner: &'static Scanner,
    findings: &[Finding],
    row: &mut Row,
    problems: &mut Vec<String>,
    verbose: bool,
) {
    let file = entry["file"].as_str().unwrap();
    let mut by_index: BTreeMap<u64, Vec<(&str, &Value)>> = BTreeMap::new();
    for assertion in entry["asserted"].as_array().unwrap() {
        let field = assertion["field"].as_str().unwrap();
        // The other system composes titles; ours come from the report.
        if field != "title" {
            let index = assertion["index"].as_u64().unwrap_or(0);
            by_index.entry(index).or_default().push((field, &assertion["value"]));
        }
    }
    for (index, fields) in by_index {
        let right = |finding: &Finding| fields.iter().filter(|(field, value)| is_right(finding, field, value)).count();
        let same_index = usize::try_from(index).ok().and_then(|index| findings.get(index));
        let best = same_index.into_iter().chain(findings).max_by_key(|finding| {
            // Of equally good ones, the one with the same index.
            (right(finding), std::ptr::eq(*finding, same_index.unwrap_or(finding)))
        });
        let Some(best) = best else {
            problems.push(format!("{file}: finding {index} is missing; fields are asserted of it"));
            continue;
        };
        for (field, value) in &fields {
            row.checked += 1;
            let documented = scanner.differences.iter().any(|(differing, _)| differing == field);
            if is_right(best, field, value) {
                row.right += 1;
            } else if *field == "severity" && matches_word(best, value) {
                row.by_cvss += 1;
            } else if documented {
                row.differing += 1;
                if verbose {
                    println!(
                        "{file}: documented difference in {field} of {index}: expected {value}, found {}",
                        shown(best, field)
                    );
                }
            } else {
                problems.push(format!("{file}: {field} of {index}: expected {value}, found {}", shown(best, field)));
            }
        }
    }
}

fn is_right(finding: &Finding, field: &str, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let location = finding.location.as_ref();
    let package = finding.package.as_ref();
    let is = |ours: Option<&str>| ours.unwrap_or_default() == text;
    match field {
        "severity" => finding.severity() == severity(&text),
        "cwe" | "cwes" => {
            let wanted: Vec<u32> = match value {
                Value::Array(list) => {
                    list.iter().filter_map(|cwe| crate::value::cwe::number(cwe.to_string().trim_matches('"'))).collect()
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    crate::value::cwe::number(&text).into_iter().collect()
                }
            };
            if wanted.is_empty() {
                finding.cwes.is_empty()
            } else {
                wanted.iter().all(|cwe| finding.cwes.contains(cwe))
            }
        }
        "file_path" => is(location.map(|location| location.path.as_str())),
        "line" => location.and_then(|location| location.line).map_or(0, u64::from) == text.parse().unwrap_or(0),
        "component_name" => is(package.map(|package| package.name.as_str())),
        "component_version" => is(package.and_then(|package| package.version.as_deref())),
        "vuln_id_from_tool" | "cve" | "unique_id_from_tool" => {
            let ids = [Some(&finding.rule), finding.tool_id.as_ref()].into_iter().flatten();
            let ids = ids.chain(&finding.advisories).chain(finding.fingerprints.values()).chain(finding.raw.values());
            text.is_empty() || ids.into_iter().any(|id| *id == text)
        }
        "cvssv3" => text.is_empty() || finding.cvss.iter().any(|cvss| cvss.vector.as_deref() == Some(text.as_str())),
        "cvssv3_score" => {
            let wanted = text.parse().unwrap_or(-1.0);
            value.is_null() || finding.cvss.iter().any(|cvss| cvss.score.is_some_and(|score| score.as_f64() == wanted))
        }
        "fix_available" => {
            package.is_some_and(|package| !package.fixed_versions.is_empty()) == value.as_bool().unwrap_or(false)
        }
        "fix_version" => package.is_some_and(|package| {
            package.fixed_versions.contains(&text)
                || package.fixed_versions.join(", ") == text
                || package.fixed_versions.join(",") == text
        }),
        "sast_source_file_path" => {
            finding.raw.values().chain(finding.other_locations.iter().map(|l| &l.path)).any(|path| *path == text)
                || is(location.map(|l| l.path.as_str()))
        }
        _ => false,
    }
}

/// True if the expected severity is that of the scanner's word, and ours comes from a CVSS score, which goes first.
fn matches_word(finding: &Finding, value: &Value) -> bool {
    let from_cvss = finding.score.is_some_and(|scored| scored.source < finding::severity::ScoreSource::ScannerScore);
    from_cvss && finding.scanner_severity == Some(severity(value.as_str().unwrap_or_default()))
}

fn severity(text: &str) -> finding::severity::Severity {
    let text = if text.to_ascii_lowercase().starts_with("info") { "info" } else { text };
    text.parse().unwrap_or(finding::severity::Severity::Unassigned)
}

fn shown(finding: &Finding, field: &str) -> String {
    match field {
        "severity" => format!("{:?} by {:?}, word {:?}", finding.severity(), finding.score, finding.severity_word),
        "cwe" | "cwes" => format!("{:?}", finding.cwes),
        "file_path" | "line" | "sast_source_file_path" => format!("{:?}", finding.location),
        "component_name" | "component_version" | "fix_available" | "fix_version" => format!("{:?}", finding.package),
        "cvssv3" | "cvssv3_score" => format!("{:?}", finding.cvss),
        _ => format!("{} {:?} {:?}", finding.rule, finding.tool_id, finding.advisories),
    }
}

fn print(rows: &BTreeMap<String, Row>) {
    println!(
        "{:32} {:>5} {:>5} {:>7} {:>8} {:>10} {:>8} {:>6} {:>11} {:>7} {:>6} {:>7} {:>9}",
        "scanner",
        "files",
        "read",
        "results",
        "findings",
        "suppressed",
        "rejected",
        "marked",
        "unexplained",
        "checked",
        "right",
        "by CVSS",
        "differing"
    );
    let mut total = Row::default();
    let line = |name: &str, row: &Row| {
        println!(
            "{name:32} {:5} {:5} {:7} {:8} {:10} {:8} {:6} {:11} {:7} {:6} {:7} {:9}",
            row.files,
            row.read,
            row.results,
            row.findings,
            row.suppressed,
            row.rejected,
            row.marked,
            row.unexplained,
            row.checked,
            row.right,
            row.by_cvss,
            row.differing
        );
    };
    for (name, row) in rows {
        line(name, row);
        for (sum, part) in [
            (&mut total.files, row.files),
            (&mut total.read, row.read),
            (&mut total.results, row.results),
            (&mut total.findings, row.findings),
            (&mut total.suppressed, row.suppressed),
            (&mut total.rejected, row.rejected),
            (&mut total.marked, row.marked),
            (&mut total.unexplained, row.unexplained),
            (&mut total.checked, row.checked),
            (&mut total.right, row.right),
            (&mut total.by_cvss, row.by_cvss),
            (&mut total.differing, row.differing),
        ] {
            *sum += part;
        }
    }
    line("total", &total);
}
