//! The names of the format's fields.

use serde_json::Value;

/// Every field that the format knows. Only these may be part of a key.
pub(super) const FIELDS: &[&str] = &[
    // Required.
    "issueName",
    "issueDescription",
    "subProduct",
    "severity",
    // Recommended.
    "confidence",
    "cvss",
    "fileName",
    "host",
    "ip",
    "lineNumber",
    "link",
    "url",
    "port",
    "issueType",
    "product",
    "project",
    "tags",
    "remediationSteps",
    "scanSeverity",
    "scanStatus",
    // Optional.
    "author",
    "effort",
    "imageNamespace",
    "exploitabilityScore",
    "impactScore",
    "imageLayerId",
    "libraryName",
    "license",
    "linesOfCodeImpacted",
    "referenceIdentifiers",
    // Not described, but in every example.
    "risk",
    "status",
];

/// Names of values that the product computes. A report must not contain them.
pub(super) const RESERVED: &[&str] = &[
    "alertRulesets",
    "customerId",
    "discoveryIssueId",
    "discoveryRunTime",
    "discoveryTimespan",
    "ignore",
    "ignoreRulesets",
    "jobId",
    "policyId",
    "policyName",
    "refinementVersion",
    "remediationRunTime",
    "remediationTimespan",
    "runTime",
    "scenarioId",
    "severityCode",
    "target",
    "targetId",
];

/// A value that is a text, a number or a truth value, as text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
