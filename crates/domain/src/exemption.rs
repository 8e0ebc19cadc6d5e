//! Exemptions: an issue, or some of its occurrences, does not count at the gate. A developer requests it, somebody else
//! with the role `secops` approves it, and it ends by itself.
//! One journal has all exemptions of a project, whatever their scope. So many requests or decisions are one event, of
//! which all take effect or none, and so is a wider grant. Its fold, [`Exemptions`], has what the gate needs; free
//! texts stay in the events. [`EffectiveExemptions`] are those that apply to a scan.
//! An exemption for the whole installation stays in its project's journal. The journal of [`Promoted`] shows
//! other projects where to find it.

mod coverage;
mod decision;
mod effective;
mod event;
mod judged;
mod promoted;
mod reach;
mod reason;
mod requested_reach;
mod scope;
mod state;
mod status;
mod term;
mod term_limits;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod version;

pub use coverage::Coverage;
pub use decision::Decision;
pub use effective::{
    EffectiveExemptions, ExemptibleOccurrence, Grant, IssueCoverage, IssueCoverageBuilder, Remaining, ScanTarget,
};
pub use event::{ExemptionEvent, ExemptionRequest, SourceScan};
pub use judged::{EpssBand, ExemptibleIssue, Judged, Marks, RiseAllowed};
pub use promoted::{Pointer, Promoted, PromotedEvent};
pub use reach::{Reach, Reviewed};
pub use reason::Reason;
pub use requested_reach::{ChosenOccurrences, ReachError, RequestedReach};
pub use scope::Scope;
pub use state::{Exemption, Exemptions, LastDecision, Stamp};
pub use status::Status;
pub use term::Term;
pub use term_limits::TermError;
pub use version::PreviousVersion;
