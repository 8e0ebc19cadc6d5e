//! Replays: an old scan's result, made again by the current parsers and matcher, and its differences from the original.
//! Parameters, settings, reference scan and exemptions stay the same. So every difference comes from the parsers and
//! the matcher.

use crate::comparison::Bucket;
use crate::event::Actor;
use crate::ids::{IssueId, OccurrenceId};
use crate::time::Timestamp;
use crate::verdict::Verdict;
use finding::severity::Severity;
use itertools::{EitherOrBoth, Itertools as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maximum number of differences that are listed. All of them are counted.
pub const EXAMPLES_MAX: usize = 50;

/// The actor, time and source of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// The time of the replay.
    pub at: Timestamp,
    /// The actor. The uploader of the report stays the scan's uploader.
    pub by: Actor,
    /// The input of the replay.
    #[serde(flatten)]
    pub origin: ReplaySource,
}

/// The input of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum ReplaySource {
    /// The raw report, parsed again.
    Report,
    /// The stored findings. The parsers were not used.
    Findings {
        /// The reason why the report could not be parsed again.
        reason: ReportUnavailable,
    },
}

/// The reason why a raw report cannot be parsed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportUnavailable {
    /// It was removed after parsing.
    Removed,
    /// Its key is encrypted, and the installation has no storage key.
    NoStorageKey,
    /// Its key cannot be decrypted.
    KeyUnusable,
}

impl ReportUnavailable {
    /// Returns the reason as text.
    pub fn as_sentence(self) -> &'static str {
        match self {
            Self::Removed => {
                "the raw report contains secrets and was removed after parsing, because storage_key was not set"
            }
            Self::NoStorageKey => "the raw report is encrypted, and the installation's storage_key is not set",
            Self::KeyUnusable => "the raw report was encrypted with another storage_key, or its key is damaged",
        }
    }
}

/// The properties of an issue that are compared. Remediated issues are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueRow {
    /// The issue.
    pub id: IssueId,
    /// Its bucket.
    pub bucket: Bucket,
    /// Its severity.
    pub severity: Severity,
}

/// The properties of an occurrence that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OccurrenceRow {
    /// The index of its result in the report. Rows with the same index are compared.
    pub result: u32,
    /// The index of its issue among the rows of issues.
    pub issue: u32,
    /// Its id.
    pub id: OccurrenceId,
    /// Its bucket.
    pub bucket: Bucket,
}

/// The result of a scan or of its replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanResult {
    /// The verdict.
    pub verdict: Verdict,
    /// The output variables.
    pub variables: BTreeMap<String, String>,
    /// The issues, each once.
    pub issues: Vec<IssueRow>,
    /// The occurrences, each result once.
    pub occurrences: Vec<OccurrenceRow>,
}

/// The value of a variable in the original and in the replay; absent where the variable is missing.
pub type VariablePair = (Option<String>, Option<String>);

/// The differences of two results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// True if the verdicts differ.
    pub verdict_changed: bool,
    /// The output variables that differ.
    pub variables: BTreeMap<String, VariablePair>,
    /// Numbers of issues. Every issue of either result is in exactly one number.
    pub issues: IssueCounts,
    /// Numbers of occurrences. Every occurrence of either result is in exactly one number.
    pub occurrences: OccurrenceCounts,
    /// The first differences, at most [`EXAMPLES_MAX`]: of issues, then of occurrences.
    pub examples: Vec<Example>,
}

/// Numbers of issues by difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IssueCounts {
    /// In both, with the same bucket and severity.
    pub same: u64,
    /// In the original only.
    pub only_original: u64,
    /// In the replay only.
    pub only_replay: u64,
    /// In both, with another bucket.
    pub rebucketed: u64,
    /// In both with the same bucket, with another severity.
    pub rerated: u64,
}

/// Numbers of occurrences by difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OccurrenceCounts {
    /// In both, with the same id and bucket.
    pub same: u64,
    /// Results that are an occurrence in the original only.
    pub only_original: u64,
    /// Results that are an occurrence in the replay only.
    pub only_replay: u64,
    /// The same id with another bucket.
    pub rebucketed: u64,
    /// The same result with another id.
    pub reidentified: u64,
}

/// One difference, listed as an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The issue. For an occurrence, its issue in the replay, or in the original if it is only there.
    pub issue: IssueId,
    /// The index of the result in the report, for an occurrence.
    pub result: Option<u32>,
    /// The difference.
    pub how: Difference,
}

/// A difference of an issue or occurrence. Pairs have the value of the original first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// It is in the original only.
    OnlyOriginal,
    /// It is in the replay only.
    OnlyReplay,
    /// Its bucket differs.
    Rebucketed(Bucket, Bucket),
    /// Its severity differs.
    Rerated(Severity, Severity),
    /// Its id differs.
    Reidentified(OccurrenceId, OccurrenceId),
}

impl Difference {
    /// Returns the difference as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnlyOriginal => "only_original",
            Self::OnlyReplay => "only_replay",
            Self::Rebucketed(..) => "rebucketed",
            Self::Rerated(..) => "rerated",
            Self::Reidentified(..) => "reidentified",
        }
    }

    /// Returns the values of the original and of the replay as texts, if the difference has values.
    pub fn values(self) -> Option<(String, String)> {
        match self {
            Self::OnlyOriginal | Self::OnlyReplay => None,
            Self::Rebucketed(was, is) => Some((was.as_str().to_owned(), is.as_str().to_owned())),
            Self::Rerated(was, is) => Some((was.to_string(), is.to_string())),
            Self::Reidentified(was, is) => Some((was.to_string(), is.to_string())),
        }
    }
}

/// Compares a scan's result with the result of its replay.
pub fn differences(mut original: ScanResult, mut replay: ScanResult) -> Differences {
    let mut found = Differences {
        verdict_changed: original.verdict != replay.verdict,
        variables: variables(&original.variables, &replay.variables),
        ..Differences::default()
    };
    found.issues(&original.issues, &replay.issues);
    // Merged as sorted lists: a report may have a million results, and a map of them would be large.
    original.occurrences.sort_unstable_by_key(|row| row.result);
    replay.occurrences.sort_unstable_by_key(|row| row.result);
    let pairs = original.occurrences.iter().merge_join_by(&replay.occurrences, |was, is| was.result.cmp(&is.result));
    for pair in pairs {
        let (row, issues) = match pair {
            EitherOrBoth::Both(_, is) | EitherOrBoth::Right(is) => (is, &replay.issues),
            EitherOrBoth::Left(was) => (was, &original.issues),
        };
        if let Some(how) = found.occurrence(pair) {
            let issue = usize::try_from(row.issue).ok().and_then(|at| issues.get(at));
            issue.into_iter().for_each(|issue| found.example(issue.id, Some(row.result), how));
        }
    }
    found
}

/// Returns the variables that differ.
fn variables(original: &BTreeMap<String, String>, replay: &BTreeMap<String, String>) -> BTreeMap<String, VariablePair> {
    let names = original.keys().chain(replay.keys());
    let both = names.map(|name| (name.clone(), (original.get(name).cloned(), replay.get(name).cloned())));
    both.filter(|(_, (was, is))| was != is).collect()
}

impl Differences {
    fn issues(&mut self, original: &[IssueRow], replay: &[IssueRow]) {
        let mut rest: BTreeMap<IssueId, &IssueRow> = replay.iter().map(|row| (row.id, row)).collect();
        for was in original {
            match rest.remove(&was.id) {
                None => {
                    self.issues.only_original += 1;
                    self.example(was.id, None, Difference::OnlyOriginal);
                }
                Some(is) if is.bucket != was.bucket => {
                    self.issues.rebucketed += 1;
                    self.example(was.id, None, Difference::Rebucketed(was.bucket, is.bucket));
                }
                Some(is) if is.severity != was.severity => {
                    self.issues.rerated += 1;
                    self.example(was.id, None, Difference::Rerated(was.severity, is.severity));
                }
                Some(_) => self.issues.same += 1,
            }
        }
        // In the order of the replay, which has the worst first.
        for is in replay.iter().filter(|row| rest.contains_key(&row.id)) {
            self.issues.only_replay += 1;
            self.example(is.id, None, Difference::OnlyReplay);
        }
    }

    /// Counts a result, and returns its difference, if there is one.
    fn occurrence(&mut self, pair: EitherOrBoth<&OccurrenceRow>) -> Option<Difference> {
        let counts = &mut self.occurrences;
        let (count, how) = match pair {
            EitherOrBoth::Left(_) => (&mut counts.only_original, Some(Difference::OnlyOriginal)),
            EitherOrBoth::Right(_) => (&mut counts.only_replay, Some(Difference::OnlyReplay)),
            EitherOrBoth::Both(was, is) if was.id != is.id => {
                (&mut counts.reidentified, Some(Difference::Reidentified(was.id, is.id)))
            }
            EitherOrBoth::Both(was, is) if was.bucket != is.bucket => {
                (&mut counts.rebucketed, Some(Difference::Rebucketed(was.bucket, is.bucket)))
            }
            EitherOrBoth::Both(_, _) => (&mut counts.same, None),
        };
        *count += 1;
        how
    }

    fn example(&mut self, issue: IssueId, result: Option<u32>, how: Difference) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(Example { issue, result, how });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> IssueId {
        IssueId::from_bits([n; 16])
    }

    fn issue(n: u8, bucket: Bucket, severity: Severity) -> IssueRow {
        IssueRow { id: id(n), bucket, severity }
    }

    fn occurrence(result: u32, issue: u32, id: u8, bucket: Bucket) -> OccurrenceRow {
        OccurrenceRow { result, issue, id: OccurrenceId::from_bits([id; 16]), bucket }
    }

    fn outcome(verdict: Verdict, issues: Vec<IssueRow>, occurrences: Vec<OccurrenceRow>) -> ScanResult {
        let total = issues.len().to_string();
        let variables = BTreeMap::from([("TOTAL".to_owned(), total), ("REMEDIATED".to_owned(), "0".to_owned())]);
        ScanResult { verdict, variables, issues, occurrences }
    }

    #[test]
    fn a_result_does_not_differ_from_itself() {
        let one = outcome(
            Verdict::Fail,
            vec![issue(1, Bucket::New, Severity::High), issue(2, Bucket::Remediated, Severity::Low)],
            vec![occurrence(5, 0, 1, Bucket::New), occurrence(3, 0, 2, Bucket::Common)],
        );
        let found = differences(one.clone(), one);
        let same = |same| OccurrenceCounts { same, ..OccurrenceCounts::default() };
        assert_eq!((found.issues, found.occurrences), (IssueCounts { same: 2, ..IssueCounts::default() }, same(2)));
        assert!(!found.verdict_changed && found.variables.is_empty() && found.examples.is_empty());
    }

    #[test]
    fn every_issue_is_counted_once_with_its_difference() {
        let original = outcome(
            Verdict::Pass,
            vec![
                issue(1, Bucket::New, Severity::High),
                issue(2, Bucket::New, Severity::High),
                issue(3, Bucket::Common, Severity::Low),
                // In another bucket and of another level: one difference, the one of buckets.
                issue(4, Bucket::Common, Severity::Low),
            ],
            vec![],
        );
        let replay = outcome(
            Verdict::Fail,
            vec![
                issue(5, Bucket::New, Severity::Critical),
                issue(3, Bucket::Common, Severity::Critical),
                issue(1, Bucket::New, Severity::High),
                issue(4, Bucket::Remediated, Severity::High),
                issue(6, Bucket::New, Severity::Info),
            ],
            vec![],
        );
        let found = differences(original, replay);
        let expected = IssueCounts { same: 1, only_original: 1, only_replay: 2, rebucketed: 1, rerated: 1 };
        assert_eq!((found.verdict_changed, found.issues), (true, expected));
        let examples: Vec<_> =
            found.examples.iter().map(|example| (example.issue, example.result, example.how)).collect();
        assert_eq!(
            examples,
            [
                (id(2), None, Difference::OnlyOriginal),
                (id(3), None, Difference::Rerated(Severity::Low, Severity::Critical)),
                (id(4), None, Difference::Rebucketed(Bucket::Common, Bucket::Remediated)),
                (id(5), None, Difference::OnlyReplay),
                (id(6), None, Difference::OnlyReplay),
            ]
        );
        let total = ("TOTAL".to_owned(), (Some("4".to_owned()), Some("5".to_owned())));
        assert_eq!(found.variables, BTreeMap::from([total]), "only what differs");
    }

    #[test]
    fn the_same_result_under_another_id_is_reidentified() {
        let issues = vec![issue(1, Bucket::Common, Severity::High), issue(2, Bucket::Common, Severity::High)];
        let original = outcome(
            Verdict::Pass,
            issues.clone(),
            vec![
                occurrence(9, 1, 1, Bucket::Common),
                occurrence(2, 0, 2, Bucket::Common),
                occurrence(4, 0, 3, Bucket::New),
                occurrence(7, 1, 4, Bucket::Common),
            ],
        );
        let replay = outcome(
            Verdict::Pass,
            issues,
            vec![
                occurrence(7, 1, 4, Bucket::Common),
                occurrence(2, 0, 8, Bucket::New),
                occurrence(4, 0, 3, Bucket::Common),
                occurrence(5, 1, 9, Bucket::New),
            ],
        );
        let found = differences(original, replay);
        let expected = OccurrenceCounts { same: 1, only_original: 1, only_replay: 1, rebucketed: 1, reidentified: 1 };
        assert_eq!((found.occurrences, found.issues.same), (expected, 2));
        let examples: Vec<_> =
            found.examples.iter().map(|example| (example.issue, example.result, example.how)).collect();
        let occurrence = |n| OccurrenceId::from_bits([n; 16]);
        assert_eq!(
            examples,
            [
                (id(1), Some(2), Difference::Reidentified(occurrence(2), occurrence(8))),
                (id(1), Some(4), Difference::Rebucketed(Bucket::New, Bucket::Common)),
                (id(2), Some(5), Difference::OnlyReplay),
                (id(2), Some(9), Difference::OnlyOriginal),
            ]
        );
    }

    #[test]
    fn a_variable_that_one_result_lacks_differs() {
        let mut replay = outcome(Verdict::Pass, vec![], vec![]);
        replay.variables.insert("NEW".to_owned(), "1".to_owned());
        let found = differences(outcome(Verdict::Pass, vec![], vec![]), replay);
        assert_eq!(found.variables, BTreeMap::from([("NEW".to_owned(), (None, Some("1".to_owned())))]));
    }

    #[test]
    fn examples_are_limited_and_counts_are_not() {
        let issues: Vec<_> = (0..=200).map(|n| issue(n, Bucket::New, Severity::Low)).collect();
        let found = differences(outcome(Verdict::Pass, issues, vec![]), outcome(Verdict::Pass, vec![], vec![]));
        assert_eq!((found.issues.only_original, found.examples.len()), (201, EXAMPLES_MAX));
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let by = serde_json::from_value(serde_json::json!({"subject": "ci", "role": "developer"})).unwrap();
        let origin = ReplaySource::Findings { reason: ReportUnavailable::NoStorageKey };
        let replayed = Replayed { at: Timestamp::from_ms(5), by, origin };
        insta::assert_snapshot!(
            serde_json::to_string(&replayed).unwrap(),
            @r#"{"at":5,"by":{"subject":"ci","role":"developer"},"from":"findings","reason":"no_storage_key"}"#
        );
        let read: Replayed = serde_json::from_str(&serde_json::to_string(&replayed).unwrap()).unwrap();
        assert_eq!(read, replayed);
        assert_eq!(serde_json::to_string(&ReplaySource::Report).unwrap(), r#"{"from":"report"}"#);
    }
}
