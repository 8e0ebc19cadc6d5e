//! What every scanner must do, written once and run on each.

use super::*;
use finding::Finding;
use finding::limits::FINDINGS_MAX;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::mem::discriminant;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

struct Keep(Vec<Finding>);
impl Sink for Keep {
    fn finding(&mut self, finding: Finding) -> ControlFlow<Stop> {
        self.0.push(finding);
        ControlFlow::Continue(())
    }
}

/// Parses from memory and from a stream that gives a few bytes at a time; both must agree.
pub(crate) fn findings(scanner: &Scanner, bytes: &[u8]) -> Result<(Vec<Finding>, Parsed), ParseError> {
    let mut from_memory = Keep(vec![]);
    let memory = (scanner.parse)(Input::Memory(bytes), &mut from_memory);
    let mut from_stream = Keep(vec![]);
    let stream = (scanner.parse)(Input::Stream(&mut Trickle(bytes)), &mut from_stream);
    match (&memory, &stream) {
        (Ok(parsed), Ok(streamed)) => assert_eq!((&from_memory.0, parsed), (&from_stream.0, streamed)),
        // Of two that fail, only the kind must agree: a stream counts lines and columns a little differently.
        (Err(error), Err(streamed)) => assert_eq!(discriminant(error), discriminant(streamed), "{error}, {streamed}"),
        _ => panic!("from memory {memory:?}, from a stream {stream:?}"),
    }
    memory.map(|parsed| (from_memory.0, parsed))
}

pub(crate) fn failure(scanner: &Scanner, bytes: &[u8]) -> String {
    findings(scanner, bytes).unwrap_err().to_string()
}

struct Trickle<'a>(&'a [u8]);
impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.0.len()).min(7);
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
    assert!(!files.is_empty(), "{} holds no reports", folder.display());
    files
}

#[test]
fn every_scanner_has_its_fixtures_and_every_fixture_its_scanner() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders: BTreeSet<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let ids: BTreeSet<_> = ALL.iter().map(|scanner| scanner.id.to_owned()).collect();
    assert_eq!(folders, ids);
    let sorted: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(ALL.iter().map(|scanner| scanner.id).collect::<Vec<_>>(), sorted, "ALL is sorted and has no doubles");
}

#[test]
fn every_result_of_every_fixture_is_accounted_for() {
    for scanner in ALL {
        for file in fixtures(scanner.id) {
            let (findings, parsed) = findings(scanner, &std::fs::read(&file).unwrap()).unwrap();
            assert!(parsed.summary.adds_up(), "{}: {:?}", file.display(), parsed.summary);
            assert_eq!(findings.len() as u64, parsed.summary.findings, "{}", file.display());
        }
    }
}

#[test]
fn what_is_no_report_is_refused_by_every_scanner() {
    for scanner in ALL {
        for bytes in
            [&b""[..], b"{}", b"[]", b"null", b"0", b"\"text\"", b"\xFF\xFE\x00", b"{\"a\": \"\xFF\"}", b"<a/>"]
        {
            assert!(findings(scanner, bytes).is_err(), "{} accepts {bytes:?}", scanner.id);
        }
    }
}

#[test]
fn every_strict_prefix_of_a_fixture_is_refused() {
    for scanner in ALL {
        for file in fixtures(scanner.id) {
            let bytes = std::fs::read(&file).unwrap();
            let report = bytes.trim_ascii_end();
            for end in 0..report.len() {
                let mut keep = Keep(vec![]);
                let result = (scanner.parse)(Input::Memory(&report[..end]), &mut keep);
                assert!(result.is_err(), "{} of {} bytes of {}", end, report.len(), file.display());
            }
        }
    }
}

#[test]
fn a_sink_that_stops_stops_the_parser() {
    struct Full;
    impl Sink for Full {
        fn finding(&mut self, _: Finding) -> ControlFlow<Stop> {
            ControlFlow::Break(Stop)
        }
    }
    let file = fixtures("bandit").into_iter().next_back().unwrap();
    let result = (bandit::SCANNER.parse)(Input::Memory(&std::fs::read(file).unwrap()), &mut Full);
    assert!(matches!(result, Err(ParseError::Stopped)), "{result:?}");
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
    let result = r#"{"filename":"a","issue_text":"t","line_number":1,"test_id":"B1","test_name":"n"},"#;
    let report = |results: u64| {
        let list = result.repeat(usize::try_from(results).unwrap());
        format!(r#"{{"metrics":{{}},"results":[{}]}}"#, list.trim_end_matches(','))
    };
    let mut count = Count(0);
    assert!((bandit::SCANNER.parse)(Input::Memory(report(FINDINGS_MAX).as_bytes()), &mut count).is_ok());
    assert_eq!(count.0, FINDINGS_MAX);
    let over = (bandit::SCANNER.parse)(Input::Memory(report(FINDINGS_MAX + 1).as_bytes()), &mut count);
    assert!(matches!(over, Err(ParseError::TooManyFindings { .. })), "{over:?}");
}

/// The corpus of real reports, where it is there: the folder named by `GATEHOUSE_CORPUS`, or `../shared/corpus`.
#[test]
fn the_corpus_of_real_reports_adds_up() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("GATEHOUSE_CORPUS").map_or(default, PathBuf::from);
    let Ok(manifest) = std::fs::read(corpus.join("manifest.json")) else {
        println!("no corpus at {}: nothing to read", corpus.display());
        return;
    };
    let entries: Vec<serde_json::Value> = serde_json::from_slice(&manifest).unwrap();
    let mut read = 0;
    for entry in entries {
        let Some(scanner) = find(entry["scanner"].as_str().unwrap()) else { continue };
        let file = corpus.join(entry["file"].as_str().unwrap());
        let (_, parsed) = findings(scanner, &std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(Some(parsed.summary.results), entry["results_in_file"].as_u64(), "{}", file.display());
        assert!(parsed.summary.adds_up());
        read += 1;
    }
    assert!(read > 0, "the corpus holds reports of none of our scanners");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
    #[test]
    fn no_edit_of_a_report_makes_a_parser_panic_or_lose_count(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for scanner in ALL {
            for file in fixtures(scanner.id) {
                let mut bytes = std::fs::read(&file).unwrap();
                for (at, byte) in &edits {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if let Ok((_, parsed)) = findings(scanner, &bytes) {
                    prop_assert!(parsed.summary.adds_up());
                }
            }
        }
    }
}
