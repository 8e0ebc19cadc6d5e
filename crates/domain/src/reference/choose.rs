//! The choice of the reference scan: the variant that a baseline resolves to, and its newest complete scan.

use super::Reference;
use crate::baseline::{Baseline, BaselineSource, ChosenBaseline, PatternError};
use crate::ids::{ScanId, VariantName};
use crate::scan_log::{NewestScan, ScanLog};
use crate::series::Series;

/// The variant that a baseline resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedBaseline {
    /// There is no baseline.
    None,
    /// This variant. The scan is its newest complete one by any scanner, if that was used to find the variant.
    Variant(VariantName, Option<NewestScan>),
    /// The target has a baseline, but no variant that it could resolve to was ever scanned.
    NothingScanned,
    /// The target has a baseline that matches none of the variants that are known, but others were forgotten.
    Unknown,
}

impl ResolvedBaseline {
    /// The variant that the baseline resolves to, if it is another one than `variant`.
    pub fn other_than(&self, variant: &VariantName) -> Option<&VariantName> {
        match self {
            Self::Variant(baseline, _) => Some(baseline).filter(|baseline| *baseline != variant),
            Self::None | Self::NothingScanned | Self::Unknown => None,
        }
    }

    /// The scan that decided to which variant the baseline resolves, if it is of this series.
    pub fn newest_of(&self, series: &Series) -> Option<ScanId> {
        match self {
            Self::Variant(_, newest) => {
                newest.as_ref().filter(|newest| newest.series == Some(series.id())).map(|newest| newest.scan)
            }
            Self::None | Self::NothingScanned | Self::Unknown => None,
        }
    }
}

/// The variant that is being scanned.
#[derive(Debug, Clone, Copy)]
pub struct ScannedVariant<'a> {
    /// Its name.
    pub variant: &'a VariantName,
    /// True if it has a complete scan by this scanner.
    pub before: bool,
}

impl ChosenBaseline {
    /// Resolves the baseline by the recorded scans of trusted tokens. `scanned` is absent if nothing is being scanned.
    /// Only a pattern needs the log.
    /// A variant that only other scanners have scanned is not its own baseline: the second scanner of a new release
    /// compares the release, like the first, with the release before.
    ///
    /// # Errors
    /// A stored pattern is invalid.
    pub fn resolve(
        &self,
        scanned: Option<ScannedVariant<'_>>,
        log: &ScanLog,
    ) -> Result<ResolvedBaseline, PatternError> {
        let pattern = match &self.baseline {
            None => return Ok(ResolvedBaseline::None),
            Some(Baseline::Variant(variant)) => return Ok(ResolvedBaseline::Variant(variant.clone(), None)),
            Some(Baseline::Regex(pattern)) => pattern.matcher()?,
        };
        let default = log.default_branch().filter(|_| self.origin == BaselineSource::BuiltIn);
        if let Some(branch) = default.filter(|branch| pattern.matches(branch)) {
            let seen = log.newest_trusted(|name| name == branch).map(|(_, seen)| seen.clone());
            return Ok(ResolvedBaseline::Variant(branch.clone(), seen));
        }
        let first = scanned.filter(|scanned| !scanned.before).map(|scanned| scanned.variant);
        if let Some((variant, seen)) = log.newest_trusted(|name| first != Some(name) && pattern.matches(name)) {
            return Ok(ResolvedBaseline::Variant(variant.clone(), Some(seen.clone())));
        }
        if let Some(scanned) = scanned.filter(|scanned| pattern.matches(scanned.variant)) {
            return Ok(ResolvedBaseline::Variant(scanned.variant.clone(), None));
        }
        if log.forgotten {
            return Ok(ResolvedBaseline::Unknown);
        }
        // A variant that cannot be compared with is named, with the reason.
        let matches = |name: &VariantName| pattern.matches(name);
        let named = log.newest_complete(matches).or_else(|| log.newest_incomplete(matches));
        Ok(named
            .map_or(ResolvedBaseline::NothingScanned, |(variant, _)| ResolvedBaseline::Variant(variant.clone(), None)))
    }
}

/// The newest scan of a baseline by one scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineScan {
    /// The newest complete scan by a trusted token.
    Complete(ScanId),
    /// There are complete scans by untrusted tokens only.
    Untrusted,
    /// There are incomplete scans only.
    Incomplete,
    /// There are none.
    None,
}

impl Reference {
    /// Chooses the reference of a scan of `variant`: the newest complete scan of the baseline, or, for the baseline
    /// itself and for targets without one, the variant's own newest accepted scan. A baseline's scan counts whether it
    /// was accepted or not: a branch did not bring in what the baseline has.
    pub fn choose(variant: &VariantName, meant: &ResolvedBaseline, of_baseline: BaselineScan, own: OwnScans) -> Self {
        match meant {
            ResolvedBaseline::Variant(baseline, _) if baseline != variant => match of_baseline {
                BaselineScan::Complete(scan) => Self::Baseline { variant: baseline.clone(), scan },
                BaselineScan::Untrusted => Self::BaselineUntrusted { variant: baseline.clone() },
                BaselineScan::Incomplete => Self::BaselineIncomplete { variant: baseline.clone() },
                BaselineScan::None => Self::BaselineNotScannedByThisScanner { variant: Some(baseline.clone()) },
            },
            ResolvedBaseline::NothingScanned => Self::BaselineNotScannedByThisScanner { variant: None },
            ResolvedBaseline::Unknown => Self::BaselineUnknown,
            ResolvedBaseline::Variant(..) | ResolvedBaseline::None => match own.accepted {
                Some(scan) if own.previous == Some(scan) => Self::Previous { variant: variant.clone(), scan },
                Some(scan) => Self::Accepted { variant: variant.clone(), scan },
                None => Self::None,
            },
        }
    }
}

/// The variant's own earlier complete scans of the same series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnScans {
    /// The newest one.
    pub previous: Option<ScanId>,
    /// The newest accepted one.
    pub accepted: Option<ScanId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::verdict::Verdict;

    fn scan(n: u8) -> ScanId {
        ScanId::from_bits([n; 16])
    }

    #[test]
    fn each_state_of_a_comparison_follows_from_its_facts() {
        let (main, branch): (VariantName, VariantName) = ("main".parse().unwrap(), "branch".parse().unwrap());
        let meant = ResolvedBaseline::Variant(main.clone(), None);
        let complete = BaselineScan::Complete(scan(1));
        let not_scanned = |variant| Reference::BaselineNotScannedByThisScanner { variant };
        let previous = |variant: &VariantName| Reference::Previous { variant: variant.clone(), scan: scan(2) };
        let cases = [
            (&branch, &meant, complete, Some(scan(2)), Reference::Baseline { variant: main.clone(), scan: scan(1) }),
            (&branch, &meant, BaselineScan::None, Some(scan(2)), not_scanned(Some(main.clone()))),
            (
                &branch,
                &meant,
                BaselineScan::Incomplete,
                Some(scan(2)),
                Reference::BaselineIncomplete { variant: main.clone() },
            ),
            (
                &branch,
                &meant,
                BaselineScan::Untrusted,
                Some(scan(2)),
                Reference::BaselineUntrusted { variant: main.clone() },
            ),
            (&branch, &ResolvedBaseline::NothingScanned, BaselineScan::None, Some(scan(2)), not_scanned(None)),
            (&main, &meant, complete, Some(scan(2)), previous(&main)),
            (&branch, &ResolvedBaseline::None, BaselineScan::None, Some(scan(2)), previous(&branch)),
            (&main, &meant, BaselineScan::Incomplete, None, Reference::None),
            (&branch, &ResolvedBaseline::None, BaselineScan::None, None, Reference::None),
        ];
        for (variant, meant, of_baseline, of_variant, expected) in cases {
            let own = OwnScans { previous: of_variant, accepted: of_variant };
            assert_eq!(Reference::choose(variant, meant, of_baseline, own), expected);
        }
    }

    fn name(text: &str) -> VariantName {
        text.parse().unwrap()
    }

    fn regex(text: &str) -> Baseline {
        Baseline::Regex(text.parse().unwrap())
    }

    fn seen(n: u64) -> NewestScan {
        NewestScan {
            n,
            at: Timestamp::from_ms(0),
            scan: ScanId::from_bits([1; 16]),
            series: None,
            verdict: Verdict::Pass,
            no_threshold: false,
        }
    }

    fn log(complete: &[&str], incomplete: &[&str]) -> ScanLog {
        let map = |names: &[&str]| (1..).zip(names).map(|(n, variant)| (name(variant), seen(n))).collect();
        ScanLog { complete: map(complete), incomplete: map(incomplete), ..ScanLog::default() }
    }

    #[test]
    fn a_pattern_resolves_to_scans_by_trusted_tokens_only() {
        let pattern = ChosenBaseline { baseline: Some(regex("v.*")), origin: BaselineSource::Target };
        let resolve = |log: &ScanLog| pattern.resolve(None, log).unwrap();
        let planted = ScanLog { untrusted: [(name("v9.9.9"), seen(9))].into(), ..log(&["v1"], &[]) };
        assert_eq!(resolve(&planted), ResolvedBaseline::Variant(name("v1"), Some(seen(1))));
        let alone = ScanLog { complete: std::collections::BTreeMap::new(), ..planted };
        assert_eq!(
            resolve(&alone),
            ResolvedBaseline::Variant(name("v9.9.9"), None),
            "its head says that it is untrusted"
        );
        assert_eq!(resolve(&ScanLog { forgotten: true, ..alone }), ResolvedBaseline::Unknown);
    }

    #[test]
    fn a_baseline_resolves_to_its_variant_or_the_last_match() {
        let releases = log(&["main", "v2.2.0", "v2.3.0", "feature"], &["v2.4.0"]);
        let of = |variant: &str, n: u64| ResolvedBaseline::Variant(name(variant), Some(seen(n)));
        let fixed = |variant: &str| ResolvedBaseline::Variant(name(variant), None);
        let (own, project) = (BaselineSource::Target, BaselineSource::Project);
        let cases = [
            ("no baseline", None, own, ("x", false), ResolvedBaseline::None),
            ("fixed", Some(Baseline::Variant(name("main"))), own, ("x", false), fixed("main")),
            ("fixed, never scanned", Some(Baseline::Variant(name("gone"))), own, ("x", false), fixed("gone")),
            ("fixed default", Some(Baseline::Variant(name("v2.4.0"))), project, ("x", false), fixed("v2.4.0")),
            (
                "fixed default, never scanned",
                Some(Baseline::Variant(name("gone"))),
                project,
                ("x", false),
                fixed("gone"),
            ),
            ("fixed default, itself", Some(Baseline::Variant(name("gone"))), project, ("gone", false), fixed("gone")),
            ("the newest that matches", Some(regex(r"v\d.*")), own, ("x", false), of("v2.3.0", 3)),
            ("a new release", Some(regex(r"v\d.*")), own, ("v2.5.0", false), of("v2.3.0", 3)),
            ("the newest again", Some(regex(r"v\d.*")), own, ("v2.3.0", true), of("v2.3.0", 3)),
            ("the newest by a second scanner", Some(regex(r"v\d.*")), own, ("v2.3.0", false), of("v2.2.0", 2)),
            ("an old one again", Some(regex(r"v\d.*")), own, ("v2.2.0", true), of("v2.3.0", 3)),
            ("only incomplete", Some(regex(r"v2\.4.*")), own, ("x", false), fixed("v2.4.0")),
            ("only incomplete, itself", Some(regex(r"v2\.4.*")), own, ("v2.4.0", false), fixed("v2.4.0")),
            ("nothing matches", Some(regex("hotfix.*")), own, ("x", false), ResolvedBaseline::NothingScanned),
            (
                "nothing matches a default",
                Some(regex("hotfix.*")),
                BaselineSource::BuiltIn,
                ("x", false),
                ResolvedBaseline::NothingScanned,
            ),
            ("the first that matches", Some(regex("hotfix.*")), own, ("hotfix-1", false), fixed("hotfix-1")),
        ];
        for (case, baseline, origin, (variant, before), expected) in cases {
            let variant = name(variant);
            let meant = ChosenBaseline { baseline, origin }
                .resolve(Some(ScannedVariant { variant: &variant, before }), &releases);
            assert_eq!(meant, Ok(expected), "{case}");
        }
    }
}
