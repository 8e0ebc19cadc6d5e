//! What the tests of several modules share.

use crate::comparison::{
    Comparison, Identified, Known, Meeting, Met, Origin, Recognised, Side, Subject, Tracked, Wanted, compare,
};
use crate::grouping::{Grouper, Occurrence, Span};
use crate::ids::{ScanId, TargetId};
use crate::signature::Marks;
use crate::time::Timestamp;
use crate::tracking::{Place, Stage};
use finding::severity::{Score, ScoreSource};
use finding::{Excerpt, Finding, Kind, Location, Scored};
use std::collections::BTreeMap;

/// A finding of `rule` in a line of a file, shown with the lines `code` around it.
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

/// A scan with what it found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) n: u8,
    pub(crate) side: Side,
    pub(crate) texts: BTreeMap<u32, String>,
}

/// A scan that was compared.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) scan: Scan,
    pub(crate) comparison: Comparison,
    pub(crate) known: Known,
}

impl Scan {
    /// The scan of this number; each finding's result is its place in the list.
    pub(crate) fn new(n: u8, findings: &[Finding]) -> Self {
        let mut grouper = Grouper::new("bandit".parse().unwrap(), findings.len());
        let mut texts = BTreeMap::new();
        for (result, finding) in (0..).zip(findings) {
            let finding = Finding { result, ..finding.clone() };
            texts.extend(Marks::of(&finding).code.map(|code| (result, code)));
            grouper.push(finding);
        }
        let (issues, occurrences, names) = grouper.finish();
        let side =
            Side { issues: issues.map(|issue| Span::from(&issue)).collect(), occurrences: places(&occurrences), names };
        Self { n, side, texts }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            scan: ScanId::from_bits([self.n; 16]),
            at: Timestamp::from_ms(i64::from(self.n) * 1000),
            variant: "main".parse().unwrap(),
        }
    }

    /// Compares it with another, if there is one, and with its lineage.
    pub(crate) fn compare(self, complete: bool, reference: Option<&Compared>, lineage: Option<&Compared>) -> Compared {
        let texts = |other: &Compared| Wanted { current: self.texts.clone(), reference: other.scan.texts.clone() };
        let recognised = reference.map(|other| Meeting::of(&self.side, &other.known).finish(texts(other)));
        let rest = lineage.map(|other| match (reference, &recognised) {
            (Some(reference), Some(done)) => {
                Meeting::of_the_rest(&self.side, &other.known, &reference.known, done).finish(texts(other))
            }
            (_, _) => Meeting::of(&self.side, &other.known).finish(texts(other)),
        });
        let target = TargetId::from_bits([7; 16]);
        let subject = Subject { side: &self.side, target, origin: self.origin(), complete };
        fn met<'a>(of: Option<&'a Compared>, recognised: &'a Option<Recognised>) -> Option<Met<'a>> {
            Some((&of?.known, recognised.as_ref()?))
        }
        let comparison = compare(&subject, met(reference, &recognised), met(lineage, &rest));
        let known = Known {
            side: Side {
                issues: self.side.issues.clone(),
                occurrences: self.side.occurrences.clone(),
                names: self.side.names.clone(),
            },
            issues: comparison.issues.iter().map(|row| Identified { id: row.id, seen: row.seen, form: None }).collect(),
            occurrences: comparison
                .occurrences
                .iter()
                .map(|row| Identified { id: row.id, seen: row.seen, form: row.form.clone() })
                .collect(),
            origins: comparison.origins.clone(),
        };
        Compared { scan: self, comparison, known }
    }

    /// As a first scan.
    pub(crate) fn first(self) -> Compared {
        self.compare(true, None, None)
    }
}

impl Compared {
    /// The identity of the finding at this place of the list.
    pub(crate) fn of(&self, result: u32) -> &Tracked {
        let at = self.scan.side.occurrences.iter().position(|place| place.result == result).unwrap();
        &self.comparison.occurrences[at]
    }

    /// For each finding the stage that recognised it.
    pub(crate) fn stages(&self) -> Vec<Option<Stage>> {
        let count = u32::try_from(self.comparison.occurrences.len()).unwrap();
        (0..count).map(|result| self.of(result).found.as_ref().map(|found| found.stage)).collect()
    }
}

/// Occurrences as they are read back from the store.
pub(crate) fn places(occurrences: &[Occurrence]) -> Vec<Place> {
    let line = |occurrence| serde_json::to_string(occurrence).unwrap();
    occurrences.iter().map(|occurrence| serde_json::from_str(&line(occurrence)).unwrap()).collect()
}
