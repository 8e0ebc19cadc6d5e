//! A replay's answer: the scan's result and the new one beside it, and how they differ.

use super::ScanAnswer;
use domain::ids::IssueId;
use domain::replay::{Differences, Example, IssueCounts, OccurrenceCounts, ReplaySource};
use domain::scan::ScanRecord;
use domain::version::Versions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of a call that has nothing to say: none, or `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

/// The answer to a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayAnswer {
    /// `report`: the raw report was read again. `findings`: it could not be, so the stored findings were grouped,
    /// compared and judged again.
    pub from: String,
    /// Why the raw report could not be read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// When it was replayed, RFC 3339; the first time, if by the same versions more than once.
    pub replayed_at: String,
    /// Who replayed it then.
    pub replayed_by: String,
    /// The scan as it was answered.
    pub original: ScanAnswer,
    /// The new result, a scan of its own that no list has.
    pub replay: ScanAnswer,
    /// What each was made with.
    pub versions: ReplayVersions,
    /// How the new result differs.
    pub comparison: ReplayComparison,
}

/// What the two results were made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayVersions {
    /// The scan.
    pub original: VersionsItem,
    /// Its replay.
    pub replay: VersionsItem,
}

/// Versions of what reads and judges reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VersionsItem {
    /// Of the parsers.
    pub parsers: u32,
    /// Of grouping and matcher.
    pub matcher: u32,
}

/// How two results differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayComparison {
    /// Whether the verdicts differ.
    pub verdict_changed: bool,
    /// The output variables that differ.
    pub variables: BTreeMap<String, ReplayVariable>,
    /// Issues, remediated ones included, each in exactly one number.
    pub issues: ReplayIssues,
    /// Occurrences, each in exactly one number.
    pub occurrences: ReplayOccurrences,
    /// The first differences, at most 50: of issues, then of occurrences.
    pub examples: Vec<ReplayExample>,
}

/// A variable that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayVariable {
    /// What it was; absent if there was none of this name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<String>,
}

/// Issues in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayIssues {
    /// The same in both, bucket and severity included.
    pub same: u64,
    /// Only in the original.
    pub only_original: u64,
    /// Only in the replay.
    pub only_replay: u64,
    /// In both, in another bucket.
    pub rebucketed: u64,
    /// In both and in the same bucket, with another severity.
    pub rerated: u64,
}

/// Occurrences in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayOccurrences {
    /// The same in both, bucket included.
    pub same: u64,
    /// Only in the original.
    pub only_original: u64,
    /// Only in the replay.
    pub only_replay: u64,
    /// In both, in another bucket.
    pub rebucketed: u64,
    /// The same result of the report under another id.
    pub reidentified: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReplayExample {
    /// The issue.
    #[cfg_attr(test, schemars(with = "String"))]
    pub issue: IssueId,
    /// Its title.
    pub title: String,
    /// The place of the result in the report, counted from 0, if it is an occurrence that differs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<u32>,
    /// `only_original`, `only_replay`, `rebucketed`, `rerated` or `reidentified`.
    pub how: String,
    /// The bucket, severity or id that it had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original: Option<String>,
    /// The bucket, severity or id that it has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<String>,
}

impl ReplayAnswer {
    /// The answer for a scan and its replay, with the titles of the issues that differ.
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
