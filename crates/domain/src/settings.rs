//! Words of a project's settings: what the gate does where something is missing or doubtful.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What the criteria for new issues and occurrences do while the baseline has no complete scan by the scanner.
/// `fail_on_severity` holds whatever this says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingBaseline {
    /// Everything counts as new, and the reason says why.
    #[default]
    EverythingCounts,
    /// They are not applied, and the verdict is undecided.
    Undecided,
    /// They are not applied.
    NothingIsNew,
}

/// What an occurrence is taken for that was recognised although its code was edited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdatedOccurrences {
    /// For a new one: what was edited may have become worse.
    #[default]
    New,
    /// For the one it was.
    Common,
}

impl MissingBaseline {
    /// All, with the names that the API gives them.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::EverythingCounts, "everything_counts"),
        (Self::Undecided, "undecided"),
        (Self::NothingIsNew, "nothing_is_new"),
    ];

    /// The name that the API gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EverythingCounts => "everything_counts",
            Self::Undecided => "undecided",
            Self::NothingIsNew => "nothing_is_new",
        }
    }
}

impl UpdatedOccurrences {
    /// Both, with the names that the API gives them.
    pub const ALL: [(Self, &'static str); 2] = [(Self::New, "new"), (Self::Common, "common")];

    /// The name that the API gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Common => "common",
        }
    }
}

impl FromStr for MissingBaseline {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::ALL, name)
    }
}

impl FromStr for UpdatedOccurrences {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::ALL, name)
    }
}

fn named<T: Copy>(all: &[(T, &'static str)], name: &str) -> Result<T, String> {
    let found = all.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
    found.map(|(value, _)| *value).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(_, known)| format!("`{known}`")).collect();
        format!("`{}` is none of {}", name.escape_default(), known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for (value, word) in MissingBaseline::ALL {
            assert_eq!((word.parse(), value.as_str()), (Ok(value), word));
            assert_eq!(serde_json::to_value(value).unwrap(), word);
        }
        for (value, word) in UpdatedOccurrences::ALL {
            assert_eq!((word.parse(), value.as_str()), (Ok(value), word));
            assert_eq!(serde_json::to_value(value).unwrap(), word);
        }
        assert_eq!(
            "pass".parse::<MissingBaseline>().unwrap_err(),
            "`pass` is none of `everything_counts`, `undecided`, `nothing_is_new`"
        );
        assert!("updated".parse::<UpdatedOccurrences>().is_err());
    }
}
