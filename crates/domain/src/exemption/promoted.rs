//! The exemptions that may hold in the whole installation: where to look for them.

use super::scope::Scope;
use crate::event::Entry;
use crate::ids::{ExemptionId, IssueId, ProjectId, ScannerId};
use crate::journal::{Fold, Refusal};
use crate::limits::PROMOTED_MAX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where an exemption stands that was granted, or was about to be, for the whole installation. Whether it holds is for its
/// own project's journal to say: this only points there, and is written before the grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The project.
    pub project: ProjectId,
    /// The issue.
    pub issue: IssueId,
    /// The tool that found it.
    pub scanner: ScannerId,
}

/// What can happen to the list of what was granted for the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum PromotedEvent {
    /// An exemption is being granted for the installation.
    Added {
        /// Which.
        exemption: ExemptionId,
        /// Where it stands.
        pointer: Pointer,
    },
}

/// The list. It only grows: a pointer to an exemption that has ended does nothing, and one that was taken out at the moment
/// in which somebody grants the exemption anew would be missed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// By exemption.
    pub by_id: BTreeMap<ExemptionId, Pointer>,
}

impl Fold for Promoted {
    type Event = PromotedEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, _n: u64, entry: &Entry<PromotedEvent>) -> Result<(), Refusal> {
        let PromotedEvent::Added { exemption, pointer } = &entry.event;
        if self.by_id.len() >= PROMOTED_MAX && !self.by_id.contains_key(exemption) {
            return Err(Refusal::new(format!(
                "{PROMOTED_MAX} exemptions of the scope {} were granted in the installation, the most there may be",
                Scope::Account
            )));
        }
        self.by_id.insert(*exemption, pointer.clone());
        Ok(())
    }
}
