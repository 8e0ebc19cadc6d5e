//! An exemption for tests.

use super::event::SourceScan;
use super::reach::Reach;
use super::reason::Reason;
use super::state::{Exemption, Stamp};
use super::term::Term;
use crate::ids::{EventId, IssueId, ScanId};
use crate::time::Timestamp;
use finding::severity::Severity;
use std::collections::BTreeSet;

/// A pending exemption, requested by `dev` for 7 days. Its issue was seen in the target `web` and the pipeline
/// `nightly`.
pub(super) fn exemption(requested: Reach) -> Exemption {
    Exemption {
        issue: IssueId::from_bits([1; 16]),
        scanner: "bandit".parse().unwrap(),
        severity: Severity::High,
        seen: seen(),
        asked: requested,
        term: Term::Days(7),
        reason: Reason::AcceptableRisk,
        returned_from: None,
        requested: Stamp { n: 1, at: Timestamp::from_ms(0), by: "dev".parse().unwrap() },
        askers: BTreeSet::from(["dev".parse().unwrap()]),
        decision: None,
        applied: vec![EventId::from_bits([1; 16])],
        reopened: None,
        before: None,
        marks: None,
    }
}

pub(super) fn seen() -> SourceScan {
    SourceScan {
        scan: ScanId::from_bits([9; 16]),
        target: "web".parse().unwrap(),
        pipeline: Some("nightly".parse().unwrap()),
    }
}
