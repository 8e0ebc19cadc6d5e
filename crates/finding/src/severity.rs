//! Scores and severities. The bands are CVSS v3.1's qualitative scale (section 5), as the reference product uses them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The score of a finding, from 0 to 10. Stored in hundredths as an integer, so that comparisons are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u16);

impl Score {
    /// The score of a number of hundredths; absent above 1000.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= 1000 { Some(Self(hundredths)) } else { None }
    }

    /// The score nearest to a number; absent if the number is not between 0 and 10.
    pub fn from_f64(number: f64) -> Option<Self> {
        // A search by comparisons needs no conversion between number types. NaN is not in the range.
        (0.0..=10.0).contains(&number).then(|| {
            let (mut low, mut high) = (0_u16, 1000_u16);
            while low < high {
                let middle = low.midpoint(high);
                if f64::from(middle) + 0.5 <= number * 100.0 { low = middle + 1 } else { high = middle }
            }
            Self(low)
        })
    }

    /// The score in hundredths, from 0 to 1000.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// The severity whose band includes the score. A score between two printed bands (8.95) belongs to the lower one.
    pub fn severity(self) -> Severity {
        match self.0 {
            900.. => Severity::Critical,
            700..=899 => Severity::High,
            400..=699 => Severity::Medium,
            1..=399 => Severity::Low,
            0 => Severity::Info,
        }
    }

    /// The score as a number from 0 to 10, for output.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths, rest) = (self.0 / 100, self.0 / 10 % 10, self.0 % 10);
        write!(f, "{whole}.{tenths}")?;
        if rest == 0 { Ok(()) } else { write!(f, "{rest}") }
    }
}

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hundredths = u16::deserialize(deserializer)?;
        Self::from_hundredths(hundredths).ok_or_else(|| {
            serde::de::Error::custom(format_args!("a score must be at most 1000 hundredths, found {hundredths}"))
        })
    }
}

/// The source of a score. Earlier variants are preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// A CVSS v4 base score (CVSS-B in FIRST's nomenclature), given or computed from its vector.
    CvssV4,
    /// A CVSS v4 score of base and threat metrics (CVSS-BT).
    CvssV4Bt,
    /// A CVSS v4 score of base and environmental metrics (CVSS-BE).
    CvssV4Be,
    /// A CVSS v4 score of base, threat and environmental metrics (CVSS-BTE).
    CvssV4Bte,
    /// A CVSS v3.0 or v3.1 base score, given or computed from its vector.
    CvssV3,
    /// A CVSS v2 base score, given or computed from its vector.
    CvssV2,
    /// The scanner's own score from 0 to 10.
    ScannerScore,
    /// The scanner's word for the severity, by the documented table of that scanner.
    ScannerWord,
}

/// A severity, from unknown to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The report gives no severity, or none that is understood.
    Unassigned,
    /// Score 0: no impact on security.
    Info,
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.
    Critical,
}

impl Severity {
    /// All severities, the worst first.
    pub const ALL: [Self; 6] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info, Self::Unassigned];

    /// The severity of a score; unassigned without one.
    pub fn of(score: Option<Score>) -> Self {
        score.map_or(Self::Unassigned, Score::severity)
    }

    /// The severity in lower case, as in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a word that is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a severity; expected one of {allowed}", value.escape_default())]
pub struct UnknownSeverity {
    /// The word.
    pub value: String,
    /// The words that are severities.
    pub allowed: &'static str,
}

impl FromStr for Severity {
    type Err = UnknownSeverity;
    fn from_str(value: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(value)).ok_or_else(|| {
            UnknownSeverity { value: value.to_owned(), allowed: "critical, high, medium, low, info, unassigned" }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_at_the_ends_of_a_band_have_its_severity() {
        let cases = [
            (0, Severity::Info),
            (1, Severity::Low),
            (399, Severity::Low),
            (400, Severity::Medium),
            (699, Severity::Medium),
            (700, Severity::High),
            (895, Severity::High),
            (899, Severity::High),
            (900, Severity::Critical),
            (1000, Severity::Critical),
        ];
        for (hundredths, expected) in cases {
            assert_eq!(Score::from_hundredths(hundredths).unwrap().severity(), expected, "{hundredths}");
        }
        assert_eq!(Score::from_hundredths(1001), None);
        assert_eq!(Severity::of(None), Severity::Unassigned);
    }

    #[test]
    fn numbers_become_the_nearest_score_if_they_are_in_range() {
        let of = |number| Score::from_f64(number).map(Score::hundredths);
        assert_eq!([of(0.0), of(9.8), of(10.0), of(7.004), of(7.005)], [0, 980, 1000, 700, 701].map(Some));
        assert_eq!([of(-0.1), of(10.001), of(f64::NAN), of(f64::INFINITY)], [None; 4]);
        for hundredths in 0..=1000 {
            assert_eq!(of(f64::from(hundredths) / 100.0), Some(hundredths));
        }
    }

    #[test]
    fn scores_print_as_people_write_them() {
        let print = |hundredths| Score::from_hundredths(hundredths).unwrap().to_string();
        assert_eq!([print(950), print(1000), print(0), print(825)], ["9.5", "10.0", "0.0", "8.25"]);
    }
}
