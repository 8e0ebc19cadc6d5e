//! The versions of what reads and judges reports. A scan records those it was made with, so that a replay by newer ones
//! is a result of its own beside it.

use serde::{Deserialize, Serialize};

/// The version of the parsers together. Raised when one of them reads a report differently: another finding, another
/// field of it, another count. Not when it is only faster, or refuses what it refused before in other words.
pub const PARSERS: u32 = 1;

/// The version of grouping, signatures and matcher together. Raised when the same findings may become other issues or
/// occurrences, be recognised otherwise, or fall into other buckets.
pub const MATCHER: u32 = 2;

/// The versions that a scan's result was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Versions {
    /// See [`PARSERS`].
    pub parsers: u32,
    /// See [`MATCHER`].
    pub matcher: u32,
}

impl Versions {
    /// Those of this program.
    pub const CURRENT: Self = Self { parsers: PARSERS, matcher: MATCHER };
}

/// Those of scans that were made before versions were recorded.
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
