//! Compares the blind spots of a scan with those of its reference scan, and finds what they cover.
//!
//! A blind spot that the reference scan has too is known: it changes no verdict. A new one may hide something, so the
//! project's settings decide. What the reference scan has inside a blind spot is not seen, which is not the same as
//! remediated. When in doubt, a blind spot covers more: an occurrence that is wrongly not seen is still counted, and
//! one that is wrongly remediated is lost.

mod exchange;

pub use exchange::Exchanges;

use crate::serde_skip::is_default;
use crate::signature::normal_path;
use crate::word_enum::word_enum;
use finding::{BlindSpot, Examined, Reach};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! {
    /// The result of the comparison for a blind spot.
    #[derive(PartialOrd, Ord)]
    pub enum SpotState: "a state of a blind spot" {
        /// Only the scan itself has it, or the scan was compared with nothing.
        New = "new",
        /// The reference scan has it too.
        Known = "known",
        /// Only the reference scan has it.
        Gone = "gone",
    }
}

/// A blind spot after the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedSpot {
    /// The blind spot.
    #[serde(flatten)]
    pub spot: BlindSpot,
    /// The result of the comparison.
    pub state: SpotState,
    /// The number of occurrences that the reference scan has inside it.
    #[serde(skip_serializing_if = "is_default", default)]
    pub not_seen: u32,
}

/// The beginning of the reason of a scan that examined too little.
const EXAMINED: &str = "the scanner examined ";
/// The word in such a reason if an earlier scan than the reference scan examined more.
const BEFORE: &str = ", before ";

/// The numbers of the reference scan that a scan has to reach.
#[derive(Debug, Clone, Copy)]
pub struct ExaminedBefore<'a> {
    /// The numbers that the reference scan examined.
    pub own: &'a Examined,
    /// The numbers that it should have examined, if it examined too little itself; else the same.
    pub expected: &'a Examined,
}

/// Returns a blind spot over everything, if the scan examined less of anything than `percent` of what was examined
/// before. Units that only one of the two states are not compared.
pub fn examined_less(examined: &Examined, before: ExaminedBefore<'_>, percent: u32) -> Option<BlindSpot> {
    let less = |than: &Examined, word: &str| {
        than.iter().find_map(|(unit, expected)| {
            let count = *examined.get(unit)?;
            let is_less = u128::from(count) * 100 < u128::from(*expected) * u128::from(percent);
            is_less.then(|| format!("{EXAMINED}{count} {}{word}{expected}", unit.as_str()))
        })
    };
    let reason = less(before.own, ", the reference scan ").or_else(|| less(before.expected, BEFORE))?;
    Some(BlindSpot { reach: Reach::Everything, reason })
}

/// True if the reference scan is blind to everything for the same reason. One that examined too little is, if this scan
/// examined no less.
fn is_known_reason(reason: &str, reference: &[BlindSpot]) -> bool {
    let before = |text: &str| text.starts_with(EXAMINED);
    let is_as_little = before(reason) && reason.contains(BEFORE);
    let everything = reference.iter().filter(|spot| spot.reach == Reach::Everything);
    everything.map(|spot| spot.reason.as_str()).any(|other| other == reason || (is_as_little && before(other)))
}

/// Sorts the blind spots of a scan and of its reference scan into new, known and gone ones, in this order; one over
/// everything comes first among those. `not_seen` is the number of occurrences inside each blind spot, by its index.
pub fn compare(
    current: &[BlindSpot],
    reference: &[BlindSpot],
    exchanges: &Exchanges,
    not_seen: &BTreeMap<usize, u32>,
) -> Vec<ComparedSpot> {
    let (here, there) = (Coverage::of(current, exchanges), Coverage::of(reference, &Exchanges::default()));
    let state = |spot: &BlindSpot| match (&spot.reach, is_known_reason(&spot.reason, reference)) {
        (Reach::Everything, true) => SpotState::Known,
        (Reach::Everything, false) => SpotState::New,
        (reach, _) if there.covers(reach, exchanges) => SpotState::Known,
        (_, _) => SpotState::New,
    };
    let own = current.iter().enumerate().map(|(at, spot)| {
        let not_seen = not_seen.get(&at).copied().unwrap_or(0);
        ComparedSpot { spot: spot.clone(), state: state(spot), not_seen }
    });
    let is_blind = current.iter().any(|spot| spot.reach == Reach::Everything);
    let is_gone = |spot: &&BlindSpot| match spot.reach {
        Reach::Everything => {
            let mut everything = current.iter().filter(|own| own.reach == Reach::Everything);
            !everything.any(|own| is_known_reason(&own.reason, std::slice::from_ref(*spot)))
        }
        Reach::File(_) | Reach::Folder(_) | Reach::Rule(_) | Reach::Tool(_) => {
            !is_blind && !here.covers(&spot.reach, &Exchanges::default())
        }
    };
    let gone = reference.iter().filter(is_gone);
    let gone = gone.map(|spot| ComparedSpot { spot: spot.clone(), state: SpotState::Gone, not_seen: 0 });
    let mut all: Vec<ComparedSpot> = own.chain(gone).collect();
    all.sort_by_key(|spot| (spot.state, spot.spot.reach != Reach::Everything));
    all
}

/// The rule and tool of an issue, by which a blind spot may cover it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleAndTool {
    /// The rule's id.
    pub rule: String,
    /// The product in the issue's key.
    pub tool: String,
}

/// True if the rule or tool of an issue may decide if one of these blind spots covers it.
pub fn needs_rules(spots: &[BlindSpot]) -> bool {
    spots.iter().any(|spot| matches!(spot.reach, Reach::Rule(_) | Reach::Tool(_)))
}

/// The extents of a scan's blind spots, each with its index in the scan's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    everything: Option<usize>,
    files: BTreeMap<String, usize>,
    /// The last parts of absolute paths of files: the checkout may be in another folder.
    absolute: BTreeMap<String, usize>,
    folders: BTreeMap<String, usize>,
    rules: BTreeMap<String, usize>,
    tools: BTreeMap<String, usize>,
    exchanges: Exchanges,
}

impl Coverage {
    /// Returns what these blind spots cover in a scan whose paths `exchanges` translates.
    pub fn of(spots: &[BlindSpot], exchanges: &Exchanges) -> Self {
        let mut coverage = Self { exchanges: exchanges.clone(), ..Self::default() };
        for (at, BlindSpot { reach, .. }) in spots.iter().enumerate() {
            match reach {
                Reach::Everything => coverage.everything = coverage.everything.or(Some(at)),
                Reach::File(name) => {
                    let path = normal_path(name);
                    if exchanges.is_empty() && is_absolute(&path) {
                        coverage.absolute.entry(file_name(&path).to_owned()).or_insert(at);
                    }
                    coverage.files.entry(path).or_insert(at);
                }
                Reach::Folder(name) => {
                    let path = normal_path(name);
                    coverage.folders.entry(path.trim_end_matches('/').to_owned()).or_insert(at);
                }
                Reach::Rule(name) => drop(coverage.rules.entry(name.clone()).or_insert(at)),
                Reach::Tool(name) => drop(coverage.tools.entry(name.to_lowercase()).or_insert(at)),
            }
        }
        coverage
    }

    /// Returns the folders that have other names in the reference scan.
    pub fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    /// True if nothing is covered.
    pub fn is_empty(&self) -> bool {
        self.everything.is_none()
            && [&self.files, &self.folders, &self.rules, &self.tools].into_iter().all(BTreeMap::is_empty)
    }

    /// Returns the blind spot that covers an occurrence of the reference scan, by its index.
    pub fn spot_of(&self, path: Option<&str>, issue: Option<&RuleAndTool>) -> Option<usize> {
        let by_issue = || {
            let issue = issue?;
            let rule = self.rules.get(&issue.rule);
            rule.or_else(|| self.tools.get(&issue.tool.to_lowercase())).copied()
        };
        self.everything.or_else(|| self.spot_over(path?)).or_else(by_issue)
    }

    /// True if a match from `reference`, a path of the reference scan, to `current` leaves a file or folder that was
    /// not examined.
    pub(crate) fn is_left(&self, current: &str, reference: &str) -> bool {
        let spot = self.spot_over(reference).filter(|_| current != reference);
        spot.is_some() && self.spot_inside(current) != spot
    }

    /// Returns the file or folder that covers a path of the scan itself.
    fn spot_inside(&self, path: &str) -> Option<usize> {
        self.file(path).or_else(|| self.folder(path))
    }

    fn spot_over(&self, path: &str) -> Option<usize> {
        if self.files.is_empty() && self.folders.is_empty() {
            return None;
        }
        let names = || self.exchanges.names(path);
        let file = || names().find_map(|name| self.file(&name));
        let folder = || names().find_map(|name| self.folder(&name));
        let elsewhere = || self.absolute.get(file_name(path)).filter(|_| is_absolute(path)).copied();
        file().or_else(folder).or_else(elsewhere)
    }

    fn file(&self, path: &str) -> Option<usize> {
        // A host is a file too, and its services have its name with their port.
        let host = || path.split_once([' ', ':']).and_then(|(host, _)| self.files.get(host));
        self.files.get(path).or_else(host).copied()
    }

    fn folder(&self, path: &str) -> Option<usize> {
        // The root of the checkout.
        let root = self.folders.get("").or_else(|| self.folders.get(".")).filter(|_| !is_absolute(path));
        let heads = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        heads.chain([path]).find_map(|head| self.folders.get(head)).or(root).copied()
    }

    /// True if one of these blind spots covers all of another one, which is not over everything. `exchanges` translates
    /// its paths.
    ///
    /// One over everything covers none here: a scan that is always blind to something unknown would hide each new one.
    fn covers(&self, reach: &Reach, exchanges: &Exchanges) -> bool {
        let names = |name: &str| exchanges.former_names(&normal_path(name)).collect::<Vec<_>>();
        let in_a_folder = |path: &String| self.exchanges.names(path).any(|name| self.folder(&name).is_some());
        match reach {
            Reach::Everything => false,
            Reach::File(name) => names(name).iter().any(|name| self.spot_over(name).is_some()),
            Reach::Folder(name) => names(name.trim_end_matches('/')).iter().any(in_a_folder),
            Reach::Rule(name) => self.rules.contains_key(name),
            Reach::Tool(name) => self.tools.contains_key(&name.to_lowercase()),
        }
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.contains(":/")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
