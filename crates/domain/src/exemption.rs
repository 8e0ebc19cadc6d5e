//! Exemptions: permission to leave an issue, or some of its occurrences, be; requested by a developer, decided by somebody
//! else of SecOps, ending by itself.
//!
//! One journal holds all exemptions of a project, whatever their scope, so that many are asked for or decided on by one
//! event, all or none, and a wider grant is one event too. Its fold, [`Exemptions`], keeps what the gate needs; the words of
//! people stay in the events. What holds for a scan is an [`EffectiveExemptions`].
//!
//! An exemption that was granted for the whole installation stays in its project's journal; the journal of [`Promoted`]
//! only tells other projects where to look.

mod coverage;
mod effective;
mod event;
mod promoted;
mod reach;
mod reason;
mod scope;
mod state;
mod status;
mod term;
#[cfg(test)]
mod tests;

pub use coverage::Coverage;
pub use effective::{
    EffectiveExemptions, ExemptibleOccurrence, Grant, IssueCoverage, IssueCoverageBuilder, Remaining, ScanTarget,
};
pub use event::{ExemptionEvent, ExemptionRequest, SourceScan};
pub use promoted::{Pointer, Promoted, PromotedEvent};
pub use reach::{Reach, Reviewed};
pub use reason::Reason;
pub use scope::Scope;
pub use state::{Exemption, Exemptions, LastDecision, Stamp};
pub use status::Status;
pub use term::Term;
