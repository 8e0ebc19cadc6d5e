//! The overview of a project: the trend of open issues, the targets, the variants that do not pass, and exemptions.

use super::EffectiveBaseline;
use domain::counts::BySeverity;
use domain::ids::ScanId;
use domain::target::TargetType;
use domain::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// The overview of a project. For a token with targets, all fields refer to these targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overview {
    /// The requested days up to today, in UTC, the oldest first.
    pub days: Vec<DayItem>,
    /// The first 200 targets, the most recently scanned first.
    pub targets: Vec<OverviewTarget>,
    /// True if there are more targets. `days`, `failing` and `failing_total` include all of them.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_targets: bool,
    /// The first 20 variants that do not pass, the newest first. A variant passes if its newest scans by each tool and
    /// categories passed.
    pub failing: Vec<FailingVariant>,
    /// The number of all variants that do not pass.
    pub failing_total: u64,
    /// The numbers of exemptions that the caller may see.
    pub exemptions: OverviewExemptions,
    /// True if a request to change settings of the project is pending (`GET .../settings-request`).
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub settings_requested: bool,
    /// The scans that are requested to be accepted (`GET .../accept-requests`), at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accept_requested: Vec<AcceptRequested>,
}

/// A scan that is requested to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptRequested {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// Its target.
    pub target: String,
    /// Its variant.
    pub variant: String,
}

/// A day of a project's trend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DayItem {
    /// The day, for example `2026-11-24`.
    pub day: String,
    /// The issues that were open at the end of the day: those in the last complete scan of each series (tool and
    /// categories) of the targets' baselines. For a target without a baseline, the variant that was scanned last
    /// counts. An upload that was interrupted after it was recorded counts too.
    pub open: Levels,
    /// The number of new issues in the day's complete scans of baselines.
    pub new: u64,
    /// The number of remediated issues in these scans.
    pub remediated: u64,
    /// The number of scans on that day, of all variants.
    pub scans: u64,
    /// The number of these scans with the verdict `fail`.
    pub failed: u64,
    /// The number of these scans with the verdict `undecided`.
    pub undecided: u64,
}

/// The number of issues of each severity, without exempted ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Levels {
    /// Critical issues.
    pub critical: u64,
    /// High issues.
    pub high: u64,
    /// Medium issues.
    pub medium: u64,
    /// Low issues.
    pub low: u64,
    /// Informational issues.
    pub info: u64,
    /// Issues without a severity.
    pub unassigned: u64,
}

/// A target in the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewTarget {
    /// The target's name.
    pub id: String,
    /// The target's type.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<TargetType>"))]
    pub target_type: TargetType,
    /// The target's effective baseline.
    pub baseline: EffectiveBaseline,
    /// The target's newest scan of any variant; absent if it was never scanned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_scan: Option<LastScan>,
    /// The issues that are open in the target's baseline now, counted as in `days`.
    pub open: Levels,
    /// True if the baseline has more than 20 series (tool and categories). `open` counts 20 of them only.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub more_series: bool,
    /// The number of the target's variants that do not pass.
    pub failing_variants: u64,
}

/// A target's newest scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LastScan {
    /// The scan.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The scan's variant.
    pub variant: String,
    /// The tool that wrote its report.
    pub scanner: String,
    /// The time at which it was recorded, RFC 3339.
    pub at: String,
    /// The verdict of the gate.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
    /// True if no threshold was applied, so that nothing could fail the gate.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub no_threshold: bool,
}

/// A variant that does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailingVariant {
    /// The target.
    pub target: String,
    /// The variant.
    pub variant: String,
    /// The scan that did not pass; of several, the one with the worst verdict.
    #[cfg_attr(test, schemars(with = "String"))]
    pub scan: ScanId,
    /// The time at which the scan was recorded, RFC 3339.
    pub at: String,
    /// `fail` or `undecided`.
    #[cfg_attr(test, schemars(with = "crate::openapi::EnumSchema<Verdict>"))]
    pub verdict: Verdict,
}

/// The numbers of exemptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OverviewExemptions {
    /// Requests that wait for a decision.
    pub pending: u64,
    /// Approved exemptions that end within `ending_days`.
    pub ending: u64,
    /// The project's setting `ending_notice_days`.
    pub ending_days: u32,
    /// Approved exemptions.
    pub approved: u64,
}

impl From<BySeverity> for Levels {
    fn from(counts: BySeverity) -> Self {
        let BySeverity { critical, high, medium, low, info, unassigned } = counts;
        Self { critical, high, medium, low, info, unassigned }
    }
}
