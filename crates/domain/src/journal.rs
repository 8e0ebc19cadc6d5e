//! Journals: their names, and the meaning of their events. The `store` crate reads and writes them.

use crate::event::Entry;
use crate::ids::{ExecutionId, ProjectId, TargetId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The name of a journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "journal")]
pub enum JournalId {
    /// The installation's own: the tokens of account admins, and the list of projects.
    Account,
    /// Settings, targets, baselines and tokens of a project.
    Project {
        /// The project.
        project: ProjectId,
    },
    /// All exemptions of a project.
    Exemptions {
        /// The project.
        project: ProjectId,
    },
    /// The list of exemptions for the whole installation.
    Promoted,
    /// Notices about a project's exemptions, to be delivered to people.
    Outbox {
        /// The project.
        project: ProjectId,
    },
    /// All scans of one target, in the order in which they were recorded.
    Scans {
        /// The project.
        project: ProjectId,
        /// The target.
        target: TargetId,
    },
    /// The scans of one run of a pipeline, of any targets.
    Execution {
        /// The project.
        project: ProjectId,
        /// The run.
        execution: ExecutionId,
    },
}

impl JournalId {
    /// Returns the journal's part of keys in the store. It consists of `[a-z0-9._:-]`.
    pub fn key(&self) -> String {
        match self {
            Self::Account => "account".to_owned(),
            Self::Project { project } => format!("project:{project}"),
            Self::Exemptions { project } => format!("ex:{project}"),
            Self::Promoted => "promoted".to_owned(),
            Self::Outbox { project } => format!("outbox:{project}"),
            Self::Scans { project, target } => format!("scans:{project}:{target}"),
            Self::Execution { project, execution } => format!("exec:{project}:{execution}"),
        }
    }
}

/// The reason why an event has no effect. A refused event stays in the journal, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The reason, as text for the person who tried.
    pub reason: String,
    /// True if the event was for a version that is not the present one: somebody changed the same thing in between.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stale: bool,
}

impl Refusal {
    /// Makes a refusal with this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), stale: false }
    }

    /// Makes the refusal of an event for a version that is not the present one.
    pub fn stale(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), stale: true }
    }
}

/// The state that results from a journal's events.
pub trait Fold: Default + Clone + Serialize + DeserializeOwned {
    /// The type of the events.
    type Event: Clone + Serialize + DeserializeOwned;

    /// True if the order of events matters. Otherwise a snapshot may leave out an event that is still being written,
    /// and no event is refused, because a refusal could depend on the order.
    const ORDERED: bool;

    /// Applies the event with number `n`. An event that is not valid in this state changes nothing and is refused. An
    /// event whose id was applied before changes nothing and is accepted.
    ///
    /// # Errors
    /// The refusal.
    fn apply(&mut self, n: u64, entry: &Entry<Self::Event>) -> Result<(), Refusal>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TargetId;

    #[test]
    fn keys_of_journals_are_pinned() {
        let project: ProjectId = "shop".parse().unwrap();
        let target = TargetId::of(&project, &"dvpwa".parse().unwrap());
        assert_eq!(JournalId::Account.key(), "account");
        assert_eq!(JournalId::Project { project: project.clone() }.key(), "project:shop");
        assert_eq!(JournalId::Exemptions { project: project.clone() }.key(), "ex:shop");
        assert_eq!(JournalId::Promoted.key(), "promoted");
        assert_eq!(JournalId::Outbox { project: project.clone() }.key(), "outbox:shop");
        assert_eq!(JournalId::Scans { project: project.clone(), target }.key(), format!("scans:shop:{target}"));
        let execution = ExecutionId::of(&"build".parse().unwrap(), &"7".parse().unwrap());
        let key = JournalId::Execution { project, execution }.key();
        assert_eq!(key, "exec:shop:05a4d192cac68d43c2877765a3f3b608");
    }
}
