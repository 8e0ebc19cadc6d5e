//! The messages between components over private routes. Findings and reports stay in the store: messages contain ids.

use crate::problem::Problem;
use domain::account::AccountEvent;
use domain::event::Actor;
use domain::execution::ExecutionEvent;
use domain::exemption::{ExemptionEvent, PromotedEvent};
use domain::ids::{EventId, ExecutionId, ProjectId, ScanId, ScannerId, TargetId, TokenId, VariantName};
use domain::journal::{JournalId, Refusal};
use domain::outbox::OutboxEvent;
use domain::project::{InProject, ProjectEvent};
use domain::scan::ParsedReport;
use domain::scan_event::ScanEvent;
use domain::source::Revision;
use domain::trend::Day;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::pin::Pin;
use store::poll::Clock;
use store::raw::RawSegments;
use store::segments::Manifest;

/// The media type of a CloudEvent as one JSON document (CloudEvents 1.0, JSON event format, section 3).
pub const CLOUD_EVENT: &str = "application/cloudevents+json";

/// A message that starts a stage of a scan: a CloudEvent 1.0 with required attributes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageEvent {
    /// `1.0`.
    pub specversion: String,
    /// The scan and the finished step: the same pair is the same event.
    pub id: String,
    /// The sending component.
    pub source: String,
    /// The type of event: `dev.gatehouse.scan.<step>.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The payload.
    pub data: ScanRef,
}

/// A reference to a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRef {
    /// The scan.
    pub scan: ScanId,
}

/// A stage of a scan after parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Groups findings into issues and occurrences.
    Fingerprint,
    /// Sorts issues and occurrences into the buckets new, common and remediated.
    Baseline,
    /// Decides the verdict.
    Gate,
}

impl Stage {
    /// All stages, in the order in which they run.
    pub const ALL: [Self; 3] = [Self::Fingerprint, Self::Baseline, Self::Gate];

    /// The component that runs the stage.
    pub fn component(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Baseline => "baseline",
            Self::Gate => "gate",
        }
    }

    /// The message that starts the stage for a scan.
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

/// A request to the parser: read the raw segments of an upload, and write its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseRequest {
    /// The raw segments, with their key.
    pub raw: RawSegments,
    /// The number of the report's segments.
    pub report: u32,
    /// The number of the sidecar's segments, if there is a sidecar.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sidecar: Option<u32>,
    /// The expected format: an id, or [`AUTO`].
    pub scanner: ScannerId,
    /// The list to which the findings are written. If parsing fails, some of its segments may exist.
    pub findings: String,
}

/// The scanner name for a format that is detected from the report.
pub const AUTO: &str = "auto";

/// The parser's answer: the findings are in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseResult {
    /// The tool that wrote the report.
    pub tool: ScannerId,
    /// The format of the report.
    pub format: ScannerId,
    /// The categories of the report, sorted.
    pub categories: Vec<String>,
    /// The parts of the report, sorted.
    pub parts: Vec<String>,
    /// The counts, and the scanner's version.
    pub report: ParsedReport,
    /// True if the report contains secrets in clear.
    pub holds_secrets: bool,
    /// The list of the findings. A short one is in here.
    pub findings: Manifest,
    /// The revision in the sidecar, if there is a sidecar.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revision: Option<Revision>,
}

/// A request to the ledger: append an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Append {
    /// The event's id. A retry has the same id.
    pub id: EventId,
    /// The actor.
    pub by: Actor,
    /// The event, with its journal.
    pub event: AnyEvent,
}

/// An event with its journal. Each kind of event belongs to one kind of journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AnyEvent {
    /// An event of the account's journal.
    Account {
        /// The event.
        event: AccountEvent,
    },
    /// An event of a project's journal.
    Project {
        /// The event, with the project.
        event: InProject<ProjectEvent>,
    },
    /// An event of a project's exemption journal.
    Exemption {
        /// The project.
        project: ProjectId,
        /// The event.
        event: ExemptionEvent,
    },
    /// An event of the installation's list of exemptions that may apply to all projects.
    Promoted {
        /// The event.
        event: PromotedEvent,
    },
    /// An event of a project's outbox.
    Outbox {
        /// The project.
        project: ProjectId,
        /// The event.
        event: OutboxEvent,
    },
    /// An event of a target's scan journal.
    Scan {
        /// The journal.
        journal: JournalId,
        /// The event.
        event: ScanEvent,
    },
    /// An event of the journal of a pipeline's run.
    Execution {
        /// The project.
        project: ProjectId,
        /// The run.
        execution: ExecutionId,
        /// The event.
        event: ExecutionEvent,
    },
}

/// A request to the ledger: increment a counter. Each request gets a number that no other gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Count {
    /// The claims of a scan by uploads under one `Idempotency-Key`. The first claim freezes the scan.
    Claim {
        /// The scan.
        scan: ScanId,
    },
    /// The turns of a variant's scans by a tool: they are compared in this order.
    Turn {
        /// The target.
        target: TargetId,
        /// The variant.
        variant: VariantName,
        /// The tool.
        tool: ScannerId,
    },
    /// The series that a token begins in a target on a day.
    Series {
        /// The token.
        token: TokenId,
        /// The target.
        target: TargetId,
        /// The day (UTC).
        day: Day,
    },
}

/// The ledger's answer to a [`Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The number, from 1 on.
    pub n: u64,
}

/// The services that components offer each other. Production uses service chaining; tests call the jobs directly.
#[allow(async_fn_in_trait)]
pub trait Services: Clock {
    /// Parses the report of an upload. If this fails, segments of the findings may be left in the store.
    async fn parse(&self, request: &ParseRequest) -> Result<ParseResult, Problem>;

    /// Runs a stage of a scan and waits for it.
    async fn run_stage(&self, stage: Stage, scan: ScanId) -> Result<(), Problem>;

    /// Appends an event to a journal. A refusal is not an error: the event stays in the journal.
    async fn append(&self, request: &Append) -> Result<Appended, Problem>;

    /// Increments a counter and returns the new value.
    async fn count(&self, what: &Count) -> Result<u64, Problem>;
}

/// Waits until this many bytes of the instance's memory are free and reserves them until the returned value is dropped.
pub type Hold = fn(usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>>;

/// Reserves nothing: for tests, which do not run short of memory.
pub fn hold_nothing(_bytes: usize) -> Pin<Box<dyn Future<Output = Box<dyn Any>>>> {
    Box::pin(async { Box::new(()) as Box<dyn Any> })
}

/// The ledger's answer to an [`Append`]: the event is permanently in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// The number of the event in the journal.
    pub n: u64,
    /// The reason why the event was refused; absent if it took effect.
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
