//! The list of exemptions for the whole installation.

use super::scope::Scope;
use crate::event::Entry;
use crate::ids::{ExemptionId, IssueId, ProjectId, ScannerId};
use crate::journal::{Fold, Refusal};
use crate::limits::PROMOTED_MAX;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The place of an exemption for the whole installation. It is written before the exemption is approved, so it does not
/// say that the exemption applies; the journal of its project does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The project.
    pub project: ProjectId,
    /// The issue.
    pub issue: IssueId,
    /// The tool that found it.
    pub scanner: ScannerId,
}

/// An event of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum PromotedEvent {
    /// An exemption is about to be approved for the installation.
    Added {
        /// Its id.
        exemption: ExemptionId,
        /// Its place.
        pointer: Pointer,
    },
}

/// The list. It only grows: a pointer to an exemption that has ended has no effect. If such pointers were removed, one
/// that is removed while its exemption is approved again would be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// The pointers by exemption.
    pub by_id: BTreeMap<ExemptionId, Pointer>,
}

impl Fold for Promoted {
    type Event = PromotedEvent;
    const ORDERED: bool = true;

    fn apply(&mut self, _n: u64, entry: &Entry<PromotedEvent>) -> Result<(), Refusal> {
        let PromotedEvent::Added { exemption, pointer } = &entry.event;
        if self.by_id.len() >= PROMOTED_MAX && !self.by_id.contains_key(exemption) {
            return Err(Refusal::new(format!(
                "the installation has {PROMOTED_MAX} exemptions of the scope `{}`, the maximum",
                Scope::Account
            )));
        }
        self.by_id.insert(*exemption, pointer.clone());
        Ok(())
    }
}
