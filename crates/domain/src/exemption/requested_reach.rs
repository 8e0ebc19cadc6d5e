//! The reach of requests and approvals.

use super::decision::Decision;
use super::effective::ExemptibleOccurrence;
use super::event::SourceScan;
use super::reach::{Reach, Reviewed};
use super::scope::Scope;
use super::state::{Exemption, Exemptions};
use crate::ids::{ExemptionId, OccurrenceId, PipelineName, ScanId};
use crate::limits::EXEMPTED_OCCURRENCES_MAX;
use crate::time::Timestamp;
use finding::severity::{Score, Severity};
use std::collections::BTreeSet;

/// An error of the scope, pipeline or occurrences of a request or a decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// A decision other than an approval has a scope or a pipeline.
    #[error("only an approval can have a scope or a pipeline")]
    NotAnApproval,
    /// An approval is narrower than the request.
    #[error("the exemption was requested at the scope `{0}`; approve it at that scope or a wider one")]
    Narrower(Scope),
    /// The scope for the whole installation is requested.
    #[error(
        "`account` cannot be requested; request `project`, which an account admin can approve at the scope `account`"
    )]
    AccountRequested,
    /// A pipeline is given with another scope.
    #[error("only the scope `pipeline` takes a pipeline")]
    PipelineWithoutScope,
    /// An approval at the requested scope gives a pipeline.
    #[error("the request already names its pipeline; leave this out")]
    PipelineAlreadyRequested,
    /// No pipeline is given, and the scan has none.
    #[error("it is missing, and the scan that has the issue has none")]
    PipelineMissing,
    /// Occurrences are chosen at a scope for the whole issue.
    #[error("only the scope `occurrences` takes single occurrences; every other scope exempts the whole issue")]
    OccurrencesWithoutScope,
    /// No occurrence is chosen, or more than [`EXEMPTED_OCCURRENCES_MAX`].
    #[error("{0} are chosen; choose 1 to {EXEMPTED_OCCURRENCES_MAX}, or exempt the whole issue")]
    OccurrenceCount(usize),
    /// A chosen occurrence is not one of the issue's.
    #[error("the issue has no occurrence {occurrence} in scan {scan}")]
    UnknownOccurrence {
        /// The chosen occurrence.
        occurrence: OccurrenceId,
        /// The scan in which the issue was seen.
        scan: ScanId,
    },
    /// Future occurrences are to be exempted too, but not all present ones are chosen.
    #[error("{others} of the issue's occurrences in scan {scan} are not chosen; choose all to exempt the whole issue")]
    NotAllChosen {
        /// The number of occurrences that are not chosen.
        others: u32,
        /// The scan in which the issue was seen.
        scan: ScanId,
    },
    /// Future occurrences are to be exempted too, but a chosen one has an exemption already.
    #[error("occurrence {occurrence} is already exempted by exemption {exemption}; withdraw that exemption first")]
    AlreadyExempted {
        /// The chosen occurrence.
        occurrence: OccurrenceId,
        /// Its approved exemption.
        exemption: ExemptionId,
    },
}

impl ReachError {
    /// True if the cause is another exemption, and not the request itself.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::AlreadyExempted { .. })
    }

    /// The field of a request or a decision that is wrong.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NotAnApproval | Self::Narrower(_) | Self::AccountRequested => "scope",
            Self::PipelineWithoutScope | Self::PipelineAlreadyRequested | Self::PipelineMissing => "pipeline",
            Self::OccurrencesWithoutScope | Self::OccurrenceCount(_) | Self::UnknownOccurrence { .. } => "occurrences",
            Self::NotAllChosen { .. } | Self::AlreadyExempted { .. } => "future_occurrences",
        }
    }
}

/// The reach of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedReach {
    /// The whole issue.
    Issue(Reach),
    /// Chosen occurrences, which are still to be found in the scan.
    Occurrences(ChosenOccurrences),
}

impl RequestedReach {
    /// Reads the reach of a request for an issue that was seen in `seen`. Without a pipeline, that of the scan counts.
    /// With `future`, all chosen occurrences together mean the whole issue in the target.
    ///
    /// # Errors
    /// The scope cannot be requested, or does not fit the occurrences; or the pipeline is missing.
    pub fn new(
        scope: Scope,
        seen: SourceScan,
        pipeline: Option<PipelineName>,
        occurrences: &[OccurrenceId],
        future: bool,
    ) -> Result<Self, ReachError> {
        if scope != Scope::Occurrences && (future || !occurrences.is_empty()) {
            return Err(ReachError::OccurrencesWithoutScope);
        }
        Ok(Self::Issue(match scope {
            Scope::Occurrences => {
                return ChosenOccurrences::new(seen, occurrences, future).map(Self::Occurrences);
            }
            Scope::Target => Reach::Target { target: seen.target },
            Scope::Pipeline => Reach::Pipeline { pipeline: pipeline_of(pipeline, &seen)? },
            Scope::Project => Reach::Project,
            Scope::Account => return Err(ReachError::AccountRequested),
        }))
    }
}

/// The occurrences that a request chooses, while they are looked up among the issue's occurrences in a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenOccurrences {
    seen: SourceScan,
    /// The whole issue is to be exempted in the target, with its future occurrences.
    future: bool,
    missing: BTreeSet<OccurrenceId>,
    found: Vec<Reviewed>,
    /// The highest score of those found.
    score: Option<Score>,
    /// The number of the issue's occurrences that are not chosen.
    others: u32,
}

impl ChosenOccurrences {
    fn new(seen: SourceScan, chosen: &[OccurrenceId], future: bool) -> Result<Self, ReachError> {
        if !(1..=EXEMPTED_OCCURRENCES_MAX).contains(&chosen.len()) {
            return Err(ReachError::OccurrenceCount(chosen.len()));
        }
        let missing = chosen.iter().copied().collect();
        Ok(Self { seen, future, missing, found: Vec::new(), score: None, others: 0 })
    }

    /// Adds an occurrence of the issue. Each must be added once.
    pub fn add(&mut self, candidate: &ExemptibleOccurrence) {
        if self.missing.remove(&candidate.id) {
            self.found.push(candidate.reviewed());
            self.score = self.score.max(candidate.score);
        } else {
            self.others += 1;
        }
    }

    /// Returns the reach of the request, and the highest severity in it; `issue` is the severity of the whole issue.
    ///
    /// # Errors
    /// A chosen occurrence was not added. Or the whole issue is to be exempted, and not all of its occurrences are
    /// chosen or one of them is exempted already.
    pub fn finish(
        mut self,
        issue: Severity,
        exemptions: &Exemptions,
        now: Timestamp,
    ) -> Result<(Reach, Severity), ReachError> {
        let SourceScan { scan, target, .. } = self.seen;
        if let Some(occurrence) = self.missing.first() {
            return Err(ReachError::UnknownOccurrence { occurrence: *occurrence, scan });
        }
        self.found.sort_unstable();
        if !self.future {
            return Ok((Reach::Occurrences { target, occurrences: self.found }, Severity::of(self.score)));
        }
        if self.others > 0 {
            return Err(ReachError::NotAllChosen { others: self.others, scan });
        }
        match exemptions.find_exempted(&self.found, &target, now) {
            Some((occurrence, exemption)) => Err(ReachError::AlreadyExempted { occurrence, exemption }),
            None => Ok((Reach::Target { target }, issue)),
        }
    }
}

impl Decision {
    /// Checks that only an approval has a scope or a pipeline.
    ///
    /// # Errors
    /// Another decision has one.
    pub fn check_scope(self, scope: Option<Scope>, pipeline: Option<&PipelineName>) -> Result<(), ReachError> {
        if self != Self::Approve && (scope.is_some() || pipeline.is_some()) {
            return Err(ReachError::NotAnApproval);
        }
        Ok(())
    }
}

impl Exemption {
    /// The reach that an approval at this scope grants; `None` if it is the requested reach. Without a scope, the
    /// requested one counts; without a pipeline, that of the scan in which the issue was seen.
    ///
    /// # Errors
    /// The scope is narrower than the requested one, or the pipeline does not fit the scope or is missing.
    pub fn granted_reach(
        &self,
        scope: Option<Scope>,
        pipeline: Option<PipelineName>,
    ) -> Result<Option<Reach>, ReachError> {
        let requested = self.asked.scope();
        let scope = scope.unwrap_or(requested);
        if scope < requested {
            return Err(ReachError::Narrower(requested));
        }
        if pipeline.is_some() && scope != Scope::Pipeline {
            return Err(ReachError::PipelineWithoutScope);
        }
        if scope == requested {
            return if pipeline.is_some() { Err(ReachError::PipelineAlreadyRequested) } else { Ok(None) };
        }
        Ok(match scope {
            Scope::Occurrences => None,
            Scope::Target => Some(Reach::Target { target: self.seen.target.clone() }),
            Scope::Pipeline => Some(Reach::Pipeline { pipeline: pipeline_of(pipeline, &self.seen)? }),
            Scope::Project => Some(Reach::Project),
            Scope::Account => Some(Reach::Account),
        })
    }
}

/// The given pipeline, or that of the scan in which the issue was seen.
fn pipeline_of(given: Option<PipelineName>, seen: &SourceScan) -> Result<PipelineName, ReachError> {
    given.or_else(|| seen.pipeline.clone()).ok_or(ReachError::PipelineMissing)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{exemption, seen};
    use super::*;
    use crate::digest::Short;
    use crate::exemption::{LastDecision, Status};

    fn now() -> Timestamp {
        Timestamp::from_ms(0)
    }

    fn occurrence(n: u8) -> OccurrenceId {
        OccurrenceId::from_bits([n; 16])
    }

    fn candidate(n: u8, score: f64) -> ExemptibleOccurrence {
        ExemptibleOccurrence {
            id: occurrence(n),
            form: Short([n; 16]),
            first_form: Short([n; 16]),
            score: Score::from_f64(score),
            new: true,
            updated: false,
        }
    }

    fn target() -> Reach {
        Reach::Target { target: "web".parse().unwrap() }
    }

    fn pipeline(name: &str) -> Reach {
        Reach::Pipeline { pipeline: name.parse().unwrap() }
    }

    fn chosen(occurrences: &[u8]) -> Reach {
        let occurrences = occurrences.iter().map(|n| Reviewed { id: occurrence(*n), form: Short([*n; 16]) }).collect();
        Reach::Occurrences { target: "web".parse().unwrap(), occurrences }
    }

    fn without_pipeline() -> SourceScan {
        SourceScan { pipeline: None, ..seen() }
    }

    #[test]
    fn a_request_for_the_whole_issue_reaches_as_far_as_its_scope() {
        let reach = |scope, seen, given: Option<&str>| {
            RequestedReach::new(scope, seen, given.map(|name| name.parse().unwrap()), &[], false)
        };
        let whole = |reach| Ok(RequestedReach::Issue(reach));
        assert_eq!(reach(Scope::Target, seen(), None), whole(target()));
        assert_eq!(reach(Scope::Pipeline, seen(), None), whole(pipeline("nightly")), "the scan's");
        assert_eq!(reach(Scope::Pipeline, seen(), Some("pr")), whole(pipeline("pr")), "the given one counts first");
        assert_eq!(reach(Scope::Pipeline, without_pipeline(), None), Err(ReachError::PipelineMissing));
        assert_eq!(reach(Scope::Project, seen(), None), whole(Reach::Project));
        assert_eq!(reach(Scope::Account, seen(), None), Err(ReachError::AccountRequested));
    }

    #[test]
    fn occurrences_are_chosen_in_the_scope_occurrences_only() {
        let reach =
            |scope, occurrences: &[OccurrenceId], future| RequestedReach::new(scope, seen(), None, occurrences, future);
        for scope in [Scope::Target, Scope::Pipeline, Scope::Project] {
            assert_eq!(reach(scope, &[occurrence(1)], false), Err(ReachError::OccurrencesWithoutScope));
            assert_eq!(reach(scope, &[], true), Err(ReachError::OccurrencesWithoutScope));
        }
        let many = |count| vec![occurrence(1); count];
        assert_eq!(reach(Scope::Occurrences, &[], false), Err(ReachError::OccurrenceCount(0)));
        assert!(reach(Scope::Occurrences, &many(EXEMPTED_OCCURRENCES_MAX), false).is_ok());
        let over = EXEMPTED_OCCURRENCES_MAX + 1;
        assert_eq!(reach(Scope::Occurrences, &many(over), false), Err(ReachError::OccurrenceCount(over)));
    }

    /// The reach of a request that chooses these occurrences of an issue that has three.
    fn finished(wanted: &[u8], future: bool, exemptions: &Exemptions) -> Result<(Reach, Severity), ReachError> {
        let wanted: Vec<_> = wanted.iter().map(|n| occurrence(*n)).collect();
        let mut chosen = ChosenOccurrences::new(seen(), &wanted, future)?;
        for (n, score) in [(3, 9.5), (1, 1.0), (2, 7.5)] {
            chosen.add(&candidate(n, score));
        }
        chosen.finish(Severity::Critical, exemptions, now())
    }

    #[test]
    fn chosen_occurrences_are_found_in_the_scan_with_their_highest_severity() {
        let none = Exemptions::default();
        assert_eq!(finished(&[2, 1, 2], false, &none), Ok((chosen(&[1, 2]), Severity::High)));
        let scan = seen().scan;
        let unknown = ReachError::UnknownOccurrence { occurrence: occurrence(7), scan };
        assert_eq!(finished(&[1, 7], false, &none), Err(unknown));
    }

    #[test]
    fn all_occurrences_together_become_the_whole_issue() {
        let none = Exemptions::default();
        assert_eq!(finished(&[1, 2, 3], true, &none), Ok((target(), Severity::Critical)));
        let scan = seen().scan;
        assert_eq!(finished(&[1, 2], true, &none), Err(ReachError::NotAllChosen { others: 1, scan }));
    }

    #[test]
    fn an_occurrence_with_its_own_exemption_is_not_united_into_the_whole_issue() {
        let held = exemption(chosen(&[2]));
        let id = ExemptionId::from_bits([5; 16]);
        let decision = LastDecision {
            status: Status::Approved,
            stamp: held.requested.clone(),
            granted: None,
            own: false,
            judged: None,
        };
        let pending = Exemptions { by_id: [(id, held.clone())].into() };
        assert!(finished(&[1, 2, 3], true, &pending).is_ok(), "a pending one does not count");
        let approved = Exemptions { by_id: [(id, Exemption { decision: Some(decision), ..held })].into() };
        let error = ReachError::AlreadyExempted { occurrence: occurrence(2), exemption: id };
        assert!(error.is_conflict() && !ReachError::PipelineMissing.is_conflict());
        assert_eq!(finished(&[1, 2, 3], true, &approved), Err(error));
        assert!(finished(&[1, 2, 3], false, &approved).is_ok(), "chosen one by one, they may be exempted twice");
    }

    #[test]
    fn an_approval_is_for_the_requested_scope_or_a_wider_one() {
        let granted = |requested: Reach, scope| exemption(requested).granted_reach(scope, None);
        assert_eq!(granted(target(), None), Ok(None));
        assert_eq!(granted(target(), Some(Scope::Target)), Ok(None));
        assert_eq!(granted(chosen(&[1]), Some(Scope::Target)), Ok(Some(target())));
        assert_eq!(granted(target(), Some(Scope::Pipeline)), Ok(Some(pipeline("nightly"))));
        assert_eq!(granted(target(), Some(Scope::Project)), Ok(Some(Reach::Project)));
        assert_eq!(granted(Reach::Project, Some(Scope::Account)), Ok(Some(Reach::Account)));
        assert_eq!(granted(Reach::Project, Some(Scope::Target)), Err(ReachError::Narrower(Scope::Project)));
        assert_eq!(granted(target(), Some(Scope::Occurrences)), Err(ReachError::Narrower(Scope::Target)));
    }

    #[test]
    fn the_pipeline_of_an_approval_needs_the_wider_scope_pipeline() {
        let granted = |requested: Reach, scope, name: &str| {
            exemption(requested).granted_reach(Some(scope), Some(name.parse().unwrap()))
        };
        assert_eq!(granted(target(), Scope::Pipeline, "pr"), Ok(Some(pipeline("pr"))));
        assert_eq!(granted(target(), Scope::Target, "pr"), Err(ReachError::PipelineWithoutScope));
        assert_eq!(granted(target(), Scope::Project, "pr"), Err(ReachError::PipelineWithoutScope));
        assert_eq!(granted(pipeline("pr"), Scope::Pipeline, "pr"), Err(ReachError::PipelineAlreadyRequested));
        let seen_outside = Exemption { seen: without_pipeline(), ..exemption(target()) };
        assert_eq!(seen_outside.granted_reach(Some(Scope::Pipeline), None), Err(ReachError::PipelineMissing));
    }

    #[test]
    fn only_an_approval_has_a_scope() {
        let name = "pr".parse().unwrap();
        for decision in Decision::ALL {
            assert_eq!(decision.check_scope(None, None), Ok(()));
            let is_approval = decision == Decision::Approve;
            assert_eq!(decision.check_scope(Some(Scope::Project), None).is_ok(), is_approval, "{decision}");
            assert_eq!(decision.check_scope(None, Some(&name)).is_ok(), is_approval, "{decision}");
        }
    }
}
