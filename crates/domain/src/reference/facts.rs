//! The choice of a scan's reference scan, from facts that were read from the store before.

use crate::baseline::{ChosenBaseline, PatternError};
use crate::ids::ScanId;
use crate::parts::{DroppedParts, KnownParts, MISSING_LISTED_MAX};
use crate::reference::Reference;
use crate::reference::choose::{BaselineScan, OwnScans, ResolvedBaseline};
use crate::report_age::NewerReport;
use crate::scan::ScanRequest;
use crate::series::Series;

/// The series that a report belongs to, and the parts that the report lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSeries {
    /// The series.
    pub series: Series,
    /// The parts that an earlier report of the series had and this one lacks.
    pub lacking: Vec<String>,
    /// The parts that the series lacks since a reviewer accepted it.
    pub dropped: Option<DroppedParts>,
}

impl ReportSeries {
    /// Finds the series of a report by its parts. A report that lacks parts of an earlier report belongs to the series
    /// of that report. Any other report belongs to `own`, the series of its tool and categories.
    pub fn find(own: &Series, parts: &[String], known: Option<&KnownParts>) -> Self {
        match known.and_then(|known| known.missing_parts(parts)) {
            Some(lacking) => {
                let series = Series { tool: lacking.of.tool.clone(), categories: lacking.of.categories.clone() };
                let lacking = lacking.parts.into_iter().map(str::to_owned).collect();
                Self { series, lacking, dropped: None }
            }
            None => {
                let dropped = known.and_then(|known| known.dropped(parts));
                Self { series: own.clone(), lacking: Vec::new(), dropped }
            }
        }
    }
}

/// The newest complete scan of the variant itself, of the same series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousScan {
    /// The scan.
    pub scan: ScanId,
    /// The parts of its report; not needed if the new report has no parts, or lacks some of a known report.
    pub parts: Vec<String>,
}

/// The facts that decide with which scan a new scan is compared.
#[derive(Debug, Clone)]
pub struct ReferenceFacts<'a> {
    /// The parameters of the new scan.
    pub request: &'a ScanRequest,
    /// The parts of its report.
    pub parts: &'a [String],
    /// The series of the report, and the parts that it lacks.
    pub found: ReportSeries,
    /// True if a reviewer accepted that the parts which the report lacks are no longer scanned. Needed only if it lacks
    /// some.
    pub missing_accepted: bool,
    /// The baseline of the target.
    pub chosen: &'a ChosenBaseline,
    /// The variant that this baseline resolves to.
    pub resolved: &'a ResolvedBaseline,
    /// The scans of that variant, of the same series.
    pub of_baseline: BaselineScan,
    /// The variant's own previous scan.
    pub previous: Option<PreviousScan>,
    /// The variant's own newest accepted scan. Needed only if the scan is not compared with another variant.
    pub accepted: Option<ScanId>,
    /// The variant's own previous scan, if it had the same report for another commit.
    pub same_report: Option<ScanId>,
    /// The newest accepted scan of the series, if its report was made after this one.
    pub older_than: Option<NewerReport>,
}

/// The result of the choice. It is frozen into the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceChoice {
    /// The reference scan, or the reason why there is none.
    pub reference: Reference,
    /// The variant's own previous scan, if it is not the reference scan.
    pub lineage: Option<ScanId>,
    /// The parts that the report lacks, at most [`MISSING_LISTED_MAX`] of them.
    pub missing: Vec<String>,
    /// The parts that the report lacks and that a reviewer accepted as no longer scanned.
    pub dropped: Option<DroppedParts>,
    /// True if the scan is one of the target's baseline, or the target has no baseline.
    pub baseline: bool,
    /// The variant's own previous scan, if it had the same report for another commit.
    pub same_report: Option<ScanId>,
    /// The newest accepted scan of the series, if its report was made after this one.
    pub older_than: Option<NewerReport>,
    /// True if the variant has no previous scan of this series.
    pub begins_series: bool,
}

impl ReferenceFacts<'_> {
    /// Chooses the reference scan.
    ///
    /// # Errors
    /// The stored pattern of the baseline is not valid.
    pub fn choose(self) -> Result<ReferenceChoice, PatternError> {
        let (missing, dropped) = self.missing_and_dropped();
        let previous = self.previous.map(|previous| previous.scan);
        let own = OwnScans { previous, accepted: self.accepted };
        let reference = Reference::choose(&self.request.variant, self.resolved, self.of_baseline, own);
        let baseline = self.chosen.includes(&self.request.variant, &reference)?;
        let lineage = previous.filter(|previous| reference.scan() != Some(*previous));
        let Self { same_report, older_than, .. } = self;
        let begins_series = previous.is_none();
        Ok(ReferenceChoice { reference, lineage, missing, dropped, baseline, same_report, older_than, begins_series })
    }

    /// Returns the parts that the report lacks: those of a known report that includes it, or else those that the
    /// previous scan's report had, even if the report has others instead.
    pub fn lacking(&self) -> Vec<&String> {
        if self.parts.is_empty() {
            return Vec::new();
        }
        if !self.found.lacking.is_empty() {
            return self.found.lacking.iter().collect();
        }
        let before = self.previous.iter().flat_map(|previous| &previous.parts);
        before.filter(|part| !self.parts.contains(part)).collect()
    }

    /// Divides what the report lacks: it is missing, unless the uploader or a reviewer accepted it.
    fn missing_and_dropped(&self) -> (Vec<String>, Option<DroppedParts>) {
        let lacking: Vec<_> = self.lacking().into_iter().take(MISSING_LISTED_MAX).cloned().collect();
        if lacking.is_empty() {
            return (lacking, self.found.dropped.clone());
        }
        // The reference scan is the same: the results of the missing parts are remediated.
        if self.request.accept_missing || self.missing_accepted {
            let of = self.found.series.tool.clone();
            return (Vec::new(), Some(DroppedParts { parts: lacking, of, before: false }));
        }
        (lacking, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::{Baseline, BaselineSource};
    use crate::ids::VariantName;
    use crate::parts::PartSet;
    use crate::scan_log::NewestScan;
    use crate::time::Timestamp;
    use crate::verdict::Verdict;

    fn name(text: &str) -> VariantName {
        text.parse().unwrap()
    }

    fn scan(n: u8) -> ScanId {
        ScanId::from_bits([n; 16])
    }

    fn owned(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    fn series_of(tool: &str) -> Series {
        Series { tool: tool.parse().unwrap(), categories: Vec::new() }
    }

    fn known(tool: &str, parts: &[&str]) -> KnownParts {
        let set =
            PartSet { parts: owned(parts), tool: tool.parse().unwrap(), categories: owned(&["ci"]), dropped: None };
        KnownParts::default().with(set)
    }

    #[test]
    fn a_report_that_lacks_parts_of_a_known_one_belongs_to_its_series() {
        let (own, known) = (series_of("codeql"), known("sarif", &["go", "js"]));
        let find = |parts: &[&str], known| ReportSeries::find(&own, &owned(parts), known);
        let found = find(&["go"], Some(&known));
        assert_eq!(found.series, Series { tool: "sarif".parse().unwrap(), categories: owned(&["ci"]) });
        assert_eq!(found.lacking, ["js"]);
        let alone = ReportSeries { series: own.clone(), lacking: Vec::new(), dropped: None };
        assert_eq!(find(&["go", "js"], Some(&known)), alone, "it has all parts");
        assert_eq!(find(&["go", "rust"], Some(&known)), alone, "no known report has both");
        assert_eq!(find(&[], Some(&known)), alone, "it has no parts");
        assert_eq!(find(&["go"], None), alone, "no report is known");
    }

    #[test]
    fn the_list_of_missing_parts_is_limited_and_what_is_lacking_is_not() {
        let many: Vec<String> = (0..MISSING_LISTED_MAX + 2).map(|n| format!("part {n}")).collect();
        let all: Vec<&str> = many.iter().map(String::as_str).collect();
        let found = ReportSeries::find(&series_of("codeql"), &many[..1], Some(&known("codeql", &all)));
        assert_eq!(found.lacking.len(), MISSING_LISTED_MAX + 1);
        assert_eq!(choose("main", |facts, _| facts.found = found).missing.len(), MISSING_LISTED_MAX);
    }

    #[test]
    fn known_reports_by_several_tools_are_joined_with_those_by_the_tool_itself() {
        let (of_tool, of_several) = (known("codeql", &["go", "js"]), known("sarif", &["go", "trivy"]));
        let joined = KnownParts::joined(Some(of_tool.clone()), Some(of_several.clone())).unwrap();
        let lacking = |parts: &[&str]| joined.missing_parts(&owned(parts)).map(|lacking| lacking.of.tool.to_string());
        assert_eq!(lacking(&["go"]).as_deref(), Some("codeql"), "the tool's own reports come first");
        assert_eq!(lacking(&["trivy"]).as_deref(), Some("sarif"));
        assert_eq!(KnownParts::joined(Some(of_tool.clone()), None), Some(of_tool.clone()));
        assert_eq!(KnownParts::joined(None, Some(of_several.clone())), Some(of_several));
        assert_eq!(KnownParts::joined(None, None), None);
        assert!(of_tool.decides(&owned(&["go", "js"])) && of_tool.decides(&owned(&["go"])));
        assert!(!of_tool.decides(&owned(&["trivy"])) && !of_tool.decides(&[]));
    }

    #[test]
    fn a_baseline_gives_another_variant_and_its_newest_scan_of_the_series_if_any() {
        let newest = |series| NewestScan {
            n: 1,
            at: Timestamp::from_ms(0),
            scan: scan(1),
            series,
            verdict: Verdict::Pass,
            no_threshold: false,
        };
        let (own, other) = (series_of("bandit"), series_of("trivy"));
        let resolved = ResolvedBaseline::Variant(name("main"), Some(newest(Some(own.id()))));
        assert_eq!(resolved.other_than(&name("work")), Some(&name("main")));
        assert_eq!(resolved.other_than(&name("main")), None);
        assert_eq!(resolved.newest_of(&own), Some(scan(1)));
        assert_eq!(resolved.newest_of(&other), None, "another tool's scan");
        assert_eq!(
            ResolvedBaseline::Variant(name("main"), Some(newest(None))).newest_of(&own),
            None,
            "its series is unknown"
        );
        assert_eq!(ResolvedBaseline::Variant(name("main"), None).newest_of(&own), None);
        for nothing in [ResolvedBaseline::None, ResolvedBaseline::NothingScanned] {
            assert_eq!((nothing.other_than(&name("work")), nothing.newest_of(&own)), (None, None));
        }
    }

    fn request(variant: &str) -> ScanRequest {
        serde_json::from_value(serde_json::json!({
            "project": "shop", "target": "web", "target_type": "repository", "variant": variant, "scanner": "auto",
            "fail_on_severity": "none"
        }))
        .unwrap()
    }

    /// Chooses for a scan of `variant` with the parts `a` and `b`, whose baseline is the variant `main`.
    fn choose(variant: &str, change: impl FnOnce(&mut ReferenceFacts<'_>, &mut ScanRequest)) -> ReferenceChoice {
        let (request, parts) = (request(variant), owned(&["a", "b"]));
        let chosen = ChosenBaseline { baseline: Some(Baseline::Variant(name("main"))), origin: BaselineSource::Target };
        let resolved = ResolvedBaseline::Variant(name("main"), None);
        let mut facts = ReferenceFacts {
            request: &request,
            parts: &parts,
            found: ReportSeries { series: series_of("codeql"), lacking: Vec::new(), dropped: None },
            missing_accepted: false,
            chosen: &chosen,
            resolved: &resolved,
            of_baseline: BaselineScan::Complete(scan(1)),
            previous: Some(PreviousScan { scan: scan(2), parts: parts.clone() }),
            accepted: Some(scan(2)),
            same_report: None,
            older_than: None,
        };
        let mut changed = request.clone();
        change(&mut facts, &mut changed);
        ReferenceFacts { request: &changed, ..facts }.choose().unwrap()
    }

    #[test]
    fn a_branch_is_compared_with_the_baseline_and_keeps_its_previous_scan_as_lineage() {
        let choice = choose("work", |_, _| {});
        assert_eq!(choice.reference, Reference::Baseline { variant: name("main"), scan: scan(1) });
        assert_eq!((choice.lineage, choice.baseline), (Some(scan(2)), false));
        let first = choose("work", |facts, _| facts.previous = None);
        assert_eq!((first.reference.scan(), first.lineage), (Some(scan(1)), None));
        let unscanned = choose("work", |facts, _| facts.of_baseline = BaselineScan::None);
        assert_eq!((unscanned.reference.scan(), unscanned.lineage), (None, Some(scan(2))));
    }

    #[test]
    fn the_baseline_itself_is_compared_with_its_previous_scan_and_has_no_other_lineage() {
        let choice = choose("main", |_, _| {});
        assert_eq!(choice.reference, Reference::Previous { variant: name("main"), scan: scan(2) });
        assert_eq!((choice.lineage, choice.baseline), (None, true));
        let first = choose("main", |facts, _| (facts.previous, facts.accepted) = (None, None));
        assert_eq!((first.reference, first.lineage, first.baseline), (Reference::None, None, true));
    }

    #[test]
    fn a_scan_that_was_not_accepted_is_lineage_and_not_the_reference() {
        let failed = choose("main", |facts, _| facts.accepted = Some(scan(1)));
        assert_eq!(failed.reference, Reference::Accepted { variant: name("main"), scan: scan(1) });
        assert_eq!((failed.lineage, failed.baseline), (Some(scan(2)), true));
        let never = choose("main", |facts, _| facts.accepted = None);
        assert_eq!((never.reference, never.lineage), (Reference::None, Some(scan(2))), "everything is new");
        let branch = choose("work", |facts, _| facts.accepted = None);
        assert_eq!(branch.reference, Reference::Baseline { variant: name("main"), scan: scan(1) });
    }

    #[test]
    fn parts_of_a_known_or_the_previous_report_are_missing_unless_accepted() {
        let before = |parts: &[&str]| Some(PreviousScan { scan: scan(2), parts: owned(parts) });
        assert!(choose("main", |_, _| {}).missing.is_empty(), "the previous report had the same parts");
        assert_eq!(choose("main", |facts, _| facts.found.lacking = owned(&["c"])).missing, ["c"]);
        assert_eq!(choose("main", |facts, _| facts.previous = before(&["a", "d"])).missing, ["d"]);
        let both = choose("main", |facts, _| {
            (facts.found.lacking, facts.previous) = (owned(&["c"]), before(&["d"]));
        });
        assert_eq!(both.missing, ["c"], "the known report decides");
        let accepted = choose("main", |facts, request| {
            (facts.found.lacking, request.accept_missing) = (owned(&["c"]), true);
        });
        assert!(accepted.missing.is_empty());
        assert_eq!(accepted.reference.scan(), Some(scan(2)), "and the reference scan is the same");
        let dropped = DroppedParts { parts: owned(&["c"]), of: "codeql".parse().unwrap(), before: false };
        assert_eq!(accepted.dropped, Some(dropped.clone()));
        let by_reviewer = choose("main", |facts, _| {
            (facts.found.lacking, facts.missing_accepted) = (owned(&["c"]), true);
        });
        assert_eq!(by_reviewer, accepted, "a reviewer's decision is the same");
        let later = choose("main", |facts, _| facts.found.dropped = Some(dropped.clone()));
        assert_eq!((later.missing.as_slice(), later.dropped.as_ref()), ([].as_slice(), Some(&dropped)));
        let fourth = choose("main", |facts, _| {
            (facts.found.dropped, facts.previous) = (Some(dropped.clone()), before(&["a", "b", "d"]));
        });
        assert_eq!((fourth.missing, fourth.dropped), (owned(&["d"]), None), "another part vanished");
        let without_parts = choose("main", |facts, _| {
            (facts.parts, facts.previous) = (&[], before(&["d"]));
        });
        assert!(without_parts.missing.is_empty());
    }
}
