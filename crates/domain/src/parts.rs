//! The parts of a variant's reports: SARIF's runs and categories. A report that lacks a part of the previous report is
//! incomplete: results of the missing part are not remediated.

use crate::ids::ScannerId;
use crate::serde_skip::is_default;
use crate::series::Series;
use serde::{Deserialize, Serialize};

/// The maximum number of sets that are remembered for a variant and tool. The oldest are forgotten.
const SETS_MAX: usize = 50;
/// The maximum size of all remembered sets together, in bytes. They are one value of the store.
const SETS_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of missing parts that a scan names.
pub const MISSING_LISTED_MAX: usize = 20;

/// The parts that a reviewer accepted as no longer scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedParts {
    /// The parts, at most [`MISSING_LISTED_MAX`] of them.
    pub parts: Vec<String>,
    /// The tool of the reports that had them.
    pub of: ScannerId,
    /// True if an earlier complete report lacked them too, so that nothing is missing since then.
    #[serde(skip_serializing_if = "is_default", default)]
    pub before: bool,
}

/// The parts of one complete report, and the series of its scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSet {
    /// The parts, sorted.
    pub parts: Vec<String>,
    /// The scan's tool.
    pub tool: ScannerId,
    /// The scan's categories.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The parts that an earlier report had besides, if a reviewer accepted that they are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dropped: Option<DroppedParts>,
}

/// The known parts of a variant's reports by one tool. A register: of two that are added at the same time one may be
/// lost, until its report is uploaded again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownParts {
    /// The format's version: 1.
    pub v: u8,
    /// The sets, the newest last.
    pub sets: Vec<PartSet>,
}

/// The parts that a report lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingParts<'a> {
    /// The parts, sorted.
    pub parts: Vec<&'a str>,
    /// The set that has them.
    pub of: &'a PartSet,
}

impl Default for KnownParts {
    fn default() -> Self {
        Self { v: 1, sets: Vec::new() }
    }
}

impl KnownParts {
    /// True if a complete report had exactly these parts.
    pub fn has(&self, parts: &[String]) -> bool {
        self.sets.iter().any(|set| set.parts == parts)
    }

    /// Returns the parts that are missing: those that the newest known set with all of `parts` has besides. Nothing is
    /// missing if a complete report had exactly `parts`.
    pub fn missing_parts(&self, parts: &[String]) -> Option<MissingParts<'_>> {
        if parts.is_empty() || self.has(parts) {
            return None;
        }
        let of = self.sets.iter().rev().find(|set| parts.iter().all(|part| set.parts.contains(part)))?;
        Some(MissingParts {
            parts: of.parts.iter().filter(|part| !parts.contains(part)).map(String::as_str).collect(),
            of,
        })
    }

    /// Returns the series of the known reports that have all of `parts` and more, the newest first.
    pub fn fuller(&self, parts: &[String]) -> Vec<Series> {
        let mut found: Vec<Series> = Vec::new();
        for set in self.sets.iter().rev().filter(|set| is_within(parts, &set.parts)) {
            let series = Series { tool: set.tool.clone(), categories: set.categories.clone() };
            if !found.contains(&series) {
                found.push(series);
            }
        }
        found
    }

    /// Returns the parts that are dropped in a report with these parts, because a reviewer accepted it before.
    pub fn dropped(&self, parts: &[String]) -> Option<DroppedParts> {
        let known = self.sets.iter().find(|set| set.parts == parts)?;
        known.dropped.clone().map(|dropped| DroppedParts { before: true, ..dropped })
    }

    /// Returns the known parts after a complete report, or nothing if they are the same. A set without dropped parts is
    /// forgotten if the report has all of it and more: the parts are scanned again, and missing if they vanish once
    /// more.
    pub fn after(mut self, set: PartSet) -> Option<Self> {
        let before = self.sets.len();
        self.sets.retain(|known| known.dropped.is_none() || !is_within(&known.parts, &set.parts));
        if self.has(&set.parts) {
            return (self.sets.len() < before).then_some(self);
        }
        Some(self.with(set))
    }

    /// True if these sets of parts decide to which series a report with these parts belongs.
    pub fn decides(&self, parts: &[String]) -> bool {
        self.has(parts) || self.missing_parts(parts).is_some()
    }

    /// Joins the sets of a tool's reports and those of reports by several tools. The tool's own sets are the newer
    /// ones.
    pub fn joined(of_tool: Option<Self>, of_several: Option<Self>) -> Option<Self> {
        match (of_tool, of_several) {
            (Some(of_tool), Some(of_several)) => {
                Some(Self { sets: of_several.sets.into_iter().chain(of_tool.sets).collect(), ..Self::default() })
            }
            (of_tool, of_several) => of_tool.or(of_several),
        }
    }

    /// Adds a set, and forgets the oldest ones beyond the limits.
    pub fn with(mut self, set: PartSet) -> Self {
        let bytes = |set: &PartSet| set.parts.iter().chain(&set.categories).map(|text| text.len() + 3).sum::<usize>();
        self.sets.push(set);
        let mut total: usize = self.sets.iter().map(bytes).sum();
        let mut forgotten = 0;
        for set in &self.sets {
            if self.sets.len() - forgotten <= SETS_MAX && total <= SETS_BYTES_MAX {
                break;
            }
            total -= bytes(set);
            forgotten += 1;
        }
        self.sets.drain(..forgotten);
        self
    }
}

/// True if the second list has all parts of the first, and more.
fn is_within(parts: &[String], more: &[String]) -> bool {
    parts.len() < more.len() && parts.iter().all(|part| more.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: &[&str]) -> PartSet {
        PartSet { parts: owned(parts), tool: "codeql".parse().unwrap(), categories: vec![], dropped: None }
    }

    /// A set without parts that a reviewer accepted as missing.
    fn without(parts: &[&str], dropped: &[&str]) -> PartSet {
        let dropped = DroppedParts { parts: owned(dropped), of: "codeql".parse().unwrap(), before: false };
        PartSet { dropped: Some(dropped), ..set(parts) }
    }

    #[test]
    fn dropped_parts_are_missing_again_after_a_report_that_has_them() {
        let known = known(&[&["a", "b", "c"]]).after(without(&["a", "b"], &["c"])).unwrap();
        assert_eq!(known.missing_parts(&owned(&["a", "b"])), None);
        let dropped = known.dropped(&owned(&["a", "b"])).unwrap();
        assert_eq!((dropped.parts, dropped.before), (owned(&["c"]), true));
        let third = known.missing_parts(&owned(&["a"])).unwrap();
        assert_eq!(third.parts, ["b"], "and no third part");
        assert_eq!(known.clone().after(set(&["a", "b"])), None, "the same again");
        let back = known.clone().after(set(&["a", "b", "c"])).unwrap();
        assert_eq!(back.missing_parts(&owned(&["a", "b"])).unwrap().parts, ["c"]);
        assert_eq!(back.dropped(&owned(&["a", "b"])), None);
        let other = known.after(set(&["a", "d"])).unwrap();
        assert_eq!(other.missing_parts(&owned(&["a", "b"])), None, "it does not have both");
    }

    #[test]
    fn a_set_that_was_always_uploaded_separately_is_kept() {
        let separate = known(&[&["a"], &["a", "b"]]);
        assert_eq!(separate.clone().after(set(&["a", "b"])), None);
        assert_eq!(separate.missing_parts(&owned(&["a"])), None);
    }

    #[test]
    fn fuller_reports_are_those_with_all_parts_and_more() {
        let of = |tool: &str, parts: &[&str]| PartSet { tool: tool.parse().unwrap(), ..set(parts) };
        let sets = [of("one", &["a", "b"]), of("two", &["a", "b", "c"]), of("one", &["a", "d"]), of("three", &["a"])];
        let known = sets.into_iter().fold(KnownParts::default(), KnownParts::with);
        let fuller = |parts: &[&str]| {
            known.fuller(&owned(parts)).iter().map(|series| series.tool.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((fuller(&["a"]).as_str(), fuller(&["a", "b"]).as_str()), ("one two", "two"));
        assert_eq!(fuller(&["e"]), "");
    }

    #[test]
    fn a_register_from_before_parts_could_be_dropped_is_read_and_written_unchanged() {
        let old = r#"{"v":1,"sets":[{"parts":["go"],"tool":"codeql","categories":["go"]}]}"#;
        let read: KnownParts = serde_json::from_str(old).unwrap();
        assert_eq!(read.sets[0].dropped, None);
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let stored = serde_json::to_string(&without(&["a"], &["b"])).unwrap();
        let expected = r#"{"parts":["a"],"tool":"codeql","dropped":{"parts":["b"],"of":"codeql"}}"#;
        assert_eq!(stored, expected);
    }

    fn owned(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn known(sets: &[&[&str]]) -> KnownParts {
        sets.iter().fold(KnownParts::default(), |known, parts| known.with(set(parts)))
    }

    #[test]
    fn a_part_lacks_the_others_unless_it_was_uploaded_alone() {
        let known = known(&[&["go", "js", "py"], &["js", "py"], &["c"]]);
        let lacking = |parts: &[&str]| known.missing_parts(&owned(parts)).map(|lacking| lacking.parts.join(" "));
        assert_eq!(lacking(&["py"]).as_deref(), Some("js"), "the newest set that has it");
        assert_eq!(lacking(&["go", "py"]).as_deref(), Some("js"));
        assert_eq!(lacking(&["js", "py"]), None, "it was uploaded like this before");
        assert_eq!(lacking(&["c"]), None);
        assert_eq!(lacking(&["c", "py"]), None, "no report had both");
        assert_eq!(lacking(&["rust"]), None);
        assert_eq!(lacking(&[]), None, "a report without parts misses none");
    }

    #[test]
    fn the_remembered_parts_are_limited() {
        let many = (0..SETS_MAX + 5).fold(KnownParts::default(), |known, n| known.with(set(&[&n.to_string()])));
        assert_eq!((many.sets.len(), many.has(&owned(&["4"])), many.has(&owned(&["5"]))), (SETS_MAX, false, true));
        let long = |letter: &str| letter.repeat(SETS_BYTES_MAX / 2 - 3);
        let known = known(&[&[&long("a")], &[&long("b")]]);
        assert_eq!(known.sets.len(), 2);
        let known = known.with(set(&["c"]));
        assert_eq!((known.sets.len(), known.has(&owned(&["c"]))), (2, true));
        assert!(known.with(set(&[&long("d"), &long("e"), "f"])).sets.is_empty(), "one too large is not remembered");
    }
}
