//! Explains why an occurrence is common or new: what it was matched by, and why the nearest other occurrences do not
//! match.
//! The match is stored with the comparison. The reasons against other occurrences are computed from the two scans, by
//! the rules of [`tracking`](crate::tracking).

use crate::comparison::{ComparedScan, Match, OccurrenceWithCode, ScanContents};
use crate::families::Families;
use crate::signature::similarity;
use crate::tracking::{ComparableOccurrence, EDITED_LINES_MAX, EDITED_SIMILARITY_MIN, Stage};
use finding::Kind;

/// The maximum number of nearest occurrences that are explained.
pub const NEAREST_MAX: usize = 10;

/// Formats a location for people, for example `src/a.py:10`.
pub fn location_text(path: Option<&str>, line: Option<u32>) -> String {
    match (path, line) {
        (Some(path), Some(line)) => format!("{path}:{line}"),
        (Some(path), None) => path.to_owned(),
        (None, Some(line)) => format!("line {line}"),
        (None, None) => "unknown location".to_owned(),
    }
}

/// Returns the words for a kind's rule and for the thing that the rule is about.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Code => ("rule", "code"),
        Kind::Secret => ("rule", "secret"),
        Kind::Dependency => ("advisory", "package"),
        Kind::License => ("license", "package"),
        Kind::Web => ("rule", "page"),
        Kind::Host => ("rule", "service"),
        Kind::Infrastructure => ("rule", "resource"),
    }
}

/// Explains a match, for example "same rule and code, moved from a.py:10 to b.py:40". `path`, `line` and `version` are
/// those of the occurrence in the current scan.
pub fn match_reason(kind: Kind, found: &Match, path: Option<&str>, line: Option<u32>, version: Option<&str>) -> String {
    let (rule, thing) = words(kind);
    let same = match (found.stage, kind) {
        (Stage::UnchangedFile, _) => format!("same {rule} in an unchanged file"),
        (Stage::Context, Kind::Code | Kind::Secret) => format!("same {rule}, {thing} and neighbouring lines"),
        (Stage::Context | Stage::Snippet, _) => format!("same {rule} and {thing}"),
        (Stage::Renamed, Kind::Web | Kind::Host) => format!("same {rule} and {thing} on another host"),
        (Stage::Renamed, _) => format!("same {rule} and {thing} in a renamed file"),
        (Stage::Moved, _) => format!("same {rule} and {thing} in another place"),
        (Stage::Message, _) => format!("same {rule} and message, with no {thing} to compare"),
        (Stage::Edited, _) => {
            format!("same {rule} and {thing} that is {} % alike, edited", found.similarity.unwrap_or_default())
        }
        (Stage::Counted, _) => format!("same {rule} and message as often as before, edited"),
    };
    let was_path = found.path.as_deref().or(path);
    let moved = match (found.path.is_some(), found.line == line) {
        (false, true) => String::new(),
        _ => format!(", moved from {} to {}", location_text(was_path, found.line), location_text(path, line)),
    };
    let version = match (&found.version, version) {
        (Some(was), Some(now)) => format!(", version {was} before and {now} now"),
        (Some(was), None) => format!(", version {was} before"),
        (None, _) => String::new(),
    };
    format!("{same}{moved}{version}")
}

/// The reason why an occurrence of the other scan does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MismatchReason {
    /// Another occurrence of the current scan matches it.
    Taken {
        /// The index of that occurrence.
        by: usize,
    },
    /// Its code differs.
    OtherCode {
        /// The similarity of the code in percent.
        similarity: u8,
    },
    /// Its code is similar, but too far away for an edited line.
    TooFar {
        /// The distance in lines.
        lines: u32,
    },
    /// Its code is similar, but in another file: edited and moved at the same time.
    Elsewhere {
        /// The similarity of the code in percent.
        similarity: u8,
    },
    /// Its code is equal, but too short to be matched in another file.
    TooShort,
    /// Its code is equal, but several occurrences could match.
    Ambiguous,
    /// It is about another package, resource or page.
    OtherThing,
    /// One of the two shows no code, and the message or file differs.
    NothingToCompare,
}

impl MismatchReason {
    /// Returns the reason as text. `place` is the location of the occurrence that matches instead.
    pub fn text(&self, place: &str) -> String {
        match self {
            Self::Taken { .. } => format!("{place} was matched to it"),
            Self::OtherCode { similarity } => {
                format!("its code is only {similarity} % alike; an edit needs at least {EDITED_SIMILARITY_MIN} %")
            }
            Self::TooFar { lines } if *lines <= EDITED_LINES_MAX => {
                "its code is alike, but the lines around the two moved differently".to_owned()
            }
            Self::TooFar { lines } => {
                format!("its code is alike, but {lines} lines away; edits are matched within {EDITED_LINES_MAX} lines")
            }
            Self::Elsewhere { similarity } => {
                format!("its code is {similarity} % alike, but in another file, where only equal code is matched")
            }
            Self::TooShort => "its code is equal, but too short to be matched in another file".to_owned(),
            Self::Ambiguous => {
                "its code is equal, but several occurrences could match, and not equally many are left".to_owned()
            }
            Self::OtherThing => "it is about something else".to_owned(),
            Self::NothingToCompare => "there is no code to compare, and its message or file differs".to_owned(),
        }
    }
}

/// Occurrences of the other scan that are candidates for a match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nearest {
    /// The indices of the nearest ones.
    pub first: Vec<usize>,
    /// The number of all candidates.
    pub all: usize,
}

/// Returns the occurrences of the other scan that are nearest to one of the current scan: those of its family, in the
/// same file first, then by distance in lines.
pub fn nearest(current: &ScanContents, known: &ComparedScan, at: usize) -> Nearest {
    let ids: Vec<_> = known.issues.iter().map(|identity| identity.id).collect();
    let families = Families::of(&current.issues, &known.contents.issues, &ids);
    let family = |owners: &[usize], families: &[u32], at: usize| families.get(*owners.get(at)?).copied();
    let own = family(&current.owners(), &families.current, at);
    let Some(place) = current.occurrences.get(at) else { return Nearest::default() };
    let path = current.name(place.path);
    let owners = known.contents.owners();
    let mut near: Vec<_> = known
        .contents
        .occurrences
        .iter()
        .enumerate()
        .filter(|(other, _)| own.is_some() && family(&owners, &families.reference, *other) == own)
        .map(|(other, there)| {
            let elsewhere = known.contents.name(there.path) != path;
            let equal = there.signatures.snippet.is_some() && there.signatures.snippet == place.signatures.snippet;
            ((elsewhere, !equal, there.line.abs_diff(place.line)), other)
        })
        .collect();
    let all = near.len();
    near.sort_unstable();
    near.truncate(NEAREST_MAX + 1);
    Nearest { first: near.into_iter().map(|(_, other)| other).collect(), all }
}

/// Returns the reason why an occurrence of the other scan does not match one of the current scan. `takers` returns the
/// index of the current scan's occurrence that matches it, if any.
pub fn mismatch_reason(
    here: &OccurrenceWithCode<'_>,
    there: &OccurrenceWithCode<'_>,
    takers: impl Fn(&ComparableOccurrence) -> Option<usize>,
) -> MismatchReason {
    if let Some(by) = takers(there.place) {
        return MismatchReason::Taken { by };
    }
    let (ours, theirs) = (&here.place.signatures, &there.place.signatures);
    let same_file = here.path == there.path;
    let equal = ours.snippet.is_some() && ours.snippet == theirs.snippet;
    match (here.code, there.code) {
        _ if equal && (same_file || ours.distinct) => MismatchReason::Ambiguous,
        _ if equal => MismatchReason::TooShort,
        (Some(own), Some(other)) => {
            let (similarity, lines) = (similarity(own, other), here.place.line.abs_diff(there.place.line));
            match (EDITED_SIMILARITY_MIN <= similarity, same_file) {
                (true, true) => MismatchReason::TooFar { lines },
                (true, false) => MismatchReason::Elsewhere { similarity },
                (false, _) => MismatchReason::OtherCode { similarity },
            }
        }
        (None, None) if ours.snippet.is_some() && theirs.snippet.is_some() => MismatchReason::OtherThing,
        (_, _) => MismatchReason::NothingToCompare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scan, finding};
    use crate::tracking::Confidence;
    use finding::Finding;

    fn found(stage: Stage, path: Option<&str>, line: u32) -> Match {
        Match {
            stage,
            confidence: Confidence::High,
            similarity: (stage == Stage::Edited).then_some(83),
            result: 0,
            path: path.map(str::to_owned),
            line: Some(line),
            version: None,
        }
    }

    #[test]
    fn a_match_is_explained_in_words() {
        let reason_of = |kind, found: Match| match_reason(kind, &found, Some("b.py"), Some(40), None);
        assert_eq!(
            reason_of(Kind::Code, found(Stage::Moved, Some("a.py"), 10)),
            "same rule and code in another place, moved from a.py:10 to b.py:40"
        );
        assert_eq!(reason_of(Kind::Code, found(Stage::Context, None, 40)), "same rule, code and neighbouring lines");
        assert_eq!(
            reason_of(Kind::Code, found(Stage::Edited, None, 39)),
            "same rule and code that is 83 % alike, edited, moved from b.py:39 to b.py:40"
        );
        let upgraded = Match { version: Some("1.0".to_owned()), line: None, ..found(Stage::Snippet, None, 1) };
        assert_eq!(
            match_reason(Kind::Dependency, &upgraded, Some("lock"), None, Some("1.1")),
            "same advisory and package, version 1.0 before and 1.1 now"
        );
        for (kind, stage) in [Kind::Code, Kind::Web].into_iter().flat_map(|kind| Stage::ALL.map(|stage| (kind, stage)))
        {
            assert!(reason_of(kind, found(stage, None, 40)).starts_with("same rule"), "{kind:?} {stage:?}");
        }
    }

    const RUN: &str = "subprocess.run(command, shell=True)";

    /// Returns the reason against each nearest finding of the other scan, for the first finding of this one.
    fn mismatches(current: &[Finding], reference: &[Finding]) -> Vec<(u32, MismatchReason)> {
        let old = Scan::new(1, reference).first();
        let new = Scan::new(2, current).compare(true, Some(&old), None);
        let at = new.scan.contents.occurrences.iter().position(|place| place.result == 0).unwrap();
        assert_eq!(new.of(0).found, None, "the first finding is new");
        let comparable = |scan: &Scan, at: usize| {
            let code = scan.texts.get(&scan.contents.occurrences[at].result).cloned();
            (at, code)
        };
        let own = comparable(&new.scan, at);
        let rows = nearest(&new.scan.contents, &old.known, at).first.into_iter().map(|other| {
            let (other, code) = comparable(&old.scan, other);
            let takers = |place: &ComparableOccurrence| {
                let of = |t: &crate::comparison::TrackedOccurrence| {
                    t.found.as_ref().is_some_and(|f| f.result == place.result)
                };
                new.comparison.occurrences.iter().position(of)
            };
            let here = OccurrenceWithCode::of(&new.scan.contents, at, own.1.as_deref()).unwrap();
            let there = OccurrenceWithCode::of(&old.scan.contents, other, code.as_deref()).unwrap();
            (old.scan.contents.occurrences[other].line, mismatch_reason(&here, &there, takers))
        });
        rows.collect()
    }

    #[test]
    fn unmatched_candidates_are_listed_with_their_reasons_nearest_first() {
        let at = |path: &str, line, code: &str| finding(0, "B1", path, line, &["x", code, "y"]);
        let edited = "subprocess.run(command, shell=True, check=True)";
        let old = [at("a.py", 12, "yaml.load(body)"), at("a.py", 90, RUN), at("b.py", 5, RUN)];
        let rows = mismatches(&[at("a.py", 10, edited), at("b.py", 6, RUN)], &old);
        assert_eq!(rows.len(), 3);
        assert!(matches!(rows[0], (12, MismatchReason::OtherCode { similarity: 0..40 })), "{rows:?}");
        assert_eq!(rows[1], (90, MismatchReason::TooFar { lines: 80 }));
        assert!(matches!(rows[2], (5, MismatchReason::Taken { .. })), "{rows:?}");
        let rows = mismatches(&[at("a.py", 10, "f(x)")], &[at("c.py", 1, "f(x)"), at("a.py", 1, RUN)]);
        assert_eq!(rows[1], (1, MismatchReason::TooShort));
        let rows = mismatches(&[at("a.py", 10, edited)], &[at("c.py", 1, RUN), at("a.py", 1, "yaml.load(body)")]);
        assert!(matches!(rows[1], (1, MismatchReason::Elsewhere { similarity: 60.. })), "{rows:?}");
        let bare = |path: &str| finding(0, "B1", path, 3, &[]);
        let keep = at("d.py", 1, RUN);
        assert_eq!(
            mismatches(&[bare("a.py"), keep.clone()], &[bare("d.py"), keep])[0].1,
            MismatchReason::NothingToCompare
        );
    }

    #[test]
    fn a_new_rule_has_no_unmatched_candidates() {
        let old = [finding(0, "B2", "a.py", 1, &["x", RUN, "y"])];
        assert_eq!(mismatches(&[finding(0, "B1", "a.py", 1, &["x", RUN, "y"])], &old), []);
    }
}
