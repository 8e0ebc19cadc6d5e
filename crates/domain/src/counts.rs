//! Numbers of issues and occurrences, as the gate counts them.

use crate::serde_skip::is_default;
use finding::severity::Severity;
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Numbers by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BySeverity {
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
    /// Ones without a severity.
    pub unassigned: u64,
}

impl BySeverity {
    pub(crate) fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
            Severity::Unassigned => &mut self.unassigned,
        };
        *count += 1;
    }

    /// Returns the number of this severity.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
            Severity::Unassigned => self.unassigned,
        }
    }

    /// Returns the sum of all severities.
    pub fn total(&self) -> u64 {
        Severity::ALL.into_iter().map(|severity| self.of(severity)).sum()
    }
}

impl AddAssign for BySeverity {
    fn add_assign(&mut self, other: Self) {
        self.critical += other.critical;
        self.high += other.high;
        self.medium += other.medium;
        self.low += other.low;
        self.info += other.info;
        self.unassigned += other.unassigned;
    }
}

/// The gate's counts. Exempted and remediated issues are only in `ignored` and `remediated`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Issues by severity.
    pub all: BySeverity,
    /// New issues by severity.
    pub new: BySeverity,
    /// Exempted issues.
    pub ignored: u64,
    /// Remediated issues.
    pub remediated: u64,
    /// New occurrences, of new and of common issues.
    pub new_occurrences: u64,
    /// Occurrences that were matched in the reference scan.
    pub common_occurrences: u64,
    /// Those of the common ones whose code was edited, so that the match is uncertain.
    #[serde(default)]
    pub updated_occurrences: u64,
    /// Exempted occurrences.
    pub exempted_occurrences: u64,
    /// Remediated occurrences, those of remediated issues included.
    pub remediated_occurrences: u64,
    /// Issues of the reference scan that were not seen: blind spots cover all of their occurrences that were not
    /// matched.
    #[serde(skip_serializing_if = "is_default", default)]
    pub not_seen: u64,
    /// The issues that were not seen by severity, without exempted ones.
    #[serde(skip_serializing_if = "is_default", default)]
    pub not_seen_open: BySeverity,
    /// Occurrences of the reference scan that were not seen.
    #[serde(skip_serializing_if = "is_default", default)]
    pub not_seen_occurrences: u64,
    /// Blind spots of the scan.
    #[serde(skip_serializing_if = "is_default", default)]
    pub blind_spots: u64,
    /// Those of the blind spots that the reference scan does not have.
    #[serde(skip_serializing_if = "is_default", default)]
    pub new_blind_spots: u64,
}

impl Counts {
    /// Returns the output variables: strings under fixed names, always all of them (section 6 of the reference
    /// product).
    pub fn variables(&self) -> Vec<(String, String)> {
        let by_level = |prefix: &str, counts: &BySeverity| -> Vec<(String, String)> {
            let levels = Severity::ALL.into_iter().map(|severity| {
                (format!("{prefix}{}", severity.as_str().to_ascii_uppercase()), counts.of(severity).to_string())
            });
            levels.chain([(format!("{prefix}TOTAL"), counts.total().to_string())]).collect()
        };
        let mut variables = by_level("", &self.all);
        variables.push(("IGNORED".to_owned(), self.ignored.to_string()));
        variables.extend(by_level("NEW_", &self.new));
        variables.push(("NEW_OCCURRENCES".to_owned(), self.new_occurrences.to_string()));
        variables.push(("REMEDIATED".to_owned(), self.remediated.to_string()));
        variables.push(("NOT_SEEN".to_owned(), self.not_seen.to_string()));
        variables.push(("BLIND_SPOTS".to_owned(), self.blind_spots.to_string()));
        variables.push(("NEW_BLIND_SPOTS".to_owned(), self.new_blind_spots.to_string()));
        variables
    }
}
