//! Tests that run on every scanner.

use super::*;
use crate::value::rating::score_of;
use finding::Finding;
use finding::limits::FINDINGS_MAX;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::mem::discriminant;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Findings(Vec<Finding>);
impl Sink for Findings {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        self.0.push(finding);
        ControlFlow::Continue(())
    }
}

/// The findings of a report, and the rest that was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) findings: Vec<Finding>,
    pub(crate) parsed: Parsed,
}

pub(crate) fn read_all(expected: Expected, input: Input<'_>) -> Result<Read, ParseError> {
    let mut findings = Findings(vec![]);
    let parsed = read(expected, input, &mut findings)?;
    Ok(Read { findings: findings.0, parsed })
}

/// Reads a report from memory, and from a stream that gives a few bytes at a time. Both must give the same.
pub(crate) fn findings_as(expected: Expected, bytes: &[u8]) -> Result<Read, ParseError> {
    let memory = read_all(expected, Input::Memory(bytes));
    let stream = read_all(expected, Input::Stream(&Trickle(bytes)));
    match (&memory, &stream) {
        (Ok(read), Ok(streamed)) => assert_eq!(read, streamed),
        // Only the kind of the error must be the same: a stream counts lines and columns slightly differently.
        (Err(error), Err(streamed)) => assert_eq!(discriminant(error), discriminant(streamed), "{error}, {streamed}"),
        _ => panic!("from memory {memory:?}, from a stream {stream:?}"),
    }
    memory
}

/// The findings of a report that should be of this scanner.
pub(crate) fn findings(scanner: &'static Scanner, bytes: &[u8]) -> Result<(Vec<Finding>, Parsed), ParseError> {
    findings_as(Expected::Tool(scanner), bytes).map(|read| (read.findings, read.parsed))
}

/// The error message for a report that should be of this scanner.
pub(crate) fn failure(scanner: &'static Scanner, bytes: &[u8]) -> String {
    findings(scanner, bytes).unwrap_err().to_string()
}

struct Trickle<'a>(&'a [u8]);
impl Source for Trickle<'_> {
    fn open(&self) -> Box<dyn std::io::Read + '_> {
        Box::new(Trickling(self.0))
    }
}

struct Trickling<'a>(&'a [u8]);
impl std::io::Read for Trickling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.0.len()).min(997);
        let (now, later) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

fn fixtures(scanner: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(scanner);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "md"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} contains no reports", folder.display());
    files
}

/// Calls `check` with every fixture of every scanner: on all cores, or on one where there are no threads (Wasm).
pub(crate) fn for_each_fixture(check: impl Fn(&'static Scanner, &Path, &[u8]) + Sync) {
    let files: Vec<_> =
        ALL.iter().flat_map(|scanner| fixtures(scanner.id).into_iter().map(move |file| (scanner, file))).collect();
    let next = AtomicUsize::new(0);
    let check_the_rest = || {
        while let Some((scanner, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(scanner, file, &std::fs::read(file).unwrap());
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    if threads == 1 {
        return check_the_rest();
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(check_the_rest)).collect();
        for thread in running {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// True if a report in this notation always shows that it was cut off.
fn shows_its_end(notation: Notation) -> bool {
    match notation {
        Notation::Json | Notation::Xml | Notation::Zip => true,
        Notation::JsonLines | Notation::Csv | Notation::Html | Notation::Text => false,
    }
}

#[test]
fn every_scanner_has_its_fixtures_and_every_fixture_its_scanner() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders: BTreeSet<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let ids: BTreeSet<_> = ALL.iter().map(|scanner| scanner.id.to_owned()).collect();
    assert_eq!(folders, ids);
    let sorted: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(ALL.iter().map(|scanner| scanner.id).collect::<Vec<_>>(), sorted, "ALL is sorted and has no duplicates");
    for scanner in ALL {
        assert!(
            fixtures(scanner.id)[0].with_file_name("SOURCE.md").is_file(),
            "SOURCE.md is missing in the fixtures of {}",
            scanner.id
        );
    }
}

#[test]
fn every_name_finds_one_scanner() {
    let mut names = BTreeSet::new();
    for scanner in ALL {
        for name in [scanner.id].iter().chain(scanner.aliases) {
            assert_eq!(find(name).map(|found| found.id), Some(scanner.id), "{name}");
            assert!(names.insert(normalized(name)), "{name} is listed twice");
        }
        assert!(find(&scanner.id.to_uppercase().replace('-', "_")).is_some());
    }
    assert!(find("no such scanner").is_none());
}

/// Every scanner's table of severity words. Words that must not be in it have no score.
#[test]
fn severity_words_become_the_documented_scores() {
    type Scores = &'static [(&'static str, Option<u16>)];
    const CASES: &[(&str, Scores)] = &[
        (
            "bandit",
            &[("HIGH", Some(950)), ("MEDIUM", Some(500)), ("LOW", Some(200)), ("UNDEFINED", None), ("SEVERE", None)],
        ),
        ("bundler-audit", &[("High", Some(800)), ("low", Some(200)), ("Unknown", None), ("None", None)]),
        ("cargo-audit", &[("vulnerability", Some(800)), ("yanked", Some(200)), ("notice", Some(0)), ("x", None)]),
        (
            "checkov",
            &[
                ("CRITICAL", Some(950)),
                ("HIGH", Some(800)),
                ("IMPORTANT", Some(800)),
                ("MEDIUM", Some(550)),
                ("MODERATE", Some(550)),
                ("LOW", Some(200)),
                ("INFO", Some(0)),
                ("FAILED", Some(550)),
                ("NONE", None),
                ("OFF", None),
            ],
        ),
        ("clair", &[("Defcon1", Some(1000)), ("critical", Some(950)), ("Negligible", Some(0)), ("Unknown", None)]),
        (
            "kics",
            &[
                ("CRITICAL", Some(950)),
                ("HIGH", Some(800)),
                ("MEDIUM", Some(550)),
                ("LOW", Some(200)),
                ("INFO", Some(0)),
                ("TRACE", Some(0)),
                ("WORST", None),
            ],
        ),
        (
            "pmd",
            &[("1", Some(800)), ("2", Some(700)), ("3", Some(550)), ("4", Some(300)), ("5", Some(200)), ("6", None)],
        ),
        (
            "qualys",
            &[("5", Some(950)), ("4", Some(800)), ("3", Some(550)), ("2", Some(200)), ("1", Some(0)), ("6", None)],
        ),
        (
            "semgrep",
            &[
                ("CRITICAL", Some(950)),
                ("ERROR", Some(800)),
                ("HIGH", Some(800)),
                ("WARNING", Some(550)),
                ("MEDIUM", Some(550)),
                ("INFO", Some(200)),
                ("LOW", Some(200)),
                ("EXPERIMENT", None),
            ],
        ),
        ("spotbugs", &[("1", Some(800)), ("2", Some(550)), ("3", Some(200)), ("5", Some(0)), ("6", None)]),
        (
            "tenable",
            &[
                ("Critical", Some(950)),
                ("3", Some(800)),
                ("medium", Some(550)),
                ("1", Some(200)),
                ("None", Some(0)),
                ("0", Some(0)),
                ("Severe", None),
            ],
        ),
        (
            "tfsec",
            &[
                ("CRITICAL", Some(950)),
                ("HIGH", Some(800)),
                ("MEDIUM", Some(550)),
                ("LOW", Some(200)),
                ("ERROR", Some(800)),
                ("WARNING", Some(550)),
                ("INFO", Some(0)),
                ("NONE", None),
            ],
        ),
    ];
    let score = |scanner: &Scanner, word: &str| score_of(scanner.severity_words, word).map(|score| score.hundredths());
    for (id, words) in CASES {
        for (word, expected) in *words {
            assert_eq!(score(find(id).unwrap(), word), *expected, "{id}: {word}");
        }
    }
    for scanner in ALL {
        for (word, hundredths) in scanner.severity_words {
            // A second entry for a word, or a score above 10, would have no effect.
            assert_eq!(score(scanner, &word.to_uppercase()), Some(*hundredths), "{}: {word}", scanner.id);
            let documented = format!("{}.{}", hundredths / 100, hundredths / 10 % 10);
            let mut parts = scanner.severities.split([' ', ',', ';', ')']);
            assert!(*hundredths == 0 || parts.any(|part| part == documented), "{}: {word} {documented}", scanner.id);
        }
    }
}

#[test]
fn every_fixture_is_detected_and_every_result_of_it_counted() {
    for_each_fixture(|scanner, file, bytes| {
        let file = file.display();
        let read = findings_as(Expected::Tool(scanner), bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        let summary = &read.parsed.summary;
        assert!(summary.adds_up(), "{file}: {summary:?}");
        assert_eq!(read.findings.len() as u64, summary.findings + summary.suppressed, "{file}");
        assert_eq!(read.parsed.format, scanner.id, "{file}");
        let auto = findings_as(Expected::Any, bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(auto, read, "{file} is detected as another scanner's");
        assert!(read.findings.is_sorted_by(|a, b| a.result < b.result), "{file}");
    });
}

#[test]
fn every_report_is_detected_as_one_format_only() {
    for_each_fixture(|scanner, file, bytes| {
        let sniff = Sniff::of(Input::Memory(bytes)).unwrap();
        let detected: Vec<_> = ALL.iter().filter(|other| (other.detect)(&sniff)).map(|other| other.id).collect();
        assert_eq!(detected, [scanner.id], "{}", file.display());
    });
}

#[test]
fn every_scanner_refuses_what_is_not_a_report() {
    for scanner in ALL {
        for bytes in [
            &b""[..],
            b" \n",
            b"{}",
            b"[]x",
            b"null",
            b"0",
            b"\"text\"",
            b"\xFF\xFE\x00",
            b"{\"a\": \"\xFF\"}",
            b"<a/>",
            b"PK\x03\x04",
            b"a,b\n1,2\n",
            b"<html></html>",
            b"nothing here",
        ] {
            if bytes == b"null" && NULL_IS_CLEAN.contains(&scanner.id) {
                continue;
            }
            let result = findings(scanner, bytes);
            // A tool that writes one line per result writes an empty file if it finds nothing, or did not run.
            if may_be_empty(scanner) && bytes.trim_ascii().is_empty() {
                assert!(!result.unwrap().1.summary.is_complete(), "{}", scanner.id);
                continue;
            }
            assert!(result.is_err(), "{} accepts {:?}", scanner.id, String::from_utf8_lossy(bytes));
        }
        // An empty list is a clean report of a tool that writes lists, and an error for any other.
        if let Ok((findings, parsed)) = findings(scanner, b"[]") {
            assert_eq!((findings.len(), parsed.summary.results), (0, 0), "{}", scanner.id);
        }
    }
}

#[test]
fn every_strict_prefix_of_a_fixture_is_refused_or_adds_up() {
    const PREFIXES_MAX: usize = 1500;
    for_each_fixture(|scanner, file, bytes| {
        let report = bytes.trim_ascii_end();
        let step = report.len().div_ceil(PREFIXES_MAX);
        let near_the_end = report.len().saturating_sub(100)..report.len();
        for end in (0..report.len()).step_by(step).chain(near_the_end) {
            let result = read_all(Expected::Tool(scanner), Input::Memory(&report[..end]));
            if may_be_empty(scanner) && report[..end].is_empty() {
                assert!(!result.unwrap().parsed.summary.is_complete(), "{}", scanner.id);
            } else if shows_its_end(scanner.notation) {
                assert!(result.is_err(), "{} of {} bytes of {}", end, report.len(), file.display());
            } else if let Ok(read) = result {
                assert!(read.parsed.summary.adds_up(), "{} of {} bytes of {}", end, report.len(), file.display());
            }
        }
    });
}

#[test]
fn a_report_of_another_tool_is_refused_and_its_tool_named() {
    for scanner in ALL {
        // SARIF may be of any tool.
        let accepted = |other: &Scanner| {
            accepts(scanner, other)
                || WRITE_ALIKE.contains(&(scanner.id, other.id))
                || (scanner.id == "sarif" && other.id == "snyk-code")
        };
        for other in ALL.iter().filter(|other| !accepted(other)) {
            let file = &fixtures(other.id)[0];
            let error = read_all(Expected::Tool(scanner), Input::Memory(&std::fs::read(file).unwrap()));
            match error {
                Err(ParseError::WrongTool { reason, .. }) => assert!(reason.contains(other.name), "{reason}"),
                other_result => panic!("{} accepts {}: {other_result:?}", scanner.id, file.display()),
            }
        }
    }
}

/// The inputs that fuzzing found, and every fixture with its scanner named and detected.
#[test]
fn the_invariants_hold_for_inputs_that_fuzzing_found_and_for_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/kept");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in files {
        exercise(&std::fs::read(&file).unwrap());
    }
    for_each_fixture(|scanner, _, report| {
        let choice = ALL.iter().position(|other| other.id == scanner.id).unwrap();
        for choice in [u8::try_from(choice).unwrap(), u8::MAX] {
            exercise(&[&[choice], report].concat());
        }
    });
}

#[test]
fn a_sink_that_stops_stops_every_parser() {
    struct Full;
    impl Sink for Full {
        fn finding(&mut self, _: Finding) -> ControlFlow<Stop> {
            ControlFlow::Break(Stop)
        }
    }
    for scanner in ALL {
        let with_findings = fixtures(scanner.id).into_iter().map(|file| std::fs::read(file).unwrap());
        let mut stopped = 0;
        for bytes in with_findings {
            if !findings(scanner, &bytes).unwrap().0.is_empty() {
                let result = read(Expected::Tool(scanner), Input::Memory(&bytes), &mut Full);
                assert!(matches!(result, Err(ParseError::Stopped)), "{}: {result:?}", scanner.id);
                stopped += 1;
            }
        }
        assert!(stopped > 0, "no fixture of {} has findings", scanner.id);
    }
}

#[test]
fn the_most_results_are_read_and_one_more_is_refused() {
    struct Count(u64);
    impl Sink for Count {
        fn finding(&mut self, _: Finding) -> ControlFlow<Stop> {
            self.0 += 1;
            ControlFlow::Continue(())
        }
    }
    // All but the last are numbers, which are rejected: rejected results count too, and are read faster than findings.
    let last = r#"{"filename":"a","issue_text":"t","line_number":1,"test_id":"B1","test_name":"n"}"#;
    let report = |results: u64| {
        let rejected = "0,".repeat(usize::try_from(results - 1).unwrap());
        format!(r#"{{"metrics":{{}},"results":[{rejected}{last}]}}"#)
    };
    let mut count = Count(0);
    let bandit = Expected::Tool(find("bandit").unwrap());
    let most = read(bandit, Input::Memory(report(FINDINGS_MAX).as_bytes()), &mut count).unwrap();
    assert_eq!((most.summary.results, most.summary.rejected, count.0), (FINDINGS_MAX, FINDINGS_MAX - 1, 1));
    let over = read(bandit, Input::Memory(report(FINDINGS_MAX + 1).as_bytes()), &mut count);
    assert!(matches!(over, Err(ParseError::TooManyFindings { .. })), "{over:?}");
    assert_eq!(count.0, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_edit_of_a_report_makes_a_parser_panic_or_lose_count(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for_each_fixture(|scanner, file, bytes| {
            let mut bytes = bytes.to_vec();
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Ok(read) = read_all(Expected::Tool(scanner), Input::Memory(&bytes)) {
                assert!(read.parsed.summary.adds_up(), "{}", file.display());
            }
        });
    }
}
