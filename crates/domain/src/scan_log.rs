//! The fold of a target's scans: its variants, and its trend by day.

use crate::digest::Short;
use crate::event::Entry;
use crate::ids::{ScanId, ScannerId, VariantName};
use crate::journal::{Fold, Refusal};
use crate::limits::VARIANTS_KNOWN_MAX;
use crate::scan_event::ScanEvent;
use crate::serde_skip::is_default;
use crate::time::Timestamp;
use crate::trend::Trend;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest scan of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestScan {
    /// The number of its event. Newer events have greater numbers.
    pub n: u64,
    /// The time at which it was recorded.
    pub at: Timestamp,
    /// The scan.
    pub scan: ScanId,
    /// Its [`series`](crate::series::series), if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<Short>,
    /// Its verdict. `pass` is not written, to save space.
    #[serde(skip_serializing_if = "is_pass", default = "pass_by_default")]
    pub verdict: Verdict,
    /// True if no threshold was applied to it.
    #[serde(skip_serializing_if = "is_default", default)]
    pub no_threshold: bool,
}

fn pass_by_default() -> Verdict {
    Verdict::Pass
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_pass(verdict: &Verdict) -> bool {
    *verdict == Verdict::Pass
}

/// The newest scan of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestOfTarget {
    /// Its variant.
    pub variant: VariantName,
    /// Its scanner.
    pub scanner: ScannerId,
    /// The scan.
    pub seen: NewestScan,
}

/// The fold of a target's scans: its variants and its trend. The scans themselves are read from the end of the journal,
/// page by page. So the cost of an upload does not grow with their number, nor with the number of variants beyond
/// [`VARIANTS_KNOWN_MAX`].
/// The newest scan of a variant and the newest variants do not depend on the order of events. No field has a default: a
/// snapshot that lacks one is ignored, and the events are folded again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanLog {
    /// The newest complete scan of each variant, by any scanner, of tokens that may upload baselines.
    pub complete: BTreeMap<VariantName, NewestScan>,
    /// The same of tokens that may not. They are apart, so that no number of made-up variants makes the log forget the
    /// variants that a baseline means.
    pub untrusted: BTreeMap<VariantName, NewestScan>,
    /// True if a variant with a complete scan was forgotten. Then it is unknown if a pattern matches nothing.
    pub forgotten: bool,
    /// The number of the first complete scan of each variant in [`DEFAULT_BRANCHES`], of tokens that may upload
    /// baselines.
    pub first_of_default: BTreeMap<VariantName, u64>,
    /// The newest incomplete scan of each variant, of tokens that may upload baselines.
    pub incomplete: BTreeMap<VariantName, NewestScan>,
    /// The same of tokens that may not.
    pub untrusted_incomplete: BTreeMap<VariantName, NewestScan>,
    /// The newest scan of each series of each variant, of tokens that may upload baselines. The keys are those of
    /// [`step`].
    pub steps: BTreeMap<String, NewestScan>,
    /// The same of tokens that may not.
    pub untrusted_steps: BTreeMap<String, NewestScan>,
    /// The newest scan of all.
    #[serde(deserialize_with = "Option::deserialize")]
    pub last: Option<NewestOfTarget>,
    /// The trend by day.
    pub trend: Trend,
}

/// The names of the branches of which the first scanned one is the baseline of a repository that has no other.
pub const DEFAULT_BRANCHES: [&str; 2] = ["main", "master"];

/// A variant of a target with its newest scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a VariantName,
    /// Its newest scan, complete or incomplete.
    pub newest: &'a NewestScan,
    /// True if that scan is complete.
    pub complete: bool,
    /// Of the newest scans of all series the one with the worst verdict, which is the verdict of the variant: if one
    /// scanner fails it, a later scan by another does not make it pass.
    pub deciding: &'a NewestScan,
}

/// Returns the key of a series of a variant's scans.
fn step(series: Option<Short>, variant: &VariantName) -> String {
    let series = series.map(|series| series.to_hex()).unwrap_or_default();
    format!("{series} {variant}")
}

impl ScanLog {
    /// Returns the newest complete scan by a trusted token whose variant passes the test.
    pub fn newest_trusted(&self, test: impl Fn(&VariantName) -> bool) -> Option<(&VariantName, &NewestScan)> {
        self.complete.iter().filter(|(name, _)| test(name)).max_by_key(|(_, seen)| seen.n)
    }

    /// Returns the newest complete scan by any token whose variant passes the test.
    pub fn newest_complete(&self, test: impl Fn(&VariantName) -> bool) -> Option<(&VariantName, &NewestScan)> {
        let all = self.complete.iter().chain(&self.untrusted);
        all.filter(|(name, _)| test(name)).max_by_key(|(_, seen)| seen.n)
    }

    /// Returns the newest incomplete scan whose variant passes the test.
    pub fn newest_incomplete(&self, test: impl Fn(&VariantName) -> bool) -> Option<(&VariantName, &NewestScan)> {
        let all = self.incomplete.iter().chain(&self.untrusted_incomplete);
        all.filter(|(name, _)| test(name)).max_by_key(|(_, seen)| seen.n)
    }

    /// Returns the first scanned of the [`DEFAULT_BRANCHES`].
    pub fn default_branch(&self) -> Option<&VariantName> {
        self.first_of_default.iter().min_by_key(|(_, n)| **n).map(|(name, _)| name)
    }

    /// Returns all variants, the most recently scanned first.
    pub fn variants(&self) -> Vec<Variant<'_>> {
        let mut newest: BTreeMap<&VariantName, (&NewestScan, bool)> = BTreeMap::new();
        let lists = [
            (&self.complete, true),
            (&self.untrusted, true),
            (&self.incomplete, false),
            (&self.untrusted_incomplete, false),
        ];
        for (name, seen, complete) in
            lists.into_iter().flat_map(|(list, complete)| list.iter().map(move |(name, seen)| (name, seen, complete)))
        {
            let held = newest.entry(name).or_insert((seen, complete));
            if held.0.n < seen.n {
                *held = (seen, complete);
            }
        }
        let mut deciding: BTreeMap<&str, &NewestScan> = BTreeMap::new();
        let newer = |step: &String, seen: &NewestScan, other: &BTreeMap<String, NewestScan>| {
            other.get(step).is_some_and(|other| seen.n < other.n)
        };
        let trusted = self.steps.iter().filter(|(step, seen)| !newer(step, seen, &self.untrusted_steps));
        let untrusted = self.untrusted_steps.iter().filter(|(step, seen)| !newer(step, seen, &self.steps));
        for (step, seen) in trusted.chain(untrusted) {
            let variant = step.split_once(' ').map_or("", |(_, variant)| variant);
            let weight = |seen: &NewestScan| (seen.verdict.weight(), seen.n);
            let held = deciding.entry(variant).or_insert(seen);
            if weight(held) < weight(seen) {
                *held = seen;
            }
        }
        let all = newest.into_iter().map(|(name, (newest, complete))| {
            let deciding = deciding.get(name.as_str()).copied().unwrap_or(newest);
            Variant { name, newest, complete, deciding }
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|variant| std::cmp::Reverse(variant.newest.n));
        all
    }
}

impl Fold for ScanLog {
    type Event = ScanEvent;
    const ORDERED: bool = false;

    fn apply(&mut self, n: u64, entry: &Entry<ScanEvent>) -> Result<(), Refusal> {
        let event = &entry.event;
        let seen = NewestScan {
            n,
            at: entry.at,
            scan: event.scan,
            series: event.series,
            verdict: event.outcome.verdict,
            no_threshold: event.outcome.no_threshold,
        };
        if self.last.as_ref().is_none_or(|last| last.seen.n < n) {
            let (variant, scanner) = (event.variant.clone(), event.scanner.clone());
            self.last = Some(NewestOfTarget { variant, scanner, seen: seen.clone() });
        }
        let steps = if event.untrusted { &mut self.untrusted_steps } else { &mut self.steps };
        keep(steps, step(event.series, &event.variant), NewestScan { series: None, ..seen.clone() });
        let variant = event.variant.clone();
        if event.complete && !event.untrusted && DEFAULT_BRANCHES.contains(&variant.as_str()) {
            let first = self.first_of_default.entry(variant.clone()).or_insert(n);
            *first = n.min(*first);
        }
        match (event.complete, event.untrusted) {
            (true, false) => self.forgotten |= keep(&mut self.complete, variant, seen),
            (true, true) => self.forgotten |= keep(&mut self.untrusted, variant, seen),
            (false, false) => {
                keep(&mut self.incomplete, variant, seen);
            }
            (false, true) => {
                keep(&mut self.untrusted_incomplete, variant, seen);
            }
        }
        self.trend.take(n, event);
        Ok(())
    }
}

/// Stores the newest scan of each key, and of those the newest [`VARIANTS_KNOWN_MAX`]. The order of calls makes no
/// difference. Returns true if one was forgotten.
fn keep<K: Ord + Clone>(list: &mut BTreeMap<K, NewestScan>, of: K, seen: NewestScan) -> bool {
    match list.get_mut(&of) {
        Some(known) if known.n < seen.n => *known = seen,
        Some(_) => {}
        None => {
            list.insert(of, seen);
        }
    }
    if VARIANTS_KNOWN_MAX < list.len() {
        let oldest = list.iter().min_by_key(|(_, seen)| seen.n).map(|(of, _)| of.clone());
        return oldest.and_then(|oldest| list.remove(&oldest)).is_some();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::series;
    use crate::testing::{entry, recorded};
    use proptest::prelude::*;

    fn event(variant: &str, complete: bool, n: u64) -> ScanEvent {
        ScanEvent { complete, variant: variant.parse().unwrap(), ..recorded(n, 0, "bandit", Verdict::Pass) }
    }

    fn fold(events: impl IntoIterator<Item = (u64, ScanEvent)>) -> ScanLog {
        let mut log = ScanLog::default();
        for (n, event) in events {
            log.apply(n, &entry(n, "ann", 1000, event)).unwrap();
        }
        log
    }

    #[test]
    fn the_stored_fold_is_pinned() {
        let log = fold([(1, recorded(1, 2, "bandit", Verdict::Pass)), (2, recorded(2, 3, "bandit", Verdict::Fail))]);
        let stored = serde_json::to_string(&log).unwrap();
        assert_eq!(serde_json::from_str::<ScanLog>(&stored).unwrap(), log);
        insta::assert_snapshot!(stored, @r#"{"complete":{"main":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","series":"e448f6a04e967765bd4cef0b472e3a6d","verdict":"fail"}},"untrusted":{},"forgotten":false,"first_of_default":{"main":1},"incomplete":{},"untrusted_incomplete":{},"steps":{"e448f6a04e967765bd4cef0b472e3a6d main":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","verdict":"fail"}},"untrusted_steps":{},"last":{"variant":"main","scanner":"bandit","seen":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","series":"e448f6a04e967765bd4cef0b472e3a6d","verdict":"fail"}},"trend":{"days":{"2":[1,2,1,0,0],"3":[1,2,1,1,0]},"series":{"e448f6a04e967765bd4cef0b472e3a6d":{"2":[1,[0,1,0,0,0,0]],"3":[2,[0,2,0,0,0,0]]}},"more_series":false,"counted":{"1":"1dede82649db2478f28c4781208921de","2":"212535da3ec5858151fcc70410c088f6"}}}"#);
    }

    #[test]
    fn a_snapshot_without_variants_is_ignored() {
        assert!(serde_json::from_str::<ScanLog>("{}").is_err());
    }

    #[test]
    fn variants_are_listed_once_with_their_newest_scan() {
        let scans = [("a", true), ("b", true), ("a", false), ("c", false), ("b", false), ("b", true)];
        let log = fold((1..).zip(scans).map(|(n, (variant, complete))| (n, event(variant, complete, n))));
        let listed: Vec<_> = log.variants().iter().map(|v| (v.name.to_string(), v.newest.n, v.complete)).collect();
        assert_eq!(listed, [("b".to_owned(), 6, true), ("c".to_owned(), 4, false), ("a".to_owned(), 3, false)]);
        assert_eq!(log.newest_complete(|name| name.as_str() != "b").map(|(_, seen)| seen.n), Some(1));
    }

    #[test]
    fn a_later_scan_by_another_scanner_does_not_hide_a_failing_one() {
        let by = |n, tool: &str, verdict| {
            let series = Some(series(&tool.parse().unwrap(), &[]));
            (n, ScanEvent { series, ..recorded(n, 0, tool, verdict) })
        };
        let mut events = vec![by(1, "bandit", Verdict::Fail), by(2, "semgrep", Verdict::Pass)];
        let stands = |events: &[(u64, ScanEvent)]| {
            let log = fold(events.iter().cloned());
            let variant = log.variants()[0];
            (variant.newest.n, variant.deciding.n, variant.deciding.verdict)
        };
        assert_eq!(stands(&events), (2, 1, Verdict::Fail));
        events.push(by(3, "bandit", Verdict::Pass));
        assert_eq!(stands(&events).2, Verdict::Pass, "the scanner that failed passes now");
    }

    #[test]
    fn the_number_of_variants_is_limited_and_the_oldest_is_forgotten_first() {
        let most = u64::try_from(VARIANTS_KNOWN_MAX).unwrap();
        let events = |count: u64| (1..=count).map(|n| (n, event(&format!("v{n}"), true, n)));
        let kept = |log: &ScanLog, name: &str| log.complete.contains_key(&name.parse::<VariantName>().unwrap());
        let log = fold(events(most));
        assert!(log.complete.len() == VARIANTS_KNOWN_MAX && kept(&log, "v1"));
        let log = fold(events(most + 1));
        assert!(log.complete.len() == VARIANTS_KNOWN_MAX && !kept(&log, "v1") && kept(&log, "v2"));
    }

    #[test]
    fn made_up_variants_of_an_untrusted_token_do_not_displace_those_of_a_trusted_one() {
        let most = u64::try_from(VARIANTS_KNOWN_MAX).unwrap();
        let made_up = |n| (n, ScanEvent { untrusted: true, ..event(&format!("v{n}"), true, n) });
        let log = fold([(1, event("release-1", true, 1))].into_iter().chain((2..most + 9).map(made_up)));
        let release = log.newest_complete(|name| name.as_str().starts_with("release"));
        assert_eq!(release.map(|(_, seen)| seen.n), Some(1));
        assert!(log.forgotten && log.variants().len() == VARIANTS_KNOWN_MAX + 1);
        assert!(!fold([(1, event("release-1", true, 1))]).forgotten);
    }

    #[test]
    fn made_up_variants_of_an_untrusted_token_do_not_hide_a_failing_scanner_of_a_variant() {
        let most = u64::try_from(VARIANTS_KNOWN_MAX).unwrap();
        let by = |n, tool: &str, verdict, complete| {
            let series = Some(series(&tool.parse().unwrap(), &[]));
            (n, ScanEvent { series, complete, ..recorded(n, 0, tool, verdict) })
        };
        let main = [by(1, "bandit", Verdict::Fail, true), by(2, "semgrep", Verdict::Pass, true)];
        let incomplete =
            (3, ScanEvent { variant: "next".parse().unwrap(), ..by(3, "trivy", Verdict::Undecided, false).1 });
        let made_up =
            (4..most + 9).map(|n| (n, ScanEvent { untrusted: true, ..event(&format!("v{n}"), n % 2 == 0, n) }));
        let log = fold(main.clone().into_iter().chain([incomplete]).chain(made_up));
        let variants = log.variants();
        let of = |name: &str| variants.iter().find(|variant| variant.name.as_str() == name).unwrap();
        assert_eq!((of("main").deciding.n, of("main").deciding.verdict), (1, Verdict::Fail));
        assert_eq!((of("next").complete, of("next").deciding.verdict), (false, Verdict::Undecided));
        let later = (3, ScanEvent { untrusted: true, ..by(3, "bandit", Verdict::Pass, true).1 });
        let replaced = fold(main.into_iter().chain([later]));
        assert_eq!(replaced.variants()[0].deciding.verdict, Verdict::Pass, "the newer scan of a series counts");
    }

    #[test]
    fn the_first_default_branch_that_a_trusted_token_scanned_stays_the_default() {
        let untrusted = |n| (n, ScanEvent { untrusted: true, ..event("main", true, n) });
        let trusted = |n, name| (n, event(name, true, n));
        let events = [untrusted(1), trusted(2, "master"), trusted(3, "main"), trusted(4, "main")];
        assert_eq!(fold(events.clone()).default_branch().map(VariantName::as_str), Some("master"));
        assert_eq!(fold(events.into_iter().rev()).default_branch().map(VariantName::as_str), Some("master"));
        assert_eq!(fold([untrusted(1), trusted(2, "trunk")]).default_branch(), None);
    }

    #[test]
    fn the_forgotten_variants_do_not_depend_on_the_order_of_events() {
        let count = u64::try_from(VARIANTS_KNOWN_MAX).unwrap() + 300;
        let events: Vec<_> =
            (1..=count).map(|n| (n, event(&format!("v{}", n * 7919 % count / 2), n % 3 > 0, n))).collect();
        let backwards = fold(events.iter().rev().cloned());
        assert_eq!(fold(events), backwards);
    }

    proptest! {
        #[test]
        fn the_order_of_events_does_not_matter(
            scans in proptest::collection::vec((0..4_u8, any::<bool>()), 0..20),
            at in any::<prop::sample::Index>(),
        ) {
            let events: Vec<_> =
                (1..).zip(scans).map(|(n, (variant, complete))| (n, event(&format!("v{variant}"), complete, n))).collect();
            let mut turned = events.clone();
            if !turned.is_empty() {
                let middle = at.index(turned.len());
                turned.rotate_left(middle);
                turned.reverse();
            }
            prop_assert_eq!(fold(events), fold(turned));
        }
    }
}
