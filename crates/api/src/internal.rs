//! What components send each other over private routes: ids, never findings.

use crate::problem::Problem;
use domain::account::AccountEvent;
use domain::event::Actor;
use domain::execution::ExecutionEvent;
use domain::exemption::{ExemptionEvent, PromotedEvent};
use domain::ids::{EventId, ExecutionId, ProjectId, ScanId, ScannerId, TargetId, VariantName};
use domain::journal::{JournalId, Refusal};
use domain::outbox::OutboxEvent;
use domain::project::{Named, ProjectEvent};
use domain::scan::ScanEvent;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::pin::Pin;
use store::poll::{self, Sleep};

/// The media type of a CloudEvent as one JSON document (CloudEvents 1.0, JSON event format, section 3).
pub const CLOUD_EVENT: &str = "application/cloudevents+json";

/// A step of a scan, as a CloudEvent 1.0 with required attributes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageEvent {
    /// `1.0`.
    pub specversion: String,
    /// The scan and the step: the same pair is the same event.
    pub id: String,
    /// The component that sends it.
    pub source: String,
    /// What happened: `dev.gatehouse.scan.<step>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the receiver reads.
    pub data: ScanRef,
}

/// Names a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRef {
    /// The scan.
    pub scan: ScanId,
}

/// The stages that follow parsing, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Findings to issues and occurrences.
    Fingerprint,
    /// Issues and occurrences to what is new, common and gone.
    Baseline,
    /// All of it to a verdict.
    Gate,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 3] = [Self::Fingerprint, Self::Baseline, Self::Gate];

    /// The component that does it.
    pub fn component(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Baseline => "baseline",
            Self::Gate => "gate",
        }
    }

    /// The event that starts it.
    pub fn event(self, scan: ScanId) -> StageEvent {
        let done = match self {
            Self::Fingerprint => "parsed",
            Self::Baseline => "grouped",
            Self::Gate => "compared",
        };
        StageEvent {
            specversion: "1.0".to_owned(),
            id: format!("{scan}:{done}"),
            source: "/ingest".to_owned(),
            kind: format!("dev.gatehouse.scan.{done}.v1"),
            data: ScanRef { scan },
        }
    }
}

/// Asks the ledger to append an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Append {
    /// The event's id; the same again when the request is retried.
    pub id: EventId,
    /// Who acts.
    pub by: Actor,
    /// To which journal, and what.
    pub event: AnyEvent,
}

/// An event with its journal: each kind of event goes into one kind of journal only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AnyEvent {
    /// To the account's journal.
    Account {
        /// What happens.
        event: AccountEvent,
    },
    /// To a project's journal.
    Project {
        /// What happens.
        event: Named<ProjectEvent>,
    },
    /// To a project's exemption journal.
    Exemption {
        /// Whose.
        project: ProjectId,
        /// What happens.
        event: ExemptionEvent,
    },
    /// To the installation's list of exemptions that may hold everywhere.
    Promoted {
        /// What happens.
        event: PromotedEvent,
    },
    /// To a project's outbox.
    Outbox {
        /// The project.
        project: ProjectId,
        /// What happens.
        event: OutboxEvent,
    },
    /// To a target's scan journal.
    Scan {
        /// Which.
        journal: JournalId,
        /// What happens.
        event: ScanEvent,
    },
    /// To the journal of a pipeline's run.
    Execution {
        /// The project.
        project: ProjectId,
        /// The run.
        execution: ExecutionId,
        /// What happens.
        event: ExecutionEvent,
    },
}

/// Asks the ledger to count something: whoever asks gets a number that nobody else gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Count {
    /// Claims of a scan by uploads under one `Idempotency-Key`; the first freezes it.
    Claim {
        /// The scan.
        scan: ScanId,
    },
    /// Scans of a variant by a tool, in the order in which they are compared.
    Turn {
        /// The target.
        target: TargetId,
        /// The variant.
        variant: VariantName,
        /// The tool.
        tool: ScannerId,
    },
}

/// The ledger's answer to a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The number, from 1 on.
    pub n: u64,
}

/// What components ask of one another; over service chaining in earnest, directly in tests.
#[allow(async_fn_in_trait)]
pub trait Services: Sleep {
    /// Runs a stage of a scan and waits for it.
    async fn run_stage(&self, stage: Stage, scan: ScanId) -> Result<(), Problem>;

    /// Appends an event to a journal; a refusal is no error, the event stands.
    async fn append(&self, request: &Append) -> Result<Appended, Problem>;

    /// Counts something.
    async fn count(&self, what: &Count) -> Result<u64, Problem>;

    /// Waits a few milliseconds for another request to get on.
    async fn pause(&self) {
        self.sleep(poll::INTERVAL).await;
    }
}

/// Waits for a share of the instance's memory, in bytes, and holds it until what it gives is dropped.
pub type Hold = fn(usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>>;

/// Asks for no share: for tests, where memory is not short.
pub fn hold_nothing(_bytes: usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>> {
    Box::pin(async { Box::new(()) as Box<dyn Any> })
}

/// The ledger's answer: the event is in the journal for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Its number.
    pub n: u64,
    /// Why it changed nothing; absent if it took effect.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<Refusal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_event_is_a_cloud_event() {
        let event = Stage::Fingerprint.event(ScanId::from_bits([1; 16]));
        insta::assert_json_snapshot!(event, @r#"
        {
          "specversion": "1.0",
          "id": "01010101010101010101010101010101:parsed",
          "source": "/ingest",
          "type": "dev.gatehouse.scan.parsed.v1",
          "data": {
            "scan": "01010101010101010101010101010101"
          }
        }
        "#);
    }
}
