//! Compares a scan with the one it is measured against: which issues and occurrences are only here, common, or gone.

use crate::grouping::Span;
use crate::ids::{IssueId, OccurrenceId, ScanId};
use crate::tracking::{Place, Tracked, pair};
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where an issue stands relative to the scan compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// Only here.
    New,
    /// In both.
    Common,
    /// Only in the scan compared with.
    Remediated,
}

impl Bucket {
    /// All buckets, in the order people read them.
    pub const ALL: [Self; 3] = [Self::New, Self::Common, Self::Remediated];

    /// The bucket as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Common => "common",
            Self::Remediated => "remediated",
        }
    }
}

/// How an issue's occurrences divide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// Occurrences only here.
    pub new: u32,
    /// Occurrences recognised in the scan compared with.
    pub common: u32,
    /// Those of the common ones that are recognised although their code was edited: the match is doubtful.
    #[serde(skip_serializing_if = "is_default", default)]
    pub updated: u32,
    /// Occurrences of the scan compared with that are not here.
    pub remediated: u32,
}

/// One issue of the scan, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedIssue {
    /// The issue.
    pub id: IssueId,
    /// New or common.
    pub bucket: Bucket,
    /// Its occurrences.
    pub division: Division,
    /// The highest level of its new occurrences.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worst_new: Option<Severity>,
    /// The highest level of its updated occurrences.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worst_updated: Option<Severity>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One scan's issues and occurrences, as the stages before stored them.
#[derive(Debug)]
pub struct Side {
    /// The scan.
    pub scan: ScanId,
    /// Its issues, in their stored order.
    pub issues: Vec<Span>,
    /// Its occurrences, in the order of their issues.
    pub occurrences: Vec<Place>,
}

impl Side {
    /// The occurrences of one of its issues, and the place of the first.
    fn of(&self, issue: &Span) -> (usize, &[Place]) {
        let range = usize::try_from(issue.first).unwrap_or(usize::MAX);
        let end = range.saturating_add(usize::try_from(issue.occurrences).unwrap_or(usize::MAX));
        (range, self.occurrences.get(range..end).unwrap_or_default())
    }
}

/// The result of a comparison. Everything is in the stored order of the scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The scan's issues.
    pub issues: Vec<ComparedIssue>,
    /// The identities of the scan's occurrences.
    pub occurrences: Vec<Tracked>,
    /// The issues that are gone, in the order in which the scan compared with had them.
    pub remediated: Vec<Span>,
}

/// Compares `current` with `reference`, whose occurrences have these identities. Without a reference everything is
/// new. An incomplete scan remediates nothing: what it did not look at is not gone.
pub fn compare(current: &Side, complete: bool, reference: Option<(&Side, &[Tracked])>) -> Comparison {
    let first_seen = |place: &Place| Tracked {
        id: OccurrenceId::first_seen(current.scan, place.result),
        stage: None,
        was_line: None,
    };
    let mut tracked: Vec<Tracked> = current.occurrences.iter().map(first_seen).collect();
    let mut gone: BTreeMap<IssueId, &Span> = BTreeMap::new();
    if let Some((reference, _)) = reference {
        gone.extend(reference.issues.iter().map(|issue| (issue.id, issue)));
    }
    let mut issues = Vec::with_capacity(current.issues.len());
    for issue in &current.issues {
        let mut row = ComparedIssue {
            id: issue.id,
            bucket: Bucket::New,
            division: Division { new: issue.occurrences, ..Division::default() },
            worst_new: None,
            worst_updated: None,
        };
        if let (Some((reference, identities)), Some(known)) = (reference, gone.remove(&issue.id)) {
            row.bucket = Bucket::Common;
            row.division = recognise(current.of(issue), reference.of(known), identities, &mut tracked);
            if !complete {
                row.division.remediated = 0;
            }
        }
        issues.push(row);
    }
    let remediated = match reference {
        Some((reference, _)) if complete => {
            reference.issues.iter().copied().filter(|issue| gone.contains_key(&issue.id)).collect()
        }
        Some(_) | None => Vec::new(),
    };
    Comparison { issues, occurrences: tracked, remediated }
}

/// Gives an issue's occurrences the identities of those they are recognised as.
fn recognise(
    (here, current): (usize, &[Place]),
    (there, reference): (usize, &[Place]),
    identities: &[Tracked],
    tracked: &mut [Tracked],
) -> Division {
    let pairs = pair(current, reference);
    for pair in &pairs {
        let (place, known) = (tracked.get_mut(here + pair.current), identities.get(there + pair.reference));
        if let (Some(place), Some(known)) = (place, known) {
            let was_line = reference.get(pair.reference).and_then(|place| place.line);
            *place = Tracked { id: known.id, stage: Some(pair.stage), was_line };
        }
    }
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Division {
        new: count(current.len() - pairs.len()),
        common: count(pairs.len()),
        updated: 0,
        remediated: count(reference.len() - pairs.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grouping::{Grouper, IssueKey};
    use crate::testing::finding;
    use crate::tracking::Stage;
    use finding::Finding;
    use proptest::prelude::*;

    fn side(scan: u8, findings: Vec<Finding>) -> Side {
        let mut grouper = Grouper::new("bandit".parse().unwrap(), findings.len());
        findings.into_iter().for_each(|finding| grouper.push(finding));
        let (issues, occurrences) = grouper.finish();
        let places = occurrences.into_iter().map(|occurrence| Place {
            result: occurrence.result,
            line: occurrence.line,
            signatures: occurrence.signatures,
        });
        let issues = issues.map(|issue| Span::from(&issue)).collect();
        Side { scan: ScanId::from_bits([scan; 16]), issues, occurrences: places.collect() }
    }

    fn found(rule: &str, path: &str, line: u32) -> Finding {
        finding(line, rule, path, line, &["before", &format!("{rule}({path})"), "after"])
    }

    fn identities(side: &Side) -> Vec<Tracked> {
        compare(side, true, None).occurrences
    }

    /// The issue of a rule.
    fn of(rule: &str) -> IssueId {
        IssueKey::of("bandit", &found(rule, "a.py", 1)).id()
    }

    fn buckets(comparison: &Comparison) -> Vec<(IssueId, Bucket, u32, u32, u32)> {
        let row = |row: &ComparedIssue| {
            let Division { new, common, updated: _, remediated } = row.division;
            (row.id, row.bucket, new, common, remediated)
        };
        comparison.issues.iter().map(row).collect()
    }

    #[test]
    fn without_a_reference_everything_is_new() {
        let scan = side(1, vec![found("B1", "a.py", 1), found("B1", "b.py", 2)]);
        let comparison = compare(&scan, true, None);
        assert_eq!(buckets(&comparison), [(of("B1"), Bucket::New, 2, 0, 0)]);
        assert!(comparison.remediated.is_empty() && comparison.occurrences[0].id != comparison.occurrences[1].id);
    }

    #[test]
    fn a_known_rule_in_a_new_place_is_a_common_issue_with_a_new_occurrence() {
        let old = side(1, vec![found("B1", "a.py", 1), found("B3", "c.py", 9)]);
        let new = side(2, vec![found("B1", "a.py", 40), found("B1", "b.py", 2), found("B2", "a.py", 3)]);
        let comparison = compare(&new, true, Some((&old, &identities(&old))));
        assert_eq!(buckets(&comparison), [(of("B1"), Bucket::Common, 1, 1, 0), (of("B2"), Bucket::New, 1, 0, 0)]);
        assert_eq!(comparison.remediated.iter().map(|issue| issue.id).collect::<Vec<_>>(), [of("B3")]);
        let moved = &comparison.occurrences[0];
        assert_eq!(
            (moved.id, moved.stage, moved.was_line),
            (identities(&old)[0].id, Some(Stage::Context), Some(1)),
            "a recognised occurrence keeps its identity and says where it was"
        );
    }

    #[test]
    fn an_incomplete_scan_remediates_nothing() {
        let old = side(1, vec![found("B1", "a.py", 1), found("B1", "b.py", 1), found("B3", "c.py", 9)]);
        let new = side(2, vec![found("B1", "a.py", 1)]);
        let comparison = compare(&new, false, Some((&old, &identities(&old))));
        assert_eq!(buckets(&comparison), [(of("B1"), Bucket::Common, 0, 1, 0)]);
        assert!(comparison.remediated.is_empty());
        let comparison = compare(&new, true, Some((&old, &identities(&old))));
        assert_eq!(buckets(&comparison), [(of("B1"), Bucket::Common, 0, 1, 1)]);
        assert_eq!(comparison.remediated.len(), 1);
    }

    proptest! {
        #[test]
        fn the_sums_hold(
            a in proptest::collection::vec((0..3_u8, 0..3_u8, 1..9_u32), 0..25),
            b in proptest::collection::vec((0..3_u8, 0..3_u8, 1..9_u32), 0..25),
        ) {
            let side_of = |n, list: &[(u8, u8, u32)]| {
                side(n, list.iter().map(|(rule, path, line)| found(&format!("B{rule}"), &format!("{path}.py"), *line)).collect())
            };
            let (old, new) = (side_of(1, &a), side_of(2, &b));
            let comparison = compare(&new, true, Some((&old, &identities(&old))));
            let sum = |field: fn(&Division) -> u32| comparison.issues.iter().map(|issue| field(&issue.division)).sum::<u32>();
            let gone: u32 = comparison.remediated.iter().map(|issue| issue.occurrences).sum();
            let count = |list: &[(u8, u8, u32)]| u32::try_from(list.len()).unwrap();
            prop_assert_eq!(sum(|d| d.new) + sum(|d| d.common), count(&b));
            prop_assert_eq!(gone + sum(|d| d.remediated) + sum(|d| d.common), count(&a));
            let again = compare(&old, true, Some((&old, &identities(&old))));
            prop_assert!(again.remediated.is_empty());
            prop_assert!(again.issues.iter().all(|issue| issue.division.new == 0 && issue.bucket == Bucket::Common));
            let ids = |tracked: &[Tracked]| { let mut ids: Vec<_> = tracked.iter().map(|t| t.id).collect(); ids.sort_unstable(); ids };
            prop_assert_eq!(ids(&again.occurrences), ids(&identities(&old)));
        }
    }
}
