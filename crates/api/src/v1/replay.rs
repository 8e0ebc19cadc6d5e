//! The answer to a replay: the original result, the new result, and their differences.

use super::ScanAnswer;
use domain::ids::IssueId;
use domain::replay::{Differences, Example, IssueCounts, OccurrenceCounts, ReplaySource};
use domain::scan::ScanRecord;
use domain::version::Versions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of a call without fields: empty or `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

/// The answer to a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayAnswer {
    /// `report`: the raw report was parsed again. `findings`: that was not possible, so only the stored findings were
    /// grouped, compared and judged again.
    pub from: String,
    /// The reason why the raw report could not be parsed again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The time of the replay, RFC 3339; of several replays by the same versions, of the first.
    pub replayed_at: String,
    /// The person or machine that made the replay.
    pub replayed_by: String,
    /// The original answer.
    pub original: ScanAnswer,
    /// The new answer: a scan with an id that appears in no list.
    pub replay: ScanAnswer,
    /// The versions of parsers and matcher that made the two results.
    pub versions: ReplayVersions,
    /// The differences between the two results.
    pub comparison: ReplayComparison,
}

/// The versions that made the two results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayVersions {
    /// The versions of the original scan.
    pub original: VersionsItem,
    /// The versions of the replay.
    pub replay: VersionsItem,
}

/// The versions of parsers and matcher. A version is raised when results may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VersionsItem {
    /// The version of the parsers.
    pub parsers: u32,
    /// The version of grouping and matcher.
    pub matcher: u32,
}

/// The differences between two results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayComparison {
    /// True if the verdicts differ.
    pub verdict_changed: bool,
    /// The output variables that differ.
    pub variables: BTreeMap<String, ReplayVariable>,
    /// The numbers of issues, with remediated ones. Each issue counts in exactly one number.
    pub issues: ReplayIssues,
    /// The numbers of occurrences. Each occurrence counts in exactly one number.
    pub occurrences: ReplayOccurrences,
    /// The first 50 differences: first of issues, then of occurrences.
    pub examples: Vec<ReplayExample>,
}

/// An output variable that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayVariable {
    /// The original value; absent if the variable did not exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original: Option<String>,
    /// The new value; absent if the variable no longer exists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<String>,
}

/// The numbers of issues in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayIssues {
    /// In both results, with the same bucket and severity.
    pub same: u64,
    /// Only in the original.
    pub only_original: u64,
    /// Only in the replay.
    pub only_replay: u64,
    /// In both results, with different buckets.
    pub rebucketed: u64,
    /// In both results with the same bucket, but with different severities.
    pub rerated: u64,
}

/// The numbers of occurrences in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayOccurrences {
    /// In both results, with the same bucket.
    pub same: u64,
    /// Only in the original.
    pub only_original: u64,
    /// Only in the replay.
    pub only_replay: u64,
    /// In both results, with different buckets.
    pub rebucketed: u64,
    /// The same result of the report, with different ids.
    pub reidentified: u64,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayExample {
    /// The issue's id.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// The issue's title.
    pub title: String,
    /// The position of the result in the report, counted from 0, if an occurrence differs; absent if an issue differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<u32>,
    /// The kind of difference: `only_original`, `only_replay`, `rebucketed`, `rerated` or `reidentified`.
    pub how: String,
    /// The original bucket, severity or id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original: Option<String>,
    /// The new bucket, severity or id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<String>,
}

impl ReplayAnswer {
    /// Makes the answer for a scan and its replay; `titles` contains the titles of the issues that differ.
    pub fn new(
        (original, first): (&ScanRecord, ScanAnswer),
        (replay, second): (&ScanRecord, ScanAnswer),
        differences: Differences,
        titles: &BTreeMap<IssueId, Option<String>>,
    ) -> Self {
        let replayed = replay.replayed.as_ref();
        let (from, reason) = match replayed.map(|replayed| replayed.origin) {
            Some(ReplaySource::Findings { reason }) => ("findings", Some(reason.as_sentence().to_owned())),
            Some(ReplaySource::Report) | None => ("report", None),
        };
        Self {
            from: from.to_owned(),
            reason,
            replayed_at: replayed.map(|replayed| replayed.at.to_string()).unwrap_or_default(),
            replayed_by: replayed.map(|replayed| replayed.by.subject.to_string()).unwrap_or_default(),
            original: first,
            replay: second,
            versions: ReplayVersions {
                original: VersionsItem::new(original.versions),
                replay: VersionsItem::new(replay.versions),
            },
            comparison: ReplayComparison::new(differences, titles),
        }
    }
}

impl VersionsItem {
    fn new(versions: Versions) -> Self {
        let Versions { parsers, matcher } = versions;
        Self { parsers, matcher }
    }
}

impl ReplayComparison {
    fn new(differences: Differences, titles: &BTreeMap<IssueId, Option<String>>) -> Self {
        let Differences { verdict_changed, variables, issues, occurrences, examples } = differences;
        let title = |issue: &IssueId| titles.get(issue).cloned().flatten().unwrap_or_default();
        Self {
            verdict_changed,
            variables: variables
                .into_iter()
                .map(|(name, (original, replay))| (name, ReplayVariable { original, replay }))
                .collect(),
            issues: ReplayIssues::new(issues),
            occurrences: ReplayOccurrences::new(occurrences),
            examples: examples.iter().map(|example| ReplayExample::new(example, title(&example.issue))).collect(),
        }
    }
}

impl ReplayIssues {
    fn new(counts: IssueCounts) -> Self {
        let IssueCounts { same, only_original, only_replay, rebucketed, rerated } = counts;
        Self { same, only_original, only_replay, rebucketed, rerated }
    }
}

impl ReplayOccurrences {
    fn new(counts: OccurrenceCounts) -> Self {
        let OccurrenceCounts { same, only_original, only_replay, rebucketed, reidentified } = counts;
        Self { same, only_original, only_replay, rebucketed, reidentified }
    }
}

impl ReplayExample {
    fn new(example: &Example, title: String) -> Self {
        let (original, replay) = example.how.values().unzip();
        Self {
            issue: example.issue,
            title,
            result: example.result,
            how: example.how.as_str().to_owned(),
            original,
            replay,
        }
    }
}
