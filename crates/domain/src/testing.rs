//! Helpers that the tests of several modules share.

use crate::comparison::{
    ComparedScan, Comparison, CurrentScan, Identified, JoinedScan, MatchedScan, Matches, Origin, PerScan, Remainder,
    ScanContents, ScanPair, Source, TrackedOccurrence, compare,
};
use crate::counts::BySeverity;
use crate::event::{Actor, Entry};
use crate::grouping::{ComparableIssue, Grouper, Occurrence};
use crate::ids::{EventId, ScanId, TargetId, TokenId, token_digest};
use crate::role::Role;
use crate::scan_event::{ScanEvent, ScanOutcome};
use crate::series::series;
use crate::signature::ComparableFinding;
use crate::time::{DAY_MS, Timestamp};
use crate::token::IssuedToken;
use crate::tracking::{ComparableOccurrence, Stage};
use crate::upload_limits::UploadLimits;
use crate::verdict::Verdict;
use finding::severity::{Score, ScoreSource};
use finding::{BlindSpot, Excerpt, Finding, Kind, Location, Scored};
use std::collections::BTreeMap;

/// Makes a finding of `rule` in a line of a file, with the lines `code` around it.
pub(crate) fn finding(result: u32, rule: &str, path: &str, line: u32, code: &[&str]) -> Finding {
    Finding {
        result,
        score: Score::from_hundredths(950).map(|score| Scored { score, source: ScoreSource::ScannerWord }),
        severity_word: Some("HIGH".to_owned()),
        cwes: vec![327],
        location: Some(Location::lines(path, Some(line), None)),
        code: (!code.is_empty()).then(|| Excerpt {
            first_line: line.saturating_sub(1),
            lines: code.iter().map(|line| (*line).to_owned()).collect(),
        }),
        ..Finding::new(Kind::Code, rule, format!("title of {rule}"), "message")
    }
}

/// Makes the event of a scan of the variant `main`, the baseline, on a day. Its counts follow from its number.
pub(crate) fn recorded(n: u64, day: u32, scanner: &str, verdict: Verdict) -> ScanEvent {
    let scanner = scanner.parse().unwrap();
    ScanEvent {
        scan: ScanId::derived("test", &[&n.to_be_bytes()]),
        variant: "main".parse().unwrap(),
        complete: true,
        series: Some(series(&scanner, &[])),
        scanner,
        untrusted: false,
        outcome: ScanOutcome {
            received: Timestamp::from_ms(i64::from(day) * DAY_MS + 1),
            verdict,
            open: BySeverity { high: n, ..BySeverity::default() },
            new: 1,
            remediated: 2,
            exempted: 3,
            no_threshold: false,
            baseline: true,
        },
    }
}

pub(crate) fn entry<E>(n: u64, subject: &str, at: i64, event: E) -> Entry<E> {
    Entry {
        v: 1,
        id: EventId::derived("test", &[&n.to_be_bytes()]),
        at: Timestamp::from_ms(at),
        by: Actor { subject: subject.parse().unwrap(), role: Role::Admin, token: None, address: None },
        event,
    }
}

/// Makes a token that is valid for all targets.
pub(crate) fn token(secret: &str, expires: Option<i64>) -> IssuedToken {
    IssuedToken {
        id: TokenId::of(secret),
        sha256: token_digest(secret),
        name: "ci".to_owned(),
        subject: "ci".parse().unwrap(),
        role: Role::Developer,
        targets: None,
        expires: expires.map(Timestamp::from_ms),
        uploads: UploadLimits::default(),
    }
}

/// A scan with its contents.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) n: u8,
    pub(crate) contents: ScanContents,
    pub(crate) texts: BTreeMap<u32, String>,
}

/// A scan after its comparison.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) scan: Scan,
    pub(crate) comparison: Comparison,
    pub(crate) known: ComparedScan,
}

impl Scan {
    /// Makes the scan with this number. The result of a finding is its index in the list.
    pub(crate) fn new(n: u8, findings: &[Finding]) -> Self {
        let mut grouper = Grouper::new("bandit".parse().unwrap(), findings.len());
        let mut texts = BTreeMap::new();
        for (result, finding) in (0..).zip(findings) {
            let finding = Finding { result, ..finding.clone() };
            texts.extend(ComparableFinding::of(&finding).code.map(|code| (result, code)));
            grouper.push(finding);
        }
        let (issues, occurrences, names) = grouper.finish();
        let contents = ScanContents {
            issues: issues.map(|issue| ComparableIssue::from(&issue)).collect(),
            occurrences: places(&occurrences),
            names,
        };
        Self { n, contents, texts }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            scan: ScanId::from_bits([self.n; 16]),
            at: Timestamp::from_ms(i64::from(self.n) * 1000),
            variant: "main".parse().unwrap(),
        }
    }

    /// Compares it with another scan, if there is one, and with its lineage.
    pub(crate) fn compare(self, complete: bool, reference: Option<&Compared>, lineage: Option<&Compared>) -> Compared {
        self.compare_blind(complete, &[], reference, lineage)
    }

    /// Does the same with blind spots.
    pub(crate) fn compare_blind(
        mut self,
        complete: bool,
        spots: &[BlindSpot],
        reference: Option<&Compared>,
        lineage: Option<&Compared>,
    ) -> Compared {
        let texts = |other: &Compared| PerScan { current: self.texts.clone(), reference: other.scan.texts.clone() };
        let matches = reference.map(|other| ScanPair::new(&self.contents, &other.known).finish(texts(other), spots));
        let rest = lineage.map(|other| match (reference, &matches) {
            (Some(reference), Some(done)) => {
                ScanPair::of_unmatched(&self.contents, &other.known, &reference.known, done).finish(texts(other), spots)
            }
            (_, _) => ScanPair::new(&self.contents, &other.known).finish(texts(other), spots),
        });
        let target = TargetId::from_bits([7; 16]);
        let current = CurrentScan { contents: &self.contents, target, origin: self.origin(), complete };
        fn met<'a>(of: Option<&'a Compared>, matches: &'a Option<Matches>) -> Option<MatchedScan<'a>> {
            Some((&of?.known, matches.as_ref()?))
        }
        let comparison = compare(&current, met(reference, &matches), met(lineage, &rest));
        let known = ComparedScan {
            contents: ScanContents {
                issues: self.contents.issues.clone(),
                occurrences: self.contents.occurrences.clone(),
                names: self.contents.names.clone(),
            },
            issues: comparison.issues.iter().map(|row| Identified::new(row.id, row.seen)).collect(),
            occurrences: comparison
                .occurrences
                .iter()
                .map(|row| Identified { id: row.id, seen: row.seen, form: row.form.clone(), exact: row.exact.clone() })
                .collect(),
            origins: comparison.origins.clone(),
            rules: Vec::new(),
        };
        let (there, own) = (reference.map(|scan| &scan.known), lineage.map(|scan| &scan.known));
        let remainder = Remainder::of(&comparison.not_seen, there, own);
        let results = u32::try_from(self.contents.occurrences.len()).unwrap();
        for (at, (source, result)) in (results..).zip(&remainder.results) {
            let scan = if *source == Source::Reference { reference } else { lineage };
            self.texts.extend(scan.unwrap().scan.texts.get(result).map(|text| (at, text.clone())));
        }
        let remainder = remainder.into_compared(comparison.origins.clone());
        let known = JoinedScan::new(known, remainder, results).scan;
        Compared { scan: self, comparison, known }
    }

    /// Compares it with nothing, as a first scan.
    pub(crate) fn first(self) -> Compared {
        self.compare(true, None, None)
    }
}

impl Compared {
    /// Returns the occurrence of the finding at an index of the list.
    pub(crate) fn of(&self, result: u32) -> &TrackedOccurrence {
        let at = self.scan.contents.occurrences.iter().position(|place| place.result == result).unwrap();
        &self.comparison.occurrences[at]
    }

    /// Returns the stage that matched each finding.
    pub(crate) fn stages(&self) -> Vec<Option<Stage>> {
        let count = u32::try_from(self.comparison.occurrences.len()).unwrap();
        (0..count).map(|result| self.of(result).found.as_ref().map(|found| found.stage)).collect()
    }
}

/// Reads occurrences like from the store.
pub(crate) fn places(occurrences: &[Occurrence]) -> Vec<ComparableOccurrence> {
    let line = |occurrence| serde_json::to_string(occurrence).unwrap();
    occurrences.iter().map(|occurrence| serde_json::from_str(&line(occurrence)).unwrap()).collect()
}

/// Makes the stored form of a scan of `web:main` by bandit, with what every version of it has.
pub(crate) fn stored_scan() -> serde_json::Value {
    serde_json::json!({
        "v": 1, "id": "01".repeat(16),
        "request": {
            "project": "shop", "target": "web", "target_type": "repository", "variant": "main", "scanner": "auto",
            "fail_on_severity": "high"
        },
        "tool": "bandit", "format": "bandit", "by": {"subject": "ci", "role": "developer"}, "received": 5,
        "report_sha256": "ab", "report_bytes": 7, "settings": {}, "reference": {"with": "none"}
    })
}
