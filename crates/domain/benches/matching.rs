//! Measures the time of matching two scans of 100,000 findings each, of several shapes. Prints times and checks none.
//!
//! `cargo xtask bench` runs it natively and inside Wasm.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot continue has failed")]

use domain::comparison::{ComparedScan, CurrentScan, Identified, Origin, PerScan, ScanContents, ScanPair, compare};
use domain::grouping::{ComparableIssue, Grouper};
use domain::ids::{ScanId, TargetId};
use domain::signature::ComparableFinding;
use domain::time::Timestamp;
use domain::tracking::ComparableOccurrence;
use finding::{Excerpt, Finding, Kind, Location};
use std::collections::BTreeMap;
use std::time::Instant;

const FINDINGS: u32 = 100_000;

/// Returns path, line and code of a finding, by its number. The flag is true for the second scan.
type Shape = fn(u32, bool) -> (String, u32, String);

const SHAPES: [(&str, Shape); 6] = [
    ("nothing changed", |n, _| (file(n), line(n), code(n))),
    ("lines moved, one in fifty edited", |n, second| {
        let edit = if second && n % 50 == 0 { ", check=True" } else { "" };
        (file(n), line(n) + u32::from(second) * (n % 7), format!("{}{edit}", code(n)))
    }),
    ("every file renamed", |n, second| (if second { format!("new/{}", file(n)) } else { file(n) }, line(n), code(n))),
    ("all alike in one file, lines moved", |n, second| {
        ("a.py".to_owned(), n + 1 + u32::from(second) * 17, "run(x)".to_owned())
    }),
    ("all edited in one file, on few lines", |n, second| {
        let how = if second { "shell=True" } else { "shell=False" };
        ("a.py".to_owned(), n % 40 + 1, format!("subprocess.run(command_{n}, {how})"))
    }),
    ("nothing in common", |n, second| {
        (file(n), line(n), if second { format!("yaml.load(body_{n})") } else { format!("eval({n})") })
    }),
];

fn file(n: u32) -> String {
    format!("src/module_{}/views.py", n / 40)
}

fn line(n: u32) -> u32 {
    n % 40 * 10 + 2
}

fn code(n: u32) -> String {
    format!("subprocess.run('tar {}', shell=True)", n % 1000)
}

/// A scan: its findings, and the code to match them by.
fn scan(shape: Shape, second: bool) -> (ScanContents, BTreeMap<u32, String>) {
    let mut grouper = Grouper::new("bandit".parse().unwrap(), usize::try_from(FINDINGS).unwrap());
    let mut codes = BTreeMap::new();
    for n in 0..FINDINGS {
        let (path, line, code) = shape(n, second);
        let finding = Finding {
            result: n,
            location: Some(Location::lines(path, Some(line), None)),
            code: Some(Excerpt {
                first_line: line - 1,
                lines: vec![format!("def f{}():", n % 97), code, String::new()],
            }),
            ..Finding::new(Kind::Code, format!("B{}", n % 60), "title", "message")
        };
        codes.extend(ComparableFinding::of(&finding).code.map(|code| (n, code)));
        grouper.push(finding);
    }
    let (issues, occurrences, names) = grouper.finish();
    let place = |occurrence| -> ComparableOccurrence {
        serde_json::from_value(serde_json::to_value(occurrence).unwrap()).unwrap()
    };
    let issues = issues.map(|issue| ComparableIssue::from(&issue)).collect();
    (ScanContents { issues, occurrences: occurrences.into_iter().map(place).collect(), names }, codes)
}

fn origin(n: u8) -> Origin {
    Origin { scan: ScanId::from_bits([n; 16]), at: Timestamp::from_ms(i64::from(n)), variant: "main".parse().unwrap() }
}

fn current(contents: &ScanContents, n: u8) -> CurrentScan<'_> {
    CurrentScan { contents, target: TargetId::from_bits([1; 16]), origin: origin(n), complete: true }
}

fn main() {
    println!("Matching {FINDINGS} findings in {FINDINGS}:");
    for (name, shape) in SHAPES {
        let ((old, old_codes), (new, new_codes)) = (scan(shape, false), scan(shape, true));
        let first = compare(&current(&old, 1), None, None);
        let known = ComparedScan {
            issues: first
                .issues
                .iter()
                .map(|row| Identified { id: row.id, seen: row.seen, form: None, exact: None })
                .collect(),
            occurrences: first
                .occurrences
                .iter()
                .map(|row| Identified { id: row.id, seen: row.seen, form: None, exact: None })
                .collect(),
            origins: first.origins,
            contents: old,
            rules: Vec::new(),
        };
        let before = Instant::now();
        let pair = ScanPair::new(&new, &known);
        let matches = pair.finish(PerScan { current: new_codes, reference: old_codes }, &[]);
        let comparison = compare(&current(&new, 2), Some((&known, &matches)), None);
        let took = before.elapsed().as_secs_f64();
        let common = comparison.occurrences.iter().filter(|tracked| tracked.found.is_some()).count();
        println!("  {name}: {took:.2} s, {common} matched");
    }
}
