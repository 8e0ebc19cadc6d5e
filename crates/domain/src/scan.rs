//! A scan: what is frozen when it begins, what the target's journal keeps of it, and which scan it is compared with.

use crate::baseline::Meant;
use crate::digest::Short;
use crate::event::{Actor, Entry};
use crate::gate::Verdict;
use crate::ids::{PipelineName, ProjectId, ScanId, ScannerId, TargetId, TargetName, VariantName};
use crate::journal::{Fold, Refusal};
use crate::limits::VARIANTS_KNOWN_MAX;
use crate::project::{Settings, TargetType};
use crate::replay::Replayed;
use crate::source::Revision;
use crate::threshold::Threshold;
use crate::time::Timestamp;
use crate::trend::{Outcome, Trend};
use crate::version::Versions;
use finding::ReportSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the caller asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequest {
    /// The project.
    pub project: ProjectId,
    /// What was scanned.
    pub target: TargetName,
    /// Its type.
    pub target_type: TargetType,
    /// Its branch, tag or version.
    pub variant: VariantName,
    /// The scanner as it was asked for: the name of a format, or `auto`.
    pub scanner: ScannerId,
    /// From which level on the gate fails.
    pub fail_on_severity: Threshold,
    /// From which level on a new issue fails the gate.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new: Threshold,
    /// From which level on a new occurrence fails the gate, of a new issue or a known one.
    #[serde(skip_serializing_if = "is_default", default)]
    pub fail_on_new_occurrences: Threshold,
    /// Whether parts that the report before had and this one lacks are no longer scanned, so that it is complete.
    #[serde(skip_serializing_if = "is_default", default)]
    pub accept_missing: bool,
    /// The CI pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pipeline: Option<PipelineName>,
    /// The run of that pipeline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub execution: Option<PipelineName>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ScanRequest {
    /// The target's id.
    pub fn target_id(&self) -> TargetId {
        TargetId::of(&self.project, &self.target)
    }
}

/// Everything a scan's stages depend on besides its findings, written once before the first of them runs: running a
/// stage again gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    pub id: ScanId,
    /// What was asked for.
    pub request: ScanRequest,
    /// The tool that wrote the report: the product that issues are keyed by, and what scans are compared by.
    pub tool: ScannerId,
    /// The format that the report was read as.
    pub format: ScannerId,
    /// What tells apart parts of one tool's results that are uploaded one by one; scans of other parts are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<String>,
    /// The parts that the report consists of, see [`parts`](crate::parts); none where its format has no parts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<String>,
    /// The parts that the scan before had and this report lacks, the first of them; with any the scan is incomplete.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// Who uploaded it.
    pub by: Actor,
    /// When the upload began.
    pub received: Timestamp,
    /// SHA-256 of the decompressed report, 64 hexadecimal digits.
    pub report_sha256: String,
    /// Bytes of the decompressed report.
    pub report_bytes: u64,
    /// What was scanned, as git tells it, where the upload came with its working tree.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Revision>,
    /// SHA-256 of the decompressed sidecar, 64 hexadecimal digits, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_sha256: Option<String>,
    /// The project's settings at that time.
    pub settings: Settings,
    /// The scan it is compared with.
    pub reference: Reference,
    /// The variant's own newest complete scan, where it is not itself the scan compared with: along a branch occurrences
    /// keep the ids that they got there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lineage: Option<ScanId>,
    /// Whether it is a scan of the target's baseline, or of a target that has none: what the trend of open issues is made of. A
    /// new release is compared with the one before and is one, where a pattern means whichever was scanned last.
    #[serde(skip_serializing_if = "is_default", default)]
    pub baseline: bool,
    /// Its turn among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
    /// The parsers and the matcher that it was made with.
    #[serde(default)]
    pub versions: Versions,
    /// The scan that this one replays: its result made anew, which counts nowhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay_of: Option<ScanId>,
    /// Who replayed it, when, and from what.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replayed: Option<Replayed>,
}

impl ScanRecord {
    /// The scan whose id makes the ids of occurrences that are seen for the first time: the original's in a replay, so
    /// that both results call the same occurrence the same.
    pub fn identity_scan(&self) -> ScanId {
        self.replay_of.unwrap_or(self.id)
    }

    /// Whether the scan saw everything that it should have, given what the report says of itself. Only such a scan shows
    /// what is remediated, and is compared with.
    pub fn is_complete(&self, report: &ReportSummary) -> bool {
        report.rejected <= u64::from(self.settings.rejected_allowed)
            && report.scanner_errors_total == 0
            && self.missing.is_empty()
    }

    /// The series that the scan belongs to: see [`series`].
    pub fn series(&self) -> Short {
        series(&self.tool, &self.categories)
    }
}

/// Which of a variant's scans follow one another: those of one tool and of the same categories.
pub fn series(tool: &ScannerId, categories: &[String]) -> Short {
    let mut fields = vec![tool.as_str().as_bytes()];
    fields.extend(categories.iter().map(|category| category.as_bytes()));
    Short::derive("v1:series", &fields)
}

/// The newest complete scan of a variant by a scanner: what the next one is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The format's version: 1.
    pub v: u8,
    /// The scan.
    pub scan: ScanId,
    /// When its upload began.
    pub received: Timestamp,
    /// Its turn among the scans of this variant by this tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub turn: Option<u64>,
}

impl Head {
    /// Whether this scan comes after the other: by their turns, which is the order in which they were compared.
    pub fn is_after(&self, other: &Self) -> bool {
        match (self.turn, other.turn) {
            (Some(own), Some(other)) => other < own,
            (_, _) => other.received < self.received,
        }
    }
}

/// What a scan is compared with; frozen into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "with")]
pub enum Reference {
    /// The newest complete scan of the target's baseline.
    Baseline {
        /// The baseline.
        variant: VariantName,
        /// Its scan.
        scan: ScanId,
    },
    /// The previous complete scan of the same variant.
    Previous {
        /// The variant itself.
        variant: VariantName,
        /// Its previous scan.
        scan: ScanId,
    },
    /// Nothing: the first scan. Everything is new.
    None,
    /// The target's baseline was never scanned by this scanner. What counts as new is the project's to say, and the
    /// answer says why.
    BaselineNotScannedByThisScanner {
        /// The baseline; absent where it is a pattern that matches nothing that was scanned.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        variant: Option<VariantName>,
    },
    /// All scans of the target's baseline by this scanner are incomplete.
    BaselineIncomplete {
        /// The baseline.
        variant: VariantName,
    },
}

/// What is known of a baseline's scans by one scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfBaseline {
    /// Its newest complete scan.
    Complete(ScanId),
    /// It has incomplete scans only.
    Incomplete,
    /// It has none.
    None,
}

impl Reference {
    /// Chooses what a scan of `variant` is compared with: the newest scan of the variant that the baseline means, or, for
    /// that variant itself and for targets without a baseline, the variant's own previous scan.
    pub fn choose(variant: &VariantName, meant: &Meant, of_baseline: OfBaseline, previous: Option<ScanId>) -> Self {
        match meant {
            Meant::Variant(baseline, _) if baseline != variant => match of_baseline {
                OfBaseline::Complete(scan) => Self::Baseline { variant: baseline.clone(), scan },
                OfBaseline::Incomplete => Self::BaselineIncomplete { variant: baseline.clone() },
                OfBaseline::None => Self::BaselineNotScannedByThisScanner { variant: Some(baseline.clone()) },
            },
            Meant::NothingScanned => Self::BaselineNotScannedByThisScanner { variant: None },
            Meant::Variant(..) | Meant::None => match previous {
                Some(scan) => Self::Previous { variant: variant.clone(), scan },
                None => Self::None,
            },
        }
    }

    /// Whether the scan is that of another variant than the baseline: it is compared with the baseline, or would be if that
    /// had a scan to compare with.
    pub fn is_to_baseline(&self) -> bool {
        match self {
            Self::Baseline { .. } | Self::BaselineNotScannedByThisScanner { .. } | Self::BaselineIncomplete { .. } => {
                true
            }
            Self::Previous { .. } | Self::None => false,
        }
    }

    /// The scan, where there is one.
    pub fn scan(&self) -> Option<ScanId> {
        match self {
            Self::Baseline { scan, .. } | Self::Previous { scan, .. } => Some(*scan),
            Self::None | Self::BaselineNotScannedByThisScanner { .. } | Self::BaselineIncomplete { .. } => None,
        }
    }
}

/// A scan as its target's journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEvent {
    /// The scan.
    pub scan: ScanId,
    /// The variant.
    pub variant: VariantName,
    /// The scanner.
    pub scanner: ScannerId,
    /// Whether the scan is complete.
    #[serde(skip_serializing_if = "is_true", default = "yes")]
    pub complete: bool,
    /// The scan's [`series`]; absent in events from before there were any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<Short>,
    /// What came out of it.
    pub outcome: Outcome,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// A variant's newest scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The number of its event: what is newer has a greater one.
    pub n: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The scan.
    pub scan: ScanId,
    /// Its [`series`], if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<Short>,
    /// Its verdict; most pass, and there is one for each variant, so that is left out.
    #[serde(skip_serializing_if = "is_pass", default = "pass")]
    pub verdict: Verdict,
}

fn pass() -> Verdict {
    Verdict::Pass
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_pass(verdict: &Verdict) -> bool {
    *verdict == Verdict::Pass
}

/// A target's newest scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// Its variant.
    pub variant: VariantName,
    /// Its scanner.
    pub scanner: ScannerId,
    /// The scan.
    pub seen: Seen,
}

/// The fold of a target's scans: its variants and its trend. The scans themselves are read from the journal's end, a page at a time. So
/// no upload's cost grows with their number, nor, beyond [`VARIANTS_KNOWN_MAX`], with that of the variants.
///
/// The newest of a variant and the newest variants are the same in whatever order events come, so the order does not
/// matter. No field has a default: a snapshot from before it was kept is none, and the events are folded anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanLog {
    /// The variants' newest complete scans, by whichever scanner.
    pub complete: BTreeMap<VariantName, Seen>,
    /// The variants' newest incomplete scans.
    pub incomplete: BTreeMap<VariantName, Seen>,
    /// The newest scan of each series of each variant, by [`step`].
    pub steps: BTreeMap<String, Seen>,
    /// The newest scan of all.
    #[serde(deserialize_with = "Option::deserialize")]
    pub last: Option<Last>,
    /// How the scans went by day.
    pub trend: Trend,
}

/// A variant of a target, with its newest scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a VariantName,
    /// Its newest scan, complete or not.
    pub newest: &'a Seen,
    /// Whether that scan is complete.
    pub complete: bool,
    /// Of its newest scans, one of each series, the one with the worst verdict: what the variant stands at. A variant that
    /// one scanner fails does not pass because another came after it.
    pub deciding: &'a Seen,
}

/// Names a series of a variant's scans.
fn step(series: Option<Short>, variant: &VariantName) -> String {
    let series = series.map(|series| series.to_hex()).unwrap_or_default();
    format!("{series} {variant}")
}

impl ScanLog {
    /// The newest in one of the log's lists whose variant passes the test.
    pub fn newest<'a>(
        &self,
        list: &'a BTreeMap<VariantName, Seen>,
        test: impl Fn(&VariantName) -> bool,
    ) -> Option<(&'a VariantName, &'a Seen)> {
        list.iter().filter(|(name, _)| test(name)).max_by_key(|(_, seen)| seen.n)
    }

    /// All variants, the most recently scanned first.
    pub fn variants(&self) -> Vec<Variant<'_>> {
        let newer = |map: &BTreeMap<VariantName, Seen>, name: &VariantName, n: u64| {
            map.get(name).is_some_and(|other| n < other.n)
        };
        let variants = |list, others, complete| {
            let list: &BTreeMap<VariantName, Seen> = list;
            let of_list = list.iter().filter(move |(name, seen)| !newer(others, name, seen.n));
            of_list.map(move |(name, newest)| (name, newest, complete))
        };
        let mut deciding: BTreeMap<&str, &Seen> = BTreeMap::new();
        for (step, seen) in &self.steps {
            let variant = step.split_once(' ').map_or("", |(_, variant)| variant);
            let weight = |seen: &Seen| (crate::execution::weight(seen.verdict), seen.n);
            let held = deciding.entry(variant).or_insert(seen);
            if weight(held) < weight(seen) {
                *held = seen;
            }
        }
        let mut all: Vec<_> = variants(&self.complete, &self.incomplete, true)
            .chain(variants(&self.incomplete, &self.complete, false))
            .map(|(name, newest, complete)| Variant {
                name,
                newest,
                complete,
                deciding: deciding.get(name.as_str()).copied().unwrap_or(newest),
            })
            .collect();
        all.sort_by_key(|variant| std::cmp::Reverse(variant.newest.n));
        all
    }
}

impl Fold for ScanLog {
    type Event = ScanEvent;
    const ORDERED: bool = false;

    fn apply(&mut self, n: u64, entry: &Entry<ScanEvent>) -> Result<(), Refusal> {
        let event = &entry.event;
        let list = if event.complete { &mut self.complete } else { &mut self.incomplete };
        let seen = Seen { n, at: entry.at, scan: event.scan, series: event.series, verdict: event.outcome.verdict };
        if self.last.as_ref().is_none_or(|last| last.seen.n < n) {
            let (variant, scanner) = (event.variant.clone(), event.scanner.clone());
            self.last = Some(Last { variant, scanner, seen: seen.clone() });
        }
        keep(&mut self.steps, step(event.series, &event.variant), Seen { series: None, ..seen.clone() });
        keep(list, event.variant.clone(), seen);
        self.trend.take(n, event);
        Ok(())
    }
}

/// Keeps the newest scan of each, and of those the newest [`VARIANTS_KNOWN_MAX`]: the same in whatever order they come.
fn keep<K: Ord + Clone>(list: &mut BTreeMap<K, Seen>, of: K, seen: Seen) {
    match list.get_mut(&of) {
        Some(known) if known.n < seen.n => *known = seen,
        Some(_) => {}
        None => {
            list.insert(of, seen);
        }
    }
    if VARIANTS_KNOWN_MAX < list.len() {
        let oldest = list.iter().min_by_key(|(_, seen)| seen.n).map(|(of, _)| of.clone());
        oldest.and_then(|oldest| list.remove(&oldest));
    }
}

/// What the report itself said, beside the record of its scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedReport {
    /// The counts.
    pub summary: ReportSummary,
    /// The scanner's version, where the report tells it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scanner_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::project::tests::entry;
    use crate::trend::tests::recorded;
    use proptest::prelude::*;

    fn scan(n: u8) -> ScanId {
        ScanId::from_bits([n; 16])
    }

    #[test]
    fn the_rule_of_comparison() {
        let (main, branch): (VariantName, VariantName) = ("main".parse().unwrap(), "branch".parse().unwrap());
        let meant = Meant::Variant(main.clone(), None);
        let complete = OfBaseline::Complete(scan(1));
        let not_scanned = |variant| Reference::BaselineNotScannedByThisScanner { variant };
        let previous = |variant: &VariantName| Reference::Previous { variant: variant.clone(), scan: scan(2) };
        let cases = [
            (&branch, &meant, complete, Some(scan(2)), Reference::Baseline { variant: main.clone(), scan: scan(1) }),
            (&branch, &meant, OfBaseline::None, Some(scan(2)), not_scanned(Some(main.clone()))),
            (
                &branch,
                &meant,
                OfBaseline::Incomplete,
                Some(scan(2)),
                Reference::BaselineIncomplete { variant: main.clone() },
            ),
            (&branch, &Meant::NothingScanned, OfBaseline::None, Some(scan(2)), not_scanned(None)),
            (&main, &meant, complete, Some(scan(2)), previous(&main)),
            (&branch, &Meant::None, OfBaseline::None, Some(scan(2)), previous(&branch)),
            (&main, &meant, OfBaseline::Incomplete, None, Reference::None),
            (&branch, &Meant::None, OfBaseline::None, None, Reference::None),
        ];
        for (variant, meant, of_baseline, of_variant, expected) in cases {
            assert_eq!(Reference::choose(variant, meant, of_baseline, of_variant), expected);
        }
    }

    #[test]
    fn references_of_before_are_still_read() {
        let old = r#"{"with":"baseline_not_scanned_by_this_scanner","variant":"main"}"#;
        let read: Reference = serde_json::from_str(old).unwrap();
        assert_eq!(read, Reference::BaselineNotScannedByThisScanner { variant: Some("main".parse().unwrap()) });
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }

    #[test]
    fn requests_of_before_are_still_read_and_written_the_same() {
        let old = r#"{"project":"shop","target":"web","target_type":"repository","variant":"main","scanner":"bandit","fail_on_severity":"High"}"#;
        let read: ScanRequest = serde_json::from_str(old).unwrap();
        assert_eq!((read.fail_on_new.level(), read.fail_on_new_occurrences.level()), (None, None));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let typed = ScanRequest { fail_on_new: "NONE".parse().unwrap(), ..read };
        let stored = serde_json::to_string(&typed).unwrap();
        assert_eq!(serde_json::from_str::<ScanRequest>(&stored).unwrap(), typed, "a retry must find its own words");
    }

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
    fn the_stored_events_are_pinned() {
        let event = ScanEvent {
            complete: false,
            series: Some(series(&"codeql".parse().unwrap(), &["python".to_owned()])),
            ..recorded(1, 2, "codeql", Verdict::Undecided)
        };
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<ScanEvent>(&stored).unwrap(), event);
        insta::assert_snapshot!(stored, @r#"{"scan":"1dede82649db2478f28c4781208921de","variant":"main","scanner":"codeql","complete":false,"series":"d0cc922b15f73fabfa2634374b927576","outcome":{"received":172800001,"verdict":"undecided","open":{"critical":0,"high":1,"medium":0,"low":0,"info":0,"unassigned":0},"new":1,"remediated":2,"exempted":3,"baseline":true}}"#);
    }

    #[test]
    fn the_stored_fold_is_pinned() {
        let log = fold([(1, recorded(1, 2, "bandit", Verdict::Pass)), (2, recorded(2, 3, "bandit", Verdict::Fail))]);
        let stored = serde_json::to_string(&log).unwrap();
        assert_eq!(serde_json::from_str::<ScanLog>(&stored).unwrap(), log);
        insta::assert_snapshot!(stored, @r#"{"complete":{"main":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","series":"e448f6a04e967765bd4cef0b472e3a6d","verdict":"fail"}},"incomplete":{},"steps":{"e448f6a04e967765bd4cef0b472e3a6d main":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","verdict":"fail"}},"last":{"variant":"main","scanner":"bandit","seen":{"n":2,"at":1000,"scan":"212535da3ec5858151fcc70410c088f6","series":"e448f6a04e967765bd4cef0b472e3a6d","verdict":"fail"}},"trend":{"days":{"2":[1,2,1,0,0],"3":[1,2,1,1,0]},"series":{"e448f6a04e967765bd4cef0b472e3a6d":{"2":[1,[0,1,0,0,0,0]],"3":[2,[0,2,0,0,0,0]]}},"more_series":false,"counted":{"1":"1dede82649db2478f28c4781208921de","2":"212535da3ec5858151fcc70410c088f6"}}}"#);
    }

    #[test]
    fn a_snapshot_without_variants_is_no_snapshot() {
        assert!(serde_json::from_str::<ScanLog>("{}").is_err());
    }

    #[test]
    fn variants_are_listed_once_with_their_newest_scan() {
        let scans = [("a", true), ("b", true), ("a", false), ("c", false), ("b", false), ("b", true)];
        let log = fold((1..).zip(scans).map(|(n, (variant, complete))| (n, event(variant, complete, n))));
        let listed: Vec<_> = log.variants().iter().map(|v| (v.name.to_string(), v.newest.n, v.complete)).collect();
        assert_eq!(listed, [("b".to_owned(), 6, true), ("c".to_owned(), 4, false), ("a".to_owned(), 3, false)]);
        assert_eq!(log.newest(&log.complete, |name| name.as_str() != "b").map(|(_, seen)| seen.n), Some(1));
    }

    #[test]
    fn a_variant_that_one_scanner_fails_does_not_pass_because_another_came_after_it() {
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
    fn the_most_variants_are_kept_and_the_oldest_is_forgotten_for_one_more() {
        let most = u64::try_from(VARIANTS_KNOWN_MAX).unwrap();
        let events = |count: u64| (1..=count).map(|n| (n, event(&format!("v{n}"), true, n)));
        let kept = |log: &ScanLog, name: &str| log.complete.contains_key(&name.parse::<VariantName>().unwrap());
        let log = fold(events(most));
        assert!(log.complete.len() == VARIANTS_KNOWN_MAX && kept(&log, "v1"));
        let log = fold(events(most + 1));
        assert!(log.complete.len() == VARIANTS_KNOWN_MAX && !kept(&log, "v1") && kept(&log, "v2"));
    }

    #[test]
    fn what_is_forgotten_does_not_depend_on_the_order_either() {
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

    fn record() -> serde_json::Value {
        serde_json::json!({
            "v": 1, "id": "01".repeat(16),
            "request": {
                "project": "shop", "target": "web", "target_type": "repository", "variant": "main", "scanner": "auto",
                "fail_on_severity": "high"
            },
            "tool": "bandit", "format": "bandit", "by": {"subject": "ci", "role": "developer"}, "received": 5,
            "report_sha256": "ab", "report_bytes": 7, "settings": {}, "reference": {"with": "none"}
        })
    }

    #[test]
    fn a_scan_from_before_versions_were_recorded_has_the_first() {
        let read: ScanRecord = serde_json::from_value(record()).unwrap();
        assert_eq!((read.versions, read.replay_of, &read.replayed), (Versions::default(), None, &None));
        assert_eq!(read.identity_scan(), read.id);
        let mut stored = record();
        stored["versions"] = serde_json::json!({"parsers": 1, "matcher": 1});
        stored["settings"] = serde_json::to_value(&read.settings).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), stored, "and nothing else is new in its stored form");
    }

    #[test]
    fn a_replay_gives_identities_as_its_original_does() {
        let mut stored = record();
        stored["replay_of"] = "02".repeat(16).into();
        let replay: ScanRecord = serde_json::from_value(stored).unwrap();
        assert_eq!(replay.identity_scan(), ScanId::from_bits([2; 16]));
    }
}
