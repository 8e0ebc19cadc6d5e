//! A project at a glance: what is open and how it came to be so, what fails now, and the exemptions that want attention.

use super::EffectiveBaseline;
use domain::counts::BySeverity;
use domain::ids::ScanId;
use domain::target::TargetType;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// A project at a glance. A token for some targets sees these only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overview {
    /// The days that were asked for, up to today, the oldest first; days of UTC.
    pub days: Vec<DayItem>,
    /// The targets, the most recently scanned first, at most 200 of them.
    pub targets: Vec<OverviewTarget>,
    /// Whether there are more targets. All are in `days`, `failing` and `failing_total`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_targets: bool,
    /// The variants of which a newest scan, one by each tool and categories, did not pass; the newest first, at most 20.
    pub failing: Vec<FailingVariant>,
    /// How many variants those are in all.
    pub failing_total: u64,
    /// The exemptions, of those that the caller may see.
    pub exemptions: OverviewExemptions,
}

/// A day of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DayItem {
    /// The day, for example `2026-11-24`.
    pub day: String,
    /// The issues that were open at its end: those of the targets' baselines, by the last complete scan of each series
    /// (tool and categories) up to then. Of a target without a baseline it is the variant that was scanned last; an upload
    /// that broke off after it was recorded is counted too.
    pub open: Levels,
    /// The issues that were new in the day's complete scans of baselines.
    pub new: u64,
    /// The issues that were gone in them.
    pub remediated: u64,
    /// All scans of the day, of whatever variant.
    pub scans: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those of them that were undecided.
    pub undecided: u64,
}

/// Issues by level; exempted ones are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Levels {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Informational ones.
    pub info: u64,
    /// Ones without a level.
    pub unassigned: u64,
}

/// A target at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewTarget {
    /// Its name.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<TargetType>"))]
    pub target_type: TargetType,
    /// The baseline that holds for it now.
    pub baseline: EffectiveBaseline,
    /// Its newest scan, of whatever variant; absent if it was never scanned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_scan: Option<LastScan>,
    /// The issues that are open in its baseline, as in `days`.
    pub open: Levels,
    /// Whether its baseline has more than 20 series (tool and categories): the others are not in `open`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_series: bool,
    /// How many of its variants have a newest scan that did not pass.
    pub failing_variants: u64,
}

/// A target's newest scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LastScan {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// Its variant.
    pub variant: String,
    /// The tool that wrote its report.
    pub scanner: String,
    /// When it was recorded, RFC 3339.
    pub at: String,
    /// Pass, fail or undecided.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
}

/// A variant of which a newest scan did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailingVariant {
    /// The target.
    pub target: String,
    /// The variant.
    pub variant: String,
    /// The scan: of several the one with the worst verdict.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// When that was recorded, RFC 3339.
    pub at: String,
    /// Fail or undecided.
    #[cfg_attr(test, schemars(with = "crate::openapi::Word<Verdict>"))]
    pub verdict: Verdict,
}

/// How many exemptions want attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewExemptions {
    /// Those that wait for a decision.
    pub pending: u64,
    /// Those in force that end within `ending_days`.
    pub ending: u64,
    /// How many days that is: the project's setting `ending_notice_days`.
    pub ending_days: u32,
    /// Those in force.
    pub approved: u64,
}

impl From<BySeverity> for Levels {
    fn from(counts: BySeverity) -> Self {
        let BySeverity { critical, high, medium, low, info, unassigned } = counts;
        Self { critical, high, medium, low, info, unassigned }
    }
}
