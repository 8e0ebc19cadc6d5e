//! Requests and responses of version 1, as they are sent. A breaking change needs a module `v2`.

mod accept;
mod account;
mod audit;
mod baseline_request;
mod execution;
mod exemption;
pub mod explain;
mod identity;
mod issue;
mod issue_lists;
mod occurrence;
mod overview;
mod project;
mod replay;
mod scan;
mod scanner;
mod settings_request;
mod source;
mod target;
mod token;

pub use accept::{AcceptBody, AcceptDecisionBody, AcceptRequestBody, AcceptRequestItem, AcceptedAnswer};
pub use account::{Me, ProjectItem};
pub use audit::{AuditAbout, AuditActor, AuditItem};
pub use baseline_request::{BaselineDecisionBody, BaselineEffect, BaselineRequestBody, BaselineRequestItem};
pub use execution::{Execution, ExecutionIssue, ExecutionReason, MissingScanner};
pub use exemption::{
    BulkDecision, DecisionBody, DecisionsBody, ExemptionBody, ExemptionItem, ExemptionTexts, IssueExemption,
    PreviewItem, PreviewOutcome, RequestsBody, Unused,
};
pub use explain::{Explanation, PassedOver};
pub use identity::{FirstSeen, Matched};
pub use issue::{IssueItem, IssuePackage, IssueState, KeyField, OccurrenceTally};
pub use issue_lists::{AffectedTarget, ComparedItem, IssuesPage, ScanComparison};
pub use occurrence::{Code, Cvss, Endpoint, Epss, Location, OccurrenceItem, Package, Secret};
pub use overview::{
    AcceptRequested, DayItem, FailingVariant, LastScan, Levels, Overview, OverviewExemptions, OverviewTarget,
};
pub use project::{CriteriaBody, CriterionError, ProjectAnswer, SettingsBody};
pub use replay::{
    NoBody, ReplayAnswer, ReplayComparison, ReplayExample, ReplayIssues, ReplayOccurrences, ReplayVariable,
    ReplayVersions, VersionsItem,
};
pub use scan::{
    BlindSpot, Comparison, NewerReport, RejectedEntry, Report, Scan, ScanAnswer, ScanItem, Source, SourceUse, Tally,
    TargetRef, Thresholds,
};
pub use scanner::{Difference, ScannerItem};
pub use settings_request::{
    GateSettingsBody, SettingChangeItem, SettingsDecisionBody, SettingsRequestBody, SettingsRequestItem,
};
pub use source::{REPORT_PART, SOURCE_PART, SOURCE_VERSION, SourceHead, SourceRow};
pub use target::{BaselineBody, EffectiveBaseline, TargetItem, TargetPatch, VariantItem};
pub use token::{AccountTokenBody, TokenBody, TokenItem};
