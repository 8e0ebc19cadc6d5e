//! The run of a pipeline: its scans, which of them count, and their common verdict.

use crate::digest::Short;
use crate::event::Entry;
use crate::ids::{ScanId, ScannerId};
use crate::journal::{Fold, Refusal};
use crate::limits::EXECUTION_SCANS_MAX;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A scan of a run. It counts once it has its answer, as in its target's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionEvent {
    /// The scan.
    pub scan: ScanId,
}

/// The fold of a run's scans: the newest [`EXECUTION_SCANS_MAX`] of them, each with the number of its newest event. A
/// scan that a retry records twice is in it once. The order of events does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionLog {
    scans: BTreeMap<ScanId, u64>,
    /// True if the run has more scans than are stored here.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    more: bool,
}

impl ExecutionLog {
    /// True if the run has more scans than are stored here. The verdicts of the others are then unknown.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Returns the scans with their numbers, in the order of their events.
    pub fn in_order(&self) -> Vec<(u64, ScanId)> {
        let mut scans: Vec<_> = self.scans.iter().map(|(scan, n)| (*n, *scan)).collect();
        scans.sort_unstable();
        scans
    }
}

impl Fold for ExecutionLog {
    type Event = ExecutionEvent;
    const ORDERED: bool = false;

    fn apply(&mut self, n: u64, entry: &Entry<ExecutionEvent>) -> Result<(), Refusal> {
        let newest = self.scans.entry(entry.event.scan).or_insert(n);
        *newest = n.max(*newest);
        if EXECUTION_SCANS_MAX < self.scans.len() {
            let oldest = self.scans.iter().min_by_key(|(_, n)| **n).map(|(scan, _)| *scan);
            oldest.and_then(|oldest| self.scans.remove(&oldest));
            self.more = true;
        }
        Ok(())
    }
}

/// The step of a run that a scan belongs to. A step that is repeated gives another scan of the same step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The target's name.
    pub target: String,
    /// The variant.
    pub variant: String,
    /// The series: tool and categories, see [`series`](crate::series::series).
    pub series: Short,
}

/// The facts that decide if a scan counts in its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepScan {
    /// The step.
    pub step: Step,
    /// The name of the attempt, if the upload has one.
    pub attempt: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Splits the scans of a run, in the order of their events, into those that count and those that do not. Both lists
/// keep the order. Of each step one scan counts: the one with the worst verdict, of several the newest. Only a scan
/// that names an attempt that no earlier scan of the step has replaces whatever counted before. So a clean report does
/// not turn a failed step into a passed one, unless it says that it is another attempt.
pub fn counting<T>(scans: Vec<T>, of: impl Fn(&T) -> StepScan) -> (Vec<T>, Vec<T>) {
    let mut chosen: BTreeMap<Step, (usize, Verdict)> = BTreeMap::new();
    let mut attempts: BTreeSet<(Step, String)> = BTreeSet::new();
    for (at, scan) in scans.iter().map(of).enumerate() {
        let StepScan { step, attempt, verdict } = scan;
        let is_another_attempt = attempt.is_some_and(|attempt| attempts.insert((step.clone(), attempt)));
        let replaces =
            is_another_attempt || chosen.get(&step).is_none_or(|(_, held)| held.weight() <= verdict.weight());
        if replaces {
            chosen.insert(step, (at, verdict));
        }
    }
    let chosen: BTreeSet<usize> = chosen.into_values().map(|(at, _)| at).collect();
    let mut counting = Vec::new();
    let mut superseded = Vec::new();
    for (at, scan) in scans.into_iter().enumerate() {
        if chosen.contains(&at) { counting.push(scan) } else { superseded.push(scan) }
    }
    (counting, superseded)
}

/// Returns the tools that a target requires and that are not among those that reported for one of its variants.
pub fn missing_scanners<'a>(
    required: &'a BTreeSet<ScannerId>,
    reported: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a ScannerId> {
    let reported: BTreeSet<&str> = reported.into_iter().collect();
    required.iter().filter(|scanner| !reported.contains(scanner.as_str())).collect()
}

/// Returns the verdict of a run: `fail` if a scan failed, else `undecided` if one is undecided, else `pass`. `more` is
/// true if the run has scans with unknown verdicts; as one of them may have failed, the run then does not pass.
pub fn verdict(scans: impl IntoIterator<Item = Verdict>, more: bool) -> Verdict {
    let unknown = more.then_some(Verdict::Undecided);
    scans.into_iter().chain(unknown).max_by_key(|verdict| verdict.weight()).unwrap_or(Verdict::Pass)
}

/// Sums output variables by name. Values that are not numbers are left out; the gate writes none.
pub fn summed<'a>(scans: impl IntoIterator<Item = &'a BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, value) in scans.into_iter().flatten() {
        if let Ok(value) = value.parse::<u64>() {
            *sums.entry(name).or_default() += value;
        }
    }
    sums.into_iter().map(|(name, sum)| (name.to_owned(), sum.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::testing::entry;
    use proptest::prelude::*;

    fn scan(n: u64) -> ScanId {
        ScanId::derived("test", &[&n.to_be_bytes()])
    }

    fn fold(events: impl IntoIterator<Item = (u64, u64)>) -> ExecutionLog {
        let mut log = ExecutionLog::default();
        for (n, of) in events {
            log.apply(n, &entry(n, "ci", 1000, ExecutionEvent { scan: scan(of) })).unwrap();
        }
        log
    }

    #[test]
    fn a_scan_that_is_recorded_twice_is_listed_once() {
        assert_eq!(fold([(1, 1), (2, 2), (3, 1)]).in_order(), [(2, scan(2)), (3, scan(1))]);
    }

    #[test]
    fn the_newest_are_kept() {
        let most = u64::try_from(EXECUTION_SCANS_MAX).unwrap();
        let log = fold((1..=most).map(|n| (n, n)));
        assert_eq!((log.in_order().len(), log.in_order()[0].0), (EXECUTION_SCANS_MAX, 1));
        let log = fold((1..=most + 1).map(|n| (n, n)));
        assert_eq!((log.in_order().len(), log.in_order()[0].0), (EXECUTION_SCANS_MAX, 2));
        println!("{} bytes", serde_json::to_string(&log).unwrap().len());
    }

    #[test]
    fn the_stored_event_is_pinned() {
        let event = ExecutionEvent { scan: ScanId::from_bits([1; 16]) };
        insta::assert_snapshot!(serde_json::to_string(&event).unwrap(), @r#"{"scan":"01010101010101010101010101010101"}"#);
    }

    fn step(scan: &(&str, &str, u8)) -> StepScan {
        let step = Step { target: scan.0.to_owned(), variant: scan.1.to_owned(), series: Short([scan.2; 16]) };
        StepScan { step, attempt: None, verdict: Verdict::Pass }
    }

    #[test]
    fn of_a_repeated_step_only_the_newest_scan_counts() {
        let scans = vec![("web", "main", 1), ("web", "main", 2), ("web", "main", 1), ("api", "main", 1)];
        let (kept, superseded) = counting(scans, step);
        assert_eq!(kept, [("web", "main", 2), ("web", "main", 1), ("api", "main", 1)]);
        assert_eq!(superseded, [("web", "main", 1)]);
        let others = vec![("web", "main", 1), ("web", "next", 1)];
        assert_eq!(counting(others.clone(), step), (others, Vec::new()), "another variant is another step");
    }

    #[test]
    fn a_clean_report_replaces_a_failed_one_only_as_another_attempt() {
        use Verdict::{Fail, Pass, Undecided};
        let of = |scans: &[(&str, Verdict)]| {
            let scan = |scan: &(usize, (&str, Verdict))| StepScan {
                attempt: (!scan.1.0.is_empty()).then(|| scan.1.0.to_owned()),
                verdict: scan.1.1,
                ..step(&("web", "main", 1))
            };
            let (kept, superseded) = counting(scans.iter().copied().enumerate().collect(), scan);
            assert_eq!(kept.len() + superseded.len(), scans.len(), "the run keeps all of them");
            kept.into_iter().map(|(at, _)| at).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("", Fail), ("", Pass)]), [0]);
        assert_eq!(of(&[("", Undecided), ("", Pass), ("", Undecided)]), [2]);
        assert_eq!(of(&[("1", Fail), ("2", Pass)]), [1]);
        assert_eq!(of(&[("1", Fail), ("2", Fail), ("2", Pass)]), [1]);
        assert_eq!(of(&[("1", Fail), ("", Pass)]), [0], "it names no attempt");
        assert_eq!(of(&[("1", Pass), ("2", Fail), ("1", Pass)]), [1], "a late upload of an earlier attempt");
        assert_eq!(of(&[("1", Fail), ("2", Pass), ("1", Fail)]), [2], "the worst verdict counts");
        assert_eq!(of(&[("", Fail), ("1", Pass), ("2", Pass)]), [2]);
    }

    #[test]
    fn a_required_scanner_is_missing_until_it_reports() {
        let required: BTreeSet<ScannerId> = ["bandit", "trivy"].map(|name| name.parse().unwrap()).into();
        let missing: Vec<_> = missing_scanners(&required, ["bandit", "zap"]).iter().map(ToString::to_string).collect();
        assert_eq!(missing, ["trivy"]);
        assert!(missing_scanners(&required, ["trivy", "bandit"]).is_empty());
    }

    #[test]
    fn a_failing_scan_decides_the_verdict_before_an_undecided_one() {
        use Verdict::{Fail, Pass, Undecided};
        assert_eq!(verdict([Undecided, Fail, Pass], false), Fail);
        assert_eq!(verdict([Pass, Undecided], false), Undecided);
        assert_eq!(verdict([Pass, Pass], false), Pass);
        assert_eq!(verdict([], false), Pass);
        assert_eq!((verdict([Pass], true), verdict([Fail, Pass], true)), (Undecided, Fail));
    }

    #[test]
    fn variables_are_summed_by_name() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let sums = summed([&of(&[("HIGH", "2"), ("LOW", "0")]), &of(&[("HIGH", "3"), ("WORD", "x")])]);
        assert_eq!(sums, of(&[("HIGH", "5"), ("LOW", "0")]));
        assert!(summed([]).is_empty());
    }

    proptest! {
        #[test]
        fn the_order_of_events_does_not_matter(
            events in proptest::collection::btree_map(1..500_u64, 0..300_u64, 0..400).prop_flat_map(|events| {
                let events: Vec<_> = events.into_iter().collect();
                (Just(events.clone()), Just(events).prop_shuffle())
            }),
        ) {
            prop_assert_eq!(fold(events.0), fold(events.1));
        }
    }
}
