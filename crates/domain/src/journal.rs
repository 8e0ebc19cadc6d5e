//! Journals: their names, and what their events mean. How they are stored is the `store` crate's concern.

use crate::event::Entry;
use crate::ids::{ExecutionId, ProjectId, TargetId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The name of a journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "journal")]
pub enum JournalId {
    /// What belongs to the installation and to no project: the tokens of its admins.
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
    /// Where to look for exemptions that were granted for the whole installation.
    Promoted,
    /// What is to be told to people of a project's exemptions.
    Outbox {
        /// The project.
        project: ProjectId,
    },
    /// Every scan of one target, in the order they were recorded.
    Scans {
        /// The project.
        project: ProjectId,
        /// The target.
        target: TargetId,
    },
    /// The scans of one run of a pipeline, of whatever targets.
    Execution {
        /// The project.
        project: ProjectId,
        /// The run.
        execution: ExecutionId,
    },
}

impl JournalId {
    /// The journal's part of keys in the store; made of `[a-z0-9._:-]` alone.
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

/// Why an event changed nothing. It stays in the journal, for the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What stands against it, in words for the person who tried.
    pub reason: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// The state that a journal's events add up to.
pub trait Fold: Default + Clone + Serialize + DeserializeOwned {
    /// What stands in the journal.
    type Event: Clone + Serialize + DeserializeOwned;

    /// Whether the order of events matters. If not, a snapshot may pass over an event that is still being written, and
    /// nothing is refused: whether it were would depend on the order.
    const ORDERED: bool;

    /// Applies the event of number `n`. An event that is not legal in this state changes nothing and is refused; one
    /// whose id was applied before changes nothing and is accepted.
    ///
    /// # Errors
    /// The refusal, for whoever appended the event.
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
