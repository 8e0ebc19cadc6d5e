//! Versions of parsers and matcher. A scan records those that made its result, so that a replay by newer ones is a
//! separate result.

use serde::{Deserialize, Serialize};

/// The version of all parsers. It is raised when a parser reads a report differently: other findings, other fields or
/// other counts. It is not raised for speed or for the wording of an error.
pub const PARSERS: u32 = 4;

/// The version of grouping, signatures and matcher. It is raised when the same findings may give other issues,
/// occurrences, matches or buckets.
pub const MATCHER: u32 = 4;

/// The versions that made a scan's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Versions {
    /// See [`PARSERS`].
    pub parsers: u32,
    /// See [`MATCHER`].
    pub matcher: u32,
}

impl Versions {
    /// The versions of this program.
    pub const CURRENT: Self = Self { parsers: PARSERS, matcher: MATCHER };
}

/// The versions of scans from before versions were recorded.
impl Default for Versions {
    fn default() -> Self {
        Self { parsers: 1, matcher: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_only_rise() {
        let Versions { parsers, matcher } = Versions::default();
        assert!(parsers <= PARSERS && matcher <= MATCHER, "{:?}", Versions::CURRENT);
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let versions = Versions { parsers: 2, matcher: 3 };
        assert_eq!(serde_json::to_string(&versions).unwrap(), r#"{"parsers":2,"matcher":3}"#);
    }
}
