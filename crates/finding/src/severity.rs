//! Scores and severity levels. The bands are CVSS v3.1's qualitative scale (section 5), as the reference product uses them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How bad a finding is, from 0 to 10 in hundredths. Hundredths in an integer, so that comparisons are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u16);

impl Score {
    /// The score of so many hundredths, from 0 to 1000.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= 1000 { Some(Self(hundredths)) } else { None }
    }

    /// The score nearest to a number, if that lies between 0 and 10.
    pub fn from_f64(number: f64) -> Option<Self> {
        // Compared from below, so that no conversion between kinds of numbers is needed and NaN is none.
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

    /// The level whose band the score lies in. What lies between two bands' printed ends (8.95) belongs to the lower.
    pub fn severity(self) -> Severity {
        match self.0 {
            900.. => Severity::Critical,
            700..=899 => Severity::High,
            400..=699 => Severity::Medium,
            1..=399 => Severity::Low,
            0 => Severity::Info,
        }
    }

    /// The score as a number, for output.
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
        Self::from_hundredths(hundredths)
            .ok_or_else(|| serde::de::Error::custom(format_args!("score of {hundredths} hundredths is above 10")))
    }
}

/// Where a score came from; the order in which sources are preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// A CVSS v4 base score, given or computed from its vector.
    CvssV4,
    /// A CVSS v3.0 or v3.1 base score, given or computed from its vector.
    CvssV3,
    /// A CVSS v2 base score, given or computed from its vector.
    CvssV2,
    /// The scanner's own score from 0 to 10.
    ScannerScore,
    /// The scanner's word through that scanner's documented table.
    ScannerWord,
}

/// A level of severity, from none known to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The report gives no severity that could be understood.
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
    /// All levels, the worst first: the order in which people read them.
    pub const ALL: [Self; 6] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info, Self::Unassigned];

    /// The level of an optional score.
    pub fn of(score: Option<Score>) -> Self {
        score.map_or(Self::Unassigned, Score::severity)
    }

    /// The level in lower case, as the API writes it.
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

/// A word that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no severity; use one of {allowed}", value.escape_default())]
pub struct UnknownSeverity {
    /// The word.
    pub value: String,
    /// The words that do, for whoever wrote it.
    pub allowed: &'static str,
}

impl FromStr for Severity {
    type Err = UnknownSeverity;
    fn from_str(value: &str) -> Result<Self, UnknownSeverity> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(value)).ok_or_else(|| UnknownSeverity {
            value: value.to_owned(),
            allowed: "critical, high, medium, low, info, unassigned",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_at_their_ends() {
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
    fn numbers_become_the_nearest_score_or_none() {
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
